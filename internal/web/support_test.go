package web

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"doorstep/internal/clock"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
)

// exhibits adds to a live clinic what the pages of support and alerts show: a plan with instructions, a comparison that both patients are
// in, a budget, and alerts of several rules. It answers the comparison's page.
func (h *clinic) exhibits() string {
	if h.compared != "" {
		return h.compared
	}
	dana := person.Viewer{Org: h.org, Person: h.dana.ID, Role: person.Nurse}
	h.write(func(tx *store.Tx) error {
		for _, p := range []person.Person{h.ruth, h.luis} {
			_, err := h.Medication.SetSupport(tx, dana, medication.Support{Org: h.org, Patient: p.ID,
				Usual:        []medication.Step{{Do: medication.Light}, {Do: medication.Remind}, {After: 60, Do: medication.Family}, {After: 90, Do: medication.Nurse}},
				Critical:     []medication.Step{{Do: medication.Remind, Channels: []person.Channel{person.SMS}}, {After: 30, Do: medication.Family}},
				Instructions: "Sit up. Weigh yourself again. If you cannot breathe well, call 911."})
			h.must(err)
		}
		day, _ := clock.ParseDay("2026-03-01")
		c, err := h.Medication.BeginComparison(tx, dana, medication.Comparison{Org: h.org, Name: "A person after 30 minutes", From: day, Until: day.Add(60), Arms: [2]medication.Arm{
			{Name: "text", Usual: []medication.Step{{Do: medication.Remind}}, Critical: []medication.Step{{Do: medication.Remind}}},
			{Name: "person", Usual: []medication.Step{{Do: medication.Remind}, {After: 30, Do: medication.Family}}, Critical: []medication.Step{{Do: medication.Remind}, {After: 30, Do: medication.Nurse}}}}})
		h.must(err)
		h.compared = "/desk/comparisons/" + c.ID
		_, err = h.Medication.Allot(tx, dana, c.ID, h.luis.ID)
		h.must(err)
		h.must(h.Promise.SaveLadder(tx, h.org, promise.Ladder{Name: watch.AlertLadder, Version: 1}))
		h.must(h.Promise.SaveLadder(tx, h.org, promise.Ladder{Name: watch.SilenceLadder, Version: 1}))
		for i, a := range []reading.Alert{{Series: "29463-7", Kind: "limit", Name: "weight-2kg-3d", Value: 84, Limit: 82, Above: true}, {Series: "29463-7", Kind: "limit", Name: "weight-2kg-3d"},
			{Series: "8480-6", Kind: "limit", Name: "beat-hf"}, {Series: "8867-4", Kind: "silence"}} {
			for _, p := range []person.Person{h.ruth, h.luis} {
				a.ID, a.Org, a.Patient, a.Severity, a.Began = "exhibit"+strconv.Itoa(i)+string(p.ID), string(h.org), string(p.ID), "urgent", h.clock.Now()
				h.must(h.Watch.Alert(tx, a))
			}
		}
		for i := range groupShown + 3 {
			for _, p := range []person.Person{h.ruth, h.luis} {
				h.must(h.Promise.OpenTask(tx, promise.TaskRow{Org: h.org, Patient: p.ID, ID: "crowd" + strconv.Itoa(i) + string(p.ID), Kind: watch.CallKind, Role: person.Nurse, Severity: promise.Urgent,
					Say: "task.alert", Args: map[string]string{"what": "key:what.weight", "value": strconv.Itoa(84 + i), "rule": "> 82"}, Cause: "alert back scale"}))
			}
		}
		return h.Watch.SetBudget(tx, dana, h.team, 3)
	})
	return h.compared
}

