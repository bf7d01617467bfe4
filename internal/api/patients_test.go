package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

func names(list []object) string {
	var all []string
	for _, x := range list {
		all = append(all, strings.Fields(x["name"].(string))[0])
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestEveryoneSeesTheirOwnPatients(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		for _, x := range []struct {
			who  person.Person
			want string
		}{{h.ruth, "Ruth"}, {h.elena, "Ruth"}, {h.carl, "Ruth"}, {h.dana, "Ruth"}, {h.nia, "Luis"}, {h.omar, "Luis Ruth"}, {h.cleo, "Ruth"}, {h.lea, ""}, {h.olga, ""}} {
			if got := names(h.get(x.who, "/api/v1/patients").items()); got != x.want {
				t.Errorf("%s sees %q, want %q", x.who.Name, got, x.want)
			}
		}
	})
}

func TestEveryPatientRouteAsksTheOneRule(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		for _, what := range []string{"promises", "readings", "doses", "messages", "devices"} {
			path := patientPath(h.ruth, what)
			for _, who := range []person.Person{h.ruth, h.elena, h.dana, h.cleo, h.omar} {
				h.get(who, path).want(200)
			}
			for _, who := range []person.Person{h.nia, h.luis, h.lea, h.olga} {
				h.get(who, path).want(403)
			}
			h.get(person.Person{}, path).want(401)
		}
		h.get(h.carl, patientPath(h.ruth, "promises")).want(200)
		h.get(h.carl, patientPath(h.ruth, "messages")).want(403) // may see the chart, not the thread
		h.get(h.dana, "/api/v1/patients/nobody/promises").want(403)
		h.get(h.dana, patientPath(h.cleo, "promises")).want(404) // of the same team, but no patient

		var lines []person.AuditLine
		h.write(func(tx *store.Tx) {
			var err error
			lines, err = h.Person.AuditOf(tx, org, h.ruth.ID, 100)
			h.must(err)
		})
		seen := map[string]bool{}
		for _, l := range lines {
			if l.Viewer == h.nia.ID {
				seen[l.What] = !l.Allowed
			}
		}
		if len(seen) != 5 || !seen["promises"] || !seen["messages"] {
			t.Errorf("refusals written down: %v", seen)
		}
	})
}

func TestFault32ARevokedLinkRefusesTheNextRequest(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id := h.prescribe()
		token := h.token(h.elena)
		as := func(method, path string, body string) answer {
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "elena-1")
			return h.do(r)
		}
		evidence := `{"patient":"` + string(h.ruth.ID) + `","taken":true}`
		as("GET", patientPath(h.ruth, "doses"), "").want(200)
		as("POST", "/api/v1/promises/"+id+"/evidence", evidence).want(200)
		h.write(func(tx *store.Tx) { h.must(h.Person.Unlink(tx, org, h.ruth.ID, h.elena.ID)) })
		as("GET", patientPath(h.ruth, "doses"), "").want(403)
		as("POST", "/api/v1/promises/"+id+"/evidence", evidence).want(403) // not even the answer that is remembered
		if n := len(as("GET", "/api/v1/patients", "").items()); n != 0 {
			t.Errorf("%d patients", n)
		}
		var lines []person.AuditLine
		h.write(func(tx *store.Tx) {
			var err error
			lines, err = h.Person.AuditOf(tx, org, h.ruth.ID, 100)
			h.must(err)
		})
		saw := slices.ContainsFunc(lines, func(l person.AuditLine) bool { return l.Viewer == h.elena.ID && l.What == "doses" && l.Allowed })
		if !saw {
			t.Error("the audit does not show what had been seen")
		}
	})
}

func TestFault33NoWriteAcrossCharts(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id := h.prescribe()
		// Omar may act for both, but Ruth's promise is not in Luis' chart.
		h.post(h.omar, "/api/v1/promises/"+id+"/evidence", object{"patient": h.luis.ID}).want(404)
		h.post(h.luis, "/api/v1/promises/"+id+"/evidence", object{"patient": h.ruth.ID}).want(403)
		if s := h.get(h.ruth, patientPath(h.ruth, "doses")).items()[0]["status"]; s != "later" {
			t.Error(s)
		}
	})
}

