package routing_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorstep/internal/sharedtest"
	"doorstep/internal/transport/routing"
	"doorstep/internal/transport/routing/verify"
)

// Home health care comes to the best known values of small instances within a moment.
func TestHomeCare(t *testing.T) {
	t.Parallel()
	for file, known := range map[string]float64{
		"mankowska/InstanzCPLEX_HCSRP_10_1": 218.199, "mankowska/InstanzCPLEX_HCSRP_10_5": 189.543, "mankowska/InstanzCPLEX_HCSRP_25_3": 399.089, "kummer/HHCRSP_25_5_37_1.0_R_RC": 1434.67,
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			i := load(t, "hhcrsp", sharedtest.Path(t, "data/routing/hhcrsp/"+file+".json"))
			plan := solve(t, &i.Problem, routing.Options{Seed: 1, Workers: 2, Iterations: 8000 / slower})
			if len(plan.Unserved) > 0 {
				t.Errorf("unserved: %v", plan.Unserved)
			}
			if plan.Cost > known*(1.03+near) || plan.Cost < known*0.9999 {
				t.Errorf("cost %.3f, best known %.3f", plan.Cost, known)
			}
		})
	}
}

// drawVisits makes a day of visits, some of them linked, with hard windows of which not all can be kept.
func drawVisits(t *rapid.T) *routing.Problem {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
	x, y := make([]float64, 8), make([]float64, 8)
	for i := range x {
		x[i], y[i] = 30*random.Float64(), 30*random.Float64()
	}
	m := routing.Euclidean(x, y)
	p := &routing.Problem{Duration: m, Distance: m, LatestCost: float64(random.IntN(2))}
	for v := range 2 + random.IntN(3) {
		p.Vehicles = append(p.Vehicles, routing.Vehicle{ID: fmt.Sprint("v", v), Start: random.IntN(2), End: random.IntN(2) - random.IntN(2), Shift: routing.Window{To: 300 + float64(random.IntN(300))},
			Has: [][]string{{"nurse"}, {"aide"}, {"nurse", "aide"}}[random.IntN(3)]})
	}
	for r := range 3 + random.IntN(10) {
		from := float64(random.IntN(300))
		p.Requests = append(p.Requests, routing.Request{ID: fmt.Sprint("r", r), Needs: [][]string{{"nurse"}, {"aide"}}[random.IntN(2)], Stops: []routing.Stop{{
			Place: random.IntN(8), Window: routing.Window{From: from, To: from + 20 + float64(random.IntN(200))}, Service: float64(5 + random.IntN(30)), Due: from + 30, Late: 0.5}}})
		if r%3 == 2 {
			link := routing.Link{A: r - 1, B: r}
			if random.IntN(2) == 0 {
				link.Min = float64(random.IntN(40))
				link.Max = link.Min + float64(random.IntN(40))
			}
			p.Links = append(p.Links, link)
		}
	}
	return p
}

func TestNoLinkIsBroken(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawVisits(t)
		plan, err := routing.Solve(context.Background(), p, routing.Options{Seed: 1, Iterations: 30})
		if err != nil {
			t.Fatal(err)
		}
		if err := verify.Plan(p, plan); err != nil {
			t.Fatal(err)
		}
	})
}

// Two visits one after the other with room between them may enclose another pair: the vehicles then wait for each other in a ring, and there is a schedule all the same.
func TestLinksThatCross(t *testing.T) {
	t.Parallel()
	m := routing.Euclidean([]float64{0, 1}, []float64{0, 0})
	visit := func(from, to float64, only int) routing.Request {
		return routing.Request{Only: []int{only}, Stops: []routing.Stop{{Place: 1, Window: routing.Window{From: from, To: to}, Service: 10}}}
	}
	shift := routing.Window{To: 300}
	p := &routing.Problem{Duration: m, Distance: m, Vehicles: []routing.Vehicle{{ID: "a", Shift: shift}, {ID: "b", Shift: shift}},
		// Carer a: r0 then r2; carer b: r3 then r1. r1 comes 30 to 60 after r0, r2 and r3 are together, at 40 at the earliest.
		Requests: []routing.Request{visit(10, 30, 0), visit(40, 100, 1), visit(40, 45, 0), visit(40, 45, 1)},
		Links:    []routing.Link{{A: 0, B: 1, Min: 30, Max: 60}, {A: 2, B: 3}}}
	plan := solve(t, p, routing.Options{Seed: 1, Iterations: 50})
	if len(plan.Unserved) > 0 || math.Abs(plan.Distance-4) > 1e-9 {
		t.Errorf("unserved %v, distance %v", plan.Unserved, plan.Distance)
	}
	begins := map[int]float64{}
	for _, r := range plan.Routes {
		for _, v := range r.Visits {
			begins[v.Request] = v.Begin
		}
	}
	if begins[0] != 10 || begins[1] != 50 || begins[2] != 40 {
		t.Errorf("begins %v", begins)
	}
}

func TestLinksAreRefused(t *testing.T) {
	t.Parallel()
	m := routing.Euclidean([]float64{0, 1}, []float64{0, 0})
	stop := routing.Stop{Place: 1, Window: routing.Always}
	for _, c := range []struct {
		spoil func(p *routing.Problem)
		says  string
	}{
		{func(p *routing.Problem) { p.Links = append(p.Links, routing.Link{A: 1, B: 2}) }, "linked once"},
		{func(p *routing.Problem) { p.Requests[2].Load[routing.Goods] = 1 }, "Request 2"},
		{func(p *routing.Problem) { p.Requests[0].Stops = []routing.Stop{stop, stop} }, "Link 0"},
		{func(p *routing.Problem) { p.Vehicles[0].MaxDuration = 5 }, "Vehicle 0"},
		{func(p *routing.Problem) { p.Links[0].Min = 2 }, "Link 0"},
	} {
		p := &routing.Problem{Duration: m, Distance: m, Vehicles: []routing.Vehicle{{Shift: routing.Window{To: 10}}, {Shift: routing.Window{To: 10}}},
			Requests: []routing.Request{{Stops: []routing.Stop{stop}}, {Stops: []routing.Stop{stop}}, {Stops: []routing.Stop{stop}}}, Links: []routing.Link{{A: 0, B: 1, Max: 1}}}
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		c.spoil(p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %q, got %v", c.says, err)
		}
	}
}
