package transport

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport/road"
)

// limit answers the longest that somebody rides, in minutes: 60 below ten miles and 90 from there on, or twice the direct way where that is longer.
func limit(direct road.Leg) int {
	const tenMiles = 16093.44 // meters
	most := 90
	if direct.Meters < tenMiles {
		most = 60
	}
	return max(most, int(2*direct.Duration.Minutes()))
}

// early and late before the time to be there by: nobody waits long in a lobby, and nobody comes at the last moment.
const (
	earliestThere = 45 * time.Minute
	latestThere   = 5 * time.Minute
)

// draw makes a ride of a wish, with the widest windows that it allows.
func (s *Service) draw(tx *store.Tx, v person.Viewer, w Want) (*Ride, error) {
	now := s.clock.Now()
	if err := w.Validate(now); err != nil {
		return nil, err
	}
	if err := s.people.May(tx, v, person.Act, w.Patient); err != nil {
		return nil, err
	}
	home, err := s.people.HomeOf(tx, w.Org, w.Patient)
	if err != nil {
		return nil, err
	}
	places, err := s.people.Places(tx, w.Org)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(places, func(p person.Place) bool { return p.ID == w.Place })
	if i < 0 || !places[i].Known() || !home.Known() {
		return nil, fault.Invalidf("We do not know where to fetch somebody, or where to.")
	}
	org, err := s.people.Org(tx, w.Org)
	if err != nil {
		return nil, err
	}
	zone, err := clock.Zone(org.Zone)
	if err != nil {
		return nil, err
	}
	r := &Ride{Org: w.Org, Patient: w.Patient, ID: ID(s.ids.New()), About: w.About, Visit: w.Visit, Zone: org.Zone, Place: w.Place, Mobility: w.Mobility, Companions: w.Companions, Needs: w.Needs,
		Made: now, By: v.Person}
	from, to := Spot{home.Address, home.Point}, Spot{places[i].Name, places[i].Point}
	r.Out, r.Back = Leg{From: from, To: to}, Leg{From: to, To: from}
	table, err := s.roads.Table(context.Background(), road.Car, []person.Point{from.Point}, []person.Point{to.Point})
	if err != nil {
		return nil, err
	}
	direct := table[0][0]
	if !direct.Known {
		direct = road.Estimates[road.Car].Leg(from.Point, to.Point)
	}
	r.Out.MaxRide, r.Back.MaxRide = limit(direct), limit(direct)
	return r, r.times(w, zone, now)
}

// times sets the windows of both legs.
func (r *Ride) times(w Want, zone *time.Location, now time.Time) error {
	r.There, r.Ready, r.Day = w.There, w.Ready, clock.DayOf(w.There, zone)
	r.Back.Wish = w.HomeBy
	most := time.Duration(r.Out.MaxRide)*time.Minute + 15*time.Minute
	if !r.Out.State.driven() && !r.Out.State.Over() {
		r.Out.State, r.Out.Dropoff = Open, Span{w.There.Add(-earliestThere), w.There.Add(-latestThere)}
		r.Out.Pickup = Span{laterOf(r.Out.Dropoff.From.Add(-most), now), r.Out.Dropoff.To}
		if !w.Fetch.IsZero() {
			r.Out.Pickup = Span{w.Fetch, w.Fetch.Add(Fetched)}
		}
	}
	r.homeFrom(w.Ready)
	if !w.Ready.IsZero() && clock.DayOf(w.Ready, zone) != r.Day {
		return fault.Invalidf("The way home begins after the visit, on the same day.")
	}
	return nil
}

// homeFrom sets the way home: from an instant on, or when she says.
func (r *Ride) homeFrom(ready time.Time) {
	l := &r.Back
	most := time.Duration(l.MaxRide)*time.Minute + 15*time.Minute
	if ready.IsZero() {
		l.State, l.Pickup, l.Dropoff = Call, Span{r.There, r.There}, Span{}
		return
	}
	l.State, l.Pickup = Open, Span{ready, ready.Add(Fetched)}
	l.Dropoff = Span{ready, l.Pickup.To.Add(most)}
}

// Book books a round trip: both ways are planned onto vehicles at once, within what others were told. Where no vehicle has room the ride is booked all the same,
// another is sought, and both the person and the desk know. With an About that has a ride it answers that one.
func (s *Service) Book(ctx context.Context, tx *store.Tx, v person.Viewer, w Want) (*Ride, error) {
	if w.About != "" {
		if r, ok, err := s.OfAbout(tx, w.Org, w.About); err != nil || ok {
			if err == nil && r.Patient != w.Patient {
				err = fault.NotFoundf("There is no such ride.")
			}
			return r, err
		}
	}
	r, err := s.draw(tx, v, w)
	if err != nil {
		return nil, err
	}
	d, err := s.load(tx, w.Org, r.Day, true)
	if err != nil {
		return nil, err
	}
	if err := s.possible(d, r); err != nil {
		return nil, err
	}
	d.rides = append(d.rides, r)
	if err := s.arrange(ctx, tx, d, r, "ride.booked"); err != nil {
		return nil, err
	}
	return r, s.people.Audit(tx, v, r.Patient, string(person.Act), "ride")
}

