package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
)

// ImportOptions of ImportFile. The zero value is right.
type ImportOptions struct {
	Progress func(done, total int64) // bytes read so far and in all (0: not known); may be nil
	Total    int64                   // size of what is read, for Progress
}

// Count says what came of the resources of one type.
type Count struct{ New, Same, Changed, Refused int }

// Refusal is one resource that did not go in, and why. ID and Reason hold no patient data beyond ids and element names.
type Refusal struct {
	File   string
	Line   int   // from 1
	Offset int64 // bytes from the start of the file, unpacked
	Entry  int   // index in the bundle, -1 outside one
	ID     string
	Reason string
}

// Summary is what an import did. Unresolved counts conditional references that named nothing yet: they are kept as they
// came and found by search all the same.
type Summary struct {
	ByType     map[string]Count
	Refused    []Refusal
	Unresolved int
}

// refusalsMost bounds the list of refusals of one file; the counts go on.
const refusalsMost = 10000

// ImportRank orders files so that what others refer to comes in first: organizations and places, people, then the rest.
func ImportRank(name string) int {
	name = path.Base(name)
	for i, start := range []string{"hospitalInformation", "Organization", "Location", "practitionerInformation", "Practitioner.",
		"PractitionerRole", "Patient", "Encounter"} {
		if strings.HasPrefix(name, start) {
			return i - 100
		}
	}
	return 0
}

// parcel is a run of items on its way through an import.
type parcel struct {
	items []fhir.Item
	out   []incoming
	ready chan struct{}
}

// incoming is an item that has been read: ready to be written, or refused.
type incoming struct {
	item     fhir.Item
	where    Refusal
	typ      string
	ix       *fhir.Index
	body     []byte
	sum      int64
	fullURL  string
	modified string
	deletes  bool
}

const (
	parcelItems = 64
	batchItems  = 4000
	batchBytes  = 12 << 20
)

// ImportFile reads resources, bundles of any type or NDJSON, packed with gzip or not (told by the content), into the record.
// Good ones go in, each bad one is named in the summary with its position. Ids are kept; urn:uuid references and
// conditional ones are resolved; bytes that the record has had already write nothing. Memory stays bounded whatever comes.
// The error is about the reader or the database, never about the content; what was counted until then has been written.
func (s *Service) ImportFile(ctx context.Context, org, name string, r io.Reader, o ImportOptions) (Summary, error) {
	im := &importer{s: s, org: org, file: name, o: o, sum: Summary{ByType: map[string]Count{}}, urn: map[string]string{}, known: map[string]string{}}
	src, err := im.open(r)
	if err != nil {
		im.refuse(Refusal{File: name, Line: 1, Entry: -1, Reason: "the gzip file cannot be read"}, "")
		return im.sum, nil
	}
	g, ctx := errgroup.WithContext(ctx)
	work, order := make(chan *parcel, 8), make(chan *parcel, 16)
	g.Go(func() error {
		defer close(work)
		defer close(order)
		return im.readAll(ctx, src, work, order)
	})
	for range max(2, runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			for p := range work {
				p.out = make([]incoming, 0, len(p.items))
				for _, it := range p.items {
					p.out = append(p.out, im.parse(it))
				}
				close(p.ready)
			}
			return nil
		})
	}
	g.Go(func() error {
		for p := range order {
			select {
			case <-p.ready:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := im.take(ctx, p.out); err != nil {
				return err
			}
		}
		return im.end(ctx)
	})
	err = g.Wait()
	slices.SortStableFunc(im.sum.Refused, func(a, b Refusal) int { return cmp.Compare(a.Offset, b.Offset) })
	return im.sum, err
}

// importer is one ImportFile under way. Its fields below sum belong to the goroutine that writes.
type importer struct {
	s    *Service
	org  string
	file string
	o    ImportOptions
	sum  Summary

	urn     map[string]string // fullUrl of an entry → "Type/id"
	known   map[string]string // conditional reference → "Type/id", as far as looked up
	batch   []*incoming
	bytes   int
	waiting []*incoming // refer to entries that have not come yet
	held    int
	history []*incoming // of a history bundle, to be turned round
}

