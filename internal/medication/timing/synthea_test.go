package timing

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhir"
	"doorstep/internal/sharedtest"
)

// TestSynthea reads every MedicationRequest of the sample records: each gives a regimen, or says which element is wanting.
func TestSynthea(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"synthea-r4-bundles/*.json.gz", "bulk-10-patients-ndjson/MedicationRequest*.gz"} {
		found, err := filepath.Glob(sharedtest.Path(t, "data/fhir/"+pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	var orders, scheduled, asNeeded, none int
	for _, name := range files {
		for _, m := range requests(t, name) {
			orders++
			m0, err := parseMoment(m.AuthoredOn)
			if err != nil {
				t.Fatalf("authoredOn %q: %v", m.AuthoredOn, err)
			}
			r, err := Parse(m.DosageInstruction, m0.first)
			switch {
			case err != nil && len(m.DosageInstruction) == 0 && strings.HasPrefix(err.Error(), "dosageInstruction: "):
				none++
			case err != nil:
				t.Errorf("%s: %v", filepath.Base(name), err)
			case r.AsNeeded:
				asNeeded++
			default:
				scheduled++
				from := clock.At(m0.first, 0, time.UTC)
				if n := len(r.Doses(Person{Zone: time.UTC, Routine: DefaultRoutine}, from, from.AddDate(0, 0, 7))); n < 7 {
					t.Errorf("%s: %d doses in the first week", filepath.Base(name), n)
				}
			}
		}
	}
	t.Logf("%d orders: %d scheduled, %d as needed, %d without any instruction", orders, scheduled, asNeeded, none)
	if orders != scheduled+asNeeded+none || scheduled < 400 {
		t.Errorf("%d orders, %d scheduled", orders, scheduled)
	}
}

// requests reads the MedicationRequests of a bundle or of lines.
func requests(t *testing.T, name string) []fhir.MedicationRequest {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []fhir.MedicationRequest
	for dec := json.NewDecoder(z); ; {
		var doc struct {
			Entry []struct{ Resource json.RawMessage }
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		resources := []json.RawMessage{raw}
		for _, e := range doc.Entry {
			resources = append(resources, e.Resource)
		}
		for _, r := range resources {
			var kind struct{ ResourceType string }
			if json.Unmarshal(r, &kind) != nil || kind.ResourceType != "MedicationRequest" {
				continue
			}
			var m fhir.MedicationRequest
			if err := json.Unmarshal(r, &m); err != nil {
				t.Fatal(err)
			}
			out = append(out, m)
		}
	}
}
