package stat

import (
	"math"
	"slices"
)

// Span is a wait: how long it was, and whether it ended in what was waited for. One that did not is censored: so long at least.
type Span struct {
	Days  float64
	Ended bool
}

// Waits is how long waits are, with those that still go on counted.
type Waits struct {
	N, Ended int
	Median   float64  // days by which half have ended; NaN: less than half have
	Mean     Interval // days, of waits cut at Until
	Until    float64
}

// NewWaits answers the median and the restricted mean of waits by the estimator of Kaplan and Meier (1958), with the variance of Greenwood for the mean
// (Klein and Moeschberger 2003, Survival Analysis, section 4.5). The mean is of waits that are cut at until: the means of finished waits
// alone would look the better, the more people still wait.
func NewWaits(list []Span, until float64) Waits {
	w := Waits{N: len(list), Median: math.NaN(), Until: until}
	w.Mean = Interval{Value: math.NaN(), Low: math.NaN(), High: math.NaN(), N: len(list)}
	if len(list) == 0 {
		return w
	}
	s := slices.Clone(list)
	slices.SortFunc(s, func(a, b Span) int {
		switch {
		case a.Days < b.Days:
			return -1
		case a.Days > b.Days:
			return 1
		}
		return 0
	})
	type step struct{ at, left, hazard float64 } // left: the share that still waits after it; hazard: Greenwood's term
	var steps []step
	share := 1.0
	for i := 0; i < len(s); {
		j, ended := i, 0
		for ; j < len(s) && s[j].Days == s[i].Days; j++ {
			if s[j].Ended {
				ended++
			}
		}
		if at := float64(len(s) - i); ended > 0 {
			w.Ended += ended
			share *= 1 - float64(ended)/at
			h := 0.0
			if at > float64(ended) {
				h = float64(ended) / (at * (at - float64(ended)))
			}
			steps = append(steps, step{s[i].Days, share, h})
			if math.IsNaN(w.Median) && share <= 0.5 {
				w.Median = s[i].Days
			}
		}
		i = j
	}
	area, variance := 0.0, 0.0 // area under the curve from a step to the end, worked out backwards
	end := until
	for _, x := range slices.Backward(steps) {
		if x.at >= until {
			continue
		}
		area += (end - x.at) * x.left
		variance += area * area * x.hazard
		end = x.at
	}
	area += end
	half := 1.959963984540054 * math.Sqrt(variance)
	if w.Mean.Value = area; w.Ended > 0 { // before anybody was seen nothing is known of the spread
		w.Mean.Low, w.Mean.High = max(0, area-half), min(until, area+half)
	}
	return w
}
