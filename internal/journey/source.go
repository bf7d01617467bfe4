package journey

import (
	"context"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Source asks for needs: a care pathway, the medicines that run out, the orders of the record. internal/app adds those of other rooms.
//
// A source that would rather say so at once calls Service.SaveNeed with ids of its own; the two can be mixed.
type Source interface {
	// Name is the Need.Source of its needs.
	Name() string
	// Needs answers all that it now asks for a person. Ids are the source's own and stay the same; what is no longer among them is dropped.
	Needs(tx *store.Tx, org person.OrgID, patient person.ID) ([]Need, error)
	// Arranged is told, in the same transaction, in which way and when one of its needs was promised, done or given back. Way is empty where it was given back.
	Arranged(tx *store.Tx, org person.OrgID, patient person.ID, need ID, a Arrangement) error
}

// Owner is a Source some of whose needs also stand as orders in the record: those come onto the list once, from it.
type Owner interface {
	Owns(tx *store.Tx, org person.OrgID, patient person.ID, request string) (bool, error)
}

// Arrangement is how a need is met.
type Arrangement struct {
	Way   string // of the catalog; empty: no longer
	Mode  Mode
	Start time.Time
	End   time.Time
	Done  bool
}

// Visits are the clinic's appointments. appointment.Service is one.
type Visits interface {
	Find(ctx context.Context, q appointment.Search) (appointment.Found, error)
	BookIn(tx *store.Tx, v person.Viewer, r appointment.Request) (appointment.Appointment, error)
	CancelIn(tx *store.Tx, v person.Viewer, org person.OrgID, patient person.ID, id appointment.ID) error
	Get(tx *store.Tx, org person.OrgID, id appointment.ID) (appointment.Appointment, error)
	Of(tx *store.Tx, org person.OrgID, patient person.ID) ([]appointment.Appointment, error)
	Types(tx *store.Tx, org person.OrgID) ([]appointment.Type, error)
}

// Follower is what goes along with a trip or with something at home, and has to move when it moves: the ride, an interpreter, a kit, a caregiver.
type Follower interface {
	// Name is what it is called in a task for the desk: ride, interpreter, kit, caregiver (catalog keys after "journey.follower.").
	Name() string
	// Follow makes it fit: books it where before is nil, moves it where both are there, gives it back where after is nil. It runs in a savepoint: where it
	// answers an error, nothing of it remains, the desk is told what failed, and the trip stands as it was said. It may set after.OutRide and after.BackRide.
	Follow(tx *store.Tx, v person.Viewer, before, after *Outing) error
}

// Outing is a trip, or one thing at home, with what is done on it.
type Outing struct {
	Trip  Trip // zero for what is done at home
	Stops []Item
}
