package journey

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/weeks"
	"doorstep/internal/person"
	"doorstep/internal/transport/road"
)

// milesPerKM and what a mile costs out of pocket: IRS Notice 2026-10, medical mileage.
const (
	milesPerKM     = 1 / 1.609344
	dollarsPerMile = 0.205
	// doors is how many minutes it takes to leave one door and find the other.
	doors = 10
	// rideWait is how many minutes longer an arranged ride takes than driving: it has to come, and may have others aboard.
	rideWait = 10
	// assumedLeg is counted for every way of a person whose home is not known, in minutes.
	assumedLeg = 20
	// nearest outlets of a kind that are looked at.
	nearestOutlets = 3
)

// spot is a place where something can be done.
type spot struct {
	id    string
	point person.Point
	clin  bool // of the clinic
}

// roadmap is how long every way between a person's home and the spots is.
type roadmap struct {
	known bool // where she lives
	home  person.Point
	at    map[string]person.Point
	legs  map[[2]string]burden.Leg
	miles map[[2]string]float64
}

// roadmap asks the roads for all ways between home and the spots, and makes them into what they are to her by her means.
func (s *Service) roadmap(ctx context.Context, home person.Point, spots []spot, means string) (roadmap, error) {
	m := roadmap{known: home.Known(), home: home, at: map[string]person.Point{}, legs: map[[2]string]burden.Leg{}, miles: map[[2]string]float64{}}
	ids, points := []string{weeks.Home}, []person.Point{home}
	for _, p := range spots {
		m.at[p.id] = p.point
		ids, points = append(ids, p.id), append(points, p.point)
	}
	table, err := s.roads.Table(ctx, road.Car, points, points)
	if err != nil {
		return m, err
	}
	for i, a := range ids {
		for j, b := range ids {
			if i == j || !table[i][j].Known && points[i].Known() && points[j].Known() {
				continue
			}
			minutes, miles := float64(assumedLeg), 0.0
			if points[i].Known() && points[j].Known() {
				minutes, miles = table[i][j].Duration.Minutes(), table[i][j].Meters/1000*milesPerKM
			}
			m.set(a, b, minutes, miles, means)
		}
	}
	return m, nil
}

// set writes down one way. Two things in one house are no way at all.
func (m *roadmap) set(a, b string, minutes, miles float64, means string) {
	key := [2]string{a, b}
	m.miles[key] = miles
	if miles == 0 && minutes == 0 {
		m.legs[key] = burden.Leg{}
		return
	}
	leg := burden.Leg{Minutes: int(math.Ceil(minutes-1e-9)) + doors, Dollars: miles * dollarsPerMile}
	if means == Ride { // its price is the payer's or the clinic's; what she pays stands with the ride
		leg.Minutes, leg.Dollars = leg.Minutes+rideWait, 0
	}
	m.legs[key] = leg
}

// leg answers one way; one that nobody has measured is estimated as the crow flies.
func (m *roadmap) leg(a, b, means string) (burden.Leg, float64) {
	if a == b {
		return burden.Leg{}, 0
	}
	key := [2]string{a, b}
	if leg, ok := m.legs[key]; ok {
		return leg, m.miles[key]
	}
	from, to := m.at[a], m.at[b]
	if a == weeks.Home {
		from = m.home
	}
	if b == weeks.Home {
		to = m.home
	}
	if !from.Known() || !to.Known() {
		m.set(a, b, assumedLeg, 0, means)
	} else {
		e := road.Estimates[road.Car].Leg(from, to)
		m.set(a, b, e.Duration.Minutes(), e.Meters/1000*milesPerKM, means)
	}
	return m.legs[key], m.miles[key]
}

