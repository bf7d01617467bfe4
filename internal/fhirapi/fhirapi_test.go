package fhirapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhirapi"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// tokens is an Authorizer: "staff", "reader", or "patient <id>".
type tokens struct{}

func (tokens) Access(r *http.Request) (fhirapi.Access, error) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if id, ok := strings.CutPrefix(token, "patient "); ok {
		return fhirapi.Access{Org: "clinic", Patient: id, Write: true}, nil
	}
	switch token {
	case "staff":
		return fhirapi.Access{Org: "clinic", Write: true}, nil
	case "reader":
		return fhirapi.Access{Org: "clinic"}, nil
	}
	return fhirapi.Access{}, fhirapi.ErrSignIn
}

type client struct {
	t *testing.T
	h http.Handler
}

func each(t *testing.T, fn func(t *testing.T, c client)) {
	t.Helper()
	storetest.Each(t, []storetest.Room{{Name: "record", FS: record.Migrations}}, func(t *testing.T, db *store.DB) {
		now := clock.NewSim(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
		rec := record.New(db, now, clock.SeededIDs(now, 1))
		fn(t, client{t, fhirapi.Handler(rec, tokens{}, nil)})
	})
}

// do sends a request; head are header lines "Name: value". It answers the response and its JSON.
func (c client) do(token, method, path, body string, head ...string) (*http.Response, map[string]any) {
	c.t.Helper()
	r := httptest.NewRequest(method, "http://host/fhir"+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for _, h := range head {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	var out map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			c.t.Errorf("%s %s: not JSON: %v %s", method, path, err, w.Body)
		}
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/fhir+json") {
			c.t.Errorf("%s %s: %s", method, path, got)
		}
	}
	return w.Result(), out
}

// want sends a request and checks the status; errors must be OperationOutcomes.
func (c client) want(status int, token, method, path, body string, head ...string) map[string]any {
	c.t.Helper()
	res, out := c.do(token, method, path, body, head...)
	if res.StatusCode != status {
		c.t.Errorf("%s %s: %d, want %d: %v", method, path, res.StatusCode, status, out)
	}
	if res.StatusCode >= 400 && out["resourceType"] != "OperationOutcome" {
		c.t.Errorf("%s %s: an error that is no OperationOutcome: %v", method, path, out)
	}
	return out
}

func entries(out map[string]any) (names []string) {
	list, _ := out["entry"].([]any)
	for _, e := range list {
		r, _ := e.(map[string]any)["resource"].(map[string]any)
		names = append(names, fmt.Sprint(r["resourceType"], "/", r["id"]))
	}
	return names
}

func TestLifeOfAResource(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c client) {
		res, out := c.do("staff", "POST", "/Patient", `{"resourceType":"Patient","id":"mine","name":[{"family":"A"}],"x":1.00}`)
		id, _ := out["id"].(string)
		if res.StatusCode != 201 || id == "" || id == "mine" || res.Header.Get("ETag") != `W/"1"` ||
			res.Header.Get("Location") != "http://host/fhir/Patient/"+id+"/_history/1" {
			t.Fatalf("%d %v %v", res.StatusCode, res.Header, out)
		}
		meta := out["meta"].(map[string]any)
		if meta["versionId"] != "1" || meta["lastUpdated"] != "2026-03-01T08:00:00.000000Z" {
			t.Errorf("%v", meta)
		}
		c.want(200, "staff", "GET", "/Patient/"+id, "")
		c.want(304, "staff", "GET", "/Patient/"+id, "", `If-None-Match: W/"1"`)
		put := `{"resourceType":"Patient","id":"` + id + `","name":[{"family":"B"}]}`
		c.want(200, "staff", "PUT", "/Patient/"+id, put, `If-Match: W/"1"`)
		c.want(412, "staff", "PUT", "/Patient/"+id, put, `If-Match: W/"1"`)
		c.want(400, "staff", "PUT", "/Patient/other", put)
		c.want(400, "staff", "PUT", "/Observation/"+id, put)
		c.want(201, "staff", "PUT", "/Patient/chosen", `{"resourceType":"Patient","id":"chosen"}`)
		if out := c.want(200, "staff", "GET", "/Patient/"+id+"/_history/1", ""); fmt.Sprint(out["name"]) != "[map[family:A]]" {
			t.Errorf("%v", out)
		}
		c.want(404, "staff", "GET", "/Patient/"+id+"/_history/9", "")
		c.want(204, "staff", "DELETE", "/Patient/"+id, "")
		c.want(204, "staff", "DELETE", "/Patient/"+id, "")
		c.want(410, "staff", "GET", "/Patient/"+id, "")
		if out := c.want(200, "staff", "GET", "/Patient/"+id+"/_history", ""); len(entries(out)) != 3 {
			t.Errorf("%v", out)
		}
		if out := c.want(200, "staff", "GET", "/Patient?name=b", ""); len(entries(out)) != 0 {
			t.Errorf("a deleted one is found: %v", out)
		}
		if out := c.want(200, "staff", "GET", "/Patient/_history?_count=2", ""); len(entries(out)) != 2 || len(out["link"].([]any)) != 2 {
			t.Errorf("%v", out)
		}
		c.want(201, "staff", "PUT", "/Patient/"+id, put)
	})
}

