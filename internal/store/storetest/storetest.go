// Package storetest gives tests real databases on both engines: SQLite in a temporary folder, and PostgreSQL from a
// cluster that the first test of a binary starts for itself and that ends with the binary.
package storetest

import (
	"io/fs"
	"path/filepath"
	"sync"
	"testing"

	"doorstep/internal/store"
	"doorstep/internal/store/pgcluster"
)

// Room is one package's migrations.
type Room struct {
	Name string
	FS   fs.FS
}

// Each runs fn once per engine, as parallel subtests, each with an empty migrated database of its own.
func Each(t *testing.T, rooms []Room, fn func(t *testing.T, db *store.DB)) {
	t.Helper()
	for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), URL(t, engine), store.Options{Unsafe: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			for _, room := range rooms {
				if err := db.Migrate(t.Context(), room.Name, room.FS); err != nil {
					t.Fatal(err)
				}
			}
			fn(t, db)
		})
	}
}

// URL answers the address of an empty database of the engine, removed when the test ends.
func URL(t testing.TB, engine store.Engine) string {
	t.Helper()
	if engine == store.SQLite {
		return filepath.Join(t.TempDir(), "doorstep.db")
	}
	c, err := cluster()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v (make test installs it)", err)
	}
	url, drop, err := c.Database()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(drop)
	return url
}

var cluster = sync.OnceValues(func() (*pgcluster.Cluster, error) { return pgcluster.Start(false) })

// Start is pgcluster.Start.
func Start(durable bool) (*pgcluster.Cluster, error) { return pgcluster.Start(durable) }
