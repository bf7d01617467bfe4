package store

import (
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// few is up to how many rows PostgreSQL gets as one statement that can wait for others. COPY is faster for more, but asks three times.
const few = 8

// late is a statement that travels with what comes after it.
type late struct {
	query string
	args  []any
	rows  func(pgx.Rows) error           // of a query: reads the answer
	done  func(n int64, err error) error // of a statement: how many rows it touched, or why it failed; nil: an error is an error
}

// Later runs a statement before whatever the transaction does next, and before it ends. PostgreSQL gets such statements in one
// round trip with what comes next, so an error may come out of the next call or of the end of the transaction instead; it fails the
// transaction all the same. args are int64, float64, string, []byte, nil, or slices of them.
func (tx *Tx) Later(query string, args ...any) error { return tx.LaterDone(nil, query, args...) }

// LaterDone is Later for a statement about whose outcome something is to be said: done gets how many rows it touched, or its error, and the
// error that it answers comes out of the call that comes next. done must not use the transaction.
func (tx *Tx) LaterDone(done func(n int64, err error) error, query string, args ...any) error {
	if tx.db.engine == SQLite {
		n, err := tx.Exec(query, args...)
		if done != nil {
			return done(n, err)
		}
		return err
	}
	tx.late = append(tx.late, late{query: query, args: args, done: done})
	return nil
}

// RowsLater is Rows, whose rows are there after the next call or Flush.
func (tx *Tx) RowsLater(query string, args []any, scan func(scan func(dest ...any) error) error) error {
	if tx.db.engine == SQLite {
		return tx.Rows(query, args, scan)
	}
	tx.late = append(tx.late, late{query: query, args: args, rows: scanRows(scan)})
	return nil
}

// Flush sends what waits and answers what came of it.
func (tx *Tx) Flush() error { return tx.flush() }

// flush sends the statements that wait.
func (tx *Tx) flush() error {
	if len(tx.late) == 0 {
		return nil
	}
	var batch pgx.Batch
	for _, l := range tx.late {
		batch.Queue(l.query, l.args...)
	}
	waiting := tx.late
	tx.late = nil
	tx.open = true
	tx.db.trips.Add(1)
	return tx.link.conn.Raw(func(dc any) error {
		answers := dc.(*stdlib.Conn).Conn().SendBatch(tx.ctx, &batch)
		for _, l := range waiting {
			if err := l.answer(answers); err != nil {
				answers.Close()
				return err
			}
		}
		return translate(answers.Close())
	})
}

// answer reads what came of one statement of a batch.
func (l *late) answer(answers pgx.BatchResults) error {
	if l.rows != nil {
		rows, err := answers.Query()
		if err == nil {
			err = l.rows(rows)
			rows.Close()
		}
		if own, ok := err.(*ownError); ok {
			return own.error
		}
		if err == nil {
			err = rows.Err()
		}
		return l.say(err)
	}
	tag, err := answers.Exec()
	err = l.say(err)
	if l.done != nil {
		return l.done(tag.RowsAffected(), err)
	}
	return err
}

func (l *late) say(err error) error {
	if err == nil {
		return nil
	}
	return translate(fmt.Errorf("%s: %w", headline(l.query), err))
}

// ownError is an error of whoever reads rows, which goes back as it is.
type ownError struct{ error }

// scanRows calls scan for each row.
func scanRows(scan func(scan func(dest ...any) error) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			if err := scan(rows.Scan); err != nil {
				return &ownError{err}
			}
		}
		return nil
	}
}

// ask sends one statement to PostgreSQL, with those that wait before it.
func (tx *Tx) ask(l late) error {
	tx.late = append(tx.late, l)
	return tx.flush()
}
