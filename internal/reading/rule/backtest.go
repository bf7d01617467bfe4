package rule

import (
	"slices"
	"time"
)

// Span is a labelled stretch of trouble: from when it could be seen coming until it came, in [From, Until].
type Span struct{ From, Until time.Time }

// Score is how rules did on a person's past, or on many people's added up.
type Score struct {
	Days     float64 // that were looked at
	Alerts   int     // episodes opened, those of several rules on one day counted once
	True     int     // of them, within a labelled stretch
	Stretch  int     // labelled stretches
	Foreseen int     // of them, with an alert in time
}

// Add joins another score.
func (s *Score) Add(o Score) {
	s.Days, s.Alerts, s.True, s.Stretch, s.Foreseen = s.Days+o.Days, s.Alerts+o.Alerts, s.True+o.True, s.Stretch+o.Stretch, s.Foreseen+o.Foreseen
}

// PerMonth answers alerts per patient-month of 30 days; 0 without days.
func (s Score) PerMonth() float64 {
	if s.Days == 0 {
		return 0
	}
	return float64(s.Alerts) * 30 / s.Days
}

// Backtest runs rules over samples, in the order of their measurement, and scores what they would have raised against what is
// known to have happened (nothing: only alerts and days count). What several rules raise on one day is one alert: one call.
func Backtest(rules []Rule, samples []Sample, known []Span) Score {
	if len(samples) == 0 {
		return Score{}
	}
	return BacktestFrom(rules, samples, known, samples[0].At)
}

// BacktestFrom is Backtest that scores only from an instant on: what lies before is there to learn the person's baseline from.
func BacktestFrom(rules []Rule, samples []Sample, known []Span, from time.Time) Score {
	var s Score
	if len(samples) == 0 || samples[len(samples)-1].At.Before(from) {
		return s
	}
	s.Days = samples[len(samples)-1].At.Sub(from).Hours()/24 + 1
	var at []time.Time
	for i := range rules {
		for _, e := range rules[i].Replay(samples) {
			if !e.At.Before(from) {
				at = append(at, e.At)
			}
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	at = slices.CompactFunc(at, func(a, b time.Time) bool { return a.Truncate(day).Equal(b.Truncate(day)) })
	s.Alerts, s.Stretch = len(at), len(known)
	for _, t := range at {
		if slices.ContainsFunc(known, func(k Span) bool { return !t.Before(k.From) && !t.After(k.Until) }) {
			s.True++
		}
	}
	for _, k := range known {
		if slices.ContainsFunc(at, func(t time.Time) bool { return !t.Before(k.From) && !t.After(k.Until) }) {
			s.Foreseen++
		}
	}
	return s
}
