package rule

import (
	"math"
	"slices"
	"strings"
	"time"

	"doorstep/internal/reading/news2"
)

// NEWS2 is the signal that is worked out from seven others: the National Early Warning Score 2.
const NEWS2 = "news2"

// Parts says how a signal is worked out from the newest values of others. Parts that are not known, or too old, are left out and
// named: each part only ever adds, so what is known is the least that the score can be. A rule can therefore miss trouble for want
// of a part, and never makes it up.
type Parts struct {
	Within      time.Duration `json:"within"`                // how old a part may be when another comes
	Hypercapnic bool          `json:"hypercapnic,omitempty"` // a clinician has set the target 88 to 92 %: oxygen by scale 2
}

// Series of the parts, LOINC codes. Consciousness is coded 0 alert, 1 newly confused, 2 voice, 3 pain, 4 unresponsive; oxygen is the
// flow that the person breathes, in L/min, 0 for air.
var (
	news2Parts = [...]string{"9279-1", oxygen, "3151-8", systolic, pulse, "80288-4", "8310-5", "2708-6"}
	news2Names = [...]string{"respirations", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature"}
)

// Places in them.
const (
	partRespirations = iota
	partSpO2
	partOxygen
	partSystolic
	partPulse
	partConsciousness
	partTemperature
	partSpO2Too // the same, under another code
)

// fahrenheit is from where a body's temperature is in °F: no living body has it in °C, nor less in °F.
const fahrenheit = 60

// partOf answers which part of the score a series is, -1 when it is none.
func partOf(series string) int { return slices.Index(news2Parts[:], series) }

// signals is how many signals a rule keeps.
func (r *Rule) signals() int {
	n := 1 + len(r.With)
	if r.Parts != nil {
		n += len(news2Parts)
	}
	return n
}

// score works the signal out at an instant; not ok while no part is known. missing names the parts that are not.
func (s *State) score(r *Rule, at time.Time) (value float64, missing string, ok bool) {
	part := func(i int) float64 {
		if x := &s.signs[1+len(r.With)+i]; !x.at.IsZero() && at.Sub(x.at) <= r.Parts.Within {
			return x.value
		}
		return math.NaN()
	}
	v := news2.Vitals{Respirations: part(partRespirations), SpO2: part(partSpO2), Hypercapnic: r.Parts.Hypercapnic, Systolic: part(partSystolic), Pulse: part(partPulse),
		Temperature: part(partTemperature), Consciousness: news2.Unknown}
	if math.IsNaN(v.SpO2) || s.signs[1+len(r.With)+partSpO2Too].at.After(s.signs[1+len(r.With)+partSpO2].at) {
		if too := part(partSpO2Too); !math.IsNaN(too) {
			v.SpO2 = too
		}
	}
	if v.Temperature > fahrenheit {
		v.Temperature = (v.Temperature - 32) / 1.8
	}
	if c := part(partConsciousness); c >= 0 && c <= float64(news2.Unresponsive) {
		v.Consciousness = news2.Consciousness(c)
	}
	flow := part(partOxygen)
	v.Oxygen = flow > 0
	result, unknown := news2.Least(v, !math.IsNaN(flow))
	return float64(result.Total), strings.Join(unknown, " "), len(unknown) < len(news2Names)
}
