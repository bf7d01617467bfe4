package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/app"
	"doorstep/internal/reading/rule"
	"doorstep/internal/sim"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

const (
	rulesReadings = 1_000_000
	rulesPatients = 500
	rulesEach     = 20
)

// rulesEvaluate lets rules judge readings in the order in which they come from everybody, one by one, and again each person's at
// once; the alerts must be the same.
func rulesEvaluate(ctx context.Context, _ *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	rules := twentyRules()
	stream := manyReadings()
	began := time.Now()
	states := make([][rulesEach]rule.State, rulesPatients)
	one := make([][]rule.Episode, rulesPatients)
	for i := range stream {
		who := i % rulesPatients
		x := &stream[i]
		for k := range rules {
			if e, ok := states[who][k].Step(&rules[k], x.Series, x.At, x.Value); ok {
				one[who] = append(one[who], e)
			}
		}
	}
	streamed := time.Since(began)

	began = time.Now()
	bulk := make([][]rule.Episode, rulesPatients)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for who := range rulesPatients {
		g.Go(func() error {
			own := make([]rule.Sample, 0, len(stream)/rulesPatients)
			for i := who; i < len(stream); i += rulesPatients {
				own = append(own, stream[i])
			}
			for k := range rules {
				bulk[who] = append(bulk[who], rules[k].Replay(own)...)
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	together := time.Since(began)
	alerts := 0
	for who := range bulk {
		a, b := one[who], bulk[who]
		slices.SortStableFunc(b, func(x, y rule.Episode) int { return x.At.Compare(y.At) })
		if !slices.Equal(a, b) {
			return nil, fmt.Errorf("person %d: %d alerts one by one, %d at once, or not the same", who, len(a), len(b))
		}
		alerts += len(a)
	}

	began = time.Now() // the machine's own limit: looking at every reading once for every rule
	sum := 0.0
	for range rules {
		for i := range stream {
			sum += stream[i].Value
		}
	}
	plain := time.Since(began)
	if sum == 0 || alerts == 0 {
		return nil, fmt.Errorf("%d alerts over readings that sum to %g", alerts, sum)
	}
	return []app.Figure{
		{Name: "rules.evaluate.seconds", Value: streamed.Seconds(), Unit: "s", N: len(stream)},
		{Name: "rules.evaluate.bulk_seconds", Value: together.Seconds(), Unit: "s", N: len(stream)},
		{Name: "rules.evaluate.limit_seconds", Value: plain.Seconds(), Unit: "s", N: len(stream)},
		{Name: "rules.evaluate.alerts", Value: float64(alerts), Unit: "alerts", N: len(stream)},
	}, nil
}

// twentyRules are all the presets' and a few more.
func twentyRules() []rule.Rule {
	var rules []rule.Rule
	for _, p := range rule.Presets() {
		rules = append(rules, p.Rules...)
	}
	for _, series := range []string{"8867-4", "8480-6", "59408-5", "2339-0", "8462-4", "29463-7"} {
		rules = append(rules, rule.Rule{Series: series, Above: rule.Limit{Kind: rule.CUSUM, Value: 5}, Below: rule.Limit{Kind: rule.Personal, Value: 4}, Hysteresis: 1, Severity: "note"})
	}
	return rules[:rulesEach]
}

// manyReadings are of every person in turn, hourly, so that each changes the baseline.
func manyReadings() []rule.Sample {
	r := rand.New(rand.NewPCG(1, 1))
	signals := []struct {
		series       string
		usual, apart float64
	}{{"8867-4", 72, 6}, {"29463-7", 80, 0.5}, {"8480-6", 128, 9}, {"8462-4", 78, 7}, {"59408-5", 96, 1.2}, {"2339-0", 120, 35}, {rule.Symptoms, 0, 0.4}}
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	out := make([]rule.Sample, rulesReadings)
	for i := range out {
		turn := i / rulesPatients
		s := signals[turn%len(signals)]
		out[i] = rule.Sample{Series: s.series, At: start.Add(time.Duration(turn) * time.Hour / 6), Value: s.usual + s.apart*r.NormFloat64()}
	}
	return out
}

// alertsQuality compares, on the same simulated patient-months, the rule of thumb with the set that goes by a person's own baselines.
func alertsQuality(context.Context, *Runner, func() (*store.DB, string, error)) ([]app.Figure, error) {
	const people, months = 250, 4
	hearts := sim.Hearts(2026, people, sim.WarmUp+30*months, time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC))
	var out []app.Figure
	for _, name := range []string{"weight-2kg-3d", "heart-failure-own"} {
		preset, ok := rule.Named(name)
		if !ok {
			return nil, fmt.Errorf("there is no preset %q", name)
		}
		s := sim.ScoreHearts(hearts, preset.Rules)
		share := func(figure string, x, n int) {
			low, high := stat.Wilson(x, n)
			value := 0.0
			if n > 0 {
				value = float64(x) / float64(n)
			}
			at := "alerts.quality." + name + "." + figure
			out = append(out, app.Figure{Name: at, Value: value, Unit: "share", N: n}, app.Figure{Name: at + ".low", Value: low, Unit: "share", N: n},
				app.Figure{Name: at + ".high", Value: high, Unit: "share", N: n})
		}
		share("sensitivity", s.Foreseen, s.Stretch)
		share("ppv", s.True, s.Alerts)
		out = append(out, app.Figure{Name: "alerts.quality." + name + ".per_month", Value: s.PerMonth(), Unit: "alerts", N: people * months})
	}
	return out, nil
}
