package format

import (
	"strings"
	"testing"

	"doorstep/internal/reading/sample"
)

// Every format claims its own files and no other's.
func TestDetect(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"apple":         "<?xml version=\"1.0\"?>\n<!DOCTYPE HealthData [",
		"fit":           "\x0e\x10\x00\x00\x00\x00\x00\x00.FIT\x00\x00",
		"omh":           `[{"header":{"schema_id":{"namespace":"omh"}},"body":{}}]`,
		"fhir":          `{"resourceType":"Bundle"}`,
		"healthconnect": `{"records":[{"type":"WeightRecord","time":""}]}`,
		"nightscout":    `[{"_id":"1","date":1775421029000,"sgv":162}]`,
		"":              `{"answer":42}`,
	} {
		f, ok := Detect([]byte(head))
		if f.Name != name || ok != (name != "") {
			t.Errorf("%s: %s", name, f.Name)
		}
		n := 0
		for _, f := range All {
			if f.Is([]byte(head)) {
				n++
			}
		}
		if n > 1 {
			t.Errorf("%s is claimed %d times", name, n)
		}
	}
	if f, _ := Detect([]byte("PK\x03\x04")); f.Name != "apple" {
		t.Error(f.Name)
	}
	if _, ok := Detect(nil); ok {
		t.Error("an empty file is of a format")
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"gatt:2a37": "104ED202C802", "GATT:2A9D": "00B036", "FIT": "", "omh:body-weight-3.0": `{"body_weight":{"value":70,"unit":"kg"},"effective_time_frame":{"date_time":"2024-03-14T08:00:00Z"}}`,
	} {
		f, err := Find(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n := 0
		for _, err := range f.Read(Input{Reader: strings.NewReader(text)}, sample.Options{}) {
			if n++; err != nil {
				t.Error(name, err)
			}
		}
		if n == 0 && text != "" {
			t.Errorf("%s: nothing", name)
		}
	}
	for _, name := range []string{"pdf", "gatt:1234", "gatt:", "omh:love-1.0", "omh:"} {
		if _, err := Find(name); err == nil {
			t.Error(name)
		}
	}
}
