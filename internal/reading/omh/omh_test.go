package omh

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorstep/internal/reading/sample"
	"doorstep/internal/sharedtest"
)

// TestFixtures judges every fixture as its folder says.
func TestFixtures(t *testing.T) {
	t.Parallel()
	dir := sharedtest.Path(t, "data/devices/omh/test-data")
	files, _ := filepath.Glob(filepath.Join(dir, "*/*/*/should*/*.json"))
	if len(files) == 0 {
		t.Fatal("there are no fixtures")
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rest, _ := filepath.Rel(dir, name)
		parts := strings.Split(rest, string(filepath.Separator)) // namespace, name, version, verdict, file
		err = Validate(parts[0], parts[1], parts[2], b)
		if (err == nil) != (parts[3] == "shouldPass") {
			t.Errorf("%s: %v", rest, err)
		}
	}
	t.Logf("%d fixtures", len(files))
}

const points = `{"header":{"id":"1","creation_date_time":"2024-03-14T08:00:01Z","schema_id":{"namespace":"omh","name":"blood-pressure","version":"4.0"},
  "acquisition_provenance":{"source_name":"Cuff","modality":"self-reported"}},
 "body":{"systolic_blood_pressure":{"value":128,"unit":"mmHg"},"diastolic_blood_pressure":{"value":81.0,"unit":"mmHg"},"body_posture":"sitting","effective_time_frame":{"date_time":"2024-03-14T08:00:00+01:00"}}}
{"header":{"uuid":"123e4567-e89b-12d3-a456-426655440000","source_creation_date_time":"2024-03-14T08:00:01Z","modality":"sensed","schema_id":{"namespace":"ieee","name":"total-sleep-time","version":"1.0"}},
 "body":{"total_sleep_time":{"value":7.5,"unit":"h"},"effective_time_frame":{"time_interval":{"end_date_time":"2024-03-14T07:00:00Z","duration":{"value":8,"unit":"h"}}}}}
[{"header":{"id":"2","creation_date_time":"2024-03-14T08:00:01Z","schema_id":{"namespace":"omh","name":"blood-glucose","version":"3.0"}},
 "body":{"blood_glucose":{"value":6.1,"unit":"mmol/L"},"temporal_relationship_to_meal":"fasting","effective_time_frame":{"time_interval":{"date":"2024-03-14","part_of_day":"morning"}}}},
 {"header":{"id":"3","creation_date_time":"2024-03-14T08:00:01Z","schema_id":{"namespace":"omh","name":"body-weight","version":"3.0"}},
 "body":{"body_weight":{"value":"heavy","unit":"kg"},"effective_time_frame":{"date_time":"2024-03-14T08:00:00Z"}}},
 {"header":{"uuid":"123e4567-e89b-12d3-a456-426655440001","source_creation_date_time":"2024-03-14T08:00:01Z","schema_id":{"namespace":"acme","name":"grip-strength","version":"2.0"},
   "external_datasheets":[{"datasheet_reference":"https://acme.example/grip"}]},
 "body":[{"grip_force":{"value":31.50,"unit":"N"},"effective_time_frame":{"date_time":"2024-03-14T08:00:00Z"}},{"grip_force":{"value":32,"unit":"N"},"effective_time_frame":{"date_time":"2024-03-14T08:00:05Z"}}]},
 {"header":{"id":"4"},"body":{}}, {"body":{}}, 7]
`

