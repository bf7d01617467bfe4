package promise_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

var (
	rooms = []storetest.Room{{Name: "person", FS: person.Migrations}, {Name: "promise", FS: promise.Migrations}}
	start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
)

// hands remember what they were asked to do, once the transaction is durable.
type hands struct {
	mu   sync.Mutex
	done []promise.Effect
	fail error // answered by the next write
}

func (h *hands) Ready(_ *store.Tx, effects []promise.Effect) (func(*store.Tx) error, error) {
	return func(tx *store.Tx) error {
		h.mu.Lock()
		err := h.fail
		h.fail = nil
		h.mu.Unlock()
		if err != nil {
			return err
		}
		tx.After(func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.done = append(h.done, effects...)
		})
		return nil
	}, nil
}

// said answers what was done, as "who say" with the number of promises, in order.
func (h *hands) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, e := range h.done {
		fmt.Fprintf(&b, "%s:%s", e.Rung.To, e.Rung.Say)
		if len(e.Promises) > 1 {
			fmt.Fprintf(&b, "×%d", len(e.Promises))
		}
		if e.Late {
			b.WriteString(" late")
		}
		b.WriteString("; ")
	}
	h.done = nil
	return strings.TrimSuffix(b.String(), "; ")
}

type world struct {
	t     testing.TB
	db    *store.DB
	clock *clock.Sim
	s     *promise.Service
	h     *hands
}

var dose = promise.Ladder{Name: "dose", Version: 1, Rungs: []promise.Rung{
	{After: 0, Do: promise.Tell, To: "patient", Say: "remind", Useful: promise.Duration(time.Hour)},
	{After: promise.Duration(30 * time.Minute), Do: promise.Tell, To: "patient", Say: "again", Useful: promise.Duration(time.Hour)},
	{After: promise.Duration(time.Hour), Do: promise.Tell, To: "caregivers", Say: "caregiver"},
	{After: promise.Duration(90 * time.Minute), Do: promise.Page, To: "role:nurse", Say: "page"},
}}

func newWorld(t testing.TB, db *store.DB) *world {
	w := &world{t: t, db: db, clock: clock.NewSim(start), h: &hands{}}
	ids := clock.SeededIDs(w.clock, 1)
	w.s = promise.New(db, w.clock, ids, person.New(db, w.clock, ids))
	w.s.SetHands(w.h)
	w.write(func(tx *store.Tx) error { return w.s.SaveLadder(tx, "o", dose) })
	return w
}

func (w *world) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) make(patient person.ID, id promise.ID, from time.Time) promise.Promise {
	w.t.Helper()
	var out []promise.Promise
	w.write(func(tx *store.Tx) (err error) {
		out, err = w.s.Make(tx, promise.Promise{Org: "o", Patient: patient, ID: id, Kind: "dose", Say: "say.dose", Keeper: promise.Keeper{Kind: "patient", Who: string(patient)},
			From: from, By: from.Add(2 * time.Hour), Zone: "America/New_York", Ladder: promise.LadderRef{Name: "dose", Version: 1}})
		return err
	})
	if len(out) == 0 {
		return promise.Promise{}
	}
	return out[0]
}

// to moves the clock and climbs what has come due.
func (w *world) to(at time.Duration) {
	w.t.Helper()
	w.clock.Set(start.Add(at))
	if _, err := w.s.Climb(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(patient person.ID, id promise.ID) (p promise.Promise) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		p, err = w.s.Get(tx, "o", patient, id)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) check() promise.Report {
	w.t.Helper()
	r, err := w.s.Check(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range r.Faults {
		w.t.Error(f)
	}
	return r
}

func (w *world) want(what string) {
	w.t.Helper()
	if got := w.h.said(); got != what {
		w.t.Errorf("at %s: did %q, want %q", w.clock.Now().Sub(start), got, what)
	}
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) { fn(t, newWorld(t, db)) })
}

func TestSilenceClimbsEveryRungOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("p", "d1", start)
		w.to(0)
		w.want("patient:remind")
		w.to(0)
		w.to(20 * time.Minute)
		w.want("")
		w.to(30 * time.Minute)
		w.want("patient:again")
		w.to(60 * time.Minute)
		w.want("caregivers:caregiver")
		w.to(90 * time.Minute)
		w.want("role:nurse:page")
		w.to(2 * time.Hour)
		w.want("")
		if p := w.get("p", "d1"); p.State != promise.Broken || !p.Closed.Equal(start.Add(2*time.Hour)) {
			t.Errorf("%+v", p)
		}
		w.check()
	})
}

