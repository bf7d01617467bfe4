package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/transport/routing"
	"doorstep/internal/transport/routing/instance"
	"doorstep/internal/transport/routing/verify"
)

type routeCmd struct {
	File      string        `arg:"" help:"Instance of a published benchmark format (docs/routing.md); '-' is standard input." type:"path"`
	Format    string        `help:"lilim, solomon, cordeau or hhcrsp." required:"" enum:"lilim,solomon,cordeau,hhcrsp"`
	Time      time.Duration `help:"How long to search, reading included." default:"10s"`
	Seed      uint64        `help:"Of the search's chance." default:"1"`
	Workers   int           `help:"Searches side by side." default:"2"`
	Objective string        `help:"vehicles: fewest vehicles, then distance; distance: distance alone; auto: as the format's published values." default:"auto" enum:"auto,vehicles,distance"`
	JSON      bool          `help:"Print JSON, which it always does." hidden:""`
}

// Validate refuses times and workers that are none.
func (c routeCmd) Validate() error {
	if c.Time <= 0 || c.Time > 24*time.Hour {
		return usagef("--time is more than 0 and at most 24h, not %s", c.Time)
	}
	if c.Workers < 1 || c.Workers > 64 {
		return usagef("--workers is 1 to 64, not %d", c.Workers)
	}
	return nil
}

// routeOut is the answer. Nodes are those of the file.
type routeOut struct {
	Vehicles int     `json:"vehicles"`
	Distance float64 `json:"distance"`
	Cost     float64 `json:"cost"`
	Unserved []int   `json:"unserved"`
	Seconds  float64 `json:"seconds"`
	Routes   [][]int `json:"routes"`

	By     []string    `json:"by"`               // vehicle or carer of each route
	Begins [][]float64 `json:"begins"`           // of service at each node of the routes
	Visits [][]string  `json:"visits,omitempty"` // patient and service of each node, where a node has several
}

func (c routeCmd) Run(e *env) error {
	watch := clock.NewSystem()
	start := watch.Now()
	read := func(in io.Reader, out *bufio.Writer) error {
		i, err := instance.Read(c.Format, in)
		if err != nil {
			return err
		}
		plan, err := routing.Solve(e, &i.Problem, routing.Options{
			Seed: c.Seed, Workers: c.Workers, Vehicles: c.Objective == "vehicles" || c.Objective == "auto" && i.Vehicles,
			Spent: func() float64 { return watch.Now().Sub(start).Seconds() / c.Time.Seconds() },
			Progress: func(s routing.Status) {
				progress(e, "%.0f of %.0f s: %d vehicles, cost %.2f, %d unserved", watch.Now().Sub(start).Seconds(), c.Time.Seconds(), s.Vehicles, s.Cost, s.Unserved)
			},
		})
		progress(e, "")
		if err != nil {
			return err
		}
		if err := verify.Plan(&i.Problem, plan); err != nil {
			return fault.New(fault.Internal, "the plan breaks a limit, which is a mistake of ours: %w", err)
		}
		answer := routeOut{Vehicles: len(plan.Routes), Distance: plan.Distance, Cost: plan.Cost, Unserved: []int{}, Routes: [][]int{}, By: []string{}, Begins: [][]float64{}}
		for _, r := range plan.Unserved {
			answer.Unserved = append(answer.Unserved, i.Nodes[r][0])
		}
		for _, r := range plan.Routes {
			var nodes []int
			var begins []float64
			var visits []string
			for _, v := range r.Visits {
				nodes = append(nodes, i.Nodes[v.Request][v.Stop])
				begins = append(begins, v.Begin)
				visits = append(visits, i.Problem.Requests[v.Request].ID)
			}
			answer.Routes, answer.Begins = append(answer.Routes, nodes), append(answer.Begins, begins)
			answer.By = append(answer.By, i.Problem.Vehicles[r.Vehicle].ID)
			if c.Format == "hhcrsp" {
				answer.Visits = append(answer.Visits, visits)
			}
		}
		answer.Seconds = watch.Now().Sub(start).Seconds()
		return json.NewEncoder(out).Encode(answer)
	}
	if c.File != "-" {
		return calculate(e, c.File, read)
	}
	return printing(e, func(out *bufio.Writer) error {
		if err := read(os.Stdin, out); err != nil {
			return fault.New(fault.Invalid, "standard input: %w", err)
		}
		return nil
	})
}
