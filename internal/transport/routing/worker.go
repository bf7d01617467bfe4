package routing

import (
	"math"
	"math/rand/v2"
	"slices"
)

// worker is one search: a current solution, which it ruins in part and rebuilds (Shaw 1998; strings of Christiaens & Vanden Berghe 2020), and takes
// the outcome by annealing. Workers share the model alone.
type worker struct {
	m   *model
	rng *rand.Rand

	routes  []*route // by vehicle; between iterations the current solution, within one what is made of it
	absent  []int32  // requests in no route
	cost    float64  // of routes, with the penalty of absent
	where   []int32  // vehicle of each request; -1: absent
	barred  []bool   // vehicles that cannot be used, because a break of theirs has no place
	closed  []bool   // vehicles that are not to be used: those, and those given up
	changed []change // routes of the current solution that this iteration has replaced
	before  []int32  // absent of the current solution

	pool    *pool
	cache   [][]spot // by vehicle and request: best places in the route of the current solution
	free    []*route
	scratch []node
	pos     []int32
	gone    []bool // requests that are being removed
	touched []bool // vehicles that are being ruined
	seen    []bool // classes of which an empty vehicle was tried
	order   []int32
	table   []spot
	absence []float64 // how often each request could not be placed (fleet)

	best      []*route
	bestLost  []int32
	bestCost  float64
	bestUsed  int
	fewer     bool    // fewer vehicles come before less cost
	fleetHeat float64 // temperature while vehicles are given up

	iterations int
	set        settings
	blink      float64 // how often a place is overlooked, so that the same ruin is not always rebuilt alike
}

type change struct {
	v   int32
	old *route
}

func newWorker(m *model, set settings, seed uint64, number int) *worker {
	n, v := len(m.requests), len(m.vehicles)
	w := &worker{
		m: m, rng: rand.New(rand.NewPCG(seed, uint64(number)+1)), routes: make([]*route, v), where: make([]int32, n), closed: make([]bool, v), barred: make([]bool, v),
		cache: make([][]spot, v), pos: make([]int32, 2*n), gone: make([]bool, n), touched: make([]bool, v), seen: make([]bool, m.classes),
		absence: make([]float64, n), bestCost: math.Inf(1), pool: newPool(m, 6000), set: set, blink: 0.01,
	}
	for i := range w.routes {
		w.cache[i] = nil
		w.routes[i] = w.empty(i)
	}
	for r := range n {
		w.where[r] = nobody
		w.absent = append(w.absent, int32(r))
	}
	w.cost = w.sum()
	return w
}

func (w *worker) empty(v int) *route {
	r := w.fresh(int32(v))
	first, last := w.m.ends(v)
	r.nodes = append(r.nodes[:0], first, last)
	w.m.complete(r, w.pos)
	return r
}

func (w *worker) fresh(v int32) *route {
	if n := len(w.free); n > 0 {
		r := w.free[n-1]
		w.free = w.free[:n-1]
		r.v, r.own = v, false
		return r
	}
	return &route{v: v, nodes: make([]node, 0, 32)}
}

// sum answers the cost of the routes and of who is absent.
func (w *worker) sum() float64 {
	sum := w.m.penalty * float64(len(w.absent))
	for _, r := range w.routes {
		sum += r.cost
	}
	return sum
}

// mine answers the route of a vehicle as one that may be changed.
func (w *worker) mine(v int32) *route {
	r := w.routes[v]
	if r.own {
		return r
	}
	c := w.fresh(v)
	c.nodes = append(c.nodes[:0], r.nodes...)
	c.used, c.cost, c.late, c.own = r.used, r.cost, r.late, true
	w.changed = append(w.changed, change{v, r})
	w.routes[v] = c
	return c
}

// keep makes what was built the current solution.
func (w *worker) keep() {
	for _, c := range w.changed {
		w.routes[c.v].own = false
		w.free = append(w.free, c.old)
		w.forget(int(c.v))
	}
	w.changed = w.changed[:0]
	w.cost = w.sum()
}

func (w *worker) forget(v int) {
	clear(w.cache[v])
}

// drop goes back to the current solution.
func (w *worker) drop() {
	for _, c := range w.changed {
		w.free = append(w.free, w.routes[c.v])
		w.routes[c.v] = c.old
		for i := range c.old.nodes {
			if id := c.old.nodes[i].id; id >= 0 {
				w.where[id>>1] = c.v
			}
		}
	}
	w.changed = w.changed[:0]
	w.absent = append(w.absent[:0], w.before...)
	for _, r := range w.absent {
		w.where[r] = nobody
	}
}

// remove marks a request as taken out; cut takes out all that are marked.
func (w *worker) remove(r int32) {
	if v := w.where[r]; v != nobody && !w.gone[r] {
		w.gone[r] = true
		w.touched[v] = true
		w.absent = append(w.absent, r)
	}
}