// Staff change a plan; the patient and her helper read it in plain words and choose when the week in words comes; strangers do neither.
func TestSupportPage(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	dana, ruth, elena := h.session(h.dana), h.session(h.ruth), h.session(h.elena)
	line := "/desk/people/" + string(h.ruth.ID)
	fields := []string{"usual_do_0", "light", "usual_after_0", "0", "usual_do_1", "remind", "usual_after_1", "0", "usual_by_1", "sms", "usual_do_2", "family", "usual_after_2", "60",
		"critical_do_0", "nurse", "critical_after_0", "45", "instructions", "Sit up & rest."}
	if answer, _ := h.post(dana, line+"/plan", fields...); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", answer.StatusCode)
	}
	_, page := h.get(ruth, "/me/plan")
	for _, want := range []string{"Say a dose is due at 6:30 pm.", "At 6:30 pm we light your pill box.", "At 6:30 pm we text you.", "If we hear nothing by 7:30 pm, we tell Elena.", "Sit up &amp; rest.", "Send me the week in words"} {
		if !strings.Contains(page, want) {
			t.Errorf("the patient does not read %q", want)
		}
	}
	if strings.Contains(page, "usual_do_0") || strings.Contains(page, "should not be missed") {
		t.Error("the patient sees the form, or steps for medicines that she does not take")
	}
	if _, page := h.get(elena, "/helping/"+string(h.ruth.ID)+"/me/plan"); !strings.Contains(page, "If we hear nothing by 7:30 pm, we tell you.") {
		t.Error("the helper does not read that she is told")
	}
	if answer, page := h.post(dana, line+"/plan", "usual_do_0", "remind", "usual_after_0", "soon", "critical_do_0", "desk", "critical_after_0", "5"); answer.StatusCode != http.StatusUnprocessableEntity ||
		!strings.Contains(page, "Please write the minutes as a number.") || !strings.Contains(page, `value="soon"`) {
		t.Errorf("%d", answer.StatusCode)
	}
	for _, who := range []string{ruth, elena} {
		if answer, _ := h.post(who, line+"/plan", fields...); answer.StatusCode < 400 {
			t.Error("a patient or helper changed the plan")
		}
	}
	if answer, _ := h.post(elena, "/helping/"+string(h.ruth.ID)+"/me/letter", "on", "yes", "weekday", "5", "wall", "17:30"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", answer.StatusCode)
	}
	if answer, _ := h.post(ruth, "/me/letter", "weekday", "9", "wall", "17:30"); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%d", answer.StatusCode)
	}
	h.write(func(tx *store.Tx) error {
		l, ok, err := h.Medication.LetterOf(tx, h.org, h.ruth.ID, h.elena.ID)
		if !ok || !l.On || l.Weekday != 5 || l.Wall != clock.WallAt(17, 30) || l.Next.Weekday() != 5 {
			t.Errorf("%+v", l)
		}
		if _, ok, _ := h.Medication.LetterOf(tx, h.org, h.ruth.ID, h.ruth.ID); ok {
			t.Error("a refused choice was kept")
		}
		return err
	})
	// One medicine's own steps, and their end.
	var id string
	h.write(func(tx *store.Tx) error {
		list, err := h.Medication.Regimens(tx, h.org, h.ruth.ID)
		id = list[0].ID
		return err
	})
	if answer, _ := h.post(dana, line+"/plan", "medicine", id, "own_do_0", "desk", "own_after_0", "5"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/me/plan"); !strings.Contains(page, "If we hear nothing") || !strings.Contains(page, "At 6:35 pm the front desk looks into it.") {
		t.Error("the medicine's own steps are not shown")
	}
	if answer, _ := h.post(dana, line+"/plan", "medicine", id); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/me/plan"); strings.Contains(page, "6:35 pm") {
		t.Error("the medicine's own steps did not end")
	}
}

