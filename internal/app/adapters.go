package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	"doorstep/internal/waiting"
)

// answerer gives numbered answers to the room whose promise was asked about.
type answerer struct{ s *Server }

func (a answerer) Open(tx *store.Tx, org person.OrgID, patient person.ID, promises string) (bool, error) {
	for id := range strings.FieldsSeq(promises) {
		p, err := a.s.Promises.Get(tx, org, patient, promise.ID(id))
		if err != nil {
			return false, err
		}
		if p.Kind == appointment.Promised || p.Kind == appointment.Offered {
			waits, err := a.s.Appointments.Waits(tx, p)
			if err == nil && !waits && p.Kind == appointment.Promised {
				waits, err = a.s.Waiting.Asked(tx, p)
			}
			if err != nil || waits {
				return waits, err
			}
			continue
		}
		if p.State == promise.Open || p.State == promise.Broken {
			return true, nil
		}
	}
	return false, nil
}

func (a answerer) Answer(tx *store.Tx, ans message.Answer) (string, map[string]string, error) {
	say, args := "closed", map[string]string(nil)
	for id := range strings.FieldsSeq(ans.Promises) {
		p, err := a.s.Promises.Get(tx, ans.Org, ans.Patient, promise.ID(id))
		if err != nil {
			return "", nil, err
		}
		switch p.Kind {
		case medication.Kind, medication.Travel:
			say, args, err = a.s.Medication.Reply(tx, ans, p.ID)
		case appointment.Promised:
			if ans.Say == waiting.AskHere {
				say, args, err = a.s.Waiting.Reply(tx, ans, p)
				break
			}
			say, args, err = a.s.Appointments.Reply(tx, ans, p)
		case journey.Thing, journey.Move:
			say, args, err = a.s.Journeys.Reply(tx, ans, p)
		case transport.Kind:
			say, args, err = a.s.Transport.Reply(tx, rider(ans), transport.ID(p.About), ans.Number)
		case appointment.Offered:
			say, args, err = a.s.Appointments.ReplyOffer(tx, ans, p)
		case pathway.Kind:
			say, args, err = a.s.Pathways.Reply(tx, ans, p)
		default:
			err = fault.New(fault.Internal, "nobody takes answers about promises of kind %q", p.Kind)
		}
		if err != nil {
			return "", nil, err
		}
	}
	return say, args, nil
}

// desk turns what needs a person into tasks.
type desk struct{ s *Server }

func (d desk) Undelivered(tx *store.Tx, m message.Message) error {
	id, _, _ := strings.Cut(m.Promises, " ")
	return d.s.Promises.OpenTask(tx, promise.TaskRow{Org: m.Org, Patient: m.Patient, ID: clock.DerivedID("undelivered", m.ID), Promise: promise.ID(id), Kind: "message",
		Role: person.Desk, Severity: max(promise.Watch, promise.Severity(m.Severity)), Say: "task.undelivered", Cause: "gateway"})
}

func (d desk) Stopped(tx *store.Tx, org person.OrgID, who []person.ID) error {
	for _, id := range who {
		p, err := d.s.People.Get(tx, org, id)
		if err != nil {
			return err
		}
		t := promise.TaskRow{Org: org, Kind: "message", Role: person.Desk, Severity: promise.Watch, Say: "task.stop", Args: map[string]string{"called": p.Called}, Cause: "stop",
			ID: clock.DerivedID("stop", string(org), string(id), d.s.Clock.Now().Format(time.RFC3339))}
		if p.Role == person.Patient {
			t.Patient = id
		}
		if err := d.s.Promises.OpenTask(tx, t); err != nil {
			return err
		}
	}
	return nil
}

func (d desk) Word(tx *store.Tx, m message.Message, why string) error {
	if m.Patient == "" {
		return d.s.Promises.OpenTask(tx, promise.TaskRow{Org: m.Org, ID: clock.DerivedID("word", m.ID), Kind: "message", Role: person.Desk, Severity: promise.Watch, Say: "task.which", Cause: "which"})
	}
	by, err := d.s.Conversations.Heard(tx, m.Org, m.Patient, m.Body)
	if err != nil || m.Channel != person.SMS {
		return err
	}
	// Whoever texts in their own words hears by when somebody answers.
	return d.s.Messages.Say(tx, message.Draft{Org: m.Org, Patient: m.Patient, To: "person:" + string(m.Person), At: m.At, Key: "thanks/" + m.ID, Say: "thanks.word",
		Args: map[string]string{"by": by.Format(time.RFC3339)}, Severity: message.Urgent, Channels: []person.Channel{person.SMS}})
}

func (d desk) Stranger(tx *store.Tx, org person.OrgID, m message.Message) error {
	return d.s.Promises.OpenTask(tx, promise.TaskRow{Org: org, ID: clock.DerivedID("stranger", m.ID), Kind: "message", Role: person.Desk, Severity: promise.Watch, Say: "task.unknown", Cause: "unknown"})
}

// pills turn a pill box's openings into evidence.
type pills struct{ s *Server }

func (p pills) Pill(tx *store.Tx, d reading.Device, patient string, e reading.PillEvent) error {
	tx.Hint("patient", d.Org+"/"+patient)
	sign := medication.Sign{At: e.At, Source: "pill box"}
	switch {
	case e.Event == "open":
		sign.Kind = medication.KindOpened
	case e.Event == "dispense":
		sign.Kind = medication.KindDispensed
	case e.Event == "tap":
		sign.Kind = medication.KindTouched
	case e.Event == "weight_delta" && e.Value < 0:
		sign.Kind = medication.KindLighter
	default:
		return nil
	}
	return p.s.Medication.Shown(tx, person.OrgID(d.Org), person.ID(patient), sign)
}

// cues light devices up.
type cues struct{ s *Server }

func (c cues) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	c.s.mu.Lock()
	cue := c.s.cue
	c.s.mu.Unlock()
	out := make([]message.Result, len(batch))
	for i, m := range batch {
		err := errors.New("no broker is running")
		if cue != nil {
			err = cue(m.To, []byte(m.Body))
		}
		if err != nil {
			out[i] = message.Result{Err: err, Never: true} // a light that comes later is no use
		}
	}
	return out
}
