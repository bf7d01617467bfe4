package sample

import (
	"math"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestUnit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"count/min": "/min", "bpm": "/min", "{beats}/min": "/min", "mmHg": "mm[Hg]", "degF": "[degF]", "lb": "[lb_av]", "Cal": "kcal", "kcal": "kcal", "cal": "cal",
		"mmol<180.1558800000541>/L": "mmol/L", "mg/dL": "mg/dL", "mg/dl": "mg/dL", "kg": "kg", "%": "%", "mm[Hg]": "mm[Hg]", "ft2": "ft2",
	} {
		if got := Unit(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		series       string
		v            float64
		unit         string
		wantSeries   string
		want         float64
		wantUnit     string
		roundsBeyond float64
	}{
		{Temperature, 98.6, "[degF]", Temperature, 37, "Cel", 1e-9},
		{Temperature, 310.15, "K", Temperature, 37, "Cel", 1e-9},
		{Systolic, 16, "kPa", Systolic, 120.009852, "mm[Hg]", 1e-6},
		{Weight, 157, "[lb_av]", Weight, 71.21400209, "kg", 1e-8},
		{BloodGlucoseMol, 6.16, "mmol/L", BloodGlucose, 110.992112, "mg/dL", 1e-9},
		{TissueGlucose, 5.5, "mmol/L", TissueGlucose, 99.1001, "mg/dL", 1e-9},
		{Height, 1.75, "m", Height, 175, "cm", 1e-9},
		{OxygenSaturation, 0.97, "1", OxygenSaturation, 97, "%", 1e-9},
		{Weight, 5, "mm", Weight, 5, "mm", 0}, // does not fit: stays
		{"unknown", 5, "mm", "unknown", 5, "mm", 0},
	} {
		got := Sample{Series: c.series, Value: c.v, Unit: c.unit}.Canonical()
		if got.Series != c.wantSeries || math.Abs(got.Value-c.want) > c.roundsBeyond || got.Unit != c.wantUnit {
			t.Errorf("%s %v %s: %+v", c.series, c.v, c.unit, got)
		}
	}
	got := Sample{Series: RRInterval, Values: []float64{0.8, math.NaN()}, Unit: "s"}.Canonical()
	if got.Values[0] != 800 || !math.IsNaN(got.Values[1]) || got.Unit != "ms" {
		t.Errorf("%+v", got)
	}
}

func TestWall(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for wall, want := range map[string]string{
		"2026-03-08T02:30:15Z": "2026-03-08T03:30:15-04:00", // does not exist
		"2026-11-01T01:30:15Z": "2026-11-01T01:30:15-04:00", // comes twice
		"2026-07-01T12:00:00Z": "2026-07-01T12:00:00-04:00",
	} {
		in, err := time.Parse(time.RFC3339, wall)
		if err != nil {
			t.Fatal(err)
		}
		if got := Wall(in, zone).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", wall, got, want)
		}
	}
}
