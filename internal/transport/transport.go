// Package transport is dispatch: who is fetched by which vehicle, what people are told of it, and the day on the road.
//
// Its promises: a round trip is one thing, and its way home is never left without its way there; nobody in a wheelchair is put into a vehicle
// without a ramp or a lift; the window that a person was told is hard for every later plan, and where it cannot be kept she is told before
// she asks, another car is sought, and a person at the desk knows. It drives nowhere itself: drivers mark what they do, an outside company is
// reached through Vendor.
//
// Pure parts lie inside: transport/routing plans, transport/road knows the ways.
package transport

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// ID names a ride.
type ID string

// VehicleID names a vehicle.
type VehicleID string

// Mobility is how somebody gets into a vehicle.
type Mobility string

const (
	Ambulatory Mobility = "ambulatory"
	Wheelchair Mobility = "wheelchair" // stays in the wheelchair: ramp or lift, and a place to secure it
)

// Mobilities that are known.
var Mobilities = []Mobility{Ambulatory, Wheelchair}

// Pause is a driver's break.
type Pause struct {
	From    clock.Wall `json:"from"` // it begins within
	To      clock.Wall `json:"to"`
	Minutes int        `json:"minutes"`
}

// Vehicle is a vehicle with the shift in which it is driven.
type Vehicle struct {
	Org         person.OrgID `json:"-"`
	ID          VehicleID    `json:"-"`
	Name        string       `json:"name"`
	Seats       int          `json:"seats"`       // for riders
	Wheelchairs int          `json:"wheelchairs"` // places
	Ramp        bool         `json:"ramp,omitempty"`
	Lift        bool         `json:"lift,omitempty"`
	Skills      []string     `json:"skills,omitempty"` // of its driver
	Depot       string       `json:"depot"`            // a place of the organization
	Weekdays    []int        `json:"weekdays"`         // 1 Monday to 7 Sunday
	From        clock.Wall   `json:"from"`             // of the shift
	To          clock.Wall   `json:"to"`
	Pause       *Pause       `json:"pause,omitempty"`
	Driver      person.ID    `json:"driver,omitempty"`
	Active      bool         `json:"active"`
	Down        time.Time    `json:"down,omitzero"` // out of order until
}

// Validate says what is wrong with a vehicle.
func (v Vehicle) Validate() error {
	switch {
	case strings.TrimSpace(v.Name) == "" || len(v.Name) > 60:
		return fault.Invalidf("A vehicle needs a name of at most 60 characters.")
	case v.Seats < 0 || v.Wheelchairs < 0 || v.Seats > 60 || v.Wheelchairs > 20 || v.Seats+v.Wheelchairs == 0:
		return fault.Invalidf("A vehicle has 1 to 60 seats, or places for wheelchairs.")
	case v.Wheelchairs > 0 && !v.Ramp && !v.Lift:
		return fault.Invalidf("A vehicle that takes wheelchairs has a ramp or a lift.")
	case v.From >= v.To || v.From < 0 || v.To > 24*60:
		return fault.Invalidf("A shift ends after it begins, on the same day.")
	case len(v.Weekdays) == 0 || slices.ContainsFunc(v.Weekdays, func(d int) bool { return d < 1 || d > 7 }):
		return fault.Invalidf("Weekdays are 1 (Monday) to 7.")
	case v.Pause != nil && (v.Pause.From < v.From || v.Pause.To < v.Pause.From || v.Pause.To+clock.Wall(v.Pause.Minutes) > v.To || v.Pause.Minutes <= 0):
		return fault.Invalidf("A break lies within the shift.")
	}
	return nil
}

// Works reports whether a vehicle is driven on a day.
func (v Vehicle) Works(d clock.Day) bool {
	return v.Active && slices.Contains(v.Weekdays, (int(d.Weekday())+6)%7+1)
}

// Carries reports whether somebody of a mobility can get into the vehicle at all.
func (v Vehicle) Carries(m Mobility) bool {
	return m != Wheelchair || v.Wheelchairs > 0 && (v.Ramp || v.Lift)
}

// LegState is how far one way of a ride has come.
type LegState string

const (
	Call      LegState = "call"    // home: she says when she is ready
	Open      LegState = "open"    // nobody drives it yet
	Planned   LegState = "planned" // a vehicle, or the ride company, has it
	Way       LegState = "way"     // the driver is on the way to the pickup
	Door      LegState = "door"    // the driver waits at the pickup
	Aboard    LegState = "aboard"
	Done      LegState = "done"
	Own       LegState = "own"    // she goes some other way
	Missed    LegState = "missed" // she did not come to the door
	Cancelled LegState = "cancelled"
)

// Over reports whether nothing more will happen.
func (s LegState) Over() bool { return s == Done || s == Own || s == Missed || s == Cancelled }

// driven reports whether a vehicle has the leg, and it is not over.
func (s LegState) driven() bool { return s == Planned || s == Way || s == Door || s == Aboard }

