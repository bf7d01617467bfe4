package timing

import (
	"slices"
	"time"

	"doorstep/internal/clock"
)

// Policy is what rules a medication's times when clocks change or the person travels.
type Policy string

const (
	// Wall follows the wall clock where the person is: breakfast is breakfast. Where the person goes to another zone it moves
	// only when the person has agreed (Clock.Moves).
	Wall Policy = "wall"
	// Interval keeps the distance between doses whatever any wall clock does, also when clocks change at home.
	Interval Policy = "interval"
	// Home follows the wall clock at home, wherever the person is.
	Home Policy = "home"
)

// Policies are those that may be chosen.
var Policies = []Policy{Wall, Interval, Home}

// Move is a person's word to follow another zone's clock from an instant on.
type Move struct {
	At   time.Time
	Zone *time.Location
}

// Clock is the clock that a medication follows.
type Clock struct {
	Policy Policy // "" is Wall
	Home   *time.Location
	Moves  []Move // in order; looked at by Wall only
}

// Zone answers the zone in which a dose by the wall clock stands at an instant.
func (c Clock) Zone(at time.Time) *time.Location {
	zone := c.Home
	if c.Policy == Interval || c.Policy == Home {
		return zone
	}
	for _, m := range c.Moves {
		if !m.At.After(at) {
			zone = m.Zone
		}
	}
	return zone
}

// Follow answers the doses due in [from, to) by a clock, in order. Doses "every 8 hours" keep their interval by every policy. When
// a person moves, the first doses by the new clock keep at least half the usual distance from the last by the old one: a dose that
// would come too soon is left out, and where the new clock leaves a gap in which a dose by the old one has room on both sides,
// that one is still taken.
func (r Regimen) Follow(c Clock, routine Routine, from, to time.Time) []Dose {
	if c.Home == nil {
		c.Home = time.UTC
	}
	switch c.Policy {
	case Home:
		return r.Doses(Person{Zone: c.Home, Routine: routine}, from, to)
	case Interval:
		return r.Doses(Person{Zone: r.fixed(c.Home), Routine: routine}, from, to)
	}
	if len(c.Moves) == 0 {
		return r.Doses(Person{Zone: c.Home, Routine: routine}, from, to)
	}
	var all []Dose
	for i := range r.plans {
		one := Regimen{plans: r.plans[i : i+1]}
		if r.plans[i].interval > 0 {
			all = append(all, one.Doses(Person{Zone: c.Home, Routine: routine}, from, to)...)
			continue
		}
		all = append(all, one.across(c, routine, from, to)...)
	}
	slices.SortStableFunc(all, func(a, b Dose) int { return a.Due.Compare(b.Due) })
	nth := map[clock.Day]int{}
	for i := range all {
		all[i].Index = nth[all[i].Day]
		nth[all[i].Day]++
	}
	return all
}

// fixed answers the home zone with the offset that it has on the regimen's first day, for good.
func (r Regimen) fixed(home *time.Location) *time.Location {
	if len(r.plans) == 0 {
		return home
	}
	first := r.plans[0].first
	for _, pl := range r.plans {
		if pl.first.Before(first) {
			first = pl.first
		}
	}
	name, offset := clock.At(first, clock.WallAt(12, 0), home).In(home).Zone()
	return time.FixedZone(name, offset)
}

// around is how far about a move its neighbours are looked for.
const around = 40 * 24 * time.Hour

// across answers the doses of one instruction over the person's moves. What becomes of the doses about a move depends on the
// move alone, not on the window asked for.
func (r Regimen) across(c Clock, routine Routine, from, to time.Time) []Dose {
	in := func(zone *time.Location, from, to time.Time) []Dose {
		return r.Doses(Person{Zone: zone, Routine: routine}, from, to)
	}
	begin := from.Add(-2 * around)
	kept := []Dose{}
	zone := c.Home
	at := begin
	for _, m := range c.Moves {
		if !m.At.After(begin) {
			zone = m.Zone
			continue
		}
		if !m.At.Before(to.Add(around)) {
			break
		}
		kept = join(kept, in(zone, at, m.At), nil, 0)
		old, next := in(zone, m.At, m.At.Add(around)), in(m.Zone, m.At, m.At.Add(around))
		room := usual(in(m.Zone, m.At.Add(-around), m.At.Add(around))) / 2
		kept = join(kept, old, next, room)
		at, zone = m.At, m.Zone
		// What follows in the new zone begins after the first that is far enough.
		if n := len(kept); n > 0 && room > 0 {
			for len(next) > 0 && next[0].Due.Sub(kept[n-1].Due) < room {
				next = next[1:]
			}
			if len(next) > 0 {
				at = next[0].Due
			} else {
				at = m.At.Add(around)
			}
		}
	}
	kept = join(kept, in(zone, at, to.Add(around)), nil, 0)
	return slices.DeleteFunc(kept, func(d Dose) bool { return d.Due.Before(from) || !d.Due.Before(to) })
}

// join puts doses behind others. With room, it takes of doses only a first one that has room before it and before the first of
// next that has room itself.
func join(kept, doses, next []Dose, room time.Duration) []Dose {
	if room <= 0 {
		if next != nil {
			return kept
		}
		return append(kept, doses...)
	}
	if len(doses) == 0 {
		return kept
	}
	bridge := doses[0].Due
	if n := len(kept); n > 0 && bridge.Sub(kept[n-1].Due) < room {
		return kept
	}
	for _, d := range next {
		if n := len(kept); n > 0 && d.Due.Sub(kept[n-1].Due) < room {
			continue
		}
		if d.Due.Sub(bridge) < room {
			return kept
		}
		break
	}
	return append(kept, doses[0])
}

// usual answers the shortest distance between two doses; 0 with fewer than two.
func usual(doses []Dose) time.Duration {
	least := time.Duration(0)
	for i := 1; i < len(doses); i++ {
		if gap := doses[i].Due.Sub(doses[i-1].Due); least == 0 || gap < least {
			least = gap
		}
	}
	return least
}