// cut takes the marked requests out of their routes. It answers false where a route is not feasible without them (durations that are shorter by a
// third place).
func (w *worker) cut() bool {
	ok := true
	for _, r := range w.absent {
		v := w.where[r]
		if v == nobody || !w.touched[v] {
			continue
		}
		w.touched[v] = false
		rt := w.mine(v)
		kept := rt.nodes[:0]
		for _, n := range rt.nodes {
			if n.id < 0 || !w.gone[n.id>>1] {
				kept = append(kept, n)
			}
		}
		rt.nodes = kept
		ok = w.m.complete(rt, w.pos) && ok
	}
	for _, r := range w.absent {
		if w.gone[r] {
			w.gone[r] = false
			w.where[r] = nobody
		}
	}
	return ok
}

// insert puts a request into a route at a spot that look has answered.
func (w *worker) insert(req int32, v int32, s spot) bool {
	r := w.mine(v)
	nodes := w.lay(r.nodes, int(req), int(s.i), int(s.j))
	r.nodes = append(r.nodes[:0], nodes...)
	if !w.m.complete(r, w.pos) {
		return false
	}
	w.where[req] = v
	return true
}

// spotIn answers the best place of a request in the route of a vehicle that costs less than bound; of routes of the current solution it is looked for once.
func (w *worker) spotIn(req int32, v int, bound float64) spot {
	r := w.routes[v]
	if r.own {
		return w.look(int(req), r, bound)
	}
	if w.cache[v] == nil {
		w.cache[v] = make([]spot, len(w.m.requests))
	}
	c := &w.cache[v][req]
	if !c.known {
		*c = w.look(int(req), r, math.Inf(1))
	}
	return *c
}

// place puts a request where it costs least, and answers whether there is a place.
func (w *worker) place(req int32) bool {
	least, at := none, int32(nobody)
	w.candidates(req, func(v int) {
		if w.rng.Float64() < w.blink {
			return
		}
		if s := w.spotIn(req, v, least.cost); s.cost < least.cost {
			least, at = s, int32(v)
		}
	})
	return at != nobody && w.insert(req, at, least)
}

// candidates calls try with each vehicle that may be tried for a request: of the empty ones of a class, one.
func (w *worker) candidates(req int32, try func(v int)) {
	q := &w.m.requests[req]
	if q.only != nil {
		for _, v := range q.only {
			if !w.closed[v] {
				try(int(v))
			}
		}
		return
	}
	clear(w.seen)
	for v := range w.routes {
		class := w.m.vehicles[v].class
		if w.closed[v] || !q.vehicles[class] {
			continue
		}
		if !w.routes[v].used {
			if w.seen[class] {
				continue
			}
			w.seen[class] = true
		}
		try(v)
	}
}

// rebuild puts the absent requests back, as far as there is place.
func (w *worker) rebuild() {
	if n := len(w.absent); n > 1 && n <= 40 && w.musts() == 0 && w.rng.Float64() < w.set.regret {
		w.regret()
		return
	}
	w.sort()
	w.order = append(w.order[:0], w.absent...)
	w.absent = w.absent[:0]
	for _, r := range w.order {
		if !w.place(r) {
			w.absent = append(w.absent, r)
		}
	}
}

// sort brings the absent requests into the order in which they are put back.
func (w *worker) sort() {
	m := w.m
	w.rng.Shuffle(len(w.absent), func(i, j int) { w.absent[i], w.absent[j] = w.absent[j], w.absent[i] })
	var key func(r int32) float64
	depot := int(m.vehicles[0].start)
	switch u := w.rng.IntN(12); {
	case u < 4:
	case u < 6: // far first
		key = func(r int32) float64 { return -m.cost[depot*m.places+max(0, int(m.stops[2*r].place))] }
	case u < 7:
		key = func(r int32) float64 { return m.cost[depot*m.places+max(0, int(m.stops[2*r].place))] }
	case u < 9: // narrow first
		key = func(r int32) float64 { return m.stops[2*r].to - m.stops[2*r].from }
	case u < 10:
		key = func(r int32) float64 { return m.stops[2*r].from }
	default: // long way first
		key = func(r int32) float64 {
			if !m.requests[r].ride {
				return -float64(m.requests[r].load)
			}
			return -m.cost[int(m.stops[2*r].place)*m.places+int(m.stops[2*r+1].place)]
		}
	}
	if key != nil {
		slices.SortStableFunc(w.absent, func(a, b int32) int {
			switch ka, kb := key(a), key(b); {
			case ka < kb:
				return -1
			case ka > kb:
				return 1
			}
			return 0
		})
	}
	slices.SortStableFunc(w.absent, func(a, b int32) int { return w.rank(a) - w.rank(b) })
}

