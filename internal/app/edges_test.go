package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorstep/internal/app"
	"doorstep/internal/app/apptest"
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
