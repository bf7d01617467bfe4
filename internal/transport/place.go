package transport

import (
	"context"
	"slices"

	"doorstep/internal/transport/routing"
)

const (
	rebuilds = 1500 // iterations in which a leg that fits nowhere is given room by moving others within their windows
	improves = 6000 // of a plan that is made ahead
)

// alive answers the plan as it now stands, by what the drivers have marked; nil where no vehicle can be had. Legs whose windows can no longer be kept are in late.
func (d *day) alive(ctx context.Context) (*model, *routing.Live, map[key]bool, error) {
	late := map[key]bool{}
	for _, k := range d.legs(func(l *Leg) bool { return l.Late && l.State.driven() }) {
		late[k] = true
	}
	worn := false
	for range 4 {
		m, routes, err := d.model(ctx, late, worn)
		if err != nil || len(m.Vehicles) == 0 {
			return m, nil, late, err
		}
		sound := true
		for _, r := range routes {
			if _, err := routing.Schedule(&m.Problem, []routing.Route{r}); err == nil {
				continue
			}
			sound = false
			for _, v := range r.Visits {
				if v.Request >= 0 {
					worn = worn || late[m.keys[v.Request]] // being late was not enough: the break goes
					late[m.keys[v.Request]] = true
				}
			}
		}
		if sound {
			live, err := routing.NewLive(&m.Problem, routes)
			if err == nil {
				return m, live, late, nil
			}
			worn = true // no time for a break on a route
		}
	}
	// The order of some route cannot be driven at all (a rider would sit too long): those who are not aboard are placed anew.
	for id, list := range d.plan {
		d.plan[id] = slices.DeleteFunc(list, func(x stopAt) bool {
			r, l := d.leg(x.key())
			if l == nil || l.Vehicle != id || !l.State.driven() || l.State == Aboard {
				return false
			}
			l.State, l.Vehicle = Open, ""
			d.changed[r.ID] = true
			return true
		})
	}
	m, routes, err := d.model(ctx, late, true)
	if err != nil || len(m.Vehicles) == 0 {
		return m, nil, late, err
	}
	live, err := routing.NewLive(&m.Problem, routes)
	return m, live, late, err
}

// barred leaves out the vehicles that will not drive a leg. ok is false where none is left.
func (m *model) barred(q *routing.Request, l *Leg) (ok bool) {
	if len(l.Not) == 0 {
		return true
	}
	for i, id := range m.cars {
		if !slices.Contains(l.Not, string(id)) {
			q.Only = append(q.Only, i)
		}
	}
	return len(q.Only) > 0
}

// place puts legs that nobody drives yet into the plan, as promised, or, with late, as soon as it can be. It answers those for which there is no room.
func (d *day) place(ctx context.Context, keys []key, evenLate bool) (left []key, err error) {
	m, live, late, err := d.alive(ctx)
	if err != nil {
		return nil, err
	}
	if len(m.Vehicles) == 0 {
		return keys, nil
	}
	_, index := d.points()
	var rest []routing.Request
	for _, k := range keys {
		_, l := d.leg(k)
		q := d.request(k, index, evenLate)
		if !m.barred(&q, l) {
			left = append(left, k)
			continue
		}
		offers, err := live.Offers(q, 0, nil, 1)
		if err == nil && len(offers) > 0 {
			_, err = live.Accept(q, 0, offers[0])
		} else if err == nil {
			if other := aroundBreaks(live, q); other != nil {
				live, offers = other, make([]routing.Offer, 1)
			}
		}
		switch {
		case err != nil:
			return nil, err
		case len(offers) == 0:
			left, rest = append(left, k), append(rest, q)
		default:
			m.keys = append(m.keys, k)
			late[k] = evenLate
		}
	}
	plan, problem := live.Plan(), live.Problem()
	if len(rest) > 0 { // others may make room, within what they were told
		whole := *problem
		whole.Requests = append(slices.Clone(problem.Requests), rest...)
		better, _, _, err := routing.Replan(ctx, &whole, plan.Routes, routing.Options{Seed: 1, Workers: 1, Iterations: rebuilds}, routing.Stability{})
		if err == nil && len(better.Unserved) < len(rest) && d.keepsAll(better, len(problem.Requests)) {
			for i := range rest {
				m.keys = append(m.keys, left[len(left)-len(rest)+i])
			}
			plan, problem = better, &whole
			left = left[:len(left)-len(rest)]
			for _, r := range better.Unserved {
				left = append(left, m.keys[r])
			}
		}
	}
	m.Problem = *problem
	d.adopt(m, plan, late)
	return left, nil
}

