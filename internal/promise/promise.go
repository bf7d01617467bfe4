// Package promise is the ledger of everything that a person was told will happen.
//
// Its promise: what was made is on the disk; its state only moves forward; each rung of its ladder is climbed once; and the
// history of a patient is a chain in which any change afterwards shows. An open promise has exactly one row in the agenda,
// its next rung: to climb is to take that row away and write what follows, in one transaction, so a crash leaves either the
// row or the effect, never neither and never both. (A crowd's rows stay, and one row takes them all along: moved.go.) It sends
// nothing itself: effects go through Hands.
package promise

import (
	"embed"
	"io/fs"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// ID names a promise.
type ID string

// State of a promise. It only grows.
type State int

const (
	Open     State = 0
	Kept     State = 1
	Broken   State = 2
	Released State = 3 // taken back, with notice
)

var stateNames = [...]string{"open", "kept", "broken", "released"}

func (s State) String() string { return stateNames[s] }

// Severity orders the ledger when it is behind, and decides what may break quiet hours.
type Severity int

const (
	Routine Severity = 0 // a reminder
	Watch   Severity = 1 // somebody should look today
	Urgent  Severity = 2 // somebody must look now
	Severe  Severity = 3 // never capped, never quiet
)

var severityNames = [...]string{"routine", "watch", "urgent", "severe"}

func (s Severity) String() string { return severityNames[s] }

// Keeper is who has to do what was promised.
type Keeper struct {
	Kind string // patient, caregiver, role, staff, vendor, system
	Who  string // a person's ID, or a role
}

// Promise is one thing that a person was told will happen.
type Promise struct {
	Org      person.OrgID
	Patient  person.ID
	ID       ID
	Kind     string            // dose, reading, call, answer: one domain each
	About    string            // the domain's own id of the thing (a dose, a series)
	Severity Severity          //
	Say      string            // catalog key of the sentence that was said
	Args     map[string]string // its arguments; no drug name here, pages look that up through About
	Keeper   Keeper            //
	From     time.Time         // due from; rungs count from here
	By       time.Time         // broken when nothing has come by then
	Zone     string            // in which it was said
	Ladder   LadderRef         //
	State    State             //
	Made     time.Time         //
	Closed   time.Time         // zero while open
	Reason   string            // why released or how broken, in plain words or a catalog key
	Rung     int               // the next rung to climb while open; -1 when closed
	RungAt   time.Time         // when
}

// Evidence is something that happened, as a source saw it.
type Evidence struct {
	Kind   string    `json:"kind"` // tap, text, opened, reading, arrival, delivery, word
	At     time.Time `json:"at"`   // when it happened
	Source string    `json:"source"`
	By     string    `json:"by,omitempty"`   // who gave it
	For    string    `json:"for,omitempty"`  // assisted: done for this person by By
	Note   string    `json:"note,omitempty"` // free words
	Late   bool      `json:"late,omitempty"` // came after the promise was broken
}

// EventKind is what a line of history says.
type EventKind int

const (
	EventMade     EventKind = 1
	EventClimbed  EventKind = 2
	EventEvidence EventKind = 3
	EventKept     EventKind = 4
	EventBroken   EventKind = 5
	EventReleased EventKind = 6
	EventMoved    EventKind = 7
	EventSkipped  EventKind = 8 // a rung that was no longer useful when its turn came
	EventTask     EventKind = 9 // a task was acknowledged, snoozed, handed over or closed
)

var eventNames = [...]string{"", "made", "climbed", "evidence", "kept", "broken", "released", "moved", "skipped", "task"}

func (k EventKind) String() string { return eventNames[k] }

// Event is one line of a patient's history. Body is canonical JSON of what the kind needs.
type Event struct {
	Org     person.OrgID
	Patient person.ID
	Seq     int64
	At      time.Time
	Kind    EventKind
	Promise ID
	Rung    int // -1 unless climbed or skipped
	Body    string
	Hash    []byte // SHA-256 over the line before and this one
}

// Validate says what is wrong with a promise about to be made.
func (p Promise) Validate() error {
	switch {
	case p.Org == "" || p.Patient == "":
		return fault.Invalidf("A promise needs an organization and a patient.")
	case p.Kind == "" || p.Say == "":
		return fault.Invalidf("A promise needs a kind and a sentence.")
	case strings.Contains(p.Kind, "\x1f") || strings.Contains(p.Say, "\x1f"): // it parts what a climb reads
		return fault.Invalidf("A promise's kind and sentence are plain keys.")
	case p.From.IsZero() || p.By.Before(p.From):
		return fault.Invalidf("A promise must be due before it can be broken.")
	case p.Severity < Routine || p.Severity > Severe:
		return fault.Invalidf("%d is not a severity.", p.Severity)
	}
	if _, err := clock.Zone(p.Zone); err != nil {
		return fault.Invalidf("%q is not a time zone.", p.Zone)
	}
	return nil
}
