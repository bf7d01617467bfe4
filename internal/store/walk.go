package store

import (
	"database/sql/driver"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
)

// Cells are the values of one row: int64, float64, string, []byte, bool or nil.
type Cells []driver.Value

// Int answers a whole number; NULL is 0.
func (c Cells) Int(i int) int64 { v, _ := c[i].(int64); return v }

// Text answers a string; NULL is empty.
func (c Cells) Text(i int) string { v, _ := c[i].(string); return v }

// Bytes answers bytes; NULL is nil.
func (c Cells) Bytes(i int) []byte { v, _ := c[i].([]byte); return v }

// Walk is Rows for queries of thousands of rows: it goes past database/sql, whose scanning takes longer than SQLite. fn gets
// the same slice for every row and may keep the values; it must not use the transaction. An error from fn ends the walk.
func (tx *Tx) Walk(query string, args []any, fn func(Cells) error) error {
	if tx.db.engine == Postgres {
		return tx.ask(late{query: query, args: args, rows: walkRows(fn)})
	}
	var own error // fn's errors go back as they are
	err := tx.walkSQLite(query, args, func(c Cells) error {
		own = fn(c)
		return own
	})
	if own != nil {
		return own
	}
	if err != nil {
		return translate(fmt.Errorf("%s: %w", headline(query), err))
	}
	return nil
}

func (tx *Tx) walkSQLite(query string, args []any, fn func(Cells) error) error {
	return tx.link.conn.Raw(func(dc any) error {
		prep, err := dc.(driver.ConnPrepareContext).PrepareContext(tx.ctx, query)
		if err != nil {
			return err
		}
		defer prep.Close()
		named := make([]driver.NamedValue, len(args))
		for i, v := range args {
			if n, ok := v.(int); ok {
				v = int64(n)
			}
			named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
		}
		rows, err := prep.(driver.StmtQueryContext).QueryContext(tx.ctx, named)
		if err != nil {
			return err
		}
		defer rows.Close()
		cells := make(Cells, len(rows.Columns()))
		for {
			if err := rows.Next(cells); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if err := fn(cells); err != nil {
				return err
			}
		}
	})
}

// walkRows calls fn for each row that PostgreSQL answers.
func walkRows(fn func(Cells) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var cells Cells
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				return err
			}
			cells = cells[:0]
			for _, v := range values {
				cells = append(cells, v)
			}
			if err := fn(cells); err != nil {
				return &ownError{err}
			}
		}
		return nil
	}
}