func lines(seq sample.Seq) (out []string) {
	for s, err := range seq {
		if err != nil {
			out = append(out, "! "+err.Error())
			continue
		}
		until := ""
		if !s.Until.IsZero() {
			until = s.Until.Format("/15:04")
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s%s %s %.*f %s %s %s", s.Kind, s.At.Format("2006-01-02T15:04:05Z07:00"), until, s.Series, s.Decimals, s.Value, s.Unit, strings.Join(s.Notes, ","), s.Source)))
	}
	return out
}

func TestRead(t *testing.T) {
	t.Parallel()
	want := []string{
		"blood-pressure 2024-03-14T08:00:00+01:00 8462-4 81.0 mm[Hg] entered by hand,sitting Cuff", "blood-pressure 2024-03-14T08:00:00+01:00 8480-6 128 mm[Hg] entered by hand,sitting Cuff",
		"total-sleep-time 2024-03-13T23:00:00Z/07:00 93832-4 7.5 h", "blood-glucose 2024-03-14T06:00:00Z/12:00 15074-8 6.1 mmol/L fasting,morning",
		fmt.Sprintf("! [1], offset %d: body: body_weight.value: it is no number", strings.Index(points, `{"header":{"id":"3"`)),
		"grip-strength 2024-03-14T08:00:00Z grip-force 31.50 N  https://acme.example/grip", "grip-strength 2024-03-14T08:00:05Z grip-force 32 N  https://acme.example/grip",
		fmt.Sprintf("! [3], offset %d: header: creation_date_time is missing", strings.Index(points, `{"header":{"id":"4"`)),
		fmt.Sprintf("! [4], offset %d: it is not a data point: header or body is missing", strings.Index(points, `{"body":{}}, 7`)),
		fmt.Sprintf("! [5], offset %d: it is not a data point", strings.Index(points, `7]`)),
	}
	if got := lines(Read(strings.NewReader(points), sample.Options{})); !slices.Equal(got, want) {
		t.Errorf("\n%s", strings.Join(got, "\n"))
	}
	if !Is([]byte(points)) || Is([]byte(`{"resourceType":"Patient"}`)) {
		t.Error("what it is")
	}
	got := lines(ReadBodies("heart-rate-2.0", strings.NewReader(`{"heart_rate":{"value":72,"unit":"beats/min"},"effective_time_frame":{"date_time":"2024-03-14T08:00:00Z"}} {}`), sample.Options{}))
	if !slices.Equal(got, []string{"heart-rate 2024-03-14T08:00:00Z 8867-4 72 /min", "! offset 107: heart_rate is missing"}) {
		t.Errorf("%q", got)
	}
	got = lines(Read(strings.NewReader(`{"step_count":{"value":812,"unit":"steps"},"effective_time_frame":{"time_interval":{"start_date_time":"2024-03-14T08:00:00Z","end_date_time":"2024-03-14T09:00:00Z"}}} {"heart_rate":{"value":72}} {"love":1}`), sample.Options{}))
	if len(got) != 3 || got[0] != "step-count 2024-03-14T08:00:00Z/09:00 55423-8 812 {steps}" || !strings.Contains(got[1], "omh/heart-rate-2.0: ") || !strings.Contains(got[2], "neither a data point") {
		t.Errorf("%q", got)
	}
	if !Known("blood-glucose-4.0") || !Known("omh/blood-glucose-x") && Known("blood-x") || Known("love-1.0") {
		t.Error("what is known")
	}
	if got := lines(Read(strings.NewReader(points[:700]), sample.Options{})); len(got) != 3 || !strings.Contains(got[2], "the file ends too early") {
		t.Errorf("%q", got)
	}
}

// Every schema that another refers to is there.
func TestReferences(t *testing.T) {
	t.Parallel()
	l := known()
	var walk func(c check, s *schema, from string)
	walk = func(c check, s *schema, from string) {
		if s == nil {
			return
		}
		if s.Ref != "" {
			if to, _ := c.follow(s.Ref); to == nil {
				t.Errorf("%s refers to %s", from, s.Ref)
			}
		}
		for _, list := range [][]*schema{s.AllOf, s.AnyOf, s.OneOf, {s.Items}} {
			for _, x := range list {
				walk(c, x, from)
			}
		}
		for _, m := range []map[string]*schema{s.Properties, s.Definitions} {
			for _, x := range m {
				walk(c, x, from)
			}
		}
	}
	for name, s := range l.schemas {
		walk(check{l: l, root: s, name: name}, s, name)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(points))
	f.Add([]byte(`{"header":{},"body":[]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		for s, err := range Read(bytes.NewReader(in), sample.Options{}) {
			if err == nil && s.Series == "" {
				t.Fatalf("%+v", s)
			}
		}
	})
}
