package glucose

import (
	"math"
	"time"
)

// MaxGap is the longest gap between two readings that is bridged by a straight line.
const MaxGap = 45 * time.Minute

// grid holds glucose at even times, from one step after the midnight before the first reading; NaN where nothing is known.
type grid struct {
	from time.Time // of the first value
	step time.Duration
	mgDL []float64
}

// maxGrid bounds the values of a grid: a wrong year must not fill the memory. It is thirty years of five minutes.
const maxGrid = 30 * 366 * 288

// newGrid interpolates tidy readings; an empty grid for none, or when they lie too far apart.
func newGrid(tidy []Reading, step time.Duration) grid {
	g := grid{step: step}
	if len(tidy) == 0 {
		return g
	}
	first, last := tidy[0].At, tidy[len(tidy)-1].At
	midnight := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, time.UTC)
	if last.Sub(midnight)/step > maxGrid {
		return g
	}
	g.from = midnight.Add(step)
	days := int(last.Sub(midnight)/(24*time.Hour)) + 1
	g.mgDL = make([]float64, days*int(24*time.Hour/step))
	k := 0
	for i := range g.mgDL {
		g.mgDL[i] = math.NaN()
		at := g.from.Add(time.Duration(i) * step)
		for k < len(tidy)-1 && !tidy[k+1].At.After(at) {
			k++
		}
		a := tidy[k]
		switch {
		case at.Before(a.At):
		case at.Equal(a.At):
			g.mgDL[i] = a.MgDL
		case k+1 < len(tidy) && tidy[k+1].At.Sub(a.At) <= MaxGap:
			b := tidy[k+1]
			g.mgDL[i] = a.MgDL + (b.MgDL-a.MgDL)*float64(at.Sub(a.At))/float64(b.At.Sub(a.At))
		}
	}
	return g
}

// stepFor answers the step of a grid that divides the day and fits the sensor: its own, or to the next five minutes, 20 at most.
func stepFor(tidy []Reading) time.Duration {
	step := Every(tidy)
	const day = 24 * time.Hour
	switch {
	case step == 0:
		return 5 * time.Minute
	case step > 20*time.Minute:
		return 20 * time.Minute
	case day%step == 0:
		return step
	}
	return max(time.Minute, step.Round(5*time.Minute))
}
