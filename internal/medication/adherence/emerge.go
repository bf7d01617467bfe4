package adherence

import (
	"math"
	"slices"
	"time"

	"doorstep/internal/clock"
)

// The measures of this file are those of EMERGE (De Geest 2018) and of the taxonomy of Vrijens 2012 as electronic monitoring
// states them. Days that are not scored, and days on which nothing is prescribed, count in none of them.

// Taking answers doses taken / doses prescribed. With capped, doses of a day beyond its prescribed number do not make up for
// those of another. NaN when nothing was prescribed.
func Taking(days []DosingDay, capped bool) float64 {
	taken, prescribed := 0, 0
	for _, d := range days {
		if !d.Scored() || d.Expected == 0 {
			continue
		}
		n := max(0, d.Corrected())
		if capped {
			n = min(n, d.Expected)
		}
		taken += n
		prescribed += d.Expected
	}
	return over(float64(taken), float64(prescribed))
}

// CorrectDosing answers the share of days with exactly the prescribed number of doses, of those on which some are prescribed.
func CorrectDosing(days []DosingDay) float64 {
	right, all := 0, 0
	for _, d := range days {
		if d.Scored() && d.Expected > 0 {
			all++
			if d.Corrected() == d.Expected {
				right++
			}
		}
	}
	return over(float64(right), float64(all))
}

// Timing answers the share of intervals between consecutive doses that lie within tolerance of the prescribed interval, its
// bounds included; 0.25 is usual: 18 to 30 hours for once a day. The times may be in any order; NaN with fewer than two.
func Timing(taken []time.Time, prescribed time.Duration, tolerance float64) float64 {
	at := slices.SortedFunc(slices.Values(taken), time.Time.Compare)
	right := 0
	for i := 1; i < len(at); i++ {
		if math.Abs(float64(at[i].Sub(at[i-1])-prescribed)) <= tolerance*float64(prescribed) {
			right++
		}
	}
	return over(float64(right), float64(len(at)-1))
}

// OnTime answers the share of due doses that a dose was taken for at most window before or after; a dose taken counts for one
// due dose only. NaN when none was due.
func OnTime(taken, due []time.Time, window time.Duration) float64 {
	at := slices.SortedFunc(slices.Values(taken), time.Time.Compare)
	plan := slices.SortedFunc(slices.Values(due), time.Time.Compare)
	right, i := 0, 0
	for _, d := range plan {
		for i < len(at) && at[i].Before(d.Add(-window)) {
			i++
		}
		if i < len(at) && !at[i].After(d.Add(window)) {
			right++
			i++
		}
	}
	return over(float64(right), float64(len(plan)))
}

// Persistence is the time between the first dose and the last, before which nothing was given up for good.
type Persistence struct {
	First, Last clock.Day
	Days        int // First and Last included
}

// Persisted answers how long a person kept on; false when there was no dose at all.
func Persisted(days []DosingDay) (p Persistence, ok bool) {
	for _, d := range days {
		if d.Corrected() <= 0 {
			continue
		}
		if !ok {
			p.First, ok = d.On, true
		}
		p.Last = d.On
	}
	if ok {
		p.Days = p.Last.Sub(p.First) + 1
	}
	return p, ok
}

// HolidayDays is how many days without a dose in a row are called a drug holiday.
const HolidayDays = 3

// Holidays answers the drug holidays: at least least days in a row on which doses were prescribed and none was taken, before the
// last dose (what comes after it is no holiday but the end of persistence). Days on which nothing is prescribed neither count
// nor end one; a day that is not scored ends it, for nobody knows.
func Holidays(days []DosingDay, least int) []Period {
	kept, ok := Persisted(days)
	if !ok {
		return nil
	}
	var out []Period
	var run Period
	n := 0
	end := func() {
		if n >= least {
			out = append(out, run)
		}
		n = 0
	}
	for _, d := range days {
		switch {
		case d.On.Before(kept.First):
		case kept.Last.Before(d.On) || !d.Scored() || d.Corrected() > 0:
			end()
		case d.Expected > 0:
			if n == 0 {
				run.From = d.On
			}
			run.To = d.On
			n++
		}
	}
	end()
	return out
}
