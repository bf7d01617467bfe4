package routing

import "slices"

// Rest is what is left to plan of a day that has begun.
type Rest struct {
	Problem Problem
	Routes  []Route // what is left of the plan, in its terms
	Of      []int   // index in the whole problem of each of its requests
	// Stop of the whole problem's request that is stop 0 here: 1 for who is aboard.
	First []int

	done   []Route // of each vehicle, what is behind it
	breaks [][]int // of each vehicle, the breaks that are left
}

// Freeze answers what of a plan can still be changed at an instant. What has begun, and the stop that a vehicle is on its way to, is as good as done:
// the vehicle starts there, when it will be free. Riders aboard have one stop left, by the end of their ride limit. Requests that drop answers true for, and those
// that are done, are left out. Vehicles wait where they are until they must leave; a vehicle that has not left its depot is as free as before.
func Freeze(p *Problem, plan *Plan, now float64, drop func(r int) bool) *Rest {
	rest := &Rest{Problem: *p, done: make([]Route, len(p.Vehicles)), breaks: make([][]int, len(p.Vehicles))}
	rest.Problem.Vehicles = slices.Clone(p.Vehicles)
	rest.Problem.Requests = nil
	index := make([]int, len(p.Requests)) // in rest; -1: left out
	end := make([]float64, len(p.Requests))
	stage := make([]int, len(p.Requests)) // stops done
	bound := make([]int, len(p.Requests)) // vehicle of who is aboard
	routes := make([]Route, 0, len(plan.Routes))
	for v := range p.Vehicles {
		for b := range p.Vehicles[v].Breaks {
			rest.breaks[v] = append(rest.breaks[v], b)
		}
		rest.Problem.Vehicles[v].Shift.From = min(max(p.Vehicles[v].Shift.From, now), p.Vehicles[v].Shift.To)
	}
	for _, r := range plan.Routes {
		v := &rest.Problem.Vehicles[r.Vehicle]
		left, free, at := 0, r.Depart, v.Start
		for left < len(r.Visits) {
			s := r.Visits[left]
			leave := s.Begin
			if s.Request >= 0 {
				place := p.Requests[s.Request].Stops[s.Stop].Place
				leave -= p.Duration.At(at, place)
				at = place
			}
			if leave > now {
				break
			}
			free = s.End
			if s.Request < 0 {
				rest.breaks[r.Vehicle] = slices.DeleteFunc(rest.breaks[r.Vehicle], func(b int) bool { return b == s.Stop })
			} else {
				v.Start = at
				stage[s.Request]++
				end[s.Request], bound[s.Request] = s.End, r.Vehicle
				if q := &p.Requests[s.Request]; len(q.Stops) == 1 && !q.Aboard {
					v.Capacity = less(v.Capacity, q.Load)
				}
			}
			left++
		}
		if left > 0 {
			v.Shift.From = max(free, min(now, v.Shift.To))
			if v.MaxDuration > 0 {
				v.Shift.To = min(v.Shift.To, r.Depart+v.MaxDuration)
				v.MaxDuration = 0
			}
			v.Shift.From = min(v.Shift.From, v.Shift.To)
		}
		rest.done[r.Vehicle] = Route{Vehicle: r.Vehicle, Depart: r.Depart, Visits: r.Visits[:left]}
		routes = append(routes, Route{Vehicle: r.Vehicle, Visits: r.Visits[left:]})
	}
	for v, left := range rest.breaks {
		breaks := make([]Break, len(left))
		for k, b := range left {
			breaks[k] = p.Vehicles[v].Breaks[b]
		}
		rest.Problem.Vehicles[v].Breaks = breaks
	}
	for r, q := range p.Requests {
		index[r] = nobody
		if stage[r] == len(q.Stops) || drop != nil && stage[r] == 0 && drop(r) {
			continue
		}
		if stage[r] == 1 {
			off := q.Stops[1]
			if q.MaxRide > 0 {
				off.Window.To = min(off.Window.To, end[r]+q.MaxRide)
			}
			q.Stops, q.MaxRide, q.Only, q.Aboard = []Stop{off}, 0, []int{bound[r]}, true
		}
		index[r] = len(rest.Of)
		rest.Of, rest.First = append(rest.Of, r), append(rest.First, stage[r])
		rest.Problem.Requests = append(rest.Problem.Requests, q)
	}
	for _, r := range routes {
		out := Route{Vehicle: r.Vehicle}
		for _, s := range r.Visits {
			if s.Request < 0 {
				s.Stop = slices.Index(rest.breaks[r.Vehicle], s.Stop)
			} else if index[s.Request] == nobody {
				continue
			} else {
				s.Stop -= stage[s.Request]
				s.Request = index[s.Request]
			}
			out.Visits = append(out.Visits, s)
		}
		rest.Routes = append(rest.Routes, out)
	}
	return rest
}

