package routing

import "math"

// node is a stop in a route, or one of its ends, with the schedules that bound every feasible one from below and from above.
type node struct {
	early   float64 // earliest begin of service under every limit of the route (the least fixpoint of its difference constraints)
	leave   float64 // early + service
	latest  float64 // latest begin under every limit
	service float64
	ride    float64 // limit from the end of service at mate to the begin here; at the last node, of the route's duration
	load    uint64  // aboard after it
	place   int32
	id      int32 // stop; atDepot
	people  int32 // aboard after it
	mate    int32 // position of the pickup of a delivery, 0 at the last node; -1: none
}

const atDepot = -1

// eps is what sums of doubles may be wrong by.
const eps = 1e-7

// route is the way of a vehicle. It is not changed once a worker has put it into its current solution.
type route struct {
	v     int32
	used  bool // serves more than breaks
	own   bool // belongs to the solution being built, may be changed
	nodes []node
	cost  float64
	late  float64 // cost of lateness, a part of cost
}

// raise moves node i to a later begin and pushes those after it up to node to (included), as far as they have to be. It answers false where a window or
// a later limit is hit.
func (m *model) raise(nodes []node, i int, begin float64) bool {
	n := &nodes[i]
	if begin > n.latest+eps {
		return false
	}
	n.early, n.leave = begin, begin+n.service
	for k := i + 1; k < len(nodes); k++ {
		before, n := &nodes[k-1], &nodes[k]
		arrive := before.leave + m.time[int(before.place)*m.places+int(n.place)]
		if arrive <= n.early {
			return true
		}
		if arrive > n.latest+eps {
			return false
		}
		n.early, n.leave = arrive, arrive+n.service
	}
	return true
}

// forward makes the earliest schedule from position from on, where everything before it holds the earliest schedule already and latest of each node
// bounds it. After node settled, a node that has not moved ends the work: those after it stand as they did. A ride that is too long is mended by
// picking up later, as far as the wait on the way allows: that is exact, because a later pickup moves the delivery only when the wait is used up.
func (m *model) forward(nodes []node, from, settled int) bool {
	for k := from; k < len(nodes); k++ {
		before, n := &nodes[k-1], &nodes[k]
		arrive := before.leave + m.time[int(before.place)*m.places+int(n.place)]
		if n.id >= 0 {
			arrive = max(arrive, m.stops[n.id].from, n.early)
		}
		if k > settled && arrive <= n.early+1e-9 {
			return true
		}
		if arrive > n.latest+eps {
			return false
		}
		n.early, n.leave = arrive, arrive+n.service
		if n.mate >= 0 && arrive-nodes[n.mate].leave > n.ride+eps {
			if !m.mend(nodes, k) {
				return false
			}
		}
	}
	return true
}

// mend delays the pickup of the delivery at k until its ride is short enough, and then those of the deliveries in between whose rides that made longer.
func (m *model) mend(nodes []node, k int) bool {
	n := &nodes[k]
	from := int(n.mate)
	due := n.early
	if !m.push(nodes, from, k, due-n.ride-nodes[from].service) || nodes[k].early > due+eps {
		return false
	}
	for j := from + 1; j < k; j++ {
		d := &nodes[j]
		if d.mate >= 0 && d.early-nodes[d.mate].leave > d.ride+eps && !m.mend(nodes, j) {
			return false
		}
	}
	return nodes[k].early <= due+eps
}

// push is raise for the nodes up to last.
func (m *model) push(nodes []node, i, last int, begin float64) bool {
	return m.raise(nodes[:last+1], i, begin)
}

