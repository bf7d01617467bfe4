package gatt

import (
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"doorstep/internal/reading/sample"
	"doorstep/internal/sharedtest"
)

// series are the words of the vectors' expectations and the series that they mean.
var series = map[string]string{
	"hr": sample.HeartRate, "pulse": sample.HeartRate, "sys": sample.Systolic, "dia": sample.Diastolic, "map": sample.MeanPressure, "spo2": sample.OxygenSaturation,
	"bmi": sample.BMI, "height_m": sample.Height, "energy_kJ": sample.Energy,
}

var (
	pairs     = regexp.MustCompile(`(\w+)=([^\s(]+)`)
	amounts   = regexp.MustCompile(`(?:^|[ =])(\d+(?:\.\d+)?) (kg|lb|C|F|mg/dL)(?: |$)`)
	unitNames = map[string]string{"kg": "kg", "lb": "[lb_av]", "C": "Cel", "F": "[degF]", "mg/dL": "mg/dL"}
)

// TestVectors compares every vector of the collection with what is expected of it, word by word.
func TestVectors(t *testing.T) {
	t.Parallel()
	f, err := os.Open(sharedtest.Path(t, "data/devices/gatt/vectors.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	floats := map[string]float64{"2": 2, "2.0": 2, "2.00": 2, "20": 20, "-1234": -1234, "NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1), "NRes": math.NaN()}
	said := 0
	for _, row := range rows[1:] {
		name, uuid, kind, text, expected := row[0], row[1], row[2], row[3], row[4]
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if uuid == "SFLOAT" || uuid == "FLOAT" {
			r := reader{b: raw}
			n := r.sfloat
			if uuid == "FLOAT" {
				n = r.float
			}
			got, want := n(), floats[expected]
			if got.v != want && !(math.IsNaN(got.v) && math.IsNaN(want)) {
				t.Errorf("%s: %v, want %s", name, got, expected)
			}
			if _, after, ok := strings.Cut(expected, "."); ok && got.decimals != len(after) {
				t.Errorf("%s: %d decimals, want %s", name, got.decimals, expected)
			}
			said++
			continue
		}
		m, err := Decode(uuid, raw)
		if (err != nil) != (kind == "wrong-in-the-wild") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			said++
			continue
		}
		for _, found := range pairs.FindAllStringSubmatch(expected, -1) {
			if got, ok := m.said(found[1], found[2], raw, strings.Contains(expected, "fast: "+found[0]) || strings.Contains(expected, "fast: spo2=97 "+found[0])); !ok {
				t.Errorf("%s: %s: %s", name, found[0], got)
			} else {
				said++
			}
		}
		for _, found := range amounts.FindAllStringSubmatch(expected, -1) {
			want, _ := strconv.ParseFloat(found[1], 64)
			v := m.Values[0]
			got, ok := v.Value, v.Unit == unitNames[found[2]]
			if !ok {
				got, ok = sample.Convert(v.Value, v.Unit, unitNames[found[2]])
			}
			if !ok || math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %v %s, want %s", name, v.Value, v.Unit, found[0])
			}
			said++
		}
		if strings.Contains(expected, "absent") && !strings.Contains(expected, "=") && len(m.Values) > 0 {
			t.Errorf("%s: %+v", name, m.Values)
		}
	}
	t.Logf("%d vectors, %d of their words compared", len(rows)-1, said)
}

// said reports whether the measurement has what a word of the expectations says, and what it has.
func (m Measurement) said(key, want string, raw []byte, fast bool) (got string, ok bool) {
	values := append(append([]Value{}, m.Values...), m.Beside...)
	find := func(s string) float64 {
		for _, v := range values {
			if v.Series == s && (v.Detail == "fast") == fast {
				return v.Value
			}
		}
		return math.NaN()
	}
	if s, known := series[key]; known {
		got := find(s)
		w, err := strconv.ParseFloat(want, 64)
		return fmt.Sprint(got), err == nil && (got == w || math.IsNaN(got) && math.IsNaN(w))
	}
	switch key {
	case "rr_raw", "rr_ms":
		var list []string
		for _, v := range values {
			if v.Series == sample.RRInterval {
				if key == "rr_raw" {
					v.Value = v.Value * 1024 / 1000
				}
				list = append(list, strconv.FormatFloat(v.Value, 'g', -1, 64))
			}
		}
		got = strings.Join(list, ";")
		return got, got == strings.ReplaceAll(want, ".0;", ";")
	case "contact":
		return fmt.Sprint(m.Contact), m.Contact == map[string]Contact{"unsupported": ContactUnknown, "supported,not": ContactLost, "detected": ContactGood}[want]
	case "flags":
		n, err := strconv.ParseUint(strings.TrimPrefix(want, "0x"), 16, 8)
		return fmt.Sprint(raw[0]), err == nil && byte(n) == raw[0]
	case "seq":
		return fmt.Sprint(m.Seq), m.HasSeq && fmt.Sprint(m.Seq) == want
	case "base", "offset_min": // the time is both together
		return fmt.Sprint(m.Local), !m.Local.IsZero()
	case "ts":
		got = m.Local.Format("2006-01-02T15:04:05")
		return got, got == want
	case "sfloat":
		return want, fmt.Sprintf("0x%04X=%de-5", binary.LittleEndian.Uint16(raw[12:]), int(find(sample.BloodGlucose))) == want
	case "type":
		if m.Specimen == "" { // of a thermometer
			return m.Site, temperatureSites[want[0]-'0'] == m.Site
		}
		return m.Specimen, specimens[want[0]-'0'] == m.Specimen
	case "location":
		return m.Site, want == "15" && m.Site == ""
	case "status":
		n, err := strconv.ParseUint(strings.TrimPrefix(want, "0x"), 16, 16)
		return fmt.Sprint(m.status), err == nil && n == m.status
	case "context_follows":
		return fmt.Sprint(m.ContextFollows), m.ContextFollows == (want == "1")
	case "user":
		return fmt.Sprint(m.User), m.HasUser && fmt.Sprint(m.User) == want
	case "005", "L", "dL", "01": // parts of a sentence
		return "", true
	}
	return "a word that the test does not know", false
}
