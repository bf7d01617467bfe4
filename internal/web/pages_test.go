package web

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// client follows no redirects, so that tests see them.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (h *clinic) do(r *http.Request) (*http.Response, string) {
	h.t.Helper()
	answer, err := client.Do(r)
	h.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	h.must(err)
	return answer, plainTimes.Replace(string(body))
}

// plainTimes takes the no-break space out of clock times (unbroken), which the tests write plainly.
var plainTimes = strings.NewReplacer("\u00a0am", " am", "\u00a0pm", " pm")

// get and post ask as whoever holds the token.
func (h *clinic) get(token, path string) (*http.Response, string) {
	h.t.Helper()
	r, err := http.NewRequest("GET", h.web.URL+path, nil)
	h.must(err)
	if token != "" {
		r.AddCookie(&http.Cookie{Name: "doorstep", Value: token})
	}
	return h.do(r)
}

func (h *clinic) post(token, path string, form ...string) (*http.Response, string) {
	h.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		v.Set(form[i], form[i+1])
	}
	r, err := http.NewRequest("POST", h.web.URL+path, strings.NewReader(v.Encode()))
	h.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		r.AddCookie(&http.Cookie{Name: "doorstep", Value: token})
	}
	return h.do(r)
}

func (h *clinic) dueDose(p person.Person) medication.Dose {
	h.t.Helper()
	var due medication.Dose
	h.must(h.DB.Read(h.t.Context(), func(tx *store.Tx) error {
		list, err := h.Medication.Day(tx, h.org, p.ID, p.DayOf(h.clock.Now()))
		for _, d := range list {
			if d.Status == medication.Due {
				due = d
			}
		}
		return err
	}))
	if due.Promise.ID == "" {
		h.t.Fatal("no dose is due")
	}
	return due
}

// TestSignInTellsNothing: the answer is the same for a number we know and one we do not.
func TestSignInTellsNothing(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	known, a := h.post("", "/", "address", "555 010 0001")
	unknown, b := h.post("", "/", "address", "555 010 9999")
	if known.StatusCode != unknown.StatusCode || a != b {
		t.Errorf("the answers differ: %d and %d", known.StatusCode, unknown.StatusCode)
	}
	if _, c := h.post("", "/", "address", "not a number"); !strings.Contains(c, "does not look like") || !strings.Contains(c, `value="not a number"`) {
		t.Error("a wrong number is not kept and explained")
	}
}

func TestFiveWrongYears(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	link := h.link(h.ruth)
	for i := range 5 {
		if answer, _ := h.post("", link, "year", "1950"); answer.StatusCode != http.StatusForbidden {
			t.Fatalf("try %d: %d", i+1, answer.StatusCode)
		}
	}
	if answer, _ := h.post("", link, "year", "1947"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("the sixth try was answered with %d", answer.StatusCode)
	}
	answer, _ := h.post("", h.link(h.ruth), "year", "1947")
	if answer.Header.Get("Location") != "/today" {
		t.Errorf("the right year leads to %q", answer.Header.Get("Location"))
	}
	c := answer.Cookies()
	if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %v", c)
	}
}

// TestFault33WriteAcrossCharts: a daughter of two, and everybody else, writes only to the chart named in the address.
func TestFault33WriteAcrossCharts(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	dose := "/doses/" + string(h.dueDose(h.luis).Promise.ID)
	elena, ruth, omar := h.session(h.elena), h.session(h.ruth), h.session(h.omar)
	for _, c := range []struct {
		who, token, path string
		want             int
	}{
		{"Ruth on Luis's dose from her own page", ruth, dose, http.StatusNotFound},
		{"Ruth on Luis's page", ruth, "/helping/" + string(h.luis.ID) + dose, http.StatusForbidden},
		{"Elena on Luis's dose from Ruth's page", elena, "/helping/" + string(h.ruth.ID) + dose, http.StatusNotFound},
		{"Elena at the desk", elena, "/desk/people/" + string(h.luis.ID) + dose, http.StatusForbidden},
		{"nobody", "", "/helping/" + string(h.luis.ID) + dose, http.StatusForbidden},
		{"Omar on Luis's dose from Ruth's line", omar, "/desk/people/" + string(h.ruth.ID) + dose, http.StatusNotFound},
	} {
		if answer, _ := h.post(c.token, c.path, "answer", "taken"); answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.who, answer.StatusCode, c.want)
		}
	}
	h.dueDose(h.luis) // still due: nothing was written
	_, page := h.get(elena, "/helping/"+string(h.luis.ID)+"/today")
	if !strings.Contains(page, "You are helping Luis Ortega") {
		t.Error("the page does not name whose chart it is")
	}
	if answer, _ := h.post(elena, "/helping/"+string(h.luis.ID)+dose, "answer", "taken"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("Elena for Luis: %d", answer.StatusCode)
	}
}

