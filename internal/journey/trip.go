package journey

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/weeks"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// promiseTrip promises a trip with the items on it, and lets what goes along follow.
func (s *Service) promiseTrip(tx *store.Tx, v person.Viewer, t Trip, items []Item) error {
	var before *Outing
	if t.State == Promised {
		before = &Outing{Trip: t, Stops: s.onTrip(t, items)}
	}
	after := t
	if t.Next != nil {
		after = *t.Next
		after.Org, after.Patient, after.OutRide, after.BackRide, after.OutState, after.BackState, after.Legs = t.Org, t.Patient, t.OutRide, t.BackRide, t.OutState, t.BackState, t.Legs
	}
	after.State, after.Next = Promised, nil
	o := Outing{Trip: after, Stops: items}
	if err := s.follow(tx, v, before, &o); err != nil {
		return err
	}
	return s.putTrip(tx, o.Trip)
}

// onTrip answers those of items that a trip already had.
func (s *Service) onTrip(t Trip, items []Item) []Item {
	var out []Item
	for _, it := range items {
		if slices.Contains(t.Stops, it.ID) {
			out = append(out, it)
		}
	}
	return out
}

// follow lets everything that goes along fit a new state of an outing. What cannot is undone, named on the trip, and a person at the desk is told.
func (s *Service) follow(tx *store.Tx, v person.Viewer, before, after *Outing) error {
	o := after
	if o == nil {
		o = before
	}
	if o == nil || len(o.Stops) == 0 {
		return nil
	}
	o.Trip.Problem = nil
	for _, f := range s.followers {
		kept := o.Trip
		err := tx.Try(func() error { return f.Follow(tx, v, before, after) })
		if err == nil {
			continue
		}
		if fault.KindOf(err) == fault.Internal { // no follower says so: it is our mistake, and nothing is written
			return err
		}
		o.Trip = kept
		o.Trip.Problem = append(o.Trip.Problem, f.Name())
		if err := s.failed(tx, *o, f.Name(), err); err != nil {
			return err
		}
	}
	return nil
}

// failed tells the desk, by the name of who is on duty there, exactly what could not follow.
func (s *Service) failed(tx *store.Tx, o Outing, what string, why error) error {
	first := o.Stops[0]
	p, err := s.people.Get(tx, first.Org, first.Patient)
	if err != nil {
		return err
	}
	at := first.Start
	if !o.Trip.Leave.IsZero() {
		at = o.Trip.Leave
	}
	args := map[string]string{"what": "key:journey.follower." + what, "at": words.AtValue(at, p.Zone), "why": fault.Sentence(why)}
	args["who"], err = s.onDuty(tx, p)
	if err != nil {
		return err
	}
	if err := s.task(tx, first.Org, first.Patient, "task.journey.failed", "failed/"+what+"/"+first.ID+"/"+at.Format(time.RFC3339), args); err != nil {
		return err
	}
	return s.messages.Say(tx, message.Draft{Org: first.Org, Patient: first.Patient, To: "role:desk", At: s.clock.Now(), Key: "journey/failed/" + what + "/" + first.ID + "/" + at.Format(time.RFC3339),
		Say: "page.staff", Severity: message.Urgent})
}

// onDuty names who answers for the desk now; where nobody is on duty, the first who works there.
func (s *Service) onDuty(tx *store.Tx, p person.Person) (string, error) {
	shifts, err := s.people.OnDuty(tx, p.Org, person.Desk, p.Teams, s.clock.Now())
	if err != nil {
		return "", err
	}
	if len(shifts) > 0 {
		who, err := s.people.Get(tx, p.Org, shifts[0].Person)
		return who.Name, err
	}
	desk, err := s.people.WithRole(tx, p.Org, person.Desk)
	for _, d := range desk {
		if slices.ContainsFunc(d.Teams, func(t person.TeamID) bool { return slices.Contains(p.Teams, t) }) {
			return d.Name, err
		}
	}
	return "", err
}

