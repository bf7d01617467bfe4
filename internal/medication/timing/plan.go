package timing

import (
	"time"

	"doorstep/internal/clock"
)

// unit is what a period is counted in; hours and less are intervals, not units.
type unit uint8

const (
	days unit = iota
	weeks
	months
)

// plan is one dosage instruction, ready to be laid on a calendar. Exactly one of interval, events and perPeriod/spots rules.
type plan struct {
	amount float64
	unit   string

	first  clock.Day     // the first day; periods are counted from it
	last   clock.Day     // the last day, inclusive; zero: open
	length time.Duration // the same end for intervals, counted from the anchor: 7 days of q8h are 21 doses; 0: open
	after  time.Time     // no dose before this instant; zero: none
	before time.Time     // no dose at or after this instant; zero: none
	count  int           // doses in all; 0: no limit

	weekdays [7]bool // indexed by time.Weekday
	onlyOn   bool    // weekdays rules

	cycle []bool // by day of a period of n days: whether doses are taken on it; nil: no cycle

	// By the wall clock: in each period of n units, dosing days lie at the offsets that spread answers.
	n     int
	of    unit
	daily int    // dosing days per period, with spots; 0: perPeriod doses are spread over days and day
	per   int    // doses per period, without spots
	spots []spot // times of a dosing day; empty: by how many doses the day has

	// By the interval: from the anchor on.
	interval time.Duration
	anchor   time.Time // zero: on the first day at start
	start    spot

	events []event // named one by one
}

// event is one named dose: an instant, or a day without a time.
type event struct {
	at  time.Time
	day clock.Day
}

// doses answers the plan's doses whose days lie in [from, to], in no promised order.
func (pl *plan) doses(p Person, from, to clock.Day) []Dose {
	switch {
	case pl.events != nil:
		return pl.named(p, from, to)
	case pl.interval > 0:
		return pl.absolute(p, from, to)
	}
	return pl.civil(p, from, to)
}

func (pl *plan) named(p Person, from, to clock.Day) []Dose {
	var out []Dose
	for _, e := range pl.events {
		d := Dose{Amount: pl.amount, Unit: pl.unit}
		if e.at.IsZero() {
			d.Day, d.Wall, d.Due = place(e.day, once[0].wall(p.Routine), p.Zone)
		} else {
			d.Day, d.Wall, d.Due = clock.DayOf(e.at, p.Zone), wallOf(e.at, p.Zone), e.at
		}
		if !d.Day.Before(from) && !to.Before(d.Day) && pl.within(d) {
			out = append(out, d)
		}
	}
	return out
}

// within tells whether a dose keeps to the bounds that are instants.
func (pl *plan) within(d Dose) bool {
	return (pl.after.IsZero() || !d.Due.Before(pl.after)) && (pl.before.IsZero() || d.Due.Before(pl.before))
}

// absolute counts intervals from the anchor, whatever the wall clock does.
func (pl *plan) absolute(p Person, from, to clock.Day) []Dose {
	anchor := pl.anchor
	if anchor.IsZero() {
		_, _, anchor = place(pl.first, pl.start.wall(p.Routine), p.Zone)
	}
	begin, end := clock.At(from, 0, p.Zone), clock.At(to.Add(1), 0, p.Zone)
	stop := end
	switch {
	case pl.length > 0:
		stop = anchor.Add(pl.length)
	case !pl.last.IsZero():
		stop = clock.At(pl.last.Add(1), 0, p.Zone)
	}
	if stop.Before(end) {
		end = stop
	}
	k := int64(0)
	// With weekdays or a late start, what a count counts is not k: walk from the anchor.
	if pl.count == 0 && begin.After(anchor) {
		k = int64((begin.Sub(anchor) + pl.interval - 1) / pl.interval)
	}
	var out []Dose
	counted := 0
	for ; ; k++ {
		due := anchor.Add(time.Duration(k) * pl.interval)
		if !due.Before(end) {
			return out
		}
		d := Dose{Due: due, Day: clock.DayOf(due, p.Zone), Wall: wallOf(due, p.Zone), Amount: pl.amount, Unit: pl.unit}
		if pl.onlyOn && !pl.weekdays[d.Day.Weekday()] || !pl.within(d) {
			continue
		}
		if counted++; pl.count > 0 && counted > pl.count {
			return out
		}
		if !due.Before(begin) {
			out = append(out, d)
		}
	}
}