// Whole answers the plan of the whole day p: what is done, and a plan of the rest. The last accepted requests of p are those that were accepted into the rest since it was
// frozen, in the same order.
func (r *Rest) Whole(p *Problem, accepted int, plan *Plan) *Plan {
	out := &Plan{Iterations: plan.Iterations}
	served := make([]bool, len(p.Requests))
	for v := range p.Vehicles {
		route := Route{Vehicle: v, Depart: r.done[v].Depart, Visits: slices.Clone(r.done[v].Visits)}
		begun := len(route.Visits) > 0
		for _, s := range plan.Routes {
			if s.Vehicle != v {
				continue
			}
			if !begun {
				route.Depart = s.Depart
			}
			for _, visit := range s.Visits {
				if visit.Request < 0 {
					visit.Stop = r.breaks[v][visit.Stop]
				} else if visit.Request < len(r.Of) {
					visit.Stop += r.First[visit.Request]
					visit.Request = r.Of[visit.Request]
				} else {
					visit.Request += len(p.Requests) - accepted - len(r.Of)
				}
				route.Visits = append(route.Visits, visit)
			}
		}
		if !slices.ContainsFunc(route.Visits, func(s Visit) bool { return s.Request >= 0 }) {
			continue
		}
		measure(p, &route)
		for _, s := range route.Visits {
			if s.Request >= 0 {
				served[s.Request] = true
			}
		}
		out.Distance += route.Distance
		out.Cost += costOf(p, route)
		out.Routes = append(out.Routes, route)
	}
	for i, done := range served {
		if !done {
			out.Unserved = append(out.Unserved, i)
		}
	}
	return out
}

// measure sets a route's distance and its return.
func measure(p *Problem, r *Route) {
	v := &p.Vehicles[r.Vehicle]
	at, free := v.Start, r.Depart
	r.Distance = 0
	for _, s := range r.Visits {
		if s.Request >= 0 {
			to := p.Requests[s.Request].Stops[s.Stop].Place
			r.Distance += p.Distance.At(at, to)
			at = to
		}
		free = s.End
	}
	r.Return = free
	if v.End != Nowhere {
		r.Distance += p.Distance.At(at, v.End)
		r.Return = free + p.Duration.At(at, v.End)
	}
}

// costOf answers what a route costs.
func costOf(p *Problem, r Route) float64 {
	perDistance := p.PerDistance
	if perDistance == 0 && p.PerDuration == 0 {
		perDistance = 1
	}
	v := &p.Vehicles[r.Vehicle]
	cost, at := r.Distance*perDistance+v.Fixed, v.Start
	for _, s := range r.Visits {
		if s.Request < 0 {
			continue
		}
		stop := &p.Requests[s.Request].Stops[s.Stop]
		cost += p.Duration.At(at, stop.Place) * p.PerDuration
		if stop.Late > 0 {
			cost += stop.Late * max(0, s.Begin-stop.Due)
		}
		at = stop.Place
	}
	if v.End != Nowhere {
		cost += p.Duration.At(at, v.End) * p.PerDuration
	}
	return cost
}

// less answers capacities without what a visit has left aboard for good; those that do not hold it are gone.
func less(capacity []Load, by Load) []Load {
	var out []Load
	for _, c := range capacity {
		fits := true
		for k := range c {
			c[k] -= by[k]
			fits = fits && c[k] >= 0
		}
		if fits {
			out = append(out, c)
		}
	}
	return out
}
