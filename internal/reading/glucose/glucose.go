// Package glucose answers the measures of continuous glucose monitoring: time in ranges, GMI, variability, GRI, MAGE, the
// ambulatory glucose profile and episodes.
//
// Glucose is in mg/dL throughout, times are what the wall clock showed, as if in UTC. A measure without enough readings is NaN,
// never 0. The package is pure.
//
// Sources: Danne T et al. (2017), International consensus on use of continuous glucose monitoring, Diabetes Care 40:1631;
// Battelino T et al. (2019), Clinical targets for CGM data interpretation, Diabetes Care 42:1593; and, for choices that these leave
// open, iglu (Broll S et al. (2021), PLoS ONE 16(4):e0248560).
package glucose

import (
	"math"
	"slices"
	"time"
)

// Reading is one glucose value.
type Reading struct {
	At   time.Time
	MgDL float64
}

// The consensus ranges in mg/dL: in range is 70 to 180, both included.
const (
	VeryLow  = 54
	Low      = 70
	High     = 180
	VeryHigh = 250
)

// Tidy answers the readings in the order of their times; several of one moment become one, their mean.
func Tidy(readings []Reading) []Reading {
	sorted := slices.Clone(readings)
	slices.SortStableFunc(sorted, func(a, b Reading) int { return a.At.Compare(b.At) })
	out := sorted[:0]
	for i := 0; i < len(sorted); {
		k, sum := i, 0.0
		for ; k < len(sorted) && sorted[k].At.Equal(sorted[i].At); k++ {
			sum += sorted[k].MgDL
		}
		out = append(out, Reading{sorted[i].At, sum / float64(k-i)})
		i = k
	}
	return out
}

// Summary holds the measures of a person's readings. Shares are in percent of the readings.
type Summary struct {
	N      int
	Days   float64 // from the first reading to the last
	Active float64 // percent of that time in which the sensor gave readings
	Mean   float64 // mg/dL
	SD     float64 // of a sample (n-1), mg/dL
	GMI    float64 // glucose management indicator, percent of HbA1c: 3.31 + 0.02392·mean (Bergenstal 2018, Diabetes Care 41:2275)
	CV     float64 // SD in percent of the mean
	TBR54  float64 // below 54
	TBR70  float64 // below 70, those below 54 included
	TIR    float64 // 70 to 180
	TAR180 float64 // above 180, those above 250 included
	TAR250 float64 // above 250
	GRI    float64 // glycemia risk index, 0 to 100 (Klonoff 2022, J Diabetes Sci Technol 17:1226)
	MAGE   float64 // mean amplitude of glycemic excursions, mg/dL
}

// Summarize answers the measures of readings in any order.
func Summarize(readings []Reading) Summary {
	r := Tidy(readings)
	n := float64(len(r))
	s := Summary{N: len(r), Active: active(r), Mean: mean(r), SD: deviation(r), MAGE: MAGE(r)}
	if len(r) > 0 {
		s.Days = r[len(r)-1].At.Sub(r[0].At).Hours() / 24
	}
	s.GMI = 3.31 + 0.02392*s.Mean
	s.CV = 100 * s.SD / s.Mean
	share := func(holds func(v float64) bool) float64 {
		k := 0.0
		for _, x := range r {
			if holds(x.MgDL) {
				k++
			}
		}
		return 100 * k / n // NaN for none
	}
	s.TBR54 = share(func(v float64) bool { return v < VeryLow })
	s.TBR70 = share(func(v float64) bool { return v < Low })
	s.TIR = share(func(v float64) bool { return v >= Low && v <= High })
	s.TAR180 = share(func(v float64) bool { return v > High })
	s.TAR250 = share(func(v float64) bool { return v > VeryHigh })
	s.GRI = min(100, 3*s.TBR54+2.4*(s.TBR70-s.TBR54)+1.6*s.TAR250+0.8*(s.TAR180-s.TAR250))
	return s
}

func mean(r []Reading) float64 {
	sum := 0.0
	for _, x := range r {
		sum += x.MgDL
	}
	return sum / float64(len(r)) // NaN for none
}

func deviation(r []Reading) float64 {
	if len(r) < 2 {
		return math.NaN()
	}
	m, sum := mean(r), 0.0
	for _, x := range r {
		sum += (x.MgDL - m) * (x.MgDL - m)
	}
	return math.Sqrt(sum / float64(len(r)-1))
}

// Every answers how often the sensor reads: the median of the steps between tidy readings, to the minute; 0 for fewer than two.
func Every(tidy []Reading) time.Duration {
	if len(tidy) < 2 {
		return 0
	}
	steps := make([]time.Duration, len(tidy)-1)
	for i := range steps {
		steps[i] = tidy[i+1].At.Sub(tidy[i].At)
	}
	slices.Sort(steps)
	middle := steps[len(steps)/2]
	if len(steps)%2 == 0 {
		middle = (steps[len(steps)/2-1] + middle) / 2
	}
	return max(time.Minute, middle.Round(time.Minute))
}

// active answers the share, in percent, of the readings that there would be without gaps.
func active(tidy []Reading) float64 {
	step := Every(tidy)
	if step == 0 {
		return math.NaN()
	}
	missing := time.Duration(0)
	for i := range tidy[1:] {
		if gap := tidy[i+1].At.Sub(tidy[i].At); gap.Round(time.Minute) > step {
			missing += gap - step
		}
	}
	span := tidy[len(tidy)-1].At.Sub(tidy[0].At).Round(time.Minute)
	all := math.Round(span.Minutes()/step.Minutes()) + 1
	return 100 * (all - math.Round(missing.Minutes()/step.Minutes())) / all
}
