package hrv

import (
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorstep/internal/sharedtest"
)

// load reads the last number of every line of a sample file; the test is skipped without it.
func load(t *testing.T, name string, scale float64) []float64 {
	t.Helper()
	b, err := os.ReadFile(sharedtest.Path(t, "data/devices/rr/"+name))
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, line := range strings.Fields(string(b)) {
		if v, err := strconv.ParseFloat(line[strings.LastIndex(line, ",")+1:], 64); err == nil {
			out = append(out, v*scale)
		}
	}
	return out
}

// TestPeersTime compares the time domain with published programs, to the digits known of each.
func TestPeersTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file              string
		n                 int
		mean, sdnn, rmssd float64
		nn50              int
		pnn50, sd1, sd2   float64
		digits            int
		// Programs differ in denominators: population (n) instead of sample (n-1) deviations in SD1 and SD2, SD2 as the spread of
		// (x+y)/√2 over the pairs of the plot instead of by SDNN, NN50 of all intervals instead of all differences.
		population, projected, ofAll bool
	}{
		{file: "hrvanalysis_test_nn_intervals_ms.txt", n: 1000, mean: 718.248, sdnn: 43.113074968, rmssd: 19.519400785, nn50: 24, pnn50: 2.402402402,
			sd1: 13.809190, sd2: 59.386705, digits: 6},
		{file: "rhenanbartels_rest_rri_ms.txt", n: 910, mean: 1058.718681, sdnn: 57.818177720, rmssd: 55.137442031, nn50: 321, pnn50: 35.274725,
			sd1: 39.009455, sd2: 71.861991, digits: 6, ofAll: true},
		{file: "systole_rr_ms.csv", n: 245, mean: 883.238095, sdnn: 84.690544, rmssd: 45.546669, nn50: 64, pnn50: 26.229508, sd1: 32.205379, sd2: 115.105338,
			digits: 6, population: true},
		{file: "pyhrv_SampleNNISeriesLong_ms.txt", n: 4684, mean: 768.438, sdnn: 85.357, rmssd: 60.523, nn50: 1338, pnn50: 28.571, sd1: 42.797, sd2: 112.837,
			digits: 3, population: true, projected: true},
		{file: "pyhrv_SampleNNISeriesShort_ms.txt", n: 337, mean: 888.955490, sdnn: 95.690354, rmssd: 101.300634, nn50: 163, pnn50: 48.511905, sd1: 71.737195,
			sd2: 114.956319, digits: 5, projected: true},
	} {
		rr := load(t, c.file, 1)
		got := InTime(rr)
		if c.projected {
			sums := make([]float64, len(rr)-1)
			for i := range sums {
				sums[i] = (rr[i] + rr[i+1]) / math.Sqrt2
			}
			got.SD2 = deviation(sums)
		}
		if c.population {
			n := float64(got.N - 1)
			k := math.Sqrt((n - 1) / n)
			if got.SD1 *= k; c.projected {
				got.SD2 *= k
			} else {
				got.SD2 = math.Sqrt(2*got.SDNN*got.SDNN*n/(n+1) - got.SD1*got.SD1)
			}
		}
		if c.ofAll {
			got.PNN50 *= float64(got.N-1) / float64(got.N)
		}
		half := math.Pow(10, -float64(c.digits)) * 1.001
		if got.N != c.n || got.NN50 != c.nn50 || !same(got.Mean, c.mean, half) || !same(got.SDNN, c.sdnn, half) || !same(got.RMSSD, c.rmssd, half) ||
			!same(got.PNN50, c.pnn50, half) || !same(got.SD1, c.sd1, half) || !same(got.SD2, c.sd2, half) {
			t.Errorf("%s: %+v, want %+v", c.file, got, c)
		}
	}
	if got := InLong(load(t, "pyhrv_SampleNNISeriesLong_ms.txt", 1), 300_000); !same(got.Index, 11.509, 5e-4) || !same(got.SDNNi, 82.555, 1e-3) {
		t.Errorf("pyhrv: %+v", got)
	}
}

