package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading/format"
	"doorstep/internal/reading/gatt"
	"doorstep/internal/reading/sample"
)

type decodeCmd struct {
	File   string `arg:"" optional:"" help:"A device's or health app's file; '-' is standard input." type:"path"`
	Format string `help:"What it is, where its content does not tell: ${formats}."`
	Hex    string `help:"Bytes in hex instead of a file."`
	TZ     string `name:"tz" help:"Time zone of files that tell none (America/New_York)." default:"UTC"`
	Normal bool   `help:"Each series in one unit: kg, Cel, mm[Hg], mg/dL, ms."`
	Count  bool   `help:"Print how many items of each kind the file has, instead of their values."`
	JSON   bool   `help:"Print JSON lines, which it always does." hidden:""`
}

func (c decodeCmd) Run(e *env) error {
	zone, err := time.LoadLocation(c.TZ)
	if err != nil || c.TZ == "Local" {
		return usagef("--tz: %q is not a time zone (America/New_York is one)", c.TZ)
	}
	if (c.File == "") == (c.Hex == "") {
		return usagef("want a file, or bytes with --hex")
	}
	in, name, done, err := c.open()
	if err != nil {
		return err
	}
	defer done()
	f, err := c.format(&in, name)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(e.out, 64<<10)
	refused, err := c.write(e, f, in, name, zone, out)
	if ended := out.Flush(); err == nil {
		err = ended
	}
	if err == nil && refused {
		return errQuiet
	}
	return err
}

// open answers the bytes to decode, and what to call them.
func (c decodeCmd) open() (in format.Input, name string, done func(), err error) {
	if c.Hex != "" {
		b, err := gatt.Bytes(c.Hex)
		if err != nil {
			return in, "", nil, usagef("--hex: %q is not hex", sample.Clip(c.Hex))
		}
		r := bytes.NewReader(b)
		return format.Input{Reader: r, At: r, Size: int64(len(b))}, "--hex", func() {}, nil
	}
	if c.File == "-" {
		return format.Input{Reader: os.Stdin}, "standard input", func() {}, nil
	}
	f, err := os.Open(c.File)
	if err != nil {
		return in, "", nil, fault.New(fault.NotFound, "%s cannot be opened: %w", c.File, cause(err))
	}
	in = format.Input{Reader: f}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		in.At, in.Size = f, info.Size()
	}
	return in, c.File, func() { f.Close() }, nil
}

// format answers the format that was named, or that the first bytes tell.
func (c decodeCmd) format(in *format.Input, name string) (format.Format, error) {
	if c.Format != "" {
		f, err := format.Find(c.Format)
		if err != nil {
			return f, usagef("--format: %w", err)
		}
		return f, nil
	}
	r := bufio.NewReaderSize(in.Reader, format.Head)
	in.Reader = r
	head, err := r.Peek(format.Head)
	if err != nil && err != io.EOF {
		return format.Format{}, fault.New(fault.Invalid, "%s cannot be read: %w", name, cause(err))
	}
	f, ok := format.Detect(head)
	if !ok {
		return f, fault.Invalidf("%s is of no known format; name it with --format: %s", name, format.Names())
	}
	return f, nil
}

// write prints the samples, or how many items there are, and each refused item; refused is whether there was one.
func (c decodeCmd) write(e *env, f format.Format, in format.Input, name string, zone *time.Location, out io.Writer) (refused bool, err error) {
	o := sample.Options{Zone: zone}
	counts := map[string]int{}
	if c.Count {
		o.Item = func(kind string) { counts[kind]++ }
	}
	var line object
	for s, err := range f.Read(in, o) {
		if stopped := e.Err(); stopped != nil {
			return refused, stopped
		}
		var refusal *sample.Refusal
		if errors.As(err, &refusal) {
			refused = true
			fmt.Fprintf(e.err, "%s: %s\n", name, oneLine(refusal))
			continue
		}
		if err != nil {
			return refused, fault.New(fault.Invalid, "%s cannot be read: %w", name, cause(err))
		}
		if c.Count {
			continue
		}
		if c.Normal {
			s = s.Canonical()
		}
		sampleLine(&line, &s, c.TZ != "UTC")
		if err := line.end(out); err != nil {
			return refused, err
		}
	}
	var kinds []string
	for kind := range counts {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		line.text("kind", kind)
		line.whole("items", counts[kind], true)
		if err := line.end(out); err != nil {
			return refused, err
		}
	}
	return refused, nil
}

// sampleLine puts a sample into a line; zoned says that the person has told the zone of wall clocks.
func sampleLine(o *object, s *sample.Sample, zoned bool) {
	o.word("series", s.Series)
	o.time("at", s.At)
	switch {
	case s.Text != "":
		o.text("value", s.Text)
	case s.Values != nil:
		o.numbers("values", s.Values)
	default:
		o.decimal("value", s.Value, s.Decimals)
	}
	o.word("unit", s.Unit)
	o.word("source", s.Source)
	o.word("kind", s.Kind)
	if !s.Until.IsZero() {
		o.time("until", s.Until)
	}
	if s.Period > 0 {
		o.number("period_ms", float64(s.Period)/float64(time.Millisecond))
	}
	if s.Elapsed > 0 {
		o.number("elapsed_s", s.Elapsed.Seconds())
	}
	if s.Beyond != 0 {
		o.text("comparator", map[int]string{-1: "<", 1: ">"}[s.Beyond])
	}
	if len(s.Notes) > 0 {
		o.texts("notes", s.Notes)
	}
	if s.Zoneless && !zoned {
		o.key("zone_unknown")
		o.b = append(o.b, "true"...)
	}
}

// word puts a string as text does, the quick way where nothing in it is to be escaped.
func (o *object) word(name, v string) {
	for i := range len(v) {
		if c := v[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			o.text(name, v)
			return
		}
	}
	o.key(name)
	o.b = append(o.b, '"')
	o.b = append(o.b, v...)
	o.b = append(o.b, '"')
}

// time puts a time with its offset, null where there is none.
func (o *object) time(name string, t time.Time) {
	o.key(name)
	if t.IsZero() {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(o.b, '"')
	o.b = t.AppendFormat(o.b, time.RFC3339Nano)
	o.b = append(o.b, '"')
}

// decimal puts a number with the decimal places that were shown: 2.00 is more exact than 2.
func (o *object) decimal(name string, v float64, decimals int) {
	if decimals > 0 && math.Abs(v) < 1e15 {
		text := strconv.FormatFloat(v, 'f', decimals, 64)
		if back, err := strconv.ParseFloat(text, 64); err == nil && back == v {
			o.key(name)
			o.b = append(o.b, text...)
			return
		}
	}
	o.number(name, v)
}

// numbers puts a list of numbers, null where there is none.
func (o *object) numbers(name string, list []float64) {
	o.key(name)
	o.b = append(o.b, '[')
	for i, v := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			o.b = append(o.b, "null"...)
			continue
		}
		o.b = strconv.AppendFloat(o.b, v, 'g', -1, 64)
	}
	o.b = append(o.b, ']')
}
