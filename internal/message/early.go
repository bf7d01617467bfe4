package message

import (
	"context"
	"encoding/json"
	"time"

	"doorstep/internal/store"
)

// A delivery report may overtake the answer to the call that it reports on, and does where a gateway is given many texts at a
// time: their references are written down together. It is kept until then. Whoever writes a reference, or a report, looks for the
// other when that is durable, so that one of the two finds it.

// earlyFor is how long a report waits for its message. Who reports on messages of another server is forgotten after it.
const earlyFor = time.Hour

// Report takes a gateway's delivery report by the gateway's reference. Reports may come twice, late, early, or in any order: a
// state only moves forward.
func (s *Service) Report(ctx context.Context, ref string, to State) error {
	known, err := s.report(ctx, ref, to)
	if err != nil || known {
		return err
	}
	now := s.clock.Now()
	if err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM early WHERE at < $1", store.Micros(now.Add(-earlyFor))); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO early (ref, state, at) VALUES ($1, $2, $3) ON CONFLICT (ref) DO UPDATE
			SET state = CASE WHEN excluded.state > early.state THEN excluded.state ELSE early.state END`, ref, int(to), store.Micros(now))
		return err
	}); err != nil {
		return err
	}
	return s.heed(ctx, ref)
}

// heed gives messages the reports that came before their references.
func (s *Service) heed(ctx context.Context, refs ...string) error {
	if len(refs) == 0 {
		return nil
	}
	list, err := json.Marshal(refs)
	if err != nil {
		return err
	}
	type early struct {
		ref string
		to  State
	}
	var found []early
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		found, err = store.All(tx, "SELECT e.ref, e.state FROM "+tx.List("$1")+" l CROSS JOIN early e WHERE e.ref = l.value", []any{string(list)},
			func(scan func(...any) error) (e early, err error) { return e, scan(&e.ref, &e.to) })
		return err
	}); err != nil {
		return err
	}
	for _, e := range found {
		known, err := s.report(ctx, e.ref, e.to)
		if err != nil {
			return err
		}
		if !known {
			continue
		}
		if err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
			_, err := tx.Exec("DELETE FROM early WHERE ref = $1 AND state <= $2", e.ref, int(e.to))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// reported answers the references of messages on which a report will come.
func reported(results []Result) []string {
	var refs []string
	for _, r := range results {
		if r.Err == nil && r.Reports && r.Ref != "" {
			refs = append(refs, r.Ref)
		}
	}
	return refs
}