// TestPeersFrequency compares the bands with published programs, each by its own method.
func TestPeersFrequency(t *testing.T) {
	t.Parallel()
	fromZero := Band{0, 0.04}
	trapezoid := func(s Spectrum, b Band) float64 { return s.In(b) }
	sum := func(s Spectrum, b Band) float64 { // every point counts a whole step, the band's end included
		v := 0.0
		for i, p := range s.Power {
			if f := float64(i) * s.Step; f >= b.From && f <= b.To {
				v += p * s.Step
			}
		}
		return v
	}
	for _, c := range []struct {
		file        string
		m           Method
		vlf         Band
		power       func(Spectrum, Band) float64
		want        [4]float64
		digits, end float64
	}{
		{"hrvanalysis_test_nn_intervals_ms.txt", Standard, VLF, trapezoid, [4]float64{606.708, 622.9215, 170.7501, 3.648148}, 1e-4, 1e-6},
		{"rhenanbartels_rest_rri_ms.txt", Method{Cubic, 4, 256, 256, Hann}, fromZero, trapezoid, [4]float64{546.817, 770.4465, 895.0255, .86080961}, 5e-4, 1e-8},
		{"systole_rr_ms.csv", Method{Cubic, 5, 1280, 0, Hann}, VLF, trapezoid, [4]float64{4063.166, 2339.5445, 551.8308, 2339.5445 / 551.8308}, 1e-4, 1e-6},
		{"pyhrv_SampleNNISeriesLong_ms.txt", Method{Cubic, 4, 300, 4096, Hamming}, fromZero, sum, [4]float64{2050.744, 2942.537, 1648.097, 1.785}, 5e-4, 5e-4},
	} {
		s := Welch(load(t, c.file, 1), c.m)
		vlf, lf, hf := c.power(s, c.vlf), c.power(s, LF), c.power(s, HF)
		if !same(vlf, c.want[0], c.digits) || !same(lf, c.want[1], c.digits) || !same(hf, c.want[2], c.digits) || !same(lf/hf, c.want[3], c.end) {
			t.Errorf("%s: %v %v %v %v, want %v", c.file, vlf, lf, hf, lf/hf, c.want)
		}
	}
	got := InFrequency(load(t, "hrvanalysis_test_nn_intervals_ms.txt", 1), Standard)
	if !same(got.LFHF, 3.648148, 1e-6) {
		t.Errorf("%+v", got)
	}
}

// TestPeersArtefacts compares with NeuroKit's assertions, and with what it finds in real series. It works on whole milliseconds.
func TestPeersArtefacts(t *testing.T) {
	t.Parallel()
	if a := Find(load(t, "nk_peaks_correct.txt", 1)); a.Count() != 0 {
		t.Errorf("correct: %+v", a)
	}
	if a := Find(load(t, "nk_peaks_missed.txt", 1)); !slices.Equal(a.Missed, []int{100, 199, 298, 397, 496, 595, 694, 793, 892}) || a.Count() != 9 {
		t.Errorf("missed: %+v", a)
	}
	if a := Find(load(t, "nk_peaks_extra.txt", 1)); !slices.Equal(a.Extra, []int{101, 202, 303, 404, 505, 606, 707, 808, 909}) || a.Count() != 9 {
		t.Errorf("extra: %+v", a)
	}
	for _, c := range []struct {
		file               string
		scale              float64
		ectopic, longShort int
		before, after      float64
	}{
		{"rhenanbartels_rest_rri_ms.txt", 1, 4, 7, 55.1374, 52.7284},
		{"physionet_chf2db_chf201_rr_s.txt", 1000, 26, 53, 80.2677, 77.5655},
		{"physionet_healthy_000_rr_ms.txt", 1, 100, 21, 51.5932, 43.2975},
	} {
		rr := load(t, c.file, c.scale)
		rr = rr[:min(len(rr), 5000)]
		for i, v := range rr {
			rr[i] = math.RoundToEven(v)
		}
		beats := Beats(rr)
		a := Find(beats)
		fixed, _ := Correct(beats)
		for i, v := range fixed {
			fixed[i] = math.Floor(v)
		}
		before, after := InTime(rr).RMSSD, InTime(Intervals(fixed)).RMSSD
		if len(a.Ectopic) != c.ectopic || len(a.LongShort) != c.longShort || !same(before, c.before, 5e-5) || !same(after, c.after, 6e-5) {
			t.Errorf("%s: %d ectopic, %d long or short, RMSSD %v, then %v, want %+v", c.file, len(a.Ectopic), len(a.LongShort), before, after, c)
		}
	}
	rr := load(t, "physionet_nsr2db_nsr001_rr_s.txt", 1000) // begins with a gap of 225.8 s
	fixed, a := CorrectIntervals(rr)
	if got := InTime(fixed[1:]).RMSSD; got > InTime(rr[1:]).RMSSD || a.Count() == 0 {
		t.Errorf("nsr001: RMSSD %v", got)
	}
}
