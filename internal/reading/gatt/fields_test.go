package gatt

import (
	"slices"
	"testing"
	"time"

	"doorstep/internal/reading/sample"
)

// What comes beside the measured value: each case is laid out by hand from the Supplement's tables.
func TestFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, uuid, hex string
		series          string
		want            float64
		unit, detail    string
		elapsed         time.Duration
		notes           []string
	}{
		{"carbohydrates", "2A34", "03 0600 01 2DD0 02", sample.Carbohydrates, 45, "g", "breakfast", 0, []string{"after a meal"}},
		{"extended flags come first", "2A34", "81 0600 00 01 2DD0", sample.Carbohydrates, 45, "g", "breakfast", 0, nil},
		{"insulin by weight", "2A34", "10 0600 01 0AA0", sample.Medication, 10, "mg", "insulin, rapid acting", 0, nil},
		{"insulin by volume", "2A34", "30 0600 04 01D0", sample.Medication, 1, "mL", "insulin, long acting", 0, nil},
		{"exercise, health", "2A34", "0C 0600 41 8403 32", sample.Exercise, 900, "s", "", 0, []string{"under stress"}},
		{"haemoglobin A1c", "2A34", "40 0600 47F0", sample.HbA1c, 7.1, "%", "", 0, nil},
		{"continuous glucose", "2AA7", "06 00 6900 0A00", sample.TissueGlucose, 105, "mg/dL", "", 10 * time.Minute, nil},
		{"its trend and warning", "2AA7", "0A 21 6900 0A00 10 0FF0 00", "", 0, "", "", 0, nil}, // size says ten, nine are known: the rest is skipped
		{"trend", "2AA7", "09 21 6900 0A00 10 0FF0", sample.GlucoseTrend, 1.5, "mg/dL/min", "", 10 * time.Minute, []string{"falling fast"}},
		{"two records", "2AA7", "06 00 6900 0A00 06 00 6A00 0F00", sample.TissueGlucose, 105, "mg/dL", "", 10 * time.Minute, nil},
		{"oximeter status", "2A5E", "06 6200 4800 2000 200000", sample.OxygenSaturation, 98, "%", "", 0, []string{"measurement ongoing", "low perfusion"}},
		{"pulse amplitude", "2A5F", "10 6200 4800 17F0", sample.PulseAmplitude, 2.3, "%", "", 0, nil},
		{"body mass index in pounds and inches", "2A9D", "09 543D F500 A802", sample.Height, 68, "[in_i]", "", 0, nil},
		{"with its base UUID", "00002a9d-0000-1000-8000-00805f9b34fb", "00B036", sample.Weight, 70, "kg", "", 0, nil},
	} {
		m, err := DecodeHex(c.uuid, c.hex)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		i := slices.IndexFunc(append(m.Values, m.Beside...), func(v Value) bool { return v.Series == c.series })
		if c.series != "" && i < 0 {
			t.Errorf("%s: %+v", c.name, m)
		}
		if i < 0 {
			continue
		}
		if v := append(m.Values, m.Beside...)[i]; v.Value != c.want || v.Unit != c.unit || v.Detail != c.detail || v.Elapsed != c.elapsed {
			t.Errorf("%s: %+v", c.name, v)
		}
		if got := m.Notes(); !slices.Equal(got, c.notes) {
			t.Errorf("%s: notes %q, want %q", c.name, got, c.notes)
		}
	}
	if m, err := DecodeHex("2A5E", "02 6200 4800 0004"); err != nil || len(m.Values) > 0 {
		t.Errorf("demonstration data is a value: %+v, %v", m, err)
	}
	if m, err := DecodeHex("2A18", "02 0F00 E807011E053A1B 6FB0 4A"); err != nil || len(m.Values) > 0 {
		t.Errorf("control solution is a value: %+v, %v", m, err)
	}
	record := []byte{8, 0, 0x69, 0, 10, 0}
	check := crc(record)
	if _, err := Decode("2AA7", append(record, byte(check), byte(check>>8))); err != nil {
		t.Error(err)
	}
	if _, err := Decode("2AA7", append(record, byte(check), ^byte(check>>8))); err != ErrCheck {
		t.Error(err)
	}
	if crc([]byte("123456789")) != 0x6f91 { // CRC-16/MCRF4XX of the catalogue
		t.Errorf("%x", crc([]byte("123456789")))
	}
	for _, wrong := range []string{"", "2A3", "2A3G", "FFFF"} {
		if Known(wrong) {
			t.Error(wrong)
		}
	}
}

// notifications are one of each kind.
var notifications = []struct{ uuid, hex string }{
	{"2A37", "105100031203"}, {"2A35", "1E7B0050005E00E807030F0E1E2D4800010000"}, {"2A18", "1B0F00E807011E053A1B53016FB0F80000"}, {"2A34", "030600012DD002"},
	{"2A9D", "0EB036E807030F0E1E2D05F500D606"}, {"2A1C", "06720100FFE807030F0E1E2D02"}, {"2A5E", "0162004800E807030F0E1E2D"}, {"2A5F", "016200480061004B00"}, {"2AA7", "060069000A00"},
}

func TestDecodeMakesNoGarbage(t *testing.T) {
	var m Measurement
	for _, n := range notifications {
		b, err := Bytes(n.hex)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Decode(n.uuid, b); err != nil {
			t.Fatal(n.uuid, err)
		}
		if made := testing.AllocsPerRun(100, func() { _ = m.Decode(n.uuid, b) }); made > 0 {
			t.Errorf("%s: %v allocations", n.uuid, made)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range notifications {
		raw, err := Bytes(n.hex)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(n.uuid, func(b *testing.B) {
			var m Measurement
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Decode(n.uuid, raw); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(m.Values)+len(m.Beside)), "ns/value")
		})
	}
}
