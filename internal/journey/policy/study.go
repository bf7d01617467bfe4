package policy

import (
	"context"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/stat"
)

// Study is both policies over several seeds, each seed's people living under both.
type Study struct {
	Seeds   int           `json:"seeds"`
	Nearest Outcome       `json:"nearest"` // mean of the seeds, for a person
	Journey Outcome       `json:"journey"`
	Contact stat.Interval `json:"contact_less"` // percent fewer contact days, 95 % over the seeds
	Hours   stat.Interval `json:"hours_less"`
	Trips   stat.Interval `json:"trips_less"`
	Miles   stat.Interval `json:"miles_less"`
}

// Run simulates seeds from first on.
func Run(ctx context.Context, w World, first uint64, seeds int) (Study, error) {
	near, plan := make([]Outcome, seeds), make([]Outcome, seeds)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for i := range seeds {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			near[i] = w.Nearest(first + uint64(i))
			var err error
			plan[i], err = w.Journey(first + uint64(i))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Study{}, err
	}
	s := Study{Seeds: seeds}
	less := func(of func(Outcome) float64) stat.Interval {
		values := make([]float64, seeds)
		for i := range values {
			values[i] = 100 * (1 - of(plan[i])/of(near[i]))
		}
		return stat.MeanInterval(values)
	}
	s.Contact = less(func(o Outcome) float64 { return o.Contact })
	s.Hours = less(func(o Outcome) float64 { return o.Hours })
	s.Trips = less(func(o Outcome) float64 { return o.Trips })
	s.Miles = less(func(o Outcome) float64 { return o.Miles })
	for i := range seeds {
		s.Nearest.plus(near[i], seeds)
		s.Journey.plus(plan[i], seeds)
	}
	return s, nil
}

// plus adds an outcome's share of a mean; what was missed and due is summed.
func (o *Outcome) plus(x Outcome, of int) {
	n := float64(of)
	o.Contact += x.Contact / n
	o.Hours += x.Hours / n
	o.Trips += x.Trips / n
	o.Miles += x.Miles / n
	o.Dollars += x.Dollars / n
	o.Missed += x.Missed
	o.Due += x.Due
}
