package message

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Shard answers the part of the table in which a patient's messages lie.
func Shard(patient person.ID) int { return person.Shard(patient) }

// Answerer takes what people answer to questions. Answer tells whether the question was still open and what to thank with.
type Answerer interface {
	// Open reports whether any of the promises still waits for an answer.
	Open(tx *store.Tx, org person.OrgID, patient person.ID, promises string) (bool, error)
	// Answer gives choice number n for the promises, and answers the catalog key and arguments of the thanks.
	Answer(tx *store.Tx, a Answer) (say string, args map[string]string, err error)
}

// Answer is a numbered answer that was understood.
type Answer struct {
	Org      person.OrgID
	Patient  person.ID
	By       person.ID
	Promises string // ids, space-separated
	Say      string // the question
	Number   int
	At       time.Time
	Source   string
}

// Desk is told what needs a person.
type Desk interface {
	Undelivered(tx *store.Tx, m Message) error                     // no channel is left
	Stopped(tx *store.Tx, org person.OrgID, who []person.ID) error // texts were stopped
	Word(tx *store.Tx, m Message, why string) error                // a person's own words wait for an answer
	Stranger(tx *store.Tx, org person.OrgID, m Message) error      // an unknown number wrote
}

// Service owns the table of messages.
type Service struct {
	db        *store.DB
	clock     clock.Clock
	ids       *clock.IDs
	people    *person.Service
	publicURL string
	secret    []byte
	macs      sync.Pool // *signer: keying it costs as much as a link
	answers   Answerer
	desk      Desk
	arrivals  Arrivals
	crowded   atomic.Int32 // how often a range of the messages is still not tried, because one held too many

	mu      sync.Mutex
	routes  map[person.Channel]*route
	running bool
	begin   func(*route) // while Run can take on another channel
}

// New answers the service. publicURL is what links begin with, without a slash at the end; empty: texts carry no links.
func New(ctx context.Context, db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service, publicURL string) (*Service, error) {
	s := &Service{db: db, clock: c, ids: ids, people: people, publicURL: publicURL, routes: map[person.Channel]*route{}}
	return s, db.Write(store.Essential(ctx), func(tx *store.Tx) (err error) {
		s.secret, err = loadSecret(tx, s.ids)
		return err
	})
}

// SetAnswerer says who takes answers.
func (s *Service) SetAnswerer(a Answerer) { s.answers = a }

// SetDesk says who is told what needs a person.
func (s *Service) SetDesk(d Desk) { s.desk = d }

// SetChannel says how a channel's messages are handed over. A channel that is not set cannot be used: messages go to the next
// that is.
func (s *Service) SetChannel(name person.Channel, ch Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.routes[name]; r != nil {
		r.set(ch)
		return
	}
	r := newRoute(name, ch)
	s.routes[name] = r
	if s.begin != nil {
		s.begin(r)
	}
}

// UnsetChannel says that a channel cannot be used any more. What still waits on it goes out by the next that is set.
func (s *Service) UnsetChannel(name person.Channel) {
	if r := s.route(name); r != nil {
		r.set(nil)
	}
}

// sends reports whether a channel can be used.
func (s *Service) sends(name person.Channel) bool {
	r := s.route(name)
	return r != nil && r.channel() != nil
}

func (s *Service) route(name person.Channel) *route {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.routes[name]
}

const columns = "org, patient, at, id, person, inward, channel, address, say, body, promises, code, severity, state, due_at, moved_at, tries, ref"

func scanMessage(scan func(...any) error) (Message, error) {
	var m Message
	var at, due, moved int64
	var inward int
	err := scan(&m.Org, &m.Patient, &at, &m.ID, &m.Person, &inward, &m.Channel, &m.Address, &m.Say, &m.Body, &m.Promises, &m.Code, &m.Severity, &m.State,
		&due, &moved, &m.Tries, &m.Ref)
	m.At, m.Due, m.Moved, m.Inward = store.Time(at), store.Time(due), store.Time(moved), inward == 1
	return m, err
}

