package plan_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorstep/internal/journey/plan"
)

// world draws a small problem on a grid of ten minutes.
func world(t *rapid.T, needs, days int) *plan.Problem {
	n := func(low, high int, name string) int { return rapid.IntRange(low, high).Draw(t, name) }
	p := &plan.Problem{Outing: float64(n(0, 60, "outing")), Idle: float64(n(0, 2, "idle")), Stops: n(1, 4, "stops"), Rest: n(0, 2, "rest")}
	if n(0, 3, "limited") == 0 {
		p.Away = 10 * n(8, 30, "away")
	}
	for d := range days {
		day := plan.Day{Span: plan.Span{From: d * 600, To: d*600 + 600}}
		if n(0, 5, "stays in") > 0 {
			day.Out = plan.Span{From: d*600 + 10*n(0, 10, "out"), To: d*600 + 600 - 10*n(0, 10, "in")}
		}
		p.Days = append(p.Days, day)
	}
	places := n(2, 4, "places")
	xs := make([]int, places)
	for i := range xs {
		xs[i] = n(0, 6, "x")
	}
	for range n(1, 2, "travel") {
		speed := n(1, 3, "speed")
		legs := make([][]plan.Leg, places)
		for i := range legs {
			for j := range xs {
				far := max(xs[i]-xs[j], xs[j]-xs[i])
				legs[i] = append(legs[i], plan.Leg{Minutes: 10 * far, Cost: float64(10 * far * speed)})
			}
		}
		p.Travel = append(p.Travel, plan.Travel{Legs: legs})
	}
	for i := range needs {
		need := plan.Need{}
		if i > 0 && n(0, 5, "after") == 0 {
			need.After = []int{n(0, i-1, "which")}
		}
		for range n(1, 3, "ways") {
			w := plan.Way{Place: n(0, places-1, "place"), Present: n(0, 1, "present") == 1, Minutes: 10 * n(1, 6, "minutes"), Cost: float64(n(0, 120, "cost"))}
			for range n(1, 2, "openings") {
				from := 10 * n(0, 60*days-6, "from")
				w.Openings = append(w.Openings, plan.Opening{Span: plan.Span{From: from, To: from + 10*n(1, 50, "open")}, Extra: float64(10 * n(0, 2, "extra"))})
			}
			need.Ways = append(need.Ways, w)
		}
		p.Needs = append(p.Needs, need)
	}
	for _, need := range p.Needs {
		for _, a := range need.After {
			for _, n := range []plan.Need{need, p.Needs[a]} {
				for w := range n.Ways {
					n.Ways[w].Present = true
				}
			}
		}
	}
	return p
}

// chosen is one way and opening of a need on a day.
type chosen struct {
	need, way, day int
	opening        plan.Opening
}

// brute answers the fewest unmet needs and their least burden by trying everything on the grid of ten minutes. It shares nothing with the solver.
type brute struct {
	*plan.Problem
	picks []chosen
	best  float64
}

// dayCost is what a day's choices cost, with or without going out; infinite where it cannot be.
type dayCost struct{ inside, outside float64 }

const missing = 1e7

func (b *brute) solve(i int) {
	if i == len(b.Needs) {
		b.rate()
		return
	}
	b.solve(i + 1) // unmet
	for w, way := range b.Needs[i].Ways {
		for _, o := range way.Openings {
			for d, day := range b.Days {
				if o.From < day.To && o.To >= day.From {
					b.picks = append(b.picks, chosen{i, w, d, o})
					b.solve(i + 1)
					b.picks = b.picks[:len(b.picks)-1]
				}
			}
		}
	}
}

