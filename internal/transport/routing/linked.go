package routing

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"doorstep/internal/fault"
)

// A problem with links is searched as a whole: a visit that waits for another carer's moves everything behind it in both routes. Visits stand in lists by
// vehicle; a schedule of all of them is made anew for each move that is tried (annealing with several kinds of moves, as Ceschia, Di Gaspero & Schaerf
// do for home health care, ITOR 2024).

// visit is what the search knows of a request.
type visit struct {
	from, to  float64
	service   float64
	due, late float64
	place     int32
	mate      int32 // the visit that it is linked with; -1: none
	first     bool  // A of its link
	min, max  float64
	vehicles  []int32
}

type visits struct {
	p       *Problem
	m       *model
	list    []visit
	hard    float64 // cost of a unit of time beyond a hard window; what it buys is taken out at the end
	latest  float64
	outside []int // requests that nobody can serve
	near    [][]int32
}

// linked reports whether a problem is searched as a whole.
func (p *Problem) linked() bool { return len(p.Links) > 0 || p.LatestCost > 0 }

// linkable answers what of a problem with links the search does not know.
func (p *Problem) linkable() error {
	seen := make([]bool, len(p.Requests))
	for i, l := range p.Links {
		if seen[l.A] || seen[l.B] {
			return fault.Invalidf("Link %d: a visit is linked once at most.", i)
		}
		seen[l.A], seen[l.B] = true, true
	}
	for i, q := range p.Requests {
		if len(q.Stops) != 1 || q.Aboard || q.Load != (Load{}) {
			return fault.Invalidf("Request %d (%s): where visits are linked, all requests are visits without load (plan rides apart).", i, q.ID)
		}
	}
	for i, v := range p.Vehicles {
		if len(v.Breaks) > 0 || v.MaxDuration > 0 {
			return fault.Invalidf("Vehicle %d (%s): where visits are linked, breaks and longest routes are not known.", i, v.ID)
		}
	}
	return nil
}

func newVisits(p *Problem) *visits {
	plain := *p
	plain.Links, plain.LatestCost = nil, 0
	m := compile(&plain, true)
	s := &visits{p: p, m: m, latest: p.LatestCost, hard: 1000}
	for r, q := range p.Requests {
		st := q.Stops[0]
		v := visit{from: st.Window.From, to: st.Window.To, service: st.Service, due: math.Inf(1), place: int32(st.Place), mate: nobody}
		if st.Late > 0 || p.LatestCost > 0 {
			v.due, v.late = st.Due, st.Late
		}
		for u := range p.Vehicles {
			if m.may(r, u) {
				v.vehicles = append(v.vehicles, int32(u))
			}
		}
		s.list = append(s.list, v)
	}
	for _, l := range p.Links {
		a, b := &s.list[l.A], &s.list[l.B]
		a.mate, b.mate, a.first = int32(l.B), int32(l.A), true
		a.min, a.max, b.min, b.max = l.Min, l.Max, l.Min, l.Max
		if len(a.vehicles) == 0 || len(b.vehicles) == 0 || len(a.vehicles) == 1 && slices.Equal(a.vehicles, b.vehicles) {
			a.vehicles, b.vehicles = nil, nil
		}
	}
	for r := range s.list {
		if len(s.list[r].vehicles) == 0 {
			s.outside = append(s.outside, r)
		}
		var near []int32
		for _, o := range m.requests[r].near {
			near = append(near, o)
			if len(near) == 30 {
				break
			}
		}
		s.near = append(s.near, near)
	}
	return s
}

// lists are the routes of a search: visits in order, and their times.
type lists struct {
	*visits
	rng     *rand.Rand
	next    []int32 // visit after each visit; then, for each vehicle, its first visit. -1: none
	prev    []int32 // before each: a visit, or n + vehicle
	by      []int32 // vehicle; -1: unserved
	begin   []float64
	arrive  []float64
	state   []uint8
	floor   []float64 // begins not before, of visits that wait for their link
	floored []int32
	head    []int32
	at      []int32 // place of each vehicle
	time    []float64
	stack   []int32
	cost    float64
	best    []int32 // next of the best
	bestBy  []int32
	least   float64
	rounds  int
}

