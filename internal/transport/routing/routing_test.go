package routing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorstep/internal/sharedtest"
	"doorstep/internal/transport/routing"
	"doorstep/internal/transport/routing/instance"
	"doorstep/internal/transport/routing/verify"
)

func load(t *testing.T, format, path string) *instance.Instance {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i, err := instance.Read(format, f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return i
}

func solve(t *testing.T, p *routing.Problem, o routing.Options) *routing.Plan {
	t.Helper()
	plan, err := routing.Solve(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify.Plan(p, plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

// A few instances of each family, searched for a moment, come near the best known and break nothing.
func TestBenchmarks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format, file string
		known        float64
		vehicles     int
		within       float64
	}{
		{"cordeau", "darp/cordeau2006/a2-16.txt", 294.25, 0, 1.0001},
		{"cordeau", "darp/cordeau2006/b2-24.txt", 444.71, 0, 1.002},
		{"cordeau", "darp/cordeau2006/a4-40.txt", 557.69, 0, 1.02},
		{"cordeau", "darp/cordeau_laporte2003/pr01.txt", 190.02, 0, 1.01},
		{"lilim", "pdptw/li_lim_100/lc101.txt", 828.94, 10, 1.0001},
		{"lilim", "pdptw/li_lim_100/lr105.txt", 1377.11, 14, 1.03},
		{"solomon", "vrptw/solomon/C101.txt", 828.94, 10, 1.0001},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			t.Parallel()
			i := load(t, c.format, sharedtest.Path(t, "data/routing/"+c.file))
			plan := solve(t, &i.Problem, routing.Options{Seed: 1, Workers: 2, Iterations: 800 / slower, Vehicles: i.Vehicles})
			if len(plan.Unserved) > 0 {
				t.Errorf("unserved: %v", plan.Unserved)
			}
			if plan.Distance > c.known*(c.within+near) || plan.Distance < c.known*0.9999 && c.vehicles == 0 && !strings.Contains(c.file, "pr") {
				t.Errorf("distance %.2f, best known %.2f", plan.Distance, c.known)
			}
			if c.vehicles > 0 && slower == 1 && len(plan.Routes) > c.vehicles {
				t.Errorf("%d vehicles, best known %d", len(plan.Routes), c.vehicles)
			}
		})
	}
}

// The verifier takes the published optimal routes when they are given the schedule of the search, and their cost is the published one.
func TestPublishedRoutesVerify(t *testing.T) {
	t.Parallel()
	for _, path := range glob(t, "data/routing/darp/optimal_solutions/*.json") {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var known struct {
			Obj    float64
			Routes [][]int
		}
		if err := json.Unmarshal(raw, &known); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".json") + ".txt"
		folder := "cordeau2006"
		if strings.HasPrefix(name, "pr") {
			folder = "cordeau_laporte2003"
		}
		i := load(t, "cordeau", sharedtest.Path(t, "data/routing/darp/"+folder+"/"+name))
		checkPublished(t, i, known.Routes, known.Obj)
	}
}

