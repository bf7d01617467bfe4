// Package appointment gives people a time to be seen: who and what is free, the soonest fitting way, and the booking.
//
// Its promises: a resource is never given to two visits at once, whoever books, on however many servers (a constraint of the
// database, not a check before it); a booking, the promise to the person and the entry in the record are one transaction; a
// search shows everything that is free, soonest first, and never ends in nothing: it ends in a time, a place on the waitlist, a
// call back, or a message.
package appointment

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// ID names an appointment.
type ID string

// Way is how a person is seen.
type Way string

const (
	Message Way = "message" // written, answered within the visit's time
	Phone   Way = "phone"
	Video   Way = "video"
	Home    Way = "home"   // somebody comes to the person's home
	Clinic  Way = "clinic" // the person comes to a place
)

// Ways in the order of their burden on the person, the lightest first.
var Ways = []Way{Message, Phone, Video, Home, Clinic}

// Valid reports whether the way is known.
func (w Way) Valid() bool { return slices.Contains(Ways, w) }

// Kind of resource that a visit takes.
type Kind string

const (
	Clinician   Kind = "clinician"
	Room        Kind = "room"
	Device      Kind = "device"
	Interpreter Kind = "interpreter"
	Driver      Kind = "driver"
)

var kinds = []Kind{Clinician, Room, Device, Interpreter, Driver}

// Offer is one way in which visits of a type are held, with what it takes.
type Offer struct {
	Way    Way    `json:"way"`
	Min    int    `json:"minutes"`          // of the visit itself
	Before int    `json:"before,omitempty"` // minutes that its resources are taken before it
	After  int    `json:"after,omitempty"`  // and after it
	Needs  []Kind `json:"needs"`            // one of each, the same for the whole visit
}

// Type is a kind of visit.
type Type struct {
	Org     person.OrgID      `json:"-"`
	ID      string            `json:"-"`
	Name    map[string]string `json:"name"`              // by language
	Offers  []Offer           `json:"offers"`            //
	Lead    int               `json:"lead_minutes"`      // not sooner than this from now
	Horizon int               `json:"horizon_days"`      // not later than this
	Grid    int               `json:"grid_minutes"`      // starts lie on the clock's multiples of this
	Staff   bool              `json:"staff,omitempty"`   // booked by staff only
	Approve bool              `json:"approve,omitempty"` // a patient's booking is a request until staff say yes
	Confirm int               `json:"confirm_hours"`     // how long before it the person is asked whether she comes; 0: never
	Active  bool              `json:"-"`
}

// Offer answers how the type is held in a way.
func (t Type) Offer(w Way) (Offer, bool) {
	i := slices.IndexFunc(t.Offers, func(o Offer) bool { return o.Way == w })
	if i < 0 {
		return Offer{}, false
	}
	return t.Offers[i], true
}

// Called answers the type's name in a language.
func (t Type) Called(lang string) string {
	if n := t.Name[lang]; n != "" {
		return n
	}
	return t.Name["en"]
}

// Longest bounds a visit with its buffers: the guard against overlap looks back this far.
const Longest = 12 * 60

// Validate says what is wrong with a type of visit.
func (t Type) Validate() error {
	switch {
	case t.ID == "" || strings.TrimSpace(t.Name["en"]) == "":
		return fault.Invalidf("A type of visit needs an id and an English name.")
	case len(t.Offers) == 0:
		return fault.Invalidf("A type of visit needs at least one way to hold it.")
	case t.Lead < 0 || t.Horizon < 1 || t.Horizon > 400:
		return fault.Invalidf("The lead must not be negative, and the horizon lies between 1 and 400 days.")
	case t.Grid < 5 || t.Grid%5 != 0 || t.Grid > 24*60:
		return fault.Invalidf("The grid of starts is a multiple of 5 minutes, up to a day.")
	case t.Confirm < 0 || t.Confirm > 24*14:
		return fault.Invalidf("A visit is confirmed at most 14 days before it.")
	}
	for i, o := range t.Offers {
		switch {
		case !o.Way.Valid():
			return fault.Invalidf("%q is not a way to be seen (message, phone, video, home, clinic).", o.Way)
		case slices.ContainsFunc(t.Offers[:i], func(p Offer) bool { return p.Way == o.Way }):
			return fault.Invalidf("The way %q is there twice.", o.Way)
		case o.Min < 5 || o.Before < 0 || o.After < 0 || o.Before+o.Min+o.After > Longest:
			return fault.Invalidf("A visit takes from 5 minutes to 12 hours, buffers included.")
		case len(o.Needs) == 0:
			return fault.Invalidf("Who holds the visit? Name at least one kind of resource.")
		}
		for j, k := range o.Needs {
			if slices.Contains(o.Needs[:j], k) {
				return fault.Invalidf("A visit takes one %s at most.", k)
			}
			if !slices.Contains(kinds, k) {
				return fault.Invalidf("%q is not a kind of resource (clinician, room, device, interpreter, driver).", k)
			}
		}
	}
	return nil
}

