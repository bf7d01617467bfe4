package glucose

import (
	"math"
	"time"
)

// Constants of MAGE by moving averages, in steps of five minutes.
const (
	shortMA   = 5
	longMA    = 32
	splitFrom = 3 * time.Hour // a longer gap splits the trace
)

// MAGE answers the mean amplitude of glycemic excursions in mg/dL, of tidy readings: swings of at least one standard deviation,
// upwards and downwards, averaged over the stretches between long gaps with their lengths as weights. NaN without an excursion.
//
// Service FJ et al. (1970), Diabetes 19:644, found by the crossings of a short and a long moving average as in Fernandes NJ et al.
// (2022), Open-source algorithm to calculate mean amplitude of glycemic excursions using short and long moving averages, J Diabetes
// Sci Technol 16:576.
func MAGE(tidy []Reading) float64 {
	g := newGrid(tidy, 5*time.Minute)
	sum, weight := 0.0, 0.0
	for _, part := range stretches(g.mgDL, int(splitFrom/g.step)) {
		up, down := excursions(part)
		for _, v := range [][]float64{up, down} {
			if len(v) == 0 {
				continue
			}
			total := 0.0
			for _, x := range v {
				total += x
			}
			w := float64(len(part) - 1)
			sum += w * total / float64(len(v))
			weight += w
		}
	}
	return sum / weight
}

// stretches splits values where more than gap in a row are missing; none begins or ends with a missing one.
func stretches(v []float64, gap int) [][]float64 {
	var out [][]float64
	from, last := -1, -1 // of the stretch under way: its first value and the last known one
	for i, x := range v {
		if math.IsNaN(x) {
			continue
		}
		if from >= 0 && i-last-1 > gap {
			out = append(out, v[from:last+1])
			from = -1
		}
		if from < 0 {
			from = i
		}
		last = i
	}
	if from >= 0 {
		out = append(out, v[from:last+1])
	}
	return out
}

// excursions answers the heights of a stretch's excursions upwards and downwards, all above 0.
func excursions(v []float64) (up, down []float64) {
	if len(v) < longMA {
		return nil, nil
	}
	turns := turns(v)
	sd := spread(v)
	mirrored := make([]float64, len(turns))
	for i, x := range turns {
		mirrored[i] = -x
	}
	return rises(turns, sd, false), rises(mirrored, sd, true)
}

// turns answers the peaks and nadirs: the extreme values between the points where the short average crosses the long one.
func turns(v []float64) []float64 {
	short, long := movingAverage(v, shortMA), movingAverage(v, longMA)
	delta := make([]float64, len(v))
	for i := range v {
		delta[i] = short[i] - long[i]
	}
	type cross struct {
		at   int
		peak bool
	}
	list := []cross{{0, delta[0] > 0}}
	for i := 1; i < len(v); i++ {
		if math.IsNaN(v[i]) || math.IsNaN(v[i-1]) || math.IsNaN(delta[i]) || math.IsNaN(delta[i-1]) {
			continue
		}
		switch before := delta[list[len(list)-1].at]; {
		case delta[i]*delta[i-1] < 0:
			list = append(list, cross{i, delta[i] > delta[i-1]})
		case delta[i]*before < 0: // across a gap
			list = append(list, cross{i, delta[i] > before})
		}
	}
	list = append(list, cross{len(v) - 1, delta[len(v)-1] > 0})
	out := make([]float64, len(list)-1)
	from := 0
	for i := range out {
		best := -1
		for k := from; k <= list[i+1].at; k++ {
			if !math.IsNaN(v[k]) && (best < 0 || list[i].peak && v[k] > v[best] || !list[i].peak && v[k] < v[best]) {
				best = k
			}
		}
		if best < 0 {
			best = from
		}
		out[i], from = v[best], best
	}
	return out
}

// movingAverage answers the mean of the known values among the last width ones; the first widths take the first whole mean.
func movingAverage(v []float64, width int) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		sum, n := 0.0, 0.0
		for _, x := range v[max(0, i-width+1) : i+1] {
			if !math.IsNaN(x) {
				sum += x
				n++
			}
		}
		out[i] = sum / n
	}
	for i := range width - 1 {
		out[i] = out[width-1]
	}
	return out
}

// spread answers the standard deviation (n-1) of the known values.
func spread(v []float64) float64 {
	var known []Reading
	for _, x := range v {
		if !math.IsNaN(x) {
			known = append(known, Reading{MgDL: x})
		}
	}
	return deviation(known)
}

// rises answers the heights of the rises of at least sd among turning points. After a rise, the search goes on from the point
// where it fell back by more than sd, or with fromPeak from the peak itself.
func rises(turn []float64, sd float64, fromPeak bool) []float64 {
	var out []float64
	from := 0
	for j := 0; j < len(turn); {
		low := from
		for i := from; i <= j; i++ {
			if turn[i] < turn[low] {
				low = i
			}
		}
		if !(turn[j]-turn[low] >= sd) {
			j++
			continue
		}
		for k := j; k < len(turn); k++ {
			if turn[k] > turn[j] {
				j = k
			}
			if turn[k]-turn[j] < -sd || k == len(turn)-1 {
				out = append(out, turn[j]-turn[low])
				from = k
				if fromPeak {
					from = j
				}
				j = k
				break
			}
		}
		if j == len(turn)-1 {
			break
		}
	}
	return out
}
