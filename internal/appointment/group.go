package appointment

import (
	"context"
	"errors"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Moved is what became of one visit of a group that could not be held.
type Moved struct {
	Old Appointment
	New Appointment // zero when no time was found: then the person waits first in line, and the desk has a task
}

// GroupMove finds new times for all visits that a resource cannot hold in a span, because a clinician is ill or a room is flooded.
// The span is closed first, so that nobody books into it. Each visit moves to the soonest fitting time at or after its own,
// with the same way where there is one; each person is told, and can say no by text. It goes on where it was stopped: what has
// been moved already is not moved again.
func (s *Service) GroupMove(ctx context.Context, v person.Viewer, org person.OrgID, resource string, from, to time.Time) ([]Moved, error) {
	now := s.clock.Now()
	switch {
	case !v.Role.Staff():
		return nil, fault.Deniedf("Only the clinic can move visits together.")
	case !to.After(from) || !to.After(now):
		return nil, fault.Invalidf("Please choose a time that ends after it begins, and has not passed.")
	case to.Sub(from) > 60*24*time.Hour:
		return nil, fault.Invalidf("Please move at most 60 days at a time.")
	}
	if from.Before(now) {
		from = now
	}
	if err := s.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.manages(tx, v, org, resource); err != nil {
			return err
		}
		if err := s.people.Audit(tx, v, "", "change", "calendar of "+resource+" closed"); err != nil {
			return err
		}
		return s.setBusy(tx, org, resource, from, to)
	}); err != nil {
		return nil, err
	}
	var due []Appointment
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = store.All(tx, appointmentSelect+` WHERE org = $1 AND start_at < $3 AND start_at > $4 AND state IN ('booked', 'held') AND id IN
			(SELECT appointment FROM claim WHERE org = $1 AND resource = $5 AND from_at < $3 AND until_at > $2) ORDER BY start_at, id`,
			[]any{string(org), store.Micros(from), store.Micros(to), store.Micros(from.Add(-24 * time.Hour)), resource}, scanAppointment)
		return err
	}); err != nil {
		return nil, err
	}
	out, failed := make([]Moved, 0, len(due)), error(nil)
	for _, a := range due {
		m, err := s.moveOne(ctx, v, a)
		if err != nil { // the others are still to be told
			failed = errors.Join(failed, err)
			continue
		}
		if a.State == Booked {
			out = append(out, m)
		}
	}
	return out, failed
}

// manages reports whether staff may move and close the calendar of a resource: that of a person, when they are in one team with her; that of a
// thing, all of them.
func (s *Service) manages(tx *store.Tx, v person.Viewer, org person.OrgID, resource string) error {
	list, err := s.resourcesByID(tx, org, []string{resource})
	if err != nil {
		return err
	}
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can change a calendar.")
	}
	whose := list[0].Person
	if whose == "" || whose == v.Person {
		return nil
	}
	them, err := s.people.Get(tx, org, whose)
	if err != nil {
		return err
	}
	me, err := s.people.Get(tx, org, v.Person)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(me.Teams, func(t person.TeamID) bool { return slices.Contains(them.Teams, t) }) {
		return fault.Deniedf("Only the team of %s can close this calendar and move its visits.", list[0].Name)
	}
	return nil
}

// Closed is a span in which a resource was closed by a group move.
type Closed struct{ From, Until time.Time }

// Closings answers the spans closed by group moves that are not over, by resource, the soonest first.
func (s *Service) Closings(tx *store.Tx, org person.OrgID) (map[string][]Closed, error) {
	out := map[string][]Closed{}
	err := tx.Rows("SELECT resource, from_at, until_at FROM busy WHERE org = $1 AND source = '' AND until_at > $2 ORDER BY resource, from_at, until_at",
		[]any{string(org), store.Micros(s.clock.Now())}, func(scan func(...any) error) error {
			var r string
			var from, until int64
			err := scan(&r, &from, &until)
			out[r] = append(out[r], Closed{store.Time(from), store.Time(until)})
			return err
		})
	return out, err
}

