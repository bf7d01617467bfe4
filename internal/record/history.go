package record

import (
	"context"
	"time"

	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// Version answers one version of a resource; fault.NotFound when it never was or lies outside the scope.
func (s *Service) Version(ctx context.Context, scope Scope, typ, id string, version int) (out Resource, err error) {
	all, err := s.History(ctx, scope, typ, id)
	for _, r := range all {
		if r.Version == version {
			return r, err
		}
	}
	if err == nil {
		err = notFound(typ, id)
	}
	return Resource{}, err
}

// History answers the versions of a resource, newest first. Of a limited scope each version must have belonged to the
// patient; deletions show when any version does.
func (s *Service) History(ctx context.Context, scope Scope, typ, id string) (out []Resource, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		out, err = history(tx, scope, typ, id)
		return err
	})
	return out, err
}

func history(tx *store.Tx, scope Scope, typ, id string) ([]Resource, error) {
	row, found, err := current(tx, scope.Org, typ, id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, notFound(typ, id)
	}
	all := []Resource{row.Resource}
	if err := tx.Rows("SELECT h.version, h.at, h.deleted, h.body FROM record_history h WHERE h.org = $1 AND h.n = $2 ORDER BY h.version DESC",
		[]any{scope.Org, row.n}, func(scan func(...any) error) error {
			r := Resource{Type: typ, ID: id}
			var at, deleted int64
			var body []byte
			if err := scan(&r.Version, &at, &deleted, &body); err != nil {
				return err
			}
			r.At, r.Deleted = store.Time(at), deleted != 0
			r.Body = body
			all = append(all, r)
			return nil
		}); err != nil {
		return nil, err
	}
	var out []Resource
	bodies := 0
	for _, r := range all {
		if r.Deleted || scope.sees(typ, id, r.Body) {
			out = append(out, r)
			if !r.Deleted {
				bodies++
			}
		}
	}
	if bodies == 0 && scope.Patient != "" {
		return nil, notFound(typ, id)
	}
	return out, nil
}

// Changes answers what changed in a type since an instant (zero: ever), newest first: current versions and deletions,
// up to limit, and before the one that after names (nil: from the newest on). next is for the following page.
func (s *Service) Changes(ctx context.Context, scope Scope, typ string, since time.Time, limit int, after string) (out []Resource, next string, err error) {
	var from *cursor
	if after != "" {
		if from, err = parseCursor(after); err != nil {
			return nil, "", err
		}
	}
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		out, next, err = changes(tx, scope, typ, since, limit, from)
		return err
	})
	return out, next, err
}

func changes(tx *store.Tx, scope Scope, typ string, since time.Time, limit int, from *cursor) ([]Resource, string, error) {
	if from == nil {
		from = &cursor{key: fhir.Never}
	}
	// Versions of one resource that were written at one instant come out in the order of their numbers.
	rows, err := store.All(tx, `SELECT * FROM (
		SELECT r.n, r.type, r.id, r.version, r.at, r.deleted, r.sum, r.body FROM record_resource r
			WHERE r.org = $1 AND r.type = $2 AND r.at >= $3 AND (r.at, r.n * 100000 + r.version) < ($4, $5)
		UNION ALL
		SELECT r.n, r.type, r.id, h.version, h.at, h.deleted, h.sum, h.body FROM record_resource r
			JOIN record_history h ON h.org = r.org AND h.n = r.n
			WHERE r.org = $1 AND r.type = $2 AND r.version > 1 AND h.at >= $3 AND (h.at, r.n * 100000 + h.version) < ($4, $5)
		) v ORDER BY v.at DESC, v.n * 100000 + v.version DESC LIMIT `+itoa(limit+1),
		[]any{scope.Org, typ, store.Micros(since), from.key, from.n}, scanStored)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = (&cursor{key: store.Micros(last.At), n: last.n*100000 + int64(last.Version)}).String()
	}
	var out []Resource
	for _, r := range rows {
		seen := scope.Patient == ""
		switch {
		case seen:
		case r.Deleted:
			last, err := lastBody(tx, scope.Org, r.n)
			if err != nil {
				return nil, "", err
			}
			seen = scope.sees(r.Type, r.ID, last)
		default:
			seen = scope.sees(r.Type, r.ID, r.Body)
		}
		if seen {
			out = append(out, r.Resource)
		}
	}
	return out, next, nil
}
