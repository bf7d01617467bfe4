package routing

import "math"

// spot is a place for a request in a route: its pickup (or visit) behind node i, its delivery behind node j, i ≤ j by the nodes as they are.
type spot struct {
	cost  float64 // added; +Inf: none
	i, j  int16
	known bool // of a cache: it has been looked for
}

var none = spot{cost: math.Inf(1), known: true}

// look answers the cheapest feasible place of a request in a route that costs less than bound. Filters by the two schedules that bound the route throw
// out most places at once; what is left and cheaper than anything before is tried in full.
func (w *worker) look(req int, r *route, bound float64) spot {
	m := w.m
	if !m.may(req, int(r.v)) {
		return none
	}
	q := &m.requests[req]
	base := 0.0
	if !r.used && !q.rest {
		v := &m.vehicles[r.v]
		base = v.fixed + m.cost[int(v.start)*m.places+int(v.end)]
	}
	switch {
	case q.rest:
		return w.bestRest(req, r, bound)
	case q.ride:
		return w.bestRide(req, r, base, bound)
	}
	return w.bestVisit(req, r, base, bound)
}

func (w *worker) bestRide(req int, r *route, base, bound float64) spot {
	m := w.m
	found := none
	found.cost = bound
	q, p, d := &m.requests[req], &m.stops[2*req], &m.stops[2*req+1]
	vehicle := &m.vehicles[r.v]
	nodes, places := r.nodes, m.places
	last := len(nodes) - 1
	toP, toD := int(p.place), int(d.place)
	fromP := m.time[toP*places : (toP+1)*places]
	fromD := m.time[toD*places : (toD+1)*places]
	costP := m.cost[toP*places : (toP+1)*places]
	costD := m.cost[toD*places : (toD+1)*places]
	direct, directCost := fromP[toD], costP[toD]
	hit := false
	for i := 0; i < last; i++ {
		at, next := &nodes[i], &nodes[i+1]
		row := int(at.place) * places
		begin := max(at.leave+m.time[row+toP], p.from)
		if begin > p.to {
			if at.leave > p.to {
				break
			}
			continue
		}
		if next.place == at.place && w.isRest(next) || !vehicle.fits(at.load+q.load) {
			continue
		}
		leaveP := begin + p.service
		nextPlace := int(next.place)
		out := m.cost[row+toP] - m.cost[row+nextPlace]
		// Delivery at once.
		beginD := max(leaveP+direct, d.from)
		if beginD <= d.to && beginD+d.service+fromD[nextPlace] <= next.latest+eps {
			if cost := base + out + directCost + costD[nextPlace]; cost < found.cost-1e-9 {
				if cost, ok := w.try(r, req, i, i, cost, found.cost); ok {
					found.cost, found.i, found.j, hit = cost, int16(i), int16(i), true
				}
			}
		}
		// Delivery behind a later node.
		arrive := leaveP + fromP[nextPlace]
		if arrive > next.latest+eps {
			continue
		}
		out += base + costP[nextPlace]
		if out >= found.cost {
			continue
		}
		ridden := fromP[nextPlace] // least time aboard until service at node j begins
		for j := i + 1; j < last; j++ {
			at, next := &nodes[j], &nodes[j+1]
			begin := max(arrive, at.early)
			leave := begin + at.service
			ridden += at.service
			if !vehicle.fits(at.load+q.load) || w.bars(at) {
				break
			}
			row := int(at.place) * places
			way := m.time[row+toD]
			if ridden+way > d.ride+eps {
				break
			}
			beginD := max(leave+way, d.from)
			if beginD > d.to {
				break
			}
			nextPlace := int(next.place)
			if beginD+d.service+fromD[nextPlace] <= next.latest+eps && !(next.place == at.place && w.isRest(next)) {
				if cost := out + m.cost[row+toD] + costD[nextPlace] - m.cost[row+nextPlace]; cost < found.cost-1e-9 {
					if cost, ok := w.try(r, req, i, j, cost, found.cost); ok {
						found.cost, found.i, found.j, hit = cost, int16(i), int16(j), true
					}
				}
			}
			step := m.time[row+nextPlace]
			arrive = leave + step
			if arrive > next.latest+eps {
				break
			}
			ridden += step
		}
	}
	if !hit {
		return none
	}
	return found
}