// The authors' own plans (upper bounds) verify, and cost what they say.
func TestAuthorsRoutesVerify(t *testing.T) {
	t.Parallel()
	for _, path := range glob(t, "data/routing/darp/cordeau_laporte2003/solutions/*.res") {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(raw), "\n")
		var cost float64
		if _, err := fmt.Sscan(lines[0], &cost); err != nil {
			t.Fatal(err)
		}
		var routes [][]int
		for _, line := range lines[1:] {
			if !strings.Contains(line, "(") || strings.HasPrefix(line, "Total") {
				continue
			}
			var nodes []int
			fields := strings.Fields(line)
			for k, f := range fields[:len(fields)-1] {
				var n int
				if strings.HasPrefix(fields[k+1], "(") {
					if _, err := fmt.Sscan(f, &n); err == nil && n > 0 {
						nodes = append(nodes, n)
					}
				}
			}
			routes = append(routes, nodes)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".res") + ".txt"
		checkPublished(t, load(t, "cordeau", sharedtest.Path(t, "data/routing/darp/cordeau_laporte2003/"+name)), routes, cost)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(sharedtest.Path(t, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func checkPublished(t *testing.T, i *instance.Instance, routes [][]int, cost float64) {
	t.Helper()
	of := map[int][2]int{}
	for r, nodes := range i.Nodes {
		of[nodes[0]], of[nodes[1]] = [2]int{r, 0}, [2]int{r, 1}
	}
	var orders []routing.Route
	for v, route := range routes {
		order := routing.Route{Vehicle: v}
		for _, n := range route {
			order.Visits = append(order.Visits, routing.Visit{Request: of[n][0], Stop: of[n][1]})
		}
		orders = append(orders, order)
	}
	plan, err := routing.Schedule(&i.Problem, orders)
	if err != nil {
		t.Error(err)
		return
	}
	if err := verify.Plan(&i.Problem, plan); err != nil {
		t.Error(err)
	}
	if math.Abs(plan.Distance-cost) > 0.006 {
		t.Errorf("distance %.3f, published %.3f", plan.Distance, cost)
	}
}

// One seed and one number of workers give one plan where iterations end the search; another seed may differ.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	i := load(t, "cordeau", sharedtest.Path(t, "data/routing/darp/cordeau2006/a5-60.txt"))
	o := routing.Options{Seed: 7, Workers: 2, Iterations: 200}
	if a, b := solve(t, &i.Problem, o), solve(t, &i.Problem, o); !reflect.DeepEqual(a, b) {
		t.Errorf("%.6f and %.6f", a.Cost, b.Cost)
	}
}

// draw makes a small mixed day: seats, wheelchairs, stretchers, ramps and lifts, skills, breaks, several depots, some vehicles that end anywhere.
func draw(t *rapid.T) *routing.Problem {
	seed := rapid.Uint64().Draw(t, "seed")
	random := rand.New(rand.NewPCG(seed, 1))
	places := 12
	x, y := make([]float64, places), make([]float64, places)
	for i := range places {
		x[i], y[i] = 20*random.Float64(), 20*random.Float64()
	}
	p := &routing.Problem{Duration: routing.Euclidean(x, y)}
	p.Distance = p.Duration
	for v := range 2 + random.IntN(4) {
		vehicle := routing.Vehicle{ID: fmt.Sprint("v", v), Start: random.IntN(3), End: random.IntN(4) - 1, Shift: routing.Window{From: float64(60 * random.IntN(3)), To: 480 + float64(60*random.IntN(3))},
			Capacity: []routing.Load{{1 + random.IntN(4), random.IntN(3), random.IntN(2), 20}}}
		if random.IntN(3) == 0 { // seats that fold away for a wheelchair
			vehicle.Capacity = append(vehicle.Capacity, routing.Load{1, 3, 0, 20})
		}
		for _, has := range []string{routing.Ramp, routing.Lift, "nurse", "courier"} {
			if random.IntN(2) == 0 {
				vehicle.Has = append(vehicle.Has, has)
			}
		}
		if random.IntN(2) == 0 {
			vehicle.MaxDuration = 200 + float64(random.IntN(200))
		}
		if random.IntN(2) == 0 {
			vehicle.Breaks = []routing.Break{{Window: routing.Window{From: 200, To: 300}, Length: 30, Alone: random.IntN(2) == 0}}
		}
		p.Vehicles = append(p.Vehicles, vehicle)
	}
	for r := range 4 + random.IntN(14) {
		from := float64(random.IntN(400))
		q := routing.Request{ID: fmt.Sprint("r", r)}
		stop := routing.Stop{Place: random.IntN(places), Window: routing.Window{From: from, To: from + 15 + float64(random.IntN(90))}, Service: float64(random.IntN(10))}
		if random.IntN(4) == 0 {
			stop.Due, stop.Late = from+5, 0.5
		}
		switch random.IntN(4) {
		case 0: // a visit
			q.Stops = []routing.Stop{stop}
			q.Needs = []string{"nurse"}
			if random.IntN(3) == 0 {
				q.Load[routing.Goods] = random.IntN(8)
			}
		default:
			q.Stops = []routing.Stop{stop, {Place: random.IntN(places), Window: routing.Always, Service: float64(random.IntN(5))}}
			q.MaxRide = 25 + float64(random.IntN(40))
			q.Load = routing.Load{routing.Seats: random.IntN(3)}
			if random.IntN(3) == 0 {
				q.Load[routing.Wheelchairs] = 1
			}
			if random.IntN(8) == 0 {
				q.Load[routing.Stretchers] = 1
			}
		}
		p.Requests = append(p.Requests, q)
	}
	return p
}

// Whatever the day, no plan breaks a hard limit: the verifier, which knows nothing of the search, finds none.
func TestNoLimitIsBroken(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		plan, err := routing.Solve(context.Background(), p, routing.Options{Seed: 1, Workers: 1, Iterations: 60, Vehicles: rapid.Bool().Draw(t, "vehicles")})
		if err != nil {
			t.Fatal(err)
		}
		if err := verify.Plan(p, plan); err != nil {
			t.Fatal(err)
		}
	})
}

