package programme

import (
	"fmt"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Call is a telephone call of somebody of the staff with a patient. Its time runs by itself from the call to its end.
type Call struct {
	ID      string
	Patient person.ID
	Staff   person.ID
	At      time.Time // began
	Ended   time.Time // zero while it goes on
	Minutes int       // whole ones, that were full; of a booked call
	Live    bool      // they spoke
	State   CallState
}

// CallState is what became of a call.
type CallState string

const (
	CallOpen      CallState = "open"
	CallBooked    CallState = "booked"    // its minutes count
	CallLeft      CallState = "left"      // nobody ended it within the bound: how long it was nobody knows, and nothing counts
	CallDiscarded CallState = "discarded" // it was none, or shorter than a minute
)

// CallMost is how long a call may last; one that is open longer was forgotten.
const CallMost = time.Hour

const callColumns = "id, patient, staff, at, ended_at, minutes, live, state"

// StartCall begins a call of the viewer with a patient. Another call of the viewer's that goes on ends now, as one in which nobody spoke: it
// can be put right. Begun twice for one patient it is the same call.
func (s *Service) StartCall(tx *store.Tx, v person.Viewer, patient person.ID) (Call, error) {
	if err := s.mayCall(tx, v, patient); err != nil {
		return Call{}, err
	}
	open, err := s.calls(tx, "org = $1 AND staff = $2 AND state = 'open' ORDER BY at", string(v.Org), string(v.Person))
	if err != nil {
		return Call{}, err
	}
	for _, c := range open {
		if c.Patient == patient && !s.forgotten(c) {
			return c, nil
		}
		if _, err := s.end(tx, v, c, false); err != nil {
			return Call{}, err
		}
	}
	c := Call{ID: s.ids.New(), Patient: patient, Staff: v.Person, At: s.clock.Now(), State: CallOpen}
	if _, err := tx.Exec("INSERT INTO programme_call (org, shard, patient, at, id, staff, ended_at, minutes, live, state) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, 'open')",
		string(v.Org), person.Shard(patient), string(patient), store.Micros(c.At), c.ID, string(c.Staff)); err != nil {
		return c, err
	}
	return c, s.people.Audit(tx, v, patient, "change", "call began")
}

// EndCall ends the viewer's own call and books its minutes; live says whether they spoke. One that has ended already stays as it is.
func (s *Service) EndCall(tx *store.Tx, v person.Viewer, patient person.ID, id string, live bool) (Call, error) {
	c, err := s.ownCall(tx, v, patient, id)
	if err != nil || c.State != CallOpen {
		return c, err
	}
	return s.end(tx, v, c, live)
}

// forgotten reports whether a call has been open for too long.
func (s *Service) forgotten(c Call) bool {
	return c.State == CallOpen && s.clock.Now().Sub(c.At) > CallMost
}

func (s *Service) end(tx *store.Tx, v person.Viewer, c Call, live bool) (Call, error) {
	c.Ended = s.clock.Now()
	c.Minutes, c.Live = int(c.Ended.Sub(c.At)/time.Minute), live
	switch {
	case s.forgotten(c):
		c.State, c.Minutes, c.Live = CallLeft, 0, false
	case c.Minutes == 0:
		c.State = CallDiscarded
	default:
		c.State = CallBooked
	}
	return c, s.saveCall(tx, v, c, "call ended, "+string(c.State)+fmt.Sprintf(" %d minutes", c.Minutes))
}

// CorrectCall puts the minutes of the viewer's own call right; 0 discards it.
func (s *Service) CorrectCall(tx *store.Tx, v person.Viewer, patient person.ID, id string, minutes int, live bool) (Call, error) {
	c, err := s.ownCall(tx, v, patient, id)
	if err != nil {
		return c, err
	}
	if minutes < 0 || minutes > mostMinutes {
		return c, fault.Invalidf("Minutes must lie between 1 and %d.", mostMinutes)
	}
	if c.Ended.IsZero() {
		c.Ended = s.clock.Now()
	}
	before := c.Minutes
	c.Minutes, c.Live, c.State = minutes, live, CallBooked
	if minutes == 0 {
		c.State, c.Live = CallDiscarded, false
	}
	return c, s.saveCall(tx, v, c, fmt.Sprintf("call corrected, %d to %d minutes", before, minutes))
}

// LastCall answers the viewer's newest call with a patient since an instant, where there is something to see or to put right.
func (s *Service) LastCall(tx *store.Tx, v person.Viewer, patient person.ID, since time.Time) (c Call, found bool, err error) {
	list, err := s.calls(tx, "org = $1 AND shard = $2 AND patient = $3 AND at >= $4 AND staff = $5 AND state <> 'discarded' ORDER BY at DESC LIMIT 1",
		string(v.Org), person.Shard(patient), string(patient), store.Micros(since), string(v.Person))
	if err != nil || len(list) == 0 {
		return c, false, err
	}
	if c = list[0]; s.forgotten(c) {
		c.State = CallLeft // it becomes so at the next touch; nothing counts meanwhile
	}
	return c, true, nil
}

func (s *Service) mayCall(tx *store.Tx, v person.Viewer, patient person.ID) error {
	if !v.Role.Staff() {
		return fault.Deniedf("This is for the staff of the clinic.")
	}
	return s.people.May(tx, v, person.Act, patient)
}

func (s *Service) ownCall(tx *store.Tx, v person.Viewer, patient person.ID, id string) (Call, error) {
	if err := s.mayCall(tx, v, patient); err != nil {
		return Call{}, err
	}
	list, err := s.calls(tx, "org = $1 AND shard = $2 AND patient = $3 AND id = $4 AND staff = $5", string(v.Org), person.Shard(patient), string(patient), id, string(v.Person))
	if err != nil {
		return Call{}, err
	}
	if len(list) == 0 {
		return Call{}, fault.NotFoundf("There is no such page.")
	}
	return list[0], nil
}

func (s *Service) calls(tx *store.Tx, where string, args ...any) ([]Call, error) {
	return store.All(tx, "SELECT "+callColumns+" FROM programme_call WHERE "+where, args, func(scan func(...any) error) (c Call, err error) {
		var at, ended int64
		var live int
		err = scan(&c.ID, &c.Patient, &c.Staff, &at, &ended, &c.Minutes, &live, &c.State)
		c.At, c.Live = store.Time(at), live == 1
		if ended > 0 {
			c.Ended = store.Time(ended)
		}
		return c, err
	})
}

func (s *Service) saveCall(tx *store.Tx, v person.Viewer, c Call, what string) error {
	live := 0
	if c.Live {
		live = 1
	}
	if _, err := tx.Exec("UPDATE programme_call SET ended_at = $6, minutes = $7, live = $8, state = $9 WHERE org = $1 AND shard = $2 AND patient = $3 AND at = $4 AND id = $5",
		string(v.Org), person.Shard(c.Patient), string(c.Patient), store.Micros(c.At), c.ID, store.Micros(c.Ended), c.Minutes, live, string(c.State)); err != nil {
		return err
	}
	return s.people.Audit(tx, v, c.Patient, "change", what)
}
