package conversation

import (
	"context"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// change runs fn on an open conversation, for staff of the patient's team.
func (s *Service) change(ctx context.Context, v person.Viewer, patient person.ID, id, what string, fn func(tx *store.Tx, c *Conversation) error) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can do this.")
	}
	if err := s.people.Enter(ctx, v, person.Message, patient, what); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if tx.Engine() == store.Postgres { // two take it at once; SQLite has one writer
			var one int
			if _, err := tx.Row("SELECT 1 FROM conversation WHERE org = $1 AND patient = $2 AND id = $3 FOR UPDATE", []any{string(v.Org), string(patient), id}, &one); err != nil {
				return err
			}
		}
		c, err := s.Get(tx, v.Org, patient, id)
		if err != nil {
			return err
		}
		if !c.Answered.IsZero() {
			return fault.Conflictf("That is answered already.")
		}
		if err := fn(tx, &c); err != nil {
			return err
		}
		if err := s.people.Audit(tx, v, patient, "message", what); err != nil {
			return err
		}
		return s.put(tx, c)
	})
}

// Take makes the viewer the owner of what nobody holds. What somebody holds is asked for by HandOver.
func (s *Service) Take(ctx context.Context, v person.Viewer, patient person.ID, id string) error {
	return s.change(ctx, v, patient, id, "take a conversation", func(tx *store.Tx, c *Conversation) error {
		if c.Owner != "" && c.Owner != v.Person {
			return fault.Conflictf("Somebody else holds that. Ask to be handed it.")
		}
		c.Owner = v.Person
		return nil
	})
}

// noteMost bounds what one tells the next.
const noteMost = 1000

// HandOver asks a colleague to take a conversation over, with what she has to know. The owner holds it, and what was promised stands,
// until the colleague has said yes: there is no cold transfer.
func (s *Service) HandOver(ctx context.Context, v person.Viewer, patient person.ID, id string, to person.ID, note string) error {
	return s.change(ctx, v, patient, id, "hand a conversation over", func(tx *store.Tx, c *Conversation) error {
		note = strings.TrimSpace(note)
		next, err := s.people.Get(tx, v.Org, to)
		if err != nil {
			return err
		}
		switch {
		case c.Owner != "" && c.Owner != v.Person:
			return fault.Conflictf("Only the one who holds it can hand it over.")
		case !next.Role.Staff() || to == v.Person:
			return fault.Invalidf("Please choose a colleague.")
		case note == "" || len(note) > noteMost:
			return fault.Invalidf("Please say what your colleague has to know, so that nobody must ask the patient again.")
		}
		if err := s.people.May(tx, person.Viewer{Org: v.Org, Person: to, Role: next.Role}, person.Message, patient); err != nil {
			return fault.Invalidf("This colleague is not of the patient's team.")
		}
		c.Owner, c.Offered, c.OfferedBy, c.Note = v.Person, to, v.Person, note
		p, err := s.people.Get(tx, v.Org, patient)
		if err != nil {
			return err
		}
		return s.promises.OpenTask(tx, promise.TaskRow{Org: v.Org, Patient: patient, ID: clock.DerivedID("handover", c.ID, string(to), c.Opened.String()), Kind: Kind, Role: next.Role, Owner: to,
			Severity: promise.Watch, Say: "task.handover", Args: map[string]string{"called": p.Called, "who": v.Name}, Cause: "handover"})
	})
}

// Accept says yes to what one was asked to take over. The patient hears who holds it now, and that she need not tell it again.
func (s *Service) Accept(ctx context.Context, v person.Viewer, patient person.ID, id string) error {
	return s.change(ctx, v, patient, id, "accept a conversation", func(tx *store.Tx, c *Conversation) error {
		if c.Offered != v.Person {
			return fault.Conflictf("That is not offered to you.")
		}
		from, err := s.people.Get(tx, v.Org, c.OfferedBy)
		if err != nil {
			return err
		}
		now, err := s.people.Get(tx, v.Org, v.Person)
		if err != nil {
			return err
		}
		c.Owner, c.Offered, c.OfferedBy = v.Person, "", ""
		c.Handovers++
		return s.messages.Say(tx, message.Draft{Org: v.Org, Patient: patient, To: "patient", At: s.clock.Now(), Key: "handed/" + c.ID + "/" + s.clock.Now().Format(time.RFC3339), Say: "handed",
			Args: map[string]string{"who": now.Called, "from": from.Called, "time": c.By.Format(time.RFC3339)}})
	})
}

// Decline says no: the one who asked holds it still.
func (s *Service) Decline(ctx context.Context, v person.Viewer, patient person.ID, id string) error {
	return s.change(ctx, v, patient, id, "decline a conversation", func(_ *store.Tx, c *Conversation) error {
		if c.Offered != v.Person {
			return fault.Conflictf("That is not offered to you.")
		}
		c.Offered, c.OfferedBy = "", ""
		return nil
	})
}
