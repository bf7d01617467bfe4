// Package message carries words to people and back: by text, mail, push, page and cue.
//
// Its promise: one row per effect that a person sees, written before anything is sent; what a gateway accepted and what it
// reported is written after; a state only moves forward; what does not arrive goes out again by the next channel. Nothing is
// sent without consent, nothing that names a diagnosis or a drug is put into words here. The database is the queue: what is in
// memory is only a copy of rows that this process has put its name to for a while.
package message

import (
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"io/fs"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// State of a message. It only grows.
type State int

const (
	Queued    State = 0 // to be handed over when due
	Handing   State = 1 // a process is handing it over; after its lease another looks what became of it
	Sent      State = 2 // the gateway took it
	Unknown   State = 3 // no report within ten minutes: the next channel has been started
	Failed    State = 4 // the gateway or the network of the person refused it
	Delivered State = 5
	Dropped   State = 6 // not sent, on purpose: consent withdrawn, no longer useful
)

var stateNames = [...]string{"queued", "handing", "sent", "unknown", "failed", "delivered", "dropped"}

func (s State) String() string { return stateNames[s] }

// Message is one thing that a person was told, or told us.
type Message struct {
	Org      person.OrgID
	Patient  person.ID // whom it is about; empty for an unknown sender
	At       time.Time // when it was due to be said, or was received
	ID       string    // follows from the cause, so that one cause is one message; also the reference given to gateways
	Person   person.ID // to whom, or from whom
	Inward   bool
	Channel  person.Channel
	Address  string
	Say      string // catalog key, empty for a person's own words
	Body     string
	Promises string   // ids, space-separated, that it is about
	Code     string   // of the question in it, empty when it asks nothing
	Severity Severity //
	State    State
	Due      time.Time // when something has to be done next; zero: nothing
	Moved    time.Time // when the state was last changed
	Tries    int
	Ref      string // the gateway's own name for it

	sum int64 // its checksum, where that has been worked out already
	useful
}

// Severity is the ledger's scale (0 routine to 3 severe); from Urgent on, quiet hours do not hold.
type Severity int

const (
	Routine Severity = 0
	Urgent  Severity = 2
	Severe  Severity = 3
)

// checksum is of what never changes in a message: 63 bits of SHA-256.
func (m *Message) checksum(buf []byte) (int64, []byte) {
	b := buf[:0]
	for _, s := range [...]string{string(m.Org), string(m.Patient), m.ID, string(m.Person), string(m.Channel), m.Address, m.Say, m.Body, m.Promises, m.Code} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(store.Micros(m.At)))
	h := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(h[:8]) >> 1), b
}

// Outgoing is what a channel is given.
type Outgoing struct {
	Ref      string // our reference: the same message always has the same one
	To       string
	Subject  string // mail only
	Body     string
	Link     string // push only: the page to open, from the root
	Severity Severity
}

// Result is what a channel answers for one Outgoing.
type Result struct {
	Ref     string        // the gateway's reference, if it has one
	Reports bool          // a delivery report will come
	Err     error         // nil: taken
	Never   bool          // with Err: trying again is of no use (the address is bad)
	Gone    bool          // with Never: the address has ceased to exist and is forgotten
	Wait    time.Duration // with Err: not before
	Unsure  bool          // with Err: it may have been taken all the same
	useless bool          // with Err: it was not given to the channel, being of no more use
}

// Reconciler is a channel that can tell whether it took a message, by our reference.
type Reconciler interface {
	Took(ref string) (gatewayRef string, took bool, err error)
}