func TestEnrolment(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		ask := object{"name": "Ana Silva", "birth_year": 1960, "language": "es", "zone": "America/Chicago", "phone": "(555) 010-7777", "mail": "Ana@Example.org",
			"consent": []string{"sms"}, "record": "pat-9"}
		got := into[object](h.post(h.dana, "/api/v1/patients", ask).want(201))
		var contacts []person.Contact
		h.write(func(tx *store.Tx) {
			var err error
			contacts, err = h.Person.Contacts(tx, org, person.ID(got["id"].(string)))
			h.must(err)
		})
		if len(contacts) != 2 || contacts[0].Address != "+15550107777" || contacts[0].Consent != person.Given || contacts[1].Consent != person.Unasked {
			t.Errorf("%+v", contacts)
		}
		if names(h.get(h.dana, "/api/v1/patients").items()) != "Ana Ruth" || names(h.get(h.nia, "/api/v1/patients").items()) != "Luis" {
			t.Error("enrolled into the wrong team")
		}
		h.post(h.dana, "/api/v1/patients", ask).want(409) // the record is here already
		for name, bad := range map[string]object{
			"no name":         {"birth_year": 1960},
			"no year":         {"name": "A B"},
			"year to come":    {"name": "A B", "birth_year": 2060},
			"foreign team":    {"name": "A B", "birth_year": 1960, "team": "other"},
			"no such zone":    {"name": "A B", "birth_year": 1960, "zone": "Mars/Base"},
			"bad phone":       {"name": "A B", "birth_year": 1960, "phone": "call me"},
			"bad mail":        {"name": "A B", "birth_year": 1960, "mail": "nowhere"},
			"bad language":    {"name": "A B", "birth_year": 1960, "language": "tlh"},
			"unknown channel": {"name": "A B", "birth_year": 1960, "consent": []string{"pigeon"}},
			"unknown field":   {"name": "A B", "birth_year": 1960, "nickname": "x"},
		} {
			if a := h.post(h.dana, "/api/v1/patients", bad); a.status != 422 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
		plain := object{"name": "A B", "birth_year": 1960}
		h.post(h.omar, "/api/v1/patients", plain).want(422) // two teams: which?
		for _, who := range []person.Person{h.cleo, h.ruth, h.elena, h.lea, h.olga} {
			h.post(who, "/api/v1/patients", plain).want(403)
		}
	})
}

func TestProblemsTellNothingOfWhatWasSent(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.post(h.dana, "/api/v1/patients", `{"name": "Ana`).want(400)
		a := h.post(h.dana, "/api/v1/patients", object{"name": strings.Repeat("Secret", 100), "birth_year": "Secret"}).want(422)
		if strings.Contains(a.body, "Secret") {
			t.Error(a.body)
		}
		h.call(h.dana, "POST", "/api/v1/patients", "name=A", "Content-Type", "text/plain").want(415)
		h.post(h.dana, "/api/v1/patients", `{"name":"`+strings.Repeat("x", 300<<10)+`"}`).want(413)
		h.get(h.dana, "/api/v1/nothing").want(404)
		a = h.call(h.dana, "DELETE", "/api/v1/patients", nil).want(405)
		if a.header.Get("Allow") != "GET, POST" {
			t.Error(a.header)
		}
		for _, query := range []string{"limit=0", "limit=10001", "limit=x", "cursor=%25", "cursor=" + strings.Repeat("a", 400)} {
			h.get(h.dana, "/api/v1/patients?"+query).want(422)
		}
		for _, query := range []string{"from=yesterday", "to=2026-02-30", "from=2026-03-10&to=2026-03-09", "cursor=eA"} {
			h.get(h.dana, patientPath(h.ruth, "promises?"+query)).want(422)
		}
		h.get(h.dana, patientPath(h.ruth, "doses?day=monday")).want(422)
		h.call(person.Person{}, "GET", "/api/v1/patients", nil, "Authorization", "Bearer wrong").want(401)
		a = h.call(person.Person{}, "GET", "/api/v1/patients", nil, "Authorization", "Basic eDp5").want(401)
		if a.header.Get("WWW-Authenticate") != "Bearer" {
			t.Error(a.header)
		}
		if strings.Contains(h.log.String(), "Secret") {
			t.Error(h.log)
		}
	})
}

