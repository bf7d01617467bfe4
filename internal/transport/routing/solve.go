package routing

import (
	"context"
	"math"
	"slices"
	"sync"
)

// Options say how long and how a plan is sought.
type Options struct {
	Seed    uint64
	Workers int // searches side by side; 0: 1. They exchange what they find
	// Iterations of each worker; 0: as long as Spent is below 1. With Iterations alone, one seed and one number of workers give one plan.
	Iterations int
	Spent      func() float64 // share of the time that is spent, 0 to 1; asked often and from several goroutines. nil: Iterations alone decide
	Vehicles   bool           // fewer vehicles come before less cost
	Start      []Route        // the search begins with these: vehicles and the order of visits. nil: with nothing. Not for linked visits
	Progress   func(Status)   // told of the best plan from time to time; nil: nobody

	settings *settings // nil: the standard ones
}

// Status is how good the best plan is so far.
type Status struct {
	Vehicles, Unserved int
	Cost               float64
}

const epochs = 24

// Solve plans. It ends early, with the best so far, when ctx is done.
func Solve(ctx context.Context, p *Problem, o Options) (*Plan, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.linked() {
		return newVisits(p).solve(ctx, o), nil
	}
	m := compile(p, true)
	s := newSolver(ctx, m, o)
	if o.Start != nil {
		made, err := m.arrange(p, o.Start)
		if err != nil {
			return nil, err
		}
		for _, w := range s.workers {
			w.load(made)
		}
	}
	s.run()
	return s.plan(p), nil
}

type solver struct {
	ctx     context.Context
	m       *model
	o       Options
	set     settings
	workers []*worker
	best    []*route
	lost    []int32
	cost    float64
	used    int
}

func newSolver(ctx context.Context, m *model, o Options) *solver {
	s := &solver{ctx: ctx, m: m, o: o, set: standard(), cost: math.Inf(1)}
	if o.settings != nil {
		s.set = *o.settings
	}
	for i := range max(1, o.Workers) {
		s.workers = append(s.workers, newWorker(m, s.set, o.Seed, i))
	}
	return s
}

func (s *solver) spent() float64 {
	if s.ctx.Err() != nil {
		return 1
	}
	if s.o.Spent == nil {
		return 0
	}
	return s.o.Spent()
}

// together runs the workers side by side until all are done.
func (s *solver) together(do func(w *worker)) {
	var wait sync.WaitGroup
	for _, w := range s.workers {
		wait.Go(func() { do(w) })
	}
	wait.Wait()
}

func (s *solver) run() {
	s.together((*worker).construct)
	first, last := s.heat()
	if s.o.Start != nil {
		first = min(first, 5*last) // what is there is good already
	}
	if s.o.Vehicles {
		s.fleet(last)
	}
	for e := range epochs {
		s.together(func(w *worker) {
			until := float64(e+1) / epochs
			if e == epochs-1 {
				until = 1 - 0.3/epochs // the last routes are put together in what is left
			}
			n := 0
			share := func() float64 {
				if s.o.Iterations > 0 {
					return (float64(e) + float64(n)*epochs/float64(s.o.Iterations)) / epochs
				}
				return s.spent()
			}
			w.anneal(first, last, share, func() bool {
				n++
				if s.o.Iterations > 0 && n*epochs > s.o.Iterations {
					return true
				}
				return n%32 == 0 && s.spent() >= until
			})
		})
		s.collect()
		if e%2 == 1 || e == epochs-1 {
			until := min(1, (float64(e)+1.25)/epochs)
			s.recombine(func() bool { return s.spent() >= until })
		}
		s.exchange()
		s.report()
	}
}

func (s *solver) report() {
	if s.o.Progress == nil {
		return
	}
	now := Status{Unserved: len(s.lost), Cost: s.cost - s.m.penalty*float64(len(s.lost))}
	for _, r := range s.best {
		if r.used {
			now.Vehicles++
		}
	}
	s.o.Progress(now)
}

const fleetEpochs = 8

// fleet makes the fleet small, and leaves it to every worker.
func (s *solver) fleet(heat float64) {
	least := s.m.lower()
	for e := range fleetEpochs {
		until := s.set.fleet * float64(e+1) / fleetEpochs
		s.together(func(w *worker) {
			w.fewer, w.fleetHeat = true, heat
			n := 0
			w.shrink(least, func() bool {
				n++
				if s.o.Iterations > 0 && float64(n*fleetEpochs) > s.set.fleet*float64(s.o.Iterations) {
					return true
				}
				return n%32 == 0 && s.spent() >= until
			})
		})
		s.collect()
		for _, w := range s.workers { // those that are behind begin again from the smaller fleet
			if e == fleetEpochs-1 || w.used()+min(1, len(w.absent)) > s.used {
				w.take(s.best, s.lost)
				copy(w.closed, w.barred)
			}
		}
	}
	for _, w := range s.workers {
		w.shut()
	}
}

