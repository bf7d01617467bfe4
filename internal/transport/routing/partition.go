package routing

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// column is a route that the search has met, to be put together anew with routes of other plans (set partitioning).
type column struct {
	key      uint64 // of class and requests
	class    int32
	cost     float64
	requests []int32
	stops    []int32
	set      []uint64 // requests as bits
	reduced  float64
}

// pool keeps the cheapest route for each set of requests, the newest ones where it is full.
type pool struct {
	m       *model
	keys    []uint64 // of requests
	classes []uint64
	columns []*column
	known   map[uint64]*column
	most    int
	next    int // that is replaced
}

func newPool(m *model, most int) *pool {
	p := &pool{m: m, known: make(map[uint64]*column), most: most}
	random := rand.New(rand.NewPCG(1, 2)) // of keys: chance of no consequence, alike in all workers
	for range m.requests {
		p.keys = append(p.keys, random.Uint64())
	}
	for range m.classes {
		p.classes = append(p.classes, random.Uint64())
	}
	return p
}

// add keeps a route.
func (p *pool) add(r *route) {
	if !r.used {
		return
	}
	class := p.m.vehicles[r.v].class
	key := p.classes[class]
	for i := range r.nodes {
		if id := r.nodes[i].id; id >= 0 && id&1 == 0 {
			key += p.keys[id>>1]
		}
	}
	if c := p.known[key]; c != nil {
		if r.cost < c.cost-1e-9 {
			c.cost = r.cost
			c.stops = c.stops[:0]
			for _, n := range r.nodes[1 : len(r.nodes)-1] {
				c.stops = append(c.stops, n.id)
			}
		}
		return
	}
	var c *column
	if len(p.columns) < p.most {
		c = &column{set: make([]uint64, (len(p.m.requests)+63)/64)}
		p.columns = append(p.columns, c)
	} else {
		c = p.columns[p.next]
		p.next = (p.next + 1) % p.most
		delete(p.known, c.key)
		c.requests, c.stops = c.requests[:0], c.stops[:0]
		clear(c.set)
	}
	c.key, c.class, c.cost = key, int32(class), r.cost
	for _, n := range r.nodes[1 : len(r.nodes)-1] {
		c.stops = append(c.stops, n.id)
		if n.id&1 == 0 {
			c.requests = append(c.requests, n.id>>1)
			c.set[n.id>>7] |= 1 << (n.id >> 1 & 63)
		}
	}
	p.known[key] = c
}

// partition looks for routes of the pool that serve every request once and cost less than bound; count is how many vehicles of each class there are. It
// answers the routes, and nil where it has found none. Multipliers of the requests (Lagrange, subgradients; Held & Karp 1971) bound what a choice can come to, and a
// search in depth that takes at most so many steps chooses.
type partition struct {
	m       *model
	columns []*column
	by      [][]*column // columns of each request, cheapest first
	price   []float64
	count   []int
	least   float64 // sum of what is negative at most
	bound   float64
	steps   int
	stop    func() bool

	covered []uint64
	chosen  []*column
	best    []*column
}

func (m *model) partition(columns []*column, count []int, bound float64, steps int, stop func() bool) []*column {
	s := &partition{m: m, count: slices.Clone(count), bound: bound, steps: steps, stop: stop, covered: make([]uint64, (len(m.requests)+63)/64)}
	total := 0
	for _, n := range count {
		total += n
	}
	s.columns = columns
	s.prices(total)
	if s.stop() {
		return nil
	}
	s.by = make([][]*column, len(m.requests))
	slices.SortStableFunc(s.columns, func(a, b *column) int { return cmp.Compare(a.reduced, b.reduced) })
	for _, c := range s.columns {
		for _, r := range c.requests {
			s.by[r] = append(s.by[r], c)
		}
	}
	sum := 0.0
	for _, u := range s.price {
		sum += u
	}
	s.choose(sum, total)
	return s.best
}

