package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// ballastSize is the room kept back for a full disk: enough for the ledger to keep what is already promised for days.
const ballastSize = 8 << 20

// ballast is a file beside the database that is given up when the disk is full, so that stored promises are still kept
// while everything new is refused loudly (FAULTS 29).
type ballast struct {
	path  string
	pages int64     // tests: the page limit that stands for the disk
	conn  *sql.Conn // tests
}

func (b *ballast) fill() error {
	if b.pages > 0 {
		return nil
	}
	if st, err := os.Stat(b.path); err == nil && st.Size() == ballastSize {
		return nil
	}
	f, err := os.OpenFile(b.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for range ballastSize / len(block) {
		if _, err := f.Write(block); err != nil {
			f.Close()
			os.Remove(b.path)
			return err
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

func (b *ballast) release() {
	if b.pages > 0 {
		// The test's disk grows by the ballast's share.
		b.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count=%d", b.pages+ballastSize/4096))
		return
	}
	os.Remove(b.path)
}

// noteFull notices a full disk: the ballast is given up and the database turns to refusing what is new.
func (db *DB) noteFull(err error) error {
	if err == nil || !isFull(err) {
		return err
	}
	if db.full.CompareAndSwap(false, true) && db.ballast != nil {
		db.writer.do(context.Background(), func(*Tx) error { db.ballast.release(); return nil })
	}
	return ErrFull
}

// recheckFull tries to lay the ballast down again; when that works there is room, and writes are taken again.
func (db *DB) recheckFull() bool {
	if db.ballast == nil || db.ballast.pages > 0 || db.ballast.fill() != nil {
		return false
	}
	db.full.Store(false)
	return true
}
