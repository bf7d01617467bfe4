package api

import (
	"context"
	"net/http"
	"time"

	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// step is one thing that is done while nobody has heard of a dose.
type step struct {
	After    int              `json:"after" minimum:"0" maximum:"110" doc:"Minutes after the dose is due."`
	Do       medication.Help  `json:"do" enum:"light,remind,family,desk,nurse"`
	Channels []person.Channel `json:"channels,omitempty" enum:"sms,push,mail" doc:"Of a reminder, in order; the person's own order when left out."`
}

// supportPlan is how a patient is helped with doses, as it holds now.
type supportPlan struct {
	Version      int               `json:"version" doc:"0: nobody has made a plan, and the organization's ladders hold."`
	Usual        []step            `json:"usual"`
	Critical     []step            `json:"critical"`
	Own          map[string][]step `json:"own,omitempty" doc:"By regimen, where a medicine has its own steps."`
	Instructions string            `json:"instructions,omitempty" doc:"What the patient does when nobody comes."`
	Comparison   string            `json:"comparison,omitempty" doc:"That set the steps, by chance."`
	By           person.ID         `json:"by,omitempty"`
	Made         time.Time         `json:"made,omitzero"`
}

func (s *server) supportRoutes() {
	get(s, "get-support", "/patients/{id}/support", "How a patient is helped with doses.", s.support)
	post(s, "set-support", "/patients/{id}/support", "Makes a new version of the plan, for the doses that are still to come. Staff only.", http.StatusOK, s.setSupport)
}

type supportInput struct {
	ID person.ID `path:"id"`
}

func (s *server) support(ctx context.Context, c *caller, in *supportInput) (out supportPlan, err error) {
	p, err := s.enter(ctx, c, person.See, in.ID, "plan")
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		sup, err := s.Medication.SupportOf(tx, c.Org, p.ID)
		if err != nil {
			return err
		}
		out, err = s.supportOf(tx, sup, p.Location())
		return err
	})
	return out, err
}

func (s *server) supportOf(tx *store.Tx, sup medication.Support, zone *time.Location) (supportPlan, error) {
	usual, critical, err := s.Medication.Ladders(tx, sup)
	out := supportPlan{Version: sup.Version, Usual: stepsOf(usual), Critical: stepsOf(critical), Instructions: sup.Instructions, Comparison: sup.Comparison, By: sup.By, Made: local(sup.Made, zone)}
	for id, own := range sup.Own {
		if out.Own == nil {
			out.Own = map[string][]step{}
		}
		out.Own[id] = stepsOf(own)
	}
	return out, err
}

func stepsOf(list []medication.Step) []step {
	out := make([]step, len(list))
	for i, x := range list {
		out[i] = step(x)
	}
	return out
}

func readSteps(list []step) []medication.Step {
	out := make([]medication.Step, len(list))
	for i, x := range list {
		out[i] = medication.Step(x)
	}
	return out
}

type setSupportInput struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Usual        []step            `json:"usual,omitempty" maxItems:"8" doc:"The organization's ladder when left out."`
		Critical     []step            `json:"critical,omitempty" maxItems:"8" doc:"The organization's ladder when left out."`
		Own          map[string][]step `json:"own,omitempty"`
		Instructions string            `json:"instructions,omitempty" maxLength:"1000"`
	}
}

func (s *server) setSupport(ctx context.Context, c *caller, in *setSupportInput) (supportPlan, error) {
	if err := staffOnly(c); err != nil {
		return supportPlan{}, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "change the plan")
	if err != nil {
		return supportPlan{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (supportPlan, error) {
		sup := medication.Support{Org: c.Org, Patient: p.ID, Usual: readSteps(in.Body.Usual), Critical: readSteps(in.Body.Critical), Instructions: in.Body.Instructions}
		for id, own := range in.Body.Own {
			if sup.Own == nil {
				sup.Own = map[string][]medication.Step{}
			}
			sup.Own[id] = readSteps(own)
		}
		sup, err := s.Medication.SetSupport(tx, c.Viewer, sup)
		if err != nil {
			return supportPlan{}, err
		}
		return s.supportOf(tx, sup, p.Location())
	})
}
