package visit

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

// Service owns the tables of rooms.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	ids      *clock.IDs
	people   *person.Service
	promises *promise.Service
	record   *record.Service
	visits   Visits

	room      Room
	estimator Estimator
	telephone Telephone
}

// New answers the service. Browsers reach each other without help until SetRoom says otherwise.
func New(db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service, promises *promise.Service, rec *record.Service, visits Visits) *Service {
	return &Service{db: db, clock: c, ids: ids, people: people, promises: promises, record: rec, visits: visits, room: Peers{}}
}

// SetRoom says what carries sound and picture. It is called before the server serves.
func (s *Service) SetRoom(r Room) { s.room = r }

// SetEstimator says who knows how long somebody still waits.
func (s *Service) SetEstimator(e Estimator) { s.estimator = e }

// SetTelephone says who puts calls through; without, the desk calls.
func (s *Service) SetTelephone(t Telephone) { s.telephone = t }

// Records reports whether visits can be recorded here.
func (s *Service) Records() bool { _, ok := s.room.(Recorder); return ok }

// Visit answers the visit of a patient's room, fault.NotFound if it is not hers.
func (s *Service) Visit(tx *store.Tx, k Key) (Visit, error) {
	x, err := s.visits.Visit(tx, k.Org, k.Visit)
	if err == nil && x.Patient != k.Patient {
		err = fault.NotFoundf("There is no such appointment.")
	}
	return x, err
}

// Estimate answers how long somebody in the room still waits, where that is known.
func (s *Service) Estimate(tx *store.Tx, k Key, lang string) (string, bool, error) {
	if s.estimator == nil {
		return "", false, nil
	}
	return s.estimator.Estimate(tx, k.Org, k.Visit, lang)
}

// Open reports whether the room can be entered at an instant: from a while before the visit until a while after it.
func (x Visit) Open(at time.Time) bool {
	return x.Video && x.Live && !at.Before(x.Start.Add(-Opens)) && at.Before(x.End.Add(Closes))
}

// Meeting answers a room as it stands; one that nobody has entered yet has no Opened.
func (s *Service) Meeting(tx *store.Tx, k Key) (Meeting, error) {
	m, _, err := s.meeting(tx, k)
	return m, err
}

func (s *Service) meeting(tx *store.Tx, k Key) (m Meeting, found bool, err error) {
	m = Meeting{Key: k, Mode: Video}
	var opened, together, phone, by, ended, ringing int64
	found, err = tx.Row(`SELECT mode, why, opened_at, together_at, phone_at, call_by, ringing, recording, ended_at FROM meeting WHERE org = $1 AND patient = $2 AND visit = $3`,
		k.args(), &m.Mode, &m.Why, &opened, &together, &phone, &by, &ringing, &m.Recording, &ended)
	if err != nil || !found {
		return m, found, err
	}
	m.Opened, m.Together, m.PhoneAt, m.CallBy, m.Ended, m.Ringing = store.Time(opened), store.Time(together), store.Time(phone), store.Time(by), store.Time(ended), ringing == 1
	m.Seats, err = store.All(tx, `SELECT id, person, name, part, joined_at, record FROM seat WHERE org = $1 AND patient = $2 AND visit = $3 AND left_at = 0 AND seen_at > $4
		ORDER BY joined_at, id`, append(k.args(), store.Micros(s.clock.Now().Add(-Present))), scanSeat)
	return m, true, err
}

func (k Key) args() []any { return []any{string(k.Org), string(k.Patient), string(k.Visit)} }

func scanSeat(scan func(...any) error) (Seat, error) {
	var x Seat
	var joined, record int64
	err := scan(&x.ID, &x.Person, &x.Name, &x.Part, &joined, &record)
	x.Joined, x.Record = store.Time(joined), record == 1
	return x, err
}

func (s *Service) put(tx *store.Tx, m Meeting) error {
	ringing := int64(0)
	if m.Ringing {
		ringing = 1
	}
	_, err := tx.Exec(`UPDATE meeting SET mode = $4, why = $5, together_at = $6, phone_at = $7, call_by = $8, ringing = $9, recording = $10, ended_at = $11
		WHERE org = $1 AND patient = $2 AND visit = $3`, append(m.args(), string(m.Mode), m.Why, store.Micros(m.Together), store.Micros(m.PhoneAt), store.Micros(m.CallBy),
		ringing, m.Recording, store.Micros(m.Ended))...)
	s.hint(tx, m.Key)
	return err
}

