package plan

import (
	"cmp"
	"math"
	"slices"

	"doorstep/internal/fault"
)

// Many is several people's problems that draw on shared capacity: the hours of clinicians and nurses, the stops of a van.
//
// Its promise: no cell is ever taken more often than its capacity. Each cell has a price in patient-minutes that rises while too many people want it
// (Lagrangian relaxation with a subgradient; Fisher, Management Science 1981), so that it goes to those who would lose most without it; what the prices
// leave over is settled by regret. Bound says how far the best division could lie below.
type Many struct {
	People   []*Problem
	Capacity []int // of each cell: how many openings with it in Uses can be begun in
	Steps    int   // of the prices; 0: 30
}

// Share is what sharing costs one person.
type Share struct {
	Alone, Shared           float64 // her burden had she everything to herself, and beside the others
	AloneUnmet, SharedUnmet int
}

// Shared is an answer to Many.
type Shared struct {
	Plans  []Plan // in the order of the people
	Shares []Share
	Prices []float64 // of each cell, patient-minutes
	Unmet  int       // needs of all people
	Burden float64
	Bound  float64 // no division that meets as many needs burdens less
}

// defaultSteps of the prices.
const defaultSteps = 30

// Validate says what is wrong with people or capacity.
func (m *Many) Validate() error {
	for c, n := range m.Capacity {
		if n < 0 {
			return fault.Invalidf("the capacity of cell %d is %d", c, n)
		}
	}
	for i, p := range m.People {
		if err := p.Validate(); err != nil {
			return fault.Invalidf("person %d: %s", i, err)
		}
		for _, n := range p.Needs {
			for _, w := range n.Ways {
				for _, o := range w.Openings {
					for _, c := range o.Uses {
						if c < 0 || c >= len(m.Capacity) {
							return fault.Invalidf("person %d, need %q, way %q: cell %d is not known", i, n.ID, w.ID, c)
						}
					}
				}
			}
		}
	}
	return nil
}

// uses answers how often each cell is taken by a plan of a person.
func (m *Many) uses(i int, p Plan, add func(cell int)) {
	for _, it := range p.Items {
		for _, c := range m.People[i].Needs[it.Need].Ways[it.Way].Openings[it.Opening].Uses {
			add(c)
		}
	}
}

// Usage answers how often each cell is taken by everybody's plans.
func (m *Many) Usage(plans []Plan) []int {
	out := make([]int, len(m.Capacity))
	for i, p := range plans {
		m.uses(i, p, func(c int) { out[c]++ })
	}
	return out
}

// worth is a plan's burden with the needs that it leaves.
func worth(p Plan) float64 { return p.Burden + unmet*float64(len(p.Unmet)) }

// Solve divides what is shared. The problem has been validated.
func (m *Many) Solve() Shared {
	s := &sharing{Many: m, prices: make([]float64, len(m.Capacity)), alone: make([]Plan, len(m.People)), touched: make([][]bool, len(m.People))}
	for i, p := range m.People {
		s.alone[i] = p.Solve()
		s.touched[i] = make([]bool, len(m.Capacity))
		for _, n := range p.Needs {
			for _, w := range n.Ways {
				for _, o := range w.Openings {
					for _, c := range o.Uses {
						s.touched[i][c] = true
					}
				}
			}
		}
	}
	return s.answer(s.price())
}

// sharing is the work of Solve.
type sharing struct {
	*Many
	prices  []float64
	alone   []Plan
	touched [][]bool // which cells each person could take at all
}

// price raises and lowers the prices, and answers the best division that was found and what none can go below, both with what is unmet.
func (s *sharing) price() (best []Plan, value, bound float64) {
	plans := slices.Clone(s.alone)
	best = s.divide(plans)
	value = total(best)
	bound = totalBound(plans)
	steps := s.Steps
	if steps == 0 {
		steps = defaultSteps
	}
	scale, stuck := 1.0, 0
	for range steps {
		over := s.Usage(plans)
		norm := 0.0
		for c := range over {
			over[c] -= s.Capacity[c]
			if over[c] > 0 || s.prices[c] > 0 {
				norm += float64(over[c] * over[c])
			}
		}
		gap := value - bound
		if norm == 0 || gap <= 1e-6 {
			break
		}
		step := scale * min(gap, unmet/100) / norm
		before := slices.Clone(s.prices)
		for c := range over {
			s.prices[c] = min(max(0, s.prices[c]+step*float64(over[c])), unmet/1000)
		}
		low := 0.0
		for i := range s.People {
			if slices.ContainsFunc(indices(len(before)), func(c int) bool { return s.touched[i][c] && before[c] != s.prices[c] }) {
				plans[i] = s.priced(i, nil).Solve()
			}
			low += plans[i].Bound + unmet*float64(len(plans[i].Unmet))
		}
		for c, v := range s.prices {
			low -= v * float64(s.Capacity[c])
		}
		if low > bound+1e-9 {
			bound, stuck = low, 0
		} else if stuck++; stuck == 3 {
			scale, stuck = scale/2, 0
		}
		if d := s.divide(plans); total(d) < value {
			best, value = d, total(d)
		}
	}
	return best, value, bound
}

