// Package sample is what every decoder of device files answers: one measured thing, with its time, unit and where it came from,
// or why an item was refused.
//
// Its promise: nothing is guessed. What a file does not tell stays empty; a number keeps the decimals that the device showed;
// a unit is the UCUM code of the unit measured in, and is changed only by Canonical. The package is pure.
package sample

import (
	"fmt"
	"iter"
	"time"

	"doorstep/internal/clock"
)

// Sample is one measured thing. It holds a number (Value), a list of numbers (Values, where not nil) or a word (Text, where not
// empty).
type Sample struct {
	Series string // LOINC code, or one of the plain names of series.go where LOINC has none
	// At is when it was measured or when its interval began; zero where the device told no time. A list without a Period is of
	// successive intervals between heart beats, and At is the end of the last.
	At    time.Time
	Until time.Time // end of its interval; zero for an instant
	// Elapsed is the time since a beginning that the device knows and the file does not tell (its switching on, the sensor's
	// session), where At is zero.
	Elapsed time.Duration
	// Zoneless says that the file told a wall clock without its zone, which was read in the zone that the caller named.
	Zoneless bool

	Value    float64
	Decimals int       // decimal places that the device showed: 2.00 has two; 0 where not known
	Values   []float64 // NaN where the device has none; it is the receiver's to keep
	Period   time.Duration
	Text     string
	Unit     string // UCUM, "" for a word
	Beyond   int    // -1: less than the value, 1: more than it (the device's range ended)

	Source string   // the device or program that measured, as the file tells it
	Kind   string   // what it was in the file: a message, record type or resource
	Notes  []string // what the device or person said of it: "irregular pulse", "fasting"
}

// Seq is what a decoder answers. An error that is a *Refusal names an item that was left out, and reading goes on where it can;
// any other error, of the reader below, is the last.
type Seq = iter.Seq2[Sample, error]

// Options are what a caller knows and a file does not say.
type Options struct {
	Zone *time.Location // of wall clocks without a zone; nil is UTC
	// Item, if not nil, is told of every item of the file by its kind, also of those that hold nothing to answer.
	Item func(kind string)
}

// Seen tells Item of an item.
func (o Options) Seen(kind string) {
	if o.Item != nil {
		o.Item(kind)
	}
}

// Location answers the zone of wall clocks.
func (o Options) Location() *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// Refusal is why an item was left out, and where it stands.
type Refusal struct {
	Offset int64  // bytes from the beginning of the file, of the item; -1 is not known, and so is 0 with a Line
	Line   int    // from 1; 0 where the file has no lines
	Path   string // of the item in a file of items: "entry[3]"; "" where there is none
	Reason string
}

func (r *Refusal) Error() string {
	where := fmt.Sprintf("offset %d", r.Offset)
	switch {
	case r.Line > 0 && r.Offset == 0:
		where = fmt.Sprintf("line %d", r.Line)
	case r.Line > 0:
		where = fmt.Sprintf("line %d, %s", r.Line, where)
	}
	switch {
	case r.Path != "" && r.Offset < 0 && r.Line == 0:
		where = r.Path
	case r.Path != "":
		where = r.Path + ", " + where
	}
	return where + ": " + r.Reason
}

// Refuse makes a Refusal at an offset.
func Refuse(offset int64, format string, args ...any) *Refusal {
	return &Refusal{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// Clip shortens a text from a file so that it fits into a reason.
func Clip(s string) string {
	const most = 60
	for i := range s {
		if i > most {
			return s[:i] + "…"
		}
	}
	return s
}

// Wall reads the digits of t as what a wall clock in the zone showed; a skipped hour comes later, of a repeated one it is the first
// (clock.At).
func Wall(t time.Time, zone *time.Location) time.Time {
	if zone == time.UTC {
		return t
	}
	within := time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	return clock.At(clock.DayOf(t, time.UTC), clock.WallAt(t.Hour(), t.Minute()), zone).In(zone).Add(within)
}
