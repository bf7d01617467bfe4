package reading_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

var rooms = []storetest.Room{{Name: "reading", FS: reading.Migrations}}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const (
	org = "org"
	ana = "ana"
	ben = "ben"
)

// heard is what a listener was told.
type heard struct {
	mu     sync.Mutex
	fresh  []reading.Sample
	alerts []reading.Alert
	pills  []reading.PillEvent
}

func (h *heard) Stored(_ *store.Tx, _, _ string, fresh []reading.Sample) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fresh = append(h.fresh, fresh...)
	return nil
}

func (h *heard) Alert(_ *store.Tx, a reading.Alert) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alerts = append(h.alerts, a)
	return nil
}

func (h *heard) Pill(_ *store.Tx, _ reading.Device, _ string, e reading.PillEvent) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pills = append(h.pills, e)
	return nil
}

// room is a service with a device assigned to Ana since a month ago.
type room struct {
	*testing.T
	*reading.Service
	heard
	db    *store.DB
	clock *clock.Sim
	dev   reading.Device
	key   string
}

func each(t *testing.T, fn func(r *room)) {
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		c := clock.NewSim(noon)
		r := &room{T: t, db: db, clock: c, Service: reading.New(db, c, clock.SeededIDs(c, 1))}
		r.Listen(&r.heard)
		r.ListenPills(&r.heard)
		r.dev, r.key = r.device("watch")
		r.assign(r.dev, ana, noon.AddDate(0, -1, 0), time.Time{})
		fn(r)
	})
}

func (r *room) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *room) device(kind string) (reading.Device, string) {
	r.Helper()
	id, key, err := r.Register(r.Context(), org, kind)
	r.must(err)
	d, err := r.SignIn(r.Context(), id, key)
	r.must(err)
	return d, key
}

func (r *room) assign(d reading.Device, patient string, from, until time.Time) {
	r.Helper()
	r.must(r.Assign(r.Context(), org, d.ID, patient, from, until))
}

func (r *room) ingest(d reading.Device, stored, known, refused int, batch ...reading.Reading) reading.Receipt {
	r.Helper()
	got, err := r.Ingest(r.Context(), d, batch)
	r.must(err)
	if got.Stored != stored || got.Known != known || len(got.Refused) != refused {
		r.Fatalf("stored %d known %d refused %v; want %d, %d and %d", got.Stored, got.Known, got.Refused, stored, known, refused)
	}
	return got
}

func (r *room) samples(patient, series string) []reading.Sample {
	r.Helper()
	out, err := r.Samples(r.Context(), org, patient, series, time.Unix(0, 0), noon.AddDate(100, 0, 0))
	r.must(err)
	return out
}

func (r *room) setRule(x rule.Rule) (out reading.Rule) {
	r.Helper()
	r.must(r.db.Write(r.Context(), func(tx *store.Tx) (err error) {
		out, err = r.SetRule(tx, reading.Rule{Org: org, Patient: ana, Rule: x})
		return err
	}))
	return out
}

func pulse(seq int, at time.Time, v float64) reading.Reading {
	return reading.Reading{Seq: int64(seq), HasSeq: true, At: at, Series: "8867-4", Value: v, Unit: "/min"}
}

func weight(at time.Time, kg float64) reading.Reading {
	return reading.Reading{At: at, Series: "29463-7", Value: kg, Unit: "kg"}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		for _, c := range [][2]string{{r.dev.ID, "wrong"}, {"nobody", r.key}, {r.dev.ID, ""}} {
			if _, err := r.SignIn(r.Context(), c[0], c[1]); !fault.Is(err, fault.Denied) {
				r.Errorf("%v", err)
			}
		}
		if err := r.Assign(r.Context(), org, r.dev.ID, ben, noon, time.Time{}); !fault.Is(err, fault.Conflict) {
			r.Errorf("overlapping assignment: %v", err)
		}
		if err := r.Assign(r.Context(), "other", r.dev.ID, ben, noon, time.Time{}); !fault.Is(err, fault.NotFound) {
			r.Errorf("another organization's device: %v", err)
		}
	})
}

