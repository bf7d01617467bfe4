package news2

import (
	"math"
	"testing"
)

var well = Vitals{Respirations: 16, SpO2: 98, Systolic: 120, Pulse: 70, Temperature: 37}

// TestBounds goes over every bound of the chart.
func TestBounds(t *testing.T) {
	t.Parallel()
	type bound struct{ value, score float64 }
	for _, c := range []struct {
		name  string
		set   func(*Vitals, float64)
		part  func(Result) int
		cases []bound
	}{
		{"respirations", func(v *Vitals, x float64) { v.Respirations = x }, func(r Result) int { return r.Respirations },
			[]bound{{8, 3}, {9, 1}, {11, 1}, {12, 0}, {20, 0}, {21, 2}, {24, 2}, {25, 3}}},
		{"SpO2", func(v *Vitals, x float64) { v.SpO2 = x }, func(r Result) int { return r.SpO2 },
			[]bound{{91, 3}, {92, 2}, {93, 2}, {94, 1}, {95, 1}, {96, 0}, {91.4, 3}, {91.6, 2}}},
		{"SpO2 on scale 2, air", func(v *Vitals, x float64) { v.SpO2, v.Hypercapnic = x, true }, func(r Result) int { return r.SpO2 },
			[]bound{{83, 3}, {84, 2}, {85, 2}, {86, 1}, {87, 1}, {88, 0}, {92, 0}, {93, 0}, {100, 0}}},
		{"SpO2 on scale 2, oxygen", func(v *Vitals, x float64) { v.SpO2, v.Hypercapnic, v.Oxygen = x, true, true }, func(r Result) int { return r.SpO2 },
			[]bound{{83, 3}, {85, 2}, {87, 1}, {88, 0}, {92, 0}, {93, 1}, {94, 1}, {95, 2}, {96, 2}, {97, 3}}},
		{"systolic", func(v *Vitals, x float64) { v.Systolic = x }, func(r Result) int { return r.Systolic },
			[]bound{{90, 3}, {91, 2}, {100, 2}, {101, 1}, {110, 1}, {111, 0}, {219, 0}, {220, 3}}},
		{"pulse", func(v *Vitals, x float64) { v.Pulse = x }, func(r Result) int { return r.Pulse },
			[]bound{{40, 3}, {41, 1}, {50, 1}, {51, 0}, {90, 0}, {91, 1}, {110, 1}, {111, 2}, {130, 2}, {131, 3}}},
		{"temperature", func(v *Vitals, x float64) { v.Temperature = x }, func(r Result) int { return r.Temperature },
			[]bound{{35, 3}, {35.1, 1}, {36, 1}, {36.1, 0}, {38, 0}, {38.1, 1}, {39, 1}, {39.1, 2}}},
		{"consciousness", func(v *Vitals, x float64) { v.Consciousness = Consciousness(x) }, func(r Result) int { return r.Consciousness },
			[]bound{{0, 0}, {1, 3}, {2, 3}, {3, 3}, {4, 3}}},
		{"oxygen", func(v *Vitals, x float64) { v.Oxygen = x == 1 }, func(r Result) int { return r.Oxygen }, []bound{{0, 0}, {1, 2}}},
	} {
		for _, b := range c.cases {
			v := well
			c.set(&v, b.value)
			r, err := Score(v)
			if err != nil || float64(c.part(r)) != b.score {
				t.Errorf("%s %v: %+v %v, want %v", c.name, b.value, r, err, b.score)
			}
		}
	}
}

func TestRisk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v     Vitals
		total int
		risk  Risk
	}{
		{well, 0, Low},
		{Vitals{Respirations: 22, SpO2: 94, Systolic: 105, Pulse: 80, Temperature: 37}, 4, Low},
		{Vitals{Respirations: 16, SpO2: 98, Systolic: 120, Pulse: 70, Temperature: 37, Consciousness: Confused}, 3, LowMedium},
		{Vitals{Respirations: 22, SpO2: 94, Systolic: 105, Pulse: 95, Temperature: 37}, 5, Medium},
		{Vitals{Respirations: 22, SpO2: 94, Systolic: 105, Pulse: 95, Temperature: 37, Oxygen: true}, 7, High},
		{Vitals{Respirations: 30, SpO2: 85, Systolic: 80, Pulse: 140, Temperature: 34, Oxygen: true, Consciousness: Unresponsive}, 20, High},
	} {
		if r, err := Score(c.v); err != nil || r.Total != c.total || r.Risk != c.risk {
			t.Errorf("%+v: %+v %v", c.v, r, err)
		}
	}
	for _, spoil := range []func(*Vitals){
		func(v *Vitals) { v.Respirations = math.NaN() }, func(v *Vitals) { v.SpO2 = 101 }, func(v *Vitals) { v.Systolic = 0 }, func(v *Vitals) { v.Pulse = 1000 },
		func(v *Vitals) { v.Temperature = 98.6 }, func(v *Vitals) { v.Consciousness = 9 },
	} {
		v := well
		spoil(&v)
		if r, err := Score(v); err == nil {
			t.Errorf("%+v: %+v", v, r)
		}
	}
}