// priced answers a person's problem with the prices in it, or, where shut is given, without prices and without the cells that are shut to her.
func (s *sharing) priced(i int, shut []bool) *Problem {
	p := *s.People[i]
	p.Needs = slices.Clone(p.Needs)
	for n := range p.Needs {
		need := &p.Needs[n]
		need.Ways = slices.Clone(need.Ways)
		for w := range need.Ways {
			way := &need.Ways[w]
			way.Openings = slices.Clone(way.Openings)
			for o := range way.Openings {
				open := &way.Openings[o]
				for _, c := range open.Uses {
					if shut == nil {
						open.Extra += s.prices[c]
					} else if shut[c] {
						open.To = open.From - 1 // nothing fits, and the others keep their places in the list
					}
				}
				open.Extra = min(open.Extra, unmet/20)
			}
		}
	}
	return &p
}

// divide makes plans into ones that keep the capacity: of those who want a cell that is too full, they keep it who would lose most. It leaves the plans that it
// is given as they are.
func (s *sharing) divide(priced []Plan) []Plan {
	plans := make([]Plan, len(priced))
	for i := range priced {
		plans[i] = s.unpriced(i, priced[i])
	}
	shut := make([][]bool, len(plans))
	for i := range shut {
		shut[i] = make([]bool, len(s.Capacity))
	}
	for {
		use := s.Usage(plans)
		worst := -1
		for c := range use {
			if use[c] > s.Capacity[c] && (worst < 0 || use[c]-s.Capacity[c] > use[worst]-s.Capacity[worst]) {
				worst = c
			}
		}
		if worst < 0 {
			return plans
		}
		type regret struct {
			person int
			plan   Plan
			loss   float64
		}
		var list []regret
		for i := range plans {
			takes := false
			s.uses(i, plans[i], func(c int) { takes = takes || c == worst })
			if !takes {
				continue
			}
			closed := slices.Clone(shut[i])
			mine := make([]int, len(use))
			s.uses(i, plans[i], func(c int) { mine[c]++ })
			for c := range use { // what the others have filled is no way out
				if closed[c] = closed[c] || c == worst || use[c]-mine[c] >= s.Capacity[c]; use[c] > s.Capacity[c] && c != worst && mine[c] > 0 {
					closed[c] = shut[i][c] // it is settled in its own turn
				}
			}
			other := s.priced(i, closed).Solve()
			list = append(list, regret{i, other, worth(other) - worth(plans[i])})
		}
		// Those who lose least give way. Where they go they may meet: that cell is settled next. Each round shuts a cell to somebody, so it ends.
		slices.SortStableFunc(list, func(a, b regret) int { return cmp.Compare(a.loss, b.loss) })
		for _, r := range list[:min(len(list), use[worst]-s.Capacity[worst])] {
			plans[r.person] = r.plan
			shut[r.person][worst] = true
		}
	}
}

// unpriced answers a plan made with prices as what it burdens without them.
func (s *sharing) unpriced(i int, p Plan) Plan {
	extra := 0.0
	s.uses(i, p, func(c int) { extra += s.prices[c] })
	p.Burden -= extra
	p.Bound = min(s.alone[i].Bound, p.Burden)
	p.Optimal = p.Burden <= p.Bound+1e-9
	return p
}

// answer puts the division together with what each person bears for it.
func (s *sharing) answer(best []Plan, value, bound float64) Shared {
	out := Shared{Plans: best, Prices: s.prices}
	for i, p := range best {
		out.Shares = append(out.Shares, Share{Alone: s.alone[i].Burden, Shared: p.Burden, AloneUnmet: len(s.alone[i].Unmet), SharedUnmet: len(p.Unmet)})
		out.Unmet += len(p.Unmet)
		out.Burden += p.Burden
	}
	out.Bound = min(out.Burden, max(0, bound-unmet*float64(out.Unmet)))
	return out
}

func total(plans []Plan) float64 {
	sum := 0.0
	for _, p := range plans {
		sum += worth(p)
	}
	return sum
}

func totalBound(plans []Plan) float64 {
	sum := 0.0
	for _, p := range plans {
		sum += p.Bound + unmet*float64(len(p.Unmet))
	}
	return sum
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Fairness says how what sharing costs is spread over the people: the burden of each beside what it would be alone, in patient-minutes.
type Fairness struct {
	People        int     `json:"people"`
	Alone, Shared float64 // sums
	Mean          float64 // more than alone, of all people
	P90, Most     float64 // more than alone: nine in ten bear no more; the one who bears most
	Spread        float64 // standard deviation of it
	Bearing       int     // people who bear anything
	Unmet         int     // needs that are met alone and not shared
}

// Fair answers how the shares are spread.
func Fair(shares []Share) Fairness {
	f := Fairness{People: len(shares)}
	var more []float64
	for _, s := range shares {
		f.Alone += s.Alone
		f.Shared += s.Shared
		f.Unmet += s.SharedUnmet - s.AloneUnmet
		if s.SharedUnmet > s.AloneUnmet { // less was done for her: what it burdens says nothing
			continue
		}
		d := max(0, s.Shared-s.Alone)
		if d > 1e-6 {
			f.Bearing++
		}
		more = append(more, d)
	}
	if len(more) == 0 {
		return f
	}
	slices.Sort(more)
	for _, d := range more {
		f.Mean += d / float64(len(more))
	}
	for _, d := range more {
		f.Spread += (d - f.Mean) * (d - f.Mean) / float64(len(more))
	}
	f.Spread = math.Sqrt(f.Spread)
	f.P90, f.Most = more[(len(more)*9+9)/10-1], more[len(more)-1]
	return f
}
