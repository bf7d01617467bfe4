package app

import (
	"context"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
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

// rides are the round trips of a person's outings. What the vehicles cannot take over is arranged by a person at the desk, as where there are no vehicles.
type rides struct {
	s    *Server
	hand journey.Follower
}

func (rides) Name() string { return "ride" }

// Follow is journey.Follower: both ways are booked, moved or given back in one.
func (x rides) Follow(tx *store.Tx, v person.Viewer, before, after *journey.Outing) error {
	t := x.trip(before, after)
	r, booked, err := x.s.Transport.OfAbout(tx, t.Org, t.ID)
	if err != nil || t.ID == "" {
		return err
	}
	goes := after != nil && after.Trip.ID != "" && after.Trip.Means == journey.Ride
	switch {
	case !booked && (!goes || before != nil && before.Trip.OutRide != ""):
		return x.hand.Follow(tx, v, before, after)
	case !goes:
		_, err := x.s.Transport.Cancel(tx, v, t.Org, r.ID)
		return err
	}
	place, same := x.place(after)
	if booked {
		if !same || place != r.Place {
			return fault.New(fault.Unavailable, "The ride goes to one place, and the day now has others. Please book it anew.")
		}
		if r.There.Equal(t.Arrive) && r.Ready.Equal(t.LeaveBack) {
			return nil
		}
		_, err := x.s.Transport.Move(context.Background(), tx, v, t.Org, r.ID, t.Arrive, t.LeaveBack)
		return err
	}
	usual, known, err := x.s.Transport.Usual(tx, t.Org, t.Patient)
	if err != nil {
		return err
	}
	if !known || !same { // how she gets into a car is asked, not guessed
		return x.hand.Follow(tx, v, before, after)
	}
	r, err = x.s.Transport.Book(context.Background(), tx, v, transport.Want{Org: t.Org, Patient: t.Patient, About: t.ID, Place: place, There: t.Arrive, Ready: t.LeaveBack, Mobility: usual.Mobility,
		Companions: usual.Companions, Needs: usual.Needs})
	if k := fault.KindOf(err); k == fault.Conflict || k == fault.Invalid {
		return x.hand.Follow(tx, v, before, after)
	}
	if err != nil {
		return err
	}
	after.Trip.OutRide, after.Trip.BackRide, after.Trip.OutState, after.Trip.BackState = string(r.ID), string(r.ID), journey.LegBooked, journey.LegBooked
	return nil
}

func (rides) trip(before, after *journey.Outing) journey.Trip {
	if after != nil && after.Trip.ID != "" {
		return after.Trip
	}
	if before != nil {
		return before.Trip
	}
	return journey.Trip{}
}

// place answers the one place to which an outing goes.
func (rides) place(o *journey.Outing) (string, bool) {
	place := ""
	for _, it := range o.Stops {
		if place != "" && it.Place != place {
			return "", false
		}
		place = it.Place
	}
	return place, place != ""
}
