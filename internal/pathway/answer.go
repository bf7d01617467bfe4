package pathway

import (
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Word is what somebody says of a step.
type Word struct {
	Org     person.OrgID
	Patient person.ID
	Promise promise.ID
	Done    bool // else: it cannot be done
	By      person.ID
	For     person.ID // assisted: said for this person by By
	Kind    string    // tap, text, word
	Source  string
}

// Say takes a word about a step: done keeps its promise; that it cannot be done is kept as a word, and a nurse is told.
func (s *Service) Say(tx *store.Tx, w Word) error {
	p, err := s.promises.Get(tx, w.Org, w.Patient, w.Promise)
	if err != nil {
		return err
	}
	if p.Kind != Kind {
		return fault.NotFoundf("There is no such step.")
	}
	if p.State != promise.Open {
		return nil
	}
	e := promise.Evidence{Kind: w.Kind, At: s.clock.Now(), Source: w.Source, By: string(w.By), For: string(w.For)}
	if w.Done {
		_, err = s.promises.Give(tx, w.Org, w.Patient, w.Promise, e)
		return err
	}
	e.Note = "step.cannot"
	if _, err := s.promises.Note(tx, w.Org, w.Patient, w.Promise, e); err != nil {
		return err
	}
	who, err := s.people.Get(tx, w.Org, w.Patient)
	if err != nil {
		return err
	}
	return s.promises.OpenTask(tx, promise.TaskRow{Org: w.Org, Patient: w.Patient, ID: "cannot-" + string(w.Promise), Promise: w.Promise, Kind: Kind, Role: person.Nurse, Severity: promise.Watch, Say: "task.step.cannot",
		Args: map[string]string{"called": who.Called}, Cause: "step"})
}

// Reply takes a numbered answer: 1 done, 2 it cannot be done.
func (s *Service) Reply(tx *store.Tx, a message.Answer, p promise.Promise) (say string, args map[string]string, err error) {
	if p.State != promise.Open {
		return "closed", nil, nil
	}
	w := Word{Org: a.Org, Patient: a.Patient, Promise: p.ID, Done: a.Number == 1, By: a.By, Kind: "text", Source: "text"}
	switch a.Source {
	case "phone":
		w.Kind, w.Source = "word", "phone"
	case "link":
		w.Kind, w.Source = "tap", "link"
	}
	if a.Number == 2 {
		return "thanks.step.no", nil, s.Say(tx, w)
	}
	return "thanks.step", nil, s.Say(tx, w)
}
