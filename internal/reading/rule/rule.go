// Package rule judges a person's readings: limits on signals, fixed or by the person's own baseline, with a hold time, hysteresis,
// other signals that must agree, and one open episode at a time; and the rule that readings came at all.
//
// Its promise: the verdict is a function of the rule and the samples in the order of their measurement, of nothing else.
// Replaying the same samples against the same version of a rule gives the same episodes, whether they come one by one or all at
// once. The rule for silence needs no data: it fires where there never was any. The package is pure.
package rule

import (
	"math"
	"slices"
	"time"

	"doorstep/internal/fault"
)

// Kind says what a limit counts from.
type Kind string

const (
	None     Kind = ""         // no limit on this side
	Absolute Kind = "absolute" // Value is in the signal's unit
	Personal Kind = "personal" // Value is how many robust standard deviations from the person's own median
	Change   Kind = "change"   // Value is how far, in the unit, a value lies from the lowest (below: the highest) of the time Over before it
	EWMA     Kind = "ewma"     // Value is how many of its own standard deviations (L) the moving average of the standardised values lies from 0
	CUSUM    Kind = "cusum"    // Value is what the sum of the standardised values beyond 0.5 has come to (h)
)

// Limit is one side of the allowed range.
type Limit struct {
	Kind  Kind          `json:"kind,omitempty"`
	Value float64       `json:"value,omitempty"`
	Over  time.Duration `json:"over,omitempty"` // of a change: an hour to 28 days
}

// sides is what is allowed of a signal.
type sides struct{ above, below *Limit }

// Sign is another signal that must be beyond its range too for a rule to count.
type Sign struct {
	Series string        `json:"series"`
	Above  Limit         `json:"above,omitzero"` // beyond when a value lies above
	Below  Limit         `json:"below,omitzero"` // beyond when a value lies below
	Within time.Duration `json:"within"`         // how old its newest value may be, beside the rule's own
}

// Rule is a limit on a signal, or the longest silence of it, or both.
type Rule struct {
	Name       string        `json:"name,omitempty"`       // of the preset that it was made from
	Series     string        `json:"series"`               // the signal: a LOINC code
	Above      Limit         `json:"above,omitzero"`       // trouble when a value lies above
	Below      Limit         `json:"below,omitzero"`       // trouble when a value lies below
	Hold       time.Duration `json:"hold,omitempty"`       // it must stay so for this long before it counts
	Hysteresis float64       `json:"hysteresis,omitempty"` // how far back inside (in what the limit counts) ends an episode
	Repeat     time.Duration `json:"repeat,omitempty"`     // an episode that goes on is told of again after so long; 0: once
	With       []Sign        `json:"with,omitempty"`       // signals that must agree
	Least      int           `json:"least,omitempty"`      // how many of them; 0: all
	Missing    time.Duration `json:"missing,omitempty"`    // trouble when no reading came for this long; 0: never
	Severity   string        `json:"severity"`             // one of Severities
	Parts      *Parts        `json:"parts,omitempty"`      // where Series is worked out from other signals
}

// Severities of a rule, rising.
var Severities = []string{"note", "warning", "urgent", "severe"}

// Validate answers what is wrong with a rule, of kind Invalid.
func (r Rule) Validate() error {
	switch {
	case r.Series == "":
		return fault.Invalidf("series: the rule names no signal")
	case !slices.Contains(Severities, r.Severity):
		return fault.Invalidf("severity: it is not one of note, warning, urgent, severe")
	case r.Above.Kind == None && r.Below.Kind == None && r.Missing <= 0:
		return fault.Invalidf("above: the rule has no limit and no longest silence")
	case (r.Series == NEWS2) != (r.Parts != nil):
		return fault.Invalidf("parts: they belong to the signal news2, and to no other")
	case r.Parts != nil && (r.Parts.Within < time.Minute || r.Parts.Within > ringOld):
		return fault.Invalidf("parts.within: it must lie between a minute and 28 days")
	case r.Parts != nil && (r.Missing > 0 || r.Below.Kind != None || r.Above.Kind != Absolute):
		return fault.Invalidf("parts: such a rule has one limit, absolute and above, and no silence of its own")
	case r.Hold < 0 || r.Missing < 0 || r.Repeat < 0 || !(r.Hysteresis >= 0) || math.IsInf(r.Hysteresis, 0):
		return fault.Invalidf("hold: times and hysteresis must not be negative")
	case len(r.With) > maxSigns:
		return fault.Invalidf("with: at most %d other signals", maxSigns)
	case r.Least < 0 || r.Least > len(r.With):
		return fault.Invalidf("least: it must lie between 0 and the number of other signals")
	}
	if err := (sides{&r.Above, &r.Below}).validate(""); err != nil {
		return err
	}
	for _, s := range r.With {
		switch {
		case s.Series == "" || s.Series == r.Series:
			return fault.Invalidf("with.series: it must name another signal")
		case s.Above.Kind == None && s.Below.Kind == None:
			return fault.Invalidf("with.above: another signal needs a limit")
		case s.Within <= 0:
			return fault.Invalidf("with.within: it must be above zero")
		}
		if err := (sides{&s.Above, &s.Below}).validate("with."); err != nil {
			return err
		}
	}
	return nil
}

// maxSigns is how many signals may have to agree with a rule's own.
const maxSigns = 5

func (r sides) validate(of string) error {
	for _, side := range [...]struct {
		name string
		*Limit
	}{{"above", r.above}, {"below", r.below}} {
		l := side.Limit
		switch l.Kind {
		case None, Absolute:
		case Personal, EWMA, CUSUM:
			if !(l.Value > 0) {
				return fault.Invalidf("%s%s.value: deviations must be above zero", of, side.name)
			}
		case Change:
			if !(l.Value > 0) || l.Over < time.Hour || l.Over > ringOld {
				return fault.Invalidf("%s%s.over: a change must be above zero, over an hour to 28 days", of, side.name)
			}
		default:
			return fault.Invalidf("%s%s.kind: it is not absolute, personal, change, ewma or cusum", of, side.name)
		}
		if math.IsNaN(l.Value) || math.IsInf(l.Value, 0) {
			return fault.Invalidf("%s%s.value: it must be a number", of, side.name)
		}
	}
	return nil
}

// Looks tells whether a rule looks at a series.
func (r *Rule) Looks(series string) bool { return r.place(series) >= 0 }

// Signals answers the series that a rule looks at, its own first.
func (r Rule) Signals() []string {
	out := make([]string, 0, 1+len(r.With))
	out = append(out, r.Series)
	for _, s := range r.With {
		out = append(out, s.Series)
	}
	if r.Parts != nil {
		out = append(out, news2Parts[:]...)
	}
	return out
}

// Episode is one stretch of trouble, at the moment it counts.
type Episode struct {
	Began time.Time // the first sample beyond the limit
	At    time.Time // the sample with which it had held long enough
	Value float64   // of the rule's own signal
	Limit float64   // that was crossed, in the unit where the limit has one, else in deviations
	Side  int8
	Again bool // told of before, and still going on

	Missing string // parts of a score that are not known, space-separated: the score is at least Value
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

// Sample is one value of one signal.
type Sample struct {
	Series string
	At     time.Time
	Value  float64
}

// Replay judges samples in the order given, from nothing, and answers the episodes.
func (r *Rule) Replay(samples []Sample) []Episode {
	var s State
	var out []Episode
	for i := range samples {
		x := &samples[i]
		if e, ok := s.Step(r, x.Series, x.At, x.Value); ok {
			out = append(out, e)
		}
	}
	return out
}