func (s *visits) lists(seed uint64, number int) *lists {
	n, v := len(s.list), len(s.p.Vehicles)
	l := &lists{visits: s, rng: rand.New(rand.NewPCG(seed, uint64(number)+77)), next: make([]int32, n+v), prev: make([]int32, n), by: make([]int32, n), begin: make([]float64, n),
		arrive: make([]float64, n), state: make([]uint8, n), floor: make([]float64, n), head: make([]int32, v), at: make([]int32, v), time: make([]float64, v), least: math.Inf(1)}
	for i := range l.next {
		l.next[i] = nobody
	}
	for i := range l.by {
		l.by[i] = nobody
	}
	return l
}

func (l *lists) start(vehicle int32) int32 { return int32(len(l.list)) + vehicle }

// put stands a visit behind another (or at the start of a vehicle's list).
func (l *lists) put(i, behind, vehicle int32) {
	after := l.next[behind]
	l.next[behind], l.prev[i], l.next[i], l.by[i] = i, behind, after, vehicle
	if after >= 0 {
		l.prev[after] = i
	}
}

func (l *lists) take(i int32) {
	before, after := l.prev[i], l.next[i]
	l.next[before] = after
	if after >= 0 {
		l.prev[after] = before
	}
	l.by[i] = nobody
}

const (
	ahead   uint8 = iota // not reached yet
	waiting              // reached, and its link is not
	done
)

// evaluate makes the earliest schedule of all visits (the least fixpoint of their difference constraints) and answers its cost. Each vehicle goes on until it
// meets a linked visit; the two go on when both are met. Where vehicles wait for each other in a ring, the first visit of a link that leaves room goes ahead alone; if
// its second then comes too late, the schedule is made again with the first not before. +Inf: a ring that cannot be undone.
func (l *lists) evaluate() float64 {
	for _, i := range l.floored {
		l.floor[i] = math.Inf(-1)
	}
	l.floored = l.floored[:0]
	for range 12 {
		cost, again := l.pass()
		if !again {
			return cost
		}
	}
	return math.Inf(1)
}

func (l *lists) pass() (cost float64, again bool) {
	m := l.m
	n := int32(len(l.list))
	clear(l.state)
	l.stack = l.stack[:0]
	most := 0.0
	left := 0
	for v := range l.head {
		l.head[v] = l.next[n+int32(v)]
		w := &m.vehicles[v]
		l.at[v], l.time[v] = w.start, w.from
		if l.head[v] >= 0 {
			l.stack = append(l.stack, int32(v))
			left++
			cost += w.fixed
		}
	}
	finish := func(i int32, begin float64) {
		q := &l.list[i]
		v := l.by[i]
		l.begin[i] = begin
		l.state[i] = done
		if late := begin - q.due; late > 0 {
			cost += late * q.late
			most = max(most, late)
		}
		if begin > q.to {
			cost += (begin - q.to) * l.hard
		}
		l.time[v] = begin + q.service
		l.at[v] = q.place
		l.head[v] = l.next[i]
	}
	for left > 0 {
		for len(l.stack) > 0 {
			v := l.stack[len(l.stack)-1]
			l.stack = l.stack[:len(l.stack)-1]
			for {
				i := l.head[v]
				if i < 0 {
					w := &m.vehicles[v]
					k := int(l.at[v])*m.places + int(w.end)
					cost += m.cost[k]
					if back := l.time[v] + m.time[k]; back > w.to {
						cost += (back - w.to) * l.hard
					}
					left--
					break
				}
				q := &l.list[i]
				if l.state[i] == waiting {
					break
				}
				k := int(l.at[v])*m.places + int(q.place)
				cost += m.cost[k]
				begin := max(l.time[v]+m.time[k], q.from)
				if q.mate < 0 {
					finish(i, begin)
					continue
				}
				begin = max(begin, l.floor[i])
				mate := q.mate
				switch l.state[mate] {
				case ahead:
					if l.by[mate] < 0 {
						finish(i, begin)
						continue
					}
					l.arrive[i], l.state[i] = begin, waiting
				case waiting:
					a, b := begin, l.arrive[mate]
					if !q.first {
						a, b = b, a
					}
					b = max(b, a+q.min)
					a = max(a, b-q.max)
					if q.first {
						finish(i, a)
						finish(mate, b)
					} else {
						finish(i, b)
						finish(mate, a)
					}
					l.stack = append(l.stack, l.by[mate])
					continue
				default: // the first went ahead alone, this is the second
					begin = max(begin, l.begin[mate]+q.min)
					if begin > l.begin[mate]+q.max+1e-9 {
						l.floor[mate] = begin - q.max
						l.floored = append(l.floored, mate)
						return 0, true
					}
					finish(i, begin)
					continue
				}
				break
			}
		}
		if left == 0 {
			break
		}
		freed := false
		for v := range l.head {
			i := l.head[v]
			if i >= 0 && l.state[i] == waiting && l.list[i].first && l.list[i].max > 0 {
				finish(i, l.arrive[i])
				l.stack = append(l.stack, int32(v))
				freed = true
				break
			}
		}
		if !freed {
			return math.Inf(1), false
		}
	}
	return cost + most*l.latest, false
}

