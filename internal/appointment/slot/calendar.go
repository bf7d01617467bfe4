package slot

import (
	"slices"
	"time"

	"doorstep/internal/clock"
)

// Calendar says when a resource is open, by the clock on its wall.
//
// Where clocks go forward, a time that does not exist is the instant at which they do: 02:30 to 05:00 is open from 03:00, and 01:00
// to 02:30 closes at 03:00 (the same instant as 02:00); a span that lies in the gap alone is none, and so is every span of a day that a
// zone skipped. Where clocks go back, a time that occurs twice is the first for a start and the last for an end: 01:30 to 03:00
// is then half past two hours and not half past one, and nobody who was told "until 01:30" finds the door closed at the first.
type Calendar struct {
	Zone      *time.Location
	Weekly    []Weekly
	Overrides []Override
	Closures  []Closure
}

// Weekly is a time on certain days of the week.
type Weekly struct {
	Days       []int      // 1 Monday to 7 Sunday (ISO 8601)
	Start, End clock.Wall // an end at or before the start is on the next day (22:00 to 06:00); 24:00 is midnight. They are not equal
	Every      int        // weeks: 2 is every other week; 0 and 1 are every week
	Anchor     clock.Day  // any day of a week in which it happens; needed from Every 2 on. Weeks begin on Monday
	From, To   clock.Day  // first and last day, both included; zero: no limit
}

// Override replaces what begins on a date; several of one date are taken together. With Start and End alike the date is closed. A night that
// began on the day before runs on.
type Override struct {
	Date       clock.Day
	Start, End clock.Wall // as in Weekly
}

// Closure shuts what is open otherwise: whole dates, From to To, both included (To zero: From alone), or, where From is zero, a span.
// It also cuts a night that began before.
type Closure struct {
	From, To clock.Day
	Span     Span
}

// Validate answers what is wrong with the calendar, in words that name the part.
func (c Calendar) Validate() error {
	if c.Zone == nil {
		return invalid("The calendar has no time zone.")
	}
	for i, w := range c.Weekly {
		if len(w.Days) == 0 {
			return invalid("Weekly time %d has no days (want 1 for Monday to 7 for Sunday).", i+1)
		}
		for _, d := range w.Days {
			if d < 1 || d > 7 {
				return invalid("Weekly time %d: %d is no day of the week (want 1 for Monday to 7 for Sunday).", i+1, d)
			}
		}
		switch {
		case !wall(w.Start) || w.Start == Midnight || !wall(w.End):
			return invalid("Weekly time %d: start is 00:00 to 23:59 and end 00:00 to 24:00.", i+1)
		case w.Start == w.End:
			return invalid("Weekly time %d starts and ends at %s (a whole day is 00:00 to 24:00).", i+1, w.Start)
		case w.Every < 0 || w.Every > 52:
			return invalid("Weekly time %d: every %d weeks is not between 1 and 52.", i+1, w.Every)
		case w.Every > 1 && w.Anchor.IsZero():
			return invalid("Weekly time %d is every %d weeks, but of which week it begins with is not said (a day of that week).", i+1, w.Every)
		case !w.To.IsZero() && w.To.Before(w.From):
			return invalid("Weekly time %d ends on %s, before it begins on %s.", i+1, w.To, w.From)
		}
	}
	for i, o := range c.Overrides {
		if o.Date.IsZero() {
			return invalid("Override %d has no date.", i+1)
		}
		if !wall(o.Start) || o.Start == Midnight || !wall(o.End) {
			return invalid("Override %d: start is 00:00 to 23:59 and end 00:00 to 24:00.", i+1)
		}
	}
	for i, k := range c.Closures {
		switch {
		case !k.From.IsZero() && !k.To.IsZero() && k.To.Before(k.From):
			return invalid("Closure %d ends on %s, before it begins on %s.", i+1, k.To, k.From)
		case k.From.IsZero() && !k.Span.From.Before(k.Span.To):
			return invalid("Closure %d has no first day, and no span that ends after it begins.", i+1)
		}
	}
	return nil
}