// TestFault19SameReadingFiveTimes: over two transports, at once and later, with and without a sequence number, before and
// after packing: one observation.
func TestFault19SameReadingFiveTimes(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		total := reading.Receipt{}
		for range 5 {
			wg.Go(func() {
				got, err := r.Ingest(context.Background(), r.dev, []reading.Reading{pulse(1, noon, 72), weight(noon, 80)})
				if err != nil {
					r.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				total.Stored += got.Stored
				total.Known += got.Known
			})
		}
		wg.Wait()
		if total.Stored != 2 || total.Known != 8 || len(r.fresh) != 2 {
			r.Fatalf("stored %d, known %d, told of %d", total.Stored, total.Known, len(r.fresh))
		}
		r.clock.Advance(2 * time.Hour)
		if n, err := r.Compact(r.Context()); err != nil || n != 1 {
			r.Fatalf("packed %d %v", n, err)
		}
		r.ingest(r.dev, 0, 2, 0, pulse(1, noon, 72), weight(noon, 80))
		again := pulse(1, noon, 72)
		again.HasSeq = false
		r.ingest(r.dev, 0, 1, 0, again)
		// The same number at another time is a device that counts anew: a new reading.
		r.ingest(r.dev, 1, 0, 0, pulse(1, noon.Add(time.Hour), 75))
		// Two in one instant with numbers of their own are two; a repeat of both is none.
		rr := reading.Reading{Seq: 1, HasSeq: true, At: noon, Series: "8637-1", Value: 800, Unit: "ms"}
		rr2 := rr
		rr2.Seq = 2
		r.ingest(r.dev, 2, 0, 0, rr, rr2)
		r.ingest(r.dev, 0, 2, 0, rr, rr2)
		// So is a repeat that lay two days in a queue, with the device's clock of the first time.
		queued := weight(noon.Add(time.Hour), 80)
		queued.Clock = r.clock.Now()
		r.ingest(r.dev, 1, 0, 0, queued)
		r.clock.Advance(48 * time.Hour)
		r.ingest(r.dev, 0, 1, 0, queued)
		if a, b, c := len(r.samples(ana, "8867-4")), len(r.samples(ana, "29463-7"))-1, len(r.samples(ana, "8637-1")); a != 2 || b != 1 || c != 2 {
			r.Errorf("%d pulses, %d weights, %d intervals", a, b, c)
		}
	})
}

// TestFault17ClockOffByYears: kept with both times, flagged, never "now"; with the device's present time it is put right.
func TestFault17ClockOffByYears(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		r.ingest(r.dev, 1, 0, 0, pulse(1, noon.Add(-time.Minute), 70))
		r.ingest(r.dev, 2, 0, 0, pulse(2, noon.AddDate(30, 0, 0), 90), pulse(3, time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), 95))
		told := pulse(4, noon.AddDate(-20, 0, 0).Add(-30*time.Second), 71)
		told.Clock = noon.AddDate(-20, 0, 0)
		r.ingest(r.dev, 1, 0, 0, told)
		latest, err := r.Latest(r.Context(), org, ana)
		r.must(err)
		if len(latest) != 1 || latest[0].Value != 71 || !latest[0].At.Equal(noon.Add(-30*time.Second)) || !latest[0].DeviceAt.Equal(told.At) || !latest[0].Flags.Has(reading.ClockCorrected) {
			r.Errorf("latest %+v", latest)
		}
		all := r.samples(ana, "8867-4")
		if len(all) != 4 || !all[0].Flags.Has(reading.TimeUnknown) || !all[3].Flags.Has(reading.TimeUnknown) || !all[3].Received.Equal(noon) || !all[3].DeviceAt.Equal(noon.AddDate(30, 0, 0)) {
			r.Errorf("%+v", all)
		}
		// A reading after a wrong one is still the newest.
		r.ingest(r.dev, 1, 0, 0, pulse(5, noon, 73))
		if latest, _ := r.Latest(r.Context(), org, ana); latest[0].Value != 73 {
			r.Errorf("latest %+v", latest)
		}
	})
}

// TestFault18HubOffline: 200 old readings, one by one or together, in any order: stored once, one summary alert at most.
func TestFault18HubOffline(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 50, 200} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			each(t, func(r *room) {
				r.setRule(rule.Rule{Series: "8867-4", Above: rule.Limit{Kind: rule.Absolute, Value: 120}, Severity: "urgent"})
				var batch []reading.Reading
				for i := range 200 {
					v := 70.0
					if i/10%4 == 3 { // five episodes in the night
						v = 130 + float64(i%10)
					}
					batch = append(batch, pulse(i, noon.Add(-12*time.Hour+time.Duration(i)*2*time.Minute), v))
				}
				for range 2 {
					for i := 0; i < len(batch); i += size {
						if _, err := r.Ingest(r.Context(), r.dev, batch[i:i+size]); err != nil {
							r.Fatal(err)
						}
					}
				}
				if got := r.samples(ana, "8867-4"); len(got) != 200 {
					r.Errorf("%d samples", len(got))
				}
				if len(r.alerts) != 1 || !r.alerts[0].Late || !r.alerts[0].Began.Equal(batch[30].At) || !r.alerts[0].Above {
					r.Errorf("alerts %+v", r.alerts)
				}
				// What happens now is told at once, also while the night is summed up.
				r.ingest(r.dev, 1, 0, 0, pulse(999, noon, 150))
				if len(r.alerts) != 2 || r.alerts[1].Late || r.alerts[1].Value != 150 {
					r.Errorf("alerts %+v", r.alerts)
				}
			})
		})
	}
}

