package timing

import (
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhir"
)

// guard reads an as-needed instruction: no times, but how close together and how much at most. "Every 4 to 6 hours as
// needed" guards 4 hours; "up to 3 times a day" guards 3 doses in 24 hours.
func (p parser) guard(d fhir.Dosage, start clock.Day) (Guard, error) {
	var g Guard
	if t := d.Timing; t != nil {
		rep := t.Repeat
		if rep == nil || !says(rep) {
			if t.Code == nil && (rep == nil || len(rep.DayOfWeek) == 0) {
				return p.maxDose(g, d)
			}
			coded, err := p.code(t)
			if err != nil {
				return g, err
			}
			rep = &coded
		}
		// The whole rule must be one that could be followed, though only its closeness is used.
		if err := p.rule(&plan{first: start}, rep); err != nil {
			return g, err
		}
		p.closeness(&g, rep)
	}
	return p.maxDose(g, d)
}

// units is the length of a period's unit; months and years at their shortest would allow more, so they are at their usual length.
var units = map[string]time.Duration{"s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	"wk": 7 * 24 * time.Hour, "mo": 30 * 24 * time.Hour, "a": 365 * 24 * time.Hour}

func (p parser) closeness(g *Guard, r *fhir.Repeat) {
	per, ok := units[r.PeriodUnit]
	if !ok || r.Period == "" {
		return
	}
	most := max(r.Frequency, r.FrequencyMax, 1)
	per = time.Duration(r.Period.Float() * float64(per))
	if most == 1 && intervals[r.PeriodUnit] > 0 {
		g.MinInterval = per
		return
	}
	g.MaxDoses, g.Per = most, per
}

func (p parser) maxDose(g Guard, d fhir.Dosage) (Guard, error) {
	m := d.MaxDosePerPeriod
	if m == nil {
		return g, nil
	}
	if m.Numerator == nil || m.Denominator == nil {
		return g, p.errorf("maxDosePerPeriod", "it needs a numerator and a denominator")
	}
	amount, ok := number(m.Numerator.Value)
	length, ok2 := number(m.Denominator.Value)
	code := m.Denominator.Code
	if code == "" {
		code = m.Denominator.Unit
	}
	per, ok3 := units[code]
	if !ok || !ok2 || !ok3 || amount <= 0 || length <= 0 || length > 1e6 {
		return g, p.errorf("maxDosePerPeriod", "it is not an amount per time")
	}
	g.MaxAmount, g.Unit = amount, unitOf(m.Numerator)
	limit := time.Duration(length * float64(per))
	if g.MaxDoses > 0 && g.Per != limit {
		// Two periods cannot both stand: the doses become a mean distance, which is the stricter of the two.
		g.MinInterval, g.MaxDoses = max(g.MinInterval, g.Per/time.Duration(g.MaxDoses)), 0
	}
	g.Per = limit
	return g, nil
}

// tighter joins the guards of two as-needed instructions of one medication: the stricter of each.
func tighter(a, b Guard) Guard {
	a.MinInterval = max(a.MinInterval, b.MinInterval)
	if a.Per == 0 || b.Per != 0 && b.Per > a.Per {
		a.MaxDoses, a.MaxAmount, a.Unit, a.Per = b.MaxDoses, b.MaxAmount, b.Unit, b.Per
	}
	return a
}

// Intake is one dose that was taken.
type Intake struct {
	At     time.Time
	Amount float64 // in the guard's unit; 0: not known
}

// Earliest answers from when the guard lets a person take amount more, given what was taken, in any order. A dose that is more
// than the guard ever allows has no such time: ok is false.
func (g Guard) Earliest(taken []Intake, amount float64) (at time.Time, ok bool) {
	if g.MaxAmount > 0 && amount > g.MaxAmount {
		return at, false
	}
	list := slices.SortedFunc(slices.Values(taken), func(a, b Intake) int { return b.At.Compare(a.At) }) // the latest first
	later := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	if len(list) > 0 && g.MinInterval > 0 {
		later(list[0].At.Add(g.MinInterval))
	}
	if g.Per <= 0 {
		return at, true
	}
	if g.MaxDoses > 0 && len(list) >= g.MaxDoses {
		later(list[g.MaxDoses-1].At.Add(g.Per)) // when that one is out of the period, one more fits in
	}
	sum := amount
	for _, x := range list {
		if sum += x.Amount; g.MaxAmount > 0 && sum > g.MaxAmount*(1+1e-9) {
			later(x.At.Add(g.Per))
			break
		}
	}
	return at, true
}