// Spans answers the open times between two instants, in order, apart from each other, cut to them. The calendar is valid.
func (c Calendar) Spans(from, to time.Time) []Span {
	if !from.Before(to) {
		return nil
	}
	// A night may begin two days before the first instant (by the clock of the far side of the date line), and none that touches
	// the last instant begins later than on its day.
	first, last := clock.DayOf(from, c.Zone).Add(-2), clock.DayOf(to, c.Zone).Add(1)
	walls := wallsOf(c.Zone, from.AddDate(0, 0, -5), to.AddDate(0, 0, 5))
	replaced := make(map[clock.Day]bool, len(c.Overrides))
	var out []Span
	put := func(day int64, start, end clock.Wall) {
		if end <= start {
			end += Midnight
		}
		s := Span{walls.start(day*86400 + int64(start)*60), walls.end(day*86400 + int64(end)*60)}
		if s.From.Before(from) {
			s.From = from
		}
		if to.Before(s.To) {
			s.To = to
		}
		if s.From.Before(s.To) {
			out = append(out, s)
		}
	}
	for _, o := range c.Overrides {
		if o.Date.Before(first) || last.Before(o.Date) {
			continue
		}
		replaced[o.Date] = true
		if o.Start != o.End {
			put(number(o.Date), o.Start, o.End)
		}
	}
	begin, days := number(first), last.Sub(first)
	for _, w := range c.Weekly {
		on := w.on()
		week := weekOf(number(w.Anchor))
		for n := begin; n <= begin+int64(days); n++ {
			if !on[weekday(n)] || w.Every > 1 && (weekOf(n)-week)%int64(w.Every) != 0 {
				continue
			}
			if !w.From.IsZero() && n < number(w.From) || !w.To.IsZero() && n > number(w.To) {
				continue
			}
			if len(replaced) > 0 && replaced[dayOf(n)] {
				continue
			}
			put(n, w.Start, w.End)
		}
	}
	out = Merge(out)
	if len(c.Closures) == 0 {
		return out
	}
	shut := make([]Span, 0, len(c.Closures))
	for _, k := range c.Closures {
		if k.From.IsZero() {
			shut = append(shut, k.Span)
			continue
		}
		if k.To.IsZero() {
			k.To = k.From
		}
		if k.To.Before(first) || last.Before(k.From) {
			continue
		}
		// Cut to the days that matter: the walls know no others.
		a, b := max(number(k.From), begin), min(number(k.To), begin+int64(days))
		shut = append(shut, Span{walls.start(a * 86400), walls.start((b + 1) * 86400)})
	}
	return without(out, Merge(shut))
}

// on answers for each day of the week, 1 to 7, whether the time is on it.
func (w Weekly) on() (on [8]bool) {
	for _, d := range w.Days {
		on[d] = true
	}
	return on
}

// Merge sorts spans, in their own memory, and joins those that overlap or touch; what holds no instant goes.
func Merge(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	out := spans[:0]
	for _, s := range spans {
		if !s.From.Before(s.To) {
			continue
		}
		if n := len(out); n > 0 && !out[n-1].To.Before(s.From) {
			if out[n-1].To.Before(s.To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// without answers spans less shut; both are in order and apart.
func without(spans, shut []Span) []Span {
	var out []Span
	i := 0
	for _, s := range spans {
		for i < len(shut) && !s.From.Before(shut[i].To) {
			i++
		}
		for j := i; j < len(shut) && shut[j].From.Before(s.To); j++ {
			if s.From.Before(shut[j].From) {
				out = append(out, Span{s.From, shut[j].From})
			}
			s.From = shut[j].To
		}
		if s.From.Before(s.To) {
			out = append(out, s)
		}
	}
	return out
}
