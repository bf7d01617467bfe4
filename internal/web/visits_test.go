package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// books gives the clinic Dr. Osei, a room and two types of visits.
func (h *clinic) books() {
	zone, err := clock.Zone("America/New_York")
	h.must(err)
	week := func(from, to clock.Wall) slot.Calendar {
		return slot.Calendar{Zone: zone, Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5}, Start: from, End: to}}}
	}
	h.write(func(tx *store.Tx) error {
		h.must(h.Person.SavePlace(tx, h.org, person.Place{ID: "elm", Name: "Elm Street", Address: "12 Elm Street", Zone: "America/New_York", Point: person.Point{Lat: 42.65, Lon: -73.75}}))
		h.must(h.Person.SetHome(tx, h.org, h.ruth.ID, person.Home{Address: "1 Hill Road", Point: person.Point{Lat: 42.75, Lon: -73.8}}))
		for _, r := range []appointment.Resource{
			{ID: "osei", Kind: appointment.Clinician, Name: "Dr. Osei", Hours: []appointment.Hours{{Place: "elm", Calendar: week(clock.WallAt(13, 0), clock.WallAt(17, 0))}}},
			{ID: "room", Kind: appointment.Room, Name: "Room 1", Hours: []appointment.Hours{{Place: "elm", Calendar: week(clock.WallAt(14, 0), clock.WallAt(17, 0))}}},
		} {
			r.Org, r.Active = h.org, true
			h.must(h.Appointment.SaveResource(tx, r))
		}
		for _, v := range []appointment.Type{
			{ID: "follow", Name: map[string]string{"en": "Follow-up", "es": "Control"}, Confirm: 72, Offers: []appointment.Offer{
				{Way: appointment.Video, Min: 20, Needs: []appointment.Kind{appointment.Clinician}},
				{Way: appointment.Clinic, Min: 30, Needs: []appointment.Kind{appointment.Clinician, appointment.Room}}}},
			{ID: "new", Name: map[string]string{"en": "First visit", "es": "Primera visita"}, Approve: true, Offers: []appointment.Offer{
				{Way: appointment.Clinic, Min: 60, Needs: []appointment.Kind{appointment.Clinician, appointment.Room}}}},
		} {
			v.Org, v.Active, v.Lead, v.Horizon, v.Grid = h.org, true, 30, 30, 20
			h.must(h.Appointment.SaveType(tx, v))
		}
		return nil
	})
}

func (h *clinic) bookVisit(patient person.Person, typ string, day, hour int) appointment.Appointment {
	way, res := appointment.Video, []string{"osei"}
	if typ == "new" {
		way, res = appointment.Clinic, []string{"osei", "room"}
	}
	a, err := h.Appointment.Book(context.Background(), person.Viewer{Org: h.org, Person: patient.ID, Role: person.Patient}, appointment.Request{Org: h.org, Patient: patient.ID,
		Type: typ, Way: way, Place: "elm", Start: clock.At(clock.Day{Year: 2026, Month: time.March, Date: day}, clock.WallAt(hour, 0), h.ruth.Location()), Resources: res})
	h.must(err)
	return a
}

// visitStops are the pages of visits, with something on each of them.
func (h *clinic) visitStops(patient, helper, nurse *person.Person) []stop {
	if h.booked[patient.ID] == "" {
		a := h.bookVisit(*patient, "follow", 12, 13+len(h.booked)) // to be confirmed: less than three days away
		h.booked[patient.ID] = string(a.ID)
		h.bookVisit(*patient, "new", 19, 14)
	}
	staff := "/desk/people/" + string(patient.ID)
	return []stop{{"visits", "/visits", patient}, {"visits-find", "/visits/find?type=follow", patient}, {"visits-none", "/visits/find?type=new&from=2026-05-20", patient},
		{"visit", "/visits/" + h.booked[patient.ID], patient}, {"helping-visits", "/helping/" + string(patient.ID) + "/visits", helper},
		{"person-visits", staff + "/visits", nurse}, {"desk-inbox", "/desk/inbox", nurse}, {"desk-calendar", "/desk/calendar?day=2026-03-12", nurse}, {"person-find", staff + "/visits/find?type=follow&way=clinic", nurse}}
}