func TestConditions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c client) {
		p := `{"resourceType":"Patient","identifier":[{"system":"mrn","value":"1"}]}`
		c.want(201, "staff", "POST", "/Patient", p, "If-None-Exist: identifier=mrn|1")
		c.want(200, "staff", "POST", "/Patient", p, "If-None-Exist: identifier=mrn|1")
		c.want(200, "staff", "PUT", "/Patient?identifier=mrn|1", `{"resourceType":"Patient","active":true,"identifier":[{"system":"mrn","value":"1"}]}`)
		c.want(201, "staff", "PUT", "/Patient?identifier=mrn|2", `{"resourceType":"Patient","identifier":[{"system":"mrn","value":"2"}]}`)
		c.want(201, "staff", "POST", "/Patient", p)
		c.want(412, "staff", "POST", "/Patient", p, "If-None-Exist: identifier=mrn|1")
		c.want(412, "staff", "PUT", "/Patient?identifier=mrn|1", p)
		c.want(400, "staff", "POST", "/Patient", p, "If-None-Exist: nonsense=1")
	})
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c client) {
		c.want(401, "", "GET", "/Patient", "")
		c.want(403, "reader", "POST", "/Patient", `{"resourceType":"Patient"}`)
		c.want(403, "reader", "DELETE", "/Patient/x", "")
		c.want(415, "staff", "POST", "/Patient", "<Patient/>", "Content-Type: application/fhir+xml")
		c.want(406, "staff", "GET", "/Patient", "", "Accept: application/fhir+xml")
		c.want(404, "staff", "GET", "/Wonder", "")
		c.want(404, "staff", "GET", "/Patient/none", "")
		c.want(404, "staff", "GET", "/Patient/$everything", "")
		c.want(405, "staff", "PATCH", "/Patient/x", "")
		c.want(400, "staff", "GET", "/Patient?birthdate=soon", "")
		c.want(400, "staff", "POST", "/Patient", `{"resourceType":"Patient",`)
		c.want(413, "staff", "POST", "/Patient", `{"resourceType":"Patient","x":"`+strings.Repeat("a", 17<<20)+`"}`)
		out := c.want(400, "staff", "POST", "/Patient", `{"resourceType":"Patient","birthDate":"2025-02-30"}`)
		issue := out["issue"].([]any)[0].(map[string]any)
		if fmt.Sprint(issue["expression"]) != "[birthDate]" || strings.Contains(fmt.Sprint(issue["diagnostics"]), "2025") {
			t.Errorf("%v", issue)
		}
		if out := c.want(200, "staff", "GET", "/Patient?nonsense=1", ""); entries(out)[0] != "OperationOutcome/<nil>" {
			t.Errorf("an unknown parameter was ignored: %v", out)
		}
		c.want(400, "staff", "GET", "/Patient?nonsense=1", "", "Prefer: handling=strict")
	})
}

