package reading_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

// holdings is what a listener heard of who has which device.
type holdings struct{ told []string }

func (h *holdings) Began(_ *store.Tx, d reading.Device, a reading.Assignment) error {
	h.told = append(h.told, d.Kind+" to "+a.Patient)
	return nil
}

func (h *holdings) Ended(_ *store.Tx, d reading.Device, a reading.Assignment) error {
	h.told = append(h.told, d.Kind+" from "+a.Patient)
	return nil
}

// Whoever listens hears once of each beginning and end, when it comes, and not of what is over already.
func TestAssignmentsBeginAndEnd(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		var heard holdings
		r.ListenHolders(&heard)
		want := func(told ...string) {
			r.Helper()
			for range 2 {
				_, err := r.TurnDue(r.Context())
				r.must(err)
			}
			if !slices.Equal(heard.told, told) {
				r.Errorf("told %q, want %q", heard.told, told)
			}
			heard.told = nil
		}
		want()
		box, _ := r.device("box")
		r.assign(box, ana, noon.Add(-2*time.Hour), noon.Add(-time.Hour))
		want()
		r.assign(box, ana, noon.Add(-time.Hour), noon.Add(time.Hour))
		want("box to ana")
		r.assign(box, ben, noon.Add(time.Hour), noon.Add(2*time.Hour))
		r.assign(box, ben, noon.Add(2*time.Hour), noon.Add(3*time.Hour))
		want()
		r.clock.Set(noon.Add(time.Hour))
		want("box from ana", "box to ben")
		r.clock.Set(noon.Add(2 * time.Hour))
		want("box to ben") // who has it still is not told that it ended
		r.clock.Set(noon.Add(4 * time.Hour))
		want("box from ben")
		r.assign(box, ana, noon.Add(4*time.Hour), time.Time{})
		r.must(r.Unassign(r.Context(), org, box.ID, noon.Add(5*time.Hour)))
		want("box to ana")
		r.clock.Set(noon.Add(5 * time.Hour))
		want("box from ana")
	})
}

// TestFault23BackdatedAssignmentReleases: what waited in quarantine becomes the patient's with all that it said, once; what lies
// outside of the assignment stays.
func TestFault23BackdatedAssignmentReleases(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		r.setRule(rule.Rule{Series: "8867-4", Above: rule.Limit{Kind: rule.Absolute, Value: 120}, Severity: "urgent"})
		kit, _ := r.device("hub")
		var batch []reading.Reading
		for i := range 1500 { // more than leave in one transaction
			x := pulse(i, noon.Add(-30*time.Hour+time.Duration(i)*time.Minute), 60+float64(i%80))
			x.Clock = noon
			batch = append(batch, x)
		}
		batch = append(batch, weight(noon.AddDate(0, 0, -20), 80))
		r.ingest(kit, 0, 0, 1501, batch...)
		events := []reading.PillEvent{{Seq: 1, HasSeq: true, At: noon.Add(-3 * time.Hour), Clock: noon.Add(-10 * time.Minute), Event: "weight_delta", Slot: 3, Value: -1.5},
			{At: noon.Add(-2 * time.Hour), Event: "open", Slot: 2}, {At: noon.AddDate(0, 0, -20), Event: "tap"}}
		if got, err := r.Service.Pill(r.Context(), kit, events); err != nil || len(got.Refused) != 3 {
			r.Fatalf("%+v %v", got, err)
		}
		r.clock.Advance(time.Hour)
		r.assign(kit, ana, noon.AddDate(0, 0, -2), time.Time{})
		got := r.samples(ana, "8867-4")
		if len(got) != 1500 || len(r.fresh) != 1500 {
			r.Fatalf("%d samples, %d told", len(got), len(r.fresh))
		}
		for i, s := range got {
			if !s.At.Equal(batch[i].At) || s.Value != batch[i].Value || s.Seq != int64(i) || s.Device != kit.ID || !s.Received.Equal(noon) || !s.Clock.Equal(noon) || s.Unit != "/min" {
				r.Fatalf("%+v from %+v", s, batch[i])
			}
		}
		if len(r.alerts) != 1 || !r.alerts[0].Late {
			r.Errorf("alerts %+v", r.alerts)
		}
		pills, err := r.PillEvents(r.Context(), org, ana, noon.AddDate(0, 0, -5), noon)
		r.must(err)
		if len(pills) != 2 || len(r.pills) != 2 || pills[0].Event != "weight_delta" || pills[0].Slot != 3 || pills[0].Value != -1.5 || !pills[0].Received.Equal(noon) ||
			!pills[0].At.Equal(noon.Add(-3*time.Hour+10*time.Minute)) || pills[1].Event != "open" || pills[1].Slot != 2 {
			r.Errorf("%+v", pills)
		}
		q, err := r.Quarantined(r.Context(), org, 100)
		r.must(err)
		if len(q) != 2 {
			r.Errorf("%d in quarantine", len(q))
		}
		// Sent again, all of it is known.
		r.ingest(kit, 0, 1500, 1, batch...)
		if got, err := r.Service.Pill(r.Context(), kit, events); err != nil || got.Known != 2 {
			r.Errorf("%+v %v", got, err)
		}
		// Of another's device, and of what could not be read, nothing is released.
		r.must(r.Malformed(r.Context(), kit, "reading", []byte("?")))
		r.assign(kit, ben, noon.AddDate(0, 0, -30), noon.AddDate(0, 0, -10))
		if a, b := r.samples(ana, "29463-7"), r.samples(ben, "29463-7"); len(a) != 0 || len(b) != 1 {
			r.Errorf("%d weights of Ana, %d of Ben", len(a), len(b))
		}
		if q, err := r.Quarantined(r.Context(), org, 100); err != nil || len(q) != 1 || q[0].Reason != reading.ReasonMalformed {
			r.Errorf("%v %v", q, err)
		}
	})
}

