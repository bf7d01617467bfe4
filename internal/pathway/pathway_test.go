package pathway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/fault"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

const heart = "https://doorstep.health/fhir/PlanDefinition/heart-failure-after-discharge|1.0.0"

func viewer(p person.Person) person.Viewer {
	return person.Viewer{Org: p.Org, Person: p.ID, Role: p.Role, Name: p.Name}
}

func activities(h *apptest.House, p person.Person) (out []pathway.Activity) {
	h.Helper()
	h.Read(func(tx *store.Tx) (err error) { out, err = h.Pathways.Activities(tx, apptest.Org, p.ID); return err })
	return out
}

func enrol(h *apptest.House, canonical string) pathway.Episode {
	h.Helper()
	e, err := h.Pathways.Enrol(h.Context(), viewer(h.Dana), h.Ruth.ID, canonical, h.Clock.Now(), time.Time{})
	if err != nil {
		h.Fatal(err)
	}
	return e
}

func plan(h *apptest.House) {
	h.Helper()
	if err := h.Pathways.Plan(h.Context(), apptest.Org); err != nil {
		h.Fatal(err)
	}
}

// steps answers the promised steps of a person by their state.
func steps(h *apptest.House, p person.Person) map[promise.State]int {
	h.Helper()
	out := map[promise.State]int{}
	h.Read(func(tx *store.Tx) error {
		list, err := h.Promises.Of(tx, apptest.Org, p.ID, h.Clock.Now().AddDate(-1, 0, 0), h.Clock.Now().AddDate(1, 0, 0))
		for _, v := range list {
			if v.Kind == pathway.Kind {
				out[v.State]++
			}
		}
		return err
	})
	return out
}

func TestShippedPathwaysLoad(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		var list []pathway.Definition
		h.Read(func(tx *store.Tx) (err error) { list, err = h.Pathways.Definitions(tx, apptest.Org); return err })
		plans := 0
		for _, d := range list {
			if d.Kind != "PlanDefinition" {
				continue
			}
			plans++
			e := enrol(h, d.Canonical())
			n := 0
			for _, a := range activities(h, h.Ruth) {
				if a.Episode == e.ID {
					n++
					if a.Called("es") == a.Title {
						h.Errorf("%s %q has no Spanish", d.Title, a.Title)
					}
				}
			}
			if n < 10 {
				h.Errorf("%s asks for %d things", d.Title, n)
			}
		}
		if plans != 3 {
			h.Errorf("%d pathways are shipped", plans)
		}
	})
}

// One form, a pathway applied, and what is due is promised; doing it again changes nothing; what is measured keeps its step.
func TestEnrol(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		e := enrol(h, heart)
		again := enrol(h, heart)
		before := activities(h, h.Ruth)
		if again.ID != e.ID || len(before) < 40 {
			h.Errorf("%+v, %d activities", again, len(before))
		}
		plan(h)
		plan(h)
		if err := h.Pathways.Again(h.Context(), viewer(h.Dana), h.Ruth.ID, e.ID); err != nil {
			h.Fatal(err)
		}
		if after := activities(h, h.Ruth); len(after) != len(before) {
			h.Errorf("%d activities became %d", len(before), len(after))
		}
		if got := steps(h, h.Ruth); got[promise.Open] == 0 || got[promise.Open] > 4 {
			h.Errorf("promised steps: %v", got)
		}
		// Tomorrow's weight keeps tomorrow's step, and only that.
		var weigh pathway.Activity
		for _, a := range before {
			if a.Code == "http://loinc.org|29463-7" {
				weigh = a
				break
			}
		}
		h.At(weigh.From.Sub(h.Clock.Now()))
		h.Write(func(tx *store.Tx) error {
			return h.Pathways.Measured(tx, apptest.Org, h.Ruth.ID, "29463-7", weigh.From.Add(20*time.Minute))
		})
		done := 0
		for _, a := range activities(h, h.Ruth) {
			if a.State == pathway.Done {
				done++
				if a.ID != weigh.ID {
					h.Errorf("%s is done", a.Title)
				}
			}
		}
		if done != 1 || steps(h, h.Ruth)[promise.Kept] != 1 {
			h.Errorf("%d done, %v", done, steps(h, h.Ruth))
		}
		if err := h.Pathways.End(h.Context(), viewer(h.Dana), h.Ruth.ID, e.ID); err != nil {
			h.Fatal(err)
		}
		if got := steps(h, h.Ruth); got[promise.Open] != 0 || got[promise.Kept] != 1 {
			h.Errorf("after its end: %v", got)
		}
		if err := h.Pathways.Again(h.Context(), viewer(h.Dana), h.Ruth.ID, e.ID); !fault.Is(err, fault.Conflict) {
			h.Errorf("%v", err)
		}
	})
}

