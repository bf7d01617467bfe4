package main

import (
	"bufio"
	"fmt"
	"io"

	"doorstep/internal/medication/adherence"
)

type calcAdherenceCmd struct {
	File              string  `arg:"" help:"CSV with the columns PATIENT_ID,DATE,PERDAY,CATEGORY,DURATION, in any order of rows; dates MM/DD/YYYY or YYYY-MM-DD." type:"path"`
	Start             int     `help:"First day of the observation window, days after the person's first fill." default:"0"`
	Length            int     `help:"Length of the observation window in days; 0 is to the end of follow-up." default:"0"`
	FollowUp          int     `help:"Days after the first fill for which all fills are known; 0 is two years, or to the end of the window." default:"0"`
	CarryOverCategory bool    `help:"Carry supply over to fills of the same category only."`
	DoseChange        bool    `help:"Measure supply that is carried over in days of the next fill's dose."`
	CMA               []int   `name:"cma" help:"Only these measures: 1,7."`
	Gaps              bool    `help:"Also each fill with the gap behind it (JSON)."`
	Episodes          float64 `help:"Also treatment episodes, which bear gaps up to so many days (JSON)." placeholder:"DAYS"`
	JSON              bool    `help:"Print a JSON object per person."`
}

func (c calcAdherenceCmd) Validate() error {
	if c.Start < 0 || c.Length < 0 || c.FollowUp < 0 || c.Episodes < 0 {
		return fmt.Errorf("--start, --length, --follow-up and --episodes cannot be below 0")
	}
	if most := 36525; c.Start > most || c.Length > most || c.FollowUp > most {
		return fmt.Errorf("--start, --length and --follow-up are at most %d, a hundred years", most)
	}
	if end := c.Start + c.Length; c.FollowUp > 0 && end > c.FollowUp {
		return fmt.Errorf("the window ends %d days after the first fill, after --follow-up %d", end, c.FollowUp)
	}
	for _, n := range c.CMA {
		if n < 1 || n > 9 {
			return fmt.Errorf("--cma %d: there are 1 to 9", n)
		}
	}
	return nil
}

func (c calcAdherenceCmd) options() adherence.Options {
	o := adherence.Options{FollowUp: c.FollowUp, Start: c.Start, Length: c.Length, SameCategory: c.CarryOverCategory, DoseChange: c.DoseChange}
	if o.FollowUp == 0 {
		o.FollowUp = max(adherence.FollowUp, o.Start+o.Length)
	}
	if o.Length == 0 {
		o.Length = o.FollowUp - o.Start
	}
	return o
}

func (c calcAdherenceCmd) Run(e *env) error {
	return calculate(e, c.File, func(r io.Reader, out *bufio.Writer) error {
		people, err := adherence.ReadFills(r)
		if err != nil {
			return err
		}
		if c.JSON {
			return c.json(people, out)
		}
		c.table(people, out)
		return nil
	})
}

// measures answers which CMA to print, and whether the PDC too.
func (c calcAdherenceCmd) measures() (cma []int, pdc bool) {
	if len(c.CMA) > 0 {
		return c.CMA, false
	}
	return []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, true
}

func (c calcAdherenceCmd) json(people *adherence.People, out *bufio.Writer) error {
	o := c.options()
	cma, pdc := c.measures()
	keys := [10]string{}
	for _, n := range cma {
		keys[n] = fmt.Sprintf("cma%d", n)
	}
	var line object
	for i := range people.Len() {
		id, fills := people.At(i)
		m := adherence.Measure(fills, o)
		line.text("patient", id)
		for _, n := range cma {
			line.number(keys[n], m.CMA(n))
		}
		if pdc {
			line.number("pdc", adherence.PDC(fills, adherence.Origin(fills).Add(o.Start+o.Length), nil))
		}
		if c.Gaps {
			gaps := adherence.Gaps(fills, o)
			line.list("fills", len(gaps), func(i int) (g object) {
				g.text("date", gaps[i].On.String())
				g.text("category", gaps[i].Category)
				g.number("duration", gaps[i].Fill.Days)
				g.number("interval", gaps[i].Interval)
				g.number("gap", gaps[i].Days)
				return g
			})
		}
		if c.Episodes > 0 {
			list := adherence.Episodes(fills, adherence.EpisodeOptions{Options: o, MaxGap: c.Episodes})
			line.list("episodes", len(list), func(i int) (g object) {
				g.text("start", list[i].Start.String())
				g.text("end", list[i].End.String())
				g.number("days", list[i].Days)
				g.number("gap", list[i].Gap)
				return g
			})
		}
		if err := line.end(out); err != nil {
			return err
		}
	}
	return nil
}

func (c calcAdherenceCmd) table(people *adherence.People, out *bufio.Writer) {
	o := c.options()
	cma, pdc := c.measures()
	fmt.Fprintf(out, "%-16s", "patient")
	for _, n := range cma {
		fmt.Fprintf(out, " %7s", fmt.Sprintf("CMA%d", n))
	}
	if pdc {
		fmt.Fprintf(out, " %7s", "PDC")
	}
	fmt.Fprintln(out)
	for i := range people.Len() {
		id, fills := people.At(i)
		m := adherence.Measure(fills, o)
		fmt.Fprintf(out, "%-16s", id)
		for _, n := range cma {
			fmt.Fprintf(out, " %7s", cell(m.CMA(n), 4))
		}
		if pdc {
			fmt.Fprintf(out, " %7s", cell(adherence.PDC(fills, adherence.Origin(fills).Add(o.Start+o.Length), nil), 4))
		}
		fmt.Fprintln(out)
	}
}
