package stat

import (
	"math"
	"testing"
)

// Quantiles as printed in tables of Student's t (two-sided 5 %).
func TestStudentQuantile(t *testing.T) {
	t.Parallel()
	for freedom, want := range map[float64]float64{1: 12.706, 2: 4.303, 5: 2.571, 10: 2.228, 30: 2.042, 120: 1.980, 1e6: 1.960} {
		if got := studentQuantile(0.975, freedom); math.Abs(got-want) > 5e-4 {
			t.Errorf("%v degrees: %v, want %v", freedom, got, want)
		}
	}
}

// A case worked by hand: means 4 and 2, variances 4 and 1, five and five: standard error 1, (4/5+1/5)² / ((4/5)²/4 + (1/5)²/4) = 100/17.
func TestWelch(t *testing.T) {
	t.Parallel()
	a := []float64{2, 6, 2, 6, 4}
	b := []float64{1, 3, 1, 3, 2}
	w := NewWelch(a, b)
	if math.Abs(w.Difference-2) > 1e-12 || math.Abs(w.Freedom-100.0/17) > 1e-9 || math.Abs((w.High-w.Low)/2-studentQuantile(0.975, 100.0/17)) > 1e-9 || math.Abs(w.High+w.Low-4) > 1e-12 {
		t.Errorf("%+v", w)
	}
	if w := NewWelch([]float64{1}, []float64{0.5, 0.7}); !math.IsNaN(w.Low) || math.Abs(w.Difference-0.4) > 1e-12 {
		t.Errorf("one value: %+v", w)
	}
	if w := NewWelch([]float64{1, 1}, []float64{0.5, 0.5}); w.Low != 0.5 || w.High != 0.5 {
		t.Errorf("no spread: %+v", w)
	}
}
