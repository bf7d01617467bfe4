package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"doorstep/internal/fault"
)

type calcCmd struct {
	Adherence calcAdherenceCmd `cmd:"" help:"CMA1 to CMA9 and the proportion of days covered, from fills."`
	Openings  calcOpeningsCmd  `cmd:"" help:"Implementation day by day, from the openings that sensors counted."`
	HRV       calcHRVCmd       `cmd:"" name:"hrv" help:"Heart rate variability, from intervals between beats."`
	Glucose   calcGlucoseCmd   `cmd:"" help:"Time in ranges, GMI, GRI, MAGE, from continuous glucose readings."`
	SPC       calcSPCCmd       `cmd:"" name:"spc" help:"XmR chart: limits, and signs of a special cause."`
	Score     calcScoreCmd     `cmd:"" help:"Scores of questionnaires."`
}

// calculate opens a file and runs read over it with a buffered output. An error names the file.
func calculate(e *env, name string, read func(io.Reader, *bufio.Writer) error) error {
	f, err := os.Open(name)
	if err != nil {
		return fault.New(fault.NotFound, "%s cannot be opened: %w", name, cause(err))
	}
	defer f.Close()
	return printing(e, func(out *bufio.Writer) error {
		if err := read(f, out); err != nil {
			return fault.New(fault.Invalid, "%s: %w", name, cause(err))
		}
		return nil
	})
}

// calculateOr is calculate where "-" names standard input.
func calculateOr(e *env, name string, in io.Reader, read func(io.Reader, *bufio.Writer) error) error {
	if name != "-" {
		return calculate(e, name, read)
	}
	return printing(e, func(out *bufio.Writer) error {
		if err := read(in, out); err != nil {
			return fault.New(fault.Invalid, "standard input: %w", err)
		}
		return nil
	})
}

// cause answers an error of the file system without the path that the message names already.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// printing runs write with a buffered output, which is written out only if it went well.
func printing(e *env, write func(*bufio.Writer) error) error {
	out := bufio.NewWriterSize(e.out, 64<<10)
	if err := write(out); err != nil {
		return err
	}
	return out.Flush()
}

// object is a JSON object on one line whose keys keep their order. Its zero value is an empty one.
type object struct{ b []byte }

func (o *object) key(name string) {
	if len(o.b) == 0 {
		o.b = append(o.b, '{')
	} else {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, `":`...)
}

// text puts a string.
func (o *object) text(name, v string) {
	o.key(name)
	quoted, _ := json.Marshal(v) // a string always goes
	o.b = append(o.b, quoted...)
}

// number puts a number unrounded; null where there is none.
func (o *object) number(name string, v float64) {
	o.key(name)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = strconv.AppendFloat(o.b, v, 'g', -1, 64)
}

// whole puts a whole number; null unless known.
func (o *object) whole(name string, v int, known bool) {
	o.key(name)
	if !known {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = strconv.AppendInt(o.b, int64(v), 10)
}

// list puts the objects that each answers.
func (o *object) list(name string, n int, each func(i int) object) {
	o.key(name)
	o.b = append(o.b, '[')
	for i := range n {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		item := each(i)
		o.b = append(append(o.b, item.b...), '}')
	}
	o.b = append(o.b, ']')
}

// texts puts a list of strings.
func (o *object) texts(name string, list []string) {
	o.key(name)
	quoted, _ := json.Marshal(list) // strings always go
	o.b = append(o.b, quoted...)
}

// end writes the object as a line and empties it for the next one.
func (o *object) end(out io.Writer) error {
	_, err := out.Write(append(o.b, '}', '\n'))
	o.b = o.b[:0]
	return err
}

// cell is a number in a table: rounded, "-" where there is none.
func cell(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// percent is a part of 1 as a percentage in a table.
func percent(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}
