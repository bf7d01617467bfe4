package visit

import (
	"context"
	"errors"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// End closes a room for everybody. A visit in which the two sides met, or that a clinician says was held by telephone, was held;
// any other stays booked. Only the staff end a visit; others leave it.
func (s *Service) End(ctx context.Context, v person.Viewer, k Key, spoke bool) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can end the visit. You can leave it.")
	}
	if err := s.people.Enter(ctx, v, person.Act, k.Patient, "video visit"); err != nil {
		return err
	}
	m, err := s.change(ctx, v, k, func(tx *store.Tx, x Visit, m Meeting) error {
		if !m.Ended.IsZero() {
			return nil // pressed twice
		}
		return s.end(tx, v, x, m, spoke)
	})
	if err != nil {
		return err
	}
	return s.close(ctx, m)
}

// end writes the end of a meeting.
func (s *Service) end(tx *store.Tx, v person.Viewer, x Visit, m Meeting, spoke bool) error {
	m.Ended = s.clock.Now()
	if m.Mode == Phone && v.Role.Staff() { // nobody else can say that the call was made
		outcome := "The visit was held by telephone."
		if !spoke {
			outcome = "The visit was closed. They did not speak by telephone."
		}
		if err := s.finish(tx, m, outcome); err != nil {
			return err
		}
		if spoke && m.Together.IsZero() {
			m.Together = m.PhoneAt
		}
	}
	kind := "unheld"
	if !m.Together.IsZero() {
		kind = "ended"
		if x.Live {
			if err := s.visits.Seen(tx, v, m.Org, m.Visit, m.Together); err != nil {
				return err
			}
		}
		if err := s.publish(tx, m, x); err != nil {
			return err
		}
	}
	if err := s.visits.Over(tx, v, m.Org, m.Visit, m.Together); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE seat SET left_at = $4 WHERE org = $1 AND patient = $2 AND visit = $3 AND left_at = 0", append(m.args(), store.Micros(m.Ended))...); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM signal WHERE org = $1 AND patient = $2 AND visit = $3", m.args()...); err != nil {
		return err
	}
	if err := s.event(tx, m.Key, kind, v.Name, ""); err != nil {
		return err
	}
	return s.put(tx, m)
}

// close lets the media server go, which is not needed for the visit to be over.
func (s *Service) close(ctx context.Context, m Meeting) error {
	if r, ok := s.room.(Recorder); ok && m.Recording != "" {
		if err := r.Stop(ctx, m.Key, m.Recording); err != nil {
			return err
		}
	}
	return s.room.Close(ctx, m.Key)
}

// CloseIdle ends the rooms that nobody is in any more, and forgets signals. It answers how many rooms it ended.
func (s *Service) CloseIdle(ctx context.Context) (int, error) {
	now := s.clock.Now()
	var keys []Key
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM signal WHERE until_at <= $1", store.Micros(now)); err != nil {
			return err
		}
		var err error
		keys, err = store.All(tx, "SELECT org, patient, visit FROM meeting WHERE ended_at = 0 AND opened_at <= $1 ORDER BY org, patient, visit", []any{store.Micros(now.Add(-idle))},
			func(scan func(...any) error) (Key, error) {
				var k Key
				return k, scan(&k.Org, &k.Patient, &k.Visit)
			})
		return err
	})
	n := 0
	failed := s.stopUnwanted(ctx)
	for _, k := range keys {
		over := false
		v := person.SystemViewer(k.Org)
		m, err := s.change(ctx, v, k, func(tx *store.Tx, x Visit, m Meeting) error {
			if over = false; !m.Ended.IsZero() {
				return nil
			}
			last, err := s.last(tx, k)
			if err != nil {
				return err
			}
			left := now.Sub(last) >= idle
			switch {
			case !x.Live, !now.Before(x.End.Add(Closes)): // cancelled, or long past
			case m.Mode == Video || m.Mode == Audio:
				if !left || m.Together.IsZero() || now.Before(x.End) && len(m.Seats) > 0 {
					return nil
				}
			default:
				return nil // by telephone: the clinic says when it is over
			}
			over = true
			return s.end(tx, v, x, m, false)
		})
		if err == nil && over {
			n++
			err = s.close(ctx, m)
		}
		failed = errors.Join(failed, err)
	}
	return n, errors.Join(err, failed)
}

