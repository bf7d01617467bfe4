package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

type importCmd struct {
	where
	Patient string   `help:"Whose the exports of devices are: a person's id, or that of the FHIR Patient."`
	TZ      string   `name:"tz" help:"Time zone of exports that tell none (America/New_York)."`
	JSON    bool     `help:"Print the summary as JSON."`
	Path    []string `arg:"" help:"Files or folders: FHIR bundles (.json), Bulk Data (.ndjson), exports of devices and health apps (${exports}), any of them gzipped." type:"path"`
}

func (c importCmd) Run(e *env) error {
	found, err := listFiles(c.Path)
	if err != nil {
		return err
	}
	zone := time.UTC
	if c.TZ != "" {
		if zone, err = time.LoadLocation(c.TZ); err != nil || c.TZ == "Local" {
			return usagef("--tz: %q is not a time zone (America/New_York is one)", c.TZ)
		}
	}
	files, passed, err := identify(found)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(files, func(f importFile) bool { return f.export != nil }); i >= 0 && c.Patient == "" {
		return usagef("%s is an export of a device (%s): --patient says whose it is", files[i].name, files[i].export.Name)
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
	x := &exportImport{env: e, s: s, org: org, zone: zone, zoned: c.TZ != "", bySeries: map[string]record.Count{}, unread: map[string]int{}}
	if c.Patient != "" {
		if x.patient, err = whom(e, s, org, c.Patient); err != nil {
			return err
		}
	}
	total := record.Summary{ByType: map[string]record.Count{}}
	for i, file := range files {
		if file.export != nil {
			err = x.one(file, i, len(files))
		} else {
			err = c.one(e, s, org, file.name, i, len(files), &total)
		}
		if err != nil {
			return err
		}
	}
	progress(e, "")
	if passed > 0 {
		fmt.Fprintf(e.err, "files passed over, of no known format: %d\n", passed)
	}
	return c.tell(e, total, x)
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

// importSummary is the summary as JSON.
type importSummary struct {
	record.Summary
	BySeries map[string]record.Count `json:",omitempty"` // readings, from exports of devices
	NotRead  map[string]int          `json:",omitempty"` // refused items of exports that belong to no series, by format
}

// tell prints the summary on stdout and every refusal on stderr. Refusals make the exit code 1: something was left out.
func (c importCmd) tell(e *env, sum record.Summary, x *exportImport) error {
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
	refused := len(sum.Refused) + x.refused
	if c.JSON {
		sum.Refused = append(sum.Refused, x.kept...)
		if err := json.NewEncoder(e.out).Encode(importSummary{sum, x.bySeries, x.unread}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.out, "%-28s %8s %8s %8s %8s\n", "", "new", "changed", "same", "refused")
		row := func(name string, n record.Count) {
			fmt.Fprintf(e.out, "%-28s %8d %8d %8d %8d\n", name, n.New, n.Changed, n.Same, n.Refused)
		}
		for _, t := range slices.Sorted(maps.Keys(sum.ByType)) {
			row(t, sum.ByType[t])
		}
		x.table(row)
	}
	if refused > 0 {
		return errQuiet
	}
	return nil
}

// foundFile is a file that was named, or found in a folder that was.
type foundFile struct {
	name     string
	searched bool
}

// listFiles answers the files below the paths, those first that others refer to.
func listFiles(paths []string) ([]foundFile, error) {
	var out []foundFile
	for _, p := range paths {
		err := filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return fault.New(fault.NotFound, "%s cannot be read: %w", p, err)
			}
			if d.IsDir() || (name != p && !importable(name)) {
				return nil
			}
			out = append(out, foundFile{name, name != p})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, fault.NotFoundf("There is nothing to import there (.json, .ndjson, .fit, .xml, .zip, .csv, gzipped or not).")
	}
	slices.SortStableFunc(out, func(a, b foundFile) int { return record.ImportRank(a.name) - record.ImportRank(b.name) })
	return out, nil
}

func importable(name string) bool {
	switch strings.ToLower(path.Ext(strings.TrimSuffix(name, ".gz"))) {
	case ".json", ".ndjson", ".fit", ".xml", ".zip", ".csv":
		return true
	}
	return false
}
