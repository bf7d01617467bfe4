package road

import (
	"cmp"
	"slices"
)

// hierarchy is a contraction hierarchy. Vertices are numbered by their rank; arcs lead up.
type hierarchy struct {
	rank    []int32 // of each vertex of the builder; nil once nobody asks any more
	upFirst []int32 // by vertex, the first of its arcs
	up      []arc   // to higher vertices
	inFirst []int32
	in      []arc // from higher vertices: arc.to is where one comes from
}

func (h *hierarchy) n() int { return len(h.upFirst) - 1 }

// link is an arc while vertices are taken out.
type link struct {
	to     int32
	ms, dm uint32
	middle int32
	hops   int32 // streets in it
}

// contractor takes vertices out, the least important first, and puts shortcuts where a shortest way went by.
type contractor struct {
	out, in [][]link
	level   []int32
	queue   heap // of (priority, vertex), some of them out of date
	prio    []int32
	seek    *witness
	cuts    []shortcut
}

type shortcut struct {
	from, to int32
	link
}

// Limits of the searches for a way around a vertex; past them a shortcut is put that may be needless, and never one left out that is needed.
const (
	settleAsking  = 16
	settleTaking  = 80
	prioritySteps = 16 // of a priority, so that ratios become whole numbers
)

func contract(n int, streets []street) *hierarchy {
	c := &contractor{out: make([][]link, n), in: make([][]link, n), level: make([]int32, n), prio: make([]int32, n), seek: newWitness(n)}
	for _, s := range streets {
		if s.from != s.to {
			c.put(s.from, link{s.to, s.ms, s.dm, ^s.id, 1})
		}
	}
	for v := range int32(n) {
		c.rate(v, settleAsking)
		c.queue.push(uint32(c.prio[v]), v)
	}
	h := &hierarchy{rank: make([]int32, n)}
	type taken struct{ up, in []link }
	order := make([]taken, 0, n)
	gone := make([]bool, n)
	for len(order) < n {
		key, v := c.queue.pop()
		if gone[v] || key != uint32(c.prio[v]) {
			continue
		}
		c.rate(v, settleTaking)
		if len(c.queue) > 0 && uint32(c.prio[v]) > c.queue.top() {
			c.queue.push(uint32(c.prio[v]), v)
			continue
		}
		gone[v] = true
		h.rank[v] = int32(len(order))
		order = append(order, taken{c.out[v], c.in[v]})
		c.take(v)
	}
	h.lay(n, func(rank int) (up, in []link) { return order[rank].up, order[rank].in })
	return h
}

// put adds a link, or makes the one there quicker.
func (c *contractor) put(from int32, l link) {
	set := func(list []link, l link) []link {
		for i := range list {
			if list[i].to == l.to {
				if l.ms < list[i].ms {
					list[i] = l
				}
				return list
			}
		}
		return append(list, l)
	}
	c.out[from] = set(c.out[from], l)
	to := l.to
	l.to = from
	c.in[to] = set(c.in[to], l)
}

// rate finds the shortcuts that taking a vertex out asks for, and how little it matters: few and short shortcuts for what goes, far below others.
func (c *contractor) rate(v int32, settle int) {
	c.cuts = c.cuts[:0]
	added := int32(0)
	for _, a := range c.in[v] {
		longest := uint32(0)
		for _, b := range c.out[v] {
			if b.to != a.to {
				longest = max(longest, a.ms+b.ms)
			}
		}
		if longest == 0 {
			continue
		}
		c.seek.from(c.out, a.to, v, longest, settle)
		for _, b := range c.out[v] {
			if b.to == a.to || c.seek.within(b.to, a.ms+b.ms) {
				continue
			}
			c.cuts = append(c.cuts, shortcut{a.to, b.to, link{b.to, a.ms + b.ms, a.dm + b.dm, v, a.hops + b.hops}})
			added += 1 + a.hops + b.hops
		}
	}
	removed := int32(0)
	for _, list := range [][]link{c.out[v], c.in[v]} {
		for _, l := range list {
			removed += 1 + l.hops
		}
	}
	c.prio[v] = prioritySteps*c.level[v] + prioritySteps*2*added/max(1, removed)
}