// A comparison from its form to its end; nobody but staff sees it, and the seed is told only after.
func TestComparisonPages(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	dana := h.session(h.dana)
	form := []string{"name", "A person sooner", "from", "2026-03-09", "until", "2026-04-09", "a_name", "text", "b_name", "person", "a_usual_do_0", "remind", "a_usual_after_0", "0",
		"a_critical_do_0", "remind", "a_critical_after_0", "0", "b_usual_do_0", "remind", "b_usual_after_0", "0", "b_critical_do_0", "nurse", "b_critical_after_0", "20"}
	answer, _ := h.post(dana, "/desk/comparisons", form...)
	if answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", answer.StatusCode)
	}
	path, _, _ := strings.Cut(answer.Header.Get("Location"), "?")
	if answer, page := h.post(dana, "/desk/comparisons", append([]string{"name", "x"}, form[2:6]...)...); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "needs steps") {
		t.Errorf("%d", answer.StatusCode)
	}
	for _, who := range []person.Person{h.ruth, h.luis} {
		if answer, _ := h.post(dana, path+"/people", "person", string(who.ID)); answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d", answer.StatusCode)
		}
	}
	_, page := h.get(dana, path)
	for _, want := range []string{"Ruth Abbott", "It is too soon to tell.", "after 20 minutes: Nurse steps in", "Plan A: text", "Matthews 1990"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "Seed") {
		t.Error("the seed is told while it goes on")
	}
	if _, page := h.get(h.session(h.ruth), "/me/plan"); !strings.Contains(page, "Chance chose yours.") {
		t.Error("the patient does not read that chance chose her plan")
	}
	// New instructions leave the plan to chance; other steps do not.
	line := "/desk/people/" + string(h.ruth.ID) + "/plan"
	steps := []string{"usual_do_0", "remind", "usual_after_0", "0", "critical_do_0", "remind", "critical_after_0", "0", "instructions", "Rest."}
	h.write(func(tx *store.Tx) error {
		sup, err := h.Medication.SupportOf(tx, h.org, h.ruth.ID)
		if sup.Critical[0].Do == medication.Nurse { // chance picked plan B
			steps = append(steps, "critical_do_0", "nurse", "critical_after_0", "20")
		}
		return err
	})
	for i, want := range []bool{true, false} {
		if i == 1 {
			steps = append(steps, "usual_do_2", "desk", "usual_after_2", "50")
		}
		if answer, _ := h.post(dana, line, steps...); answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d", answer.StatusCode)
		}
		if _, page := h.get(h.session(h.ruth), "/me/plan"); strings.Contains(page, "Chance chose yours.") != want || !strings.Contains(page, "Rest.") {
			t.Errorf("change %d: the plan is chance's: %v", i, !want)
		}
	}
	for _, who := range []person.Person{h.ruth, h.elena} {
		if _, page := h.get(h.session(who), path); strings.Contains(page, "Plan A") {
			t.Errorf("%s sees the comparison", who.Name)
		}
	}
	if answer, _ := h.post(dana, path+"/end", "why", ""); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, path+"/end", "why", "Both work."); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", answer.StatusCode)
	}
	if _, page := h.get(dana, path); !strings.Contains(page, "Both work.") || !strings.Contains(page, "Seed, to check") {
		t.Error("the end is not told")
	}
}