func TestVisitsFromSearchToBooked(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	ruth, elena, omar := h.session(h.ruth), h.session(h.elena), h.session(h.omar)
	if _, page := h.get(ruth, "/visits"); !strings.Contains(page, "No visit is planned.") || !strings.Contains(page, "See availability") {
		t.Error("an empty page offers nothing")
	}
	_, page := h.get(ruth, "/visits/find?type=follow")
	for _, want := range []string{"Soonest: video visit, Mon, Mar 9 at 1:00 pm. Or visit at the clinic, Mon, Mar 9 at 2:00 pm.", "minutes there and back", "you stay at home", "Put me on the list", "Write to us"} {
		if !strings.Contains(page, want) {
			t.Errorf("the search does not say %q", want)
		}
	}
	value := between(t, page, `name="time" value="`, `"`)
	answer, _ := h.post(ruth, "/visits/hold", "type", "follow", "time", value)
	held := answer.Header.Get("Location")
	if answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(held, "/visits/") {
		t.Fatalf("hold: %d to %q", answer.StatusCode, held)
	}
	// A second person who chooses the same time keeps the page, with what happened and what to do.
	if answer, page := h.post(h.session(h.luis), "/visits/hold", "type", "follow", "time", value); answer.StatusCode != http.StatusConflict || !strings.Contains(page, "Esa hora ya se ocupó") {
		t.Errorf("the second: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, held); !strings.Contains(page, "We keep this time for you until") {
		t.Error("a held time does not say until when")
	}
	if answer, _ := h.post(ruth, held+"/take", "words", "My ankles swell"); answer.Header.Get("Location") != "/visits?done=visit.take" {
		t.Errorf("take: %d", answer.StatusCode)
	}
	_, page = h.get(ruth, "/visits")
	for _, want := range []string{"Video visit: Mon, Mar 9 at 1:00 pm", "With Dr. Osei", "My ankles swell", "I will come", "Change the time", "I cannot come"} {
		if !strings.Contains(page, want) {
			t.Errorf("the booked visit does not say %q", want)
		}
	}
	// Her daughter sees it under the band and may act; another patient does not find it.
	if _, page := h.get(elena, "/helping/"+string(h.ruth.ID)+held); !strings.Contains(page, "Ruth Abbott") || !strings.Contains(page, "I will come") {
		t.Error("the daughter does not see the visit")
	}
	if answer, _ := h.post(h.session(h.luis), held+"/cancel"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("another patient cancels: %d", answer.StatusCode)
	}
	if answer, _ := h.post(elena, "/helping/"+string(h.ruth.ID)+held+"/confirm"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("confirm: %d", answer.StatusCode)
	}
	// The desk moves it on the phone: the old time is given back.
	staff := "/desk/people/" + string(h.ruth.ID)
	_, page = h.get(omar, staff+"/visits/find?type=follow&way=clinic&follows="+strings.TrimPrefix(held, "/visits/"))
	answer, _ = h.post(omar, staff+"/visits/hold", "type", "follow", "time", between(t, page, `name="time" value="`, `"`), "follows", strings.TrimPrefix(held, "/visits/"))
	moved := answer.Header.Get("Location")
	path, follows, _ := strings.Cut(moved, "?follows=")
	if answer, _ := h.post(omar, path+"/take", "follows", follows); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("moved by the desk: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/visits"); !strings.Contains(page, "Visit at the clinic: Mon, Mar 9 at 2:00 pm") || strings.Contains(page, "Video visit: Mon, Mar 9 at 1:00 pm") {
		t.Error("the visit was not moved")
	}
	if answer, _ := h.post(ruth, "/visits/call"); answer.Header.Get("Location") != "/today?done=visit.call" {
		t.Errorf("call me: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/today"); !strings.Contains(page, "We call you back by") {
		t.Error("the promise of a call is not on the page")
	}
	if answer, _ := h.post(ruth, "/visits/wait", "type", "follow", "notice", "2"); answer.Header.Get("Location") != "/visits?done=visit.waiting" {
		t.Errorf("waitlist: %d", answer.StatusCode)
	}
	_, page = h.get(ruth, "/visits")
	entry := between(t, page, `/visits/leave/`, `"`)
	if answer, _ := h.post(ruth, "/visits/leave/"+entry); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("leave: %d", answer.StatusCode)
	}
	for path, status := range map[string]int{"/visits/find?type=nothing": 404, "/visits/nothing": 404} {
		if answer, _ := h.get(ruth, path); answer.StatusCode != status {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	if answer, _ := h.post(ruth, "/visits/hold", "type", "follow", "time", "junk"); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("junk: %d", answer.StatusCode)
	}
}

// between answers the text between two others, for values that a page hides in its forms.
func between(t *testing.T, page, before, after string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, before)
	if !ok {
		t.Fatalf("no %q on the page", before)
	}
	value, _, _ := strings.Cut(rest, after)
	return value
}

func TestDeskCalendar(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	a := h.bookVisit(h.ruth, "follow", 12, 13)
	r := h.bookVisit(h.luis, "new", 19, 14)
	omar := h.session(h.omar)
	_, page := h.get(omar, "/desk/calendar?day=2026-03-12")
	for _, want := range []string{"Thursday, March 12", "Dr. Osei", "Ruth Abbott", "One request", "Luis Ortega", "Approve"} {
		if !strings.Contains(page, want) {
			t.Errorf("the calendar does not say %q", want)
		}
	}
	if answer, _ := h.get(h.session(h.ruth), "/desk/calendar"); answer.StatusCode == http.StatusOK {
		t.Error("a patient sees the desk's calendar")
	}
	if answer, _ := h.post(omar, "/desk/people/"+string(h.luis.ID)+"/visits/"+string(r.ID)+"/approve"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("approve: %d", answer.StatusCode)
	}
	answer, page := h.post(omar, "/desk/calendar/osei/feed")
	address := between(t, page, "<code>http://doorstep.test", "</code>")
	if answer.StatusCode != http.StatusOK {
		t.Errorf("feed: %d", answer.StatusCode)
	}
	if answer, feed := h.get("", address); answer.StatusCode != http.StatusOK || strings.Count(feed, "BEGIN:VEVENT") != 2 || strings.Contains(feed, "Ruth") || answer.Header.Get("Content-Type") != "text/calendar; charset=utf-8" {
		t.Errorf("feed: %d %s", answer.StatusCode, feed)
	}
	if answer, _ := h.get("", "/feed/nothing.ics"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a wrong feed: %d", answer.StatusCode)
	}
	if answer, page := h.post(omar, "/desk/calendar/osei/import", "file", "this is no calendar"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "class=\"problem\"") {
		t.Errorf("a malformed calendar: %d", answer.StatusCode)
	}
	if answer, _ := h.post(omar, "/desk/calendar/osei/move", "from", "2026-03-12T00:00", "until", "2026-03-13T00:00"); answer.Header.Get("Location") != "/desk/calendar?day=2026-03-12&done=calendar.moved" {
		t.Errorf("move together: %d %s", answer.StatusCode, answer.Header.Get("Location"))
	}
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) error {
		old, err := h.Appointment.Get(tx, h.org, a.ID)
		if old.State != appointment.Cancelled || old.Reason != appointment.ReasonMoved {
			t.Errorf("the visit is %s", old.State)
		}
		return err
	}))
}