// Reopen opens a span again that a group move closed. The visits that were moved stay where they are; the time can be booked at once.
func (s *Service) Reopen(ctx context.Context, v person.Viewer, org person.OrgID, resource string, from, until time.Time) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.manages(tx, v, org, resource); err != nil {
			return err
		}
		n, err := tx.Exec("DELETE FROM busy WHERE org = $1 AND resource = $2 AND from_at = $3 AND until_at = $4 AND source = ''", string(org), resource, store.Micros(from), store.Micros(until))
		if err == nil && n == 0 {
			err = fault.NotFoundf("That time is not closed.")
		}
		if err != nil {
			return err
		}
		if err := s.people.Audit(tx, v, "", "change", "calendar of "+resource+" opened again"); err != nil {
			return err
		}
		return touch(tx, org, []string{resource})
	})
}

// setBusy closes a span of a resource.
func (s *Service) setBusy(tx *store.Tx, org person.OrgID, resource string, from, to time.Time) error {
	if _, err := tx.Exec("INSERT INTO busy (org, resource, from_at, until_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		string(org), resource, store.Micros(from), store.Micros(to)); err != nil {
		return err
	}
	return touch(tx, org, []string{resource})
}

// moveOne finds a new time for one visit. Where somebody else takes it first, it looks again.
func (s *Service) moveOne(ctx context.Context, v person.Viewer, a Appointment) (Moved, error) {
	if a.State == Held { // she chooses again; nothing was said to her yet
		return Moved{}, s.db.Write(ctx, func(tx *store.Tx) error {
			x, err := s.own(tx, a.Org, a.Patient, a.ID)
			if err != nil || x.State != Held {
				return err
			}
			x.State, x.Closed, x.Reason = Cancelled, s.clock.Now(), ReasonExpired
			return s.end(tx, v, x, true)
		})
	}
	for range 5 {
		found, err := s.Find(ctx, Search{Org: a.Org, Patient: a.Patient, Type: a.Type, From: maxTime(a.Start, s.clock.Now().Add(time.Hour)), Limit: 200, Staff: true})
		if err != nil {
			return Moved{}, err
		}
		i := slices.IndexFunc(found.Options, func(o Option) bool { return o.Way == a.Way && o.Place == a.Place })
		if i < 0 && len(found.Options) > 0 {
			i = 0
		}
		if i < 0 {
			break
		}
		o := found.Options[i]
		var moved Appointment
		err = s.db.Write(ctx, func(tx *store.Tx) (err error) {
			moved, err = s.BookIn(tx, v, Request{Org: a.Org, Patient: a.Patient, Type: a.Type, Way: o.Way, Place: o.Place, Start: o.Start, Resources: o.Resources, Follows: a.ID, Words: a.Words})
			return err
		})
		if err == ErrTaken {
			continue
		}
		return Moved{a, moved}, err
	}
	// Nothing is free: the visit is taken back with an apology, the person waits first in line, and somebody calls.
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		x, err := s.own(tx, a.Org, a.Patient, a.ID)
		if err != nil || !x.State.Live() {
			return err
		}
		x.Reason = ReasonClinic
		if _, err := s.cancel(tx, v, x); err != nil {
			return err
		}
		_, err = s.JoinIn(tx, Entry{Org: a.Org, Patient: a.Patient, Type: a.Type, Asked: a.Asked})
		if err != nil && !fault.Is(err, fault.Denied) { // a type that only staff book has no list
			return err
		}
		args, err := s.said(tx, a)
		if err != nil {
			return err
		}
		return s.promises.OpenTask(tx, promise.TaskRow{Org: a.Org, Patient: a.Patient, ID: clock.DerivedID("unplaced", string(a.ID)), Kind: Promised, Role: person.Desk,
			Severity: promise.Urgent, Say: "task.visit.unplaced", Args: args, Cause: "unplaced"})
	})
	return Moved{Old: a}, err
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
