// Package store is the database behind everything: SQLite in one file by default, PostgreSQL by URL, behind one small
// interface. Its promise: when Write answers nil, what was written is on the disk (synchronous=FULL, fsync), whichever engine.
//
// SQL is written once, with $1 placeholders, in the package that owns the table. What the engines do differently lives here
// and nowhere else. Times are BIGINT microseconds UTC (Micros, Time), ids TEXT, documents TEXT or BYTEA.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"doorstep/internal/fault"
)

// Engine is the kind of database.
type Engine string

const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Options of Open. The zero value is right for production.
type Options struct {
	Unsafe  bool  // tests only: answers before the disk has it
	Readers int   // SQLite: read connections; 0 means 4
	Pages   int64 // SQLite: PRAGMA max_page_count, to test a full disk; 0 means no limit
	CacheMB int   // SQLite: page cache of the writer; 0 means 32
}

// DB is an open database. Safe for concurrent use.
type DB struct {
	engine  Engine
	sql     *sql.DB    // PostgreSQL: everything; SQLite: the readers
	wsql    *sql.DB    // SQLite: the writer's one connection
	readers chan *link // SQLite: idle read connections
	writer  *writer    // SQLite
	bus     *bus
	ballast *ballast // SQLite in a file: room kept for a full disk
	full    atomic.Bool
	trips   atomic.Int64
	closed  sync.Once
}

// link is one connection with the statements prepared on it.
type link struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // nil on PostgreSQL, whose driver keeps its own
}

// Open opens "postgres://…" or the path of a SQLite file, which is made when absent. Call Migrate before use.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return openPostgres(ctx, url, o)
	}
	return openSQLite(ctx, url, o)
}

// Engine answers which database this is.
func (db *DB) Engine() Engine { return db.engine }

// Trips answers how often PostgreSQL was asked something and waited for, since the database was opened: what a transaction costs on the way.
func (db *DB) Trips() int64 { return db.trips.Load() }

// Close waits for writes under way and closes every connection.
func (db *DB) Close() error {
	var err error
	db.closed.Do(func() {
		db.bus.close()
		if db.writer != nil {
			db.writer.stop()
		}
		if db.engine == SQLite {
			for range cap(db.readers) {
				l := <-db.readers
				l.conn.Close()
			}
			err = db.wsql.Close()
		}
		err = errors.Join(err, db.sql.Close())
	})
	return err
}

// Tx is a transaction, valid inside the function it was given to. Not for use by several goroutines.
type Tx struct {
	db    *DB
	link  *link
	ctx   context.Context
	after []func()
	late  []late // on PostgreSQL, statements that wait for the next
	open  bool   // on PostgreSQL, BEGIN has been sent
}

// Engine answers which database this is, for the few statements that differ.
func (tx *Tx) Engine() Engine { return tx.db.engine }

type essentialKey struct{}

// Essential marks writes that must go on when the disk is nearly full: keeping the promises that are already stored.
func Essential(ctx context.Context) context.Context {
	return context.WithValue(ctx, essentialKey{}, true)
}

// ErrFull is the answer to a write that was refused because the disk is full.
var ErrFull = &fault.Error{Kind: fault.Unavailable, Say: "The disk of the server is full. Nothing was saved. Please call the clinic."}

// Full reports that the disk has been found full: new writes are refused until there is room again.
func (db *DB) Full() bool { return db.full.Load() }

// Write runs fn in a transaction and answers nil once it is durable. fn may run again when the engine asks for it
// (serialization failure), so it must not leave anything behind but through tx. It must not call Write itself.
// On SQLite, concurrent calls share one fsync: each runs in a savepoint of one transaction, alone.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.full.Load() && ctx.Value(essentialKey{}) == nil && !db.recheckFull() {
		return ErrFull
	}
	var err error
	if db.engine == SQLite {
		err = db.writer.do(ctx, fn)
	} else {
		err = db.writePostgres(ctx, fn)
	}
	return db.noteFull(err)
}

// Read runs fn on one consistent view of the database. What After was given runs when fn answers nil.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	l, done, err := db.reader(ctx)
	if err != nil {
		return err
	}
	defer done()
	// A cancelled query would cost a goroutine for each statement; reads are short.
	free := context.WithoutCancel(ctx)
	begin := "BEGIN"
	if db.engine == Postgres {
		begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	}
	tx := &Tx{db: db, link: l, ctx: free}
	if err := tx.Later(begin); err != nil { // PostgreSQL hears it with the first question
		return err
	}
	defer tx.rollback()
	if err := fn(tx); err != nil {
		return err
	}
	if tx.open {
		if err := tx.flush(); err != nil {
			return err
		}
	}
	for _, after := range tx.after { // what was read is durable
		after()
	}
	return nil
}

