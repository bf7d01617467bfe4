package road

import (
	"math"
	"slices"
	"sync"

	"doorstep/internal/fault"
)

// edge is a piece of street between two junctions, in the direction in which it was drawn.
type edge struct {
	from, to int32 // junctions
	way      int32
	first    int32 // of the graph's shape
	points   int32
	meters   float32
	along    uint32 // milliseconds; none: it cannot be gone
	against  uint32
}

const none = math.MaxUint32

// arc is an edge in one direction, or a shortcut for several.
type arc struct {
	to     int32
	ms     uint32
	dm     uint32 // decimeters
	middle int32  // the vertex that the shortcut goes by; below 0: ^(edge<<1 | against)
}

// Graph is a map for one profile, ready to be asked. It can be asked by many at once.
type Graph struct {
	Profile Profile

	edges []edge
	shape []point // of all edges, one after another
	exit  []int32 // by edge<<1|against: where it leads to
	start []int32 // by edge<<1|against: the junction at which it begins
	more  map[int32][]int32
	// more are further vertices at which an edge begins: copies of its junction, for those who come from a street that must not turn everywhere.
	grid *grid
	ch   *hierarchy
	pool sync.Pool // of *space
	lost float64
}

// Lost answers how many meters of street are left out because one cannot get there or not away again.
func (g *Graph) Lost() float64 { return g.lost }

// Vertices answers how many vertices the hierarchy has.
func (g *Graph) Vertices() int { return g.ch.n() }

// street is an arc under construction.
type street struct {
	from, to int32
	ms, dm   uint32
	id       int32 // edge<<1 | against
}

// builder makes a graph.
type builder struct {
	*Map
	p       Profile
	g       *Graph
	vertex  []int32 // of each point; -1: none
	n       int32
	streets []street
	out     [][]int32 // streets out of each vertex; only where there are turn restrictions
}

// Build makes a graph of a map for a profile.
func Build(m *Map, p Profile) (*Graph, error) {
	if !slices.Contains(Profiles, p) {
		return nil, fault.Invalidf("%q is no profile (want car, foot or wheelchair)", p)
	}
	b := &builder{Map: m, p: p, g: &Graph{Profile: p}}
	b.junctions()
	b.cut()
	if len(b.g.edges) == 0 {
		return nil, fault.Invalidf("the map has no street for %s", p)
	}
	b.turns()
	b.connected()
	if len(b.streets) == 0 {
		return nil, fault.Invalidf("the streets of the map lead nowhere for %s", p)
	}
	b.g.ch = contract(int(b.n), b.streets)
	b.ends()
	b.g.grid = newGrid(b.g)
	return b.g, nil
}

// junctions gives a vertex to every point at which ways meet or end.
func (b *builder) junctions() {
	uses := make([]uint8, len(b.points))
	for i := range b.Ways {
		w := &b.Ways[i]
		if along, against := b.p.speeds(w.Tags); along == 0 && against == 0 {
			continue
		}
		for k, p := range w.points {
			uses[p] = min(uses[p]+1, 2)
			if k == 0 || k == len(w.points)-1 {
				uses[p] = 2
			}
		}
	}
	b.vertex = make([]int32, len(b.points))
	for p, n := range uses {
		b.vertex[p] = -1
		if n == 2 {
			b.vertex[p] = b.n
			b.n++
		}
	}
}

// cut cuts ways into edges at junctions, and at what stands in the way.
func (b *builder) cut() {
	for i := range b.Ways {
		w := &b.Ways[i]
		along, against := b.p.speeds(w.Tags)
		if along == 0 && against == 0 {
			continue
		}
		from := 0
		for k := 1; k < len(w.points); k++ {
			if b.vertex[w.points[k]] >= 0 || b.shut(w.points[k]) {
				b.edge(int32(i), w.points[from:k+1], along, against)
				from = k
			}
		}
	}
}

// shut reports whether something at a point stops the profile.
func (b *builder) shut(p int32) bool {
	tags, ok := b.blocked[p]
	return ok && !b.p.passes(tags)
}

// end answers the vertex of an edge's end; each edge that ends at something shut ends at a vertex of its own.
func (b *builder) end(p int32) int32 {
	if b.shut(p) || b.vertex[p] < 0 {
		b.n++
		return b.n - 1
	}
	return b.vertex[p]
}

func (b *builder) edge(way int32, points []int32, along, against float64) {
	e := edge{from: b.end(points[0]), to: b.end(points[len(points)-1]), way: way, first: int32(len(b.g.shape)), points: int32(len(points)), along: none, against: none}
	length := 0.0
	for k, p := range points {
		if k > 0 {
			length += meters(b.points[points[k-1]], b.points[p])
		}
		b.g.shape = append(b.g.shape, b.points[p])
	}
	e.meters = float32(length)
	id := int32(len(b.g.edges)) << 1
	dm := uint32(math.Round(length * 10))
	if along > 0 {
		e.along = uint32(math.Round(length * 3600 / along))
		b.streets = append(b.streets, street{e.from, e.to, e.along, dm, id})
	}
	if against > 0 {
		e.against = uint32(math.Round(length * 3600 / against))
		b.streets = append(b.streets, street{e.to, e.from, e.against, dm, id | 1})
	}
	b.g.edges = append(b.g.edges, e)
}

