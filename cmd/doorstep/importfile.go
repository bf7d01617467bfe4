package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/format"
	"doorstep/internal/reading/sample"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

// importFile is a file with what it is.
type importFile struct {
	name   string
	export *format.Format // of a device or health app; nil for what goes into the record
}

const (
	refusalsKept = 10_000 // of all exports, for the summary as JSON; standard error has every one
	sourcesMost  = 256    // of one file
	compactEvery = 32     // batches: a long file is looked through again in chunks, not in batches
)

// identify tells exports of devices from what goes into the record, by the files' first bytes. What was only found in a folder and
// is neither is passed over, and counted.
func identify(files []foundFile) (out []importFile, passed int, err error) {
	for _, f := range files {
		export, known, err := exportOf(f.name)
		switch {
		case err != nil:
			return nil, 0, err
		case !known && f.searched && !resources(f.name):
			passed++
		case !known && !resources(f.name):
			return nil, 0, fault.Invalidf("%s is of no known format; there are FHIR as .json or .ndjson and %s", f.name, exports())
		default:
			out = append(out, importFile{f.name, export})
		}
	}
	return out, passed, nil
}

// exports lists the formats of devices and health apps.
func exports() string {
	var names []string
	for _, f := range format.All {
		if f.Name != "fhir" {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// exportOf answers the format of an export, nil where the file is FHIR; known is false where the content tells nothing.
func exportOf(name string) (f *format.Format, known bool, err error) {
	src, err := os.Open(name)
	if err != nil {
		return nil, false, fault.New(fault.NotFound, "%s cannot be opened: %w", name, cause(err))
	}
	defer src.Close()
	in, err := unpacked(src)
	if err != nil {
		return nil, false, nil // what is packed wrongly, the record's import refuses with its place
	}
	head := make([]byte, format.Head)
	n, err := io.ReadFull(in, head)
	if head = head[:n]; err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, false, fault.New(fault.Invalid, "%s cannot be read: %w", name, cause(err))
	}
	if found, ok := format.Detect(head); !ok {
		return nil, false, nil
	} else if found.Name != "fhir" && !bytes.Contains(head, []byte(`"resourceType"`)) {
		return &found, true, nil
	}
	return nil, true, nil
}

// unpacked answers a reader of a file that may be packed with gzip.
func unpacked(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if mark, _ := in.Peek(2); string(mark) == "\x1f\x8b" {
		return gzip.NewReader(in)
	}
	return in, nil
}

// resources reports whether a file has the name of FHIR resources.
func resources(name string) bool {
	ending := path.Ext(strings.TrimSuffix(name, ".gz"))
	return ending == ".json" || ending == ".ndjson"
}

// exportImport is the import of exports about one patient.
type exportImport struct {
	*env
	s        *app.Server
	org      string
	patient  string
	zone     *time.Location
	zoned    bool
	bySeries map[string]record.Count
	unread   map[string]int // by format: items that no series has
	kept     []record.Refusal
	refused  int
	batches  int // since the last Compact
}

// whom answers the patient whom the command names, by the person's id or that of the FHIR Patient.
func whom(ctx context.Context, s *app.Server, org, id string) (string, error) {
	var p person.Person
	err := s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		p, err = s.People.Get(tx, person.OrgID(org), person.ID(id))
		if fault.Is(err, fault.NotFound) {
			var ok bool
			if p, ok, err = s.People.ByRecord(tx, person.OrgID(org), id); err == nil && !ok {
				err = fault.NotFoundf("--patient: there is no patient %q here", sample.Clip(id))
			}
		}
		return err
	})
	if err == nil && p.Role != person.Patient {
		err = fault.Invalidf("--patient: %q is no patient", sample.Clip(id))
	}
	return string(p.ID), err
}

