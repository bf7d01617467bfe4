package routing

import (
	"slices"

	"doorstep/internal/fault"
)

// Schedule gives times to routes of which the vehicles, and the visits with their requests and stops, are set: everything as early as it can be, pickups later
// where a ride would be too long. An error names the vehicle in which a limit cannot be kept.
func Schedule(p *Problem, routes []Route) (*Plan, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	m := compile(p, false)
	made, err := m.arrange(p, routes)
	if err != nil {
		return nil, err
	}
	plan := m.plan(p, made)
	for r := range p.Requests {
		if !slices.ContainsFunc(made, func(v *route) bool { return v.serves(r) }) {
			plan.Unserved = append(plan.Unserved, r)
		}
	}
	return plan, nil
}

// serves reports whether a request is in a route.
func (r *route) serves(request int) bool {
	return slices.ContainsFunc(r.nodes, func(n node) bool { return n.id == int32(2*request) })
}

// arrange makes routes of the vehicles and the order of visits; a vehicle without one stands empty.
func (m *model) arrange(p *Problem, routes []Route) ([]*route, error) {
	pos := make([]int32, len(m.stops))
	made := make([]*route, len(p.Vehicles))
	for v := range made {
		made[v] = &route{v: int32(v)}
	}
	stops := make([]int, len(p.Requests)) // done so far
	for _, r := range routes {
		if r.Vehicle < 0 || r.Vehicle >= len(made) || len(made[r.Vehicle].nodes) > 0 {
			return nil, fault.Invalidf("Vehicle %d is none, or has two routes.", r.Vehicle)
		}
		first, last := m.ends(r.Vehicle)
		nodes := []node{first}
		for _, v := range r.Visits {
			id := 2*v.Request + v.Stop
			if v.Request < 0 {
				if v.Stop < 0 || v.Stop >= len(p.Vehicles[r.Vehicle].Breaks) {
					return nil, fault.Invalidf("Vehicle %d (%s) has no break %d.", r.Vehicle, p.Vehicles[r.Vehicle].ID, v.Stop)
				}
				id = 2 * (m.firstRest(r.Vehicle) + v.Stop)
			} else {
				if v.Request >= len(p.Requests) || v.Stop != stops[v.Request] || v.Stop >= len(p.Requests[v.Request].Stops) || !m.may(v.Request, r.Vehicle) {
					return nil, fault.Invalidf("Vehicle %d (%s): stop %d of request %d is none, out of order or not for it.", r.Vehicle, p.Vehicles[r.Vehicle].ID, v.Stop, v.Request)
				}
				stops[v.Request]++
			}
			nodes = append(nodes, m.node(int32(id)))
		}
		for _, v := range r.Visits {
			if v.Request >= 0 && stops[v.Request] != len(p.Requests[v.Request].Stops) {
				return nil, fault.Invalidf("Vehicle %d (%s) does not set request %d down.", r.Vehicle, p.Vehicles[r.Vehicle].ID, v.Request)
			}
		}
		made[r.Vehicle].nodes = append(nodes, last)
		clear(pos)
		if !m.complete(made[r.Vehicle], pos) {
			return nil, fault.Invalidf("Vehicle %d (%s) cannot keep its limits on this route.", r.Vehicle, p.Vehicles[r.Vehicle].ID)
		}
	}
	for v, r := range made {
		if len(r.nodes) == 0 {
			first, last := m.ends(v)
			r.nodes = append(r.nodes, first, last)
			m.complete(r, pos)
		}
	}
	return made, nil
}
