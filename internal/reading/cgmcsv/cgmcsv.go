// Package cgmcsv decodes the CSV exports of continuous glucose monitors: Dexcom Clarity and LibreView.
//
// It reads row by row. Times in both are what a wall clock showed, without a zone: they come out as if in UTC, and where summer
// time ends an hour comes twice (Clarity's transmitter clock tells the two apart). Values come out in mg/dL whatever the export's
// unit; "Low" and "High" come out one beyond the sensor's range and are marked. A row that is not understood is refused with its
// line and reason, never guessed. The package is pure.
package cgmcsv

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/table"
)

// Format is a vendor's layout.
type Format string

const (
	Unknown   Format = ""
	Clarity   Format = "clarity"
	LibreView Format = "libreview"
)

// Kind is how a value came about.
type Kind string

const (
	Sensor      Kind = "sensor"      // read by itself: Clarity EGV, LibreView historic
	Scan        Kind = "scan"        // read when the person held a reader to the sensor
	Strip       Kind = "strip"       // blood on a strip
	Calibration Kind = "calibration" // blood on a strip, told to the sensor
)

// Sample is one glucose value.
type Sample struct {
	Line   int
	At     time.Time // wall clock, as if in UTC
	Kind   Kind
	MgDL   float64
	Beyond int    // -1 and 1: the sensor said Low or High, the value stands for it
	Device string // serial number or name as the export tells it
	// Transmitter is the sensor's own clock in seconds, in order also where the wall clock goes back; 0 where the export has none.
	Transmitter int64
}

const mgPerMmol = 18.0182

// What stands for Low and High, in mg/dL: Dexcom reads 40 to 400, Libre 40 to 500.
const (
	belowRange   = 39
	aboveClarity = 401
	aboveLibre   = 501
)

// What a glucose value can be at all, in mg/dL.
const minMgDL, maxMgDL = 1, 1000

// A header stands in one of the first rows, which lie in the bytes peeked at.
const (
	headerWithin = 4
	peeked       = 64 << 10
)

// libreColumns is how many columns LibreView has at least: up to the strip's value.
const libreColumns = 15

// layout is what a header tells.
type layout struct {
	format                              Format
	mmol                                bool
	time, event, glucose, clock, device int
	deviceToo                           int // used where device is empty
}

// headerOf recognizes a header row.
func headerOf(row []string) (layout, bool) {
	l := layout{time: -1, event: -1, glucose: -1, clock: -1, device: -1, deviceToo: -1}
	for i, name := range row {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case strings.HasPrefix(name, "timestamp"):
			l.time = i
		case name == "event type":
			l.event = i
		case strings.HasPrefix(name, "glucose value ("):
			l.glucose, l.mmol = i, strings.Contains(name, "mmol")
		case strings.HasPrefix(name, "transmitter time"):
			l.clock = i
		case name == "transmitter id":
			l.device = i
		case name == "source device id":
			l.deviceToo = i
		}
	}
	if l.time >= 0 && l.event >= 0 && l.glucose >= 0 {
		l.format = Clarity
		return l, true
	}
	// LibreView's names come in many languages; its columns keep their places and their units.
	if len(row) >= libreColumns {
		historic := strings.ToLower(row[4])
		if mmol := strings.Contains(historic, "mmol/l"); mmol || strings.Contains(historic, "mg/dl") {
			return layout{format: LibreView, mmol: mmol, time: 2, event: 3, device: 1, deviceToo: 0}, true
		}
	}
	return l, false
}

// open answers a reader of rows, of which the first are not yet read.
func open(in *bufio.Reader) (*csv.Reader, bool) {
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // has been peeked
	}
	r := csv.NewReader(in)
	r.Comma = table.Separator(in)
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	r.ReuseRecord = true
	return r, r.Comma != ','
}

// Sniff answers the format of a file from its beginning.
func Sniff(head []byte) Format {
	r, _ := open(bufio.NewReaderSize(bytes.NewReader(head), peeked))
	for range headerWithin {
		row, err := r.Read()
		if err != nil {
			return Unknown
		}
		if l, ok := headerOf(row); ok {
			return l.format
		}
	}
	return Unknown
}

