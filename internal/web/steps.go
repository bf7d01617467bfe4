package web

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/reading"
	"doorstep/internal/reading/sample"
)

// steps shows how far a person walks. Two devices that count the same steps are not added: the one that saw most of a day counts.
func (s *Server) steps(ctx context.Context, p *page, l reading.Sample, goals map[reading.GoalKind]reading.Goal, charts bool) (figure, error) {
	f := figure{Key: "steps", Unit: p.T("numbers.steps.unit"), At: l.At, Unsure: p.doubt(l.Flags), Kind: reading.StepsGoal}
	last := clock.DayOf(p.Now, p.Zone)
	first := last.Add(1 - numbersDays)
	samples, err := s.Reading.Samples(ctx, string(p.Org.ID), string(p.Patient.ID), sample.Steps, clock.At(first, 0, p.Zone), p.Now.Add(time.Minute))
	if err != nil {
		return f, err
	}
	sums := map[clock.Day]map[string]float64{}
	for _, x := range samples {
		if x.Flags&(reading.Impossible|reading.TimeUnknown) != 0 {
			continue
		}
		d := clock.DayOf(x.At, p.Zone)
		if sums[d] == nil {
			sums[d] = map[string]float64{}
		}
		sums[d][x.Device] += x.Value
	}
	most := func(d clock.Day) (n float64) {
		for _, v := range sums[d] {
			n = max(n, v)
		}
		return n
	}
	f.Value = p.Num(most(last), 0)
	var days []day // that are over
	var week []float64
	for i := range numbersDays - 1 {
		if d := first.Add(i); sums[d] != nil {
			days = append(days, day{d, most(d), 1})
			if last.Sub(d) <= 7 {
				week = append(week, most(d))
			}
		}
	}
	f.Say = p.N("numbers.few", len(days), "what", p.T("the.steps"))
	if len(week) > 0 {
		f.Say = p.Whose("numbers.steps", "n", p.Num(mean(week), 0))
		if g, ok := goals[f.Kind]; ok {
			short := g.Short(mean(week))
			f.Goal = p.goal(p.T("numbers.steps.goal", "n", p.Num(g.Value, 0)), short, p.T("numbers.steps.goal", "n", p.Num(short, 0)))
		}
	}
	f.Change = p.change("week.steps", changed(last.Add(-1), days, 500), 0)
	if !charts || len(days) == 0 {
		return f, nil
	}
	c := plot{Name: f.Say, XLabels: p.dayLabels(first), Goal: goals[f.Kind].Value, Format: func(v float64) string { return p.Num(v, 0) }}
	c.BandLow, c.BandHigh = band(days)
	f.Heads = []string{p.T("numbers.day"), p.T("title.steps")}
	for _, d := range days {
		c.Dots = append(c.Dots, dot{X: across(d.Day, first), High: d.Median})
		f.Rows = append(f.Rows, []string{p.shortDay(d.Day), p.Num(d.Median, 0)})
	}
	slices.Reverse(f.Rows)
	f.Chart = c.draw()
	f.Note = p.legend(c)
	return f, nil
}
