package routing

import "math"

// shrink looks for plans with fewer vehicles (after Christiaens & Vanden Berghe 2020): a route is given up, and its requests are absent until ruin and
// rebuild find place for them. What is often absent weighs more, so that hard requests push easy ones out and not the other way round. It ends when stop
// answers true or fewer vehicles than least cannot be; the best plan then is the current one.
func (w *worker) shrink(least int, stop func() bool) {
	if len(w.absent) > 0 && math.IsInf(w.bestCost, 1) {
		w.record() // the fleet is too small as it is
	}
	for !stop() {
		if len(w.absent) == 0 {
			w.record()
			if w.used() <= least || !w.giveUp() {
				return
			}
		}
		w.before = append(w.before[:0], w.absent...)
		if !w.ruin() {
			w.drop()
			continue
		}
		w.rebuild()
		w.iterations++
		if w.musts() > 0 {
			w.drop()
			continue
		}
		was, is := w.missed(w.before), w.missed(w.absent)
		for _, r := range w.absent {
			w.absence[r]++
		}
		delta := 0.0
		for _, c := range w.changed {
			delta += w.routes[c.v].cost - c.old.cost
		}
		if is < was || is == was && len(w.absent) == len(w.before) && delta < -w.fleetHeat*math.Log(1-w.rng.Float64()) {
			w.keep()
		} else {
			w.drop()
		}
	}
}

func (w *worker) missed(list []int32) float64 {
	sum := 0.0
	for _, r := range list {
		sum += w.absence[r]
	}
	return sum
}

func (w *worker) used() int {
	n := 0
	for _, r := range w.routes {
		if r.used {
			n++
		}
	}
	return n
}

// giveUp takes the route whose requests are least hard to place out of the plan, and closes its vehicle with those that are not used. It answers false
// where no route can be given up.
func (w *worker) giveUp() bool {
	least, at := math.Inf(1), int32(nobody)
	for v, r := range w.routes {
		if !r.used {
			w.closed[v] = true
			continue
		}
		sum := 0.0
		for i := range r.nodes {
			if id := r.nodes[i].id; id >= 0 && id&1 == 0 {
				sum += w.absence[id>>1] + 1e-3
			}
		}
		if sum < least && w.m.vehicles[v].people == 0 {
			least, at = sum, int32(v)
		}
	}
	if at == nobody {
		return false
	}
	w.before = append(w.before[:0], w.absent...)
	for i := range w.routes[at].nodes {
		if id := w.routes[at].nodes[i].id; id >= 0 && !w.m.requests[id>>1].rest {
			w.remove(id >> 1)
		}
	}
	w.cut()
	w.keep()
	w.closed[at] = true
	return true
}

// lower answers how many vehicles are needed at least, where all are alike: as many as hold what stays aboard to the end of the routes.
func (m *model) lower() int {
	if m.classes > 1 || len(m.vehicles[0].capacity) > 1 {
		return 1
	}
	least := 1
	for k := range kinds {
		sum := 0
		for i := range m.requests {
			if q := &m.requests[i]; !q.ride && !q.leaves {
				sum += int(q.load >> (16 * k) & MaxLoad)
			}
		}
		if c := int(m.vehicles[0].capacity[0] >> (16 * k) & (1<<15 - 1)); c > 0 {
			least = max(least, (sum+c-1)/c)
		}
	}
	return least
}
