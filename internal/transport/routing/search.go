package routing

import "math"

// anneal improves the current solution until stop answers true. share answers how much of the time is spent.
func (w *worker) anneal(first, last float64, share func() float64, stop func() bool) {
	w.record()
	if len(w.m.requests) == 0 {
		return
	}
	t := cycled(first, last, share(), w.set.cycles)
	for i := 0; !stop(); i++ {
		w.iterations++
		if i%64 == 0 {
			t = cycled(first, last, share(), w.set.cycles)
		}
		musts := w.musts()
		w.before = append(w.before[:0], w.absent...)
		if !w.ruin() {
			w.drop()
			continue
		}
		w.rebuild()
		if w.musts() > musts {
			w.drop()
			continue
		}
		delta := w.m.penalty * float64(len(w.absent)-len(w.before))
		for _, c := range w.changed {
			delta += w.routes[c.v].cost - c.old.cost
		}
		if delta < -t*math.Log(1-w.rng.Float64()) {
			if w.cost+delta < w.bestCost*1.02 {
				for _, c := range w.changed {
					w.pool.add(w.routes[c.v])
				}
			}
			w.keep()
			w.record()
		} else {
			w.drop()
		}
	}
}

// construct puts everybody in, one after another, each where it costs least.
func (w *worker) construct() {
	blink := w.blink
	w.blink = 0
	defer func() { w.blink = blink }()
	w.before = append(w.before[:0], w.absent...)
	w.sort()
	w.order = append(w.order[:0], w.absent...)
	w.absent = w.absent[:0]
	for _, r := range w.order {
		switch {
		case w.place(r):
		case w.m.requests[r].rest:
			v := w.m.requests[r].only[0]
			w.barred[v], w.closed[v] = true, true
		default:
			w.absent = append(w.absent, r)
		}
	}
	w.keep()
}
