package web

import (
	"strings"
	"testing"

	"doorstep/internal/person"
)

// A nurse tries a set of rules on a patient's past, switches it on, and takes a rule off again; nobody else can.
func TestRulesOfAPatient(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	dana := h.session(h.dana)
	path := "/desk/people/" + string(h.ruth.ID) + "/rules"
	if answer, body := h.get(dana, path+"?preset=heart-failure-own"); answer.StatusCode != 200 || !strings.Contains(body, "Switch on") ||
		!strings.Contains(body, "Weight goes up, day by day, and also one of these: heart rate goes up, day by day; signs that they feel worse") {
		t.Errorf("%d\n%s", answer.StatusCode, body)
	}
	for _, who := range []person.Person{h.ruth, h.elena} {
		if answer, _ := h.post(h.session(who), path, "preset", "heart-failure-own"); answer.StatusCode < 400 {
			t.Errorf("%s switched rules on", who.Name)
		}
	}
	if answer, body := h.post(dana, path, "preset", "none"); answer.StatusCode != 422 || !strings.Contains(body, "Please choose one of the sets.") {
		t.Errorf("%d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, path, "preset", "pressure-crisis"); answer.StatusCode != 303 {
		t.Fatalf("%d", answer.StatusCode)
	}
	_, body := h.get(dana, path+"?done=rules.on")
	if !strings.Contains(body, "The rules are on.") || !strings.Contains(body, "Upper blood pressure above 180 mmHg, for 1 minute") {
		t.Error(body)
	}
	_, rest, _ := strings.Cut(body, `name="rule" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	had := strings.Count(body, "Switch off:")
	if answer, _ := h.post(dana, path+"/end", "rule", id); answer.StatusCode != 303 {
		t.Fatal(answer.StatusCode)
	}
	if _, body := h.get(dana, path); strings.Count(body, "Switch off:") != had-1 {
		t.Errorf("%d rules, before %d", strings.Count(body, "Switch off:"), had)
	}
}
