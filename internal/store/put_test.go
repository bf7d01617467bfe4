package store_test

import (
	"fmt"
	"testing"

	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

func TestPutAndTuples(t *testing.T) {
	t.Parallel()
	storetest.Each(t, schema, func(t *testing.T, db *store.DB) {
		columns := []string{"id", "n", "b"}
		for round := range int64(2) { // the second time the rows are there
			rows := [][]any{{"a", round, []byte{1}}, {"b'", round + 10, []byte{}}, {"ç", round + 20, []byte{0, 255}}}
			if err := db.Write(t.Context(), func(tx *store.Tx) error {
				if err := tx.Put("thing", columns, 1, 0, nil); err != nil {
					return err
				}
				return tx.Put("thing", columns, 1, len(rows), func(i int) []any { return rows[i] })
			}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		if err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
			got, err = store.All(tx, "SELECT k.tag, t.id, t.n, t.b FROM "+tx.Tuples("$1", "key", "tag")+" k CROSS JOIN thing t WHERE t.id = k.key ORDER BY t.n",
				[]any{`[["a","x"],["ç","y \""],["nobody","z"]]`}, func(scan func(...any) error) (string, error) {
					var tag, id string
					var n int64
					var b []byte
					err := scan(&tag, &id, &n, &b)
					return fmt.Sprint(tag, id, n, b), err
				})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if want := `[xa1 [1] y "ç21 [0 255]]`; fmt.Sprint(got) != want || count(t, db) != 3 {
			t.Errorf("%v, want %s", got, want)
		}
	})
}
