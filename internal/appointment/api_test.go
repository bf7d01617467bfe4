package appointment_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// The JSON API from the search to the offer on the waitlist, with the rights of the pages.
func TestVisitsByAPI(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		handler, err := c.Handler(c.Context(), app.Edges{})
		if err != nil {
			c.Fatal(err)
		}
		token := func(p person.Person) (t string) {
			c.Write(func(tx *store.Tx) (err error) { t, _, err = c.People.NewSession(tx, p); return err })
			return t
		}
		ruth, omar := token(c.Ruth), token(c.Omar)
		call := func(token, method, path, body string, want int) map[string]any {
			c.Helper()
			r := httptest.NewRequest(method, "https://elm.example/api/v1"+path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			if method == "POST" {
				r.Header.Set("Idempotency-Key", method+path+body)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != want {
				c.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, want, w.Body)
			}
			var out map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
				c.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
			}
			return out
		}
		items := func(m map[string]any) []any { return m["items"].([]any) }

		// The desk makes a clinician and a type of visit; what is wrong is named.
		dermatologist := `{"id":"vega","kind":"clinician","name":"Dr. Vega","active":true,"hours":[{"tz":"America/New_York","ways":["phone"],"weekly":[{"days":[2],"start":"08:00","end":"10:00"}]}]}`
		call(ruth, "POST", "/resources", dermatologist, http.StatusForbidden)
		call(omar, "POST", "/resources", strings.Replace(dermatologist, "America/New_York", "Mars/Base", 1), http.StatusUnprocessableEntity)
		call(omar, "POST", "/resources", dermatologist, http.StatusOK)
		call(omar, "POST", "/visit-types", `{"id":"skin","name":{"en":"Skin"},"offers":[{"way":"phone","minutes":30,"needs":["clinician"]}],"lead_minutes":0,"horizon_days":14,"grid_minutes":30,"active":true}`, http.StatusOK)
		if got := len(items(call(omar, "GET", "/visit-types", "", http.StatusOK))); got != 4 {
			c.Errorf("the desk sees %d types", got)
		}
		if got := len(items(call(ruth, "GET", "/visit-types", "", http.StatusOK))); got != 3 {
			c.Errorf("a patient sees %d types", got)
		}

		found := call(ruth, "GET", "/slots?type=skin&clinician=vega&limit=2&patient="+string(c.Ruth.ID), "", http.StatusOK)
		first := items(found)[0].(map[string]any)
		if len(items(found)) != 2 || first["start"] != "2026-03-03T08:00:00-05:00" || first["with"] != "Dr. Vega" || found["next"] == "" {
			c.Fatalf("slots %v", found)
		}
		if rest := items(call(ruth, "GET", "/slots?type=skin&clinician=vega&cursor="+url.QueryEscape(found["next"].(string)), "", http.StatusOK)); len(rest) != 6 {
			c.Errorf("the rest is %d", len(rest))
		}
		body := `{"type":"skin","way":"phone","start":"2026-03-03T08:00:00-05:00","resources":["vega"],"words":"A rash"}`
		mine := "/patients/" + string(c.Ruth.ID)
		booked := call(ruth, "POST", mine+"/appointments", body, http.StatusCreated)
		if again := call(ruth, "POST", mine+"/appointments", body, http.StatusCreated); again["id"] != booked["id"] || booked["state"] != "booked" {
			c.Errorf("booked %v, again %v", booked, again)
		}
		elena := token(c.Elena)
		other := c.Enrol(person.Person{Role: person.Patient, Name: "Ben Cole", BirthYear: 1950}, "+15550100077")
		ben := token(other)
		call(ben, "GET", mine+"/appointments", "", http.StatusForbidden)
		call(ben, "POST", "/patients/"+string(other.ID)+"/appointments", body, http.StatusConflict)
		call(ben, "POST", fmt.Sprintf("/appointments/%s/cancel", booked["id"]), "", http.StatusForbidden)
		call(ben, "POST", "/patients/"+string(other.ID)+"/waitlist", `{"type":"skin","notice_minutes":60}`, http.StatusCreated)
		call(elena, "POST", fmt.Sprintf("/appointments/%s/confirm", booked["id"]), "", http.StatusOK)
		if got := items(call(omar, "GET", "/appointments?from=2026-03-03T00:00:00Z&to=2026-03-04T00:00:00Z", "", http.StatusOK)); len(got) != 1 || got[0].(map[string]any)["confirmed"] == nil {
			c.Errorf("the desk's day %v", got)
		}
		call(elena, "POST", fmt.Sprintf("/appointments/%s/cancel", booked["id"]), "", http.StatusOK)
		c.fill()
		waits := items(call(ben, "GET", "/patients/"+string(other.ID)+"/waitlist", "", http.StatusOK))
		offer := waits[0].(map[string]any)["offers"].([]any)[0].(map[string]any)
		call(ruth, "POST", fmt.Sprintf("/patients/%s/offers/%s", c.Ruth.ID, offer["id"]), `{"yes":true}`, http.StatusNotFound)
		if got := call(ben, "POST", fmt.Sprintf("/patients/%s/offers/%s", other.ID, offer["id"]), `{"yes":true}`, http.StatusOK); got["state"] != "booked" || got["patient"] != string(other.ID) {
			c.Errorf("taken %v", got)
		}
		moved := items(call(omar, "POST", "/resources/vega/moves", `{"from":"2026-03-03T00:00:00Z","to":"2026-03-04T00:00:00Z"}`, http.StatusOK))
		if len(moved) != 1 || moved[0].(map[string]any)["new"].(map[string]any)["start"] != "2026-03-03T09:00:00-05:00" {
			c.Errorf("moved %v", moved)
		}
		if got := items(call(omar, "GET", "/resources", "", http.StatusOK)); len(got) != 5 {
			c.Errorf("%d resources", len(got))
		}
	})
}
