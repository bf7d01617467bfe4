package road

import (
	"runtime"
	"sync"
)

// bucket is what a target has left at a vertex: how far it is from there.
type bucket struct {
	target int32
	ms, dm uint32
}

// Matrix answers the quickest ways from every place to every other, by one search for each place instead of one for each pair.
func (g *Graph) Matrix(from, to []Snap) Table {
	out := make(Table, len(from))
	cells := make([]Leg, len(from)*len(to))
	for i := range out {
		out[i] = cells[i*len(to) : (i+1)*len(to)]
	}
	first, buckets := g.collect(to)
	workers := max(1, min(runtime.GOMAXPROCS(0), len(from)/16))
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			s := g.space()
			defer g.pool.Put(s)
			ms, dm := make([]uint32, len(to)), make([]uint32, len(to))
			for i := w; i < len(from); i += workers {
				g.row(s, from[i], to, first, buckets, ms, dm, out[i])
			}
		})
	}
	group.Wait()
	return out
}

// collect searches back from every target and answers the buckets of each vertex.
func (g *Graph) collect(to []Snap) (first []int32, buckets []bucket) {
	type found struct {
		vertex int32
		bucket
	}
	s := g.space()
	defer g.pool.Put(s)
	h := g.ch
	first = make([]int32, h.n()+1)
	var all []found
	var buf [8]end
	for j, t := range to {
		if !t.Known {
			continue
		}
		s.next()
		b := &s.back
		b.begin(s.now, g.ends(t, true, buf[:0]))
		for len(b.queue) > 0 {
			if v := b.step(s.now, h.inFirst, h.in, h.upFirst, h.up); v >= 0 {
				all = append(all, found{v, bucket{int32(j), b.ms[v], b.dm[v]}})
				first[v+1]++
			}
		}
	}
	for v := range h.n() {
		first[v+1] += first[v]
	}
	buckets = make([]bucket, len(all))
	at := make([]int32, h.n())
	copy(at, first)
	for _, f := range all {
		buckets[at[f.vertex]] = f.bucket
		at[f.vertex]++
	}
	return first, buckets
}

// row searches from one place and looks into the buckets on its way.
func (g *Graph) row(s *space, from Snap, to []Snap, first []int32, buckets []bucket, ms, dm []uint32, out []Leg) {
	if !from.Known {
		return
	}
	for j := range ms {
		ms[j] = none
	}
	s.next()
	h, f := g.ch, &s.forward
	var buf [8]end
	f.begin(s.now, g.ends(from, false, buf[:0]))
	for len(f.queue) > 0 {
		v := f.step(s.now, h.upFirst, h.up, h.inFirst, h.in)
		if v < 0 {
			continue
		}
		here, far := f.ms[v], f.dm[v]
		for _, b := range buckets[first[v]:first[v+1]] {
			if t := here + b.ms; t < ms[b.target] {
				ms[b.target], dm[b.target] = t, far+b.dm
			}
		}
	}
	for j := range to {
		if !to[j].Known {
			continue
		}
		if d, m := g.direct(from, to[j]); d < ms[j] {
			ms[j], dm[j] = d, m
		}
		out[j] = legOf(ms[j], dm[j])
	}
}
