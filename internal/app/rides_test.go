package app_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport"
)

// drives gives the house a place, a van and Ruth's home.
func (h *house) drives() {
	h.Helper()
	h.Write(func(tx *store.Tx) error {
		at := person.Point{Lat: 42.65, Lon: -73.75}
		if err := h.People.SavePlace(tx, org, person.Place{ID: "elm", Name: "Elm Street", Zone: "America/New_York", Point: at}); err != nil {
			return err
		}
		if err := h.People.SetHome(tx, org, h.Ruth.ID, person.Home{Address: "1 Hill Road", Point: person.Point{Lat: at.Lat + 0.03, Lon: at.Lon}}); err != nil {
			return err
		}
		_, err := h.Transport.SaveVehicle(tx, transport.Vehicle{Org: org, ID: "van", Name: "Van", Seats: 3, Depot: "elm", Weekdays: []int{1, 2, 3, 4, 5}, From: clock.WallAt(7, 0), To: clock.WallAt(18, 0), Active: true})
		return err
	})
}

// Fault 12: a visit moves after its ride was booked. Both ways move with it; to a day on which nobody drives they cannot, and the desk is told what failed.
func TestFault12RidesMoveWithTheVisit(t *testing.T) {
	each(t, func(h *house) {
		h.drives()
		zone, _ := clock.Zone("America/New_York")
		every := slot.Calendar{Zone: zone, Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5, 6, 7}, Start: clock.WallAt(8, 0), End: clock.WallAt(17, 0)}}}
		h.Write(func(tx *store.Tx) error {
			if err := h.Appointments.SaveResource(tx, appointment.Resource{Org: org, ID: "osei", Kind: appointment.Clinician, Name: "Dr. Osei", Active: true, Hours: []appointment.Hours{{Place: "elm", Calendar: every}}}); err != nil {
				return err
			}
			return h.Appointments.SaveType(tx, appointment.Type{Org: org, ID: "follow", Name: map[string]string{"en": "Follow-up"}, Horizon: 30, Grid: 30, Active: true,
				Offers: []appointment.Offer{{Way: appointment.Clinic, Min: 30, Needs: []appointment.Kind{appointment.Clinician}}}})
		})
		v := person.Viewer{Org: org, Person: h.Omar.ID, Role: person.Desk}
		book := func(at time.Time, moves appointment.ID) appointment.Appointment {
			a, err := h.Appointments.Book(t.Context(), v, appointment.Request{Org: org, Patient: h.Ruth.ID, Type: "follow", Way: appointment.Clinic, Place: "elm", Start: at, Resources: []string{"osei"}, Follows: moves})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		first := book(start.Add(3*time.Hour+30*time.Minute), "")
		var r *transport.Ride
		h.Write(func(tx *store.Tx) (err error) {
			r, err = h.Transport.Book(t.Context(), tx, v, transport.Want{Org: org, Patient: h.Ruth.ID, About: string(first.ID), Visit: true, Place: "elm", There: first.Start, Ready: first.End, Mobility: transport.Ambulatory})
			return err
		})
		second := book(start.Add(6*time.Hour), first.ID)
		h.round()
		get := func() (got *transport.Ride) {
			h.Read(func(tx *store.Tx) (err error) { got, err = h.Transport.Get(tx, org, r.ID); return err })
			return got
		}
		if got := get(); !got.There.Equal(second.Start) || !got.Ready.Equal(second.End) || got.About != string(second.ID) || got.Out.State != transport.Planned || got.Back.State != transport.Planned {
			t.Errorf("the ride stands at %s, %s and %s", got.There, got.Out.State, got.Back.State)
		}
		book(start.AddDate(0, 0, 5).Add(6*time.Hour), second.ID) // a Saturday
		h.round()
		if got := get(); !got.There.Equal(second.Start) || got.Out.State != transport.Planned || got.Back.State != transport.Planned {
			t.Errorf("half of the ride has moved: %s, %s and %s", got.There, got.Out.State, got.Back.State)
		}
		if tasks := h.Tasks(); !strings.Contains(tasks, "desk task.ride.unmoved") {
			t.Errorf("tasks %q", tasks)
		}
	})
}

