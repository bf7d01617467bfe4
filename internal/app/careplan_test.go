package app_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"doorstep/internal/app"
	"doorstep/internal/app/apptest"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// $apply answers what a pathway asks for and stores nothing: from a shipped plan by its canonical, one in the record, or one in the body; who may
// not see the chart gets nothing.
func TestApplyOperation(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		handler, err := h.Handler(h.Context(), app.Edges{})
		if err != nil {
			h.Fatal(err)
		}
		for _, body := range []string{`{"resourceType":"Patient","id":"ruth-record","gender":"female","birthDate":"1947-05-02"}`,
			`{"resourceType":"PlanDefinition","id":"p1","url":"https://clinic.example/p","version":"1","title":"P","status":"active","action":[{"id":"a","title":"A"}]}`} {
			if _, err := h.Record.Update(h.Context(), string(apptest.Org), strings.Split(body, `"`)[3], strings.Split(body, `"`)[7], []byte(body), 0); err != nil {
				h.Fatal(err)
			}
		}
		h.Ruth.Record = "ruth-record"
		tokens := map[string]string{}
		h.Write(func(tx *store.Tx) error {
			if _, err := h.People.Save(tx, h.Ruth); err != nil {
				return err
			}
			other, err := h.People.Save(tx, person.Person{Org: apptest.Org, Role: person.Nurse, Name: "Nia Brooks", Language: "en", Zone: "America/New_York"})
			if err != nil {
				return err
			}
			for name, p := range map[string]person.Person{"dana": h.Dana, "nia": other, "ruth": h.Ruth} {
				if tokens[name], _, err = h.People.NewSession(tx, p); err != nil {
					return err
				}
			}
			return nil
		})
		const shipped = "canonical=https://doorstep.health/fhir/PlanDefinition/heart-failure-after-discharge%7C1.0.0"
		women := `{"resourceType":"PlanDefinition","url":"u","version":"1","action":[{"title":"A","condition":[{"kind":"applicability","expression":{"language":"text/fhirpath","expression":"%patient.gender = 'female'"}}]}]}`
		for _, c := range []struct {
			name, who, method, path, body string
			code, contained               int
			says                          string
		}{
			{"a shipped plan", "dana", "GET", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record&" + shipped, "", 200, 11, ""},
			{"the patient herself", "ruth", "GET", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record&" + shipped, "", 200, 11, ""},
			{"one of the record", "dana", "POST", "/fhir/PlanDefinition/p1/$apply?subject=ruth-record", "", 200, 1, ""},
			{"one of the body", "dana", "POST", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record", women, 200, 1, ""},
			{"one in Parameters", "dana", "POST", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record", `{"resourceType":"Parameters","parameter":[{"name":"planDefinition","resource":` + women + `}]}`, 200, 1, ""},
			{"the patient's own plan", "ruth", "POST", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record", women, 403, 0, "may not bring a plan"},
			{"CQL", "dana", "POST", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record", strings.Replace(women, "text/fhirpath", "text/cql", 1), 400, 0, "no CQL"},
			{"nobody", "dana", "GET", "/fhir/PlanDefinition/$apply?" + shipped, "", 400, 0, "needs a subject"},
			{"somebody else", "dana", "GET", "/fhir/PlanDefinition/$apply?subject=Patient/none&" + shipped, "", 404, 0, ""},
			{"another team's nurse", "nia", "GET", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record&" + shipped, "", 403, 0, ""},
			{"no plan", "dana", "GET", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record", "", 400, 0, "needs a plan"},
			{"no such plan", "dana", "GET", "/fhir/PlanDefinition/$apply?subject=Patient/ruth-record&canonical=x", "", 404, 0, ""},
		} {
			r := httptest.NewRequest(c.method, "https://elm.example"+c.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer "+tokens[c.who])
			r.Header.Set("Content-Type", "application/fhir+json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			var plan struct {
				ResourceType string
				Contained    []json.RawMessage
			}
			if err := json.Unmarshal(w.Body.Bytes(), &plan); w.Code != c.code || err != nil || len(plan.Contained) != c.contained || !strings.Contains(w.Body.String(), c.says) || c.code == 200 && plan.ResourceType != "CarePlan" {
				h.Errorf("%s: %d, %d contained: %.300s", c.name, w.Code, len(plan.Contained), w.Body)
			}
		}
		h.Read(func(tx *store.Tx) error {
			list, err := h.Pathways.Activities(tx, apptest.Org, h.Ruth.ID)
			if len(list) > 0 {
				h.Errorf("%d activities were stored", len(list))
			}
			return err
		})
	})
}
