package appointment

import (
	"context"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Why an appointment ended; catalog keys after "visit.reason.".
const (
	ReasonPatient = "patient" // she cannot come
	ReasonClinic  = "clinic"  // the clinic cannot hold it
	ReasonMoved   = "moved"   // another took its place
	ReasonExpired = "expired" // a time that was kept was not taken
	ReasonRefused = "refused" // a request was not approved
	ReasonLapsed  = "lapsed"  // nobody answered a request before its time
	ReasonNoShow  = "noshow"
)

// change runs fn on a patient's appointment, kept from other changes.
func (s *Service) change(ctx context.Context, v person.Viewer, org person.OrgID, id ID, what string, fn func(tx *store.Tx, a Appointment, t Type) (Appointment, error)) (Appointment, error) {
	var a Appointment
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) { a, err = s.Get(tx, org, id); return err })
	if err != nil {
		return a, err
	}
	if err := s.people.Enter(ctx, v, person.Act, a.Patient, what); err != nil {
		return Appointment{}, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) (err error) {
		if a, err = s.own(tx, org, a.Patient, id); err != nil {
			return err
		}
		t, err := s.Type(tx, org, a.Type)
		if err != nil {
			return err
		}
		a, err = fn(tx, a, t)
		return err
	})
	return a, err
}

// Take turns a time that is kept for a person into her booking.
func (s *Service) Take(ctx context.Context, v person.Viewer, org person.OrgID, id ID) (Appointment, error) {
	return s.TakeWith(ctx, v, org, id, "", "")
}

// TakeWith is Take with what the person needs in her own words, in the place of another of her visits, if one is named.
func (s *Service) TakeWith(ctx context.Context, v person.Viewer, org person.OrgID, id ID, words string, follows ID) (Appointment, error) {
	return s.change(ctx, v, org, id, "book a visit", func(tx *store.Tx, a Appointment, t Type) (Appointment, error) {
		switch {
		case a.State == Booked || a.State == Proposed:
			return a, nil // pressed twice
		case a.State != Held || !s.clock.Now().Before(a.HoldUntil):
			return a, fault.Conflictf("We kept that time for %d minutes, and it is free again now. Please choose once more.", int(HoldFor/time.Minute))
		}
		if len(words) > wordsMost {
			return a, fault.Invalidf("Please say it in fewer words (%d letters at most).", wordsMost)
		}
		a.State, a.HoldUntil, a.Words = Booked, time.Time{}, strings.TrimSpace(words)
		if follows != "" {
			old, err := s.own(tx, org, a.Patient, follows)
			if err != nil {
				return a, err
			}
			if old.State != Cancelled {
				a.Asked, a.Follows = old.Asked, old.ID
				if t.asks(v) {
					err = s.askMove(tx, v, a)
				} else {
					err = s.giveUp(tx, v, &old, a.ID)
				}
				if err != nil {
					return a, err
				}
			}
		}
		if t.asks(v) {
			a.State = Proposed
			if _, err := s.release(tx, a); err != nil {
				return a, err
			}
		} else if n, err := tx.Exec("UPDATE claim SET hold_until = 0 WHERE org = $1 AND appointment = $2", string(org), string(id)); err != nil {
			return a, err
		} else if n != int64(len(a.Resources)) { // the hold ran out by another server's clock, and somebody has the time
			return a, ErrTaken
		}
		return s.settle(tx, v, a, t)
	})
}

// Approve says yes to a request. Whether its time is still free is seen now, in the same transaction: of two requests for one
// time the second answers ErrTaken and stays a request.
func (s *Service) Approve(ctx context.Context, v person.Viewer, org person.OrgID, id ID) (Appointment, error) {
	if !v.Role.Staff() {
		return Appointment{}, fault.Deniedf("Only the clinic can approve a visit.")
	}
	return s.change(ctx, v, org, id, "approve a visit", func(tx *store.Tx, a Appointment, t Type) (Appointment, error) {
		o, ok := t.Offer(a.Way)
		switch {
		case a.State == Booked:
			return a, nil
		case a.State != Proposed:
			return a, fault.Conflictf("That request is closed already.")
		case !a.Start.After(s.clock.Now()):
			return a, fault.Invalidf("That time has passed. Please find another one.")
		case !ok:
			return a, fault.Invalidf("This visit is not held that way any more. Please choose another way.")
		}
		res, err := s.resourcesByID(tx, org, a.Resources)
		if err != nil {
			return a, err
		}
		if err := s.fits(a, t, o, res, false); err != nil {
			return a, err
		}
		if a.Follows != "" { // now, and not before, the visit that it moves is given back; the new time may overlap it
			old, err := s.own(tx, org, a.Patient, a.Follows)
			if err != nil {
				return a, err
			}
			if old.State == Booked {
				if err := s.giveUp(tx, v, &old, a.ID); err != nil {
					return a, err
				}
			}
		}
		a.shared = sharedOf(res, a.Type)
		if err := s.claim(tx, a, o, false); err != nil {
			return a, err
		}
		a.State = Booked
		return s.settle(tx, v, a, t)
	})
}