func (s *Service) list(tx *store.Tx, where string, args ...any) ([]Message, error) {
	out, err := store.All(tx, "SELECT "+columns+" FROM message WHERE "+where, args, scanMessage)
	if err != nil || !slices.ContainsFunc(out, func(m Message) bool { return m.State == batched }) {
		return out, err
	}
	open, err := stretches(tx)
	for i := range out {
		out[i].resolve(open)
	}
	return out, err
}

// Count answers how many messages there are, by channel and what became of them ("sms sent", "sms in"). It reads them all.
func (s *Service) Count(tx *store.Tx) (map[string]int64, error) {
	open, err := stretches(tx)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	return out, tx.Rows("SELECT "+columns+" FROM message", nil, func(scan func(...any) error) error {
		m, err := scanMessage(scan)
		if err != nil {
			return err
		}
		m.resolve(open)
		what := m.State.String()
		if m.Inward {
			what = "in"
		}
		out[string(m.Channel)+" "+what]++
		return nil
	})
}

// Thread answers the messages about a patient, in and out, the latest first, at most n.
func (s *Service) Thread(tx *store.Tx, org person.OrgID, patient person.ID, n int) ([]Message, error) {
	return s.list(tx, "org = $1 AND shard = $2 AND patient = $3 ORDER BY at DESC, id LIMIT $4", string(org), Shard(patient), string(patient), n)
}

// Between answers the messages about a patient in [from, to), oldest first.
func (s *Service) Between(tx *store.Tx, org person.OrgID, patient person.ID, from, to time.Time) ([]Message, error) {
	return s.list(tx, "org = $1 AND shard = $2 AND patient = $3 AND at >= $4 AND at < $5 ORDER BY at, id", string(org), Shard(patient), string(patient),
		store.Micros(from), store.Micros(to))
}

var insertColumns = []string{"org", "shard", "patient", "at", "id", "person", "inward", "channel", "address", "say", "body", "promises", "code",
	"severity", "state", "due_at", "moved_at", "tries", "ref", "sum"}

// Columns are the columns of a message, for whoever measures.
func Columns() []string { return slices.Clone(insertColumns) }

// insert writes messages; one that exists already is a conflict.
func insert(tx *store.Tx, list []Message) error {
	row := make([]any, len(insertColumns))
	var buf []byte
	return tx.Insert("message", insertColumns, len(list), func(i int) []any {
		m := &list[i]
		if m.sum == 0 {
			m.sum, buf = m.checksum(buf)
		}
		inward := int64(0)
		if m.Inward {
			inward = 1
		}
		row[0], row[1], row[2], row[3], row[4] = string(m.Org), int64(Shard(m.Patient)), string(m.Patient), store.Micros(m.At), m.ID
		row[5], row[6], row[7], row[8], row[9] = string(m.Person), inward, string(m.Channel), m.Address, m.Say
		row[10], row[11], row[12], row[13], row[14] = m.Body, m.Promises, m.Code, int64(m.Severity), int64(m.State)
		row[15], row[16], row[17], row[18], row[19] = store.Micros(m.Due), store.Micros(m.Moved), int64(m.Tries), m.Ref, m.sum
		return row
	})
}

// Check reads every message and answers the keys of those that no longer match their checksum.
func (s *Service) Check(ctx context.Context) (n int, damaged []string, err error) {
	var buf []byte
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		return tx.Rows("SELECT "+columns+", sum FROM message", nil, func(scan func(...any) error) error {
			var had, want int64
			m, err := scanMessage(func(dest ...any) error { return scan(append(dest, &had)...) })
			if err != nil {
				return err
			}
			n++
			if want, buf = m.checksum(buf); want != had {
				damaged = append(damaged, "message "+m.ID+" of patient "+string(m.Patient)+" does not match its checksum")
			}
			return nil
		})
	})
	return n, damaged, err
}