// aroundBreaks tries a request in the plan as if nobody had a break, and puts the breaks back where the new plan has time for them: a vehicle that stands still
// until its break may drive before it. It answers nil where that does not go.
func aroundBreaks(live *routing.Live, q routing.Request) *routing.Live {
	free := *live.Problem()
	free.Vehicles = slices.Clone(free.Vehicles)
	for i := range free.Vehicles {
		free.Vehicles[i].Breaks = nil
	}
	strip := func(routes []routing.Route) (out []routing.Route) {
		for _, r := range routes {
			r.Visits = slices.DeleteFunc(slices.Clone(r.Visits), func(v routing.Visit) bool { return v.Request < 0 })
			if len(r.Visits) > 0 {
				out = append(out, r)
			}
		}
		return out
	}
	try, err := routing.NewLive(&free, strip(live.Plan().Routes))
	if err != nil {
		return nil
	}
	offers, err := try.Offers(q, 0, nil, 1)
	if err != nil || len(offers) == 0 {
		return nil
	}
	if _, err := try.Accept(q, 0, offers[0]); err != nil {
		return nil
	}
	whole := *live.Problem()
	whole.Requests = try.Problem().Requests
	with, err := routing.NewLive(&whole, strip(try.Plan().Routes))
	if err != nil {
		return nil
	}
	return with
}

// keepsAll reports whether everybody who was served before is served still.
func (d *day) keepsAll(plan *routing.Plan, before int) bool {
	return !slices.ContainsFunc(plan.Unserved, func(r int) bool { return r < before })
}

// adopt takes a plan over: each vehicle's stops, and of each leg its vehicle and its times.
func (d *day) adopt(m *model, plan *routing.Plan, late map[key]bool) {
	d.replaned = true
	done := map[VehicleID][]stopAt{}
	for id, list := range d.plan { // what is done stays in the day's picture
		for _, x := range list {
			_, l := d.leg(x.key())
			if x.Ride == "" && x.Begin <= d.min(d.now) || l != nil && l.Vehicle == id && (l.State == Done || l.State == Missed || l.State == Aboard && x.Stop == 0) {
				done[id] = append(done[id], x)
			}
		}
	}
	d.plan = done
	for _, route := range plan.Routes {
		id := m.cars[route.Vehicle]
		for _, v := range route.Visits {
			if v.Request < 0 {
				d.plan[id] = append(d.plan[id], stopAt{Stop: v.Stop, Begin: v.Begin, End: v.End})
				continue
			}
			k := m.keys[v.Request]
			r, l := d.leg(k)
			x := stopAt{k.ride, k.dir, v.Stop, v.Begin, v.End}
			if l.State == Aboard {
				x.Stop = 1
			}
			d.plan[id] = append(d.plan[id], x)
			d.changed[r.ID] = true
			if x.Stop == 0 {
				l.Begin = d.at(v.Begin)
			} else {
				l.End = d.at(v.End)
			}
			l.Vehicle, l.Late = id, late[k] && d.misses(l)
			if l.State == Open {
				l.State, l.Vendor = Planned, Order{}
			}
		}
	}
}

// misses reports whether a leg's planned times are past what she was told.
func (d *day) misses(l *Leg) bool {
	return l.State != Aboard && l.Begin.After(l.Pickup.To) || l.End.After(l.Dropoff.To)
}

// offers answers windows for a leg that is not in the plan.
func (d *day) offers(ctx context.Context, k key, most int) ([]Choice, error) {
	m, live, _, err := d.alive(ctx)
	if err != nil || len(m.Vehicles) == 0 {
		return nil, err
	}
	_, l := d.leg(k)
	_, index := d.points()
	q := d.request(k, index, false)
	if !m.barred(&q, l) {
		return nil, nil
	}
	var windows []routing.Window
	step := Fetched.Minutes()
	for from := step * float64(int(d.min(l.Pickup.From)/step)+1); from+step <= d.min(l.Pickup.To)+step; from += step {
		windows = append(windows, routing.Window{From: from, To: from + step})
	}
	found, err := live.Offers(q, 0, windows, most)
	var out []Choice
	for _, o := range found {
		out = append(out, Choice{Span{d.at(o.Window.From), d.at(o.Window.To)}, m.cars[o.Vehicle], o.Cost})
	}
	return out, err
}