func TestSearchOverHTTP(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c client) {
		for i := range 3 {
			c.want(201, "staff", "PUT", fmt.Sprintf("/Observation/o%d", i), fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","subject":{"reference":"Patient/p"},"effectiveDateTime":"2024-01-0%d"}`, i, i+1))
		}
		out := c.want(200, "reader", "GET", "/Observation?subject=http://host/fhir/Patient/p&_sort=-date&_count=2", "")
		if got := fmt.Sprint(entries(out)); got != "[Observation/o2 Observation/o1]" {
			t.Errorf("%s", got)
		}
		next := out["link"].([]any)[1].(map[string]any)["url"].(string)
		out = c.want(200, "reader", "GET", strings.TrimPrefix(next, "http://host/fhir"), "")
		if got := fmt.Sprint(entries(out)); got != "[Observation/o0]" {
			t.Errorf("the next page: %s", got)
		}
		out = c.want(200, "reader", "POST", "/Observation/_search", "patient=p&date=2024-01-01", "Content-Type: application/x-www-form-urlencoded")
		if got := fmt.Sprint(entries(out)); got != "[Observation/o0]" {
			t.Errorf("posted: %s", got)
		}
	})
}

func TestTransactionIsAtomic(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c client) {
		good := `{"resourceType":"Bundle","type":"transaction","entry":[
 {"fullUrl":"urn:uuid:o","resource":{"resourceType":"Observation","id":"theirs","subject":{"reference":"urn:uuid:p"},"performer":[{"reference":"Practitioner?identifier=npi|9"}]},"request":{"method":"POST","url":"Observation"}},
 {"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","id":"theirs","identifier":[{"value":"urn:uuid:p"}]},"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:uuid:p"}},
 {"resource":{"resourceType":"Task","id":"t","for":{"reference":"urn:uuid:p"}},"request":{"method":"PUT","url":"Task/t"}},
 {"request":{"method":"GET","url":"Task?_id=t"}},
 {"request":{"method":"DELETE","url":"Task/none"}}]}`
		out := c.want(412, "staff", "POST", "", good) // nobody has npi 9
		if !strings.Contains(fmt.Sprint(out), "entry 0") {
			t.Errorf("which entry? %v", out)
		}
		for _, typ := range []string{"Patient", "Observation", "Task"} {
			if out := c.want(200, "staff", "GET", "/"+typ, ""); len(entries(out)) != 0 {
				t.Errorf("a failed transaction left a %s", typ)
			}
		}
		c.want(201, "staff", "PUT", "/Practitioner/dr", `{"resourceType":"Practitioner","id":"dr","identifier":[{"system":"npi","value":"9"}]}`)
		out = c.want(200, "staff", "POST", "/", good)
		if out["type"] != "transaction-response" || len(out["entry"].([]any)) != 5 {
			t.Fatalf("%v", out)
		}
		p := c.want(200, "staff", "GET", "/Patient", "")["entry"].([]any)[0].(map[string]any)["resource"].(map[string]any)
		if id := p["id"]; id == "theirs" || fmt.Sprint(p["identifier"]) != "[map[value:urn:uuid:p]]" {
			t.Errorf("%v", p)
		}
		o := c.want(200, "staff", "GET", "/Observation?patient="+p["id"].(string)+"&performer=Practitioner/dr", "")
		if len(entries(o)) != 1 {
			t.Errorf("%v", o)
		}
		task := out["entry"].([]any)[3].(map[string]any)["resource"].(map[string]any)
		if len(entries(task)) != 1 {
			t.Errorf("GET runs after the writes: %v", task)
		}
		c.want(200, "staff", "POST", "", good)
		if out := c.want(200, "staff", "GET", "/Patient", ""); len(entries(out)) != 1 {
			t.Error("ifNoneExist made a second patient")
		}
		c.want(400, "staff", "POST", "", `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","id":"a"},"request":{"method":"PUT","url":"Patient/a"}},{"resource":{"resourceType":"Patient","id":"a","active":true},"request":{"method":"PUT","url":"Patient/a"}}]}`)
		c.want(404, "staff", "GET", "/Patient/a", "")
		out = c.want(200, "staff", "POST", "", `{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","id":"a"},"request":{"method":"PUT","url":"Patient/a"}},{"resource":{"resourceType":"Patient","id":"b","birthDate":"x"},"request":{"method":"PUT","url":"Patient/b"}}]}`)
		if s := fmt.Sprint(out); !strings.Contains(s, "201 Created") || !strings.Contains(s, "status:400") {
			t.Errorf("batch: %s", s)
		}
	})
}

