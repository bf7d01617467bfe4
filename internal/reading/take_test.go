package reading_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/reading/sample"
)

// taken is what came of a file.
type taken struct {
	stored, known int
	refused       []string
}

// take takes samples, or errors, about Ana.
func (r *room) take(items ...any) (out taken, err error) {
	r.Helper()
	seq := func(yield func(sample.Sample, error) bool) {
		for _, it := range items {
			s, _ := it.(sample.Sample)
			err, _ := it.(error)
			if !yield(s, err) {
				return
			}
		}
	}
	err = r.Take(r.Context(), seq, reading.Taking{
		Device: func(ctx context.Context, source string) (reading.Device, error) {
			return r.ImportDevice(ctx, org, ana, "file: "+source)
		},
		Refused: func(i int, f *sample.Refusal) { out.refused = append(out.refused, fmt.Sprint(i, " ", f)) },
		Took: func(_ string, x reading.Receipt) error {
			out.stored, out.known = out.stored+x.Stored, out.known+x.Known
			return nil
		},
	})
	return out, err
}

func scaled(at time.Time, v float64) sample.Sample {
	return sample.Sample{Series: sample.Weight, At: at, Value: v, Unit: "kg", Source: "Scale"}
}

// A file's samples become readings in their series' one unit, once however often the file is brought.
func TestTake(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		old := noon.AddDate(-6, 0, 0)
		file := []any{
			scaled(noon.Add(-time.Hour), 70),
			scaled(old, 80), // older than what a device's clock is believed
			sample.Sample{Series: sample.Weight, At: noon.Add(-2 * time.Hour), Value: 154, Unit: "[lb_av]", Source: "Scale", Zoneless: true},
			sample.Sample{Series: sample.BloodGlucoseMol, At: noon, Value: 5, Unit: "mmol/L"},
			sample.Sample{Series: sample.RRInterval, At: noon, Values: []float64{800, math.NaN(), 1000}, Unit: "ms"},
			sample.Sample{Series: sample.HeartRate, At: noon, Until: noon.Add(time.Minute), Values: []float64{60, 120, 75}, Unit: "/min"},
			sample.Sample{Series: sample.Speed, At: noon, Period: time.Second, Values: []float64{1, math.NaN(), 3}, Unit: "m/s"},
			sample.Sample{Series: sample.SleepStage, At: noon.Add(-8 * time.Hour), Until: noon.Add(-7 * time.Hour), Text: "deep"},
			sample.Sample{Series: sample.SleepStage, At: noon, Text: "deep", Kind: "sleep"},
			sample.Sample{Series: sample.Weight, Value: 70, Unit: "kg", Kind: "no time"},
			sample.Sample{Series: sample.Weight, At: noon, Value: math.Inf(1), Unit: "kg"},
			&sample.Refusal{Offset: 7, Reason: "garbage"},
			scaled(noon.Add(-time.Hour), 70), // twice in the file
		}
		refused := []string{"8 sample 9: a word", "9 sample 10: the device told no time (no time)", "11 offset 7: garbage", "10 sample 11: value:"}
		for round, want := range []taken{{stored: 12, known: 1}, {known: 13}} {
			got, err := r.take(file...)
			r.must(err)
			if got.stored != want.stored || got.known != want.known || len(got.refused) != len(refused) {
				r.Fatalf("round %d: %+v", round, got)
			}
			for i, text := range refused {
				if !strings.HasPrefix(got.refused[i], text) {
					r.Errorf("%s, want %s", got.refused[i], text)
				}
			}
			if round == 0 {
				r.clock.Advance(2 * time.Hour)
				_, err = r.Compact(r.Context())
				r.must(err)
			}
		}
		for series, want := range map[string]string{
			sample.Weight:       "2020-03-02T12:00:00Z 80kg [] 2026-03-02T10:00:00Z 69.853kg [zone-unknown] 2026-03-02T11:00:00Z 70kg []",
			sample.BloodGlucose: "2026-03-02T12:00:00Z 90.091mg/dL []",
			sample.RRInterval:   "2026-03-02T11:59:59Z 800ms [] 2026-03-02T12:00:00Z 1000ms []",
			sample.HeartRate:    "2026-03-02T12:00:00Z 60/min [] 2026-03-02T12:00:01Z 120/min [] 2026-03-02T12:00:01.5Z 75/min []",
			sample.Speed:        "2026-03-02T12:00:00Z 1m/s [] 2026-03-02T12:00:02Z 3m/s []",
			"sleep-stage:deep":  "2026-03-02T04:00:00Z 60min []",
		} {
			list, err := r.Samples(r.Context(), org, ana, series, old.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0))
			r.must(err)
			var got []string
			for _, x := range list {
				if !x.Imported() {
					r.Errorf("%s: %+v", series, x)
				}
				got = append(got, fmt.Sprintf("%s %.5g%s %v", x.At.Format(time.RFC3339Nano), x.Value, x.Unit, x.Flags.Names()))
			}
			if text := strings.Join(got, " "); text != want {
				r.Errorf("%s: %s\nwant %s", series, text, want)
			}
		}
	})
}

