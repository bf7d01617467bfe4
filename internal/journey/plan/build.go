package plan

import (
	"cmp"
	"math"
	"slices"
)

// solve answers a plan, or the need whose time at home has to be planned with the others.
func (s *solver) solve() (plan Plan, late int) {
	plan.Items = make([]Item, 0, len(s.Needs))
	var chosen []int
	fixed := 0.0 // of those that stay at home whatever the others do
	for i := range s.Needs {
		home := s.atHome(i)
		outside, beyond := s.outside(i)
		if s.order[i] || s.timed[i] || beyond < home && s.metric || !s.metric && !math.IsInf(outside, 1) {
			chosen = append(chosen, i)
			continue
		}
		fixed += home
	}
	days := make([]int, len(s.Days))
	for d := range days {
		days[d] = d
	}
	var cost, bound float64
	var picks []used
	if len(chosen) == 0 || len(chosen) <= Exact && !s.NoProof {
		cost, picks = s.newSearch(days, chosen, nil).run()
		bound = cost
	} else {
		cost, bound, picks = s.large(chosen)
	}
	done := make([]bool, len(s.Needs))
	for _, u := range picks {
		s.put(&plan, u, done)
	}
	if late = s.stayHome(&plan, done); late >= 0 {
		return Plan{}, late
	}
	for i, ok := range done {
		if !ok {
			plan.Unmet = append(plan.Unmet, i)
		}
	}
	missing := unmet * float64(len(plan.Unmet))
	plan.Burden, plan.Bound = cost+fixed-missing, max(0, bound+fixed-missing)
	plan.Optimal = bound >= cost-1e-6
	if plan.Optimal {
		plan.Bound = plan.Burden
	}
	plan.sort()
	return plan, -1
}

// sort brings items into the order of the needs and trips into the order of their days.
func (p *Plan) sort() {
	order := make([]int, len(p.Items))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p.Items[a].Need, p.Items[b].Need) })
	to := make([]int, len(order))
	items := make([]Item, len(order))
	for new, old := range order {
		to[old], items[new] = new, p.Items[old]
	}
	p.Items = items
	for _, t := range p.Trips {
		for i := range t.Items {
			t.Items[i] = to[t.Items[i]]
		}
	}
}

// put writes a bundle into the plan: the ways through its day are followed once more, with its needs alone, and its minutes are set.
func (s *solver) put(plan *Plan, u used, done []bool) {
	x := s.newSearch([]int{u.day}, u.needs, nil)
	w := x.work(0, s.stops)
	w.sets = make([][]int32, 1<<len(x.chosen))
	best := bundle{label: -1}
	for _, b := range w.run() {
		if int(b.set) == 1<<len(u.needs)-1 && (best.label < 0 || b.cost < best.cost) && (u.outing || !b.outing) {
			best = b
		}
	}
	for _, i := range u.needs {
		done[i] = true
	}
	var path []int32
	for at := best.label; at > 0; at = w.labels[at].prev {
		path = append(path, at)
	}
	slices.Reverse(path)
	now := w.day.From
	for i := 0; i < len(path); i++ {
		l := &w.labels[path[i]]
		if l.travel < 0 { // at home
			o := &w.options[l.option]
			start := max(now, o.first)
			now = start + o.minutes
			plan.Items = append(plan.Items, Item{Need: u.needs[o.need], Way: o.way, Opening: o.opening, Start: start, Arrive: start, Trip: -1})
			continue
		}
		end := i
		for w.labels[path[end]].travel >= 0 {
			end++
		}
		now = s.outing(plan, w, u, path[i:end])
		i = end // the label of being home again
	}
}

// outing writes one outing: leaving as late as its stops allow without being home later.
func (s *solver) outing(plan *Plan, w *dayWork, u used, path []int32) int {
	last := &w.labels[path[len(path)-1]]
	legs := s.Travel[last.travel].Legs
	home := legs[last.place][Home].Minutes
	before := w.labels[w.labels[path[0]].prev].cost
	now := int(min(last.leave, last.ready-last.worked))
	trip := Trip{Day: u.day, Travel: int(last.travel), Leave: now}
	place := Home
	for _, at := range path {
		o := &w.options[w.labels[at].option]
		arrive := now + legs[place][o.place].Minutes
		start := max(arrive, o.first)
		now, place = start+o.minutes, o.place
		trip.Items = append(trip.Items, len(plan.Items))
		plan.Items = append(plan.Items, Item{Need: u.needs[o.need], Way: o.way, Opening: o.opening, Start: start, Arrive: arrive, Trip: len(plan.Trips)})
	}
	trip.Return = now + home
	closing := *last
	closing.ready += int32(home)
	closing.worked += int32(home)
	closing.cost += legs[last.place][Home].Cost - s.Idle*float64(home)
	trip.Burden = closing.burden(s.Idle) - before
	plan.Trips = append(plan.Trips, trip)
	return trip.Return
}