// backward makes the latest schedule; early is right.
func (m *model) backward(nodes []node) bool {
	for k := len(nodes) - 2; k >= 0; k-- {
		n, after := &nodes[k], &nodes[k+1]
		by := after.latest - m.time[int(n.place)*m.places+int(after.place)] - n.service
		if by < n.latest {
			n.latest = by
		}
	}
	// Rides: a delivery is at most its limit after its pickup.
	for again := true; again; {
		again = false
		for k := len(nodes) - 1; k > 0; k-- {
			n := &nodes[k]
			if n.mate < 0 || math.IsInf(n.ride, 1) {
				continue
			}
			by := nodes[n.mate].latest + nodes[n.mate].service + n.ride
			if by >= n.latest-1e-9 {
				continue
			}
			again = true
			n.latest = by
			for j := k - 1; j >= 0; j-- {
				b, a := &nodes[j], &nodes[j+1]
				by := a.latest - m.time[int(b.place)*m.places+int(a.place)] - b.service
				if by >= b.latest {
					break
				}
				b.latest = by
			}
		}
	}
	for k := range nodes {
		if nodes[k].early > nodes[k].latest+1e-5 {
			return false
		}
	}
	return true
}

// lateness answers the cost of wishes that the earliest schedule does not meet.
func (m *model) lateness(nodes []node) float64 {
	sum := 0.0
	for i := range nodes {
		if id := nodes[i].id; id >= 0 {
			if s := &m.stops[id]; s.late > 0 && nodes[i].early > s.due {
				sum += (nodes[i].early - s.due) * s.late
			}
		}
	}
	return sum
}

// node answers a stop as it stands in no route yet.
func (m *model) node(id int32) node {
	s := &m.stops[id]
	return node{early: math.Inf(-1), latest: s.to, service: s.service, ride: s.ride, place: s.place, id: id, mate: -1}
}

// ends answers the empty route of a vehicle.
func (m *model) ends(v int) (first, last node) {
	w := &m.vehicles[v]
	first = node{early: w.from, leave: w.from, latest: w.to, ride: math.Inf(1), load: w.aboard, people: w.people, place: w.start, id: atDepot, mate: -1}
	last = node{early: w.from, latest: w.to, ride: w.duration, place: w.end, id: atDepot, mate: 0}
	return first, last
}

// complete fills everything of a route whose nodes have their ids, places aside where breaks are: mates, loads, both schedules, cost. It answers false where
// a limit is broken.
func (m *model) complete(r *route, pos []int32) bool {
	nodes := r.nodes
	w := &m.vehicles[r.v]
	last := len(nodes) - 1
	nodes[0].early, nodes[0].leave, nodes[0].latest, nodes[0].load = w.from, w.from, w.to, w.aboard
	nodes[last].early, nodes[last].latest = math.Inf(-1), w.to
	load, people := w.aboard, w.people
	nodes[0].people = people
	r.used = people != 0
	for k := 1; k < last; k++ {
		n := &nodes[k]
		s := &m.stops[n.id]
		q := &m.requests[n.id>>1]
		n.early, n.latest, n.mate = math.Inf(-1), s.to, -1
		switch {
		case q.rest:
			n.place = nodes[k-1].place
			if q.alone && people != 0 {
				return false
			}
		case n.id&1 == 1:
			n.mate = pos[n.id-1]
			load -= q.load
			people--
		case q.leaves:
			load -= q.load
			people--
		default:
			pos[n.id] = int32(k)
			load += q.load
			if q.ride {
				people++
			}
		}
		n.people = people
		r.used = r.used || !q.rest
		n.load = load
		if !w.fits(load) {
			return false
		}
	}
	nodes[last].load = load
	if !m.forward(nodes, 1, last) || !m.backward(nodes) {
		return false
	}
	r.cost = 0
	for k := 1; k <= last; k++ {
		r.cost += m.cost[int(nodes[k-1].place)*m.places+int(nodes[k].place)]
	}
	r.late = 0
	if !r.used { // it stays at its depot
		r.cost = 0
		return true
	}
	r.cost += w.fixed
	if m.soft {
		r.late = m.lateness(nodes)
		r.cost += r.late
	}
	return true
}
