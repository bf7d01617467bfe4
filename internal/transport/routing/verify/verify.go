// Package verify checks plans against their problems, by its own means: it shares no code with the search.
package verify

import (
	"fmt"
	"math"
	"slices"

	"doorstep/internal/transport/routing"
)

const slack = 1e-5

// Plan answers what of a problem's hard limits a plan breaks, or of its own sums does not hold: the first that is found.
func Plan(p *routing.Problem, plan *routing.Plan) error {
	seen := make([]int, len(p.Requests)) // stops done
	begin := make([][2]float64, len(p.Requests))
	by := make([]int, len(p.Requests))
	used := map[int]bool{}
	total, cost, most := 0.0, 0.0, 0.0
	per := p.PerDistance
	if per == 0 && p.PerDuration == 0 {
		per = 1
	}
	for _, r := range plan.Routes {
		if r.Vehicle < 0 || r.Vehicle >= len(p.Vehicles) || used[r.Vehicle] {
			return fmt.Errorf("vehicle %d is none, or has two routes", r.Vehicle)
		}
		used[r.Vehicle] = true
		length, err := way(p, r, seen, begin, by)
		if err != nil {
			return fmt.Errorf("vehicle %d: %w", r.Vehicle, err)
		}
		total += length
		cost += length*per + driven(p, r)*p.PerDuration + p.Vehicles[r.Vehicle].Fixed
		for _, s := range r.Visits {
			if s.Request < 0 {
				continue
			}
			if stop := p.Requests[s.Request].Stops[s.Stop]; (stop.Late > 0 || p.LatestCost > 0) && s.Begin > stop.Due {
				cost += (s.Begin - stop.Due) * stop.Late
				most = max(most, s.Begin-stop.Due)
			}
		}
	}
	cost += most * p.LatestCost
	if math.Abs(cost-plan.Cost) > slack*(1+cost) {
		return fmt.Errorf("the cost is %v, not %v", cost, plan.Cost)
	}
	if math.Abs(total-plan.Distance) > slack*(1+total) {
		return fmt.Errorf("the distance is %v, not %v", total, plan.Distance)
	}
	for r, q := range p.Requests {
		if left := slices.Contains(plan.Unserved, r); left != (seen[r] == 0) || !left && seen[r] != len(q.Stops) {
			return fmt.Errorf("request %d: %d of %d stops, unserved %v", r, seen[r], len(q.Stops), left)
		}
	}
	for i, l := range p.Links {
		if seen[l.A] == 0 || seen[l.B] == 0 {
			if seen[l.A] != seen[l.B] {
				return fmt.Errorf("link %d: one of two visits is served", i)
			}
			continue
		}
		if by[l.A] == by[l.B] {
			return fmt.Errorf("link %d: vehicle %d makes both visits", i, by[l.A])
		}
		if gap := begin[l.B][0] - begin[l.A][0]; gap < l.Min-slack || gap > l.Max+slack {
			return fmt.Errorf("link %d: visits begin %v apart (want %v to %v)", i, gap, l.Min, l.Max)
		}
	}
	return nil
}

// driven answers the time on the way.
func driven(p *routing.Problem, r routing.Route) float64 {
	sum, at := 0.0, p.Vehicles[r.Vehicle].Start
	for _, s := range r.Visits {
		if s.Request >= 0 {
			to := p.Requests[s.Request].Stops[s.Stop].Place
			sum += p.Duration.At(at, to)
			at = to
		}
	}
	if end := p.Vehicles[r.Vehicle].End; end != routing.Nowhere {
		sum += p.Duration.At(at, end)
	}
	return sum
}