// TestFault32RevokedWithThePageOpen: the next request after the access ends is refused.
func TestFault32RevokedWithThePageOpen(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	elena := h.session(h.elena)
	page := "/helping/" + string(h.ruth.ID) + "/today"
	if answer, _ := h.get(elena, page); answer.StatusCode != http.StatusOK {
		t.Fatalf("before: %d", answer.StatusCode)
	}
	if answer, _ := h.post(h.session(h.ruth), "/me/end", "helper", string(h.elena.ID)); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("ending the access: %d", answer.StatusCode)
	}
	if answer, _ := h.get(elena, page); answer.StatusCode != http.StatusForbidden {
		t.Errorf("after: %d", answer.StatusCode)
	}
	if answer, _ := h.get(elena, "/events?patient="+string(h.ruth.ID)); answer.StatusCode != http.StatusForbidden {
		t.Errorf("events: %d", answer.StatusCode)
	}
}

// TestShortLink: a text's link answers its one dose, once, without a sign-in, and shows no medicine.
func TestShortLink(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	link := h.shortLink(h.luis)
	_, page := h.get("", link)
	if !strings.Contains(page, "Ya las tomé") || strings.Contains(page, "Metoprolol") {
		t.Error("the page offers no answer, or names a medicine")
	}
	if _, page = h.post("", link, "answer", "skipped", "reason", ""); !strings.Contains(page, "Diga por qué no") {
		t.Error("a missing reason is not asked for")
	}
	if _, page = h.post("", link, "answer", "skipped", "reason", "reason.sick"); !strings.Contains(page, "hoy no") {
		t.Error("no thanks")
	}
	if _, page = h.get("", link); strings.Contains(page, "Ya las tomé") {
		t.Error("a closed question may be answered again")
	}
	if answer, _ := h.get("", "/r/abcdefgh"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a wrong code: %d", answer.StatusCode)
	}
}

// TestAssisted: what Omar writes down for Ruth says so.
func TestAssisted(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	base := "/desk/people/" + string(h.ruth.ID)
	if answer, _ := h.post(h.session(h.omar), base+"/doses/"+string(h.dueDose(h.ruth).Promise.ID), "answer", "taken"); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", answer.StatusCode)
	}
	if _, page := h.get(h.session(h.dana), base); !strings.Contains(page, "Done for Ruth by Omar") {
		t.Error("the line does not say who did it for her")
	}
	if _, page := h.get(h.session(h.ruth), "/today"); !strings.Contains(page, "by Omar") {
		t.Error("Ruth's page does not say so")
	}
}

// TestDeskWork takes, puts aside and closes a task; a severe one cannot be put aside.
func TestDeskWork(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	dana := h.session(h.dana)
	_, page := h.get(dana, "/desk")
	if first, second := strings.Index(page, "No readings since"), strings.Index(page, "84,1 kg"); first < 0 || second < first {
		t.Error("the most severe is not first")
	}
	if answer, page := h.post(dana, "/desk/tasks/silence/snooze", "for", "1h"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "cannot wait") {
		t.Errorf("a severe task was put aside: %d", answer.StatusCode)
	}
	for _, step := range [][]string{{"take"}, {"done", "outcome", "Called. The hub was unplugged."}} {
		if answer, _ := h.post(dana, "/desk/tasks/silence/"+step[0], step[1:]...); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d", step[0], answer.StatusCode)
		}
	}
	if answer, _ := h.post(dana, "/desk/tasks/weight/snooze", "for", "30m"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("snooze: %d", answer.StatusCode)
	}
	if _, page = h.get(dana, "/desk"); strings.Contains(page, "No readings since") || !strings.Contains(page, "back at 9:47 am") {
		t.Error("the desk does not show what was done")
	}
	if answer, _ := h.post(h.session(h.elena), "/desk/tasks/weight/take"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a caregiver took a task: %d", answer.StatusCode)
	}
}

