package record

import (
	"cmp"
	"fmt"
	"slices"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// fate is what came of a change.
type fate uint8

const (
	same fate = iota
	created
	updated
)

// change is one resource to be written. apply fills in what came of it.
type change struct {
	ix       *fhir.Index
	body     []byte // nil: delete
	sum      int64  // Hash of the bytes as they came; 0: of body
	imported bool   // bytes that any version had already bring nothing new
	open     []int64
	fate     fate
	n        int64
	version  int
	old      *stored
}

func (c *change) ref() Ref { return Ref{c.ix.Type, c.ix.ID, c.version} }

type key struct{ typ, id string }

// apply writes changes, each to another resource, in the caller's transaction.
func (s *Service) apply(tx *store.Tx, org string, changes []*change) error {
	at := store.Micros(s.clock.Now())
	if err := lookup(tx, org, changes); err != nil {
		return err
	}
	var fresh, write []*change
	for _, c := range changes {
		if c.sum == 0 && c.body != nil {
			c.sum = fhir.HashBytes(c.body)
		}
		if err := c.decide(tx, org); err != nil {
			return err
		}
		switch {
		case c.fate == same:
			continue
		case c.old == nil:
			fresh = append(fresh, c)
		default:
			if err := supersede(tx, org, at, c); err != nil {
				return err
			}
		}
		write = append(write, c)
	}
	if len(write) == 0 {
		return nil
	}
	if err := number(tx, org, fresh); err != nil {
		return err
	}
	row := make([]any, 10)
	err := tx.Insert("record_resource", []string{"org", "n", "type", "id", "version", "at", "date", "deleted", "sum", "body"}, len(fresh),
		rowsOf(tx, row, func(i int, row []any) {
			c := fresh[i]
			c.version = 1
			row[0], row[1], row[2], row[3], row[4] = org, c.n, c.ix.Type, c.ix.ID, int64(1)
			row[5], row[6], row[7], row[8], row[9] = at, c.ix.Date, int64(0), c.sum, present(c.body)
		}))
	if err != nil {
		return err
	}
	for _, c := range write {
		s.hint(tx, org, c)
	}
	return index(tx, org, write)
}

// hint tells the pages of the patient to look again.
func (s *Service) hint(tx *store.Tx, org string, c *change) {
	if c.ix.Type == "Patient" && !c.imported {
		tx.Hint("patient", org+"/"+c.ix.ID)
	}
}

// rowsOf lends one slice to every row on SQLite, and makes a new one for each on PostgreSQL, which may keep them.
func rowsOf(tx *store.Tx, row []any, fill func(i int, row []any)) func(int) []any {
	return func(i int) []any {
		if tx.Engine() == store.Postgres {
			row = make([]any, len(row))
		}
		fill(i, row)
		return row
	}
}

// decide compares a change with what is there.
func (c *change) decide(tx *store.Tx, org string) error {
	if c.old != nil {
		c.n, c.version = c.old.n, c.old.Version
	}
	switch {
	case c.old == nil && c.body == nil:
		c.fate = same
	case c.old == nil:
		c.fate = created
	case c.body == nil:
		c.fate = updated
		if c.old.Deleted {
			c.fate = same
		} else if c.imported {
			return c.known(tx, org, "deleted = 1")
		}
	case c.old.sum == c.sum && !c.old.Deleted:
		c.fate = same
	default:
		c.fate = updated
		if c.old.Deleted {
			c.fate = created
		}
		if c.imported { // an import brings knowledge, it never turns back to an older version
			return c.known(tx, org, "deleted = 0 AND sum = $3", c.sum)
		}
	}
	return nil
}

// known turns an imported change into none when the history holds such a version already.
func (c *change) known(tx *store.Tx, org, such string, args ...any) error {
	var n int64
	_, err := tx.Row("SELECT COUNT(*) FROM record_history WHERE org = $1 AND n = $2 AND "+such, append([]any{org, c.old.n}, args...), &n)
	if n > 0 {
		c.fate = same
	}
	return err
}

// lookup finds the current version of each change, locked until the transaction ends.
func lookup(tx *store.Tx, org string, changes []*change) error {
	by := make(map[key]*change, len(changes))
	for _, c := range changes {
		k := key{c.ix.Type, c.ix.ID}
		if by[k] != nil {
			return fault.Invalidf("%s/%s stands twice in one change", k.typ, k.id)
		}
		by[k] = c
	}
	take := func(scan func(...any) error) error {
		var r stored
		var deleted int64
		if err := scan(&r.Type, &r.ID, &r.n, &r.Version, &r.sum, &deleted); err != nil {
			return err
		}
		r.Deleted = deleted != 0
		by[key{r.Type, r.ID}].old = &r
		return nil
	}
	const columns = "SELECT r.type, r.id, r.n, r.version, r.sum, r.deleted FROM record_resource r"
	if tx.Engine() == store.SQLite {
		for _, c := range changes {
			if err := tx.Rows(columns+" WHERE r.org = $1 AND r.type = $2 AND r.id = $3", []any{org, c.ix.Type, c.ix.ID}, take); err != nil {
				return err
			}
		}
		return nil
	}
	types, ids := make([]string, len(changes)), make([]string, len(changes))
	order := slices.Clone(changes) // locks are taken in one order, so that two writers wait rather than deadlock
	slices.SortFunc(order, func(a, b *change) int {
		return cmp.Or(cmp.Compare(a.ix.Type, b.ix.Type), cmp.Compare(a.ix.ID, b.ix.ID))
	})
	for i, c := range order {
		types[i], ids[i] = c.ix.Type, c.ix.ID
	}
	return tx.Rows(columns+` JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS w(type, id, o) ON r.type = w.type AND r.id = w.id
		WHERE r.org = $1 ORDER BY w.o FOR UPDATE OF r`, []any{org, types, ids}, take)
}

// number gives new resources their numbers.
func number(tx *store.Tx, org string, fresh []*change) error {
	if len(fresh) == 0 {
		return nil
	}
	if tx.Engine() == store.Postgres {
		i := 0
		return tx.Rows("SELECT nextval('record_n') FROM generate_series(1, $1)", []any{len(fresh)}, func(scan func(...any) error) error {
			err := scan(&fresh[i].n)
			i++
			return err
		})
	}
	var last int64 // the one writer of SQLite makes this safe
	if _, err := tx.Row("SELECT COALESCE(MAX(n), 0) FROM record_resource WHERE org = $1", []any{org}, &last); err != nil {
		return err
	}
	for i, c := range fresh {
		c.n = last + int64(i) + 1
	}
	return nil
}

// supersede moves the current version to the history, takes its index rows away and puts the new one in its place.
func supersede(tx *store.Tx, org string, at int64, c *change) error {
	rows, err := store.All(tx, "SELECT "+resourceColumns+" FROM record_resource r WHERE r.org = $1 AND r.n = $2", []any{org, c.n}, scanStored)
	if err != nil || len(rows) != 1 {
		return cmp.Or(err, error(fault.New(fault.Internal, "resource %d is not there", c.n)))
	}
	old := rows[0]
	if _, err := tx.Exec(`INSERT INTO record_history (org, n, version, at, deleted, sum, body)
		SELECT org, n, version, at, deleted, sum, body FROM record_resource WHERE org = $1 AND n = $2`, org, c.n); err != nil {
		return err
	}
	if !old.Deleted {
		if err := unindex(tx, org, c.n, old.Body); err != nil {
			return err
		}
	}
	c.version = c.old.Version + 1
	deleted, date := int64(0), int64(fhir.Ever)
	if c.body == nil {
		deleted = 1
	} else {
		date = c.ix.Date
	}
	_, err = tx.Exec("UPDATE record_resource SET version = $3, at = $4, date = $5, deleted = $6, sum = $7, body = $8 WHERE org = $1 AND n = $2",
		org, c.n, c.version, at, date, deleted, c.sum, present(c.body))
	return err
}

// lastBody answers the bytes of the last version that was no deletion.
func lastBody(tx *store.Tx, org string, n int64) ([]byte, error) {
	var body []byte
	if _, err := tx.Row("SELECT body FROM record_history WHERE org = $1 AND n = $2 AND deleted = 0 ORDER BY version DESC LIMIT 1",
		[]any{org, n}, &body); err != nil {
		return nil, err
	}
	return body, nil
}

// describe is how a resource is named in an error.
func describe(typ, id string) string {
	if id == "" {
		return typ
	}
	return fmt.Sprintf("%s/%s", typ, id)
}

// present is how a body lies in its column: as it came, empty for a deletion.
func present(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}
