package stat

import (
	"math"
	"testing"
)

func TestNewWaits(t *testing.T) {
	t.Parallel()
	// Without anybody who still waits it is the plain mean and median.
	w := NewWaits([]Span{{1, true}, {2, true}, {3, true}, {6, true}}, 60)
	if math.Abs(w.Mean.Value-3) > 1e-12 || w.Median != 2 || w.Ended != 4 {
		t.Errorf("%+v", w)
	}
	// By hand: of 5, at 1 one ends (4/5), at 2 one is censored, at 4 one of 3 ends (8/15), at 5 one is censored, at 8 the last ends.
	w = NewWaits([]Span{{8, true}, {1, true}, {4, true}, {2, false}, {5, false}}, 10)
	if want := 1 + 3*0.8 + 4*8.0/15; math.Abs(w.Mean.Value-want) > 1e-12 || w.Median != 8 || w.Ended != 3 {
		t.Errorf("%+v, want %g", w, want)
	}
	if want := 1.959963984540054 * math.Sqrt(math.Pow(3*0.8+4*8.0/15, 2)/20+math.Pow(4*8.0/15, 2)/6); math.Abs(w.Mean.High-math.Min(10, w.Mean.Value+want)) > 1e-12 {
		t.Errorf("%+v, want ± %g", w, want)
	}
	// Nobody has been seen: the mean is as long as we look, and there is no median.
	if w := NewWaits([]Span{{3, false}, {9, false}}, 30); w.Mean.Value != 30 || !math.IsNaN(w.Mean.Low) || !math.IsNaN(w.Median) {
		t.Errorf("%+v", w)
	}
	if w := NewWaits(nil, 30); !math.IsNaN(w.Mean.Value) || w.N != 0 {
		t.Errorf("%+v", w)
	}
}
