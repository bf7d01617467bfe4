// Package timing turns the dosage instructions of a FHIR R4 MedicationRequest into doses on a person's clock.
//
// Its promise: a dose that is said by the wall clock ("with breakfast") happens exactly once on each of its days, also on
// the days on which clocks change; a dose that is said by an interval ("every 8 hours") keeps its interval. What an
// instruction does not say is never guessed: Parse answers which element it cannot follow, and why.
//
// An order that leaves room ("1 to 2 times a day", "every 4 to 6 hours", "5 to 7 days") is planned with the fewest doses
// that follow it: a reminder never asks for more than was surely ordered. The room is the guard's business (Guard).
//
// The package is pure: no clock, no database. Sources: hl7.org/fhir/R4/datatypes.html#Timing and dosage.html,
// RFC 5545 section 3.3.5 for clock changes (through clock.At).
package timing

import (
	"slices"
	"time"

	"doorstep/internal/clock"
)

// Routine is a person's day, by the wall clock. Bed may lie after midnight (00:30): it is then the end of the same day.
type Routine struct {
	Wake, Breakfast, Lunch, Dinner, Bed clock.Wall
}

// DefaultRoutine is the day of a person who has not said otherwise.
var DefaultRoutine = Routine{
	Wake: clock.WallAt(7, 0), Breakfast: clock.WallAt(8, 0), Lunch: clock.WallAt(12, 30),
	Dinner: clock.WallAt(18, 0), Bed: clock.WallAt(22, 0),
}

// unrolled answers the routine with a bed time after midnight counted on from the day before (24:30).
func (r Routine) unrolled() Routine {
	if r.Bed <= r.Wake {
		r.Bed += 24 * 60
	}
	return r
}

// Person is whose clock the doses follow.
type Person struct {
	Zone    *time.Location
	Routine Routine
}

// Dose is one intake that is due. Day and Wall are the civil date and time that were meant; in a gap of the clock Due shows
// a later time. Amount is in Unit; an instruction without an amount has Amount 0 and Unit "".
type Dose struct {
	Due    time.Time
	Day    clock.Day
	Wall   clock.Wall
	Amount float64
	Unit   string
	Index  int // the n-th dose of the regimen on that civil day, from 0
}

// Guard bounds what a person takes on their own judgement. Zero values bound nothing.
type Guard struct {
	MinInterval time.Duration // between two doses
	MaxDoses    int           // in Per
	MaxAmount   float64       // in Per, in Unit
	Unit        string
	Per         time.Duration
}

// Regimen is what one MedicationRequest asks for: parsed, validated. The zero value has no doses.
type Regimen struct {
	AsNeeded bool // at least one instruction is taken only when needed: no dose of it is planned
	Guard    Guard
	Each     float64 // of an as-needed dose, in EachUnit; 0: not said
	EachUnit string
	plans    []plan
}

// Doses answers the doses due in [from, to), in order. A dose is the same whichever window is asked.
func (r Regimen) Doses(p Person, from, to time.Time) []Dose {
	if !from.Before(to) {
		return nil
	}
	if p.Zone == nil {
		p.Zone = time.UTC
	}
	p.Routine = p.Routine.unrolled()
	// A bed time after midnight belongs to the day before, and a dose's index needs its whole day.
	first, last := clock.DayOf(from, p.Zone).Add(-2), clock.DayOf(to, p.Zone).Add(1)
	var doses []Dose
	for i := range r.plans {
		doses = append(doses, apart(r.plans[i].doses(p, first, last))...)
	}
	slices.SortStableFunc(doses, func(a, b Dose) int {
		if c := a.Due.Compare(b.Due); c != 0 {
			return c
		}
		return int(a.Wall - b.Wall) // in a gap two walls may meet in one instant
	})
	nth := map[clock.Day]int{}
	kept := doses[:0]
	for _, d := range doses {
		d.Index = nth[d.Day]
		nth[d.Day]++
		if !d.Due.Before(from) && d.Due.Before(to) {
			kept = append(kept, d)
		}
	}
	return slices.Clip(kept)
}

// apart leaves out the second of two doses of one instruction that meet in one instant: where clocks skip the hour of the one, it
// falls on the other, and nobody takes it twice.
func apart(doses []Dose) []Dose {
	slices.SortStableFunc(doses, func(a, b Dose) int { return a.Due.Compare(b.Due) })
	return slices.CompactFunc(doses, func(a, b Dose) bool { return a.Due.Equal(b.Due) })
}
