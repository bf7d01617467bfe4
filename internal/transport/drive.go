package transport

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Act is what a driver, or the desk for her, marks.
type Act string

const (
	SetOut  Act = "way"  // on the way to the pickup
	AtDoor  Act = "door" // waits at the pickup
	OnBoard Act = "aboard"
	GotOut  Act = "done"   // she is where she wanted to be
	NoShow  Act = "noshow" // nobody came to the door
	Cannot  Act = "cannot" // this vehicle will not drive it
	ByOwn   Act = "own"    // the desk: she goes some other way
)

// Acts that a driver has, in the order in which a ride goes.
var Acts = []Act{SetOut, AtDoor, OnBoard, GotOut, NoShow, Cannot}

const (
	waitsFor  = 5 * time.Minute // that a driver waits at a door before it is a no-show
	backdates = 12 * time.Hour  // a telephone without a signal may send its marks so late
)

// Can reports whether an act is one of a leg's state.
func (s LegState) Can(a Act) bool {
	switch a {
	case SetOut:
		return s == Planned
	case AtDoor:
		return s == Planned || s == Way
	case OnBoard:
		return s == Planned || s == Way || s == Door
	case GotOut:
		return s == Aboard
	case NoShow:
		return s == Door
	case Cannot:
		return s == Planned || s == Way || s == Door
	case ByOwn:
		return s == Call || s == Open || s == Planned || s == Way || s == Door
	}
	return false
}

// done reports whether an act has been marked before: sent twice, it is done once.
func (l *Leg) marked(a Act) bool {
	switch a {
	case SetOut:
		return !l.Went.IsZero()
	case AtDoor:
		return !l.Came.IsZero()
	case OnBoard:
		return !l.Aboard.IsZero()
	case GotOut:
		return !l.Done.IsZero()
	case NoShow:
		return l.State == Missed
	case ByOwn:
		return l.State == Own
	}
	return false
}

// Mark writes down what happened to a leg, at an instant (zero: now) that may lie back as far as a telephone was without a signal. Drivers mark what their own
// vehicle drives, the desk anything.
func (s *Service) Mark(ctx context.Context, v person.Viewer, id ID, dir Direction, a Act, at time.Time) (*Ride, error) {
	var r *Ride
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) { r, err = s.MarkIn(ctx, tx, v, id, dir, a, at); return err })
	return r, err
}

// MarkIn is Mark within a transaction.
func (s *Service) MarkIn(ctx context.Context, tx *store.Tx, v person.Viewer, id ID, dir Direction, a Act, at time.Time) (*Ride, error) {
	r, err := s.Get(tx, v.Org, id)
	if err != nil {
		return nil, err
	}
	d, err := s.load(tx, v.Org, r.Day, true)
	if err != nil {
		return nil, err
	}
	r = d.ride(id)
	l := r.Leg(dir)
	if at.IsZero() || at.After(d.now) {
		at = d.now
	}
	if err := s.mayMark(tx, d, v, r, l, a); err != nil {
		return r, err
	}
	switch {
	case l.marked(a):
		return r, nil
	case !l.State.Can(a):
		return r, fault.Conflictf("This ride has moved on. Please look again.")
	case at.Before(d.now.Add(-backdates)):
		return r, fault.Invalidf("This was too long ago to be noted.")
	case a == NoShow && at.Sub(l.Came) < waitsFor:
		return r, fault.Conflictf("Please wait five minutes at the door.")
	}
	d.changed[id] = true
	if err := s.people.Audit(tx, v, r.Patient, string(person.Act), "ride "+string(a)); err != nil {
		return r, err
	}
	if a == Cannot {
		return r, s.fail(ctx, tx, d, []key{{id, dir}}, "driver")
	}
	if err := s.step(ctx, tx, d, v, r, dir, a, at, "driver"); err != nil {
		return r, err
	}
	return r, d.save(tx)
}

func (s *Service) mayMark(tx *store.Tx, d *day, v person.Viewer, r *Ride, l *Leg, a Act) error {
	switch {
	case v.Role == person.System:
		return nil
	case v.Role.Staff():
		return s.people.May(tx, v, person.Act, r.Patient)
	case v.Role == person.Driver && a != ByOwn && slices.ContainsFunc(d.vehicles, func(x Vehicle) bool { return x.ID == l.Vehicle && x.Driver == v.Person }):
		return nil
	}
	return fault.NotFoundf("There is no such ride.")
}

// step takes a leg on, with what follows: evidence, the plan, what people are told. source is who says so.
func (s *Service) step(ctx context.Context, tx *store.Tx, d *day, v person.Viewer, r *Ride, dir Direction, a Act, at time.Time, source string) error {
	l := r.Leg(dir)
	note := func(kind, word string) promise.Evidence {
		return promise.Evidence{Kind: kind, At: at, Source: source, By: string(v.Person), Note: word}
	}
	switch a {
	case SetOut:
		l.State, l.Went = Way, at
		if err := d.refresh(ctx); err != nil {
			return err
		}
		return s.tell(tx, r, dir, "ride.way", s.expected(l), false)
	case AtDoor:
		l.State, l.Came = Door, at
		if err := d.refresh(ctx); err != nil {
			return err
		}
		return s.tell(tx, r, dir, "ride.door", nil, false)
	case OnBoard:
		l.State, l.Aboard = Aboard, at
		if err := s.evidence(tx, r, l, note("aboard", "on board"), false); err != nil {
			return err
		}
		return d.refresh(ctx)
	case GotOut:
		l.State, l.Done = Done, at
		if err := s.evidence(tx, r, l, note("arrival", "arrived"), true); err != nil {
			return err
		}
		if dir == Out && r.Back.State == Call {
			if err := s.tell(tx, r, Back, "ride.there", nil, true); err != nil {
				return err
			}
		}
		return d.refresh(ctx)
	case ByOwn:
		if err := s.loosen(tx, d, r, dir); err != nil {
			return err
		}
		l.State = Own
		return nil
	case NoShow:
		l.State = Missed
		d.strike(key{r.ID, dir})
		if err := s.unpromise(tx, r, l, "ride.reason.missed"); err != nil {
			return err
		}
		if dir == Out { // there is no way home without a way there
			if err := s.loosen(tx, d, r, Back); err != nil {
				return err
			}
			r.Back.State = Cancelled
		}
		args, err := s.said(tx, r, dir)
		if err != nil {
			return err
		}
		how := promise.Watch
		if dir == Back { // she is out there
			how = promise.Urgent
		}
		if err := s.promises.OpenTask(tx, promise.TaskRow{Org: r.Org, Patient: r.Patient, ID: clock.DerivedID("ride missed", string(r.ID), string(dir)), Kind: Kind, Role: person.Desk, Severity: how,
			Say: "task.ride.missed", Args: args, Cause: "ride missed"}); err != nil {
			return err
		}
		return s.tell(tx, r, dir, "ride.missed", nil, false)
	}
	return nil
}

