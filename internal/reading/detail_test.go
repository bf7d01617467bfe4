package reading_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/internal/reading/sample"
)

// What a file tells beside a value is kept with it: ends of intervals, comparators, notes; of a word with an interval and of a list too. It
// survives packing, and a file brought twice adds nothing.
func TestDetails(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		at := noon.Add(-3 * time.Hour)
		file := []any{
			sample.Sample{Series: sample.Steps, At: at, Until: at.Add(10 * time.Minute), Value: 400, Unit: "{steps}", Source: "Watch"},
			sample.Sample{Series: sample.Steps, At: at, Until: at.Add(12 * time.Minute), Value: 380, Unit: "{steps}", Source: "Phone"},
			sample.Sample{Series: sample.Steps, At: at.Add(time.Hour), Value: 20, Unit: "{steps}", Source: "Watch"},
			sample.Sample{Series: "2339-0", At: at, Value: 40, Unit: "mg/dL", Beyond: -1, Notes: []string{"fasting", strings.Repeat("é", 300)}, Source: "Meter"},
			sample.Sample{Series: sample.SleepStage, At: at, Until: at.Add(30 * time.Minute), Text: "deep", Notes: []string{"short night"}, Source: "Watch"},
			sample.Sample{Series: sample.RRInterval, At: at, Values: []float64{800, 810}, Unit: "ms", Notes: []string{"on a walk"}, Source: "Strap"},
		}
		for range 2 {
			if _, err := r.take(file...); err != nil {
				t.Fatal(err)
			}
		}
		check := func() {
			t.Helper()
			for _, c := range []struct {
				series, device string
				value          float64
				until          time.Duration
				beyond         int
				notes          []string
			}{
				{sample.Steps, "", 400, 10 * time.Minute, 0, nil}, {sample.Steps, "", 380, 12 * time.Minute, 0, nil}, {sample.Steps, "", 20, 0, 0, nil},
				{"2339-0", "", 40, 0, -1, []string{"fasting", strings.Repeat("é", 100)}}, {sample.SleepStage + ":deep", "", 30, 30 * time.Minute, 0, []string{"short night"}},
				{sample.RRInterval, "", 800, 0, 0, []string{"on a walk"}}, {sample.RRInterval, "", 810, 0, 0, nil},
			} {
				list, err := r.Samples(t.Context(), org, ana, c.series, at.Add(-time.Hour), noon)
				if err != nil {
					t.Fatal(err)
				}
				of, err := r.Details(t.Context(), org, ana, c.series, at.Add(-time.Hour), noon)
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for _, x := range list {
					if x.Value != c.value {
						continue
					}
					n++
					d := of(x)
					if nothing := c.until == 0 && c.beyond == 0 && c.notes == nil; nothing != (d == nil) {
						t.Errorf("%s %g: %+v", c.series, c.value, d)
					} else if d != nil && (d.Beyond != c.beyond || !slices.Equal(d.Notes, c.notes) || c.until == 0 != d.Until.IsZero() || c.until != 0 && d.Until.Sub(x.At) != c.until) {
						t.Errorf("%s %g: %+v", c.series, c.value, d)
					}
				}
				if n != 1 {
					t.Errorf("%s %g is stored %d times", c.series, c.value, n)
				}
			}
		}
		check()
		if _, err := r.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		check()
		if of, err := r.Details(t.Context(), org, ana, sample.Steps, at.Add(-2*time.Hour), at.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		} else if list, err := r.Samples(t.Context(), org, ana, sample.Steps, at, noon); err != nil || of(list[0]) != nil {
			t.Errorf("another time's: %v", err)
		}
	})
}
