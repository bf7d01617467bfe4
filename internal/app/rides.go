package app

import (
	"doorstep/internal/appointment"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport"
)

// rideVisits tells the room of rides where the visits stand that rides are for.
type rideVisits struct{ appointments *appointment.Service }

// When is transport.Visits. Of a visit that was moved it answers the one that took its place.
func (x rideVisits) When(tx *store.Tx, org person.OrgID, id string) (transport.Visit, error) {
	a, err := x.appointments.Get(tx, org, appointment.ID(id))
	if err != nil {
		return transport.Visit{}, err
	}
	if !a.State.Live() {
		list, err := x.appointments.Of(tx, org, a.Patient)
		if err != nil {
			return transport.Visit{}, err
		}
		for range list { // a visit may be moved several times
			for _, b := range list {
				if b.Follows == a.ID && (b.State.Live() || !a.State.Live()) {
					a = b
				}
			}
		}
	}
	return transport.Visit{ID: string(a.ID), Start: a.Start, End: a.End, Live: a.State.Live()}, nil
}

// rider is who answered a text about a ride.
func rider(ans message.Answer) person.Viewer {
	v := person.Viewer{Org: ans.Org, Person: ans.By, Role: person.Patient}
	if ans.By != ans.Patient {
		v.Role = person.Caregiver
	}
	return v
}
