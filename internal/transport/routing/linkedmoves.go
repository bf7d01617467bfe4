package routing

import (
	"cmp"
	"math"
	"slices"
)

// construct gives each visit, earliest first, the place that costs least at the end of a list.
func (l *lists) construct() {
	for i := range l.floor {
		l.floor[i] = math.Inf(-1)
	}
	order := make([]int32, 0, len(l.list))
	for i := range l.list {
		if len(l.list[i].vehicles) > 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return cmp.Compare(l.list[a].from+l.list[a].due*1e-3, l.list[b].from+l.list[b].due*1e-3)
	})
	last := make([]int32, len(l.head))
	free := make([]float64, len(l.head))
	for v := range last {
		last[v] = l.start(int32(v))
		free[v] = l.m.vehicles[v].from
	}
	for _, i := range order {
		q := &l.list[i]
		at, least := int32(nobody), math.Inf(1)
		for _, v := range q.vehicles {
			if q.mate >= 0 && l.by[q.mate] == v {
				continue
			}
			place := l.m.vehicles[v].start
			if last[v] < int32(len(l.list)) {
				place = l.list[last[v]].place
			}
			if begin := max(q.from, free[v]+l.m.time[int(place)*l.m.places+int(q.place)]) + 1e-3*l.m.cost[int(place)*l.m.places+int(q.place)]; begin < least {
				at, least = v, begin
			}
		}
		if at == nobody { // the mate took the only vehicle: it moves where it can
			at = q.vehicles[0]
			l.shift(q.mate, at, last, free)
		}
		l.put(i, last[at], at)
		last[at] = i
		free[at] = least + q.service
		if math.IsInf(least, 1) {
			free[at] = q.from + q.service
		}
	}
	l.cost = l.evaluate()
	l.record()
}

// shift moves a visit to the end of the list of another vehicle than that given.
func (l *lists) shift(i, not int32, last []int32, free []float64) {
	for _, v := range l.list[i].vehicles {
		if v == not {
			continue
		}
		if last[not] == i {
			last[not] = l.prev[i]
		}
		l.take(i)
		l.put(i, last[v], v)
		last[v] = i
		free[v] = max(free[v], l.list[i].from) + l.list[i].service
		return
	}
}

// undo is one visit's place before a move.
type undo struct{ i, behind, vehicle int32 }

// anneal tries moves until the cycle's part of the time is over.
func (l *lists) anneal(o Options, spent func() float64, cycle, cycles int) {
	n := len(l.list)
	if n == len(l.outside) {
		return
	}
	mean := 0.0
	for _, c := range l.m.cost {
		mean += c
	}
	mean /= float64(len(l.m.cost))
	hot, cold := mean*0.5/math.Pow(2, float64(cycle)), mean*0.002
	from := float64(cycle) / float64(cycles)
	t := hot
	var moved [6]undo
	for k := 0; ; k++ {
		if k%128 == 0 {
			share := spent()
			if o.Iterations > 0 {
				share = max(share, from+float64(k)/float64(o.Iterations*16*cycles))
			}
			part := (share - from) * float64(cycles)
			if part >= 1 {
				return
			}
			t = temper(hot, cold, part)
		}
		l.rounds++
		count := l.move(&moved)
		if count == 0 {
			continue
		}
		cost := l.evaluate()
		if cost < l.cost || cost < l.cost-t*math.Log(1-l.rng.Float64()) {
			l.cost = cost
			l.record()
			continue
		}
		for k := count - 1; k >= 0; k-- {
			u := moved[k]
			if l.by[u.i] >= 0 {
				l.take(u.i)
			}
			if u.vehicle >= 0 {
				l.put(u.i, u.behind, u.vehicle)
			}
		}
	}
}

