package hrv

import (
	"math"
	"math/cmplx"
	"slices"
	"strings"
	"testing"
)

func same(a, b, tolerance float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance
}

// TestInTime holds a case worked by hand: differences 60, -100, 0, 50.
func TestInTime(t *testing.T) {
	t.Parallel()
	got := InTime([]float64{800, 860, 760, 760, 810})
	sdsd := math.Sqrt((57.5*57.5 + 102.5*102.5 + 2.5*2.5 + 47.5*47.5) / 3)
	sdnn := math.Sqrt((2*2 + 62*62 + 38*38 + 38*38 + 12*12) / 4.)
	want := Time{5, 798, sdnn, math.Sqrt((3600 + 10000 + 2500) / 4.), 2, 50, sdsd, sdsd / math.Sqrt2, math.Sqrt(2*sdnn*sdnn - sdsd*sdsd/2)}
	if !same(got.RMSSD, want.RMSSD, 1e-12) || !same(got.SDNN, want.SDNN, 1e-12) || !same(got.SD1, want.SD1, 1e-12) || !same(got.SD2, want.SD2, 1e-12) ||
		got.NN50 != want.NN50 || got.PNN50 != want.PNN50 || got.Mean != want.Mean || got.N != want.N {
		t.Errorf("%+v, want %+v", got, want)
	}
	for n, rr := range [][]float64{nil, {800}, {800, 900}} {
		got := InTime(rr)
		if got.N != n || math.IsNaN(got.Mean) != (n < 1) || math.IsNaN(got.SDNN) != (n < 2) || math.IsNaN(got.RMSSD) != (n < 2) || math.IsNaN(got.PNN50) != (n < 2) ||
			math.IsNaN(got.SD1) != (n < 3) {
			t.Errorf("%d intervals: %+v", n, got)
		}
	}
}

// TestWave: the power of a sine of amplitude a is a²/2, in the band of its frequency and in no other.
func TestWave(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hz   float64
		want func(Frequency) (in, out float64)
	}{
		{0.1, func(f Frequency) (float64, float64) { return f.LF, f.HF + f.VLF }},
		{0.25, func(f Frequency) (float64, float64) { return f.HF, f.LF + f.VLF }},
	} {
		var rr []float64
		for at := 0.0; at < 600; {
			v := 800 + 40*math.Sin(2*math.Pi*c.hz*at)
			rr = append(rr, v)
			at += v / 1000
		}
		for _, m := range []Method{Standard, {Cubic, 4, 256, 4096, Hann}, {Cubic, 5, 512, 0, Hamming}} {
			m0 := m.Interpolation == Linear // straight lines cut the tops off
			in, out := c.want(InFrequency(rr, m))
			if in > 820 || in < 770 && !m0 || in < 450 || out > 0.06*in {
				t.Errorf("%v Hz, %+v: %v ms² in the band, %v outside", c.hz, m, in, out)
			}
		}
	}
	for n := range minBeats {
		if f := InFrequency(make([]float64, n), Standard); !math.IsNaN(f.LF) || !math.IsNaN(f.LFHF) {
			t.Errorf("%d intervals: %+v", n, f)
		}
	}
	if f := InFrequency([]float64{800, 800, 800, 800}, Standard); math.IsNaN(f.LF) || f.LF > 1e-20 {
		t.Errorf("a clock: %+v", f)
	}
}

// TestTransform compares with the definition, for lengths of many kinds.
func TestTransform(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 8, 12, 35, 97, 128} {
		x := make([]complex128, n)
		for i := range x {
			x[i] = complex(math.Sin(float64(i*i)), 0)
		}
		got := transform(x)
		for k := range x {
			var want complex128
			for i := range x {
				want += x[i] * cmplx.Rect(1, -2*math.Pi*float64(i*k)/float64(n))
			}
			if cmplx.Abs(got[k]-want) > 1e-10 {
				t.Fatalf("length %d, %d: %v, want %v", n, k, got[k], want)
			}
		}
	}
}

// TestSpline: a not-a-knot spline goes through a cubic exactly.
func TestSpline(t *testing.T) {
	t.Parallel()
	f := func(x float64) float64 { return 700 + 20*x - 7*x*x + 2*x*x*x }
	x := []float64{0, 0.7, 1.1, 2, 2.4, 3.5}
	y := make([]float64, len(x))
	for i := range x {
		y[i] = f(x[i])
	}
	for i, m := range spline(x, y) {
		if want := -14 + 12*x[i]; !same(m, want, 1e-9) {
			t.Errorf("second derivative at %v: %v, want %v", x[i], m, want)
		}
	}
}

