package visit_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/visit"
)

// house has Ruth's visit by video, which begins in an hour.
type house struct {
	*apptest.House
	visit appointment.Appointment
	key   visit.Key
}

func each(t *testing.T, fn func(h *house)) {
	apptest.Each(t, func(base *apptest.House) {
		h := &house{House: base}
		h.Write(func(tx *store.Tx) error {
			if err := h.Appointments.SaveResource(tx, appointment.Resource{Org: apptest.Org, ID: "osei", Kind: appointment.Clinician, Name: "Dr. Osei", Active: true,
				Hours: []appointment.Hours{{Calendar: slot.Calendar{Zone: h.Ruth.Location(), Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5}, Start: clock.WallAt(7, 0), End: clock.WallAt(17, 0)}}}}}}); err != nil {
				return err
			}
			return h.Appointments.SaveType(tx, appointment.Type{Org: apptest.Org, ID: "talk", Name: map[string]string{"en": "Talk"}, Horizon: 9, Grid: 10, Active: true,
				Offers: []appointment.Offer{{Way: appointment.Video, Min: 20, Needs: []appointment.Kind{appointment.Clinician}}}})
		})
		var err error
		h.visit, err = h.Appointments.Book(h.Context(), of(h.Ruth), appointment.Request{Org: apptest.Org, Patient: h.Ruth.ID, Type: "talk", Way: appointment.Video, Start: apptest.Start.Add(time.Hour), Resources: []string{"osei"}})
		if err != nil {
			h.Fatal(err)
		}
		h.key = visit.Key{Org: apptest.Org, Patient: h.Ruth.ID, Visit: visit.ID(h.visit.ID)}
		fn(h)
	})
}

func of(p person.Person) person.Viewer {
	return person.Viewer{Org: p.Org, Person: p.ID, Role: p.Role, Name: p.Name}
}

func (h *house) join(p person.Person) (visit.Seat, visit.Meeting) {
	h.Helper()
	s, _, m, err := h.Visits.Join(h.Context(), of(p), h.key)
	if err != nil {
		h.Fatal(err)
	}
	return s, m
}

func (h *house) state() (a appointment.Appointment) {
	h.Read(func(tx *store.Tx) (err error) { a, err = h.Appointments.Get(tx, apptest.Org, h.visit.ID); return err })
	return a
}

func (h *house) denied(what string, err error, kind fault.Kind) {
	h.Helper()
	if !fault.Is(err, kind) {
		h.Errorf("%s: %v", what, err)
	}
}

func TestWhoMayEnterAndWhen(t *testing.T) {
	each(t, func(h *house) {
		_, _, _, err := h.Visits.Join(h.Context(), of(h.Ruth), h.key)
		h.denied("an hour before", err, fault.Conflict)
		h.Clock.Set(h.visit.Start.Add(-20 * time.Minute))
		stranger := h.Enrol(person.Person{Role: person.Patient, Name: "Luis Ortega", BirthYear: 1951}, "")
		_, _, _, err = h.Visits.Join(h.Context(), of(stranger), h.key)
		h.denied("another patient", err, fault.Denied)
		if s, _ := h.join(h.Ruth); s.Part != visit.Patient {
			t.Errorf("Ruth is %s", s.Part)
		}
		if a := h.state(); a.State != appointment.Arrived {
			t.Errorf("the visit is %s", a.State)
		}
		for _, p := range []person.Person{h.Elena, h.Omar, h.Dana} {
			h.join(p)
		}
		_, m := h.join(h.Elena) // another screen of hers: no fifth person
		if len(m.Seats) != visit.Seats || m.Together.IsZero() {
			t.Errorf("%d seats, together %v", len(m.Seats), m.Together)
		}
		eva := h.Enrol(person.Person{Role: person.Nurse, Name: "Eva Luna"}, "")
		_, _, _, err = h.Visits.Join(h.Context(), of(eva), h.key)
		h.denied("a fifth", err, fault.Conflict)
		h.denied("a patient ends it", h.Visits.End(h.Context(), of(h.Ruth), h.key, true), fault.Denied)
		h.Clock.Set(h.visit.End.Add(visit.Closes))
		_, _, _, err = h.Visits.Join(h.Context(), of(h.Ruth), h.key)
		h.denied("two hours after", err, fault.Conflict)
	})
}