// rank is 0 for breaks and who is aboard, who come first, and 1 for others.
func (w *worker) rank(r int32) int {
	if w.m.requests[r].must {
		return 0
	}
	return 1
}

// musts answers how many breaks and people aboard are absent.
func (w *worker) musts() int {
	n := 0
	for _, r := range w.absent {
		n += 1 - w.rank(r)
	}
	return n
}

// regret puts back first what would lose most by waiting: the difference of its two best routes (Potvin & Rousseau 1993).
func (w *worker) regret() {
	vehicles := len(w.routes)
	n := len(w.absent)
	if cap(w.table) < n*vehicles {
		w.table = make([]spot, n*vehicles)
	}
	table := w.table[:n*vehicles]
	for i, r := range w.absent {
		row := table[i*vehicles : (i+1)*vehicles]
		for v := range row {
			row[v] = none
		}
		w.candidates(r, func(v int) { row[v] = w.spotIn(r, v, math.Inf(1)) })
	}
	todo := append(w.order[:0], w.absent...)
	w.order = todo
	w.absent = w.absent[:0]
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	for len(index) > 0 {
		pick, at, most := -1, -1, math.Inf(-1)
		for k, i := range index {
			one, two, v := math.Inf(1), math.Inf(1), -1
			for u := range vehicles {
				switch c := table[i*vehicles+u].cost; {
				case c < one:
					one, two, v = c, one, u
				case c < two:
					two = c
				}
			}
			if v < 0 {
				continue
			}
			gain := 1e9 - one
			if !math.IsInf(two, 1) {
				gain = two - one
			}
			if gain *= 0.9 + 0.2*w.rng.Float64(); gain > most {
				pick, at, most = k, v, gain
			}
		}
		if pick < 0 {
			break
		}
		i := index[pick]
		index[pick] = index[len(index)-1]
		index = index[:len(index)-1]
		if !w.insert(todo[i], int32(at), table[i*vehicles+at]) {
			w.absent = append(w.absent, todo[i])
			continue
		}
		for _, k := range index {
			row := table[k*vehicles : (k+1)*vehicles]
			for v := range row {
				row[v].known = true
			}
			w.candidates(todo[k], func(v int) {
				if v == at || math.IsInf(row[v].cost, 1) && !w.routes[v].used {
					row[v] = w.spotIn(todo[k], v, math.Inf(1))
				}
			})
		}
	}
	for _, i := range index {
		w.absent = append(w.absent, todo[i])
	}
}

// record keeps the current solution if it is the best so far.
func (w *worker) record() bool {
	used := 0
	if w.fewer {
		used = w.used()
	}
	if !better(len(w.absent), used, w.cost, len(w.bestLost), w.bestUsed, w.bestCost) {
		return false
	}
	if w.fewer && used < w.bestUsed {
		w.shut()
	}
	w.bestCost, w.bestUsed = w.cost, used
	w.best = copyRoutes(w.best, w.routes)
	w.bestLost = append(w.bestLost[:0], w.absent...)
	return true
}

// shut closes the vehicles that are not used, so that a smaller fleet does not grow again.
func (w *worker) shut() {
	for v, r := range w.routes {
		w.closed[v] = w.barred[v] || !r.used
	}
}

// better reports whether a plan is better than another, that has cost +Inf where there is none.
func better(lost, used int, cost float64, otherLost, otherUsed int, otherCost float64) bool {
	switch {
	case math.IsInf(otherCost, 1):
		return true
	case lost != otherLost:
		return lost < otherLost
	case used != otherUsed:
		return used < otherUsed
	}
	return cost < otherCost-1e-7
}

func copyRoutes(to, from []*route) []*route {
	if to == nil {
		to = make([]*route, len(from))
	}
	for i, r := range from {
		if to[i] == nil {
			to[i] = &route{}
		}
		nodes := append(to[i].nodes[:0], r.nodes...)
		*to[i] = *r
		to[i].nodes = nodes
	}
	return to
}

// load makes routes the current solution; who is in none of them is absent.
func (w *worker) load(routes []*route) {
	w.take(routes, nil)
	for r, v := range w.where {
		if v == nobody {
			w.absent = append(w.absent, int32(r))
		}
	}
	w.cost = w.sum()
}

// take makes a solution the current one.
func (w *worker) take(routes []*route, lost []int32) {
	w.routes = copyRoutes(w.routes, routes)
	w.absent = append(w.absent[:0], lost...)
	for r := range w.where {
		w.where[r] = nobody
	}
	for v, r := range w.routes {
		r.own = false
		w.forget(v)
		for i := range r.nodes {
			if id := r.nodes[i].id; id >= 0 {
				w.where[id>>1] = int32(v)
			}
		}
	}
	w.cost = w.sum()
	if w.fewer {
		w.shut()
	}
}
