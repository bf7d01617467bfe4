package appointment

import (
	"context"
	"slices"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Request is what somebody asks to book. Resources are those of an option that Find answered.
type Request struct {
	Org       person.OrgID
	Patient   person.ID
	Type      string
	Way       Way
	Place     string
	Start     time.Time
	Resources []string
	Words     string    // what the person needs; may be empty
	Asked     time.Time // when the person first asked; zero: now
	Hold      bool      // keep the time for HoldFor while the person decides
	Outside   bool      // staff only: outside the hours of who or what is booked; never over another visit
	Follows   ID        // the appointment that this one takes the place of, which is given back in the same transaction
	offered   bool      // from the waitlist: neither the lead nor an approval is asked for
}

// wordsMost bounds what a person writes about her need.
const wordsMost = 2000

// Book gives a person a time, or keeps it for her when Hold is set. It answers ErrTaken when somebody was faster.
func (s *Service) Book(ctx context.Context, v person.Viewer, r Request) (Appointment, error) {
	var a Appointment
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
		if err := s.people.May(tx, v, person.Act, r.Patient); err != nil {
			return err
		}
		a, err = s.BookIn(tx, v, r) // which writes the audit
		return err
	})
	if fault.Is(err, fault.Denied) {
		if refused := s.people.Enter(ctx, v, person.Act, r.Patient, "book a visit"); refused != nil {
			return Appointment{}, refused
		}
	}
	return a, err
}

// BookIn is Book inside a caller's transaction, which has seen to the viewer's right to act for the patient.
func (s *Service) BookIn(tx *store.Tx, v person.Viewer, r Request) (Appointment, error) {
	a, t, o, err := s.drawUp(tx, v, r)
	if err != nil {
		return a, err
	}
	var old Appointment
	if r.Follows != "" {
		if old, err = s.own(tx, r.Org, r.Patient, r.Follows); err != nil {
			return a, err
		}
		a.Asked = old.Asked
		if t.asks(v) && !r.Hold && !r.offered {
			err = s.askMove(tx, v, a)
		} else {
			err = s.giveUp(tx, v, &old, a.ID) // first: the new time may overlap the old
		}
		if err != nil {
			return a, err
		}
	}
	if t.asks(v) && !r.Hold && !r.offered {
		a.State = Proposed
	} else if err := s.claimLater(tx, a, o, r.Outside); err != nil {
		return a, err
	}
	return s.settle(tx, v, a, t)
}

// asks reports whether what a viewer books of the type is a request until staff say yes.
func (t Type) asks(v person.Viewer) bool { return t.Approve && !v.Role.Staff() }

// askMove sees to a request to move a visit: the visit stays until staff say yes, and an earlier request to move it is over.
func (s *Service) askMove(tx *store.Tx, v person.Viewer, a Appointment) error {
	list, err := store.All(tx, appointmentSelect+" WHERE org = $1 AND patient = $2 AND follows = $3 AND state = 'proposed'", []any{string(a.Org), string(a.Patient), string(a.Follows)}, scanAppointment)
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.ID == a.ID {
			continue
		}
		x.State, x.Closed, x.Reason = Cancelled, s.clock.Now(), ReasonMoved
		if err := s.end(tx, v, x, false); err != nil {
			return err
		}
	}
	return nil
}

// giveUp ends a visit whose place another takes; its time is offered to those who wait.
func (s *Service) giveUp(tx *store.Tx, v person.Viewer, old *Appointment, by ID) error {
	if !old.State.Live() || old.State == Arrived {
		return fault.Conflictf("That visit can no longer be moved. Please call us.")
	}
	free, err := s.release(tx, *old)
	if err != nil {
		return err
	}
	was := old.State
	old.State, old.Closed, old.Reason = Cancelled, s.clock.Now(), ReasonMoved
	if err := s.follow(tx, old.Org, old.Patient, old.ID, by); err != nil {
		return err
	}
	if err := s.end(tx, v, *old, false); err != nil || was != Booked || !free {
		return err
	}
	return s.free(tx, *old)
}

// follow keeps a place on the waitlist true: whoever wanted a time sooner than one visit wants one sooner than the visit that took its
// place; empty: she has none any more.
func (s *Service) follow(tx *store.Tx, org person.OrgID, patient person.ID, old, now ID) error {
	_, err := tx.Exec("UPDATE wait_entry SET has = $4 WHERE org = $1 AND patient = $2 AND has = $3 AND state = 'waiting'", string(org), string(patient), string(old), string(now))
	return err
}

// settle makes what follows from an appointment's new state: the promise, the entry in the record, the row.
func (s *Service) settle(tx *store.Tx, v person.Viewer, a Appointment, t Type) (Appointment, error) {
	var err error
	if a.State == Booked {
		if a.Promise, err = s.promise(tx, a, t); err != nil {
			return a, err
		}
		if err := s.confirmBooking(tx, v, a, t); err != nil {
			return a, err
		}
	}
	if a.State == Proposed {
		if err := s.askApproval(tx, a, t); err != nil {
			return a, err
		}
	}
	if err := s.put(tx, a); err != nil {
		return a, err
	}
	if a.State != Held {
		if err := s.publish(tx, a, t); err != nil {
			return a, err
		}
	}
	return a, s.people.Audit(tx, v, a.Patient, "visit", string(a.State)+" "+string(a.ID))
}

// own answers a patient's appointment, kept from other changes; another patient's is not found.
func (s *Service) own(tx *store.Tx, org person.OrgID, patient person.ID, id ID) (Appointment, error) {
	if err := lock(tx, org, id); err != nil {
		return Appointment{}, err
	}
	a, err := s.Get(tx, org, id)
	if err == nil && a.Patient != patient {
		err = fault.NotFoundf("There is no such appointment.")
	}
	return a, err
}

