package appointment

import (
	"context"
	"errors"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// lapseAhead is how long before its time a request that nobody has answered is told not to be confirmed: long enough not to set out for it. One
// that was made later than twice as long before is given half of the time there was.
const lapseAhead = 4 * time.Hour

// lapses answers when a request is over that nobody has answered.
func (a Appointment) lapses() time.Time {
	return a.Start.Add(-min(lapseAhead, a.Start.Sub(a.Made)/2))
}

// LapseDue ends the requests whose time has come near without an answer: each person is told that no time was confirmed, that a visit which it was to move
// stays, and by when somebody calls her. It answers how many.
func (s *Service) LapseDue(ctx context.Context) (int, error) {
	now := s.clock.Now()
	var due []Appointment
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = store.All(tx, appointmentSelect+" WHERE state = 'proposed' AND start_at <= $1 ORDER BY start_at, id", []any{store.Micros(now.Add(lapseAhead))}, scanAppointment)
		return err
	}); err != nil {
		return 0, err
	}
	n, failed := 0, error(nil)
	for _, a := range due {
		if now.Before(a.lapses()) {
			continue
		}
		if err := s.db.Write(ctx, func(tx *store.Tx) error { return s.lapse(tx, a) }); err != nil { // the others are still to be told
			failed = errors.Join(failed, err)
			continue
		}
		n++
	}
	return n, failed
}

func (s *Service) lapse(tx *store.Tx, a Appointment) error {
	a, err := s.own(tx, a.Org, a.Patient, a.ID)
	if err != nil || a.State != Proposed {
		return err
	}
	if s.calls == nil {
		return fault.New(fault.Internal, "nobody promises calls (SetCallsBack)")
	}
	a.State, a.Closed, a.Reason = Cancelled, s.clock.Now(), ReasonLapsed
	v := person.SystemViewer(a.Org)
	if err := s.end(tx, v, a, false); err != nil {
		return err
	}
	by, err := s.calls.PromiseBack(tx, a.Org, a.Patient, "lapsed/"+string(a.ID))
	if err != nil {
		return err
	}
	say := "visit.lapsed"
	if kept, err := s.keptBeside(tx, a); err != nil {
		return err
	} else if kept {
		say = "visit.lapsed.kept"
	}
	return s.tell(tx, v, a, say, false, map[string]string{"until": by.Format(time.RFC3339)})
}
