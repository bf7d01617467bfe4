package transport

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
	"doorstep/internal/transport/routing"
)

const (
	vendorWait  = 20 * time.Second // for one answer of the ride company
	vendorAgain = 2 * time.Minute  // between two tries
	vendorTries = 3                // without an answer, and it is down
	vendorLooks = 2 * time.Minute  // between two looks at an order on its day
	looksAgain  = 10 * time.Minute // at our own vehicles for a leg that nobody drives
	newsFrom    = 10 * time.Minute // by which a range moves before it is said again
)

// Update does what time asks for: visits that were moved, orders to the ride company and what it answers, vehicles that run late, legs that nobody drives. It is
// called every few seconds, and at once after something failed. Done twice, it is done once.
func (s *Service) Update(ctx context.Context, org person.OrgID) error {
	if err := s.followVisits(ctx, org); err != nil {
		return err
	}
	var days []clock.Day
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) { days, err = s.daysAhead(tx, org); return err }); err != nil {
		return err
	}
	for _, day := range days {
		if err := s.updateVendor(ctx, org, day); err != nil {
			return err
		}
		if err := s.seek(ctx, org, day); err != nil {
			return err
		}
		if err := s.watchRoad(ctx, org, day); err != nil {
			return err
		}
	}
	return nil
}

// daysAhead answers the days from yesterday on that have rides which are not over.
func (s *Service) daysAhead(tx *store.Tx, org person.OrgID) ([]clock.Day, error) {
	list, err := store.All(tx, "SELECT DISTINCT day FROM ride WHERE org = $1 AND day >= $2 AND (out_state NOT IN ('done', 'own', 'missed', 'cancelled') OR back_state NOT IN ('done', 'own', 'missed', 'cancelled') OR body LIKE '%\"drop\":%') ORDER BY day",
		[]any{string(org), clock.DayOf(s.clock.Now(), time.UTC).Add(-1).String()}, func(scan func(...any) error) (clock.Day, error) {
			var text string
			if err := scan(&text); err != nil {
				return clock.Day{}, err
			}
			return clock.ParseDay(text)
		})
	return list, err
}

// change runs fn on a locked day and saves it.
func (s *Service) change(ctx context.Context, org person.OrgID, on clock.Day, fn func(tx *store.Tx, d *day) error) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		d, err := s.load(tx, org, on, true)
		if err != nil {
			return err
		}
		if err := fn(tx, d); err != nil {
			return err
		}
		return d.save(tx)
	})
}

func (s *Service) peek(ctx context.Context, org person.OrgID, on clock.Day) (d *day, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error { d, err = s.load(tx, org, on, false); return err })
	return d, err
}

// updateVendor tells the ride company what is off, asks it for what no vehicle of ours can drive, and looks how its orders stand.
func (s *Service) updateVendor(ctx context.Context, org person.OrgID, on clock.Day) error {
	if s.vendor == nil {
		return nil
	}
	d, err := s.peek(ctx, org, on)
	if err != nil {
		return err
	}
	for _, r := range d.rides {
		for _, ref := range r.Drop {
			if err := s.ask(ctx, func(ctx context.Context) error { return s.vendor.Cancel(ctx, ref) }); err != nil {
				continue // it is told again
			}
			if err := s.change(ctx, org, on, func(tx *store.Tx, d *day) error {
				if x := d.ride(r.ID); x != nil {
					x.Drop = slices.DeleteFunc(x.Drop, func(y string) bool { return y == ref })
					d.changed[r.ID] = true
				}
				return nil
			}); err != nil {
				return err
			}
		}
	}
	for _, k := range d.legs(func(l *Leg) bool {
		return l.State == Open && !l.Trouble.Since.IsZero() && !l.Vendor.Over && !l.Vendor.Next.After(d.now)
	}) {
		if err := s.order(ctx, d, k); err != nil {
			return err
		}
	}
	for _, k := range d.legs(func(l *Leg) bool { return l.Vendor.Ref != "" && l.State.driven() && !l.Vendor.Next.After(d.now) }) {
		if err := s.look(ctx, d, k); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) ask(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, vendorWait)
	defer cancel()
	return fn(ctx)
}