// What nobody did in time is missed; a nurse is told of what must be done.
func TestMissed(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		enrol(h, heart)
		plan(h)
		h.Clock.Advance(9 * 24 * time.Hour)
		plan(h)
		missed := 0
		for _, a := range activities(h, h.Ruth) {
			if a.State == pathway.Missed {
				missed++
			}
			if a.State == pathway.Open && a.By.Before(h.Clock.Now()) {
				h.Errorf("%s is open past its time", a.Title)
			}
		}
		if missed < 8 || !strings.Contains(h.Tasks(), "task.step.missed") {
			h.Errorf("%d missed; tasks %q", missed, h.Tasks())
		}
	})
}

func definition(version, actions string) []byte {
	return []byte(fmt.Sprintf(`{"resourceType":"PlanDefinition","url":"https://clinic.example/plan","version":"%s","title":"Our plan","status":"active","action":[%s]}`, version, actions))
}

const (
	first  = `{"id":"a","title":"A","timingRange":{"low":{"value":1,"code":"d"},"high":{"value":2,"code":"d"}}},{"id":"b","title":"B","timingRange":{"low":{"value":5,"code":"d"},"high":{"value":6,"code":"d"}}},{"id":"c","title":"C","timingRange":{"low":{"value":7,"code":"d"},"high":{"value":8,"code":"d"}}}`
	second = `{"id":"a","title":"A","timingRange":{"low":{"value":1,"code":"d"},"high":{"value":2,"code":"d"}}},{"id":"b","title":"B","timingRange":{"low":{"value":10,"code":"d"},"high":{"value":11,"code":"d"}}},{"id":"d","title":"D","timingRange":{"low":{"value":3,"code":"d"},"high":{"value":4,"code":"d"}}}`
)

func load(h *apptest.House, body []byte) error {
	var err error
	h.Helper()
	h.Write(func(tx *store.Tx) error {
		if _, err = h.Pathways.Load(tx, apptest.Org, body); err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Conflict) {
			return err
		}
		return nil
	})
	return err
}

// A pathway is edited while 300 people are on it: nothing changes for anybody until somebody moves her, who is told before what that
// changes; what was done stays done, and doing it twice changes nothing.
func TestFault27EditedWhileOnIt(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		if err := load(h, definition("1", first)); err != nil {
			h.Fatal(err)
		}
		var people []person.Person
		for i := range 300 {
			people = append(people, h.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Patient %d", i), Called: "P", BirthYear: 1950, Language: "en", Zone: h.Ruth.Zone, Teams: h.Ruth.Teams}, fmt.Sprintf("+1555%07d", i)))
		}
		for _, p := range people {
			if _, err := h.Pathways.Enrol(h.Context(), viewer(h.Dana), p.ID, "https://clinic.example/plan", h.Clock.Now(), time.Time{}); err != nil {
				h.Fatal(err)
			}
		}
		if err := load(h, definition("1", second)); !fault.Is(err, fault.Conflict) {
			h.Errorf("another content under the same version: %v", err)
		}
		if err := load(h, definition("2", second)); err != nil {
			h.Fatal(err)
		}
		var on []pathway.Episode
		h.Read(func(tx *store.Tx) (err error) {
			on, err = h.Pathways.On(tx, apptest.Org, "https://clinic.example/plan", "1")
			return err
		})
		if len(on) != 300 {
			h.Fatalf("%d are on version 1", len(on))
		}
		e := on[0]
		if err := h.Pathways.Again(h.Context(), viewer(h.Dana), e.Patient, e.ID); err != nil {
			h.Fatal(err)
		}
		who := person.Person{ID: e.Patient}
		says := func() string {
			var out []string
			for _, a := range activities(h, who) {
				out = append(out, a.Title+" "+string(a.State))
			}
			return strings.Join(out, ", ")
		}
		if got := says(); got != "A open, B open, C open" {
			h.Errorf("applied again: %s", got)
		}
		list := activities(h, who)
		h.Write(func(tx *store.Tx) error {
			return h.Pathways.Arrange(tx, apptest.Org, e.Patient, list[0].ID, "phone", time.Time{}, true)
		})
		for _, do := range []func() (pathway.Change, error){
			func() (pathway.Change, error) {
				return h.Pathways.Preview(h.Context(), viewer(h.Dana), e.Patient, e.ID, "2")
			},
			func() (pathway.Change, error) {
				return h.Pathways.Migrate(h.Context(), viewer(h.Dana), e.Patient, e.ID, "2")
			},
		} {
			c, err := do()
			if err != nil || c.From != "1" || c.To != "2" || len(c.Added) != 1 || c.Added[0].Title != "D" || len(c.Moved) != 1 || c.Moved[0].Title != "B" || len(c.Withdrawn) != 1 || c.Withdrawn[0].Title != "C" || c.Kept != 1 {
				h.Errorf("%+v %v", c, err)
			}
		}
		want := "A done, D open, B withdrawn, C withdrawn, B open"
		if got := says(); got != want {
			h.Errorf("moved: %s", got)
		}
		c, err := h.Pathways.Migrate(h.Context(), viewer(h.Dana), e.Patient, e.ID, "2")
		if err != nil || len(c.Added)+len(c.Moved)+len(c.Withdrawn) != 0 || says() != want {
			h.Errorf("moved again: %+v %v %s", c, err, says())
		}
		if err := h.Pathways.Again(h.Context(), viewer(h.Dana), e.Patient, e.ID); err != nil || says() != want {
			h.Errorf("applied again: %v %s", err, says())
		}
		h.Read(func(tx *store.Tx) (err error) {
			on, err = h.Pathways.On(tx, apptest.Org, "https://clinic.example/plan", "1")
			return err
		})
		if len(on) != 299 {
			h.Errorf("%d are still on version 1", len(on))
		}
	})
}

