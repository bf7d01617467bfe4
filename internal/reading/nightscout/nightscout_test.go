package nightscout

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"doorstep/internal/reading/sample"
	"doorstep/internal/sharedtest"
)

const entries = `[{"_id":"1","type":"sgv","date":1775421029000,"sgv":162,"direction":"Flat","device":"xDrip","utcOffset":60},
 {"type":"sgv","dateString":"2026-04-05T20:25:28.000Z","sgv":39}, {"type":"sgv","date":1775420428000,"sgv":401}, {"type":"sgv","date":1775420428000,"sgv":9},
 {"type":"mbg","date":1775420428000,"mbg":6.1,"units":"mmol"}, {"type":"cal","date":1775420428000,"slope":1}, {"type":"sgv","sgv":100}]
{"status":200,"result":[{"type":"sgv","date":1775420428000,"sgv":120}]}
[{"eventType":"Meal Bolus","created_at":"2026-04-05T20:25:28Z","insulin":2.50,"carbs":45,"enteredBy":"Loop"},
 {"eventType":"BG Check","created_at":"2026-04-05T20:25:28Z","glucose":"98","glucoseType":"Finger","insulin":null}]
`

func lines(seq sample.Seq) (out []string) {
	for s, err := range seq {
		if err != nil {
			out = append(out, "! "+err.Error())
			continue
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s%.*f %s %s %s", s.Kind, s.At.Format("2006-01-02T15:04:05Z07:00"), s.Series, map[int]string{-1: "<", 1: ">"}[s.Beyond], s.Decimals, s.Value, s.Unit, strings.Join(s.Notes, ","), s.Source)))
	}
	return out
}

func TestRead(t *testing.T) {
	t.Parallel()
	want := []string{
		"sgv 2026-04-05T21:30:29+01:00 99504-3 162 mg/dL Flat xDrip", "sgv 2026-04-05T20:25:28Z 99504-3 <39 mg/dL  nightscout", "sgv 2026-04-05T20:20:28Z 99504-3 >401 mg/dL  nightscout",
		"mbg 2026-04-05T20:20:28Z 15074-8 6.1 mmol/L  nightscout", fmt.Sprintf("! [6], offset %d: date: there is none that is a time", strings.Index(entries, `{"type":"sgv","sgv":100}`)),
		"sgv 2026-04-05T20:20:28Z 99504-3 120 mg/dL  nightscout",
		"Meal Bolus 2026-04-05T20:25:28Z insulin 2.50 [iU]  Loop", "Meal Bolus 2026-04-05T20:25:28Z carbohydrates 45 g  Loop", "BG Check 2026-04-05T20:25:28Z 2339-0 98 mg/dL  nightscout",
	}
	if got := lines(Read(strings.NewReader(entries), sample.Options{})); !slices.Equal(got, want) {
		t.Errorf("\n%s", strings.Join(got, "\n"))
	}
	if !Is([]byte(entries)) || Is([]byte(`{"resourceType":"Observation"}`)) {
		t.Error("what it is")
	}
}

// TestFiles reads what a site answered. The test is skipped without the files.
func TestFiles(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"entries.json": 1000, "treatments.json": 0} {
		b, err := os.ReadFile(sharedtest.Path(t, "data/devices/nightscout/"+name))
		if err != nil {
			t.Fatal(err)
		}
		got := lines(Read(bytes.NewReader(b), sample.Options{}))
		if !Is(b[:min(len(b), 64<<10)]) || len(got) != want && want > 0 || len(got) == 0 {
			t.Errorf("%s: %d", name, len(got))
		}
		for _, line := range got {
			if line[0] == '!' {
				t.Fatal(name, line)
			}
		}
		t.Log(name, len(got))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(entries))
	f.Fuzz(func(t *testing.T, in []byte) {
		for s, err := range Read(bytes.NewReader(in), sample.Options{}) {
			if err == nil && (s.Series == "" || s.At.IsZero() || math.IsNaN(s.Value) || math.IsInf(s.Value, 0)) {
				t.Fatalf("%+v", s)
			}
		}
	})
}
