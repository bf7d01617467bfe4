package bench

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/store"
	"doorstep/internal/transport/routing"
	"doorstep/internal/transport/routing/instance"
	"doorstep/internal/transport/routing/verify"
)

// routeSet is a family of instances with its time.
type routeSet struct {
	figure  string
	folders []string
	format  string
	seconds float64
	every   int // of a sample, each so many files in the order of names
}

var (
	routeDARP  = []routeSet{{"route.darp", []string{"darp/cordeau2006"}, "cordeau", 5, 3}}
	routePR    = []routeSet{{"route.darp_pr", []string{"darp/cordeau_laporte2003"}, "cordeau", 10, 2}}
	routePDPTW = []routeSet{
		{"route.pdptw.100", []string{"pdptw/li_lim_100"}, "lilim", 2, 4},
		{"route.pdptw.200", []string{"pdptw/li_lim_200"}, "lilim", 5, 6},
		{"route.pdptw.400", []string{"pdptw/li_lim_400"}, "lilim", 27, 10},
	}
	routeHHC = []routeSet{{"route.hhc", []string{"hhcrsp/kummer", "hhcrsp/mankowska"}, "hhcrsp", 30, 8}}
)

// routeGaps solves instances with two workers and answers how far plans are from the best known ones. Plans are checked by the verifier; one that breaks a limit ends the
// measurement.
func routeGaps(sets []routeSet) func(context.Context, *Runner, func() (*store.DB, string, error)) ([]app.Figure, error) {
	return func(ctx context.Context, r *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
		known, err := bestKnown(filepath.Join(r.Shared, "routing", "bks.csv"))
		if err != nil {
			return nil, err
		}
		var out []app.Figure
		for _, set := range sets {
			list, err := set.files(r)
			if err != nil {
				return nil, err
			}
			gaps, more, unserved, n, alike := 0.0, 0, 0, 0, 0
			worst := math.Inf(-1)
			for _, file := range list {
				folder, name := filepath.Split(file)
				best, ok := known[folder+strings.ToLower(strings.TrimSuffix(name, filepath.Ext(name)))]
				if !ok {
					continue
				}
				plan, vehicles, err := set.solve(ctx, r, file)
				if err != nil {
					return nil, err
				}
				gap := 100 * (plan.Cost/best.value - 1)
				r.Say(fmt.Sprintf("%s: %.2f, best known %.2f, %d vehicles of %d", name, plan.Cost, best.value, len(plan.Routes), best.vehicles))
				n++
				unserved += len(plan.Unserved)
				if vehicles {
					if more += len(plan.Routes) - best.vehicles; len(plan.Routes) != best.vehicles {
						continue // distances compare only where the vehicles are as many
					}
				}
				alike++
				gaps += gap
				worst = max(worst, gap)
			}
			if n == 0 {
				return nil, fmt.Errorf("no instance of %v in %s has a best known value", set.folders, r.Shared)
			}
			out = append(out, app.Figure{Name: set.figure + ".gap", Value: gaps / float64(max(1, alike)), Unit: "%", N: alike}, app.Figure{Name: set.figure + ".gap_worst", Value: worst, Unit: "%", N: alike},
				app.Figure{Name: set.figure + ".unserved", Value: float64(unserved), Unit: "requests", N: n})
			if set.format == "lilim" {
				out = append(out, app.Figure{Name: set.figure + ".vehicles", Value: float64(more), Unit: "above best known", N: n})
			}
		}
		return out, nil
	}
}

// files answers the instances of the set: all, or every few of them.
func (s routeSet) files(r *Runner) ([]string, error) {
	var out []string
	for _, folder := range s.folders {
		list, err := os.ReadDir(filepath.Join(r.Shared, "routing", folder))
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if !e.IsDir() && e.Name() != "FORMAT.txt" {
				out = append(out, folder+"/"+e.Name())
			}
		}
	}
	if r.All {
		return out, nil
	}
	var sample []string
	for i := s.every / 2; i < len(out); i += s.every {
		sample = append(sample, out[i])
	}
	return sample, nil
}

func (s routeSet) solve(ctx context.Context, r *Runner, file string) (*routing.Plan, bool, error) {
	f, err := os.Open(filepath.Join(r.Shared, "routing", file))
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	start := time.Now()
	i, err := instance.Read(s.format, f)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", file, err)
	}
	plan, err := routing.Solve(ctx, &i.Problem, routing.Options{Seed: 1, Workers: 2, Vehicles: i.Vehicles, Spent: func() float64 { return time.Since(start).Seconds() / s.seconds }})
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", file, err)
	}
	if err := verify.Plan(&i.Problem, plan); err != nil {
		return nil, false, fmt.Errorf("%s: %w", file, err)
	}
	return plan, i.Vehicles, ctx.Err() // a plan of a search that was stopped is no measurement
}

