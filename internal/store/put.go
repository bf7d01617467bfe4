package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Tuples is List for keys of several texts: it answers a table expression with these columns, whose rows are the arrays of
// strings in the JSON array in a placeholder. Join from it by CROSS JOIN, which keeps SQLite from starting at the wrong end.
func (tx *Tx) Tuples(placeholder string, columns ...string) string {
	from, cell := "json_each("+placeholder+")", "->>"
	if tx.db.engine == Postgres {
		from = "json_array_elements(" + placeholder + "::json)"
	}
	var b strings.Builder
	b.WriteString("(SELECT ")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "t.value%s%d AS %s", cell, i, c)
	}
	return b.String() + " FROM " + from + " t)"
}

// Put puts n rows into a table; a row whose key, the first columns, exists already takes the new values. No two of the rows have
// the same key. row answers the i-th row's values as for Insert. PostgreSQL gets one statement, whose text does not depend on
// n where that is more than one: an array for each column.
func (tx *Tx) Put(table string, columns []string, key, n int, row func(i int) []any) error {
	if n == 0 {
		return nil
	}
	suffix := onConflict(columns, key)
	if tx.db.engine == SQLite {
		_, err := tx.insertSQLite(insertText(table, columns, suffix), n, fill(row), len(columns))
		return err
	}
	if n == 1 {
		return tx.Later(insertText(table, columns, suffix), slices.Clone(row(0))...)
	}
	args := make([]any, len(columns))
	for i := range n {
		for c, v := range row(i) {
			switch v := v.(type) {
			case string:
				args[c] = appendTo(args[c], v, n)
			case int64:
				args[c] = appendTo(args[c], v, n)
			case float64:
				args[c] = appendTo(args[c], v, n)
			case []byte:
				args[c] = appendTo(args[c], v, n)
			default:
				panic(fmt.Sprintf("store: a %T cannot be put into %s", v, table))
			}
		}
	}
	var types strings.Builder
	for c, list := range args {
		if c > 0 {
			types.WriteString(", ")
		}
		types.WriteString("$" + strconv.Itoa(c+1))
		switch list.(type) {
		case []string:
			types.WriteString("::text[]")
		case []int64:
			types.WriteString("::bigint[]")
		case []float64:
			types.WriteString("::float8[]")
		case [][]byte:
			types.WriteString("::bytea[]")
		}
	}
	query := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") SELECT * FROM unnest(" + types.String() + ")" + suffix
	if n <= few {
		return tx.Later(query, args...)
	}
	_, err := tx.Exec(query, args...)
	return err
}

func appendTo[T any](list any, v T, most int) []T {
	if list == nil {
		return append(make([]T, 0, most), v)
	}
	return append(list.([]T), v)
}

func onConflict(columns []string, key int) string {
	var b strings.Builder
	b.WriteString(" ON CONFLICT (" + strings.Join(columns[:key], ", ") + ") DO UPDATE SET ")
	for i, c := range columns[key:] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c + " = excluded." + c)
	}
	return b.String()
}
