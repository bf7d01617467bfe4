package routing

import (
	"math"
	"slices"
)

// model is a problem made ready for the search: stops in one array (2r and 2r+1 of request r, a visit has 2r alone), windows narrowed by what
// hard limits leave of them, loads packed into words, vehicles sorted into classes of alike ones. Breaks are requests of their vehicle.
type model struct {
	places   int
	time     []float64 // places × places
	cost     []float64
	stops    []stop
	requests []request
	vehicles []vehicle
	classes  int
	asked    int     // requests of the problem; those after are breaks
	soft     bool    // some stop has a wish
	penalty  float64 // of a request that is not served
}

type stop struct {
	from, to float64
	service  float64
	ride     float64 // at a delivery: the ride's limit
	due      float64
	late     float64
	load     uint64
	place    int32 // -1: wherever the vehicle is
}

type request struct {
	ride     bool // two stops
	rest     bool // a break
	alone    bool // a break with nobody aboard
	leaves   bool // the one stop frees its load (already aboard)
	must     bool // a break, or somebody aboard: never given up for another
	load     uint64
	near     []int32 // other requests, most related first
	vehicles []bool  // by class; by vehicle where only is set
	only     []int32 // vehicles, where bound
}

type vehicle struct {
	class      int
	start, end int32
	from, to   float64
	duration   float64
	capacity   []uint64
	aboard     uint64
	people     int32 // aboard
	fixed      float64
}

// A word holds the counts of a Load in 16 bits each, whose highest bit stays free: one subtraction compares all.
const high = 0x8000_8000_8000_8000

func pack(l Load) uint64 {
	var w uint64
	for k, n := range l {
		w |= uint64(n) << (16 * k)
	}
	return w
}

// fits reports whether a load is within one of the capacities.
func (v *vehicle) fits(load uint64) bool {
	for _, c := range v.capacity {
		if ((c|high)-load)&high == high {
			return true
		}
	}
	return false
}

// may reports whether a vehicle may serve a request at all.
func (m *model) may(r, v int) bool {
	q := &m.requests[r]
	if q.only != nil {
		return slices.Contains(q.only, int32(v)) && q.vehicles[m.vehicles[v].class]
	}
	return q.vehicles[m.vehicles[v].class]
}

const nobody = -1

// compile makes the model; the problem is valid. near: which requests are related is worked out too.
func compile(p *Problem, near bool) *model {
	m := &model{places: p.Duration.Places, asked: len(p.Requests)}
	perDistance := p.PerDistance
	if perDistance == 0 && p.PerDuration == 0 {
		perDistance = 1
	}
	m.matrices(p, perDistance)
	for _, q := range p.Requests {
		m.add(q)
	}
	m.fleet(p)
	for i := range m.requests {
		m.narrow(i)
	}
	if near {
		m.relate()
	}
	top := 0.0
	for _, c := range m.cost {
		top = max(top, c)
	}
	fixed := 0.0
	for _, v := range m.vehicles {
		fixed = max(fixed, v.fixed)
	}
	m.penalty = 10*top + 2*fixed + 1
	return m
}

// matrices copies durations and costs, with one more place of no distance where a route may end anywhere.
func (m *model) matrices(p *Problem, perDistance float64) {
	n := m.places
	open := slices.ContainsFunc(p.Vehicles, func(v Vehicle) bool { return v.End == Nowhere })
	if open {
		m.places++
	} else if p.Distance == p.Duration && perDistance == 1 && p.PerDuration == 0 {
		m.time, m.cost = p.Duration.Values, p.Duration.Values
		return
	}
	m.time = make([]float64, m.places*m.places)
	m.cost = make([]float64, m.places*m.places)
	for i := range n {
		for j := range n {
			k := i*m.places + j
			m.time[k] = p.Duration.Values[i*n+j]
			m.cost[k] = p.Distance.Values[i*n+j]*perDistance + m.time[k]*p.PerDuration
		}
	}
}

func (m *model) add(q Request) {
	stops := [2]stop{}
	r := request{ride: len(q.Stops) == 2, leaves: q.Aboard, must: q.Aboard, load: pack(q.Load)}
	for i, s := range q.Stops {
		stops[i] = stop{from: s.Window.From, to: s.Window.To, service: s.Service, ride: math.Inf(1), due: s.Due, late: s.Late, load: r.load, place: int32(s.Place)}
		m.soft = m.soft || s.Late > 0
	}
	if r.ride && q.MaxRide > 0 {
		stops[1].ride = q.MaxRide
	}
	m.stops = append(m.stops, stops[0], stops[1])
	m.requests = append(m.requests, r)
}