// take takes a vertex out with the shortcuts that rate has found.
func (c *contractor) take(v int32) {
	for _, s := range c.cuts {
		c.put(s.from, s.link)
	}
	drop := func(list []link) []link {
		i := slices.IndexFunc(list, func(l link) bool { return l.to == v })
		if i < 0 {
			return list
		}
		list[i] = list[len(list)-1]
		return list[:len(list)-1]
	}
	var near []int32
	for _, l := range c.out[v] {
		c.in[l.to] = drop(c.in[l.to])
		near = append(near, l.to)
	}
	for _, l := range c.in[v] {
		c.out[l.to] = drop(c.out[l.to])
		if !slices.Contains(near, l.to) {
			near = append(near, l.to)
		}
	}
	for _, u := range near {
		c.level[u] = max(c.level[u], c.level[v]+1)
		c.rate(u, settleAsking)
		c.queue.push(uint32(c.prio[u]), u)
	}
}

// lay lays the arcs of each rank one after another.
func (h *hierarchy) lay(n int, of func(rank int) (up, in []link)) {
	h.upFirst, h.inFirst = make([]int32, n+1), make([]int32, n+1)
	arcs := func(list []link) []arc {
		out := make([]arc, 0, len(list))
		for _, l := range list {
			middle := l.middle
			if middle >= 0 {
				middle = h.rank[middle]
			}
			out = append(out, arc{h.rank[l.to], l.ms, l.dm, middle})
		}
		slices.SortFunc(out, func(a, b arc) int { return cmp.Compare(a.to, b.to) })
		return out
	}
	for rank := range n {
		up, in := of(rank)
		h.up = append(h.up, arcs(up)...)
		h.in = append(h.in, arcs(in)...)
		h.upFirst[rank+1], h.inFirst[rank+1] = int32(len(h.up)), int32(len(h.in))
	}
	h.up, h.in = slices.Clip(h.up), slices.Clip(h.in)
}

// witness looks for ways around a vertex.
type witness struct {
	ms    []uint32
	stamp []uint32
	now   uint32
	queue heap
}

func newWitness(n int) *witness {
	return &witness{ms: make([]uint32, n), stamp: make([]uint32, n)}
}

// from searches from a vertex, never by another, as far as limit or so many vertices.
func (w *witness) from(out [][]link, start, not int32, limit uint32, settle int) {
	w.now++
	w.queue = w.queue[:0]
	w.ms[start], w.stamp[start] = 0, w.now
	w.queue.push(0, start)
	for len(w.queue) > 0 && settle > 0 {
		ms, v := w.queue.pop()
		if ms > w.ms[v] {
			continue
		}
		if ms > limit {
			return
		}
		settle--
		for _, l := range out[v] {
			if l.to == not {
				continue
			}
			if t := ms + l.ms; t <= limit && (w.stamp[l.to] != w.now || t < w.ms[l.to]) {
				w.ms[l.to], w.stamp[l.to] = t, w.now
				w.queue.push(t, l.to)
			}
		}
	}
}

// within reports whether a way to a vertex was found that is no longer than ms.
func (w *witness) within(v int32, ms uint32) bool { return w.stamp[v] == w.now && w.ms[v] <= ms }

// heap is a queue of vertices by a number, the smallest first: four children each, number and vertex in one word.
type heap []uint64

func (h heap) top() uint32 { return uint32(h[0] >> 32) }

func (h *heap) push(key uint32, v int32) {
	x := uint64(key)<<32 | uint64(uint32(v))
	q := append(*h, x)
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 4
		if q[up] <= x {
			break
		}
		q[i] = q[up]
		i = up
	}
	q[i] = x
	*h = q
}

func (h *heap) pop() (key uint32, v int32) {
	q := *h
	first := q[0]
	x := q[len(q)-1]
	q = q[:len(q)-1]
	*h = q
	i := 0
	for 4*i+1 < len(q) {
		child := 4*i + 1
		for k := child + 1; k < min(child+4, len(q)); k++ {
			if q[k] < q[child] {
				child = k
			}
		}
		if q[child] >= x {
			break
		}
		q[i] = q[child]
		i = child
	}
	if len(q) > 0 {
		q[i] = x
	}
	return uint32(first >> 32), int32(uint32(first))
}
