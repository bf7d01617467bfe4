package coherence

import (
	"bufio"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"doorstep/internal/reading/hrv"
	"doorstep/internal/sharedtest"
)

// breathing is so many seconds of intervals around 850 ms that swing with the breath, and vary at random.
func breathing(perMinute, swing, noise, seconds float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []float64
	for t := 0.0; t < seconds; {
		ms := 850 + swing*math.Sin(2*math.Pi*perMinute/60*t) + noise*r.NormFloat64()
		out = append(out, ms)
		t += ms / 1000
	}
	return out
}

// share is what Live calibrates.
func share(rr []float64) float64 {
	last, _ := tail(rr)
	power := hrv.Welch(last, method)
	peak := highest(power, breath)
	return power.In(hrv.Band{From: peak - around, To: peak + around}) / power.In(whole)
}

func TestCalibration(t *testing.T) {
	t.Parallel()
	sine, n := 0.0, 0
	for pace := 4.0; pace <= 8; pace += 0.1 {
		sine += share(breathing(pace, 60, 0, 100, 1))
		n++
	}
	if sine /= float64(n); math.Abs(sine-sineShare) > 0.005 {
		t.Errorf("a sine's share is %.4f, not %.4f", sine, sineShare)
	}
	noise := 0.0
	for seed := range uint64(500) {
		noise += share(breathing(6, 0, 40, 100, seed)) / 500
	}
	if math.Abs(noise-noiseShare) > 0.005 {
		t.Errorf("noise's share is %.4f, not %.4f", noise, noiseShare)
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	for _, pace := range []float64{4.5, 5, 5.5, 6, 6.5} {
		s := Live(breathing(pace, 60, 5, 120, 1))
		if !s.Ready() || s.Coherence < 0.93 || math.Abs(s.PerMinute()-pace) > 0.15 || math.Abs(s.HeartRate-71) > 1.5 || math.Abs(s.Swing-10) > 1.5 {
			t.Errorf("at %.1f a minute: %+v", pace, s)
		}
	}
	before := 2.0
	for _, noise := range []float64{0, 20, 40, 80, 160} { // the more at random, the less coherent
		s := 0.0
		for seed := range uint64(40) {
			s += Live(breathing(6, 40, noise, 120, seed)).Coherence / 40
		}
		if s >= before {
			t.Errorf("with noise of %.0f ms %.3f, before %.3f", noise, s, before)
		}
		before = s
	}
	if before > 0.25 {
		t.Errorf("nearly all noise has %.3f", before)
	}
	for _, rr := range [][]float64{nil, {800}, breathing(6, 40, 0, 60, 1)} {
		if s := Live(rr); s.Ready() || s.Coherence != 0 {
			t.Errorf("%d intervals: %+v", len(rr), s)
		}
	}
	flat := make([]float64, 200)
	for i := range flat {
		flat[i] = 800
	}
	if s := Live(flat); s.Coherence != 0 || math.IsNaN(s.Ratio) || math.IsInf(s.Ratio, 0) {
		t.Errorf("a heart like a clock: %+v", s)
	}
}

// A beat that the strap missed, or saw twice, does not spoil the figure.
func TestArtefactsArePutRight(t *testing.T) {
	t.Parallel()
	clean := breathing(6, 60, 8, 90, 3)
	want := Live(clean).Coherence
	missed := append([]float64{}, clean...)
	i := len(missed) - 30
	missed[i] += missed[i+1]
	missed = append(missed[:i+1], missed[i+2:]...)
	extra := append([]float64{}, clean...)
	extra = append(extra[:i], append([]float64{300, extra[i] - 300}, extra[i+1:]...)...)
	for name, rr := range map[string][]float64{"missed": missed, "extra": extra} {
		if s := Live(rr); math.Abs(s.Coherence-want) > 0.06 || s.Artefacts == 0 {
			t.Errorf("%s: %.3f with %d put right, clean %.3f", name, s.Coherence, s.Artefacts, want)
		}
	}
}

func TestBestPace(t *testing.T) {
	t.Parallel()
	var trials []Trial
	for i, pace := range Paces {
		trials = append(trials, Try(pace, breathing(pace, []float64{30, 42, 60, 45, 28}[i], 15, PaceSeconds+2, uint64(i))))
	}
	if best, ok := Best(trials); !ok || best.PerMinute != 5.5 || math.Abs(best.Swing-10) > 2 {
		t.Errorf("%+v of %+v", best, trials)
	}
	trials[2].Enough = false
	if best, ok := Best(trials); !ok || best.PerMinute == 5.5 {
		t.Errorf("%+v", best)
	}
	if _, ok := Best([]Trial{Try(6, breathing(6, 40, 0, 60, 1))}); ok {
		t.Error("a pace tried for a minute is the best")
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	s := Sum(append(breathing(6, 0, 40, 120, 1), breathing(6, 60, 5, 180, 2)...))
	if len(s.Points) < 45 || s.Points[0].Coherence > s.Points[len(s.Points)-1].Coherence || s.Best < 0.9 || s.Mean > s.Best || s.Share < 0.3 || s.Share > 0.9 ||
		math.Abs(s.Seconds-300) > 3 || s.RMSSD <= 0 {
		t.Errorf("%+v", s)
	}
	if s := Sum(breathing(6, 60, 0, 30, 1)); len(s.Points) != 0 || s.Mean != 0 {
		t.Errorf("%+v", s)
	}
	if s := Sum(nil); s.Seconds != 0 {
		t.Errorf("%+v", s)
	}
}

// Real hearts: a figure at every moment, between 0 and 1.
func TestRealHearts(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(sharedtest.Path(t, "data/devices/rr/*_ms.txt"))
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var rr []float64
		for in := bufio.NewScanner(f); in.Scan() && len(rr) < 1200; {
			if v, err := strconv.ParseFloat(strings.TrimSpace(in.Text()), 64); err == nil {
				rr = append(rr, v)
			}
		}
		f.Close()
		s := Sum(rr)
		if len(s.Points) == 0 {
			t.Errorf("%s: no figure of %.0f seconds", filepath.Base(name), s.Seconds)
		}
		for _, p := range s.Points {
			if !(p.Coherence >= 0 && p.Coherence <= 1) || !(p.HeartRate > 30 && p.HeartRate < 220) {
				t.Fatalf("%s: %+v", filepath.Base(name), p)
			}
		}
		t.Logf("%s: mean %.2f, best %.2f", filepath.Base(name), s.Mean, s.Best)
	}
}
