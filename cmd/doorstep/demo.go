package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/device"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/sim"
	"doorstep/internal/store"
)

type demoCmd struct {
	Data     string  `help:"Folder to keep the demo in; empty: a throw-away folder." type:"path"`
	Database string  `help:"postgres://… instead of SQLite."`
	Listen   string  `help:"Address of the pages and the API." default:"127.0.0.1:8080"`
	MQTT     string  `name:"mqtt" help:"Address of the MQTT broker." default:"127.0.0.1:1883"`
	Patients int     `help:"Patients besides Ruth." default:"20"`
	Seed     uint64  `help:"The same seed makes the same people and the same days." default:"1"`
	Speed    float64 `help:"Simulated seconds in a second; 0 stops the clock." default:"60"`
	Until    string  `help:"Run to the morning of this day of the story (or a date) before serving."`
	Info     string  `help:"Write addresses, links, tokens and device keys to this file." type:"path"`
}

func (c demoCmd) Run(e *env) error {
	if c.Patients < 0 || c.Patients > 100_000 {
		return usagef("--patients must lie between 0 and 100,000")
	}
	if c.Speed < 0 {
		return usagef("--speed must not be negative")
	}
	log := slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	slog.SetDefault(log)
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fault.New(fault.Unavailable, "the address %s cannot be used (choose another with --listen): %w", c.Listen, err)
	}
	defer listener.Close()
	address, tidy, err := c.place()
	if err != nil {
		return err
	}
	defer tidy()
	db, err := store.Open(e, address, store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	w, err := sim.New(e, db, sim.Options{Patients: c.Patients, Seed: c.Seed, PublicURL: "http://" + listener.Addr().String(), Log: log})
	if err != nil {
		return err
	}
	if err := c.forward(e, w); err != nil {
		return err
	}
	broker, err := device.Listen(w.Intake, c.MQTT)
	if err != nil {
		return err
	}
	defer broker.Close()
	w.SetCue(w.Cued(broker.Cue))
	info, err := w.Introduce(e)
	if err != nil {
		return err
	}
	info.MQTT = broker.Addr()
	handler, err := w.Handler(e, app.Edges{Version: version, Demo: sim.Stage{World: w}})
	if err != nil {
		return err
	}
	if err := c.tell(e, info); err != nil {
		return err
	}
	return serve(e, listener, handler, func(ctx context.Context) error { return w.Live(ctx, c.Speed) })
}

// place answers where the demo's database is to be, and how to tidy up.
func (c demoCmd) place() (string, func(), error) {
	switch {
	case c.Database != "":
		return c.Database, func() {}, nil
	case c.Data != "":
		return filepath.Join(c.Data, "doorstep.db"), func() {}, nil
	}
	dir, err := os.MkdirTemp("", "doorstep-demo-")
	return filepath.Join(dir, "doorstep.db"), func() { os.RemoveAll(dir) }, err
}

// forward runs the world to the day asked for, showing the day on a terminal.
func (c demoCmd) forward(e *env, w *sim.World) error {
	if c.Until == "" {
		return nil
	}
	to, err := sim.Day(c.Until)
	if err != nil {
		return usageError{err}
	}
	for w.Clock.Now().Before(to) {
		next := w.Clock.Now().Add(24 * time.Hour)
		if next.After(to) {
			next = to
		}
		if err := w.To(e, next); err != nil {
			return err
		}
		progress(e, "%s", next.Format("Monday 2 January"))
	}
	progress(e, "")
	return nil
}

// tell prints a link per person, and writes the info file.
func (c demoCmd) tell(e *env, info sim.Info) error {
	fmt.Fprintf(e.out, "The demo is at %s/demo\n", info.Base)
	const shown = 12 // patients
	patients := 0
	for i, p := range info.People {
		if p.Role == person.Patient {
			patients++
		}
		if patients > shown {
			fmt.Fprintf(e.out, "  … and %d more: see %s/demo\n", len(info.People)-i, info.Base)
			break
		}
		year := ""
		if p.BirthYear != 0 {
			year = " (born " + strconv.Itoa(p.BirthYear) + ")"
		}
		fmt.Fprintf(e.out, "  %-10s %-28s %s\n", p.Role, p.Name+year, p.Link)
	}
	if c.Info == "" {
		return nil
	}
	b, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	// Written beside and renamed, so that a script that waits for the file never reads half of it.
	part := c.Info + ".part"
	if err := os.WriteFile(part, append(b, '\n'), 0o600); err != nil {
		return fault.New(fault.Unavailable, "the info file cannot be written: %w", err)
	}
	return os.Rename(part, c.Info)
}

// progress shows where long work stands, on a terminal only; an empty text ends it.
func progress(e *env, format string, args ...any) {
	f, ok := e.err.(*os.File)
	if !ok {
		return
	}
	if st, err := f.Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return
	}
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(f, "\r%-60s", text)
	if text == "" {
		fmt.Fprint(f, "\r"+strings.Repeat(" ", 60)+"\r")
	}
}
