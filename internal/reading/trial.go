package reading

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

const (
	// trialDays is how much of a person's past a rule is tried on before it is switched on.
	trialDays = 90
	// warmUp is how much of the past a rule learns the person's baseline from.
	warmUp = 28 * 24 * time.Hour
)

// Trial is what rules would have raised on a person's own past, had they been in force.
type Trial struct {
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Readings int       `json:"readings"`  // of the rules' signals
	Days     float64   `json:"days"`      // on which the past has readings, from the first on
	Alerts   int       `json:"alerts"`    // what several rules raise on one day is one
	PerMonth float64   `json:"per_month"` // alerts in 30 days
}

// Try runs rules over the last 90 days of a person's readings.
func (s *Service) Try(tx *store.Tx, org, patient string, rules []rule.Rule) (Trial, error) {
	now := s.clock.Now()
	t := Trial{From: now.AddDate(0, 0, -trialDays), Until: now}
	for _, r := range rules {
		if err := r.Validate(); err != nil {
			return t, err
		}
	}
	samples, err := past(tx, org, patient, rules, t.From.Add(-warmUp), now)
	if err != nil {
		return t, err
	}
	for _, x := range samples {
		if !x.At.Before(t.From) {
			t.Readings++
		}
	}
	from := t.From
	if len(samples) > 0 && samples[0].At.After(from) {
		from = samples[0].At
	}
	score := rule.BacktestFrom(rules, samples, nil, from)
	t.Days, t.Alerts, t.PerMonth = score.Days, score.Alerts, score.PerMonth()
	return t, nil
}

// past answers what rules would have been shown of a person between two instants, in the order of measurement.
func past(tx *store.Tx, org, patient string, rules []rule.Rule, from, to time.Time) ([]rule.Sample, error) {
	var signals []string
	for i := range rules {
		signals = append(signals, rules[i].Signals()...)
	}
	slices.Sort(signals)
	var out []rule.Sample
	for _, series := range slices.Compact(signals) {
		list, err := within(tx, org, patient, series, from, to)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if x := &list[i]; judged(x) {
				out = append(out, rule.Sample{Series: series, At: x.At, Value: x.Value})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b rule.Sample) int { return a.At.Compare(b.At) })
	return out, nil
}

// judged tells whether rules are shown a sample.
func judged(x *Sample) bool { return !x.Flags.Has(Impossible) && !x.Flags.Has(TimeUnknown) }

// warm answers what a rule that comes into force now knows of the person already. Trouble that is going on is not taken as told of:
// the next reading of it alerts.
func (s *Service) warm(tx *store.Tx, r Rule) (rule.State, error) {
	if !r.Learns() {
		return rule.State{}, nil
	}
	samples, err := past(tx, r.Org, r.Patient, []rule.Rule{r.Rule}, r.From.Add(-warmUp), r.From)
	return rule.Learn(&r.Rule, samples), err
}

// Replay judges a person's stored readings again by one version of a rule, as it was in force, and answers the episodes. What came
// late, and was judged by itself then, is judged in its place here.
func (s *Service) Replay(ctx context.Context, org, patient, id string, version int) (out []rule.Episode, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err := store.All(tx, "SELECT patient, id, version, doc, from_at, until_at, tested FROM reading_rule WHERE org = $1 AND patient = $2 AND id = $3 AND version = $4",
			[]any{org, patient, id, version}, func(scan func(...any) error) (Rule, error) { return scanRule(org, scan) })
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.NotFoundf("There is no such rule.")
		}
		r := list[0]
		to := r.Until
		if to.IsZero() {
			to = s.clock.Now().Add(time.Microsecond)
		}
		samples, err := past(tx, org, patient, []rule.Rule{r.Rule}, r.From.Add(-warmUp), to)
		if err != nil {
			return err
		}
		cut, _ := slices.BinarySearchFunc(samples, r.From, func(x rule.Sample, at time.Time) int { return x.At.Compare(at) })
		state := rule.State{}
		if r.Learns() {
			state = rule.Learn(&r.Rule, samples[:cut])
		}
		for _, x := range samples[cut:] {
			if e, ok := state.Step(&r.Rule, x.Series, x.At, x.Value); ok {
				out = append(out, e)
			}
		}
		return nil
	})
	return out, err
}