// Confirm writes down that the person comes.
func (s *Service) Confirm(ctx context.Context, v person.Viewer, org person.OrgID, id ID) (Appointment, error) {
	return s.change(ctx, v, org, id, "confirm a visit", func(tx *store.Tx, a Appointment, _ Type) (Appointment, error) {
		if a.State != Booked {
			return a, fault.Conflictf("That visit is not booked any more.")
		}
		if err := s.confirm(tx, v, a, "page"); err != nil {
			return a, err
		}
		return s.Get(tx, org, id)
	})
}

// Cancel gives a visit back. When the clinic does it, the person is told, and asked to choose again.
func (s *Service) Cancel(ctx context.Context, v person.Viewer, org person.OrgID, id ID) (Appointment, error) {
	return s.change(ctx, v, org, id, "cancel a visit", func(tx *store.Tx, a Appointment, _ Type) (Appointment, error) {
		if !a.State.Live() || a.State == Arrived {
			if a.State == Cancelled {
				return a, nil
			}
			return a, fault.Conflictf("That visit can no longer be cancelled.")
		}
		a.Reason = ReasonPatient
		if v.Role.Staff() {
			a.Reason = ReasonClinic
		}
		return s.cancel(tx, v, a)
	})
}

// CancelIn gives a patient's visit back inside a caller's transaction, which has seen to the viewer's right to act for her. One that is over already stays as it is.
func (s *Service) CancelIn(tx *store.Tx, v person.Viewer, org person.OrgID, patient person.ID, id ID) error {
	a, err := s.own(tx, org, patient, id)
	if err != nil || !a.State.Live() || a.State == Arrived {
		return err
	}
	a.Reason = ReasonPatient
	if v.Role.Staff() || v.Role == person.System {
		a.Reason = ReasonClinic
	}
	_, err = s.cancel(tx, v, a)
	return err
}

// cancel ends a live appointment for the reason in it and says so.
func (s *Service) cancel(tx *store.Tx, v person.Viewer, a Appointment) (Appointment, error) {
	was := a.State
	a.State, a.Closed = Cancelled, s.clock.Now()
	if err := s.end(tx, v, a, was.takes()); err != nil {
		return a, err
	}
	if was == Booked || was == Proposed {
		say := "visit.cancelled." + a.Reason
		if kept, err := s.keptBeside(tx, a); err != nil {
			return a, err
		} else if kept && a.Reason == ReasonRefused {
			say = "visit.notmoved"
		}
		if err := s.tell(tx, v, a, say, false, nil); err != nil {
			return a, err
		}
	}
	return a, nil
}

// keptBeside reports whether a request that is over was to move a visit which stays.
func (s *Service) keptBeside(tx *store.Tx, a Appointment) (bool, error) {
	if a.Follows == "" {
		return false, nil
	}
	old, err := s.Get(tx, a.Org, a.Follows)
	return old.State == Booked, err
}

// end writes an appointment that is over: what it took is free (unless freed is false: that was seen to), its promise is taken
// back, the record says so. What the person herself gives back is offered to those who wait.
func (s *Service) end(tx *store.Tx, v person.Viewer, a Appointment, freed bool) error {
	if freed {
		free, err := s.release(tx, a)
		if err != nil {
			return err
		}
		if a.Reason == ReasonPatient && a.Promise != "" && free { // booked; what the clinic takes back is not to be had
			if err := s.free(tx, a); err != nil {
				return err
			}
		}
	}
	if err := s.unpromise(tx, v, a); err != nil {
		return err
	}
	a.HoldUntil = time.Time{}
	if a.Reason != ReasonMoved {
		if err := s.follow(tx, a.Org, a.Patient, a.ID, ""); err != nil {
			return err
		}
	}
	if err := s.put(tx, a); err != nil {
		return err
	}
	t, err := s.Type(tx, a.Org, a.Type)
	if err != nil {
		return err
	}
	if a.Promise != "" || a.Reason == ReasonRefused || a.Reason == ReasonLapsed {
		if err := s.publish(tx, a, t); err != nil {
			return err
		}
	}
	return s.people.Audit(tx, v, a.Patient, "visit", string(a.State)+" "+string(a.ID))
}

