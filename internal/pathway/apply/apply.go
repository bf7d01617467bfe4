// Package apply turns a PlanDefinition into what is to be done for one person: FHIR's $apply (R4), pure.
//
// Its promises: a definition that it cannot follow is refused as a whole with the element and the reason, never half applied; the same definition,
// person and episode give the same activities with the same ids, so that applying again changes nothing; conditions and values are FHIRPath, and whatever is
// CQL is refused by name.
//
// Source: hl7.org/fhir/R4/plandefinition-operation-apply.html, activitydefinition-operation-apply.html.
package apply

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/fhir/path"
	"doorstep/internal/medication/timing"
)

// Bounds of a definition and of what it becomes.
const (
	maxDepth      = 8      // plans within plans
	maxActions    = 1000   // of all of them
	maxActivities = 20_000 // of one application
)

// Resolve answers the definition of a canonical address (url|version, or url alone for the newest), or nothing.
type Resolve func(canonical string) (json.RawMessage, bool)

// Input is what a plan is applied to.
type Input struct {
	Subject json.RawMessage            // the Patient
	Vars    map[string]json.RawMessage // further %names for expressions
	Episode string                     // names this application: the same one gives the same ids
	Start   time.Time                  // of the pathway: discharge, diagnosis, the day of the operation
	Until   time.Time                  // nothing that begins later is worked out
	Now     time.Time
	Person  timing.Person // whose clock days follow
}

// Activity is one thing to be done, once.
type Activity struct {
	ID         string // by plan, version, episode, place in the plan and occurrence
	Action     string // place in the plan: the ids of its actions, by "/"
	Group      string // title of the nearest action around it
	Title      string
	Titles     map[string]string // in other languages
	Words      string            // for the person, if the plan has any
	Kind       string            // Task, ServiceRequest, CommunicationRequest, …
	Definition string            // canonical of what it was made from; may be empty
	Codes      []fhir.Coding
	Performer  string // patient, related-person, practitioner, device; empty: nobody said
	Priority   string // routine, urgent, asap, stat
	From, By   time.Time
	Resource   string // id of its request
	Must       bool   // requiredBehavior: must
}

// Request is a resource that an action asks for.
type Request struct {
	Type, ID string
	Body     json.RawMessage
}

// Skip is an action that does not apply, and why.
type Skip struct{ Action, Why string }

// Result is what a plan becomes.
type Result struct {
	Activities []Activity
	Requests   []Request
	CarePlan   Request
	Skipped    []Skip
}

// Apply applies a plan to a person.
func (p *Plan) Apply(in Input) (Result, error) {
	a := &applying{Input: in, plan: p, done: map[*action]span{}}
	if in.Until.Before(in.Start) {
		return Result{}, fault.Invalidf("the plan's end lies before its start")
	}
	var subject struct{ ResourceType, ID, BirthDate string }
	if err := json.Unmarshal(in.Subject, &subject); err != nil || subject.ResourceType != "Patient" || subject.ID == "" {
		return Result{}, fault.Invalidf("the subject is no Patient with an id")
	}
	a.subject, a.born = subject.ID, subject.BirthDate
	first := span{in.Start, endOfDay(in.Start, in.Person.Zone)}
	if err := a.all(p.actions, first, nil, ""); err != nil {
		return Result{}, err
	}
	a.carePlan()
	return a.out, nil
}

// span is when something may be done.
type span struct{ from, by time.Time }

type applying struct {
	Input
	plan    *Plan
	subject string
	born    string
	out     Result
	done    map[*action]span
}

// all applies the actions of one level, those that others wait for first.
func (a *applying) all(list []*action, around span, trail []string, group string) error {
	list, err := a.chosen(list, trail)
	if err != nil {
		return err
	}
	for _, x := range inOrder(list) {
		if err := a.one(x, around, trail, group); err != nil {
			return err
		}
	}
	return nil
}

