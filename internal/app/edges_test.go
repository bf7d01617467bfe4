package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/app/apptest"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// The record's door: the base itself takes bundles, a session that has ended is asked to sign in again, and another site cannot use
// the cookie of a page.
func TestFHIRDoor(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		handler, err := h.Handler(h.Context(), app.Edges{})
		if err != nil {
			h.Fatal(err)
		}
		var token string
		h.Write(func(tx *store.Tx) (err error) {
			token, _, err = h.People.NewSession(tx, h.Dana)
			return err
		})
		const batch = `{"resourceType":"Bundle","type":"batch","entry":[]}`
		for _, c := range []struct {
			name, method, path, body, header, value, site string
			want                                          int
		}{
			{"nobody", "GET", "/fhir/Patient", "", "", "", "", 401},
			{"an old session", "GET", "/fhir/Patient", "", "Authorization", "Bearer nobodys", "", 401},
			{"a nurse", "GET", "/fhir/Patient", "", "Authorization", "Bearer " + token, "", 200},
			{"the base", "POST", "/fhir", batch, "Authorization", "Bearer " + token, "", 200},
			{"our page", "POST", "/fhir/", batch, "Cookie", "doorstep=" + token, "same-origin", 200},
			{"another site", "POST", "/fhir/", batch, "Cookie", "doorstep=" + token, "cross-site", 403},
		} {
			r := httptest.NewRequest(c.method, "https://elm.example"+c.path, strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/fhir+json")
			for k, v := range map[string]string{c.header: c.value, "Sec-Fetch-Site": c.site} {
				if k != "" && v != "" {
					r.Header.Set(k, v)
				}
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != c.want || c.want == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
				h.Errorf("%s: %d, want %d: %s", c.name, w.Code, c.want, w.Body)
			}
		}
	})
}

// Who looks into the record through FHIR is written down; where the request names a patient, it is a look into her chart, which staff
// of another team may not have.
func TestFHIRIsAudited(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		handler, err := h.Handler(h.Context(), app.Edges{})
		if err != nil {
			h.Fatal(err)
		}
		h.Ruth.Record = "ruth-record"
		var dana, nia string
		h.Write(func(tx *store.Tx) error {
			if _, err := h.People.Save(tx, h.Ruth); err != nil {
				return err
			}
			other, err := h.People.Save(tx, person.Person{Org: apptest.Org, Role: person.Nurse, Name: "Nia Brooks", Language: "en", Zone: "America/New_York"})
			if err != nil {
				return err
			}
			if nia, _, err = h.People.NewSession(tx, other); err != nil {
				return err
			}
			dana, _, err = h.People.NewSession(tx, h.Dana)
			return err
		})
		ask := func(token, path string) int {
			r := httptest.NewRequest("GET", "https://elm.example"+path, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w.Code
		}
		paths := []string{"/fhir/Observation?subject=Patient/ruth-record", "/fhir/Observation?patient=ruth-record", "/fhir/Patient?_id=ruth-record", "/fhir/Patient/ruth-record/_history"}
		for _, path := range paths {
			if code := ask(nia, path); code != 403 {
				h.Errorf("a nurse of another team: %s: %d", path, code)
			}
			if code := ask(dana, path); code == 403 {
				h.Errorf("her nurse: %s: %d", path, code)
			}
			h.Clock.Advance(2 * time.Minute)
		}
		var lines, whole []person.AuditLine
		h.Write(func(tx *store.Tx) (err error) {
			if lines, err = h.People.AuditOf(tx, apptest.Org, h.Ruth.ID, 20); err != nil {
				return err
			}
			return err
		})
		if len(lines) != 2*len(paths) {
			h.Errorf("%d looks are written down, want %d: %+v", len(lines), 2*len(paths), lines)
		}
		if code := ask(dana, "/fhir/Observation?code=29463-7"); code != 200 {
			h.Errorf("%d", code)
		}
		h.Write(func(tx *store.Tx) (err error) { whole, err = h.People.AuditOf(tx, apptest.Org, "", 20); return err })
		if len(whole) != 1 || whole[0].What != "record Observation" || whole[0].Viewer != h.Dana.ID {
			h.Errorf("%+v", whole)
		}
	})
}
