package fhirapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/record"
)

func (c *call) read(typ, id string) {
	r, err := c.rec.GetAs(c.r.Context(), c.scope(), typ, id)
	if err != nil {
		c.fail(err)
		return
	}
	if r.Deleted {
		c.w.Header().Set("ETag", etag(r.Version))
		c.outcome(http.StatusGone, "deleted", typ+"/"+id+" has been deleted")
		return
	}
	if c.r.Header.Get("If-None-Match") == etag(r.Version) {
		c.w.Header().Set("ETag", etag(r.Version))
		c.w.WriteHeader(http.StatusNotModified)
		return
	}
	c.resource(http.StatusOK, r)
}

func (c *call) version(typ, id, version string) {
	n, err := strconv.Atoi(version)
	if err != nil {
		c.fail(fault.NotFoundf("there is no such version"))
		return
	}
	r, err := c.rec.Version(c.r.Context(), c.scope(), typ, id, n)
	switch {
	case err != nil:
		c.fail(err)
	case r.Deleted:
		c.outcome(http.StatusGone, "deleted", "this version is a deletion")
	default:
		c.resource(http.StatusOK, r)
	}
}

func (c *call) postedSearch(typ string) {
	if media, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";"); media != "application/x-www-form-urlencoded" {
		c.outcome(http.StatusUnsupportedMediaType, "not-supported", "a search is posted as application/x-www-form-urlencoded")
		return
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, 1<<20)
	if err := c.r.ParseForm(); err != nil {
		c.fail(fault.Invalidf("the parameters cannot be read"))
		return
	}
	c.search(typ, c.r.Form)
}

func (c *call) search(typ string, q url.Values) {
	for name, values := range q { // references may be written with our own base
		for i, v := range values {
			q[name][i] = strings.TrimPrefix(v, c.base+"/")
		}
	}
	page, err := c.rec.SearchAs(c.r.Context(), c.scope(), typ, q)
	if err != nil {
		c.fail(err)
		return
	}
	if len(page.Unknown) > 0 && strings.Contains(c.r.Header.Get("Prefer"), "handling=strict") {
		c.json(http.StatusBadRequest, unknown("error", page.Unknown))
		return
	}
	c.send(http.StatusOK, searchset(c.base, typ, q, page))
}

func (c *call) history(typ, id string) {
	all, err := c.rec.History(c.r.Context(), c.scope(), typ, id)
	if err != nil {
		c.fail(err)
		return
	}
	b := newBundle(c.base, "history", len(all), [][2]string{{"self", c.base + "/" + typ + "/" + id + "/_history"}})
	for _, r := range all {
		b.version(r)
	}
	c.send(http.StatusOK, b.end())
}

// version adds an entry of a history.
func (b *writer) version(r record.Resource) {
	method, status, at := "PUT", "200", r.Type+"/"+r.ID
	var body []byte
	switch {
	case r.Deleted:
		method, status = "DELETE", "204"
	case r.Version == 1:
		method, status, at = "POST", "201", r.Type
	}
	if !r.Deleted {
		body = fhir.WithMeta(r.Body, r.Version, r.At)
	}
	b.entry(b.name(r), body, `"request":{"method":"`+method+`","url":"`+at+`"}`,
		`"response":{"status":"`+status+`","etag":`+quote(etag(r.Version))+`,"lastModified":"`+r.At.Format(time.RFC3339Nano)+`"}`)
}