// inOrder sorts actions so that each comes after those that it is related to. Reading the plan has seen to it that there is such an order.
func inOrder(list []*action) []*action {
	var out []*action
	for len(out) < len(list) {
		before := len(out)
		for _, x := range list {
			waits := slices.ContainsFunc(x.related, func(r relation) bool {
				return slices.Contains(list, r.to) && !slices.Contains(out, r.to)
			})
			if !waits && !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
		if len(out) == before {
			return append(out, slices.DeleteFunc(slices.Clone(list), func(x *action) bool { return slices.Contains(out, x) })...)
		}
	}
	return out
}

// chosen answers the actions that apply; of a group of which one is to be done, the first.
func (a *applying) chosen(list []*action, trail []string) (out []*action, err error) {
	for _, x := range list {
		ok, err := a.applies(x)
		if err != nil {
			return nil, fault.Invalidf("%s: %s", x.where, err)
		}
		if !ok {
			a.out.Skipped = append(a.out.Skipped, Skip{strings.Join(append(slices.Clone(trail), x.id), "/"), "its condition does not hold"})
			continue
		}
		out = append(out, x)
	}
	return out, nil
}

func (a *applying) applies(x *action) (bool, error) {
	for _, c := range x.conditions {
		if ok, err := c.True(a.Subject, a.env(nil)); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (a *applying) env(resource json.RawMessage) path.Env {
	vars := map[string]json.RawMessage{"patient": a.Subject, "subject": a.Subject}
	for name, v := range a.Vars {
		vars[name] = v
	}
	if resource != nil {
		vars["draft"] = resource
	}
	now := a.Now
	if a.Person.Zone != nil {
		now = now.In(a.Person.Zone)
	}
	return path.Env{Now: now, Vars: vars}
}

// one applies an action: its group, or the thing that it asks for.
func (a *applying) one(x *action, around span, trail []string, group string) error {
	trail = append(slices.Clone(trail), x.id)
	when, occurrences, err := a.when(x, around)
	if err != nil {
		return fault.Invalidf("%s: %s", x.where, err)
	}
	a.done[x] = when
	if len(x.children) > 0 {
		children := x.children
		if x.selection == "exactly-one" || x.selection == "at-most-one" {
			some, err := a.chosen(children, trail)
			if err != nil {
				return err
			}
			for _, other := range some[min(1, len(some)):] {
				a.out.Skipped = append(a.out.Skipped, Skip{strings.Join(append(slices.Clone(trail), other.id), "/"), "another of its group is done"})
			}
			if len(some) == 0 && x.selection == "exactly-one" {
				return fault.Invalidf("%s: one of its actions has to be done, and none applies", x.where)
			}
			children = some[:min(1, len(some))]
		}
		return a.all(children, when, trail, x.title)
	}
	if x.plan != nil {
		return a.all(x.plan.actions, when, trail, x.title)
	}
	return a.ask(x, when, occurrences, trail, group)
}

// ask writes the request of an action and its activities.
func (a *applying) ask(x *action, when span, occurrences []span, trail []string, group string) error {
	place := strings.Join(trail, "/")
	r, err := a.request(x, place, when, len(occurrences) > 0)
	if err != nil {
		return fault.Invalidf("%s: %s", x.where, err)
	}
	a.out.Requests = append(a.out.Requests, r)
	if len(occurrences) == 0 && x.timing.repeat == nil {
		occurrences = []span{when}
	}
	d := x.describe()
	for i, s := range occurrences {
		if s.from.After(a.Until) {
			break
		}
		if len(a.out.Activities) >= maxActivities {
			return fault.New(fault.TooMuch, "the plan asks for more than %d things", maxActivities)
		}
		key := []string{"pathway", a.plan.Canonical(), a.Episode, place}
		if x.timing.repeat != nil {
			key = append(key, fmt.Sprint(i))
		}
		a.out.Activities = append(a.out.Activities, Activity{ID: clock.DerivedID(key...), Action: place, Group: group, Title: d.title, Titles: d.titles, Words: d.words, Kind: r.Type, Definition: x.definition, Codes: d.codes,
			Performer: d.performer, Priority: x.priority, From: s.from, By: s.by, Resource: r.ID, Must: x.must})
	}
	return nil
}
