package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"doorstep/internal/app"
	"doorstep/internal/bench"
	"doorstep/internal/store"
)

type benchCmd struct {
	Name     []string `arg:"" help:"Figures, or their first parts: ledger, ingest.http, …; 'list' names them all, 'all' measures them all."`
	Engine   string   `help:"sqlite, postgres (a cluster of our own is started) or both." default:"both" enum:"sqlite,postgres,both"`
	Database string   `help:"Measure PostgreSQL on this database, which must be empty, instead of a cluster of our own."`
	Shared   string   `help:"Folder of the sample data." default:"../shared/data" type:"path"`
	Peers    string   `help:"Folder of the peers' programs, each a Go module of its own." default:"internal/bench/peers" type:"path"`
	All      bool     `help:"Every instance of route.*, not a sample of each series."`
	Doses    int      `help:"Doses of ledger.spike." default:"1000000"`
}

// figure is one line of the output (INTERFACES).
type figure struct {
	Figure string  `json:"figure"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Engine string  `json:"engine"`
	N      int     `json:"n"`
}

func (c benchCmd) Run(e *env) error {
	if slices.Contains(c.Name, "list") {
		for _, b := range bench.All {
			fmt.Fprintf(e.out, "%-22s %s\n", b.Name, b.About)
		}
		return nil
	}
	engines := []store.Engine{store.SQLite, store.Postgres}
	if c.Engine != "both" {
		engines = []store.Engine{store.Engine(c.Engine)}
	}
	var chosen []bench.Bench
	for _, b := range bench.All {
		if slices.ContainsFunc(c.Name, func(n string) bool {
			return n == "all" || b.Name == n || strings.HasPrefix(b.Name, n+".") || strings.HasPrefix(n, b.Name+".")
		}) {
			chosen = append(chosen, b)
		}
	}
	if len(chosen) == 0 {
		return usagef("there is no figure %q ('doorstep bench list' names them)", strings.Join(c.Name, " "))
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out := json.NewEncoder(e.out)
	run := bench.Runner{Shared: c.Shared, Peers: c.Peers, All: c.All, Doses: c.Doses, Database: c.Database, Self: self, Print: func(f app.Figure) error {
		return out.Encode(figure{f.Name, f.Value, f.Unit, f.Engine, f.N})
	},
		Say: func(text string) { progress(e, "%s", text) }}
	return run.Run(e, chosen, engines)
}
