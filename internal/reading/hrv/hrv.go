// Package hrv answers heart rate variability from intervals between normal heart beats: time domain, the Poincaré plot, the
// spectrum and its bands, and the correction of beats that were missed, doubled or ectopic.
//
// Intervals are in milliseconds throughout. What has no meaning for too few intervals is NaN, never 0. The package is pure.
//
// Source: Task Force of the ESC and NASPE (1996), Heart rate variability: standards of measurement, physiological interpretation
// and clinical use, Circulation 93:1043. Where the standard leaves a choice (denominators, windows, interpolation) the choice is
// said, for published programs differ by it.
package hrv

import (
	"math"
	"slices"
)

// Time holds the time domain and the Poincaré plot.
type Time struct {
	N     int
	Mean  float64 // ms
	SDNN  float64 // standard deviation (n-1), ms
	RMSSD float64 // root mean square of successive differences, ms
	NN50  int     // successive differences of more than 50 ms
	PNN50 float64 // NN50 in percent of the n-1 successive differences; some programs divide by n
	SDSD  float64 // standard deviation (n-1) of successive differences, ms
	SD1   float64 // SDSD/√2: spread across the line of identity, ms
	SD2   float64 // √(2·SDNN² − SD1²): spread along it, ms
}

// InTime answers the time domain of the intervals in ms. SD1 and SD2: Brennan M et al. (2001), IEEE Trans Biomed Eng 48:1342.
func InTime(rr []float64) Time {
	t := Time{N: len(rr), Mean: mean(rr), SDNN: deviation(rr)}
	d := differences(rr)
	t.SDSD = deviation(d)
	squares := 0.0
	for _, v := range d {
		squares += v * v
		if math.Abs(v) > 50 {
			t.NN50++
		}
	}
	t.RMSSD = math.Sqrt(squares / float64(len(d)))
	t.PNN50 = 100 * float64(t.NN50) / float64(len(d))
	t.SD1 = t.SDSD / math.Sqrt2
	t.SD2 = math.Sqrt(max(0, 2*t.SDNN*t.SDNN-t.SD1*t.SD1))
	if len(d) == 0 {
		t.RMSSD, t.PNN50 = math.NaN(), math.NaN()
	}
	return t
}

func differences(rr []float64) []float64 {
	if len(rr) < 2 {
		return nil
	}
	d := make([]float64, len(rr)-1)
	for i := range d {
		d[i] = rr[i+1] - rr[i]
	}
	return d
}

// mean answers NaN for nothing.
func mean(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// deviation answers the sample standard deviation; NaN for fewer than two.
func deviation(x []float64) float64 {
	if len(x) < 2 {
		return math.NaN()
	}
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}

// Long holds measures of recordings of many hours.
type Long struct {
	SDANN   float64 // standard deviation of the means of five-minute segments, ms
	SDNNi   float64 // mean of the standard deviations of these segments, ms
	Index   float64 // triangular index: number of intervals / height of their histogram
	TINN    float64 // base of the triangle that fits the histogram best, ms
	Segment int     // how many whole segments there were
}

// BinWidth is the histogram's bin in ms that the Task Force asks for: 1/128 s.
const BinWidth = 7.8125

// InLong answers the measures of long recordings over whole segments of so many ms (five minutes: 300,000). A segment holds the
// intervals that end in it; one with fewer than two counts for SDANN only.
func InLong(rr []float64, segment float64) Long {
	var means, deviations, part []float64
	at, end := 0.0, segment
	close := func() {
		if len(part) > 0 {
			means = append(means, mean(part))
		}
		if len(part) > 1 {
			deviations = append(deviations, deviation(part))
		}
		part = part[:0]
	}
	l := Long{}
	for _, v := range rr {
		at += v
		for at > end {
			close()
			end += segment
			l.Segment++
		}
		part = append(part, v)
	}
	l.SDANN, l.SDNNi = deviation(means), mean(deviations)
	l.Index, l.TINN = triangle(rr)
	return l
}

// triangle answers the triangular index and TINN: the corners of the triangle over the histogram's highest bin that minimize
// the squared distance from it (Task Force, figure 2).
func triangle(rr []float64) (index, tinn float64) {
	if len(rr) == 0 {
		return math.NaN(), math.NaN()
	}
	low := math.Floor(slices.Min(rr)/BinWidth) * BinWidth
	bins := make([]float64, int((slices.Max(rr)-low)/BinWidth)+1)
	for _, v := range rr {
		bins[int((v-low)/BinWidth)]++
	}
	top := 0
	for i, n := range bins {
		if n > bins[top] {
			top = i
		}
	}
	left := foot(bins, top, -1)
	right := foot(bins, top, +1)
	return float64(len(rr)) / bins[top], float64(left+right) * BinWidth
}

// foot answers how many bins away from the top, in one direction, the side of the best triangle meets the ground. With b the
// bins, T the top and f the distance, the squared distance is Σb² − 2T·Σ b(1−k/f) + T²·Σ(1−k/f)², the last two over k < f.
func foot(bins []float64, top, step int) int {
	best, least := 1, math.Inf(1)
	height := bins[top]
	sum, moment := 0.0, 0.0 // Σb and Σkb below far
	for far := 1; ; far++ {
		f := float64(far)
		line := (f - 1) * (2*f - 1) / (6 * f)
		if d := height*height*line - 2*height*(sum-moment/f); d < least {
			best, least = far, d
		}
		at := top + far*step
		if at < 0 || at >= len(bins) {
			return best
		}
		sum += bins[at]
		moment += f * bins[at]
	}
}