// remake makes the trips of days anew from what is now promised on them, after something moved: a trip without stops is over, with both its legs.
func (s *Service) remake(tx *store.Tx, v person.Viewer, org person.OrgID, patient person.ID, ids ...string) error {
	items, err := s.items(tx, org, patient)
	if err != nil {
		return err
	}
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	self, err := s.SelfOf(tx, org, patient)
	if err != nil {
		return err
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if id == "" {
			continue
		}
		var of []Item
		for _, it := range items {
			if it.Trip == id && it.State == Promised {
				of = append(of, it)
			}
		}
		old, err := s.trip(tx, org, patient, id)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		had := err == nil && old.State == Promised
		var before *Outing
		if had {
			before = &Outing{Trip: old, Stops: of}
			if len(of) == 0 {
				before.Stops = []Item{{Org: org, Patient: patient, ID: cmp.Or(strings.Join(old.Stops, " "), id), Start: old.Leave}}
			}
		}
		if len(of) == 0 {
			if had {
				if err := s.follow(tx, v, before, nil); err != nil {
					return err
				}
			}
			if err := s.removeTrip(tx, Trip{Org: org, Patient: patient, ID: id}); err != nil {
				return err
			}
			continue
		}
		m, err := s.nearby(tx, p, old.Legs, of)
		if err != nil {
			return err
		}
		kinds, err := s.Kinds(tx, org)
		if err != nil {
			return err
		}
		after := m.tripOf(org, patient, self.Means, self.Means == Family, of, func(it Item) bool { return caresFor(kinds, it) })
		after.ID, after.State = id, Promised
		after.OutRide, after.BackRide = old.OutRide, old.BackRide
		if had {
			after.OutState, after.BackState = old.OutState, old.BackState
		}
		o := Outing{Trip: after, Stops: of}
		if err := s.follow(tx, v, before, &o); err != nil {
			return err
		}
		if err := s.putTrip(tx, o.Trip); err != nil {
			return err
		}
	}
	return nil
}

func caresFor(kinds []Kind, it Item) bool {
	if i := slices.IndexFunc(kinds, func(k Kind) bool { return k.ID == it.Why.Kind }); i >= 0 {
		if w, ok := kinds[i].Way(it.Way); ok {
			return w.Care
		}
	}
	return it.Mode == Clinic
}

// nearby answers the ways of a trip without asking the roads: those that were kept with it, else estimates.
func (s *Service) nearby(tx *store.Tx, p person.Person, kept map[string]leg, items []Item) (roadmap, error) {
	m := roadmap{at: map[string]person.Point{}, legs: map[[2]string]burden.Leg{}, miles: map[[2]string]float64{}}
	home, err := s.people.HomeOf(tx, p.Org, p.ID)
	if err != nil {
		return m, err
	}
	m.home, m.known = home.Point, home.Known()
	places, err := s.people.Places(tx, p.Org)
	if err != nil {
		return m, err
	}
	for _, x := range places {
		m.at[x.ID] = x.Point
	}
	outlets, err := s.Outlets(tx, p.Org)
	for _, x := range outlets {
		m.at[x.ID] = x.Point()
	}
	for key, l := range kept {
		from, to, _ := strings.Cut(key, ">")
		m.legs[[2]string{from, to}], m.miles[[2]string{from, to}] = l.Leg, l.Miles
	}
	self, err2 := s.SelfOf(tx, p.Org, p.ID)
	if err == nil {
		err = err2
	}
	ids := []string{weeks.Home}
	for _, it := range items {
		ids = append(ids, it.Place)
	}
	for _, a := range ids {
		for _, b := range ids {
			m.leg(a, b, self.Means)
		}
	}
	return m, err
}

// rideByHand arranges rides through a person at the desk, until a dispatcher's follower takes its place.
type rideByHand struct{ s *Service }

// RideByHand answers the follower that asks a person at the desk for rides: what a dispatcher's falls back on.
func (s *Service) RideByHand() Follower { return rideByHand{s} }

func (rideByHand) Name() string { return "ride" }

