package app

import (
	"context"
	"io/fs"

	"doorstep/internal/appointment"
	"doorstep/internal/conversation"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/breath"
	"doorstep/internal/reading/pull"
	"doorstep/internal/reading/watch"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	"doorstep/internal/visit"
	"doorstep/internal/waiting"
)

// room is one package's tables.
type room struct {
	name string
	fs   fs.FS
}

var rooms = []room{
	{"person", person.Migrations}, {"promise", promise.Migrations}, {"message", message.Migrations}, {"record", record.Migrations},
	{"medication", medication.Migrations}, {"reading", reading.Migrations}, {"watch", watch.Migrations}, {"programme", programme.Migrations}, {"breath", breath.Migrations}, {"pull", pull.Migrations}, {"appointment", appointment.Migrations}, {"conversation", conversation.Migrations}, {"waiting", waiting.Migrations}, {"visit", visit.Migrations}, {"pathway", pathway.Migrations}, {"journey", journey.Migrations}, {"transport", transport.Migrations},
}

// Migrate brings every room's tables up to date.
func Migrate(ctx context.Context, db *store.DB) error {
	for _, r := range rooms {
		if err := db.Migrate(ctx, r.name, r.fs); err != nil {
			return err
		}
	}
	return nil
}
