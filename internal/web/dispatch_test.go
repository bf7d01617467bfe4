package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport"
)

// fleet gives the clinic a van with its driver, places, and rides of today; it answers the driver's page.
func (h *clinic) fleet(driverLang string) person.Person {
	h.t.Helper()
	driver := person.Person{Org: h.org, Role: person.Driver, Name: "Dora Kim", Language: driverLang, Zone: h.ruth.Zone}
	h.write(func(tx *store.Tx) (err error) {
		if driver, err = h.Person.Save(tx, driver); err != nil {
			return err
		}
		at := person.Point{Lat: 42.65, Lon: -73.75}
		if err := h.Person.SavePlace(tx, h.org, person.Place{ID: "elm", Name: "Elm Street", Address: "12 Elm Street", Zone: h.ruth.Zone, Point: at}); err != nil {
			return err
		}
		for i, p := range []person.Person{h.ruth, h.luis} {
			if err := h.Person.SetHome(tx, h.org, p.ID, person.Home{Address: []string{"1 Hill Road", "7 Lake Street"}[i], Point: person.Point{Lat: at.Lat + 0.03, Lon: at.Lon + 0.02*float64(i)}}); err != nil {
				return err
			}
		}
		_, err = h.Transport.SaveVehicle(tx, transport.Vehicle{Org: h.org, ID: transport.VehicleID("van-" + driverLang), Name: "Van " + driverLang, Seats: 4, Wheelchairs: 1, Lift: true, Depot: "elm", Weekdays: []int{1, 2, 3, 4, 5, 6, 7},
			From: 0, To: clock.WallAt(23, 59), Driver: driver.ID, Active: true})
		return err
	})
	return driver
}

// dispatchStops are the dispatcher's board and a driver's page, with rides of today.
func (h *clinic) dispatchStops(nurse *person.Person, lang string) []stop {
	if h.drivers == nil {
		h.drivers = map[string]person.Person{}
	}
	d, known := h.drivers[lang]
	if !known {
		d = h.fleet(lang)
		h.drivers[lang] = d
		who := h.ruth
		if lang == "es" {
			who = h.luis
		}
		day := clock.DayOf(h.clock.Now(), h.ruth.Location())
		h.write(func(tx *store.Tx) error {
			_, err := h.Transport.Book(context.Background(), tx, person.Viewer{Org: h.org, Person: h.omar.ID, Role: person.Desk}, transport.Want{Org: h.org, Patient: who.ID, Place: "elm",
				There: clock.At(day, clock.WallAt(15, 0), h.ruth.Location()), Ready: clock.At(day, clock.WallAt(16, 0), h.ruth.Location()), Mobility: transport.Wheelchair, Companions: 1})
			return err
		})
	}
	return []stop{{"dispatch", "/desk/dispatch", nurse}, {"drive", "/drive", &d}}
}

func TestARideByPage(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.clock.Set(clock.At(clock.Day{Year: 2026, Month: time.March, Date: 9}, clock.WallAt(13, 30), h.ruth.Location()))
	dora := h.fleet("en")
	omar, driver, ruth := h.session(h.omar), h.session(dora), h.session(h.ruth)
	form := []string{"day", "2026-03-09", "patient", string(h.ruth.ID), "place", "elm", "there", "15:30", "ready", "", "mobility", "wheelchair", "companions", "1"}
	if answer, page := h.post(omar, "/desk/dispatch/rides", append(form, "do", "offer")...); answer.StatusCode != http.StatusOK || !strings.Contains(page, `name="fetch"`) || !strings.Contains(page, "minutes more to drive") {
		t.Errorf("windows to offer: %d", answer.StatusCode)
	}
	if answer, page := h.post(omar, "/desk/dispatch/rides", append(form, "do", "book")...); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("book: %d %s", answer.StatusCode, page)
	}
	_, page := h.get(omar, "/desk/dispatch?day=2026-03-09")
	for _, want := range []string{"Every ride has a car", "Van en", "fetch Ruth Abbott, 1 Hill Road", "in a wheelchair", "one person comes along", "<polyline", "waits for a word"} {
		if !strings.Contains(page, want) {
			t.Errorf("the board does not say %q", want)
		}
	}
	if _, page := h.get(ruth, "/today"); !strings.Contains(page, "We fetch you between") || !strings.Contains(page, "A car is set") {
		t.Error("her day does not tell of the ride")
	}
	if answer, _ := h.get(ruth, "/drive"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a patient on the driver's page: %d", answer.StatusCode)
	}
	for _, path := range []string{"/desk", "/desk/dispatch", "/desk/people/" + string(h.ruth.ID)} {
		if answer, _ := h.get(driver, path); answer.StatusCode != http.StatusForbidden {
			t.Errorf("a driver at %s: %d", path, answer.StatusCode)
		}
	}
	for _, act := range []string{"way", "door", "aboard", "done"} {
		_, page := h.get(driver, "/drive")
		if strings.Contains(page, "Abbott") {
			t.Error("the driver reads more than a first name")
		}
		path := "/drive/rides/" + between(t, page, "/drive/rides/", "/"+act+`"`) + "/" + act
		if answer, _ := h.post(driver, path); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d", act, answer.StatusCode)
		}
		if answer, _ := h.post(driver, path); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("%s twice: %d", act, answer.StatusCode)
		}
		h.clock.Advance(12 * time.Minute)
	}
	_, page = h.get(ruth, "/today")
	if !strings.Contains(page, "Arrived, ") || !strings.Contains(page, "I am ready to go home") {
		t.Error("her day does not say that she is there, or how to be driven home")
	}
	home := "/rides/" + between(t, page, "/rides/", "/ready") + "/ready"
	if answer, _ := h.post(h.session(h.luis), home); answer.StatusCode != http.StatusNotFound {
		t.Errorf("another's ride: %d", answer.StatusCode)
	}
	if answer, _ := h.post(ruth, home); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("ready: %d", answer.StatusCode)
	}
	if _, page := h.get(ruth, "/today"); !strings.Contains(page, "It comes between") || strings.Contains(page, "I am ready to go home") {
		t.Error("her day does not say when she is fetched")
	}
}
