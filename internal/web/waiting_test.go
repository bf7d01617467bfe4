package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/waiting"
)

// comes gives a patient a visit at the clinic so many minutes from now, wherever the calendar stands.
func (h *clinic) comes(patient person.Person, in int) string {
	start := h.clock.Now().Add(time.Duration(in) * time.Minute)
	a, err := h.Appointment.Book(context.Background(), person.Viewer{Org: h.org, Person: h.omar.ID, Role: person.Desk}, appointment.Request{Org: h.org, Patient: patient.ID, Type: "follow",
		Way: appointment.Clinic, Place: "elm", Start: start, Resources: []string{"osei", "room"}, Outside: true})
	h.must(err)
	return string(a.ID)
}

// waitingStops are the board, the page of a visit on its day, and a kiosk.
func (h *clinic) waitingStops(patient, nurse *person.Person) []stop {
	if h.today[patient.ID] == "" {
		if h.today == nil {
			h.today, h.later = map[person.ID]string{}, map[person.ID]string{}
			h.write(func(tx *store.Tx) (err error) {
				_, h.kioskSecret, err = h.Waiting.NewKiosk(tx, person.Viewer{Org: h.org, Person: h.omar.ID, Role: person.Desk}, "elm")
				return err
			})
		}
		h.today[patient.ID] = h.comes(*patient, 45+40*len(h.today))
		h.later[patient.ID] = h.comes(*patient, 205+40*len(h.today))
		_, err := h.Waiting.CheckIn(context.Background(), person.Viewer{Org: h.org, Person: patient.ID, Role: person.Patient}, h.org, h.today[patient.ID], waiting.Arrival{By: waiting.ByPage, Waits: waiting.Car})
		h.must(err)
	}
	return []stop{{"waiting", "/desk/waiting", nurse}, {"visit-waiting", "/visits/" + h.today[patient.ID], patient}, {"visit-later", "/visits/" + h.later[patient.ID], patient}, {"kiosk", "/kiosk/" + h.kioskSecret, nil}}
}

func TestTheDayItselfByPage(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	ruth, omar := h.session(h.ruth), h.session(h.omar)
	h.clock.Set(clock.At(clock.Day{Year: 2026, Month: time.March, Date: 9}, clock.WallAt(13, 30), h.ruth.Location()))
	mine, luis := h.comes(h.ruth, 60), h.comes(h.luis, 100)
	if _, page := h.get(ruth, "/visits/"+mine); !strings.Contains(page, "Leave home at") || !strings.Contains(page, "I wait in the car") || !strings.Contains(page, "text HERE") {
		t.Error("the page of the day does not say when to leave, or how to check in")
	}
	if answer, _ := h.post(ruth, "/visits/"+luis+"/here"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("another's visit: %d", answer.StatusCode)
	}
	if answer, _ := h.post(ruth, "/visits/"+mine+"/car"); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("check in: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/visits/"+mine); !strings.Contains(page, "Next update by") || !strings.Contains(page, "You are next.") || !strings.Contains(page, "You wait in the car") {
		t.Error("she is not told how long it is")
	}
	_, page := h.get(omar, "/desk/waiting")
	for _, want := range []string{"One person waits", "Ruth Abbott", "Luis Ortega", "in the car", "Urgent: first"} {
		if !strings.Contains(page, want) {
			t.Errorf("the board does not say %q", want)
		}
	}
	stay := between(t, page, "/desk/waiting/stay/", "/call")
	for _, act := range []string{"call", "enter", "begin", "finish"} {
		if answer, _ := h.post(omar, "/desk/waiting/stay/"+stay+"/"+act, "room", "Room 1", "place", "elm"); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d", act, answer.StatusCode)
		}
		h.clock.Advance(5 * time.Minute)
	}
	if answer, page := h.post(omar, "/desk/waiting/walk-in", "place", "elm", "patient", string(h.ruth.ID), "type", "follow", "urgent", "1"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "Why is it urgent?") {
		t.Errorf("urgent without a reason: %d", answer.StatusCode)
	}
	if answer, _ := h.post(ruth, "/desk/waiting/walk-in", "place", "elm"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("by a patient: %d", answer.StatusCode)
	}
	_, page = h.post(omar, "/desk/waiting/kiosks", "place", "elm")
	kiosk := "/kiosk/" + strings.TrimSpace(strings.FieldsFunc(between(t, page, "/kiosk/", "<"), func(r rune) bool { return r == '"' })[0])
	if answer, page := h.post("", kiosk, "last", "9999", "year", "1951"); answer.StatusCode != http.StatusUnprocessableEntity || strings.Contains(page, "Luis") {
		t.Errorf("a wrong number: %d", answer.StatusCode)
	}
	if _, page := h.post("", kiosk, "last", "0002", "year", "1951"); !strings.Contains(page, "You are checked in") || strings.Contains(page, "Luis") {
		t.Error("the kiosk does not check in, or names somebody")
	}
}
