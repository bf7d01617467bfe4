// Package news2 scores vital signs by the National Early Warning Score 2. It is pure.
//
// Source: Royal College of Physicians (2017), National Early Warning Score (NEWS) 2: standardising the assessment of acute-illness
// severity in the NHS, chart 1 (scores) and chart 2 (thresholds). It is for people from 16 years on, and not for pregnancy.
package news2

import (
	"fmt"
	"math"
)

// Consciousness is how awake somebody is.
type Consciousness uint8

const (
	Alert    Consciousness = iota
	Confused               // newly
	Voice                  // answers to a voice only
	Pain                   // answers to pain only
	Unresponsive
	Unknown // nobody has looked: Score refuses it, Least leaves it out
)

// Vitals are the seven signs. All are needed: a score of some of them would say too little.
type Vitals struct {
	Respirations  float64 // per minute
	SpO2          float64 // percent
	Oxygen        bool    // breathes supplemental oxygen
	Hypercapnic   bool    // a clinician has set the target 88 to 92 %: SpO2 is scored by scale 2
	Systolic      float64 // mmHg
	Pulse         float64 // per minute
	Consciousness Consciousness
	Temperature   float64 // °C
}

// Risk is the clinical response that a score asks for.
type Risk string

const (
	Low       Risk = "low"        // 0 to 4
	LowMedium Risk = "low-medium" // 0 to 4 with a 3 in one sign: urgent review by the ward
	Medium    Risk = "medium"     // 5 or 6: urgent response
	High      Risk = "high"       // 7 and more: emergency response
)

// Result is a score with its parts.
type Result struct {
	Total         int // 0 to 20
	Respirations  int
	SpO2          int
	Oxygen        int
	Systolic      int
	Pulse         int
	Consciousness int
	Temperature   int
	Risk          Risk
}

// Score answers the score. Values are rounded as the chart has them: temperature to a tenth, the others to whole numbers. One
// that is missing (NaN) or that no living person has is an error that names it.
func Score(v Vitals) (Result, error) {
	for _, c := range []struct {
		name           string
		value, low, up float64
	}{
		{"respirations", v.Respirations, 0, 100}, {"SpO2", v.SpO2, 20, 100}, {"systolic pressure", v.Systolic, 20, 350}, {"pulse", v.Pulse, 10, 350}, {"temperature", v.Temperature, 20, 46},
	} {
		if !(c.value >= c.low && c.value <= c.up) {
			return Result{}, fmt.Errorf("news2: %s %v is not within %v to %v", c.name, c.value, c.low, c.up)
		}
	}
	if v.Consciousness > Unresponsive {
		return Result{}, fmt.Errorf("news2: consciousness %d is not known", v.Consciousness)
	}
	return points(v), nil
}

// points scores signs that are all known.
func points(v Vitals) Result {
	r := Result{
		Respirations: step(math.Round(v.Respirations), band{8, 3}, band{11, 1}, band{20, 0}, band{24, 2}, band{up, 3}),
		SpO2:         step(math.Round(v.SpO2), band{91, 3}, band{93, 2}, band{95, 1}, band{up, 0}),
		Systolic:     step(math.Round(v.Systolic), band{90, 3}, band{100, 2}, band{110, 1}, band{219, 0}, band{up, 3}),
		Pulse:        step(math.Round(v.Pulse), band{40, 3}, band{50, 1}, band{90, 0}, band{110, 1}, band{130, 2}, band{up, 3}),
		Temperature:  step(math.Round(v.Temperature*10), band{350, 3}, band{360, 1}, band{380, 0}, band{390, 1}, band{up, 2}),
	}
	if v.Hypercapnic {
		r.SpO2 = step(math.Round(v.SpO2), band{83, 3}, band{85, 2}, band{87, 1}, band{up, 0})
		if v.Oxygen && r.SpO2 == 0 {
			r.SpO2 = step(math.Round(v.SpO2), band{92, 0}, band{94, 1}, band{96, 2}, band{up, 3})
		}
	}
	if v.Oxygen {
		r.Oxygen = 2
	}
	if v.Consciousness != Alert {
		r.Consciousness = 3
	}
	parts := []int{r.Respirations, r.SpO2, r.Oxygen, r.Systolic, r.Pulse, r.Consciousness, r.Temperature}
	worst := 0
	for _, p := range parts {
		r.Total += p
		worst = max(worst, p)
	}
	switch {
	case r.Total >= 7:
		r.Risk = High
	case r.Total >= 5:
		r.Risk = Medium
	case worst == 3:
		r.Risk = LowMedium
	default:
		r.Risk = Low
	}
	return r
}

// band scores values up to and with to.
type band struct {
	to    float64
	score int
}

var up = math.Inf(1)

// step answers the score of the first band that holds the value.
func step(v float64, bands ...band) int {
	for _, b := range bands {
		if v <= b.to {
			return b.score
		}
	}
	return 0
}