func TestEvidenceEndsTheClimb(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("p", "d1", start)
		w.to(time.Minute)
		w.want("patient:remind")
		for range 3 { // the same tap three times is one
			w.write(func(tx *store.Tx) error {
				p, err := w.s.Give(tx, "o", "p", "d1", promise.Evidence{Kind: "tap", At: start.Add(time.Minute), Source: "page", By: "p"})
				if err == nil && p.State != promise.Kept {
					t.Errorf("state %v", p.State)
				}
				return err
			})
		}
		w.to(3 * time.Hour)
		w.want("")
		var views []promise.View
		if err := w.db.Read(t.Context(), func(tx *store.Tx) (err error) {
			views, err = w.s.Of(tx, "o", "p", start, start.Add(time.Hour))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(views) != 1 || len(views[0].Evidence) != 1 || len(views[0].Climbed) != 1 || views[0].Climbed[0].Say != "remind" {
			t.Errorf("%+v", views)
		}
		w.check()
	})
}

func TestLateEvidenceIsKeptButThePromiseStaysBroken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("p", "d1", start)
		w.to(3 * time.Hour)
		w.write(func(tx *store.Tx) error {
			_, err := w.s.Give(tx, "o", "p", "d1", promise.Evidence{Kind: "text", Source: "sms", By: "p"})
			return err
		})
		if p := w.get("p", "d1"); p.State != promise.Broken {
			t.Errorf("state %v, want broken", p.State)
		}
		var open []promise.TaskRow
		w.write(func(tx *store.Tx) (err error) { open, err = w.s.Tasks(tx, "o"); return err })
		if len(open) != 0 {
			t.Errorf("the answer left %d tasks open", len(open))
		}
		w.check()
	})
}

func TestOneMessageForOneMinute(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 3 {
			w.make("p", promise.ID(fmt.Sprint("d", i)), start)
		}
		w.make("q", "e1", start)
		w.to(0)
		if got := w.h.said(); !strings.Contains(got, "patient:remind×3") || strings.Count(got, "remind") != 2 {
			t.Errorf("did %q", got)
		}
		w.check()
	})
}

func TestMakingAgainChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("p", "d1", start)
		before := w.check()
		if p := w.make("p", "d1", start.Add(time.Hour)); p.ID != "" {
			t.Error("it was made again")
		}
		if after := w.check(); after.State != before.State || after.Events != 1 {
			t.Errorf("%+v then %+v", before, after)
		}
	})
}

func TestReleaseTellsAndMoveKeepsRungs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("p", "d1", start)
		w.make("p", "d2", start)
		w.to(0)
		w.want("patient:remind×2")
		v := person.Viewer{Org: "o", Person: "n", Role: person.Nurse}
		w.write(func(tx *store.Tx) error {
			if _, err := w.s.Move(tx, v, "o", "p", "d1", start.Add(5*time.Hour), start.Add(7*time.Hour)); err != nil {
				return err
			}
			_, err := w.s.Release(tx, v, "o", "p", "d2", "the doctor stopped it", true)
			return err
		})
		w.want("patient:released")
		w.to(4 * time.Hour)
		w.want("")
		w.to(5*time.Hour + 30*time.Minute)
		w.want("patient:again") // rung 0 stays climbed
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := w.s.Release(tx, v, "o", "p", "d2", "again", false)
			return err
		})
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("released twice: %v", err)
		}
		w.check()
	})
}

