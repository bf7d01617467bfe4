package journey

import (
	"slices"

	"doorstep/internal/appointment"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// VisitChanged is told of every change of a visit, in the transaction that changes it (appointment.Watcher): a visit that moved takes its trip along, one
// that is off gives it up, and what goes along follows or is named to a person.
func (s *Service) VisitChanged(tx *store.Tx, a appointment.Appointment) error {
	if a.State == appointment.Booked && a.Follows == "" { // new: nothing of ours hangs on it yet, and her weeks are planned around it, if they are planned at all
		return s.around(tx, a)
	}
	v := person.SystemViewer(a.Org)
	key := a.ID
	if a.State == appointment.Booked && a.Follows != "" {
		key = a.Follows
	}
	list, err := store.All(tx, itemSelect+" WHERE org = $1 AND visit = $2", []any{string(a.Org), string(key)}, scanItem)
	if err != nil {
		return err
	}
	if len(list) == 0 { // booked without a need of ours
		return s.around(tx, a)
	}
	for _, it := range list {
		if it.Patient != a.Patient || it.State != Promised && it.State != Missed {
			continue
		}
		switch {
		case a.State == appointment.Booked && a.Follows != "":
			err = s.visitMoved(tx, v, it, a)
		case a.State == appointment.Cancelled && a.Reason == appointment.ReasonMoved:
			// the visit that takes its place comes in the same transaction
		case a.State == appointment.Cancelled || a.State == appointment.NoShow:
			err = s.visitOff(tx, v, it)
		case a.State == appointment.Fulfilled:
			err = s.itemDone(tx, it)
		}
		if err != nil {
			return err
		}
	}
	return s.touch(tx, a.Org, a.Patient)
}

// around has a person's weeks planned around a visit, if they are planned at all. Nobody waits for it, so that a booking takes no longer.
func (s *Service) around(tx *store.Tx, a appointment.Appointment) error {
	return tx.Later("UPDATE journey_plan SET due_at = $4, version = version + 1 WHERE org = $1 AND shard = $2 AND patient = $3", string(a.Org), person.Shard(a.Patient), string(a.Patient), store.Micros(s.clock.Now()))
}

// visitMoved lets an item follow the visit that took the place of its own.
func (s *Service) visitMoved(tx *store.Tx, v person.Viewer, it Item, a appointment.Appointment) error {
	p, err := s.people.Get(tx, a.Org, a.Patient)
	if err != nil {
		return err
	}
	was := it
	long := it.End.Sub(it.Start)
	if it.Visit = a.ID; it.Mode != modeOf(a.Way) && visitWay(it.Mode) != a.Way {
		it.Mode, it.Way = modeOf(a.Way), string(modeOf(a.Way))
		long = a.End.Sub(a.Start)
	}
	it.Place, it.Start, it.End = a.Place, a.Start, a.Start.Add(long)
	it.Promise, it.Why.Resources, it.Why.With, it.Why.Firm = promise.ID(a.Promise), a.Resources, "", false
	it.Trip = ""
	if it.Mode.Out() {
		it.Trip = tripID(p, it.Start)
	}
	if err := s.putItem(tx, it); err != nil {
		return err
	}
	n, found, err := s.need(tx, it.Org, it.Patient, it.Need)
	if err != nil {
		return err
	}
	if found {
		if err := s.arranged(tx, n, Arrangement{Way: it.Way, Mode: it.Mode, Start: it.Start, End: it.End}); err != nil {
			return err
		}
	}
	if was.Trip == "" && it.Trip == "" {
		return s.follow(tx, v, &Outing{Stops: []Item{was}}, &Outing{Stops: []Item{it}})
	}
	if was.Trip != "" && was.Trip != it.Trip && it.Trip != "" {
		if err := s.carry(tx, was.Trip, it); err != nil {
			return err
		}
	}
	return s.remake(tx, v, it.Org, it.Patient, was.Trip, it.Trip)
}

// carry takes a trip whose only stop moved to another day along, with its ride and its legs, so that what goes along is moved and not booked twice.
func (s *Service) carry(tx *store.Tx, from string, it Item) error {
	items, err := s.items(tx, it.Org, it.Patient)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(items, func(o Item) bool {
		return o.State == Promised && o.ID != it.ID && (o.Trip == from || o.Trip == it.Trip)
	}) {
		return nil // other things stay on that day, or are on the new one already
	}
	old, err := s.trip(tx, it.Org, it.Patient, from)
	if err != nil {
		return err
	}
	if err := s.removeTrip(tx, old); err != nil {
		return err
	}
	old.ID = it.Trip
	return s.putTrip(tx, old)
}

// visitOff takes an item whose visit is off out of the weeks; its need stays open and is planned anew.
func (s *Service) visitOff(tx *store.Tx, v person.Viewer, it Item) error {
	if err := s.removeItem(tx, it); err != nil {
		return err
	}
	n, found, err := s.need(tx, it.Org, it.Patient, it.Need)
	if err != nil {
		return err
	}
	if found {
		if err := s.arranged(tx, n, Arrangement{}); err != nil {
			return err
		}
	}
	if it.Trip == "" {
		return s.follow(tx, v, &Outing{Stops: []Item{it}}, nil)
	}
	return s.remake(tx, v, it.Org, it.Patient, it.Trip)
}