// TestHandOver: the next shift hears of its own team's patients alone.
func TestHandOver(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.write(func(tx *store.Tx) error {
		other := h.add(tx, person.Patient, "Vera Stone", 1950, "en", "+15550100009", "other")
		h.must(h.Promise.OpenTask(tx, promise.TaskRow{Org: h.org, Patient: other.ID, ID: "hers", Kind: "alert", Role: person.Nurse, Severity: promise.Watch, Say: "task.stop",
			Args: map[string]string{"called": "Vera"}, Cause: "stop"}))
		_, err := h.Promise.Take(tx, person.Viewer{Org: h.org, Person: h.omar.ID, Role: person.Desk}, "hers")
		return err
	})
	_, page := h.get(h.session(h.dana), "/desk")
	_, list, _ := strings.Cut(page, "<table>")
	list, _, _ = strings.Cut(list, "</table>")
	if strings.Count(list, "/desk/people/") != 1 || !strings.Contains(list, "Ruth Abbott") || strings.Contains(page, "Vera") {
		t.Errorf("the hand-over list: %s", list)
	}
}

// TestWhoLooked: looks of one person on one day are one line, one's own are none, and what was changed or refused stands by itself.
func TestWhoLooked(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	ruth, elena := h.session(h.ruth), h.session(h.elena)
	if _, page := h.get(ruth, "/me"); !strings.Contains(page, "Nobody but you.") {
		t.Error("somebody has looked already")
	}
	helping := "/helping/" + string(h.ruth.ID)
	for range 3 {
		h.get(elena, helping+"/today")
		h.clock.Advance(10 * time.Minute)
	}
	h.post(elena, helping+"/me/day", "language", "es") // she may not
	_, page := h.get(ruth, "/me")
	_, list, _ := strings.Cut(page, "<tbody>")
	list, _, _ = strings.Cut(list, "</tbody>")
	for text, n := range map[string]int{"<tr>": 2, "Elena": 2, "3 times": 1, "(refused)": 1, "you": 0} {
		if strings.Count(list, text) != n {
			t.Errorf("%q is there %d times, want %d: %s", text, strings.Count(list, text), n, list)
		}
	}
	if _, page := h.get("", "/nowhere"); !strings.Contains(page, `us at <a class="nowrap" href="tel:+15550100200">555-010-0200</a>.`) {
		t.Error("the telephone in a sentence cannot be touched")
	}
}

// TestReadingsHaveATime: a reading says when it is for, as a dose does, and counts in what is done.
func TestReadingsHaveATime(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	for _, c := range []struct {
		who  person.Person
		path string
		want []string
	}{
		{h.ruth, "/today", []string{"Step on your scale", "By 1:00 pm", "Take your blood pressure", "Between 5:00 pm and 9:00 pm"}},
		{h.luis, "/today", []string{"Súbase a la báscula", "Antes de las 13:00", "Tómese la presión", "Entre las 17:00 y las 21:00"}},
		{h.elena, "/helping/" + string(h.ruth.ID) + "/today", []string{"Ruth: 0 of 2 done", "Ruth: weigh-in", "Ruth: blood pressure", "Between 5:00 pm and 9:00 pm"}},
		{h.rosa, "/helping/" + string(h.luis.ID) + "/today", []string{"Luis: 0 de 2", "Luis: peso", "Entre las 17:00 y las 21:00"}},
	} {
		_, page := h.get(h.session(c.who), c.path)
		for _, want := range c.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s of %s does not say %q", c.path, c.who.Name, want)
			}
		}
	}
}

// TestEnrol takes a patient in, keeps what was typed when something is wrong, and records a proxy.
func TestEnrol(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	omar := h.session(h.omar)
	form := []string{"name", "Ada Cruz", "year", "19x7", "language", "es", "zone", "America/New_York", "team", string(h.team), "phone", "555 010 7777", "phone_ok", "on"}
	if answer, page := h.post(omar, "/desk/people", form...); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, `value="Ada Cruz"`) {
		t.Errorf("a wrong year: %d", answer.StatusCode)
	}
	form[3] = "1957"
	answer, _ := h.post(omar, "/desk/people", form...)
	base, _, _ := strings.Cut(answer.Header.Get("Location"), "?")
	if answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(base, "/desk/people/") {
		t.Fatalf("%d to %q", answer.StatusCode, base)
	}
	proxy := []string{"name", "Elena Abbott", "year", "1975", "relation", "niece", "phone", "555 010 0003", "language", "en", "may_act", "on"}
	if answer, _ = h.post(omar, base+"/helpers", proxy...); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("proxy: %d", answer.StatusCode)
	}
	if _, page := h.get(h.session(h.elena), "/helping?all=1"); strings.Count(page, "button quiet big") != 3 {
		t.Error("a caregiver who was known already has become a second person")
	}
	form[9] = "other"
	if answer, _ = h.post(omar, "/desk/people", form...); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("into a team that is not one's own: %d", answer.StatusCode)
	}
}

