package road

import (
	"cmp"
	"math"
	"slices"
	"time"

	"doorstep/internal/person"
)

// side is a search upwards from one end.
type side struct {
	ms, dm []uint32
	stamp  []uint32
	parent []int32 // the vertex before; -1: an end itself
	by     []int32 // index of the arc from it
	queue  heap
	seen   []int32
}

// space is what one question needs of memory.
type space struct {
	now     uint32
	forward side
	back    side
}

func (g *Graph) space() *space {
	s, _ := g.pool.Get().(*space)
	if s == nil {
		n := g.ch.n()
		s = &space{}
		for _, d := range []*side{&s.forward, &s.back} {
			*d = side{ms: make([]uint32, n), dm: make([]uint32, n), stamp: make([]uint32, n), parent: make([]int32, n), by: make([]int32, n)}
		}
	}
	s.next()
	return s
}

// next forgets what the last search has seen.
func (s *space) next() {
	s.now++
	if s.now == 0 {
		clear(s.forward.stamp)
		clear(s.back.stamp)
		s.now = 1
	}
	for _, d := range []*side{&s.forward, &s.back} {
		d.queue, d.seen = d.queue[:0], d.seen[:0]
	}
}

// end is a vertex with what lies between it and a place on a street.
type end struct {
	vertex int32
	ms, dm uint32
}

// ends answers where a way can begin, or with to end, for a place on a street.
func (g *Graph) ends(s Snap, to bool, buf []end) []end {
	return g.endsOf(&g.edges[s.edge], s, to, buf)
}

func (g *Graph) endsOf(e *edge, s Snap, to bool, buf []end) []end {
	for against, ms := range [2]uint32{e.along, e.against} {
		if ms == none {
			continue
		}
		part := float64(s.at)
		if (against == 1) == to {
			part = 1 - part
		}
		id := s.edge<<1 | int32(against)
		x := end{ms: uint32(math.Round(part * float64(ms))), dm: uint32(math.Round(part * float64(e.meters) * 10))}
		if !to {
			x.vertex = g.exit[id]
			buf = append(buf, x)
			continue
		}
		x.vertex = g.start[id]
		buf = append(buf, x)
		for _, v := range g.more[id] {
			x.vertex = v
			buf = append(buf, x)
		}
	}
	return buf
}

// direct answers the way along one street, if both places are on it and it leads from one to the other.
func (g *Graph) direct(from, to Snap) (ms, dm uint32) {
	if from.edge != to.edge {
		return none, 0
	}
	e := &g.edges[from.edge]
	part := float64(to.at - from.at)
	way := e.along
	if part < 0 {
		part, way = -part, e.against
	}
	if part == 0 {
		return 0, 0
	}
	if way == none {
		return none, 0
	}
	return uint32(math.Round(part * float64(way))), uint32(math.Round(part * float64(e.meters) * 10))
}

func (d *side) begin(now uint32, ends []end) {
	for _, x := range ends {
		d.reach(now, x.vertex, x.ms, x.dm, -1, -1)
	}
}

func (d *side) reach(now uint32, v int32, ms, dm uint32, parent, by int32) {
	if d.stamp[v] == now && d.ms[v] <= ms {
		return
	}
	if d.stamp[v] != now {
		d.seen = append(d.seen, v)
	}
	d.stamp[v], d.ms[v], d.dm[v], d.parent[v], d.by[v] = now, ms, dm, parent, by
	d.queue.push(ms, v)
}

// step settles the next vertex and answers it, or -1 where it is out of date or cannot be part of a shortest way.
func (d *side) step(now uint32, first []int32, arcs []arc, otherFirst []int32, other []arc) int32 {
	ms, v := d.queue.pop()
	if ms > d.ms[v] {
		return -1
	}
	// A vertex that is reached more quickly by a higher one is stalled: no shortest way goes up from it.
	for _, a := range other[otherFirst[v]:otherFirst[v+1]] {
		if d.stamp[a.to] == now && d.ms[a.to]+a.ms < ms {
			return -1
		}
	}
	dm := d.dm[v]
	for i := first[v]; i < first[v+1]; i++ {
		a := &arcs[i]
		d.reach(now, a.to, ms+a.ms, dm+a.dm, v, i)
	}
	return v
}

// meet searches from both ends and answers the vertex at which the shortest way is highest, or -1.
func (g *Graph) meet(s *space, from, to []end) (at int32, ms, dm uint32) {
	h := g.ch
	f, b := &s.forward, &s.back
	f.begin(s.now, from)
	b.begin(s.now, to)
	at, ms = -1, none
	try := func(v int32, d, o *side) {
		if v >= 0 && o.stamp[v] == s.now {
			if t := uint64(d.ms[v]) + uint64(o.ms[v]); t < uint64(ms) {
				at, ms, dm = v, uint32(t), d.dm[v]+o.dm[v]
			}
		}
	}
	for {
		up := len(f.queue) > 0 && f.queue.top() < ms
		down := len(b.queue) > 0 && b.queue.top() < ms
		switch {
		case !up && !down:
			return at, ms, dm
		case up && (!down || f.queue.top() <= b.queue.top()):
			try(f.step(s.now, h.upFirst, h.up, h.inFirst, h.in), f, b)
		default:
			try(b.step(s.now, h.inFirst, h.in, h.upFirst, h.up), b, f)
		}
	}
}

