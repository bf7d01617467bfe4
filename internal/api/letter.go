package api

import (
	"context"
	"net/http"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// letter is a patient's week in words, as the viewer gets it; for staff, as the patient does.
type letter struct {
	On      bool      `json:"on"`
	Weekday int       `json:"weekday" minimum:"0" maximum:"6" doc:"0 is Sunday, in the reader's zone."`
	Time    string    `json:"time" maxLength:"5" doc:"HH:MM in the reader's zone." example:"18:00"`
	Next    time.Time `json:"next,omitzero" readOnly:"true" doc:"Absent while it is off."`
}

func (s *server) letterRoutes() {
	get(s, "get-letter", "/patients/{id}/letter", "When the viewer gets the patient's week in words; for staff, when the patient does.", s.letter)
	post(s, "set-letter", "/patients/{id}/letter", "Chooses the day and time of the week in words, or ends it.", http.StatusOK, s.setLetter)
}

// letterReader answers whose letter a caller asks about.
func letterReader(c *caller, patient person.ID) person.ID {
	if c.Role.Staff() {
		return patient
	}
	return c.Person
}

func letterOf(l medication.Letter, zone *time.Location) letter {
	return letter{On: l.On, Weekday: int(l.Weekday), Time: l.Wall.String(), Next: local(l.Next, zone)}
}

func (s *server) letter(ctx context.Context, c *caller, in *supportInput) (out letter, err error) {
	p, err := s.enter(ctx, c, person.See, in.ID, "plan")
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		l, _, err := s.Medication.LetterOf(tx, c.Org, p.ID, letterReader(c, p.ID))
		out = letterOf(l, p.Location())
		return err
	})
	return out, err
}

type setLetterInput struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		On      bool   `json:"on"`
		Weekday int    `json:"weekday" minimum:"0" maximum:"6"`
		Time    string `json:"time" maxLength:"5"`
	}
}

func (s *server) setLetter(ctx context.Context, c *caller, in *setLetterInput) (letter, error) {
	right := person.See // one's own letter
	if c.Role.Staff() {
		right = person.Act
	}
	p, err := s.enter(ctx, c, right, in.ID, "choose the week in words")
	if err != nil {
		return letter{}, err
	}
	wall, err := clock.ParseWall(in.Body.Time)
	if err != nil {
		return letter{}, fault.Invalidf("time: want a time like 18:00.")
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (letter, error) {
		l, err := s.Medication.SetLetter(tx, c.Viewer, medication.Letter{Org: c.Org, Patient: p.ID, Person: letterReader(c, p.ID), On: in.Body.On, Weekday: time.Weekday(in.Body.Weekday), Wall: wall})
		return letterOf(l, p.Location()), err
	})
}