// way follows one route.
func way(p *routing.Problem, r routing.Route, seen []int, begin [][2]float64, by []int) (float64, error) {
	v := p.Vehicles[r.Vehicle]
	if r.Depart < v.Shift.From-slack || r.Return > v.Shift.To+slack || v.MaxDuration > 0 && r.Return-r.Depart > v.MaxDuration+slack {
		return 0, fmt.Errorf("on the way from %v to %v (shift %v, at most %v)", r.Depart, r.Return, v.Shift, v.MaxDuration)
	}
	var aboard routing.Load
	people := 0
	for _, q := range p.Requests {
		if q.Aboard && q.Only[0] == r.Vehicle {
			aboard = plus(aboard, q.Load, 1)
			people++
		}
	}
	picked := map[int]float64{} // when service at the pickup ended
	rested := make([]bool, len(v.Breaks))
	at, free, length := v.Start, r.Depart, 0.0
	for _, s := range r.Visits {
		if s.Request < 0 {
			if s.Stop < 0 || s.Stop >= len(v.Breaks) || rested[s.Stop] {
				return 0, fmt.Errorf("break %d is none, or taken twice", s.Stop)
			}
			b := v.Breaks[s.Stop]
			rested[s.Stop] = true
			if s.Begin < free-slack || s.Begin < b.Window.From-slack || s.Begin > b.Window.To+slack || s.End < s.Begin+b.Length-slack || b.Alone && people > 0 {
				return 0, fmt.Errorf("break %d from %v to %v with %d aboard", s.Stop, s.Begin, s.End, people)
			}
			free = s.End
			continue
		}
		if s.Request >= len(p.Requests) || s.Stop < 0 || s.Stop >= len(p.Requests[s.Request].Stops) {
			return 0, fmt.Errorf("stop %d of request %d is none", s.Stop, s.Request)
		}
		q := p.Requests[s.Request]
		if s.Stop != seen[s.Request] {
			return 0, fmt.Errorf("request %d: stop %d comes after %d others", s.Request, s.Stop, seen[s.Request])
		}
		if s.Stop == 0 {
			if err := suits(q, v, r.Vehicle); err != nil {
				return 0, fmt.Errorf("request %d: %w", s.Request, err)
			}
			by[s.Request] = r.Vehicle
		} else if by[s.Request] != r.Vehicle {
			return 0, fmt.Errorf("request %d was picked up by vehicle %d", s.Request, by[s.Request])
		}
		seen[s.Request]++
		begin[s.Request][s.Stop] = s.Begin
		stop := q.Stops[s.Stop]
		if s.Begin < free+p.Duration.At(at, stop.Place)-slack {
			return 0, fmt.Errorf("request %d, stop %d: begins at %v, and the way there takes from %v until %v", s.Request, s.Stop, s.Begin, free, free+p.Duration.At(at, stop.Place))
		}
		if s.Begin < stop.Window.From-slack || s.Begin > stop.Window.To+slack || s.End < s.Begin+stop.Service-slack {
			return 0, fmt.Errorf("request %d, stop %d: from %v to %v in the window %v", s.Request, s.Stop, s.Begin, s.End, stop.Window)
		}
		switch {
		case q.Aboard:
			aboard = plus(aboard, q.Load, -1)
			people--
		case s.Stop == 1:
			aboard = plus(aboard, q.Load, -1)
			people--
			if ride := s.Begin - picked[s.Request]; q.MaxRide > 0 && ride > q.MaxRide+slack {
				return 0, fmt.Errorf("request %d rides for %v (at most %v)", s.Request, ride, q.MaxRide)
			}
			delete(picked, s.Request)
		default:
			aboard = plus(aboard, q.Load, 1)
			if len(q.Stops) == 2 {
				people++
				picked[s.Request] = s.End
			}
		}
		if !holds(v, aboard) {
			return 0, fmt.Errorf("request %d, stop %d: %v aboard is too much", s.Request, s.Stop, aboard)
		}
		length += p.Distance.At(at, stop.Place)
		at, free = stop.Place, s.End
	}
	if len(picked) > 0 {
		return 0, fmt.Errorf("%d are never set down", len(picked))
	}
	for i, done := range rested {
		if !done {
			return 0, fmt.Errorf("break %d is not taken", i)
		}
	}
	if v.End != routing.Nowhere {
		length += p.Distance.At(at, v.End)
		free += p.Duration.At(at, v.End)
	}
	if r.Return < free-slack {
		return 0, fmt.Errorf("is back at %v, and cannot be before %v", r.Return, free)
	}
	return length, nil
}

func suits(q routing.Request, v routing.Vehicle, index int) error {
	for _, need := range q.Needs {
		if !slices.Contains(v.Has, need) {
			return fmt.Errorf("needs %s, which the vehicle has not", need)
		}
	}
	if q.Load[routing.Wheelchairs] > 0 && !slices.Contains(v.Has, routing.Ramp) && !slices.Contains(v.Has, routing.Lift) {
		return fmt.Errorf("a wheelchair, and neither ramp nor lift")
	}
	if len(q.Only) > 0 && !slices.Contains(q.Only, index) {
		return fmt.Errorf("only %v may serve it", q.Only)
	}
	return nil
}

func plus(a, b routing.Load, sign int) routing.Load {
	for k := range a {
		a[k] += sign * b[k]
	}
	return a
}

func holds(v routing.Vehicle, l routing.Load) bool {
	if len(v.Capacity) == 0 {
		return true
	}
	return slices.ContainsFunc(v.Capacity, func(c routing.Load) bool {
		for k, n := range l {
			if n > c[k] {
				return false
			}
		}
		return true
	})
}
