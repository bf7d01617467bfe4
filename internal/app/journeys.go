package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/journey"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// refills are the medicines that run out, as needs.
type refills struct{ s *Server }

func (refills) Name() string { return journey.FromRefill }

func (r refills) Needs(tx *store.Tx, org person.OrgID, patient person.ID) ([]journey.Need, error) {
	list, err := r.s.Medication.Needs(tx, org, patient)
	var out []journey.Need
	for _, n := range list {
		out = append(out, journey.Need{ID: journey.ID(n.ID), Kind: "refill", Ref: n.About, From: n.From, By: n.By, Clinical: true})
	}
	return out, err
}

func (r refills) Arranged(tx *store.Tx, org person.OrgID, patient person.ID, need journey.ID, a journey.Arrangement) error {
	if a.Done || a.Way == "" {
		return nil
	}
	way := "delivery"
	if a.Mode == journey.PickUp {
		way = "pickup"
	}
	err := r.s.Medication.Arrange(tx, org, patient, string(need), way)
	if fault.Is(err, fault.NotFound) { // it came in meanwhile
		return nil
	}
	return err
}

// interpreters look after the interpreter of a visit that moves: the new time has to have one too.
type interpreters struct{ s *Server }

func (interpreters) Name() string { return "interpreter" }

func (i interpreters) Follow(tx *store.Tx, _ person.Viewer, before, after *journey.Outing) error {
	if before == nil || after == nil {
		return nil
	}
	for _, now := range after.Stops {
		j := slices.IndexFunc(before.Stops, func(it journey.Item) bool { return it.ID == now.ID })
		if j < 0 || now.Visit == "" {
			continue
		}
		a, err := i.s.Appointments.Get(tx, now.Org, now.Visit)
		if err != nil || a.Follows == "" {
			if err != nil {
				return err
			}
			continue
		}
		old, err := i.s.Appointments.Get(tx, now.Org, a.Follows)
		if err != nil {
			return err
		}
		had, err := i.interpreted(tx, old)
		if err != nil {
			return err
		}
		has, err := i.interpreted(tx, a)
		if err != nil {
			return err
		}
		if had && !has {
			return fault.New(fault.Unavailable, "The new time has no interpreter. Please find one.")
		}
	}
	return nil
}

func (i interpreters) interpreted(tx *store.Tx, a appointment.Appointment) (bool, error) {
	list, err := i.s.Appointments.Resources(tx, a.Org)
	return slices.ContainsFunc(list, func(r appointment.Resource) bool {
		return r.Kind == appointment.Interpreter && slices.Contains(a.Resources, r.ID)
	}), err
}

// encounters are what the record knows of care elsewhere.
type encounters struct{ s *Server }

// stayClasses are the classes of encounters (HL7 v3 ActCode) that count as something outside home.
var stayClasses = map[string]journey.StayClass{"AMB": journey.Ambulatory, "EMER": journey.Emergency, "IMP": journey.Facility, "ACUTE": journey.Facility, "NONAC": journey.Facility,
	"OBSENC": journey.Facility, "SS": journey.Facility, "HH": journey.AtHome}

func (e encounters) Stays(ctx context.Context, org person.OrgID, patient person.ID, from, to time.Time) ([]journey.Stay, error) {
	var p person.Person
	if err := e.s.DB.Read(ctx, func(tx *store.Tx) (err error) { p, err = e.s.People.Get(tx, org, patient); return err }); err != nil || p.Record == "" {
		return nil, err
	}
	list, err := e.s.Record.Patient(ctx, string(org), p.Record, "Encounter")
	var out []journey.Stay
	for _, r := range list {
		var x struct {
			Status string       `json:"status"`
			Class  fhir.Coding  `json:"class"`
			Period *fhir.Period `json:"period"`
		}
		class, known := journey.StayClass(""), false
		if json.Unmarshal(r.Body, &x) == nil {
			class, known = stayClasses[x.Class.Code]
		}
		if !known || x.Period == nil || x.Status == "cancelled" || x.Status == "planned" || x.Status == "entered-in-error" {
			continue
		}
		span, err := fhir.PeriodSpan(*x.Period, p.Location())
		if err != nil || !span.Start().Before(to) || !span.End().After(from) {
			continue
		}
		stay := journey.Stay{Class: class, From: span.Start(), To: span.End()}
		if now := e.s.Clock.Now(); stay.To.After(now) { // it goes on
			stay.To = now
		}
		out = append(out, stay)
	}
	return out, err
}

// steps are what care pathways ask to be arranged, as needs.
type steps struct{ s *Server }

func (steps) Name() string { return "pathway" }

// stepKinds makes codes of a pathway's activity into kinds of need; what has none is looked at by somebody.
var stepKinds = map[string]string{"Appointment": "talk", "DeviceRequest": "equipment", "SupplyRequest": "equipment", "NutritionOrder": "groceries"}

func (x steps) Needs(tx *store.Tx, org person.OrgID, patient person.ID) ([]journey.Need, error) {
	list, err := x.s.Pathways.Asked(tx, org, patient)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	kinds, err := x.s.Journeys.Kinds(tx, org)
	if err != nil {
		return nil, err
	}
	p, err := x.s.People.Get(tx, org, patient)
	if err != nil {
		return nil, err
	}
	var out []journey.Need
	horizon := x.s.Clock.Now().AddDate(0, 0, journey.Ahead)
	for _, a := range list {
		if !a.From.Before(horizon) || !a.From.Before(a.By) {
			continue // it comes onto the list when its time is near
		}
		_, code, _ := strings.Cut(a.Code, "|")
		kind := code // of a need, where the pathway names one
		if !slices.ContainsFunc(kinds, func(k journey.Kind) bool { return k.ID == kind }) {
			if kind = stepKinds[a.Kind]; kind == "" {
				kind = journey.KindOfCode(code)
			}
		}
		out = append(out, journey.Need{ID: journey.ID(a.ID), Kind: kind, Ref: a.Request, Words: a.Called(p.Language), From: a.From, By: a.By, Clinical: a.Must})
	}
	return out, err
}

func (x steps) Arranged(tx *store.Tx, org person.OrgID, patient person.ID, need journey.ID, a journey.Arrangement) error {
	err := x.s.Pathways.Arrange(tx, org, patient, string(need), string(a.Mode), a.Start, a.Done)
	if fault.Is(err, fault.NotFound) { // the pathway has taken it back meanwhile
		return nil
	}
	return err
}

// Owns reports whether a request of the record is a pathway's own: it is on the list as a step already.
func (x steps) Owns(tx *store.Tx, org person.OrgID, patient person.ID, request string) (bool, error) {
	list, err := x.s.Pathways.Activities(tx, org, patient)
	for _, a := range list {
		if a.Request == request || strings.HasSuffix(a.Request, "/"+request) {
			return true, err
		}
	}
	return false, err
}
