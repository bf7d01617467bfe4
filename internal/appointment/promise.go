package appointment

import (
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

const (
	// Promised is the kind of the promises of visits.
	Promised = "visit"
	// Ladder is what goes before a visit: a question whether the person comes, reminders, and the desk when nobody has come.
	Ladder = "visit"
	// Quiet is the ladder of types that ask for no confirmation.
	Quiet = "visit.quiet"

	// ConfirmLead is how long before a visit the first rung of Ladder asks.
	ConfirmLead = 72 * time.Hour

	soon  = 12 * time.Hour   // so near a visit, what is said of it goes out at once
	grace = 30 * time.Minute // after its start by which a visit has begun, or the promise is broken
)

// party is who meets in an appointment.
type party struct {
	person.Person
	with  string   // the names of those who hold the visit
	names []string // of all that it takes
}

// partyOf puts together who meets.
func partyOf(p person.Person, list []Resource) *party {
	x := &party{Person: p, with: holders(list)}
	for _, r := range list {
		x.names = append(x.names, r.Name)
	}
	return x
}

// meet answers who meets in an appointment: as it was drawn up, else as the database has it.
func (s *Service) meet(tx *store.Tx, a Appointment) (*party, error) {
	if a.party != nil {
		return a.party, nil
	}
	p, err := s.people.Get(tx, a.Org, a.Patient)
	if err != nil {
		return nil, err
	}
	list, err := s.resourcesOf(tx, a)
	return partyOf(p, list), err
}

// resourcesOf answers what an appointment takes.
func (s *Service) resourcesOf(tx *store.Tx, a Appointment) ([]Resource, error) {
	return store.All(tx, resourceSelect+" WHERE org = $1 AND id IN (SELECT value FROM "+tx.List("$2")+" ids) ORDER BY kind, id",
		[]any{string(a.Org), asJSON(a.Resources)}, scanResource)
}

// holders answers the names of the clinicians among resources.
func holders(list []Resource) string {
	var names []string
	for _, r := range list {
		if r.Kind == Clinician {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, ", ")
}

// said are the arguments of every sentence about an appointment.
func (s *Service) said(tx *store.Tx, a Appointment) (map[string]string, error) {
	p, err := s.meet(tx, a)
	if err != nil {
		return nil, err
	}
	return map[string]string{"called": p.Called, "with": p.with, "way": "key:way." + string(a.Way), "time": a.Start.Format(time.RFC3339), "at": words.AtValue(a.Start, a.Zone)}, nil
}

// Who answers the name of the person who holds a visit; empty when no person does.
func (s *Service) Who(tx *store.Tx, a Appointment) (string, error) {
	list, err := s.resourcesOf(tx, a)
	return holders(list), err
}

// ladders are the newest of those that a visit can have.
type ladders struct {
	asking, quiet func() (promise.LadderRef, error)
}

// laddersLater answers them; they are there after the transaction's next call or Flush.
func (s *Service) laddersLater(tx *store.Tx, org person.OrgID) (x ladders, err error) {
	if x.asking, err = s.promises.LatestLater(tx, org, Ladder); err != nil {
		return x, err
	}
	x.quiet, err = s.promises.LatestLater(tx, org, Quiet)
	return x, err
}

// promise says to the person, in the ledger, that she will be seen.
func (s *Service) promise(tx *store.Tx, a Appointment, t Type) (string, error) {
	x := a.ladders
	if x.asking == nil {
		var err error
		if x, err = s.laddersLater(tx, a.Org); err == nil {
			err = tx.Flush()
		}
		if err != nil {
			return "", err
		}
	}
	latest := x.asking
	if t.Confirm == 0 {
		latest = x.quiet
	}
	ref, err := latest()
	if err != nil {
		return "", err
	}
	args, err := s.said(tx, a)
	if err != nil {
		return "", err
	}
	id := promise.ID(clock.DerivedID("visit", string(a.Org), string(a.ID), a.Start.Format(time.RFC3339)))
	_, err = s.promises.Make(tx, promise.Promise{Org: a.Org, Patient: a.Patient, ID: id, Kind: Promised, About: string(a.ID), Severity: promise.Watch, Say: "say.visit",
		Args: args, Keeper: promise.Keeper{Kind: "staff", Who: string(person.Clinician)}, From: a.Start, By: a.Start.Add(max(grace, a.End.Sub(a.Start))), Zone: a.Zone, Ladder: ref})
	return string(id), err
}

// unpromise takes the promise of a visit back, with the reason.
func (s *Service) unpromise(tx *store.Tx, v person.Viewer, a Appointment) error {
	if a.Promise == "" {
		return nil
	}
	p, err := s.promises.Get(tx, a.Org, a.Patient, promise.ID(a.Promise))
	if err != nil || p.State != promise.Open {
		return err
	}
	_, err = s.promises.Release(tx, v, a.Org, a.Patient, p.ID, a.Reason, false) // what the person is told says more than "taken back"
	return err
}

// keep gives the promise of a visit its evidence.
func (s *Service) keep(tx *store.Tx, a Appointment, e promise.Evidence) error {
	if a.Promise == "" {
		return nil
	}
	_, err := s.promises.Give(tx, a.Org, a.Patient, promise.ID(a.Promise), e)
	return err
}

// tell says something about an appointment to the person. What she did herself she has been answered, and her page shows it.
func (s *Service) tell(tx *store.Tx, v person.Viewer, a Appointment, say string, ask bool, more map[string]string) error {
	if v.Person == a.Patient && !ask {
		return nil
	}
	args, err := s.said(tx, a)
	if err != nil {
		return err
	}
	for k, value := range more {
		args[k] = value
	}
	d := message.Draft{Org: a.Org, Patient: a.Patient, To: "patient", At: s.clock.Now(), Key: say + "/" + string(a.ID) + "/" + a.Start.Format(time.RFC3339), Say: say, Args: args,
		Severity: message.Routine, Ask: ask, Useful: a.Start}
	if a.Start.Sub(d.At) < soon { // it cannot wait for the end of quiet hours
		d.Severity = message.Urgent
	}
	if a.Promise != "" && a.State == Booked {
		d.Promises = []string{a.Promise}
	} else { // there is nothing to answer: the page offers another time
		d.Page = "/visits"
	}
	return s.messages.Say(tx, d)
}

// confirmBooking says that a visit is booked.
func (s *Service) confirmBooking(tx *store.Tx, v person.Viewer, a Appointment, _ Type) error {
	switch {
	case a.Follows != "" && v.Role.Staff():
		return s.tell(tx, v, a, "visit.shifted", true, nil) // it was not she who chose: she can say no
	case v.Person == a.Patient:
		return nil // the page said it, and shows it
	case a.Follows != "":
		return s.tell(tx, v, a, "visit.moved", false, nil)
	}
	return s.tell(tx, v, a, "visit.booked", false, nil)
}

// askApproval puts a request on the desk's view.
func (s *Service) askApproval(tx *store.Tx, a Appointment, _ Type) error {
	args, err := s.said(tx, a)
	if err != nil {
		return err
	}
	return s.promises.OpenTask(tx, promise.TaskRow{Org: a.Org, Patient: a.Patient, ID: clock.DerivedID("approve", string(a.ID)), Kind: Promised, Role: person.Desk,
		Severity: promise.Watch, Say: "task.visit.approve", Args: args, Cause: "approve"})
}

// Reply takes a numbered answer to a question about a visit: 1 she comes, 2 she cannot. It answers what to thank with.
func (s *Service) Reply(tx *store.Tx, ans message.Answer, p promise.Promise) (string, map[string]string, error) {
	v := replier(ans)
	if err := s.people.May(tx, v, person.Act, ans.Patient); err != nil {
		return "", nil, err
	}
	a, err := s.own(tx, ans.Org, ans.Patient, ID(p.About))
	if err != nil {
		return "", nil, err
	}
	args, err := s.said(tx, a)
	if err != nil {
		return "", nil, err
	}
	switch {
	case a.State != Booked:
		return "closed", nil, nil
	case ans.Number == 1:
		return "thanks.coming", args, s.confirm(tx, v, a, ans.Source)
	default:
		a.Reason = ReasonPatient
		if _, err := s.cancel(tx, v, a); err != nil {
			return "", nil, err
		}
		return "thanks.cancelled", args, nil
	}
}

// Waits reports whether the question of a visit's promise still waits for an answer.
func (s *Service) Waits(tx *store.Tx, p promise.Promise) (bool, error) {
	if p.State != promise.Open || p.Kind == Offered {
		return p.State == promise.Open, nil
	}
	a, err := s.Get(tx, p.Org, ID(p.About))
	return err == nil && a.State == Booked && a.Confirmed.IsZero(), err
}

// Answerable reports whether a yes or a no to a visit's promise, or to an offer, still changes something: who has said yes may say no until
// it begins.
func (s *Service) Answerable(tx *store.Tx, p promise.Promise) (bool, error) {
	if p.State != promise.Open || p.Kind == Offered {
		return p.State == promise.Open, nil
	}
	a, err := s.Get(tx, p.Org, ID(p.About))
	return err == nil && a.State == Booked && a.Start.After(s.clock.Now()), err
}

// confirm writes down that the person comes. The promise stays open: it is kept when she is seen.
func (s *Service) confirm(tx *store.Tx, v person.Viewer, a Appointment, source string) error {
	if !a.Confirmed.IsZero() {
		return nil
	}
	a.Confirmed = s.clock.Now()
	if a.Promise != "" {
		if _, err := s.promises.Note(tx, a.Org, a.Patient, promise.ID(a.Promise), promise.Evidence{Kind: "word", At: a.Confirmed, Source: source, By: string(v.Person), Note: "confirmed"}); err != nil {
			return err
		}
	}
	return s.put(tx, a)
}

// Ladders are those that every organization begins with.
func Ladders() []promise.Ladder {
	hours := func(n float64) promise.Duration { return promise.Duration(n * float64(time.Hour)) }
	quiet := []promise.Rung{
		{After: hours(-24), Do: promise.Tell, To: "patient", Say: "visit.soon", Useful: hours(20)},
		{After: hours(-2), Do: promise.Tell, To: "patient", Say: "visit.today", Useful: hours(1.5)},
		{After: hours(0.25), Do: promise.Task, To: "role:desk", Say: "visit.late", Unless: promise.Shown},
	}
	asking := slices.Clone(quiet)
	asking[0].Say, asking[0].Ask = "visit.again", true
	asking = append([]promise.Rung{{After: hours(-ConfirmLead.Hours()), Do: promise.Tell, To: "patient", Say: "visit.confirm", Useful: hours(24), Ask: true}}, asking...)
	offer := []promise.Rung{{Do: promise.Tell, To: "patient", Say: "offer", Useful: hours(0.25), Ask: true}}
	return []promise.Ladder{{Name: Ladder, Version: 1, Rungs: asking}, {Name: Quiet, Version: 1, Rungs: quiet}, {Name: OfferLadder, Version: 1, Rungs: offer}}
}