// changes is the history of a type.
func (c *call) changes(typ string) {
	q := c.r.URL.Query()
	count, err := strconv.Atoi(q.Get("_count"))
	if q.Get("_count") == "" {
		count, err = 50, nil
	}
	if err != nil || count < 1 {
		c.fail(fault.Invalidf("_count is not a number"))
		return
	}
	var since time.Time
	if s := q.Get("_since"); s != "" {
		span, err := fhir.ParseSpan(strings.ReplaceAll(s, " ", "+"), nil)
		if err != nil {
			c.fail(fault.New(fault.Invalid, "_since: %w", err))
			return
		}
		since = span.Start()
	}
	all, next, err := c.rec.Changes(c.r.Context(), c.scope(), typ, since, min(count, 1000), q.Get("_cursor"))
	if err != nil {
		c.fail(err)
		return
	}
	self := c.base + "/" + typ + "/_history"
	links := [][2]string{{"self", withQuery(self, q)}}
	if next != "" {
		q.Set("_cursor", next)
		links = append(links, [2]string{"next", withQuery(self, q)})
	}
	b := newBundle(c.base, "history", -1, links)
	for _, r := range all {
		b.version(r)
	}
	c.send(http.StatusOK, b.end())
}

func (c *call) create(typ string) {
	body, ok := c.incoming(typ)
	if !ok {
		return
	}
	condition := c.r.Header.Get("If-None-Exist")
	if condition != "" && c.access.Patient != "" { // its answer would tell of what others have
		c.fail(fault.Deniedf("this access may not write under a condition"))
		return
	}
	out, err := c.rec.Create(c.r.Context(), c.access.Org, typ, body, condition)
	c.written(out, err)
}

func (c *call) update(typ, id string) {
	body, ok := c.incoming(typ)
	if !ok {
		return
	}
	version := 0
	if h := c.r.Header.Get("If-Match"); h != "" {
		var err error
		if version, err = record.ParseETag(h); err != nil {
			c.fail(err)
			return
		}
	}
	if c.access.Patient != "" { // only what it sees now, and nothing that came in between
		r, err := c.rec.GetAs(c.r.Context(), c.scope(), typ, id)
		if err == nil && version != 0 && r.Version != version {
			err = fault.Conflictf("%s/%s is not at version %d any more", typ, id, version)
		}
		if err != nil {
			c.fail(err)
			return
		}
		version = r.Version
	}
	out, err := c.rec.Update(c.r.Context(), c.access.Org, typ, id, body, version)
	c.written(out, err)
}

func (c *call) updateWhere(typ string) {
	body, ok := c.incoming(typ)
	if !ok {
		return
	}
	if c.access.Patient != "" {
		c.fail(fault.Deniedf("this access may not write under a condition"))
		return
	}
	out, err := c.rec.UpdateWhere(c.r.Context(), c.access.Org, typ, c.r.URL.RawQuery, body)
	c.written(out, err)
}

// incoming reads the resource of a write. A patient's access writes only what belongs to the patient.
func (c *call) incoming(typ string) ([]byte, bool) {
	if !c.mayWrite() {
		return nil, false
	}
	body, err := c.body()
	if err == nil {
		_, err = record.Check(body, typ)
	}
	if err == nil && !c.scope().Owns(typ, body) {
		err = fault.Deniedf("this access may write only what belongs to its patient")
	}
	if err != nil {
		c.fail(err)
		return nil, false
	}
	return body, true
}

func (c *call) written(out record.Outcome, err error) {
	if err != nil {
		c.fail(err)
		return
	}
	status := http.StatusOK
	if out.Created {
		status = http.StatusCreated
	}
	c.resource(status, out.Resource)
}

func (c *call) delete(typ, id string) {
	if !c.mayWrite() {
		return
	}
	if c.access.Patient != "" {
		c.fail(fault.Deniedf("this access may not delete"))
		return
	}
	version := 0
	if h := c.r.Header.Get("If-Match"); h != "" {
		var err error
		if version, err = record.ParseETag(h); err != nil {
			c.fail(err)
			return
		}
	}
	out, err := c.rec.Delete(c.r.Context(), c.access.Org, typ, id, version)
	if err != nil {
		c.fail(err)
		return
	}
	if out.Version > 0 {
		c.w.Header().Set("ETag", etag(out.Version))
	}
	c.w.WriteHeader(http.StatusNoContent)
}