func (b *brute) rate() {
	day := map[int]int{}
	for _, c := range b.picks {
		day[c.need] = c.day
	}
	for _, c := range b.picks {
		for _, a := range b.Needs[c.need].After {
			if d, ok := day[a]; !ok || d > c.day {
				return
			}
		}
	}
	// Going out or not is chosen day by day, with rest between.
	type state map[int]float64
	now := state{b.Rest: 0}
	for d := range b.Days {
		var list []chosen
		for _, c := range b.picks {
			if c.day == d {
				list = append(list, c)
			}
		}
		cost := b.dayCost(d, list)
		next := state{}
		put := func(k int, v float64) {
			if old, ok := next[k]; !ok || v < old {
				next[k] = v
			}
		}
		for k, v := range now {
			put(min(k+1, b.Rest), v+cost.inside)
			if k == b.Rest {
				put(0, v+cost.outside)
			}
		}
		now = next
	}
	for _, v := range now {
		b.best = min(b.best, v+missing*float64(len(b.Needs)-len(b.picks)))
	}
}

func (b *brute) dayCost(d int, list []chosen) (out dayCost) {
	// What nobody has to be there for happens beside everything else.
	alone := 0.0
	list = slices.DeleteFunc(list, func(c chosen) bool {
		w := b.Needs[c.need].Ways[c.way]
		free := w.Place == plan.Home && !w.Present
		if free {
			alone += b.from(d, []chosen{c}, -1, 0, 0, 0)
		}
		return free
	})
	out = dayCost{math.Inf(1), math.Inf(1)}
	if len(list) == 0 {
		return dayCost{alone, math.Inf(1)}
	}
	defer func() { out.inside, out.outside = out.inside+alone, out.outside+alone }()
	permutations(list, func(order []chosen) {
		out.inside = min(out.inside, b.walk(d, order, -1, 0, 0))
		for from := range order {
			for to := from + 1; to <= len(order); to++ {
				for t := range b.Travel {
					out.outside = min(out.outside, b.walk(d, order, t, from, to))
				}
			}
		}
	})
	return out
}

// walk rates an order of a day in which order[from:to] is the outing, for the best minute of leaving.
func (b *brute) walk(d int, order []chosen, travel, from, to int) float64 {
	day := b.Days[d]
	for i, c := range order {
		away := b.Needs[c.need].Ways[c.way].Place != plan.Home
		if away != (travel >= 0 && i >= from && i < to) {
			return math.Inf(1)
		}
		for _, a := range b.Needs[c.need].After {
			if slices.ContainsFunc(order[i:], func(o chosen) bool { return o.need == a }) {
				return math.Inf(1)
			}
		}
	}
	if travel < 0 {
		return b.from(d, order, travel, from, to, day.From)
	}
	if to-from > b.Stops || day.Out.From == day.Out.To {
		return math.Inf(1)
	}
	best := math.Inf(1)
	for leave := day.Out.From; leave <= day.Out.To; leave += 10 {
		best = min(best, b.from(d, order, travel, from, to, leave))
	}
	return best
}

func (b *brute) from(d int, order []chosen, travel, from, to, leave int) float64 {
	day, now, cost := b.Days[d], b.Days[d].From, 0.0
	place := plan.Home
	for i, c := range order {
		w := b.Needs[c.need].Ways[c.way]
		within := day.Span
		minutes := w.Minutes
		if travel >= 0 && i == from {
			if now > leave {
				return math.Inf(1)
			}
			now = leave
			cost += b.Outing
		}
		if w.Place != plan.Home {
			within = day.Out
			leg := b.Travel[travel].Legs[place][w.Place]
			now += leg.Minutes
			cost += leg.Cost
			place = w.Place
		} else if !w.Present {
			minutes = 0
		}
		start := max(now, c.opening.From, within.From)
		if w.Place != plan.Home {
			cost += b.Idle * float64(start-now)
		}
		last := min(c.opening.To-w.Minutes, within.To-minutes)
		if w.Place == plan.Home && !w.Present {
			last = min(c.opening.To-w.Minutes, within.To-1)
		}
		if start > last {
			return math.Inf(1)
		}
		now = start + minutes
		cost += w.Cost + c.opening.Extra
		if travel >= 0 && i == to-1 {
			leg := b.Travel[travel].Legs[place][plan.Home]
			now += leg.Minutes
			cost += leg.Cost
			if now > day.Out.To || b.Away > 0 && now-leave > b.Away {
				return math.Inf(1)
			}
			place = plan.Home
		}
	}
	return cost
}