// one takes a file into the patient's readings.
func (x *exportImport) one(file importFile, i, n int) error {
	f, err := os.Open(file.name)
	if err != nil {
		return fault.New(fault.NotFound, "%s cannot be opened: %w", file.name, cause(err))
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	count := &counted{f: f}
	src, err := unpacked(count)
	if err != nil {
		return fault.New(fault.Invalid, "%s cannot be unpacked: %w", file.name, cause(err))
	}
	in := format.Input{Reader: src}
	if _, packed := src.(*gzip.Reader); !packed && st.Mode().IsRegular() {
		in.At, in.Size = count, st.Size()
	}
	samples, zoneless, unread, sources := 0, 0, 0, map[string]bool{}
	seq := watched(file.export.Read(in, sample.Options{Zone: x.zone}), func(one *sample.Sample) {
		if samples++; one.Zoneless && !x.zoned {
			zoneless++
		}
	})
	err = x.s.Readings.Take(x.env, seq, reading.Taking{
		Zoned: x.zoned,
		Device: func(ctx context.Context, source string) (reading.Device, error) {
			if sources[source] = true; len(sources) > sourcesMost {
				delete(sources, source)
				return reading.Device{}, fault.Invalidf("the file has more than %d sources", sourcesMost)
			}
			return x.s.Readings.ImportDevice(ctx, x.org, x.patient, strings.TrimSuffix(file.export.Name+": "+source, ": "))
		},
		Refused: func(_ int, r *sample.Refusal) {
			unread++
			x.refuse(file.name, r)
		},
		Took: func(series string, r reading.Receipt) error {
			c := x.bySeries[series]
			c.New, c.Same, c.Refused = c.New+r.Stored, c.Same+r.Known, c.Refused+len(r.Refused)
			x.bySeries[series] = c
			unread -= len(r.Refused)
			progress(x.env, "%d of %d files, %d of %d kB, %d samples", i+1, n, min(count.n, st.Size())>>10, st.Size()>>10, samples)
			if x.batches++; x.batches < compactEvery {
				return nil
			}
			x.batches = 0
			_, err := x.s.Readings.Compact(x.env)
			return err
		},
	})
	if fault.Is(err, fault.Invalid) {
		unread++
		x.refuse(file.name, &sample.Refusal{Offset: count.n, Reason: oneLine(err)})
		err = nil
	}
	x.unread[file.export.Name] += unread
	if zoneless > 0 {
		progress(x.env, "")
		fmt.Fprintf(x.env.err, "%s: %d samples tell no time zone; they were read as UTC and marked (--tz names it)\n", file.name, zoneless)
	}
	return err
}

// watched tells see of every sample on its way.
func watched(seq sample.Seq, see func(*sample.Sample)) sample.Seq {
	return func(yield func(sample.Sample, error) bool) {
		for one, err := range seq {
			if err == nil {
				see(&one)
			}
			if !yield(one, err) {
				return
			}
		}
	}
}

// refuse tells of an item that was left out.
func (x *exportImport) refuse(name string, r *sample.Refusal) {
	progress(x.env, "")
	fmt.Fprintf(x.env.err, "refused: %s: %s\n", name, oneLine(r))
	if x.refused++; len(x.kept) < refusalsKept {
		x.kept = append(x.kept, record.Refusal{File: name, Line: r.Line, Offset: max(0, r.Offset), Entry: -1, ID: r.Path, Reason: r.Reason})
	}
}

// table prints what came of each series.
func (x *exportImport) table(row func(name string, c record.Count)) {
	for _, name := range slices.Sorted(maps.Keys(x.bySeries)) {
		row(name, x.bySeries[name])
	}
	for _, name := range slices.Sorted(maps.Keys(x.unread)) {
		if n := x.unread[name]; n > 0 {
			row(name+" (not read)", record.Count{Refused: n})
		}
	}
}

// counted counts the bytes that are read of a file.
type counted struct {
	f *os.File
	n int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.f.Read(b)
	c.n += int64(n)
	return n, err
}

func (c *counted) ReadAt(b []byte, at int64) (int, error) {
	n, err := c.f.ReadAt(b, at)
	c.n += int64(n)
	return n, err
}
