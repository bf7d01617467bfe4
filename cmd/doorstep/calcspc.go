package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"doorstep/internal/stat"
	"doorstep/internal/table"
)

type calcSPCCmd struct {
	File   string `arg:"" help:"CSV with the columns date,value." type:"path"`
	Screen bool   `help:"Leave moving ranges that are far too wide out of the limits." default:"true" negatable:""`
	JSON   bool   `help:"Print a JSON object."`
}

// measured is a value with its date.
type measured struct {
	at    time.Time
	date  string
	value float64
}

func (c calcSPCCmd) Run(e *env) error {
	return calculate(e, c.File, func(r io.Reader, out *bufio.Writer) error {
		points, err := readMeasured(r)
		if err != nil {
			return err
		}
		values := make([]float64, len(points))
		for i, p := range points {
			values[i] = p.value
		}
		x := stat.NewXmR(values, c.Screen)
		if !c.JSON {
			fmt.Fprintf(out, "mean %s, limits %s to %s\n", cell(x.Mean, 4), cell(x.Lower, 4), cell(x.Upper, 4))
			for i, p := range points {
				fmt.Fprintf(out, "%-20s %12s  %s\n", p.date, cell(p.value, 4), strings.Join(names(x.Rules[i]), ", "))
			}
			return nil
		}
		var line object
		line.number("mean", x.Mean)
		line.number("lower", x.Lower)
		line.number("upper", x.Upper)
		line.list("points", len(points), func(i int) (o object) {
			o.text("date", points[i].date)
			o.number("value", points[i].value)
			o.texts("rules", names(x.Rules[i]))
			return o
		})
		return line.end(out)
	})
}

func names(rules []stat.Rule) []string {
	out := make([]string, len(rules))
	for i, r := range rules {
		out[i] = string(r)
	}
	return out
}

// readMeasured answers the rows in the order of their dates, those of one date in the order of the file.
func readMeasured(r io.Reader) ([]measured, error) {
	t, err := table.New(r, "date", "value")
	if err != nil {
		return nil, err
	}
	var out []measured
	for {
		err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		var p measured
		var dated bool
		if p.at, dated, err = t.Moment(0); err != nil {
			return nil, err
		}
		if p.date = p.at.Format("2006-01-02T15:04:05"); dated {
			p.date = p.at.Format(time.DateOnly)
		}
		if p.value, err = t.Number(1); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b measured) int { return a.at.Compare(b.at) })
	return out, nil
}