// Hours are when a resource can be had, at one place, in some ways.
type Hours struct {
	Place    string        `json:"place,omitempty"` // of a clinic; empty: any place, or none is needed
	Ways     []Way         `json:"ways,omitempty"`  // empty: all
	Calendar slot.Calendar `json:"calendar"`
}

// Serves reports whether the hours are for a way at a place.
func (h Hours) Serves(w Way, place string) bool {
	return (len(h.Ways) == 0 || slices.Contains(h.Ways, w)) && (w != Clinic || h.Place == "" || h.Place == place)
}

// Resource is a person or a thing that a visit takes.
type Resource struct {
	Org       person.OrgID `json:"-"`
	ID        string       `json:"-"`
	Kind      Kind         `json:"-"`
	Name      string       `json:"-"`
	Person    person.ID    `json:"-"`                   // of the staff; empty for things
	Hours     []Hours      `json:"hours"`               //
	Types     []string     `json:"types,omitempty"`     // of visits; empty: all
	Languages []string     `json:"languages,omitempty"` // that a clinician or an interpreter speaks
	BusyFeed  string       `json:"busy_feed,omitempty"` // address of the person's own calendar, read for busy times
	Feed      string       `json:"-"`                   // secret of the feed that shows the appointments; empty: none
	Active    bool         `json:"-"`
	Version   int64        `json:"-"`

	Overbook map[string]Overbooking `json:"-"` // by type: what may be booked beside others; only Overbook and EndOverbook change it
}

// Holds reports whether the resource serves a type.
func (r Resource) Holds(typ string) bool { return len(r.Types) == 0 || slices.Contains(r.Types, typ) }

// Validate says what is wrong with a resource.
func (r Resource) Validate() error {
	switch {
	case r.ID == "" || strings.TrimSpace(r.Name) == "":
		return fault.Invalidf("A resource needs an id and a name.")
	case !slices.Contains(kinds, r.Kind):
		return fault.Invalidf("%q is not a kind of resource (clinician, room, device, interpreter, driver).", r.Kind)
	}
	for _, h := range r.Hours {
		for _, w := range h.Ways {
			if !w.Valid() {
				return fault.Invalidf("%q is not a way to be seen (message, phone, video, home, clinic).", w)
			}
		}
		if err := h.Calendar.Validate(); err != nil {
			return fault.Invalidf("The hours of %s: %s", r.Name, err)
		}
	}
	return nil
}

// State of an appointment, by FHIR's names (value set AppointmentStatus); held is ours: taken for a few minutes while a person decides.
type State string

const (
	Held      State = "held"
	Proposed  State = "proposed" // asked for; takes nothing until it is approved
	Booked    State = "booked"
	Arrived   State = "arrived"
	Fulfilled State = "fulfilled"
	Cancelled State = "cancelled"
	NoShow    State = "noshow"
)

// Live reports whether the appointment is still to be or going on.
func (s State) Live() bool { return s == Held || s == Proposed || s == Booked || s == Arrived }

// takes reports whether the appointment keeps its resources from others.
func (s State) takes() bool { return s == Held || s == Booked || s == Arrived }

// Appointment is one visit that was given to a person.
type Appointment struct {
	Org       person.OrgID
	Patient   person.ID
	ID        ID
	Type      string
	Way       Way
	Place     string    // of a clinic visit
	Start     time.Time // of the visit itself, without buffers
	End       time.Time //
	Zone      string    // in which it was said: the place's, else the organization's
	State     State
	Words     string    // what the person needs, in her own words; may be empty
	Asked     time.Time // when the person first asked to be seen: waits are counted from here
	Made      time.Time
	By        person.ID // who booked it
	HoldUntil time.Time // zero unless held
	Confirmed time.Time // zero: the person has not said that she comes
	Arrival   time.Time
	Closed    time.Time
	Reason    string
	Promise   string   // of the ledger
	Follows   ID       // the appointment that this one took the place of
	Resources []string // what it takes, kept after it is over

	party   *party
	shared  *Resource // a clinician beside whose visits of this type others may be booked; nil: none
	ladders ladders   // of its promise, as they were read when it was drawn up
}

// Minutes answers how long the visit is.
func (a Appointment) Minutes() int { return int(a.End.Sub(a.Start) / time.Minute) }

// Location answers the zone in which the appointment was said.
func (a Appointment) Location() *time.Location {
	if z, err := clock.Zone(a.Zone); err == nil {
		return z
	}
	return time.UTC
}

// HoldFor is how long a time is kept for somebody who is deciding.
const HoldFor = 5 * time.Minute

// ErrTaken is what the second of two people hears who want one time.
var ErrTaken = &fault.Error{Kind: fault.Conflict, Say: "That time was just taken. Please choose another; nothing else has changed."}