// A device stands for one source of one patient, and nobody signs in as it.
func TestImportDevice(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		var ids []string
		for _, c := range [][2]string{{ana, "Scale"}, {ana, "Scale"}, {ben, "Scale"}, {ana, "Watch"}} {
			d, err := r.ImportDevice(r.Context(), org, c[0], c[1])
			r.must(err)
			if d.Kind != reading.Import || d.Source != c[1] || d.Org != org {
				r.Errorf("%+v", d)
			}
			ids = append(ids, d.ID)
		}
		if ids[0] != ids[1] || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 3 {
			r.Error(ids)
		}
		for _, key := range []string{"", "x"} {
			if _, err := r.SignIn(r.Context(), ids[0], key); !fault.Is(err, fault.Denied) {
				r.Error(err)
			}
		}
		// What staff ended stays ended: the readings wait in quarantine, and are named.
		r.must(r.Unassign(r.Context(), org, ids[0], noon))
		d, err := r.ImportDevice(r.Context(), org, ana, "Scale")
		r.must(err)
		receipt, err := r.Ingest(r.Context(), d, []reading.Reading{{At: noon.Add(time.Second), Series: sample.Weight, Value: 70, Unit: "kg"}})
		r.must(err)
		if len(receipt.Refused) != 1 || receipt.Stored != 0 {
			r.Errorf("%+v", receipt)
		}
	})
}

// A long file out of order is stored once, in parts; a reader that breaks off leaves what came before.
func TestTakeLong(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		const n = 9000
		var file []any
		for i := range n {
			at := noon.AddDate(-2, 0, 0).Add(time.Duration(i*7919%n) * time.Hour)
			file = append(file, scaled(at, 70+float64(i%5)))
		}
		broken := errors.New("the line is cut")
		got, err := r.take(append(slices.Clone(file), broken)...)
		if !fault.Is(err, fault.Invalid) || !errors.Is(err, broken) || got.stored != n {
			r.Fatalf("%+v %v", got, err)
		}
		for range 2 {
			got, err = r.take(file...)
			r.must(err)
			if got.stored != 0 || got.known != n {
				r.Fatalf("%+v", got)
			}
		}
	})
}

// An imported past raises nothing by a rule that was not in force then; what was measured since is judged.
func TestTakeAndRules(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		r.setRule(rule.Rule{Series: sample.Weight, Above: rule.Limit{Kind: rule.Absolute, Value: 75}, Severity: "urgent"})
		_, err := r.take(scaled(noon.AddDate(0, -6, 0), 90), scaled(noon.AddDate(-3, 0, 0), 90), scaled(noon.AddDate(0, -5, 0), 70))
		r.must(err)
		if len(r.alerts) != 0 {
			r.Errorf("%+v", r.alerts)
		}
		r.clock.Advance(time.Hour)
		_, err = r.take(scaled(noon.Add(30*time.Minute), 91))
		r.must(err)
		if len(r.alerts) != 1 || r.alerts[0].Value != 91 {
			r.Errorf("%+v", r.alerts)
		}
	})
}
