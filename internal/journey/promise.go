package journey

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

const (
	// Thing is the kind of promises of what is no visit: a delivery, a pick-up, a kit, something to write.
	Thing = "journey"
	// Ladder is what follows a thing's promise: a word before it, a question after it, and the desk where nobody answers.
	Ladder = "journey"
	// Move is the kind of promises with which a person is asked whether something may be moved.
	Move = "journey.move"
	// MoveLadder asks, asks again, and leaves it to the desk.
	MoveLadder = "journey.move"
)

// Ladders are those that every organization begins with.
func Ladders() []promise.Ladder {
	hours := func(n float64) promise.Duration { return promise.Duration(n * float64(time.Hour)) }
	// Some microseconds keep a text's link apart from those of doses and visits at the same minute.
	apart := func(n float64, us time.Duration) promise.Duration {
		return hours(n) + promise.Duration(us*time.Microsecond)
	}
	return []promise.Ladder{
		{Name: Ladder, Version: 1, Rungs: []promise.Rung{
			{After: apart(-20, 11), Do: promise.Tell, To: "patient", Say: "journey.soon", Useful: hours(16)},
			{After: apart(2, 12), Do: promise.Tell, To: "patient", Say: "journey.did", Useful: hours(20), Ask: true},
			{After: hours(20), Do: promise.Task, To: "role:desk", Say: "journey.did"},
		}},
		{Name: MoveLadder, Version: 1, Rungs: []promise.Rung{
			{After: apart(0, 13), Do: promise.Tell, To: "patient", Say: "journey.move", Useful: hours(12), Ask: true},
			{After: apart(24, 14), Do: promise.Tell, To: "patient", Say: "journey.move", Useful: hours(12), Ask: true},
		}},
	}
}

// closes is how long after its time a thing's promise is broken without a word.
const closes = 44 * time.Hour

// Accept promises a trip with everything on it, or one thing at home: visits are booked, followers are told, in one transaction with the promises. What was
// taken by somebody else meanwhile is a conflict, and the weeks are planned again. The caller has seen to the viewer's right to act for the patient.
func (s *Service) Accept(ctx context.Context, v person.Viewer, patient person.ID, what string) error {
	err := s.db.Write(ctx, func(tx *store.Tx) error { return s.AcceptIn(tx, v, patient, what) })
	if fault.Is(err, fault.Conflict) {
		if again := s.db.Write(ctx, func(tx *store.Tx) error { return s.touch(tx, v.Org, patient) }); again != nil {
			return again
		}
		if again := s.Plan(ctx, v.Org, patient); again != nil {
			return again
		}
	}
	return err
}

