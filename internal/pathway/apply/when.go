package apply

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication/timing"
)

// duration is a length of time as people say it: months are months of the calendar.
type duration struct {
	months int
	days   int
	exact  time.Duration // hours and below
	fine   time.Duration // of the unit: how exactly it is meant
}

// after answers the instant so much later, by the clock of a zone.
func (d duration) after(t time.Time, zone *time.Location, sign int) time.Time {
	local := t.In(zone)
	if d.months != 0 || d.days != 0 {
		day := clock.DayOf(local, zone).AddMonths(sign * d.months).Add(sign * d.days)
		local = clock.At(day, clock.WallAt(local.Hour(), local.Minute()), zone)
	}
	return local.Add(time.Duration(sign) * d.exact)
}

type wireQuantity struct {
	Value      fhir.Decimal
	Code, Unit string
	Comparator string
	System     string
}

func (q *wireQuantity) duration() (duration, error) {
	if q == nil || q.Value == "" || q.Comparator != "" {
		return duration{}, fmt.Errorf("has no plain value")
	}
	v := q.Value.Float()
	unit := firstOf(q.Code, q.Unit)
	whole := func() (int, error) {
		if v != math.Trunc(v) || math.Abs(v) > 40000 {
			return 0, fmt.Errorf("is %s %s (want whole ones)", string(q.Value), unit)
		}
		return int(v), nil
	}
	n, err := whole()
	const day = 24 * time.Hour
	switch unit {
	case "a", "year", "years":
		return duration{months: 12 * n, fine: day}, err
	case "mo", "month", "months":
		return duration{months: n, fine: day}, err
	case "wk", "week", "weeks":
		return duration{days: 7 * n, fine: day}, err
	case "d", "day", "days":
		return duration{days: n, fine: day}, err
	}
	part := map[string]time.Duration{"h": time.Hour, "hour": time.Hour, "hours": time.Hour, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute, "s": time.Second}[unit]
	if part == 0 || math.Abs(v) > 1e6 {
		return duration{}, fmt.Errorf("is in %q (want s, min, h, d, wk, mo or a)", unit)
	}
	return duration{exact: time.Duration(v * float64(part)), fine: time.Hour}, nil
}

type wireRange struct{ Low, High *wireQuantity }

func (r *wireRange) durations() (low, high duration, err error) {
	if low, err = r.Low.duration(); err == nil {
		high, err = r.High.duration()
	}
	return low, high, err
}

// wireTiming are the forms of timing[x].
type wireTiming struct {
	TimingDateTime string
	TimingAge      *wireQuantity
	TimingPeriod   *struct{ Start, End string }
	TimingDuration *wireQuantity
	TimingRange    *wireRange
	TimingTiming   json.RawMessage
}

// when is the timing of an action.
type when struct {
	date       string
	start, end string
	age        *duration
	low, high  *duration // from the start on
	repeat     *timing.Regimen
	raw        json.RawMessage
}

func (w wireTiming) read(at string) (out when, err error) {
	bad := func(name string, err error) (when, error) { return when{}, fault.Invalidf("%s.%s %s", at, name, err) }
	switch {
	case w.TimingDateTime != "":
		if _, err := fhir.ParseSpan(w.TimingDateTime, nil); err != nil {
			return bad("timingDateTime", err)
		}
		out.date = w.TimingDateTime
	case w.TimingPeriod != nil:
		for _, s := range []string{w.TimingPeriod.Start, w.TimingPeriod.End} {
			if s != "" {
				if _, err := fhir.ParseSpan(s, nil); err != nil {
					return bad("timingPeriod", err)
				}
			}
		}
		out.start, out.end = w.TimingPeriod.Start, w.TimingPeriod.End
	case w.TimingAge != nil:
		d, err := w.TimingAge.duration()
		if err != nil {
			return bad("timingAge", err)
		}
		out.age = &d
	case w.TimingDuration != nil:
		d, err := w.TimingDuration.duration()
		if err != nil {
			return bad("timingDuration", err)
		}
		out.low, out.high = &duration{}, &d
	case w.TimingRange != nil:
		low, high, err := w.TimingRange.durations()
		if err != nil {
			return bad("timingRange", err)
		}
		out.low, out.high = &low, &high
	case len(w.TimingTiming) > 0:
		var t fhir.Timing
		if err := json.Unmarshal(w.TimingTiming, &t); err != nil {
			return bad("timingTiming", err)
		}
		r, err := timing.Parse([]fhir.Dosage{{Timing: &t}}, clock.Day{Year: 2000, Month: 1, Date: 1})
		if err != nil {
			return bad("timingTiming", err)
		}
		out.repeat, out.raw = &r, w.TimingTiming
	}
	return out, nil
}

