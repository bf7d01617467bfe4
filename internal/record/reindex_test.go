package record_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// indexTables are the tables of the search index, and the columns by which two are compared.
var indexTables = map[string]string{
	"record_token": "org, path, code, n, system", "record_ref": "org, path, target, date, n", "record_string": "org, path, value, n",
	"record_date": "org, n, path, low, high", "record_quantity": "org, n, path, value, system, code, unit", "record_resource": "org, n, date",
}

// indexed answers the whole index as text.
func indexed(t *testing.T, db *store.DB) string {
	t.Helper()
	var b strings.Builder
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		for _, table := range []string{"record_token", "record_ref", "record_string", "record_date", "record_quantity", "record_resource"} {
			columns := indexTables[table]
			if err := tx.Walk("SELECT "+columns+" FROM "+table+" ORDER BY "+columns, nil, func(c store.Cells) error {
				fmt.Fprintf(&b, "%s %v\n", table, c)
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// An index that another extractor has made, with rows that ours would not make and without some that it would, is after Reindex what it is when
// the resources come to an empty record, also when the first try ended in the midst; after that there is nothing to do.
func TestReindex(t *testing.T) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		var many strings.Builder
		many.WriteString(world)
		for i := range 900 {
			fmt.Fprintf(&many, "\n"+`{"resourceType":"Observation","id":"n%d","status":"final","code":{"coding":[{"system":"loinc","code":"c%d"}]},"subject":{"reference":"Patient/ana"},"effectiveDateTime":"2024-03-01"}`, i, i)
		}
		if sum := load(t, rec, "w.ndjson", many.String()); len(sum.Refused) > 0 {
			t.Fatal(sum.Refused)
		}
		want := indexed(t, db)
		if n, err := rec.Reindex(t.Context(), false, nil); n != 0 || err != nil {
			t.Fatalf("an index of today's extractor: %d were done, %v", n, err)
		}
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			for _, stmt := range []string{
				"DELETE FROM record_string", "UPDATE record_token SET path = path + 1", "UPDATE record_ref SET target = target + 1 WHERE n < 500", "UPDATE record_resource SET date = date + 1 WHERE n > 300",
				"DELETE FROM record_quantity", "UPDATE record_date SET low = low - 1", "UPDATE record_indexed SET version = 0, toward = 0",
			} {
				if _, err := tx.Exec(stmt); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		first, err := rec.Reindex(ctx, false, func(int) { cancel() })
		if !errors.Is(err, context.Canceled) || first == 0 || first >= 900 {
			t.Fatalf("the first try did %d and ended with %v", first, err)
		}
		rest, err := rec.Reindex(t.Context(), false, nil)
		if err != nil || first+rest != 915 {
			t.Fatalf("%d and %d were done, %v", first, rest, err)
		}
		if got := indexed(t, db); got != want {
			t.Error("the index is not what it was")
		}
		if n, err := rec.Reindex(t.Context(), false, nil); n != 0 || err != nil {
			t.Errorf("once more: %d, %v", n, err)
		}
		if n, err := rec.Reindex(t.Context(), true, nil); n != 915 || err != nil || indexed(t, db) != want {
			t.Errorf("again, as asked for: %d, %v", n, err)
		}
	})
}