// Leg answers the quickest way from one place to another.
func (g *Graph) Leg(from, to Snap) Leg {
	if !from.Known || !to.Known {
		return Leg{}
	}
	s := g.space()
	defer g.pool.Put(s)
	var a, b [8]end
	_, ms, dm := g.meet(s, g.ends(from, false, a[:0]), g.ends(to, true, b[:0]))
	if d, m := g.direct(from, to); d < ms {
		ms, dm = d, m
	}
	return legOf(ms, dm)
}

func legOf(ms, dm uint32) Leg {
	if ms == none {
		return Leg{}
	}
	return Leg{Duration: time.Duration(ms) * time.Millisecond, Meters: float64(dm) / 10, Known: true}
}

// Path is a way with its line.
type Path struct {
	Leg
	Line []person.Point
}

// Path answers the quickest way with its line, from street to street.
func (g *Graph) Path(from, to Snap) Path {
	if !from.Known || !to.Known {
		return Path{}
	}
	s := g.space()
	defer g.pool.Put(s)
	starts, ends := g.ends(from, false, nil), g.ends(to, true, nil)
	at, ms, dm := g.meet(s, starts, ends)
	if d, m := g.direct(from, to); d <= ms && d != none {
		return Path{legOf(d, m), g.piece(from.edge, from.at, to.at)}
	}
	if at < 0 {
		return Path{}
	}
	first, last := at, at
	for s.forward.parent[first] >= 0 {
		first = s.forward.parent[first]
	}
	var up []int32 // from the meeting vertex down to the first
	for v := at; v != first; v = s.forward.parent[v] {
		up = append(up, v)
	}
	var ids []int32
	u := first
	for _, v := range slices.Backward(up) {
		ids = g.unpack(u, v, g.ch.up[s.forward.by[v]], ids)
		u = v
	}
	for s.back.parent[last] >= 0 {
		next := s.back.parent[last]
		ids = g.unpack(last, next, g.ch.in[s.back.by[last]], ids)
		last = next
	}
	p := Path{Leg: legOf(ms, dm)}
	p.Line = g.half(from, false, first, s.forward.ms[first])
	for _, id := range ids {
		p.Line = append(p.Line, g.piece(id>>1, float32(id&1), float32(1-id&1))...)
	}
	p.Line = append(p.Line, g.half(to, true, last, s.back.ms[last])...)
	p.Line = slices.Compact(p.Line)
	return p
}

// unpack appends the streets of an arc, by edge<<1|against.
func (g *Graph) unpack(from, to int32, a arc, ids []int32) []int32 {
	if a.middle < 0 {
		return append(ids, ^a.middle)
	}
	h, m := g.ch, a.middle
	ids = g.unpack(from, m, find(h.in[h.inFirst[m]:h.inFirst[m+1]], from), ids)
	return g.unpack(m, to, find(h.up[h.upFirst[m]:h.upFirst[m+1]], to), ids)
}

func find(arcs []arc, to int32) arc {
	i, _ := slices.BinarySearchFunc(arcs, to, func(a arc, to int32) int { return cmp.Compare(a.to, to) })
	return arcs[i]
}

// half answers the line between a place on a street and the vertex by which it is left or come to.
func (g *Graph) half(s Snap, to bool, vertex int32, ms uint32) []person.Point {
	e := &g.edges[s.edge]
	for against := range int32(2) {
		way := [2]uint32{e.along, e.against}[against]
		if way == none {
			continue
		}
		one := *e
		one.along, one.against = none, none
		if against == 0 {
			one.along = e.along
		} else {
			one.against = e.against
		}
		for _, x := range g.endsOf(&one, s, to, nil) {
			if x.vertex != vertex || x.ms != ms {
				continue
			}
			if to {
				return g.piece(s.edge, float32(against), s.at)
			}
			return g.piece(s.edge, s.at, float32(1-against))
		}
	}
	return nil
}

// piece answers the line of an edge between two parts of its length.
func (g *Graph) piece(edge int32, from, to float32) []person.Point {
	e := &g.edges[edge]
	shape := g.shape[e.first : e.first+e.points]
	low, high := float64(min(from, to))*float64(e.meters), float64(max(from, to))*float64(e.meters)
	var out []person.Point
	put := func(a, b point, part float64) {
		p, q := a.person(), b.person()
		out = append(out, person.Point{Lat: p.Lat + (q.Lat-p.Lat)*part, Lon: p.Lon + (q.Lon-p.Lon)*part})
	}
	gone := 0.0
	for k := 1; k < len(shape); k++ {
		length := meters(shape[k-1], shape[k])
		a, b := max(low, gone), min(high, gone+length)
		if length > 0 && a <= b {
			if len(out) == 0 {
				put(shape[k-1], shape[k], (a-gone)/length)
			}
			put(shape[k-1], shape[k], (b-gone)/length)
		}
		gone += length
	}
	if from > to {
		slices.Reverse(out)
	}
	return out
}