// prices sets the multipliers, and leaves only columns that can be part of a better plan.
func (s *partition) prices(total int) {
	n := len(s.m.requests)
	s.price = make([]float64, n)
	for i := range s.price {
		s.price[i] = math.Inf(1)
	}
	for _, c := range s.columns {
		for _, r := range c.requests {
			s.price[r] = min(s.price[r], c.cost/float64(len(c.requests)))
		}
	}
	for i := range s.price {
		if math.IsInf(s.price[i], 1) {
			s.price[i] = s.m.penalty
		}
	}
	best := slices.Clone(s.price)
	top := math.Inf(-1)
	cover := make([]int, n)
	negative := []float64{}
	step := 1.0
	worse := 0
	for round := range 400 {
		low := 0.0
		for _, u := range s.price {
			low += u
		}
		clear(cover)
		var picked []*column
		for _, c := range s.columns {
			c.reduced = c.cost
			for _, r := range c.requests {
				c.reduced -= s.price[r]
			}
			if c.reduced < 0 {
				picked = append(picked, c)
			}
		}
		if len(picked) > total {
			slices.SortFunc(picked, func(a, b *column) int { return cmp.Compare(a.reduced, b.reduced) })
			picked = picked[:total]
		}
		for _, c := range picked {
			low += c.reduced
			for _, r := range c.requests {
				cover[r]++
			}
		}
		if low > top+1e-6 {
			top, worse = low, 0
			copy(best, s.price)
		} else if worse++; worse > 12 {
			step, worse = step/2, 0
			copy(s.price, best)
		}
		norm := 0
		for _, k := range cover {
			norm += (1 - k) * (1 - k)
		}
		if norm == 0 || step < 1e-3 || round%16 == 0 && s.stop() {
			break
		}
		by := step * max(s.bound-low, 1e-3*s.bound) / float64(norm)
		for r, k := range cover {
			s.price[r] = min(s.price[r]+by*float64(1-k), s.m.penalty)
		}
	}
	copy(s.price, best)
	kept := s.columns[:0:0]
	for _, c := range s.columns {
		c.reduced = c.cost
		for _, r := range c.requests {
			c.reduced -= s.price[r]
		}
		if c.reduced < 0 {
			negative = append(negative, c.reduced)
		}
	}
	slices.Sort(negative)
	for i, v := range negative {
		if i < total {
			s.least += v
		}
	}
	for _, c := range s.columns {
		if top+max(0, c.reduced) < s.bound {
			kept = append(kept, c)
		}
	}
	s.columns = kept
}

// choose covers the request that the fewest routes cover, by each of them. cost is what has been chosen, with the multipliers of what is left.
func (s *partition) choose(cost float64, left int) {
	pick, fewest := -1, math.MaxInt
	for r := range s.by {
		if s.covered[r>>6]>>(r&63)&1 == 0 {
			n := 0
			for _, c := range s.by[r] {
				if s.free(c) {
					if n++; n >= fewest {
						break
					}
				}
			}
			if n < fewest {
				pick, fewest = r, n
			}
			if n == 0 {
				return
			}
		}
	}
	if pick < 0 {
		if cost < s.bound-1e-6 {
			s.bound = cost
			s.best = append(s.best[:0], s.chosen...)
		}
		return
	}
	if left == 0 {
		return
	}
	for _, c := range s.by[pick] {
		if cost+c.reduced+s.least >= s.bound-1e-6 {
			return // those behind it cost no less
		}
		if !s.free(c) || s.count[c.class] == 0 {
			continue
		}
		if s.steps--; s.steps < 0 || s.steps%256 == 0 && s.stop() {
			s.steps = -1
			return
		}
		s.count[c.class]--
		for i, w := range c.set {
			s.covered[i] |= w
		}
		s.chosen = append(s.chosen, c)
		s.choose(cost+c.reduced, left-1)
		s.chosen = s.chosen[:len(s.chosen)-1]
		for i, w := range c.set {
			s.covered[i] &^= w
		}
		s.count[c.class]++
		if s.steps < 0 {
			return
		}
	}
}

func (s *partition) free(c *column) bool {
	for i, w := range c.set {
		if s.covered[i]&w != 0 {
			return false
		}
	}
	return true
}

// recombine puts the best plan together from all routes that the workers have met lately, where that is better.
func (s *solver) recombine(stop func() bool) {
	if len(s.lost) > 0 || len(s.m.requests) > s.m.asked {
		return
	}
	columns := map[uint64]*column{}
	var list []*column
	for _, w := range s.workers {
		for _, c := range w.pool.columns {
			if o := columns[c.key]; o == nil {
				columns[c.key] = c
				list = append(list, c)
			} else if c.cost < o.cost-1e-9 {
				o.cost, o.stops = c.cost, slices.Clone(c.stops)
			}
		}
	}
	count := make([]int, s.m.classes)
	for v := range s.m.vehicles {
		if !s.workers[0].closed[v] {
			count[s.m.vehicles[v].class]++
		}
	}
	found := s.m.partition(list, count, s.cost-1e-6, 60000, stop)
	if found == nil {
		return
	}
	w := s.workers[0]
	routes := make([]*route, len(s.m.vehicles))
	for v := range routes {
		first, last := s.m.ends(v)
		routes[v] = &route{v: int32(v), nodes: []node{first, last}}
	}
	cost, used := 0.0, 0
	taken := make([]bool, len(routes))
	for _, c := range found {
		v := slices.IndexFunc(routes, func(r *route) bool {
			return !taken[r.v] && !w.closed[r.v] && s.m.vehicles[r.v].class == int(c.class)
		})
		taken[v] = true
		used++
		nodes := []node{routes[v].nodes[0]}
		for _, id := range c.stops {
			nodes = append(nodes, s.m.node(id))
		}
		routes[v].nodes = append(nodes, routes[v].nodes[1])
	}
	for _, r := range routes {
		if !s.m.complete(r, w.pos) {
			return
		}
		cost += r.cost
	}
	if !w.fewer {
		used = 0
	}
	if better(0, used, cost, len(s.lost), s.used, s.cost) {
		s.cost, s.used = cost, used
		s.best = copyRoutes(s.best, routes)
	}
}
