// Package format is the table of the files that Doorstep reads: their names, how each is known by its first bytes, and the
// decoder that turns it into samples. A new decoder is one line of All.
package format

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"doorstep/internal/reading/apple"
	"doorstep/internal/reading/cgmcsv"
	"doorstep/internal/reading/fhirobs"
	"doorstep/internal/reading/fit"
	"doorstep/internal/reading/gatt"
	"doorstep/internal/reading/healthconnect"
	"doorstep/internal/reading/nightscout"
	"doorstep/internal/reading/omh"
	"doorstep/internal/reading/sample"
)

// Input is a file, or what comes through a pipe.
type Input struct {
	io.Reader
	At   io.ReaderAt // nil for a pipe
	Size int64       // bytes, where At is not nil
}

// Format is a kind of file.
type Format struct {
	Name  string
	About string
	// Is reports whether a file is of this kind, by its first bytes (Head of them, or all).
	Is   func(head []byte) bool
	Read func(in Input, o sample.Options) sample.Seq
}

// Head is how many of a file's first bytes Detect looks at.
const Head = 64 << 10

// All are the formats, in the order in which Detect asks them.
var All = []Format{
	{"apple", "Apple Health: export.xml, or the archive with it", func(b []byte) bool { return apple.Is(b) || apple.IsZip(b) }, readApple},
	{"fit", "FIT, of sports watches, scales and cuffs", fit.Is, plain(fit.Read)},
	{"omh", "Open mHealth and IEEE 1752.1 data points", omh.Is, plain(omh.Read)},
	{"fhir", "FHIR Observations, alone, in lists, NDJSON and Bundles", fhirobs.Is, plain(fhirobs.Read)},
	{"healthconnect", "a batch of Health Connect's records as JSON", healthconnect.Is, plain(healthconnect.Read)},
	{"cgm", "exports of Dexcom Clarity and LibreView (CSV)", func(b []byte) bool { return cgmcsv.Sniff(b) != cgmcsv.Unknown }, plain(readCGM)},
	{"nightscout", "Nightscout's entries and treatments", nightscout.Is, plain(nightscout.Read)},
}

// plain fits a decoder that needs nothing but a stream.
func plain(read func(io.Reader, sample.Options) sample.Seq) func(Input, sample.Options) sample.Seq {
	return func(in Input, o sample.Options) sample.Seq { return read(in.Reader, o) }
}

func readApple(in Input, o sample.Options) sample.Seq {
	if in.At != nil {
		head := make([]byte, 4)
		if _, err := in.At.ReadAt(head, 0); err == nil && apple.IsZip(head) {
			return apple.ReadZip(in.At, in.Size, o)
		}
		return apple.Read(in.Reader, o)
	}
	r := bufio.NewReader(in.Reader)
	if head, _ := r.Peek(4); apple.IsZip(head) {
		return func(yield func(sample.Sample, error) bool) {
			yield(sample.Sample{}, sample.Refuse(0, "an archive cannot be read from a pipe, its table of contents stands at the end"))
		}
	}
	return apple.Read(r, o)
}

// Detect answers the format of a file by its first bytes; ok is false where none claims it.
func Detect(head []byte) (f Format, ok bool) {
	for _, f := range All {
		if f.Is(head) {
			return f, true
		}
	}
	return Format{}, false
}

// Find answers the format of a name of All, of "gatt:" and a characteristic, or of "omh:" and the schema of bodies without a
// header. The error names those that there are.
func Find(name string) (Format, error) {
	if uuid, ok := strings.CutPrefix(strings.ToLower(name), "gatt:"); ok {
		if !gatt.Known(uuid) {
			return Format{}, fmt.Errorf("the characteristic %s is not known", sample.Clip(uuid))
		}
		return Format{Name: name, Read: plain(func(r io.Reader, o sample.Options) sample.Seq { return gatt.Read(uuid, r, o) })}, nil
	}
	if schema, ok := strings.CutPrefix(name, "omh:"); ok {
		if !omh.Known(schema) {
			return Format{}, fmt.Errorf("the schema %s is not known, blood-glucose-4.0 is", sample.Clip(schema))
		}
		return Format{Name: name, Read: plain(func(r io.Reader, o sample.Options) sample.Seq { return omh.ReadBodies(schema, r, o) })}, nil
	}
	for _, f := range All {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("there is no format %q, there are %s", sample.Clip(name), Names())
}

// Names lists the names of the formats.
func Names() string {
	var names []string
	for _, f := range All {
		names = append(names, f.Name)
	}
	return strings.Join(append(names, "gatt:2A37 (or another characteristic)", "omh:body-weight-3.0 (or another schema, of bodies without a header)"), ", ")
}
