package promise

import (
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Effect is what a climbed rung asks to be done, in the transaction that climbs it. Promises of one person at one time that
// climb the same rung to the same people come as one effect.
type Effect struct {
	Org      person.OrgID
	Patient  person.ID
	Promises []Promise // at least one; not to be changed; climbed ones without what they are about and their keeper
	Rung     *Rung     // of a ladder, which never changes
	Index    int       // the rung's place in the ladder
	Severity Severity
	Due      time.Time
	Now      time.Time
	Late     bool // climbed so late after Due that the words must say so
}

// Hands do what rungs ask. Ready works everything out (whom, on which channel, in which words) and only reads; the function
// it answers writes, inside the ledger's transaction. The two are apart so that the ledger can work out its next batch
// while the database writes this one.
type Hands interface {
	Ready(tx *store.Tx, effects []Effect) (apply func(tx *store.Tx) error, err error)
}

// Watcher is told, in the same transaction, that a promise has left the open state.
type Watcher interface {
	Closed(tx *store.Tx, p Promise) error
}
