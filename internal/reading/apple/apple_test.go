package apple

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"doorstep/internal/reading/sample"
	"doorstep/internal/sharedtest"
)

// head is how a phone begins the file: the document type has comments with apostrophes and brackets.
const head = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!-- Note: Any Records that appear as children of a correlation also appear as top-level records in this document. It's so ]> -->
]>
<HealthData locale="en_US">
 <ExportDate value="2024-03-15 09:00:00 +0100"/>
 <Me HKCharacteristicTypeIdentifierDateOfBirth="1950-01-01"/>
`

const whole = head + ` <Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Ann’s Apple&#160;Watch &amp; more" device="&lt;&lt;HKDevice: 0x1&gt;, name:Apple Watch>" unit="count/min" creationDate="2024-03-14 08:00:05 +0100" startDate="2024-03-14 08:00:00 +0100" endDate="2024-03-14 08:00:00 +0100" value="72">
  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="1"/>
 </Record>
 <Record type="HKQuantityTypeIdentifierBloodPressureSystolic" sourceName="Cuff" unit="mmHg" startDate="2024-03-14 08:01:00 +0100" endDate="2024-03-14 08:01:00 +0100" value="128"/>
 <Record type="HKQuantityTypeIdentifierBloodPressureDiastolic" sourceName="Cuff" unit="mmHg" startDate="2024-03-14 08:01:00 +0100" endDate="2024-03-14 08:01:00 +0100" value="81"/>
 <Record type="HKQuantityTypeIdentifierBloodGlucose" sourceName="Meter" unit="mmol&lt;180.1558800000541&gt;/L" startDate="2024-03-14 08:02:00 +0100" endDate="2024-03-14 08:02:00 +0100" value="6.2">
  <MetadataEntry key="HKBloodGlucoseMealTime" value="1"/>
  <MetadataEntry key="HKWasUserEntered" value="1"/>
 </Record>
 <Record type="HKQuantityTypeIdentifierOxygenSaturation" sourceName="Watch" unit="%" startDate="2024-03-14 08:03:00 +0100" endDate="2024-03-14 08:03:00 +0100" value="0.97"/>
 <Record type="HKQuantityTypeIdentifierHeartRateVariabilitySDNN" sourceName="Watch" unit="ms" startDate="2024-03-14 08:04:00 +0100" endDate="2024-03-14 08:05:00 +0100" value="31.9567">
  <HeartRateVariabilityMetadataList>
   <InstantaneousBeatsPerMinute bpm="71" time="8:04:01.24 AM"/>
   <InstantaneousBeatsPerMinute bpm="73" time="8:04:02.07 AM"/>
  </HeartRateVariabilityMetadataList>
 </Record>
 <Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="Watch" startDate="2024-03-13 23:10:00 -0500" endDate="2024-03-13 23:40:00 -0500" value="HKCategoryValueSleepAnalysisAsleepREM"/>
 <Record type='HKQuantityTypeIdentifierStepCount' sourceName='Phone' unit='count' startDate='2024-03-14 08:10:00 +0100' endDate='2024-03-14 08:20:00 +0100' value='812'/>
 <Record type="HKQuantityTypeIdentifierStepCount" sourceName="Phone" unit="count" startDate="2024-03-14 08:10:00 +0100" endDate="2024-03-14 08:20:00 +0100" value="812"/>
 <Record type="HKQuantityTypeIdentifierBodyMass" sourceName="Scale" unit="lb" startDate="14 March" endDate="2024-03-14 08:20:00 +0100" value="157"/>
 <Record type="HKQuantityTypeIdentifierBodyMass" sourceName="Scale" unit="lb" startDate="2024-03-14 08:21:00 +0100" endDate="2024-03-14 08:21:00 +0100" value="heavy"/>
 <Record type="HKQuantityTypeIdentifierBodyMassIndex" sourceName="Scale" unit="count" startDate="2024-03-14 08:21:00 +0100" endDate="2024-03-14 08:21:00 +0100" value="22.50"/>
 <Record type="HKQuantityTypeIdentifierAppleWalkingSteadiness" sourceName="Phone" unit="%" startDate="2024-03-14 08:21:00 +0100" endDate="2024-03-14 08:21:00 +0100" value="1"/>
 <Record type="HKCategoryTypeIdentifierMindfulSession" sourceName="Phone" startDate="2024-03-14 08:22:00 +0100" endDate="2024-03-14 08:23:00 +0100"/>
 <Correlation type="HKCorrelationTypeIdentifierBloodPressure" sourceName="Cuff" startDate="2024-03-14 08:01:00 +0100" endDate="2024-03-14 08:01:00 +0100">
  <Record type="HKQuantityTypeIdentifierBloodPressureSystolic" sourceName="Cuff" unit="mmHg" startDate="2024-03-14 08:01:00 +0100" endDate="2024-03-14 08:01:00 +0100" value="128"/>
  <Record type="HKQuantityTypeIdentifierBloodPressureDiastolic" sourceName="Cuff" unit="mmHg" startDate="2024-03-14 08:01:00 +0100" endDate="2024-03-14 08:01:00 +0100" value="81"/>
 </Correlation>
 <Correlation type="HKCorrelationTypeIdentifierBloodPressure" sourceName="Cuff" startDate="2024-03-15 08:01:00 +0100" endDate="2024-03-15 08:01:00 +0100">
  <Record type="HKQuantityTypeIdentifierBloodPressureSystolic" sourceName="Cuff" unit="mmHg" startDate="2024-03-15 08:01:00 +0100" endDate="2024-03-15 08:01:00 +0100" value="131"/>
 </Correlation>
 <Record type="HKQuantityTypeIdentifierBloodPressureSystolic" sourceName="Cuff" unit="mmHg" startDate="2024-03-15 08:01:00 +0100" endDate="2024-03-15 08:01:00 +0100" value="131"/>
 <Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="5.2"><MetadataEntry key="HKWasUserEntered" value="1"/></Workout>
