package conversation_test

import (
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/conversation"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// A rule with minutes of its own climbs a ladder that fits them: the desk is called while there is still a quarter of the time, whether that is half an hour
// or a day, and never after the word is broken.
func TestLadderFitsTheMinutes(t *testing.T) {
	for _, minutes := range []int{30, 24 * 60} {
		t.Run((time.Duration(minutes) * time.Minute).String(), func(t *testing.T) {
			apptest.Each(t, func(h *apptest.House) {
				h.Write(func(tx *store.Tx) error {
					return h.Conversations.SaveRoute(tx, viewer(h.Omar), conversation.Route{ID: "feet", Name: "Feet", Words: []string{"my feet"}, Role: person.Desk, Minutes: minutes})
				})
				post(h, h.Ruth, "About my feet")
				c := last(h)
				if c.By.Sub(h.Clock.Now()) != time.Duration(minutes)*time.Minute {
					h.Fatalf("promised within %s", c.By.Sub(h.Clock.Now()))
				}
				var l promise.Ladder
				h.Read(func(tx *store.Tx) error {
					p, err := h.Promises.Get(tx, apptest.Org, h.Ruth.ID, c.Promise)
					if err != nil {
						return err
					}
					if !strings.HasPrefix(p.Ladder.Name, conversation.DeskLadder+".") {
						h.Errorf("it climbs %q", p.Ladder.Name)
					}
					l, err = h.Promises.Newest(tx, apptest.Org, p.Ladder.Name)
					return err
				})
				want := []float64{0, 0.75, 0.875} // of the time, as in the ladder for two hours
				if len(l.Rungs) != len(want) {
					h.Fatalf("%+v", l)
				}
				for i, r := range l.Rungs {
					if got := time.Duration(r.After).Minutes() / float64(minutes); got < want[i]-0.01 || got > want[i]+0.01 {
						h.Errorf("rung %d at %.3f of the time, want %.3f", i, got, want[i])
					}
				}
			})
		})
	}
}
