package format

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"doorstep/internal/reading/sample"
)

// clarity is an export over the end of summer time: 1:30 comes twice.
const clarity = "Index,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Event Subtype,Patient Info,Device Info,Source Device ID,Glucose Value (mg/dL),Insulin Value (u),Carb Value (grams),Duration (hh:mm:ss),Glucose Rate of Change (mg/dL/min),Transmitter Time (Long Integer),Transmitter ID\n" +
	"1,2026-11-01T01:30:00,EGV,,,,iPhone,100,,,,,10000,T1\n2,2026-11-01T01:30:00,EGV,,,,iPhone,Low,,,,,13600,T1\n3,2026-11-01T02:30:00,EGV,,,,iPhone,110,,,,,17200,T1\n4,yesterday,EGV,,,,iPhone,110,,,,,17200,T1\n"

func TestCGM(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	f, _ := Detect([]byte(clarity))
	var got []string
	for s, err := range f.Read(Input{Reader: strings.NewReader(clarity)}, sample.Options{Zone: zone}) {
		if err != nil {
			got = append(got, "! "+err.Error())
			continue
		}
		got = append(got, fmt.Sprint(s.At.Format(time.RFC3339), " ", s.Series, " ", s.Beyond, " ", s.Value, s.Unit, " ", s.Kind, " ", s.Source))
	}
	want := []string{"2026-11-01T01:30:00-04:00 99504-3 0 100mg/dL sensor T1", "2026-11-01T01:30:00-05:00 99504-3 -1 39mg/dL sensor T1", "2026-11-01T02:30:00-05:00 99504-3 0 110mg/dL sensor T1"}
	if len(got) != 4 || !slices.Equal(got[:3], want) || !strings.HasPrefix(got[3], "! line 5: ") {
		t.Errorf("\n%s", strings.Join(got, "\n"))
	}
}

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
		"cgm":           clarity,
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
	f, _ := Detect([]byte("PK\x03\x04"))
	for _, err := range f.Read(Input{Reader: strings.NewReader("PK\x03\x04")}, sample.Options{}) {
		if f.Name != "apple" || err == nil || !strings.Contains(err.Error(), "from a pipe") {
			t.Error(f.Name, err)
		}
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

func TestByMedia(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"text/csv": "cgm", "application/vnd.ant.fit": "fit", "application/vnd.doorstep.omh": "omh", "application/fhir+json": "fhir", "text/xml": "apple",
		"application/vnd.doorstep.": "", "application/vnd.doorstep.pdf": "", "application/zip": "", "": "",
	} {
		if f, ok := ByMedia(kind); f.Name != want || ok != (want != "") {
			t.Errorf("%s: %s", kind, f.Name)
		}
	}
	for kind, name := range media {
		if f, err := Find(name); err != nil || f.Name != name {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
