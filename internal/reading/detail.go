package reading

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"doorstep/internal/store"
)

// Detail is what a file tells beside a value.
type Detail struct {
	Until  time.Time // end of the interval that began At; zero: an instant
	Beyond int       // -1: less than the value, 1: more than it (the device's range ended)
	Notes  []string  // what the device or the person said of it: "irregular pulse", "fasting"
}

const (
	notesMost = 16
	noteMost  = 200 // bytes
)

// detailOf answers what there is beside a value; nil where there is nothing.
func detailOf(at, until time.Time, beyond int, notes []string) *Detail {
	d := Detail{Beyond: beyond}
	if until.After(at) {
		d.Until = until.UTC().Truncate(time.Millisecond)
	}
	for _, n := range notes[:min(len(notes), notesMost)] {
		if n = strings.ToValidUTF8(n[:min(len(n), noteMost)], ""); n != "" {
			d.Notes = append(d.Notes, n)
		}
	}
	if d.Until.IsZero() && d.Beyond == 0 && d.Notes == nil {
		return nil
	}
	return &d
}

// sampleID is which sample a detail is of: a device's value at an instant, as the sample itself stands.
type sampleID struct {
	device string
	at     int64 // ms
	value  float64
}

// Details answers what is known beside the values of a person's series with At in [from, to). Its function answers that of a sample; nil where
// there is nothing.
func (s *Service) Details(ctx context.Context, org, patient, series string, from, to time.Time) (func(Sample) *Detail, error) {
	known := map[sampleID]*Detail{}
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		clear(known)
		return tx.Rows("SELECT bytes FROM reading_detail WHERE org = $1 AND patient = $2 AND series = $3 AND from_at <= $4 AND to_at >= $5", []any{org, patient, series, to.UnixMilli(), from.UnixMilli()},
			func(scan func(...any) error) error {
				var b []byte
				if err := scan(&b); err != nil {
					return err
				}
				return unpackDetails(b, known)
			})
	})
	return func(x Sample) *Detail { return known[sampleID{x.Device, x.At.UnixMilli(), x.Value}] }, err
}

// details are the rows for a person's fresh samples that have any.
func (in *ingestion) details(p *fellow) (rows [][]any) {
	by := map[string][]*Sample{}
	for i := range p.fresh {
		if x := &p.fresh[i]; x.Detail != nil {
			by[x.Series] = append(by[x.Series], x)
		}
	}
	for series, list := range by {
		first, last := list[0].At, list[0].At
		for _, x := range list {
			if x.At.Before(first) {
				first = x.At
			}
			if x.At.After(last) {
				last = x.At
			}
		}
		rows = append(rows, []any{p.org, p.patient, series, first.UnixMilli(), in.s.ids.New(), last.UnixMilli(), packDetails(list)})
	}
	slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(a[2].(string), b[2].(string)) })
	return rows
}

// packDetails writes samples' details: for each its device, instant, value, the interval's length in ms, the comparator and the notes.
func packDetails(list []*Sample) []byte {
	var b []byte
	device := ""
	before := int64(0)
	for _, x := range list {
		at, d := x.At.UnixMilli(), x.Detail
		name := x.Device
		if name == device { // mostly the one before
			name = ""
		}
		device = x.Device
		b = append(append(b, byte(len(name))), name...)
		b = binary.AppendVarint(b, at-before)
		before = at
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x.Value))
		long := int64(0)
		if !d.Until.IsZero() {
			long = d.Until.UnixMilli() - at
		}
		b = binary.AppendVarint(b, long)
		b = append(b, byte(d.Beyond+1), byte(len(d.Notes)))
		for _, n := range d.Notes {
			b = append(append(b, byte(len(n))), n...)
		}
	}
	return sealed(b)
}

func unpackDetails(b []byte, into map[sampleID]*Detail) error {
	b, err := checked(b)
	if err != nil {
		return err
	}
	r := cursor{b: b}
	device := ""
	at := int64(0)
	for len(r.b) > 0 && !r.bad {
		if name := r.text(); name != "" {
			device = name
		}
		at += r.varint()
		id := sampleID{device, at, math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))}
		d := &Detail{}
		if long := r.varint(); long != 0 {
			d.Until = milli(at + long)
		}
		head := r.take(2)
		d.Beyond = int(head[0]) - 1
		for range head[1] {
			d.Notes = append(d.Notes, r.text())
		}
		into[id] = d
	}
	if r.bad {
		return errPacked
	}
	return nil
}