// TestFault04SchedulerDownThreeHours: what is still useful goes out late and says so; what is not is skipped and logged;
// alerts always fire.
func TestFault04SchedulerDownThreeHours(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("p", "d1", start)                      // three hours late: only its alerts are useful, and it is broken
		w.make("q", "d2", start.Add(150*time.Minute)) // half an hour late: still useful
		w.clock.Set(start.Add(3 * time.Hour))         // nothing ran in between
		if _, err := w.s.Climb(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := w.h.said()
		for _, want := range []string{"caregivers:caregiver late", "role:nurse:page late", "patient:remind late"} {
			if !strings.Contains(got, want) {
				t.Errorf("did %q, want %q in it", got, want)
			}
		}
		if strings.Count(got, "remind") != 1 {
			t.Errorf("a useless reminder went out: %q", got)
		}
		var views []promise.View
		if err := w.db.Read(t.Context(), func(tx *store.Tx) (err error) {
			views, err = w.s.Of(tx, "o", "p", start, start.Add(time.Hour))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if c := views[0].Climbed; len(c) != 4 || !c[0].Skipped || !c[1].Skipped || c[2].Skipped {
			t.Errorf("the log says %+v", c)
		}
		w.check()
	})
}

// TestFault03TwoNodesOneEffect: two schedulers on one database climb each rung once.
func TestFault03TwoNodesOneEffect(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const patients = 300
		for i := range patients {
			w.make(person.ID(fmt.Sprintf("patient-%04d", i)), promise.ID(fmt.Sprint("d", i)), start)
		}
		ids := clock.SeededIDs(w.clock, 2)
		other := promise.New(w.db, w.clock, ids, person.New(w.db, w.clock, ids))
		other.SetHands(w.h)
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, s := range []*promise.Service{w.s, other, w.s, other} {
			wg.Go(func() {
				if _, err := s.Climb(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := strings.Count(w.h.said(), "remind"); n != patients {
			t.Errorf("%d reminders, want %d", n, patients)
		}
		w.check()
	})
}

func TestSevereFirstWhenBehind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 5 {
			w.make(person.ID(fmt.Sprint("p", i)), promise.ID(fmt.Sprint("d", i)), start)
		}
		w.write(func(tx *store.Tx) error {
			_, err := w.s.Make(tx, promise.Promise{Org: "o", Patient: "z", ID: "alert", Kind: "alert", Say: "say.alert", Severity: promise.Severe, From: start.Add(time.Minute),
				By: start.Add(time.Hour), Zone: "UTC", Ladder: promise.LadderRef{Name: "dose", Version: 1}})
			return err
		})
		w.clock.Set(start.Add(2 * time.Minute))
		if _, err := w.s.Climb(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.h.mu.Lock()
		defer w.h.mu.Unlock()
		if len(w.h.done) != 6 || w.h.done[0].Patient != "z" {
			t.Errorf("first was %s of %d", w.h.done[0].Patient, len(w.h.done))
		}
	})
}

func TestAFailedWriteLeavesTheRungDue(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("p", "d1", start)
		w.h.fail = fault.New(fault.Unavailable, "the hands are tied")
		if _, err := w.s.Climb(t.Context()); err == nil {
			t.Fatal("no error")
		}
		w.check()
		w.to(0)
		w.want("patient:remind")
		w.check()
	})
}

