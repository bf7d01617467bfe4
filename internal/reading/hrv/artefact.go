package hrv

import (
	"math"
	"slices"
	"sort"
)

// Artefacts are the beats that a detector got wrong, by their place in the series of beats, rising.
type Artefacts struct {
	Ectopic   []int // beats that came early or late by themselves
	Missed    []int // one was missed between this beat and the one before
	Extra     []int // was no beat
	LongShort []int // the interval before is too long or too short for another reason
}

// Count answers how many there are.
func (a Artefacts) Count() int {
	return len(a.Ectopic) + len(a.Missed) + len(a.Extra) + len(a.LongShort)
}

// The constants of Lipponen JA, Tarvainen MP (2019), A robust algorithm for heart rate variability time series artefact
// correction using novel beat classification, J Med Eng Technol 43:173.
const (
	slope, offset = 0.13, 0.17 // of the border between normal and ectopic beats
	spread        = 5.2        // times the quartile deviation that is still normal
	around        = 91         // beats over which that is taken
	medianOf      = 11         // beats of the running median
)

// Beats answers when the beats were whose intervals are given: one more than intervals, from 0 on.
func Beats(rr []float64) []float64 {
	at := make([]float64, len(rr)+1)
	for i, v := range rr {
		at[i+1] = at[i] + v
	}
	return at
}

// Intervals answers the intervals between beats.
func Intervals(beats []float64) []float64 { return differences(beats) }

// fewest beats that can be judged.
const fewest = 5

// Find answers what is wrong in a series of beats in ms, rising. The method is that of Lipponen & Tarvainen (2019), figure 1;
// fewer than five beats are never found wrong.
func Find(beats []float64) Artefacts {
	var out Artefacts
	n := len(beats)
	if n < fewest {
		return out
	}
	rr := make([]float64, n) // rr[i] ends at beat i; the first is unknown and taken as usual
	copy(rr[1:], differences(beats))
	rr[0] = mean(rr[1:])
	d := make([]float64, n)
	copy(d[1:], differences(rr))
	d[0] = mean(d[1:])
	divide(d, thresholds(d))
	median := running(rr, medianOf, 0.5)
	m := make([]float64, n)
	for i := range m {
		if m[i] = rr[i] - median[i]; m[i] < 0 {
			m[i] *= 2
		}
	}
	th := thresholds(m)
	divide(m, th)
	for i := 0; i < n-2; i++ {
		if !(math.Abs(d[i]) > 1) {
			continue
		}
		if p := beside(d, i); d[i] > 1 && p < -slope*d[i]-offset || d[i] < -1 && p > -slope*d[i]+offset {
			out.Ectopic = append(out.Ectopic, i)
			continue
		}
		candidates := []int{i}
		if math.Abs(d[i+1]) < math.Abs(d[i+2]) {
			candidates = append(candidates, i+1)
		}
		for _, j := range candidates {
			next := after(d, j)
			long, short := d[j] > 1 && next < -1, d[j] < -1 && next > 1
			switch {
			case !long && !short && !(math.Abs(m[j]) > 3):
			case short && j+1 < n && math.Abs(rr[j]+rr[j+1]-median[j]) < th[j]:
				out.Extra = append(out.Extra, j)
			case long && math.Abs(rr[j]/2-median[j]) < th[j]:
				out.Missed = append(out.Missed, j)
			default:
				out.LongShort = append(out.LongShort, j)
			}
		}
		i += len(candidates) - 1
	}
	return out
}

// divide turns differences into multiples of their thresholds; without any spread a difference is as far out as can be.
func divide(x, th []float64) {
	for i := range x {
		if x[i] != 0 || th[i] != 0 {
			x[i] /= th[i]
		}
	}
}

// at answers x with the series mirrored at both ends.
func at(x []float64, i int) float64 {
	if i < 0 {
		i = -i
	}
	if i >= len(x) {
		i = 2*len(x) - 2 - i
	}
	return x[i]
}

// beside answers the second coordinate for ectopic beats: of the two differences beside the i-th, the one that goes its way most.
func beside(d []float64, i int) float64 {
	switch a, b := at(d, i-1), at(d, i+1); {
	case d[i] > 0:
		return max(a, b)
	case d[i] < 0:
		return min(a, b)
	}
	return 0
}

// after answers the second coordinate for long and short beats: of the two differences after the i-th, the one against its way most.
func after(d []float64, i int) float64 {
	if a, b := at(d, i+1), at(d, i+2); d[i] >= 0 {
		return min(a, b)
	} else {
		return max(a, b)
	}
}

// thresholds answers, for each place, spread times half the distance between the quartiles of |x| around it.
func thresholds(x []float64) []float64 {
	a := make([]float64, len(x))
	for i, v := range x {
		a[i] = math.Abs(v)
	}
	low, high := running(a, around, 0.25), running(a, around, 0.75)
	for i := range low {
		low[i] = spread * (high[i] - low[i]) / 2
	}
	return low
}

// running answers the q-quantile (type 7) of the width values around each place, of fewer at the ends.
func running(x []float64, width int, q float64) []float64 {
	half := width / 2
	var window []float64 // sorted
	out := make([]float64, len(x))
	put := func(v float64) {
		k := sort.SearchFloat64s(window, v)
		window = slices.Insert(window, k, v)
	}
	for i := 0; i < min(half, len(x)); i++ {
		put(x[i])
	}
	for i := range x {
		if i+half < len(x) {
			put(x[i+half])
		}
		if old := i - half - 1; old >= 0 {
			k := sort.SearchFloat64s(window, x[old])
			window = slices.Delete(window, k, k+1)
		}
		place := q * float64(len(window)-1)
		k := int(place)
		out[i] = window[k]
		if k+1 < len(window) {
			out[i] += (place - float64(k)) * (window[k+1] - window[k])
		}
	}
	return out
}

// Correct answers the beats with artefacts put right, and what was found in them as they came: extra beats are taken out, missed
// ones put in the middle, the others moved to the middle between their neighbours. This is repeated as long as fewer artefacts are
// left.
func Correct(beats []float64) ([]float64, Artefacts) {
	first := Find(beats)
	fixed := fix(beats, first)
	for left := first.Count(); ; {
		again := Find(fixed)
		if again.Count() >= left {
			return fixed, first
		}
		left = again.Count()
		fixed = fix(fixed, again)
	}
}

// CorrectIntervals is Correct for intervals in ms.
func CorrectIntervals(rr []float64) ([]float64, Artefacts) {
	fixed, found := Correct(Beats(rr))
	return Intervals(fixed), found
}

// fix puts one round of artefacts right. The first two beats and the last stay where they are: they lack neighbours.
func fix(beats []float64, a Artefacts) []float64 {
	n := len(beats)
	kind := make([]byte, n)
	for _, i := range a.Extra {
		kind[i] = 'x'
	}
	for _, i := range a.Missed {
		kind[i] = 'm'
	}
	out := make([]float64, 0, n+len(a.Missed))
	place := make([]int, n) // of each beat in out, or where it would have been
	for i, v := range beats {
		if kind[i] == 'm' && i > 1 {
			out = append(out, (out[len(out)-1]+v)/2)
		}
		place[i] = len(out)
		if kind[i] != 'x' {
			out = append(out, v)
		}
	}
	for _, list := range [][]int{a.Ectopic, a.LongShort} {
		before := slices.Clone(out)
		for _, i := range list {
			if k := place[i]; k > 1 && k < len(out)-1 {
				out[k] = (before[k-1] + before[k+1]) / 2
			}
		}
		slices.Sort(out)
	}
	return out
}
