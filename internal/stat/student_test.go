package stat

import (
	"math"
	"testing"
)

// The ten differences of Student's own example (1908, Biometrika 6:1): mean 1.58, standard deviation 1.23 by n-1, t of 9 degrees 2.262.
func TestMeanInterval(t *testing.T) {
	t.Parallel()
	i := MeanInterval([]float64{1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4})
	if math.Abs(i.Value-1.58) > 1e-9 || math.Abs(i.Low-0.700) > 1e-3 || math.Abs(i.High-2.460) > 1e-3 || i.N != 10 {
		t.Errorf("%+v", i)
	}
	if i := MeanInterval([]float64{3}); i.Value != 3 || !math.IsNaN(i.Low) || !math.IsNaN(i.High) {
		t.Errorf("of one value %+v", i)
	}
	if i := Share(0, 0); !math.IsNaN(i.Value) || i.Low != 0 || i.High != 1 {
		t.Errorf("of nothing %+v", i)
	}
}
