// Package stat holds the statistics that more than one room needs. It is pure.
package stat

import "math"

// XmR is a chart of individual values: their mean, and the limits within which they vary by chance alone.
type XmR struct {
	Mean, Lower, Upper float64
	// Rules are, for each value, the special causes that it is part of, the weightiest first; nil for none.
	Rules [][]Rule
}

// Rule is a sign of a special cause.
type Rule string

// The rules, the weightiest first.
const (
	Outside    Rule = "outside"      // beyond a limit
	Trend      Rule = "trend"        // one of seven values in a row, each above the one before, or each below
	TwoOfThree Rule = "two_of_three" // near a limit, as two of three in a row are, all three on its side of the mean
	Shift      Rule = "shift"        // one of seven values in a row on one side of the mean
)

// Constants of the chart. 2.66 is 3/d₂ and 3.267 is D₄ for moving ranges of two values.
const (
	limit  = 2.66
	near   = 2 * limit / 3
	screen = 3.267
	run    = 7
)

// NewXmR answers the chart of values in the order of their time. The mean moving range is taken once more without those of at
// least 3.267 times itself when screened, so that one wild value does not hide in the limits that it widened itself. With
// fewer than two values there are no limits (NaN) and no rules.
//
// Provost LP, Murray SK (2011), The Health Care Data Guide; the rules are those of NHS England's Making Data Count.
func NewXmR(values []float64, screened bool) XmR {
	x := XmR{Mean: Mean(values), Rules: make([][]Rule, len(values))}
	ranges := make([]float64, 0, len(values))
	for i := 1; i < len(values); i++ {
		ranges = append(ranges, math.Abs(values[i]-values[i-1]))
	}
	average := Mean(ranges)
	if screened {
		kept := ranges[:0]
		for _, r := range ranges {
			if r < screen*average {
				kept = append(kept, r)
			}
		}
		if len(kept) > 0 {
			average = Mean(kept)
		}
	}
	x.Lower, x.Upper = x.Mean-limit*average, x.Mean+limit*average
	side := make([]int, len(values))
	close := make([]bool, len(values))
	outside := make([]bool, len(values))
	for i, v := range values {
		side[i] = sign(v - x.Mean)
		close[i] = math.Abs(v-x.Mean) > near*average
		outside[i] = v < x.Lower || v > x.Upper
	}
	marks := [][]bool{outside, partOf(Trends(values)), TwoInThree(close, side), partOf(Runs(side))}
	for i := range marks[2] { // of the three only those near the limit
		marks[2][i] = marks[2][i] && close[i]
	}
	for k, rule := range []Rule{Outside, Trend, TwoOfThree, Shift} {
		for i, marked := range marks[k] {
			if marked {
				x.Rules[i] = append(x.Rules[i], rule)
			}
		}
	}
	return x
}

// Mean answers the arithmetic mean; NaN of nothing.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
