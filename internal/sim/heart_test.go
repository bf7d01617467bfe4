package sim

import (
	"reflect"
	"testing"
	"time"

	"doorstep/internal/reading/rule"
)

// The rule of thumb does in the simulator about as it does in studies, and rules on a person's own baselines foresee at least twice
// as many admissions with no more alerts, whatever the seed.
func TestHearts(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	if !reflect.DeepEqual(Hearts(7, 3, 90, start), Hearts(7, 3, 90, start)) {
		t.Error("the same seed makes other people")
	}
	score := func(name string) (total rule.Score) {
		preset, ok := rule.Named(name)
		if !ok {
			t.Fatalf("there is no preset %q", name)
		}
		for seed := range uint64(4) {
			total.Add(ScoreHearts(Hearts(seed, 250, WarmUp+120, start), preset.Rules))
		}
		return total
	}
	thumb, own := score("weight-2kg-3d"), score("heart-failure-own")
	if s := float64(thumb.Foreseen) / float64(thumb.Stretch); s < 0.13 || s > 0.30 {
		t.Errorf("the rule of thumb foresees %.2f of admissions, in studies about a fifth: %+v", s, thumb)
	}
	if p := float64(thumb.True) / float64(thumb.Alerts); p < 0.03 || p > 0.12 {
		t.Errorf("%.2f of its alerts are true, in studies 0.06: %+v", p, thumb)
	}
	if own.Foreseen < 2*thumb.Foreseen || own.Alerts > thumb.Alerts || own.Stretch != thumb.Stretch {
		t.Errorf("%+v, by the rule of thumb %+v", own, thumb)
	}
}
