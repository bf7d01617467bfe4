package reading

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep/internal/store"
)

// releaseMost is how many things leave quarantine in one transaction.
const releaseMost = 1000

// pillStream comes before the event in the stream of a pill box event in quarantine.
const pillStream = "pill/"

// release takes out of a device's quarantine what its assignments make somebody's, in the order in which it came, as if it had
// come now but for the time of its receipt. It may be interrupted at any point: TurnDue goes on.
func (s *Service) release(ctx context.Context, k deviceKey) error {
	var last kept // of the portion before
	for n := releaseMost; n == releaseMost; {
		var rows []kept
		err := s.db.Write(ctx, func(tx *store.Tx) error {
			if err := lockDevices(tx, "UPDATE", k); err != nil {
				return err
			}
			var err error
			if rows, err = waiting(tx, k, last.at, last.key); err != nil {
				return err
			}
			if len(rows) > 0 {
				if err := s.settle(tx, k, rows); err != nil {
					return err
				}
			}
			if len(rows) < releaseMost {
				_, err = tx.Exec("UPDATE assignment SET released = 1 WHERE org = $1 AND device = $2 AND released = 0", k[0], k[1])
			}
			return err
		})
		if err != nil {
			return err
		}
		if n = len(rows); n > 0 {
			last = rows[n-1] // only now: the transaction may have run twice
		}
	}
	return nil
}

// kept is a row of the quarantine.
type kept struct {
	at          int64 // of its receipt, µs
	key, stream string
	payload     []byte
}

func waiting(tx *store.Tx, k deviceKey, at int64, key string) ([]kept, error) {
	return store.All(tx, `SELECT received, key, stream, payload FROM quarantine WHERE org = $1 AND device = $2 AND reason = $3 AND (received, key) > ($4, $5)
		ORDER BY received, key LIMIT $6`, []any{k[0], k[1], ReasonUnassigned, at, key, releaseMost}, func(scan func(...any) error) (r kept, err error) {
		return r, scan(&r.at, &r.key, &r.stream, &r.payload)
	})
}

// settle gives rows of the quarantine to whom they belong, and leaves those that are nobody's still.
func (s *Service) settle(tx *store.Tx, k deviceKey, rows []kept) error {
	dev := Device{Org: k[0], ID: k[1]}
	held, err := assignments(tx, k)
	if err != nil {
		return err
	}
	stays := map[int]bool{}
	d := &delivery{dev: dev}
	for i, r := range rows {
		if strings.HasPrefix(r.stream, pillStream) {
			taken, err := s.settlePill(tx, dev, held[k], r)
			if err != nil {
				return err
			}
			stays[i] = !taken
			continue
		}
		list, err := unpackBatch(r.payload)
		if err != nil {
			stays[i] = true // damaged: it is nobody's
			continue
		}
		for _, one := range list {
			d.came = append(d.came, arrived{d, i, one})
		}
	}
	in := ingestion{s: s, tx: tx, now: s.clock.Now().Truncate(time.Millisecond), group: []*delivery{d}, people: map[owner]*fellow{}}
	for _, one := range in.place(held) {
		stays[one.index] = true
	}
	if err := in.store(slices.SortedFunc(maps.Keys(in.people), owner.compare)); err != nil {
		return err
	}
	var gone []string
	for i, r := range rows {
		if !stays[i] {
			gone = append(gone, r.key)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	keys, err := json.Marshal(gone)
	if err != nil {
		return err
	}
	tx.Hint("desk", k[0])
	_, err = tx.Exec("DELETE FROM quarantine WHERE org = $1 AND device = $2 AND key IN "+tx.List("$3"), k[0], k[1], string(keys))
	return err
}

// settlePill answers false for an event that is nobody's, or of which not everything was kept.
func (s *Service) settlePill(tx *store.Tx, dev Device, spans []Assignment, r kept) (bool, error) {
	events, _, refused, err := ParsePills(r.payload)
	if err != nil || len(refused) > 0 || len(events) != 1 {
		return false, nil
	}
	e, key, timed := events[0].timed(&dev, store.Time(r.at))
	a := whose(spans, &timed)
	if a == nil {
		return false, nil
	}
	_, err = s.keepPill(tx, dev, a.Patient, key, e)
	return true, err
}
