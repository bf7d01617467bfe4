package app

import (
	"context"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// TestSpike is the morning in small: everybody is reminded once, and the ledger and the outbox are sound.
func TestSpike(t *testing.T) {
	const doses = 20_000
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		counter := &message.Counter{}
		s, err := NewSpike(t.Context(), db, doses, counter)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Go(t.Context()); err != nil {
			t.Fatal(err)
		}
		if counter.N != doses {
			t.Errorf("%d reminders were handed over, want %d", counter.N, doses)
		}
		var patients, most int
		var states map[string]int64
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			if states, err = s.Messages.Count(tx); err != nil {
				return err
			}
			_, err := tx.Row("SELECT COUNT(*), COALESCE(MAX(n), 0) FROM (SELECT patient, COUNT(*) AS n FROM message GROUP BY patient) x", nil, &patients, &most)
			return err
		})
		if err != nil || patients != doses || states["sms sent"] != doses || most != 1 {
			t.Errorf("%d patients have a message, at most %d each, %v (%v); want %d, 1, all sent", patients, most, states, err, doses)
		}
		report, err := s.Promises.Check(t.Context())
		if err != nil || len(report.Faults) > 0 || report.Promises != doses || report.Events != 2*doses {
			t.Errorf("the ledger: %d promises, %d lines, faults %v, %v", report.Promises, report.Events, report.Faults[:min(len(report.Faults), 3)], err)
		}
		n, damaged, err := s.Messages.Check(t.Context())
		if err != nil || n != doses || len(damaged) > 0 {
			t.Errorf("the outbox: %d messages, damaged %v, %v", n, damaged, err)
		}
		if took, err := s.Plain(t.Context()); err != nil || took <= 0 {
			t.Errorf("plain inserts: %v, %v", took, err)
		}
	})
}

// torn is a gateway whose process ends between taking messages and saying so; afterwards it can tell which it took.
type torn struct {
	whole bool
	took  map[string]int
}

func (c *torn) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	for i, m := range batch {
		if c.whole || i%2 == 0 {
			c.took[m.Ref]++
		}
	}
	if !c.whole {
		return nil // nobody hears the answer
	}
	return make([]message.Result, len(batch))
}

func (c *torn) Took(ref string) (string, bool, error) { return "", c.took[ref] > 0, nil }

// TestTornBatch is a process that ends in the middle of handing a batch over: when the batch's lease has run out, each message
// is looked into, and goes out once.
func TestTornBatch(t *testing.T) {
	const doses = 10_000
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		c := &torn{took: map[string]int{}}
		s, err := NewSpike(t.Context(), db, doses, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Clock.Set(spikeAt)
		if err := s.Promises.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() { gone <- s.Messages.Run(ctx) }()
		for !s.Messages.Running() {
			time.Sleep(time.Millisecond)
		}
		if _, err := s.Promises.Climb(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		stop()
		<-gone // it finishes what is in memory first
		c.whole = true
		at, more, err := s.Messages.NextDue(t.Context())
		if err != nil || !more || !at.After(spikeAt) {
			t.Fatalf("next due at %v (%v, %v), want the end of the leases", at, more, err)
		}
		s.Clock.Set(spikeAt.Add(2 * time.Minute))
		for n := 1; n > 0; {
			if n, err = s.Messages.SendDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		twice := 0
		for _, n := range c.took {
			if n != 1 {
				twice++
			}
		}
		var states map[string]int64
		err = db.Read(t.Context(), func(tx *store.Tx) (err error) { states, err = s.Messages.Count(tx); return err })
		if len(c.took) != doses || twice != 0 || states["sms sent"] != doses || err != nil {
			t.Errorf("%d of %d reminders were taken, %d more than once, %v (%v)", len(c.took), doses, twice, states, err)
		}
	})
}
