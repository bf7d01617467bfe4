// Package conversation holds the thread between a person and the clinic. Its promise: every word that a person sends us gets a
// promised answer time, and somebody is told when that time comes near.
package conversation

import (
	"context"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Kind of the promises of this room.
const Kind = "answer"

// Ladder that promises of an answer climb.
const Ladder = "answer"

// within is how soon an answer is promised.
const within = 4 * time.Hour

// Service ties messages to promises of an answer. It has no tables of its own.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	people   *person.Service
	messages *message.Service
	promises *promise.Service
}

// New answers the service.
func New(db *store.DB, c clock.Clock, people *person.Service, messages *message.Service, promises *promise.Service) *Service {
	return &Service{db: db, clock: c, people: people, messages: messages, promises: promises}
}

// Post writes into a patient's thread from a page. Staff answer: that keeps what was promised, and the patient is told that
// there is an answer. Anybody else asks: an answer is promised.
func (s *Service) Post(ctx context.Context, v person.Viewer, patient person.ID, body string) error {
	if err := s.people.Enter(ctx, v, person.Message, patient, "messages"); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		m, err := s.messages.Write(tx, v, patient, body)
		if err != nil {
			return err
		}
		if !v.Role.Staff() {
			_, err := s.Promise(tx, m.Org, patient)
			return err
		}
		return s.answered(tx, v, m)
	})
}

// Promise promises an answer to a patient's words, unless one is promised already: the first time said holds. It answers by when.
func (s *Service) Promise(tx *store.Tx, org person.OrgID, patient person.ID) (time.Time, error) {
	open, err := s.promises.OpenOf(tx, org, patient, Kind)
	if err != nil {
		return time.Time{}, err
	}
	if len(open) > 0 {
		return open[0].By, nil
	}
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return time.Time{}, err
	}
	ref, err := s.promises.Latest(tx, org, Ladder)
	if err != nil {
		return time.Time{}, err
	}
	now := s.clock.Now()
	by := now.Add(within)
	_, err = s.promises.Make(tx, promise.Promise{Org: org, Patient: patient, Kind: Kind, Severity: promise.Watch, Say: "say.answer",
		Args: map[string]string{"time": by.Format(time.RFC3339)}, Keeper: promise.Keeper{Kind: "role", Who: string(person.Nurse)}, From: now, By: by,
		Zone: p.Zone, Ladder: ref})
	return by, err
}

func (s *Service) answered(tx *store.Tx, v person.Viewer, m message.Message) error {
	open, err := s.promises.OpenOf(tx, m.Org, m.Patient, Kind)
	if err != nil {
		return err
	}
	for _, p := range open {
		if _, err := s.promises.Give(tx, m.Org, m.Patient, p.ID, promise.Evidence{Kind: "word", At: m.At, Source: "page", By: string(v.Person)}); err != nil {
			return err
		}
	}
	who, err := s.people.Get(tx, m.Org, v.Person)
	if err != nil {
		return err
	}
	return s.messages.Say(tx, message.Draft{Org: m.Org, Patient: m.Patient, To: "patient", At: m.At, Key: "answer/" + m.ID, Say: "answer", Args: map[string]string{"who": who.Called}})
}
