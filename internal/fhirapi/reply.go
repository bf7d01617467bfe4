package fhirapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/record"
)

const mediaType = "application/fhir+json; charset=utf-8"

func (c *call) send(status int, body []byte) {
	c.w.Header().Set("Content-Type", mediaType)
	c.w.WriteHeader(status)
	c.w.Write(body)
}

func (c *call) json(status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		c.outcome(http.StatusInternalServerError, "exception", fault.Sentence(err))
		return
	}
	c.send(status, b.Bytes())
}

func (c *call) outcome(status int, code, diagnostics string) {
	c.json(status, fhir.Outcome("error", code, diagnostics))
}

// statusOf maps an error to a status and an issue code (hl7.org/fhir/R4/valueset-issue-type.html).
func statusOf(err error, conditional bool) (int, string) {
	if errors.Is(err, errMedia) {
		return http.StatusUnsupportedMediaType, "not-supported"
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		return http.StatusBadRequest, "invalid"
	case fault.NotFound:
		return http.StatusNotFound, "not-found"
	case fault.Conflict:
		if conditional {
			return http.StatusPreconditionFailed, "conflict"
		}
		return http.StatusConflict, "conflict"
	case fault.Denied:
		return http.StatusForbidden, "forbidden"
	case fault.Unavailable:
		return http.StatusServiceUnavailable, "transient"
	case fault.TooMuch:
		return http.StatusRequestEntityTooLarge, "too-costly"
	}
	return http.StatusInternalServerError, "exception"
}

func (c *call) fail(err error) {
	h := c.r.Header
	conditional := h.Get("If-Match") != "" || h.Get("If-None-Exist") != "" || c.r.Method == http.MethodPut && c.r.URL.RawQuery != ""
	status, code := statusOf(err, conditional)
	out := fhir.Outcome("error", code, sentence(err))
	var syntax *fhir.SyntaxError
	if errors.As(err, &syntax) && syntax.Path != "" {
		out.Issue[0].Expression = []string{syntax.Path}
	}
	c.json(status, out)
}

func sentence(err error) string {
	var entry *record.EntryError
	switch {
	case errors.As(err, &entry):
		return entry.Error()
	case errors.Is(err, errMedia):
		return "the Content-Type must be application/fhir+json"
	}
	return fault.Sentence(err)
}

func etag(version int) string { return `W/"` + strconv.Itoa(version) + `"` }

// resource sends one resource with its version in the headers.
func (c *call) resource(status int, r record.Resource) {
	h := c.w.Header()
	h.Set("ETag", etag(r.Version))
	h.Set("Last-Modified", r.At.Format(http.TimeFormat))
	if status == http.StatusCreated || c.r.Method == http.MethodPut {
		h.Set("Location", c.base+"/"+r.Type+"/"+r.ID+"/_history/"+strconv.Itoa(r.Version))
	}
	if !isGet(c.r) && strings.Contains(c.r.Header.Get("Prefer"), "return=minimal") {
		c.w.WriteHeader(status)
		return
	}
	c.send(status, fhir.WithMeta(r.Body, r.Version, r.At))
}

// writer puts a bundle together, resources as their own bytes.
type writer struct {
	bytes.Buffer
	base    string
	entries int
}

func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // a string always can be
	return strings.TrimSuffix(b.String(), "\n")
}

func newBundle(base, kind string, total int, links [][2]string) *writer {
	b := &writer{base: base}
	b.WriteString(`{"resourceType":"Bundle","type":"` + kind + `"`)
	if total >= 0 {
		b.WriteString(`,"total":` + strconv.Itoa(total))
	}
	for i, l := range links {
		b.WriteString([]string{`,"link":[`, `,`}[min(i, 1)] + `{"relation":"` + l[0] + `","url":` + quote(l[1]) + `}`)
	}
	if len(links) > 0 {
		b.WriteString("]")
	}
	return b
}

// entry adds one; the parts are JSON members: `"search":{…}`.
func (b *writer) entry(fullURL string, resource []byte, parts ...string) {
	b.WriteString([]string{`,"entry":[`, `,`}[min(b.entries, 1)])
	b.entries++
	var members []string
	if fullURL != "" {
		members = append(members, `"fullUrl":`+quote(fullURL))
	}
	b.WriteString("{")
	for i, m := range append(members, parts...) {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(m)
	}
	if resource != nil {
		if len(members)+len(parts) > 0 {
			b.WriteString(",")
		}
		b.WriteString(`"resource":`)
		b.Write(bytes.TrimSpace(resource))
	}
	b.WriteString("}")
}

func (b *writer) end() []byte {
	if b.entries > 0 {
		b.WriteString("]")
	}
	b.WriteString("}")
	return b.Bytes()
}

func (b *writer) name(r record.Resource) string { return b.base + "/" + r.Type + "/" + r.ID }

// searchset writes a page of a search.
func searchset(base, typ string, q url.Values, page record.Page) []byte {
	self := base + "/" + typ
	known := url.Values{}
	for name, values := range q {
		known[name] = values
	}
	for _, name := range page.Unknown { // self says what was understood
		known.Del(name)
	}
	links := [][2]string{{"self", withQuery(self, known)}}
	if page.Next != "" {
		known.Set("_cursor", page.Next)
		links = append(links, [2]string{"next", withQuery(self, known)})
	}
	b := newBundle(base, "searchset", page.Total, links)
	for _, r := range page.Matches {
		b.entry(b.name(r), fhir.WithMeta(r.Body, r.Version, r.At), `"search":{"mode":"match"}`)
	}
	for _, r := range page.Included {
		b.entry(b.name(r), fhir.WithMeta(r.Body, r.Version, r.At), `"search":{"mode":"include"}`)
	}
	if len(page.Unknown) > 0 {
		out, _ := json.Marshal(unknown("warning", page.Unknown))
		b.entry("", out, `"search":{"mode":"outcome"}`)
	}
	return b.end()
}

func withQuery(u string, q url.Values) string {
	if len(q) == 0 {
		return u
	}
	return u + "?" + q.Encode()
}

func unknown(severity string, names []string) *fhir.OperationOutcome {
	out := &fhir.OperationOutcome{ResourceType: "OperationOutcome"}
	for _, name := range names {
		out.Issue = append(out.Issue, fhir.Issue{Severity: severity, Code: "not-supported", Diagnostics: "the search parameter " + name + " is not known here and had no effect"})
	}
	return out
}