// order asks the ride company for one leg.
func (s *Service) order(ctx context.Context, d *day, k key) error {
	r, l := d.leg(k)
	var called string
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		p, err := s.people.Get(tx, r.Org, r.Patient)
		called = p.Called
		return err
	}); err != nil {
		return err
	}
	t := Trip{ID: clock.DerivedID("trip", string(k.ride), string(k.dir), rfc(l.Trouble.Since)), From: l.From, To: l.To, Pickup: l.Pickup, Mobility: r.Mobility, Companions: r.Companions, Called: called}
	if k.dir == Out {
		t.By = l.Dropoff.To
	}
	var ref string
	failed := s.ask(ctx, func(ctx context.Context) (err error) { ref, err = s.vendor.Ask(ctx, t); return err })
	stale := false
	err := s.change(ctx, d.org, d.day, func(tx *store.Tx, d *day) error {
		r, l := d.leg(k)
		if stale = l == nil || l.State != Open || l.Vendor.Over; stale {
			return nil
		}
		d.changed[r.ID] = true
		l.Vendor.Name, l.Vendor.Next = s.vendor.Name(), d.now.Add(vendorAgain)
		switch {
		case failed == nil:
			l.State, l.Vendor.Ref, l.Vendor.Tries, l.Vendor.Heard = Planned, ref, 0, d.now
			l.Begin, l.End = l.Pickup.From.Add(l.Pickup.To.Sub(l.Pickup.From)/2), time.Time{}
			if k.dir == Out && l.Pickup.To.Sub(l.Pickup.From) > Fetched+10*time.Minute { // it comes as late as the way allows, and a margin
				l.Begin = l.Dropoff.To.Add(-time.Duration(l.MaxRide) * time.Minute)
				l.Begin = laterOf(l.Begin, l.Pickup.From)
			}
			if err := s.up(tx, d.org); err != nil {
				return err
			}
			return s.settle(tx, r, k.dir, "ride.backup")
		case errors.Is(failed, ErrDeclined):
			l.Vendor.Over = true
			if err := s.up(tx, d.org); err != nil {
				return err
			}
			return s.trouble(tx, r, k.dir, "declined", promise.Urgent, "")
		}
		l.Vendor.Tries++
		if l.Vendor.Tries < vendorTries && l.Pickup.From.Sub(d.now) > 45*time.Minute {
			return nil
		}
		l.Vendor.Over = true
		if err := s.down(tx, d.org); err != nil {
			return err
		}
		return s.trouble(tx, r, k.dir, "vendor", promise.Urgent, "")
	})
	if err == nil && stale && failed == nil { // somebody else has found a car in the meantime
		return s.ask(ctx, func(ctx context.Context) error { return s.vendor.Cancel(ctx, ref) })
	}
	return err
}

// look asks how an order stands, and follows.
func (s *Service) look(ctx context.Context, d *day, k key) error {
	_, was := d.leg(k)
	ref := was.Vendor.Ref
	var p Progress
	failed := s.ask(ctx, func(ctx context.Context) (err error) { p, err = s.vendor.Look(ctx, ref); return err })
	return s.change(ctx, d.org, d.day, func(tx *store.Tx, d *day) error {
		r, l := d.leg(k)
		if l == nil || l.Vendor.Ref != ref || !l.State.driven() {
			return nil
		}
		d.changed[r.ID] = true
		near := l.Pickup.From.Sub(d.now) < 2*time.Hour
		l.Vendor.Next = d.now.Add(vendorLooks)
		if !near {
			l.Vendor.Next = d.now.Add(time.Hour)
		}
		if failed != nil {
			l.Vendor.Tries++
			if l.Vendor.Tries < vendorTries || !near {
				return nil
			}
			if err := s.down(tx, d.org); err != nil || l.Vendor.Tries > vendorTries {
				return err
			}
			return s.fallTask(tx, r, k.dir, "silent")
		}
		l.Vendor.Tries, l.Vendor.Heard = 0, d.now
		if err := s.up(tx, d.org); err != nil {
			return err
		}
		if p.State == Cancelled {
			l.Vendor.Times++
			order := Order{Name: l.Vendor.Name, Times: l.Vendor.Times, Over: true}
			l.Vendor.Ref = "" // it took it back itself
			if err := s.loosen(tx, d, r, k.dir); err != nil {
				return err
			}
			l.Vendor = order
			return s.fail(ctx, tx, d, []key{k}, "takenback")
		}
		v := person.SystemViewer(d.org)
		for _, a := range []Act{SetOut, AtDoor, OnBoard, GotOut} {
			if p.reached(a) && !l.marked(a) && l.State.Can(a) {
				if err := s.step(ctx, tx, d, v, r, k.dir, a, p.At, l.Vendor.Name); err != nil {
					return err
				}
			}
		}
		if p.State == Missed && l.State == Door || p.State == Missed && l.State == Planned {
			return s.step(ctx, tx, d, v, r, k.dir, NoShow, p.At, l.Vendor.Name)
		}
		if p.Pickup.IsZero() || l.State == Aboard || l.State == Done {
			return nil
		}
		l.Begin = p.Pickup
		return s.sayLate(tx, d, r, k.dir)
	})
}