// What a text's link opens: one visit or one offer, yes or no, without a sign-in.
func TestVisitLink(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	a := h.bookVisit(h.ruth, "follow", 12, 13)
	h.clock.Set(time.Date(2026, 3, 9, 17, 0, 0, 0, time.UTC)) // three days before
	h.climb()
	code := h.linkOf(h.ruth, "visit.confirm")
	_, page := h.get("", "/r/"+code)
	if !strings.Contains(page, "Thu, Mar 12 at 1:00 pm") || !strings.Contains(page, "I will come") || strings.Contains(page, "Abbott") {
		t.Errorf("the link shows %s", page)
	}
	if answer, _ := h.post("", "/r/"+code, "answer", "perhaps"); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("perhaps: %d", answer.StatusCode)
	}
	if answer, page := h.post("", "/r/"+code, "answer", "yes"); answer.StatusCode != http.StatusOK || !strings.Contains(page, "We look forward to seeing you") {
		t.Errorf("yes: %d %s", answer.StatusCode, page)
	}
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) error {
		got, err := h.Appointment.Get(tx, h.org, a.ID)
		if got.Confirmed.IsZero() {
			t.Error("not confirmed")
		}
		return err
	}))
	if _, page := h.get("", "/r/"+code); !strings.Contains(page, "I cannot come") {
		t.Error("who has said yes can no longer say no")
	}
	h.post("", "/r/"+code, "answer", "no")
	if _, page := h.get("", "/r/"+code); strings.Contains(page, "<form method=\"post\" action=\"/r/") {
		t.Error("what is over still asks")
	}
}

// linkOf answers the code of the link in the last message of a kind to a patient.
func (h *clinic) linkOf(p person.Person, say string) string {
	code := ""
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) error {
		all, err := h.Message.Between(tx, h.org, p.ID, h.clock.Now().Add(-24*time.Hour), h.clock.Now().Add(time.Hour))
		for _, m := range all {
			if m.Say == say {
				code = h.Message.LinkCode(&m)
			}
		}
		return err
	}))
	return code
}