// fleet sorts the vehicles into classes, says who may serve whom, and adds the breaks.
func (m *model) fleet(p *Problem) {
	var first []Vehicle // of each class
	for i, v := range p.Vehicles {
		end := int32(v.End)
		if v.End == Nowhere {
			end = int32(m.places - 1)
		}
		c := slices.IndexFunc(first, func(o Vehicle) bool { return alike(o, v) })
		if c < 0 {
			c = len(first)
			first = append(first, v)
		}
		w := vehicle{class: c, start: int32(v.Start), end: end, from: v.Shift.From, to: v.Shift.To, duration: math.Inf(1), fixed: v.Fixed}
		if v.MaxDuration > 0 {
			w.duration = v.MaxDuration
		}
		for _, l := range v.Capacity {
			w.capacity = append(w.capacity, pack(l))
		}
		if len(v.Capacity) == 0 {
			w.capacity = []uint64{^uint64(0) &^ high}
		}
		for _, q := range p.Requests {
			if q.Aboard && q.Only[0] == i {
				w.aboard += pack(q.Load)
				w.people++
			}
		}
		m.vehicles = append(m.vehicles, w)
	}
	m.classes = len(first)
	for i, q := range p.Requests {
		may := make([]bool, len(first))
		for c, v := range first {
			may[c] = able(q, v)
		}
		m.requests[i].vehicles = may
		for _, v := range q.Only {
			m.requests[i].only = append(m.requests[i].only, int32(v))
		}
	}
	for i, v := range p.Vehicles {
		for _, b := range v.Breaks {
			may := make([]bool, len(first))
			may[m.vehicles[i].class] = true
			m.requests = append(m.requests, request{rest: true, must: true, alone: b.Alone, vehicles: may, only: []int32{int32(i)}})
			m.stops = append(m.stops, stop{from: b.Window.From, to: b.Window.To, service: b.Length, ride: math.Inf(1), place: nobody}, stop{})
		}
	}
}

// alike reports whether two vehicles differ in their ids alone. A vehicle with breaks is its own class.
func alike(a, b Vehicle) bool {
	return a.Start == b.Start && a.End == b.End && a.Shift == b.Shift && a.MaxDuration == b.MaxDuration && a.Fixed == b.Fixed &&
		slices.Equal(a.Capacity, b.Capacity) && slices.Equal(a.Has, b.Has) && len(a.Breaks)+len(b.Breaks) == 0
}

// able reports whether a vehicle has what a request needs and can hold it when empty.
func able(q Request, v Vehicle) bool {
	for _, need := range q.Needs {
		if !slices.Contains(v.Has, need) {
			return false
		}
	}
	if q.Load[Wheelchairs] > 0 && !slices.Contains(v.Has, Ramp) && !slices.Contains(v.Has, Lift) {
		return false
	}
	return len(v.Capacity) == 0 || slices.ContainsFunc(v.Capacity, func(c Load) bool {
		for k, n := range q.Load {
			if n > c[k] {
				return false
			}
		}
		return true
	})
}

// narrow takes from the windows of a request what no plan can use, so that the search sees sooner what does not go.
func (m *model) narrow(r int) {
	q := &m.requests[r]
	if q.rest {
		return
	}
	a := &m.stops[2*r]
	last := a
	if q.ride {
		last = &m.stops[2*r+1]
	}
	// Reach from and to the depots of those who may serve it.
	out, home := math.Inf(1), math.Inf(-1)
	for v := range m.vehicles {
		if m.may(r, v) {
			w := &m.vehicles[v]
			out = min(out, w.from+m.time[int(w.start)*m.places+int(a.place)])
			home = max(home, w.to-m.time[int(last.place)*m.places+int(w.end)]-last.service)
		}
	}
	if !math.IsInf(out, 1) {
		a.from, last.to = max(a.from, out), min(last.to, home)
	}
	if q.ride {
		way := m.time[int(a.place)*m.places+int(last.place)]
		last.from = max(last.from, a.from+a.service+way)
		a.to = min(a.to, last.to-a.service-way)
		a.from = max(a.from, last.from-last.ride-a.service)
		last.to = min(last.to, a.to+a.service+last.ride)
	}
}

const maxNear = 150

// relate lists for each request the others that lie near in place and time (Shaw 1998; the time that must be lost between two stops counts).
func (m *model) relate() {
	n := len(m.requests)
	type relation struct {
		other int32
		by    float64
	}
	all := make([]relation, 0, n)
	for i := range n {
		all = all[:0]
		for j := range n {
			if i == j || m.requests[j].rest || m.requests[i].rest {
				continue
			}
			by := m.apart(2*i, 2*j)
			if m.requests[i].ride && m.requests[j].ride {
				by += m.apart(2*i+1, 2*j+1)
				by = min(by, 2*m.apart(2*i+1, 2*j), 2*m.apart(2*i, 2*j+1))
			}
			all = append(all, relation{int32(j), by})
		}
		slices.SortStableFunc(all, func(a, b relation) int {
			switch {
			case a.by < b.by:
				return -1
			case a.by > b.by:
				return 1
			}
			return 0
		})
		near := make([]int32, min(len(all), maxNear))
		for k := range near {
			near[k] = all[k].other
		}
		m.requests[i].near = near
	}
}

// apart answers how badly two stops go one after the other, the better way round: the cost, and part of the wait that cannot be avoided or of
// the time that is missing.
func (m *model) apart(i, j int) float64 {
	a, b := &m.stops[i], &m.stops[j]
	one := func(a, b *stop) float64 {
		k := int(a.place)*m.places + int(b.place)
		way := m.time[k]
		wait := max(0, b.from-way-a.service-a.to)
		warp := max(0, a.from+a.service+way-b.to)
		return m.cost[k] + 0.2*wait + warp
	}
	return min(one(a, b), one(b, a))
}