type knownBest struct {
	value    float64
	vehicles int
}

// bestKnown reads the best known values, by folder/name in small letters.
func bestKnown(path string) (map[string]knownBest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := map[string]knownBest{}
	for n, row := range rows {
		if n == 0 || strings.HasPrefix(row[0], "vrptw") {
			continue
		}
		var k knownBest
		if k.value, err = strconv.ParseFloat(row[4], 64); err == nil && row[3] != "" {
			k.vehicles, err = strconv.Atoi(row[3])
		}
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, n+1, err)
		}
		out[row[0]+"/"+strings.ToLower(row[1])] = k
	}
	return out, nil
}

const insertRiders, insertVehicles = 144, 13

// insertDay draws a full day: half of the riders are fetched at a time, half are brought to one, from homes around a town.
func insertDay(random *rand.Rand) *routing.Problem {
	x, y := []float64{0}, []float64{0}
	p := &routing.Problem{}
	for r := range insertRiders {
		for range 2 {
			x, y = append(x, 7*random.NormFloat64()), append(y, 7*random.NormFloat64())
		}
		from := 60 + 500*random.Float64()
		q := routing.Request{ID: strconv.Itoa(r), Load: routing.Load{1}, MaxRide: 60}
		for k := range 2 {
			s := routing.Stop{Place: len(x) - 2 + k, Window: routing.Window{To: 720}, Service: 5}
			if k == r%2 {
				s.Window = routing.Window{From: from, To: from + 45}
			}
			q.Stops = append(q.Stops, s)
		}
		p.Requests = append(p.Requests, q)
	}
	p.Duration = routing.Euclidean(x, y)
	p.Distance = p.Duration
	for v := range insertVehicles {
		p.Vehicles = append(p.Vehicles, routing.Vehicle{ID: strconv.Itoa(v), Shift: routing.Window{To: 720}, Capacity: []routing.Load{{6}}})
	}
	return p
}

// routeInsert asks for the best place of each rider of a full day who has been taken out of the plan, and plans anew after a cancellation.
func routeInsert(ctx context.Context, r *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	p := insertDay(rand.New(rand.NewPCG(5, 5)))
	start := time.Now()
	plan, err := routing.Solve(ctx, p, routing.Options{Seed: 1, Workers: 2, Spent: func() float64 { return time.Since(start).Seconds() / 4 }})
	if err != nil {
		return nil, err
	}
	if err := verify.Plan(p, plan); err != nil {
		return nil, err
	}
	r.Say(fmt.Sprintf("a day of %d riders, %d unserved, %d vehicles", len(p.Requests), len(plan.Unserved), len(plan.Routes)))
	var one, day, anew []time.Duration
	for i, q := range p.Requests {
		live, err := routing.NewLive(p, plan.Routes)
		if err != nil {
			return nil, err
		}
		if err := live.Cancel(i); err != nil {
			return nil, err
		}
		asked := i % 2
		began := time.Now()
		if _, err := live.Offers(q, asked, nil, 1); err != nil {
			return nil, err
		}
		one = append(one, time.Since(began))
		wish := q
		wish.Stops = slices.Clone(q.Stops)
		wish.Stops[asked].Window = routing.Window{To: 720}
		var windows []routing.Window
		for at := 0.0; at < 720; at += 30 {
			windows = append(windows, routing.Window{From: at, To: at + 30})
		}
		began = time.Now()
		if _, err := live.Offers(wish, asked, windows, 5); err != nil {
			return nil, err
		}
		day = append(day, time.Since(began))
		if i%6 != 0 {
			continue
		}
		began = time.Now()
		better, _, _, err := routing.Replan(ctx, live.Problem(), live.Plan().Routes, routing.Options{Seed: 1, Workers: 2,
			Spent: func() float64 { return time.Since(began).Seconds() / 0.08 }}, routing.Stability{PerChange: 1, Tolerance: 5})
		if err != nil {
			return nil, err
		}
		anew = append(anew, time.Since(began))
		if err := verify.Plan(p, better); err != nil {
			return nil, err
		}
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	for _, list := range [][]time.Duration{one, day, anew} {
		slices.SortFunc(list, cmp.Compare)
	}
	return []app.Figure{
		{Name: "route.insert.p50_us", Value: 1000 * percentile(one, 0.5), Unit: "µs", N: len(one)}, {Name: "route.insert.p99_us", Value: 1000 * percentile(one, 0.99), Unit: "µs", N: len(one)},
		{Name: "route.insert.day_p99_us", Value: 1000 * percentile(day, 0.99), Unit: "µs", N: len(day)},
		{Name: "route.insert.replan_p99_ms", Value: percentile(anew, 0.99), Unit: "ms", N: len(anew)},
		{Name: "route.insert.mb", Value: float64(memory.Sys) / 1e6, Unit: "MB", N: 1},
	}, nil
}
