package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"doorstep/internal/sim"
	"doorstep/internal/store"
)

type simCmd struct {
	Days     int    `help:"How long." default:"7"`
	Patients int    `help:"Patients besides Ruth." default:"20"`
	Seed     uint64 `help:"The same seed gives the same bytes." default:"1"`
	Policy   string `help:"Instead: how soon people are seen in a clinic of five when its time is given out so, beside the telephone: phone, search, waitlist, reconfirm, overbook, doorstep, or all. --patients is not used."`
	Faults   string `help:"What goes wrong, comma-separated: sms-fails, sms-lost, sms-refused, reports-twice, mail-down, hub-offline, repeats, scheduler-down."`
	Database string `help:"An empty postgres://… database instead of SQLite."`
}

func (c simCmd) Run(e *env) error {
	if c.Days < 1 || c.Days > 3650 || c.Patients < 0 || c.Patients > 100_000 {
		return usagef("--days must lie between 1 and 3,650, --patients between 0 and 100,000")
	}
	if c.Policy != "" {
		return c.access(e)
	}
	faults, err := sim.ParseFaults(c.Faults, sim.FirstMorning)
	if err != nil {
		return usageError{err}
	}
	address := c.Database
	if address == "" {
		dir, err := os.MkdirTemp("", "doorstep-sim-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		address = filepath.Join(dir, "sim.db")
	}
	db, err := store.Open(e, address, store.Options{Unsafe: true}) // thrown away in the end
	if err != nil {
		return err
	}
	defer db.Close()
	w, err := sim.New(e, db, sim.Options{Patients: c.Patients, Seed: c.Seed, Faults: faults})
	if err != nil {
		return err
	}
	for day := range c.Days {
		progress(e, "day %d of %d", day+1, c.Days)
		if err := w.Advance(e, 24*time.Hour); err != nil {
			return err
		}
	}
	progress(e, "")
	r, err := w.Report(e)
	if err != nil {
		return err
	}
	r.Days, r.Patients, r.Seed = c.Days, c.Patients, c.Seed
	out := json.NewEncoder(e.out)
	out.SetIndent("", "  ")
	if err := out.Encode(r); err != nil {
		return err
	}
	if len(r.Faults) > 0 {
		return errQuiet
	}
	return nil
}