func (s *visits) solve(ctx context.Context, o Options) *Plan {
	spent := func() float64 {
		if ctx.Err() != nil {
			return 1
		}
		if o.Spent == nil {
			return 0
		}
		return o.Spent()
	}
	workers := make([]*lists, max(1, o.Workers))
	for i := range workers {
		workers[i] = s.lists(o.Seed, i)
		workers[i].construct()
	}
	best := workers[0]
	const cycles = 4
	for c := range cycles {
		var wait sync.WaitGroup
		for _, w := range workers {
			wait.Go(func() { w.anneal(o, spent, c, cycles) })
		}
		wait.Wait()
		for _, w := range workers {
			if w.least < best.least {
				best = w
			}
		}
		if o.Progress != nil {
			o.Progress(Status{Vehicles: len(s.p.Vehicles), Unserved: len(s.outside), Cost: best.least})
		}
		for _, w := range workers {
			if w != best {
				w.copy(best)
			}
			w.restore()
		}
	}
	plan := best.plan()
	for _, w := range workers {
		plan.Iterations += w.rounds
	}
	return plan
}

func (l *lists) record() {
	if l.cost < l.least-1e-9 {
		l.least = l.cost
		l.best = append(l.best[:0], l.next...)
		l.bestBy = append(l.bestBy[:0], l.by...)
	}
}

func (l *lists) copy(o *lists) {
	l.least = o.least
	l.best = append(l.best[:0], o.best...)
	l.bestBy = append(l.bestBy[:0], o.bestBy...)
}

// restore goes back to the best.
func (l *lists) restore() {
	copy(l.next, l.best)
	copy(l.by, l.bestBy)
	for v := range l.head {
		before := l.start(int32(v))
		for i := l.next[before]; i >= 0; i = l.next[i] {
			l.prev[i] = before
			before = i
		}
	}
	l.cost = l.evaluate()
}

// plan writes the lists, without the visits that break a hard window.
func (l *lists) plan() *Plan {
	l.restore()
	for {
		worst, most := int32(nobody), 1e-6
		for i := range l.list {
			if l.by[i] < 0 {
				continue
			}
			over := l.begin[i] - l.list[i].to
			w := &l.m.vehicles[l.by[i]]
			back := l.begin[i] + l.list[i].service + l.m.time[int(l.list[i].place)*l.m.places+int(w.end)] - w.to
			if over = max(over, back); over > most {
				worst, most = int32(i), over
			}
		}
		if worst == nobody && !math.IsInf(l.cost, 1) {
			break
		}
		if worst == nobody { // vehicles that wait for each other in a ring: somebody must go
			worst = int32(slices.IndexFunc(l.by, func(v int32) bool { return v >= 0 }))
		}
		mate := l.list[worst].mate
		l.take(worst)
		if mate >= 0 && l.by[mate] >= 0 {
			l.take(mate)
		}
		l.cost = l.evaluate()
	}
	plan := &Plan{Cost: l.cost}
	for v := range l.head {
		i := l.next[l.start(int32(v))]
		if i < 0 {
			continue
		}
		w := &l.m.vehicles[v]
		r := Route{Vehicle: v, Depart: w.from}
		at, free := w.start, w.from
		for ; i >= 0; i = l.next[i] {
			q := &l.list[i]
			r.Distance += distance(l.p, at, q.place)
			arrive := free + l.m.time[int(at)*l.m.places+int(q.place)]
			free = l.begin[i] + q.service
			r.Visits = append(r.Visits, Visit{Request: int(i), Arrive: arrive, Begin: l.begin[i], End: free})
			at = q.place
		}
		r.Return = free + l.m.time[int(at)*l.m.places+int(w.end)]
		r.Distance += distance(l.p, at, w.end)
		plan.Distance += r.Distance
		plan.Routes = append(plan.Routes, r)
	}
	for i, v := range l.by {
		if v < 0 {
			plan.Unserved = append(plan.Unserved, i)
		}
	}
	return plan
}