// TestFault30FlippedBit: a change of any byte of the ledger shows.
func TestFault30FlippedBit(t *testing.T) {
	for name, sql := range map[string]string{
		"history body":  `UPDATE history SET body = replace(body, '"kind":"tap"', '"kind":"tbp"') WHERE kind = 3`,
		"history time":  `UPDATE history SET at = at + 1 WHERE seq = 1`,
		"history lost":  `DELETE FROM history WHERE seq = (SELECT MAX(seq) FROM history)`,
		"history first": `DELETE FROM history WHERE seq = 1`,
		"promise state": `UPDATE promise SET state = 0 WHERE state = 1`,
		"promise time":  `UPDATE promise SET by_at = by_at + 1 WHERE id = 'd2'`,
		"promise lost":  `DELETE FROM promise WHERE id = 'd2'`,
		"agenda lost":   `DELETE FROM agenda WHERE promise = 'd2'`,
		"agenda rung":   `UPDATE agenda SET rung = rung + 1`,
		"agenda terms":  `UPDATE agenda SET terms = replace(terms, 'say.dose', 'say.dosf')`,
		"agenda extra":  `INSERT INTO agenda (shard, severity, at, org, patient, promise, rung) SELECT shard, severity, 1, org, patient, id, 0 FROM promise WHERE state = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.make("p", "d1", start)
				w.make("p", "d2", start.Add(time.Hour))
				w.to(0)
				w.write(func(tx *store.Tx) error {
					_, err := w.s.Give(tx, "o", "p", "d1", promise.Evidence{Kind: "tap", Source: "page", By: "p"})
					return err
				})
				w.check()
				w.write(func(tx *store.Tx) error {
					n, err := tx.Exec(sql)
					if err == nil && n == 0 {
						t.Error("the damage touched nothing")
					}
					return err
				})
				r, err := w.s.Check(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if len(r.Faults) == 0 {
					t.Error("the damage was not found")
				}
				if name != "history body" {
					return
				}
				err = w.db.Read(t.Context(), func(tx *store.Tx) error {
					_, err := w.s.Of(tx, "o", "p", start, start.Add(2*time.Hour))
					return err
				})
				if !fault.Is(err, fault.Unavailable) {
					t.Errorf("a damaged history was served: %v", err)
				}
			})
		})
	}
}

func TestTasks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("p", "d1", start)
		w.to(95 * time.Minute)
		dana := person.Viewer{Org: "o", Person: "dana", Role: person.Nurse, Name: "Dana"}
		var tasks []promise.TaskRow
		w.write(func(tx *store.Tx) (err error) {
			ids := clock.SeededIDs(w.clock, 9)
			people := person.New(w.db, w.clock, ids)
			if err := people.SaveTeam(tx, "o", person.Team{ID: "t", Name: "Blue"}); err != nil {
				return err
			}
			if _, err := people.Save(tx, person.Person{Org: "o", ID: "dana", Role: person.Nurse, Name: "Dana Reyes", Language: "en", Zone: "UTC", Teams: []person.TeamID{"t"}, Active: true}); err != nil {
				return err
			}
			if err := people.SaveShift(tx, "o", person.Shift{Person: "dana", Role: person.Nurse, Team: "t", From: start, Until: start.Add(4 * time.Hour)}); err != nil {
				return err
			}
			tasks, err = w.s.Tasks(tx, "o")
			return err
		})
		if len(tasks) != 1 || tasks[0].Say != "task.page" || tasks[0].Role != person.Nurse {
			t.Fatalf("%+v", tasks)
		}
		id := tasks[0].ID
		w.write(func(tx *store.Tx) error {
			if _, err := w.s.Take(tx, dana, id); err != nil {
				return err
			}
			got, err := w.s.Snooze(tx, dana, id, start.Add(10*time.Hour))
			if err == nil && !got.Snoozed.Equal(start.Add(4*time.Hour)) {
				t.Errorf("snoozed until %v, past the end of the shift", got.Snoozed)
			}
			return err
		})
		w.write(func(tx *store.Tx) error {
			list, err := w.s.HandOver(tx, "o")
			if err == nil && len(list) != 1 {
				t.Errorf("hand-over has %d rows", len(list))
			}
			if _, err := w.s.Finish(tx, dana, id, " "); !fault.Is(err, fault.Invalid) {
				t.Errorf("finished without a word: %v", err)
			}
			_, err = w.s.Finish(tx, dana, id, "called, all is well")
			return err
		})
		w.write(func(tx *store.Tx) error {
			if _, err := w.s.Take(tx, dana, id); !fault.Is(err, fault.Conflict) {
				t.Errorf("took a closed task: %v", err)
			}
			return nil
		})
		w.check()
	})
}

func TestLadderVersionsNeverChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other := dose
		other.Rungs = dose.Rungs[:1]
		save := func(l promise.Ladder) error {
			return w.db.Write(t.Context(), func(tx *store.Tx) error { return w.s.SaveLadder(tx, "o", l) })
		}
		if err := save(other); !fault.Is(err, fault.Conflict) {
			t.Errorf("a changed version: %v", err)
		}
		other.Version = 2
		if err := save(other); err != nil {
			t.Error(err)
		}
		for _, bad := range []promise.Ladder{
			{Name: "x", Version: 1, Rungs: []promise.Rung{{Do: "shout", To: "patient", Say: "a"}}},
			{Name: "x", Version: 1, Rungs: []promise.Rung{{Do: promise.Tell, To: "everybody", Say: "a"}}},
			{Name: "x", Version: 1, Rungs: []promise.Rung{{Do: promise.Task, To: "patient", Say: "a"}}},
			{Name: "x", Version: 1, Rungs: []promise.Rung{{After: 5, Do: promise.Tell, To: "patient", Say: "a"}, {After: 1, Do: promise.Tell, To: "patient", Say: "a"}}},
			{Name: "x"},
		} {
			if err := save(bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

// TestAnyOrderOfEvents draws days of a few people (promises, evidence, releases, moves, time passing in leaps, failing
// writes) and checks the whole ledger after each: chain, replay and agenda agree, and no rung is climbed twice.
func TestAnyOrderOfEvents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		db, err := store.Open(t.Context(), storetest.URL(t, store.SQLite), store.Options{Unsafe: true, Readers: 1})
		if err != nil {
			rt.Fatal(err)
		}
		defer db.Close()
		for _, r := range rooms {
			if err := db.Migrate(t.Context(), r.Name, r.FS); err != nil {
				rt.Fatal(err)
			}
		}
		w := newWorld(t, db)
		w.s.MoveTogether(rapid.SampledFrom([]int{1, 2, 100}).Draw(rt, "together"))
		v := person.Viewer{Org: "o", Person: "n", Role: person.Nurse}
		n := 0
		rt.Repeat(map[string]func(*rapid.T){
			"make": func(rt *rapid.T) {
				n++
				from := w.clock.Now().Add(time.Duration(rapid.IntRange(-60, 120).Draw(rt, "minutes")) * time.Minute)
				if rapid.Bool().Draw(rt, "sharp") { // many at one instant
					from = from.Truncate(time.Hour)
				}
				w.make(person.ID(fmt.Sprint("p", n%3)), promise.ID(fmt.Sprint("d", n)), from)
			},
			"give": func(rt *rapid.T) { w.some(rt, n, v, 0) },
			"free": func(rt *rapid.T) { w.some(rt, n, v, 1) },
			"move": func(rt *rapid.T) { w.some(rt, n, v, 2) },
			"fail": func(*rapid.T) { w.h.fail = fault.New(fault.Unavailable, "no") },
			"time": func(rt *rapid.T) {
				w.clock.Advance(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
				w.s.Climb(t.Context()) // may fail where a failure was ordered; the next try must do it
			},
			"": func(rt *rapid.T) {
				if r, err := w.s.Check(t.Context()); err != nil || len(r.Faults) > 0 {
					rt.Fatal(err, r.Faults)
				}
			},
		})
		w.h.fail = nil
		w.clock.Advance(48 * time.Hour)
		if _, err := w.s.Climb(t.Context()); err != nil {
			rt.Fatal(err)
		}
		var open int
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Row("SELECT (SELECT COUNT(*) FROM promise WHERE state = 0) + (SELECT COUNT(*) FROM agenda) + (SELECT COUNT(*) FROM agenda_moved)", nil, &open)
			return err
		}); err != nil || open > 0 {
			rt.Fatalf("%d promises and rows are left after everything has fallen due (%v)", open, err)
		}
		times := map[string]int{}
		for _, e := range w.h.done {
			for _, p := range e.Promises {
				k := fmt.Sprint(p.ID, e.Rung.Say)
				if times[k]++; times[k] > 1 && e.Index >= 0 {
					rt.Fatalf("rung %s of %s was climbed %d times", e.Rung.Say, p.ID, times[k])
				}
			}
		}
	})
}

func (w *world) some(rt *rapid.T, n int, v person.Viewer, what int) {
	if n == 0 {
		return
	}
	i := rapid.IntRange(1, n).Draw(rt, "which")
	patient, id := person.ID(fmt.Sprint("p", i%3)), promise.ID(fmt.Sprint("d", i))
	err := w.db.Write(w.t.Context(), func(tx *store.Tx) (err error) {
		switch what {
		case 0:
			_, err = w.s.Give(tx, "o", patient, id, promise.Evidence{Kind: "tap", Source: "page", By: string(patient)})
		case 1:
			_, err = w.s.Release(tx, v, "o", patient, id, "stopped", rapid.Bool().Draw(rt, "notice"))
		case 2:
			from := w.clock.Now().Add(time.Duration(rapid.IntRange(-30, 200).Draw(rt, "by")) * time.Minute)
			_, err = w.s.Move(tx, v, "o", patient, id, from, from.Add(2*time.Hour))
		}
		return err
	})
	if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Unavailable) {
		rt.Fatal(err)
	}
}
