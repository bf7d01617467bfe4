package adherence

import (
	"math"

	"doorstep/internal/clock"
)

// Period is a stretch of days, its first and last included.
type Period struct{ From, To clock.Day }

// PDC answers the proportion of days covered from the first fill to the day before until, a part of 1: supply that overlaps is
// used later, no day counts twice. Days away, such as in hospital, are not counted and use no supply. At 0.8 and above a person
// is called adherent. NaN when no day is left to count. Pharmacy Quality Alliance, PDC; CMS Part C & D Star Ratings technical
// notes, attachment L (inpatient stays). Without days away it is CMA7 with a window from the first fill on.
func PDC(fills []Fill, until clock.Day, away []Period) float64 {
	if len(fills) == 0 {
		return math.NaN()
	}
	first := Origin(fills)
	days := until.Sub(first)
	if days <= 0 {
		return math.NaN()
	}
	supply := make([]float64, days)
	for _, f := range fills {
		if k := f.On.Sub(first); k < days {
			supply[k] += f.Days
		}
	}
	out := make([]bool, days)
	for _, p := range away {
		for k := max(0, p.From.Sub(first)); k <= min(days-1, p.To.Sub(first)); k++ {
			out[k] = true
		}
	}
	counted, covered, stock := 0, 0.0, 0.0
	for k := range days {
		stock += supply[k]
		if out[k] {
			continue
		}
		counted++
		used := min(1, stock)
		covered += used
		stock -= used
	}
	return over(covered, float64(counted))
}