func (s *Service) hint(tx *store.Tx, k Key) {
	tx.Hint(Topic, k.Hint())
}

// event writes down a step, for the page of the visit.
func (s *Service) event(tx *store.Tx, k Key, kind, name, why string) error {
	tx.Hint("patient", string(k.Org)+"/"+string(k.Patient))
	_, err := tx.Exec("INSERT INTO meeting_event (org, patient, visit, at, id, kind, name, why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		append(k.args(), store.Micros(s.clock.Now()), s.ids.New(), kind, name, why)...)
	return err
}

// Events answers what happened in a room, in order.
func (s *Service) Events(tx *store.Tx, k Key) ([]Event, error) {
	return store.All(tx, "SELECT at, kind, name, why FROM meeting_event WHERE org = $1 AND patient = $2 AND visit = $3 ORDER BY at, id", k.args(),
		func(scan func(...any) error) (Event, error) {
			var e Event
			var at int64
			err := scan(&at, &e.Kind, &e.Name, &e.Why)
			e.At = store.Time(at)
			return e, err
		})
}

// change runs fn on a room kept from other changes, for a viewer who may act for its patient.
func (s *Service) change(ctx context.Context, v person.Viewer, k Key, fn func(tx *store.Tx, x Visit, m Meeting) error) (Meeting, error) {
	var m Meeting
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.people.May(tx, v, person.Act, k.Patient); err != nil {
			return err
		}
		x, err := s.Visit(tx, k)
		if err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE meeting SET seq = seq WHERE org = $1 AND patient = $2 AND visit = $3", k.args()...); err != nil { // the row is ours until the end
			return err
		}
		was, found, err := s.meeting(tx, k)
		switch {
		case err != nil:
			return err
		case !found:
			return fault.NotFoundf("No one has come to this visit yet.")
		}
		if err := fn(tx, x, was); err != nil {
			return err
		}
		m, err = s.Meeting(tx, k)
		return err
	})
	return m, err
}

// part answers what a viewer is in a visit.
func part(v person.Viewer, x Visit) Part {
	switch {
	case slices.Contains(x.Interpreters, v.Person):
		return Interpreter
	case v.Person == x.Patient:
		return Patient
	case v.Role == person.Clinician || v.Role == person.Nurse:
		return Clinician
	case v.Role.Staff():
		return Staff
	}
	return Family
}

// Join seats a viewer in a room, which opens with the first, and answers the seat and how its browser connects. Somebody who was
// in the room already takes her place over to the new screen.
func (s *Service) Join(ctx context.Context, v person.Viewer, k Key) (Seat, Ticket, Meeting, error) {
	var seat Seat
	if err := s.enter(ctx, v, k); err != nil {
		return seat, Ticket{}, Meeting{}, err
	}
	now := s.clock.Now()
	m, err := s.change(ctx, v, k, func(tx *store.Tx, x Visit, m Meeting) error {
		if err := m.goesOn(); err != nil {
			return err
		}
		who, err := s.people.Get(tx, k.Org, v.Person)
		if err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE seat SET left_at = $5 WHERE org = $1 AND patient = $2 AND visit = $3 AND person = $4 AND left_at = 0", append(k.args(), string(v.Person), store.Micros(now))...); err != nil {
			return err
		}
		others := slices.DeleteFunc(slices.Clone(m.Seats), func(o Seat) bool { return o.Person == v.Person })
		if len(others) >= Seats {
			return fault.Conflictf("Four people are in this visit already.")
		}
		seat = Seat{ID: s.ids.New(), Person: v.Person, Name: who.Name, Part: part(v, x), Joined: now}
		_, err = tx.Exec("INSERT INTO seat (org, patient, visit, id, person, name, part, joined_at, seen_at, left_at, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)",
			append(k.args(), seat.ID, string(seat.Person), seat.Name, string(seat.Part), store.Micros(now), store.Micros(now))...)
		if err != nil {
			return err
		}
		if len(others) == len(m.Seats) { // not only another screen of hers
			if err := s.event(tx, k, "joined", seat.Name, ""); err != nil {
				return err
			}
		}
		if seat.patientSide() {
			if err := s.visits.Arrive(tx, v, k.Org, k.Visit); err != nil {
				return err
			}
		}
		m.Seats = append(others, seat)
		if m.Together.IsZero() && m.Both() {
			m.Together = now
			if err := s.event(tx, k, "together", "", ""); err != nil {
				return err
			}
			if err := s.visits.Met(tx, v, k.Org, k.Visit); err != nil {
				return err
			}
			if err := s.publish(tx, m, x); err != nil {
				return err
			}
		}
		return s.put(tx, m)
	})
	if err != nil {
		return seat, Ticket{}, m, err
	}
	if rec, ok := s.room.(Recorder); ok {
		if m, err = s.recording(ctx, rec, v, m); err != nil { // who has come has not been asked
			return seat, Ticket{}, m, err
		}
	}
	t, err := s.room.Ticket(k, seat, now)
	return seat, t, m, err
}

