// Package visits answers what the waiting room asks about appointments: it is the one place that knows both.
package visits

import (
	"slices"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/waiting"
)

// Of is waiting.Visits on the appointments of a server.
type Of struct{ *appointment.Service }

var _ waiting.Visits = Of{}

// Visit is waiting.Visits.
func (s Of) Visit(tx *store.Tx, org person.OrgID, id string) (waiting.Visit, error) {
	a, err := s.Get(tx, org, appointment.ID(id))
	if err != nil {
		return waiting.Visit{}, err
	}
	clinicians, err := s.clinicians(tx, org)
	return visit(a, clinicians), err
}

// VisitsOf is waiting.Visits.
func (s Of) VisitsOf(tx *store.Tx, org person.OrgID, patient person.ID, from, to time.Time) ([]waiting.Visit, error) {
	list, err := s.Service.Of(tx, org, patient)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(a appointment.Appointment) bool {
		return a.Start.Before(from) || !a.Start.Before(to) || a.State == appointment.Cancelled || a.State == appointment.Held || a.State == appointment.Proposed
	})
	return s.visits(tx, org, list)
}

// Due is waiting.Visits.
func (s Of) Due(tx *store.Tx, org person.OrgID, from, to time.Time) ([]waiting.Visit, error) {
	list, err := s.Service.Due(tx, org, from, to)
	if err != nil {
		return nil, err
	}
	return s.visits(tx, org, list)
}

func (s Of) visits(tx *store.Tx, org person.OrgID, list []appointment.Appointment) ([]waiting.Visit, error) {
	if len(list) == 0 {
		return nil, nil
	}
	clinicians, err := s.clinicians(tx, org)
	out := make([]waiting.Visit, len(list))
	for i, a := range list {
		out[i] = visit(a, clinicians)
	}
	return out, err
}

func (s Of) clinicians(tx *store.Tx, org person.OrgID) ([]appointment.Resource, error) {
	all, err := s.Resources(tx, org)
	return slices.DeleteFunc(all, func(r appointment.Resource) bool { return r.Kind != appointment.Clinician }), err
}

func visit(a appointment.Appointment, clinicians []appointment.Resource) waiting.Visit {
	v := waiting.Visit{Org: a.Org, Patient: a.Patient, ID: string(a.ID), Type: a.Type, Start: a.Start, End: a.End, Zone: a.Zone, Promise: a.Promise, Comes: a.Way == appointment.Clinic,
		Remote: a.Way == appointment.Video, Booked: a.State == appointment.Booked, Arrived: a.State == appointment.Arrived}
	if v.Comes {
		v.Place = a.Place
	}
	for _, r := range clinicians {
		if slices.Contains(a.Resources, r.ID) {
			v.Who, v.Name = r.ID, r.Name
			break
		}
	}
	return v
}

// Arrive is waiting.Visits.
func (s Of) Arrive(tx *store.Tx, v person.Viewer, org person.OrgID, id string) error {
	a, err := s.Get(tx, org, appointment.ID(id))
	if err == nil {
		_, err = s.Service.Arrive(tx, v, a)
	}
	return err
}

// Seen is waiting.Visits.
func (s Of) Seen(tx *store.Tx, v person.Viewer, org person.OrgID, id string, begun time.Time) error {
	a, err := s.Get(tx, org, appointment.ID(id))
	if err == nil {
		_, err = s.Service.Seen(tx, v, a, begun)
	}
	return err
}

// hoursBack is how long hours may have begun before now that still go on.
const hoursBack = 12 * time.Hour

// Clinicians is waiting.Visits: by the hours of their calendars, and who has visits there without such hours.
func (s Of) Clinicians(tx *store.Tx, org person.OrgID, place string, now, to time.Time) ([]waiting.Clinician, error) {
	all, err := s.clinicians(tx, org)
	if err != nil {
		return nil, err
	}
	way := appointment.Clinic
	if place == "" {
		way = appointment.Video
	}
	var out []waiting.Clinician
	for _, r := range all {
		if !r.Active {
			continue
		}
		c := waiting.Clinician{ID: r.ID, Name: r.Name}
		for _, h := range r.Hours {
			if !h.Serves(way, place) {
				continue
			}
			for _, span := range h.Calendar.Spans(now.Add(-hoursBack), to) {
				if span.To.After(now) && (c.From.IsZero() || span.From.Before(c.From)) {
					c.From, c.Until = span.From, span.To
				}
			}
		}
		if !c.From.IsZero() {
			out = append(out, c)
		}
	}
	due, err := s.Service.Due(tx, org, now, to)
	if err != nil {
		return nil, err
	}
	for _, a := range due {
		if v := visit(a, all); v.Who != "" && v.Place == place && (v.Comes || v.Remote) && !slices.ContainsFunc(out, func(c waiting.Clinician) bool { return c.ID == v.Who }) {
			out = append(out, waiting.Clinician{ID: v.Who, Name: v.Name, From: v.Start, Until: v.End})
		}
	}
	return out, nil
}

// Rooms is waiting.Visits.
func (s Of) Rooms(tx *store.Tx, org person.OrgID, place string) ([]string, error) {
	all, err := s.Resources(tx, org)
	var out []string
	for _, r := range all {
		if r.Kind == appointment.Room && r.Active && slices.ContainsFunc(r.Hours, func(h appointment.Hours) bool { return h.Serves(appointment.Clinic, place) }) {
			out = append(out, r.Name)
		}
	}
	return out, err
}

// Plan is waiting.Visits.
func (s Of) Plan(tx *store.Tx, org person.OrgID, typ string) (int, error) {
	t, err := s.Type(tx, org, typ)
	if err != nil {
		return 0, err
	}
	if o, ok := t.Offer(appointment.Clinic); ok {
		return o.Min, nil
	}
	return t.Offers[0].Min, nil
}

// Travel is waiting.Visits.
func (s Of) Travel(from, to person.Point) int { return (appointment.TravelMinutes(from, to) + 1) / 2 }