// take sorts what has been parsed: refused, waiting for a later entry, or into the batch.
func (im *importer) take(ctx context.Context, in []incoming) error {
	for i := range in {
		if it := &in[i]; it.ix != nil && it.fullURL != "" {
			im.urn[it.fullURL] = it.ix.Type + "/" + it.ix.ID
		}
	}
	for i := range in {
		it := &in[i]
		switch {
		case it.where.Reason != "":
			im.refuse(it.where, it.typ)
		case it.deletes || it.item.Bundle == "history" && it.body != nil:
			im.hold(&im.history, it)
		case it.body == nil: // a bundle without entries
		case len(im.missing(it)) > 0:
			im.hold(&im.waiting, it)
		default:
			if err := im.add(ctx, it); err != nil {
				return err
			}
		}
	}
	return nil
}

// heldMost bounds the bytes of entries that wait for the end of their bundle.
const heldMost = 256 << 20

func (im *importer) hold(list *[]*incoming, it *incoming) {
	if im.held += len(it.body); im.held > heldMost {
		it.where.Reason = "too much of the bundle refers to entries that come later"
		im.refuse(it.where, it.typ)
		return
	}
	*list = append(*list, it)
}

// missing answers the temporary names in a resource that no entry has had so far.
func (im *importer) missing(it *incoming) []string {
	var out []string
	for _, l := range it.ix.Links {
		if temporary(l.Target) && im.urn[l.Target] == "" {
			out = append(out, l.Target)
		}
	}
	return out
}

func temporary(target string) bool {
	return strings.HasPrefix(target, "urn:uuid:") || strings.HasPrefix(target, "urn:oid:")
}

func (im *importer) refuse(r Refusal, typ string) {
	if typ == "" {
		typ = "unknown"
	}
	c := im.sum.ByType[typ]
	c.Refused++
	im.sum.ByType[typ] = c
	if len(im.sum.Refused) < refusalsMost {
		im.sum.Refused = append(im.sum.Refused, r)
	}
}

// end writes what is left: entries that waited, the history from its oldest version on.
func (im *importer) end(ctx context.Context) error {
	for _, it := range im.waiting {
		if names := im.missing(it); len(names) > 0 && slices.ContainsFunc(it.ix.Links, func(l fhir.Link) bool {
			return slices.Contains(names, l.Target) && isReference(it.body, l)
		}) {
			it.where.Reason = "refers to an entry that is not in the bundle"
			im.refuse(it.where, it.typ)
			continue
		}
		if err := im.add(ctx, it); err != nil {
			return err
		}
	}
	if err := im.flush(ctx); err != nil {
		return err
	}
	slices.Reverse(im.history)
	slices.SortStableFunc(im.history, func(a, b *incoming) int { return cmp.Compare(a.modifiedAt(), b.modifiedAt()) })
	for _, it := range im.history {
		if err := im.add(ctx, it); err != nil {
			return err
		}
	}
	return im.flush(ctx)
}

// modifiedAt answers when a version of a history was made, 0 when it does not say.
func (it *incoming) modifiedAt() int64 {
	span, err := fhir.ParseSpan(it.modified, nil)
	if err != nil {
		return 0
	}
	return span.Low
}

// add puts a resource into the batch, and writes the batch when it is full or has the same resource already.
func (im *importer) add(ctx context.Context, it *incoming) error {
	if it.deletes {
		it.ix = &fhir.Index{Type: it.typ, ID: it.where.ID}
	}
	im.batch = append(im.batch, it)
	im.bytes += len(it.body)
	if len(im.batch) >= batchItems || im.bytes >= batchBytes {
		return im.flush(ctx)
	}
	return nil
}

// flush writes the batch. A conflict means that somebody wrote one of its resources in between: it is tried again.
func (im *importer) flush(ctx context.Context) error {
	batch := im.batch
	im.batch, im.bytes = nil, 0
	for len(batch) > 0 {
		n := distinct(batch)
		var err error
		for range 3 {
			if err = im.write(ctx, batch[:n]); !fault.Is(err, fault.Conflict) {
				break
			}
		}
		if err != nil {
			return errors.Join(fmt.Errorf("%s: importing stopped", im.file), err)
		}
		batch = batch[n:]
	}
	return nil
}

// distinct answers how many of a batch may be written at once: up to the second version of one resource.
func distinct(batch []*incoming) int {
	seen := make(map[key]bool, len(batch))
	for i, it := range batch {
		k := key{it.ix.Type, it.ix.ID}
		if seen[k] {
			return i
		}
		seen[k] = true
	}
	return len(batch)
}
