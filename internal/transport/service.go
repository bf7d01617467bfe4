package transport

import (
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/transport/road"
)

// Service owns the tables of rides and vehicles.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	ids      *clock.IDs
	people   *person.Service
	promises *promise.Service
	messages *message.Service
	roads    road.Source
	vendor   Vendor
	visits   Visits
}

// New answers the service. roads is asked within transactions: it must answer from memory (road.Crow, road.Local).
func New(db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service, promises *promise.Service, messages *message.Service, roads road.Source) *Service {
	return &Service{db: db, clock: c, ids: ids, people: people, promises: promises, messages: messages, roads: roads}
}

// SetVendor says which outside company drives whom no vehicle can; nil: none.
func (s *Service) SetVendor(v Vendor) { s.vendor = v }

// Visits tells of appointments that rides are for.
type Visits interface {
	// When answers from when to when a visit now is, and whether it is still to be; of one that was moved, where it went.
	When(tx *store.Tx, org person.OrgID, id string) (Visit, error)
}

// Visit is what this room knows of an appointment.
type Visit struct {
	ID         string // the same, or that which took its place
	Start, End time.Time
	Live       bool
}

// SetVisits says who knows the appointments.
func (s *Service) SetVisits(v Visits) { s.visits = v }

const rideSelect = "SELECT org, patient, id, day, about, out_state, back_state, body FROM ride"

func scanRide(scan func(...any) error) (*Ride, error) {
	r := &Ride{}
	var day, out, back, body string
	if err := scan(&r.Org, &r.Patient, &r.ID, &day, &r.About, &out, &back, &body); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(body), r); err != nil {
		return nil, err
	}
	r.Out.State, r.Back.State = LegState(out), LegState(back)
	var err error
	r.Day, err = clock.ParseDay(day)
	return r, err
}

// put writes a ride's row.
func (s *Service) put(tx *store.Tx, r *Ride) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	tx.Hint("patient", string(r.Org)+"/"+string(r.Patient))
	tx.Hint("desk", string(r.Org))
	return tx.Put("ride", []string{"org", "patient", "id", "day", "about", "out_state", "back_state", "body"}, 3, 1, func(int) []any {
		return []any{string(r.Org), string(r.Patient), string(r.ID), r.Day.String(), r.About, string(r.Out.State), string(r.Back.State), string(body)}
	})
}

// Get answers one ride.
func (s *Service) Get(tx *store.Tx, org person.OrgID, id ID) (*Ride, error) {
	return one(store.All(tx, rideSelect+" WHERE org = $1 AND id = $2", []any{string(org), string(id)}, scanRide))
}

func one(list []*Ride, err error) (*Ride, error) {
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such ride.")
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Of answers a patient's rides from a day on, in order of time.
func (s *Service) Of(tx *store.Tx, org person.OrgID, patient person.ID, from clock.Day) ([]*Ride, error) {
	list, err := store.All(tx, rideSelect+" WHERE org = $1 AND patient = $2 AND day >= $3", []any{string(org), string(patient), from.String()}, scanRide)
	slices.SortFunc(list, func(a, b *Ride) int { return a.There.Compare(b.There) })
	return list, err
}

// OfAbout answers the ride for something, if there is one that was not cancelled.
func (s *Service) OfAbout(tx *store.Tx, org person.OrgID, about string) (*Ride, bool, error) {
	list, err := store.All(tx, rideSelect+" WHERE org = $1 AND about = $2 AND about <> '' AND out_state <> 'cancelled'", []any{string(org), about}, scanRide)
	if err != nil || len(list) == 0 {
		return nil, false, err
	}
	return list[0], true, nil
}

// onDay answers the rides of a day, in order of time.
func (s *Service) onDay(tx *store.Tx, org person.OrgID, day clock.Day) ([]*Ride, error) {
	list, err := store.All(tx, rideSelect+" WHERE org = $1 AND day = $2 ORDER BY id", []any{string(org), day.String()}, scanRide)
	slices.SortStableFunc(list, func(a, b *Ride) int { return a.There.Compare(b.There) })
	return list, err
}

// SaveVehicle makes a vehicle or changes it; an empty ID is given a new one.
func (s *Service) SaveVehicle(tx *store.Tx, v Vehicle) (Vehicle, error) {
	if err := v.Validate(); err != nil {
		return v, err
	}
	places, err := s.people.Places(tx, v.Org)
	if err != nil {
		return v, err
	}
	if i := slices.IndexFunc(places, func(p person.Place) bool { return p.ID == v.Depot }); i < 0 || !places[i].Known() {
		return v, fault.Invalidf("A vehicle stands at a place of the clinic whose position is known.")
	}
	if v.Driver != "" {
		if p, err := s.people.Get(tx, v.Org, v.Driver); err != nil || !p.Active || p.Role == person.Patient || p.Role == person.Caregiver {
			return v, fault.Invalidf("A driver is somebody who works for the clinic.")
		}
	}
	if v.ID == "" {
		v.ID = VehicleID(s.ids.New())
	}
	body, err := json.Marshal(v)
	if err != nil {
		return v, err
	}
	tx.Hint("desk", string(v.Org))
	return v, tx.Put("vehicle", []string{"org", "id", "body"}, 2, 1, func(int) []any { return []any{string(v.Org), string(v.ID), string(body)} })
}

// Vehicles answers an organization's vehicles by name.
func (s *Service) Vehicles(tx *store.Tx, org person.OrgID) ([]Vehicle, error) {
	list, err := store.All(tx, "SELECT org, id, body FROM vehicle WHERE org = $1", []any{string(org)}, func(scan func(...any) error) (Vehicle, error) {
		var v, k Vehicle
		var body string
		if err := scan(&k.Org, &k.ID, &body); err != nil {
			return v, err
		}
		err := json.Unmarshal([]byte(body), &v)
		v.Org, v.ID = k.Org, k.ID
		return v, err
	})
	slices.SortFunc(list, func(a, b Vehicle) int {
		if a.Name != b.Name {
			if a.Name < b.Name {
				return -1
			}
			return 1
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list, err
}

// Usual answers the last ride that was booked for a person: how she gets into a vehicle, and with whom. known is false where there was none.
func (s *Service) Usual(tx *store.Tx, org person.OrgID, patient person.ID) (r *Ride, known bool, err error) {
	list, err := store.All(tx, rideSelect+" WHERE org = $1 AND patient = $2 ORDER BY id DESC LIMIT 1", []any{string(org), string(patient)}, scanRide)
	if err != nil || len(list) == 0 {
		return nil, false, err
	}
	return list[0], true, nil
}
