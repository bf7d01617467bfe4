package timing

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
)

// Limits of what is taken for an order: more is a mistake of somebody's.
const (
	mostPerDay  = 24     // doses by the wall clock in a day
	mostCount   = 10_000 // doses of one instruction
	mostPeriods = 1200   // units in a period
	shortest    = 5 * time.Minute
)

// Parse reads the dosage instructions of one order, authored on a day (the first day where no bounds say otherwise).
// Instructions of equal sequence run together; those of a later sequence begin where the one before ends, unless they
// name their own start. The error, of kind Invalid, names the element that cannot be followed and why.
func Parse(list []fhir.Dosage, authored clock.Day) (Regimen, error) {
	if len(list) == 0 {
		return Regimen{}, fault.Invalidf("dosageInstruction: the order has none, so it does not say when to take it")
	}
	if authored.IsZero() {
		return Regimen{}, fault.Invalidf("authoredOn: the order has no date to count from")
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(list[a].Sequence, list[b].Sequence) })
	var r Regimen
	start, next, known := authored, authored, true // of this sequence number, and of the one after it
	for k, i := range order {
		d := list[i]
		if len(d.ModifierExtension) > 0 || d.Timing != nil && len(d.Timing.ModifierExtension) > 0 {
			return Regimen{}, fault.Invalidf("dosageInstruction[%d].modifierExtension: it changes the meaning in a way that is not known here", i)
		}
		if k > 0 && d.Sequence != list[order[k-1]].Sequence {
			start = next
		}
		p := parser{at: fmt.Sprintf("dosageInstruction[%d]", i)}
		if own := d.Timing != nil && d.Timing.Repeat != nil && d.Timing.Repeat.BoundsPeriod != nil && d.Timing.Repeat.BoundsPeriod.Start != ""; !known &&
			!own && d.Sequence != list[order[0]].Sequence && !d.AsNeeded() {
			return Regimen{}, fault.Invalidf("%s.sequence: it follows an instruction that has no end", p.at)
		}
		if d.AsNeeded() {
			g, err := p.guard(d, start)
			if err != nil {
				return Regimen{}, err
			}
			if r.AsNeeded {
				g = tighter(r.Guard, g)
			}
			var each plan
			if err := p.amount(&each, d); err != nil {
				return Regimen{}, err
			}
			if each.amount > 0 {
				r.Each, r.EachUnit = each.amount, each.unit
			}
			r.AsNeeded, r.Guard = true, g
			continue
		}
		pl, err := p.plan(d, start)
		if err != nil {
			return Regimen{}, err
		}
		r.plans = append(r.plans, pl)
		if end, ok := pl.end(); !ok {
			known = false
		} else if next.Before(end) {
			next = end
		}
	}
	return r, nil
}

// end answers the first day after the plan, where that is known without a person's clock.
func (pl *plan) end() (clock.Day, bool) {
	switch {
	case !pl.last.IsZero():
		return pl.last.Add(1), true
	case !pl.before.IsZero():
		return clock.DayOf(pl.before, time.UTC), true
	case pl.events != nil:
		last := pl.first
		for _, e := range pl.events {
			day := e.day
			if !e.at.IsZero() {
				day = clock.DayOf(e.at, time.UTC)
			}
			if last.Before(day) {
				last = day
			}
		}
		return last.Add(1), true
	case pl.count > 0 && pl.interval == 0 && !pl.onlyOn && pl.after.IsZero():
		day := pl.first
		for left := pl.count; ; day = day.Add(1) {
			if left -= len(pl.spotsOn(day)); left <= 0 {
				return day.Add(1), true
			}
		}
	}
	return clock.Day{}, false
}

// parser reads one instruction; at is where it stands, for errors.
type parser struct{ at string }

func (p parser) errorf(element, format string, args ...any) error {
	return fault.Invalidf("%s.%s: %s", p.at, element, fmt.Sprintf(format, args...))
}

func (p parser) plan(d fhir.Dosage, start clock.Day) (plan, error) {
	pl := plan{first: start}
	if err := p.amount(&pl, d); err != nil {
		return pl, err
	}
	t := d.Timing
	if t == nil {
		return pl, p.errorf("timing", "there is none, so it does not say when to take it")
	}
	rep := t.Repeat
	if rep == nil {
		rep = &fhir.Repeat{}
	}
	if err := p.bounds(&pl, rep); err != nil {
		return pl, err
	}
	if len(t.Event) > 0 {
		return pl, p.named(&pl, t.Event)
	}
	cycle, err := p.cycle(t)
	if err != nil {
		return pl, err
	}
	if !says(rep) {
		coded, err := p.code(t)
		if err != nil {
			return pl, err
		}
		// The code stands for the rule; bounds and counts still apply over it (R4 Timing.code).
		rule := coded
		rule.Count, rule.CountMax, rule.DayOfWeek = rep.Count, rep.CountMax, rep.DayOfWeek
		rule.Duration, rule.DurationMax, rule.DurationUnit = rep.Duration, rep.DurationMax, rep.DurationUnit
		rep = &rule
	}
	if err := p.duration(rep); err != nil {
		return pl, err
	}
	if cycle != nil {
		return pl, p.byCycle(&pl, rep, cycle)
	}
	return pl, p.rule(&pl, rep)
}

// says tells whether a Repeat holds a rule of its own, not only bounds.
func says(r *fhir.Repeat) bool {
	return r.Frequency != 0 || r.Period != "" || len(r.TimeOfDay) > 0 || len(r.When) > 0
}

func (p parser) amount(pl *plan, d fhir.Dosage) error {
	for _, dr := range d.DoseAndRate {
		q := dr.DoseQuantity
		if q == nil && dr.DoseRange != nil {
			if q = dr.DoseRange.Low; q == nil {
				q = dr.DoseRange.High
			}
		}
		if q == nil {
			continue
		}
		v, ok := number(q.Value)
		if !ok || v <= 0 {
			return p.errorf("doseAndRate", "the dose must be a number above zero")
		}
		pl.amount, pl.unit = v, unitOf(q)
		return nil
	}
	return nil
}

func unitOf(q *fhir.Quantity) string {
	if q.Unit != "" {
		return q.Unit
	}
	return q.Code
}

// number reads a decimal; false when absent, not a number or not finite.
func number(d fhir.Decimal) (float64, bool) {
	v := d.Float()
	return v, d != "" && !math.IsNaN(v) && !math.IsInf(v, 0) && (v != 0 || isZeroText(d))
}

func isZeroText(d fhir.Decimal) bool {
	for _, c := range string(d) {
		switch c {
		case '0', '.', '-':
		case 'e', 'E':
			return true
		default:
			return false
		}
	}
	return true
}

func (p parser) named(pl *plan, list []fhir.DateTime) error {
	pl.events = []event{}
	for i, text := range list {
		m, err := parseMoment(text)
		if err != nil {
			return p.errorf(fmt.Sprintf("timing.event[%d]", i), "%v", err)
		}
		if m.at.IsZero() && m.first != m.last {
			return p.errorf(fmt.Sprintf("timing.event[%d]", i), "it names no day")
		}
		pl.events = append(pl.events, event{at: m.at, day: m.first})
	}
	return nil
}
