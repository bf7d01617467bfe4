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
func (s *Service) claim(tx *store.Tx, a Appointment, o Offer, outside bool) error {
	if err := s.claimLater(tx, a, o, outside); err != nil {
		return err
	}
	return tx.Flush()
}

// claimLater is claim, whose error may come out of what the transaction does next, or of its end.
// Time that a resource's own calendar has taken is no more to be had than another visit's, unless outside is set.
func (s *Service) claimLater(tx *store.Tx, a Appointment, o Offer, outside bool) error {
	now := store.Micros(s.clock.Now())
	from, until := a.Start.Add(-time.Duration(o.Before)*time.Minute), a.End.Add(time.Duration(o.After)*time.Minute)
	ids := slices.Sorted(slices.Values(a.Resources))
	// The resources first, in one order for everybody: two inserts that meet in the exclusion constraint would wait for each other.
	if err := touch(tx, a.Org, ids); err != nil {
		return err
	}
	for _, r := range ids {
		if err := tx.Later("DELETE FROM claim WHERE org = $1 AND resource = $2 AND hold_until > 0 AND hold_until <= $3", string(a.Org), r, now); err != nil {
			return err
		}
	}
	lane, err := s.laneFor(tx, a)
	if err != nil {
		return err
	}
	for _, r := range ids {
		err := tx.LaterDone(won, `INSERT INTO claim (org, resource, from_at, until_at, appointment, patient, hold_until, lane)
			SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), CAST($9 AS BIGINT)
			WHERE CAST($8 AS BIGINT) = 1 OR NOT EXISTS (SELECT 1 FROM busy b WHERE b.org = $1 AND b.resource = $2 AND b.from_at < $4 AND b.until_at > $3)`,
			string(a.Org), r, store.Micros(from), store.Micros(until), string(a.ID), string(a.Patient), store.Micros(a.HoldUntil), yes(outside), lane)
		if err != nil {
			return err
		}
	}
	return nil
}

// won answers ErrTaken when a time was not to be had.
func won(n int64, err error) error {
	if fault.Is(err, fault.Conflict) || err == nil && n == 0 {
		return ErrTaken
	}
	return err
}

// release gives back what an appointment took, and answers whether its time is free now: it is not when the appointment stood beside
// another, nor when another stood beside it, which then has the time to itself.
func (s *Service) release(tx *store.Tx, a Appointment) (free bool, err error) {
	if err := touch(tx, a.Org, slices.Sorted(slices.Values(a.Resources))); err != nil { // first: nobody books beside it meanwhile
		return false, err
	}
	var lane, from, until int64
	had, err := tx.Row("SELECT lane, from_at, until_at FROM claim WHERE org = $1 AND appointment = $2 LIMIT 1", []any{string(a.Org), string(a.ID)}, &lane, &from, &until)
	if err != nil {
		return false, err
	}
	if _, err := tx.Exec("DELETE FROM claim WHERE org = $1 AND appointment = $2", string(a.Org), string(a.ID)); err != nil {
		return false, err
	}
	if !had || lane > 0 {
		return false, nil
	}
	moved, err := tx.Exec(`UPDATE claim SET lane = 0 WHERE org = $1 AND lane = 1 AND from_at = $3 AND until_at = $4 AND resource IN (SELECT value FROM `+tx.List("$2")+` ids)`,
		string(a.Org), asJSON(a.Resources), from, until)
	return moved == 0, err
}

// touch tells every copy in memory that what these resources have free has changed.
func touch(tx *store.Tx, org person.OrgID, ids []string) error {
	for _, r := range ids {
		if err := tx.Later("UPDATE resource SET version = version + 1 WHERE org = $1 AND id = $2", string(org), r); err != nil {
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
