package medication

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Support is how a patient is supported with doses, as one version of a plan. A dose climbs the ladder of the plan that held when it
// was promised.
type Support struct {
	Org          person.OrgID      `json:"-"`
	Patient      person.ID         `json:"-"`
	Version      int               `json:"-"`                      // 0: nobody has made one, and the organization's ladders hold
	Usual        []Step            `json:"usual,omitempty"`        // of every dose; empty: the organization's ladder
	Critical     []Step            `json:"critical,omitempty"`     // of doses with a critical medicine; empty: the organization's ladder
	Own          map[string][]Step `json:"own,omitempty"`          // by regimen, where a medicine has its own
	Instructions string            `json:"instructions,omitempty"` // what the patient does when nobody comes, in the words agreed with her
	Comparison   string            `json:"comparison,omitempty"`   // that set the steps; empty: staff did
	By           person.ID         `json:"-"`
	Made         time.Time         `json:"-"`
}

// Step is one thing that is done while nobody has heard of a dose.
type Step struct {
	After    int              `json:"after"` // minutes after the dose is due
	Do       Help             `json:"do"`
	Channels []person.Channel `json:"channels,omitempty"` // of a reminder, in order; empty: the person's own order
}

// Help is what a step does.
type Help string

const (
	Light  Help = "light"  // on the pill box
	Remind Help = "remind" // the patient, with a question
	Family Help = "family" // caregivers who may see are told
	Desk   Help = "desk"   // the front desk looks into it
	Nurse  Help = "nurse"  // a nurse does
)

// Helps are all of them, in the order in which they usually come.
var Helps = []Help{Light, Remind, Family, Desk, Nurse}

const (
	stepsMost       = 8
	stepLatest      = 110 // minutes: before the dose is missed
	instructionMost = 1000
)

// channels that a reminder may be sent by.
var reminderChannels = []person.Channel{person.SMS, person.Push, person.Mail}

func validSteps(steps []Step) error {
	if len(steps) > stepsMost {
		return fault.Invalidf("Please keep it to %d steps.", stepsMost)
	}
	for i, x := range steps {
		switch {
		case !slices.Contains(Helps, x.Do):
			return fault.Invalidf("steps: %q is not something that we do.", x.Do)
		case x.After < 0 || x.After > stepLatest:
			return fault.Invalidf("Each step must come within %d minutes.", stepLatest)
		case i > 0 && x.After < steps[i-1].After:
			return fault.Invalidf("Please put the steps in order of time.")
		case len(x.Channels) > 0 && x.Do != Remind:
			return fault.Invalidf("steps: only a reminder has channels.")
		}
		for _, c := range x.Channels {
			if !slices.Contains(reminderChannels, c) {
				return fault.Invalidf("steps: %q is not a channel for reminders.", c)
			}
		}
		for _, y := range steps[:i] {
			if x.Do != Remind && x.Do == y.Do || x.Do == Remind && y.Do == Remind && x.After == y.After {
				return fault.Invalidf("Please name each step once.")
			}
		}
	}
	return nil
}

func (s Support) validate() error {
	if len([]rune(s.Instructions)) > instructionMost {
		return fault.Invalidf("Please keep the instructions under %d letters.", instructionMost)
	}
	for _, list := range append([][]Step{s.Usual, s.Critical}, slices.Collect(maps.Values(s.Own))...) {
		if err := validSteps(list); err != nil {
			return err
		}
	}
	return nil
}

// ladderOf turns steps into a ladder. Its name follows from what is in it, so that all plans with the same steps share one.
func ladderOf(steps []Step) promise.Ladder {
	minutes := func(n int) promise.Duration { return promise.Duration(time.Duration(n) * time.Minute) }
	var l promise.Ladder
	for _, x := range steps {
		r := promise.Rung{After: minutes(x.After), Say: "dose"}
		switch x.Do {
		case Light:
			r.Do, r.To, r.Useful = promise.Light, "patient", minutes(30)
		case Remind:
			r.Do, r.To, r.Useful, r.Ask, r.Channels = promise.Tell, "patient", minutes(60), true, x.Channels
		case Family:
			r.Do, r.To, r.Say = promise.Tell, "caregivers", "dose.caregiver"
		case Desk:
			r.Do, r.To = promise.Task, "role:desk"
		case Nurse:
			r.Do, r.To = promise.Task, "role:nurse"
		}
		l.Rungs = append(l.Rungs, r)
	}
	text, _ := json.Marshal(l.Rungs) // plain fields: it cannot fail
	l.Name, l.Version = "support."+clock.DerivedID("support", string(text)), 1
	return l
}

// StepsOf reads a ladder's rungs as steps, as far as they are ours.
func StepsOf(l promise.Ladder) (out []Step) {
	for _, r := range l.Rungs {
		x := Step{After: int(time.Duration(r.After) / time.Minute), Channels: r.Channels}
		switch {
		case r.Do == promise.Light:
			x.Do = Light
		case r.Do == promise.Tell && r.To == "patient":
			x.Do = Remind
		case r.Do == promise.Tell && r.To == "caregivers":
			x.Do = Family
		case r.To == "role:desk":
			x.Do = Desk
		case r.To == "role:nurse":
			x.Do = Nurse
		default:
			continue
		}
		out = append(out, x)
	}
	return out
}

