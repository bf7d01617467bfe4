// Package transit answers how to get from place to place by bus and train, from timetables in GTFS.
//
// Its promises: every trip of a feed is read or the feed is refused, naming file and line; stops without a time get one between those that have;
// an answer is the earliest arrival for its number of changes; who uses a wheelchair is sent only where the timetable says that it can be done.
//
// The search is RAPTOR (Delling, Pajor and Werneck, 2012): round by round one vehicle more, over the routes that a round has reached.
package transit

import (
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
)

// Feed is a timetable.
type Feed struct {
	Zone     *time.Location
	Stops    []Stop
	Routes   []Route
	Trips    []Trip
	services []service
	changes  []change
}

// Stop is where vehicles halt.
type Stop struct {
	ID, Name   string
	Point      person.Point
	Wheelchair Access // may be boarded in a wheelchair
	parent     string
}

// Route is a line as people know it.
type Route struct {
	ID, Name string
	Kind     int // GTFS route_type: 0 tram, 1 metro, 2 rail, 3 bus, 4 ferry, …
}

// Access says whether a wheelchair can be taken along, by GTFS.
type Access int8

const (
	Unknown Access = iota
	Yes
	No
)

// Trip is one run of a vehicle.
type Trip struct {
	ID         string
	Route      int // index of Feed.Routes
	Wheelchair Access
	Calls      []Call
	service    int
}

// Call is a halt, in seconds after the midnight of the service day (noon less twelve hours); may be past 24 hours.
type Call struct {
	Stop           int // index of Feed.Stops
	Arrive, Depart int32
	NoBoard        bool
	NoAlight       bool
	guessed        bool // no time was given
}

// service says on which days trips run.
type service struct {
	days     [7]bool // from Sunday
	from, to clock.Day
	also     map[clock.Day]bool // true: runs then as well, false: does not
}

func (s *service) on(d clock.Day) bool {
	if runs, said := s.also[d]; said {
		return runs
	}
	return s.days[d.Weekday()] && !s.from.IsZero() && !d.Before(s.from) && !s.to.Before(d)
}

// change is a way on foot between two stops, with the seconds that it takes; below 0: it cannot be made.
type change struct {
	from, to int
	seconds  int32
}

// Query is a question. A way that arrives more than twelve hours after the last departure is none.
type Query struct {
	From, To   person.Point
	Depart     time.Time     // not earlier
	Within     time.Duration // departures up to so much later are looked at as well; 0: the earliest arrival alone
	Changes    int           // at most; 0: DefaultChanges, below 0: none
	Walk       float64       // meters on foot at most, to the first stop and from the last; 0: DefaultWalk
	Wheelchair bool
}

// Defaults of a Query.
const (
	DefaultChanges = 3
	DefaultWalk    = 800.0
)

// Journey is one way to get there.
type Journey struct {
	Leave, Arrive time.Time
	Legs          []Leg
}

// Changes answers how often one changes vehicles.
func (j Journey) Changes() int {
	n := -1
	for _, l := range j.Legs {
		if l.Route != "" {
			n++
		}
	}
	return max(0, n)
}

// Walk answers the time on foot.
func (j Journey) Walk() (d time.Duration) {
	for _, l := range j.Legs {
		if l.Route == "" {
			d += l.Arrive.Sub(l.Leave)
		}
	}
	return d
}

// Leg is a part of a journey: a ride, or on foot where Route is empty.
type Leg struct {
	Route, Trip   string
	From, To      string // names of stops; empty: the place itself
	Leave, Arrive time.Time
}
