package visit_test

import (
	"testing"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/waiting"
)

// Being in the room of a visit by video checks in with the waiting room; meeting is being in the room, and the end of the visit is the end of the stay, as
// long as they were together. Who was never seen has the desk ask.
func TestTheBoardKnows(t *testing.T) {
	each(t, func(h *house) {
		osei := h.Enrol(person.Person{Role: person.Clinician, Name: "Dr. Osei"}, "")
		stay := func() (x waiting.Stay) {
			h.Helper()
			h.Read(func(tx *store.Tx) (err error) {
				x, _, err = h.Waiting.OfVisit(tx, h.key.Org, string(h.key.Visit))
				return err
			})
			return x
		}
		h.Clock.Set(h.visit.Start.Add(-10 * time.Minute))
		seat, _ := h.join(h.Ruth)
		if x := stay(); x.State != waiting.Waiting || x.Waits != waiting.AtHome || x.Patient != h.Ruth.ID {
			h.Fatalf("in the room: %+v", x)
		}
		// She looks away and comes back: she is on the board once.
		if err := h.Visits.Leave(h.Context(), of(h.Ruth), h.key, seat.ID); err != nil {
			h.Fatal(err)
		}
		h.join(h.Ruth)
		h.Clock.Set(h.visit.Start.Add(2 * time.Minute))
		h.join(h.Ruth)
		h.join(osei)
		if x := stay(); x.State != waiting.InRoom {
			h.Errorf("together: %s", x.State)
		}
		h.Clock.Advance(15 * time.Minute)
		if err := h.Visits.End(h.Context(), of(osei), h.key, false); err != nil {
			h.Fatal(err)
		}
		if x := stay(); x.State != waiting.Done || !x.Begun.Equal(h.visit.Start.Add(2*time.Minute)) || x.Ended.Sub(x.Begun) != 15*time.Minute {
			h.Errorf("after the end: %+v", x)
		}
	})
}

func TestTheBoardOfAVisitThatWasNotHeld(t *testing.T) {
	each(t, func(h *house) {
		osei := h.Enrol(person.Person{Role: person.Clinician, Name: "Dr. Osei"}, "")
		h.Clock.Set(h.visit.Start)
		h.join(h.Ruth)
		if err := h.Visits.End(h.Context(), of(osei), h.key, false); err != nil {
			h.Fatal(err)
		}
		var x waiting.Stay
		h.Read(func(tx *store.Tx) (err error) {
			x, _, err = h.Waiting.OfVisit(tx, h.key.Org, string(h.key.Visit))
			return err
		})
		if x.State != waiting.Left || h.Tasks() != "desk task.waiting.left" {
			h.Errorf("%s, %s", x.State, h.Tasks())
		}
	})
}
