package glucose

import (
	"math"
	"strings"
	"testing"
	"time"
)

var midnight = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)

// every five minutes from a minute of the day on.
func every5(from int, values ...float64) []Reading {
	out := make([]Reading, len(values))
	for i, v := range values {
		out[i] = Reading{midnight.Add(time.Duration(from+5*i) * time.Minute), v}
	}
	return out
}

// TestSummarize holds a case worked by hand: bounds belong to the range; ten values in twelve places.
func TestSummarize(t *testing.T) {
	t.Parallel()
	r := append(every5(0, 53, 54, 69, 70, 100), every5(35, 180, 181, 250, 251, 92)...)
	s := Summarize(append(r[5:], r[:5]...))
	for name, c := range map[string][2]float64{"n": {float64(s.N), 10}, "tbr54": {s.TBR54, 10}, "tbr70": {s.TBR70, 30}, "tir": {s.TIR, 40}, "tar180": {s.TAR180, 30},
		"tar250": {s.TAR250, 10}, "mean": {s.Mean, 130}, "gmi": {s.GMI, 3.31 + 0.02392*130}, "active": {s.Active, 100 * 10. / 12},
		"gri": {s.GRI, 100}, "cv": {s.CV, 100 * s.SD / 130}, "mage": {s.MAGE, math.NaN()}} {
		if !same(c[0], c[1], 1e-9) {
			t.Errorf("%s: %v, want %v", name, c[0], c[1])
		}
	}
	twice := append(every5(0, 100, 120), every5(5, 140)...)
	if s := Summarize(twice); s.N != 2 || s.Mean != 115 {
		t.Errorf("two readings of one moment: %+v", s)
	}
	if s := Summarize(nil); s.N != 0 || !math.IsNaN(s.Mean) || !math.IsNaN(s.TIR) || !math.IsNaN(s.Active) || !math.IsNaN(s.GRI) || !math.IsNaN(s.MAGE) {
		t.Errorf("no reading: %+v", s)
	}
	if s := Summarize(every5(0, 100)); s.N != 1 || s.TIR != 100 || !math.IsNaN(s.SD) || !math.IsNaN(s.CV) || !math.IsNaN(s.Active) {
		t.Errorf("one reading: %+v", s)
	}
}

// TestMAGE: a wave between 80 and 180 has excursions of 100, whatever lies in a long gap.
func TestMAGE(t *testing.T) {
	t.Parallel()
	var wave []float64
	for i := range 288 {
		wave = append(wave, 130-50*math.Cos(2*math.Pi*float64(i)/72))
	}
	if got := MAGE(every5(5, wave...)); !same(got, 100, 0.1) {
		t.Errorf("a wave: %v", got)
	}
	if got := MAGE(append(every5(5, wave...), every5(5+5*288+600, wave...)...)); !same(got, 100, 0.1) {
		t.Errorf("two waves: %v", got)
	}
	if got := MAGE(every5(5, make([]float64, 100)...)); !same(got, 0, 1e-9) && !math.IsNaN(got) {
		t.Errorf("no wave: %v", got)
	}
	if got := MAGE(every5(5, wave[:31]...)); !math.IsNaN(got) {
		t.Errorf("too short: %v", got)
	}
}

