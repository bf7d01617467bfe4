package store

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	// manyRows is from where on it pays to prepare a statement for the occasion.
	manyRows = 100
	// rowsEach is how many rows one statement holds. A statement costs about 1 µs to start and end, and its text 10 µs a row
	// to prepare, once for all.
	rowsEach = 40
)

// flats are lists of values to be used again: those of a batch take more than a megabyte.
var flats = sync.Pool{New: func() any { return new([]any) }}

// insertMany puts many rows into a SQLite table by statements of rowsEach rows. A column that is the same in every row stands
// in the text instead of being bound: binding is the dearest part of an insert with this driver (0.2 µs a value). Against one
// statement per row it halves the time.
func (tx *Tx) insertMany(table string, columns []string, n int, row func(i int) []any) error {
	width := len(columns)
	kept := flats.Get().(*[]any)
	flat := slices.Grow((*kept)[:0], n*width)
	defer func() {
		clear(flat[:n*width]) // the values are the caller's
		*kept = flat
		flats.Put(kept)
	}()
	same := make([]bool, width)
	left := 0
	for i := range n {
		values := row(i)
		flat = append(flat, values...)
		if i == 0 {
			for c, v := range values {
				if same[c] = isPlain(v); same[c] {
					left++
				}
			}
			continue
		}
		if left == 0 {
			continue
		}
		for c := range same {
			if same[c] && values[c] != flat[c] {
				same[c] = false
				left--
			}
		}
	}
	for at := 0; at < n; {
		rows := min(rowsEach, n-at)
		times := (n - at) / rows
		if err := tx.insertTimes(insertSame(table, columns, same, flat, rows), flat[at*width:], same, rows, times); err != nil {
			return translate(fmt.Errorf("INSERT INTO %s: %w", table, err))
		}
		at += rows * times
	}
	return nil
}

// insertTimes runs a statement of several rows several times.
func (tx *Tx) insertTimes(query string, flat []any, same []bool, rows, times int) error {
	return tx.link.conn.Raw(func(dc any) error {
		prep, err := dc.(driver.ConnPrepareContext).PrepareContext(tx.ctx, query)
		if err != nil {
			return err
		}
		defer prep.Close()
		exec := prep.(driver.StmtExecContext)
		args := make([]driver.NamedValue, 0, rows*len(same))
		for range times {
			args = args[:0]
			for range rows {
				for c, v := range flat[:len(same)] {
					if !same[c] {
						args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: v})
					}
				}
				flat = flat[len(same):]
			}
			if _, err := exec.ExecContext(tx.ctx, args); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertSame is the text of an insert of so many rows, in which the columns that are the same have their values. OR FAIL, since
// the caller's savepoint undoes everything: a statement that can be undone alone would keep a journal of its own.
func insertSame(table string, columns []string, same []bool, first []any, rows int) string {
	var one strings.Builder
	one.WriteByte('(')
	for c := range columns {
		if c > 0 {
			one.WriteByte(',')
		}
		if same[c] {
			one.WriteString(literal(first[c]))
		} else {
			one.WriteByte('?')
		}
	}
	one.WriteByte(')')
	return "INSERT OR FAIL INTO " + table + " (" + strings.Join(columns, ",") + ") VALUES " + one.String() + strings.Repeat(","+one.String(), rows-1)
}

// isPlain reports whether a value can stand in a statement's text.
func isPlain(v any) bool {
	switch v.(type) {
	case int64, string:
		return true
	}
	return false
}

func literal(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return "CAST(x'" + hex.EncodeToString([]byte(v)) + "' AS TEXT)"
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	panic(fmt.Sprintf("store: a %T cannot stand in a statement", v))
}
