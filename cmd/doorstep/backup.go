package main

import (
	"fmt"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/store"
)

type backupCmd struct {
	where
	File string `arg:"" help:"Where to write the copy." type:"path"`
}

func (c backupCmd) Run(e *env) error {
	address, err := c.existing()
	if err != nil {
		return err
	}
	if err := store.Backup(e, address, c.File); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "Written to %s\n", c.File)
	return nil
}

type restoreCmd struct {
	where
	File string `arg:"" help:"The copy to put in place." type:"path"`
}

func (c restoreCmd) Run(e *env) error {
	if err := store.Restore(e, c.address(), c.File); err != nil {
		return err
	}
	r, err := check(e, c.address(), false)
	if err != nil {
		return err
	}
	if n := len(r.Faults) + len(r.Damaged); n > 0 {
		return fault.New(fault.Unavailable, "the backup is damaged itself (%d rows): 'doorstep check' names them", n)
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
	var doubted int
	if err := db.Write(e, func(tx *store.Tx) (err error) { doubted, err = s.Messages.Doubt(tx); return err }); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "Restored: %d promises, %d lines of history, state %s\n%d messages were under way: the server will ask the gateway, and not send reminders twice.\n",
		r.Promises, r.Events, r.State, doubted)
	return nil
}
