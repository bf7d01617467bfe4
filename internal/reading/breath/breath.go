// Package breath keeps what a person does with the pacer: sittings of slow breathing with the heart beside them, and the pace that
// suits the person.
//
// Its promises:
//   - A batch of beats is acknowledged after it is durable, once, however often it is sent; batches are taken in their order.
//   - The figures are those of package coherence on the beats as they are stored with the readings, and of nothing else.
//   - A sitting that nobody ends is ended, and kept.
//
// It never judges a person's health by a sitting, and no alert comes of one.
package breath

import (
	"embed"
	"io/fs"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/coherence"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this room, "breath".
var Migrations, _ = fs.Sub(migrations, "migrations")

const (
	// Page is the source of beats that a page read from a strap itself.
	Page = "breathe"
	// Longest is how long a sitting may last.
	Longest = 30 * time.Minute

	batchMost = 600              // beats of a batch
	idle      = 10 * time.Minute // after which a sitting that nobody ends is over
	tryFor    = 14 * 24 * time.Hour
	lateMost  = 24 * time.Hour // how late the first batch of a sitting may come
	numbered  = 1 << 20        // sequence numbers of a session: more than it can have beats
	roundOff  = 2.0            // ms by which batches may seem to overlap
)

// Batch is what a page tells of a sitting every few seconds.
type Batch struct {
	Org     person.Org
	Patient person.ID
	By      person.ID     // who holds the page
	Session string        // named by the page, so that it can begin without a network
	N       int           // of the batch, from 0 on
	Ago     time.Duration // since the sitting began, by the page's clock, when it was sent
	Pace    float64       // breaths a minute
	Finding bool          // a trial of the finder
	Source  string        // Page, or the device from which the server takes the beats itself
	RR      []float64     // intervals between beats in ms, oldest first; none where a device sends them
	Ends    float64       // ms after the beginning at which the last of them ended
}

// Session is a sitting. The figures are zero while it goes on.
type Session struct {
	ID      string
	Began   time.Time
	Pace    float64 // breaths a minute
	Source  string
	Finding bool
	By      person.ID
	Ended   time.Time // zero: it goes on
	coherence.Session
	SDNN  float64 // ms
	Trial coherence.Trial

	number  int64 // of the person's sessions, from 1 on
	batches int
	beats   int64 // from the page
	beatsMS float64
}

// Ready tells whether there is a coherence: the sitting had at least 64 seconds of beats.
func (s *Session) Ready() bool { return len(s.Points) > 0 }

// Progress is the answer to a batch.
type Progress struct {
	Next    int     // the batch that is expected now
	Began   bool    // with this batch
	Seconds float64 // of beats so far
	Score   coherence.Score
	RR      []float64 // the last beats in ms, where the server takes them from a device
}

// Own is a person's own pace, and how far the search for it is.
type Own struct {
	Pace  float64 // breaths a minute; 0: not found yet
	Swing float64 // beats a minute by which the heart went up and down at it
	Found time.Time
	Tried []float64 // paces tried since, of coherence.Paces
}

// Left answers the paces that are still to be tried, in order.
func (o Own) Left() []float64 {
	return slices.DeleteFunc(slices.Clone(coherence.Paces), func(p float64) bool { return slices.Contains(o.Tried, p) })
}

// Service is the room. Safe for concurrent use.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	people   *person.Service
	readings *reading.Service
	record   *record.Service
}

// New answers the service over a migrated database.
func New(db *store.DB, c clock.Clock, people *person.Service, readings *reading.Service, rec *record.Service) *Service {
	return &Service{db: db, clock: c, people: people, readings: readings, record: rec}
}

// wrong answers what cannot be in a batch; nil when it can be used.
func (b *Batch) wrong() error {
	switch {
	case len(b.Session) < 8 || len(b.Session) > 64 || !plainName(b.Session):
		return fault.Invalidf("session: it must be 8 to 64 letters, digits and dashes")
	case b.N < 0:
		return fault.Invalidf("batch: it must not be negative")
	case b.Ago < 0 || b.Ago > lateMost:
		return fault.Invalidf("ago_ms: it must be from 0 to one day")
	case !(b.Pace >= 3 && b.Pace <= 12):
		return fault.Invalidf("pace: it must be from 3 to 12 breaths a minute")
	case b.Finding && !slices.Contains(coherence.Paces, b.Pace):
		return fault.Invalidf("pace: it is none of those that are tried")
	case len(b.RR) > batchMost:
		return fault.New(fault.TooMuch, "rr: at most %d intervals in one batch", batchMost)
	case b.Source != Page && len(b.RR) > 0:
		return fault.Invalidf("rr: the beats come from the device itself")
	case !(b.Ends >= 0 && b.Ends <= float64(Longest.Milliseconds())+64_000):
		return fault.Invalidf("ends_ms: a session lasts at most %d minutes", int(Longest.Minutes()))
	}
	sum := 0.0
	for _, ms := range b.RR {
		if !(ms >= 1 && ms < 64_000) {
			return fault.Invalidf("rr: an interval must be from 1 to 64,000 ms")
		}
		sum += ms
	}
	if b.Ends < sum-roundOff {
		return fault.Invalidf("ends_ms: the beats began before the session")
	}
	return nil
}

func plainName(s string) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return true
}