// drawUp turns a request into an appointment, or says what is wrong with it.
func (s *Service) drawUp(tx *store.Tx, v person.Viewer, r Request) (a Appointment, t Type, o Offer, err error) {
	now := s.clock.Now()
	ids := slices.Compact(slices.Sorted(slices.Values(r.Resources)))
	read, err := s.readAll(tx, r, ids)
	if err != nil {
		return
	}
	if t, err = read.typ(); err != nil {
		return
	}
	o, held := t.Offer(r.Way)
	start := r.Start.UTC()
	switch {
	case !t.Active || (t.Staff && !v.Role.Staff()):
		err = fault.Deniedf("This type of visit cannot be booked here. Please call us, or send a message.")
	case !held:
		err = fault.Invalidf("This visit is not held that way. Please choose another way.")
	case !start.After(now):
		err = fault.Invalidf("That time has passed. Please choose a later one.")
	case !start.Equal(start.Truncate(time.Minute)):
		err = fault.Invalidf("A visit starts on a full minute.")
	case start.Before(now.Add(time.Duration(t.Lead)*time.Minute)) && !v.Role.Staff() && !r.offered:
		err = fault.Invalidf("That is too soon to book here. Please choose a later time, or call us.")
	case start.After(now.AddDate(0, 0, t.Horizon+1)):
		err = fault.Invalidf("That is further ahead than we book (%d days). Please choose an earlier time.", t.Horizon)
	case len(r.Words) > wordsMost:
		err = fault.Invalidf("Please say it in fewer words (%d letters at most).", wordsMost)
	case r.Outside && !v.Role.Staff():
		err = fault.Deniedf("Only the clinic can book outside its hours.")
	}
	if err != nil {
		return
	}
	res, err := read.resources()
	if err != nil {
		return
	}
	org, err := read.org()
	if err != nil {
		return
	}
	who, err := read.who()
	if err != nil {
		return
	}
	a = Appointment{Org: r.Org, Patient: r.Patient, ID: ID(s.ids.New()), Type: r.Type, Way: r.Way, Place: r.Place, Start: start,
		End: start.Add(time.Duration(o.Min) * time.Minute), Zone: org.Zone, State: Booked, Words: strings.TrimSpace(r.Words), Asked: r.Asked, Made: now, By: v.Person,
		Follows: r.Follows, Resources: ids, party: partyOf(who, res), shared: sharedOf(res, r.Type), ladders: read.ladders}
	if a.Way != Clinic {
		a.Place = ""
	}
	if a.Asked.IsZero() || a.Asked.After(now) || !v.Role.Staff() && !r.offered { // nobody puts herself first in line
		a.Asked = now
	}
	if r.Hold {
		a.State, a.HoldUntil = Held, now.Add(HoldFor)
	}
	if a.Place != "" {
		if a.Zone, err = s.zoneOf(tx, r.Org, a.Place, org.Zone); err != nil {
			return
		}
	}
	err = s.fits(a, t, o, res, r.Outside)
	return
}

// reading is what a request is held against, read in one round trip.
type reading struct {
	typ       func() (Type, error)
	resources func() ([]Resource, error)
	org       func() (person.Org, error)
	who       func() (person.Person, error)
	ladders   ladders
}

func (s *Service) readAll(tx *store.Tx, r Request, ids []string) (x reading, err error) {
	if x.typ, err = s.typeLater(tx, r.Org, r.Type); err != nil {
		return x, err
	}
	if x.resources, err = s.resourcesLater(tx, r.Org, ids); err != nil {
		return x, err
	}
	if x.org, err = s.people.OrgLater(tx, r.Org); err != nil {
		return x, err
	}
	if x.who, err = s.people.GetLater(tx, r.Org, r.Patient); err != nil {
		return x, err
	}
	if x.ladders, err = s.laddersLater(tx, r.Org); err != nil {
		return x, err
	}
	return x, tx.Flush()
}

// fits says whether the resources are those that the visit needs, each within its hours.
func (s *Service) fits(a Appointment, t Type, o Offer, res []Resource, outside bool) error {
	need := slices.Clone(o.Needs)
	from, until := a.Start.Add(-time.Duration(o.Before)*time.Minute), a.End.Add(time.Duration(o.After)*time.Minute)
	for _, r := range res {
		if !r.Active || !r.Holds(t.ID) {
			return fault.Invalidf("%s does not hold this type of visit.", r.Name)
		}
		if i := slices.Index(need, r.Kind); i >= 0 {
			need = slices.Delete(need, i, i+1)
		} else if r.Kind != Interpreter { // an interpreter comes along whenever one is asked for
			return fault.Invalidf("The visit does not need %s.", r.Name)
		}
		if outside {
			continue
		}
		open := slices.ContainsFunc(r.Hours, func(h Hours) bool { return h.Serves(a.Way, a.Place) && covers(h.Calendar, from, until) })
		if !open {
			return fault.Invalidf("%s is not there at that time. Please choose another time.", r.Name)
		}
	}
	if len(need) > 0 {
		return fault.Invalidf("The visit also needs a %s. Please choose a time that has one.", need[0])
	}
	return nil
}

// zoneOf answers the zone of a place.
func (s *Service) zoneOf(tx *store.Tx, org person.OrgID, place, otherwise string) (string, error) {
	places, err := s.people.Places(tx, org)
	if err != nil {
		return "", err
	}
	for _, p := range places {
		if p.ID == place {
			if p.Zone == "" {
				return otherwise, nil
			}
			return p.Zone, nil
		}
	}
	return "", fault.NotFoundf("There is no such place.")
}
