package weeks

import (
	"slices"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/plan"
)

// problem makes the minutes and patient-minutes.
func (w *Weeks) problem() (*problem, error) {
	b := &problem{Weeks: w, origin: clock.At(w.From, 0, w.Zone), means: w.Means}
	if len(b.means) == 0 {
		b.means = []Means{ByCar.Means("car", w.Home, w.Places)}
	}
	b.Problem = plan.Problem{Outing: w.Weights.ContactDay, Idle: w.Weights.Of(burden.Idle(1, w.Limits.Escort)), Stops: w.Limits.Stops, Away: w.Limits.Away, Rest: w.Limits.Rest, Seed: w.Seed}
	for d := range w.Days {
		b.Problem.Days = append(b.Problem.Days, b.day(w.From.Add(d)))
	}
	for _, m := range b.means {
		b.Travel = append(b.Travel, b.travel(m))
	}
	for _, n := range w.Needs {
		b.Problem.Needs = append(b.Problem.Needs, b.need(n))
	}
	return b, b.Problem.Validate()
}

// minute answers an instant as a minute of the plan, rounded up or down.
func (b *problem) minute(t time.Time, up bool) int {
	d := t.Sub(b.origin)
	m := int(d / time.Minute)
	switch rest := d % time.Minute; {
	case rest > 0 && up:
		m++
	case rest < 0 && !up:
		m--
	}
	return m
}

// span answers the whole minutes within.
func (b *problem) span(s slot.Span) plan.Span {
	return plan.Span{From: b.minute(s.From, true), To: b.minute(s.To, false)}
}

func (b *problem) instant(minute int) time.Time {
	return b.origin.Add(time.Duration(minute) * time.Minute).In(b.Zone)
}

func (b *problem) day(d clock.Day) plan.Day {
	at := func(w clock.Wall) int { return b.minute(clock.At(d, w, b.Zone), true) }
	day := plan.Day{Span: plan.Span{From: at(0), To: at(slot.Midnight)}}
	in := b.Limits.In
	if in == 0 {
		in = slot.Midnight
	}
	if !slices.Contains(b.Limits.Never, d.Weekday()) && b.Limits.Out < in {
		day.Out = plan.Span{From: max(day.From, at(b.Limits.Out)), To: min(day.To, at(in))}
	}
	return day
}

func (b *problem) place(id string) int {
	return 1 + slices.IndexFunc(b.Places, func(p Place) bool { return p.ID == id })
}

func (b *problem) travel(m Means) plan.Travel {
	ids := []string{Home}
	for _, p := range b.Places {
		ids = append(ids, p.ID)
	}
	t := plan.Travel{ID: m.ID}
	for _, from := range ids {
		row := make([]plan.Leg, len(ids))
		for j, to := range ids {
			if from == to {
				continue
			}
			leg, ok := m.Legs[[2]string{from, to}]
			row[j] = plan.Leg{Minutes: leg.Minutes, Cost: b.Weights.Of(leg.Parts(b.Limits.Escort)), No: !ok}
		}
		t.Legs = append(t.Legs, row)
	}
	return t
}

func (b *problem) need(n Need) plan.Need {
	out := plan.Need{ID: n.ID}
	for _, a := range n.After {
		out.After = append(out.After, slices.IndexFunc(b.Weeks.Needs, func(m Need) bool { return m.ID == a }))
	}
	held := b.held(n)
	for _, y := range n.Ways {
		w := plan.Way{ID: y.ID, Minutes: b.takes(n, y), Present: y.Mode == Present, Cost: b.Weights.Of(b.itemParts(n, y))}
		if y.Mode == Out {
			w.Place = b.place(y.Place)
		}
		open, _ := b.open(n, y)
		for _, s := range open {
			for _, o := range b.preferred(s, w.Minutes, held) {
				if y.Cells != nil {
					o.Uses = y.Cells(b.instant(o.From))
				}
				w.Openings = append(w.Openings, o)
			}
		}
		if held && y.ID == n.Promised.Way {
			start := b.minute(n.Promised.Start, true)
			exact := plan.Span{From: start, To: start + w.Minutes}
			if n.Promised.Never {
				w.Openings = nil
			}
			w.Openings = append(w.Openings, plan.Opening{Span: exact, Extra: b.hard(start)}) // hers already: it takes nothing of what is shared
		} else if held && n.Promised.Never {
			w.Openings = nil
		}
		out.Ways = append(out.Ways, w)
	}
	return out
}

