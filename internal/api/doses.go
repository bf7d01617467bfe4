package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/medication/timing"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// dose is all that is due at one time.
type dose struct {
	Promise   promise.ID        `json:"promise"`
	Due       time.Time         `json:"due"`
	Status    medication.Status `json:"status" enum:"later,due,taken,opened,late,skipped,missed" doc:"opened: the box was opened, which is all that is known."`
	At        time.Time         `json:"at,omitzero" doc:"When it was taken, opened or skipped."`
	Medicines []medication.Item `json:"medicines"`

	Confidence medication.Confidence `json:"confidence" enum:",seen,likely,said" doc:"How surely it was taken. seen: opened or touched; likely: given out, or the box got lighter; said: a person says so."`
}

// regimen is a prescription as it is followed.
type regimen struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Critical bool   `json:"critical"`
	AsNeeded bool   `json:"as_needed"`
}

func (s *server) doseRoutes() {
	get(s, "list-doses", "/patients/{id}/doses", "A patient's doses of a day; today when left out.", s.doses)
	post(s, "add-regimen", "/patients/{id}/regimens", "Follows a prescription: its doses are promised from now on. Staff only.", http.StatusCreated, s.addRegimen)
}

type dosesInput struct {
	ID  person.ID `path:"id"`
	Day string    `query:"day" maxLength:"10" doc:"YYYY-MM-DD, as the patient's days begin and end."`
	Part
}

func (s *server) doses(ctx context.Context, c *caller, in *dosesInput) (list[dose], error) {
	var out list[dose]
	p, err := s.enter(ctx, c, person.See, in.ID, "doses")
	if err != nil {
		return out, err
	}
	day := p.DayOf(s.Clock.Now())
	if in.Day != "" {
		if day, err = clock.ParseDay(in.Day); err != nil {
			return out, fault.Invalidf("day: want a date like 2026-03-09.")
		}
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		all, err := s.Medication.Day(tx, c.Org, p.ID, day)
		if err != nil {
			return err
		}
		out, err = cut(all, in.Part, func(d medication.Dose) string { return timeKey(d.Due) + "/" + string(d.Promise.ID) }, func(d medication.Dose) (dose, error) {
			return dose{Promise: d.Promise.ID, Due: d.Due.In(p.Location()), Status: d.Status, At: local(d.At, p.Location()), Medicines: d.Items, Confidence: d.Confidence}, nil
		})
		return err
	})
	return out, err
}

type regimenInput struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Name     string          `json:"name" minLength:"1" maxLength:"200" doc:"Of the medicine, as the patient knows it."`
		Dosage   json.RawMessage `json:"dosage" doc:"An array of FHIR R4 Dosage."`
		Critical bool            `json:"critical,omitempty" doc:"A missed dose is told to the family, then to the desk."`
		Text     string          `json:"text,omitempty" maxLength:"500" doc:"How to take it, in the prescriber's words."`
		Authored string          `json:"authored,omitempty" maxLength:"10" doc:"YYYY-MM-DD; today when left out."`
		Policy   timing.Policy   `json:"policy,omitempty" enum:"wall,interval,home" doc:"Which clock rules its times: the wall clock where the patient is (when left out), a fixed interval, or the clock at home."`
	}
}

func (s *server) addRegimen(ctx context.Context, c *caller, in *regimenInput) (regimen, error) {
	if err := staffOnly(c); err != nil {
		return regimen{}, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "add a regimen")
	if err != nil {
		return regimen{}, err
	}
	b := in.Body
	r := medication.Regimen{Org: c.Org, Patient: p.ID, Name: b.Name, Critical: b.Critical, Text: b.Text, Policy: b.Policy, Authored: p.DayOf(s.Clock.Now())}
	if err := json.Unmarshal(b.Dosage, &r.Dosage); err != nil || len(r.Dosage) == 0 {
		return regimen{}, fault.Invalidf("dosage: want an array of FHIR R4 Dosage, with one at least.")
	}
	if b.Authored != "" {
		if r.Authored, err = clock.ParseDay(b.Authored); err != nil {
			return regimen{}, fault.Invalidf("authored: want a date like 2026-03-09.")
		}
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (regimen, error) {
		saved, err := s.Medication.Save(tx, r)
		return regimen{ID: saved.ID, Name: saved.Name, Critical: saved.Critical, AsNeeded: saved.AsNeeded}, err
	})
}
