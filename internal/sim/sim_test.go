package sim

import (
	"encoding/json"
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
