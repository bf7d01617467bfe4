package timing

import (
	"math"
	"time"

	"doorstep/internal/fhir"
)

// bounds reads when the instruction begins and ends: Period, Duration or Range, and counts.
func (p parser) bounds(pl *plan, r *fhir.Repeat) error {
	set := 0
	for _, has := range []bool{r.BoundsPeriod != nil, r.BoundsDuration != nil, r.BoundsRange != nil} {
		if has {
			set++
		}
	}
	if set > 1 {
		return p.errorf("timing.repeat.bounds", "only one of Period, Duration and Range may be given")
	}
	if r.Count < 0 || r.CountMax < 0 || r.Count > mostCount || r.CountMax > mostCount {
		return p.errorf("timing.repeat.count", "it must be 1 to %d", mostCount)
	}
	if pl.count = r.Count; pl.count == 0 {
		pl.count = r.CountMax
	}
	switch {
	case r.BoundsPeriod != nil:
		return p.boundsPeriod(pl, r.BoundsPeriod)
	case r.BoundsDuration != nil:
		return p.boundsDuration(pl, r.BoundsDuration, "timing.repeat.boundsDuration")
	case r.BoundsRange != nil:
		q := r.BoundsRange.Low
		if q == nil {
			q = r.BoundsRange.High
		}
		if q == nil {
			return p.errorf("timing.repeat.boundsRange", "it has neither low nor high")
		}
		return p.boundsDuration(pl, q, "timing.repeat.boundsRange")
	}
	return nil
}

func (p parser) boundsPeriod(pl *plan, period *fhir.Period) error {
	const element = "timing.repeat.boundsPeriod"
	if period.Start != "" {
		m, err := parseMoment(period.Start)
		if err != nil {
			return p.errorf(element+".start", "%v", err)
		}
		pl.first, pl.after = m.first, m.at
	}
	if period.End != "" {
		m, err := parseMoment(period.End)
		if err != nil {
			return p.errorf(element+".end", "%v", err)
		}
		if m.at.IsZero() {
			pl.last = m.last
		} else {
			pl.before = m.at.Add(time.Second) // a Period's end includes its last second
		}
		if !pl.last.IsZero() && pl.last.Before(pl.first) || !pl.before.IsZero() && !pl.after.IsZero() && !pl.after.Before(pl.before) {
			return p.errorf(element, "it ends before it starts")
		}
	}
	return nil
}

// boundsDuration sets the last day from a length counted from the first. Hours and less count from the first dose's day on
// as whole days, rounded up: an order of "48 hours" by the wall clock is two days.
func (p parser) boundsDuration(pl *plan, q *fhir.Quantity, element string) error {
	v, ok := number(q.Value)
	if !ok || v <= 0 || v > 100_000 {
		return p.errorf(element, "the length must be a number above zero")
	}
	code := q.Code
	if code == "" {
		code = q.Unit
	}
	length := v
	switch code {
	case "s":
		length = v / 86400
	case "min":
		length = v / 1440
	case "h":
		length = v / 24
	case "d", "day", "days":
	case "wk", "week", "weeks":
		length = v * 7
	case "mo", "month", "months", "a", "year", "years":
		months := v
		if code[0] == 'a' || code[0] == 'y' {
			months *= 12
		}
		if months != math.Trunc(months) || months > mostPeriods {
			return p.errorf(element, "it must be whole months")
		}
		pl.last = pl.first.AddMonths(int(months)).Add(-1)
		return nil
	default:
		return p.errorf(element, "its unit is not one of s, min, h, d, wk, mo, a")
	}
	pl.length = time.Duration(length * float64(24*time.Hour)).Round(time.Second)
	pl.last = pl.first.Add(int(math.Ceil(length-1e-9)) - 1)
	return nil
}
