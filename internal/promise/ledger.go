package promise

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Service is the ledger.
type Service struct {
	db     *store.DB
	clock  clock.Clock
	ids    *clock.IDs
	people *person.Service

	hands    Hands
	defaults []Ladder
	watchers map[string]Watcher

	mu      sync.RWMutex
	ladders map[person.OrgID]map[LadderRef]*Ladder // versions never change, so they are kept

	next next // when each part of the agenda is due: a hint
	lag  func(time.Duration)

	usual    atomic.Int64 // rows of the last batch: how much room the next one needs
	together int          // from how many rows on a batch is moved as a stretch
}

// New answers the ledger. Give it Hands before anything comes due.
func New(db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service) *Service {
	s := &Service{db: db, clock: c, ids: ids, people: people, watchers: map[string]Watcher{}, together: togetherFrom,
		ladders: map[person.OrgID]map[LadderRef]*Ladder{}, lag: func(time.Duration) {}}
	s.next.wake = make(chan struct{}, 1)
	return s
}

// SetHands says who carries effects out.
func (s *Service) SetHands(h Hands) { s.hands = h }

// SetWatcher says who is told when a promise of a kind leaves the open state.
func (s *Service) SetWatcher(kind string, w Watcher) { s.watchers[kind] = w }

// OnLag is called with how late each batch of rungs was climbed.
func (s *Service) OnLag(fn func(time.Duration)) { s.lag = fn }

// SaveLadder stores a version of a ladder. The same version with other rungs is a conflict: promises rely on it.
func (s *Service) SaveLadder(tx *store.Tx, org person.OrgID, l Ladder) error {
	if err := l.Validate(); err != nil {
		return err
	}
	text := body(l)
	var had string
	found, err := tx.Row("SELECT body FROM ladder WHERE org = $1 AND name = $2 AND version = $3", []any{string(org), l.Name, l.Version}, &had)
	if err != nil {
		return err
	}
	if found {
		if had != text {
			return fault.Conflictf("Version %d of ladder %q exists and cannot change: save it as a new version.", l.Version, l.Name)
		}
		return nil
	}
	n, err := tx.Exec("INSERT INTO ladder (org, name, version, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", string(org), l.Name, l.Version, text)
	if err != nil || n == 1 {
		return err
	}
	return s.SaveLadder(tx, org, l) // another node was faster: it has to be the same
}

// ladder answers a version of a ladder.
func (s *Service) ladder(tx *store.Tx, org person.OrgID, ref LadderRef) (*Ladder, error) {
	s.mu.RLock()
	l := s.ladders[org][ref]
	s.mu.RUnlock()
	if l != nil {
		return l, nil
	}
	var text string
	found, err := tx.Row("SELECT body FROM ladder WHERE org = $1 AND name = $2 AND version = $3", []any{string(org), ref.Name, ref.Version}, &text)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.NotFoundf("There is no version %d of ladder %q.", ref.Version, ref.Name)
	}
	l = &Ladder{}
	if err := json.Unmarshal([]byte(text), l); err != nil {
		return nil, err
	}
	tx.After(func() { s.remember(org, ref, l) }) // not before: a transaction that rolls back may have made it
	return l, nil
}

func (s *Service) remember(org person.OrgID, ref LadderRef, l *Ladder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ladders[org] == nil {
		s.ladders[org] = map[LadderRef]*Ladder{}
	}
	s.ladders[org][ref] = l
}

// Latest answers the newest version of a ladder. An organization that has none of that name begins with the default, in the
// caller's transaction, which must be one that writes.
func (s *Service) Latest(tx *store.Tx, org person.OrgID, name string) (LadderRef, error) {
	read, err := s.LatestLater(tx, org, name)
	if err == nil {
		err = tx.Flush()
	}
	if err != nil {
		return LadderRef{Name: name}, err
	}
	return read()
}

// LatestLater is Latest, whose answer is there after the transaction's next call or Flush.
func (s *Service) LatestLater(tx *store.Tx, org person.OrgID, name string) (func() (LadderRef, error), error) {
	ref := LadderRef{Name: name}
	err := tx.RowsLater("SELECT COALESCE(MAX(version), 0) FROM ladder WHERE org = $1 AND name = $2", []any{string(org), name}, func(scan func(...any) error) error {
		return scan(&ref.Version)
	})
	return func() (LadderRef, error) {
		if ref.Version > 0 {
			return ref, nil
		}
		for _, l := range s.defaults {
			if l.Name == name {
				return LadderRef{l.Name, l.Version}, s.SaveLadder(tx, org, l)
			}
		}
		return ref, fault.NotFoundf("There is no ladder %q.", name)
	}, err
}

