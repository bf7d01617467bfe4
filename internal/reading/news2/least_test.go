package news2

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is not known, the least score is never above the full one; with everything known they are the same.
func TestLeastIsALowerBound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		v := Vitals{Respirations: rapid.Float64Range(4, 40).Draw(rt, "respirations"), SpO2: rapid.Float64Range(80, 100).Draw(rt, "spo2"), Oxygen: rapid.Bool().Draw(rt, "oxygen"),
			Hypercapnic: rapid.Bool().Draw(rt, "scale 2"), Systolic: rapid.Float64Range(60, 240).Draw(rt, "systolic"), Pulse: rapid.Float64Range(30, 150).Draw(rt, "pulse"),
			Consciousness: Consciousness(rapid.IntRange(0, 4).Draw(rt, "consciousness")), Temperature: rapid.Float64Range(34, 41).Draw(rt, "temperature")}
		full, err := Score(v)
		if err != nil {
			rt.Fatal(err)
		}
		if least, unknown := Least(v, true); least != full || len(unknown) > 0 {
			rt.Fatalf("all known: %+v %v, want %+v", least, unknown, full)
		}
		part, oxygen, want := v, true, 0
		for name, forget := range map[string]func(){"a": func() { part.Respirations = math.NaN() }, "b": func() { part.SpO2 = math.NaN() }, "c": func() { oxygen = false }, "d": func() { part.Systolic = math.NaN() },
			"e": func() { part.Pulse = 0 }, "f": func() { part.Consciousness = Unknown }, "g": func() { part.Temperature = math.Inf(1) }} {
			if rapid.Bool().Draw(rt, "unknown "+name) {
				forget()
				want++
			}
		}
		if least, unknown := Least(part, oxygen); least.Total > full.Total || len(unknown) != want {
			rt.Fatalf("%+v: at least %d of %d, unknown %v, want %d", part, least.Total, full.Total, unknown, want)
		}
	})
	if r, unknown := Least(Vitals{Respirations: math.NaN(), SpO2: 90, Systolic: 95, Pulse: 120, Consciousness: Unknown, Temperature: math.NaN()}, false); r.Total != 7 || r.Risk != High ||
		!slices.Equal(unknown, []string{"respirations", "oxygen", "consciousness", "temperature"}) {
		t.Errorf("%+v %v", r, unknown)
	}
}