func TestRidesByAPI(t *testing.T) {
	each(t, func(h *house) {
		h.drives()
		handler, err := h.Handler(t.Context(), app.Edges{})
		if err != nil {
			t.Fatal(err)
		}
		driver := h.Enrol(person.Person{Role: person.Driver, Name: "Dora Kim"}, "")
		other := h.Enrol(person.Person{Role: person.Patient, Name: "Sam Poe", BirthYear: 1950}, "")
		tokens := map[person.ID]string{}
		h.Write(func(tx *store.Tx) error {
			for _, p := range []person.Person{h.Omar, h.Ruth, driver, other} {
				token, _, err := h.People.NewToken(tx, p, time.Hour*24)
				if err != nil {
					return err
				}
				tokens[p.ID] = token
			}
			return nil
		})
		call := func(who person.Person, method, path string, body any, want int) map[string]any {
			t.Helper()
			b, _ := json.Marshal(body)
			r := httptest.NewRequestWithContext(t.Context(), method, "/api/v1"+path, bytes.NewReader(b))
			r.Header.Set("Authorization", "Bearer "+tokens[who.ID])
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s %s by %s: %d %s, want %d", method, path, who.Called, w.Code, w.Body, want)
			}
			out := map[string]any{}
			json.Unmarshal(w.Body.Bytes(), &out)
			return out
		}
		type object = map[string]any
		ride := object{"patient": h.Ruth.ID, "place": "elm", "there": start.Add(3 * time.Hour), "ready": start.Add(4 * time.Hour), "mobility": "ambulatory"}
		if got := call(h.Omar, "POST", "/rides/offers", ride, http.StatusOK); len(got["items"].([]any)) == 0 {
			t.Error("no windows are offered")
		}
		id, _ := call(h.Ruth, "POST", "/rides", ride, http.StatusCreated)["id"].(string)
		chair := object{"patient": h.Ruth.ID, "place": "elm", "there": start.Add(3 * time.Hour), "mobility": "wheelchair"}
		call(h.Omar, "POST", "/rides", chair, http.StatusConflict)
		call(other, "POST", "/rides", ride, http.StatusForbidden)
		call(other, "POST", "/rides/"+id+"/cancel", nil, http.StatusForbidden)
		call(driver, "POST", "/rides/"+id+"/out/way", object{}, http.StatusNotFound)
		call(h.Ruth, "POST", "/rides/"+id+"/out/way", object{}, http.StatusForbidden)
		call(h.Ruth, "GET", "/dispatch", nil, http.StatusForbidden)
		call(h.Omar, "POST", "/vehicles", object{"id": "van", "name": "Van", "seats": 3, "depot": "elm", "weekdays": []int{1, 2, 3, 4, 5}, "from": "07:00", "to": "18:00", "driver": driver.ID, "active": true}, http.StatusOK)
		call(h.Omar, "POST", "/vehicles", object{"name": "Bus", "seats": 3, "wheelchairs": 2, "depot": "elm", "weekdays": []int{1}, "from": "07:00", "to": "18:00", "active": true}, http.StatusUnprocessableEntity)
		if day := call(h.Omar, "GET", "/dispatch", nil, http.StatusOK); len(day["rides"].([]any)) != 1 || len(day["open"].([]any)) != 0 {
			t.Errorf("the board: %v", day)
		}
		if day := call(driver, "GET", "/drive", nil, http.StatusOK); len(day["items"].([]any)) != 1 {
			t.Errorf("the driver's day: %v", day)
		}
		call(driver, "POST", "/rides/"+id+"/out/way", object{}, http.StatusOK)
		call(driver, "POST", "/rides/"+id+"/out/way", object{}, http.StatusOK)
		if got := call(h.Omar, "GET", "/patients/"+string(h.Ruth.ID)+"/rides", nil, http.StatusOK)["items"].([]any)[0].(object)["out"].(object)["state"]; got != "way" {
			t.Errorf("the ride is %v", got)
		}
		call(h.Omar, "POST", "/rides/"+id+"/move", object{"there": start.Add(5 * time.Hour), "ready": start.Add(6 * time.Hour)}, http.StatusOK)
		call(driver, "POST", "/vehicles/van/down", object{"until": start.Add(9 * time.Hour)}, http.StatusOK)
	})
}
