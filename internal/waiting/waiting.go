// Package waiting is the day itself: who is there, who goes in next, how long it will be, and what people are told of it.
//
// Its promises: each step of a stay is kept with its time; what somebody is told of her wait is a range with the time of the next look,
// and the range is right eight times in ten (package estimate); a delay is said while it is still of use, before the time to leave home,
// and never after; who goes first follows rules that stand on the board. It knows appointments only by what it asks of Visits.
package waiting

import (
	"embed"
	"io/fs"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// ID names a stay.
type ID string

// Kind is by what right somebody waits.
type Kind string

const (
	Booked Kind = "booked"
	WalkIn Kind = "walkin"
	Urgent Kind = "urgent"
)

// Kinds in the order in which boards tell of them.
var Kinds = []Kind{Urgent, Booked, WalkIn}

// State of a stay.
type State string

const (
	Waiting State = "waiting"
	Called  State = "called"
	InRoom  State = "room"
	With    State = "with" // a person
	Done    State = "done"
	Left    State = "left"   // without being seen
	Lapsed  State = "lapsed" // nobody said how it ended; it counts in no figure
)

// Open reports whether the stay goes on.
func (s State) Open() bool { return s == Waiting || s == Called || s == InRoom || s == With }

// Spot is where somebody waits.
type Spot string

const (
	Here   Spot = "here"
	Car    Spot = "car"
	AtHome Spot = "home" // or wherever she needs a while to come from
)

// Spots at which people can wait.
var Spots = []Spot{Here, Car, AtHome}

// By is how somebody checked in.
type By string

const (
	ByPage  By = "page"
	ByText  By = "text"
	ByKiosk By = "kiosk"
	ByDesk  By = "desk"
)

// Stay is one person's time on site, or in the virtual waiting room.
type Stay struct {
	Org     person.OrgID
	Patient person.ID
	ID      ID
	Place   string // empty: by video
	Visit   string // the appointment; empty for who walked in
	Type    string // of visit
	Plan    int    // minutes that such a visit is planned to take
	Kind    Kind
	Who     string // the clinician who sees her; empty: whoever is free
	State   State
	By      By
	Waits   Spot
	Away    int    // minutes that she needs to come in
	Room    string // into which she was called
	Reason  string // why she is urgent

	Start   time.Time // of the appointment; the arrival of who walked in
	Arrived time.Time
	Called  time.Time
	InRoom  time.Time
	Begun   time.Time // with a person
	Ended   time.Time

	Told    Told
	texted  time.Time // the beginning of the range of the last text; zero: none was sent
	fetched time.Time // when she was told to set out
	first   [2]float64
}

// Told is what somebody was told of her wait.
type Told struct {
	At       time.Time
	From, To time.Time // the range; zero when nobody can tell yet
	Next     time.Time // when it is looked at again
	Before   int       // people who are there and go before her
}

// Known reports whether there is a range.
func (t Told) Known() bool { return !t.To.IsZero() }

// Minutes answers the range in minutes from an instant on, in fives.
func (t Told) Minutes(now time.Time) (low, high int) {
	five := func(d time.Duration) int { return max(0, 5*int((d+150*time.Second)/(5*time.Minute))) }
	low, high = five(t.From.Sub(now)), five(t.To.Sub(now))
	return low, max(high, low+5)
}

// Visit is what this room knows of an appointment.
type Visit struct {
	Org        person.OrgID
	Patient    person.ID
	ID         string
	Type       string
	Place      string
	Start, End time.Time
	Zone       string
	Who        string // the clinician who holds it
	Name       string // of the clinician
	Promise    string // of the ledger
	Comes      bool   // the person comes to a place
	Remote     bool   // she joins by video
	Booked     bool   // it is still to be, and nobody has arrived
	Arrived    bool
}

// Clinician is somebody who sees people at a place today.
type Clinician struct {
	ID, Name    string
	From, Until time.Time // of the hours that are not over
}

// Visits are the appointments, as this room needs them.
type Visits interface {
	Visit(tx *store.Tx, org person.OrgID, id string) (Visit, error)
	// VisitsOf answers a patient's visits that begin in [from, to), in order of their start, but for those that were cancelled.
	VisitsOf(tx *store.Tx, org person.OrgID, patient person.ID, from, to time.Time) ([]Visit, error)
	// Due answers all visits that begin in [from, to) and are still to be, in order of their start.
	Due(tx *store.Tx, org person.OrgID, from, to time.Time) ([]Visit, error)
	// Arrive and Seen write the steps into the appointment and its promise.
	Arrive(tx *store.Tx, v person.Viewer, org person.OrgID, id string) error
	Seen(tx *store.Tx, v person.Viewer, org person.OrgID, id string, begun time.Time) error
	// Clinicians answers who sees people at a place (empty: by video) now or later, until an instant.
	Clinicians(tx *store.Tx, org person.OrgID, place string, now, until time.Time) ([]Clinician, error)
	// Rooms answers the names of a place's rooms.
	Rooms(tx *store.Tx, org person.OrgID, place string) ([]string, error)
	// Plan answers how many minutes a visit of a type is planned to take at a place.
	Plan(tx *store.Tx, org person.OrgID, typ string) (int, error)
	// Travel answers the minutes of the way from one point to another, one way.
	Travel(from, to person.Point) int
}

// Rule is who goes first, for one kind of right to be seen.
type Rule struct {
	Kind  Kind `json:"kind"`
	First bool `json:"first,omitempty"` // before everybody else, by arrival
	Plus  int  `json:"plus,omitempty"`  // minutes after her time (the appointment's, or the arrival) at which she stands in the line
	Grace int  `json:"grace,omitempty"` // who comes so many minutes after the appointment stands in the line by her arrival
}

// DefaultRules hold where an organization has made none: urgent people first, booked ones by their time, others as if they had been
// booked for twenty minutes after they came, so that they too move up.
var DefaultRules = []Rule{{Kind: Urgent, First: true}, {Kind: Booked, Grace: 15}, {Kind: WalkIn, Plus: 20}}

// ValidRules says what is wrong with rules.
func ValidRules(rules []Rule) error {
	for i, r := range rules {
		switch {
		case !slices.Contains(Kinds, r.Kind):
			return fault.Invalidf("%q is not a kind (urgent, booked, walkin).", r.Kind)
		case slices.ContainsFunc(rules[:i], func(x Rule) bool { return x.Kind == r.Kind }):
			return fault.Invalidf("There are two rules for %q.", r.Kind)
		case r.Plus < 0 || r.Plus > 240 || r.Grace < 0 || r.Grace > 240:
			return fault.Invalidf("A rule moves people by at most 240 minutes.")
		}
	}
	if len(rules) != len(Kinds) {
		return fault.Invalidf("There is one rule for each kind: urgent, booked, walkin.")
	}
	return nil
}

// position answers where somebody stands in the line: lower ranks first, then by time.
func position(rules []Rule, k Kind, start, arrived time.Time) (rank int, at time.Time) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Kind == k })
	if i < 0 {
		return 1, arrived
	}
	r := rules[i]
	switch {
	case r.First:
		return 0, arrived
	case k == Booked && arrived.Sub(start) <= time.Duration(r.Grace)*time.Minute:
		at = start
	default:
		at = arrived
	}
	return 1, at.Add(time.Duration(r.Plus) * time.Minute)
}
