package noshow

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// truth is how the people of the tests behave.
func truth(v Visit) float64 {
	z := -2.2 + 0.7*math.Log1p(float64(v.Lead))/2
	if v.Confirmed {
		z--
	}
	if v.Before > 0 {
		z += 2 * float64(v.Missed) / float64(v.Before)
	}
	return sigmoid(z)
}

func visits(n int, of func(Visit) float64) []Past {
	r := rand.New(rand.NewPCG(7, 8))
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	out := make([]Past, n)
	for i := range out {
		v := Visit{Start: at.Add(time.Duration(i) * 2 * time.Hour), Lead: r.IntN(40), Remote: r.IntN(3) == 0, Confirmed: r.IntN(2) == 0, Before: r.IntN(6)}
		if v.Before > 0 {
			v.Missed = r.IntN(v.Before + 1)
		}
		out[i] = Past{v, r.Float64() < of(v)}
	}
	return out
}

func TestLearnsAndIsCalibrated(t *testing.T) {
	t.Parallel()
	m := Learn(visits(6000, truth))
	if !m.Own() || m.Check.ECE > 0.03 || m.Check.N != 1800 || len(m.Check.Bins) != 5 {
		t.Fatalf("%+v", m)
	}
	off := 0.0
	for _, p := range visits(500, truth) {
		off = max(off, math.Abs(m.Chance(p.Visit)-truth(p.Visit)))
	}
	if off > 0.2 {
		t.Errorf("off by %.2f", off)
	}
	if v := (Visit{Lead: 20, Start: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)}); m.Chance(v) <= m.Chance(Visit{Lead: 20, Start: v.Start, Confirmed: true}) {
		t.Error("who has said that she comes is as likely to be missed")
	}
	shuffled := visits(6000, truth)
	slices.Reverse(shuffled)
	if again := Learn(shuffled); !reflect.DeepEqual(again.Check, m.Check) {
		t.Error("the order in which visits are given counts")
	}
}

func TestTooFewFallBack(t *testing.T) {
	t.Parallel()
	m := Learn(visits(100, truth))
	visitsMissing, _, _ := m.Lacking()
	if m.Own() || visitsMissing != 300 || m.Chance(Visit{Lead: 1}) != Prior(1) {
		t.Errorf("%+v", m)
	}
	// Everybody comes: plenty of visits, and nothing to learn from.
	m = Learn(visits(1000, func(Visit) float64 { return 0 }))
	if _, missed, _ := m.Lacking(); m.Own() || missed != NeedMissed {
		t.Errorf("%+v", m)
	}
	// Nothing that is known says who comes: one share for everybody is as good, and the model is not used unless it is better.
	m = Learn(visits(2000, func(Visit) float64 { return 0.3 }))
	if m.Own() != (m.Check.Brier < m.Check.BrierBase) || m.Check.Brier < 0.19 {
		t.Errorf("%+v", m.Check)
	}
}

// What the estimate may look at is fixed here: adding language, age, a name or where somebody lives breaks this test.
func TestNothingElseEnters(t *testing.T) {
	t.Parallel()
	var names []string
	for f := range reflect.TypeFor[Visit]().Fields() {
		names = append(names, f.Name)
	}
	if want := []string{"Start", "Lead", "Remote", "Confirmed", "Before", "Missed"}; !slices.Equal(names, want) {
		t.Errorf("it looks at %v", names)
	}
}

func TestCalibrate(t *testing.T) {
	t.Parallel()
	c := Calibrate([]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9}, []bool{false, false, false, false, false, true, true, true, true, true}, 0.5)
	if math.Abs(c.Brier-0.01) > 1e-12 || math.Abs(c.BrierBase-0.25) > 1e-12 || math.Abs(c.ECE-0.08) > 1e-12 {
		t.Errorf("%+v", c)
	}
}
