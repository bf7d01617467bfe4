package fit

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorstep/internal/reading/sample"
	"doorstep/internal/sharedtest"
)

// load reads a sample file; the test is skipped without it.
func load(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(sharedtest.Path(t, "data/devices/fit/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// all reads a chain's messages: how many there are of each kind, and what was refused.
func all(b []byte) (counts map[string]int, refused []string) {
	counts = map[string]int{}
	r := NewReader(bytes.NewReader(b))
	for {
		m, err := r.Next()
		if err == io.EOF {
			return counts, refused
		}
		if err != nil {
			refused = append(refused, err.Error())
			continue
		}
		counts[m.kind()]++
		counts["all"]++
	}
}

// TestFiles reads every sample file, and compares how many messages there are with what other programs found.
func TestFiles(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]map[string]int{
		"HrmPluginTestActivity.fit": {"all": 1178, "hrv": 121, "record": 310, "hr": 114}, "garmin-fenix-5-run.fit": {"all": 125, "hrv": 71, "record": 21},
		"MonitoringFile.fit": {"all": 355, "monitoring": 337}, "event_timestamp.fit": {"all": 6202, "record": 4376, "hr": 1415},
		"WeightScaleSingleUser.fit": {"weight_scale": 2}, "WeightScaleMultiUser.fit": {"weight_scale": 2}, "activity_truncated.fit": nil, "activity-settings.fit": nil,
		"antfs-dump.63.fit": nil, "compressed-speed-distance.fit": {"record": 755}, "developer-types-sample.fit": nil, "sample-activity-indoor-trainer.fit": nil, "2013-02-06-12-11-14.fit": nil,
		"activity-filecrc.fit": nil, "activity-unexpected-eof.fit": nil,
	} {
		counts, refused := all(load(t, name))
		corrupt := name == "activity-filecrc.fit" || name == "activity-unexpected-eof.fit"
		if corrupt != (len(refused) == 1) || counts["all"] == 0 {
			t.Errorf("%s: %d messages, refused %q", name, counts["all"], refused)
		}
		for kind, n := range want {
			if counts[kind] != n {
				t.Errorf("%s: %d %s, want %d", name, counts[kind], kind, n)
			}
		}
		t.Log(name, counts, refused)
	}
	// The corrupt files are this one, damaged: all messages before the fault are the same.
	whole, _ := all(load(t, "activity-settings.fit")[:771])
	sum, _ := all(load(t, "activity-filecrc.fit"))
	cut, _ := all(load(t, "activity-unexpected-eof.fit"))
	if sum["all"] != whole["all"] || cut["all"] != whole["all"]-1 {
		t.Errorf("%d messages, with a wrong check value %d, cut off %d", whole["all"], sum["all"], cut["all"])
	}
}

// read answers the samples of a sample file.
func read(t *testing.T, name string) (out []sample.Sample) {
	for s, err := range Read(bytes.NewReader(load(t, name)), sample.Options{}) {
		if err != nil {
			t.Fatal(name, err)
		}
		out = append(out, s)
	}
	return out
}

// TestSamples compares samples with what the vendor's own tool writes of the same files.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"WeightScaleSingleUser", "WeightScaleMultiUser", "MonitoringFile", "HrmPluginTestActivity", "activity_truncated"} {
		var wanted, got []string
		want := csv.NewReader(bytes.NewReader(load(t, name+".csv")))
		want.FieldsPerRecord = -1
		for {
			row, err := want.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if row[0] != "Data" {
				continue
			}
			fields := map[string]string{}
			for i := 3; i+1 < len(row); i += 3 {
				fields[row[i]] = row[i+1]
			}
			wanted = append(wanted, expected(row[2], fields)...)
		}
		for _, s := range read(t, name+".fit") {
			got = append(got, written(s)...)
		}
		if !slices.Equal(got, wanted) || len(got) == 0 && name != "activity_truncated" {
			i := 0
			for i < min(len(got), len(wanted)) && got[i] == wanted[i] {
				i++
			}
			t.Errorf("%s: %d samples, want %d; from %d on %q, want %q", name, len(got), len(wanted), i, got[i:min(i+5, len(got))], wanted[i:min(i+5, len(wanted))])
		}
		t.Logf("%s: %d values", name, len(got))
	}
}