// last answers when somebody was last in a room.
func (s *Service) last(tx *store.Tx, k Key) (time.Time, error) {
	var at int64
	_, err := tx.Row("SELECT COALESCE(MAX(CASE WHEN left_at > 0 AND left_at < seen_at THEN left_at ELSE seen_at END), 0) FROM seat WHERE org = $1 AND patient = $2 AND visit = $3", k.args(), &at)
	return store.Time(at), err
}

// Consent writes down whether somebody in the room agrees to a recording. It begins when everybody has said yes, and ends when
// one takes it back or somebody comes who has not been asked.
func (s *Service) Consent(ctx context.Context, v person.Viewer, k Key, seat string, yes bool) (Meeting, error) {
	rec, ok := s.room.(Recorder)
	if !ok {
		return Meeting{}, fault.Invalidf("Visits are not recorded here.")
	}
	m, err := s.change(ctx, v, k, func(tx *store.Tx, _ Visit, m Meeting) error {
		if err := m.goesOn(); err != nil {
			return err
		}
		mine, ok := m.seatOf(v, seat)
		if !ok {
			return errElsewhere
		}
		if mine.Record == yes {
			return nil
		}
		said, kind := int64(0), "record.no"
		if yes {
			said, kind = 1, "record.yes"
		}
		if _, err := tx.Exec("UPDATE seat SET record = $5 WHERE org = $1 AND patient = $2 AND visit = $3 AND id = $4", append(k.args(), seat, said)...); err != nil {
			return err
		}
		if err := s.event(tx, k, kind, mine.Name, ""); err != nil {
			return err
		}
		return s.put(tx, m)
	})
	if err != nil {
		return m, err
	}
	return s.recording(ctx, rec, v, m)
}

// recording begins or ends it, as those in the room want it.
func (s *Service) recording(ctx context.Context, rec Recorder, v person.Viewer, m Meeting) (Meeting, error) {
	all := m.recordable()
	name, kind := m.Recording, ""
	switch {
	case all && m.Recording == "":
		var err error
		if name, err = rec.Record(ctx, m.Key, s.clock.Now()); err != nil {
			return m, err
		}
		kind = "record"
	case !all && m.Recording != "":
		if err := rec.Stop(ctx, m.Key, m.Recording); err != nil {
			return m, err
		}
		name, kind = "", "stopped"
	default:
		return m, nil
	}
	m, err := s.change(ctx, v, m.Key, func(tx *store.Tx, _ Visit, m Meeting) error {
		m.Recording = name
		if err := s.event(tx, m.Key, kind, "", ""); err != nil {
			return err
		}
		return s.put(tx, m)
	})
	if err != nil && name != "" { // it is not known to anybody: nobody could stop it
		return m, errors.Join(err, rec.Stop(ctx, m.Key, name))
	}
	if err != nil || name == "" || m.recordable() && m.Ended.IsZero() {
		return m, err
	}
	return s.recording(ctx, rec, v, m) // somebody came, left or took it back while it was begun
}

// recordable reports whether the two sides are in the room and everybody there has said yes to a recording.
func (m Meeting) recordable() bool {
	return m.Both() && !slices.ContainsFunc(m.Seats, func(o Seat) bool { return !o.Record })
}

// stopUnwanted stops the recordings that somebody in the room does not want any more: those of rooms that people left without a word, and those that could not be
// stopped when they should have been.
func (s *Service) stopUnwanted(ctx context.Context) error {
	rec, ok := s.room.(Recorder)
	if !ok {
		return nil
	}
	var keys []Key
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		keys, err = store.All(tx, "SELECT org, patient, visit FROM meeting WHERE ended_at = 0 AND recording <> '' ORDER BY org, patient, visit", nil, func(scan func(...any) error) (k Key, err error) {
			return k, scan(&k.Org, &k.Patient, &k.Visit)
		})
		return err
	}); err != nil {
		return err
	}
	var failed error
	for _, k := range keys {
		var m Meeting
		err := s.db.Read(ctx, func(tx *store.Tx) (err error) { m, err = s.Meeting(tx, k); return err })
		if err == nil && m.Recording != "" && !m.recordable() {
			_, err = s.recording(ctx, rec, person.SystemViewer(k.Org), m)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}