// takes answers the minutes from arriving to being done: the expected wait comes before being seen.
func (b *problem) takes(n Need, y Way) int {
	if y.Mode == Out {
		return y.minutes(n) + y.Wait
	}
	return y.minutes(n)
}

// itemParts answers what a way burdens by itself.
func (b *problem) itemParts(n Need, y Way) burden.Parts {
	if y.Mode == Out {
		return burden.Stop{Minutes: y.minutes(n), Wait: y.Wait, Dollars: y.Dollars}.Parts(b.Limits.Escort)
	}
	return burden.Parts{Wait: y.Wait, Dollars: y.Dollars}
}

// open answers when a way can be had, and if never, why.
func (b *problem) open(n Need, y Way) (spans []plan.Span, why string) {
	window := n.Window
	if end := b.instant(b.Problem.Days[len(b.Problem.Days)-1].To); end.Before(window.To) {
		window.To = end
	}
	for _, from := range []time.Time{b.origin, b.After} {
		if window.From.Before(from) {
			window.From = from
		}
	}
	if !window.From.Before(window.To) {
		return nil, "its window lies outside the plan"
	}
	list := []slot.Span{window}
	if y.Calendar != nil || y.Open != nil {
		list = nil
		if y.Calendar != nil {
			list = y.Calendar.Spans(window.From, window.To)
		}
		if list = append(list, y.Open...); !y.Fixed {
			list = slot.Merge(list)
		}
	}
	within := b.span(window)
	long := false
	for _, s := range without(list, b.Limits.Not) {
		m := b.span(s)
		m.From, m.To = max(m.From, within.From), min(m.To, within.To)
		if m.From >= m.To {
			continue
		}
		long = true
		if m.To-m.From >= b.takes(n, y) {
			spans = append(spans, m)
		}
	}
	switch {
	case len(spans) > 0:
	case long:
		why = "no opening is long enough"
	default:
		why = "it is not open within the window"
	}
	return spans, why
}

// without answers spans less those that shut them.
func without(list, shut []slot.Span) []slot.Span {
	for _, k := range shut {
		var left []slot.Span
		for _, s := range list {
			if !s.Overlaps(k) {
				left = append(left, s)
				continue
			}
			if s.From.Before(k.From) {
				left = append(left, slot.Span{From: s.From, To: k.From})
			}
			if k.To.Before(s.To) {
				left = append(left, slot.Span{From: k.To, To: s.To})
			}
		}
		list = left
	}
	return list
}

// held reports whether what was promised is still possible.
func (b *problem) held(n Need) bool {
	if n.Promised == nil {
		return false
	}
	i := slices.IndexFunc(n.Ways, func(y Way) bool { return y.ID == n.Promised.Way })
	start := b.minute(n.Promised.Start, true)
	open, _ := b.open(n, n.Ways[i])
	return slices.ContainsFunc(open, func(s plan.Span) bool { return s.From <= start && start+b.takes(n, n.Ways[i]) <= s.To })
}

// preferred cuts an opening where preferences begin and end, so that each part is as hard as its starts.
func (b *problem) preferred(s plan.Span, minutes int, held bool) []plan.Opening {
	last := s.To - minutes
	cuts := []int{s.From, last + 1}
	for _, p := range b.Prefer {
		for _, d := range b.Problem.Days {
			if d.To <= s.From || d.From > last {
				continue
			}
			day := clock.DayOf(b.instant(d.From), b.Zone)
			for _, w := range []clock.Wall{0, p.From, p.To, slot.Midnight} {
				if m := b.minute(clock.At(day, w, b.Zone), true); s.From < m && m <= last {
					cuts = append(cuts, m)
				}
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []plan.Opening
	for i := range len(cuts) - 1 {
		o := plan.Opening{Span: plan.Span{From: cuts[i], To: cuts[i+1] - 1 + minutes}, Extra: b.hard(cuts[i])}
		if held {
			o.Extra += b.Weights.Move
		}
		out = append(out, o)
	}
	return out
}

// hard answers how much harder a start is than others.
func (b *problem) hard(minute int) float64 {
	t := b.instant(minute)
	wall := clock.WallAt(t.Hour(), t.Minute())
	day := int(t.Weekday()+6)%7 + 1
	total := 0.0
	for _, p := range b.Prefer {
		if p.From <= wall && wall < p.To && (len(p.Days) == 0 || slices.Contains(p.Days, day)) {
			total += p.Minutes
		}
	}
	return total
}
