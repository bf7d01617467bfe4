// Package routing plans who is driven, visited or served by which vehicle, in which order and when: pickup and delivery with time
// windows, ride-time limits, seats and wheelchair places, ramps and lifts, shifts and breaks, several depots, skills, home visits
// and pairs of visits.
//
// Its promise: a plan never breaks a hard limit. Windows, ride times, durations of routes, places aboard, equipment, skills, shifts, breaks and
// links of visits are hard; what cannot be served within them stands in Unserved, by name. Wishes (Stop.Due) and cost are soft. Plans are
// compared by what is unserved first, then (with Vehicles) by the number of vehicles, then by cost.
//
// Times are numbers on one scale (minutes, say) from any origin, as the caller likes them; durations between places are on the same scale.
// The package is pure: no input or output, no clock, no globals; randomness comes from Options.Seed. Whether time is up is asked of Options.Spent.
package routing

import "math"

// Kinds of places aboard; a Load counts what a request takes, or a vehicle has, of each.
const (
	Seats = iota
	Wheelchairs
	Stretchers
	Goods
	kinds
)

// MaxLoad bounds each count of a Load: two of them still fit the 15 bits in which the search counts.
const MaxLoad = 1<<14 - 1

// Load counts places by kind.
type Load [kinds]int

// Window is a time from one instant to another, both included.
type Window struct{ From, To float64 }

// Always is the window without limits.
var Always = Window{math.Inf(-1), math.Inf(1)}

// Matrix holds a number for each ordered pair of places: row n begins at n × Places.
type Matrix struct {
	Places int
	Values []float64
}

// At answers the number of the way from one place to another.
func (m *Matrix) At(from, to int) float64 { return m.Values[from*m.Places+to] }

// Euclidean answers the straight distances between points, unrounded.
func Euclidean(x, y []float64) *Matrix {
	n := len(x)
	m := &Matrix{n, make([]float64, n*n)}
	for i := range n {
		for j := range n {
			m.Values[i*n+j] = math.Hypot(x[i]-x[j], y[i]-y[j])
		}
	}
	return m
}

// Stop is where something is done for a request.
type Stop struct {
	Place   int     // row of the matrices
	Window  Window  // hard: service begins within it
	Service float64 // how long it takes
	Due     float64 // wish: service begins by then. Counts only where Late is more than 0
	Late    float64 // cost of each unit of time after Due
}

// Request is a ride (two stops: pickup, delivery) or a visit (one stop).
type Request struct {
	ID      string
	Stops   []Stop
	Load    Load     // from the pickup to the delivery; of a visit, from the visit to the end of the route
	MaxRide float64  // from the end of the pickup's service to the begin of the delivery's; 0: no limit
	Needs   []string // equipment and skills; all of them
	Only    []int    // vehicles that may serve it; empty: any
	Aboard  bool     // who already sits in the one vehicle of Only: the one stop is where she gets off, Load what is then free
}

// Ramp and Lift are the equipment by which a wheelchair comes aboard: whoever takes a place of Wheelchairs is carried only by a vehicle that
// has one of them, whatever its Needs say.
const (
	Ramp = "ramp"
	Lift = "lift"
)

// Break is a time in which a vehicle stands still, wherever it is.
type Break struct {
	Window Window // it begins within
	Length float64
	Alone  bool // nobody is aboard
}

// Nowhere is the End of a vehicle whose route is over after its last stop.
const Nowhere = -1

// Vehicle is a vehicle with who drives it, or a carer on the way.
type Vehicle struct {
	ID          string
	Start, End  int     // places; End may be Nowhere
	Shift       Window  // leaves Start and is at End within
	MaxDuration float64 // from leaving Start to End; 0: no limit
	Capacity    []Load  // any one of these fits at any time (folding seats make several); empty: no limit
	Has         []string
	Breaks      []Break
	Fixed       float64 // cost of being used at all
}

// Link ties the visits A and B (indexes of requests) of one person: B begins Min to Max after A does, by another vehicle. 0 and 0: together.
type Link struct {
	A, B     int
	Min, Max float64
}

// Problem is what is to be planned. Durations between places are assumed to be no longer than by way of a third place (a road matrix is so);
// where they are not, plans stay right and may be less good.
type Problem struct {
	Duration *Matrix
	Distance *Matrix
	Requests []Request
	Vehicles []Vehicle
	Links    []Link
	// Cost of a unit of distance and of a unit of driving time. Both zero: distance alone.
	PerDistance, PerDuration float64
	LatestCost               float64 // cost of a unit of the greatest lateness after Due of all stops
}

// Visit is a stop in a plan.
type Visit struct {
	Request int     // index in Problem.Requests; -1: a break
	Stop    int     // index in its Stops, or of the break in the vehicle's Breaks
	Arrive  float64 // as soon as the way allows
	Begin   float64 // of service
	End     float64
}

// Route is the way of a vehicle.
type Route struct {
	Vehicle  int
	Depart   float64
	Visits   []Visit
	Return   float64
	Distance float64
}

// Plan is an answer.
type Plan struct {
	Routes   []Route // of vehicles that serve somebody, by index of vehicle
	Unserved []int   // indexes of requests, ascending
	Distance float64
	Cost     float64 // what the search made small: distance and driving time by their cost, vehicles' fixed cost, lateness

	Iterations int // of the search that found it
}
