package routing

import "math"

// ruin takes some requests that have to do with each other out of the solution. It answers false where a route cannot do without them.
func (w *worker) ruin() bool {
	n := len(w.m.requests)
	switch u := w.rng.Float64(); {
	case u < w.set.strings:
		w.strings()
	case u < w.set.related:
		w.related(1 + w.rng.IntN(max(1, min(n*4/10, int(w.set.most*w.set.size)))))
	case u < w.set.any:
		for range 1 + w.rng.IntN(max(1, min(n/3, int(1.5*w.set.size)))) {
			w.remove(int32(w.rng.IntN(n)))
		}
	default:
		w.whole()
	}
	return w.cut()
}

// strings takes a string of stops out of each of some routes that are near each other.
func (w *worker) strings() {
	m := w.m
	seed := int32(w.rng.IntN(len(m.requests)))
	used, stops := 0, 0
	for _, r := range w.routes {
		if r.used {
			used++
			stops += len(r.nodes) - 2
		}
	}
	if used == 0 {
		return
	}
	longest := min(w.set.size, float64(stops)/float64(used))
	most := 4*w.set.size/(1+longest) - 1
	count := int(1 + w.rng.Float64()*max(0, most))
	ruined := 0
	take := func(r int32) {
		v := w.where[r]
		if v == nobody || w.touched[v] {
			return
		}
		inner := w.routes[v].nodes[1 : len(w.routes[v].nodes)-1]
		length := 1 + int(w.rng.Float64()*min(longest, float64(len(inner))))
		length = min(length, len(inner))
		at := 0
		for i := range inner {
			if inner[i].id>>1 == r {
				at = i
				if w.rng.IntN(2) == 0 {
					break
				}
			}
		}
		skip, gap := -1, 0
		if length > 1 && w.rng.IntN(2) == 0 { // a split string keeps some stops in its middle
			for gap = 1; length+gap < len(inner) && w.rng.Float64() > 0.5; gap++ {
			}
			gap = min(gap, len(inner)-length)
			skip = w.rng.IntN(length)
		}
		first := max(0, at-w.rng.IntN(length+gap))
		first = min(first, len(inner)-length-gap)
		for i := range length + gap {
			if skip >= 0 && i >= skip && i < skip+gap {
				continue
			}
			w.remove(inner[first+i].id >> 1)
		}
		w.remove(r)
		ruined++
	}
	take(seed)
	for _, r := range m.requests[seed].near {
		if ruined >= count {
			break
		}
		take(r)
	}
}

// related takes out a request and count-1 of those that are most related to it, with some left out by chance.
func (w *worker) related(count int) {
	seed := int32(w.rng.IntN(len(w.m.requests)))
	w.remove(seed)
	keep := 0.6 * w.rng.Float64()
	for _, r := range w.m.requests[seed].near {
		if count <= 1 {
			break
		}
		if w.where[r] == nobody || w.rng.Float64() < keep {
			continue
		}
		w.remove(r)
		count--
	}
}

// whole empties a route, and with some luck one beside it.
func (w *worker) whole() {
	first := int32(w.rng.IntN(len(w.m.requests)))
	v := w.where[first]
	if v == nobody || len(w.routes[v].nodes) > 2+int(6*w.set.size) {
		w.strings()
		return
	}
	w.clear(v)
	if w.rng.IntN(3) > 0 {
		return
	}
	for _, r := range w.m.requests[first].near {
		if o := w.where[r]; o != nobody && o != v && len(w.routes[o].nodes) < 2+int(6*w.set.size) {
			w.clear(o)
			return
		}
	}
}

func (w *worker) clear(v int32) {
	for i := range w.routes[v].nodes {
		if id := w.routes[v].nodes[i].id; id >= 0 {
			w.remove(id >> 1)
		}
	}
}

// temper is the annealing's temperature at a share of the time.
func temper(first, last, share float64) float64 {
	if first <= 0 { // nothing costs anything
		return 0
	}
	return first * math.Pow(last/first, min(1, share))
}

// cycled is temper over several cycles.
func cycled(first, last, share, cycles float64) float64 {
	at := max(0, min(share*cycles, cycles-1e-9))
	cycle := math.Floor(at)
	return temper(first/math.Pow(2, cycle), last, at-cycle)
}
