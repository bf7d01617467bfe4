package fhirapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/record"
)

// bundle carries out a transaction or batch.
func (c *call) bundle() {
	if !c.mayWrite() {
		return
	}
	if c.access.Patient != "" {
		c.fail(fault.Deniedf("this access may not send bundles"))
		return
	}
	body, err := c.body()
	if err != nil {
		c.fail(err)
		return
	}
	kind, steps, err := record.ParseSteps(body)
	if err != nil {
		c.fail(err)
		return
	}
	switch kind {
	case "transaction":
		if err := c.rec.Transact(c.r.Context(), c.access.Org, steps); err != nil {
			c.failTransaction(err)
			return
		}
	case "batch":
		c.rec.Batch(c.r.Context(), c.access.Org, steps)
	default:
		c.fail(fault.Invalidf("type: a transaction or batch should stand here"))
		return
	}
	b := newBundle(c.base, kind+"-response", -1, nil)
	for _, st := range steps {
		b.reply(st, strings.Contains(c.r.Header.Get("Prefer"), "return=representation"))
	}
	c.send(http.StatusOK, b.end())
}

// failTransaction: a condition that failed inside a transaction is a failed precondition of the whole.
func (c *call) failTransaction(err error) {
	status, code := statusOf(err, true)
	c.json(status, fhir.Outcome("error", code, sentence(err)))
}

// reply adds what came of one entry.
func (b *writer) reply(st *record.Step, whole bool) {
	if st.Err != nil {
		status, code := statusOf(st.Err, true)
		out, _ := json.Marshal(fhir.Outcome("error", code, sentence(st.Err)))
		b.entry("", nil, `"response":{"status":"`+strconv.Itoa(status)+`","outcome":`+string(out)+`}`)
		return
	}
	r := st.Reply.Resource
	response := `"response":{"status":"` + strconv.Itoa(st.Reply.Status) + " " + http.StatusText(st.Reply.Status) + `"`
	if r.Version > 0 {
		if st.Method != http.MethodDelete {
			response += `,"location":` + quote(b.base+"/"+r.Type+"/"+r.ID+"/_history/"+strconv.Itoa(r.Version))
		}
		response += `,"etag":` + quote(etag(r.Version)) + `,"lastModified":"` + r.At.Format("2006-01-02T15:04:05.000000Z07:00") + `"`
	}
	response += "}"
	switch {
	case st.Reply.Page != nil:
		b.entry("", searchset(b.base, st.Type, nil, *st.Reply.Page), response)
	case r.Version > 0 && !r.Deleted && (whole || st.Method == http.MethodGet):
		b.entry(b.name(r), fhir.WithMeta(r.Body, r.Version, r.At), response)
	default:
		b.entry("", nil, response)
	}
}
