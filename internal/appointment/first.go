package appointment

import (
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// FirstSetUp gives an organization that has nothing to book yet what a first patient can book: two types of visits, and weekday hours of those who hold them,
// its clinicians or, where there are none, its nurses. Where there is anything already it changes nothing.
func (s *Service) FirstSetUp(tx *store.Tx, o person.Org) error {
	types, err := s.Types(tx, o.ID)
	if err != nil {
		return err
	}
	resources, err := s.Resources(tx, o.ID)
	if err != nil || len(types)+len(resources) > 0 {
		return err
	}
	zone, err := clock.Zone(o.Zone)
	if err != nil {
		return err
	}
	with := []Kind{Clinician}
	for _, t := range []Type{
		{ID: "visit", Name: map[string]string{"en": "Visit", "es": "Cita"}, Offers: []Offer{{Way: Phone, Min: 15, Needs: with}, {Way: Video, Min: 20, Needs: with}, {Way: Clinic, Min: 30, Needs: with}}},
		{ID: "first", Name: map[string]string{"en": "First visit", "es": "Primera cita"}, Offers: []Offer{{Way: Video, Min: 40, Needs: with}, {Way: Clinic, Min: 60, Needs: with}}},
	} {
		t.Org, t.Active, t.Lead, t.Horizon, t.Grid, t.Confirm = o.ID, true, 120, 60, 15, 72
		if err := s.SaveType(tx, t); err != nil {
			return err
		}
	}
	staff, err := s.people.WithRole(tx, o.ID, person.Clinician)
	if err == nil && len(staff) == 0 {
		staff, err = s.people.WithRole(tx, o.ID, person.Nurse)
	}
	if err != nil {
		return err
	}
	week := []int{1, 2, 3, 4, 5}
	for _, p := range staff {
		hours := []Hours{{Calendar: slot.Calendar{Zone: zone, Weekly: []slot.Weekly{{Days: week, Start: clock.WallAt(9, 0), End: clock.WallAt(12, 0)}, {Days: week, Start: clock.WallAt(13, 0), End: clock.WallAt(17, 0)}}}}}
		if err := s.SaveResource(tx, Resource{Org: o.ID, ID: string(p.ID), Kind: Clinician, Name: p.Name, Person: p.ID, Languages: []string{p.Language}, Hours: hours, Active: true}); err != nil {
			return err
		}
	}
	return nil
}

// Kinds of resources, in the order in which they are listed.
var Kinds = kinds
