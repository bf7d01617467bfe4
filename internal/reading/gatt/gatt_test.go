package gatt

import (
	"errors"
	"math"
	"testing"
	"time"
)

// values prints nothing of what is absent.
func value(t *testing.T, m Measurement, series string) float64 {
	t.Helper()
	for _, v := range m.Values {
		if v.Series == series {
			return v.Value
		}
	}
	return math.NaN()
}

func TestDecode(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 3, 15, 14, 30, 45, 0, time.UTC)
	for _, c := range []struct {
		uuid, hex, series string
		want              float64
		unit              string
		local             time.Time
	}{
		{"2A37", "104ED202C802", "8867-4", 78, "/min", time.Time{}}, // a chest strap's capture
		{"2A37", "104ED202C802", "8637-1", 705.078125, "ms", time.Time{}},
		{"2A37", "01C800", "8867-4", 200, "/min", time.Time{}},
		{"2A37", "0E4B8000", "8867-4", 75, "/min", time.Time{}},
		{"2A18", "1B0F00E807011E053A1B53016FB0F80000", "2339-0", 111, "mg/dL", time.Date(2024, 1, 30, 11, 37, 27, 0, time.UTC)}, // a meter's capture
		{"2A35", "1E7B0050005E00E807030F0E1E2D4800010000", "8480-6", 123, "mm[Hg]", at},
		{"2A35", "1E7B0050005E00E807030F0E1E2D4800010000", "8867-4", 72, "/min", at},
		{"2A35", "01A4F06BF07EF0", "8480-6", 16.4, "kPa", time.Time{}},
		{"2A35", "0078005000FF07", "8478-0", math.NaN(), "", time.Time{}},
		{"2A9D", "00B036", "29463-7", 70, "kg", time.Time{}},
		{"2A9D", "01543D", "29463-7", 157, "[lb_av]", time.Time{}},
		{"2A9D", "00FFFF", "29463-7", math.NaN(), "", time.Time{}},
		{"2A1C", "06720100FFE807030F0E1E2D02", "8310-5", 37, "Cel", at},
		{"2A1C", "00FFFF7F00", "8310-5", math.NaN(), "", time.Time{}},
		{"2a5e", "0162004800E807030F0E1E2D", "59408-5", 98, "%", at},
		{"2A5F", "00FF07FF07", "59408-5", math.NaN(), "", time.Time{}},
	} {
		m, err := DecodeHex(c.uuid, c.hex)
		if err != nil {
			t.Errorf("%s %s: %v", c.uuid, c.hex, err)
			continue
		}
		if got := value(t, m, c.series); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s %s: %s = %v, want %v", c.uuid, c.hex, c.series, got, c.want)
		}
		for _, v := range m.Values {
			if v.Series == c.series && v.Unit != c.unit {
				t.Errorf("%s %s: unit %s, want %s", c.uuid, c.hex, v.Unit, c.unit)
			}
		}
		if !m.Local.Equal(c.local) {
			t.Errorf("%s %s: local %v, want %v", c.uuid, c.hex, m.Local, c.local)
		}
	}
	if _, err := DecodeHex("2A35", "00788050805A80"); !errors.Is(err, ErrRange) { // a biased exponent
		t.Errorf("a biased exponent: %v", err)
	}
	if _, err := DecodeHex("2A35", "007B"); !errors.Is(err, ErrShort) {
		t.Errorf("cut off: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("2A37", []byte{0x10, 0x4e, 0xd2, 0x02})
	f.Add("2A35", []byte{0x1e, 0x7b, 0, 0x50, 0, 0x5e, 0, 0xe8, 7, 3, 15, 14, 30, 45, 0x48, 0, 1, 0, 0})
	f.Add("2A18", []byte{3, 6, 0, 0xe4, 7, 4, 13, 16, 38, 10, 0, 0, 0x78, 0xb0, 0xf1})
	f.Add("2A9D", []byte{0, 0xb0, 0x36})
	f.Add("2A34", []byte{0x5f, 6, 0, 1, 0x28, 0xd0, 1, 0x12, 0x3c, 0, 50, 1, 0x0a, 0xa0, 0x38, 0xf0})
	f.Add("2A5F", []byte{3, 0x62, 0, 0x48, 0, 0x61, 0, 0x4b, 0, 0x60, 0, 0x4a, 0})
	f.Add("2AA7", []byte{6, 0, 0x62, 0, 10, 0, 6, 0, 0x63, 0, 15, 0})
	f.Fuzz(func(t *testing.T, uuid string, b []byte) {
		m, err := Decode(uuid, b)
		if err != nil {
			return
		}
		for _, v := range append(m.Values, m.Beside...) {
			if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Series == "" || v.Unit == "" || v.Back < 0 || v.Decimals < 0 {
				t.Fatalf("%+v", v)
			}
		}
		m.Notes()
	})
}
