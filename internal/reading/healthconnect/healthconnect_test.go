package healthconnect

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"doorstep/internal/reading/sample"
)

const batch = `{"records":[
 {"type":"HeartRateRecord","startTime":"2024-03-14T08:00:00+01:00","endTime":"2024-03-14T08:01:00+01:00","samples":[{"time":"2024-03-14T08:00:05+01:00","beatsPerMinute":72},{"time":"2024-03-14T08:00:35+01:00","beatsPerMinute":75}],
  "metadata":{"dataOrigin":{"packageName":"com.example.watch"},"recordingMethod":"RECORDING_METHOD_AUTOMATICALLY_RECORDED"}},
 {"type":"BloodPressureRecord","time":"2024-03-14T08:02:00Z","systolic":{"inMillimetersOfMercury":128.0},"diastolic":{"value":81,"unit":"MILLIMETERS_OF_MERCURY"},"bodyPosition":"SITTING_DOWN","metadata":{"device":{"manufacturer":"Acme","model":"Cuff"},"recordingMethod":3}},
 {"type":"BloodGlucoseRecord","time":"2024-03-14T08:03:00Z","level":6.1,"relationToMeal":"FASTING"},
 {"type":"Weight","time":"2024-03-14T08:03:00Z","weight":{"inGrams":70200,"inPounds":154.76}},
 {"type":"SleepSessionRecord","startTime":"2024-03-13T22:00:00Z","endTime":"2024-03-14T06:00:00Z","stages":[{"startTime":"2024-03-13T22:00:00Z","endTime":"2024-03-13T23:00:00Z","stage":5}]},
 {"type":"MenstruationPeriodRecord","startTime":"2024-03-14T08:03:00Z"},
 {"type":"StepsRecord","startTime":"2024-03-14T08:00:00","endTime":"2024-03-14T09:00:00","count":812},
 {"type":"WeightRecord","time":"2024-03-14T08:03:00Z"},
 {"type":"WeightRecord","time":"2024-03-14T08:03:00Z","weight":"heavy"}, {"count":1}
],"version":1}
`

func lines(seq sample.Seq) (out []string) {
	for s, err := range seq {
		if err != nil {
			out = append(out, "! "+err.Error())
			continue
		}
		v := fmt.Sprintf("%.*f", s.Decimals, s.Value)
		if s.Text != "" {
			v = s.Text
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s %s", s.Kind, s.At.Format("15:04:05Z07:00"), s.Series, v, s.Unit, strings.Join(s.Notes, ","), s.Source)))
	}
	return out
}

func TestRead(t *testing.T) {
	t.Parallel()
	at := func(part string) int { return strings.Index(batch, part) }
	want := []string{
		"HeartRateRecord 08:00:05+01:00 8867-4 72 /min  com.example.watch", "HeartRateRecord 08:00:35+01:00 8867-4 75 /min  com.example.watch",
		"BloodPressureRecord 08:02:00Z 8480-6 128.0 mm[Hg] entered by hand,sitting down Acme Cuff", "BloodPressureRecord 08:02:00Z 8462-4 81 mm[Hg] entered by hand,sitting down Acme Cuff",
		"BloodGlucoseRecord 08:03:00Z 15074-8 6.1 mmol/L fasting", "WeightRecord 08:03:00Z 29463-7 70200 g", "SleepSessionRecord 22:00:00Z sleep-stage deep",
		fmt.Sprintf(`! records[6], offset %d: StepsRecord: startTime "2024-03-14T08:00:00" is not a time with its offset`, at(`{"type":"StepsRecord"`)),
		fmt.Sprintf(`! records[7], offset %d: WeightRecord: weight is missing`, at(`{"type":"WeightRecord"`)),
		fmt.Sprintf(`! records[8], offset %d: WeightRecord: weight "heavy" is not a number`, strings.LastIndex(batch, `{"type":"WeightRecord"`)),
		fmt.Sprintf(`! records[9], offset %d: type is missing`, at(`{"count":1}`)),
	}
	if got := lines(Read(strings.NewReader(batch), sample.Options{})); !slices.Equal(got, want) {
		t.Errorf("\n%s", strings.Join(got, "\n"))
	}
	if !Is([]byte(batch)) || Is([]byte(`{"resourceType":"Observation"}`)) {
		t.Error("what it is")
	}
	for name := range types {
		if !strings.HasSuffix(name, "Record") {
			t.Error(name)
		}
	}
	for _, name := range order {
		if units[strings.ToLower(strings.TrimPrefix(name, "in"))] == "" {
			t.Error(name)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(batch))
	f.Add([]byte(`[{"type":"StepsRecord","startTime":"2024-03-14T08:00:00Z","count":1}]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		for s, err := range Read(bytes.NewReader(in), sample.Options{}) {
			if err == nil && (s.Series == "" || math.IsNaN(s.Value) || math.IsInf(s.Value, 0)) {
				t.Fatalf("%+v", s)
			}
		}
	})
}
