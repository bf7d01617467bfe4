// Package road answers how long it takes from place to place, by car, on foot or in a wheelchair, on the streets of an OpenStreetMap extract.
//
// Its promises: every answer is the shortest by its profile's speeds, equal to Dijkstra's; turn restrictions at a junction are kept; a place is put on
// the nearest street, and how far that is is said, never hidden; a map that cannot be read is refused as a whole, with the reason.
//
// Streets become a graph whose vertices are junctions, and a contraction hierarchy (Geisberger et al., 2008) answers single ways in
// microseconds and tables of many to many with buckets (Knopp et al., 2007). Where there is no map, Estimate says how far it is as the crow
// flies and by the usual detour.
package road

import (
	"math"
	"time"

	"doorstep/internal/person"
)

// Profile is how somebody gets about.
type Profile string

const (
	Car        Profile = "car"
	Foot       Profile = "foot"
	Wheelchair Profile = "wheelchair"
)

// Profiles are all of them.
var Profiles = []Profile{Car, Foot, Wheelchair}

// Leg is the way from one place to another.
type Leg struct {
	Duration time.Duration
	Meters   float64
	Known    bool // false: there is no way
}

// Table answers many ways at once: [from][to].
type Table [][]Leg

// Snap is a place put on the nearest street that its profile can use.
type Snap struct {
	Point person.Point // on the street
	Off   float64      // meters from the place to it
	Known bool         // false: there is no street within Reach

	edge int32
	at   float32 // of the edge's length, 0 to 1
}

// Reach is how far from a street a place may lie, in meters.
const Reach = 2000

// Traffic is by how much longer than on an empty street a drive takes, by hour of the day on weekdays and at weekends; 1: as on an empty street.
type Traffic struct{ Weekday, Weekend [24]float64 }

// Usual is a mild town: slower when people go to work and home. It is an assumption and no measurement.
var Usual = Traffic{
	Weekday: [24]float64{1, 1, 1, 1, 1, 1, 1.1, 1.3, 1.35, 1.2, 1.1, 1.1, 1.15, 1.15, 1.2, 1.3, 1.4, 1.4, 1.2, 1.1, 1, 1, 1, 1},
	Weekend: [24]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1.05, 1.1, 1.15, 1.15, 1.15, 1.1, 1.1, 1.1, 1.1, 1.05, 1, 1, 1, 1, 1},
}

// At answers the factor for a start, by the clock of its own zone.
func (t Traffic) At(start time.Time) float64 {
	day := &t.Weekday
	if d := start.Weekday(); d == time.Saturday || d == time.Sunday {
		day = &t.Weekend
	}
	return max(1, day[start.Hour()])
}

// Estimate is the way where there is no map: the great circle, longer by a stated detour, at a stated speed.
type Estimate struct {
	Detour float64
	KMH    float64
}

// Estimates of each profile. 1.3 is the usual detour of streets.
var Estimates = map[Profile]Estimate{Car: {1.3, 40}, Foot: {1.3, 4.8}, Wheelchair: {1.4, 3.6}}

// Leg answers the estimate.
func (e Estimate) Leg(from, to person.Point) Leg {
	return e.off(from.KM(to) * 1000)
}

// off answers the estimate for so many meters as the crow flies.
func (e Estimate) off(m float64) Leg {
	m *= e.Detour
	return Leg{Duration: time.Duration(m / (e.KMH / 3.6) * float64(time.Second)), Meters: m, Known: true}
}

// meters answers the length of a short line between two points, on a plane at their latitude.
func meters(a, b point) float64 {
	const perDegree = 111195.08 // of the mean sphere
	dy := float64(a.lat-b.lat) * 1e-7 * perDegree
	dx := float64(a.lon-b.lon) * 1e-7 * perDegree * math.Cos(float64(a.lat+b.lat)/2*1e-7*math.Pi/180)
	return math.Hypot(dx, dy)
}

// point is a place in units of 1e-7 degrees.
type point struct{ lat, lon int32 }

func pointOf(p person.Point) point {
	return point{int32(math.Round(p.Lat * 1e7)), int32(math.Round(p.Lon * 1e7))}
}

func (p point) person() person.Point {
	return person.Point{Lat: float64(p.lat) * 1e-7, Lon: float64(p.lon) * 1e-7}
}
