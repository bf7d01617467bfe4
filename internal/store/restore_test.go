package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"doorstep/internal/fault"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// A backup that is made while the database is open, restored elsewhere, holds what was acknowledged; nothing is written over.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			from, to := storetest.URL(t, engine), storetest.URL(t, engine)
			db, err := store.Open(t.Context(), from, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec("CREATE TABLE kept (word TEXT NOT NULL)")
				if err == nil {
					_, err = tx.Exec("INSERT INTO kept (word) VALUES ($1)", "promise")
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "copy")
			if err := store.Backup(context.Background(), from, file); err != nil {
				t.Fatal(err)
			}
			if err := store.Backup(context.Background(), from, file); !fault.Is(err, fault.Conflict) {
				t.Errorf("over a file: %v", err)
			}
			if err := store.Restore(context.Background(), to, file); err != nil {
				t.Fatal(err)
			}
			copied, err := store.Open(t.Context(), to, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer copied.Close()
			var word string
			if err := copied.Read(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Row("SELECT word FROM kept", nil, &word)
				return err
			}); err != nil || word != "promise" {
				t.Errorf("%q, %v", word, err)
			}
			if err := store.Restore(context.Background(), to, file); err == nil {
				t.Error("a database was written over")
			}
		})
	}
}
