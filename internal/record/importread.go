package record

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"strings"

	"doorstep/internal/fhir"
)

// counting tells the progress while it reads.
type counting struct {
	r    io.Reader
	n    int64
	o    ImportOptions
	next int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.o.Progress != nil && (c.n >= c.next || err != nil) {
		c.next = c.n + 1<<20
		c.o.Progress(c.n, c.o.Total)
	}
	return n, err
}

func (im *importer) open(r io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(&counting{r: r, o: im.o}, 256<<10)
	if head, _ := br.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(br)
	}
	return br, nil
}

// readAll cuts the stream into parcels. A reader that fails in the middle (a torn gzip file) ends the file with a refusal.
func (im *importer) readAll(ctx context.Context, r io.Reader, work, order chan<- *parcel) error {
	name := strings.ToLower(im.file)
	stream := fhir.NewStream(r, MostBytes, strings.Contains(name, ".ndjson") || strings.Contains(name, ".jsonl"))
	for {
		p := &parcel{ready: make(chan struct{})}
		size := 0
		var end error
		var last fhir.Item
		for len(p.items) < parcelItems && size < 1<<20 {
			it, err := stream.Next()
			if err != nil {
				if end = err; err != io.EOF {
					p.items = append(p.items, fhir.Item{Line: last.Line, Offset: last.Offset, Entry: -1, Refused: "the file cannot be read on from here"})
				}
				break
			}
			last = it
			size += len(it.Body)
			p.items = append(p.items, it)
		}
		for _, to := range []chan<- *parcel{work, order} {
			select {
			case to <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if end != nil {
			return nil
		}
	}
}

// parse does all that needs no database; it runs in several goroutines.
func (im *importer) parse(it fhir.Item) incoming {
	in := incoming{item: it, body: it.Body, where: Refusal{File: im.file, Line: it.Line, Offset: it.Offset, Entry: it.Entry, Reason: it.Refused}}
	if it.Refused != "" {
		return in
	}
	if it.Entry >= 0 {
		parts, err := fhir.ParseEntry(it.Body)
		if err != nil {
			in.where.Reason = err.Error()
			return in
		}
		in.fullURL, in.modified, in.body = parts.FullURL, parts.Modified, parts.Resource
		if parts.Resource == nil {
			if parts.Request.Method == "DELETE" && it.Bundle == "history" {
				in.deletes = true
				in.typ, in.where.ID, _ = strings.Cut(parts.Request.URL, "/")
				return in
			}
			in.where.Reason = "the entry holds no resource"
			return in
		}
		in.where.Offset += int64(parts.From)
	} else if it.Bundle != "" {
		in.body = nil
		return in
	}
	ix, err := fhir.Extract(in.body)
	if err != nil {
		in.typ, in.where.ID, _ = fhir.Head(in.body)
		in.where.Reason = err.Error()
		return in
	}
	in.ix, in.typ, in.where.ID = ix, ix.Type, ix.ID
	if ix.ID == "" {
		id := im.madeID(in)
		in.body = fhir.WithID(in.body, id)
		if in.ix, err = fhir.Extract(in.body); err != nil {
			in.where.Reason = err.Error()
		}
		in.where.ID = id
	}
	in.sum = fhir.HashBytes(in.body)
	return in
}

// madeID gives a resource without an id one that it will get again when the same file is imported again: the uuid of its
// entry, else one made of its bytes.
func (im *importer) madeID(in incoming) string {
	if id, ok := strings.CutPrefix(in.fullURL, "urn:uuid:"); ok && fhir.ValidID(id) {
		return id
	}
	return fmt.Sprintf("i-%016x", uint64(fhir.HashBytes(in.body)))
}