// Decode reads an export and hands each glucose value to each, in the order of the file: that of LibreView is not the order of
// time. Rows of other matters (insulin, food, alerts, the account) are left alone. A row that is not understood goes to refuse, or
// without one ends the reading with a *table.Error; so does an unknown header. An error of each ends it too.
func Decode(r io.Reader, each func(Sample) error, refuse func(*table.Error)) (Format, error) {
	in, decimalComma := open(bufio.NewReaderSize(r, peeked))
	d := decoder{in: in, comma: decimalComma, each: each, refuse: refuse}
	if err := d.header(); err != nil {
		return Unknown, err
	}
	for {
		row, err := in.Read()
		if err == io.EOF {
			return d.format, d.flush(true)
		}
		if err == nil {
			d.line, _ = in.FieldPos(0)
			if d.format == Clarity {
				err = d.clarity(row)
			} else {
				err = d.libre(row)
			}
		}
		if err = d.refused(err); err != nil {
			return d.format, err
		}
	}
}

type decoder struct {
	layout
	in     *csv.Reader
	comma  bool
	each   func(Sample) error
	refuse func(*table.Error)
	line   int
	dates  dates
	held   []held
}

func (d *decoder) errorf(format string, args ...any) error {
	return &table.Error{Line: d.line, Reason: fmt.Sprintf(format, args...)}
}

// refused hands an error about a row on; what it answers ends the reading.
func (d *decoder) refused(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		err = &table.Error{Line: parse.Line, Reason: parse.Err.Error()}
	}
	var row *table.Error
	if d.refuse != nil && errors.As(err, &row) {
		d.refuse(row)
		return nil
	}
	return err
}

func (d *decoder) header() error {
	for range headerWithin {
		row, err := d.in.Read()
		if err == io.EOF {
			break
		}
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			return &table.Error{Line: parse.Line, Reason: parse.Err.Error()}
		}
		if err != nil {
			return err
		}
		var ok bool
		if d.layout, ok = headerOf(row); ok {
			return nil
		}
	}
	return &table.Error{Line: 1, Reason: "neither the header of a Clarity export nor of a LibreView export stands in the first lines"}
}

// field answers a field, "" where the row has none.
func field(row []string, i int) string {
	if i < 0 || i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// glucoseOf reads a value; above stands for High.
func (d *decoder) glucoseOf(text string, above float64) (mgDL float64, beyond int, err error) {
	switch strings.ToLower(text) {
	case "low", "lo":
		return belowRange, -1, nil
	case "high", "hi":
		return above, 1, nil
	}
	if d.comma {
		text = strings.Replace(text, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, 0, d.errorf("glucose %.20q is not a number", text)
	}
	if d.mmol {
		v *= mgPerMmol
	}
	if !(v >= minMgDL && v <= maxMgDL) {
		return 0, 0, d.errorf("glucose %.20q is out of any range", text)
	}
	return v, 0, nil
}

// clarity decodes a row of Clarity; those before the first reading have no time and hold the account and its alerts.
func (d *decoder) clarity(row []string) error {
	var kind Kind
	switch field(row, d.event) {
	case "EGV":
		kind = Sensor
	case "Calibration":
		kind = Calibration
	default:
		return nil
	}
	text := field(row, d.time)
	var at time.Time
	var err error
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if at, err = time.Parse(layout, text); err == nil {
			break
		}
	}
	if err != nil {
		return d.errorf("%.30q is not a time (want YYYY-MM-DDThh:mm:ss)", text)
	}
	s := Sample{Line: d.line, At: at, Kind: kind, Device: device(row, d.layout)}
	if s.MgDL, s.Beyond, err = d.glucoseOf(field(row, d.glucose), aboveClarity); err != nil {
		return err
	}
	if text := field(row, d.clock); text != "" {
		if s.Transmitter, err = strconv.ParseInt(text, 10, 64); err != nil {
			return d.errorf("transmitter time %.30q is not a whole number", text)
		}
	}
	return d.each(s)
}

func device(row []string, l layout) string {
	if s := field(row, l.device); s != "" {
		return strings.Clone(s)
	}
	return strings.Clone(field(row, l.deviceToo))
}
