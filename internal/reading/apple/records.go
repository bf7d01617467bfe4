package apple

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"strings"

	"doorstep/internal/reading/sample"
)

// Read answers the records of an export.xml.
func Read(r io.Reader, o sample.Options) sample.Seq {
	return func(yield func(sample.Sample, error) bool) {
		d := decoder{in: newScanner(r), o: o, yield: yield, seed: maphash.MakeSeed(), kinds: map[string]*kind{}, texts: map[string]string{}, units: map[string]string{}, twice: map[uint64]struct{}{}}
		for !d.done {
			err := d.in.next()
			if err == io.EOF {
				return
			}
			if err == nil {
				d.element()
				continue
			}
			yield(sample.Sample{}, err)
			return
		}
	}
}

// Bounds of what is remembered.
const (
	lately = 1 << 15 // records that exact duplicates are looked for in, about
	most   = 1 << 20 // records that may come twice
	texts  = 4096    // names of types and sources
)

// decoder makes samples of elements.
type decoder struct {
	in    *scanner
	o     sample.Options
	yield func(sample.Sample, error) bool
	done  bool // the caller has had enough

	dates  dates
	seed   maphash.Seed
	kinds  map[string]*kind
	texts  map[string]string
	units  map[string]string
	lately [lately]uint64
	twice  map[uint64]struct{}

	member  bool // inside a correlation
	pending bool // a record has begun and is whole
	record  sample.Sample
	rates   []float64 // heart rates of an HRV record
}

var (
	recordName      = []byte("Record")
	correlationName = []byte("Correlation")
	metadataName    = []byte("MetadataEntry")
	rateName        = []byte("InstantaneousBeatsPerMinute")
)

// element takes a start or end tag in.
func (d *decoder) element() {
	in := d.in
	switch {
	case bytes.Equal(in.name, recordName):
		if !in.end {
			d.begin()
		}
		if in.end || in.empty {
			d.finish()
		}
	case bytes.Equal(in.name, correlationName):
		d.member = !in.end && !in.empty
	case !d.pending || in.end:
	case bytes.Equal(in.name, metadataName):
		d.metadata()
	case bytes.Equal(in.name, rateName):
		if v, _, ok := number(d.attribute("bpm")); ok {
			d.rates = append(d.rates, v)
		}
	}
}

func (d *decoder) attribute(name string) []byte {
	for i := range d.in.attributes {
		if string(d.in.attributes[i].name) == name {
			return d.in.attributes[i].value
		}
	}
	return nil
}

// begin reads a record's attributes. What is wrong is refused, and its children are passed over.
func (d *decoder) begin() {
	var typ, source, unit, start, end, value []byte
	for _, a := range d.in.attributes {
		switch string(a.name) {
		case "type":
			typ = a.value
		case "sourceName":
			source = a.value
		case "unit":
			unit = a.value
		case "startDate":
			start = a.value
		case "endDate":
			end = a.value
		case "value":
			value = a.value
		}
	}
	d.pending, d.rates = false, d.rates[:0]
	if len(typ) == 0 {
		d.refuse("a record without a type")
		return
	}
	k := d.kind(typ)
	d.o.Seen(k.name)
	s := &d.record
	*s = sample.Sample{Series: k.series, Kind: k.name, Source: d.text(source)}
	var ok bool
	if s.At, ok = d.dates.read(start); !ok {
		d.refuse(fmt.Sprintf("startDate %q is not a time", sample.Clip(string(start))))
		return
	}
	if end != nil && !bytes.Equal(start, end) {
		if s.Until, ok = d.dates.read(end); !ok {
			d.refuse(fmt.Sprintf("endDate %q is not a time", sample.Clip(string(end))))
			return
		}
	}
	if k.word {
		s.Text = word(unescape(value))
	} else if !d.measured(k, value, unit) {
		d.refuse(fmt.Sprintf("value %q is not a number", sample.Clip(string(value))))
		return
	}
	d.pending = !d.known(k, typ, source, start, end, value)
}

