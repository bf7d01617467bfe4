package plan

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// together is how many needs the search beyond Exact plans at once, with all the others as they are.
const together = 11

// bounded is how many needs at most a bound takes together.
const bounded = 13

// defaultRounds of the search beyond Exact.
const defaultRounds = 100

// large answers a good plan for more needs than can be proved, and what no plan can go below. It begins with a few needs after another and then
// plans again and again a few that lie near each other, as long as that burdens less.
func (s *solver) large(chosen []int) (cost, bound float64, picks []used) {
	r := &repair{solver: s, home: make([]float64, len(s.Needs)), first: make([]int, len(s.Needs)), rand: rand.New(rand.NewPCG(s.Seed, uint64(len(chosen))))}
	for _, i := range chosen {
		r.home[i] = s.atHome(i)
		r.first[i] = math.MaxInt
		for _, w := range s.Needs[i].Ways {
			for _, o := range w.Openings {
				r.first[i] = min(r.first[i], o.From)
			}
		}
		cost += r.home[i]
	}
	order := slices.Clone(chosen)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.first[a], r.first[b]) })
	for from := 0; from < len(order); from += together {
		cost += r.again(order[from:min(from+together, len(order))])
	}
	rounds := s.Rounds
	if rounds == 0 {
		rounds = defaultRounds
	}
	for range rounds {
		cost += r.again(r.near(order))
	}
	return cost, s.below(chosen), r.picks
}

// repair is a plan that is made better piece by piece.
type repair struct {
	*solver
	picks []used
	home  []float64
	first []int // the minute at which each need can first be met
	rand  *rand.Rand
}

// near answers a few needs: one outing or need by chance, and what lies near it in time.
func (r *repair) near(all []int) []int {
	seed := all[r.rand.IntN(len(all))]
	at := r.first[seed]
	if i := r.pick(seed); i >= 0 {
		at = r.Days[r.picks[i].day].From
	}
	type far struct{ need, minutes int }
	var list []far
	for _, i := range all {
		t := r.first[i]
		if p := r.pick(i); p >= 0 {
			t = r.Days[r.picks[p].day].From
		}
		list = append(list, far{i, max(t-at, at-t) + r.rand.IntN(10*24*60)})
	}
	slices.SortStableFunc(list, func(a, b far) int { return cmp.Compare(a.minutes, b.minutes) })
	var out []int
	for _, f := range list {
		group := []int{f.need}
		if p := r.pick(f.need); p >= 0 {
			group = r.picks[p].needs
		}
		if slices.Contains(out, f.need) || len(out)+len(group) > together {
			continue
		}
		out = append(out, group...)
	}
	return out
}

// pick answers which bundle has a need, or -1.
func (r *repair) pick(need int) int {
	return slices.IndexFunc(r.picks, func(u used) bool { return slices.Contains(u.needs, need) })
}

// again plans some needs anew around all the others, and answers by how much the burden changes: never by more than nothing. They are all of
// each bundle that has one of them.
func (r *repair) again(needs []int) float64 {
	if len(needs) == 0 {
		return 0
	}
	before := 0.0
	var kept []used
	for _, u := range r.picks {
		if !slices.Contains(needs, u.needs[0]) {
			kept = append(kept, u)
		} else {
			before += r.cost(u)
		}
	}
	for _, i := range needs {
		if r.pick(i) < 0 {
			before += r.home[i]
		}
	}
	var days []int
	for d := range r.Days {
		free := !slices.ContainsFunc(kept, func(u used) bool {
			return u.day == d || u.outing && max(u.day-d, d-u.day) <= r.Rest
		})
		if free {
			days = append(days, d)
		}
	}
	x := r.newSearch(days, needs, r.between(needs, kept))
	after, picks := x.run()
	if after >= before-1e-9 {
		return 0
	}
	r.picks = append(kept, picks...)
	slices.SortFunc(r.picks, func(a, b used) int { return cmp.Compare(a.day, b.day) })
	return after - before
}

// cost answers the burden of a bundle.
func (s *solver) cost(u used) float64 {
	w := s.newSearch([]int{u.day}, u.needs, nil).work(0, s.stops)
	w.sets = make([][]int32, 1<<len(u.needs))
	best := math.Inf(1)
	for _, b := range w.run() {
		if int(b.set) == 1<<len(u.needs)-1 && (u.outing || !b.outing) {
			best = min(best, b.cost)
		}
	}
	return best
}

// between answers when each need can be met without coming before or after others, which stay where they are, against its order. The days of those are
// taken, so that whole days bound it. A need that waits for one without a time cannot be met; and one for which another waits stays before it.
func (r *repair) between(needs []int, kept []used) []Span {
	day := map[int]int{}
	for _, u := range kept {
		for _, i := range u.needs {
			day[i] = u.day
		}
	}
	out := make([]Span, len(needs))
	for b, i := range needs {
		out[b] = Span{0, math.MaxInt32}
		for _, a := range r.Needs[i].After {
			if slices.Contains(needs, a) {
				continue
			}
			if d, ok := day[a]; ok {
				out[b].From = max(out[b].From, r.Days[d].To)
			} else {
				out[b].From = math.MaxInt32
			}
		}
		for other, d := range day {
			if slices.Contains(r.Needs[other].After, i) {
				out[b].To = min(out[b].To, r.Days[d].From)
			}
		}
	}
	return out
}

// below answers a burden that no plan for these needs can go below. Every need costs what it costs where it is cheapest; on top of that
// come the outings, of which needs that share no day share none.
func (s *solver) below(chosen []int) float64 {
	total := 0.0
	type seen struct{ need, first, last int }
	var list []seen
	for _, i := range chosen {
		outside, _ := s.outside(i)
		total += min(s.atHome(i), outside)
		n := seen{need: i, first: -1}
		for d, day := range s.Days {
			if len(s.options(day, []int{i}, nil)) > 0 {
				if n.first < 0 {
					n.first = d
				}
				n.last = d
			}
		}
		if n.first >= 0 && !s.order[i] && s.atHome(i) > outside {
			list = append(list, n)
		}
	}
	if !s.metric {
		return total
	}
	earliest := len(s.Days)
	for _, n := range list {
		earliest = min(earliest, n.first)
	}
	// above[d] is what the outings up to day d cost at least, by stretches of days that do not overlap.
	above := make([]float64, len(s.Days)+1)
	for last := range s.Days {
		above[last+1] = above[last]
		// Of all stretches that end here those are tried that a need spans, and the longest.
		var firsts []int
		for _, n := range list {
			if n.last == last && !slices.Contains(firsts, n.first) {
				firsts = append(firsts, n.first)
			}
		}
		if len(firsts) > 0 && !slices.Contains(firsts, earliest) {
			firsts = append(firsts, earliest)
		}
		for _, first := range firsts {
			var group []int
			for _, n := range list {
				if n.first >= first && n.last <= last && len(group) < bounded {
					group = append(group, n.need)
				}
			}
			above[last+1] = max(above[last+1], above[first]+s.outings(group, first, last))
		}
	}
	return total + above[len(s.Days)]
}

// outings answers what the outings of some needs on some days cost at least.
func (s *solver) outings(group []int, first, last int) float64 {
	var days []int
	for d := first; d <= last; d++ {
		days = append(days, d)
	}
	x := s.newSearch(days, group, nil)
	least := x.newBound().least
	for _, i := range group {
		outside, _ := s.outside(i)
		least[len(least)-1] -= min(s.atHome(i), outside)
	}
	return max(0, least[len(least)-1])
}