// Span is a time from one instant to another.
type Span struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Known reports whether the span says anything.
func (s Span) Known() bool { return !s.To.IsZero() }

// Spot is where somebody is fetched or brought to.
type Spot struct {
	Name string `json:"name"`
	person.Point
}

// Trouble is what went wrong with a leg that is still to be: since when, and by when she hears from us.
type Trouble struct {
	Since time.Time  `json:"since,omitzero"`
	By    time.Time  `json:"by,omitzero"`
	Why   string     `json:"why,omitempty"`  // catalog key after "ride.why."
	Word  promise.ID `json:"word,omitempty"` // the promise that she hears
	Task  string     `json:"task,omitempty"` // the desk's
	Next  time.Time  `json:"next,omitzero"`  // when our own vehicles are looked at again
}

// Leg is one way of a ride.
type Leg struct {
	State   LegState   `json:"-"`
	From    Spot       `json:"from"`
	To      Spot       `json:"to"`
	Pickup  Span       `json:"pickup"`        // what she was told: hard for every plan
	Dropoff Span       `json:"dropoff"`       // hard
	Wish    time.Time  `json:"wish,omitzero"` // soft: to be there by
	MaxRide int        `json:"max_ride"`      // minutes
	Vehicle VehicleID  `json:"vehicle,omitempty"`
	Vendor  Order      `json:"vendor,omitzero"`
	Begin   time.Time  `json:"begin,omitzero"` // of the pickup, as planned
	End     time.Time  `json:"end,omitzero"`   // of the ride, as planned
	Went    time.Time  `json:"went,omitzero"`  // the driver set out
	Came    time.Time  `json:"came,omitzero"`  // to the door
	Aboard  time.Time  `json:"aboard,omitzero"`
	Done    time.Time  `json:"done,omitzero"`
	Told    Span       `json:"told,omitzero"`  // the last range that she was told of the day itself
	Late    bool       `json:"late,omitempty"` // no plan keeps the window, and she knows
	Promise promise.ID `json:"promise,omitempty"`
	Made    int        `json:"made,omitempty"` // how many promises of it there were
	Not     []string   `json:"not,omitempty"`  // vehicles that will not drive it
	Trouble Trouble    `json:"trouble,omitzero"`
}

// Direction of a leg.
type Direction string

const (
	Out  Direction = "out"  // from home
	Back Direction = "back" // to home
)

// Ride is a round trip: both ways are one thing.
type Ride struct {
	Org        person.OrgID `json:"-"`
	Patient    person.ID    `json:"-"`
	ID         ID           `json:"-"`
	Day        clock.Day    `json:"-"`
	About      string       `json:"-"`               // what it is for: an appointment, an outing
	Visit      bool         `json:"visit,omitempty"` // About is an appointment
	Zone       string       `json:"zone"`
	Place      string       `json:"place"` // of the organization
	Mobility   Mobility     `json:"mobility"`
	Companions int          `json:"companions,omitempty"`
	Needs      []string     `json:"needs,omitempty"` // skills of the driver
	There      time.Time    `json:"there"`
	Ready      time.Time    `json:"ready,omitzero"` // zero: she says when
	Made       time.Time    `json:"made"`
	By         person.ID    `json:"by"`
	Drop       []string     `json:"drop,omitempty"` // orders that the ride company is still to be told are off
	Out        Leg          `json:"out"`
	Back       Leg          `json:"back"`
}

// Leg answers one of the two ways.
func (r *Ride) Leg(d Direction) *Leg {
	if d == Back {
		return &r.Back
	}
	return &r.Out
}

// Want is a round trip that somebody asks for.
type Want struct {
	Org        person.OrgID
	Patient    person.ID
	About      string // the same About is the same ride
	Visit      bool
	Place      string    // of the organization
	There      time.Time // to be there by
	Ready      time.Time // to be fetched from there from; zero: she says when (a will-call)
	Mobility   Mobility
	Companions int
	Needs      []string
	Fetch      time.Time // the beginning of an offered window; zero: the planner chooses
	HomeBy     time.Time // a wish
}

// Validate says what is wrong with a wish for a ride.
func (w Want) Validate(now time.Time) error {
	switch {
	case !slices.Contains(Mobilities, w.Mobility):
		return fault.Invalidf("%q is no mobility (ambulatory, wheelchair).", w.Mobility)
	case w.Companions < 0 || w.Companions > 3:
		return fault.Invalidf("At most three people come along.")
	case w.There.Before(now.Add(10 * time.Minute)):
		return fault.Invalidf("There is no time left to fetch somebody.")
	case w.There.After(now.AddDate(0, 0, 90)):
		return fault.Invalidf("Rides are planned for at most 90 days ahead.")
	case !w.Ready.IsZero() && (!w.Ready.After(w.There) || w.Ready.Sub(w.There) > 14*time.Hour):
		return fault.Invalidf("The way home begins after the visit, on the same day.")
	}
	return nil
}
