package sim

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

func run(t *testing.T, db *store.DB, days int, o Options) (*World, string) {
	t.Helper()
	w, err := New(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Advance(t.Context(), time.Duration(days)*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	r, err := w.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Faults {
		t.Error(f)
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return w, string(b)
}

// The same seed gives the same bytes, on both engines.
func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	first := ""
	t.Run("engines", func(t *testing.T) {
		storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
			_, got := run(t, db, 5, Options{Patients: 6, Seed: 42})
			mu.Lock()
			defer mu.Unlock()
			if first == "" {
				first = got
			} else if got != first {
				t.Errorf("the engines differ:\n%s\n%s", first, got)
			}
		})
	})
	t.Log(first)
}

// Every fault that the command takes, four days long: the ledger and the outbox stay sound, and nobody gets a message twice.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) *store.DB {
		db, err := store.Open(t.Context(), storetest.URL(t, store.SQLite), store.Options{Unsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	readings := func(t *testing.T, w *World) int64 {
		r, err := w.Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r.Readings
	}
	for _, name := range Names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := ParseFaults(name, FirstMorning)
			if err != nil {
				t.Fatal(err)
			}
			w, _ := run(t, open(t), 4, Options{Patients: 5, Seed: 7, Faults: f})
			for number, texts := range w.SMS.texts {
				seen := map[string]bool{}
				for _, x := range texts {
					if seen[x.Ref] {
						t.Errorf("%s got %s twice", number, x.Ref)
					}
					seen[x.Ref] = true
				}
			}
			switch name {
			case "repeats": // fault 19: the same reading five times is one
				plain, _ := run(t, open(t), 4, Options{Patients: 5, Seed: 7})
				if a, b := readings(t, w), readings(t, plain); a != b || a == 0 {
					t.Errorf("%d readings with repeats, %d without", a, b)
				}
			case "scheduler-down": // fault 4: what Ruth's scale told on the fourth day still reaches her
				ruth := w.Cast[5]
				found := false
				for _, x := range w.SMS.Texts(ruth.Number) {
					found = found || strings.Contains(x.Body, "saw your numbers and will call you by")
				}
				if ruth.Name != "Ruth Abbott" || !found {
					t.Errorf("%s was told of no alert", ruth.Name)
				}
			}
		})
	}
}

// A world on a kept database goes on from where its clock stood, with nothing made twice.
func TestResume(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t, store.SQLite)
	var before Report
	for i := range 2 {
		db, err := store.Open(t.Context(), url, store.Options{Unsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		w, text := run(t, db, 2, Options{Patients: 5, Seed: 7})
		if got, want := w.Clock.Now(), FirstMorning.AddDate(0, 0, 2*(i+1)); got.Before(want.Add(-round)) || got.After(want) {
			t.Errorf("run %d ends at %s, want about %s", i, got, want)
		}
		var r Report
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if i == 1 && (r.Evidence <= before.Evidence || r.Readings <= before.Readings || len(w.Cast) != 12) {
			t.Errorf("the second run: %s", text)
		}
		before = r
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