func (w *worker) bestVisit(req int, r *route, base, bound float64) spot {
	m := w.m
	found := none
	found.cost = bound
	q, s := &m.requests[req], &m.stops[2*req]
	vehicle := &m.vehicles[r.v]
	nodes, places := r.nodes, m.places
	last := len(nodes) - 1
	to := int(s.place)
	from := m.time[to*places : (to+1)*places]
	first := 0
	if q.load != 0 && !q.leaves { // it stays aboard to the end: how early can it come
		for k := last; k >= 0; k-- {
			if !vehicle.fits(nodes[k].load + q.load) {
				first = k + 1
				break
			}
		}
	}
	hit := false
	for i := first; i < last; i++ {
		at, next := &nodes[i], &nodes[i+1]
		row := int(at.place) * places
		begin := max(at.leave+m.time[row+to], s.from)
		if begin > s.to {
			if at.leave > s.to {
				break
			}
			continue
		}
		if begin+s.service+from[next.place] > next.latest+eps || next.place == at.place && w.isRest(next) {
			continue
		}
		if cost := base + m.cost[row+to] + m.cost[to*places+int(next.place)] - m.cost[row+int(next.place)]; cost < found.cost-1e-9 {
			if cost, ok := w.try(r, req, i, i, cost, found.cost); ok {
				found.cost, found.i, found.j, hit = cost, int16(i), int16(i), true
			}
		}
	}
	if !hit {
		return none
	}
	return found
}

// bestRest finds the place of a break, which costs no way: the one that pushes the rest of the route the least.
func (w *worker) bestRest(req int, r *route, bound float64) spot {
	m := w.m
	found := none
	q, s := &m.requests[req], &m.stops[2*req]
	least := math.Inf(1)
	for i := 0; i < len(r.nodes)-1; i++ {
		at, next := &r.nodes[i], &r.nodes[i+1]
		begin := max(at.leave, s.from)
		if begin > s.to {
			break
		}
		pushed := max(0, begin+s.service+m.time[int(at.place)*m.places+int(next.place)]-next.early)
		if q.alone && at.people != 0 || next.place == at.place && w.isRest(next) || pushed >= least {
			continue
		}
		if cost, ok := w.try(r, req, i, i, 0, bound); ok {
			least = pushed
			found.cost, found.i, found.j = cost, int16(i), int16(i)
		}
	}
	return found
}

// isRest reports whether a node is a break.
func (w *worker) isRest(n *node) bool { return n.id >= 0 && w.m.requests[n.id>>1].rest }

// bars reports whether nobody may be aboard at a node.
func (w *worker) bars(n *node) bool { return w.isRest(n) && w.m.requests[n.id>>1].alone }

// try puts a request into a copy of a route and makes its schedule. It answers the cost with that of lateness, and whether that is feasible and below bound.
func (w *worker) try(r *route, req, i, j int, cost, bound float64) (float64, bool) {
	m := w.m
	nodes := w.lay(r.nodes, req, i, j)
	settled := i + 1
	if m.requests[req].ride {
		settled = j + 2
	}
	if !m.forward(nodes, i+1, settled) {
		return 0, false
	}
	if m.soft {
		cost += m.lateness(nodes) - r.late
		if cost >= bound-1e-9 {
			return 0, false
		}
	}
	return cost, true
}

// lay writes a route with a request put in into the worker's scratch, as forward wants it.
func (w *worker) lay(old []node, req, i, j int) []node {
	m := w.m
	n := len(old)
	add := 1
	if m.requests[req].ride {
		add = 2
	}
	if cap(w.scratch) < n+2 {
		w.scratch = make([]node, 2*(n+2))
	}
	nodes := w.scratch[:n+add]
	copy(nodes[:i+1], old[:i+1])
	nodes[i+1] = m.node(int32(2 * req))
	if nodes[i+1].place < 0 {
		nodes[i+1].place = nodes[i].place
	}
	if add == 1 {
		copy(nodes[i+2:], old[i+1:])
		for k := i + 2; k < n+1; k++ {
			if nodes[k].mate > int32(i) {
				nodes[k].mate++
			}
		}
		return nodes
	}
	copy(nodes[i+2:], old[i+1:j+1])
	nodes[j+2] = m.node(int32(2*req + 1))
	nodes[j+2].mate = int32(i + 1)
	copy(nodes[j+3:], old[j+1:])
	for k := i + 2; k < n+2; k++ {
		if k == j+2 {
			continue
		}
		switch mate := nodes[k].mate; {
		case mate > int32(j):
			nodes[k].mate += 2
		case mate > int32(i):
			nodes[k].mate++
		}
	}
	return nodes
}
