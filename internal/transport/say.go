package transport

import (
	"strconv"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

const (
	// Kind is the kind of the promises of rides.
	Kind = "ride"
	// Word is the kind of the promise that somebody hears about her ride.
	Word = "ride.word"

	// Ladder is what goes before and follows a ride from home; HomeLadder one to home; CallLadder waits for her word; WordLadder for ours.
	Ladder     = "ride"
	HomeLadder = "ride.home"
	CallLadder = "ride.call"
	WordLadder = "ride.word"

	// Fetched is how long the window is in which somebody is fetched.
	Fetched = 30 * time.Minute

	soon  = 12 * time.Hour
	grace = 15 * time.Minute // after the time to be there by which she is there, or the promise is broken
)

// Ladders are those that every organization begins with: a reminder the evening before, the desk when a pickup is late.
func Ladders() []promise.Ladder {
	minutes := func(n int) promise.Duration { return promise.Duration(time.Duration(n) * time.Minute) }
	late := []promise.Rung{
		{After: minutes(35), Do: promise.Task, To: "role:desk", Say: "ride.late", Unless: promise.Shown},
		{After: minutes(50), Do: promise.Page, To: "role:desk", Say: "ride.late", Unless: promise.Shown},
	}
	// Some microseconds keep a text's link apart from those of other texts at the same minute.
	evening := promise.Rung{After: minutes(-18*60) - promise.Duration(6*time.Microsecond), Do: promise.Tell, To: "patient", Say: "ride.soon", Useful: minutes(15 * 60)}
	return []promise.Ladder{{Name: Ladder, Version: 1, Rungs: append([]promise.Rung{evening}, late...)}, {Name: HomeLadder, Version: 1, Rungs: late},
		{Name: CallLadder, Version: 1, Rungs: []promise.Rung{{After: minutes(240), Do: promise.Task, To: "role:desk", Say: "ride.call"}}},
		{Name: WordLadder, Version: 1, Rungs: []promise.Rung{{After: minutes(5), Do: promise.Page, To: "role:desk", Say: "ride.open"}}}}
}

func rfc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// said are the arguments of every sentence about a leg.
func (s *Service) said(tx *store.Tx, r *Ride, dir Direction) (map[string]string, error) {
	p, err := s.people.Get(tx, r.Org, r.Patient)
	l := r.Leg(dir)
	args := map[string]string{"called": p.Called, "way": "key:ride.way." + string(dir), "from": rfc(l.Pickup.From), "to": rfc(l.Pickup.To), "time": rfc(l.Pickup.From),
		"at": words.AtValue(l.Pickup.From, r.Zone), "place": l.From.Name}
	if dir == Out {
		args["place"] = l.To.Name
	}
	return args, err
}

// promise says in the ledger that she will be fetched (again, where there was another before).
func (s *Service) promise(tx *store.Tx, r *Ride, dir Direction) error {
	l := r.Leg(dir)
	if err := s.unpromise(tx, r, l, "ride.reason.moved"); err != nil {
		return err
	}
	args, err := s.said(tx, r, dir)
	if err != nil {
		return err
	}
	l.Made++
	l.Promise = promise.ID(clock.DerivedID("ride", string(r.Org), string(r.ID), string(dir), strconv.Itoa(l.Made)))
	p := promise.Promise{Org: r.Org, Patient: r.Patient, ID: l.Promise, Kind: Kind, About: string(r.ID), Severity: promise.Watch, Say: "say.ride." + string(dir), Args: args,
		Keeper: promise.Keeper{Kind: "role", Who: string(person.Driver)}, From: l.Pickup.From, By: l.Dropoff.To.Add(grace), Zone: r.Zone}
	if l.Vendor.Ref != "" {
		p.Keeper = promise.Keeper{Kind: "vendor", Who: l.Vendor.Name}
	}
	name := Ladder
	switch {
	case l.State == Call:
		name, p.Say, p.From, p.By = CallLadder, "say.ride.call", r.There, r.There.Add(14*time.Hour)
	case dir == Back:
		name = HomeLadder
	}
	if p.Ladder, err = s.promises.Latest(tx, r.Org, name); err != nil {
		return err
	}
	_, err = s.promises.Make(tx, p)
	return err
}

func (s *Service) unpromise(tx *store.Tx, r *Ride, l *Leg, why string) error {
	if l.Promise == "" {
		return nil
	}
	p, err := s.promises.Get(tx, r.Org, r.Patient, l.Promise)
	l.Promise = ""
	if err != nil || p.State != promise.Open {
		return err
	}
	_, err = s.promises.Release(tx, person.SystemViewer(r.Org), r.Org, r.Patient, p.ID, why, false) // what she is told says more than "taken back"
	return err
}

// tell says something about a leg to the person.
func (s *Service) tell(tx *store.Tx, r *Ride, dir Direction, say string, more map[string]string, ask bool) error {
	args, err := s.said(tx, r, dir)
	if err != nil {
		return err
	}
	for k, v := range more {
		args[k] = v
	}
	l := r.Leg(dir)
	now := s.clock.Now()
	d := message.Draft{Org: r.Org, Patient: r.Patient, To: "patient", At: now, Key: say + "/" + string(r.ID) + "/" + string(dir), Say: say, Args: args, Ask: ask, Page: "/today"}
	if r.Out.Pickup.From.Sub(now) < soon {
		d.Severity = message.Urgent
	}
	if l.Promise != "" {
		d.Promises = []string{string(l.Promise)}
	}
	if ask {
		d.Page = ""
	}
	return s.messages.Say(tx, d)
}

// trouble writes down that nobody drives a leg now: she hears by when we tell her more, the desk has a task, and the clock runs.
func (s *Service) trouble(tx *store.Tx, r *Ride, dir Direction, why string, how promise.Severity, say string) error {
	l, now := r.Leg(dir), s.clock.Now()
	args, err := s.said(tx, r, dir)
	if err != nil {
		return err
	}
	args["why"] = "key:ride.why." + why
	fresh := l.Trouble.Since.IsZero()
	if fresh {
		l.Trouble = Trouble{Since: now, By: now.Add(10 * time.Minute)}
		if l.Pickup.From.Sub(now) > soon {
			l.Trouble.By = now.Add(3 * time.Hour)
		}
		l.Trouble.By = l.Trouble.By.Truncate(time.Minute)
	}
	l.Trouble.Why = why
	task := clock.DerivedID("ride trouble", string(r.ID), string(dir), why, rfc(l.Trouble.Since))
	if task != l.Trouble.Task {
		if err := s.finish(tx, r.Org, l.Trouble.Task); err != nil {
			return err
		}
		l.Trouble.Task = task
		if err := s.promises.OpenTask(tx, promise.TaskRow{Org: r.Org, Patient: r.Patient, ID: task, Promise: l.Promise, Kind: Kind, Role: person.Desk, Severity: how, Say: "task.ride.trouble",
			Args: args, Cause: "ride"}); err != nil {
			return err
		}
	}
	if !fresh {
		return nil
	}
	ref, err := s.promises.Latest(tx, r.Org, WordLadder)
	if err != nil {
		return err
	}
	l.Trouble.Word = promise.ID(clock.DerivedID("ride word", string(r.ID), string(dir), rfc(now)))
	args["time"] = rfc(l.Trouble.By)
	if _, err := s.promises.Make(tx, promise.Promise{Org: r.Org, Patient: r.Patient, ID: l.Trouble.Word, Kind: Word, About: string(r.ID), Severity: promise.Urgent, Say: "say.ride.word", Args: args,
		Keeper: promise.Keeper{Kind: "role", Who: string(person.Desk)}, From: now, By: l.Trouble.By, Zone: r.Zone, Ladder: ref}); err != nil {
		return err
	}
	if say == "" {
		return nil
	}
	return s.tell(tx, r, dir, say, map[string]string{"by": rfc(l.Trouble.By)}, false)
}

// calm ends a leg's trouble: the word was kept, the task is done.
func (s *Service) calm(tx *store.Tx, r *Ride, l *Leg) error {
	t := l.Trouble
	l.Trouble = Trouble{}
	if t.Since.IsZero() {
		return nil
	}
	if t.Word != "" {
		p, err := s.promises.Get(tx, r.Org, r.Patient, t.Word)
		if err == nil && p.State == promise.Open {
			_, err = s.promises.Give(tx, r.Org, r.Patient, t.Word, promise.Evidence{Kind: "word", At: s.clock.Now(), Source: "dispatch"})
		}
		if err != nil {
			return err
		}
	}
	return s.finish(tx, r.Org, t.Task)
}

func (s *Service) finish(tx *store.Tx, org person.OrgID, task string) error {
	if task == "" {
		return nil
	}
	t, err := s.promises.TaskByID(tx, org, task)
	if err != nil || !t.Closed.IsZero() {
		return err
	}
	_, err = s.promises.Finish(tx, person.SystemViewer(org), task, "A car was found.")
	return err
}

// settle makes what the plan says of a leg a promise, and says it. say is empty where the caller says it together with something else.
func (s *Service) settle(tx *store.Tx, r *Ride, dir Direction, say string) error {
	l := r.Leg(dir)
	if l.Late { // what can be promised now is what the plan says
		from := l.Begin.Add(-10 * time.Minute).Truncate(5 * time.Minute)
		l.Pickup, l.Dropoff.To = Span{from, from.Add(Fetched)}, laterOf(l.Dropoff.To, l.End)
	} else if l.Pickup.To.Sub(l.Pickup.From) > Fetched+10*time.Minute { // the planner was free to choose: now it is not
		from := l.Begin.Add(-10 * time.Minute).Truncate(5 * time.Minute)
		l.Pickup = Span{laterOf(from, l.Pickup.From), earlierOf(from.Add(Fetched), l.Pickup.To)}
	}
	if err := s.promise(tx, r, dir); err != nil {
		return err
	}
	if err := s.calm(tx, r, l); err != nil || say == "" {
		return err
	}
	return s.tell(tx, r, dir, say, s.expected(l), false)
}

// expected are the times that she is told on the day: by the plan, as a range.
func (s *Service) expected(l *Leg) map[string]string {
	from := laterOf(l.Begin.Add(-5*time.Minute), s.clock.Now()).Truncate(5 * time.Minute)
	l.Told = Span{from, from.Add(20 * time.Minute)}
	if !l.Late && l.Pickup.From.After(l.Told.From) {
		l.Told.From = l.Pickup.From
	}
	who := l.Vendor.Name
	if who == "" {
		who = "key:ride.ours"
	}
	return map[string]string{"from": rfc(l.Told.From), "to": rfc(l.Told.To), "who": who}
}

func earlierOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