// seatOf answers a viewer's own seat.
func (m Meeting) seatOf(v person.Viewer, id string) (Seat, bool) {
	i := slices.IndexFunc(m.Seats, func(o Seat) bool { return o.ID == id && o.Person == v.Person })
	if i < 0 {
		return Seat{}, false
	}
	return m.Seats[i], true
}

var errElsewhere = fault.Conflictf("You are not in this visit any more. Please join again.")

// Touch keeps a seat taken, and answers fault.Conflict when it is not the viewer's any more.
func (s *Service) Touch(ctx context.Context, v person.Viewer, k Key, seat string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.people.May(tx, v, person.Act, k.Patient); err != nil {
			return err
		}
		n, err := tx.Exec("UPDATE seat SET seen_at = $6 WHERE org = $1 AND patient = $2 AND visit = $3 AND id = $4 AND person = $5 AND left_at = 0",
			append(k.args(), seat, string(v.Person), store.Micros(s.clock.Now()))...)
		if err == nil && n == 0 {
			err = errElsewhere
		}
		return err
	})
}

// Leave gives a seat up. Leaving twice is leaving.
func (s *Service) Leave(ctx context.Context, v person.Viewer, k Key, seat string) error {
	m, err := s.change(ctx, v, k, func(tx *store.Tx, _ Visit, m Meeting) error {
		mine, ok := m.seatOf(v, seat)
		if !ok {
			return nil
		}
		if _, err := tx.Exec("UPDATE seat SET left_at = $5 WHERE org = $1 AND patient = $2 AND visit = $3 AND id = $4", append(k.args(), seat, store.Micros(s.clock.Now()))...); err != nil {
			return err
		}
		if err := s.event(tx, k, "left", mine.Name, ""); err != nil {
			return err
		}
		return s.put(tx, m)
	})
	if rec, ok := s.room.(Recorder); ok && err == nil && m.Recording != "" { // alone, nobody is recorded
		_, err = s.recording(ctx, rec, v, m)
	}
	return err
}

// Send hands a signal to another seat, on whichever server its browser hangs.
func (s *Service) Send(ctx context.Context, v person.Viewer, k Key, from, to, body string) error {
	if len(body) > MostSignal {
		return fault.New(fault.TooMuch, "That is too long to be sent at once.")
	}
	_, err := s.change(ctx, v, k, func(tx *store.Tx, _ Visit, m Meeting) error {
		if _, ok := m.seatOf(v, from); !ok {
			return errElsewhere
		}
		if !slices.ContainsFunc(m.Seats, func(o Seat) bool { return o.ID == to }) {
			return nil // gone: there is nobody to tell
		}
		var seq int64
		if _, err := tx.Row("SELECT seq FROM meeting WHERE org = $1 AND patient = $2 AND visit = $3", k.args(), &seq); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE meeting SET seq = $4 WHERE org = $1 AND patient = $2 AND visit = $3", append(k.args(), seq+1)...); err != nil {
			return err
		}
		s.hint(tx, k)
		_, err := tx.Exec("INSERT INTO signal (org, patient, visit, seq, to_seat, from_seat, body, until_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			append(k.args(), seq+1, to, from, body, store.Micros(s.clock.Now().Add(signalOn)))...)
		return err
	})
	return err
}

// Signals answers what was sent to a seat after a number, in the order in which it was sent.
func (s *Service) Signals(tx *store.Tx, k Key, seat string, after int64) ([]Signal, error) {
	return store.All(tx, "SELECT seq, from_seat, body FROM signal WHERE org = $1 AND patient = $2 AND visit = $3 AND seq > $4 AND to_seat = $5 ORDER BY seq", append(k.args(), after, seat),
		func(scan func(...any) error) (Signal, error) {
			var x Signal
			return x, scan(&x.Seq, &x.From, &x.Body)
		})
}
