package record_test

import (
	"os"
	"path/filepath"
	"testing"

	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// TestBench runs the measurement on both engines; with RECORD_BENCH=durable on disks that keep what they promise.
func TestBench(t *testing.T) {
	names := shared(t, "synthea-r4-bundles")
	durable := os.Getenv("RECORD_BENCH") == "durable"
	for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := ""
			if engine == store.Postgres && durable {
				c, err := storetest.Start(true)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(c.Stop)
				url = c.URL("postgres")
			} else {
				url = storetest.URL(t, engine)
			}
			db, err := store.Open(t.Context(), url, store.Options{Unsafe: !durable})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Migrate(t.Context(), "record", record.Migrations); err != nil {
				t.Fatal(err)
			}
			figures, err := record.Bench(t.Context(), db, filepath.Dir(names[0]))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range figures {
				t.Logf("%-32s %10.0f %s (%s, n=%d)", f.Name, f.Value, f.Unit, f.Engine, f.N)
				if f.Name == "record.import.again.written" && f.Value != 0 {
					t.Error("the second run wrote something")
				}
			}
		})
	}
}
