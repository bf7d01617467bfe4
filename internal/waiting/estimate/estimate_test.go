package estimate_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"doorstep/internal/waiting/estimate"
)

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s: %.2f, want %.2f", what, got, want)
	}
}

// Lengths without spread have one answer.
func TestWaitsThatCanBeCounted(t *testing.T) {
	t.Parallel()
	ten := estimate.Length{Mean: 10}
	any := func(key float64) estimate.Person {
		return estimate.Person{Server: estimate.Any, Key: key, Length: ten}
	}
	busy := func(elapsed float64) estimate.Server {
		return estimate.Server{Busy: true, Elapsed: elapsed, Length: ten}
	}
	due := func(server int, key, at, comes float64) estimate.Person {
		return estimate.Person{Server: server, Key: key, Due: at, Comes: comes, Length: ten}
	}
	urgent := any(99)
	urgent.Rank = -1
	for name, x := range map[string]struct {
		l      estimate.Line
		who    int
		want   float64
		before int
	}{
		"nobody before her":            {estimate.Line{Servers: []estimate.Server{{}}, People: []estimate.Person{any(1)}}, 0, 0, 0},
		"the rest of a visit":          {estimate.Line{Servers: []estimate.Server{busy(4)}, People: []estimate.Person{any(1)}}, 0, 6, 0},
		"two before her":               {estimate.Line{Servers: []estimate.Server{busy(4)}, People: []estimate.Person{any(1), any(2), any(3)}}, 2, 26, 2},
		"two clinicians":               {estimate.Line{Servers: []estimate.Server{busy(4), busy(8)}, People: []estimate.Person{any(1), any(2), any(3)}}, 2, 12, 2},
		"urgent goes first":            {estimate.Line{Servers: []estimate.Server{busy(4)}, People: []estimate.Person{any(1), urgent}}, 0, 16, 1},
		"the clinician is not there":   {estimate.Line{Servers: []estimate.Server{{From: 25}}, People: []estimate.Person{any(1)}}, 0, 25, 0},
		"her own clinician":            {estimate.Line{Servers: []estimate.Server{busy(9), busy(1)}, People: []estimate.Person{due(1, 1, 0, 0)}}, 0, 9, 0},
		"one who is due goes first":    {estimate.Line{Servers: []estimate.Server{busy(4)}, People: []estimate.Person{due(0, 1, 5, 1), any(2), any(3)}}, 2, 26, 1},
		"one who is not there yet":     {estimate.Line{Servers: []estimate.Server{busy(4)}, People: []estimate.Person{due(0, 1, 9, 1), any(2)}}, 1, 0 + 6, 0},
		"she is due when all are seen": {estimate.Line{Servers: []estimate.Server{busy(4)}, People: []estimate.Person{due(0, 1, 60, 1), any(0)}}, 0, 0, 1},
	} {
		w := estimate.Of(x.l, x.who)
		near(t, name, w.Mean, x.want, 1e-9)
		near(t, name+", spread", w.SD, 0, 1e-3)
		if w.Before != x.before {
			t.Errorf("%s: %d before her", name, w.Before)
		}
	}
	if w := estimate.Of(estimate.Line{People: []estimate.Person{any(1)}}, 0); !math.IsInf(w.Mean, 1) {
		t.Errorf("without a clinician: %v", w)
	}
}

// People who leave are not waited for, and who may not come counts in part. With many visits of the usual spread the queue moves as its
// rate says: the answer lies near Whitt's formula.
func TestWaitsWithChance(t *testing.T) {
	t.Parallel()
	l := estimate.Line{Leave: 1.0 / 60}
	length := estimate.Length{Mean: 12, CV: 0.9}
	for range 8 {
		l.Servers = append(l.Servers, estimate.Server{Busy: true, Elapsed: 3, Length: length})
	}
	for i := range 13 {
		l.People = append(l.People, estimate.Person{Server: estimate.Any, Key: float64(i), Length: length})
	}
	w := estimate.Of(l, 12)
	near(t, "near QLm", w.Mean, estimate.QLm(12, 8, 1.0/12, l.Leave), 2.5)
	stay := l
	stay.Leave = 0
	if more := estimate.Of(stay, 12).Mean; more < w.Mean+1 {
		t.Errorf("%.1f if all stay, %.1f if some leave", more, w.Mean)
	}
	if again := estimate.Of(l, 12); again != w {
		t.Errorf("the same line: %v and %v", w, again)
	}
	maybe := estimate.Line{Servers: []estimate.Server{{Busy: true, Length: estimate.Length{Mean: 10}}}, People: []estimate.Person{
		{Due: 5, Comes: 0.5, Length: estimate.Length{Mean: 10}}, {Key: 1, Length: estimate.Length{Mean: 10}}}}
	near(t, "half of them come", estimate.Of(maybe, 1).Mean, 15, 1)
}

func TestLearner(t *testing.T) {
	t.Parallel()
	var l estimate.Learner
	near(t, "a new clinic trusts its plan", l.Length("follow", "osei", 20).Mean, 21, 1e-9)
	near(t, "and what is usual", 1/l.Leave(), 180, 1e-9)
	r := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		l.Seen("follow", "osei", 20, 30+6*r.NormFloat64())
		l.Seen("follow", "lind", 20, 15+3*r.NormFloat64())
		l.Between(0)
		l.Waited(20, r.Float64() < 0.25)
	}
	osei, lind, new := l.Length("follow", "osei", 20), l.Length("follow", "lind", 20), l.Length("follow", "new", 20)
	near(t, "who takes longer", osei.Mean, 30, 1)
	near(t, "who is quick", lind.Mean, 15, 1)
	near(t, "who is new", new.Mean, 22.5, 1)
	near(t, "the spread", osei.CV, 0.2, 0.06)
	near(t, "people leave after", 1/l.Leave(), 80, 12)
	before := l
	l.Seen("follow", "osei", 20, -3)
	l.Seen("follow", "osei", 20, 3000)
	if l.Spread != before.Spread {
		t.Error("a clock that was wrong is learnt from")
	}
}

// Whatever the estimate is worth, its range comes to hold eight in ten.
func TestCalibratorHoldsEightInTen(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]func(r *rand.Rand, i int) float64{
		"too sure":      func(r *rand.Rand, _ int) float64 { return 30 + 12*r.NormFloat64() },
		"too unsure":    func(r *rand.Rand, _ int) float64 { return 30 + r.NormFloat64() },
		"always short":  func(r *rand.Rand, _ int) float64 { return 40 + 5*r.ExpFloat64() },
		"worse by noon": func(r *rand.Rand, i int) float64 { return 30 + float64(1+i%500/50)*r.NormFloat64() },
	} {
		r := rand.New(rand.NewPCG(2, 2))
		var c estimate.Calibrator
		held := 0.0
		const n = 4000
		for i := range n {
			low, high := c.Range(estimate.Wait{Mean: 30, SD: 4})
			wait := wrong(r, i)
			if wait >= low && wait <= high {
				held++
			}
			c.Ended(low, high, wait)
		}
		near(t, name, held/n, 0.8, 0.02)
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	for _, x := range [][4]float64{{0, 3, 0, 10}, {3, 12, 0, 10}, {18.2, 33.9, 20, 35}, {21, 24, 20, 30}, {24, 26, 20, 30}, {62, 98, 60, 100}, {48, 66, 50, 70}} {
		if from, to := estimate.Round(x[0], x[1]); float64(from) != x[2] || float64(to) != x[3] {
			t.Errorf("%v is said as %d to %d", x[:2], from, to)
		}
	}
}
