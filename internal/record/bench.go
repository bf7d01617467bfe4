package record

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// Figure is one measured value.
type Figure struct {
	Name   string
	Value  float64
	Unit   string
	Engine string
	N      int // how many things were measured
}

// benchOrg keeps the measured resources apart from everybody's.
const benchOrg = "bench"

// Bench imports the files of a folder (FHIR bundles or NDJSON, packed or not) into a migrated, empty database and measures
// it, together with what the machine itself can do: the same bytes put into one table in batches of the same size.
func Bench(ctx context.Context, db *store.DB, dir string) ([]Figure, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil || len(names) == 0 {
		return nil, fault.Invalidf("there are no files to measure with in that folder")
	}
	slices.SortStableFunc(names, func(a, b string) int { return ImportRank(a) - ImportRank(b) })
	engine := ""
	if err := db.Read(ctx, func(tx *store.Tx) error { engine = string(tx.Engine()); return nil }); err != nil {
		return nil, err
	}
	c := clock.NewSystem()
	s := New(db, c, clock.NewIDs(c))
	files := make([][]byte, len(names))
	for i, name := range names {
		if files[i], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	var out []Figure
	add := func(name string, value float64, unit string, n int) {
		out = append(out, Figure{name, value, unit, engine, n})
	}
	round := func() (total Count, d time.Duration, err error) {
		start := time.Now()
		for i, b := range files {
			sum, err := s.ImportFile(ctx, benchOrg, filepath.Base(names[i]), bytes.NewReader(b), ImportOptions{})
			if err != nil {
				return total, 0, err
			}
			for _, n := range sum.ByType {
				total.New += n.New
				total.Same += n.Same
				total.Changed += n.Changed
			}
		}
		return total, time.Since(start), nil
	}
	first, d, err := round()
	if err != nil {
		return nil, err
	}
	n := first.New + first.Same + first.Changed
	add("record.import", float64(n)/d.Seconds(), "resources/s", n)
	again, d, err := round()
	if err != nil {
		return nil, err
	}
	add("record.import.again", float64(n)/d.Seconds(), "resources/s", n)
	add("record.import.again.written", float64(again.New+again.Changed), "resources", n)
	limit, bodies, err := plain(ctx, db)
	if err != nil {
		return nil, err
	}
	add("record.limit.plain", float64(bodies)/limit.Seconds(), "resources/s", bodies)
	each, searches, err := s.benchSearch(ctx)
	if err != nil {
		return nil, err
	}
	add("record.search.patient.newest", float64(each.Microseconds()), "µs", searches)
	return out, nil
}

// plain puts the bodies that the import stored into a table of their own, and takes it away again.
func plain(ctx context.Context, db *store.DB) (time.Duration, int, error) {
	var bodies [][]byte
	if err := db.Read(ctx, func(tx *store.Tx) (err error) {
		bodies, err = store.All(tx, "SELECT body FROM record_resource WHERE org = $1", []any{benchOrg}, func(scan func(...any) error) (b []byte, err error) {
			err = scan(&b)
			return b, err
		})
		return err
	}); err != nil {
		return 0, 0, err
	}
	if err := db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE record_bench (n BIGINT PRIMARY KEY, body BYTEA NOT NULL)")
		return err
	}); err != nil {
		return 0, 0, err
	}
	start := time.Now()
	n := 0
	for batch := range slices.Chunk(bodies, 700) { // about what one file brings
		if err := db.Write(ctx, func(tx *store.Tx) error {
			return tx.Insert("record_bench", []string{"n", "body"}, len(batch), func(i int) []any { return []any{int64(n + i), batch[i]} })
		}); err != nil {
			return 0, 0, err
		}
		n += len(batch)
	}
	d := time.Since(start)
	return d, n, db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("DROP TABLE record_bench")
		return err
	})
}

// benchSearch asks for each patient's newest observations.
func (s *Service) benchSearch(ctx context.Context) (time.Duration, int, error) {
	patients, err := s.Search(ctx, benchOrg, "Patient", url.Values{"_count": {"1000"}})
	if err != nil || len(patients.Matches) == 0 {
		return 0, 0, err
	}
	n := 0
	start := time.Now()
	for range 20 {
		for _, p := range patients.Matches {
			q := url.Values{"patient": {p.ID}, "category": {"vital-signs"}, "_sort": {"-date"}, "_count": {"20"}}
			page, err := s.Search(ctx, benchOrg, "Observation", q)
			if err != nil {
				return 0, 0, err
			}
			for _, r := range page.Matches {
				fhir.WithMeta(r.Body, r.Version, r.At)
			}
			n++
		}
	}
	return time.Since(start) / time.Duration(n), n, nil
}
