package routing_test

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"doorstep/internal/fault"
	"doorstep/internal/transport/routing"
	"doorstep/internal/transport/routing/verify"
)

// call is a request of a dynamic instance with the time at which it comes in.
type call struct {
	at float64
	routing.Request
}

// dynamic reads an instance of Berbeglia et al. (2012).
func dynamic(t *testing.T, path string) (*routing.Problem, []call) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	type point struct {
		X float64 `json:"x_coord"`
		Y float64 `json:"y_coord"`
	}
	var file struct {
		Info struct {
			Vehicles int     `json:"number_of_vehicles"`
			Capacity int     `json:"vehicle_capacity"`
			Ride     float64 `json:"max_ride_time"`
			Route    float64 `json:"max_route_time"`
			Horizon  float64 `json:"planing_horizon"`
			Depot    point   `json:"depot_location"`
		} `json:"static_info"`
		Requests []struct {
			Pickup   point   `json:"pickup_location"`
			Delivery point   `json:"delivery_location"`
			PFrom    float64 `json:"pickup_lower_tw"`
			PTo      float64 `json:"pickup_upper_tw"`
			PTime    float64 `json:"pickup_service_time"`
			DFrom    float64 `json:"delivery_lower_tw"`
			DTo      float64 `json:"delivery_upper_tw"`
			DTime    float64 `json:"delivery_service_time"`
			Load     int     `json:"load"`
			Arrival  float64 `json:"arrival_time"`
		} `json:"requests"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	x, y := []float64{file.Info.Depot.X}, []float64{file.Info.Depot.Y}
	var calls []call
	for _, q := range file.Requests {
		x, y = append(x, q.Pickup.X, q.Delivery.X), append(y, q.Pickup.Y, q.Delivery.Y)
		calls = append(calls, call{q.Arrival, routing.Request{Stops: []routing.Stop{
			{Place: len(x) - 2, Window: routing.Window{From: q.PFrom, To: q.PTo}, Service: q.PTime}, {Place: len(x) - 1, Window: routing.Window{From: q.DFrom, To: q.DTo}, Service: q.DTime}},
			Load: routing.Load{q.Load}, MaxRide: file.Info.Ride}})
	}
	slices.SortStableFunc(calls, func(a, b call) int { return cmp.Compare(a.at, b.at) })
	p := &routing.Problem{Duration: routing.Euclidean(x, y)}
	p.Distance = p.Duration
	for range file.Info.Vehicles {
		p.Vehicles = append(p.Vehicles, routing.Vehicle{Shift: routing.Window{To: file.Info.Horizon}, MaxDuration: file.Info.Route, Capacity: []routing.Load{{file.Info.Capacity}}})
	}
	return p, calls
}

// A day of calls: each is answered on the telephone from the plan of that instant, what is driven is never changed, no promise is broken, and riders are
// served to the end. Now and then somebody cancels and the rest is planned anew.
func TestDayOfCalls(t *testing.T) {
	t.Parallel()
	for _, path := range glob(t, "data/routing/ddarp/berbeglia2012/*[468]0.json") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			p, calls := dynamic(t, path)
			plan := &routing.Plan{}
			gone := map[int]bool{}
			promised := map[int]routing.Window{}
			accepted := 0
			for n, c := range calls {
				rest := routing.Freeze(p, plan, c.at, func(r int) bool { return gone[r] })
				live, err := routing.NewLive(&rest.Problem, rest.Routes)
				if err != nil {
					t.Fatalf("call %d at %v: %v", n, c.at, err)
				}
				offers, err := live.Offers(c.Request, 1, nil, 1)
				if err != nil {
					t.Fatal(err)
				}
				if len(offers) == 0 {
					continue
				}
				if _, err := live.Accept(c.Request, 1, offers[0]); err != nil {
					t.Fatal(err)
				}
				p.Requests = append(p.Requests, c.Request)
				promised[len(p.Requests)-1] = offers[0].Window
				accepted++
				before := plan
				plan = rest.Whole(p, 1, live.Plan())
				if err := verify.Plan(p, plan); err != nil {
					t.Fatalf("call %d at %v: %v", n, c.at, err)
				}
				unchanged(t, before, plan, c.at)
				if n%10 == 9 {
					plan = cancelOne(t, p, plan, c.at, gone)
				}
			}
			for r := range p.Requests {
				if slices.Contains(plan.Unserved, r) != gone[r] {
					t.Errorf("request %d was accepted, and is not served", r)
				}
			}
			for _, r := range plan.Routes {
				for _, v := range r.Visits {
					if w := promised[v.Request]; v.Stop == 1 && (v.Begin < w.From-1e-5 || v.Begin > w.To+1e-5) {
						t.Errorf("request %d at %v, promised %v", v.Request, v.Begin, w)
					}
				}
			}
			if accepted < len(calls)*6/10 {
				t.Errorf("%d of %d accepted", accepted, len(calls))
			}
		})
	}
}

// cancelOne takes out the last request that is not under way, and plans the rest anew.
func cancelOne(t *testing.T, p *routing.Problem, plan *routing.Plan, now float64, gone map[int]bool) *routing.Plan {
	t.Helper()
	rest := routing.Freeze(p, plan, now, func(r int) bool { return gone[r] })
	live, err := routing.NewLive(&rest.Problem, rest.Routes)
	if err != nil {
		t.Fatal(err)
	}
	for r := len(rest.Of) - 1; r >= 0; r-- {
		if rest.Problem.Requests[r].Aboard {
			if err := live.Cancel(r); !fault.Is(err, fault.Invalid) {
				t.Fatalf("who is aboard was cancelled: %v", err)
			}
			continue
		}
		if err := live.Cancel(r); err != nil {
			t.Fatal(err)
		}
		gone[rest.Of[r]] = true
		break
	}
	without := rest.Whole(p, 0, live.Plan())
	rest = routing.Freeze(p, without, now, func(r int) bool { return gone[r] })
	better, change, publish, err := routing.Replan(context.Background(), &rest.Problem, rest.Routes, routing.Options{Seed: 3, Workers: 2, Iterations: 60}, routing.Stability{PerChange: 0.5, Tolerance: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := verify.Plan(&rest.Problem, better); err != nil {
		t.Fatal(err)
	}
	if change.Gain < -1e-6 || change.Served < 0 || publish && change.Served == 0 && change.Gain <= 0.5*float64(len(change.Changed)) {
		t.Errorf("publish %v: %+v", publish, change)
	}
	if !publish {
		return without
	}
	whole := rest.Whole(p, 0, better)
	if err := verify.Plan(p, whole); err != nil {
		t.Fatal(err)
	}
	unchanged(t, without, whole, now)
	return whole
}

// unchanged checks that what began by now is the same in both plans.
func unchanged(t *testing.T, before, after *routing.Plan, now float64) {
	t.Helper()
	for _, r := range before.Routes {
		k := slices.IndexFunc(after.Routes, func(o routing.Route) bool { return o.Vehicle == r.Vehicle })
		for i, v := range r.Visits {
			if v.Begin > now {
				break
			}
			if k < 0 || i >= len(after.Routes[k].Visits) || after.Routes[k].Visits[i].Request != v.Request || after.Routes[k].Visits[i].Begin != v.Begin {
				t.Fatalf("vehicle %d: visit %d was made at %v, and is another now", r.Vehicle, i, v.Begin)
			}
		}
	}
}

// Offers are what they cost: accepting one raises the plan's cost by as much, and the promise is kept.
func TestOffersAreTrue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		for r := range p.Requests { // cost of lateness moves with the schedule: without wishes costs add up
			for s := range p.Requests[r].Stops {
				p.Requests[r].Stops[s].Late = 0
			}
		}
		last := p.Requests[len(p.Requests)-1]
		p.Requests = p.Requests[:len(p.Requests)-1]
		plan, err := routing.Solve(context.Background(), p, routing.Options{Seed: 1, Iterations: 30})
		if err != nil {
			t.Fatal(err)
		}
		live, err := routing.NewLive(p, plan.Routes)
		if err != nil {
			t.Fatal(err)
		}
		own := last.Stops[0].Window
		var windows []routing.Window
		for from := own.From; from < own.To; from += 15 {
			windows = append(windows, routing.Window{From: from, To: from + 15})
		}
		before := live.Plan()
		offers, err := live.Offers(last, 0, windows, 3)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(offers, func(a, b routing.Offer) int { return cmp.Compare(a.Cost, b.Cost) }) || len(offers) > 3 {
			t.Fatalf("offers %v", offers)
		}
		for _, o := range offers {
			fresh, err := routing.NewLive(p, before.Routes)
			if err != nil {
				t.Fatal(err)
			}
			r, err := fresh.Accept(last, 0, o)
			if err != nil {
				t.Fatal(err)
			}
			after := fresh.Plan()
			if err := verify.Plan(fresh.Problem(), after); err != nil {
				t.Fatal(err)
			}
			if math.Abs(after.Cost-before.Cost-o.Cost) > 1e-6 {
				t.Fatalf("the offer said %v, it cost %v", o.Cost, after.Cost-before.Cost)
			}
			for _, route := range after.Routes {
				for _, v := range route.Visits {
					if v.Request == r && v.Stop == 0 && (v.Begin < o.Window.From-1e-6 || v.Begin > o.Window.To+1e-6) {
						t.Fatalf("promised %v, comes at %v", o.Window, v.Begin)
					}
				}
			}
			if err := fresh.Cancel(r); err != nil {
				t.Fatal(err)
			}
			if got := fresh.Plan().Cost; math.Abs(got-before.Cost) > 1e-6 {
				t.Fatalf("cancelled: cost %v, before %v", got, before.Cost)
			}
		}
	})
}

// Riders wait at home and not aboard.
func TestWaitsAreOffBoard(t *testing.T) {
	t.Parallel()
	m := routing.Euclidean([]float64{0, 10, 20}, []float64{0, 0, 0})
	p := &routing.Problem{Duration: m, Distance: m, Vehicles: []routing.Vehicle{{Shift: routing.Window{To: 500}}},
		Requests: []routing.Request{{Stops: []routing.Stop{{Place: 1, Window: routing.Window{To: 400}, Service: 2}, {Place: 2, Window: routing.Window{From: 100, To: 120}}}}}}
	plan := solve(t, p, routing.Options{Iterations: 5})
	r := plan.Routes[0]
	if r.Visits[0].Begin != 88 || r.Visits[1].Begin != 100 || r.Depart != 78 {
		t.Errorf("leaves at %v, picks up at %v, sets down at %v", r.Depart, r.Visits[0].Begin, r.Visits[1].Begin)
	}
}

// What is aboard, collected or on the way when a day is frozen: riders are set down within what is left of their ride, parcels keep their place, a vehicle that is on its way
// to a stop goes there, and one that waits may be sent elsewhere.
func TestFreeze(t *testing.T) {
	t.Parallel()
	m := routing.Euclidean([]float64{0, 10, 20, 30, 40}, []float64{0, 0, 0, 0, 0})
	stop := func(place int, from, to float64) routing.Stop {
		return routing.Stop{Place: place, Window: routing.Window{From: from, To: to}, Service: 1}
	}
	p := &routing.Problem{Duration: m, Distance: m, Vehicles: []routing.Vehicle{{Shift: routing.Window{To: 500}, MaxDuration: 300, Capacity: []routing.Load{{routing.Seats: 2, routing.Goods: 5}}}},
		Requests: []routing.Request{
			{ID: "parcel", Stops: []routing.Stop{stop(1, 50, 60)}, Load: routing.Load{routing.Goods: 3}},
			{ID: "rider", Stops: []routing.Stop{stop(2, 70, 80), stop(4, 100, 200)}, Load: routing.Load{1}, MaxRide: 40},
			{ID: "later", Stops: []routing.Stop{stop(3, 250, 260), stop(4, 250, 300)}, Load: routing.Load{1}, MaxRide: 40},
		}}
	plan, err := routing.Schedule(p, []routing.Route{{Visits: []routing.Visit{{Request: 0}, {Request: 1}, {Request: 1, Stop: 1}, {Request: 2}, {Request: 2, Stop: 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	visits := plan.Routes[0].Visits
	for _, c := range []struct {
		now              float64
		left, start      int
		free             float64
		goods            int
		aboard           bool
		latest, mustBack float64
	}{
		{0, 3, 0, 0, 5, false, 0, 500},
		{plan.Routes[0].Depart + 1, 2, 1, visits[0].End, 2, false, 0, plan.Routes[0].Depart + 300}, // on the way to the parcel
		{visits[1].Begin - 5, 2, 2, visits[1].End, 2, true, visits[1].End + 40, plan.Routes[0].Depart + 300},
		{visits[2].End + 10, 1, 4, visits[2].End + 10, 2, false, 0, plan.Routes[0].Depart + 300}, // it waits
	} {
		rest := routing.Freeze(p, plan, c.now, nil)
		v := rest.Problem.Vehicles[0]
		if len(rest.Of) != c.left || v.Start != c.start || v.Shift.From != c.free || v.Capacity[0][routing.Goods] != c.goods || v.Shift.To != c.mustBack {
			t.Errorf("at %v: %d left, vehicle %+v", c.now, len(rest.Of), v)
		}
		q := rest.Problem.Requests[0]
		if q.Aboard != c.aboard || c.aboard && (q.Stops[0].Window.To != c.latest || !slices.Equal(q.Only, []int{0})) {
			t.Errorf("at %v: %+v", c.now, q)
		}
		again, err := routing.Schedule(&rest.Problem, rest.Routes)
		if err != nil {
			t.Fatal(err)
		}
		whole := rest.Whole(p, 0, again)
		if err := verify.Plan(p, whole); err != nil {
			t.Errorf("at %v: %v", c.now, err)
		}
	}
}
