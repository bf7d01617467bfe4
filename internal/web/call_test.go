package web

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

var callPath = regexp.MustCompile(`action="(/desk/people/[^"]+/call/[^"/]+)(/end)?"`)

// A call's time runs by itself, from the person's page; its minutes are booked when it ends, can be put right in one line, and stand in the
// programme. One that nobody ended counts nothing until somebody says how long it was.
func TestCall(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	dana := h.session(h.dana)
	line := "/desk/people/" + string(h.ruth.ID)
	facts := func() (minutes int, live bool) {
		t.Helper()
		h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
			f, err := h.Programme.At(tx, h.org, h.ruth.ID, clock.DayOf(h.clock.Now(), h.ruth.Location()))
			minutes, live = f.Minutes, f.Live
			return err
		}))
		return minutes, live
	}
	want := func(minutes int, live bool) {
		t.Helper()
		if n, spoke := facts(); n != minutes || spoke != live {
			t.Errorf("%d minutes, live %v; want %d, %v", n, spoke, minutes, live)
		}
	}
	page := func() (body, call string) {
		t.Helper()
		_, body = h.get(dana, line)
		if m := callPath.FindStringSubmatch(body); m != nil {
			call = m[1]
		}
		return body, call
	}
	do := func(path string, form ...string) string {
		t.Helper()
		answer, _ := h.post(dana, path, form...)
		if answer.StatusCode != 303 {
			t.Fatalf("%s: %d", path, answer.StatusCode)
		}
		return answer.Header.Get("Location")
	}
	body, call := page()
	if !strings.Contains(body, "Call Ruth") || call != "" {
		t.Fatal("no call can be begun")
	}
	do(line + "/call")
	h.clock.Advance(7*time.Minute + 50*time.Second)
	do(line + "/call") // again: the same
	if body, call = page(); !strings.Contains(body, "On the phone with Ruth since") || !strings.Contains(body, `href="tel:`) {
		t.Error(body)
	}
	want(0, false)
	do(call+"/end", "live", "yes")
	do(call+"/end", "live", "no") // the page was open twice: it has ended
	want(7, true)
	if body, _ = page(); !strings.Contains(body, "7 minutes, you spoke") {
		t.Error(body)
	}
	if answer, body := h.post(dana, call, "call-minutes", "six"); answer.StatusCode != 422 || !strings.Contains(body, "Please write the minutes as a number.") || !strings.Contains(body, `value="six"`) {
		t.Errorf("%d", answer.StatusCode)
	}
	do(call, "call-minutes", "6", "live", "yes")
	want(6, true)
	do(call, "do", "discard")
	want(0, false)
	if body, call = page(); call != "" {
		t.Errorf("what was discarded can be put right: %s", body)
	}
	do(line + "/call")
	_, call = page()
	h.clock.Advance(30 * time.Second)
	if to := do(call+"/end", "live", "no"); !strings.Contains(to, "call.short") {
		t.Error(to)
	}
	want(0, false)
	do(line + "/call")
	h.clock.Advance(3 * time.Hour)
	if body, call = page(); !strings.Contains(body, "was not ended here") || !strings.Contains(body, "Call Ruth") {
		t.Error(body)
	}
	want(0, false)
	do(call, "call-minutes", "12", "live", "yes")
	want(12, true)
	eva := h.session(h.eva)
	if answer, _ := h.post(eva, call, "do", "discard"); answer.StatusCode != 404 {
		t.Errorf("another nurse changes it: %d", answer.StatusCode)
	}
	for _, who := range []person.Person{h.ruth, h.elena} {
		if answer, _ := h.post(h.session(who), line+"/call"); answer.StatusCode < 400 {
			t.Errorf("%s begins a call", who.Name)
		}
	}
	h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
		lines, err := h.Person.AuditOf(tx, h.org, h.ruth.ID, 100)
		said := ""
		for _, l := range lines {
			said += l.What + "\n"
		}
		for _, w := range []string{"call began", "call ended, booked 7 minutes", "call corrected, 7 to 6 minutes", "call corrected, 6 to 0 minutes", "call corrected, 0 to 12 minutes"} {
			if !strings.Contains(said, w) {
				t.Errorf("not in the audit: %s\n%s", w, said)
			}
		}
		return err
	}))
	// A call with another ends the one that goes on.
	do(line + "/call")
	h.clock.Advance(5 * time.Minute)
	do("/desk/people/" + string(h.luis.ID) + "/call")
	want(17, true)
}

// Staff set a goal with a patient: she reads with whom, and what she sets later takes its place.
func TestGoalSetWithStaff(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	dana, ruth := h.session(h.dana), h.session(h.ruth)
	line := "/desk/people/" + string(h.ruth.ID)
	if _, body := h.get(dana, line); !strings.Contains(body, line+"/numbers/goal") {
		t.Error("Dana is not asked for a goal")
	}
	if answer, body := h.post(dana, line+"/numbers/goal", "kind", "steps", "goal-steps", "many"); answer.StatusCode != 422 || !strings.Contains(body, "a number of steps from") || !strings.Contains(body, `value="many"`) {
		t.Errorf("%d", answer.StatusCode)
	}
	answer, _ := h.post(dana, line+"/numbers/goal", "kind", "steps", "goal-steps", "5000")
	if answer.StatusCode != 303 || !strings.HasPrefix(answer.Header.Get("Location"), line+"?") {
		t.Errorf("%d %s", answer.StatusCode, answer.Header.Get("Location"))
	}
	if _, body := h.get(ruth, "/numbers"); !strings.Contains(body, "Set with Dana on") || !strings.Contains(body, "5,000 steps a day") {
		t.Error(body)
	}
	if answer, _ := h.post(ruth, "/numbers/goal", "kind", "steps", "goal-steps", "4000"); answer.StatusCode != 303 {
		t.Errorf("%d", answer.StatusCode)
	}
	if _, body := h.get(ruth, "/numbers"); strings.Contains(body, "Set with Dana") || !strings.Contains(body, "4,000 steps a day") {
		t.Error(body)
	}
	if answer, _ := h.post(dana, line+"/numbers/goal/end", "kind", "steps"); answer.StatusCode != 303 {
		t.Errorf("%d", answer.StatusCode)
	}
}
