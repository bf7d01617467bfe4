package web

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/reading"
	"doorstep/internal/reading/apple"
	"doorstep/internal/reading/sample"
)

// counted is what one device counted within an hour.
type counted struct {
	rank  int
	steps float64
}

// stepDays answers the steps of the last n days, by day; days without any are not there. Several devices may count the same steps (a
// watch, and the telephone in the bag): they are not added. In each hour the watch counts where it saw any, then other counters, then the
// telephone; of two of one kind the one that saw more.
func (s *Server) stepDays(ctx context.Context, p *page, n int) ([]day, error) {
	last := clock.DayOf(p.Now, p.Zone)
	samples, err := s.Reading.Samples(ctx, string(p.Org.ID), string(p.Patient.ID), sample.Steps, clock.At(last.Add(1-n), 0, p.Zone), p.Now.Add(time.Minute))
	if err != nil {
		return nil, err
	}
	ranks := map[string]int{}
	hours := map[int64]map[string]float64{}
	for _, x := range samples {
		if x.Flags&(reading.Impossible|reading.TimeUnknown) != 0 {
			continue
		}
		if _, known := ranks[x.Device]; !known {
			d, err := s.Reading.Device(ctx, x.Device)
			if err != nil {
				return nil, err
			}
			ranks[x.Device] = apple.Rank(d.Kind + " " + d.Source)
		}
		hour := x.At.Unix() / 3600
		if hours[hour] == nil {
			hours[hour] = map[string]float64{}
		}
		hours[hour][x.Device] += x.Value
	}
	sums := map[clock.Day]float64{}
	for hour, by := range hours {
		var best counted
		for device, steps := range by {
			if c := (counted{ranks[device], steps}); steps > 0 && (best.steps == 0 || c.rank > best.rank || c.rank == best.rank && c.steps > best.steps) {
				best = c
			}
		}
		sums[clock.DayOf(time.Unix(hour*3600, 0), p.Zone)] += best.steps
	}
	var list []day
	for i := range n {
		d := last.Add(1 - n + i)
		if v, ok := sums[d]; ok {
			list = append(list, day{d, v, 1})
		}
	}
	return list, nil
}

// steps shows how far a person walks. The day that is not over yet stands as the value alone.
func (s *Server) steps(ctx context.Context, p *page, l reading.Sample, goals map[reading.GoalKind]reading.Goal, charts bool) (figure, error) {
	f := figure{Key: "steps", Unit: p.T("numbers.steps.unit"), At: l.At, Unsure: p.doubt(l.Flags), Kind: reading.StepsGoal}
	last := clock.DayOf(p.Now, p.Zone)
	first := last.Add(1 - numbersDays)
	days, err := s.stepDays(ctx, p, numbersDays)
	if err != nil {
		return f, err
	}
	f.Value = p.Num(0, 0)
	if n := len(days); n > 0 && days[n-1].Day == last {
		f.Value = p.Num(days[n-1].Median, 0)
		days = days[:n-1]
	}
	var week []float64
	for _, d := range days {
		if last.Sub(d.Day) <= 7 {
			week = append(week, d.Median)
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
	c := plot{Name: f.Say, XLabels: p.dayLabels(first), Goal: goals[f.Kind].Value, Format: func(v float64) string { return p.Num(v, tenth(v)) }}
	c.BandLow, c.BandHigh = band(days)
	f.Heads = []string{p.T("numbers.day"), p.T("title.steps")}
	for _, d := range days {
		c.Dots = append(c.Dots, dot{X: across(d.Day, first), High: d.Median})
		f.Rows = append(f.Rows, []string{p.shortDay(d.Day), p.Num(d.Median, 0)})
	}
	slices.Reverse(f.Rows)
	f.Chart = c.draw()
	f.Note = p.legend(c)
	f.Zoom = sample.Steps
	return f, nil
}
