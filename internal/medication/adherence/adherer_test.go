package adherence

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"doorstep/internal/clock"
	"doorstep/internal/sharedtest"
)

// sample opens a file of the sample data; the test is skipped without it.
func sample(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "data/devices/adherence/"+name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// rows answers a file of the sample data, the header without.
func rows(t *testing.T, name string) [][]string {
	t.Helper()
	all, err := csv.NewReader(sample(t, name)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	if s == "NA" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func same(a, b, tolerance float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance
}

func medEvents(t *testing.T) map[string][]Fill {
	t.Helper()
	people, err := ReadFills(sample(t, "adherer_med_events.csv"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]Fill{}
	for i := range people.Len() {
		id, fills := people.At(i)
		out[id] = append([]Fill(nil), fills...)
	}
	return out
}

// TestAdhereR compares with what AdhereR 0.8.1 answers for its 100 patients.
func TestAdhereR(t *testing.T) {
	t.Parallel()
	people := medEvents(t)
	for _, c := range []struct {
		file string
		o    Options
	}{
		{"adherer_cma_ow0_730_carryF_doseF.csv", Options{Start: 0, Length: 730}},
		{"adherer_cma_ow182_365_carryF_doseF.csv", Options{Start: 182, Length: 365}},
		{"adherer_cma_ow182_365_carryT_doseT.csv", Options{Start: 182, Length: 365, SameCategory: true, DoseChange: true}},
	} {
		worst := 0.0
		n := 0
		for _, row := range rows(t, c.file) {
			got := Measure(people[row[0]], c.o)
			for i := range got {
				want := number(t, row[i+1])
				if !same(got[i], want, 1e-9) {
					t.Errorf("%s, patient %s: CMA%d is %v, want %v", c.file, row[0], i+1, got[i], want)
				}
				if d := math.Abs(got[i] - want); d > worst {
					worst = d
				}
				n++
			}
		}
		t.Logf("%s: %d measures, farthest off %.1e", c.file, n, worst)
	}
}

// TestAdhereRGaps compares event intervals and gaps.
func TestAdhereRGaps(t *testing.T) {
	t.Parallel()
	people := medEvents(t)
	at := map[string]int{}
	list := map[string][]Gap{}
	for _, row := range rows(t, "adherer_event_int_gaps_ow0_730.csv") {
		id := row[0]
		if list[id] == nil {
			list[id] = Gaps(people[id], Options{})
		}
		g := list[id][at[id]]
		at[id]++
		y, m, d := g.On.Year, g.On.Month, g.On.Date
		if date := fmt.Sprintf("%02d/%02d/%04d", m, d, y); date != row[1] || g.Category != row[3] || !same(g.Interval, number(t, row[5]), 1e-9) || !same(g.Days, number(t, row[6]), 1e-9) {
			t.Errorf("patient %s: %+v, want %v", id, g, row)
		}
	}
	for id := range list {
		if at[id] != len(list[id]) {
			t.Errorf("patient %s: %d gaps, want %d", id, len(list[id]), at[id])
		}
	}
}

// TestAdhereREpisodes compares treatment episodes.
func TestAdhereREpisodes(t *testing.T) {
	t.Parallel()
	people := medEvents(t)
	at := map[string]int{}
	for _, row := range rows(t, "adherer_treatment_episodes_gap90.csv") {
		id := row[0]
		list := Episodes(people[id], EpisodeOptions{MaxGap: 90})
		if at[id] >= len(list) {
			t.Errorf("patient %s: %d episodes only", id, len(list))
			continue
		}
		e := list[at[id]]
		at[id]++
		if e.Start.String() != row[2] || !same(e.Gap, number(t, row[3]), 1e-9) || !same(e.Days, number(t, row[4]), 1e-9) || e.End.String() != row[5] {
			t.Errorf("patient %s: %+v, want %v", id, e, row)
		}
	}
	for id, fills := range people {
		if n := len(Episodes(fills, EpisodeOptions{MaxGap: 90})); n != at[id] {
			t.Errorf("patient %s: %d episodes, want %d", id, n, at[id])
		}
	}
}

// TestVignette compares with what AdhereR's vignette prints for patients 37 and 76.
func TestVignette(t *testing.T) {
	t.Parallel()
	people := medEvents(t)
	if got := Measure(people["76"], Options{Start: 374, Length: 294}).CMA(8); !same(got, 0.3614, 5e-5) {
		t.Errorf("CMA8 of 76: %v", got)
	}
	for id, want := range map[string][]float64{
		"37": {0.4916667, 0.6489297, 0.5197778, 0.3135842, 0.3122259, 0.1973684},
		"76": {0.8933692, 0.6149642, 1.0, 0.6027778, 0.45, 0.3985663},
	} {
		for i, w := range want {
			if got := Measure(people[id], Options{FollowUp: 730, Start: 120 * i, Length: 120}).CMA(9); !same(got, w, 5e-8) {
				t.Errorf("patient %s, window %d: CMA9 is %v, want %v", id, i, got, w)
			}
		}
	}
	for id, want := range map[string][]float64{
		"37": {0.7109005, 0.3239741},
		"76": {0.8422460, 0.3846154, 0.4838710},
	} {
		fills := people[id]
		for i, e := range Episodes(fills, EpisodeOptions{MaxGap: 180, CategoryChange: true}) {
			got := Measure(within(fills, e.Start, e.End), Options{FollowUp: int(e.Days), Length: int(e.Days)}).CMA(9)
			if i >= len(want) || !same(got, want[i], 5e-8) {
				t.Errorf("patient %s, episode %d: CMA9 is %v, want %v", id, i, got, want)
			}
		}
	}
}

// within answers the fills from a day until another.
func within(fills []Fill, from, until clock.Day) []Fill {
	var out []Fill
	for _, f := range fills {
		if !f.On.Before(from) && f.On.Before(until) {
			out = append(out, f)
		}
	}
	return out
}