// turns keeps turn restrictions: whoever comes to the junction from the street of which it speaks comes to a copy of it, from which the streets
// that must not be taken do not go on.
func (b *builder) turns() {
	b.out = make([][]int32, b.n)
	into := map[int32][]int32{} // streets into the junctions of restrictions
	for _, t := range b.Turns {
		if v := b.vertex[t.via]; b.p.keeps(t) && v >= 0 {
			into[v] = nil
		}
	}
	if len(into) == 0 {
		return
	}
	for i, s := range b.streets {
		b.out[s.from] = append(b.out[s.from], int32(i))
		if list, ok := into[s.to]; ok {
			into[s.to] = append(list, int32(i))
		}
	}
	at := map[int32][]Turn{}
	var order []int32
	for _, t := range b.Turns {
		v := b.vertex[t.via]
		if _, ok := into[v]; !ok || !b.p.keeps(t) {
			continue
		}
		if at[v] == nil {
			order = append(order, v)
		}
		at[v] = append(at[v], t)
	}
	for _, v := range order {
		b.restrict(v, at[v], into)
	}
}

// restrict copies a junction for each street that must not go on everywhere.
func (b *builder) restrict(v int32, turns []Turn, into map[int32][]int32) {
	way := func(s int32) int64 { return b.Ways[b.g.edges[b.streets[s].id>>1].way].ID }
	for _, s := range into[v] {
		var mine []Turn
		for _, t := range turns {
			if t.From == way(s) {
				mine = append(mine, t)
			}
		}
		if len(mine) == 0 {
			continue
		}
		only := slices.ContainsFunc(mine, func(t Turn) bool { return t.Only })
		dup := b.n
		b.n++
		b.out = append(b.out, nil)
		for _, o := range b.out[v] {
			back := b.streets[o].id == b.streets[s].id^1
			named := func(only bool) bool {
				return slices.ContainsFunc(mine, func(t Turn) bool { return t.Only == only && t.To == way(o) && (t.To != t.From || back) })
			}
			if only && !named(true) || named(false) {
				continue
			}
			c := b.streets[o]
			c.from = dup
			i := int32(len(b.streets))
			b.streets = append(b.streets, c)
			b.out[dup] = append(b.out[dup], i)
			if list, ok := into[c.to]; ok {
				into[c.to] = append(list, i)
			}
		}
		b.streets[s].to = dup
	}
}

// connected keeps the streets from which one can get to and from most others. The rest would answer "no way" to whoever is put on it.
func (b *builder) connected() {
	part, sizes := components(int(b.n), b.streets)
	largest := slices.Max(sizes)
	kept := b.streets[:0]
	id := make([]int32, b.n)
	for i := range id {
		id[i] = -1
	}
	n := int32(0)
	label := func(v int32) int32 {
		if id[v] < 0 {
			id[v] = n
			n++
		}
		return id[v]
	}
	live := make([]bool, 2*len(b.g.edges))
	for _, s := range b.streets {
		if part[s.from] != part[s.to] || sizes[part[s.from]]*10 < largest {
			continue
		}
		s.from, s.to = label(s.from), label(s.to)
		kept = append(kept, s)
		live[s.id] = true
	}
	b.streets, b.n = kept, n
	for i := range b.g.edges {
		e := &b.g.edges[i]
		if !live[2*i] {
			e.along = none
		}
		if !live[2*i+1] {
			e.against = none
		}
		if e.along == none && e.against == none {
			b.g.lost += float64(e.meters)
		}
	}
}

// ends notes where edges begin and lead to in the hierarchy.
func (b *builder) ends() {
	g := b.g
	g.exit, g.start, g.more = make([]int32, 2*len(g.edges)), make([]int32, 2*len(g.edges)), map[int32][]int32{}
	known := make([]bool, 2*len(g.edges))
	for _, s := range b.streets { // the first one of an id is the street itself, the others its copies
		from := g.ch.rank[s.from]
		if known[s.id] {
			g.more[s.id] = append(g.more[s.id], from)
			continue
		}
		known[s.id] = true
		g.start[s.id], g.exit[s.id] = from, g.ch.rank[s.to]
	}
	g.ch.rank = nil
}

// components answers the strongly connected component of each vertex, and their sizes (Tarjan, 1972, without recursion).
func components(n int, streets []street) (part []int32, sizes []int) {
	first := make([]int32, n+1)
	for _, s := range streets {
		first[s.from+1]++
	}
	for v := range n {
		first[v+1] += first[v]
	}
	to := make([]int32, len(streets))
	fill := slices.Clone(first)
	for _, s := range streets {
		to[fill[s.from]] = s.to
		fill[s.from]++
	}
	part = make([]int32, n)
	order, low := make([]int32, n), make([]int32, n)
	for v := range part {
		part[v] = -1
	}
	next := slices.Clone(first)
	var stack, path []int32
	count := int32(0)
	for root := range int32(n) {
		if order[root] != 0 {
			continue
		}
		path = append(path, root)
		for len(path) > 0 {
			v := path[len(path)-1]
			if order[v] == 0 {
				count++
				order[v], low[v] = count, count
				stack = append(stack, v)
			}
			if next[v] < first[v+1] {
				w := to[next[v]]
				next[v]++
				if order[w] == 0 {
					path = append(path, w)
				} else if part[w] < 0 {
					low[v] = min(low[v], order[w])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				u := path[len(path)-1]
				low[u] = min(low[u], low[v])
			}
			if low[v] != order[v] {
				continue
			}
			size := 0
			for {
				w := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				part[w] = int32(len(sizes))
				size++
				if w == v {
					break
				}
			}
			sizes = append(sizes, size)
		}
	}
	return part, sizes
}
