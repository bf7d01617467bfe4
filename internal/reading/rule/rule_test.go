package rule

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/fault"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// series makes samples of one signal.
func series(name string, times []time.Time, values []float64) []Sample {
	out := make([]Sample, len(times))
	for i := range times {
		out[i] = Sample{name, times[i], values[i]}
	}
	return out
}

// middle is the median, by sorting.
func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func TestEpisodes(t *testing.T) {
	t.Parallel()
	high := Rule{Series: "8867-4", Above: Limit{Kind: Absolute, Value: 100}, Severity: "urgent"}
	held := high
	held.Hold = 10 * time.Minute
	slack := high
	slack.Hysteresis = 10
	both := high
	both.Below = Limit{Kind: Absolute, Value: 50}
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
		got := c.rule.Replay(series("8867-4", times, c.values))
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
	r := Rule{Series: "29463-7", Above: Limit{Kind: Personal, Value: 4}, Severity: "warning"}
	var times []time.Time
	var values []float64
	for d := range 14 {
		times, values = append(times, noon.AddDate(0, 0, d)), append(values, 80+float64(d%3)*0.3)
	}
	if got := r.Replay(series("29463-7", times, values)); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	if got := r.Replay(series("29463-7", append(times, noon.AddDate(0, 0, 14)), append(values, 84))); len(got) != 1 || got[0].Limit < 81 || got[0].Limit > 84 {
		t.Errorf("%+v", got)
	}
	if got := r.Replay(series("29463-7", append(times[:3:3], noon.AddDate(0, 0, 14)), append(values[:3:3], 184))); len(got) != 0 {
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

// A change counts from the lowest value of the days before, not from the last one.
func TestChange(t *testing.T) {
	t.Parallel()
	r := Rule{Series: "29463-7", Above: Limit{Kind: Change, Value: 2, Over: 72 * time.Hour}, Severity: "urgent"}
	var list []Sample
	for d, v := range []float64{80, 80.7, 81.4, 82, 82.1, 82.2, 82.3, 80} {
		list = append(list, Sample{r.Series, noon.AddDate(0, 0, d), v})
	}
	got := r.Replay(list) // on day 3, 2.0 above day 0, which is not above 2; on day 4 day 0 is no longer looked at
	if len(got) != 0 {
		t.Errorf("%+v", got)
	}
	list[3].Value = 82.1
	if got = r.Replay(list); len(got) != 1 || !got[0].At.Equal(noon.AddDate(0, 0, 3)) || got[0].Limit != 82 {
		t.Errorf("%+v", got)
	}
}

// A slow rise that never leaves the person's range on any day adds up.
func TestCharts(t *testing.T) {
	t.Parallel()
	var list []Sample
	for d := range 40 {
		v := 80 + []float64{-0.4, 0.2, 0.4, -0.2}[d%4]
		if d >= 28 {
			v += 0.12 * float64(d-27)
		}
		list = append(list, Sample{"29463-7", noon.AddDate(0, 0, d), v})
	}
	first := func(l Limit) int {
		r := Rule{Series: "29463-7", Above: l, Severity: "urgent"}
		if got := r.Replay(list); len(got) > 0 {
			return int(got[0].At.Sub(noon).Hours() / 24)
		}
		return -1
	}
	if d := first(Limit{Kind: Personal, Value: 4}); d >= 0 {
		t.Errorf("the fixed distance fires on day %d", d)
	}
	if d := first(Limit{Kind: Change, Value: 2, Over: 72 * time.Hour}); d >= 0 {
		t.Errorf("2 kg in 3 days fires on day %d", d)
	}
	for _, kind := range []Kind{EWMA, CUSUM} {
		if d := first(Limit{Kind: kind, Value: map[Kind]float64{EWMA: 3, CUSUM: 4}[kind]}); d < 29 || d > 39 {
			t.Errorf("%s fires on day %d", kind, d)
		}
	}
}

// Signals that must agree: in any order, as long as they are fresh.
func TestWith(t *testing.T) {
	t.Parallel()
	r := Rule{Series: "w", Above: Limit{Kind: Absolute, Value: 82}, Severity: "urgent", With: []Sign{
		{Series: "h", Above: Limit{Kind: Absolute, Value: 90}, Within: 24 * time.Hour}, {Series: "s", Above: Limit{Kind: Absolute, Value: 0}, Within: 24 * time.Hour}}}
	hours := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	for _, c := range []struct {
		name  string
		least int
		in    []Sample
		want  int // the hour; -1: none
	}{
		{"alone", 0, []Sample{{"w", hours(0), 83}}, -1},
		{"one of two", 0, []Sample{{"h", hours(0), 95}, {"w", hours(1), 83}}, -1},
		{"one is enough", 1, []Sample{{"h", hours(0), 95}, {"w", hours(1), 83}}, 1},
		{"all, the own first", 0, []Sample{{"w", hours(0), 83}, {"h", hours(1), 95}, {"s", hours(2), 1}}, 2},
		{"too old", 0, []Sample{{"h", hours(0), 95}, {"s", hours(20), 1}, {"w", hours(25), 83}}, -1},
		{"the own too old", 0, []Sample{{"w", hours(0), 83}, {"h", hours(20), 95}, {"s", hours(25), 1}}, -1},
		{"over again", 0, []Sample{{"w", hours(0), 83}, {"h", hours(1), 95}, {"h", hours(2), 80}, {"s", hours(3), 1}}, -1},
	} {
		r.Least = c.least
		got := r.Replay(c.in)
		if c.want < 0 && len(got) > 0 || c.want >= 0 && (len(got) != 1 || !got[0].At.Equal(hours(c.want)) || got[0].Value != 83) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// An episode that goes on is told of again after so long, and no sooner.
func TestRepeat(t *testing.T) {
	t.Parallel()
	r := Rule{Series: "w", Above: Limit{Kind: Absolute, Value: 1}, Repeat: 12 * time.Hour, Severity: "urgent"}
	var list []Sample
	for h := 0; h < 30; h += 5 {
		list = append(list, Sample{"w", noon.Add(time.Duration(h) * time.Hour), 2})
	}
	got := r.Replay(list)
	if len(got) != 2 || got[0].Again || !got[1].Again || got[1].At.Sub(noon) != 15*time.Hour {
		t.Errorf("%+v", got)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, r := range []Rule{
		{}, {Series: "x", Severity: "note"}, {Series: "x", Severity: "loud", Missing: 1}, {Series: "x", Severity: "note", Missing: -1, Above: Limit{Kind: Absolute, Value: 1}},
		{Series: "x", Severity: "note", Above: Limit{Kind: Personal}}, {Series: "x", Severity: "note", Above: Limit{Kind: "odd", Value: 1}}, {Series: "x", Severity: "note", Below: Limit{Kind: Absolute, Value: math.NaN()}},
		{Series: "x", Severity: "note", Above: Limit{Kind: Absolute, Value: 1}, Hysteresis: math.NaN()},
	} {
		if err := r.Validate(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if err := (Rule{Series: "x", Severity: "note", Above: Limit{Kind: Absolute, Value: 1}}).Validate(); err != nil {
		t.Error(err)
	}
}

// Storing the state between any two samples changes nothing, and there is never a second open episode.
func TestFault28StateRoundTrip(t *testing.T) {
	t.Parallel()
	limit := func(rt *rapid.T, name string, kinds ...Kind) Limit {
		return Limit{Kind: rapid.SampledFrom(kinds).Draw(rt, name), Value: rapid.Float64Range(0.5, 4).Draw(rt, name+" value"), Over: 24 * time.Hour}
	}
	rapid.Check(t, func(rt *rapid.T) {
		r := Rule{Series: "own", Above: limit(rt, "above", None, Absolute, Personal, Change, EWMA, CUSUM), Below: limit(rt, "below", None, Absolute, CUSUM),
			Hold: time.Duration(rapid.IntRange(0, 3).Draw(rt, "hold")) * time.Hour, Hysteresis: float64(rapid.IntRange(0, 1).Draw(rt, "hysteresis")),
			Repeat: time.Duration(rapid.IntRange(0, 5).Draw(rt, "repeat")) * time.Hour, Least: 1}
		for i := range rapid.IntRange(0, 2).Draw(rt, "signs") {
			r.With = append(r.With, Sign{Series: string(rune('a' + i)), Above: limit(rt, "sign", Absolute, Personal, EWMA), Within: 12 * time.Hour})
		}
		r.Least = min(r.Least, len(r.With))
		now := noon
		var all []Sample
		var s State
		var got []Episode
		for _, v := range rapid.SliceOfN(rapid.Float64Range(0, 6), 0, 80).Draw(rt, "values") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "gap")) * time.Minute)
			x := Sample{rapid.SampledFrom([]string{"own", "own", "a", "b", "other"}).Draw(rt, "series"), now, v}
			all = append(all, x)
			packed, err := s.AppendBinary(nil)
			if err != nil {
				rt.Fatal(err)
			}
			var back State
			if err := back.UnmarshalBinary(packed); err != nil {
				rt.Fatal(err)
			}
			wasOpen, side := back.Open, back.Side
			if e, ok := back.Step(&r, x.Series, x.At, x.Value); ok {
				if wasOpen && e.Side == side && !e.Again {
					rt.Fatal("a second episode while one is open")
				}
				got = append(got, e)
			}
			s = back
		}
		want := r.Replay(all)
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
	var s State
	r := Rule{Series: "w", Above: Limit{Kind: CUSUM, Value: 3}, With: []Sign{{Series: "h", Above: Limit{Kind: Personal, Value: 1}, Within: time.Hour}}}
	for d := range 9 {
		s.Step(&r, "w", noon.AddDate(0, 0, d), 80+float64(d))
		s.Step(&r, "h", noon.AddDate(0, 0, d), 70)
	}
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
		s.Step(&r, "w", noon, 1)
	})
}

// A baseline that is kept in order equals one that is sorted anew.
func TestBaseline(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var r Ring
		var kept []Sample
		now := noon
		for _, v := range rapid.SliceOfN(rapid.Float64Range(-3, 300), 0, 120).Draw(rt, "values") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(rt, "hours")) * time.Hour)
			if n := len(kept); r.Add(now, v) {
				kept = append(kept, Sample{At: now, Value: v})
			} else if n == 0 || now.Sub(kept[n-1].At) >= ringApart {
				rt.Fatal("a value was left out")
			}
			for len(kept) > ringMost || now.Sub(kept[0].At) > ringOld {
				kept = kept[1:]
			}
			median, sigma, ok := r.Baseline()
			if ok != (len(kept) >= ringLeast) {
				rt.Fatalf("a baseline of %d values: %v", len(kept), ok)
			}
			if !ok {
				continue
			}
			var values, off []float64
			for _, k := range kept {
				values = append(values, k.Value)
			}
			want := middle(values)
			for _, v := range values {
				off = append(off, math.Abs(v-want))
			}
			if wantSigma := max(madSigma*middle(off), math.Abs(want)/100); math.Abs(median-want) > 1e-9 || math.Abs(sigma-wantSigma) > 1e-9 {
				rt.Fatalf("%v and %v, want %v and %v", median, sigma, want, wantSigma)
			}
		}
	})
}