func TestWhoMay(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		for _, p := range []person.Person{h.Ruth, h.Elena} {
			if _, err := h.Pathways.Enrol(h.Context(), viewer(p), h.Ruth.ID, heart, h.Clock.Now(), time.Time{}); !fault.Is(err, fault.Denied) {
				h.Errorf("%s: %v", p.Name, err)
			}
		}
		if _, err := h.Pathways.Enrol(h.Context(), viewer(h.Dana), h.Ruth.ID, "https://clinic.example/none", h.Clock.Now(), time.Time{}); !fault.Is(err, fault.NotFound) {
			h.Errorf("no such pathway: %v", err)
		}
		if _, err := h.Pathways.Enrol(h.Context(), viewer(h.Dana), h.Ruth.ID, heart, h.Clock.Now(), h.Clock.Now().AddDate(3, 0, 0)); !fault.Is(err, fault.Invalid) {
			h.Errorf("three years: %v", err)
		}
		for body, want := range map[string]string{`{"resourceType":"Patient"}`: "want a PlanDefinition", `{`: "no FHIR resource", `{"resourceType":"PlanDefinition","url":"u"}`: "version are needed",
			string(definition("1", `{"definitionCanonical":"x|1"}`)): "is not here: load it first"} {
			if err := load(h, []byte(body)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
				h.Errorf("%s: %v", body, err)
			}
		}
	})
}

// What a person's record says of her, conditions can ask; what a pathway asks for is in the record.
func TestRecord(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		if _, err := h.Record.Update(h.Context(), string(apptest.Org), "Patient", "ruth-fhir", []byte(`{"resourceType":"Patient","id":"ruth-fhir","gender":"female","birthDate":"1948-03-02"}`), 0); err != nil {
			h.Fatal(err)
		}
		ruth := h.Ruth
		ruth.Record = "ruth-fhir"
		h.Write(func(tx *store.Tx) error { _, err := h.People.Save(tx, ruth); return err })
		women := `{"id":"a","title":"A","condition":[{"kind":"applicability","expression":{"language":"text/fhirpath","expression":"%patient.gender = 'female'"}}]}`
		if err := load(h, definition("1", women)); err != nil {
			h.Fatal(err)
		}
		enrol(h, "https://clinic.example/plan")
		list := activities(h, h.Ruth)
		if len(list) != 1 {
			h.Fatalf("%+v", list)
		}
		r, err := h.Record.Get(h.Context(), string(apptest.Org), "Task", list[0].Request)
		var task struct{ For struct{ Reference string } }
		if err != nil || json.Unmarshal(r.Body, &task) != nil || task.For.Reference != "Patient/ruth-fhir" {
			h.Errorf("%s %v", r.Body, err)
		}
	})
}