// AcceptAll promises everything that is planned.
func (s *Service) AcceptAll(ctx context.Context, v person.Viewer, patient person.ID) error {
	var what []string
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		items, err := s.items(tx, v.Org, patient)
		for _, it := range items {
			id := it.ID
			if it.Trip != "" {
				id = it.Trip
			}
			if it.State == Planned && it.Start.After(s.clock.Now()) && !slices.Contains(what, id) {
				what = append(what, id)
			}
		}
		return err
	}); err != nil {
		return err
	}
	var failed error
	for _, id := range what { // each by itself: one that somebody else has taken keeps no other from being promised
		if err := s.Accept(ctx, v, patient, id); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// AcceptIn is Accept inside a caller's transaction.
func (s *Service) AcceptIn(tx *store.Tx, v person.Viewer, patient person.ID, what string) error {
	items, err := s.items(tx, v.Org, patient)
	if err != nil {
		return err
	}
	var chosen []Item
	for _, it := range items {
		if it.Trip == what || it.ID == what && it.Trip == "" {
			chosen = append(chosen, it)
		}
	}
	if len(chosen) == 0 {
		return errGone
	}
	for i := range chosen {
		if chosen[i].State == Planned {
			if err := s.promise(tx, v, &chosen[i]); err != nil {
				return err
			}
		}
	}
	if err := s.people.Audit(tx, v, patient, "journeys", "promised "+what); err != nil {
		return err
	}
	if chosen[0].Trip != "" {
		t, err := s.trip(tx, v.Org, patient, what)
		if err != nil {
			return err
		}
		if err := s.promiseTrip(tx, v, t, chosen); err != nil {
			return err
		}
	} else if err := s.follow(tx, v, nil, &Outing{Stops: chosen}); err != nil {
		return err
	}
	return s.touch(tx, v.Org, patient)
}

// promise books or promises one planned item.
func (s *Service) promise(tx *store.Tx, v person.Viewer, it *Item) error {
	if !it.Start.After(s.clock.Now()) {
		return errGone
	}
	n, found, err := s.need(tx, it.Org, it.Patient, it.Need)
	if err != nil {
		return err
	}
	if !found || n.State != Open {
		return errGone
	}
	kinds, err := s.Kinds(tx, it.Org)
	if err != nil {
		return err
	}
	var way Way
	if i := slices.IndexFunc(kinds, func(k Kind) bool { return k.ID == it.Why.Kind }); i >= 0 {
		way, _ = kinds[i].Way(it.Way)
	}
	it.State = Promised
	if way.Visit != "" {
		typ := n.Type
		if typ == "" {
			typ = way.Visit
		}
		a, err := s.visits.BookIn(tx, v, appointment.Request{Org: it.Org, Patient: it.Patient, Type: typ, Way: visitWay(it.Mode), Place: it.Place, Start: it.Start, Resources: it.Why.Resources, Asked: n.Made})
		if err != nil {
			return err
		}
		it.Visit, it.Promise = a.ID, promise.ID(a.Promise)
	} else if err := s.make(tx, it); err != nil {
		return err
	}
	if err := s.putItem(tx, *it); err != nil {
		return err
	}
	return s.arranged(tx, n, Arrangement{Way: it.Way, Mode: it.Mode, Start: it.Start, End: it.End})
}

// make makes the promise of a thing that is no visit.
func (s *Service) make(tx *store.Tx, it *Item) error {
	p, err := s.people.Get(tx, it.Org, it.Patient)
	if err != nil {
		return err
	}
	ref, err := s.promises.Latest(tx, it.Org, Ladder)
	if err != nil {
		return err
	}
	due := it.End
	if !it.Why.Window.IsZero() {
		due = it.Why.Window
	}
	keeper := promise.Keeper{Kind: "patient", Who: string(it.Patient)}
	if it.Mode == Delivery || it.Mode == Kit {
		keeper = promise.Keeper{Kind: "vendor", Who: it.Place}
	}
	id := promise.ID(derived(string(it.Org), string(it.Patient), it.ID, due.Format(time.RFC3339)))
	if old, err := s.promises.Get(tx, it.Org, it.Patient, id); err == nil && old.State != promise.Open { // given back before, and promised anew
		id = promise.ID(s.ids.New())
	} else if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	_, err = s.promises.Make(tx, promise.Promise{Org: it.Org, Patient: it.Patient, ID: id, Kind: Thing, About: it.ID, Severity: promise.Routine, Say: "say.journey." + string(it.Mode),
		Args: map[string]string{"called": p.Called, "time": due.Format(time.RFC3339), "what": "key:journey.what." + string(it.Mode)}, Keeper: keeper, From: due, By: due.Add(closes), Zone: p.Zone, Ladder: ref})
	it.Promise = id
	return err
}

// arranged tells the source of a need what became of it.
func (s *Service) arranged(tx *store.Tx, n Need, a Arrangement) error {
	for _, src := range s.sources {
		if src.Name() == n.Source {
			if err := src.Arranged(tx, n.Org, n.Patient, n.ID, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveBack takes what was promised for an item back: its visit is cancelled, its promise released.
func (s *Service) giveBack(tx *store.Tx, v person.Viewer, it Item, reason string) error {
	if it.Visit != "" {
		return s.visits.CancelIn(tx, v, it.Org, it.Patient, it.Visit)
	}
	if it.Promise == "" {
		return nil
	}
	p, err := s.promises.Get(tx, it.Org, it.Patient, it.Promise)
	if err != nil || p.State != promise.Open {
		return err
	}
	_, err = s.promises.Release(tx, v, it.Org, it.Patient, it.Promise, reason, v.Person != it.Patient)
	return err
}

// task puts something on the desk's view, once.
func (s *Service) task(tx *store.Tx, org person.OrgID, patient person.ID, say, id string, args map[string]string) error {
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	all := map[string]string{"called": p.Called}
	for k, v := range args {
		all[k] = v
	}
	return s.promises.OpenTask(tx, promise.TaskRow{Org: org, Patient: patient, ID: derived("task", string(org), string(patient), id), Kind: Thing, Role: person.Desk, Severity: promise.Watch, Say: say, Args: all, Cause: "journey"})
}
