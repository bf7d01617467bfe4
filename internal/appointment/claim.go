package appointment

import (
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// claim takes resources for an appointment, from before it to after it. Any overlap with another claim answers ErrTaken; on
// PostgreSQL the transaction is then over. Holds that have run out give way first.
func (s *Service) claim(tx *store.Tx, a Appointment, o Offer) error {
	now := store.Micros(s.clock.Now())
	from, until := a.Start.Add(-time.Duration(o.Before)*time.Minute), a.End.Add(time.Duration(o.After)*time.Minute)
	ids := slices.Sorted(slices.Values(a.Resources))
	// The resources first, in one order for everybody: two inserts that meet in the exclusion constraint would wait for each other.
	if err := touch(tx, a.Org, ids); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM claim WHERE org = $1 AND resource IN (SELECT value FROM "+tx.List("$2")+" ids) AND hold_until > 0 AND hold_until <= $3",
		string(a.Org), asJSON(ids), now); err != nil {
		return err
	}
	for _, r := range ids {
		_, err := tx.Exec("INSERT INTO claim (org, resource, from_at, until_at, appointment, patient, hold_until) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			string(a.Org), r, store.Micros(from), store.Micros(until), string(a.ID), string(a.Patient), store.Micros(a.HoldUntil))
		if fault.Is(err, fault.Conflict) {
			return ErrTaken
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// release gives back what an appointment took.
func (s *Service) release(tx *store.Tx, a Appointment) error {
	if _, err := tx.Exec("DELETE FROM claim WHERE org = $1 AND appointment = $2", string(a.Org), string(a.ID)); err != nil {
		return err
	}
	return touch(tx, a.Org, slices.Sorted(slices.Values(a.Resources)))
}

// touch tells every copy in memory that what these resources have free has changed.
func touch(tx *store.Tx, org person.OrgID, ids []string) error {
	for _, r := range ids {
		if _, err := tx.Exec("UPDATE resource SET version = version + 1 WHERE org = $1 AND id = $2", string(org), r); err != nil {
			return err
		}
	}
	return nil
}

// lock keeps two changes of one appointment apart. The single writer of SQLite does that by itself.
func lock(tx *store.Tx, org person.OrgID, id ID) error {
	if tx.Engine() != store.Postgres {
		return nil
	}
	var one int
	_, err := tx.Row("SELECT 1 FROM appointment WHERE org = $1 AND id = $2 FOR UPDATE", []any{string(org), string(id)}, &one)
	return err
}