// heat answers the temperatures at the start and at the end: parts of what a request costs on average.
func (s *solver) heat() (first, last float64) {
	w := s.workers[0]
	served := max(1, len(s.m.requests)-len(w.absent))
	mean := (w.cost - s.m.penalty*float64(len(w.absent))) / float64(served)
	return s.set.hot * mean, s.set.cold * mean
}

// collect keeps the best plan of all workers.
func (s *solver) collect() {
	for _, w := range s.workers {
		if better(len(w.bestLost), w.bestUsed, w.bestCost, len(s.lost), s.used, s.cost) {
			s.cost, s.used = w.bestCost, w.bestUsed
			s.best = copyRoutes(s.best, w.best)
			s.lost = append(s.lost[:0], w.bestLost...)
		}
	}
}

// exchange gives the best plan to the workers that are behind.
func (s *solver) exchange() {
	for _, w := range s.workers {
		if better(len(s.lost), s.used, s.cost, len(w.bestLost), w.bestUsed, w.bestCost) {
			w.take(s.best, s.lost)
		}
	}
}

// plan writes the best solution in the terms of the problem.
func (s *solver) plan(p *Problem) *Plan {
	plan := s.m.plan(p, s.best)
	for _, r := range s.lost {
		if int(r) < s.m.asked {
			plan.Unserved = append(plan.Unserved, int(r))
		}
	}
	slices.Sort(plan.Unserved)
	for _, w := range s.workers {
		plan.Iterations += w.iterations
	}
	return plan
}

// plan writes routes in the terms of the problem, with the waits put where nobody sits through them.
func (m *model) plan(p *Problem, routes []*route) *Plan {
	plan := &Plan{}
	for v, r := range routes {
		if !r.used {
			continue
		}
		plan.Cost += r.cost
		begin := m.settle(r.nodes)
		way := func(k int) float64 { return m.time[int(r.nodes[k-1].place)*m.places+int(r.nodes[k].place)] }
		out := Route{Vehicle: v, Depart: begin[0]}
		free := begin[0]
		for k := 1; k < len(r.nodes)-1; k++ {
			n := &r.nodes[k]
			visit := Visit{Request: int(n.id >> 1), Stop: int(n.id & 1), Arrive: free + way(k), Begin: begin[k], End: begin[k] + n.service}
			free = visit.End
			out.Distance += distance(p, r.nodes[k-1].place, n.place)
			if m.requests[n.id>>1].rest {
				visit.Stop = visit.Request - m.firstRest(v)
				visit.Request = -1
			}
			out.Visits = append(out.Visits, visit)
		}
		last := len(r.nodes) - 1
		out.Return = begin[last]
		out.Distance += distance(p, r.nodes[last-1].place, r.nodes[last].place)
		plan.Distance += out.Distance
		plan.Routes = append(plan.Routes, out)
	}
	return plan
}

// settle answers when each node begins: as early as can be, but pickups as late as the next stop allows, so that riders wait at home and not aboard, and the vehicle
// leaves its depot no sooner than it must. No wish is missed by that, and no stop that sets down is later.
func (m *model) settle(nodes []node) []float64 {
	begin := make([]float64, len(nodes))
	for k := range nodes {
		begin[k] = nodes[k].early
	}
	for k := len(nodes) - 2; k >= 0; k-- {
		n := &nodes[k]
		by := begin[k+1] - m.time[int(n.place)*m.places+int(nodes[k+1].place)] - n.service
		if n.id >= 0 {
			if !m.requests[n.id>>1].ride || n.id&1 == 1 {
				continue
			}
			s := &m.stops[n.id]
			if by = min(by, s.to); s.late > 0 {
				by = min(by, s.due)
			}
		}
		begin[k] = max(begin[k], by)
	}
	return begin
}

// firstRest answers the index of the request that is the first break of a vehicle.
func (m *model) firstRest(v int) int {
	return m.asked + slices.IndexFunc(m.requests[m.asked:], func(q request) bool { return q.only[0] == int32(v) })
}

// distance answers the way between two places; one that is beyond the matrix is nowhere.
func distance(p *Problem, from, to int32) float64 {
	if int(from) >= p.Distance.Places || int(to) >= p.Distance.Places {
		return 0
	}
	return p.Distance.At(int(from), int(to))
}
