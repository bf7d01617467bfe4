package plausible

import (
	"math"
	"testing"
	"time"

	"doorstep/internal/reading/rule"
)

// TestFault22Plausibility: the worked cases of two people on a scale, a pet, 0 kg and 600 kg.
func TestFault22Plausibility(t *testing.T) {
	t.Parallel()
	var own, empty rule.Ring
	for d := range 20 {
		own.Add(time.Date(2026, 3, 1+d, 7, 0, 0, 0, time.UTC), 80+0.2*float64(d%4))
	}
	for _, c := range []struct {
		series, unit string
		value        float64
		ring         *rule.Ring
		want         Verdict
	}{
		{"29463-7", "kg", 80.1, &own, Fine},
		{"29463-7", "kg", 83.5, &own, Fine}, // water in heart failure: for the rules, not a question of who it was
		{"29463-7", "kg", 61, &own, Unlike},
		{"29463-7", "kg", 12, &own, Unlike}, // the dog
		{"29463-7", "kg", 0, &own, Impossible},
		{"29463-7", "kg", 600, &own, Impossible},
		{"29463-7", "kg", 61, &empty, Fine},
		{"29463-7", "kg", math.NaN(), &empty, Impossible},
		{"8867-4", "/min", 180, &own, Fine},
		{"8867-4", "/min", 0, &own, Impossible},
		{"something", "else", -1e9, &own, Fine},
	} {
		if got := Judge(c.series, c.unit, c.value, c.ring); got != c.want {
			t.Errorf("%s %v %s: %v, want %v", c.series, c.value, c.unit, got, c.want)
		}
	}
}
