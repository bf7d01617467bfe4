package appointment

import (
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// keepFor keeps a freed time for those who are offered it until their answer is due, so that the search gives it to nobody meanwhile. It
// is a claim like any other, in the name of the freed time. It answers whether the time could be kept; if not, it is booked.
func (s *Service) keepFor(tx *store.Tx, f Freed, until time.Time) (bool, error) {
	t, err := s.Type(tx, f.Org, f.Type)
	if err != nil {
		return false, err
	}
	o, _ := t.Offer(f.Way)
	if err := s.unkeep(tx, f); err != nil {
		return false, err
	}
	err = tx.Try(func() error {
		return s.claim(tx, Appointment{Org: f.Org, ID: ID(f.ID), Start: f.Start, End: f.End, Resources: f.Resources, HoldUntil: until}, o, false)
	})
	if fault.Is(err, fault.Conflict) {
		f.State = "booked"
		return false, s.close(tx, f, "")
	}
	return err == nil, err
}

// unkeep lets everybody have a freed time.
func (s *Service) unkeep(tx *store.Tx, f Freed) error {
	n, err := tx.Exec("DELETE FROM claim WHERE org = $1 AND appointment = $2", string(f.Org), f.ID)
	if err != nil || n == 0 {
		return err
	}
	return touch(tx, f.Org, slices.Sorted(slices.Values(f.Resources)))
}

// silent answers how many offers each person has let pass without a word since her last answer.
func (s *Service) silent(tx *store.Tx, org person.OrgID) (map[person.ID]int, error) {
	out := map[person.ID]int{}
	return out, tx.Rows(`SELECT o.patient, COUNT(*) FROM offer o WHERE o.org = $1 AND o.state = 'expired' AND NOT EXISTS (SELECT 1 FROM offer l
			WHERE l.org = o.org AND l.patient = o.patient AND l.answered_at > 0 AND l.sent_at >= o.sent_at) GROUP BY o.patient`, []any{string(org)}, func(scan func(...any) error) error {
		var who person.ID
		var n int
		if err := scan(&who, &n); err != nil {
			return err
		}
		out[who] = n
		return nil
	})
}
