// Package visit is the room in which a visit by video is held: who may enter and when, who is in it, and what becomes of it.
//
// Its promises: only the patient, those who may act for her and her own team enter, near the time of the visit, four at most; a
// visit that loses its picture goes on with sound, and one that loses its sound goes on by telephone, with somebody who calls by a
// time that is said; every such step stands in the record; a room that nobody is in closes by itself. The database is the truth
// of who is in a room, so the people of one visit may be on different servers.
//
// Sound and picture never pass through this package: a Room says how browsers reach each other.
package visit

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// ID is the appointment's.
type ID string

// Key names the room of a visit.
type Key struct {
	Org     person.OrgID
	Patient person.ID
	Visit   ID
}

// Hint is what hints about the room say: ids alone.
func (k Key) Hint() string { return string(k.Org) + "/" + string(k.Visit) }

// Topic of hints about rooms.
const Topic = "visit"

// Mode is how a visit is held at the moment.
type Mode string

const (
	Video Mode = "video"
	Audio Mode = "audio" // sound without a picture
	Phone Mode = "phone" // by telephone
)

// Part is what somebody is in a visit.
type Part string

const (
	Patient     Part = "patient"
	Family      Part = "family"
	Clinician   Part = "clinician" // or a nurse: with one of them in the room the visit has begun
	Interpreter Part = "interpreter"
	Staff       Part = "staff" // of the desk, who help
)

// Why a visit lost its picture or its sound; catalog keys after "video.why.".
const (
	Asked  = "asked"  // somebody pressed the button
	Loss   = "loss"   // too much is lost on the way
	Frozen = "frozen" // no picture has come for a while
	Silent = "silent" // no sound has come for a while
	Lost   = "lost"   // the browsers do not reach each other
	Denied = "denied" // there is no camera or no microphone, or the browser may not use it
)

var reasons = []string{Asked, Loss, Frozen, Silent, Lost, Denied}

const (
	Opens  = 30 * time.Minute // before the visit, for whoever comes early
	Closes = 2 * time.Hour    // after its end
	Seats  = 4                // people in a room at most

	Present  = 40 * time.Second // how long after it was last seen a seat still counts
	idle     = 5 * time.Minute  // a visit that has begun ends when nobody was there for so long
	CallsIn  = 5 * time.Minute  // by when somebody calls whose visit turned into a call
	signalOn = 2 * time.Minute  // how long a signal is kept
)

// MostSignal bounds a signal, in bytes: a description of four people's sound and picture is a tenth of it.
const MostSignal = 48 << 10

// Visit is what the room needs to know of an appointment.
type Visit struct {
	Key
	Start, End   time.Time
	Zone         string
	With         string      // names of who holds it
	Video        bool        // booked by video
	Live         bool        // neither over nor cancelled
	Done         bool        // it was held
	Interpreters []person.ID // of the staff
}

// Visits are the appointments.
type Visits interface {
	// Visit answers an appointment, fault.NotFound if there is none.
	Visit(tx *store.Tx, org person.OrgID, id ID) (Visit, error)
	// Arrive writes down that the patient is there.
	Arrive(tx *store.Tx, v person.Viewer, org person.OrgID, id ID) error
	// Met writes down that the two sides are in the room together.
	Met(tx *store.Tx, v person.Viewer, org person.OrgID, id ID) error
	// Over writes down that nobody waits for the visit any more: it was held, begun at an instant, or the room was closed without it (zero).
	Over(tx *store.Tx, v person.Viewer, org person.OrgID, id ID, begun time.Time) error
	// Seen writes down that the visit was held, begun at an instant.
	Seen(tx *store.Tx, v person.Viewer, org person.OrgID, id ID, begun time.Time) error
}

// Estimator says how long somebody still waits, where that is known.
type Estimator interface {
	// Estimate answers a sentence in a language; ok is false where nothing can be said.
	Estimate(tx *store.Tx, org person.OrgID, visit ID, lang string) (say string, ok bool, err error)
}

// Call is a telephone call that puts two people through.
type Call struct {
	Key
	To   string // the patient's number
	From string // of who calls: the clinician's own, else the clinic's
}

// Telephone is the provider that rings both ends of a call.
type Telephone interface {
	Ring(ctx context.Context, c Call) error
}

// Meeting is a room as it stands.
type Meeting struct {
	Key
	Mode      Mode
	Why       string // it is no longer by video
	Opened    time.Time
	Together  time.Time // when the patient's side and a clinician were first in it together; zero: not yet
	PhoneAt   time.Time // when it turned into a call
	CallBy    time.Time // by when somebody calls
	Ringing   bool      // the provider is putting them through
	Recording string    // what the media server calls the recording; empty: none
	Ended     time.Time // zero: not over
	Seats     []Seat    // who is there, in the order in which they came
}

// Seat is one person in the room.
type Seat struct {
	ID     string
	Person person.ID
	Name   string
	Part   Part
	Joined time.Time
	Record bool // said yes to a recording
}

// patientSide reports whether the seat stands for the patient: she herself, or who acts for her.
func (s Seat) patientSide() bool { return s.Part == Patient || s.Part == Family }

// Both reports whether the two sides of the visit are there.
func (m Meeting) Both() bool {
	var patient, clinician bool
	for _, s := range m.Seats {
		patient = patient || s.patientSide()
		clinician = clinician || s.Part == Clinician
	}
	return patient && clinician
}

// Event is one step of a visit.
type Event struct {
	At   time.Time
	Kind string // joined, left, together, audio, video, phone, record, stopped, ended, unheld; catalog keys after "video.event."
	Name string // of whom it was
	Why  string
}

// Signal is what one seat's browser tells another's.
type Signal struct {
	Seq  int64
	From string
	Body string // JSON of a session description or a candidate; ours neither to read nor to keep
}
