package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

type checkCmd struct {
	where
	JSON    bool `help:"Print the report as JSON."`
	Reindex bool `help:"Make the search index of the record anew first. A server does so by itself after an upgrade that asks for it."`
}

// checked is the report as JSON.
type checked struct {
	Promises int             `json:"promises"`
	Events   int             `json:"events"`
	Messages int             `json:"messages"`
	Indexed  int             `json:"indexed,omitempty"` // resources whose index was made anew
	State    string          `json:"state"`
	Faults   []promise.Fault `json:"faults"`
	Damaged  []string        `json:"damaged"`
}

func (c checkCmd) Run(e *env) error {
	address, err := c.existing()
	if err != nil {
		return err
	}
	r, err := check(e, address, c.Reindex)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(e.out).Encode(r); err != nil {
			return err
		}
	} else {
		if c.Reindex {
			fmt.Fprintf(e.out, "%d resources indexed anew\n", r.Indexed)
		}
		fmt.Fprintf(e.out, "%d promises, %d lines of history, %d messages\nstate %s\n", r.Promises, r.Events, r.Messages, r.State)
	}
	for _, f := range r.Faults {
		fmt.Fprintln(e.err, f)
	}
	for _, d := range r.Damaged {
		fmt.Fprintln(e.err, d)
	}
	if len(r.Faults)+len(r.Damaged) > 0 {
		fmt.Fprintf(e.err, "doorstep: %d rows are damaged: restore a backup (doorstep restore)\n", len(r.Faults)+len(r.Damaged))
		return errQuiet
	}
	return nil
}

func check(e *env, address string, reindex bool) (checked, error) {
	db, err := store.Open(e, address, store.Options{})
	if err != nil {
		return checked{}, err
	}
	defer db.Close()
	clk := clock.NewSystem()
	s, err := app.New(e, app.Options{DB: db, Clock: clk, IDs: clock.NewIDs(clk), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return checked{}, err
	}
	r := checked{Faults: []promise.Fault{}, Damaged: []string{}}
	if r.Damaged, err = db.Integrity(e); err != nil {
		return r, err
	}
	if reindex {
		if r.Indexed, err = s.Record.Reindex(e, true, nil); err != nil {
			return r, err
		}
	}
	report, err := s.Promises.Check(e)
	if err != nil {
		return r, err
	}
	r.Promises, r.Events, r.State, r.Faults = report.Promises, report.Events, report.State, append(r.Faults, report.Faults...)
	n, damaged, err := s.Messages.Check(e)
	r.Messages, r.Damaged = n, append(r.Damaged, damaged...)
	return r, err
}
