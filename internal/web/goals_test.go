package web

import (
	"math"
	"net/http"
	"strings"
	"testing"

	"doorstep/internal/clock"
	"doorstep/internal/reading"
	"doorstep/internal/reading/glucose"
	"doorstep/internal/store"
)

// A patient sets, changes and ends her goal; family who may see sees it and cannot change it.
func TestGoalOfAPatient(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	ruth, elena := h.session(h.ruth), h.session(h.elena)
	answer, body := h.post(ruth, "/numbers/goal", "kind", "weight", "goal-weight", "eighty")
	if answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "a weight that a grown person can have") || !strings.Contains(body, `value="eighty"`) {
		t.Errorf("what cannot be read: %d", answer.StatusCode)
	}
	for _, form := range [][]string{{"kind", "weight", "goal-weight", "79,5"}, {"kind", "pressure", "goal-top", "125", "goal-bottom", "75"}, {"kind", "steps", "goal-steps", "12,000"}, {"kind", "in-range", "goal-in-range", "5"}} {
		if answer, _ := h.post(ruth, "/numbers/goal", form...); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("%v: %d", form, answer.StatusCode)
		}
	}
	_, own := h.get(ruth, "/numbers?done=saved")
	_, hers := h.get(elena, "/helping/"+string(h.ruth.ID)+"/numbers")
	for _, want := range []string{"Your goal is 79.5 kg.", "Your goal is 125/75.", "Your goal is 12,000 steps a day.", "You reached your goal of 5 of 100 minutes.", "Saved.", "No goal for now"} {
		if !strings.Contains(own, want) {
			t.Errorf("Ruth does not read %q", want)
		}
	}
	if !strings.Contains(hers, "The goal of Ruth is 79.5 kg.") || strings.Contains(hers, "/numbers/goal") {
		t.Error("Elena does not see the goal, or is asked for one")
	}
	if answer, _ := h.post(elena, "/helping/"+string(h.ruth.ID)+"/numbers/goal", "kind", "steps", "goal-steps", "9000"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("Elena changes it: %d", answer.StatusCode)
	}
	if answer, _ := h.post(ruth, "/numbers/goal/end", "kind", "weight"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the end: %d", answer.StatusCode)
	}
	h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
		goals, err := h.Reading.Goals(tx, string(h.org), string(h.ruth.ID))
		h.must(err)
		if _, still := goals[reading.WeightGoal]; still || len(goals) != 3 || goals[reading.StepsGoal].Value != 12_000 {
			t.Errorf("goals %+v", goals)
		}
		lines, err := h.Person.AuditOf(tx, h.org, h.ruth.ID, 100)
		set := 0
		for _, l := range lines {
			if l.Act == "change" && strings.HasPrefix(l.What, "goal ") && l.Allowed {
				set++
			}
		}
		if set != 5 {
			t.Errorf("%d changes of goals in the audit, want 5", set)
		}
		return err
	}))
}

// The sensor's page has its sentence, the bar's words that come to 100, the profile and its list.
func TestSensorProfile(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	_, body := h.get(h.session(h.ruth), "/numbers")
	for _, want := range []string{"You were in your range, 70 to 180 mg/dL,", `class="share within"`, `class="wide"`, `class="half"`, "Half of days", "What changed since last week", "more steps a day than last week"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	p := &page{Lang: "en"}
	sum := 0
	for _, b := range p.ranges(glucose.Summary{TBR70: 33.3, TIR: 33.4, TAR180: 33.3}, func(v float64) string { return p.Num(v, 0) }, "mg/dL") {
		sum += b.Share
	}
	if sum != 100 {
		t.Errorf("the shares come to %d", sum)
	}
}

func TestTypedNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"80.5": 80.5, "80,5": 80.5, " 6,000": 6000, "6.000": 6000, "6 000": 6000, "": math.NaN(), "1e999": math.NaN(), "x": math.NaN()} {
		if got := typedNumber(text); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%q is %g, want %g", text, got, want)
		}
	}
}

// A change since last week is told when it is both large and more than the days differ by themselves.
func TestChangeSinceLastWeek(t *testing.T) {
	t.Parallel()
	last, _ := clock.ParseDay("2026-03-09")
	series := func(before, now []float64) (list []day) {
		for i, v := range before {
			list = append(list, day{last.Add(i - 13), v, 1})
		}
		for i, v := range now {
			list = append(list, day{last.Add(i - 6), v, 1})
		}
		return list
	}
	for name, c := range map[string]struct {
		before, now []float64
		want        float64
	}{
		"steady and up":       {[]float64{80, 80, 80, 80, 80}, []float64{82, 82, 82, 82}, 2},
		"up, but they jump":   {[]float64{76, 84, 76, 84, 80}, []float64{78, 86, 78, 86}, 0},
		"too small":           {[]float64{80, 80, 80, 80, 80}, []float64{80.5, 80.5, 80.5, 80.5}, 0},
		"too few days":        {[]float64{80, 80, 80, 80, 80}, []float64{83, 83, 83}, 0},
		"no days of the last": {[]float64{80, 80, 80, 80, 80}, nil, 0},
		"down":                {[]float64{80, 80.2, 80, 80.2}, []float64{78, 78.2, 78, 78.2}, -2},
	} {
		if got := changed(last, series(c.before, c.now), 0.8); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", name, got, c.want)
		}
	}
}
