package fhirobs

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorstep/internal/reading/sample"
	"doorstep/internal/sharedtest"
)

const file = `{"resourceType":"Bundle","type":"transaction","entry":[
 {"fullUrl":"urn:1","resource":{"resourceType":"Observation","id":"bp","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2018-11-11T11:38:15-05:00",
  "device":{"reference":"Device/cuff"},"component":[
  {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":116,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
  {"code":{"coding":[{"system":"urn:iso:std:iso:11073:10101","code":"150023"}]},"valueQuantity":{"value":86.50,"unit":"mmHg"}}]}},
 {"resource":{"resourceType":"Patient","id":"p"}},
 {"resource":{"resourceType":"Observation","id":"nan","status":"final","code":{"coding":[{"system":"urn:iso:std:iso:11073:10101","code":"150320"}]},"effectiveDateTime":"2018-11-11T11:38:15-05:00","dataAbsentReason":{"coding":[{"code":"not-a-number"}]}}},
 {"resource":{"resourceType":"Observation","id":"wrong","status":"entered-in-error","code":{"text":"weight"},"valueQuantity":{"value":700}}},
 {"resource":{"resourceType":"Observation","id":"ecg","status":"final","code":{"coding":[{"system":"urn:iso:std:iso:11073:10101","code":"131329"}]},"effectiveDateTime":"2018-08-02T02:25:24-04:00",
  "valueSampledData":{"origin":{"value":-3.4,"unit":"mV","system":"http://unitsofmeasure.org","code":"mV"},"period":10,"factor":0.1,"dimensions":1,"data":"1 E 25 U\nL 3.5"}}},
 {"resource":{"resourceType":"Observation","id":"bad","status":"final","code":{"text":"x"},"effectiveDateTime":"2018-08","valueQuantity":{"value":1}}},
 {"response":{"status":"201"}}
]}
{"resourceType":"Observation","id":"r5","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"effectivePeriod":{"start":"2024-03-14T08:00:00Z","end":"2024-03-14T08:01:00Z"},
 "valueSampledData":{"origin":{"value":0,"code":"{beats}/min","system":"http://unitsofmeasure.org"},"intervalUnit":"s","offsets":"0 10.5","dimensions":1,"data":"70 72"}}
{"resourceType":"Observation","id":"glucose","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2339-0"}]},"effectiveDateTime":"2024-03-14","valueQuantity":{"value":2.00,"comparator":"<","unit":"mmol/L"}}
{"resourceType":"Observation","status":"final","code":{"text":"vectors"},"effectiveDateTime":"2024-03-14T08:00:00Z","valueSampledData":{"origin":{"value":0,"unit":"g"},"period":20,"dimensions":3,"data":"1 2 3 4 5 6"}}
{"resourceType":"Observation","status":"final","code":{"text":"bad"},"effectiveDateTime":"2024-03-14T08:00:00Z","valueSampledData":{"origin":{"value":0},"period":20,"data":"1 2 x"}}
`

func lines(seq sample.Seq) (out []string) {
	for s, err := range seq {
		if err != nil {
			out = append(out, "! "+err.Error())
			continue
		}
		v := fmt.Sprintf("%.*f", s.Decimals, s.Value)
		if s.Values != nil {
			v = fmt.Sprintf("%v%v", s.Values, s.Period)
		} else if s.Text != "" {
			v = s.Text
		}
		until := ""
		if !s.Until.IsZero() {
			until = s.Until.Format("/02T15:04:05")
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s%s %s %s%s %s %s %s", s.At.Format("2006-01-02T15:04:05.9Z07:00"), until, s.Series, map[int]string{-1: "<"}[s.Beyond], v, s.Unit, strings.Join(s.Notes, ","), s.Source)))
	}
	return out
}

func TestRead(t *testing.T) {
	t.Parallel()
	want := []string{
		"2018-11-11T11:38:15-05:00 8480-6 116 mm[Hg]  Device/cuff", "2018-11-11T11:38:15-05:00 8478-0 86.50 mm[Hg]  Device/cuff",
		"2018-08-02T02:25:24-04:00 mdc:131329 [-3.3 NaN -0.9 NaN NaN -3.05]10ms mV 1 errors,1 above the upper limit,1 below the lower limit",
		fmt.Sprintf(`! entry[5], offset %d: Observation/bad: effective: "2018-08" is not a time or a day`, strings.Index(file, `{"resource":{"resourceType":"Observation","id":"bad"`)),
		"2024-03-14T08:00:00Z/14T08:01:00 8867-4 70 /min", "2024-03-14T08:00:10.5Z/14T08:01:00 8867-4 72 /min",
		"2024-03-14T00:00:00Z/15T00:00:00 15074-8 <2.00 mmol/L",
		"2024-03-14T08:00:00Z vectors [1 4]20ms g dimension 1 of 3", "2024-03-14T08:00:00Z vectors [2 5]20ms g dimension 2 of 3", "2024-03-14T08:00:00Z vectors [3 6]20ms g dimension 3 of 3",
		fmt.Sprintf(`! offset %d: Observation: data: value 3, "x", is no number, E, U or L`, strings.LastIndex(file, `{"resourceType"`)),
	}
	if got := lines(Read(strings.NewReader(file), sample.Options{})); !slices.Equal(got, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !Is([]byte(file)) || Is([]byte(`{"header":{}}`)) {
		t.Error("what it is")
	}
}

// TestFiles reads the examples of the guide for personal health devices. The test is skipped without them.
func TestFiles(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(sharedtest.Path(t, "data/devices/fhir/phd_*.json"))
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got := lines(Read(bytes.NewReader(b), sample.Options{}))
		for _, line := range got {
			if line[0] == '!' {
				t.Error(name, line)
			}
		}
		count := func(part string) (n int) {
			for _, line := range got {
				if strings.Contains(line, part) {
					n++
				}
			}
			return n
		}
		for _, c := range []struct {
			name, part string
			n          int
		}{
			{"phd_bundle-continuousnonin.json", " 2708-6 ", 12}, {"phd_bundle-continuousnonin.json", " 8867-4 ", 12}, {"phd_bundle-continuousnonin.json", " mdc:150320 ", 11},
			{"phd_compound-numeric-blood-pressure.json", " 8480-6 116 mm[Hg]", 1}, {"phd_compound-numeric-blood-pressure.json", " 8478-0 86 mm[Hg]", 1},
			{"phd_numeric-observation-not-a-number.json", "", 0}, {"phd_rtsa-example.json", "[365.6 326.6 287.6 293.6 332.6 350.6]2ms", 1}, {"phd_coin-example-timefault.json", "", 0},
		} {
			if filepath.Base(name) == c.name && count(c.part) != c.n {
				t.Errorf("%s: %d of %q, want %d:\n%s", c.name, count(c.part), c.part, c.n, strings.Join(got, "\n"))
			}
		}
		t.Log(filepath.Base(name), len(got))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(file))
	f.Add([]byte(`[{"resourceType":"Observation","code":{"text":"a"},"valueInteger":3}]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		for s, err := range Read(bytes.NewReader(in), sample.Options{}) {
			if err == nil && (s.Series == "" || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || s.Values != nil && s.Period <= 0) {
				t.Fatalf("%+v", s)
			}
		}
	})
}