</HealthData>
`

var wholeLines = []string{
	"HeartRate 2024-03-14T08:00:00+01:00 8867-4 72 /min (at rest) Ann’s Apple\u00a0Watch & more",
	"BloodPressureSystolic 2024-03-14T08:01:00+01:00 8480-6 128 mm[Hg] () Cuff",
	"BloodPressureDiastolic 2024-03-14T08:01:00+01:00 8462-4 81 mm[Hg] () Cuff",
	"BloodGlucose 2024-03-14T08:02:00+01:00 15074-8 6.2 mmol/L (before a meal,entered by hand) Meter",
	"OxygenSaturation 2024-03-14T08:03:00+01:00 59408-5 97 % () Watch",
	"HeartRateVariabilitySDNN 2024-03-14T08:04:00+01:00/08:05 80404-7 31.9567 ms () Watch",
	"InstantaneousBeatsPerMinute 2024-03-14T08:04:00+01:00/08:05 8867-4 [71 73] /min () Watch",
	"SleepAnalysis 2024-03-13T23:10:00-05:00/23:40 sleep-stage rem  () Watch",
	"StepCount 2024-03-14T08:10:00+01:00/08:20 55423-8 812 {steps} () Phone",
	`! startDate "14 March" is not a time`,
	`! value "heavy" is not a number`,
	"BodyMassIndex 2024-03-14T08:21:00+01:00 39156-5 22.50 kg/m2 () Scale",
	"AppleWalkingSteadiness 2024-03-14T08:21:00+01:00 HKQuantityTypeIdentifierAppleWalkingSteadiness 100 % () Phone",
	"MindfulSession 2024-03-14T08:22:00+01:00/08:23 HKCategoryTypeIdentifierMindfulSession HKCategoryValueNotApplicable  () Phone",
	"BloodPressureSystolic 2024-03-15T08:01:00+01:00 8480-6 131 mm[Hg] () Cuff",
}

func lines(seq sample.Seq) (out []string) {
	for s, err := range seq {
		var refusal *sample.Refusal
		if errors.As(err, &refusal) {
			out = append(out, "! "+refusal.Reason)
			continue
		}
		if err != nil {
			out = append(out, "!! "+err.Error())
			continue
		}
		v := fmt.Sprintf("%.*f", s.Decimals, s.Value)
		if s.Values != nil {
			v = fmt.Sprint(s.Values)
		} else if s.Text != "" {
			v = s.Text
		}
		at := s.At.Format("2006-01-02T15:04:05-07:00")
		if !s.Until.IsZero() {
			at += s.Until.Format("/15:04")
		}
		kind := strings.TrimPrefix(strings.TrimPrefix(s.Kind, quantity), category)
		out = append(out, fmt.Sprintf("%s %s %s %s %s (%s) %s", kind, at, s.Series, v, s.Unit, strings.Join(s.Notes, ","), s.Source))
	}
	return out
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(whole), "byte by byte": iotest.OneByteReader(strings.NewReader(whole)), "with the end": iotest.DataErrReader(strings.NewReader(whole)),
	} {
		if got := lines(Read(r, sample.Options{})); !slices.Equal(got, wholeLines) {
			t.Errorf("%s:\n%s", name, strings.Join(got, "\n"))
		}
	}
	if !Is([]byte(whole)) || Is([]byte("<html>")) || Is([]byte("{}")) {
		t.Error("what it is")
	}
}

func archived(t *testing.T, names ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		content := whole
		if strings.Contains(name, "cda") {
			content = "<ClinicalDocument/>"
		}
		if _, err := io.WriteString(f, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadZip(t *testing.T) {
	t.Parallel()
	in := archived(t, "apple_health_export/export_cda.xml", "apple_health_export/workout-routes/route.xml", "apple_health_export/exportación.xml")
	if got := lines(ReadZip(bytes.NewReader(in), int64(len(in)), sample.Options{})); !slices.Equal(got, wholeLines) || !IsZip(in) {
		t.Errorf("\n%s", strings.Join(got, "\n"))
	}
	in = archived(t, "other/cda.xml")
	if got := lines(ReadZip(bytes.NewReader(in), int64(len(in)), sample.Options{})); !slices.Equal(got, []string{"! the archive holds no export of Apple Health"}) {
		t.Error(got)
	}
	if got := lines(ReadZip(bytes.NewReader(in[:20]), 20, sample.Options{})); len(got) != 1 || !strings.HasPrefix(got[0], "! the archive cannot be opened") {
		t.Error(got)
	}
}

// What is before a fault is answered, then the fault with its offset.
func TestRefuses(t *testing.T) {
	t.Parallel()
	record := ` <Record type="HKQuantityTypeIdentifierHeartRate" startDate="2024-03-14 08:00:00 +0100" endDate="2024-03-14 08:00:00 +0100" value="72"/>` + "\n"
	for _, c := range []struct {
		name, in string
		before   int
		offset   int
		reason   string
	}{
		{"nothing", "", 0, 0, "there is no HealthData in the file"},
		{"another file", "<html></html>", 0, 0, "the file's element is html, want HealthData"},
		{"cut off between records", head + record, 1, len(head + record), "the file ends too early"},
		{"cut off in a record", head + record + record[:50], 1, len(head+record) + 1, "the file ends too early"},
		{"a stray end", head + record + "</Workout>", 1, len(head + record), "</Workout> does not fit"},
		{"no quotes", head + record + "<Record type=1>", 1, len(head + record), "an attribute's value without quotes"},
		{"no value", head + record + "<Record type>", 1, len(head + record), "an attribute without a value"},
		{"something behind", head + record + "</HealthData><Record/>", 1, len(head + record + "</HealthData>"), "there is something behind the end of HealthData"},
		{"no end of the document type", head[:300], 0, 0, "there is no HealthData in the file"},
		{"too deep", head + strings.Repeat("<a>", 100), 0, len(head) + 63*3, "elements are more than 64 deep"},
		{"a record without a type", head + "<Record/>" + record + "</HealthData>", 1, len(head), "a record without a type"},
	} {
		n := 0
		var last *sample.Refusal
		for _, err := range Read(strings.NewReader(c.in), sample.Options{}) {
			if err == nil {
				n++
			} else if !errors.As(err, &last) {
				t.Error(c.name, err)
			}
		}
		if n != c.before || last == nil || last.Reason != c.reason || last.Offset != int64(c.offset) && c.name != "no end of the document type" {
			t.Errorf("%s: %d before, %v", c.name, n, last)
		}
	}
	broken := io.MultiReader(strings.NewReader(head+record), iotest.ErrReader(io.ErrClosedPipe))
	if got := lines(Read(broken, sample.Options{})); len(got) != 2 || !strings.HasPrefix(got[1], "!! ") {
		t.Error(got)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"72": 72, "22.50": 22.5, "-3.5": -3.5, "48.74499999999999": 48.74499999999999, "1e3": 1000, "123456789012345678901": 123456789012345678901, "0.1": 0.1, "6.": 6} {
		if got, _, ok := number([]byte(text)); !ok || got != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-", ".", "1.2.3", "NaN", "Inf", "1-2", "72 "} {
		if v, _, ok := number([]byte(text)); ok {
			t.Errorf("%q: %v", text, v)
		}
	}
}

// TestFiles reads the sample files. The test is skipped without them.
func TestFiles(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"healthkit-to-sqlite_export.xml": 2, "health-data-parser_export.xml": 5} {
		f, err := os.Open(sharedtest.Path(t, "data/devices/apple/"+name))
		if err != nil {
			t.Fatal(err)
		}
		got := lines(Read(f, sample.Options{}))
		f.Close()
		if len(got) != want {
			t.Errorf("%s: %q", name, got)
		}
		for _, line := range got {
			if line[0] == '!' {
				t.Error(name, line)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(head))
	f.Add([]byte(`<HealthData><Record type="a" startDate="2024-03-14 08:00:00 +0100" value="1"><MetadataEntry key="a" value="b"/></Record></HealthData>`))
	f.Fuzz(func(t *testing.T, in []byte) {
		n := 0
		for s, err := range Read(bytes.NewReader(in), sample.Options{}) {
			if n++; err == nil && (s.Series == "" || s.At.IsZero() || math.IsNaN(s.Value) || math.IsInf(s.Value, 0)) {
				t.Fatalf("%+v", s)
			}
		}
		if n > len(in)+1 {
			t.Fatalf("%d of %d bytes", n, len(in))
		}
		slow := lines(Read(iotest.OneByteReader(bytes.NewReader(in)), sample.Options{}))
		if fast := lines(Read(bytes.NewReader(in), sample.Options{})); !slices.Equal(fast, slow) {
			t.Fatalf("by the byte it reads otherwise:\n%q\n%q", fast, slow)
		}
	})
}