// measured puts the number and its unit into the record; false where there is no number. Apple's percent is a share of 1.
func (d *decoder) measured(k *kind, value, unit []byte) bool {
	s := &d.record
	v, decimals, ok := number(value)
	if !ok {
		return false
	}
	s.Value, s.Unit = v, k.unit
	if s.Unit == "" {
		s.Unit = d.unit(unit)
	}
	if s.Unit == "%" && v <= 1.5 && v >= -1.5 {
		s.Value, decimals = math.Round(v*1e10)/1e8, max(0, decimals-2)
	}
	if decimals <= 4 { // more are the noise of a binary float
		s.Decimals = decimals
	}
	if s.Unit == "mmol/L" && s.Series == sample.BloodGlucose {
		s.Series = sample.BloodGlucoseMol
	}
	return true
}

// refuse yields that the element at hand was left out.
func (d *decoder) refuse(reason string) {
	if !d.yield(sample.Sample{}, &sample.Refusal{Offset: d.in.offset, Reason: reason}) {
		d.done = true
	}
}

// finish yields the record at hand, and the heart rates within it.
func (d *decoder) finish() {
	if !d.pending {
		return
	}
	d.pending = false
	if !d.yield(d.record, nil) {
		d.done = true
		return
	}
	if len(d.rates) == 0 {
		return
	}
	s := d.record
	s.Series, s.Kind, s.Unit, s.Value, s.Decimals = sample.HeartRate, "InstantaneousBeatsPerMinute", "/min", 0, 0
	s.Values = append([]float64(nil), d.rates...)
	if !d.yield(s, nil) {
		d.done = true
	}
}

// metadata takes what is worth a note.
func (d *decoder) metadata() {
	if notes := said[[2]string{string(d.attribute("key")), string(d.attribute("value"))}]; notes != nil {
		d.record.Notes = append(d.record.Notes[:len(d.record.Notes):len(d.record.Notes)], notes...)
	}
}

// kind answers what a type means.
func (d *decoder) kind(typ []byte) *kind {
	if k := d.kinds[string(typ)]; k != nil {
		return k
	}
	name := unescape(typ)
	k := quantities[strings.TrimPrefix(name, quantity)]
	if !strings.HasPrefix(name, quantity) || k.series == "" {
		k = kind{series: name, twice: strings.HasPrefix(name, quantity+"Dietary"), word: strings.HasPrefix(name, category)}
	}
	if name == category+"SleepAnalysis" {
		k.series = sample.SleepStage
	}
	k.name = name
	k.twice = k.twice || strings.HasPrefix(name, quantity+"Dietary")
	if len(d.kinds) < texts {
		d.kinds[string(typ)] = &k
	}
	return &k
}

// word answers a category's value in a word; Apple's name of it where there is none.
func word(value string) string {
	if stage, ok := sleep[strings.TrimPrefix(value, "HKCategoryValueSleepAnalysis")]; ok {
		return stage
	}
	if value == "" {
		return "HKCategoryValueNotApplicable"
	}
	return value
}

// text answers a name without entities, the same string for the same name.
func (d *decoder) text(b []byte) string {
	if s, ok := d.texts[string(b)]; ok {
		return s
	}
	s := unescape(b)
	if len(d.texts) < texts {
		d.texts[string(b)] = s
	}
	return s
}

func (d *decoder) unit(b []byte) string {
	if s, ok := d.units[string(b)]; ok {
		return s
	}
	s := sample.Unit(unescape(b))
	if len(d.units) < texts {
		d.units[string(b)] = s
	}
	return s
}

// known reports whether the record has come before: the same type, times, value and source. Members of correlations, and what
// may be one, are remembered all; of others the latest.
func (d *decoder) known(k *kind, parts ...[]byte) bool {
	h := uint64(0)
	for _, p := range parts {
		h = (h ^ maphash.Bytes(d.seed, p)) * 0x9e3779b97f4a7c15
	}
	slot := &d.lately[h>>49]
	if *slot == h {
		return true
	}
	if k.twice || d.member {
		if _, ok := d.twice[h]; ok {
			return true
		}
		if len(d.twice) < most {
			d.twice[h] = struct{}{}
		} else if d.member {
			return true // the document type says that every member stands at the top level too
		}
	}
	*slot = h
	return false
}