// reached reports whether an order has come as far as an act.
func (p Progress) reached(a Act) bool {
	order := []LegState{Way, Door, Aboard, Done}
	return slices.Index(order, p.State) >= slices.Index([]Act{SetOut, AtDoor, OnBoard, GotOut}, a)
}

// fallTask tells the desk what became of a leg that still has its vehicle.
func (s *Service) fallTask(tx *store.Tx, r *Ride, dir Direction, why string) error {
	args, err := s.said(tx, r, dir)
	if err != nil {
		return err
	}
	args["why"] = "key:ride.why." + why
	l := r.Leg(dir)
	return s.promises.OpenTask(tx, promise.TaskRow{Org: r.Org, Patient: r.Patient, ID: clock.DerivedID("ride", why, string(r.ID), string(dir), rfc(l.Pickup.From)), Promise: l.Promise, Kind: Kind,
		Role: person.Desk, Severity: promise.Urgent, Say: "task.ride.trouble", Args: args, Cause: "ride"})
}

// down and up keep since when the ride company has not answered.
func (s *Service) down(tx *store.Tx, org person.OrgID) error {
	_, err := tx.Exec(`INSERT INTO ride_vendor (org, name, down_at) VALUES ($1, $2, $3) ON CONFLICT (org, name) DO UPDATE SET down_at = excluded.down_at WHERE ride_vendor.down_at = 0`,
		string(org), s.vendor.Name(), store.Micros(s.clock.Now()))
	tx.Hint("desk", string(org))
	return err
}

func (s *Service) up(tx *store.Tx, org person.OrgID) error {
	_, err := tx.Exec("UPDATE ride_vendor SET down_at = 0 WHERE org = $1 AND name = $2", string(org), s.vendor.Name())
	return err
}

// VendorDown answers since when the ride company has not answered; zero: it does, or there is none.
func (s *Service) VendorDown(tx *store.Tx, org person.OrgID) (name string, since time.Time, err error) {
	if s.vendor == nil {
		return "", time.Time{}, nil
	}
	var at int64
	_, err = tx.Row("SELECT down_at FROM ride_vendor WHERE org = $1 AND name = $2", []any{string(org), s.vendor.Name()}, &at)
	return s.vendor.Name(), store.Time(at), err
}