// relationships that are followed.
var relationships = []string{"before-start", "before", "before-end", "concurrent-with-start", "concurrent", "concurrent-with-end", "after-start", "after", "after-end"}

// when answers the span in which an action is done, and if it recurs its occurrences up to Until.
func (a *applying) when(x *action, around span) (span, []span, error) {
	zone := a.Person.Zone
	s := around
	t := x.timing
	switch {
	case t.date != "":
		d, _ := fhir.ParseSpan(t.date, zone)
		s = span{d.Start(), d.End()}
	case t.start != "" || t.end != "":
		if t.start != "" {
			d, _ := fhir.ParseSpan(t.start, zone)
			s.from = d.Start()
		}
		if t.end != "" {
			d, _ := fhir.ParseSpan(t.end, zone)
			s.by = d.End()
		}
	case t.age != nil:
		born, err := fhir.ParseSpan(a.born, zone)
		if err != nil {
			return s, nil, fmt.Errorf("is at an age, and when the person was born is not known")
		}
		s.from = t.age.after(born.Start(), zone, 1)
		s.by = endOfDay(s.from, zone)
	case t.high != nil:
		s = span{t.low.after(around.from, zone, 1), t.high.after(around.from, zone, 1)}
		if t.high.fine >= 24*time.Hour {
			s.by = endOfDay(s.by, zone)
		}
	}
	if r, ok := a.relate(x, s); ok {
		s = r
	}
	if t.repeat == nil {
		if s.by.Before(s.from) {
			return s, nil, fmt.Errorf("would have to be done by %s, before it can begin on %s", s.by.Format(time.DateOnly), s.from.Format(time.DateOnly))
		}
		return s, nil, nil
	}
	// A repetition is anchored at the beginning; its occurrences last until the day ends.
	r := *t.repeat
	anchored, err := anchor(t.raw, clock.DayOf(s.from, zone))
	if err == nil {
		r = anchored
	}
	var out []span
	end := a.Until
	if t.raw != nil && end.After(s.from.AddDate(2, 0, 0)) {
		end = s.from.AddDate(2, 0, 0)
	}
	for _, d := range r.Doses(a.Person, s.from, end) {
		out = append(out, span{d.Due, endOfDay(d.Due, zone)})
	}
	if len(out) > 0 {
		s = span{out[0].from, out[len(out)-1].by}
	}
	return s, out, nil
}

// anchor reads a timing with its bounds counted from a day.
func anchor(raw json.RawMessage, day clock.Day) (timing.Regimen, error) {
	var t fhir.Timing
	if err := json.Unmarshal(raw, &t); err != nil {
		return timing.Regimen{}, err
	}
	return timing.Parse([]fhir.Dosage{{Timing: &t}}, day)
}

// relate answers the span that the related actions leave.
func (a *applying) relate(x *action, s span) (span, bool) {
	zone := a.Person.Zone
	any := false
	for _, r := range x.related {
		to, known := a.done[r.to]
		if !known {
			continue // it does not apply
		}
		width := s.by.Sub(s.from)
		if !any && x.timing.none() {
			width = endOfDay(to.by, zone).Sub(to.by)
		}
		any = true
		switch r.kind {
		case "before-start", "before", "before-end":
			base := to.from
			if r.kind == "before-end" {
				base = to.by
			}
			by := r.low.after(base, zone, -1)
			from := by.Add(-width)
			if r.wide {
				from = r.high.after(base, zone, -1)
			} else if r.offset && r.low.fine >= 24*time.Hour {
				from = startOfDay(by, zone)
			}
			s = span{later(from, a.Start), by}
		case "concurrent-with-start", "concurrent", "concurrent-with-end":
			s = to
		default:
			base := to.from
			if r.kind != "after-start" {
				base = to.by
			}
			s.from = r.low.after(base, zone, 1)
			switch {
			case r.wide:
				s.by = r.high.after(base, zone, 1)
			default:
				s.by = endOfDay(s.from, zone)
			}
		}
	}
	return s, any
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// endOfDay answers the first instant of the next civil day.
func endOfDay(t time.Time, zone *time.Location) time.Time {
	return clock.At(clock.DayOf(t, zone).Add(1), 0, zone)
}

func startOfDay(t time.Time, zone *time.Location) time.Time {
	return clock.At(clock.DayOf(t, zone), 0, zone)
}

// none reports whether nothing was said of when.
func (w when) none() bool {
	return w.date == "" && w.start == "" && w.end == "" && w.age == nil && w.high == nil && w.repeat == nil
}
