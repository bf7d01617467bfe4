package promise

import (
	"encoding/json"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Climb is a rung that was climbed.
type Climb struct {
	Rung    int
	At      time.Time
	Do      Deed
	To      string
	Say     string
	Skipped bool   // its time had passed before the ledger came to it, or it was needless
	Why     Unless // it was needless; empty: its time had passed
}

// View is a promise with what happened to it.
type View struct {
	Promise
	Evidence []Evidence
	Climbed  []Climb
}

// Of answers a patient's promises that are due in [from, to), in order of time, each with its evidence and rungs climbed. RungAt is as
// the ladder says.
func (s *Service) Of(tx *store.Tx, org person.OrgID, patient person.ID, from, to time.Time) ([]View, error) {
	shard := Shard(patient)
	// The index gives ids in order of time; the rows lie together under the primary key.
	list, err := store.All(tx, promiseSelect+` FROM promise p
		WHERE p.org = $1 AND p.patient = $2 AND p.shard = $3 AND p.from_at >= $4 AND p.from_at < $5 ORDER BY p.from_at, p.id`,
		[]any{string(org), string(patient), shard, store.Micros(from), store.Micros(to)}, func(scan func(...any) error) (View, error) {
			p, err := scanPromise(scan)
			return View{Promise: p}, err
		})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, s.fillViews(tx, org, patient, list)
}

// fillViews adds evidence and rungs from the history.
func (s *Service) fillViews(tx *store.Tx, org person.OrgID, patient person.ID, list []View) error {
	since := list[0].Made
	at := make(map[ID]*View, len(list))
	for i := range list {
		at[list[i].ID] = &list[i]
		if list[i].Made.Before(since) {
			since = list[i].Made
		}
	}
	events, err := eventsSince(tx, org, patient, since)
	if err != nil {
		return err
	}
	for _, e := range events {
		v := at[e.Promise]
		if v == nil {
			continue
		}
		switch e.Kind {
		case EventEvidence:
			var ev Evidence
			if err := json.Unmarshal([]byte(e.Body), &ev); err != nil {
				return err
			}
			v.Evidence = append(v.Evidence, ev)
		case EventClimbed, EventSkipped:
			l, err := s.ladder(tx, org, v.Ladder)
			if err != nil {
				return err
			}
			r := l.Rungs[e.Rung]
			var why skipped
			if err := json.Unmarshal([]byte(e.Body), &why); err != nil {
				return err
			}
			v.Climbed = append(v.Climbed, Climb{Rung: e.Rung, At: e.At, Do: r.Do, To: r.To, Say: r.Say, Skipped: e.Kind == EventSkipped, Why: why.Why})
		}
	}
	for i := range list {
		v := &list[i]
		if v.State != Open {
			continue
		}
		l, err := s.ladder(tx, org, v.Ladder)
		if err != nil {
			return err
		}
		v.Rung = len(v.Climbed)
		v.RungAt = l.At(v.Rung, v.From, v.By)
	}
	return nil
}

// OpenOf answers a patient's open promises of a kind, in order of time.
func (s *Service) OpenOf(tx *store.Tx, org person.OrgID, patient person.ID, kind string) ([]Promise, error) {
	return store.All(tx, promiseSelect+" FROM promise p WHERE p.org = $1 AND p.shard = $2 AND p.patient = $3 AND p.state = 0 AND p.kind = $4 ORDER BY p.from_at, p.id",
		[]any{string(org), Shard(patient), string(patient), kind}, func(scan func(...any) error) (Promise, error) { return scanPromise(scan) })
}
