package routing

import (
	"context"
	"math"
)

// Stability says when a better plan is worth telling people about.
type Stability struct {
	PerChange float64 // what each changed promise must gain, in units of cost
	Tolerance float64 // a stop that moves by no more than this in the same vehicle is no change
}

// Change is what a new plan would change.
type Change struct {
	Gain    float64 // cost that is saved
	Served  int     // more requests served (fewer: below 0)
	Changed []int   // requests whose vehicle or time is another, ascending
}

// Worth reports whether a change is to be published: it serves more, or no fewer and gains more than its changes cost.
func (s Stability) Worth(c Change) bool {
	if c.Served != 0 {
		return c.Served > 0
	}
	return c.Gain > s.PerChange*float64(len(c.Changed)) && c.Gain > 1e-9
}

// Replan improves a plan, whose routes it starts from, and answers the better plan with what it changes; publish says whether it is worth it. What was promised is hard
// because it stands in the windows of the stops. After a cancellation the plan is that without the request.
func Replan(ctx context.Context, p *Problem, routes []Route, o Options, s Stability) (plan *Plan, change Change, publish bool, err error) {
	before, err := Schedule(p, routes)
	if err != nil {
		return nil, Change{}, false, err
	}
	o.Start = routes
	plan, err = Solve(ctx, p, o)
	if err != nil {
		return nil, Change{}, false, err
	}
	change = compare(p, before, plan, s.Tolerance)
	return plan, change, s.Worth(change), nil
}

// compare answers what a plan changes of another.
func compare(p *Problem, before, after *Plan, tolerance float64) Change {
	type promise struct {
		vehicle int
		begin   [2]float64
	}
	read := func(plan *Plan) map[int]promise {
		out := map[int]promise{}
		for _, r := range plan.Routes {
			for _, v := range r.Visits {
				if v.Request >= 0 {
					q := out[v.Request]
					q.vehicle = r.Vehicle
					q.begin[v.Stop] = v.Begin
					out[v.Request] = q
				}
			}
		}
		return out
	}
	was, is := read(before), read(after)
	c := Change{Gain: before.Cost - after.Cost, Served: len(is) - len(was)}
	for r := range p.Requests {
		a, served := was[r]
		if !served {
			continue
		}
		b, still := is[r]
		if !still || a.vehicle != b.vehicle || math.Abs(a.begin[0]-b.begin[0]) > tolerance || math.Abs(a.begin[1]-b.begin[1]) > tolerance {
			c.Changed = append(c.Changed, r)
		}
	}
	return c
}