func (db *DB) reader(ctx context.Context) (*link, func(), error) {
	if db.engine == Postgres {
		conn, err := db.sql.Conn(ctx)
		if err != nil {
			return nil, nil, translate(err)
		}
		return &link{conn: conn}, func() { conn.Close() }, nil
	}
	select {
	case l := <-db.readers:
		return l, func() { db.readers <- l }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func (l *link) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := l.stmts[query]; s != nil {
		return s, nil
	}
	s, err := l.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(l.stmts) > 500 { // only a mistake makes so many texts; start over rather than grow
		for q, old := range l.stmts {
			old.Close()
			delete(l.stmts, q)
		}
	}
	l.stmts[query] = s
	return s, nil
}

// Exec runs a statement and answers how many rows it touched.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if tx.db.engine == Postgres {
		var touched int64
		err := tx.ask(late{query: query, args: args, done: func(n int64, err error) error { touched = n; return err }})
		return touched, err
	}
	var res sql.Result
	s, err := tx.link.stmt(tx.ctx, query)
	if err == nil {
		res, err = s.ExecContext(tx.ctx, args...)
	}
	if err != nil {
		return 0, translate(fmt.Errorf("%s: %w", headline(query), err))
	}
	n, err := res.RowsAffected()
	return n, err
}

// Rows runs a query and calls scan for each row; scan gets the row's Scan function. An error from scan ends the walk.
func (tx *Tx) Rows(query string, args []any, scan func(scan func(dest ...any) error) error) error {
	if tx.db.engine == Postgres {
		return tx.ask(late{query: query, args: args, rows: scanRows(scan)})
	}
	var rows *sql.Rows
	s, err := tx.link.stmt(tx.ctx, query)
	if err == nil {
		rows, err = s.QueryContext(tx.ctx, args...)
	}
	if err != nil {
		return translate(fmt.Errorf("%s: %w", headline(query), err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return translate(fmt.Errorf("%s: %w", headline(query), err))
	}
	return nil
}

// Row scans the one row a query answers into dest, and reports whether there was one.
func (tx *Tx) Row(query string, args []any, dest ...any) (bool, error) {
	found := false
	err := tx.Rows(query, args, func(scan func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(dest...)
	})
	return found, err
}

// List answers a table expression whose column "value" holds the strings of the JSON array in a placeholder ("$3"): the way
// to look many keys up in one statement.
func (tx *Tx) List(placeholder string) string {
	if tx.db.engine == Postgres {
		return "(SELECT value FROM json_array_elements_text(" + placeholder + "::json))"
	}
	return "(SELECT value FROM json_each(" + placeholder + "))"
}

// After runs fn once the transaction is durable; for hints only, since a crash may come between.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

// Hint tells every listener of a topic, on every node, to look at the database again, once the transaction is durable.
// It may be lost or repeated. body holds no patient data beyond ids.
func (tx *Tx) Hint(topic, body string) {
	tx.After(func() { tx.db.bus.send(topic, body) })
}

// Listen answers a channel of the bodies hinted on a topic, on any node, until ctx ends. A slow listener loses the oldest hints.
func (db *DB) Listen(ctx context.Context, topic string) <-chan string {
	return db.bus.listen(ctx, topic)
}

// All scans every row of a query with one function.
func All[T any](tx *Tx, query string, args []any, scan func(scan func(dest ...any) error) (T, error)) ([]T, error) {
	var out []T
	err := tx.Rows(query, args, func(s func(...any) error) error {
		v, err := scan(s)
		if err == nil {
			out = append(out, v)
		}
		return err
	})
	return out, err
}

// AllLater is All, whose rows are there after the transaction's next call or Flush.
func AllLater[T any](tx *Tx, query string, args []any, scan func(scan func(dest ...any) error) (T, error)) (*[]T, error) {
	var out []T
	return &out, tx.RowsLater(query, args, func(s func(...any) error) error {
		v, err := scan(s)
		if err == nil {
			out = append(out, v)
		}
		return err
	})
}

// Micros is how an instant is stored: microseconds since 1970 UTC; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time reads what Micros wrote.
func Time(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// headline is the first words of a statement, for error texts (never its arguments: they may be a patient's).
func headline(query string) string {
	f := strings.Fields(query)
	return strings.Join(f[:min(len(f), 6)], " ")
}
