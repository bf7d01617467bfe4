package message_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/app/apptest"
	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// slow is a gateway that needs 25 seconds for what it is given at a time, while the world goes on.
type slow struct {
	post
	clock     *clock.Sim
	meanwhile func(call int)
	calls     int
}

func (s *slow) Send(ctx context.Context, batch []message.Outgoing) []message.Result {
	s.calls++
	s.meanwhile(s.calls)
	s.clock.Set(s.clock.Now().Add(25 * time.Second))
	return s.post.Send(ctx, batch)
}

// A gateway may need longer for a batch than a lease lasts: another node must not take it over meanwhile, and what is severe must
// not wait behind it.
func TestBatchThroughASlowGateway(t *testing.T) {
	t.Parallel()
	const n = 1000
	for _, together := range []bool{true, false} { // with one lease between them, or one each
		t.Run(fmt.Sprint("together=", together), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
				h := &house{apptest.New(t, db)}
				other, err := app.New(t.Context(), app.Options{DB: db, Clock: h.Clock, IDs: clock.SeededIDs(h.Clock, 2), PublicURL: "https://elm.example"})
				if err != nil {
					t.Fatal(err)
				}
				elsewhere := &post{}
				other.Messages.SetChannel(person.SMS, elsewhere)
				gateway := &slow{clock: h.Clock}
				gateway.meanwhile = func(call int) {
					if call == 1 {
						h.say(message.Draft{Key: "fall", Say: "help", Severity: message.Severe})
					}
					if _, err := other.Messages.SendDue(t.Context()); err != nil {
						t.Error(err)
					}
				}
				h.Messages.SetChannel(person.SMS, gateway)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- h.Messages.Run(ctx) }()
				for !h.Messages.Running() {
					time.Sleep(time.Millisecond)
				}
				drafts := make([]message.Draft, n)
				for i := range drafts {
					drafts[i] = message.Draft{Org: org, Patient: h.Ruth.ID, To: "patient", Say: "test", At: start, Key: fmt.Sprint(i)}
				}
				if !together { // two patients, out of order
					drafts[0].Patient = h.Elena.ID
					drafts[n-1].Patient = h.Elena.ID
				}
				h.Write(func(tx *store.Tx) error {
					apply, err := h.Messages.Ready(tx, drafts)
					if err != nil {
						return err
					}
					return apply(tx)
				})
				for until := time.Now().Add(time.Minute); gateway.Count() < n+1 && time.Now().Before(until); {
					time.Sleep(5 * time.Millisecond)
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
				got := gateway.Took()
				if len(got) != n+1 {
					t.Errorf("%d messages were handed over, want %d", len(got), n+1)
				}
				if more := elsewhere.Took(); len(more) > 0 {
					t.Errorf("another node handed over %d of them too", len(more))
				}
				place := 0
				for i, m := range got {
					if strings.Contains(m, "Reply STOP") {
						place = i
					}
				}
				if place == 0 || place > 256 {
					t.Errorf("the severe message went out as number %d", place)
				}
				if sent := strings.Count(h.outbox(h.Ruth.ID)+h.outbox(h.Elena.ID), "sms sent"); sent != n+1 {
					t.Errorf("%d are marked as sent, want %d", sent, n+1)
				}
			})
		})
	}
}
