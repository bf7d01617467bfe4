package plan_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"doorstep/internal/journey/plan"
)

// sharers draws a few people, each with a need or two that can be met at a few times which others want too, or by going out whenever she likes.
func sharers(t *rapid.T) *plan.Many {
	n := func(low, high int, name string) int { return rapid.IntRange(low, high).Draw(t, name) }
	m := &plan.Many{Steps: 12}
	cells := n(1, 4, "cells")
	for range cells {
		m.Capacity = append(m.Capacity, n(0, 2, "capacity"))
	}
	for range n(1, 4, "people") {
		p := &plan.Problem{Days: []plan.Day{{Span: plan.Span{To: 1000}, Out: plan.Span{To: 1000}}}, Outing: 10,
			Travel: []plan.Travel{{Legs: [][]plan.Leg{{{}, {Minutes: 10, Cost: 10}}, {{Minutes: 10, Cost: 10}, {}}}}}}
		for range n(1, 2, "needs") {
			shared := plan.Way{ID: "shared", Present: true, Minutes: 10, Cost: float64(n(0, 20, "cost"))}
			for c := range cells {
				if n(0, 2, "open") > 0 {
					shared.Openings = append(shared.Openings, plan.Opening{Span: plan.Span{From: 100 * c, To: 100*c + 10}, Extra: float64(n(0, 9, "extra")), Uses: []int{c}})
				}
			}
			need := plan.Need{Ways: []plan.Way{shared}}
			if n(0, 3, "alone") > 0 {
				need.Ways = append(need.Ways, plan.Way{ID: "out", Place: 1, Minutes: 10, Cost: float64(n(0, 60, "out")), Openings: []plan.Opening{{Span: plan.Span{To: 1000}}}})
			}
			p.Needs = append(p.Needs, need)
		}
		m.People = append(m.People, p)
	}
	return m
}

// bestDivision tries every division of the cells among the people: which cells each may use at all, each alone. It shares nothing with Solve but the planner of one.
func bestDivision(m *plan.Many) float64 {
	cells := len(m.Capacity)
	worth := make([][]float64, len(m.People)) // by person and set of cells that she may use
	for i, p := range m.People {
		for set := range 1 << cells {
			q := *p
			q.Needs = nil
			for _, need := range p.Needs {
				var ways []plan.Way
				for _, w := range need.Ways {
					var open []plan.Opening
					for _, o := range w.Openings {
						if len(o.Uses) == 0 || set&(1<<o.Uses[0]) != 0 {
							open = append(open, o)
						}
					}
					w.Openings = open
					ways = append(ways, w)
				}
				q.Needs = append(q.Needs, plan.Need{Ways: ways})
			}
			got := q.Solve()
			worth[i] = append(worth[i], got.Burden+missing*float64(len(got.Unmet)))
		}
	}
	best := math.Inf(1)
	left := append([]int(nil), m.Capacity...)
	var give func(i int, sum float64)
	give = func(i int, sum float64) {
		if i == len(m.People) {
			best = min(best, sum)
			return
		}
	sets:
		for set := range 1 << cells {
			for c := range cells {
				if set&(1<<c) != 0 && left[c] == 0 {
					continue sets
				}
			}
			for c := range cells {
				if set&(1<<c) != 0 {
					left[c]--
				}
			}
			give(i+1, sum+worth[i][set])
			for c := range cells {
				if set&(1<<c) != 0 {
					left[c]++
				}
			}
		}
	}
	give(0, 0)
	return best
}

// Capacity is never exceeded, each plan keeps its own person's limits, and no division burdens less than the bound says.
func TestManyKeepsCapacity(t *testing.T) {
	t.Parallel()
	gap, cases := 0.0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := sharers(t)
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		got := m.Solve()
		for c, used := range m.Usage(got.Plans) {
			if used > m.Capacity[c] {
				t.Fatalf("cell %d is taken %d times, and has room for %d", c, used, m.Capacity[c])
			}
		}
		sum := 0.0
		for i, p := range got.Plans {
			if err := m.People[i].Check(p); err != nil {
				t.Fatal(err)
			}
			sum += p.Burden
			if s := got.Shares[i]; s.Shared != p.Burden || s.SharedUnmet < s.AloneUnmet || s.SharedUnmet == s.AloneUnmet && s.Shared < s.Alone-1e-9 {
				t.Fatalf("person %d bears %+v", i, s)
			}
		}
		if math.Abs(sum-got.Burden) > 1e-6 || got.Bound > got.Burden+1e-6 {
			t.Fatalf("burden %g, sum %g, bound %g", got.Burden, sum, got.Bound)
		}
		best := bestDivision(m)
		value := got.Burden + missing*float64(got.Unmet)
		if value < best-1e-6 || math.Floor(best/missing+.5) == float64(got.Unmet) && got.Bound > best-missing*float64(got.Unmet)+1e-6 {
			t.Fatalf("%g with bound %g, and the best division is %g", value, got.Bound, best)
		}
		gap += min(1, (value-best)/(1+best))
		cases++
	})
	if gap/float64(cases) > 0.02 {
		t.Errorf("the divisions burden %.1f %% more than the best, in the mean", 100*gap/float64(cases))
	}
}

// Who would lose most keeps what is scarce.
func TestManyByRegret(t *testing.T) {
	t.Parallel()
	person := func(out float64) *plan.Problem {
		return &plan.Problem{Days: []plan.Day{{Span: plan.Span{To: 1000}, Out: plan.Span{To: 1000}}}, Travel: []plan.Travel{{Legs: [][]plan.Leg{{{}, {}}, {{}, {}}}}},
			Needs: []plan.Need{{Ways: []plan.Way{{Present: true, Minutes: 30, Openings: []plan.Opening{{Span: plan.Span{From: 100, To: 130}, Uses: []int{0}}}},
				{Place: 1, Minutes: 30, Cost: out, Openings: []plan.Opening{{Span: plan.Span{To: 1000}}}}}}}}
	}
	m := &plan.Many{People: []*plan.Problem{person(50), person(200), person(90)}, Capacity: []int{1}}
	got := m.Solve()
	if got.Burden != 140 || got.Plans[1].Burden != 0 || got.Bound < 139.9 {
		t.Errorf("burdens %g (bound %g): %+v", got.Burden, got.Bound, got.Shares)
	}
	if f := plan.Fair(got.Shares); f.People != 3 || f.Bearing != 2 || f.Most != 90 || math.Abs(f.Mean-140.0/3) > 1e-9 || f.P90 != 90 {
		t.Errorf("fairness %+v", f)
	}
	m.Capacity[0] = -1
	if m.Validate() == nil {
		t.Error("a negative capacity")
	}
}