// civil lays the doses of each day by the wall clock.
func (pl *plan) civil(p Person, from, to clock.Day) []Dose {
	if !pl.last.IsZero() && pl.last.Before(to) {
		to = pl.last
	}
	day := from
	if pl.count > 0 || day.Before(pl.first) {
		day = pl.first // a count is counted from the beginning
	}
	var out []Dose
	counted := 0
	for ; !to.Before(day); day = day.Add(1) {
		for _, s := range pl.spotsOn(day) {
			d := Dose{Amount: pl.amount, Unit: pl.unit}
			d.Day, d.Wall, d.Due = place(day, s.wall(p.Routine), p.Zone)
			if !exists(d.Day, p.Zone) || !pl.within(d) {
				continue
			}
			if counted++; pl.count > 0 && counted > pl.count {
				return out
			}
			if !day.Before(from) {
				out = append(out, d)
			}
		}
	}
	return out
}

// exists tells whether the zone has the day: Apia left out 30 December 2011, whose doses would fall on the next day's.
func exists(day clock.Day, zone *time.Location) bool {
	return clock.DayOf(clock.At(day, clock.WallAt(12, 0), zone), zone) == day
}

// spotsOn answers the times of a day.
func (pl *plan) spotsOn(day clock.Day) []spot {
	if pl.onlyOn && !pl.weekdays[day.Weekday()] {
		return nil
	}
	off, length := pl.phase(day)
	if pl.cycle != nil {
		if !pl.cycle[off] {
			return nil
		}
		return pl.times(pl.per)
	}
	if pl.onlyOn && pl.of != days {
		if off >= 7 { // every two weeks on Monday: the Monday of the first of the two
			return nil
		}
		return pl.times(pl.per)
	}
	if len(pl.spots) > 0 {
		if share(off, pl.daily, length) == 0 {
			return nil
		}
		return pl.spots
	}
	return pl.times(share(off, pl.per, length))
}

func (pl *plan) times(n int) []spot {
	if len(pl.spots) > 0 {
		return pl.spots
	}
	return institution(n)
}

// share spreads n over a period of length days as evenly as whole days allow, and answers what falls on day off.
func share(off, n, length int) int {
	// The i-th lies on day floor(i*length/n); count the i with that day == off.
	upto := func(d int) int { return min(n, (d*n+length-1)/length) }
	return upto(off+1) - upto(off)
}

// phase answers how many days day lies into its period, and the period's length in days.
func (pl *plan) phase(day clock.Day) (off, length int) {
	since := day.Sub(pl.first)
	switch pl.of {
	case weeks:
		return since % (7 * pl.n), 7 * pl.n
	case months:
		k := ((day.Year-pl.first.Year)*12 + int(day.Month-pl.first.Month)) / pl.n * pl.n
		begin := pl.first.AddMonths(k)
		if day.Before(begin) {
			k -= pl.n
			begin = pl.first.AddMonths(k)
		}
		return day.Sub(begin), pl.first.AddMonths(k + pl.n).Sub(begin)
	}
	return since % pl.n, pl.n
}

// place puts a wall time, which may lie past midnight, on a day.
func place(day clock.Day, w clock.Wall, zone *time.Location) (clock.Day, clock.Wall, time.Time) {
	for w < 0 {
		day, w = day.Add(-1), w+24*60
	}
	for w >= 24*60 {
		day, w = day.Add(1), w-24*60
	}
	return day, w, clock.At(day, w, zone).UTC()
}

func wallOf(t time.Time, zone *time.Location) clock.Wall {
	h, m, _ := t.In(zone).Clock()
	return clock.WallAt(h, m)
}
