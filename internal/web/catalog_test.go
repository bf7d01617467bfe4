package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Staff add a type of visit and a clinician with hours by weekday, and somebody can book; what is wrong is said and what was typed stays; what is closed is
// not offered any more.
func TestCatalog(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	omar := h.session(h.omar)
	const types, resources = "/desk/calendar/types", "/desk/calendar/resources"
	form := []string{"id", "", "en", "Foot care", "es", "Pies", "way_video", "on", "minutes_video", "soon", "lead", "0", "horizon", "30", "grid", "30", "confirm", "0", "active", "on"}
	if answer, page := h.post(omar, types, form...); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, `value="Foot care"`) || !strings.Contains(page, `value="soon"`) {
		t.Errorf("minutes in words: %d", answer.StatusCode)
	}
	form[9] = "30"
	if answer, page := h.post(omar, types, form...); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", answer.StatusCode, page)
	}
	if answer, _ := h.post(h.session(h.ruth), types, form...); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a patient adds a type: %d", answer.StatusCode)
	}
	var foot appointment.Type
	find := func() int {
		var n int
		h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
			list, err := h.Appointment.Types(tx, h.org)
			for _, x := range list {
				if x.Name["en"] == "Foot care" {
					foot = x
				}
			}
			return err
		}))
		found, err := h.Appointment.Find(t.Context(), appointment.Search{Org: h.org, Type: foot.ID, Clinician: h.catalogued(), To: h.clock.Now().AddDate(0, 0, 7)})
		h.must(err)
		n = len(found.Options)
		return n
	}
	nurse := []string{"id", "", "kind", "clinician", "name", "Nurse Pat", "person", string(h.dana.ID), "way0", "video", "day0_1", "09:00-10:00, 13:00 – 14:00", "day0_2", "9 to 5", "type", "", "active", "on"}
	if answer, page := h.post(omar, resources, nurse...); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, `value="9 to 5"`) || !strings.Contains(page, "is not a time like 09:00-12:00") {
		t.Errorf("hours in words: %d", answer.StatusCode)
	}
	find() // learn the type's id
	nurse[13], nurse[15] = "", foot.ID
	if answer, page := h.post(omar, resources, nurse...); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", answer.StatusCode, page)
	}
	if n := find(); n != 4 { // two hours on the Monday of the week
		t.Errorf("%d times are free, want 4", n)
	}
	nurse[1] = h.catalogued()
	nurse[11] = "09:00-10:00"
	if answer, _ := h.post(omar, resources, nurse...); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("changed: %d", answer.StatusCode)
	}
	if n := find(); n != 2 {
		t.Errorf("%d times are free after the change, want 2", n)
	}
	if answer, _ := h.post(omar, resources, nurse[:len(nurse)-2]...); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("closed: %d", answer.StatusCode)
	}
	if n := find(); n != 0 {
		t.Errorf("%d times are free with somebody who is closed", n)
	}
	if _, page := h.get(omar, resources); !strings.Contains(page, "Nurse Pat") || !strings.Contains(page, "(closed)") {
		t.Error("who is closed is not shown")
	}
}

// catalogued answers the id of Nurse Pat; "none" before she is there.
func (h *clinic) catalogued() string {
	id := "none"
	h.must(h.DB.Read(h.t.Context(), func(tx *store.Tx) error {
		list, err := h.Appointment.Resources(tx, h.org)
		for _, x := range list {
			if x.Name == "Nurse Pat" {
				id = x.ID
			}
		}
		return err
	}))
	return id
}

// After the first set-up a patient can book at once; done again, or where there is something, it changes nothing.
func TestFirstSetUp(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	fresh := person.Org{ID: "fresh", Name: "Oak Clinic", Zone: "America/Chicago", Language: "es"}
	h.write(func(tx *store.Tx) error {
		h.must(h.Person.SaveOrg(tx, fresh))
		h.must(h.Person.SaveTeam(tx, fresh.ID, person.Team{ID: "oak", Name: "Oak"}))
		_, err := h.Person.Save(tx, person.Person{Org: fresh.ID, Role: person.Nurse, Name: "Pat Oak", Language: "es", Zone: fresh.Zone, Teams: []person.TeamID{"oak"}})
		return err
	})
	for _, o := range []person.Org{fresh, fresh, {ID: h.org, Zone: "America/New_York"}} {
		h.write(func(tx *store.Tx) error { return h.Appointment.FirstSetUp(tx, o) })
	}
	for org, want := range map[person.OrgID]int{fresh.ID: 2, h.org: 0} { // of ours
		var n int
		h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
			list, err := h.Appointment.Types(tx, org)
			for _, x := range list {
				if x.ID == "visit" || x.ID == "first" {
					n++
				}
			}
			return err
		}))
		if n != want {
			t.Errorf("%s has %d of the first types, want %d", org, n, want)
		}
	}
	found, err := h.Appointment.Find(t.Context(), appointment.Search{Org: fresh.ID, Type: "visit", To: h.clock.Now().Add(7 * 24 * time.Hour)})
	h.must(err)
	if len(found.Soonest) != 3 { // with the nurse, as there is no clinician
		t.Errorf("%d ways", len(found.Soonest))
	}
}