// TestInLong holds a case worked by hand: three segments of a second, one interval more.
func TestInLong(t *testing.T) {
	t.Parallel()
	got := InLong([]float64{500, 500, 400, 600, 480, 520, 700}, 1000)
	if got.Segment != 3 || !same(got.SDANN, 0, 1e-12) || !same(got.SDNNi, (0+math.Sqrt(20000)+math.Sqrt(800))/3, 1e-9) {
		t.Errorf("%+v", got)
	}
	if got := InLong(nil, 1000); !math.IsNaN(got.SDANN) || !math.IsNaN(got.Index) {
		t.Errorf("of nothing: %+v", got)
	}
	// 1, 2, 3, 4, 3, 2, 1 in neighbouring bins is a triangle of eight bins.
	var rr []float64
	for bin, n := range []int{1, 2, 3, 4, 3, 2, 1} {
		for range n {
			rr = append(rr, 500*BinWidth/5+float64(bin)*BinWidth)
		}
	}
	if got := InLong(rr, 1e6); got.Index != 4 || got.TINN != 8*BinWidth {
		t.Errorf("a triangle: %+v", got)
	}
}

// steady is a series of beats with a little of breath in it.
func steady(n int) []float64 {
	rr := make([]float64, n)
	for i := range rr {
		rr[i] = 800 + 20*math.Sin(float64(i)/3) + 5*math.Sin(float64(i)*1.7)
	}
	return Beats(rr)
}

func TestCorrect(t *testing.T) {
	t.Parallel()
	whole := steady(300)
	if a := Find(whole); a.Count() != 0 {
		t.Errorf("found in nothing: %+v", a)
	}
	missed := slices.Delete(slices.Clone(whole), 150, 151)
	fixed, a := Correct(missed)
	if !slices.Equal(a.Missed, []int{150}) || a.Count() != 1 || len(fixed) != len(whole) || math.Abs(fixed[150]-whole[150]) > 40 {
		t.Errorf("a missed beat: %+v", a)
	}
	extra := slices.Insert(slices.Clone(whole), 150, whole[150]-300)
	fixed, a = Correct(extra)
	if !slices.Equal(a.Extra, []int{150}) || len(a.Missed) != 0 || len(fixed) != len(whole) {
		t.Errorf("an extra beat: %+v", a)
	}
	early := slices.Clone(whole)
	early[150] -= 250
	fixed, a = Correct(early)
	if a.Count() == 0 || len(fixed) != len(whole) || math.Abs(fixed[150]-whole[150]) > 100 {
		t.Errorf("an early beat: %+v, %v instead of %v", a, fixed[150], whole[150])
	}
	for n := range fewest {
		if fixed, a := Correct(whole[:n]); a.Count() != 0 || !slices.Equal(fixed, whole[:n]) {
			t.Errorf("%d beats: %+v", n, a)
		}
	}
	rr, a := CorrectIntervals(Intervals(missed))
	if len(rr) != 300 || len(a.Missed) != 1 {
		t.Errorf("intervals: %d, %+v", len(rr), a)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file  string
		scale float64
		want  []float64
		err   string
	}{
		{"\ufeff800\r\n\n 810.5 \n", 1, []float64{800, 810.5}, ""},
		{"0.8\n", 1000, []float64{800}, ""},
		{"", 1, nil, ""},
		{"800\n\nrr\n", 1, nil, `line 3: "rr" is not a number`},
		{"0.8\n", 1, nil, "line 1: 0.8 ms is no interval between beats (is the unit right?)"},
		{"800\n", 1000, nil, "line 1: 800000 ms is no interval between beats (is the unit right?)"},
		{"-800\n", 1, nil, "line 1: -800 ms is no interval between beats (is the unit right?)"},
		{"NaN\n", 1, nil, `line 1: "NaN" is not a number`},
		{"800\n" + strings.Repeat("8", 70000), 1, nil, "line 2: the line is too long: one interval a line is wanted"},
	} {
		got, err := Read(strings.NewReader(c.file), c.scale)
		if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err || err == nil && !slices.Equal(got, c.want) {
			t.Errorf("%.20q: %v %v", c.file, got, err)
		}
	}
}

func FuzzHRV(f *testing.F) {
	f.Add("800\n810\n400\n1200\n805\n795\n", true)
	f.Add("1\n600000\n1\n2\n3\n", false)
	f.Fuzz(func(t *testing.T, file string, cubic bool) {
		rr, err := Read(strings.NewReader(file), 1)
		if err != nil || len(rr) > 200 {
			return
		}
		m := Standard
		if cubic {
			m.Interpolation = Cubic
		}
		InTime(rr)
		InLong(rr, 5*60_000)
		if fr := InFrequency(rr, m); fr.LF < 0 || fr.HF < 0 {
			t.Fatalf("%+v", fr)
		}
		fixed, _ := Correct(Beats(rr))
		if !slices.IsSorted(fixed) {
			t.Fatal(fixed)
		}
	})
}
