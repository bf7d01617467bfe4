package glucose

import (
	"math"
	"slices"
	"time"
)

// Profile is the ambulatory glucose profile: for each time of day the quantiles over all days.
type Profile struct {
	Step time.Duration
	// Points are the times of day, the first one step after midnight, the last at midnight.
	Points []Point
}

// Point holds the 5, 25, 50, 75 and 95 % quantiles (type 7) in mg/dL; NaN where no day has a value.
type Point struct {
	AfterMidnight time.Duration
	Q             [5]float64
	Days          int // with a value
}

var quantiles = [5]float64{0.05, 0.25, 0.5, 0.75, 0.95}

// AGP answers the profile of the last days (0: all) of readings in any order, after linear interpolation at each step over gaps
// of up to 45 minutes. Johnson ML et al. (2019), Diabetes Technol Ther 21(S2):S2-17.
func AGP(readings []Reading, step time.Duration, days int) Profile {
	tidy := Tidy(readings)
	if days > 0 && len(tidy) > 0 {
		since := tidy[len(tidy)-1].At.Add(-time.Duration(days) * 24 * time.Hour)
		tidy = slices.DeleteFunc(tidy, func(r Reading) bool { return r.At.Before(since) })
	}
	p := Profile{Step: step}
	if step <= 0 || 24*time.Hour%step != 0 {
		return p
	}
	g := newGrid(tidy, step)
	perDay := int(24 * time.Hour / step)
	p.Points = make([]Point, perDay)
	for i := range p.Points {
		var known []float64
		for k := i; k < len(g.mgDL); k += perDay {
			if !math.IsNaN(g.mgDL[k]) {
				known = append(known, g.mgDL[k])
			}
		}
		slices.Sort(known)
		p.Points[i] = Point{AfterMidnight: time.Duration(i+1) * step, Days: len(known)}
		for q, at := range quantiles {
			p.Points[i].Q[q] = quantile(known, at)
		}
	}
	return p
}

// quantile answers the q-quantile of sorted values by linear interpolation (type 7 of Hyndman & Fan 1996).
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	k := int(at)
	if k+1 == len(sorted) {
		return sorted[k]
	}
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}