// move changes the lists by chance and answers how many steps undo it, last first.
func (l *lists) move(moved *[6]undo) int {
	i := int32(l.rng.IntN(len(l.list)))
	q := &l.list[i]
	if l.by[i] < 0 {
		return 0
	}
	switch u := l.rng.IntN(16); {
	case u < 6: // somewhere else
		moved[0] = l.out(i)
		l.in(i)
		return 1
	case u < 9 && q.mate >= 0: // both visits of a person
		moved[0] = l.out(i)
		moved[1] = l.out(q.mate)
		a, b := i, q.mate
		if len(l.list[b].vehicles) < len(q.vehicles) { // who has less choice goes first
			a, b = b, a
		}
		l.in(a)
		l.in(b)
		return 2
	case u < 11: // beside one that is near
		near := l.near[i]
		if len(near) == 0 {
			return 0
		}
		j := near[l.rng.IntN(len(near))]
		if l.by[j] < 0 || !l.may(i, l.by[j]) {
			return 0
		}
		moved[0] = l.out(i)
		behind := j
		if l.rng.IntN(2) == 0 {
			behind = l.prev[j]
		}
		l.put(i, behind, l.by[j])
		return 1
	case u < 14: // change places with another
		j := int32(l.rng.IntN(len(l.list)))
		if near := l.near[i]; u < 13 && len(near) > 0 {
			j = near[l.rng.IntN(len(near))]
		}
		if i == j || l.by[j] < 0 || l.by[i] != l.by[j] && (!l.may(i, l.by[j]) || !l.may(j, l.by[i])) || l.by[i] != l.by[j] && q.mate == j {
			return 0
		}
		return l.swap(i, j, moved)
	default: // with the one behind it, somewhere else
		j := l.next[i]
		if j < 0 {
			return 0
		}
		v := q.vehicles[l.rng.IntN(len(q.vehicles))]
		if !l.may(i, v) || !l.may(j, v) {
			return 0
		}
		moved[0] = l.out(j)
		moved[1] = l.out(i)
		behind := l.spot(i, v)
		l.put(i, behind, v)
		l.put(j, i, v)
		return 2
	}
}

// swap puts two visits into each other's places.
func (l *lists) swap(i, j int32, moved *[6]undo) int {
	if l.next[j] == i {
		i, j = j, i
	}
	if l.next[i] == j {
		moved[0] = l.out(j)
		l.put(j, l.prev[i], l.by[i])
		return 1
	}
	a, b := l.by[i], l.by[j]
	moved[0] = l.out(i)
	moved[1] = l.out(j)
	l.put(i, moved[1].behind, b)
	l.put(j, moved[0].behind, a)
	return 2
}

// may reports whether a vehicle can make a visit, and does not make the linked one.
func (l *lists) may(i, v int32) bool {
	q := &l.list[i]
	return slices.Contains(q.vehicles, v) && (q.mate < 0 || l.by[q.mate] != v)
}

func (l *lists) out(i int32) undo {
	u := undo{i, l.prev[i], l.by[i]}
	l.take(i)
	return u
}

// in puts a visit into a list by chance.
func (l *lists) in(i int32) {
	q := &l.list[i]
	v := q.vehicles[l.rng.IntN(len(q.vehicles))]
	for q.mate >= 0 && l.by[q.mate] == v {
		v = q.vehicles[l.rng.IntN(len(q.vehicles))]
	}
	l.put(i, l.spot(i, v), v)
}

// spot answers behind whom a visit may stand in a vehicle's list: by its time, give or take.
func (l *lists) spot(i, v int32) int32 {
	q := &l.list[i]
	late := min(q.due, q.to, q.from+240)
	when := q.from + l.rng.Float64()*(late-q.from) + 30*(l.rng.Float64()-0.5)
	behind := l.start(v)
	for j := l.next[behind]; j >= 0 && l.begin[j] < when; j = l.next[j] {
		behind = j
	}
	switch l.rng.IntN(6) {
	case 0:
		if l.next[behind] >= 0 {
			behind = l.next[behind]
		}
	case 1:
		if behind < int32(len(l.list)) {
			behind = l.prev[behind]
		}
	}
	return behind
}
