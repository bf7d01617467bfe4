package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

var schema = []storetest.Room{{Name: "test", FS: fstest.MapFS{"0001_thing.sql": {Data: []byte(
	"CREATE TABLE thing (id TEXT NOT NULL, n BIGINT NOT NULL, b BYTEA, PRIMARY KEY (id)){{clustered}};\n")}}}}

func count(t *testing.T, db *store.DB) (n int64) {
	t.Helper()
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Row("SELECT COUNT(*) FROM thing", nil, &n)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func put(id string, n int) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO thing (id, n) VALUES ($1, $2)", id, n)
		return err
	}
}

func TestWriteIsAtomicAndAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, schema, func(t *testing.T, db *store.DB) {
		var wg sync.WaitGroup
		for i := range 200 { // half of them fail in the middle: none of theirs may stay, all of the others' must
			wg.Go(func() {
				err := db.Write(t.Context(), func(tx *store.Tx) error {
					if err := put(fmt.Sprint(i), i)(tx); err != nil {
						return err
					}
					if i%2 == 1 {
						return errors.New("changed my mind")
					}
					return nil
				})
				if (err == nil) != (i%2 == 0) {
					t.Errorf("write %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := count(t, db); n != 100 {
			t.Errorf("%d rows, want the 100 that were acknowledged", n)
		}
	})
}

func TestConflictAndPanicLeaveTheWriterWhole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, schema, func(t *testing.T, db *store.DB) {
		if err := db.Write(t.Context(), put("a", 1)); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), put("a", 2)); !fault.Is(err, fault.Conflict) {
			t.Errorf("second insert of a key: %v, want a conflict", err)
		}
		if err := db.Write(t.Context(), func(*store.Tx) error { panic("mistake") }); err == nil {
			t.Error("a panic was swallowed")
		}
		if err := db.Write(t.Context(), put("b", 3)); err != nil {
			t.Errorf("after a panic: %v", err)
		}
		if n := count(t, db); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}

func TestInsertAndInsertNew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, schema, func(t *testing.T, db *store.DB) {
		cols := []string{"id", "n", "b"}
		row := func(i int) []any { return []any{fmt.Sprint(i), int64(i), []byte{1, 2}} }
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Insert("thing", cols, 1500, row) }); err != nil {
			t.Fatal(err)
		}
		var fresh int64
		if err := db.Write(t.Context(), func(tx *store.Tx) (err error) {
			fresh, err = tx.InsertNew("thing", cols, 1600, row)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db); fresh != 100 || n != 1600 {
			t.Errorf("fresh %d, rows %d; want 100 and 1600", fresh, n)
		}
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Insert("thing", cols, 1, row) }); !fault.Is(err, fault.Conflict) {
			t.Errorf("insert of a key twice: %v", err)
		}
	})
}

func TestHintsComeAfterTheCommit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, schema, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		heard := db.Listen(ctx, "thing")
		db.Write(ctx, func(tx *store.Tx) error {
			tx.Hint("thing", "never")
			return errors.New("no")
		})
		if err := db.Write(ctx, func(tx *store.Tx) error {
			tx.Hint("thing", "x")
			return put("x", 1)(tx)
		}); err != nil {
			t.Fatal(err)
		}
		select {
		case body := <-heard:
			if body != "x" {
				t.Errorf("heard %q", body)
			}
		case <-ctx.Done():
			t.Fatal("no hint")
		}
	})
}

func TestHintsCrossNodes(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t, store.Postgres)
	open := func() *store.DB {
		db, err := store.Open(t.Context(), url, store.Options{Unsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	a, b := open(), open()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	heard := b.Listen(ctx, "topic")
	for { // the listener of b may not have subscribed yet; hints may be lost, so send until one is heard
		a.Write(ctx, func(tx *store.Tx) error { tx.Hint("topic", "hello"); return nil })
		select {
		case body := <-heard:
			if body != "hello" {
				t.Fatalf("heard %q", body)
			}
			return
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("the other node heard nothing")
		}
	}
}

// TestFault29DiskFull: new writes are refused loudly, essential ones go on, and nothing is half written.
func TestFault29DiskFull(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), storetest.URL(t, store.SQLite), store.Options{Unsafe: true, Pages: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context(), schema[0].Name, schema[0].FS); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 3000)
	fill := func(ctx context.Context, i int) error {
		return db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO thing (id, n, b) VALUES ($1, $2, $3)", fmt.Sprint(i), i, big)
			return err
		})
	}
	stored := int64(0)
	for i := range 200 {
		if err := fill(t.Context(), i); err != nil {
			if !errors.Is(err, store.ErrFull) {
				t.Fatalf("write %d: %v, want ErrFull", i, err)
			}
			break
		}
		stored++
	}
	if !db.Full() || stored == 200 {
		t.Fatalf("the disk never filled (%d rows)", stored)
	}
	if err := fill(t.Context(), 1000); !errors.Is(err, store.ErrFull) {
		t.Errorf("a new write on a full disk: %v", err)
	}
	if err := fill(store.Essential(t.Context()), 2000); err != nil {
		t.Errorf("an essential write on a full disk: %v", err)
	}
	if n := count(t, db); n != stored+1 {
		t.Errorf("%d rows, want the %d acknowledged", n, stored+1)
	}
}

// Fault 29 within a group: what comes after the write that filled the disk is not kept while its caller hears that it was not.
func TestFault29NothingIsHalfAcknowledged(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), storetest.URL(t, store.SQLite), store.Options{Unsafe: true, Pages: 64})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context(), schema[0].Name, schema[0].FS); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 1<<20)
	var wg sync.WaitGroup
	var stored atomic.Int64
	write := func(fn func(*store.Tx) error) {
		wg.Go(func() {
			if db.Write(store.Essential(t.Context()), fn) == nil {
				stored.Add(1)
			}
		})
	}
	first, waiting := make(chan struct{}), make(chan struct{})
	write(func(tx *store.Tx) error {
		close(first)
		<-waiting // so that the others are of its group
		return put("first", 1)(tx)
	})
	<-first
	for i := range 20 {
		write(func(tx *store.Tx) error {
			if i%2 == 0 {
				_, err := tx.Exec("INSERT INTO thing (id, n, b) VALUES ($1, $2, $3)", fmt.Sprint(i), i, big)
				return err
			}
			return put(fmt.Sprint(i), i)(tx)
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(waiting)
	wg.Wait()
	if n := count(t, db); n != stored.Load() {
		t.Errorf("%d rows are stored, %d were acknowledged", n, stored.Load())
	}
}

func TestMigrationThatChangedIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, schema, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(t.Context(), "test", schema[0].FS); err != nil {
			t.Errorf("again: %v", err)
		}
		other := fstest.MapFS{"0001_thing.sql": {Data: []byte("CREATE TABLE other (id TEXT);\n")}}
		if err := db.Migrate(t.Context(), "test", other); !fault.Is(err, fault.Conflict) {
			t.Errorf("a changed migration: %v", err)
		}
	})
}
