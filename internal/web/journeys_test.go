package web

import (
	"net/http"
	"strings"
	"testing"

	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/journey"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// lives gives a patient needs, and the town a shop and a pharmacy.
func (h *clinic) lives(who person.Person) {
	h.t.Helper()
	hours := func(from, to string) []appointment.HoursText {
		return []appointment.HoursText{{Zone: "America/New_York", Weekly: []appointment.WeeklyText{{Days: []int{1, 2, 3, 4, 5, 6}, Start: from, End: to}}}}
	}
	day := func(n int) clock.Day { return clock.DayOf(h.clock.Now(), who.Location()).Add(n) }
	h.write(func(tx *store.Tx) error {
		staff := person.Viewer{Org: h.org, Person: h.dana.ID, Role: person.Nurse}
		for _, o := range []journey.Outlet{
			{ID: "corner", Kind: "pharmacy", Name: "Corner Pharmacy", Lat: 42.651, Lon: -73.752, Hours: hours("09:00", "18:00"), Active: true},
			{ID: "market", Kind: "shop", Name: "Green Market", Lat: 42.655, Lon: -73.755, Hours: hours("08:00", "20:00"), Delivers: hours("12:00", "18:00"), Active: true}} {
			h.must(h.Journey.SaveOutlet(tx, staff, o))
		}
		for _, n := range []journey.Need{
			{ID: "talk", Kind: "talk", Type: "follow", Words: "the new tablets", From: h.clock.Now(), By: clock.At(day(6), 0, who.Location())},
			{ID: "check", Kind: "check", Type: "follow", From: clock.At(day(3), 0, who.Location()), By: clock.At(day(9), 0, who.Location()), Clinical: true},
			{ID: "refill", Kind: "refill", From: clock.At(day(2), 0, who.Location()), By: clock.At(day(10), 0, who.Location())},
			{ID: "scan", Kind: "imaging", From: clock.At(day(2), 0, who.Location()), By: clock.At(day(10), 0, who.Location())}} {
			n.Org, n.Patient, n.Source = h.org, who.ID, journey.FromStaff
			_, err := h.Journey.SaveNeed(tx, staff, n)
			h.must(err)
		}
		return nil
	})
}

// journeyStops are the pages of journeys, with something on each of them.
func (h *clinic) journeyStops(patient, helper, nurse *person.Person) []stop {
	h.lives(*patient)
	staff, helping := "/desk/people/"+string(patient.ID), "/helping/"+string(patient.ID)
	return []stop{{"journeys", "/journeys", patient}, {"journeys-hard", "/journeys/hard", patient}, {"journeys-account", "/journeys/account", patient}, {"burden", "/journeys/burden", nil},
		{"helping-journeys", helping + "/journeys", helper}, {"helping-hard", helping + "/journeys/hard", helper}, {"person-journeys", staff + "/journeys", nurse}, {"person-hard", staff + "/journeys/hard", nurse}, {"ways", "/desk/ways", nurse}}
}

func TestJourneysFromNeedToPromise(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.lives(h.ruth)
	ruth := h.session(h.ruth)
	_, page := h.get(ruth, "/journeys")
	for _, want := range []string{"You go out 1 time in the next 4 weeks.", "A check-up", "At Elm Street", "Your medicines", "Corner Pharmacy", "A nurse comes to you: your clinic has to say yes first.", "Home again", "things in one trip", "A scan", "No time yet"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	trip := between(t, page, `action="/journeys/accept/`, `"`)
	if answer, _ := h.post(ruth, "/journeys/accept/"+trip); answer.Header.Get("Location") != "/journeys?done=journey.yes" {
		t.Fatalf("accept: %d", answer.StatusCode)
	}
	_, page = h.get(ruth, "/journeys?done=journey.yes")
	if !strings.Contains(page, "Good. It is promised.") || !strings.Contains(page, "Promised") {
		t.Error("the page does not say that it is promised")
	}
	if _, page := h.get(ruth, "/visits"); !strings.Contains(page, "Visit at the clinic") {
		t.Error("the visit is not booked")
	}
	// She adds the groceries, and what is wrong with a form is said beside what was typed.
	if answer, page := h.post(ruth, "/journeys/needs", "kind", "groceries", "words", "milk and bread", "by", "soon", "every", "7"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "milk and bread") {
		t.Errorf("a wrong day: %d", answer.StatusCode)
	}
	if answer, _ := h.post(ruth, "/journeys/needs", "kind", "groceries", "words", "milk and bread", "every", "7"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("add: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/journeys"); !strings.Contains(page, "Groceries: milk and bread") || !strings.Contains(page, "Green Market") {
		t.Error("the groceries are not planned")
	}
	// What her clinic adds is not hers to add.
	if answer, _ := h.post(ruth, "/journeys/needs", "kind", "imaging"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a scan of her own: %d", answer.StatusCode)
	}
	// A limit is a limit: no trips on the day of the trip, so that it is asked to move or stays firm where promised.
	if answer, _ := h.post(ruth, "/journeys/hard", "means", "family", "never", "4", "out", "09:00", "in", "18:00", "morning", "1"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("hard: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/journeys/hard"); !strings.Contains(page, `value="4" checked`) || !strings.Contains(page, `name="morning" value="1" checked`) {
		t.Error("what is hard was not kept")
	}
	// The nurse allows a visit at home; the desk cannot, and what is wrong changes nothing.
	staff := "/desk/people/" + string(h.ruth.ID) + "/journeys"
	if answer, _ := h.post(h.session(h.omar), staff+"/needs/check/allow", "allow", "home_visit"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("the desk allows: %d", answer.StatusCode)
	}
	if answer, _ := h.post(h.session(h.dana), staff+"/needs/talk/allow", "allow", "message"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("allow: %d", answer.StatusCode)
	}
	if _, page := h.get(h.session(h.dana), staff); !strings.Contains(page, `value="message" checked`) {
		t.Error("what was allowed is not kept")
	}
	if answer, _ := h.get("", "/journeys/burden?lang=es"); answer.StatusCode != http.StatusOK {
		t.Errorf("the burden page: %d", answer.StatusCode)
	}
}

// FAULT 33: a daughter who helps two people: each page of journeys names whose it is, and nothing is written across charts.
func TestFault33JourneysAcrossCharts(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.lives(h.ruth)
	elena, luis := h.session(h.elena), h.session(h.luis)
	ruths, luiss := "/helping/"+string(h.ruth.ID)+"/journeys", "/helping/"+string(h.luis.ID)+"/journeys"
	for path, name := range map[string]string{ruths: "Ruth Abbott", luiss: "Luis Ortega", ruths + "/hard": "Ruth Abbott", luiss + "/account": "Luis Ortega"} {
		if _, page := h.get(elena, path); !strings.Contains(page, `class="band"`) || !strings.Contains(page, name) {
			t.Errorf("%s does not name whose chart it is", path)
		}
	}
	_, page := h.get(elena, ruths)
	trip := between(t, page, `action="`+ruths+`/accept/`, `"`)
	for _, path := range []string{luiss + "/accept/" + trip, luiss + "/accept/check", luiss + "/needs/talk/end", luiss + "/ask/x/yes", luiss + "/done/talk/yes"} {
		if answer, _ := h.post(elena, path); answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusConflict {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	for _, path := range []string{ruths, ruths + "/hard", ruths + "/account"} {
		if answer, _ := h.get(luis, path); answer.StatusCode != http.StatusForbidden {
			t.Errorf("another patient reads %s: %d", path, answer.StatusCode)
		}
	}
	if answer, _ := h.post(luis, ruths+"/needs", "kind", "groceries"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("another patient adds: %d", answer.StatusCode)
	}
	h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
		w, err := h.Journey.Of(tx, h.org, h.ruth.ID)
		for _, it := range w.Items {
			if it.State != journey.Planned && it.Need != "" {
				t.Errorf("%s was promised across charts", it.ID)
			}
		}
		if len(w.Needs) != 4 {
			t.Errorf("%d needs", len(w.Needs))
		}
		return err
	}))
}
