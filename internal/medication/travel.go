package medication

import (
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication/timing"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Travel is the kind of promise by which a patient who has come to another zone is asked which clock the medicines follow. Until
// the patient has said so, no dose moves.
const Travel = "travel"

// travelBy is how long the question stays open before it is given up: the medicines then stay as they are, and a person knows.
const travelBy = 24 * time.Hour

// moves answers the zones that a patient has agreed to follow, in order.
func (s *Service) moves(tx *store.Tx, org person.OrgID, patient person.ID) ([]timing.Move, error) {
	return store.All(tx, "SELECT at, zone FROM dose_move WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY at",
		[]any{string(org), person.Shard(patient), string(patient)}, func(scan func(...any) error) (m timing.Move, err error) {
			var at int64
			var zone string
			if err := scan(&at, &zone); err != nil {
				return m, err
			}
			m.At = store.Time(at)
			m.Zone, err = clock.Zone(zone)
			return m, err
		})
}

// clockOf answers the clock that a regimen follows: where it was begun, and each move since.
func clockOf(r Regimen, p person.Person, moves []timing.Move) timing.Clock {
	c := timing.Clock{Policy: r.Policy, Home: p.Location()}
	if z, err := clock.Zone(r.Zone); err == nil {
		c.Home = z
	}
	c.Moves = slices.DeleteFunc(slices.Clone(moves), func(m timing.Move) bool { return m.At.Before(r.Made) })
	return c
}

// Moving is the open question of a patient who is in another zone than the medicines follow.
type Moving struct {
	Promise  promise.ID
	From, To string    // IANA zones: that of the medicines, that of the patient
	Next     time.Time // the next dose as things are; zero: none within a day and a half
	Moved    time.Time // the next dose if they move
}

// SetZone changes the zone in which a patient is. The doses stay where they are; if some follow the wall clock, the patient is
// asked.
func (s *Service) SetZone(tx *store.Tx, org person.OrgID, patient person.ID, zone string) error {
	if _, err := clock.Zone(zone); err != nil {
		return fault.Invalidf("We do not know that time zone. Please choose one from the list.")
	}
	p, err := s.people.Get(tx, org, patient)
	if err != nil || p.Zone == zone {
		return err
	}
	// Regimens from before zones were kept were begun where the patient was until now.
	if _, err := tx.Exec("UPDATE regimen SET zone = $4 WHERE org = $1 AND shard = $2 AND patient = $3 AND zone = ''", string(org), person.Shard(patient), string(patient), p.Zone); err != nil {
		return err
	}
	p.Zone = zone
	if p, err = s.people.Save(tx, p); err != nil {
		return err
	}
	tx.Hint("patient", string(org)+"/"+string(patient))
	return s.askZone(tx, p)
}

// astray answers a zone that active medicines by the wall clock follow though the patient is in another; "" if there is none.
func (s *Service) astray(tx *store.Tx, p person.Person) (string, error) {
	regimens, err := s.Regimens(tx, p.Org, p.ID)
	if err != nil {
		return "", err
	}
	moves, err := s.moves(tx, p.Org, p.ID)
	if err != nil {
		return "", err
	}
	for _, r := range regimens {
		if !r.Active || r.AsNeeded || r.Policy == timing.Interval || r.Policy == timing.Home {
			continue
		}
		if z := clockOf(r, p, moves).Zone(s.clock.Now()); z.String() != p.Zone {
			return z.String(), nil
		}
	}
	return "", nil
}

func (s *Service) travelID(tx *store.Tx, p person.Person, from string) (promise.ID, error) {
	moves, err := s.moves(tx, p.Org, p.ID)
	last := ""
	if n := len(moves); n > 0 {
		last = moves[n-1].At.UTC().Format(time.RFC3339Nano)
	}
	return promise.ID(clock.DerivedID("travel", string(p.Org), string(p.ID), from, p.Zone, last)), err
}

// askZone asks a patient who is in another zone, once for each change, and takes back a question that has no point any more.
func (s *Service) askZone(tx *store.Tx, p person.Person) error {
	from, err := s.astray(tx, p)
	if err != nil {
		return err
	}
	id := promise.ID("")
	if from != "" {
		if id, err = s.travelID(tx, p, from); err != nil {
			return err
		}
	}
	open, err := s.promises.OpenOf(tx, p.Org, p.ID, Travel)
	if err != nil {
		return err
	}
	for _, o := range open {
		if o.ID != id {
			if _, err := s.promises.Release(tx, person.SystemViewer(p.Org), p.Org, p.ID, o.ID, "reason.plan", false); err != nil {
				return err
			}
		}
	}
	if from == "" {
		return nil
	}
	ladder, err := s.promises.Latest(tx, p.Org, TravelLadder)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	_, err = s.promises.Make(tx, promise.Promise{Org: p.Org, Patient: p.ID, ID: id, Kind: Travel, About: p.Zone, Severity: promise.Watch, Say: "say.travel",
		Args: map[string]string{"called": p.Called}, Keeper: promise.Keeper{Kind: "patient", Who: string(p.ID)}, From: now, By: now.Add(travelBy), Zone: p.Zone, Ladder: ladder})
	return err
}

// Moving answers the question that waits for a patient; false when there is none.
func (s *Service) Moving(tx *store.Tx, p person.Person) (m Moving, ok bool, err error) {
	if m.From, err = s.astray(tx, p); err != nil || m.From == "" {
		return m, false, err
	}
	if m.Promise, err = s.travelID(tx, p, m.From); err != nil {
		return m, false, err
	}
	asked, err := s.promises.Get(tx, p.Org, p.ID, m.Promise)
	if fault.Is(err, fault.NotFound) {
		return m, false, nil
	}
	if err != nil || asked.State == promise.Kept || asked.State == promise.Released {
		return m, false, err
	}
	m.To = p.Zone
	now := s.clock.Now()
	moves, err := s.moves(tx, p.Org, p.ID)
	if err != nil {
		return m, false, err
	}
	for i, then := range [][]timing.Move{moves, append(slices.Clone(moves), timing.Move{At: now, Zone: p.Location()})} {
		list, err := s.dosesBy(tx, p, then, now, now.Add(ahead))
		if err != nil {
			return m, false, err
		}
		if len(list) > 0 {
			if i == 0 {
				m.Next = list[0].due
			} else {
				m.Moved = list[0].due
			}
		}
	}
	return m, true, nil
}

// Zoned takes the patient's word on the clock of the medicines: move is to the zone in which the patient is. With no, they stay.
func (s *Service) Zoned(tx *store.Tx, w Word, move bool) error {
	p, err := s.people.Get(tx, w.Org, w.Patient)
	if err != nil {
		return err
	}
	m, ok, err := s.Moving(tx, p)
	if err != nil {
		return err
	}
	if !ok || m.Promise != w.Promise {
		return fault.Conflictf("That question is closed.")
	}
	if move {
		if _, err := tx.Exec("INSERT INTO dose_move (org, shard, patient, at, zone, by_person) VALUES ($1, $2, $3, $4, $5, $6)",
			string(w.Org), person.Shard(w.Patient), string(w.Patient), store.Micros(s.clock.Now()), p.Zone, string(w.By)); err != nil {
			return err
		}
	}
	note := "travel.keep"
	if move {
		note = "travel.move"
	}
	if _, err := s.promises.Give(tx, w.Org, w.Patient, w.Promise, promise.Evidence{Kind: w.Kind, At: w.At, Source: w.Source, By: string(w.By), For: string(w.For), Note: note}); err != nil {
		return err
	}
	return s.replan(tx, w.Org, w.Patient)
}

// replyTravel takes the numbered answer: 1 moves, 2 keeps.
func (s *Service) replyTravel(tx *store.Tx, a message.Answer, id promise.ID) (string, map[string]string, error) {
	if a.Number > 2 {
		return "closed", nil, nil
	}
	err := s.Zoned(tx, Word{Org: a.Org, Patient: a.Patient, Promise: id, By: a.By, Kind: "text", Source: "text", At: a.At}, a.Number == 1)
	if fault.Is(err, fault.Conflict) {
		return "closed", nil, nil
	}
	if a.Number == 1 {
		return "thanks.moved", nil, err
	}
	return "thanks.stays", nil, err
}