// wanted are the columns of the vendor's tool by message, and the series that they are.
var wanted = map[string][][2]string{
	"record":       {{"heart_rate", sample.HeartRate}, {"enhanced_respiration_rate", sample.Respiration}, {"cadence", sample.Cadence}, {"distance", sample.Distance}, {"enhanced_speed|speed", sample.Speed}, {"power", sample.Power}},
	"weight_scale": {{"weight", sample.Weight}, {"percent_fat", sample.BodyFat}},
	"monitoring":   {{"steps", sample.Steps}, {"active_calories", sample.Energy}, {"distance", sample.Distance}}, "monitoring_info": {{"resting_metabolic_rate", sample.BasalEnergy}},
	"hrv": {{"time", sample.RRInterval}}, "hr": {{"filtered_bpm", sample.HeartRate}},
}

func expected(message string, fields map[string]string) (out []string) {
	for _, column := range wanted[message] {
		value := ""
		for _, name := range strings.Split(column[0], "|") {
			if value == "" {
				value = fields[name]
			}
		}
		for _, v := range strings.Split(value, "|") {
			n, err := strconv.ParseFloat(v, 64)
			if err != nil || v == "65535" {
				continue
			}
			if message == "hrv" {
				n *= 1000
			}
			if n == 0 && column[1] == sample.HeartRate {
				continue
			}
			out = append(out, column[1]+" "+strconv.FormatFloat(n, 'f', 2, 64))
		}
	}
	return out
}

func written(s sample.Sample) (out []string) {
	list := s.Values
	if list == nil {
		list = []float64{s.Value}
	}
	for _, v := range list {
		out = append(out, s.Series+" "+strconv.FormatFloat(v, 'f', 2, 64))
	}
	return out
}

// TestCompressed compares speed and distance that share three bytes with what another program made of them.
func TestCompressed(t *testing.T) {
	t.Parallel()
	rows, err := csv.NewReader(bytes.NewReader(load(t, "compressed-speed-distance-records.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	type at struct {
		elapsed time.Duration
		series  string
	}
	found := map[at]float64{}
	for _, s := range read(t, "compressed-speed-distance.fit") {
		found[at{s.Elapsed, s.Series}] = s.Value
	}
	n := 0
	for _, row := range rows[1:] {
		seconds, err := strconv.Atoi(row[0])
		if err != nil {
			t.Fatal(err)
		}
		for i, series := range []string{sample.HeartRate, sample.Speed, sample.Distance, sample.Cadence} {
			want, err := strconv.ParseFloat(row[1+i], 64)
			if err != nil || i == 0 && want == 0 {
				continue
			}
			n++
			if got, ok := found[at{time.Duration(seconds) * time.Second, series}]; !ok || math.Abs(got-want) > 0.005 {
				t.Fatalf("line %v, %s: %v %v", row, series, got, ok)
			}
		}
	}
	t.Logf("%d values", n)
}

func TestBeats(t *testing.T) {
	t.Parallel()
	n, messages := 0, 0
	for _, s := range read(t, "HrmPluginTestActivity.fit") {
		if s.Series == sample.RRInterval {
			n += len(s.Values)
			messages++
		}
	}
	if n != 151 || messages != 121 {
		t.Errorf("%d intervals in %d messages", n, messages)
	}
	var refusal *sample.Refusal
	last := error(nil)
	for _, err := range Read(bytes.NewReader(load(t, "activity-unexpected-eof.fit")), sample.Options{}) {
		last = err
	}
	if !errors.As(last, &refusal) || refusal.Offset == 0 {
		t.Error(last)
	}
}

func BenchmarkRead(b *testing.B) {
	in := load(b, "event_timestamp.fit")
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		for range Read(bytes.NewReader(in), sample.Options{}) {
		}
	}
}

func BenchmarkMessages(b *testing.B) {
	in := load(b, "event_timestamp.fit")
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		all(in)
	}
}
