package app

import (
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/visit"
	"doorstep/internal/waiting"
	"doorstep/internal/words"
)

// videoVisits are the appointments, as the room of a visit by video sees them.
type videoVisits struct{ s *appointment.Service }

// Visits answers the appointments for rooms.
func Visits(s *appointment.Service) visit.Visits { return videoVisits{s} }

func (x videoVisits) Visit(tx *store.Tx, org person.OrgID, id visit.ID) (visit.Visit, error) {
	a, err := x.s.Get(tx, org, appointment.ID(id))
	if err != nil {
		return visit.Visit{}, err
	}
	v := visit.Visit{Key: visit.Key{Org: org, Patient: a.Patient, Visit: id}, Start: a.Start, End: a.End, Zone: a.Zone, Video: a.Way == appointment.Video,
		Live: a.State == appointment.Booked || a.State == appointment.Arrived, Done: a.State == appointment.Fulfilled}
	if v.With, err = x.s.Who(tx, a); err != nil {
		return v, err
	}
	v.Interpreters, err = x.s.Interpreters(tx, a)
	return v, err
}

func (x videoVisits) Arrive(tx *store.Tx, v person.Viewer, org person.OrgID, id visit.ID) error {
	a, err := x.s.Get(tx, org, appointment.ID(id))
	if err == nil {
		_, err = x.s.Arrive(tx, v, a)
	}
	return err
}

func (x videoVisits) Seen(tx *store.Tx, v person.Viewer, org person.OrgID, id visit.ID, begun time.Time) error {
	a, err := x.s.Get(tx, org, appointment.ID(id))
	if err == nil {
		_, err = x.s.Seen(tx, v, a, begun)
	}
	return err
}

// roomWaits tells somebody in the room of a visit by video what the waiting room has told her, once she has checked in.
type roomWaits struct{ s *Server }

func (r roomWaits) Estimate(tx *store.Tx, org person.OrgID, id visit.ID, lang string) (string, bool, error) {
	x, ok, err := r.s.Waiting.OfVisit(tx, org, string(id))
	if err != nil || !ok || x.State != waiting.Waiting || !x.Told.Known() {
		return "", false, err
	}
	p, err := r.s.People.Get(tx, org, x.Patient)
	if err != nil {
		return "", false, err
	}
	at := func(t time.Time) string { return words.Time(lang, t, p.Location()) }
	return words.Say(lang, "wait.between", map[string]string{"from": at(x.Told.From), "to": at(x.Told.To)}) + ".", true, nil
}
