package road

import (
	"math/rand/v2"
	"runtime"
	"time"
)

// Measured is what Measure answers.
type Measured struct {
	Points, Vertices       int     // of the map, of the hierarchy
	Build                  float64 // seconds
	BytesPerPoint          float64
	Query, Dijkstra        float64 // µs for one way; ms for the ways from one place to all by plain Dijkstra
	Matrix                 float64 // ms for side × side
	Side, Pairs, Different int     // pairs compared with Dijkstra, and those that differ
}

// Measure builds a graph of a map, asks it for single ways and a table of side × side, and compares pairs with plain Dijkstra on the same streets.
func Measure(m *Map, p Profile, side, pairs int) (Measured, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	g, err := Build(m, p)
	out := Measured{Points: len(m.points), Side: side, Build: time.Since(start).Seconds()}
	if err != nil {
		return out, err
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	out.Vertices = g.Vertices()
	runtime.KeepAlive(m)
	out.BytesPerPoint = (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / float64(out.Points)
	r := rand.New(rand.NewPCG(1, 1))
	var snaps []Snap
	for len(snaps) < 2*side {
		if s := g.Snap(g.shape[r.IntN(len(g.shape))].person()); s.Known {
			snaps = append(snaps, s)
		}
	}
	start = time.Now()
	for i := range 2 * side {
		g.Leg(snaps[i], snaps[(i*7+1)%len(snaps)])
	}
	out.Query = float64(time.Since(start).Microseconds()) / float64(2*side)
	start = time.Now()
	g.Matrix(snaps[:side], snaps[side:])
	out.Matrix = time.Since(start).Seconds() * 1e3
	plain := g.plain()
	perSource := min(100, len(snaps))
	for i := 0; out.Pairs < pairs && i < len(snaps); i++ {
		start = time.Now()
		ms := plain.from(g.ends(snaps[i], false, nil))
		out.Dijkstra += time.Since(start).Seconds() * 1e3
		for j := range perSource {
			to := snaps[(i+j)%len(snaps)]
			want, _ := g.direct(snaps[i], to)
			for _, e := range g.ends(to, true, nil) {
				if ms[e.vertex] != none {
					want = min(want, ms[e.vertex]+e.ms)
				}
			}
			if g.Leg(snaps[i], to).Duration != legOf(want, 0).Duration {
				out.Different++
			}
			out.Pairs++
		}
	}
	out.Dijkstra /= float64(out.Pairs) / float64(perSource)
	return out, nil
}

// plain is the streets without shortcuts.
type plain struct {
	first []int32
	arcs  []arc
	ms    []uint32
}

func (g *Graph) plain() *plain {
	h := g.ch
	p := &plain{first: make([]int32, h.n()+1), ms: make([]uint32, h.n())}
	each := func(do func(from int32, a arc)) {
		for v := range int32(h.n()) {
			for _, a := range h.up[h.upFirst[v]:h.upFirst[v+1]] {
				if a.middle < 0 {
					do(v, a)
				}
			}
			for _, a := range h.in[h.inFirst[v]:h.inFirst[v+1]] {
				if a.middle < 0 {
					from := a.to
					a.to = v
					do(from, a)
				}
			}
		}
	}
	each(func(from int32, _ arc) { p.first[from+1]++ })
	for v := range h.n() {
		p.first[v+1] += p.first[v]
	}
	p.arcs = make([]arc, p.first[h.n()])
	at := make([]int32, h.n())
	copy(at, p.first)
	each(func(from int32, a arc) {
		p.arcs[at[from]] = a
		at[from]++
	})
	return p
}

// from answers the milliseconds to every vertex.
func (p *plain) from(starts []end) []uint32 {
	for v := range p.ms {
		p.ms[v] = none
	}
	var queue heap
	for _, s := range starts {
		if s.ms < p.ms[s.vertex] {
			p.ms[s.vertex] = s.ms
			queue.push(s.ms, s.vertex)
		}
	}
	for len(queue) > 0 {
		ms, v := queue.pop()
		if ms > p.ms[v] {
			continue
		}
		for _, a := range p.arcs[p.first[v]:p.first[v+1]] {
			if t := ms + a.ms; t < p.ms[a.to] {
				p.ms[a.to] = t
				queue.push(t, a.to)
			}
		}
	}
	return p.ms
}
