package stat

import (
	"math"
	"testing"
)

func TestWilson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x, n      int
		low, high float64
	}{{0, 0, 0, 1}, {0, 1, 0, 0.793451}, {1, 1, 0.206549, 1}, {0, 10, 0, 0.277533}, {5, 10, 0.236593, 0.763407}, {10, 10, 0.722467, 1}} {
		if low, high := Wilson(c.x, c.n); math.Abs(low-c.low) > 1e-6 || math.Abs(high-c.high) > 1e-6 {
			t.Errorf("%d of %d: %.6f to %.6f, want %.6f to %.6f", c.x, c.n, low, high, c.low, c.high)
		}
	}
}
