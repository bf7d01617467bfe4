package waiting

import (
	"context"
	"slices"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

const (
	opens   = 2 * time.Hour // before her time from which somebody can check in
	missed  = 3 * time.Hour // after it until which she can
	awayMax = 180           // minutes
)

// Arrival is how somebody comes.
type Arrival struct {
	By    By
	Waits Spot // zero: here
	Away  int  // minutes that she needs to come in when she waits elsewhere
}

func (a *Arrival) check() error {
	if a.Waits == "" {
		a.Waits = Here
	}
	switch {
	case !slices.Contains(Spots, a.Waits):
		return fault.Invalidf("Where do you wait: here, in the car, or at home?")
	case a.Away < 0 || a.Away > awayMax:
		return fault.Invalidf("The way in takes from 0 to %d minutes.", awayMax)
	}
	if a.Waits == Here {
		a.Away = 0
	}
	return nil
}

// CanCheckIn reports whether a visit is so near that the person can check in.
func (s *Service) CanCheckIn(v Visit) bool {
	now := s.clock.Now()
	return v.Booked && (v.Comes || v.Remote) && now.After(v.Start.Add(-opens)) && now.Before(v.Start.Add(missed))
}

// CheckIn writes down that a person is there for her visit. Done twice, it is done once; where she waits can be said again.
func (s *Service) CheckIn(ctx context.Context, v person.Viewer, org person.OrgID, visit string, a Arrival) (Stay, error) {
	var b Visit
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) { b, err = s.visits.Visit(tx, org, visit); return err }); err != nil {
		return Stay{}, err
	}
	if err := s.people.Enter(ctx, v, person.Act, b.Patient, "check in"); err != nil {
		return Stay{}, err
	}
	var x Stay
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) { x, err = s.CheckInTx(tx, v, org, visit, a); return err })
	return x, err
}

// CheckInTx is CheckIn for callers who have asked whether the viewer may.
func (s *Service) CheckInTx(tx *store.Tx, v person.Viewer, org person.OrgID, visit string, a Arrival) (Stay, error) {
	if err := a.check(); err != nil {
		return Stay{}, err
	}
	b, err := s.visits.Visit(tx, org, visit)
	if err != nil {
		return Stay{}, err
	}
	if x, ok, err := s.OfVisit(tx, org, visit); err != nil || ok {
		if err == nil && x.State == Waiting && a.By != ByText && (x.Waits != a.Waits || x.Away != a.Away) {
			x.Waits, x.Away = a.Waits, a.Away
			err = s.put(tx, x)
		}
		return x, err
	}
	switch {
	case !b.Booked:
		return Stay{}, fault.Conflictf("That visit is not booked any more. Please ask at the desk.")
	case !b.Comes && !b.Remote:
		return Stay{}, fault.Invalidf("For this visit we come to you, or call you. There is no need to check in.")
	case !s.CanCheckIn(b):
		return Stay{}, fault.Invalidf("You can check in from two hours before your visit. If its time has passed, please ask at the desk.")
	}
	if b.Remote {
		a.Waits, a.Away = AtHome, 0
	}
	now := s.clock.Now()
	x := Stay{Org: org, Patient: b.Patient, ID: ID(s.ids.New()), Place: b.Place, Visit: b.ID, Type: b.Type, Plan: int(b.End.Sub(b.Start) / time.Minute), Kind: Booked, Who: b.Who,
		State: Waiting, By: a.By, Waits: a.Waits, Away: a.Away, Start: b.Start, Arrived: now}
	if err := s.visits.Arrive(tx, v, org, visit); err != nil {
		return x, err
	}
	return s.admit(tx, v, x)
}

// WalkingIn is somebody who comes without an appointment.
type WalkingIn struct {
	Patient person.ID
	Place   string
	Type    string // of visit
	Who     string // empty: whoever is free
	Urgent  bool
	Reason  string // of the urgency
	Arrival
}

// WalkIn writes down that somebody has come without an appointment. Staff only: whoever asked whether they may see the patient.
func (s *Service) WalkIn(tx *store.Tx, v person.Viewer, w WalkingIn) (Stay, error) {
	if err := w.check(); err != nil {
		return Stay{}, err
	}
	w.Reason = strings.TrimSpace(w.Reason)
	switch {
	case !v.Role.Staff():
		return Stay{}, fault.Deniedf("Please ask at the desk.")
	case w.Urgent && w.Reason == "":
		return Stay{}, fault.Invalidf("Why is it urgent? Others wait longer for it.")
	case len(w.Reason) > 300:
		return Stay{}, fault.Invalidf("Please say it in fewer words (%d letters at most).", 300)
	}
	places, err := s.people.Places(tx, v.Org)
	if err != nil {
		return Stay{}, err
	}
	if !slices.ContainsFunc(places, func(p person.Place) bool { return p.ID == w.Place }) {
		return Stay{}, fault.NotFoundf("There is no such place.")
	}
	if x, ok, err := s.Current(tx, v.Org, w.Patient); err != nil || ok {
		if ok {
			err = fault.Conflictf("This person is on the board already.")
		}
		return x, err
	}
	plan, err := s.visits.Plan(tx, v.Org, w.Type)
	if err != nil {
		return Stay{}, err
	}
	now := s.clock.Now()
	x := Stay{Org: v.Org, Patient: w.Patient, ID: ID(s.ids.New()), Place: w.Place, Type: w.Type, Plan: plan, Kind: WalkIn, Who: w.Who, State: Waiting, By: w.By, Waits: w.Waits, Away: w.Away,
		Start: now, Arrived: now}
	if w.Urgent {
		x.Kind, x.Reason = Urgent, w.Reason
	}
	return s.admit(tx, v, x)
}

// admit puts a new stay on the board with what she is told at once.
func (s *Service) admit(tx *store.Tx, v person.Viewer, x Stay) (Stay, error) {
	if err := s.put(tx, x); err != nil {
		return x, err
	}
	l, err := s.load(tx, x.Org, x.Place)
	if err != nil {
		return x, err
	}
	l.tell(&x)
	if err := s.put(tx, x); err != nil {
		return x, err
	}
	return x, s.people.Audit(tx, v, x.Patient, "waiting", "checked in "+string(x.ID))
}
