package sim

import (
	"context"
	"math"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// routine plans a patient's day: the pill box around each dose, the scale in the morning; at its end the next day.
func (w *World) routine(m *Member, day clock.Day) {
	zone, now := m.Location(), w.Clock.Now()
	plan := func(t time.Time, do func(ctx context.Context) error) {
		if t.After(now) {
			w.at(t, do)
		}
	}
	for _, meal := range []clock.Wall{m.Routine.Breakfast, m.Routine.Dinner, m.Routine.Bed} {
		opens := w.rand.Float64() < m.habits.opens
		around := time.Duration(w.rand.IntN(40)-20) * time.Minute
		if !opens {
			continue
		}
		at := clock.At(day, meal, zone).Add(around)
		plan(at, func(ctx context.Context) error { return w.openBox(ctx, m.ID) })
	}
	weighs, around := w.rand.Float64() < m.habits.weighs, time.Duration(w.rand.IntN(60)-30)*time.Minute
	drift := (w.rand.Float64() - 0.5) * 0.3
	if weighs {
		plan(clock.At(day, clock.WallAt(9, 0), zone).Add(around), func(ctx context.Context) error {
			m.weight += drift
			return w.weigh(ctx, m)
		})
	}
	if m.Name == "Ruth Abbott" && day == clock.DayOf(FirstMorning, zone).Add(3) { // the story's fourth day
		plan(clock.At(day, clock.WallAt(8, 40), zone), func(ctx context.Context) error {
			m.weight += 1.7
			return w.weigh(ctx, m)
		})
	}
	if asks, around := w.rand.Float64() < 0.05, time.Duration(w.rand.IntN(300))*time.Minute; asks {
		plan(clock.At(day, clock.WallAt(9, 30), zone).Add(around), func(ctx context.Context) error { return w.visits(ctx, m) })
	}
	w.at(clock.At(day.Add(1), clock.WallAt(3, 0), zone), func(context.Context) error {
		w.routine(m, day.Add(1))
		return nil
	})
}

// openBox opens a patient's pill box and closes it a minute later.
func (w *World) openBox(ctx context.Context, patient person.ID) error {
	d, ok := w.device(patient, "pillbox")
	if !ok {
		return nil
	}
	w.in(time.Minute, func(ctx context.Context) error { return w.pill(ctx, d, "close") })
	return w.pill(ctx, d, "open")
}

// pill lets a pill box tell of an event.
func (w *World) pill(ctx context.Context, d Gadget, event string) error {
	w.opened[d.ID] = event == "open"
	if event == "open" {
		w.lit[d.ID] = false
	}
	now := w.Clock.Now()
	_, err := w.Readings.Pill(ctx, reading.Device{ID: d.ID, Org: string(Org), Kind: d.Kind}, []reading.PillEvent{{Seq: now.UnixMicro(), HasSeq: true, At: now, Clock: now, Event: event, Slot: 1}})
	return err
}

// weigh lets a patient's scale tell a weight, through a hub that may be offline at night and may repeat itself.
func (w *World) weigh(ctx context.Context, m *Member) error {
	d, ok := w.device(m.ID, "scale")
	if !ok {
		return nil
	}
	now := w.Clock.Now()
	x := reading.Reading{Seq: now.UnixMicro(), HasSeq: true, At: now, Series: "29463-7", Value: math.Round(m.weight*10) / 10, Unit: "kg"}
	send := func(ctx context.Context) error {
		x.Clock = w.Clock.Now()
		for range 1 + w.Faults.Repeats {
			if _, err := w.Readings.Ingest(ctx, reading.Device{ID: d.ID, Org: string(Org), Kind: d.Kind}, []reading.Reading{x}); err != nil {
				return err
			}
		}
		return nil
	}
	if w.Faults.HubOffline {
		w.in(6*time.Hour, send)
		return nil
	}
	return send(ctx)
}

// heard is called with each text that arrives at a telephone: the person may answer it, a nurse who is paged goes to work.
func (w *World) heard(number, body string) {
	for _, m := range w.Cast {
		if m.Number != number {
			continue
		}
		switch {
		case m.Role == person.Nurse:
			w.in(time.Duration(3+w.rand.IntN(8))*time.Minute, func(ctx context.Context) error { return w.work(ctx, m) })
		case m.Role == person.Patient:
			w.answer(m, body)
		}
	}
}

// answer lets a patient answer a question by text, more often than not with its code.
func (w *World) answer(m *Member, body string) {
	_, code, asks := strings.Cut(body, "Reply ")
	if !asks {
		_, code, asks = strings.Cut(body, "Responda ")
	}
	if !asks || len(code) < 2 || w.rand.Float64() >= m.habits.answers {
		return
	}
	reply := code[:1] + "1"
	switch chance := w.rand.Float64(); {
	case chance < 0.08:
		reply = code[:1] + "2"
	case chance < 0.3:
		reply = "yes"
	}
	w.in(time.Duration(1+w.rand.IntN(25))*time.Minute, func(ctx context.Context) error { return w.SMS.write(ctx, m.Number, reply) })
}

// work lets a nurse take what is open, call, and write down what came of it.
func (w *World) work(ctx context.Context, m *Member) error {
	v := person.Viewer{Org: Org, Person: m.ID, Role: m.Role, Name: m.Name}
	var open []promise.TaskRow
	if err := w.read(ctx, func(tx *store.Tx) (err error) { open, err = w.Promises.Tasks(tx, Org); return err }); err != nil {
		return err
	}
	for _, t := range open {
		if t.Role != m.Role || t.Owner != "" {
			continue
		}
		if err := w.DB.Write(ctx, func(tx *store.Tx) error { _, err := w.Promises.Take(tx, v, t.ID); return err }); err != nil {
			return err
		}
		w.in(time.Duration(5+w.rand.IntN(10))*time.Minute, func(ctx context.Context) error {
			return w.DB.Write(ctx, func(tx *store.Tx) error {
				now, err := w.Promises.TaskByID(tx, Org, t.ID)
				if err != nil || !now.Closed.IsZero() {
					return err
				}
				_, err = w.Promises.Finish(tx, v, t.ID, "Called. All is well.")
				return err
			})
		})
	}
	return nil
}