// possible refuses what nobody could ever drive.
func (s *Service) possible(d *day, r *Ride) error {
	fits := func(v Vehicle) bool {
		seats, chairs := r.Companions, 0
		if r.Mobility == Wheelchair {
			chairs = 1
		} else {
			seats++
		}
		return v.Works(d.day) && v.Carries(r.Mobility) && seats <= v.Seats && chairs <= v.Wheelchairs &&
			!slices.ContainsFunc(r.Needs, func(n string) bool { return !slices.Contains(v.Skills, n) })
	}
	if s.vendor == nil && !slices.ContainsFunc(d.vehicles, fits) {
		return fault.Conflictf("No vehicle can take this ride on that day.")
	}
	return nil
}

// arrange plans the open legs of one ride, promises what is planned, and says it.
func (s *Service) arrange(ctx context.Context, tx *store.Tx, d *day, r *Ride, say string) error {
	d.changed[r.ID] = true
	var keys []key
	for _, dir := range []Direction{Out, Back} {
		if r.Leg(dir).State == Open {
			keys = append(keys, key{r.ID, dir})
		}
	}
	left, err := d.place(ctx, keys, false)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if !slices.Contains(left, k) {
			if err := s.settle(tx, r, k.dir, ""); err != nil {
				return err
			}
		}
	}
	if r.Back.State == Call {
		if err := s.promise(tx, r, Back); err != nil {
			return err
		}
	}
	for _, k := range left {
		if err := s.trouble(tx, r, k.dir, "full", 1, "ride.search"); err != nil {
			return err
		}
	}
	if len(left) == 0 {
		if r.Back.State == Call {
			say += ".call"
		}
		if err := s.tell(tx, r, Out, say, map[string]string{"backfrom": rfc(r.Back.Pickup.From), "backto": rfc(r.Back.Pickup.To)}, false); err != nil {
			return err
		}
	}
	return d.save(tx)
}

// Choice is a window that could be promised.
type Choice struct {
	Pickup  Span
	Vehicle VehicleID
	Cost    float64 // what it adds to the day, in minutes of driving
}

// Offers answers a few windows in which somebody could be fetched, cheapest first, while she is on the telephone. Nothing is written.
func (s *Service) Offers(ctx context.Context, tx *store.Tx, v person.Viewer, w Want, most int) ([]Choice, error) {
	w.Fetch = time.Time{}
	r, err := s.draw(tx, v, w)
	if err != nil {
		return nil, err
	}
	d, err := s.load(tx, w.Org, r.Day, false)
	if err != nil {
		return nil, err
	}
	d.rides = append(d.rides, r)
	return d.offers(ctx, key{r.ID, Out}, most)
}

// Move gives a ride other times: both ways move, or neither does. What is under way stays.
func (s *Service) Move(ctx context.Context, tx *store.Tx, v person.Viewer, org person.OrgID, id ID, there, ready time.Time) (*Ride, error) {
	var r *Ride
	err := tx.Try(func() (err error) { r, err = s.move(ctx, tx, v, org, id, there, ready); return err })
	return r, err
}

func (s *Service) move(ctx context.Context, tx *store.Tx, v person.Viewer, org person.OrgID, id ID, there, ready time.Time) (*Ride, error) {
	old, err := s.Get(tx, org, id)
	if err != nil {
		return nil, err
	}
	if err := s.people.May(tx, v, person.Act, old.Patient); err != nil {
		return nil, err
	}
	d, err := s.load(tx, org, old.Day, true)
	if err != nil {
		return nil, err
	}
	r := d.ride(id)
	if r.Back.State.Over() || r.Back.State == Aboard || r.Back.State == Door || r.Back.State == Way {
		return r, fault.Conflictf("This ride is over, or under way.")
	}
	zone, err := clock.Zone(r.Zone)
	if err != nil {
		return nil, err
	}
	w := Want{There: there, Ready: ready, HomeBy: r.Back.Wish, Mobility: r.Mobility, Companions: r.Companions}
	fixed := r.Out.State.Over() || r.Out.State == Aboard || r.Out.State == Door || r.Out.State == Way
	now := s.clock.Now()
	if fixed {
		if clock.DayOf(there, zone) != r.Day {
			return r, fault.Conflictf("This ride is over, or under way.")
		}
		w.There = r.There
	} else if err := w.Validate(now); err != nil {
		return r, err
	}
	for _, dir := range []Direction{Out, Back} {
		if dir == Out && fixed {
			continue
		}
		if err := s.loosen(tx, d, r, dir); err != nil {
			return r, err
		}
	}
	if err := r.times(w, zone, now); err != nil {
		return r, err
	}
	to := d
	if r.Day != d.day { // the old day forgets it, the new one plans it
		d.rides = slices.DeleteFunc(d.rides, func(x *Ride) bool { return x.ID == id })
		d.replaned = true
		if err := d.save(tx); err != nil {
			return r, err
		}
		if to, err = s.load(tx, org, r.Day, true); err != nil {
			return r, err
		}
		to.rides = append(to.rides, r)
	}
	if err := s.possible(to, r); err != nil {
		return r, err
	}
	return r, s.arrange(ctx, tx, to, r, "ride.moved")
}