// Arrive writes down that the person is there, or has joined.
func (s *Service) Arrive(tx *store.Tx, v person.Viewer, a Appointment) (Appointment, error) {
	a, err := s.own(tx, a.Org, a.Patient, a.ID) // as it is now that nobody else can change it
	if err != nil {
		return a, err
	}
	switch a.State {
	case Arrived:
		return a, nil
	case Booked:
	default:
		return a, fault.Conflictf("That visit is not booked any more. Please ask at the desk.")
	}
	a.State, a.Arrival = Arrived, s.clock.Now()
	if a.Promise != "" { // it is kept when she is seen
		if _, err := s.promises.Note(tx, a.Org, a.Patient, promise.ID(a.Promise), promise.Evidence{Kind: "arrival", At: a.Arrival, Source: "check-in", By: string(v.Person)}); err != nil {
			return a, err
		}
	}
	t, err := s.Type(tx, a.Org, a.Type)
	if err != nil {
		return a, err
	}
	if err := s.publish(tx, a, t); err != nil {
		return a, err
	}
	return a, s.put(tx, a)
}

// Seen writes down that the visit was held, which keeps its promise: begun at an instant.
func (s *Service) Seen(tx *store.Tx, v person.Viewer, a Appointment, begun time.Time) (Appointment, error) {
	a, err := s.own(tx, a.Org, a.Patient, a.ID)
	if err != nil {
		return a, err
	}
	switch a.State {
	case Fulfilled:
		return a, nil
	case Booked, Arrived:
	default:
		return a, fault.Conflictf("That visit is not booked any more.")
	}
	a.State, a.Closed = Fulfilled, s.clock.Now()
	if err := s.keep(tx, a, promise.Evidence{Kind: "arrival", At: begun, Source: "visit", By: string(v.Person)}); err != nil {
		return a, err
	}
	t, err := s.Type(tx, a.Org, a.Type)
	if err != nil {
		return a, err
	}
	if err := s.publish(tx, a, t); err != nil {
		return a, err
	}
	if err := s.people.Audit(tx, v, a.Patient, "visit", "fulfilled "+string(a.ID)); err != nil {
		return a, err
	}
	return a, s.put(tx, a)
}

// Missed writes down that the person did not come. What she hears asks what would help, and blames nobody.
func (s *Service) Missed(ctx context.Context, v person.Viewer, org person.OrgID, id ID) (Appointment, error) {
	if !v.Role.Staff() {
		return Appointment{}, fault.Deniedf("Only the clinic can say that somebody did not come.")
	}
	return s.change(ctx, v, org, id, "did not come", func(tx *store.Tx, a Appointment, _ Type) (Appointment, error) {
		switch {
		case a.State == NoShow:
			return a, nil
		case a.State != Booked:
			return a, fault.Conflictf("That visit is closed, or the person is here.")
		case s.clock.Now().Before(a.Start):
			return a, fault.Invalidf("The visit has not begun yet.")
		}
		a.State, a.Closed, a.Reason = NoShow, s.clock.Now(), ReasonNoShow
		if err := s.end(tx, v, a, true); err != nil {
			return a, err
		}
		args, err := s.said(tx, a)
		if err != nil {
			return a, err
		}
		return a, s.messages.Say(tx, message.Draft{Org: org, Patient: a.Patient, To: "patient", At: a.Closed, Key: "missed/" + string(a.ID), Say: "visit.missed",
			Args: args, Severity: message.Urgent, Page: "/visits"})
	})
}

// Refuse says no to a request, with what to do instead.
func (s *Service) Refuse(ctx context.Context, v person.Viewer, org person.OrgID, id ID) (Appointment, error) {
	if !v.Role.Staff() {
		return Appointment{}, fault.Deniedf("Only the clinic can refuse a visit.")
	}
	return s.change(ctx, v, org, id, "refuse a visit", func(tx *store.Tx, a Appointment, _ Type) (Appointment, error) {
		if a.State != Proposed {
			return a, fault.Conflictf("That request is closed already.")
		}
		a.Reason = ReasonRefused
		return s.cancel(tx, v, a)
	})
}

// ExpireHolds gives back the times that were kept and not taken. It answers how many.
func (s *Service) ExpireHolds(ctx context.Context) (int, error) {
	now := store.Micros(s.clock.Now())
	var due []Appointment
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = store.All(tx, appointmentSelect+" WHERE hold_until > 0 AND hold_until <= $1", []any{now}, scanAppointment)
		return err
	}); err != nil || len(due) == 0 {
		return 0, err
	}
	n := 0
	return n, s.db.Write(ctx, func(tx *store.Tx) error {
		n = 0
		for _, a := range due {
			a, err := s.own(tx, a.Org, a.Patient, a.ID)
			if err != nil {
				return err
			}
			if a.State != Held {
				continue
			}
			a.State, a.Closed, a.Reason = Cancelled, s.clock.Now(), ReasonExpired
			if err := s.end(tx, person.SystemViewer(a.Org), a, true); err != nil {
				return err
			}
			n++
		}
		return nil
	})
}
