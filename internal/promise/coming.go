package promise

import (
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Coming is a rung of an open promise that is not due yet.
type Coming struct {
	Promise Promise
	Rung    int
	At      time.Time
}

// Coming answers the rungs of one deed of a patient's open promises that come due in [from, to), in order of time: for what must
// be done at its time even where the server cannot be reached then.
func (s *Service) Coming(tx *store.Tx, org person.OrgID, patient person.ID, do Deed, from, to time.Time) ([]Coming, error) {
	open, err := store.All(tx, promiseSelect+" FROM promise p WHERE p.org = $1 AND p.shard = $2 AND p.patient = $3 AND p.state = 0 AND p.from_at < $4 AND p.by_at > $5",
		[]any{string(org), Shard(patient), string(patient), store.Micros(to), store.Micros(from)}, func(scan func(...any) error) (Promise, error) { return scanPromise(scan) })
	if err != nil {
		return nil, err
	}
	var out []Coming
	for _, p := range open {
		l, err := s.ladder(tx, org, p.Ladder)
		if err != nil {
			return nil, err
		}
		for i, r := range l.Rungs {
			// Not before By alone: a rung that would come after it falls together with the fall and is never climbed.
			if at := p.From.Add(time.Duration(r.After)); r.Do == do && at.Before(p.By) && !at.Before(from) && at.Before(to) {
				out = append(out, Coming{p, i, at})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Coming) int { return a.At.Compare(b.At) })
	return out, nil
}
