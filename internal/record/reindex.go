package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// The search index holds what an extractor took from each resource. When the extractor changes, what the old one took is no longer found
// by what is asked with the new one, so the index is made anew, resource by resource, in batches that each leave it whole: a process that ends
// in the midst is followed by one that goes on where it stood. Until then a search may miss what has not been reached.

// reindexBatch is how many resources one transaction takes.
const reindexBatch = 200

// byNumber are the tables whose key does not begin with a resource's number. While the index is made anew they are also kept by that.
var byNumber = [...]string{"record_token", "record_ref", "record_string"}

// place is where making the index anew stands.
type place struct {
	version, toward int64
	org             string
	n               int64
}

// Reindex makes the search index anew when it was made by another version of the extractor, or in any case with again set. It goes on where an
// earlier call stood, and tells progress, which may be nil, how many resources are done in this one. Several servers may call it at once.
func (s *Service) Reindex(ctx context.Context, again bool, progress func(done int)) (int, error) {
	if again {
		if err := s.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE record_indexed SET version = 0, toward = 0, org = '', n = 0 WHERE one = 1")
			return err
		}); err != nil {
			return 0, err
		}
	}
	total := 0
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, more := 0, false
		if err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
			n, more, err = reindexSome(tx, fhir.ExtractVersion)
			return err
		}); err != nil || !more {
			return total + n, err
		}
		if total += n; progress != nil {
			progress(total)
		}
		select { // whoever waits to write goes first
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
}

// reindexSome does the next batch, and answers how many resources it held and whether there may be more.
func reindexSome(tx *store.Tx, current int64) (int, bool, error) {
	lock := ""
	if tx.Engine() == store.Postgres {
		lock = " FOR UPDATE"
	}
	var at place
	found, err := tx.Row("SELECT version, toward, org, n FROM record_indexed WHERE one = 1"+lock, nil, &at.version, &at.toward, &at.org, &at.n)
	if err != nil || found && max(at.version, at.toward) > current || found && at.version == current { // a newer server's index is left alone
		return 0, false, err
	}
	if !found {
		return 0, false, errors.New("the record does not say by which extractor its index was made")
	}
	if at.toward != current {
		at.toward, at.org, at.n = current, "", 0
		for _, table := range byNumber {
			if _, err := tx.Exec("CREATE INDEX IF NOT EXISTS " + table + "_anew ON " + table + " (org, n)"); err != nil {
				return 0, false, err
			}
		}
	}
	type dated struct {
		stored
		org  string
		date int64
	}
	list, err := store.All(tx, "SELECT r.org, r.date, "+resourceColumns+" FROM record_resource r WHERE (r.org, r.n) > ($1, $2) ORDER BY r.org, r.n LIMIT $3",
		[]any{at.org, at.n, reindexBatch}, func(scan func(...any) error) (d dated, err error) {
			d.stored, err = scanStored(func(dest ...any) error { return scan(append([]any{&d.org, &d.date}, dest...)...) })
			return d, err
		})
	if err != nil {
		return 0, false, err
	}
	if len(list) == 0 {
		for _, table := range byNumber {
			if _, err := tx.Exec("DROP INDEX IF EXISTS " + table + "_anew"); err != nil {
				return 0, false, err
			}
		}
		_, err := tx.Exec("UPDATE record_indexed SET version = $1, toward = $1, org = '', n = 0 WHERE one = 1", current)
		return 0, false, err
	}
	changes := map[string][]*change{}
	for _, r := range list {
		if r.org != at.org || r.n > at.n {
			at.org, at.n = r.org, r.n
		}
		for _, table := range [...]string{"record_token", "record_ref", "record_string", "record_date", "record_quantity"} {
			if err := tx.Later("DELETE FROM "+table+" WHERE org = $1 AND n = $2", r.org, r.n); err != nil {
				return 0, false, err
			}
		}
		if r.Deleted {
			continue
		}
		ix, err := fhir.Extract(r.Body)
		if err != nil {
			return 0, false, fmt.Errorf("%s/%s cannot be read again: %w", r.Type, r.ID, err)
		}
		if ix.Date != r.date {
			if err := tx.Later("UPDATE record_resource SET date = $3 WHERE org = $1 AND n = $2", r.org, r.n, ix.Date); err != nil {
				return 0, false, err
			}
		}
		changes[r.org] = append(changes[r.org], &change{ix: ix, body: r.Body, n: r.n})
	}
	for org, list := range changes {
		if err := index(tx, org, list); err != nil {
			return 0, false, err
		}
	}
	_, err = tx.Exec("UPDATE record_indexed SET toward = $1, org = $2, n = $3 WHERE one = 1", at.toward, at.org, at.n)
	return len(list), true, err
}
