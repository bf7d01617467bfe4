package promise_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// crowd makes a promise of one instant for each of n people.
func (w *world) crowd(n int, from time.Time) {
	w.t.Helper()
	list := make([]promise.Promise, n)
	for i := range list {
		p := person.ID(fmt.Sprintf("p%03d", i))
		list[i] = promise.Promise{Org: "o", Patient: p, ID: promise.ID("d" + p), Kind: "dose", Say: "say.dose", Args: map[string]string{"time": "08:00", "b": "x"}, Keeper: promise.Keeper{Kind: "patient", Who: string(p)},
			From: from, By: from.Add(2 * time.Hour), Zone: "America/New_York", Ladder: promise.LadderRef{Name: "dose", Version: 1}}
	}
	w.write(func(tx *store.Tx) error { _, err := w.s.Make(tx, list...); return err })
}

// count answers a number that a query counts.
func (w *world) count(query string) (n int) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), func(tx *store.Tx) error { _, err := tx.Row(query, nil, &n); return err }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) heard(say string, want int) {
	w.t.Helper()
	n := 0
	w.h.mu.Lock()
	for _, e := range w.h.done {
		if e.Rung.Say == say {
			n += len(e.Promises)
		}
	}
	w.h.done = nil
	w.h.mu.Unlock()
	if n != want {
		w.t.Errorf("%d heard %q, want %d", n, say, want)
	}
}

// TestMovedTogether: a crowd's rows stay where they are when their rung is climbed; whoever answers, is given another time or comes
// late to the same instant is treated as if each row had been moved, and so is everybody when the next rung comes.
func TestMovedTogether(t *testing.T) {
	const people = 300
	each(t, func(t *testing.T, w *world) {
		w.s.MoveTogether(2)
		w.crowd(people, start)
		w.to(0)
		w.heard("remind", people)
		w.check()
		stretches := w.count("SELECT COUNT(*) FROM agenda_moved")
		if there := w.count("SELECT COUNT(*) FROM agenda WHERE at = " + fmt.Sprint(store.Micros(start))); stretches == 0 || there < people-person.Shards {
			t.Errorf("%d stretches and %d rows in their place, want some and nearly all", stretches, there)
		}

		if p := w.get("p000", "dp000"); p.Rung != 1 || !p.RungAt.Equal(start.Add(30*time.Minute)) {
			t.Errorf("next is rung %d at %v, want 1 at 08:30", p.Rung, p.RungAt)
		}
		w.write(func(tx *store.Tx) error {
			_, err := w.s.Give(tx, "o", "p000", "dp000", promise.Evidence{Kind: "tap", Source: "page", By: "p000"})
			return err
		})
		later := start.Add(45 * time.Minute)
		w.write(func(tx *store.Tx) error {
			_, err := w.s.Move(tx, person.Viewer{Org: "o", Person: "n", Role: person.Nurse}, "o", "p001", "dp001", later, later.Add(2*time.Hour))
			return err
		})
		w.check()
		w.to(time.Minute)
		for i := range people { // before, between and after those who are there
			w.make(person.ID(fmt.Sprintf("p%03dx", i)), "late", start)
		}
		w.check()
		w.to(2 * time.Minute)
		w.heard("remind", people)
		w.check()

		w.to(30 * time.Minute)
		w.heard("again", people-2+people)
		w.check()
		w.to(time.Hour)
		w.heard("caregiver", people-2+people)
		w.check()
		w.to(5 * time.Hour)
		w.check()
		if n := w.count("SELECT COUNT(*) FROM promise WHERE state = 2"); n != 2*people-1 {
			t.Errorf("%d promises are broken, want all but one of %d", n, 2*people)
		}
		if n := w.count("SELECT (SELECT COUNT(*) FROM agenda) + (SELECT COUNT(*) FROM agenda_moved)"); n != 0 {
			t.Errorf("%d rows of the agenda are left", n)
		}
	})
}

// TestMovedMeetsOthers: promises of a person that fall on one instant are one message, whether their rows were moved or lie there.
func TestMovedMeetsOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.s.MoveTogether(2)
		w.crowd(200, start)
		w.to(0)
		w.heard("remind", 200)
		w.write(func(tx *store.Tx) error { // due at 08:30 with the same words as the second rung of the others
			same := dose
			same.Version, same.Rungs = 2, dose.Rungs[1:]
			if err := w.s.SaveLadder(tx, "o", same); err != nil {
				return err
			}
			_, err := w.s.Make(tx, promise.Promise{Org: "o", Patient: "p007", ID: "other", Kind: "dose", Say: "say.dose", Keeper: promise.Keeper{Kind: "patient", Who: "p007"},
				From: start, By: start.Add(2 * time.Hour), Zone: "America/New_York", Ladder: promise.LadderRef{Name: "dose", Version: 2}})
			return err
		})
		w.to(30 * time.Minute)
		w.check()
		if n := len(w.h.done); n != 200 {
			t.Errorf("%d messages, want one for each of 200 people", n)
		}
		w.heard("again", 201)
	})
}

// TestMigratedToStretches: a ledger from before there were stretches climbs on.
func TestMigratedToStretches(t *testing.T) {
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.crowd(200, start)
		w.write(func(tx *store.Tx) error {
			for _, q := range []string{"DROP TABLE agenda_moved", "ALTER TABLE agenda DROP COLUMN terms"} {
				if _, err := tx.Exec(q); err != nil {
					return err
				}
			}
			n, err := tx.Exec("DELETE FROM schema_migration WHERE room = 'promise' AND name >= '0003'")
			if err == nil && n != 2 {
				t.Errorf("%d migrations taken back, want 2", n)
			}
			return err
		})
		if err := db.Migrate(t.Context(), "promise", promise.Migrations); err != nil {
			t.Fatal(err)
		}
		w.check() // the terms too
		w.s.MoveTogether(2)
		if err := w.s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.to(0)
		w.heard("remind", 200)
		w.to(30 * time.Minute)
		w.heard("again", 200)
		w.check()
	})
}