// loosen takes a leg from whoever drives it.
func (s *Service) loosen(tx *store.Tx, d *day, r *Ride, dir Direction) error {
	l := r.Leg(dir)
	if l.Vendor.Ref != "" {
		r.Drop = append(r.Drop, l.Vendor.Ref)
	}
	d.strike(key{r.ID, dir})
	if err := s.unpromise(tx, r, l, "ride.reason.moved"); err != nil {
		return err
	}
	err := s.calm(tx, r, l)
	l.State, l.Vehicle, l.Vendor, l.Begin, l.End, l.Told, l.Late, l.Not, l.Went, l.Came = Open, "", Order{}, time.Time{}, time.Time{}, Span{}, false, nil, time.Time{}, time.Time{}
	d.changed[r.ID] = true
	return err
}

// strike takes a leg out of the stored plan.
func (d *day) strike(k key) {
	for id, list := range d.plan {
		d.plan[id] = slices.DeleteFunc(list, func(x stopAt) bool { return x.key() == k })
	}
	d.replaned = true
}

// toChange answers a ride that the viewer may act for, with its day.
func (s *Service) toChange(tx *store.Tx, v person.Viewer, org person.OrgID, id ID) (*Ride, *day, error) {
	r, err := s.Get(tx, org, id)
	if err != nil {
		return nil, nil, err
	}
	if err := s.people.May(tx, v, person.Act, r.Patient); err != nil {
		return nil, nil, err
	}
	d, err := s.load(tx, org, r.Day, true)
	if err != nil {
		return nil, nil, err
	}
	return d.ride(id), d, nil
}

// Cancel gives a ride back, or what is left of it: before she was fetched both ways, afterwards the way home.
func (s *Service) Cancel(tx *store.Tx, v person.Viewer, org person.OrgID, id ID) (*Ride, error) {
	r, d, err := s.toChange(tx, v, org, id)
	if err != nil {
		return nil, err
	}
	if r.Out.State == Aboard || r.Back.State == Aboard || r.Back.State.Over() {
		return r, fault.Conflictf("This ride is over, or under way.")
	}
	for _, dir := range []Direction{Back, Out} {
		if l := r.Leg(dir); !l.State.Over() {
			if err := s.loosen(tx, d, r, dir); err != nil {
				return r, err
			}
			l.State = Cancelled
		}
	}
	if err := s.tell(tx, r, Out, "ride.off", nil, false); err != nil {
		return r, err
	}
	if err := s.people.Audit(tx, v, r.Patient, string(person.Act), "ride"); err != nil {
		return r, err
	}
	return r, d.save(tx)
}

// Ready takes the word of somebody who waits to be driven home: her ride is planned at once.
func (s *Service) Ready(ctx context.Context, tx *store.Tx, v person.Viewer, org person.OrgID, id ID) (*Ride, error) {
	r, d, err := s.toChange(tx, v, org, id)
	if err != nil {
		return nil, err
	}
	switch now := s.clock.Now(); {
	case r.Back.State != Call:
		return r, nil // said already: nothing is done twice
	case now.Before(r.There.Add(-3*time.Hour)) || clock.DayOf(now, d.zero.Location()) != r.Day:
		return r, fault.Conflictf("The way home begins after the visit, on the same day.")
	default:
		r.homeFrom(now)
		r.Back.Pickup.To = now.Add(callWithin) // the nearest car may be half a town away
		r.Back.Dropoff.To = r.Back.Dropoff.To.Add(callWithin - Fetched)
	}
	if err := s.unpromise(tx, r, &r.Back, "ride.reason.ready"); err != nil {
		return r, err
	}
	d.changed[id] = true
	left, err := d.place(ctx, []key{{id, Back}}, false)
	if err == nil && len(left) == 0 {
		err = s.settle(tx, r, Back, "ride.ready")
	} else if err == nil {
		err = s.trouble(tx, r, Back, "full", 2, "ride.search")
	}
	if err != nil {
		return r, err
	}
	return r, d.save(tx)
}

// callWithin is how soon somebody is fetched who says that she is ready.
const callWithin = time.Hour