// TestMessages: a patient's words get a promised answer, and the answer keeps it.
func TestMessages(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	ruth := h.session(h.ruth)
	if answer, _ := h.post(ruth, "/messages", "body", "Can I have a later time?"); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/messages"); !strings.Contains(page, "We will answer you by 1:17 pm") || !strings.Contains(page, "Can I have a later time?") {
		t.Error("no promise of an answer")
	}
	if answer, _ := h.post(h.session(h.dana), "/desk/people/"+string(h.ruth.ID)+"/messages", "body", "Yes. Nine is fine."); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/messages"); strings.Contains(page, "We will answer you by") || !strings.Contains(page, "Nine is fine") {
		t.Error("the answer did not keep the promise")
	}
}

// TestSetUp goes through the wizard to an open clinic.
func TestSetUp(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	link := h.setUpLink("new")
	steps := [][]string{
		{"step", "clinic", "name", "Oak Clinic", "phone", "555 010 0300", "zone", "America/Chicago", "language", "es"},
		{"step", "places", "name", "Main house", "address", "1 Oak Street"},
		{"step", "teams", "name", "Home team"},
	}
	if answer, page := h.post("", link, "step", "clinic", "name", "Oak Clinic", "phone", "555 010 0300", "zone", "America/Chicago", "language", "xx"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "Please choose a language from the list.") {
		t.Errorf("a language that nobody speaks: %d", answer.StatusCode)
	}
	if answer, page := h.post("", link, "step", "clinic", "name", "Oak Clinic", "phone", "5", "zone", "America/Chicago"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, `value="Oak Clinic"`) {
		t.Errorf("a wrong phone: %d", answer.StatusCode)
	}
	for _, step := range steps {
		if answer, page := h.post("", link, step...); answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", step[1], answer.StatusCode, page)
		}
	}
	var team person.Team
	h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
		teams, err := h.Person.Teams(tx, "new")
		team = teams[0]
		return err
	}))
	for _, step := range [][]string{{"step", "staff", "name", "Olga Ruiz", "role", "operator", "language", "en", "mail", "olga@oak.example", "mail_ok", "on"},
		{"step", "staff", "name", "Ana Diaz", "role", "nurse", "language", "es", "mail", "ana@oak.example", "mail_ok", "on", "team_" + string(team.ID), "on"},
		{"step", "gateways", "sms_url", "https://sms.example", "sms_from", "+15550100300", "mail_port", "587"}} {
		if answer, page := h.post("", link, step...); answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", step[1], answer.StatusCode, page)
		}
	}
	if _, page := h.post("", link, "step", "gateways", "try", "sms", "try_sms", "555 010 0301"); !strings.Contains(page, "+15550100301") {
		t.Error("the test message was not sent")
	}
	answer, _ := h.post("", link, "step", "finish")
	if len(answer.Cookies()) == 0 {
		t.Fatalf("the end leads to %q", answer.Header.Get("Location"))
	}
	if _, page := h.get(answer.Cookies()[0].Value, "/account"); !strings.Contains(page, "Olga Ruiz") {
		t.Error("whoever set it up is signed in as somebody else")
	}
	if answer, _ = h.get("", link); answer.StatusCode != http.StatusNotFound {
		t.Errorf("the link works twice: %d", answer.StatusCode)
	}
}

// TestForeignSite: a form that another site sends is refused.
func TestForeignSite(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	r, err := http.NewRequest("POST", h.web.URL+"/sign-out", nil)
	h.must(err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: "doorstep", Value: h.session(h.ruth)})
	if answer, _ := h.do(r); answer.StatusCode != http.StatusForbidden {
		t.Errorf("%d", answer.StatusCode)
	}
}

func TestDemoClock(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	before := h.clock.Now()
	r, err := http.NewRequest("POST", h.web.URL+"/demo/clock", strings.NewReader(`{"by":"90m"}`))
	h.must(err)
	r.Header.Set("Content-Type", "application/json")
	if answer, body := h.do(r); answer.StatusCode != http.StatusOK || !strings.Contains(body, `"now"`) || h.clock.Now().Sub(before).Minutes() != 90 {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	if answer, _ := h.post("", "/demo/clock", "to", "2020-01-01T00:00:00Z"); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("back in time: %d", answer.StatusCode)
	}
}
