package reading

import (
	"cmp"
	"context"
	"slices"
	"time"

	"doorstep/internal/store"
)

const (
	chunkMost = 4096                // samples of a chunk
	chunkSpan = 31 * 24 * time.Hour // from its first to its last sample, so that a window finds its chunks by their start
)

// Samples answers a person's samples of a series measured in [from, to), in order of measurement.
func (s *Service) Samples(ctx context.Context, org, patient, series string, from, to time.Time) (out []Sample, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = within(tx, org, patient, series, from, to)
		return err
	})
	return out, err
}

// within reads chunks and the arrivals that are not packed yet.
func within(tx *store.Tx, org, patient, series string, from, to time.Time) ([]Sample, error) {
	var out []Sample
	keep := func(list []Sample) {
		for i := range list {
			if at := list[i].At; list[i].Series == series && !at.Before(from) && at.Before(to) {
				out = append(out, list[i])
			}
		}
	}
	err := tx.Rows("SELECT bytes FROM chunk WHERE org = $1 AND patient = $2 AND series = $3 AND from_at >= $4 AND from_at < $5 AND to_at >= $6",
		[]any{org, patient, series, from.Add(-chunkSpan).UnixMicro(), to.UnixMicro(), from.UnixMicro()}, func(scan func(...any) error) error {
			var b []byte
			if err := scan(&b); err != nil {
				return err
			}
			list, err := unpackChunk(b, series)
			keep(list)
			return err
		})
	if err != nil {
		return nil, err
	}
	err = tx.Rows("SELECT bytes FROM arrival WHERE org = $1 AND patient = $2", []any{org, patient}, func(scan func(...any) error) error {
		var b []byte
		if err := scan(&b); err != nil {
			return err
		}
		list, err := unpackBatch(b)
		keep(list)
		return err
	})
	slices.SortStableFunc(out, inOrder)
	return out, err
}

// inOrder sorts samples by measurement, and the same instant's by how they came.
func inOrder(a, b Sample) int {
	return cmp.Or(a.At.Compare(b.At), a.Received.Compare(b.Received), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Seq, b.Seq))
}

// Latest answers the newest sample of each of a person's series, by series. One whose time is unknown, or that cannot be, is
// never among them.
func (s *Service) Latest(ctx context.Context, org, patient string) ([]Sample, error) {
	newest := map[string]*Sample{}
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		return tx.Rows("SELECT latest FROM stream WHERE org = $1 AND patient = $2", []any{org, patient}, func(scan func(...any) error) error {
			var b []byte
			if err := scan(&b); err != nil {
				return err
			}
			one, err := unpackLatest(b)
			if err == nil && one != nil && (newest[one.Series] == nil || newest[one.Series].now().Before(one.now())) {
				newest[one.Series] = one
			}
			return err
		})
	})
	out := make([]Sample, 0, len(newest))
	for _, one := range newest {
		out = append(out, *one)
	}
	slices.SortFunc(out, func(a, b Sample) int { return cmp.Compare(a.Series, b.Series) })
	return out, err
}

// LastSeen answers when the newest reading of a series ("" for any) was measured, at the latest when it was received; ok is
// false when there never was one.
func (s *Service) LastSeen(tx *store.Tx, org, patient, series string) (at time.Time, ok bool, err error) {
	var newest int64
	_, err = tx.Row("SELECT COALESCE(MAX(seen_at), 0) FROM stream WHERE org = $1 AND patient = $2 AND ($3 = '' OR series = $3)",
		[]any{org, patient, series}, &newest)
	return store.Time(newest), newest != 0, err
}
