// Package slot finds the times at which a visit can be: one resource out of each pool, the same for the whole visit.
//
// Its promise: every start that the rules allow is found, soonest first, and no other; nothing is cut off. A visit is offered
// only where each of its resources is open and not busy from the first minute of the buffer before it to the last of the buffer after
// it. Times are instants, so that a day on which clocks change has 23 or 25 hours like any other; how a time on the wall becomes
// an instant is said at Calendar.
//
// Instants are kept as cells of five minutes, a bit each. What does not end on a cell is rounded to the careful side: open times
// inward, busy times, durations and buffers outward. Asked anew after a booking, the index knows it.
//
// The package is pure: no input or output, no clock, no globals. The truth about bookings is the database's; an index is derived from it.
package slot

import (
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
)

// Cell is the length of a bit.
const Cell = 5 * time.Minute

// Span is the time from an instant up to another, which is no part of it.
type Span struct{ From, To time.Time }

// Overlaps reports whether the two share an instant.
func (s Span) Overlaps(other Span) bool { return s.From.Before(other.To) && other.From.Before(s.To) }

// Notice says how soon a visit may begin after it is booked, and how far ahead it can be booked.
type Notice struct {
	Lead    time.Duration
	Horizon time.Duration // 0: no limit
}

// Within answers the part of a span in which a visit may be that is booked now.
func (n Notice) Within(now time.Time, s Span) Span {
	if first := now.Add(n.Lead); s.From.Before(first) {
		s.From = first
	}
	if last := now.Add(n.Horizon); n.Horizon > 0 && last.Before(s.To) {
		s.To = last
	}
	if s.To.Before(s.From) {
		s.To = s.From
	}
	return s
}

// MaxDays bounds an index: two years, and the days of a visit on either side.
const MaxDays = 800

// Midnight is the end of a day as a time on the wall: 24:00.
const Midnight clock.Wall = 24 * 60

// wall reports whether w is a time of day, 24:00 with it.
func wall(w clock.Wall) bool { return w >= 0 && w <= Midnight }

func invalid(format string, args ...any) error { return fault.Invalidf(format, args...) }
