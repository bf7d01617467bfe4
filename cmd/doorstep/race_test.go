package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// TestFault10TwoServersRace lets people book the same few times at once through two real servers on one database: each time is given
// once, and everybody else hears so.
func TestFault10TwoServersRace(t *testing.T) {
	t.Parallel()
	const people, times = 60, 12
	sms := newSMSServer(t)
	c := newClinic(t, storetest.URL(t, store.Postgres), sms.URL, people)
	db, err := store.Open(t.Context(), c.address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	clk := clock.NewSystem()
	s, err := app.New(t.Context(), app.Options{DB: db, Clock: clk, IDs: clock.NewIDs(clk), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		for i := range 3 {
			hours := slot.Calendar{Zone: time.UTC, Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5, 6, 7}, Start: 0, End: slot.Midnight}}}
			if err := s.Appointments.SaveResource(tx, appointment.Resource{Org: app.FirstOrg, ID: fmt.Sprint("c", i), Kind: appointment.Clinician, Name: fmt.Sprint("Clinician ", i),
				Hours: []appointment.Hours{{Calendar: hours}}, Active: true}); err != nil {
				return err
			}
		}
		return s.Appointments.SaveType(tx, appointment.Type{Org: app.FirstOrg, ID: "visit", Name: map[string]string{"en": "Visit"}, Horizon: 30, Grid: 30, Active: true,
			Offers: []appointment.Offer{{Way: appointment.Video, Min: 30, Needs: []appointment.Kind{appointment.Clinician}}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	servers := []*server{start(t, c.address, freePort(t)), start(t, c.address, freePort(t))}
	day := clock.At(clock.DayOf(time.Now(), time.UTC).Add(3), clock.WallAt(9, 0), time.UTC)
	answers := make([]int, people)
	var wg sync.WaitGroup
	for i, p := range c.patients {
		wg.Go(func() {
			want := i % times
			answers[i], _ = servers[i%2].post(t.Context(), "/api/v1/patients/"+string(p)+"/appointments", c.token, map[string]any{"type": "visit", "way": "video",
				"start": day.Add(time.Duration(want/3) * 30 * time.Minute).Format(time.RFC3339), "resources": []string{fmt.Sprint("c", want%3)}})
		})
	}
	wg.Wait()
	won, lost := 0, 0
	for i, status := range answers {
		switch status {
		case http.StatusCreated:
			won++
		case http.StatusConflict:
			lost++
		default:
			t.Errorf("person %d hears %d", i, status)
		}
	}
	if won != times || lost != people-times {
		t.Errorf("%d times were given and %d people heard that theirs was taken, want %d and %d", won, lost, times, people-times)
	}
	taken := map[string]person.ID{}
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		for _, p := range c.patients {
			list, err := s.Appointments.Of(tx, app.FirstOrg, p)
			if err != nil {
				return err
			}
			for _, a := range list {
				key := a.Resources[0] + a.Start.String()
				if other, ok := taken[key]; ok && a.State == appointment.Booked {
					t.Errorf("%s and %s have one time", other, p)
				}
				taken[key] = p
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		s.stop(t)
	}
}