func TestEpisodes(t *testing.T) {
	t.Parallel()
	values := []float64{100, 69, 68, 70, 53, 50, 52, 60, 70, 71, 72, 66, 65, 100, 100, 100, 190, 260, 190, 100}
	byKind, days := Episodes(every5(5, values...))
	if !same(days, 20*5./1440, 1e-12) {
		t.Errorf("%v days", days)
	}
	want := map[Kind][]Episode{
		// From 53 on: two values below are no episode yet; it ends with the three values 70, 71, 72.
		Hypo1:      {{midnight.Add(25 * time.Minute), 20, (53 + 50 + 52 + 60) / 4.}},
		Hypo2:      {{midnight.Add(25 * time.Minute), 15, (53 + 50 + 52) / 3.}},
		Hyper1:     {{midnight.Add(85 * time.Minute), 20, (190 + 260 + 190 + 100) / 4.}}, // the readings break off before it has ended
		HyperOnly1: {{midnight.Add(85 * time.Minute), 20, (190 + 260 + 190 + 100) / 4.}},
	}
	for _, kind := range Kinds {
		if len(byKind[kind]) != len(want[kind]) {
			t.Errorf("%s: %v, want %v", kind, byKind[kind], want[kind])
			continue
		}
		for i, e := range byKind[kind] {
			if e != want[kind][i] {
				t.Errorf("%s: %v, want %v", kind, e, want[kind][i])
			}
		}
	}
	if byKind, days := Episodes(nil); len(byKind) != 0 || days != 0 {
		t.Error("episodes of nobody")
	}
}

// TestAGP: three days, of which the middle one has a gap that is not bridged.
func TestAGP(t *testing.T) {
	t.Parallel()
	r := append(every5(10, 100, 110), every5(1440+10, 120)...)
	r = append(r, every5(2880+10, 140, 160)...)
	p := AGP(r, 5*time.Minute, 0)
	if len(p.Points) != 288 || p.Points[1].Days != 3 || p.Points[1].Q != [5]float64{102, 110, 120, 130, 138} || p.Points[2].Days != 2 || p.Points[2].Q[2] != 135 ||
		p.Points[0].Days != 0 || !math.IsNaN(p.Points[0].Q[0]) {
		t.Errorf("%+v", p.Points[:4])
	}
	if p := AGP(r, 5*time.Minute, 1); p.Points[1].Days != 1 || p.Points[1].Q[2] != 140 {
		t.Errorf("the last day: %+v", p.Points[1])
	}
	if p := AGP(nil, 7*time.Minute, 0); p.Points != nil {
		t.Error("a step that does not divide the day")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, want string }{
		{"id,time,gl\n", ""},
		{"\"\",\"id\",\"time\",\"gl\"\n\"1\",\"a\",2015-06-06 16:50:27,153\n2,b,2015-06-06,90\n3,a,2015-06-06 16:55,NA\n", "a 1 b 1"},
		{"id,time,glucose\n", "line 1: the header has no column gl, it has id,time,glucose"},
		{"id,time,gl\na,2015-06-31 16:50:27,153\n", `line 2: time "2015-06-31 16:50:27" is not a time (want YYYY-MM-DD hh:mm:ss)`},
		{"id,time,gl\na,2015-06-01 16:50:27,high\n", `line 2: gl "high" is not a number`},
		{"id,time,gl\na,2015-06-01 16:50:27,0\n", "line 2: gl 0 mg/dL cannot be"},
	} {
		people, err := Read(strings.NewReader(c.file))
		var got []string
		for _, p := range people {
			got = append(got, p.ID, string(rune('0'+len(p.Readings))))
		}
		if err != nil && err.Error() != c.want || err == nil && strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v %v", c.file, got, err)
		}
	}
}

func FuzzGlucose(f *testing.F) {
	f.Add("id,time,gl\na,2015-06-06 16:50:27,153\na,2015-06-06 16:55:27,53\na,2015-06-06 17:50:27,253\n")
	f.Fuzz(func(t *testing.T, file string) {
		people, err := Read(strings.NewReader(file))
		if err != nil {
			return
		}
		for _, p := range people {
			s := Summarize(p.Readings)
			if sum := s.TBR70 + s.TIR + s.TAR180; s.N > 0 && math.Abs(sum-100) > 1e-9 {
				t.Fatalf("%+v", s)
			}
			if s.MAGE < 0 || s.GRI > 100 || s.Active > 100+1e-9 || s.Active < 0 {
				t.Fatalf("%+v", s)
			}
			Episodes(p.Readings)
			AGP(p.Readings, 5*time.Minute, 14)
		}
	})
}
