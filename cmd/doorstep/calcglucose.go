package main

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"doorstep/internal/reading/cgmcsv"
	"doorstep/internal/reading/glucose"
)

type calcGlucoseCmd struct {
	File     string `arg:"" help:"CSV with the columns id,time,gl (mg/dL), or an export of Dexcom Clarity or LibreView." type:"path"`
	AGP      bool   `name:"agp" help:"Also the ambulatory glucose profile of the last 14 days (JSON)."`
	Episodes bool   `help:"Also how often glucose stayed too low or too high (JSON)."`
	JSON     bool   `help:"Print a JSON object per person."`
}

func (c calcGlucoseCmd) Run(e *env) error {
	return calculate(e, c.File, func(r io.Reader, out *bufio.Writer) error {
		people, err := c.read(r)
		if err != nil {
			return err
		}
		if !c.JSON {
			fmt.Fprintf(out, "%-16s %7s %7s %7s %6s %6s %6s %6s %6s %6s %6s %6s %7s\n", "id", "n", "active", "mean", "GMI", "CV", "<54", "<70", "70-180", ">180", ">250", "GRI", "MAGE")
		}
		for _, p := range people {
			s := glucose.Summarize(p.Readings)
			if c.JSON {
				if err := c.json(p, s, out); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(out, "%-16s %7d %7s %7s %6s %6s %6s %6s %6s %6s %6s %6s %7s\n", p.ID, s.N, cell(s.Active, 1), cell(s.Mean, 1), cell(s.GMI, 2), cell(s.CV, 1), cell(s.TBR54, 2),
				cell(s.TBR70, 2), cell(s.TIR, 2), cell(s.TAR180, 2), cell(s.TAR250, 2), cell(s.GRI, 1), cell(s.MAGE, 1))
		}
		return nil
	})
}

// read detects the format by what the file holds. An export is that of one person, called after the file: names stay in it.
func (c calcGlucoseCmd) read(r io.Reader) ([]glucose.Person, error) {
	const head = 64 << 10
	in := bufio.NewReaderSize(r, head)
	first, err := in.Peek(head)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if cgmcsv.Sniff(first) == cgmcsv.Unknown {
		return glucose.Read(in)
	}
	p := glucose.Person{ID: strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))}
	_, err = cgmcsv.Decode(in, func(s cgmcsv.Sample) error {
		if s.Kind == cgmcsv.Sensor { // scans and strips come when the person looks, more often when something is wrong
			p.Readings = append(p.Readings, glucose.Reading{At: s.At, MgDL: s.MgDL})
		}
		return nil
	}, nil)
	return []glucose.Person{p}, err
}

func (c calcGlucoseCmd) json(p glucose.Person, s glucose.Summary, out io.Writer) error {
	var line object
	line.text("id", p.ID)
	line.whole("n", s.N, true)
	line.number("active", s.Active)
	line.number("mean", s.Mean)
	line.number("gmi", s.GMI)
	line.number("cv", s.CV)
	line.number("tbr54", s.TBR54)
	line.number("tbr70", s.TBR70)
	line.number("tir", s.TIR)
	line.number("tar180", s.TAR180)
	line.number("tar250", s.TAR250)
	line.number("gri", s.GRI)
	line.number("mage", s.MAGE)
	line.number("sd", s.SD)
	line.number("days", s.Days)
	if c.AGP {
		profile := glucose.AGP(p.Readings, 5*time.Minute, 14)
		line.list("agp", len(profile.Points), func(i int) (o object) {
			at := profile.Points[i]
			o.whole("minute", int(at.AfterMidnight.Minutes()), true)
			for k, name := range []string{"p5", "p25", "p50", "p75", "p95"} {
				o.number(name, at.Q[k])
			}
			return o
		})
	}
	if c.Episodes {
		byKind, days := glucose.Episodes(p.Readings)
		line.list("episodes", len(glucose.Kinds), func(i int) (o object) {
			list := byKind[glucose.Kinds[i]]
			n, minutes, mgDL := float64(len(list)), 0.0, 0.0
			for _, e := range list {
				minutes += e.Minutes
				mgDL += e.Mean
			}
			o.text("kind", string(glucose.Kinds[i]))
			o.whole("n", len(list), true)
			o.number("per_day", n/days)
			o.number("minutes", minutes/n)
			o.number("mean", mgDL/n)
			return o
		})
	}
	return line.end(out)
}
