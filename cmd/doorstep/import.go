package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

type importCmd struct {
	where
	JSON bool     `help:"Print the summary as JSON."`
	Path []string `arg:"" help:"Files or folders: FHIR bundles (.json), Bulk Data (.ndjson), either gzipped." type:"path"`
}

func (c importCmd) Run(e *env) error {
	files, err := listFiles(c.Path)
	if err != nil {
		return err
	}
	db, err := c.open(e)
	if err != nil {
		return err
	}
	defer db.Close()
	clk := clock.NewSystem()
	s, err := app.New(e, app.Options{DB: db, Clock: clk, IDs: clock.NewIDs(clk)})
	if err != nil {
		return err
	}
	org, err := onlyOrg(e, s)
	if err != nil {
		return err
	}
	total := record.Summary{ByType: map[string]record.Count{}}
	for i, name := range files {
		if err := c.one(e, s, org, name, i, len(files), &total); err != nil {
			return err
		}
	}
	progress(e, "")
	return c.tell(e, total)
}

// onlyOrg answers the organization to import for. Before the set-up there is none, and the record waits under "clinic".
func onlyOrg(e *env, s *app.Server) (string, error) {
	org := ""
	err := s.DB.Read(e, func(tx *store.Tx) error {
		orgs, err := s.People.Orgs(tx)
		if err == nil && len(orgs) > 0 {
			org = string(orgs[0].ID)
		}
		return err
	})
	if err != nil || org != "" {
		return org, err
	}
	return string(app.FirstOrg), nil
}

func (c importCmd) one(e *env, s *app.Server, org, name string, i, n int, total *record.Summary) error {
	f, err := os.Open(name)
	if err != nil {
		return fault.New(fault.NotFound, "%s cannot be opened: %w", name, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	sum, err := s.Record.ImportFile(e, org, name, f, record.ImportOptions{Total: st.Size(), Progress: func(done, all int64) {
		progress(e, "%d of %d files, %d of %d kB", i+1, n, done>>10, all>>10)
	}})
	for t, x := range sum.ByType {
		y := total.ByType[t]
		total.ByType[t] = record.Count{New: x.New + y.New, Same: x.Same + y.Same, Changed: x.Changed + y.Changed, Refused: x.Refused + y.Refused}
	}
	total.Refused = append(total.Refused, sum.Refused...)
	total.Unresolved += sum.Unresolved
	return err
}

// tell prints the summary on stdout and every refusal on stderr. Refusals make the exit code 1: something was left out.
func (c importCmd) tell(e *env, sum record.Summary) error {
	for _, r := range sum.Refused {
		where := r.File
		if r.Line > 0 {
			where += fmt.Sprintf(":%d", r.Line)
		}
		if r.Entry >= 0 {
			where += fmt.Sprintf(" entry %d", r.Entry)
		}
		fmt.Fprintf(e.err, "refused: %s (byte %d) %s: %s\n", where, r.Offset, r.ID, r.Reason)
	}
	if c.JSON {
		if err := json.NewEncoder(e.out).Encode(sum); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.out, "%-28s %8s %8s %8s %8s\n", "", "new", "changed", "same", "refused")
		for _, t := range slices.Sorted(maps.Keys(sum.ByType)) {
			x := sum.ByType[t]
			fmt.Fprintf(e.out, "%-28s %8d %8d %8d %8d\n", t, x.New, x.Changed, x.Same, x.Refused)
		}
	}
	if len(sum.Refused) > 0 {
		return errQuiet
	}
	return nil
}

// listFiles answers the files below the paths, those first that others refer to.
func listFiles(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		err := filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return fault.New(fault.NotFound, "%s cannot be read: %w", p, err)
			}
			if d.IsDir() || (name != p && !importable(name)) {
				return nil
			}
			out = append(out, name)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, fault.NotFoundf("There is nothing to import there (.json, .ndjson, gzipped or not).")
	}
	slices.SortStableFunc(out, func(a, b string) int { return record.ImportRank(a) - record.ImportRank(b) })
	return out, nil
}

func importable(name string) bool {
	name = strings.TrimSuffix(name, ".gz")
	return strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".ndjson")
}
