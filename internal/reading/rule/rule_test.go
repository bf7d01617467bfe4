package rule

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/fault"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func TestEpisodes(t *testing.T) {
	t.Parallel()
	high := Rule{Series: "8867-4", Above: Limit{Absolute, 100}, Severity: "urgent"}
	held := high
	held.Hold = 10 * time.Minute
	slack := high
	slack.Hysteresis = 10
	both := high
	both.Below = Limit{Absolute, 50}
	for _, c := range []struct {
		name   string
		rule   Rule
		values []float64 // five minutes apart
		want   []int     // minutes at which episodes open
	}{
		{"inside", both, []float64{100, 50, 72}, nil},
		{"one episode while it lasts", high, []float64{90, 101, 150, 101, 99, 101}, []int{5, 25}},
		{"held", held, []float64{101, 102, 103, 99, 101, 102}, []int{10}},
		{"hysteresis", slack, []float64{101, 95, 101, 90, 101}, []int{0, 20}},
		{"from one side to the other", both, []float64{120, 40, 120}, []int{0, 5, 10}},
	} {
		var times []time.Time
		for i := range c.values {
			times = append(times, at(5*i))
		}
		got := c.rule.Replay(times, c.values)
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v, want at %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if !got[i].At.Equal(at(c.want[i])) {
				t.Errorf("%s: %+v, want at %v", c.name, got, c.want)
			}
		}
	}
}

// A personal limit is silent until there is a baseline, then follows the person.
func TestPersonalLimit(t *testing.T) {
	t.Parallel()
	r := Rule{Series: "29463-7", Above: Limit{Personal, 4}, Severity: "warning"}
	var times []time.Time
	var values []float64
	for d := range 14 {
		times, values = append(times, noon.AddDate(0, 0, d)), append(values, 80+float64(d%3)*0.3)
	}
	if got := r.Replay(times, values); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	if got := r.Replay(append(times, noon.AddDate(0, 0, 14)), append(values, 84)); len(got) != 1 || got[0].Limit < 81 || got[0].Limit > 84 {
		t.Errorf("%+v", got)
	}
	if got := r.Replay(append(times[:3:3], noon.AddDate(0, 0, 14)), append(values[:3:3], 184)); len(got) != 0 {
		t.Errorf("without a baseline: %+v", got)
	}
}

// TestFault21MissingHasNoPrecondition: silence counts from the last reading, or from the rule's beginning when there is none.
func TestFault21MissingHasNoPrecondition(t *testing.T) {
	t.Parallel()
	r := Rule{Series: "x", Missing: time.Hour, Severity: "note"}
	for _, c := range []struct {
		now, seen int
		ok, want  bool
	}{{59, 0, false, false}, {60, 0, false, true}, {60, 30, true, false}, {90, 30, true, true}, {60, -500, true, true}, {59, -500, true, false}} {
		if got := r.Silent(at(c.now), at(0), at(c.seen), c.ok); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if (Rule{}).Silent(at(1e6), at(0), time.Time{}, false) {
		t.Error("a rule without a longest silence fires")
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, r := range []Rule{
		{}, {Series: "x", Severity: "note"}, {Series: "x", Severity: "loud", Missing: 1}, {Series: "x", Severity: "note", Missing: -1, Above: Limit{Absolute, 1}},
		{Series: "x", Severity: "note", Above: Limit{Personal, 0}}, {Series: "x", Severity: "note", Above: Limit{"odd", 1}}, {Series: "x", Severity: "note", Below: Limit{Absolute, math.NaN()}},
		{Series: "x", Severity: "note", Above: Limit{Absolute, 1}, Hysteresis: math.NaN()},
	} {
		if err := r.Validate(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if err := (Rule{Series: "x", Severity: "note", Above: Limit{Absolute, 1}}).Validate(); err != nil {
		t.Error(err)
	}
}

// Storing the state between any two samples changes nothing, and there is never a second open episode.
func TestFault28StateRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := Rule{Above: Limit{rapid.SampledFrom([]Kind{None, Absolute, Personal}).Draw(rt, "above"), 3}, Below: Limit{rapid.SampledFrom([]Kind{None, Absolute}).Draw(rt, "below"), 1},
			Hold: time.Duration(rapid.IntRange(0, 3).Draw(rt, "hold")) * time.Hour, Hysteresis: float64(rapid.IntRange(0, 1).Draw(rt, "hysteresis"))}
		var times []time.Time
		values := rapid.SliceOf(rapid.Float64Range(0, 6)).Draw(rt, "values")
		now := noon
		var s State
		var got []Episode
		for _, v := range values {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "gap")) * time.Minute)
			times = append(times, now)
			packed, err := s.AppendBinary(nil)
			if err != nil {
				rt.Fatal(err)
			}
			var back State
			if err := back.UnmarshalBinary(packed); err != nil {
				rt.Fatal(err)
			}
			wasOpen, side := back.Open, back.Side
			var e *Episode
			if s, e = r.Step(back, now, v); e != nil {
				if wasOpen && e.Side == side && s.Since.Before(now) {
					rt.Fatal("a second episode while one is open")
				}
				got = append(got, *e)
			}
		}
		want := r.Replay(times, values)
		if len(got) != len(want) {
			rt.Fatalf("%d episodes, replayed %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				rt.Fatalf("%+v, replayed %+v", got[i], want[i])
			}
		}
	})
}

func FuzzState(f *testing.F) {
	s := State{Last: noon, Since: noon, Open: true, Side: 1}
	s.ring.Add(noon, 80)
	packed, _ := s.AppendBinary(nil)
	f.Add(packed)
	f.Fuzz(func(t *testing.T, b []byte) {
		var s State
		if s.UnmarshalBinary(b) != nil {
			return
		}
		if _, err := s.AppendBinary(nil); err != nil {
			t.Fatal(err)
		}
		Rule{Above: Limit{Personal, 3}}.Step(s, noon, 1)
	})
}
