// Package pressure averages blood pressure measured at home and says which values are urgent.
//
// Pressures are in mmHg, times are what the person's wall clock showed, as if in UTC. The package is pure.
//
// Sources: Stergiou GS et al. (2021), 2021 European Society of Hypertension practice guidelines for office and out-of-office blood
// pressure measurement, J Hypertens 39:1293, section on home measurement; Whelton PK et al. (2018), ACC/AHA guideline, Hypertension
// 71:e13, section 11.2 (hypertensive crises).
package pressure

import (
	"slices"
	"time"

	"doorstep/internal/clock"
)

// Reading is one measurement.
type Reading struct {
	At        time.Time
	Systolic  float64
	Diastolic float64
}

// The home protocol: on seven days in the morning and in the evening two measurements; the first day is left out.
const (
	Days       = 7
	PerSession = 2
	Enough     = 12 // readings behind an average that may be judged
	EnoughDays = 4  // on which they lie
)

// Category is what an average says (ESH 2021).
type Category string

const (
	Normal       Category = "normal"       // below 130/80
	Borderline   Category = "borderline"   // 130 to 135 or 80 to 85
	Hypertension Category = "hypertension" // 135/85 and above, either
)

// Session is a half of a day.
type Session struct {
	On      clock.Day
	Evening bool // from noon on
}

// Average is what a week of measurements comes to.
type Average struct {
	Systolic, Diastolic float64 // NaN without a reading
	Readings            int     // behind the average
	Days                int     // with such readings
	Morning, Evening    Half
	Judged              bool     // there are enough readings on enough days
	Category            Category // only if Judged
}

// Half is the average of all mornings or evenings; NaN without a reading.
type Half struct {
	Systolic, Diastolic float64
	Readings            int
}

// Week averages the seven days up to the latest reading. The first day of them with a reading is left out, and of each morning and
// evening the first two readings count. It never refuses: with few readings it says so in Judged.
func Week(readings []Reading) Average {
	sorted := slices.Clone(readings)
	slices.SortStableFunc(sorted, func(a, b Reading) int { return a.At.Compare(b.At) })
	var kept []Reading
	sessions := map[Session]int{}
	days := map[clock.Day]bool{}
	if len(sorted) > 0 {
		last := clock.DayOf(sorted[len(sorted)-1].At, time.UTC)
		var first clock.Day
		for _, r := range sorted {
			s := SessionOf(r.At)
			if last.Sub(s.On) >= Days {
				continue
			}
			if first.IsZero() {
				first = s.On
			}
			if s.On == first || sessions[s] == PerSession {
				continue
			}
			sessions[s]++
			days[s.On] = true
			kept = append(kept, r)
		}
	}
	morning := slices.DeleteFunc(slices.Clone(kept), func(r Reading) bool { return SessionOf(r.At).Evening })
	evening := slices.DeleteFunc(slices.Clone(kept), func(r Reading) bool { return !SessionOf(r.At).Evening })
	all := average(kept)
	a := Average{Systolic: all.Systolic, Diastolic: all.Diastolic, Readings: len(kept), Days: len(days), Morning: average(morning), Evening: average(evening)}
	if a.Judged = a.Readings >= Enough && a.Days >= EnoughDays; a.Judged {
		a.Category = Judge(a.Systolic, a.Diastolic)
	}
	return a
}

// SessionOf answers in which morning or evening a measurement lies.
func SessionOf(at time.Time) Session {
	return Session{clock.DayOf(at, time.UTC), at.UTC().Hour() >= 12}
}

func average(r []Reading) Half {
	h := Half{Readings: len(r)}
	for _, x := range r {
		h.Systolic += x.Systolic
		h.Diastolic += x.Diastolic
	}
	h.Systolic /= float64(len(r)) // NaN for none
	h.Diastolic /= float64(len(r))
	return h
}

// Judge answers the category of an average at home; the worse of the two pressures decides.
func Judge(systolic, diastolic float64) Category {
	switch {
	case systolic >= 135 || diastolic >= 85:
		return Hypertension
	case systolic >= 130 || diastolic >= 80:
		return Borderline
	}
	return Normal
}

// Urgency is how soon a single measurement needs somebody.
type Urgency uint8

const (
	Routine  Urgency = iota
	Critical         // 180/110 and above, either: to be seen soon
	Crisis           // above 180/120, either: to be repeated after a minute; with symptoms an emergency at once
)

func (u Urgency) String() string { return [...]string{"routine", "critical", "crisis"}[u] }

// UrgencyOf judges one measurement.
func UrgencyOf(systolic, diastolic float64) Urgency {
	switch {
	case systolic > 180 || diastolic > 120:
		return Crisis
	case systolic >= 180 || diastolic >= 110:
		return Critical
	}
	return Routine
}

// RepeatAfter and RepeatWithin bound when a second measurement confirms the first.
const (
	RepeatAfter  = time.Minute
	RepeatWithin = 15 * time.Minute
)

// Confirmed judges a measurement together with those after it. A crisis stands when the first repetition, at least a minute later
// and at most a quarter of an hour, is one too; when that is less, it is as urgent as the repetition. repeat asks for one that has not come.
func Confirmed(r Reading, later []Reading) (u Urgency, repeat bool) {
	u = UrgencyOf(r.Systolic, r.Diastolic)
	if u != Crisis {
		return u, false
	}
	var next *Reading
	for i, x := range later {
		if wait := x.At.Sub(r.At); wait >= RepeatAfter && wait <= RepeatWithin && (next == nil || x.At.Before(next.At)) {
			next = &later[i]
		}
	}
	if next == nil {
		return Crisis, true
	}
	return UrgencyOf(next.Systolic, next.Diastolic), false
}
