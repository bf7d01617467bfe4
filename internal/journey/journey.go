// Package journey plans everything that a person has to do for her care and her life at home, so that it burdens her least: what can come home
// comes home, what cannot is bundled into few trips, and each thing says why it is done the way it is.
//
// Its promises: there is one list of needs per person, whatever asked for them; a way that was not possible is kept with its reason; what was
// promised moves only for a reason, and she is asked; a booking, its promise and its place on a trip are one transaction; a round trip is one
// row, so that no way back is left without its way there; what goes with a trip moves with it, or a person is told exactly what failed; and what
// it burdens is counted, beside a counterfactual that is stated.
//
// It never decides what is clinically right: the ways of a need are a catalog that staff edit, and some ways only a clinician allows.
package journey

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// ID names a need.
type ID string

// Requirement is what doing a need takes, which not every way can give.
type Requirement string

const (
	Hands     Requirement = "hands"      // somebody has to touch or examine
	Imaging   Requirement = "imaging"    // a machine that takes pictures
	Blood     Requirement = "blood"      // blood is drawn
	Signature Requirement = "signature"  // somebody has to sign for it, or prove who she is
	ColdChain Requirement = "cold_chain" // it has to be kept cool on the way
)

// Requirements are all of them.
var Requirements = []Requirement{Hands, Imaging, Blood, Signature, ColdChain}

// Decider is who may decide the way in which a need is met.
type Decider string

const (
	ByPatient   Decider = "patient"
	ByClinician Decider = "clinician"
	ByDesk      Decider = "desk"
)

// Deciders are all of them.
var Deciders = []Decider{ByPatient, ByClinician, ByDesk}

// Sources of needs that this room knows; others may name themselves.
const (
	FromPatient = "patient" // she added it, or her family did
	FromStaff   = "staff"
	FromOrder   = "order"  // a ServiceRequest of the record
	FromRefill  = "refill" // a medicine that runs out
)

// Need is one thing to be done, before it is decided where and how.
type Need struct {
	Org      person.OrgID  `json:"-"`
	Patient  person.ID     `json:"-"`
	ID       ID            `json:"id"`
	Kind     string        `json:"kind"`            // of the catalog
	Source   string        `json:"source"`          // who asked for it
	Ref      string        `json:"ref,omitempty"`   // the source's own id of it
	Words    string        `json:"words,omitempty"` // as it was asked for; shown to her and to who looks after her, never sent
	From     time.Time     `json:"from"`            // not before
	By       time.Time     `json:"by"`              // done by
	Every    int           `json:"every,omitempty"` // days until it comes again; 0: once
	Until    time.Time     `json:"until,omitzero"`  // of a need that comes again: not after; zero: no end
	Minutes  int           `json:"minutes"`         // 0: as usual for its kind
	Requires []Requirement `json:"requires"`        // besides what its kind requires
	Decides  Decider       `json:"decides"`         // empty: as usual for its kind
	Allowed  []string      `json:"allowed"`         // ways that whoever decides has allowed; empty: those that need no leave
	Type     string        `json:"type,omitempty"`  // of the visit, for ways that are booked; empty: as usual for its kind
	After    []ID          `json:"after,omitempty"` // needs that have to be done before it
	Clinical bool          `json:"clinical"`        // it is due for her health: it may not be missed
	State    State         `json:"state"`           //
	Made     time.Time     `json:"made"`            //
	Adder    person.ID     `json:"made_by,omitempty"`
}

// State of a need.
type State string

const (
	Open    State = "open"
	Done    State = "done"
	Dropped State = "dropped" // taken back by who asked for it
)

// Bounds of what is kept for one person.
const (
	wordsMost = 200
	// Ahead is how many days a plan looks ahead.
	Ahead     = 28
	needsMost = 60 // open needs of a person
)

// Validate says what is wrong with a need.
func (n Need) Validate() error {
	switch {
	case n.Org == "" || n.Patient == "" || n.Kind == "" || n.Source == "":
		return fault.Invalidf("A need names its person, its kind and who asks for it.")
	case n.From.IsZero() || !n.From.Before(n.By):
		return fault.Invalidf("The last day is before the first. Please choose the days again.")
	case n.By.Sub(n.From) > 400*24*time.Hour:
		return fault.Invalidf("That is too far ahead. Please choose a sooner last day.")
	case len(n.Words) > wordsMost:
		return fault.Invalidf("Please say it in fewer words (%d letters at most).", wordsMost)
	case strings.ContainsAny(n.Words, "\r\n"):
		return fault.Invalidf("Please say it in one line.")
	case n.Minutes < 0 || n.Minutes > 12*60:
		return fault.Invalidf("A need takes up to 12 hours.")
	case n.Every < 0 || n.Every > 366:
		return fault.Invalidf("A need comes again after 1 to 366 days.")
	case n.Decides != "" && !slices.Contains(Deciders, n.Decides):
		return fault.Invalidf("%q cannot decide (patient, clinician, desk).", n.Decides)
	}
	for _, r := range n.Requires {
		if !slices.Contains(Requirements, r) {
			return fault.Invalidf("%q is not a requirement (hands, imaging, blood, signature, cold_chain).", r)
		}
	}
	return nil
}

// Times answers when the need occurs within [from, to), as windows in order: once, or again every Every days. The window of one that comes again is as
// long as its first, and no longer than the days between two.
func (n Need) Times(from, to time.Time) []Window {
	if n.Every == 0 {
		if n.By.After(from) && n.From.Before(to) {
			return []Window{{n.From, n.By}}
		}
		return nil
	}
	every := time.Duration(n.Every) * 24 * time.Hour
	long := min(n.By.Sub(n.From), every)
	first := 0
	if from.After(n.From) {
		first = int(from.Sub(n.From)/every) - 1
	}
	var out []Window
	for i := max(0, first); ; i++ {
		w := Window{From: n.From.AddDate(0, 0, i*n.Every)}
		w.By = w.From.Add(long)
		if !w.From.Before(to) || !n.Until.IsZero() && w.From.After(n.Until) {
			return out
		}
		if w.By.After(from) {
			out = append(out, w)
		}
	}
}

// Window is when an occurrence of a need is to be done.
type Window struct{ From, By time.Time }

// occurrence names one time of a need: the need's id and, where it comes again, the first day of the window (UTC).
func (n Need) occurrence(w Window) string {
	if n.Every == 0 {
		return string(n.ID)
	}
	return string(n.ID) + "@" + w.From.UTC().Format(time.DateOnly)
}
