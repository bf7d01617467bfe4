package person

import (
	"math"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// Point is a place on the earth in degrees (WGS 84). The zero Point is unknown: nobody lives in the sea off Ghana.
type Point struct{ Lat, Lon float64 }

// Known reports whether the point says anything.
func (p Point) Known() bool { return p != Point{} }

// Validate says what is wrong with a point.
func (p Point) Validate() error {
	if !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) {
		return fault.Invalidf("A latitude lies between -90 and 90 degrees, a longitude between -180 and 180.")
	}
	return nil
}

// earth is the mean radius of the earth in km.
const earth = 6371.0088

// KM answers the great-circle distance to another point (haversine).
func (p Point) KM(q Point) float64 {
	rad := math.Pi / 180
	dLat, dLon := (q.Lat-p.Lat)*rad/2, (q.Lon-p.Lon)*rad/2
	h := math.Pow(math.Sin(dLat), 2) + math.Cos(p.Lat*rad)*math.Cos(q.Lat*rad)*math.Pow(math.Sin(dLon), 2)
	return 2 * earth * math.Asin(math.Min(1, math.Sqrt(h)))
}

// Home is where a person lives.
type Home struct {
	Address string
	Point
}

// SetHome writes down where a person lives.
func (s *Service) SetHome(tx *store.Tx, org OrgID, id ID, h Home) error {
	if err := h.Validate(); err != nil {
		return err
	}
	if h.Address = strings.TrimSpace(h.Address); len(h.Address) > 300 {
		return fault.Invalidf("The address is too long (300 letters at most).")
	}
	_, err := tx.Exec(`INSERT INTO home (org, person, address, lat, lon) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, person) DO UPDATE SET address = excluded.address, lat = excluded.lat, lon = excluded.lon`, string(org), string(id), h.Address, h.Lat, h.Lon)
	return err
}

// HomeOf answers where a person lives; the zero Home when nobody has said.
func (s *Service) HomeOf(tx *store.Tx, org OrgID, id ID) (Home, error) {
	var h Home
	_, err := tx.Row("SELECT address, lat, lon FROM home WHERE org = $1 AND person = $2", []any{string(org), string(id)}, &h.Address, &h.Lat, &h.Lon)
	return h, err
}
