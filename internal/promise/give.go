package promise

import (
	"encoding/json"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

const promiseSelect = `SELECT p.org, p.patient, p.id, p.kind, p.about, p.severity, p.say, p.args, p.keeper, p.from_at, p.by_at, p.zone, p.ladder, p.version,
	p.state, p.made_at, p.closed_at, p.reason`

func scanPromise(scan func(...any) error, more ...any) (Promise, error) {
	var p Promise
	var args, keeper string
	var from, by, made, closed int64
	dest := []any{&p.Org, &p.Patient, &p.ID, &p.Kind, &p.About, &p.Severity, &p.Say, &args, &keeper, &from, &by, &p.Zone, &p.Ladder.Name,
		&p.Ladder.Version, &p.State, &made, &closed, &p.Reason}
	if err := scan(append(dest, more...)...); err != nil {
		return p, err
	}
	p.Keeper.Kind, p.Keeper.Who, _ = strings.Cut(keeper, ":")
	p.From, p.By, p.Made, p.Closed, p.Rung = store.Time(from), store.Time(by), store.Time(made), store.Time(closed), -1
	if args == "null" {
		return p, nil
	}
	return p, json.Unmarshal([]byte(args), &p.Args)
}

// Get answers one promise.
func (s *Service) Get(tx *store.Tx, org person.OrgID, patient person.ID, id ID) (Promise, error) {
	p, err := stored(tx, org, patient, id)
	if err == nil && p.State == Open {
		err = s.findRung(tx, &p)
	}
	return p, err
}

// stored answers one promise without its next rung.
func stored(tx *store.Tx, org person.OrgID, patient person.ID, id ID) (Promise, error) {
	list, err := store.All(tx, promiseSelect+" FROM promise p WHERE p.org = $1 AND p.shard = $2 AND p.patient = $3 AND p.id = $4",
		[]any{string(org), Shard(patient), string(patient), string(id)}, func(scan func(...any) error) (Promise, error) { return scanPromise(scan) })
	if err != nil {
		return Promise{}, err
	}
	if len(list) == 0 {
		return Promise{}, fault.NotFoundf("There is no such promise for this person.")
	}
	return list[0], nil
}

// findRung reads an open promise's row in the agenda.
func (s *Service) findRung(tx *store.Tx, p *Promise) error {
	l, err := s.ladder(tx, p.Org, p.Ladder)
	if err != nil {
		return err
	}
	var at int64
	for rung := range len(l.Rungs) + 1 { // its time is one of a few known ones
		found, err := tx.Row("SELECT COALESCE(m.rung, a.rung), COALESCE(m.at, a.at) FROM agenda a"+inStretch+
			" WHERE a.shard = $1 AND a.severity = $2 AND a.at = $3 AND a.org = $4 AND a.patient = $5 AND a.promise = $6",
			[]any{Shard(p.Patient), int(p.Severity), store.Micros(l.At(rung, p.From, p.By)), string(p.Org), string(p.Patient), string(p.ID)}, &p.Rung, &at)
		if err != nil || found {
			p.RungAt = store.Time(at)
			return err
		}
	}
	return fault.New(fault.Internal, "open promise %s has no rung in the agenda", p.ID)
}

// Give adds evidence to a promise. An open one is kept by it; one that was broken stays broken, and the evidence is marked
// late; the same evidence twice is written once. It answers the promise as it then stands.
func (s *Service) Give(tx *store.Tx, org person.OrgID, patient person.ID, id ID, e Evidence) (Promise, error) {
	return s.give(tx, org, patient, id, e, true)
}

// Note adds evidence that does not keep the promise: a word, a refusal to be understood later.
func (s *Service) Note(tx *store.Tx, org person.OrgID, patient person.ID, id ID, e Evidence) (Promise, error) {
	return s.give(tx, org, patient, id, e, false)
}

func (s *Service) give(tx *store.Tx, org person.OrgID, patient person.ID, id ID, e Evidence, keeps bool) (Promise, error) {
	if e.Kind == "" || e.Source == "" {
		return Promise{}, fault.Invalidf("Evidence needs a kind and a source.")
	}
	if err := lock(tx, Shard(patient)); err != nil {
		return Promise{}, err
	}
	p, err := s.Get(tx, org, patient, id)
	if err != nil {
		return p, err
	}
	now := s.clock.Now()
	e.At = e.At.UTC().Truncate(time.Microsecond)
	if e.At.IsZero() {
		e.At = now
	}
	e.Late = p.State == Broken
	known, err := s.hasEvidence(tx, p, e)
	if err != nil || known {
		return p, err
	}
	events := []Event{{Org: org, Patient: patient, At: now, Kind: EventEvidence, Promise: id, Rung: -1, Body: body(e)}}
	if p.State == Open && keeps {
		events = append(events, Event{Org: org, Patient: patient, At: now, Kind: EventKept, Promise: id, Rung: -1, Body: "{}"})
	}
	if err := record(tx, events...); err != nil {
		return p, err
	}
	if p.State == Open && keeps {
		if err := s.close(tx, &p, Kept, "", now); err != nil {
			return p, err
		}
	}
	if keeps {
		if err := s.settle(tx, p, "answered", now); err != nil {
			return p, err
		}
	}
	hint(tx, p)
	return p, nil
}

func (s *Service) hasEvidence(tx *store.Tx, p Promise, e Evidence) (bool, error) {
	events, err := eventsSince(tx, p.Org, p.Patient, p.Made)
	if err != nil {
		return false, err
	}
	for _, had := range events {
		if had.Promise != p.ID || had.Kind != EventEvidence {
			continue
		}
		var x Evidence
		if err := json.Unmarshal([]byte(had.Body), &x); err != nil {
			return false, err
		}
		if x.Kind == e.Kind && x.At.Equal(e.At) && x.Source == e.Source && x.By == e.By {
			return true, nil
		}
	}
	return false, nil
}

// close takes an open promise's rung off the agenda and writes its final state.
func (s *Service) close(tx *store.Tx, p *Promise, to State, reason string, now time.Time) error {
	if p.Rung >= 0 {
		if err := dropRung(tx, p); err != nil {
			return err
		}
	}
	p.State, p.Closed, p.Reason, p.Rung, p.RungAt = to, now, reason, -1, time.Time{}
	n, err := tx.Exec("UPDATE promise SET state = $5, closed_at = $6, reason = $7 WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4 AND state = 0",
		string(p.Org), Shard(p.Patient), string(p.Patient), string(p.ID), int(to), store.Micros(now), reason)
	if err != nil {
		return err
	}
	if n != 1 {
		return fault.Conflictf("That promise is closed already.")
	}
	if w := s.watchers[p.Kind]; w != nil {
		return w.Closed(tx, *p)
	}
	return nil
}

// dropRung takes an open promise off the agenda, wherever its row lies.
func dropRung(tx *store.Tx, p *Promise) error {
	args := []any{Shard(p.Patient), int(p.Severity), store.Micros(p.RungAt), string(p.Org), string(p.Patient), string(p.ID)}
	n, err := tx.Exec("DELETE FROM agenda WHERE shard = $1 AND severity = $2 AND at = $3 AND org = $4 AND patient = $5 AND promise = $6", args...)
	if err == nil && n == 0 {
		n, err = tx.Exec(`DELETE FROM agenda WHERE shard = $1 AND severity = $2 AND org = $4 AND patient = $5 AND promise = $6 AND at IN (SELECT m.stored FROM agenda_moved m
			WHERE m.shard = $1 AND m.severity = $2 AND m.at = $3 AND (m.org, m.patient, m.promise) <= ($4, $5, $6) AND (m.last_org, m.last_patient, m.last_promise) >= ($4, $5, $6))`, args...)
	}
	if err == nil && n != 1 {
		err = fault.New(fault.Internal, "promise %s: %d rows in the agenda, want 1", p.ID, n)
	}
	return err
}

// Release takes an open promise back, with the reason. With notice, the patient is told, in the same transaction.
func (s *Service) Release(tx *store.Tx, v person.Viewer, org person.OrgID, patient person.ID, id ID, reason string, notice bool) (Promise, error) {
	if err := lock(tx, Shard(patient)); err != nil {
		return Promise{}, err
	}
	p, err := s.Get(tx, org, patient, id)
	if err != nil {
		return p, err
	}
	if p.State != Open {
		return p, fault.Conflictf("That is closed already.")
	}
	now := s.clock.Now()
	if err := record(tx, Event{Org: org, Patient: patient, At: now, Kind: EventReleased, Promise: id, Rung: -1,
		Body: body(map[string]string{"reason": reason, "by": string(v.Person)})}); err != nil {
		return p, err
	}
	if err := s.close(tx, &p, Released, reason, now); err != nil {
		return p, err
	}
	if err := s.settle(tx, p, "released", now); err != nil {
		return p, err
	}
	hint(tx, p)
	if !notice {
		return p, nil
	}
	apply, err := s.hands.Ready(tx, []Effect{{Org: org, Patient: patient, Promises: []Promise{p}, Index: -1, Severity: p.Severity, Due: now, Now: now,
		Rung: &Rung{Do: Tell, To: "patient", Say: "released"}}})
	if err != nil {
		return p, err
	}
	return p, apply(tx)
}

// Move gives an open promise new times. Rungs that were climbed stay climbed; the next one is counted from the new time.
func (s *Service) Move(tx *store.Tx, v person.Viewer, org person.OrgID, patient person.ID, id ID, from, by time.Time) (Promise, error) {
	if err := lock(tx, Shard(patient)); err != nil {
		return Promise{}, err
	}
	p, err := s.Get(tx, org, patient, id)
	if err != nil {
		return p, err
	}
	if p.State != Open {
		return p, fault.Conflictf("That is closed already.")
	}
	l, err := s.ladder(tx, org, p.Ladder)
	if err != nil {
		return p, err
	}
	if err := dropRung(tx, &p); err != nil {
		return p, err
	}
	p.From, p.By = from.UTC().Truncate(time.Microsecond), by.UTC().Truncate(time.Microsecond)
	if err := p.Validate(); err != nil {
		return p, err
	}
	p.RungAt = l.At(p.Rung, p.From, p.By)
	if err := insertAgenda(tx, Shard(patient), s.clock.Now(), placesOf([]Promise{p})...); err != nil {
		return p, err
	}
	if _, err := tx.Exec("UPDATE promise SET from_at = $5, by_at = $6 WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4",
		string(org), Shard(patient), string(patient), string(id), store.Micros(p.From), store.Micros(p.By)); err != nil {
		return p, err
	}
	s.expect(tx, Shard(patient), p.Severity, p.RungAt)
	hint(tx, p)
	return p, record(tx, Event{Org: org, Patient: patient, At: s.clock.Now(), Kind: EventMoved, Promise: id, Rung: -1,
		Body: body(map[string]any{"from": store.Micros(p.From), "by": store.Micros(p.By), "mover": string(v.Person)})})
}