// Two servers on one database: what one takes in the other hands out, each signal once and in order, to its seat alone.
func TestSignalsAcrossServers(t *testing.T) {
	each(t, func(h *house) {
		h.Clock.Set(h.visit.Start)
		other := visit.New(h.DB, h.Clock, clock.SeededIDs(h.Clock, 9), h.People, h.Promises, h.Record, app.Visits(h.Appointments, h.Waiting))
		ruth, _ := h.join(h.Ruth)
		dana, _, _, err := other.Join(h.Context(), of(h.Dana), h.key)
		if err != nil {
			t.Fatal(err)
		}
		hints := h.DB.Listen(h.Context(), visit.Topic)
		for i := range 3 {
			if err := other.Send(h.Context(), of(h.Dana), h.key, dana.ID, ruth.ID, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		if hint := <-hints; hint != h.key.Hint() {
			t.Errorf("the hint says %q", hint)
		}
		h.denied("from a seat that is not hers", h.Visits.Send(h.Context(), of(h.Elena), h.key, dana.ID, ruth.ID, "x"), fault.Conflict)
		h.Read(func(tx *store.Tx) error {
			list, err := h.Visits.Signals(tx, h.key, ruth.ID, 1)
			if len(list) != 2 || list[0].Body != "1" || list[1].Body != "2" || list[0].From != dana.ID {
				t.Errorf("after the first: %v", list)
			}
			mine, _ := h.Visits.Signals(tx, h.key, dana.ID, 0)
			if len(mine) != 0 {
				t.Errorf("Dana hears herself: %v", mine)
			}
			return err
		})
		h.Clock.Advance(3 * time.Minute)
		if _, err := h.Visits.CloseIdle(h.Context()); err != nil {
			t.Fatal(err)
		}
		h.Read(func(tx *store.Tx) error {
			if list, _ := h.Visits.Signals(tx, h.key, ruth.ID, 0); len(list) != 0 {
				t.Errorf("signals that have run out: %v", list)
			}
			return nil
		})
	})
}

// A room that both sides have left closes by itself, and the visit was held from when they met.
func TestRoomClosesByItself(t *testing.T) {
	each(t, func(h *house) {
		h.Clock.Set(h.visit.Start.Add(2 * time.Minute))
		ruth, _ := h.join(h.Ruth)
		dana, _ := h.join(h.Dana)
		close := func(want int) {
			t.Helper()
			if n, err := h.Visits.CloseIdle(h.Context()); n != want || err != nil {
				t.Errorf("closed %d (%v), want %d", n, err, want)
			}
		}
		for range 60 {
			h.Clock.Advance(10 * time.Second)
			for seat, p := range map[string]person.Person{ruth.ID: h.Ruth, dana.ID: h.Dana} {
				if err := h.Visits.Touch(h.Context(), of(p), h.key, seat); err != nil {
					t.Fatal(err)
				}
			}
		}
		close(0)
		h.Clock.Advance(6 * time.Minute)
		close(1)
		close(0)
		if a := h.state(); a.State != appointment.Fulfilled {
			t.Errorf("the visit is %s", a.State)
		}
		h.denied("a seat in a room that is over", h.Visits.Touch(h.Context(), of(h.Ruth), h.key, ruth.ID), fault.Conflict)
	})
}

// By telephone: the desk is asked once, a clinician's word closes the visit and the task.
func TestFallsToTelephone(t *testing.T) {
	each(t, func(h *house) {
		h.Clock.Set(h.visit.Start)
		for range 2 {
			m, err := h.Visits.Fall(h.Context(), of(h.Ruth), h.key, visit.Phone, visit.Denied)
			if err != nil || m.Mode != visit.Phone || !m.CallBy.Equal(h.visit.Start.Add(visit.CallsIn)) {
				t.Fatalf("%v, %v", m, err)
			}
		}
		open := func() (n int) {
			h.Read(func(tx *store.Tx) error {
				list, err := h.Promises.Tasks(tx, apptest.Org)
				for _, x := range list {
					if x.Say == "task.visit.call" && x.Args["phone"] != "" {
						n++
					}
				}
				return err
			})
			return n
		}
		if n := open(); n != 1 {
			t.Errorf("%d tasks", n)
		}
		if m, err := h.Visits.Rise(h.Context(), of(h.Ruth), h.key); err != nil || m.Mode != visit.Video || open() != 0 {
			t.Errorf("by video again: %s, %d tasks (%v)", m.Mode, open(), err)
		}
		h.Clock.Advance(time.Minute)
		if _, err := h.Visits.Fall(h.Context(), of(h.Ruth), h.key, visit.Phone, visit.Lost); err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(10 * time.Minute)
		if _, err := h.Visits.CloseIdle(h.Context()); err != nil || open() != 1 {
			t.Errorf("a call that is owed was closed (%v)", err)
		}
		if err := h.Visits.End(h.Context(), of(h.Dana), h.key, true); err != nil || open() != 0 || h.state().State != appointment.Fulfilled {
			t.Errorf("ended: %v, %d tasks, %s", err, open(), h.state().State)
		}
		h.denied("nothing to try again", func() error { _, err := h.Visits.Rise(h.Context(), of(h.Ruth), h.key); return err }(), fault.Conflict)
	})
}
