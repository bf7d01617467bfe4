package fhir

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("+02", 7200)
	for _, c := range []struct {
		in       string
		zone     *time.Location
		from, to string // RFC 3339; "" means it must be refused
	}{
		{"2024", nil, "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"},
		{"2024-02", nil, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
		{"2024-12", nil, "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"},
		{"2024-02-29", nil, "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"},
		{"2024-02-29", berlin, "2024-02-28T22:00:00Z", "2024-02-29T22:00:00Z"},
		{"1948-06-30", nil, "1948-06-30T00:00:00Z", "1948-07-01T00:00:00Z"},
		{"2024-05-03T08:00", berlin, "2024-05-03T06:00:00Z", "2024-05-03T06:01:00Z"},
		{"2024-05-03T08:00:10Z", nil, "2024-05-03T08:00:10Z", "2024-05-03T08:00:11Z"},
		{"2024-05-03T08:00:10.5+02:00", nil, "2024-05-03T06:00:10.5Z", "2024-05-03T06:00:10.6Z"},
		{"2016-12-31T23:59:60Z", nil, "2017-01-01T00:00:00Z", "2017-01-01T00:00:01Z"},
		{"2025-02-29", nil, "", ""},
		{"2025-04-31", nil, "", ""},
		{"2025-13", nil, "", ""},
		{"0000", nil, "", ""},
		{"2025-1-1", nil, "", ""},
		{"2025-01-01T24:00:00Z", nil, "", ""},
		{"2025-01-01T10:00:00+15:00", nil, "", ""},
		{"2025-01-01T10:00:00.Z", nil, "", ""},
		{"2025-01-01 10:00", nil, "", ""},
		{"", nil, "", ""},
	} {
		s, err := ParseSpan(c.in, c.zone)
		if c.from == "" {
			if err == nil {
				t.Errorf("%q was taken as %v", c.in, s)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if got, want := s.Start().Format(time.RFC3339Nano)+" "+s.End().Format(time.RFC3339Nano), c.from+" "+c.to; got != want {
			t.Errorf("%q: %s, want %s", c.in, got, want)
		}
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"2024", "2024-05", "2024-05-03", "2024-05-03T08:00:00.123456789+02:00", "2024-05-03T08:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		span, err := ParseSpan(s, nil)
		if err == nil && span.Low >= span.High {
			t.Errorf("%q is empty", s)
		}
		if full, ferr := time.Parse(time.RFC3339Nano, s); err == nil && ferr == nil && full.Unix() != span.Start().Unix() {
			t.Errorf("%q: %v, want %v", s, span.Start(), full)
		}
	})
}
