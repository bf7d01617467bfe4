// Package plausible asks of a reading: can this be, and is this you? Its promise: it only marks. What it finds impossible
// or unlike the person is kept all the same. The package is pure.
package plausible

import (
	"math"

	"doorstep/internal/reading/rule"
)

// Signal is what is known of a series: the range that a body and a device can show, and how far from their own median a
// person's value may lie before it is asked about.
type Signal struct {
	Series    string  // LOINC
	Unit      string  // UCUM
	Low, High float64 // inclusive; outside is impossible
	// Own is the least share of the person's median that is asked about; 0 marks a signal that moves freely (pulse).
	Own float64
}

// Signals is every series whose range is known. Wide on purpose: outside is a mistake of a device, or a pet.
var Signals = []Signal{
	{"29463-7", "kg", 1, 400, 0.08},
	{"29463-7", "[lb_av]", 2, 880, 0.08},
	{"8480-6", "mm[Hg]", 40, 300, 0.5},
	{"8480-6", "kPa", 5.3, 40, 0.5},
	{"8462-4", "mm[Hg]", 20, 200, 0.5},
	{"8462-4", "kPa", 2.6, 26.7, 0.5},
	{"8478-0", "mm[Hg]", 25, 250, 0},
	{"8478-0", "kPa", 3.3, 33.4, 0},
	{"8867-4", "/min", 20, 300, 0},
	{"8637-1", "ms", 200, 3000, 0}, // R-R interval
	{"59408-5", "%", 30, 100, 0},
	{"2708-6", "%", 30, 100, 0},
	{"8310-5", "Cel", 25, 45, 0.08},
	{"8310-5", "[degF]", 77, 113, 0.08},
	{"9279-1", "/min", 2, 100, 0},
	{"2339-0", "mg/dL", 10, 1200, 0},
	{"2339-0", "mmol/L", 0.5, 67, 0},
	{"15074-8", "mmol/L", 0.5, 67, 0},
	{"15074-8", "mg/dL", 10, 1200, 0},
	{"99504-3", "mg/dL", 10, 1200, 0},
	{"99504-3", "mmol/L", 0.5, 67, 0},
	{"55423-8", "{steps}", 0, 200_000, 0},
	{"80404-7", "ms", 0, 500, 0},
}

type key struct{ series, unit string }

var known = func() map[key]Signal {
	m := map[key]Signal{}
	for _, s := range Signals {
		m[key{s.Series, s.Unit}] = s
	}
	return m
}()

// deviations from the person's own median before a value is asked about, in robust standard deviations.
const deviations = 6

// Verdict is what a reading looks like.
type Verdict uint8

const (
	Fine       Verdict = iota
	Impossible         // no body and device show this: 0 kg, 600 kg
	Unlike             // it can be, but hardly of this person: "was this you?"
)

// Judge answers the verdict on a value, given the person's recent values of the signal from that device.
func Judge(series, unit string, v float64, own *rule.Ring) Verdict {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Impossible
	}
	s, ok := known[key{series, unit}]
	if !ok {
		return Fine
	}
	if v < s.Low || v > s.High {
		return Impossible
	}
	if median, sigma, ok := own.Baseline(); ok && s.Own > 0 && math.Abs(v-median) > max(deviations*sigma, s.Own*math.Abs(median)) {
		return Unlike
	}
	return Fine
}