func TestPatientAccessDoesNotLeak(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c client) {
		for _, r := range []string{
			`{"resourceType":"Patient","id":"ana","generalPractitioner":[{"reference":"Practitioner/dr"}],"link":[{"other":{"reference":"Patient/bob"},"type":"seealso"}]}`,
			`{"resourceType":"Patient","id":"bob"}`, `{"resourceType":"Practitioner","id":"dr"}`,
			`{"resourceType":"Observation","id":"a","subject":{"reference":"Patient/ana"}}`,
			`{"resourceType":"Observation","id":"b","subject":{"reference":"Patient/bob"},"performer":[{"reference":"Patient/ana"}]}`,
		} {
			var x struct{ ResourceType, ID string }
			json.Unmarshal([]byte(r), &x)
			c.want(201, "staff", "PUT", "/"+x.ResourceType+"/"+x.ID, r)
		}
		ana := "patient ana"
		for path, want := range map[string]string{
			"/Patient":                           "[Patient/ana]",
			"/Patient?_include=Patient:link":     "[Patient/ana]",
			"/Patient?_include=*":                "[Patient/ana Practitioner/dr]",
			"/Patient?_id=bob":                   "[]",
			"/Observation":                       "[Observation/a]",
			"/Observation?performer=Patient/ana": "[]",
			"/Observation?subject=bob":           "[]",
			"/Observation/_history":              "[Observation/a]",
			"/Patient/_history":                  "[Patient/ana]",
			"/Practitioner?_revinclude=Patient:general-practitioner": "[Practitioner/dr Patient/ana]",
		} {
			if got := fmt.Sprint(entries(c.want(200, ana, "GET", path, ""))); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
		for _, path := range []string{"/Patient/bob", "/Observation/b", "/Observation/b/_history", "/Observation/b/_history/1", "/Patient/bob/_history/1"} {
			c.want(404, ana, "GET", path, "")
		}
		c.want(201, ana, "POST", "/Observation", `{"resourceType":"Observation","subject":{"reference":"Patient/ana"}}`)
		c.want(403, ana, "POST", "/Observation", `{"resourceType":"Observation","subject":{"reference":"Patient/bob"}}`)
		c.want(403, ana, "POST", "/Observation", `{"resourceType":"Observation","subject":{"reference":"Patient/ana"}}`, "If-None-Exist: subject=Patient/bob")
		c.want(403, ana, "POST", "/Practitioner", `{"resourceType":"Practitioner"}`)
		c.want(403, ana, "PUT", "/Patient/ana", `{"resourceType":"Patient","id":"ana"}`)
		c.want(404, ana, "PUT", "/Observation/b", `{"resourceType":"Observation","id":"b","subject":{"reference":"Patient/ana"}}`)
		c.want(200, ana, "PUT", "/Observation/a", `{"resourceType":"Observation","id":"a","status":"final","subject":{"reference":"Patient/ana"}}`)
		c.want(403, ana, "DELETE", "/Observation/a", "")
		c.want(403, ana, "POST", "", `{"resourceType":"Bundle","type":"batch","entry":[]}`)
	})
}

func TestCapabilityStatementIsTheTable(t *testing.T) {
	t.Parallel()
	h := client{t, fhirapi.Handler(nil, tokens{}, nil)}
	out := h.want(200, "", "GET", "/metadata", "")
	rest := out["rest"].([]any)[0].(map[string]any)
	if out["fhirVersion"] != "4.0.1" || len(rest["resource"].([]any)) < 140 {
		t.Errorf("%v", out["fhirVersion"])
	}
}