// SetSupport makes a new version of a patient's plan. Doses that are still to come are promised by it; those under way keep theirs.
func (s *Service) SetSupport(tx *store.Tx, v person.Viewer, sup Support) (Support, error) {
	sup.Instructions = strings.TrimSpace(sup.Instructions)
	if err := sup.validate(); err != nil {
		return sup, err
	}
	regimens, err := s.Regimens(tx, sup.Org, sup.Patient)
	if err != nil {
		return sup, err
	}
	for id := range sup.Own {
		if !slices.ContainsFunc(regimens, func(r Regimen) bool { return r.ID == id }) {
			return sup, fault.NotFoundf("There is no such medicine.")
		}
	}
	had, err := s.SupportOf(tx, sup.Org, sup.Patient)
	if err != nil {
		return sup, err
	}
	sup.Version, sup.By, sup.Made = had.Version+1, v.Person, s.clock.Now()
	doc, err := json.Marshal(sup)
	if err != nil {
		return sup, err
	}
	if _, err := tx.Exec("INSERT INTO support (org, shard, patient, version, doc, by_person, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		string(sup.Org), person.Shard(sup.Patient), string(sup.Patient), sup.Version, string(doc), string(sup.By), store.Micros(sup.Made)); err != nil {
		return sup, err
	}
	tx.Hint("patient", string(sup.Org)+"/"+string(sup.Patient))
	return sup, s.replan(tx, sup.Org, sup.Patient)
}

// SupportOf answers a patient's plan as it holds now.
func (s *Service) SupportOf(tx *store.Tx, org person.OrgID, patient person.ID) (Support, error) {
	list, err := s.supports(tx, org, patient, 1)
	if err != nil || len(list) == 0 {
		return Support{Org: org, Patient: patient}, err
	}
	return list[0], nil
}

// SupportHistory answers the versions of a patient's plan, the newest first, at most n.
func (s *Service) SupportHistory(tx *store.Tx, org person.OrgID, patient person.ID, n int) ([]Support, error) {
	return s.supports(tx, org, patient, n)
}

func (s *Service) supports(tx *store.Tx, org person.OrgID, patient person.ID, n int) ([]Support, error) {
	return store.All(tx, "SELECT version, doc, by_person, made_at FROM support WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY version DESC LIMIT $4",
		[]any{string(org), person.Shard(patient), string(patient), n}, func(scan func(...any) error) (sup Support, err error) {
			var doc string
			var made int64
			if err := scan(&sup.Version, &doc, &sup.By, &made); err != nil {
				return sup, err
			}
			sup.Org, sup.Patient, sup.Made = org, patient, store.Time(made)
			return sup, json.Unmarshal([]byte(doc), &sup)
		})
}

// Ladders answers the steps that a patient's usual and critical doses climb: those of the plan, else of the organization's ladders.
func (s *Service) Ladders(tx *store.Tx, sup Support) (usual, critical []Step, err error) {
	for _, x := range []struct {
		own  []Step
		name string
		to   *[]Step
	}{{sup.Usual, Ladder, &usual}, {sup.Critical, CriticalLadder, &critical}} {
		if *x.to = x.own; len(x.own) > 0 {
			continue
		}
		l, err := s.promises.Newest(tx, sup.Org, x.name)
		if err != nil {
			return nil, nil, err
		}
		*x.to = StepsOf(l)
	}
	return usual, critical, nil
}

// climbing finds the ladder of each dose of one patient.
type climbing struct {
	s    *Service
	tx   *store.Tx
	sup  Support
	refs map[string]promise.LadderRef // the organization's, by name
}

func (s *Service) climbing(tx *store.Tx, org person.OrgID, patient person.ID) (*climbing, error) {
	sup, err := s.SupportOf(tx, org, patient)
	return &climbing{s: s, tx: tx, sup: sup, refs: map[string]promise.LadderRef{}}, err
}

// of answers a dose's ladder: that of its medicines for which a person steps in first.
func (c *climbing) of(d planned) (promise.LadderRef, error) {
	var best []Step
	found := false
	take := func(steps []Step) {
		if len(steps) > 0 && (!found || sooner(steps, best)) {
			best, found = steps, true
		}
	}
	for i, x := range d.items {
		switch own := c.sup.Own[x.Regimen]; {
		case len(own) > 0:
			take(own)
		case d.criticals[i]:
			take(c.sup.Critical)
		default:
			take(c.sup.Usual)
		}
	}
	if !found || d.critical && len(c.sup.Critical) == 0 && !c.allOwn(d) {
		return c.named(d.critical)
	}
	l := ladderOf(best)
	return promise.LadderRef{Name: l.Name, Version: l.Version}, c.s.promises.SaveLadder(c.tx, c.sup.Org, l)
}

// allOwn tells whether each critical medicine of a dose has steps of its own.
func (c *climbing) allOwn(d planned) bool {
	for i, x := range d.items {
		if d.criticals[i] && len(c.sup.Own[x.Regimen]) == 0 {
			return false
		}
	}
	return true
}

// named answers the organization's own ladder.
func (c *climbing) named(critical bool) (promise.LadderRef, error) {
	name := Ladder
	if critical {
		name = CriticalLadder
	}
	if ref, ok := c.refs[name]; ok {
		return ref, nil
	}
	ref, err := c.s.promises.Latest(c.tx, c.sup.Org, name)
	c.refs[name] = ref
	return ref, err
}

// sooner tells whether a person steps in sooner by a than by b; of two that are alike, the one with more steps.
func sooner(a, b []Step) bool {
	x, y := personAfter(a), personAfter(b)
	return x < y || x == y && len(a) > len(b)
}

// personAfter answers after how many minutes a person steps in; past the dose's window when none does.
func personAfter(steps []Step) int {
	for _, x := range steps {
		if x.Do == Family || x.Do == Desk || x.Do == Nurse {
			return x.After
		}
	}
	return stepLatest + 1
}