// TestFault22TwoPeopleOnOneScale: what cannot be and what is unlike the person is marked and kept.
func TestFault22TwoPeopleOnOneScale(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		for i := range 10 {
			r.ingest(r.dev, 1, 0, 0, weight(noon.AddDate(0, 0, i-20), 80+float64(i%3)/10))
		}
		r.ingest(r.dev, 4, 0, 0, weight(noon.Add(-4*time.Hour), 0), weight(noon.Add(-3*time.Hour), 600), weight(noon.Add(-2*time.Hour), 61), weight(noon.Add(-time.Hour), 82.5))
		want := []reading.Flags{reading.Impossible, reading.Impossible, reading.Unlike, 0}
		got := r.samples(ana, "29463-7")
		if len(got) != 14 {
			r.Fatalf("%d samples", len(got))
		}
		for i, s := range got[10:] {
			if s.Flags != want[i] {
				r.Errorf("%v kg: flags %v, want %v", s.Value, s.Flags.Names(), want[i].Names())
			}
		}
	})
}

// TestFault23DeviceChangesHands: the time of measurement decides whose it is; in between and before it is nobody's.
func TestFault23DeviceChangesHands(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		kit, _ := r.device("scale")
		r.assign(kit, ana, noon.AddDate(0, 0, -20), noon.AddDate(0, 0, -10))
		r.assign(kit, ben, noon.AddDate(0, 0, -5), time.Time{})
		batch := []reading.Reading{weight(noon.AddDate(0, 0, -30), 79), weight(noon.AddDate(0, 0, -15), 80), weight(noon.AddDate(0, 0, -7), 81), weight(noon.AddDate(0, 0, -1), 60), weight(noon.AddDate(50, 0, 0), 59)}
		for i := range 2 { // sent again it is still one of each
			got := r.ingest(kit, 2-2*i, 2*i, 3, batch...)
			if got.Refused[0].Index != 0 || got.Refused[1].Index != 2 || got.Refused[2].Index != 4 {
				r.Errorf("%+v", got.Refused)
			}
		}
		a, b := r.samples(ana, "29463-7"), r.samples(ben, "29463-7")
		if len(a) != 1 || a[0].Value != 80 || len(b) != 1 || b[0].Value != 60 {
			r.Errorf("Ana %+v, Ben %+v", a, b)
		}
		q, err := r.Quarantined(r.Context(), org, 100)
		r.must(err)
		if len(q) != 3 {
			r.Errorf("%d in quarantine", len(q))
		}
		r.must(r.Unassign(r.Context(), org, kit.ID, noon))
		r.clock.Advance(time.Hour)
		r.ingest(kit, 0, 0, 1, weight(noon.Add(time.Minute), 60))
	})
}

// TestFault21SilenceNeedsNoData: the rule fires where there never was a reading, once per silence, and again after the next.
func TestFault21SilenceNeedsNoData(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		r.setRule(rule.Rule{Series: "29463-7", Missing: 24 * time.Hour, Severity: "warning"})
		sweep := func(want int) {
			r.Helper()
			if n, err := r.Sweep(r.Context(), org); err != nil || n != want {
				r.Fatalf("%d alerts %v, want %d", n, err, want)
			}
		}
		r.clock.Advance(23 * time.Hour)
		sweep(0)
		r.clock.Advance(time.Hour)
		sweep(1)
		sweep(0)
		if r.alerts[0].Kind != "silence" || !r.alerts[0].Began.Equal(noon) {
			r.Errorf("%+v", r.alerts)
		}
		r.ingest(r.dev, 1, 0, 0, weight(r.clock.Now(), 80))
		sweep(0)
		r.clock.Advance(25 * time.Hour)
		sweep(1)
		sweep(0)
	})
}

// TestFault28HistoryIsImmutable: a rule's change leaves the past alert, and the old version replayed gives it again.
func TestFault28HistoryIsImmutable(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		old := r.setRule(rule.Rule{Series: "8867-4", Above: rule.Limit{Kind: rule.Absolute, Value: 100}, Hold: 10 * time.Minute, Hysteresis: 5, Severity: "urgent"})
		for i, v := range []float64{80, 110, 115, 112, 96, 90, 105} {
			r.ingest(r.dev, 1, 0, 0, pulse(i, noon.Add(time.Duration(i-7)*6*time.Minute), v))
		}
		if len(r.alerts) != 1 || !r.alerts[0].At.Equal(noon.Add(-24*time.Minute)) || !r.alerts[0].Began.Equal(noon.Add(-36*time.Minute)) {
			r.Fatalf("%+v", r.alerts)
		}
		changed := old
		changed.Above.Value = 200
		r.must(r.db.Write(r.Context(), func(tx *store.Tx) error { _, err := r.SetRule(tx, changed); return err }))
		r.clock.Advance(time.Minute)
		r.ingest(r.dev, 1, 0, 0, pulse(50, r.clock.Now(), 150))
		past, err := r.Alerts(r.Context(), org, ana)
		r.must(err)
		rules, err := r.Rules(r.Context(), org, ana)
		r.must(err)
		if len(past) != 1 || len(rules) != 2 || rules[0].Version != 1 || rules[0].Until.IsZero() || past[0].Version != 1 {
			r.Fatalf("%+v %+v", past, rules)
		}
		var samples []rule.Sample
		for _, s := range r.samples(ana, "8867-4")[:7] {
			samples = append(samples, rule.Sample{Series: s.Series, At: s.At, Value: s.Value})
		}
		again := rules[0].Replay(samples)
		if len(again) != 1 || !again[0].At.Equal(past[0].At) || !again[0].Began.Equal(past[0].Began) || again[0].Value != past[0].Value {
			r.Errorf("replayed %+v, raised %+v", again, past[0])
		}
	})
}

