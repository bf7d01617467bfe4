package bench

import (
	"context"
	"fmt"

	"doorstep/internal/app"
	"doorstep/internal/appointment/policy"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

// accessSeeds is how many times each clinic is simulated, with the same people under every policy.
const accessSeeds = 16

// accessPolicy simulates a clinic of five at two loads under each policy, beside the telephone; then the whole policy again with what
// is assumed of being asked at 72 hours, and of why people do not come, taken for less and for more.
func accessPolicy(ctx context.Context, _ *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	var out []app.Figure
	for _, load := range []float64{0.85, 1} {
		study := func(name string, change func(*policy.World), policies ...policy.Policy) error {
			w := policy.Clinic(load)
			change(&w)
			lines, err := policy.Study(ctx, w, policies, 1, accessSeeds)
			for _, l := range lines {
				out = append(out, accessFigures(l, fmt.Sprintf("access.policy.%g.%s%s", load, l.Policy, name))...)
			}
			return err
		}
		whole := policy.Policies[len(policy.Policies)-1]
		if err := study("", func(*policy.World) {}, policy.Policies...); err != nil {
			return nil, err
		}
		for _, share := range []float64{0.1, 0.33} {
			if err := study(fmt.Sprintf("-reconfirm%.0f", 100*share), func(w *policy.World) { w.Reconfirmed = share }, whole); err != nil {
				return nil, err
			}
		}
		if err := study("-leadfrozen", func(w *policy.World) { w.LeadFrozen = true }, whole); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// accessFigures answers a line's figures, each with the bounds of its interval.
func accessFigures(l policy.Line, name string) []app.Figure {
	var out []app.Figure
	add := func(what, unit string, i stat.Interval) {
		for _, x := range []struct {
			end   string
			value float64
		}{{"", i.Value}, {".low", i.Low}, {".high", i.High}} {
			out = append(out, app.Figure{Name: name + "." + what + x.end, Value: x.value, Unit: unit, N: i.N})
		}
	}
	add("mean", "days", l.Mean)
	add("p90", "days", l.P90)
	add("overtime", "min", l.Overtime)
	add("wait", "min", l.Wait)
	add("fill", "%", l.Fill)
	if l.Policy != "phone" {
		add("mean_less", "%", l.MeanLess)
		add("p90_less", "%", l.P90Less)
	}
	if l.PerFill.Value > 0 {
		add("per_fill", "messages", l.PerFill)
	}
	return out
}
