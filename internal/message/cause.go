package message

import (
	"cmp"
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// CauseWindow is for how long one message to a person stands for everything of one cause.
const CauseWindow = 10 * time.Minute

// call is a message of a cause, by its place among those that are about to be written.
type call struct {
	at     int
	org    person.OrgID
	person person.ID
	cause  string
}

// quiet marks those messages as not sent whose reader was called for the same cause within the window: five hundred alerts of one
// cause are one call, of two causes two. It decides in the transaction that writes them, so that two that go on at once do not both
// call; and it takes each person and cause in one order, so that they do not wait for each other in a circle. Severe messages have no
// cause here, and are never held back.
func (s *Service) quiet(tx *store.Tx, calls []call, list []Message) error {
	slices.SortStableFunc(calls, func(a, b call) int {
		return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.person, b.person), cmp.Compare(a.cause, b.cause))
	})
	for i, c := range calls {
		called := i > 0 && calls[i-1].org == c.org && calls[i-1].person == c.person && calls[i-1].cause == c.cause
		if !called {
			now := list[c.at].Moved
			n, err := tx.Exec(`INSERT INTO called (org, person, cause, at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (org, person, cause) DO UPDATE SET at = excluded.at WHERE called.at <= $5`,
				string(c.org), string(c.person), c.cause, store.Micros(now), store.Micros(now.Add(-CauseWindow)))
			if err != nil {
				return err
			}
			called = n == 0
		}
		if called {
			list[c.at].State, list[c.at].Due = Dropped, time.Time{}
		}
	}
	return nil
}
