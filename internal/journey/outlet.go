package journey

import (
	"encoding/json"
	"strings"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Outlet is a place that is not the clinic's: a pharmacy, a shop, a laboratory. It gives things out in its hours, and may bring them.
type Outlet struct {
	Org      person.OrgID            `json:"-"`
	ID       string                  `json:"id"`
	Kind     string                  `json:"kind"` // pharmacy, shop, laboratory, or another word that ways name
	Name     string                  `json:"name"`
	Address  string                  `json:"address,omitempty"`
	Lat      float64                 `json:"lat"`
	Lon      float64                 `json:"lon"`
	Hours    []appointment.HoursText `json:"hours"`              // when one can come
	Delivers []appointment.HoursText `json:"delivers,omitempty"` // when it brings; none: it does not
	Active   bool                    `json:"active"`
}

// Point answers where it is.
func (o Outlet) Point() person.Point { return person.Point{Lat: o.Lat, Lon: o.Lon} }

// Validate says what is wrong with an outlet.
func (o Outlet) Validate() error {
	switch {
	case o.ID == "" || strings.ContainsAny(o.ID, " /\n") || len(o.ID) > 40:
		return fault.Invalidf("An outlet has an id without spaces.")
	case o.Kind == "" || strings.TrimSpace(o.Name) == "":
		return fault.Invalidf("An outlet has a kind and a name.")
	case !o.Point().Known():
		return fault.Invalidf("Where is it? An outlet needs a latitude and a longitude.")
	}
	for _, list := range [][]appointment.HoursText{o.Hours, o.Delivers} {
		for _, h := range list {
			x, err := h.Hours()
			if err != nil {
				return err
			}
			if err := x.Calendar.Validate(); err != nil {
				return fault.Invalidf("The hours of %s: %s", o.Name, err)
			}
		}
	}
	return o.Point().Validate()
}

// SaveOutlet makes an outlet or changes it.
func (s *Service) SaveOutlet(tx *store.Tx, v person.Viewer, o Outlet) error {
	if !v.Role.Staff() && v.Role != person.System {
		return fault.Deniedf("Only the clinic can change pharmacies and shops.")
	}
	if err := o.Validate(); err != nil {
		return err
	}
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO journey_outlet (org, id, kind, body) VALUES ($1, $2, $3, $4) ON CONFLICT (org, id) DO UPDATE SET kind = excluded.kind, body = excluded.body",
		string(v.Org), o.ID, o.Kind, string(body)); err != nil {
		return err
	}
	if err := s.people.Audit(tx, v, "", "change", "outlet "+o.ID); err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE journey_plan SET due_at = $2 WHERE org = $1", string(v.Org), store.Micros(s.clock.Now()))
	return err
}

// Outlets answers the organization's outlets, by kind and id.
func (s *Service) Outlets(tx *store.Tx, org person.OrgID) ([]Outlet, error) {
	return store.All(tx, "SELECT body FROM journey_outlet WHERE org = $1 ORDER BY kind, id", []any{string(org)}, func(scan func(...any) error) (Outlet, error) {
		var o Outlet
		var body string
		if err := scan(&body); err != nil {
			return o, err
		}
		err := json.Unmarshal([]byte(body), &o)
		o.Org = org
		return o, err
	})
}
