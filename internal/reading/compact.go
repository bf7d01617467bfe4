package reading

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/store"
)

const (
	packAfter = time.Hour // an arrival older than this is packed
	packFrom  = 64        // so are so many of one person
	packMost  = 2000      // arrivals of one person packed in one transaction
	growBelow = chunkMost / 2
	// runGap parts what is packed together: one reading with a clock of 1970 must not unpack the years in between.
	runGap = 24 * time.Hour
)

// Compact packs arrivals into chunks and answers how many it packed. Call it now and then (every minute or so); it may be
// interrupted at any point, and may run on several nodes at once.
func (s *Service) Compact(ctx context.Context) (int, error) {
	var due []owner
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		old := s.clock.Now().Add(-packAfter).UnixMilli()
		return tx.Rows("SELECT org, patient, COUNT(*), MIN(id) FROM arrival GROUP BY org, patient ORDER BY org, patient", nil, func(scan func(...any) error) error {
			var o owner
			var n int64
			var first string
			if err := scan(&o.org, &o.patient, &n, &first); err != nil {
				return err
			}
			if n >= packFrom || born(first) <= old {
				due = append(due, o)
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	packed := 0
	for _, o := range due {
		for {
			if err := ctx.Err(); err != nil {
				return packed, err
			}
			n := 0
			err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
				n, err = s.compact(tx, o.org, o.patient)
				return err
			})
			if err != nil {
				return packed, err
			}
			if packed += n; n < packMost {
				break
			}
		}
	}
	return packed, nil
}

// born reads the milliseconds that a version 7 UUID begins with.
func born(id string) int64 {
	if len(id) < 13 {
		return 0
	}
	ms, err := strconv.ParseInt(id[:8]+id[9:13], 16, 64)
	if err != nil {
		return 0
	}
	return ms
}

func (s *Service) compact(tx *store.Tx, org, patient string) (int, error) {
	if err := lock(tx, owner{org, patient}); err != nil {
		return 0, err
	}
	bySeries := map[string][]Sample{}
	n, last := 0, ""
	err := tx.Rows("SELECT id, bytes FROM arrival WHERE org = $1 AND patient = $2 ORDER BY id LIMIT $3", []any{org, patient, packMost}, func(scan func(...any) error) error {
		var b []byte
		if err := scan(&last, &b); err != nil {
			return err
		}
		n++
		list, err := unpackBatch(b)
		for _, one := range list {
			bySeries[one.Series] = append(bySeries[one.Series], one)
		}
		return err
	})
	if err != nil || n == 0 {
		return 0, err
	}
	for _, series := range slices.Sorted(maps.Keys(bySeries)) {
		list := bySeries[series]
		slices.SortStableFunc(list, inOrder)
		for len(list) > 0 {
			run := 1
			for run < len(list) && list[run].At.Sub(list[run-1].At) <= runGap {
				run++
			}
			if err := s.merge(tx, org, patient, series, list[:run:run]); err != nil {
				return 0, err
			}
			list = list[run:]
		}
	}
	_, err = tx.Exec("DELETE FROM arrival WHERE org = $1 AND patient = $2 AND id <= $3", org, patient, last)
	return n, err
}

// merge packs samples of one series, in order of measurement, together with the chunks that they fall into and a last chunk that has room.
func (s *Service) merge(tx *store.Tx, org, patient, series string, samples []Sample) error {
	first, last := samples[0].At, samples[len(samples)-1].At
	type old struct {
		id   string
		from int64
	}
	var gone []old
	err := tx.Rows(`SELECT id, from_at, to_at, samples, bytes FROM chunk WHERE org = $1 AND patient = $2 AND series = $3 AND from_at >= $4 AND from_at <= $5`,
		[]any{org, patient, series, first.Add(-chunkSpan).UnixMicro(), last.UnixMicro()}, func(scan func(...any) error) error {
			var o old
			var to, count int64
			var b []byte
			if err := scan(&o.id, &o.from, &to, &count, &b); err != nil {
				return err
			}
			if to < first.UnixMicro() && count >= growBelow {
				return nil
			}
			list, err := unpackChunk(b, series)
			samples, gone = append(samples, list...), append(gone, o)
			return err
		})
	if err != nil {
		return err
	}
	for _, o := range gone {
		if _, err := tx.Exec("DELETE FROM chunk WHERE org = $1 AND patient = $2 AND series = $3 AND from_at = $4 AND id = $5", org, patient, series, o.from, o.id); err != nil {
			return err
		}
	}
	slices.SortStableFunc(samples, inOrder)
	for len(samples) > 0 {
		n := 0
		for n < min(len(samples), chunkMost) && samples[n].At.Sub(samples[0].At) < chunkSpan {
			n++
		}
		packed, err := packChunk(samples[:n])
		if err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO chunk (org, patient, series, from_at, id, to_at, samples, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			org, patient, series, samples[0].At.UnixMicro(), s.ids.New(), samples[n-1].At.UnixMicro(), n, packed); err != nil {
			return err
		}
		samples = samples[n:]
	}
	return nil
}
