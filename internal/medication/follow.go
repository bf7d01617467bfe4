package medication

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

const (
	changesPerLook = 500
	overlap        = time.Minute // looked at again, for transactions that were under way
)

// Follow takes prescriptions and hand-outs that have come into the record, or changed there, to their patients: those of people enrolled since,
// and those of everybody else that changed since the last look. It answers how many patients it looked at.
func (s *Service) Follow(ctx context.Context, rec *record.Service, org person.OrgID) (int, error) {
	now := s.clock.Now()
	since, fresh, err := s.followState(ctx, org)
	if err != nil {
		return 0, err
	}
	changed := map[person.ID]person.Person{}
	for _, p := range fresh {
		changed[p.ID] = p
	}
	for _, typ := range []string{"MedicationRequest", "MedicationDispense"} {
		after := ""
		for {
			list, next, err := rec.Changes(ctx, record.Scope{Org: string(org)}, typ, since, changesPerLook, after)
			if err != nil {
				return 0, err
			}
			if err := s.subjects(ctx, org, list, changed); err != nil {
				return 0, err
			}
			if next == "" {
				break
			}
			after = next
		}
	}
	for _, p := range sorted(changed) {
		if err := s.follow(ctx, rec, p, now); err != nil {
			return 0, err
		}
	}
	return len(changed), s.db.Write(ctx, func(tx *store.Tx) error { return setFollowed(tx, org, "", now.Add(-overlap)) })
}

// followState answers until when changes have been looked at, and the patients whose prescriptions never were.
func (s *Service) followState(ctx context.Context, org person.OrgID) (since time.Time, fresh []person.Person, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		var until int64
		if _, err := tx.Row("SELECT until_at FROM followed WHERE org = $1 AND shard = $2 AND patient = ''", []any{string(org), person.Shard("")}, &until); err != nil {
			return err
		}
		since = store.Time(until)
		ids, err := store.All(tx, `SELECT p.id FROM person p LEFT JOIN followed f ON f.org = p.org AND f.shard = p.shard AND f.patient = p.id
			WHERE p.org = $1 AND p.record <> '' AND p.role = 'patient' AND p.active = 1 AND f.patient IS NULL ORDER BY p.id LIMIT 500`, []any{string(org)},
			func(scan func(...any) error) (id person.ID, err error) { return id, scan(&id) })
		if err != nil {
			return err
		}
		for _, id := range ids {
			p, err := s.people.Get(tx, org, id)
			if err != nil {
				return err
			}
			fresh = append(fresh, p)
		}
		return nil
	})
	return since, fresh, err
}

// subjects adds the patients of changed prescriptions who are enrolled here.
func (s *Service) subjects(ctx context.Context, org person.OrgID, list []record.Resource, to map[person.ID]person.Person) error {
	return s.db.Read(ctx, func(tx *store.Tx) error {
		for _, r := range list {
			var m struct{ Subject struct{ Reference string } }
			if json.Unmarshal(r.Body, &m) != nil {
				continue // a deletion has no body; the patient's others are looked at when they change
			}
			p, known, err := s.people.ByRecord(tx, org, strings.TrimPrefix(m.Subject.Reference, "Patient/"))
			if err != nil {
				return err
			}
			if known {
				to[p.ID] = p
			}
		}
		return nil
	})
}

func sorted(m map[person.ID]person.Person) []person.Person {
	ids := slices.Sorted(maps.Keys(m))
	out := make([]person.Person, len(ids))
	for i, id := range ids {
		out[i] = m[id]
	}
	return out
}

// follow adopts one patient's prescriptions. Those that cannot be followed become one task for the team.
func (s *Service) follow(ctx context.Context, rec *record.Service, p person.Person, now time.Time) error {
	requests, err := rec.Patient(ctx, string(p.Org), p.Record, "MedicationRequest")
	if err != nil {
		return err
	}
	dispensed, err := rec.Patient(ctx, string(p.Org), p.Record, "MedicationDispense")
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		left, err := s.Adopt(tx, p.Org, p.ID, requests)
		if err != nil {
			return err
		}
		if err := setUnfollowed(tx, p, left); err != nil {
			return err
		}
		if err := s.dispensed(tx, p.Org, p.ID, dispensed); err != nil {
			return err
		}
		if len(left) > 0 {
			ids := make([]string, len(left))
			for i, u := range left {
				ids[i] = u.Record
			}
			err := s.promises.OpenTask(tx, promise.TaskRow{Org: p.Org, Patient: p.ID, ID: clock.DerivedID(append([]string{"unfollowed", string(p.ID)}, ids...)...), Kind: Kind,
				Role: person.Nurse, Severity: promise.Routine, Say: "task.prescriptions", Args: map[string]string{"n": strconv.Itoa(len(left)), "called": p.Called}, Cause: "prescriptions"})
			if err != nil {
				return err
			}
		}
		return setFollowed(tx, p.Org, p.ID, now)
	})
}

func setFollowed(tx *store.Tx, org person.OrgID, patient person.ID, at time.Time) error {
	_, err := tx.Exec("INSERT INTO followed (org, shard, patient, until_at) VALUES ($1, $2, $3, $4) ON CONFLICT (org, shard, patient) DO UPDATE SET until_at = excluded.until_at",
		string(org), person.Shard(patient), string(patient), store.Micros(at))
	return err
}

// setUnfollowed keeps what cannot be followed and why, for the person who looks at it.
func setUnfollowed(tx *store.Tx, p person.Person, left []Unfollowed) error {
	if _, err := tx.Exec("DELETE FROM unfollowed WHERE org = $1 AND shard = $2 AND patient = $3", string(p.Org), person.Shard(p.ID), string(p.ID)); err != nil {
		return err
	}
	for _, u := range left {
		if _, err := tx.Exec("INSERT INTO unfollowed (org, shard, patient, record, name, reason) VALUES ($1, $2, $3, $4, $5, $6)",
			string(p.Org), person.Shard(p.ID), string(p.ID), u.Record, u.Name, u.Reason); err != nil {
			return err
		}
	}
	return nil
}

// Unfollowed answers a patient's prescriptions that cannot be turned into doses, each with the element that is wrong and why.
func (s *Service) Unfollowed(tx *store.Tx, org person.OrgID, patient person.ID) ([]Unfollowed, error) {
	return store.All(tx, "SELECT record, name, reason FROM unfollowed WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY name, record",
		[]any{string(org), person.Shard(patient), string(patient)}, func(scan func(...any) error) (u Unfollowed, err error) { return u, scan(&u.Record, &u.Name, &u.Reason) })
}