// seek looks again for a vehicle for legs that nobody drives: as promised, and where the ride company will not, as soon as can be.
func (s *Service) seek(ctx context.Context, org person.OrgID, on clock.Day) error {
	d, err := s.peek(ctx, org, on)
	if err != nil {
		return err
	}
	due := func(d *day) []key {
		return d.legs(func(l *Leg) bool {
			return l.State == Open && !l.Trouble.Next.After(d.now) && l.Pickup.From.Before(d.now.Add(90*24*time.Hour))
		})
	}
	if len(due(d)) == 0 {
		return nil
	}
	return s.change(ctx, org, on, func(tx *store.Tx, d *day) error {
		keys := due(d)
		if len(keys) == 0 {
			return nil
		}
		left, err := d.place(ctx, keys, false)
		if err != nil {
			return err
		}
		var last []key // nobody will, and it is soon
		for _, k := range left {
			if _, l := d.leg(k); (s.vendor == nil || l.Vendor.Over) && l.Pickup.From.Sub(d.now) < 3*time.Hour {
				last = append(last, k)
			}
		}
		none, err := d.place(ctx, last, true)
		if err != nil {
			return err
		}
		for _, k := range keys {
			r, l := d.leg(k)
			d.changed[r.ID] = true
			switch {
			case slices.Contains(none, k):
				l.Trouble.Next = d.now.Add(looksAgain)
				err = s.trouble(tx, r, k.dir, "none", promise.Severe, "")
			case slices.Contains(last, k):
				l.Late = true
				if err = s.settle(tx, r, k.dir, "ride.late"); err == nil {
					err = s.fallTask(tx, r, k.dir, "late")
				}
			case slices.Contains(left, k):
				l.Trouble.Next = d.now.Add(looksAgain)
			default:
				err = s.settle(tx, r, k.dir, "ride.backup")
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// watchRoad works out how the vehicles stand, and says who will be fetched later than she was told before she asks.
func (s *Service) watchRoad(ctx context.Context, org person.OrgID, on clock.Day) error {
	d, err := s.peek(ctx, org, on)
	if err != nil || d.day != clock.DayOf(d.now, d.zero.Location()) {
		return err
	}
	was := map[key]time.Time{}
	keys := d.legs(func(l *Leg) bool { return l.Vehicle != "" && l.State.driven() && l.State != Aboard })
	if len(keys) == 0 {
		return nil
	}
	for _, k := range keys {
		_, l := d.leg(k)
		was[k] = l.Begin
	}
	if err := d.refresh(ctx); err != nil {
		return err
	}
	news := slices.ContainsFunc(keys, func(k key) bool {
		_, l := d.leg(k)
		moved := l.Begin.Sub(was[k])
		return l.State == Open || moved >= 5*time.Minute || moved <= -5*time.Minute
	})
	if !news {
		return nil
	}
	return s.change(ctx, org, on, func(tx *store.Tx, d *day) error {
		if err := d.refresh(ctx); err != nil {
			return err
		}
		for _, k := range keys {
			r, l := d.leg(k)
			d.changed[r.ID] = true
			if l.State == Open {
				if err := s.trouble(tx, r, k.dir, "late", promise.Urgent, "ride.search"); err != nil {
					return err
				}
			} else if l.State.driven() {
				if err := s.sayLate(tx, d, r, k.dir); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// sayLate tells somebody of a range that has moved past what she was told.
func (s *Service) sayLate(tx *store.Tx, d *day, r *Ride, dir Direction) error {
	l := r.Leg(dir)
	told := l.Pickup.To
	if l.Told.Known() {
		told = laterOf(l.Told.To, told)
	}
	if l.Begin.Before(told.Add(newsFrom / 2)) {
		return nil
	}
	l.Late = true
	if err := s.fallTask(tx, r, dir, "late"); err != nil {
		return err
	}
	return s.tell(tx, r, dir, "ride.late", s.expected(l), false)
}

// followVisits moves rides with the visits that they are for. Where a ride cannot follow, the desk is told what failed.
func (s *Service) followVisits(ctx context.Context, org person.OrgID) error {
	if s.visits == nil {
		return nil
	}
	var todo []*Ride
	now := s.clock.Now()
	stands := func(tx *store.Tx, r *Ride) (Visit, bool, error) {
		x, err := s.visits.When(tx, org, r.About)
		return x, err == nil && x.Live && x.ID == r.About && x.Start.Equal(r.There) && (r.Ready.IsZero() || r.Back.State.Over() || x.End.Equal(r.Ready)), err
	}
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		todo = nil
		list, err := store.All(tx, rideSelect+" WHERE org = $1 AND day >= $2 AND about <> '' AND out_state IN ('open', 'planned') ORDER BY day, id", []any{string(org), clock.DayOf(now, time.UTC).Add(-1).String()}, scanRide)
		for _, r := range list {
			if !r.Visit || r.There.Before(now) {
				continue
			}
			_, same, err := stands(tx, r)
			if err != nil {
				return err
			}
			if !same {
				todo = append(todo, r)
			}
		}
		return err
	}); err != nil {
		return err
	}
	for _, r := range todo {
		if err := s.db.Write(ctx, func(tx *store.Tx) error {
			r, err := s.Get(tx, org, r.ID)
			if err != nil {
				return err
			}
			x, same, err := stands(tx, r)
			if err != nil || same || r.Out.State.Over() {
				return err
			}
			return s.follow(ctx, tx, r, x)
		}); err != nil {
			return err
		}
	}
	return nil
}

// follow moves both ways of a ride with its visit, or gives both back.
func (s *Service) follow(ctx context.Context, tx *store.Tx, r *Ride, x Visit) error {
	v := person.SystemViewer(r.Org)
	if !x.Live {
		_, err := s.Cancel(tx, v, r.Org, r.ID)
		return err
	}
	ready := time.Time{}
	if !r.Ready.IsZero() {
		ready = x.End
	}
	moved, err := s.Move(ctx, tx, v, r.Org, r.ID, x.Start, ready)
	if err == nil {
		moved.About = x.ID
		return s.put(tx, moved)
	}
	if k := fault.KindOf(err); k != fault.Conflict && k != fault.Invalid {
		return err
	}
	// It stays as it was, and somebody knows: this visit's times are not tried again.
	args, e := s.said(tx, r, Out)
	if e != nil {
		return e
	}
	args["visit"], args["reason"] = "at:"+rfc(x.Start)+" "+r.Zone, fault.Sentence(err)
	r.About, r.Visit = x.ID, false
	if e := s.put(tx, r); e != nil {
		return e
	}
	return s.promises.OpenTask(tx, promise.TaskRow{Org: r.Org, Patient: r.Patient, ID: clock.DerivedID("ride unmoved", string(r.ID), rfc(x.Start)), Kind: Kind, Role: person.Desk, Severity: promise.Urgent,
		Say: "task.ride.unmoved", Args: args, Cause: "ride"})
}

// stability is the price of a change that nobody sees but the driver: a few minutes of driving.
var stability = routing.Stability{PerChange: 3, Tolerance: 10}

// Plan works a day's plan out anew, as for tomorrow: everything that was promised is hard, and what changes must be worth it. It answers how many legs have another
// vehicle or time, and how many nobody drives.
func (s *Service) Plan(ctx context.Context, org person.OrgID, on clock.Day) (changed, unserved int, err error) {
	d, err := s.peek(ctx, org, on)
	if err != nil {
		return 0, 0, err
	}
	better, err := d.better(ctx)
	if err != nil {
		return 0, 0, err
	}
	version := d.version
	err = s.change(ctx, org, on, func(tx *store.Tx, d *day) error {
		changed, unserved = 0, len(d.legs(func(l *Leg) bool { return l.State == Open }))
		if d.version != version+1 {
			return fault.Conflictf("The day has changed. Please plan again.")
		}
		if better == nil {
			return nil
		}
		open := d.legs(func(l *Leg) bool { return l.State == Open })
		d.adopt(better.m, better.plan, better.late)
		changed = better.changed
		for _, k := range open {
			if r, l := d.leg(k); l.State == Planned {
				unserved--
				if err := s.settle(tx, r, k.dir, "ride.backup"); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return changed, unserved, err
}

// improved is a better plan of a day.
type improved struct {
	m       *model
	plan    *routing.Plan
	late    map[key]bool
	changed int
}

// better answers a plan that is worth publishing, or nil.
func (d *day) better(ctx context.Context) (*improved, error) {
	m, live, late, err := d.alive(ctx)
	if err != nil || len(m.Vehicles) == 0 {
		return nil, err
	}
	_, index := d.points()
	for _, k := range d.legs(func(l *Leg) bool { return l.State == Open }) {
		_, l := d.leg(k)
		if q := d.request(k, index, false); m.barred(&q, l) {
			m.Requests, m.keys = append(m.Requests, q), append(m.keys, k)
		}
	}
	plan, change, publish, err := routing.Replan(ctx, &m.Problem, live.Plan().Routes, routing.Options{Seed: 1, Workers: 1, Iterations: improves}, stability)
	if err != nil || !publish {
		return nil, err
	}
	return &improved{m, plan, late, len(change.Changed)}, nil
}