// What is packed reads as before, in pieces of any size, with every field.
func TestCompactChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		scale, _ := r.device("scale")
		r.assign(scale, ana, noon.AddDate(0, -6, 0), time.Time{})
		seq := 0
		for round := range 4 {
			for b := range 30 {
				var batch []reading.Reading
				for i := range 50 {
					x := pulse(seq, noon.Add(time.Duration(b*50+i-9000+1000*round)*7*time.Second), 60+float64(seq%40))
					if i%7 == 0 {
						x.Clock = r.clock.Now().Add(-time.Duration(i) * time.Second)
					}
					seq++
					batch = append(batch, x)
				}
				if _, err := r.Ingest(r.Context(), r.dev, batch); err != nil {
					r.Fatal(err)
				}
			}
			r.ingest(scale, 1, 0, 0, weight(noon.AddDate(0, 0, -40*round), 80.25))
			before := [2][]reading.Sample{r.samples(ana, "8867-4"), r.samples(ana, "29463-7")}
			r.clock.Advance(2 * time.Hour)
			if n, err := r.Compact(r.Context()); err != nil || n != 31 {
				r.Fatalf("packed %d %v", n, err)
			}
			for i, series := range []string{"8867-4", "29463-7"} {
				after := r.samples(ana, series)
				if len(after) != len(before[i]) {
					r.Fatalf("%s: %d samples, before %d", series, len(after), len(before[i]))
				}
				for k := range after {
					if after[k] != before[i][k] {
						r.Fatalf("%s %d: %+v, before %+v", series, k, after[k], before[i][k])
					}
				}
			}
		}
		part, err := r.Samples(r.Context(), org, ana, "8867-4", noon.Add(-5000*7*time.Second), noon.Add(-4990*7*time.Second))
		r.must(err)
		if len(part) != 10 {
			r.Errorf("%d samples in a small window", len(part))
		}
	})
}

func TestPillEvents(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		open := reading.PillEvent{Seq: 1, HasSeq: true, At: noon.Add(-time.Minute), Event: "open", Slot: 1}
		events := []reading.PillEvent{open, open, {Seq: 2, HasSeq: true, At: noon, Event: "close", Slot: 1}, {At: noon, Event: "explode"}, {At: noon.AddDate(0, -3, 0), Event: "tap"}}
		got, err := r.Service.Pill(r.Context(), r.dev, events)
		r.must(err)
		if got.Stored != 2 || got.Known != 1 || len(got.Refused) != 2 || got.Refused[0].Index != 3 || got.Refused[1].Index != 4 {
			r.Errorf("%+v", got)
		}
		if got, err = r.Service.Pill(r.Context(), r.dev, events[:3]); err != nil || got.Known != 3 {
			r.Errorf("%+v %v", got, err)
		}
		kept, err := r.PillEvents(r.Context(), org, ana, noon.Add(-time.Hour), noon.Add(time.Hour))
		r.must(err)
		if len(kept) != 2 || len(r.pills) != 2 || kept[0].Event != "open" || kept[0].Slot != 1 || !kept[0].At.Equal(open.At) {
			r.Errorf("%+v", kept)
		}
	})
}

// A listener that fails undoes the whole batch: nothing is acknowledged that the ledger has not taken.
func TestListenerFailureStoresNothing(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		r.Listen(broken{})
		if _, err := r.Ingest(r.Context(), r.dev, []reading.Reading{pulse(1, noon, 70)}); err == nil {
			r.Error("acknowledged")
		}
		if got := r.samples(ana, "8867-4"); len(got) != 0 {
			r.Errorf("%+v", got)
		}
	})
}

type broken struct{}

func (broken) Stored(*store.Tx, string, string, []reading.Sample) error { return context.Canceled }
func (broken) Alert(*store.Tx, reading.Alert) error                     { return nil }
