package routing

import (
	"math"

	"doorstep/internal/fault"
)

// Validate answers what is wrong with a problem, naming the request or vehicle.
func (p *Problem) Validate() error {
	if p.Duration == nil || p.Distance == nil || p.Duration.Places != p.Distance.Places {
		return fault.Invalidf("The problem has no matrices of durations and distances of the same places.")
	}
	n := p.Duration.Places
	for _, m := range []*Matrix{p.Duration, p.Distance} {
		if len(m.Values) != n*n {
			return fault.Invalidf("A matrix of %d places has %d numbers (want %d).", n, len(m.Values), n*n)
		}
		for i, v := range m.Values {
			if !(v >= 0) || math.IsInf(v, 1) {
				return fault.Invalidf("The way from place %d to place %d is %v (want a number, 0 or more).", i/n, i%n, v)
			}
		}
	}
	if len(p.Vehicles) == 0 {
		return fault.Invalidf("The problem has no vehicles.")
	}
	for i := range p.Vehicles {
		if err := p.vehicle(i, n); err != nil {
			return err
		}
	}
	for i := range p.Requests {
		if err := p.request(i, n); err != nil {
			return err
		}
	}
	for i, l := range p.Links {
		if l.A < 0 || l.A >= len(p.Requests) || l.B < 0 || l.B >= len(p.Requests) || l.A == l.B || len(p.Requests[l.A].Stops)+len(p.Requests[l.B].Stops) != 2 || !(l.Min <= l.Max) {
			return fault.Invalidf("Link %d (requests %d and %d, %v to %v apart) does not tie two visits.", i, l.A, l.B, l.Min, l.Max)
		}
	}
	if p.linked() {
		if err := p.linkable(); err != nil {
			return err
		}
	}
	return p.aboard()
}

// aboard checks that nobody sits in a vehicle that cannot hold her.
func (p *Problem) aboard() error {
	sums := make([]Load, len(p.Vehicles))
	for _, q := range p.Requests {
		if q.Aboard {
			for k, n := range q.Load {
				sums[q.Only[0]][k] += n
			}
		}
	}
	for v, sum := range sums {
		if sum != (Load{}) && !able(Request{Load: sum}, Vehicle{Capacity: p.Vehicles[v].Capacity, Has: []string{Ramp}}) {
			return fault.Invalidf("Vehicle %d (%s): %v are aboard, which is more than it holds.", v, p.Vehicles[v].ID, sum)
		}
	}
	return nil
}

func (p *Problem) vehicle(i, places int) error {
	v := &p.Vehicles[i]
	wrong := func(format string, args ...any) error {
		return fault.Invalidf("Vehicle %d (%s): "+format, append([]any{i, v.ID}, args...)...)
	}
	if v.Start < 0 || v.Start >= places || v.End < Nowhere || v.End >= places {
		return wrong("start %d or end %d is no place (want 0 to %d).", v.Start, v.End, places-1)
	}
	if !(v.Shift.From <= v.Shift.To) || math.IsInf(v.Shift.From, 0) || math.IsInf(v.Shift.To, 0) {
		return wrong("the shift %v to %v is none.", v.Shift.From, v.Shift.To)
	}
	if !(v.MaxDuration >= 0) || !(v.Fixed >= 0) || math.IsInf(v.Fixed, 1) {
		return wrong("a limit or cost below 0.")
	}
	for _, l := range v.Capacity {
		if !l.valid() {
			return wrong("capacity %v (want counts from 0 to %d).", l, MaxLoad)
		}
	}
	for _, b := range v.Breaks {
		if !(b.Window.From <= b.Window.To) || !(b.Length >= 0) {
			return wrong("the break from %v to %v for %v is none.", b.Window.From, b.Window.To, b.Length)
		}
	}
	return nil
}

func (p *Problem) request(i, places int) error {
	q := &p.Requests[i]
	wrong := func(format string, args ...any) error {
		return fault.Invalidf("Request %d (%s): "+format, append([]any{i, q.ID}, args...)...)
	}
	if n := len(q.Stops); n != 1 && n != 2 {
		return wrong("%d stops (want 1, a visit, or 2, a pickup and a delivery).", n)
	}
	if q.Aboard && (len(q.Stops) != 1 || len(q.Only) != 1) {
		return wrong("who is aboard has one stop left and one vehicle.")
	}
	if !q.Load.valid() {
		return wrong("load %v (want counts from 0 to %d).", q.Load, MaxLoad)
	}
	if !(q.MaxRide >= 0) {
		return wrong("a ride of at most %v.", q.MaxRide)
	}
	for _, s := range q.Stops {
		switch {
		case s.Place < 0 || s.Place >= places:
			return wrong("place %d is none (want 0 to %d).", s.Place, places-1)
		case !(s.Window.From <= s.Window.To):
			return wrong("the window from %v to %v is none.", s.Window.From, s.Window.To)
		case !(s.Service >= 0) || math.IsInf(s.Service, 1) || !(s.Late >= 0) || math.IsNaN(s.Due):
			return wrong("a service time or a cost below 0.")
		}
	}
	for _, v := range q.Only {
		if v < 0 || v >= len(p.Vehicles) {
			return wrong("vehicle %d is none (want 0 to %d).", v, len(p.Vehicles)-1)
		}
	}
	return nil
}

func (l Load) valid() bool {
	for _, n := range l {
		if n < 0 || n > MaxLoad {
			return false
		}
	}
	return true
}
