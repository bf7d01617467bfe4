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
type videoVisits struct {
	s       *appointment.Service
	waiting *waiting.Service
}

// Visits answers the appointments for rooms. Whoever is in a room waits on the board, as in a clinic.
func Visits(s *appointment.Service, w *waiting.Service) visit.Visits { return videoVisits{s, w} }

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
	if err != nil {
		return err
	}
	b, err := x.waiting.Visit(tx, org, string(id))
	if err != nil {
		return err
	}
	if x.waiting.CanCheckIn(b) {
		_, err = x.waiting.CheckInTx(tx, v, org, string(id), waiting.Arrival{By: waiting.ByPage, Waits: waiting.AtHome})
		return err
	}
	_, err = x.s.Arrive(tx, v, a)
	return err
}

// Met puts her with somebody on the board, where she still waits. What the board would do to the visit itself the room sees to.
func (x videoVisits) Met(tx *store.Tx, v person.Viewer, org person.OrgID, id visit.ID) error {
	return x.step(tx, v, org, id, waiting.Enter, waiting.Detail{})
}

// Over takes her off the board.
func (x videoVisits) Over(tx *store.Tx, v person.Viewer, org person.OrgID, id visit.ID, begun time.Time) error {
	if begun.IsZero() { // nobody saw her: the desk asks whether all is well
		return x.step(tx, v, org, id, waiting.Leave, waiting.Detail{})
	}
	if err := x.step(tx, v, org, id, waiting.Begin, waiting.Detail{At: begun}); err != nil {
		return err
	}
	return x.step(tx, v, org, id, waiting.Finish, waiting.Detail{})
}

// step takes a step of a stay that can be taken now.
func (x videoVisits) step(tx *store.Tx, v person.Viewer, org person.OrgID, id visit.ID, act waiting.Act, d waiting.Detail) error {
	stay, ok, err := x.waiting.OfVisit(tx, org, string(id))
	if err != nil || !ok || !stay.State.Can(act) {
		return err
	}
	_, err = x.waiting.DoTx(tx, v, stay.ID, act, d)
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