func permutations(list []chosen, f func([]chosen)) {
	var rec func(k int)
	rec = func(k int) {
		if k == len(list) {
			f(list)
			return
		}
		for i := k; i < len(list); i++ {
			list[k], list[i] = list[i], list[k]
			rec(k + 1)
			list[k], list[i] = list[i], list[k]
		}
	}
	rec(0)
}

// A thousand small problems: the plan keeps every limit, and nothing burdens less.
func TestSolveAgainstBruteForce(t *testing.T) {
	t.Parallel()
	for range 10 { // of a hundred each
		rapid.Check(t, func(t *rapid.T) {
			p := world(t, rapid.IntRange(1, 4).Draw(t, "needs"), rapid.IntRange(1, 3).Draw(t, "days"))
			if err := p.Validate(); err != nil {
				t.Fatal(err)
			}
			b := &brute{Problem: p, best: math.Inf(1)}
			b.solve(0)
			got := p.Solve()
			if err := p.Check(got); err != nil {
				t.Fatal(err)
			}
			if have := got.Burden + missing*float64(len(got.Unmet)); !got.Optimal || math.Abs(have-b.best) > 1e-6 {
				t.Fatalf("burden %g, optimal %v; by trying everything %g\n%+v\n%+v", have, got.Optimal, b.best, got, p)
			}
		})
	}
}

// Beyond what can be proved: every limit is kept, the least burden lies between bound and plan, and more needs are not met than have to be.
func TestSolveWithoutProof(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := world(t, rapid.IntRange(3, 7).Draw(t, "needs"), rapid.IntRange(2, 6).Draw(t, "days"))
		p.Rounds = 30
		best := p.Solve()
		p.NoProof = true
		got := p.Solve()
		if err := p.Check(got); err != nil {
			t.Fatal(err)
		}
		least, have := best.Burden+missing*float64(len(best.Unmet)), got.Burden+missing*float64(len(got.Unmet))
		if have < least-1e-6 || len(got.Unmet) == len(best.Unmet) && got.Bound > best.Burden+1e-6 {
			t.Fatalf("burden %g, bound %g; the least is %g", have, got.Bound, least)
		}
	})
}

func TestValidate(t *testing.T) {
	t.Parallel()
	day := []plan.Day{{Span: plan.Span{From: 0, To: 600}, Out: plan.Span{From: 0, To: 600}}}
	need := func(w plan.Way) plan.Problem {
		return plan.Problem{Days: day, Needs: []plan.Need{{ID: "n", Ways: []plan.Way{w}}}}
	}
	for name, p := range map[string]plan.Problem{
		"at least one day":          {},
		"does not follow":           {Days: []plan.Day{{Span: plan.Span{From: 0, To: 10}}, {Span: plan.Span{From: 5, To: 20}}}},
		"does not lie in the day":   {Days: []plan.Day{{Span: plan.Span{From: 0, To: 10}, Out: plan.Span{From: 0, To: 11}}}},
		"a limit is negative":       {Days: day, Rest: -1},
		"place 3 is not known":      need(plan.Way{ID: "w", Place: 3}),
		"it takes 0 minutes":        need(plan.Way{ID: "w", Present: true}),
		"its burden is NaN":         need(plan.Way{ID: "w", Cost: math.NaN()}),
		"an opening's extra":        need(plan.Way{ID: "w", Openings: []plan.Opening{{Extra: -1}}}),
		"after a need that is not":  {Days: day, Needs: []plan.Need{{ID: "n", After: []int{1}}}},
		"comes after itself":        {Days: day, Needs: []plan.Need{{ID: "a", After: []int{1}}, {ID: "b", After: []int{0}}}},
		"has 1 legs from place 0":   {Days: day, Travel: []plan.Travel{{Legs: [][]plan.Leg{{{}}, {{}}}}}},
		"the leg from place 0 to 1": {Days: day, Travel: []plan.Travel{{Legs: [][]plan.Leg{{{}, {Minutes: -1}}, {{}, {}}}}}},
	} {
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
