package store_test

import (
	"errors"
	"slices"
	"testing"

	"doorstep/internal/fault"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

func TestTryFailsAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		boom := errors.New("boom")
		var hooks []string
		put := func(tx *store.Tx, v string) error {
			_, err := tx.Exec("INSERT INTO tried (v) VALUES ($1)", v)
			tx.After(func() { hooks = append(hooks, v) })
			return err
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			hooks = nil
			if _, err := tx.Exec("CREATE TABLE tried (v TEXT NOT NULL PRIMARY KEY)"); err != nil {
				return err
			}
			if err := put(tx, "a"); err != nil {
				return err
			}
			if err := tx.Try(func() error { // a conflict of the engine
				if err := put(tx, "b"); err != nil {
					return err
				}
				return put(tx, "a")
			}); !fault.Is(err, fault.Conflict) {
				t.Errorf("conflict: %v", err)
			}
			return tx.Try(func() error {
				if err := tx.Try(func() error { return errors.Join(put(tx, "c"), boom) }); !errors.Is(err, boom) {
					t.Errorf("inner: %v", err)
				}
				return put(tx, "d")
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
			got, err = store.All(tx, "SELECT v FROM tried ORDER BY v", nil, func(scan func(...any) error) (string, error) {
				var v string
				return v, scan(&v)
			})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"a", "d"}; !slices.Equal(got, want) || !slices.Equal(hooks, want) {
			t.Errorf("rows %v and hooks %v, want %v", got, hooks, want)
		}
	})
}
