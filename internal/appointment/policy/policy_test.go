package policy

import (
	"math"
	"reflect"
	"testing"
	"time"
)

func TestBatchSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p     float64
		left  time.Duration
		asked int
		want  int
	}{{0.27, 48 * time.Hour, 0, 3}, {0.27, 12 * time.Hour, 0, 5}, {0.27, time.Hour, 0, 8}, {0.27, 48 * time.Hour, 7, 1}, {0.27, 48 * time.Hour, 8, 0}, {0.9, 48 * time.Hour, 0, 1}} {
		if got := BatchSize(c.p, c.left, c.asked); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	if p := Acceptance(0, 0); p != 0.27 {
		t.Errorf("before any answer %g", p)
	}
}

// Of four starts with even chances, half of the gaps that are expected may be filled: one extra visit once two starts have passed.
func TestOverbook(t *testing.T) {
	t.Parallel()
	even := []float64{0.5, 0.5, 0.5, 0.5}
	for _, c := range []struct {
		name   string
		chance []float64
		extras []int
		share  float64
		want   []bool
	}{
		{"none yet", even, make([]int, 4), 0.5, []bool{false, false, false, true}},
		{"all of the gaps", even, make([]int, 4), 1, []bool{false, true, true, true}},
		{"one is there", even, []int{0, 0, 0, 1}, 0.5, make([]bool, 4)},
		{"an extra later counts too", even, []int{0, 0, 0, 1}, 1, []bool{false, true, true, false}},
		{"a free start is no extra", []float64{0.9, 0.9, 0, 0.9}, make([]int, 4), 1, []bool{false, true, false, true}},
		{"off", even, make([]int, 4), 0, make([]bool, 4)},
		{"everybody comes", make([]float64, 4), make([]int, 4), 1, make([]bool, 4)},
	} {
		if got := Overbook(c.chance, c.extras, c.share); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		list      []Sitting
		wait, end float64
	}{
		{"nobody", nil, 0, 0},
		{"seen early who comes early", []Sitting{{0, -5, 25}, {30, 25, 25}}, 0, 50},
		{"the first is long", []Sitting{{0, 0, 40}, {30, 30, 20}}, 10, 60},
		{"two at once", []Sitting{{0, 0, 30}, {0, 0, 30}}, 30, 60},
		{"who is there is seen", []Sitting{{0, 50, 10}, {30, 30, 10}}, 0, 60},
		{"early people wait at their own wish", []Sitting{{30, 0, 10}}, 0, 10},
	} {
		if wait, end := Hold(c.list); wait != c.wait || end != c.end {
			t.Errorf("%s: waits %g, ends %g", c.name, wait, end)
		}
	}
}

// small is a world of one clinician and few days.
func small() World {
	w := Clinic(0.9)
	w.Clinicians, w.Slots, w.Days, w.After, w.Backlog = 2, 8, 20, 40, 5
	return w
}

func TestSameSeedSameRun(t *testing.T) {
	t.Parallel()
	p, err := Named("doorstep")
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := Simulate(small(), p, 3), Simulate(small(), p, 3), Simulate(small(), p, 4)
	if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, c) {
		t.Error("a seed is not a world")
	}
	if _, err := Named("hope"); err == nil {
		t.Error("hope is no policy")
	}
}

// A world in which everybody comes and nobody cancels has nothing that a policy could better.
func TestNothingToGain(t *testing.T) {
	t.Parallel()
	w := small()
	w.CancelDay, w.NoShow = 0, func(int) float64 { return 0 }
	want := Simulate(w, Policies[0], 1)
	for _, p := range Policies {
		got := Simulate(w, p, 1)
		if !reflect.DeepEqual(got.Days, want.Days) || got.Freed != 0 || got.Offers != 0 || got.NoShows != 0 || got.Extra != 0 {
			t.Errorf("%s: %+v", p.Name, got)
		}
	}
}

// What every run must keep to, whatever the policy: each counted person is in one number, and no more is filled than was given back.
func TestRunsAddUp(t *testing.T) {
	t.Parallel()
	for _, p := range Policies {
		for seed := range uint64(4) {
			w := small()
			r := Simulate(w, p, seed)
			if r.Filled > r.Freed || r.ByList > r.Filled || r.ByList > r.Offers || r.Waiting > len(r.Days) {
				t.Errorf("%s: %+v", p.Name, r)
			}
			if !p.Waitlist && r.Offers+r.ByList > 0 || !p.Reconfirm && r.Asked > 0 || p.Overbook == 0 && r.Extra > 0 {
				t.Errorf("%s does what it does not: %+v", p.Name, r)
			}
			if r.Visits+r.NoShows > r.Shifts*w.Slots+r.Extra+r.NoShows {
				t.Errorf("%s holds more visits than it has time: %+v", p.Name, r)
			}
			for _, d := range r.Days {
				if d <= 0 || math.IsNaN(d) || d > float64(w.Days+w.After) {
					t.Fatalf("%s: %g days", p.Name, d)
				}
			}
		}
	}
}

func TestStudy(t *testing.T) {
	t.Parallel()
	lines, err := Study(t.Context(), small(), Policies, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	phone, ours := lines[0], lines[len(lines)-1]
	if phone.MeanLess.Value != 0 || phone.Fill.Value >= ours.Fill.Value || ours.MeanLess.Low <= 0 || ours.Mean.N != 4 {
		t.Errorf("%+v\n%+v", phone, ours)
	}
}
