package fhirapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"doorstep/internal/fault"
)

// Applier applies definitions to a person, touching nothing.
type Applier interface {
	// CarePlan answers a PlanDefinition applied to a Patient as a CarePlan with its requests contained. The plan is a canonical of what is
	// here, or the resource itself.
	CarePlan(ctx context.Context, org, canonical string, plan, patient json.RawMessage, start time.Time) (json.RawMessage, error)
}

// apply answers PlanDefinition/$apply and PlanDefinition/{id}/$apply (hl7.org/fhir/R4/plandefinition-operation-apply.html) for the
// subject in the address, so that who asks for whom is known before anything is read. Nothing is stored.
func (c *call) apply(id string) {
	if c.applier == nil {
		c.outcome(http.StatusNotFound, "not-supported", "there is no such operation")
		return
	}
	q := c.r.URL.Query()
	subject := strings.TrimPrefix(q.Get("subject"), "Patient/")
	if subject == "" || strings.ContainsAny(subject, "/,") {
		c.fail(fault.Invalidf("$apply needs a subject: ?subject=Patient/ID"))
		return
	}
	start := time.Time{}
	if text := q.Get("start"); text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			c.fail(fault.Invalidf("start is no time with its offset"))
			return
		}
		start = t
	}
	patient, err := c.rec.GetAs(c.r.Context(), c.scope(), "Patient", subject)
	if err == nil && patient.Deleted {
		err = fault.NotFoundf("Patient/%s has been deleted", subject)
	}
	if err != nil {
		c.fail(err)
		return
	}
	canonical := q.Get("canonical")
	var plan json.RawMessage
	switch {
	case id != "":
		r, err := c.rec.GetAs(c.r.Context(), c.scope(), "PlanDefinition", id)
		if err == nil && r.Deleted {
			err = fault.NotFoundf("PlanDefinition/%s has been deleted", id)
		}
		if err != nil {
			c.fail(err)
			return
		}
		plan = r.Body
	case c.r.Method == http.MethodPost && c.r.ContentLength != 0:
		if !c.access.Write {
			c.fail(fault.Deniedf("this access may not bring a plan of its own"))
			return
		}
		b, err := c.body()
		if err != nil {
			c.fail(err)
			return
		}
		if plan, err = planOf(b); err != nil {
			c.fail(err)
			return
		}
	case canonical == "":
		c.fail(fault.Invalidf("$apply needs a plan: ?canonical=url|version, an id in the address, or a PlanDefinition as the body"))
		return
	}
	out, err := c.applier.CarePlan(c.r.Context(), c.access.Org, canonical, plan, patient.Body, start)
	if err != nil {
		c.fail(err)
		return
	}
	c.json(http.StatusOK, out)
}

// planOf takes the plan out of a body: the resource itself, or Parameters with it.
func planOf(b []byte) (json.RawMessage, error) {
	var p struct {
		ResourceType string
		Parameter    []struct {
			Name     string
			Resource json.RawMessage
		}
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, fault.Invalidf("the body is no FHIR resource")
	}
	if p.ResourceType != "Parameters" {
		return b, nil
	}
	for _, x := range p.Parameter {
		if x.Name == "planDefinition" && len(x.Resource) > 0 {
			return x.Resource, nil
		}
	}
	return nil, fault.Invalidf("the Parameters have no planDefinition")
}
