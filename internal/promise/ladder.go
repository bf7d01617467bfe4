package promise

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
)

// LadderRef names one version of a ladder. A version never changes; a promise keeps the one it was made with.
type LadderRef struct {
	Name    string
	Version int
}

// Ladder is what happens as time passes without evidence. It is data.
type Ladder struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Rungs   []Rung `json:"rungs"` // in order of After; the fall (broken) comes after the last, at the promise's By
}

// Rung is one step.
type Rung struct {
	After    Duration         `json:"after"`              // since the promise's From; before it when negative
	Do       Deed             `json:"do"`                 //
	To       string           `json:"to"`                 // patient, caregivers, role:nurse, role:desk, next:nurse, person:ID
	Say      string           `json:"say"`                // catalog key of what is said
	Channels []person.Channel `json:"channels,omitempty"` // in order; empty: the person's own order
	Severity *Severity        `json:"severity,omitempty"` // of the effect; nil: the promise's
	Useful   Duration         `json:"useful,omitempty"`   // climbed later than this it is skipped and logged; 0: always useful
	Ask      bool             `json:"ask,omitempty"`      // a question with numbered answers
	Unless   Unless           `json:"unless,omitempty"`   // makes the rung needless: it is skipped and logged
}

// Unless is what makes a rung needless.
type Unless string

// Taken is that somebody has acknowledged a task of the promise: has taken it or put it aside.
const Taken Unless = "taken"

// Shown is that there is evidence of the promise already, though not of the kind that keeps it: the person has arrived.
const Shown Unless = "shown"

// beforeMost is how long before a promise is due its first rung may be.
const beforeMost = Duration(30 * 24 * time.Hour)

// Deed is what a rung does.
type Deed string

const (
	Tell  Deed = "tell"  // a message to a person
	Light Deed = "light" // a cue on a device
	Task  Deed = "task"  // a task for a role, on the desk's risk view
	Page  Deed = "page"  // a task, and an urgent message to whoever is on duty
)

// Duration is a time.Duration written as text ("90m") in JSON.
type Duration time.Duration

func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}

// Validate says what is wrong with a ladder.
func (l Ladder) Validate() error {
	if l.Name == "" || l.Version < 1 {
		return fault.Invalidf("A ladder needs a name and a version of at least 1.")
	}
	if len(l.Rungs) > 20 {
		return fault.Invalidf("A ladder has at most 20 rungs.")
	}
	if !slices.IsSortedFunc(l.Rungs, func(a, b Rung) int { return int(a.After - b.After) }) {
		return fault.Invalidf("The rungs of ladder %q are not in order of time.", l.Name)
	}
	for i, r := range l.Rungs {
		if err := r.validate(); err != nil {
			return fault.Invalidf("Rung %d of ladder %q: %s", i, l.Name, err)
		}
	}
	return nil
}

func (r Rung) validate() error {
	switch r.Do {
	case Tell, Light, Task, Page:
	default:
		return fmt.Errorf("%q is not a deed (tell, light, task, page)", r.Do)
	}
	to, who, named := strings.Cut(r.To, ":")
	switch {
	case to == "patient" || to == "caregivers":
	case (to == "role" || to == "next" || to == "person") && named && who != "":
	default:
		return fmt.Errorf("%q is nobody (patient, caregivers, role:…, next:…, person:…)", r.To)
	}
	if (r.Do == Task || r.Do == Page) && !named {
		return fmt.Errorf("a task is for a role or a person of the staff")
	}
	if r.Unless != "" && r.Unless != Taken && r.Unless != Shown {
		return fmt.Errorf("%q does not make a rung needless (taken, shown)", r.Unless)
	}
	if r.Say == "" || r.After < -beforeMost || r.Useful < 0 {
		return fmt.Errorf("it needs a sentence, a time at most 30 days before the promise is due, and a use that is not negative")
	}
	return nil
}

// severity answers the severity of a rung's effect.
func (r Rung) severity(p Severity) Severity {
	if r.Severity != nil {
		return *r.Severity
	}
	return p
}

// At answers when a rung of a promise is due; the rung past the last is the fall, at By.
func (l Ladder) At(rung int, from, by time.Time) time.Time {
	if rung < len(l.Rungs) {
		if at := from.Add(time.Duration(l.Rungs[rung].After)); at.Before(by) {
			return at
		}
	}
	return by
}