// Newest answers the newest version of a ladder as it is, and only reads: an organization that has none of that name would begin with
// the default.
func (s *Service) Newest(tx *store.Tx, org person.OrgID, name string) (Ladder, error) {
	ref := LadderRef{Name: name}
	if _, err := tx.Row("SELECT COALESCE(MAX(version), 0) FROM ladder WHERE org = $1 AND name = $2", []any{string(org), name}, &ref.Version); err != nil {
		return Ladder{}, err
	}
	if ref.Version == 0 {
		for _, l := range s.defaults {
			if l.Name == name {
				return l, nil
			}
		}
	}
	l, err := s.ladder(tx, org, ref)
	if err != nil {
		return Ladder{}, err
	}
	return *l, nil
}

// SetDefaults names the ladders that every organization begins with.
func (s *Service) SetDefaults(ladders []Ladder) { s.defaults = ladders }

var promiseColumns = []string{"org", "shard", "patient", "id", "kind", "about", "severity", "say", "args", "keeper", "from_at", "by_at", "zone",
	"ladder", "version", "state", "made_at", "closed_at", "reason"}

var agendaColumns = []string{"shard", "severity", "at", "org", "patient", "promise", "rung", "terms"}

// Make writes promises down, each with its first rung in the agenda. A promise whose ID exists already is passed over, so that
// planning again changes nothing. An empty ID is given a new one. It answers those that are new, as stored.
func (s *Service) Make(tx *store.Tx, promises ...Promise) ([]Promise, error) {
	now := s.clock.Now()
	made := slices.Clone(promises)
	for i := range made {
		p := &made[i]
		if p.ID == "" {
			p.ID = ID(s.ids.New())
		}
		p.State, p.Made, p.Closed, p.Reason, p.Rung = Open, now, time.Time{}, "", 0
		p.From, p.By = p.From.UTC().Truncate(time.Microsecond), p.By.UTC().Truncate(time.Microsecond)
		if err := p.Validate(); err != nil {
			return nil, err
		}
		l, err := s.ladder(tx, p.Org, p.Ladder)
		if err != nil {
			return nil, err
		}
		p.RungAt = l.At(0, p.From, p.By)
	}
	slices.SortStableFunc(made, func(a, b Promise) int {
		return cmp.Or(cmp.Compare(a.Org, b.Org), Shard(a.Patient)-Shard(b.Patient), cmp.Compare(a.Patient, b.Patient), cmp.Compare(a.ID, b.ID))
	})
	fresh := made[:0]
	for from := 0; from < len(made); {
		to := from
		for to < len(made) && made[to].Org == made[from].Org && Shard(made[to].Patient) == Shard(made[from].Patient) {
			to++
		}
		part, err := s.makeShard(tx, made[from:to], now)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, part...)
		from = to
	}
	return fresh, nil
}

// makeShard makes promises of one organization and shard, sorted by patient.
func (s *Service) makeShard(tx *store.Tx, promises []Promise, now time.Time) ([]Promise, error) {
	org, shard := promises[0].Org, Shard(promises[0].Patient)
	if err := lock(tx, shard); err != nil {
		return nil, err
	}
	known, err := readKnown(tx, org, shard, promises)
	if err != nil {
		return nil, err
	}
	stretches, err := movedBefore(tx, shard, now, placesOf(promises))
	if err != nil {
		return nil, err
	}
	c, err := openChain(tx, org, shard, patientsOf(promises)) // with the answers to the questions before
	if err != nil {
		return nil, err
	}
	if promises = dropKnown(promises, known); len(promises) == 0 {
		return nil, nil
	}
	events := make([]Event, len(promises))
	for i, p := range promises {
		events[i] = Event{Org: p.Org, Patient: p.Patient, At: now, Kind: EventMade, Promise: p.ID, Rung: -1, Body: body(madeOf(p))}
		c.link(&events[i])
	}
	if err := writeEvents(tx, shard, events); err != nil {
		return nil, err
	}
	err = tx.Insert("promise", promiseColumns, len(promises), func(i int) []any {
		p := &promises[i]
		return []any{string(p.Org), int64(shard), string(p.Patient), string(p.ID), p.Kind, p.About, int64(p.Severity), p.Say, body(p.Args),
			p.Keeper.Kind + ":" + p.Keeper.Who, store.Micros(p.From), store.Micros(p.By), p.Zone, p.Ladder.Name, int64(p.Ladder.Version),
			int64(Open), store.Micros(p.Made), int64(0), ""}
	})
	if err != nil {
		return nil, err
	}
	if err := putAgenda(tx, shard, *stretches, placesOf(promises)...); err != nil {
		return nil, err
	}
	last := person.ID("")
	for _, p := range promises {
		s.expect(tx, shard, p.Severity, p.RungAt)
		if p.Patient != last {
			hint(tx, p)
			last = p.Patient
		}
	}
	return promises, nil
}

// place is a row of the agenda: the rung that a promise climbs next, and when.
type place struct {
	org      person.OrgID
	patient  person.ID
	promise  ID
	severity Severity
	rung     int
	at       time.Time
	terms    string
}