func (s *Service) evidence(tx *store.Tx, r *Ride, l *Leg, e promise.Evidence, keeps bool) error {
	if l.Promise == "" {
		return nil
	}
	give := s.promises.Note
	if keeps {
		give = s.promises.Give
	}
	_, err := give(tx, r.Org, r.Patient, l.Promise, e)
	return err
}

// refresh works the times of the plan out anew from what has happened.
func (d *day) refresh(ctx context.Context) error {
	m, live, late, err := d.alive(ctx)
	if err != nil || live == nil {
		return err
	}
	m.Problem = *live.Problem()
	d.adopt(m, live.Plan(), late)
	return nil
}

// fail takes legs from who was to drive them: other vehicles are tried at once, the person is told what comes of it, and the desk has a task either way.
func (s *Service) fail(ctx context.Context, tx *store.Tx, d *day, keys []key, why string) error {
	for _, k := range keys {
		r, l := d.leg(k)
		if l.Vehicle != "" {
			l.Not = append(l.Not, string(l.Vehicle))
		}
		not, shown := l.Not, l.Vehicle
		if err := s.loosen(tx, d, r, k.dir); err != nil {
			return err
		}
		l.Not = not
		if l.Pickup.To.Before(d.now.Add(15 * time.Minute)) { // what she was told is over: from now on, as soon as can be
			l.Pickup = Span{earlierOf(l.Pickup.From, d.now), d.now.Add(callWithin)}
			l.Dropoff.To = laterOf(l.Dropoff.To, l.Pickup.To.Add(time.Duration(l.MaxRide)*time.Minute))
		}
		args, err := s.said(tx, r, k.dir)
		if err != nil {
			return err
		}
		args["why"] = "key:ride.why." + why
		if err := s.promises.OpenTask(tx, promise.TaskRow{Org: r.Org, Patient: r.Patient, ID: clock.DerivedID("ride fails", string(r.ID), string(k.dir), string(shown), rfc(d.now)), Kind: Kind, Role: person.Desk,
			Severity: promise.Urgent, Say: "task.ride.fails", Args: args, Cause: "ride"}); err != nil {
			return err
		}
	}
	left, err := d.place(ctx, keys, false)
	if err != nil {
		return err
	}
	for _, k := range keys {
		r, l := d.leg(k)
		if slices.Contains(left, k) {
			if err := s.trouble(tx, r, k.dir, why, promise.Urgent, "ride.search"); err != nil {
				return err
			}
			l.Trouble.Next = d.now
		} else if err := s.settle(tx, r, k.dir, "ride.backup"); err != nil {
			return err
		}
	}
	return d.save(tx)
}

// Breakdown takes a vehicle off the road until an instant: what it was to drive today is given to others, and those aboard are fetched from where it last was.
func (s *Service) Breakdown(ctx context.Context, tx *store.Tx, v person.Viewer, vehicle VehicleID, until time.Time) error {
	list, err := s.Vehicles(tx, v.Org)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(x Vehicle) bool { return x.ID == vehicle })
	mine := i >= 0 && v.Role == person.Driver && list[i].Driver == v.Person
	switch {
	case i < 0 || !v.Role.Staff() && v.Role != person.System && !mine:
		return fault.NotFoundf("There is no such vehicle.")
	case until.After(s.clock.Now().AddDate(0, 1, 0)):
		return fault.Invalidf("Please name a time within a month.")
	}
	list[i].Down = until
	if _, err := s.SaveVehicle(tx, list[i]); err != nil || !until.After(s.clock.Now()) { // back on the road: nobody loses anything
		return err
	}
	org, err := s.people.Org(tx, v.Org)
	if err != nil {
		return err
	}
	zone, err := clock.Zone(org.Zone)
	if err != nil {
		return err
	}
	last := clock.DayOf(until, zone)
	for day := clock.DayOf(s.clock.Now(), zone); !last.Before(day); day = day.Add(1) {
		d, err := s.load(tx, v.Org, day, true)
		if err != nil {
			return err
		}
		keys := d.legs(func(l *Leg) bool { return l.Vehicle == vehicle && l.State.driven() && l.Begin.Before(until) })
		for _, k := range keys {
			if _, l := d.leg(k); l.State == Aboard { // she is fetched from where she got in: nobody knows better, and the desk calls the driver
				l.Aboard = time.Time{}
			}
		}
		if err := s.fail(ctx, tx, d, keys, "broken"); err != nil {
			return err
		}
	}
	return nil
}