// A person in a wheelchair is never put into a vehicle without ramp or lift, even where that leaves her unserved.
func TestWheelchairNeedsRamp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		plan, err := routing.Solve(context.Background(), p, routing.Options{Seed: 2, Iterations: 40})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range plan.Routes {
			has := p.Vehicles[r.Vehicle].Has
			for _, v := range r.Visits {
				if v.Request >= 0 && p.Requests[v.Request].Load[routing.Wheelchairs] > 0 && !slices.Contains(has, "ramp") && !slices.Contains(has, "lift") {
					t.Fatalf("request %d, a wheelchair, in a vehicle with %v", v.Request, has)
				}
			}
		}
	})
}

func TestProblemsAreRefused(t *testing.T) {
	t.Parallel()
	good := func() *routing.Problem {
		m := routing.Euclidean([]float64{0, 1, 2}, []float64{0, 0, 0})
		return &routing.Problem{Duration: m, Distance: m, Vehicles: []routing.Vehicle{{ID: "van", Shift: routing.Window{To: 100}}},
			Requests: []routing.Request{{ID: "ann", Stops: []routing.Stop{{Place: 1, Window: routing.Always}, {Place: 2, Window: routing.Always}}}}}
	}
	for _, c := range []struct {
		spoil func(p *routing.Problem)
		says  string
	}{
		{func(p *routing.Problem) { p.Vehicles = nil }, "no vehicles"},
		{func(p *routing.Problem) { p.Distance = nil }, "matrices"},
		{func(p *routing.Problem) { p.Duration.Values[1] = math.NaN() }, "from place 0 to place 1"},
		{func(p *routing.Problem) { p.Vehicles[0].Start = 3 }, "Vehicle 0 (van): start 3"},
		{func(p *routing.Problem) { p.Vehicles[0].Shift.To = -1 }, "shift"},
		{func(p *routing.Problem) { p.Requests[0].Stops[1].Place = 9 }, "Request 0 (ann): place 9"},
		{func(p *routing.Problem) { p.Requests[0].Stops[0].Window = routing.Window{From: 5, To: 4} }, "window from 5 to 4"},
		{func(p *routing.Problem) { p.Requests[0].Stops = nil }, "0 stops"},
		{func(p *routing.Problem) { p.Requests[0].Load[routing.Seats] = -1 }, "load"},
		{func(p *routing.Problem) { p.Requests[0].Only = []int{4} }, "vehicle 4"},
		{func(p *routing.Problem) { p.Requests[0].Aboard = true }, "aboard"},
		{func(p *routing.Problem) { p.Links = []routing.Link{{A: 0, B: 0}} }, "link 0"},
	} {
		p := good()
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		c.spoil(p)
		if _, err := routing.Solve(context.Background(), p, routing.Options{Iterations: 1}); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.says)) {
			t.Errorf("want %q, got %v", c.says, err)
		}
	}
}
