package store

import (
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// few is up to how many rows PostgreSQL gets as one statement that can wait for others. COPY is faster for more, but asks three times.
const few = 8

// late is a statement whose outcome nobody waits for.
type late struct {
	query string
	args  []any
}

// Later runs a statement before whatever the transaction does next, and before it ends. PostgreSQL gets such statements in one
// round trip with their neighbours, so an error may come out of the next call or of the end of the transaction instead; it fails the
// transaction all the same. args are int64, float64, string, []byte, nil, or slices of them.
func (tx *Tx) Later(query string, args ...any) error {
	if tx.db.engine == SQLite {
		_, err := tx.Exec(query, args...)
		return err
	}
	tx.late = append(tx.late, late{query, args})
	return nil
}

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
	return tx.link.conn.Raw(func(dc any) error {
		answers := dc.(*stdlib.Conn).Conn().SendBatch(tx.ctx, &batch)
		for _, l := range waiting {
			if _, err := answers.Exec(); err != nil {
				answers.Close()
				return translate(fmt.Errorf("%s: %w", headline(l.query), err))
			}
		}
		return translate(answers.Close())
	})
}
