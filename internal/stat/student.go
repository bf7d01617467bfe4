package stat

import "math"

// Interval is an estimate with its 95 % interval, counted from N values.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	N     int     `json:"n"`
}

// MeanInterval answers the mean of independent values with its 95 % interval by Student's t. For paired values, give it their
// differences. With fewer than two values the bounds are NaN.
func MeanInterval(values []float64) Interval {
	i := Interval{Value: Mean(values), Low: math.NaN(), High: math.NaN(), N: len(values)}
	if len(values) >= 2 {
		half := studentQuantile(0.975, float64(len(values)-1)) * math.Sqrt(Variance(values)/float64(len(values)))
		i.Low, i.High = i.Value-half, i.Value+half
	}
	return i
}

// Share answers x of n with its interval by Wilson; without any n it is NaN, from 0 to 1.
func Share(x, n int) Interval {
	i := Interval{N: n, Value: math.NaN()}
	if n > 0 {
		i.Value = float64(x) / float64(n)
	}
	i.Low, i.High = Wilson(x, n)
	return i
}