// tripOf makes items that lie on one day, in order of time, into a round trip. She leaves home so as to be at the first in time.
func (m *roadmap) tripOf(org person.OrgID, patient person.ID, means string, escorted bool, items []Item, cares func(Item) bool) Trip {
	t := Trip{Org: org, Patient: patient, Means: means, State: Planned, OutState: LegPlanned, BackState: LegPlanned, Parts: burden.Parts{ContactDays: 1}}
	at, free := weeks.Home, time.Time{}
	for i, it := range items {
		leg, miles := m.leg(at, it.Place, means)
		minutes := time.Duration(leg.Minutes) * time.Minute
		if i == 0 {
			t.Arrive = it.Start
			t.Leave = it.Start.Add(-minutes)
		} else if idle := int(it.Start.Sub(free.Add(minutes)) / time.Minute); idle > 0 {
			t.Parts = t.Parts.Plus(burden.Idle(idle, escorted))
		}
		t.Parts = t.Parts.Plus(leg.Parts(escorted))
		t.Miles += miles
		t.Stops = append(t.Stops, it.ID)
		t.Care = t.Care || cares(it)
		at, free = it.Place, it.End
		if t.LeaveBack.Before(free) {
			t.LeaveBack = free
		}
	}
	leg, miles := m.leg(at, weeks.Home, means)
	t.Parts, t.Miles = t.Parts.Plus(leg.Parts(escorted)), t.Miles+miles
	t.Home = t.LeaveBack.Add(time.Duration(leg.Minutes) * time.Minute)
	t.Legs = m.kept(items)
	return t
}

// kept answers every way between home and the places of items, so that a trip can be made anew without asking the roads.
func (m *roadmap) kept(items []Item) map[string]leg {
	out := map[string]leg{}
	ids := []string{weeks.Home}
	for _, it := range items {
		ids = append(ids, it.Place)
	}
	for _, a := range ids {
		for _, b := range ids {
			if l, ok := m.legs[[2]string{a, b}]; ok && a != b {
				out[a+">"+b] = leg{l, m.miles[[2]string{a, b}]}
			}
		}
	}
	return out
}

// instead answers the counterfactual of a need: the nearest place at which it can be done, in one trip of its own. ok is false where nobody goes out for it.
func (m *roadmap) instead(k Kind, n Need, means string, escorted bool, spotsOf func(Way) []string) (Instead, bool) {
	best, found := Instead{}, false
	for _, w := range k.Ways {
		if !w.Mode.Out() {
			continue
		}
		for _, id := range spotsOf(w) {
			there, miles := m.leg(weeks.Home, id, means)
			back, more := m.leg(id, weeks.Home, means)
			parts := burden.Parts{ContactDays: 1}.Plus(there.Parts(escorted)).Plus(back.Parts(escorted)).
				Plus(burden.Stop{Minutes: minutesOf(k, n, w), Wait: w.Wait, Dollars: w.Dollars}.Parts(escorted))
			if !found || parts.Travel < best.Parts.Travel {
				best, found = Instead{Way: w.ID, Place: id, Parts: parts, Miles: miles + more, Care: w.Care}, true
			}
		}
	}
	return best, found
}

// minutesOf answers how long a need takes in a way.
func minutesOf(k Kind, n Need, w Way) int {
	switch {
	case w.Minutes > 0:
		return w.Minutes
	case n.Minutes > 0:
		return n.Minutes
	}
	return k.Minutes
}

// nearestSpots answers the outlets of a kind that are nearest to home or to a place of the clinic, a few of each.
func nearestSpots(all []Outlet, kind string, home person.Point, clinics []person.Point) []Outlet {
	var of []Outlet
	for _, o := range all {
		if o.Active && o.Kind == kind {
			of = append(of, o)
		}
	}
	keep := map[string]Outlet{}
	for _, from := range append([]person.Point{home}, clinics...) {
		list := slices.Clone(of)
		slices.SortStableFunc(list, func(a, b Outlet) int { return int(1000 * (from.KM(a.Point()) - from.KM(b.Point()))) })
		for _, o := range list[:min(len(list), nearestOutlets)] {
			keep[o.ID] = o
		}
	}
	out := make([]Outlet, 0, len(keep))
	for _, id := range slices.Sorted(maps.Keys(keep)) {
		out = append(out, keep[id])
	}
	return out
}
