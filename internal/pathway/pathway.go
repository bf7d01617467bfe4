// Package pathway applies care pathways to people: FHIR PlanDefinitions, versioned, each person on the version she began with.
//
// Its promises: a definition is taken as a whole or refused with the element and the reason; a version never changes once it is here; applying again
// changes nothing; a new version reaches nobody until somebody moves her to it, and is told before what that changes; what a pathway asks of the
// person or of staff is promised on the ledger, and what has to be arranged is a need that the planner of journeys decides the way of.
//
// It never decides that something is medically right: that is the definition's, which clinicians write and load.
package pathway

import (
	"embed"
	"io/fs"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// Kind is the kind of promise that a step is done.
const Kind = "step"

// Ladders that follow a step: of the person, and of staff.
const (
	Ladder      = "step"
	StaffLadder = "step.staff"
)

// Definition is one version of a definition that is here.
type Definition struct {
	URL, Version, Kind, Title string            // Kind: PlanDefinition, ActivityDefinition, Questionnaire
	Titles                    map[string]string // in other languages
	Loaded                    time.Time         // zero: shipped
}

// Canonical answers url|version.
func (d Definition) Canonical() string { return d.URL + "|" + d.Version }

// Called answers the title in a language.
func (d Definition) Called(lang string) string {
	if t := d.Titles[lang]; t != "" {
		return t
	}
	return d.Title
}

// State of an episode.
type State string

const (
	Active State = "active"
	Ended  State = "ended"
)

// Episode is a person on a pathway.
type Episode struct {
	Org          person.OrgID
	Patient      person.ID
	ID           string
	URL, Version string // pinned
	Title        string
	Start, Until time.Time
	State        State
	By           person.ID
	Made, Ended  time.Time
}

// Canonical answers url|version.
func (e Episode) Canonical() string { return e.URL + "|" + e.Version }

// ActivityState is what became of an activity.
type ActivityState string

const (
	Open      ActivityState = "open"
	Done      ActivityState = "done"
	Missed    ActivityState = "missed"
	Withdrawn ActivityState = "withdrawn" // the pathway ended, or a newer version has it no longer
)

// Activity is one thing to be done, once.
type Activity struct {
	Episode    string
	ID         string
	Action     string // its place in the plan
	Nth        int    // of an action that recurs, from 0
	Part       string // of the pathway: title of the group around it
	Title      string
	Titles     map[string]string // in other languages
	Words      string
	Kind       string // of the request: Task, ServiceRequest, …
	Definition string
	Code       string // the first, system|code
	Performer  string
	Priority   string
	Must       bool
	From, By   time.Time
	Request    string // id of the request in the record
	State      ActivityState
	How        string    // in which way it was arranged, or is done
	Start      time.Time // when it was arranged for; zero: not yet
	Finished   time.Time
}

// Called answers the title in a language.
func (a Activity) Called(lang string) string {
	if t := a.Titles[lang]; t != "" {
		return t
	}
	return a.Title
}

// Arranged reports whether the way and time of an activity are for the planner of journeys to decide: somebody or something has to come, or the person
// has to go. The rest is a step of the person or of staff.
func (a Activity) Arranged() bool {
	switch a.Kind {
	case "ServiceRequest", "Appointment", "DeviceRequest", "SupplyRequest", "NutritionOrder":
		return true
	}
	return false
}

// Change is what a move to another version changes.
type Change struct {
	From, To  string     // versions
	Added     []Activity // that are new
	Moved     []Activity // with another time or title than before
	Withdrawn []Activity // open ones that there are no longer
	Kept      int        // as they were, or done already
}

// Most days that a pathway is worked out ahead, and that one lasts.
const (
	aheadDays = 60
	mostDays  = 2 * 366
	usualDays = 90
)

func validEpisode(start, until time.Time) error {
	switch {
	case start.IsZero():
		return fault.Invalidf("When does it begin? Please give a day.")
	case !until.After(start):
		return fault.Invalidf("The last day is before the first. Please choose the days again.")
	case until.Sub(start) > mostDays*24*time.Hour:
		return fault.Invalidf("A pathway lasts up to two years.")
	}
	return nil
}
