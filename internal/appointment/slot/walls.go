package slot

import (
	"time"

	"doorstep/internal/clock"
)

// walls are a zone's clocks over some time: stretches of one offset each, in order. A time on the wall is counted in seconds from
// 1970-01-01 00:00 as the clock shows it.
type walls []stretch

// stretch is the time in which a zone keeps one offset.
type stretch struct {
	from, to int64 // seconds since 1970 in UTC
	offset   int64 // seconds east of UTC
}

// wallsOf answers the clocks of a zone between two instants; the first and last stretch reach as far as they do in the zone.
func wallsOf(zone *time.Location, from, to time.Time) walls {
	const ever = int64(1) << 60
	var out walls
	for t := from.In(zone); ; {
		_, offset := t.Zone()
		begin, end := t.ZoneBounds()
		s := stretch{-ever, ever, int64(offset)}
		if !begin.IsZero() {
			s.from = begin.Unix()
		}
		if !end.IsZero() {
			s.to = end.Unix()
		}
		out = append(out, s)
		if end.IsZero() || end.After(to) {
			return out
		}
		t = end
	}
}

// start answers the first instant at which the clock shows w; the end of the gap where it never does.
func (ws walls) start(w int64) time.Time {
	for _, s := range ws {
		if t := w - s.offset; t < s.to {
			return time.Unix(max(t, s.from), 0).UTC() // before the stretch: in the gap that it follows
		}
	}
	return time.Unix(ws[len(ws)-1].to, 0).UTC()
}

// end answers the last instant at which the clock shows w; the end of the gap where it never does.
func (ws walls) end(w int64) time.Time {
	for i := len(ws) - 1; i >= 0; i-- {
		s := ws[i]
		t := w - s.offset
		switch {
		case t >= s.to: // past the stretch: in the gap after it
			return time.Unix(s.to, 0).UTC()
		case t >= s.from:
			return time.Unix(t, 0).UTC()
		}
	}
	return time.Unix(ws[0].from, 0).UTC()
}

// Days are numbered from 1970-01-01, a Thursday; weeks begin on Monday.

func number(d clock.Day) int64 {
	return time.Date(d.Year, d.Month, d.Date, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

func dayOf(n int64) clock.Day { return clock.DayOf(time.Unix(n*86400, 0), time.UTC) }

// weekday answers 1 Monday to 7 Sunday.
func weekday(n int64) int { return int(modulo(n+3, 7)) + 1 }

// weekOf answers the number of a day's week.
func weekOf(n int64) int64 { return (n + 3 - modulo(n+3, 7)) / 7 }

func modulo(a, b int64) int64 { return ((a % b) + b) % b }
