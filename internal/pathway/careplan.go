package pathway

import (
	"context"
	"encoding/json"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/medication/timing"
	"doorstep/internal/pathway/apply"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// CarePlan applies a plan to a Patient and answers the CarePlan with its requests contained; nothing is stored. The plan is a canonical of what is here, or
// the PlanDefinition itself, which may point to what is here. Without a start it begins now. The person's own clock and routine hold where she is known.
func (s *Service) CarePlan(ctx context.Context, org, canonical string, raw, patient json.RawMessage, start time.Time) (json.RawMessage, error) {
	if start.IsZero() {
		start = s.clock.Now()
	}
	var out json.RawMessage
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		var plan *apply.Plan
		var err error
		if raw == nil {
			plan, err = s.plan(tx, person.OrgID(org), canonical)
		} else {
			resolve, bad := s.resolver(tx, person.OrgID(org))
			if bad != nil {
				return bad
			}
			plan, err = apply.Load(raw, resolve)
		}
		if err != nil {
			return err
		}
		who, err := s.clockOf(tx, person.OrgID(org), patient)
		if err != nil {
			return err
		}
		r, err := plan.Apply(apply.Input{Subject: patient, Episode: clock.DerivedID("careplan", start.UTC().Format(time.RFC3339)), Start: start, Until: start.AddDate(0, 0, usualDays), Now: start, Person: who})
		if err != nil {
			return err
		}
		out, err = contained(r)
		return err
	})
	return out, err
}

// clockOf answers whose clock a Patient's days follow: her own where she is known, else the organization's.
func (s *Service) clockOf(tx *store.Tx, org person.OrgID, patient json.RawMessage) (timing.Person, error) {
	var id struct{ ID string }
	if err := json.Unmarshal(patient, &id); err != nil {
		return timing.Person{}, err
	}
	p, known, err := s.people.ByRecord(tx, org, id.ID)
	if err != nil || known {
		return timing.Person{Zone: p.Location(), Routine: timing.Routine(p.Routine)}, err
	}
	o, err := s.people.Org(tx, org)
	if err != nil {
		return timing.Person{}, err
	}
	zone, err := clock.Zone(o.Zone)
	return timing.Person{Zone: zone, Routine: timing.DefaultRoutine}, err
}

// contained puts the requests into the plan.
func contained(r apply.Result) (json.RawMessage, error) {
	var plan map[string]json.RawMessage
	if err := json.Unmarshal(r.CarePlan.Body, &plan); err != nil {
		return nil, err
	}
	var inside []json.RawMessage
	var activities []any
	for _, q := range r.Requests {
		inside = append(inside, q.Body)
		activities = append(activities, map[string]any{"reference": map[string]any{"reference": "#" + q.ID}})
	}
	var err error
	if len(inside) > 0 {
		if plan["contained"], err = json.Marshal(inside); err == nil {
			plan["activity"], err = json.Marshal(activities)
		}
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(plan)
}
