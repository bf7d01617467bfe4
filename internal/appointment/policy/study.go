package policy

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/stat"
)

// Line is what a policy does at a load, over seeds: each number the mean of the seeds' with its 95 % interval by Student's t. Those
// compared with the telephone are means of the differences seed by seed, in percent of the telephone's.
type Line struct {
	Policy   string        `json:"policy"`
	Load     float64       `json:"load"`
	Mean     stat.Interval `json:"days_mean"` // to be seen; those still waiting count with their days so far
	P90      stat.Interval `json:"days_p90"`
	MeanLess stat.Interval `json:"mean_less_percent"` // than under the telephone
	P90Less  stat.Interval `json:"p90_less_percent"`
	Waiting  stat.Interval `json:"still_waiting_percent"`
	Left     stat.Interval `json:"gave_up_percent"`
	Fill     stat.Interval `json:"fill_percent"`      // of times given back
	PerFill  stat.Interval `json:"messages_per_fill"` // offers by times that one of the offered took
	NoShow   stat.Interval `json:"noshow_percent"`
	Seen     stat.Interval `json:"seen_per_shift"`
	Extra    stat.Interval `json:"beside_another_per_shift"`
	Overtime stat.Interval `json:"overtime_minutes_per_shift"`
	Wait     stat.Interval `json:"wait_minutes_per_visit"`
}

// Study simulates policies on the same seeds as the telephone, and answers a line for each.
func Study(ctx context.Context, w World, policies []Policy, first uint64, seeds int) ([]Line, error) {
	all := append([]Policy{Policies[0]}, policies...)
	runs := make([][]Run, len(all))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range all {
		runs[i] = make([]Run, seeds)
		for k := range seeds {
			g.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				runs[i][k] = Simulate(w, p, first+uint64(k))
				slices.Sort(runs[i][k].Days)
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make([]Line, len(policies))
	for i, p := range policies {
		out[i] = lineOf(p.Name, w.Load, runs[i+1], runs[0])
	}
	return out, nil
}

func lineOf(name string, load float64, runs, phone []Run) Line {
	over := func(f func(r, base Run) float64) stat.Interval {
		v := make([]float64, len(runs))
		for i := range runs {
			v[i] = f(runs[i], phone[i])
		}
		return stat.MeanInterval(v)
	}
	p90 := func(r Run) float64 { return r.Days[min(len(r.Days)*9/10, len(r.Days)-1)] }
	percent := func(part, all int) float64 { return 100 * float64(part) / float64(max(all, 1)) }
	l := Line{Policy: name, Load: load}
	l.Mean = over(func(r, _ Run) float64 { return stat.Mean(r.Days) })
	l.P90 = over(func(r, _ Run) float64 { return p90(r) })
	l.MeanLess = over(func(r, b Run) float64 { return 100 * (1 - stat.Mean(r.Days)/stat.Mean(b.Days)) })
	l.P90Less = over(func(r, b Run) float64 { return 100 * (1 - p90(r)/p90(b)) })
	l.Waiting = over(func(r, _ Run) float64 { return percent(r.Waiting, len(r.Days)) })
	l.Left = over(func(r, _ Run) float64 { return percent(r.Left, r.Left+len(r.Days)) })
	l.Fill = over(func(r, _ Run) float64 { return percent(r.Filled, r.Freed) })
	l.PerFill = over(func(r, _ Run) float64 { return float64(r.Offers) / float64(max(r.ByList, 1)) })
	l.NoShow = over(func(r, _ Run) float64 { return percent(r.NoShows, r.NoShows+r.Visits) })
	l.Seen = over(func(r, _ Run) float64 { return float64(r.Visits) / float64(max(r.Shifts, 1)) })
	l.Extra = over(func(r, _ Run) float64 { return float64(r.Extra) / float64(max(r.Shifts, 1)) })
	l.Overtime = over(func(r, _ Run) float64 { return r.Overtime / float64(max(r.Shifts, 1)) })
	l.Wait = over(func(r, _ Run) float64 { return r.Wait / float64(max(r.Visits, 1)) })
	return l
}
