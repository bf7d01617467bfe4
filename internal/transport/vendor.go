package transport

import (
	"context"
	"errors"
	"time"
)

// Vendor is an outside company that drives whom no vehicle of ours can. Every method may fail or take long: it is called outside of transactions, and what it
// answered is written down afterwards.
type Vendor interface {
	Name() string
	// Ask orders a ride. The same Trip.ID twice is one order. ErrDeclined: it has nobody; any other error: nobody knows.
	Ask(ctx context.Context, t Trip) (ref string, err error)
	// Look answers how an order stands.
	Look(ctx context.Context, ref string) (Progress, error)
	Cancel(ctx context.Context, ref string) error
}

// ErrDeclined is the answer of a company that has nobody to send.
var ErrDeclined = errors.New("the ride company has no car")

// Trip is what a vendor is told: no name, no reason.
type Trip struct {
	ID         string
	From, To   Spot
	Pickup     Span
	By         time.Time // to be there; zero: no such time
	Mobility   Mobility
	Companions int
	Called     string // first name, for the driver at the door
}

// Progress is how an order stands.
type Progress struct {
	State  LegState  // Planned, Way, Door, Aboard, Done, Missed; Cancelled: the company takes it back
	Pickup time.Time // when it expects to be there
	At     time.Time // when State began
}

// Order is what we know of a leg with the vendor.
type Order struct {
	Name  string    `json:"name,omitempty"`
	Ref   string    `json:"ref,omitempty"` // its name for it; empty: not accepted
	Tries int       `json:"tries,omitempty"`
	Times int       `json:"times,omitempty"` // orders that were given back
	Next  time.Time `json:"next,omitzero"`   // when to ask or look again
	Over  bool      `json:"over,omitempty"`  // it will not drive this
	Heard time.Time `json:"heard,omitzero"`
}
