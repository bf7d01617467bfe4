package reading_test

import (
	"testing"
	"time"

	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

// A rule on a person's own baseline knows it from the first moment, trouble that goes on alerts with the next reading, and a replay of
// what is stored gives the alerts that were raised.
func TestFault28AnyAlertCanBeReplayed(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
		for d := -27; d < 0; d++ {
			kg := 80 + []float64{-0.2, 0.2, 0}[(d+27)%3]
			if d >= -2 {
				kg = 83
			}
			r.ingest(r.dev, 1, 0, 0, weight(day(d), kg))
		}
		x := rule.Rule{Series: "29463-7", Above: rule.Limit{Kind: rule.Personal, Value: 3}, Hysteresis: 0.5, Severity: "urgent"}
		on := r.setRule(x)
		if on.Tested == nil || on.Tested.Readings != 27 || on.Tested.Alerts != 1 || on.Tested.Days != 27 {
			t.Errorf("tried: %+v", on.Tested)
		}
		if len(r.alerts) != 0 {
			t.Fatalf("the past alerts: %+v", r.alerts)
		}
		for d, kg := range []float64{83.1, 83, 80, 83.2} {
			r.clock.Set(day(d).Add(time.Minute))
			r.ingest(r.dev, 1, 0, 0, weight(day(d), kg))
		}
		if len(r.alerts) != 2 || !r.alerts[0].At.Equal(day(0)) || !r.alerts[1].At.Equal(day(3)) {
			t.Fatalf("%+v", r.alerts)
		}
		again, err := r.Replay(r.Context(), org, ana, on.ID, on.Version)
		r.must(err)
		if len(again) != 2 {
			t.Fatalf("%+v", again)
		}
		for i, e := range again {
			if a := r.alerts[i]; !e.At.Equal(a.At) || e.Value != a.Value || e.Limit != a.Limit {
				t.Errorf("replayed %+v, raised %+v", e, a)
			}
		}
		if _, err := r.Replay(r.Context(), org, ana, on.ID, 9); err == nil {
			t.Error("a version that never was is replayed")
		}
	})
}

// A set is in force as a whole: taking it on again changes nothing, and what is no longer in it ends.
func TestAdopt(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		adopt := func(rules ...rule.Rule) (out []reading.Rule) {
			r.must(r.db.Write(r.Context(), func(tx *store.Tx) (err error) {
				out, err = r.Adopt(tx, org, ana, "set", rules)
				return err
			}))
			return out
		}
		high := rule.Rule{Series: "8867-4", Above: rule.Limit{Kind: rule.Absolute, Value: 100}, Severity: "urgent"}
		low := rule.Rule{Series: "8867-4", Below: rule.Limit{Kind: rule.Absolute, Value: 40}, Severity: "urgent"}
		other := r.setRule(low)
		first := adopt(high, low)
		second := adopt(high, low)
		if len(second) != 2 || second[0].ID != first[0].ID || second[1].ID != first[1].ID || second[1].Version != 1 {
			t.Errorf("%+v, before %+v", second, first)
		}
		high.Above.Value = 110
		third := adopt(high)
		all, err := r.Rules(r.Context(), org, ana)
		r.must(err)
		open := map[string]bool{}
		for _, x := range all {
			open[x.ID] = x.Until.IsZero()
		}
		if len(third) != 1 || len(all) != 4 || !open[third[0].ID] || !open[other.ID] || open[first[0].ID] || open[first[1].ID] {
			t.Errorf("%+v", all)
		}
	})
}
