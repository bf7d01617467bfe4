package visit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/visit"
)

// media is a media server outside: it records what it is asked to, and may be out of order.
type media struct {
	on     []string
	n      int
	broken bool
	before func() // happens while it begins a recording
}

func (x *media) Ticket(visit.Key, visit.Seat, time.Time) (visit.Ticket, error) {
	return visit.Ticket{}, nil
}
func (x *media) Close(context.Context, visit.Key) error { return nil }

func (x *media) Record(context.Context, visit.Key, time.Time) (string, error) {
	if x.before != nil {
		f := x.before
		x.before = nil
		f()
	}
	x.n++
	x.on = append(x.on, fmt.Sprint("r", x.n))
	return x.on[len(x.on)-1], nil
}

func (x *media) Stop(_ context.Context, _ visit.Key, name string) error {
	if x.broken {
		return errors.New("out of order")
	}
	x.on = slices.DeleteFunc(x.on, func(y string) bool { return y == name })
	return nil
}

// Nothing is recorded without the yes of everybody in the room, at any moment: not while one has not been asked, not when one takes it back, comes late, or
// comes while it begins; and each yes and no is kept with its time.
func TestRecordingNeedsEverybody(t *testing.T) {
	each(t, func(h *house) {
		osei := h.Enrol(person.Person{Role: person.Clinician, Name: "Dr. Osei"}, "")
		m := &media{}
		h.Visits.SetRoom(m)
		h.Clock.Set(h.visit.Start)
		say := func(p person.Person, seat visit.Seat, yes bool) {
			h.Helper()
			if _, err := h.Visits.Consent(h.Context(), of(p), h.key, seat.ID, yes); err != nil {
				h.Fatal(err)
			}
		}
		want := func(what string, n int) {
			h.Helper()
			var x visit.Meeting
			h.Read(func(tx *store.Tx) (err error) { x, err = h.Visits.Meeting(tx, h.key); return err })
			if len(m.on) != n || (x.Recording != "") != (n > 0) {
				h.Errorf("%s: records %v, the room says %q, want %d", what, m.on, x.Recording, n)
			}
		}
		ruth, _ := h.join(h.Ruth)
		say(h.Ruth, ruth, true)
		want("alone", 0)
		doctor, _ := h.join(osei)
		want("the doctor has not been asked", 0)
		if _, err := h.Visits.Consent(h.Context(), of(h.Ruth), h.key, doctor.ID, true); err == nil {
			h.Error("one said yes for another")
		}
		say(osei, doctor, true)
		want("both said yes", 1)
		h.Clock.Advance(5 * time.Second)
		say(h.Ruth, ruth, false)
		want("taken back", 0)
		say(h.Ruth, ruth, true)
		want("yes again", 1)
		elena, _ := h.join(h.Elena)
		want("somebody came who was not asked", 0)
		say(h.Elena, elena, true)
		want("all three", 1)
		if err := h.Visits.Leave(h.Context(), of(osei), h.key, doctor.ID); err != nil {
			h.Fatal(err)
		}
		want("the doctor has left", 0)
		// Somebody comes while it begins.
		m.before = func() { doctor, _ = h.join(osei) }
		doctor, _ = h.join(osei)
		say(osei, doctor, true)
		want("her other screen came while it began", 0)
		// A server that cannot stop keeps out who has not been asked, and is asked again.
		say(osei, doctor, true)
		want("all", 1)
		m.broken = true
		if _, err := h.Visits.Consent(h.Context(), of(h.Ruth), h.key, ruth.ID, false); err == nil {
			h.Error("a recording that was not stopped is called stopped")
		}
		if _, _, _, err := h.Visits.Join(h.Context(), of(h.Elena), h.key); err == nil {
			h.Error("seated in a room that goes on being recorded")
		}
		m.broken = false
		if _, err := h.Visits.CloseIdle(h.Context()); err != nil {
			h.Fatal(err)
		}
		want("when the server is back", 0)
		var said []string
		h.Read(func(tx *store.Tx) error {
			list, err := h.Visits.Events(tx, h.key)
			for _, e := range list {
				if strings.HasPrefix(e.Kind, "record.") {
					said = append(said, e.Kind+" "+e.Name+" "+e.At.Sub(h.visit.Start).String())
				}
			}
			return err
		})
		if len(said) < 4 || said[0] != "record.yes Ruth Abbott 0s" || !slices.Contains(said, "record.no Ruth Abbott 5s") {
			h.Errorf("what is kept: %v", said)
		}
	})
}
