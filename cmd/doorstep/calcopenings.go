package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication/adherence"
)

type calcOpeningsCmd struct {
	Dir      string `arg:"" help:"Folder with …Eventlist.csv and …_EMInfo.csv, …_Regimen.csv; …_AddedOpenings.csv and …_NonMonitoredPeriods.csv if there are any." type:"path"`
	DayStart string `help:"When a dosing day begins." default:"03:00"`
	JSON     bool   `help:"Print a JSON object per monitor and day."`
}

func (c calcOpeningsCmd) Validate() error {
	_, err := clock.ParseWall(c.DayStart)
	return err
}

func (c calcOpeningsCmd) Run(e *env) error {
	start, err := clock.ParseWall(c.DayStart)
	if err != nil {
		return err
	}
	s, err := readStudy(c.Dir)
	if err != nil {
		return err
	}
	for _, stray := range s.Strays() {
		fmt.Fprintf(e.err, "left out: %s has no row in EMInfo\n", stray)
	}
	return printing(e, func(out *bufio.Writer) error {
		if !c.JSON {
			fmt.Fprintf(out, "%-12s %-12s %6s %6s %14s %8s %8s %9s %12s\n", "patient", "monitor", "days", "scored", "implementation", "taking", "correct", "holidays", "persistence")
		}
		for _, m := range s.Monitors() {
			days, err := m.Days(start)
			if err != nil {
				return fault.New(fault.Invalid, "%s: %w", c.Dir, err)
			}
			if !c.JSON {
				summary(out, m, days)
				continue
			}
			if err := dosingDays(out, m, days); err != nil {
				return err
			}
		}
		return nil
	})
}

// readStudy reads the tables of a folder; files of other names are left alone.
func readStudy(dir string) (*adherence.Study, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fault.New(fault.NotFound, "%s cannot be read: %w", dir, cause(err))
	}
	var s adherence.Study
	seen := map[adherence.Table]bool{}
	for _, entry := range entries {
		kind := adherence.TableOf(entry.Name())
		if kind == "" || entry.IsDir() {
			continue
		}
		name := filepath.Join(dir, entry.Name())
		f, err := os.Open(name)
		if err != nil {
			return nil, fault.New(fault.NotFound, "%s cannot be opened: %w", name, cause(err))
		}
		err = s.Read(kind, f)
		_ = f.Close() // only read
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s: %w", name, cause(err))
		}
		seen[kind] = true
	}
	for _, kind := range []adherence.Table{adherence.EventList, adherence.EMInfo, adherence.Regimens} {
		if !seen[kind] {
			return nil, fault.NotFoundf("There is no file …%s.csv in %s.", kind, dir)
		}
	}
	return &s, nil
}

func dosingDays(out *bufio.Writer, m adherence.Monitor, days []adherence.DosingDay) error {
	var line object
	for _, d := range days {
		done := 0
		if d.Implemented() {
			done = 1
		}
		line.text("patient", m.Patient)
		line.text("monitor", m.Monitor)
		line.text("date", d.On.String())
		line.whole("expected", d.Expected, d.Known)
		line.whole("corrected", d.Corrected(), true)
		line.whole("implementation", done, d.Scored())
		line.whole("recorded", d.Recorded, true)
		line.whole("added", d.Added, true)
		if err := line.end(out); err != nil {
			return err
		}
	}
	return nil
}

func summary(out *bufio.Writer, m adherence.Monitor, days []adherence.DosingDay) {
	scored := 0
	for _, d := range days {
		if d.Scored() {
			scored++
		}
	}
	kept, _ := adherence.Persisted(days)
	fmt.Fprintf(out, "%-12s %-12s %6d %6d %14s %8s %8s %9d %12s\n", m.Patient, m.Monitor, len(days), scored, percent(adherence.Implementation(days)),
		percent(adherence.Taking(days, false)), percent(adherence.CorrectDosing(days)), len(adherence.Holidays(days, adherence.HolidayDays)), fmt.Sprintf("%d days", kept.Days))
}