// insertAgenda puts rows into the agenda, and into no stretch that has moved.
func insertAgenda(tx *store.Tx, shard int, now time.Time, places ...place) error {
	stretches, err := movedBefore(tx, shard, now, places)
	if err == nil {
		err = tx.Flush()
	}
	if err != nil {
		return err
	}
	return putAgenda(tx, shard, *stretches, places...)
}

// movedBefore answers the stretches in whose midst one of the places may lie; they are there after the transaction's next call.
func movedBefore(tx *store.Tx, shard int, now time.Time, places []place) (*[]moved, error) {
	soon := store.Micros(now.Add(aheadOfClocks))
	if !slices.ContainsFunc(places, func(p place) bool { return store.Micros(p.at) <= soon }) {
		return &[]moved{}, nil
	}
	return movedLater(tx, "shard = $1 AND stored <= $2", int64(shard), soon)
}

// putAgenda is insertAgenda for who has read the stretches.
func putAgenda(tx *store.Tx, shard int, stretches []moved, places ...place) error {
	for _, m := range stretches {
		if slices.ContainsFunc(places, func(p place) bool { return p.severity == m.severity && store.Micros(p.at) == m.first.at }) {
			if err := scatter(tx, m.severity, shard, "stored = $3", m.first.at); err != nil {
				return err
			}
		}
	}
	row := make([]any, len(agendaColumns))
	return tx.Insert("agenda", agendaColumns, len(places), func(i int) []any {
		p := &places[i]
		row[0], row[1], row[2], row[3] = int64(shard), int64(p.severity), store.Micros(p.at), string(p.org)
		row[4], row[5], row[6], row[7] = string(p.patient), string(p.promise), int64(p.rung), p.terms
		return row
	})
}

// placesOf answers the rows of the agenda of open promises.
func placesOf(promises []Promise) []place {
	out := make([]place, len(promises))
	for i := range promises {
		p := &promises[i]
		out[i] = place{p.Org, p.Patient, p.ID, p.Severity, p.Rung, p.RungAt, terms(p)}
	}
	return out
}

func hint(tx *store.Tx, p Promise) { tx.Hint("patient", string(p.Org)+"/"+string(p.Patient)) }

func patientsOf(promises []Promise) []person.ID {
	var out []person.ID
	for _, p := range promises { // sorted by patient
		if len(out) == 0 || out[len(out)-1] != p.Patient {
			out = append(out, p.Patient)
		}
	}
	return out
}

// known is a promise that is in the ledger already.
type known struct {
	patient person.ID
	id      ID
}

// readKnown asks which promises are in the ledger already; the answer is there after the transaction's next call.
func readKnown(tx *store.Tx, org person.OrgID, shard int, promises []Promise) (map[known]bool, error) {
	seen := map[known]bool{}
	note := func(scan func(...any) error) error {
		var k known
		err := scan(&k.patient, &k.id)
		seen[k] = true
		return err
	}
	if len(promises) == 1 {
		p := &promises[0]
		return seen, tx.RowsLater("SELECT patient, id FROM promise WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4",
			[]any{string(org), int64(shard), string(p.Patient), string(p.ID)}, note)
	}
	lists := make([][]string, 2)
	for _, p := range promises {
		lists[0] = append(lists[0], string(p.Patient))
		lists[1] = append(lists[1], string(p.ID))
	}
	// Both lists narrow the primary key; a pair that stands in neither promise is dropped by the map below.
	return seen, tx.RowsLater(`SELECT p.patient, p.id FROM promise p WHERE p.org = $1 AND p.shard = $2 AND p.patient IN (SELECT value FROM `+tx.List("$3")+` a)
		AND p.id IN (SELECT value FROM `+tx.List("$4")+` b)`, []any{string(org), shard, body(slices.Compact(lists[0])), body(lists[1])}, note)
}

// dropKnown leaves out the promises that are known, and a second one of the same name.
func dropKnown(promises []Promise, seen map[known]bool) []Promise {
	return slices.DeleteFunc(promises, func(p Promise) bool {
		k := known{p.Patient, p.ID}
		again := seen[k]
		seen[k] = true
		return again
	})
}

// made is what the first line of a promise's history holds: everything that never changes, and the first times.
type made struct {
	Kind     string            `json:"kind"`
	About    string            `json:"about,omitempty"`
	Severity Severity          `json:"severity"`
	Say      string            `json:"say"`
	Args     map[string]string `json:"args,omitempty"`
	Keeper   Keeper            `json:"keeper"`
	From     int64             `json:"from"`
	By       int64             `json:"by"`
	Zone     string            `json:"zone"`
	Ladder   string            `json:"ladder"`
	Version  int               `json:"version"`
}

func madeOf(p Promise) made {
	return made{p.Kind, p.About, p.Severity, p.Say, p.Args, p.Keeper, store.Micros(p.From), store.Micros(p.By), p.Zone, p.Ladder.Name, p.Ladder.Version}
}
