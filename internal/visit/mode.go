package visit

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// Fall lets a visit go on with less: without a picture, or by telephone. It never takes away more than is asked for, and saying it
// twice is saying it once. A patient may ask to be called before she has entered the room, or when she cannot.
func (s *Service) Fall(ctx context.Context, v person.Viewer, k Key, to Mode, why string) (Meeting, error) {
	if (to != Audio && to != Phone) || !slices.Contains(reasons, why) {
		return Meeting{}, fault.Invalidf("A visit goes on with sound alone, or by telephone.")
	}
	if err := s.enter(ctx, v, k); err != nil {
		return Meeting{}, err
	}
	var call *Call
	m, err := s.change(ctx, v, k, func(tx *store.Tx, x Visit, m Meeting) error {
		call = nil
		if err := m.goesOn(); err != nil || m.Mode == to || m.Mode == Phone {
			return err
		}
		now := s.clock.Now()
		m.Mode, m.Why = to, why
		if to == Phone {
			m.PhoneAt, m.CallBy = now, now.Add(CallsIn)
			who, err := s.numbers(tx, k)
			if err != nil {
				return err
			}
			call = &who
			if err := s.task(tx, x, m, who.To); err != nil {
				return err
			}
		}
		if err := s.step(tx, m, x, string(to), v.Name, why); err != nil {
			return err
		}
		return s.put(tx, m)
	})
	if err != nil || call == nil || s.telephone == nil || call.To == "" || call.From == "" {
		return m, err
	}
	if err := s.telephone.Ring(ctx, *call); err != nil {
		return m, nil // the desk has the task
	}
	return s.change(ctx, v, k, func(tx *store.Tx, _ Visit, m Meeting) error { m.Ringing = true; return s.put(tx, m) })
}

// Rise tries the picture again.
func (s *Service) Rise(ctx context.Context, v person.Viewer, k Key) (Meeting, error) {
	return s.change(ctx, v, k, func(tx *store.Tx, x Visit, m Meeting) error {
		if err := m.goesOn(); err != nil || m.Mode == Video {
			return err
		}
		if m.Mode == Phone {
			if err := s.finish(tx, m, "By video again."); err != nil {
				return err
			}
		}
		m.Mode, m.Why, m.PhoneAt, m.CallBy, m.Ringing = Video, "", time.Time{}, time.Time{}, false
		if err := s.step(tx, m, x, string(Video), v.Name, ""); err != nil {
			return err
		}
		return s.put(tx, m)
	})
}

// enter opens the room for somebody who does not sit down in it.
func (s *Service) enter(ctx context.Context, v person.Viewer, k Key) error {
	if err := s.people.Enter(ctx, v, person.Act, k.Patient, "video visit"); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := s.open(tx, k)
		return err
	})
}

// open answers the visit of a room that may be entered now, and makes the room if there is none.
func (s *Service) open(tx *store.Tx, k Key) (Visit, error) {
	now := s.clock.Now()
	x, err := s.Visit(tx, k)
	switch {
	case err != nil:
		return x, err
	case !x.Video:
		return x, fault.Invalidf("This visit is not by video.")
	case x.Live && now.Before(x.Start.Add(-Opens)):
		return x, fault.Conflictf("It is too early. The room opens half an hour before the visit.")
	case !x.Open(now):
		return x, errOver
	}
	_, err = tx.Exec(`INSERT INTO meeting (org, patient, visit, mode, why, opened_at, together_at, phone_at, call_by, ringing, recording, ended_at, seq)
		VALUES ($1, $2, $3, $4, '', $5, 0, 0, 0, 0, '', 0, 0) ON CONFLICT (org, patient, visit) DO UPDATE SET seq = meeting.seq`, append(k.args(), string(Video), store.Micros(now))...)
	return x, err
}

var errOver = fault.Conflictf("This visit is over.")

func (m Meeting) goesOn() error {
	if !m.Ended.IsZero() {
		return errOver
	}
	return nil
}

// numbers answers whom a call puts through: the patient's telephone, and the clinic's.
func (s *Service) numbers(tx *store.Tx, k Key) (Call, error) {
	c := Call{Key: k}
	list, err := s.people.Contacts(tx, k.Org, k.Patient)
	if err != nil {
		return c, err
	}
	for _, x := range list {
		if x.Channel == person.SMS && c.To == "" {
			c.To = x.Address
		}
	}
	o, err := s.people.Org(tx, k.Org)
	c.From = o.Phone
	return c, err
}

// taskID is one for each time that the visit turned into a call.
func (m Meeting) taskID() string {
	return clock.DerivedID("visit call", string(m.Org), string(m.Visit), m.PhoneAt.UTC().Format(time.RFC3339))
}

// task asks the desk to call, with the number and by when.
func (s *Service) task(tx *store.Tx, x Visit, m Meeting, number string) error {
	who, err := s.people.Get(tx, m.Org, m.Patient)
	if err != nil {
		return err
	}
	say, args := "task.visit.call", map[string]string{"called": who.Called, "with": x.With, "by": m.CallBy.UTC().Format(time.RFC3339), "phone": words.Phone(number)}
	if number == "" {
		say = "task.visit.call.none"
	}
	return s.promises.OpenTask(tx, promise.TaskRow{Org: m.Org, Patient: m.Patient, ID: m.taskID(), Kind: "visit", Role: person.Desk, Severity: promise.Severe, Say: say, Args: args, Cause: "visit call"})
}

// finish closes the task of a call, if somebody has not done so.
func (s *Service) finish(tx *store.Tx, m Meeting, outcome string) error {
	t, err := s.promises.TaskByID(tx, m.Org, m.taskID())
	if err != nil || !t.Closed.IsZero() {
		return err
	}
	_, err = s.promises.Finish(tx, person.SystemViewer(m.Org), t.ID, outcome)
	return err
}

// step writes a change of the way down, for the page and in the record.
func (s *Service) step(tx *store.Tx, m Meeting, x Visit, kind, name, why string) error {
	if err := s.event(tx, m.Key, kind, name, why); err != nil {
		return err
	}
	return s.communicate(tx, m, x)
}
