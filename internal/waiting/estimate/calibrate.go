package estimate

import "math"

// Cover is how often a range is right.
const Cover = 0.8

// Calibrator keeps ranges right as often as they say. The range is Mean - Low·SD to Mean + High·SD; after each wait that has ended, the
// bound that it overstepped moves out and the others move in a little, so that in the long run one in ten waits is shorter and one in ten
// longer than was said, whatever the clinic does (online quantile tracking: Gibbs and Candès 2021, Adaptive conformal inference under
// distribution shift; Angelopoulos, Candès and Tibshirani 2023, Conformal PID control, with the steps of Angelopoulos, Barber and Bates
// 2024, Online conformal prediction with decaying step sizes). The zero value trusts the estimate: the bounds of a normal distribution.
type Calibrator struct {
	N    int     `json:"n"`    // waits learnt from
	Low  float64 `json:"low"`  // less the bound it starts with
	High float64 `json:"high"` //
}

// start is what one in ten of a normal distribution lies beyond.
const start = 1.2815515655446004

const (
	firstStep = 0.5
	lastStep  = 0.08 // it never settles for good: clinics change
)

// spread is what a wait's residual is measured in: the estimate's own spread, and half a minute for what no clock in a clinic tells.
func spread(w Wait) float64 { return w.SD + 0.5 }

// Range answers the range that holds Cover of waits, in minutes.
func (c Calibrator) Range(w Wait) (low, high float64) {
	low = max(0, w.Mean-(start+c.Low)*spread(w))
	return low, max(low, w.Mean+(start+c.High)*spread(w))
}

// Ended learns from a wait that ended after so many minutes, of which a range was said. It is the range as it was said, not as it would be
// said now, whose misses are counted: that is what keeps the count right in the long run, however late each wait's end is known.
func (c *Calibrator) Ended(low, high, minutes float64) {
	if math.IsInf(high, 0) {
		return
	}
	c.N++
	step := max(lastStep, firstStep/math.Sqrt(float64(c.N)))
	out := (1 - Cover) / 2
	move := func(missed bool) float64 {
		if missed {
			return step * (1 - out)
		}
		return -step * out
	}
	c.Low += move(minutes < low)
	c.High += move(minutes > high)
	c.Low, c.High = min(max(c.Low, -start-3), 8), min(max(c.High, -start-3), 12)
}

// Round makes a range that is honest to say: bounds in fives of minutes, at least ten minutes apart; a wait of which little is left is
// said from 0.
func Round(low, high float64) (from, to int) {
	from, to = 5*int(math.Round(low/5)), 5*int(math.Round(high/5))
	if low < 5 {
		from = 0
	}
	if to < from+10 {
		if to = from + 10; from > 0 && low-float64(from) < 0 {
			from -= 5
			to -= 5
		}
	}
	if to > 60 { // so far ahead, tens
		from, to = 10*(from/10), 10*((to+9)/10)
	}
	return from, to
}
