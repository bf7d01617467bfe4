// Package ical reads when somebody is busy out of a calendar in the iCalendar format (RFC 5545), and writes a feed of visits.
//
// Its promise: what a calendar says of busy time is either in the answer or named among what could not be read, with its line; nothing is
// dropped in silence, because a busy hour that is not seen is booked twice. Where a calendar leaves room, the time counts as busy. What comes from
// elsewhere is bounded in size and in what it may unfold to, and never makes the program fail.
//
// Times that clocks skip, or show twice, follow RFC 5545 section 3.3.5: a repeated 02:30 is 03:30 on the night on which clocks go forward, and
// the first of two. A feed that is written holds no more of a visit than its times, unless the caller gives more.
//
// The package is pure: no network, no clock.
package ical

import (
	"fmt"
	"io"
	"slices"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/fault"
)

// Bounds of what is read.
const (
	MaxBytes       = 16 << 20
	MaxEvents      = 100_000
	MaxOccurrences = 200_000   // within the span that is asked for
	maxSteps       = 5_000_000 // days and times that are walked to find them
	maxRefusals    = 1000      // that are listed
)

// Calendar is what was read.
type Calendar struct {
	Busy    []slot.Span // in order, apart from each other
	Events  int         // that were looked at
	Refused []Refusal   // what could not be read, in the order of its lines
}

// Refusal says what could not be read, and why. It holds nothing of what an event is about.
type Refusal struct {
	Line int
	Why  string
}

func (r Refusal) String() string { return fmt.Sprintf("line %d: %s", r.Line, r.Why) }

// ReadBusy answers when a calendar is busy within a span: events that are not transparent, free or cancelled, with their repetitions, and
// VFREEBUSY. Whole days and times without a zone are those of zone. A single event that cannot be read is among Refused; an input that
// is no calendar, or breaks off, is a fault.Invalid that names the line.
func ReadBusy(in io.Reader, within slot.Span, zone *time.Location) (Calendar, error) {
	b, err := io.ReadAll(io.LimitReader(in, MaxBytes+1))
	if err != nil {
		return Calendar{}, fault.New(fault.Unavailable, "The calendar could not be read to its end: %w", err)
	}
	if len(b) > MaxBytes {
		return Calendar{}, fault.New(fault.TooMuch, "The calendar is larger than %d MB.", MaxBytes>>20)
	}
	r := reader{within: within, local: ianaZone{zone}, zones: map[string]clockZone{}, steps: maxSteps}
	parts, err := parse(b, r.refuseError)
	if err != nil {
		return Calendar{}, err
	}
	for _, p := range parts {
		if p.name == "VTIMEZONE" {
			r.define(p)
		}
	}
	r.read(parts)
	slices.SortStableFunc(r.out.Refused, func(a, b Refusal) int { return a.Line - b.Line })
	r.out.Busy = slot.Merge(r.out.Busy)
	return r.out, nil
}