// again is a listener because of which the first transaction has to run twice, as after a deadlock.
type again struct{ done bool }

func (a *again) Stored(tx *store.Tx, _, _ string, _ []reading.Sample) error {
	if a.done || tx.Engine() != store.Postgres {
		return nil
	}
	a.done = true
	_, err := tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$")
	return err
}

func (a *again) Alert(*store.Tx, reading.Alert) error { return nil }

// A release whose transaction runs twice leaves nothing behind.
func TestFault23ReleaseRunsTwice(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		kit, _ := r.device("hub")
		r.ingest(kit, 0, 0, 1, pulse(1, noon.Add(-time.Hour), 72))
		r.Listen(&again{})
		r.assign(kit, ana, noon.AddDate(0, 0, -1), time.Time{})
		if got := r.samples(ana, "8867-4"); len(got) != 1 {
			r.Errorf("%d samples, want 1", len(got))
		}
	})
}

// TestFault23AssignedWhileReadingsCome: nothing is left behind in quarantine, whichever comes first; a release that was cut short
// goes on by itself.
func TestFault23AssignedWhileReadingsCome(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		for round := range 5 {
			kit, _ := r.device("hub")
			patient := fmt.Sprint("patient ", round)
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					if i == 10 {
						r.assign(kit, patient, noon.AddDate(0, 0, -1), time.Time{})
					}
					if _, err := r.Ingest(r.Context(), kit, []reading.Reading{pulse(i, noon.Add(-time.Duration(i)*time.Minute), 70)}); err != nil {
						r.Error(err)
					}
					if _, err := r.Service.Pill(r.Context(), kit, []reading.PillEvent{{At: noon.Add(-time.Duration(i) * time.Minute), Event: "tap"}}); err != nil {
						r.Error(err)
					}
				})
			}
			wg.Wait()
			pills, err := r.PillEvents(r.Context(), org, patient, noon.AddDate(0, 0, -1), noon.Add(time.Hour))
			r.must(err)
			if got := r.samples(patient, "8867-4"); len(got) != 20 || len(pills) != 20 {
				r.Errorf("%d samples and %d events of 20", len(got), len(pills))
			}
		}
		kit, _ := r.device("hub")
		r.ingest(kit, 0, 0, 1, pulse(1, noon, 70))
		r.must(r.db.Write(r.Context(), func(tx *store.Tx) error { // as a server leaves it that dies between Assign and the release
			_, err := tx.Exec("INSERT INTO assignment (org, device, from_at, until_at, patient, told) VALUES ($1, $2, $3, 0, 'cut', 1)", org, kit.ID, store.Micros(noon.AddDate(0, 0, -1)))
			return err
		}))
		for range 2 {
			_, err := r.TurnDue(r.Context())
			r.must(err)
		}
		if got := r.samples("cut", "8867-4"); len(got) != 1 {
			r.Errorf("%d samples", len(got))
		}
	})
}

// A new key is the only one, also where the old one was believed a moment ago, and on another node that has heard of it.
func TestRotate(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		other := reading.New(r.db, r.clock, nil)
		before, err := other.SignIn(r.Context(), r.dev.ID, r.key)
		r.must(err)
		heard := other.NewKeys(r.Context())
		var key string
		r.must(r.db.Write(r.Context(), func(tx *store.Tx) (err error) { key, err = r.Rotate(tx, org, r.dev.ID); return err }))
		if _, err := r.SignIn(r.Context(), r.dev.ID, r.key); !fault.Is(err, fault.Denied) {
			r.Errorf("the old key: %v", err)
		}
		after, err := r.SignIn(r.Context(), r.dev.ID, key)
		r.must(err)
		select {
		case id := <-heard:
			other.Forget(id)
		case <-time.After(10 * time.Second):
			r.Fatal("the other node has not heard of it")
		}
		if _, err := other.SignIn(r.Context(), r.dev.ID, r.key); !fault.Is(err, fault.Denied) {
			r.Errorf("the old key on another node: %v", err)
		}
		if stale, err := other.Stale(r.Context(), []reading.Device{before, after, {ID: "none"}}); err != nil || !slices.Equal(stale, []bool{true, false, true}) {
			r.Errorf("%v %v", stale, err)
		}
		if err := r.db.Write(r.Context(), func(tx *store.Tx) error { _, err := r.Rotate(tx, "other", r.dev.ID); return err }); !fault.Is(err, fault.NotFound) {
			r.Errorf("another organization's device: %v", err)
		}
	})
}
