package store

import (
	"database/sql/driver"
	"strconv"
	"strings"
	"sync"
)

// Insert puts n rows into a table, by the engine's fastest way (statements of many rows; COPY). row answers the i-th row's
// values in the order of columns; it may fill and return one slice again and again, but no []byte in it. Values are int64, float64, string, []byte
// or nil. A row that exists already is a conflict and fails the transaction.
func (tx *Tx) Insert(table string, columns []string, n int, row func(i int) []any) error {
	if n == 0 {
		return nil
	}
	switch {
	case tx.db.engine == Postgres && n <= few:
		args := make([]any, 0, n*len(columns))
		for i := range n {
			args = append(args, row(i)...)
		}
		return tx.Later(insertFew(table, columns, n), args...)
	case tx.db.engine == Postgres:
		return tx.copyIn(table, columns, n, row)
	}
	if n >= manyRows {
		return tx.insertMany(table, columns, n, row)
	}
	_, err := tx.insertSQLite(insertText(table, columns, ""), n, fill(row), len(columns))
	return err
}

// InsertNew is Insert that passes over rows whose key exists already, and answers how many were new.
func (tx *Tx) InsertNew(table string, columns []string, n int, row func(i int) []any) (int64, error) {
	if n == 0 {
		return 0, nil
	}
	query := insertText(table, columns, " ON CONFLICT DO NOTHING")
	if tx.db.engine == SQLite {
		return tx.insertSQLite(query, n, fill(row), len(columns))
	}
	// PostgreSQL: one statement of many rows, at most 65,535 placeholders.
	var total int64
	per := min(500, 60000/len(columns))
	for from := 0; from < n; from += per {
		to := min(from+per, n)
		args := make([]any, 0, (to-from)*len(columns))
		for i := from; i < to; i++ {
			args = append(args, row(i)...)
		}
		fresh, err := tx.Exec(insertRows(table, columns, to-from)+" ON CONFLICT DO NOTHING", args...)
		if err != nil {
			return total, err
		}
		total += fresh
	}
	return total, nil
}

func fill(row func(i int) []any) func(int, []driver.NamedValue) {
	return func(i int, to []driver.NamedValue) {
		for j, v := range row(i) {
			to[j].Value = v
		}
	}
}

var insertTexts sync.Map // the text of an insert, by table, columns and suffix

func insertText(table string, columns []string, suffix string) string {
	key := table + "(" + strings.Join(columns, ",") + suffix
	if s, ok := insertTexts.Load(key); ok {
		return s.(string)
	}
	s := insertRows(table, columns, 1) + suffix
	insertTexts.Store(key, s)
	return s
}

// insertFew is insertRows for the few texts that are used again and again.
func insertFew(table string, columns []string, rows int) string {
	key := strconv.Itoa(rows) + table + "(" + strings.Join(columns, ",")
	if s, ok := insertTexts.Load(key); ok {
		return s.(string)
	}
	s := insertRows(table, columns, rows)
	insertTexts.Store(key, s)
	return s
}

func insertRows(table string, columns []string, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	p := 0
	for r := range rows {
		if r > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for c := range columns {
			if c > 0 {
				b.WriteString(", ")
			}
			p++
			b.WriteString("$" + strconv.Itoa(p))
		}
		b.WriteByte(')')
	}
	return b.String()
}