func TestThePagesCookieSignsInFromOurOwnPagesOnly(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		cookie := "doorstep=" + h.token(h.dana)
		h.call(person.Person{}, "GET", "/api/v1/patients", nil, "Cookie", cookie).want(200)
		body := object{"kind": "scale"}
		h.call(person.Person{}, "POST", "/api/v1/devices", body, "Cookie", cookie, "Sec-Fetch-Site", "same-origin").want(201)
		h.call(person.Person{}, "POST", "/api/v1/devices", body, "Cookie", cookie, "Sec-Fetch-Site", "cross-site").want(403)
		h.call(person.Person{}, "GET", "/api/v1/patients", nil, "Cookie", "doorstep=old").want(401)
	})
}

func TestTheDescription(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		doc := into[struct {
			OpenAPI    string
			Paths      map[string]map[string]json.RawMessage
			Components struct{ Schemas, SecuritySchemes map[string]json.RawMessage }
		}](h.get(person.Person{}, "/api/openapi.json").want(200))
		if !strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Components.SecuritySchemes) != 2 {
			t.Error(doc.OpenAPI)
		}
		for path, methods := range map[string]string{"/api/v1/patients": "get post", "/api/v1/patients/{id}/promises": "get", "/api/v1/promises/{id}/evidence": "post",
			"/api/v1/patients/{id}/readings": "get", "/api/v1/patients/{id}/messages": "get", "/api/v1/patients/{id}/doses": "get", "/api/v1/patients/{id}/regimens": "post",
			"/api/v1/patients/{id}/devices": "get", "/api/v1/devices": "get post", "/api/v1/devices/{id}/assignments": "post", "/api/v1/devices/{id}/assignments/end": "post",
			"/api/v1/devices/{device}/readings": "post", "/api/v1/desk/risk": "get", "/api/v1/desk/tasks/{id}/take": "post", "/api/v1/desk/tasks/{id}/finish": "post",
			"/api/v1/desk/tasks/{id}/snooze": "post"} {
			for method := range strings.FieldsSeq(methods) {
				if doc.Paths[path][method] == nil {
					t.Errorf("%s %s is not described", method, path)
				}
			}
		}
		// Every reference leads somewhere.
		text := h.get(person.Person{}, "/api/openapi.json").body
		if strings.Contains(text, "octet-stream") {
			t.Error("a body is described that is not taken")
		}
		for _, ref := range strings.Split(text, `"$ref":"#/components/schemas/`)[1:] {
			name, _, _ := strings.Cut(ref, `"`)
			if doc.Components.Schemas[name] == nil {
				t.Errorf("no schema %s", name)
			}
		}
	})
}

func TestPartsOfAList(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		for range 5 {
			h.post(h.dana, "/api/v1/devices", object{"kind": "scale"}).want(201)
		}
		var seen []string
		path := "/api/v1/devices?limit=2"
		for next, parts := "", 0; parts == 0 || next != ""; parts++ {
			list := into[struct {
				Items []object
				Next  string
			}](h.get(h.dana, path+"&cursor="+next).want(200))
			for _, x := range list.Items {
				seen = append(seen, x["id"].(string))
			}
			if next = list.Next; parts > 5 {
				t.Fatal("no end")
			}
		}
		if len(seen) != 5 || !slices.IsSorted(seen) || len(slices.Compact(seen)) != 5 {
			t.Error(seen)
		}
	})
}