// A crowd of one cause is one row with its number that opens to the rows, severe ones stand by themselves; whether an alert needed action
// is asked as it is closed, and what the week went to stands beside the budget.
func TestAlertsPage(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	dana := h.session(h.dana)
	h.write(func(tx *store.Tx) error {
		h.must(h.Promise.SaveLadder(tx, h.org, promise.Ladder{Name: watch.AlertLadder, Version: 1, Rungs: []promise.Rung{{Do: promise.Page, To: "role:nurse", Say: "alert"}}}))
		for i := range groupShown + 3 {
			p := h.add(tx, person.Patient, "Crowd "+strconv.Itoa(i), 1950, "en", "+1555010"+strconv.Itoa(1000+i), h.team)
			severity := "urgent"
			if i == 0 {
				severity = "severe"
			}
			h.must(h.Watch.Alert(tx, reading.Alert{ID: "crowd" + strconv.Itoa(i), Org: string(h.org), Patient: string(p.ID), Kind: "limit", Series: "29463-7", Severity: severity, Late: true, Began: h.clock.Now()}))
		}
		return nil
	})
	h.climb()
	_, page := h.get(dana, "/desk")
	if !strings.Contains(page, strconv.Itoa(groupShown+2)+" rows of one cause: the line was down and is back") || !strings.Contains(page, "Crowd 0") || strings.Contains(page, "Crowd 5") {
		t.Error("the crowd is not one row beside the severe one")
	}
	_, page = h.get(dana, "/desk?all=alert+back+-")
	if !strings.Contains(page, "Crowd 5") || !strings.Contains(page, "Crowd 14") {
		t.Error("the row does not open")
	}
	var rows []promise.TaskRow
	h.write(func(tx *store.Tx) (err error) { rows, err = h.Promise.Tasks(tx, h.org); return err })
	for i, word := range []string{"yes", "no", "no"} {
		h.post(dana, "/desk/tasks/"+rows[i].ID+"/take")
		if answer, _ := h.post(dana, "/desk/tasks/"+rows[i].ID+"/done", "outcome", "Looked.", "needed", word); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("%d", answer.StatusCode)
		}
	}
	if answer, _ := h.post(dana, "/desk/causes/done", "cause", "alert back -", "outcome", ""); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, "/desk/causes/done", "cause", "alert back -", "outcome", "The network was down.", "needed", "no"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", answer.StatusCode)
	}
	h.write(func(tx *store.Tx) (err error) { rows, err = h.Promise.Tasks(tx, h.org); return err })
	if len(rows) != 0 { // the severe one was closed by itself
		t.Errorf("%d rows are left", len(rows))
	}
	if answer, _ := h.post(dana, "/desk/alerts", "team", string(h.team), "budget", "0"); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, "/desk/alerts", "team", "other", "budget", "5"); answer.StatusCode < 400 {
		t.Error("another team's budget was set")
	}
	if answer, _ := h.post(dana, "/desk/alerts", "team", string(h.team), "budget", "5"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", answer.StatusCode)
	}
	_, page = h.get(dana, "/desk/alerts")
	for _, want := range []string{"7.5 alerts for each nurse in the last seven days. That is over the budget of 5.", "Set by you", "7 % of 15 (1 to 30 %)", "Weight"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if answer, _ := h.get(h.session(h.ruth), "/desk/alerts"); answer.StatusCode == http.StatusOK {
		t.Error("a patient sees the alerts")
	}
}

// Fault 25, its last step for the patient: the link of the text that says that nobody has called yet leads to her own plan, and shows
// nothing of it to whoever holds the link.
func TestFault25TheLinkToOnesOwnPlan(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	h.write(func(tx *store.Tx) error {
		h.must(h.Promise.SaveLadder(tx, h.org, promise.Ladder{Name: watch.AlertLadder, Version: 1, Rungs: []promise.Rung{{Do: promise.Tell, To: "patient", Say: "alert.own", Unless: promise.Taken}}}))
		_, err := h.Medication.SetSupport(tx, person.Viewer{Org: h.org, Person: h.dana.ID, Role: person.Nurse}, medication.Support{Org: h.org, Patient: h.ruth.ID, Instructions: "Take the spare tablet."})
		h.must(err)
		return h.Watch.Alert(tx, reading.Alert{ID: "a", Org: string(h.org), Patient: string(h.ruth.ID), Kind: "limit", Series: "29463-7", Severity: "urgent", Began: h.clock.Now()})
	})
	h.climb()
	_, page := h.get("", "/r/"+h.linkOf(h.ruth, "alert.own"))
	if !strings.Contains(page, "do what your own plan says") || !strings.Contains(page, `href="/me/plan"`) || strings.Contains(page, "spare tablet") {
		t.Error(page)
	}
	if _, page := h.get(h.session(h.ruth), "/me/plan"); !strings.Contains(page, "Take the spare tablet.") {
		t.Error("the plan does not say what to do")
	}
}
