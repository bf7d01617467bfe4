package record_test

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/record"
	"doorstep/internal/sharedtest"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

var rooms = []storetest.Room{{Name: "record", FS: record.Migrations}}

const org = "clinic"

func service(db *store.DB) (*record.Service, *clock.Sim) {
	c := clock.NewSim(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	return record.New(db, c, clock.SeededIDs(c, 1)), c
}

// shared answers the files of a folder of sample data beside the repository; without it the test is skipped, but not in CI.
func shared(t *testing.T, dir string) []string {
	t.Helper()
	names, _ := filepath.Glob(sharedtest.Path(t, "data/fhir/"+dir+"/*.gz"))
	slices.SortStableFunc(names, func(a, b string) int { return record.ImportRank(a) - record.ImportRank(b) })
	return names
}

func importAll(t *testing.T, rec *record.Service, names []string) (total record.Count, unresolved int) {
	t.Helper()
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := rec.ImportFile(t.Context(), org, filepath.Base(name), f, record.ImportOptions{})
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range sum.Refused {
			t.Errorf("%s entry %d line %d: %s", r.File, r.Entry, r.Line, r.Reason)
		}
		for _, c := range sum.ByType {
			total.New += c.New
			total.Same += c.Same
			total.Changed += c.Changed
		}
		unresolved += sum.Unresolved
	}
	return total, unresolved
}

func TestImportOfSyntheaTwiceWritesNothing(t *testing.T) {
	t.Parallel()
	names := shared(t, "synthea-r4-bundles")
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		start := time.Now()
		first, _ := importAll(t, rec, names)
		t.Logf("%v in %v", first, time.Since(start))
		if first.New < 5000 {
			t.Errorf("first: %+v", first)
		}
		second, _ := importAll(t, rec, names)
		if second.New+second.Changed != 0 || second.Same != first.New+first.Same+first.Changed {
			t.Errorf("second: %+v after %+v", second, first)
		}
		page, err := rec.Search(t.Context(), org, "Patient", url.Values{"name": {"cantu"}})
		if err != nil || len(page.Matches) != 1 {
			t.Fatalf("Cantú is not found by cantu: %d %v", len(page.Matches), err)
		}
		id := page.Matches[0].ID
		page, err = rec.Search(t.Context(), org, "Observation", url.Values{"patient": {id}, "code": {"http://loinc.org|8302-2"}, "_sort": {"-date"}, "_count": {"5"}})
		if err != nil || len(page.Matches) != 5 || page.Next == "" {
			t.Fatalf("heights: %d %v", len(page.Matches), err)
		}
		all, err := rec.Patient(t.Context(), org, id, "MedicationRequest")
		if err != nil || len(all) != 28 {
			t.Errorf("%d medication requests, want 28: %v", len(all), err)
		}
		for _, r := range all {
			if strings.Contains(string(r.Body), "urn:uuid:") {
				t.Error("a temporary name was kept as a reference")
			}
		}
	})
}

func TestImportOfBulkDataResolvesConditions(t *testing.T) {
	t.Parallel()
	names := shared(t, "bulk-10-patients-ndjson")
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		first, open := importAll(t, rec, names)
		if first.New != 5945 {
			t.Errorf("first: %+v", first)
		}
		if second, _ := importAll(t, rec, names); second.New+second.Changed != 0 {
			t.Errorf("second: %+v", second)
		}
		t.Logf("%d conditional references named nothing", open)
		page, err := rec.Search(t.Context(), org, "Practitioner", url.Values{"identifier": {"9999974493"}})
		if err != nil || len(page.Matches) != 1 {
			t.Fatalf("practitioner: %d %v", len(page.Matches), err)
		}
		page, err = rec.Search(t.Context(), org, "Encounter", url.Values{"practitioner": {page.Matches[0].ID}})
		if err != nil || len(page.Matches) == 0 {
			t.Errorf("no encounter with the practitioner: %v", err)
		}
	})
}
