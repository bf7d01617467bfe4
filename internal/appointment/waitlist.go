package appointment

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Entry is a person's place on the waitlist. Places are kept in the order in which people asked.
type Entry struct {
	Org     person.OrgID
	Patient person.ID
	ID      string
	Type    string
	State   EntryState
	Asked   time.Time
	Until   time.Time // not offered what lies after this
	Has     ID        // a later appointment that is given back when she takes an earlier time; empty: none
	Took    ID        // what she took
	Closed  time.Time
	Wish
}

// EntryState is what became of a place on the waitlist.
type EntryState string

const (
	Waiting EntryState = "waiting"
	Filled  EntryState = "filled"
	Left    EntryState = "left" // taken back, or over
)

// Wish is what a person on the waitlist can take.
type Wish struct {
	Ways      []Way      `json:"ways,omitempty"`      // empty: any
	Places    []string   `json:"places,omitempty"`    // of clinic visits; empty: any
	Clinician string     `json:"clinician,omitempty"` // a resource; empty: anybody
	Notice    int        `json:"notice_minutes"`      // she needs so long to get ready and to come
	Days      []int      `json:"days,omitempty"`      // of the week, 1 Monday to 7 Sunday; empty: any
	From      clock.Wall `json:"from_wall,omitempty"` // not before this time of day, by the clinic's clock
	To        clock.Wall `json:"to_wall,omitempty"`   // not after; 0: any
}

// Validate says what is wrong with a wish.
func (w Wish) Validate() error {
	for _, way := range w.Ways {
		if !way.Valid() {
			return fault.Invalidf("%q is not a way to be seen (message, phone, video, home, clinic).", way)
		}
	}
	for _, d := range w.Days {
		if d < 1 || d > 7 {
			return fault.Invalidf("A day of the week is 1 for Monday to 7 for Sunday.")
		}
	}
	switch {
	case w.Notice < 0 || w.Notice > 14*24*60:
		return fault.Invalidf("How soon can you come? Choose from at once to 14 days.")
	case w.From < 0 || w.To < 0 || w.To > 24*60 || w.To > 0 && w.From >= w.To:
		return fault.Invalidf("The earliest time of day must come before the latest.")
	}
	return nil
}

// fits reports whether a freed time is one that the person can take, seen at an instant.
func (w Wish) fits(f Freed, zone *time.Location, now time.Time) bool {
	local := f.Start.In(zone)
	day, wall := int(local.Weekday()+6)%7+1, clock.WallAt(local.Hour(), local.Minute())
	switch {
	case len(w.Ways) > 0 && !slices.Contains(w.Ways, f.Way),
		f.Way == Clinic && len(w.Places) > 0 && !slices.Contains(w.Places, f.Place),
		w.Clinician != "" && !slices.Contains(f.Resources, w.Clinician),
		f.Start.Sub(now) < time.Duration(w.Notice)*time.Minute,
		len(w.Days) > 0 && !slices.Contains(w.Days, day),
		wall < w.From, w.To > 0 && wall > w.To:
		return false
	}
	return true
}

// waitFor bounds a place on the list that names no end.
const waitFor = 180 * 24 * time.Hour

// Join puts a person on the waitlist, once for each type; asked again, what she can take is changed and her place kept.
func (s *Service) Join(ctx context.Context, v person.Viewer, e Entry) (Entry, error) {
	if err := s.people.Enter(ctx, v, person.Act, e.Patient, "join the waitlist"); err != nil {
		return e, err
	}
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) { e, err = s.JoinIn(tx, e); return err })
	return e, err
}

// JoinIn is Join inside a caller's transaction, which has seen to the right to act.
func (s *Service) JoinIn(tx *store.Tx, e Entry) (Entry, error) {
	if err := e.Wish.Validate(); err != nil {
		return e, err
	}
	t, err := s.Type(tx, e.Org, e.Type)
	if err != nil {
		return e, err
	}
	if !t.Active || t.Staff {
		return e, fault.Deniedf("There is no waitlist for this type of visit. Please call us, or send a message.")
	}
	if e.Has != "" {
		a, err := s.own(tx, e.Org, e.Patient, e.Has)
		if err != nil {
			return e, err
		}
		if a.State != Booked || a.Type != e.Type {
			return e, fault.Conflictf("That visit is not booked any more.")
		}
		e.Asked = a.Asked
	}
	had, err := s.WaitsOf(tx, e.Org, e.Patient)
	if err != nil {
		return e, err
	}
	now := s.clock.Now()
	e.ID, e.State = s.ids.New(), Waiting
	if e.Asked.IsZero() {
		e.Asked = now
	}
	for _, h := range had {
		if h.Type == e.Type && h.State == Waiting {
			e.ID, e.Asked = h.ID, h.Asked
		}
	}
	if e.Until.IsZero() || e.Until.After(now.Add(waitFor)) {
		e.Until = now.Add(waitFor)
	}
	return e, s.putEntry(tx, e)
}

// Leave takes a person off the waitlist.
func (s *Service) Leave(ctx context.Context, v person.Viewer, patient person.ID, id string) error {
	if err := s.people.Enter(ctx, v, person.Act, patient, "leave the waitlist"); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		list, err := s.WaitsOf(tx, v.Org, patient)
		if err != nil {
			return err
		}
		for _, e := range list {
			if e.ID == id && e.State == Waiting {
				e.State, e.Closed = Left, s.clock.Now()
				return s.putEntry(tx, e)
			}
		}
		return fault.NotFoundf("You are not on this waitlist any more.")
	})
}

var entryColumns = []string{"org", "patient", "id", "type", "state", "asked_at", "until_at", "has", "took", "closed_at", "body"}

const entrySelect = "SELECT org, patient, id, type, state, asked_at, until_at, has, took, closed_at, body FROM wait_entry"

func scanEntry(scan func(...any) error) (Entry, error) {
	var e Entry
	var body string
	var asked, until, closed int64
	if err := scan(&e.Org, &e.Patient, &e.ID, &e.Type, &e.State, &asked, &until, &e.Has, &e.Took, &closed, &body); err != nil {
		return e, err
	}
	e.Asked, e.Until, e.Closed = store.Time(asked), store.Time(until), store.Time(closed)
	return e, json.Unmarshal([]byte(body), &e.Wish)
}

func (s *Service) putEntry(tx *store.Tx, e Entry) error {
	err := tx.Put("wait_entry", entryColumns, 3, 1, func(int) []any {
		return []any{string(e.Org), string(e.Patient), e.ID, e.Type, string(e.State), store.Micros(e.Asked), store.Micros(e.Until), string(e.Has), string(e.Took),
			store.Micros(e.Closed), asJSON(e.Wish)}
	})
	tx.Hint("patient", string(e.Org)+"/"+string(e.Patient))
	tx.Hint("desk", string(e.Org))
	return err
}

// WaitsOf answers a patient's places on waitlists, the latest first.
func (s *Service) WaitsOf(tx *store.Tx, org person.OrgID, patient person.ID) ([]Entry, error) {
	return store.All(tx, entrySelect+" WHERE org = $1 AND patient = $2 ORDER BY asked_at DESC, id", []any{string(org), string(patient)}, scanEntry)
}

// Waitlist answers who waits for a type, who asked first comes first.
func (s *Service) Waitlist(tx *store.Tx, org person.OrgID, typ string) ([]Entry, error) {
	return store.All(tx, entrySelect+" WHERE org = $1 AND type = $2 AND state = 'waiting' ORDER BY asked_at, id", []any{string(org), typ}, scanEntry)
}
