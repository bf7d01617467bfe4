package plan

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// used is a bundle of a plan: a day, and what is done on it.
type used struct {
	day    int
	needs  []int
	outing bool
}

// search is the exact search over some needs and days: which bundle on which day, everything else at home.
type search struct {
	*solver
	days    []int // indices of the problem's
	chosen  []int // needs, by bit
	home    []float64
	after   []uint32
	limit   float64 // a plan that burdens more is not sought
	bound   *bound
	perDay  [][]bundle
	options [][]option
}

// newSearch gets a search ready over some days for some needs, each of them within a span if within is not nil.
func (s *solver) newSearch(days, chosen []int, within []Span) *search {
	x := &search{solver: s, days: days, chosen: chosen, limit: math.Inf(1)}
	bit := map[int]int{}
	for b, i := range chosen {
		bit[i] = b
		x.home = append(x.home, s.atHome(i))
	}
	for _, i := range chosen {
		var before uint32
		for _, a := range s.Needs[i].After {
			if b, ok := bit[a]; ok {
				before |= 1 << b
			}
		}
		x.after = append(x.after, before)
	}
	for _, d := range days {
		x.options = append(x.options, s.options(s.Days[d], chosen, within))
	}
	return x
}

// sum answers the total of a set's needs.
func sum(set uint32, of []float64) float64 {
	total := 0.0
	for ; set != 0; set &= set - 1 {
		total += of[bits.TrailingZeros32(set)]
	}
	return total
}

// run answers the least burden and the bundles that make it.
func (x *search) run() (float64, []used) {
	x.bound = x.newBound()
	// Outings of two stops are quickly known. Between what they cost and what no plan can go below lies the answer; the nearer the limit is to it, the
	// sooner a way that leads nowhere is given up. So the limit is raised in steps, and the first plan found below one is the best.
	x.generate(min(2, x.stops))
	cost, picks := x.choose()
	if x.stops <= 2 {
		return cost, picks
	}
	low := x.bound.least[len(x.bound.least)-1]
	for _, part := range []float64{0.02, 0.1, 0.3, 1} {
		x.limit = low + part*(cost-low) + 1e-6
		x.generate(x.stops)
		if c, p := x.choose(); c < cost {
			cost, picks = c, p
		}
		if cost <= x.limit {
			break // every part of a plan below the limit was looked at
		}
	}
	return cost, picks
}

func (x *search) work(day, most int) *dayWork {
	w := &dayWork{solver: x.solver, day: x.Days[x.days[day]], options: x.options[day], needs: make([][]int32, len(x.chosen)), after: x.after, limit: x.limit, most: most}
	if x.bound != nil {
		w.bound = x.bound.days[day]
	}
	for i, o := range w.options {
		w.needs[o.need] = append(w.needs[o.need], int32(i))
	}
	return w
}

// generate finds the bundles of every day. Days alike but for the date are gone through once.
func (x *search) generate(most int) {
	known := map[string]int{}
	x.perDay = make([][]bundle, len(x.days))
	sets := make([][]int32, 1<<len(x.chosen))
	var labels []label
	for d := range x.days {
		w := x.work(d, most)
		key := w.key()
		if first, ok := known[key]; ok {
			x.perDay[d] = x.perDay[first]
			continue
		}
		known[key] = d
		w.sets, w.labels = sets, labels
		x.perDay[d] = w.run()
		labels = w.labels
	}
}

// key tells days apart by what can be done on them, counted from their first minute.
func (d *dayWork) key() string {
	var b []byte
	put := func(v int) { b = binary.AppendVarint(b, int64(v)) }
	put(d.day.To - d.day.From)
	put(d.day.Out.From - d.day.From)
	put(d.day.Out.To - d.day.From)
	for _, o := range d.options {
		put(o.need)
		put(o.way)
		put(o.first - d.day.From)
		put(o.last - d.day.From)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(o.cost))
	}
	return string(b)
}

