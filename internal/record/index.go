package record

import (
	"cmp"
	"slices"

	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// few is how many rows are still written faster by one statement than by COPY.
const few = 64

// put writes rows of one index table.
func put(tx *store.Tx, table string, columns []string, n int, row func(i int, row []any)) error {
	fill := rowsOf(tx, make([]any, len(columns)), row)
	if n > few || tx.Engine() == store.SQLite {
		return tx.Insert(table, columns, n, fill)
	}
	_, err := tx.InsertNew(table, columns, n, fill)
	return err
}

// numbered is an index row with the number of its resource, and its date where the table has it.
type numbered[T any] struct {
	row  T
	n    int64
	date int64
}

// gather collects one kind of row of all changes, in the order of the table's key: the B-tree is then walked once.
func gather[T any](changes []*change, rows func(*fhir.Index) []T, order func(a, b numbered[T]) int) []numbered[T] {
	size := 0
	for _, c := range changes {
		if c.body != nil {
			size += len(rows(c.ix))
		}
	}
	out := make([]numbered[T], 0, size)
	for _, c := range changes {
		if c.body == nil {
			continue
		}
		for _, r := range rows(c.ix) {
			out = append(out, numbered[T]{r, c.n, c.ix.Date})
		}
	}
	if order != nil {
		slices.SortFunc(out, order)
	}
	return out
}

// index writes the index rows of what was created or updated.
func index(tx *store.Tx, org string, changes []*change) error {
	tokens := gather(changes, func(x *fhir.Index) []fhir.TokenRow { return x.Tokens }, func(a, b numbered[fhir.TokenRow]) int {
		return cmp.Or(cmp.Compare(a.row.Path, b.row.Path), cmp.Compare(a.row.Code, b.row.Code), cmp.Compare(a.n, b.n))
	})
	if err := put(tx, "record_token", []string{"org", "path", "code", "n", "system"}, len(tokens), func(i int, row []any) {
		t := &tokens[i]
		row[0], row[1], row[2], row[3], row[4] = org, t.row.Path, t.row.Code, t.n, t.row.System
	}); err != nil {
		return err
	}
	refs := gather(changes, func(x *fhir.Index) []fhir.RefRow { return x.Refs }, func(a, b numbered[fhir.RefRow]) int {
		return cmp.Or(cmp.Compare(a.row.Path, b.row.Path), cmp.Compare(a.row.Target, b.row.Target), cmp.Compare(a.date, b.date))
	})
	if err := put(tx, "record_ref", []string{"org", "path", "target", "date", "n"}, len(refs), func(i int, row []any) {
		r := &refs[i]
		row[0], row[1], row[2], row[3], row[4] = org, r.row.Path, r.row.Target, r.date, r.n
	}); err != nil {
		return err
	}
	texts := gather(changes, func(x *fhir.Index) []fhir.StringRow { return x.Strings }, func(a, b numbered[fhir.StringRow]) int {
		return cmp.Or(cmp.Compare(a.row.Path, b.row.Path), cmp.Compare(a.row.Value, b.row.Value))
	})
	if err := put(tx, "record_string", []string{"org", "path", "value", "n"}, len(texts), func(i int, row []any) {
		t := &texts[i]
		row[0], row[1], row[2], row[3] = org, t.row.Path, t.row.Value, t.n
	}); err != nil {
		return err
	}
	dates := gather(changes, func(x *fhir.Index) []fhir.DateRow { return x.Dates }, nil)
	if err := put(tx, "record_date", []string{"org", "n", "path", "low", "high"}, len(dates), func(i int, row []any) {
		d := &dates[i]
		row[0], row[1], row[2], row[3], row[4] = org, d.n, d.row.Path, d.row.Span.Low, d.row.Span.High
	}); err != nil {
		return err
	}
	amounts := gather(changes, func(x *fhir.Index) []fhir.QuantityRow { return x.Quantities }, nil)
	if err := put(tx, "record_quantity", []string{"org", "n", "path", "value", "system", "code", "unit"}, len(amounts), func(i int, row []any) {
		q := &amounts[i]
		row[0], row[1], row[2], row[3], row[4], row[5], row[6] = org, q.n, q.row.Path, q.row.Value, q.row.System, q.row.Code, q.row.Unit
	}); err != nil {
		return err
	}
	for _, c := range changes {
		for _, target := range c.open {
			if _, err := tx.Exec("INSERT INTO record_unresolved (org, target, n) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", org, target, c.n); err != nil {
				return err
			}
		}
	}
	return nil
}

// unindex takes away the rows that the bytes of a version made.
func unindex(tx *store.Tx, org string, n int64, body []byte) error {
	ix, err := fhir.Extract(body)
	if err != nil {
		return err
	}
	for _, r := range ix.Tokens {
		if _, err := tx.Exec("DELETE FROM record_token WHERE org = $1 AND path = $2 AND code = $3 AND n = $4 AND system = $5", org, r.Path, r.Code, n, r.System); err != nil {
			return err
		}
	}
	for _, r := range ix.Refs {
		if _, err := tx.Exec("DELETE FROM record_ref WHERE org = $1 AND path = $2 AND target = $3 AND date = $4 AND n = $5", org, r.Path, r.Target, ix.Date, n); err != nil {
			return err
		}
	}
	for _, r := range ix.Strings {
		if _, err := tx.Exec("DELETE FROM record_string WHERE org = $1 AND path = $2 AND value = $3 AND n = $4", org, r.Path, r.Value, n); err != nil {
			return err
		}
	}
	if _, err := tx.Exec("DELETE FROM record_date WHERE org = $1 AND n = $2", org, n); err != nil {
		return err
	}
	_, err = tx.Exec("DELETE FROM record_quantity WHERE org = $1 AND n = $2", org, n)
	return err
}
