package routing

import (
	"cmp"
	"slices"

	"doorstep/internal/fault"
)

// Live holds a plan in which new requests are tried in microseconds, while the person is on the telephone. It is not safe for use by several goroutines at once. It
// plans rides and visits without links.
type Live struct {
	p Problem
	w *worker
}

// NewLive takes a problem and a plan of it: of its routes the vehicles and the order of visits. What they leave out is unserved.
func NewLive(p *Problem, routes []Route) (*Live, error) {
	if p.linked() {
		return nil, fault.Invalidf("A plan with linked visits is not changed request by request.")
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	m := compile(p, false)
	made, err := m.arrange(p, routes)
	if err != nil {
		return nil, err
	}
	l := &Live{p: *p, w: newWorker(m, standard(), 1, 0)}
	l.p.Requests = slices.Clone(p.Requests)
	l.w.blink = 0
	l.w.load(made)
	for r := range m.requests {
		if m.requests[r].rest && l.w.where[r] == nobody {
			v := m.requests[r].only[0]
			at := l.w.look(r, l.w.routes[v], none.cost)
			switch {
			case at.cost < none.cost && l.w.insert(int32(r), v, at):
				l.w.keep()
			case l.w.routes[v].used:
				return nil, fault.Invalidf("Vehicle %d (%s) has no time for a break on this route.", v, p.Vehicles[v].ID)
			default:
				l.w.barred[v], l.w.closed[v] = true, true
			}
		}
	}
	return l, nil
}

// Offer is a place for a new request.
type Offer struct {
	Window  Window // in which the stop that was asked about would be promised
	Vehicle int
	Cost    float64   // added to the plan
	Begins  []float64 // of service at each stop, as early as the plan allows
}

// Offers answers the best place for a request in each of some windows, cheapest first, most at most. The windows are for one stop of the request (0 pickup
// or visit, 1 delivery), within that stop's own; none: its own. A request that fits nowhere has no offers.
func (l *Live) Offers(q Request, stop int, windows []Window, most int) ([]Offer, error) {
	if err := l.check(q, stop); err != nil {
		return nil, err
	}
	if len(windows) == 0 {
		windows = []Window{q.Stops[stop].Window}
	}
	r := l.push(q)
	defer l.pop()
	own := q.Stops[stop].Window
	stops := [2]stopTimes{}
	for k := range stops {
		stops[k] = stopTimes{l.w.m.stops[2*r+k].from, l.w.m.stops[2*r+k].to}
	}
	var out []Offer
	for _, window := range windows {
		for k, s := range stops {
			l.w.m.stops[2*r+k].from, l.w.m.stops[2*r+k].to = s.from, s.to
		}
		s := &l.w.m.stops[2*r+stop]
		s.from, s.to = max(s.from, window.From), min(s.to, window.To)
		if s.from > s.to || window.To < own.From {
			continue
		}
		l.w.m.narrow(r)
		v, at := l.find(int32(r))
		if v == nobody {
			continue
		}
		o := Offer{Window: Window{max(own.From, window.From), min(own.To, window.To)}, Vehicle: int(v), Cost: at.cost}
		nodes := l.w.lay(l.w.routes[v].nodes, r, int(at.i), int(at.j))
		if !l.w.m.forward(nodes, int(at.i)+1, len(nodes)) {
			continue
		}
		o.Begins = append(o.Begins, nodes[at.i+1].early)
		if len(q.Stops) == 2 {
			o.Begins = append(o.Begins, nodes[at.j+2].early)
		}
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b Offer) int { return cmp.Compare(a.Cost, b.Cost) })
	return out[:min(most, len(out))], nil
}

type stopTimes struct{ from, to float64 }

// find answers the vehicle and the place where a request costs least.
func (l *Live) find(r int32) (int32, spot) {
	at, least := int32(nobody), none
	l.w.candidates(r, func(v int) {
		if s := l.w.look(int(r), l.w.routes[v], least.cost); s.cost < least.cost {
			at, least = int32(v), s
		}
	})
	return at, least
}

func (l *Live) check(q Request, stop int) error {
	one := l.p
	one.Requests = []Request{q}
	if err := one.request(0, l.p.Duration.Places); err != nil {
		return err
	}
	if q.Aboard || stop < 0 || stop >= len(q.Stops) {
		return fault.Invalidf("Request %s has no stop %d, or is aboard already.", q.ID, stop)
	}
	return nil
}

// push makes a request the last of the model. Breaks stand behind the requests of the problem, and so does it.
func (l *Live) push(q Request) int {
	m := l.w.m
	r := len(m.requests)
	m.add(q)
	may := make([]bool, m.classes)
	for i, v := range l.p.Vehicles {
		may[m.vehicles[i].class] = may[m.vehicles[i].class] || able(q, v)
	}
	m.requests[r].vehicles = may
	for _, v := range q.Only {
		m.requests[r].only = append(m.requests[r].only, int32(v))
	}
	m.narrow(r)
	l.w.where = append(l.w.where, nobody)
	l.w.pos = append(l.w.pos, 0, 0)
	return r
}

func (l *Live) pop() {
	m := l.w.m
	m.requests = m.requests[:len(m.requests)-1]
	m.stops = m.stops[:len(m.stops)-2]
	l.w.where = l.w.where[:len(m.requests)]
	l.w.pos = l.w.pos[:len(m.stops)]
}

// Accept puts a request into the plan with an offer's window as its promise, which is hard from then on, and answers its index in Problem. It is a conflict where
// the plan has changed since the offer and the window can no longer be kept.
func (l *Live) Accept(q Request, stop int, o Offer) (int, error) {
	if err := l.check(q, stop); err != nil {
		return 0, err
	}
	q.Stops = slices.Clone(q.Stops)
	q.Stops[stop].Window = o.Window
	p := l.p
	p.Requests = append(slices.Clone(l.p.Requests), q)
	next, err := NewLive(&p, l.Plan().Routes)
	if err != nil {
		return 0, err
	}
	r := len(p.Requests) - 1
	v, at := next.find(int32(r))
	if v == nobody || !next.w.insert(int32(r), v, at) {
		return 0, fault.Conflictf("The time that was offered is gone.")
	}
	next.w.keep()
	*l = *next
	return r, nil
}

// Cancel takes a request out of the plan, where it stays unserved. Who is aboard cannot be cancelled.
func (l *Live) Cancel(r int) error {
	if r < 0 || r >= len(l.p.Requests) || l.p.Requests[r].Aboard {
		return fault.Invalidf("Request %d is none, or aboard.", r)
	}
	if l.w.where[r] == nobody {
		return nil
	}
	l.w.absent = l.w.absent[:0]
	l.w.remove(int32(r))
	if !l.w.cut() {
		return fault.Conflictf("The route cannot be kept without request %d.", r)
	}
	l.w.keep()
	return nil
}

// Problem answers the problem with the requests that were accepted.
func (l *Live) Problem() *Problem {
	p := l.p
	p.Requests = slices.Clone(l.p.Requests)
	return &p
}

// Plan answers the plan as it stands.
func (l *Live) Plan() *Plan {
	plan := l.w.m.plan(&l.p, l.w.routes)
	for r := range l.p.Requests {
		if l.w.where[r] == nobody {
			plan.Unserved = append(plan.Unserved, r)
		}
	}
	return plan
}
