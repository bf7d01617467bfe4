package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

const heartPathway = "https://doorstep.health/fhir/PlanDefinition/heart-failure-after-discharge|1.0.0"

// onPathway puts a person on a pathway, unless she is on it.
func (h *clinic) onPathway(p person.Person) pathway.Episode {
	h.t.Helper()
	e, err := h.Pathway.Enrol(h.t.Context(), person.Viewer{Org: h.org, Person: h.dana.ID, Role: person.Nurse}, p.ID, heartPathway, h.clock.Now().Add(-26*time.Hour), time.Time{})
	h.must(err)
	h.must(h.Pathway.Plan(h.t.Context(), h.org))
	return e
}

// A nurse begins a pathway in one form; the patient reads what comes, does a step on her day's page, says that she cannot do another; her
// daughter reads along; nobody else begins or ends one.
func TestPathwayPages(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	dana, ruth, elena := h.session(h.dana), h.session(h.ruth), h.session(h.elena)
	desk := "/desk/people/" + string(h.ruth.ID)
	today := h.clock.Now().In(time.UTC).Format(time.DateOnly)
	if _, page := h.get(ruth, "/me/pathway"); !strings.Contains(page, "You are on no care plan now.") {
		t.Error("a plan of nobody's")
	}
	for _, who := range []string{ruth, elena} {
		if answer, _ := h.post(who, desk+"/pathway", "which", heartPathway, "day", today); answer.StatusCode < 400 {
			t.Error("a patient or helper began a pathway")
		}
	}
	if answer, page := h.post(dana, desk+"/pathway", "which", heartPathway, "day", "soon"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "Please give a day.") {
		t.Errorf("no day: %d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, desk+"/pathway", "which", "nothing", "day", today); answer.StatusCode != http.StatusNotFound {
		t.Errorf("no such pathway: %d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, desk+"/pathway", "which", heartPathway, "day", today); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", answer.StatusCode)
	}
	h.must(h.Pathway.Plan(t.Context(), h.org))
	for _, c := range []struct{ who, path, want string }{{ruth, "/me/pathway", "Day 1 of 31."}, {ruth, "/me/pathway", "Weigh yourself before breakfast"}, {ruth, "/me/pathway", "we look for a time"},
		{elena, "/helping/" + string(h.ruth.ID) + "/me/pathway", "Care plan of Ruth"}, {elena, "/helping/" + string(h.ruth.ID) + "/me/pathway", "Weigh yourself before breakfast"}, {dana, desk + "/pathway", "End this care plan"}} {
		if _, page := h.get(c.who, c.path); !strings.Contains(page, c.want) {
			t.Errorf("%s does not say %q", c.path, c.want)
		}
	}
	// The step whose time has come is on her page, with its two answers.
	step := func(name string) (out promise.Promise) {
		h.write(func(tx *store.Tx) error {
			list, err := h.Promise.OpenOf(tx, h.org, h.ruth.ID, pathway.Kind)
			for _, p := range list {
				a, err := h.Pathway.Find(tx, h.org, h.ruth.ID, p.About)
				if err != nil {
					return err
				}
				if a.Title == name && (out.ID == "" || p.From.Before(out.From)) {
					out = p
				}
			}
			return err
		})
		return out
	}
	weigh := step("Weigh yourself before breakfast")
	h.clock.Set(weigh.From.Add(time.Minute))
	dana, ruth = h.session(h.dana), h.session(h.ruth)
	if _, page := h.get(ruth, "/today"); !strings.Contains(page, "Weigh yourself before breakfast") || !strings.Contains(page, `action="/steps/`+string(weigh.ID)+`"`) {
		t.Error("the step is not on the day's page")
	}
	if answer, _ := h.post(ruth, "/steps/"+string(weigh.ID), "answer", "perhaps"); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an answer that is none: %d", answer.StatusCode)
	}
	if answer, _ := h.post(h.session(h.luis), "/steps/"+string(weigh.ID), "answer", "done"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("another's step: %d", answer.StatusCode)
	}
	if answer, _ := h.post(ruth, "/steps/"+string(weigh.ID), "answer", "cannot"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("cannot: %d", answer.StatusCode)
	}
	if _, page := h.get(dana, "/desk"); !strings.Contains(page, "Ruth cannot do a step of the plan") {
		t.Error("no task for the nurse")
	}
	h.clock.Advance(time.Minute)
	if answer, _ := h.post(ruth, "/steps/"+string(weigh.ID), "answer", "done"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("done: %d", answer.StatusCode)
	}
	h.write(func(tx *store.Tx) error {
		a, err := h.Pathway.Find(tx, h.org, h.ruth.ID, weigh.About)
		if a.State != pathway.Done {
			t.Errorf("%+v", a)
		}
		return err
	})
	var e pathway.Episode
	h.write(func(tx *store.Tx) error {
		list, err := h.Pathway.Episodes(tx, h.org, h.ruth.ID)
		e = list[0]
		return err
	})
	if answer, _ := h.post(ruth, desk+"/pathway/"+e.ID+"/end"); answer.StatusCode < 400 {
		t.Error("a patient ended a pathway")
	}
	if answer, _ := h.post(dana, desk+"/pathway/"+e.ID+"/end"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("ended: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/me/pathway"); !strings.Contains(page, "It ended on") {
		t.Error("it did not end")
	}
}

// Staff see what another version changes before they move a person to it.
func TestPathwayVersion(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	dana := h.session(h.dana)
	for version, title := range map[string]string{"1": "Old step", "2": "New step"} {
		h.write(func(tx *store.Tx) error {
			_, err := h.Pathway.Load(tx, h.org, []byte(`{"resourceType":"PlanDefinition","url":"https://clinic.example/p","version":"`+version+`","title":"Ours","action":[{"id":"`+version+`","title":"`+title+`"}]}`))
			return err
		})
	}
	e, err := h.Pathway.Enrol(t.Context(), person.Viewer{Org: h.org, Person: h.dana.ID, Role: person.Nurse}, h.ruth.ID, "https://clinic.example/p|1", h.clock.Now(), time.Time{})
	h.must(err)
	path := "/desk/people/" + string(h.ruth.ID) + "/pathway"
	answer, page := h.post(dana, path+"/"+e.ID+"/version", "version", "2")
	for _, want := range []string{"From version 1 to 2", "New: New step", "No longer: Old step", "Move to it"} {
		if answer.StatusCode != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%d: it does not say %q", answer.StatusCode, want)
		}
	}
	if _, page := h.get(dana, path); !strings.Contains(page, "Old step") || strings.Contains(page, "New step") {
		t.Error("looking at it moved her")
	}
	if answer, _ := h.post(dana, path+"/"+e.ID+"/version", "version", "2", "sure", "yes"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", answer.StatusCode)
	}
	if _, page := h.get(dana, path); strings.Contains(page, "Old step") || !strings.Contains(page, "New step") {
		t.Error("she was not moved")
	}
}
