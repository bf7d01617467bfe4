package rule

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"doorstep/internal/sharedtest"
)

func TestPresets(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, p := range Presets() {
		if names[p.Name] || p.Source == "" || len(p.Rules) == 0 {
			t.Errorf("%s is named twice, or has no source or no rules", p.Name)
		}
		names[p.Name] = true
		got, ok := Named(p.Name)
		if !ok {
			t.Fatalf("%s is not found", p.Name)
		}
		for _, r := range got.Rules {
			if err := r.Validate(); err != nil || r.Name != p.Name {
				t.Errorf("%s: %v, named %q", p.Name, err, r.Name)
			}
			doc, err := json.Marshal(r)
			var back Rule
			if err != nil || json.Unmarshal(doc, &back) != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
			if again, _ := json.Marshal(back); string(again) != string(doc) {
				t.Errorf("%s: %s, read back %s", p.Name, doc, again)
			}
		}
	}
	if _, ok := Named("none"); ok {
		t.Error("a preset that does not exist is found")
	}
}

// beat is one day of the BEAT-HF protocol: systolic pressure, pulse, gain in pounds in a day and in a week, symptoms.
type beat struct {
	pressure, pulse, day, week float64
	symptoms                   bool
}

// alerts answers which signals the preset alerts of.
func (b beat) alerts() []string {
	preset, _ := Named("beat-hf")
	today := noon.AddDate(0, 0, 7)
	felt := 0.0
	if b.symptoms {
		felt = 1
	}
	list := []Sample{{weight, noon, 80 - b.week*pound}, {weight, today.Add(-day), 80 - b.day*pound}, {Symptoms, today.Add(-time.Hour), felt},
		{weight, today, 80}, {systolic, today, b.pressure}, {pulse, today, b.pulse}}
	out := []string{}
	for _, r := range preset.Rules {
		name := map[string]string{weight: "weight", systolic: "sbp", pulse: "hr"}[r.Series]
		if got := r.Replay(list); len(got) > 0 && !got[0].At.Before(today.Add(-time.Hour)) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func TestBeatHF(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		beat
		want string
	}{{beat{171, 70, 0, 0, false}, "sbp"}, {beat{170, 70, 0, 0, false}, ""}, {beat{161, 101, 0, 0, true}, "sbp hr"}, {beat{120, 70, 3, 6, true}, ""},
		{beat{120, 70, 3.1, 0, true}, "weight"}, {beat{120, 70, 8, 12, false}, ""}} {
		got := ""
		for _, name := range c.alerts() {
			if got != "" {
				got += " "
			}
			got += name
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.beat, got, c.want)
		}
	}
}

func TestBeatHFVectors(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(sharedtest.Path(t, "vectors/beat_hf_alerts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			I      []any
			Expect []string
		}
	}
	if err := json.Unmarshal(b, &file); err != nil || len(file.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(file.Cases), err)
	}
	for _, c := range file.Cases {
		x := beat{c.I[0].(float64), c.I[1].(float64), c.I[2].(float64), c.I[3].(float64), c.I[4].(bool)}
		if got := x.alerts(); !slices.Equal(got, c.Expect) {
			t.Errorf("%+v: %v, want %v", x, got, c.Expect)
		}
	}
}

func TestBacktest(t *testing.T) {
	t.Parallel()
	r := Rule{Series: "w", Above: fixed(82), Severity: "urgent"}
	var list []Sample
	for d, v := range []float64{80, 83, 80, 80, 83, 83, 80, 80, 80, 83} {
		list = append(list, Sample{"w", noon.AddDate(0, 0, d), v})
	}
	known := []Span{{noon.AddDate(0, 0, 3), noon.AddDate(0, 0, 5)}, {noon.AddDate(0, 0, 7), noon.AddDate(0, 0, 8)}}
	got := Backtest([]Rule{r, r}, list, known) // the second rule raises the same: one call a day
	if want := (Score{Days: 10, Alerts: 3, True: 1, Stretch: 2, Foreseen: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got.PerMonth() != 9 || (Score{}).PerMonth() != 0 {
		t.Error(got.PerMonth())
	}
}
