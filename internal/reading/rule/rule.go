// Package rule judges a person's readings: a limit on one signal, with a hold time, hysteresis and one open episode at a
// time; and the rule that readings came at all.
//
// Its promise: the verdict is a function of the rule and the samples in the order of their measurement, of nothing else.
// Replaying the same samples against the same version of a rule gives the same episodes. The rule for silence needs no
// data: it fires where there never was any. The package is pure.
package rule

import (
	"encoding/binary"
	"math"
	"time"

	"doorstep/internal/fault"
)

// Kind says what a limit counts from.
type Kind string

const (
	None     Kind = ""         // no limit on this side
	Absolute Kind = "absolute" // Value is in the signal's unit
	Personal Kind = "personal" // Value is how many robust standard deviations from the person's own median
)

// Limit is one side of the allowed range.
type Limit struct {
	Kind  Kind    `json:"kind,omitempty"`
	Value float64 `json:"value,omitempty"`
}

// Rule is a limit on a signal, or the longest silence of it, or both.
type Rule struct {
	Series     string        `json:"series"`               // the signal: a LOINC code
	Above      Limit         `json:"above,omitzero"`       // trouble when a value lies above
	Below      Limit         `json:"below,omitzero"`       // trouble when a value lies below
	Hold       time.Duration `json:"hold,omitempty"`       // it must stay so for this long before it counts
	Hysteresis float64       `json:"hysteresis,omitempty"` // how far back inside (in the unit) ends an episode
	Missing    time.Duration `json:"missing,omitempty"`    // trouble when no reading came for this long; 0: never
	Severity   string        `json:"severity"`             // one of Severities
}

// Severities of a rule, rising.
var Severities = []string{"note", "warning", "urgent"}

// Validate answers what is wrong with a rule, of kind Invalid.
func (r Rule) Validate() error {
	known := false
	for _, s := range Severities {
		known = known || s == r.Severity
	}
	switch {
	case r.Series == "":
		return fault.Invalidf("series: the rule names no signal")
	case !known:
		return fault.Invalidf("severity: it is not one of note, warning, urgent")
	case r.Above.Kind == None && r.Below.Kind == None && r.Missing <= 0:
		return fault.Invalidf("above: the rule has no limit and no longest silence")
	case r.Hold < 0 || r.Missing < 0 || !(r.Hysteresis >= 0) || math.IsInf(r.Hysteresis, 0):
		return fault.Invalidf("hold: times and hysteresis must not be negative")
	}
	for name, l := range map[string]Limit{"above": r.Above, "below": r.Below} {
		switch l.Kind {
		case None, Absolute:
		case Personal:
			if !(l.Value > 0) {
				return fault.Invalidf("%s.value: deviations must be above zero", name)
			}
		default:
			return fault.Invalidf("%s.kind: it is not absolute or personal", name)
		}
		if math.IsNaN(l.Value) || math.IsInf(l.Value, 0) {
			return fault.Invalidf("%s.value: it must be a number", name)
		}
	}
	return nil
}

// State is what a rule knows after the samples so far. The zero value has seen none.
type State struct {
	Last  time.Time // of the newest sample judged
	Since time.Time // since when a limit has been crossed; zero: it is not
	Open  bool      // an episode is open
	Side  int8      // +1 above, -1 below, 0 inside
	ring  Ring
}

// Episode is one stretch of trouble, at the moment it counts.
type Episode struct {
	Began time.Time // the first sample beyond the limit
	At    time.Time // the sample with which it had held long enough
	Value float64   // of that sample
	Limit float64   // that was crossed, in the unit
	Side  int8
}

// Step judges one sample, not older than any before it, and answers the new state, and the episode that it opens if it does.
func (r Rule) Step(s State, at time.Time, v float64) (State, *Episode) {
	side, limit := r.beyond(&s.ring, v, 0)
	if s.Open && side != s.Side {
		// Back inside, but by less than the hysteresis: the episode goes on.
		if held, _ := r.beyond(&s.ring, v, r.Hysteresis); held == s.Side {
			side = held
		}
	}
	if side != s.Side {
		s.Side, s.Open, s.Since = side, false, time.Time{}
		if side != 0 {
			s.Since = at
		}
	}
	s.Last = at
	s.ring.Add(at, v)
	if side == 0 || s.Open || at.Sub(s.Since) < r.Hold {
		return s, nil
	}
	s.Open = true
	return s, &Episode{Began: s.Since, At: at, Value: v, Limit: limit, Side: side}
}

// beyond tells on which side of the limits v lies, with the limits moved inwards by slack.
func (r Rule) beyond(ring *Ring, v, slack float64) (side int8, limit float64) {
	if at, ok := r.Above.of(ring, 1); ok && v > at-slack {
		return 1, at
	}
	if at, ok := r.Below.of(ring, -1); ok && v < at+slack {
		return -1, at
	}
	return 0, 0
}

func (l Limit) of(ring *Ring, sign float64) (float64, bool) {
	switch l.Kind {
	case Absolute:
		return l.Value, true
	case Personal:
		median, sigma, ok := ring.Baseline()
		return median + sign*l.Value*sigma, ok
	}
	return 0, false
}

// Silent tells whether, at the instant now, readings have been missing for too long. seen is when the last one was
// measured; ok is false when there never was one: then the time counts from when the rule came into force. There is no
// precondition on data.
func (r Rule) Silent(now, inForce, seen time.Time, ok bool) bool {
	if r.Missing <= 0 {
		return false
	}
	if !ok || seen.Before(inForce) {
		seen = inForce
	}
	return now.Sub(seen) >= r.Missing
}

// Replay judges samples in the order given, from nothing, and answers the episodes.
func (r Rule) Replay(at []time.Time, v []float64) []Episode {
	var s State
	var out []Episode
	for i := range at {
		var e *Episode
		if s, e = r.Step(s, at[i], v[i]); e != nil {
			out = append(out, *e)
		}
	}
	return out
}

// AppendBinary packs a state.
func (s State) AppendBinary(b []byte) ([]byte, error) {
	for _, t := range []time.Time{s.Last, s.Since} {
		us := int64(0)
		if !t.IsZero() {
			us = t.UnixMicro()
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(us))
	}
	open := byte(0)
	if s.Open {
		open = 1
	}
	return s.ring.AppendBinary(append(b, open, byte(s.Side)))
}

// UnmarshalBinary reads what AppendBinary wrote; nothing is the zero state.
func (s *State) UnmarshalBinary(b []byte) error {
	*s = State{}
	if len(b) == 0 {
		return nil
	}
	if len(b) < 18 || b[16] > 1 {
		return errState
	}
	for i, t := range []*time.Time{&s.Last, &s.Since} {
		if us := int64(binary.LittleEndian.Uint64(b[8*i:])); us != 0 {
			*t = time.UnixMicro(us).UTC()
		}
	}
	s.Open, s.Side = b[16] == 1, int8(b[17])
	return s.ring.UnmarshalBinary(b[18:])
}
