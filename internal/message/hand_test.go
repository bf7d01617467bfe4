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

// slow is a gateway that needs so long for what it is given at a time, while the world goes on.
type slow struct {
	post
	clock     *clock.Sim
	needs     time.Duration
	meanwhile func(call int)
	calls     int
}

func (s *slow) Send(ctx context.Context, batch []message.Outgoing) []message.Result {
	s.calls++
	s.meanwhile(s.calls)
	s.clock.Set(s.clock.Now().Add(s.needs))
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
				gateway := &slow{clock: h.Clock, needs: 25 * time.Second}
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
				wait := h.run(ctx)
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
				wait()
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

// Batches that wait behind a slow one keep their leases too: another node would take them for left half-way, and not send them.
func TestBatchesBehindASlowOne(t *testing.T) {
	each(t, func(h *house) {
		const batches, size = 4, 300
		other, err := app.New(t.Context(), app.Options{DB: h.DB, Clock: h.Clock, IDs: clock.SeededIDs(h.Clock, 2), PublicURL: "https://elm.example"})
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := &post{}
		other.Messages.SetChannel(person.SMS, elsewhere)
		gateway := &slow{clock: h.Clock, needs: 25 * time.Second}
		gateway.meanwhile = func(int) {
			if _, err := other.Messages.SendDue(t.Context()); err != nil {
				t.Error(err)
			}
		}
		h.Messages.SetChannel(person.SMS, gateway)
		ctx, cancel := context.WithCancel(t.Context())
		wait := h.run(ctx)
		h.Write(func(tx *store.Tx) error { // in one transaction, so that they are taken together
			for b := range batches {
				drafts := make([]message.Draft, size)
				for i := range drafts {
					drafts[i] = message.Draft{Org: org, Patient: h.Ruth.ID, To: "patient", Say: "test", At: start, Key: fmt.Sprint(b, " ", i)}
				}
				h.Clock.Set(h.Clock.Now().Add(time.Microsecond))
				apply, err := h.Messages.Ready(tx, drafts)
				if err != nil {
					return err
				}
				if err := apply(tx); err != nil {
					return err
				}
			}
			return nil
		})
		for until := time.Now().Add(20 * time.Second); gateway.Count() < batches*size && time.Now().Before(until); {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		wait()
		if got, more := gateway.Count(), elsewhere.Count(); got != batches*size || more != 0 {
			t.Errorf("%d messages were handed over and %d by another node, want %d and 0", got, more, batches*size)
		}
		if sent := strings.Count(h.outbox(h.Ruth.ID), "sms sent"); sent != batches*size {
			t.Errorf("%d are marked as sent, want %d", sent, batches*size)
		}
	})
}

// What comes from the database instead of from memory keeps its lease as well.
func TestQueuedThroughASlowGateway(t *testing.T) {
	each(t, func(h *house) {
		const n = 400
		for i := range n {
			h.say(message.Draft{Key: fmt.Sprint(i)})
		}
		gateway := &slow{clock: h.Clock, needs: 40 * time.Second, meanwhile: func(int) {}}
		h.Messages.SetChannel(person.SMS, gateway)
		for range 3 {
			h.Settle()
			h.Clock.Advance(2 * time.Minute)
		}
		if got := gateway.Count(); got != n {
			t.Errorf("%d messages were handed over, want %d", got, n)
		}
		if sent := strings.Count(h.outbox(h.Ruth.ID), "sms sent"); sent != n {
			t.Errorf("%d are marked as sent, want %d", sent, n)
		}
	})
}

// Fault 1, the gentle way: what is put into memory while the server is told to stop is handed over before it ends.
func TestFault01StoppedWithMessagesInMemory(t *testing.T) {
	each(t, func(h *house) {
		for i := range 30 {
			ctx, cancel := context.WithCancel(t.Context())
			wait := h.run(ctx)
			h.Write(func(tx *store.Tx) error {
				if err := h.Messages.Say(tx, message.Draft{Org: org, Patient: h.Ruth.ID, To: "patient", Say: "test", At: h.Clock.Now(), Key: fmt.Sprint(i)}); err != nil {
					return err
				}
				tx.After(cancel)
				return nil
			})
			wait()
		}
		h.Clock.Advance(2 * time.Minute)
		h.Settle() // the next process
		if got := h.SMS.Count(); got != 30 {
			t.Errorf("%d messages were handed over, want 30: %s", got, h.outbox(h.Ruth.ID))
		}
	})
}
