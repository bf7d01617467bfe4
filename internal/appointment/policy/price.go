package policy

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/stat"
)

// Price is what booking beside others does at a load: means over seeds of the difference to the same clinic without it, seed by seed, each
// with its 95 % interval by Student's t.
type Price struct {
	Load        float64       `json:"load"`          // new requests by what the clinic could hold if everybody came
	Sooner      stat.Interval `json:"sooner_days"`   // by which people are seen sooner, in the mean
	Wait        stat.Interval `json:"wait_more"`     // minutes that each person waits past her time, more
	Overtime    stat.Interval `json:"overtime_more"` // minutes past the end of the day, each clinician and day, more
	Beside      stat.Interval `json:"beside"`        // visits beside another, each clinician and day
	WaitNow     stat.Interval `json:"wait_now"`      // minutes without it
	OvertimeNow stat.Interval `json:"overtime_now"`  //
}

// PriceOf simulates a world with a waitlist and reconfirmation, with a share booked beside others and without, on the same seeds from first on.
func PriceOf(ctx context.Context, w World, share float64, first uint64, seeds int) (Price, error) {
	without := Policy{Name: "without", Waitlist: true, Reconfirm: true}
	with := without
	with.Name, with.Overbook = "with", share
	runs := [2][]Run{make([]Run, seeds), make([]Run, seeds)}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for k := range seeds {
		for i, p := range []Policy{without, with} {
			g.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				runs[i][k] = Simulate(w, p, first+uint64(k))
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return Price{}, err
	}
	over := func(f func(now, then Run) float64) stat.Interval {
		v := make([]float64, seeds)
		for k := range v {
			v[k] = f(runs[0][k], runs[1][k])
		}
		return stat.MeanInterval(v)
	}
	wait := func(r Run) float64 { return r.Wait / float64(max(r.Visits, 1)) }
	late := func(r Run) float64 { return r.Overtime / float64(max(r.Shifts, 1)) }
	return Price{Load: w.Load,
		Sooner:      over(func(a, b Run) float64 { return stat.Mean(a.Days) - stat.Mean(b.Days) }),
		Wait:        over(func(a, b Run) float64 { return wait(b) - wait(a) }),
		Overtime:    over(func(a, b Run) float64 { return late(b) - late(a) }),
		Beside:      over(func(_, b Run) float64 { return float64(b.Extra) / float64(max(b.Shifts, 1)) }),
		WaitNow:     over(func(a, _ Run) float64 { return wait(a) }),
		OvertimeNow: over(func(a, _ Run) float64 { return late(a) })}, nil
}