func (r rideByHand) Follow(tx *store.Tx, v person.Viewer, before, after *Outing) error {
	had := before != nil && before.Trip.OutRide != ""
	switch {
	case after == nil:
		if had {
			return fault.New(fault.Unavailable, "The ride was booked by a person. Please call the driver and cancel both ways.")
		}
		return nil
	case after.Trip.ID == "" || after.Trip.Means != Ride:
		return nil
	case had && (!before.Trip.Leave.Equal(after.Trip.Leave) || !before.Trip.LeaveBack.Equal(after.Trip.LeaveBack)):
		return fault.New(fault.Unavailable, "The ride was booked by a person. Please call the driver and move both ways.")
	case had:
		return nil
	}
	t := after.Trip
	p, err := r.s.people.Get(tx, t.Org, t.Patient)
	if err != nil {
		return err
	}
	return r.s.task(tx, t.Org, t.Patient, "task.journey.ride", "ride/"+t.ID+"/"+t.Leave.Format(time.RFC3339)+"/"+t.LeaveBack.Format(time.RFC3339),
		map[string]string{"at": words.AtValue(t.Leave, p.Zone), "back": words.AtValue(t.LeaveBack, p.Zone)})
}

// RideBooked writes down that a person at the desk has booked a trip's ride, both ways, by whatever name the driver gave it.
func (s *Service) RideBooked(ctx context.Context, v person.Viewer, patient person.ID, trip, ref string) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can book a ride here.")
	}
	if ref = strings.TrimSpace(ref); ref == "" || len(ref) > 100 {
		return fault.Invalidf("Please write down with whom the ride is booked.")
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		t, err := s.trip(tx, v.Org, patient, trip)
		if err != nil {
			return err
		}
		if t.State != Promised {
			return fault.Conflictf("This trip is not promised yet.")
		}
		t.OutRide, t.BackRide, t.OutState, t.BackState = ref, ref, LegBooked, LegBooked
		t.Problem = slices.DeleteFunc(t.Problem, func(p string) bool { return p == "ride" })
		if err := s.people.Audit(tx, v, patient, "journeys", "ride for "+trip); err != nil {
			return err
		}
		tx.Hint("patient", string(v.Org)+"/"+string(patient))
		return s.putTrip(tx, t)
	})
}

// alongside tells the caregiver who comes along when a trip is, when it moves, and when it is off.
type alongside struct{ s *Service }

func (alongside) Name() string { return "caregiver" }

func (f alongside) Follow(tx *store.Tx, v person.Viewer, before, after *Outing) error {
	o, say := after, "journey.along"
	if o == nil {
		o, say = before, "journey.along.off"
	}
	if o.Trip.ID == "" || o.Trip.Means != Family {
		return nil
	}
	if before != nil && after != nil && before.Trip.Leave.Equal(after.Trip.Leave) && before.Trip.Home.Equal(after.Trip.Home) {
		return nil
	}
	self, err := f.s.SelfOf(tx, o.Trip.Org, o.Trip.Patient)
	if err != nil || self.Along == "" || self.Along == v.Person {
		return err
	}
	p, err := f.s.people.Get(tx, o.Trip.Org, o.Trip.Patient)
	if err != nil {
		return err
	}
	may, err := f.s.people.Caregivers(tx, p.Org, p.ID, person.See)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(may, func(c person.Person) bool { return c.ID == self.Along }) {
		return fault.Conflictf("Who was to come along has no access any more. Please ask who drives.")
	}
	return f.s.messages.Say(tx, message.Draft{Org: p.Org, Patient: p.ID, To: "person:" + string(self.Along), At: f.s.clock.Now(), Key: say + "/" + o.Trip.ID + "/" + o.Trip.Leave.Format(time.RFC3339) + o.Trip.Home.Format(time.RFC3339),
		Say: say, Args: map[string]string{"called": p.Called, "at": words.AtValue(o.Trip.Leave, p.Zone), "back": o.Trip.Home.Format(time.RFC3339)}, Severity: message.Routine, Page: "/helping/" + string(p.ID) + "/journeys"})
}
