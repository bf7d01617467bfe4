package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	_ "modernc.org/sqlite"

	"doorstep/internal/fault"
)

func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	readers, cache := o.Readers, o.CacheMB
	if readers == 0 {
		readers = 4
	}
	if cache == 0 {
		cache = 32
	}
	sync := "FULL"
	if o.Unsafe {
		sync = "OFF"
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.New(fault.Unavailable, "the data folder cannot be made: %w", err)
	}
	base := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=foreign_keys(0)&_pragma=temp_store(MEMORY)"
	// A checkpoint each 64 MB: a page that is written often is copied into the database once.
	w, err := sql.Open("sqlite", fmt.Sprintf("%s&_pragma=journal_mode(WAL)&_pragma=synchronous(%s)&_pragma=cache_size(-%d)&_pragma=wal_autocheckpoint(16000)", base, sync, cache<<10))
	if err != nil {
		return nil, err
	}
	w.SetMaxOpenConns(1)
	conn, err := w.Conn(ctx)
	if err != nil {
		w.Close()
		return nil, fault.New(fault.Unavailable, "the database file %s cannot be opened: %w", filepath.Base(path), err)
	}
	if o.Pages > 0 {
		if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count=%d", o.Pages)); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	r, err := sql.Open("sqlite", base+"&_pragma=query_only(1)&_pragma=cache_size(-8192)")
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	db := &DB{engine: SQLite, sql: r, wsql: w, readers: make(chan *link, readers), bus: newBus()}
	for range readers {
		c, err := r.Conn(ctx)
		if err != nil {
			return nil, errors.Join(translate(err), r.Close(), w.Close())
		}
		db.readers <- &link{conn: c, stmts: map[string]*sql.Stmt{}}
	}
	db.ballast = &ballast{path: path + ".ballast", pages: o.Pages, conn: conn}
	if err := db.ballast.fill(); err != nil {
		db.full.Store(true)
	}
	db.writer = newWriter(db, &link{conn: conn, stmts: map[string]*sql.Stmt{}})
	return db, nil
}

// job is one call of Write.
type job struct {
	fn   func(*Tx) error
	done chan error
	tx   *Tx
	err  error
}

// writer is the one goroutine that writes to SQLite. It takes every call that is waiting, runs each in one transaction (those after
// the first in savepoints), commits once, and answers them all: the fsync is shared, which is what makes synchronous=FULL affordable.
type writer struct {
	db    *DB
	link  *link
	queue chan *job
	quit  chan struct{}
	gone  chan struct{}
}

const (
	// groupMost and groupTime bound a group, so that the first caller of a busy moment is not kept waiting for the last. Who was
	// waiting already when the first one was done comes along in any case: its own group would cost another fsync.
	groupMost = 512
	groupTime = 20 * time.Millisecond
)

func newWriter(db *DB, l *link) *writer {
	w := &writer{db: db, link: l, queue: make(chan *job, groupMost), quit: make(chan struct{}), gone: make(chan struct{})}
	go w.run()
	return w
}

var errClosed = &fault.Error{Kind: fault.Unavailable, Say: "The server is shutting down."}

func (w *writer) do(ctx context.Context, fn func(*Tx) error) error {
	j := &job{fn: fn, done: make(chan error, 1), tx: &Tx{db: w.db, link: w.link, ctx: context.WithoutCancel(ctx)}}
	select {
	case w.queue <- j:
	case <-w.quit:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	// Once queued the outcome is awaited even if ctx ends: "did it happen?" must have an answer.
	select {
	case err := <-j.done:
		return err
	case <-w.gone:
		select {
		case err := <-j.done:
			return err
		default:
			return errClosed
		}
	}
}

func (w *writer) stop() {
	close(w.quit)
	<-w.gone
}

func (w *writer) run() {
	defer close(w.gone)
	for {
		select {
		case j := <-w.queue:
			w.group(j)
		case <-w.quit:
			for {
				select {
				case j := <-w.queue:
					w.group(j)
				default:
					return
				}
			}
		}
	}
}

func (w *writer) group(first *job) {
	jobs := []*job{first}
	root := &Tx{db: w.db, link: w.link, ctx: context.Background()}
	if _, err := root.Exec("BEGIN IMMEDIATE"); err != nil {
		first.done <- err
		return
	}
	start := time.Now()
	// The first needs no savepoint, which would copy every page it touches: when it fails there is nothing else to keep.
	if first.err = run(first.fn, first.tx); first.err != nil {
		root.Exec("ROLLBACK")
		first.done <- first.err
		return
	}
collect:
	for waiting := len(w.queue); len(jobs) < groupMost && (len(jobs) <= waiting || time.Since(start) < groupTime); {
		select {
		case j := <-w.queue:
			jobs = append(jobs, j)
			if !w.one(root, j) {
				break collect
			}
		default:
			break collect
		}
	}
	_, err := root.Exec("COMMIT")
	if err != nil {
		// A failed commit (disk full, I/O error) leaves nothing of the group behind.
		root.Exec("ROLLBACK")
	}
	for _, j := range jobs {
		if j.err == nil {
			j.err = err
		}
		if j.err == nil {
			for _, fn := range j.tx.after {
				fn()
			}
		}
		j.done <- j.err
	}
}

// one runs a call in a savepoint. It reports whether the transaction still stands: the engine rolls it back as a whole when the
// disk is full, and a savepoint after that would begin another and keep it, while its caller is told of the failure.
func (w *writer) one(root *Tx, j *job) bool {
	if _, j.err = root.Exec("SAVEPOINT one"); j.err != nil {
		return true
	}
	if j.err = run(j.fn, j.tx); j.err == nil {
		_, j.err = root.Exec("RELEASE one")
		return true
	}
	if _, err := root.Exec("ROLLBACK TO one"); err != nil {
		j.err = errors.Join(j.err, err) // the commit will say so to all
		return false
	}
	root.Exec("RELEASE one")
	return true
}

// run turns a panic in a caller's function into an error, so that one caller's mistake does not end the writer.
func run(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(tx)
}

// insertSQLite runs one prepared statement per row on the driver itself: database/sql costs a third of the time of so
// small a statement.
func (tx *Tx) insertSQLite(query string, n int, row func(i int, to []driver.NamedValue), columns int) (int64, error) {
	var total int64
	err := tx.link.conn.Raw(func(dc any) error {
		prep, err := dc.(driver.ConnPrepareContext).PrepareContext(tx.ctx, query)
		if err != nil {
			return err
		}
		defer prep.Close()
		exec := prep.(driver.StmtExecContext)
		args := make([]driver.NamedValue, columns)
		for i := range args {
			args[i].Ordinal = i + 1
		}
		for i := range n {
			row(i, args)
			res, err := exec.ExecContext(tx.ctx, args)
			if err != nil {
				return err
			}
			touched, err := res.RowsAffected()
			if err != nil {
				return err
			}
			total += touched
		}
		return nil
	})
	return total, translate(err)
}
