// Package reading keeps what devices measure: whose it is, when it was measured, and that it came.
//
// Its promises:
//   - A reading is acknowledged after it is durable, once, however often and over whichever transport it comes.
//   - It belongs to the person to whom the device was assigned at the time of measurement; where nobody was, it goes into
//     quarantine, never to somebody.
//   - Nothing is discarded for being odd: a wrong clock, an impossible value and a value unlike the person are marked.
//   - Alerts are judged at the time of measurement; a rule for silence needs no data.
//
// The durable truth is an append-only log of batches (arrival), packed later into chunks per person and series (Compact);
// reads see both. Batches that come at the same time share a transaction of a handful of statements.
package reading

import (
	"cmp"
	"embed"
	"io/fs"
	"sync"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this room, "reading".
var Migrations fs.FS = func() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}()

// Reading is one value as a device tells it.
type Reading struct {
	Seq    int64     // of the device's stream; meaningful when HasSeq
	HasSeq bool      //
	At     time.Time // when it was measured, by the device's clock
	Clock  time.Time // the device's own present time when it sent; zero when not told
	Series string    // LOINC, "8867-4"
	Value  float64
	Unit   string // UCUM, "/min"
	// Zoneless says that At was a wall clock whose zone nobody told, read as UTC.
	Zoneless bool
	Detail   *Detail // what a file told beside the value; nil: nothing
}

// Flags mark what is odd about a sample.
type Flags uint8

const (
	ClockCorrected Flags = 1 << iota // the device's clock was off by more than two minutes; At is put right
	ClockAhead                       // At lies more than five minutes after the receipt
	TimeUnknown                      // At lies more than a day in the future or a year in the past: never charted as "now"
	Impossible                       // outside what a body and a device can show
	Unlike                           // unlike the person: "was this you?"
	ZoneUnknown                      // At was a wall clock whose zone nobody told, read as UTC
)

// Has reports whether all of x are set.
func (f Flags) Has(x Flags) bool { return f&x == x }

// Names answers the flags as words.
func (f Flags) Names() []string {
	var out []string
	for i, name := range []string{"clock-corrected", "clock-ahead", "time-unknown", "impossible", "unlike", "zone-unknown"} {
		if f&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// Sample is a stored reading. Times are UTC, to the millisecond.
type Sample struct {
	At       time.Time // when it was measured, by the best knowledge
	DeviceAt time.Time // when it was measured, as the device said
	Clock    time.Time // the device's present time when it sent; zero when not told
	Received time.Time // when it reached us
	Series   string
	Value    float64
	Unit     string
	Device   string
	Seq      int64 // -1: the device told none
	Flags    Flags
	Detail   *Detail // only on its way in: of what is stored, Details answers it
}

// now is the instant that the sample may stand for as "now": never after its receipt.
func (s *Sample) now() time.Time {
	if s.At.After(s.Received) {
		return s.Received
	}
	return s.At
}

// Refusal is a reading that was not stored for the person, by its place in the batch. Quarantined readings are kept, and
// are told here too: the device need not send them again.
type Refusal struct {
	Index  int    `json:"index"`
	Reason string `json:"reason"`
}

// Receipt is the answer to a batch.
type Receipt struct {
	Stored  int       `json:"stored"`
	Known   int       `json:"known"`
	Refused []Refusal `json:"refused"`
}

// Alert is trouble that a rule found, as it is raised.
type Alert struct {
	ID       string    `json:"id"`
	Org      string    `json:"org"`
	Patient  string    `json:"patient"`
	Rule     string    `json:"rule"`
	Version  int       `json:"version"`
	Kind     string    `json:"kind"` // "limit" or "silence"
	Series   string    `json:"series"`
	Severity string    `json:"severity"`
	Began    time.Time `json:"began"` // of the first episode told of; for silence the last reading, or when the rule began
	At       time.Time `json:"at"`    // when it counted, at measurement time
	Raised   time.Time `json:"raised"`
	Value    float64   `json:"value"`
	Limit    float64   `json:"limit"`
	Above    bool      `json:"above"`
	Late     bool      `json:"late"`              // measured more than an hour before it came
	Episodes int       `json:"episodes"`          // how many this one alert sums up
	Name     string    `json:"name,omitempty"`    // of the set that the rule belongs to
	Device   string    `json:"device,omitempty"`  // that sent the value; empty for silence
	Missing  string    `json:"missing,omitempty"` // parts of a score that nobody knew, space-separated: the score is at least Value
}

// Listener is told inside the transaction that stores: the ledger turns readings into evidence and alerts.
type Listener interface {
	// Stored gets the fresh samples of one person that came at the same time, in the order of measurement.
	Stored(tx *store.Tx, org, patient string, fresh []Sample) error
	Alert(tx *store.Tx, a Alert) error
}

// Rule is a version of a person's rule.
type Rule struct {
	Org, Patient, ID string
	Version          int
	From, Until      time.Time // in force; Until zero: still
	Tested           *Trial    // on the person's past, when it was switched on; nil: before that was done
	rule.Rule
}

// Service is the room. Safe for concurrent use.
type Service struct {
	db        *store.DB
	clock     clock.Clock
	ids       *clock.IDs
	listeners []Listener
	pills     []PillListener
	holders   []HolderListener

	gate gate // to Ingest

	mu      sync.RWMutex
	signs   map[string]signed // devices that signed in lately
	forgets int               // times that a sign-in was forgotten
}

// New answers the room over a migrated database.
func New(db *store.DB, c clock.Clock, ids *clock.IDs) *Service {
	return &Service{db: db, clock: c, ids: ids, signs: map[string]signed{}}
}

// Listen adds a listener; call it before the first Ingest.
func (s *Service) Listen(l Listener) { s.listeners = append(s.listeners, l) }

// ListenPills adds a listener of pill boxes; call it before the first Pill.
func (s *Service) ListenPills(l PillListener) { s.pills = append(s.pills, l) }

// owner is an organization and a patient.
type owner struct{ org, patient string }

func (o owner) compare(p owner) int {
	return cmp.Or(cmp.Compare(person.Shard(person.ID(o.patient)), person.Shard(person.ID(p.patient))), cmp.Compare(o.org, p.org), cmp.Compare(o.patient, p.patient))
}

// lock keeps others out of people's readings until the transaction ends. SQLite has one writer anyway. owners are in the order of
// compare, so that two transactions cannot wait for each other: neither here nor, since that order follows the shards, for the
// ledger's locks, which a listener takes later.
func lock(tx *store.Tx, owners ...owner) error {
	if tx.Engine() != store.Postgres {
		return nil
	}
	names := make([]string, len(owners))
	for i, o := range owners {
		names[i] = "reading/" + o.org + "/" + o.patient
	}
	_, err := tx.Exec("SELECT pg_advisory_xact_lock(hashtextextended(name, 7)) FROM unnest($1::text[]) name", names)
	return err
}