// choose combines one bundle a day at the most.
func (x *search) choose() (float64, []used) {
	all := uint32(1)<<len(x.chosen) - 1
	least := x.least()
	for d, list := range x.perDay {
		x.perDay[d] = slices.DeleteFunc(slices.Clone(list), func(b bundle) bool {
			return b.cost >= sum(b.set, x.home) || b.cost+least[all&^b.set] > x.limit
		})
	}
	states := x.Rest + 1 // days at home since the last outing, up to Rest
	now, next := make([]float64, states<<len(x.chosen)), make([]float64, states<<len(x.chosen))
	for i := range now {
		now[i] = math.Inf(1)
	}
	now[x.Rest<<len(x.chosen)] = 0
	came := make([][]int32, len(x.days)) // how each state of the next morning was reached: bundle+1, and the state before
	for d, list := range x.perDay {
		for i := range next {
			next[i] = math.Inf(1)
		}
		came[d] = make([]int32, len(next))
		gap := 1 // days until the next one
		if d+1 < len(x.days) {
			gap = x.days[d+1] - x.days[d]
		}
		reach := func(to int, cost float64, bundle, from int) {
			if cost < next[to]-1e-9 {
				next[to], came[d][to] = cost, int32(bundle*states+from)
			}
		}
		// Days on which nothing is done come first: of two alike, the plan that is done earlier stands.
		for i, cost := range now {
			since := i >> len(x.chosen)
			reach(min(since+gap, x.Rest)<<len(x.chosen)|i&int(all), cost, 0, since)
		}
		for since := range states {
			row := now[since<<len(x.chosen) : (since+1)<<len(x.chosen)]
			rested := min(since+gap, x.Rest) << len(x.chosen)
			for set, cost := range row {
				if cost+least[all&^uint32(set)] > x.limit {
					continue
				}
				for i := range list {
					b := &list[i]
					if b.set&uint32(set) != 0 || b.before&^uint32(set) != 0 || b.outing && since < x.Rest {
						continue
					}
					to := rested
					if b.outing {
						to = min(gap-1, x.Rest) << len(x.chosen)
					}
					reach(to|set|int(b.set), cost+b.cost, i+1, since)
				}
			}
		}
		now, next = next, now
	}
	best, at := math.Inf(1), -1
	for i, cost := range now {
		if c := cost + sum(all&^(uint32(i)&all), x.home); c < best {
			best, at = c, i
		}
	}
	if at < 0 {
		return best, nil
	}
	return best, x.trace(came, at, states)
}

// trace follows a state back to its bundles, the first day's first.
func (x *search) trace(came [][]int32, at, states int) []used {
	var out []used
	mask := 1<<len(x.chosen) - 1
	for d := len(x.days) - 1; d >= 0; d-- {
		how := int(came[d][at])
		set := at & mask
		if b := how/states - 1; b >= 0 {
			set &^= int(x.perDay[d][b].set)
			u := used{day: x.days[d], outing: x.perDay[d][b].outing}
			for set := x.perDay[d][b].set; set != 0; set &= set - 1 {
				u.needs = append(u.needs, x.chosen[bits.TrailingZeros32(set)])
			}
			out = append(out, u)
		}
		at = how%states<<len(x.chosen) | set
	}
	slices.Reverse(out)
	return out
}

// least answers for each set of needs a burden below which it cannot be met: by the cheapest bundles of any days, whether they fit together or not.
func (x *search) least() []float64 {
	n := len(x.chosen)
	best := make([]float64, 1<<n)
	for i := range best {
		best[i] = math.Inf(1)
	}
	for _, list := range x.perDay {
		for i := range list {
			best[list[i].set] = min(best[list[i].set], list[i].cost)
		}
	}
	out := make([]float64, 1<<n)
	for set := 1; set < 1<<n; set++ {
		low := set & -set
		rest := set &^ low
		out[set] = x.home[bits.TrailingZeros32(uint32(low))] + out[rest]
		for sub := rest; ; sub = (sub - 1) & rest {
			if c := best[sub|low]; c+out[rest&^sub] < out[set] {
				out[set] = c + out[rest&^sub]
			}
			if sub == 0 {
				break
			}
		}
	}
	return out
}
