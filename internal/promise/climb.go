package promise

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

const (
	// BatchRows bounds one climb: large enough that the fsync does not matter, small enough that memory and the wait of a
	// severe promise that comes due meanwhile stay small.
	BatchRows = 4000
	// lateWords is the lateness from which a message must say when it was due.
	lateWords = 2 * time.Minute
)

// batch is a stretch of one part of the agenda, worked out and ready to be written.
type batch struct {
	shard    int
	severity Severity
	now      time.Time
	rows     []Promise // each with the rung that is due, in the agenda's order
	terms    []string  // of each row
	events   []Event
	effects  []Effect
	first    []int // where in rows each effect's promises begin
	falls    []int // places in rows
	again    []place
	tasks    []TaskRow
	hands    []func(*store.Tx) error
	more     bool
	after    key  // the place before the first row: nothing that has not moved is between
	scatter  bool // stretches that have moved have come due and are put in their places first; nothing else is worked out
}

// key is where a batch ends in its part of the agenda.
type key struct {
	at      int64
	org     person.OrgID
	patient person.ID
	id      ID
}

func (b *batch) begin() key { return keyOf(&b.rows[0]) }
func (b *batch) last() key  { return keyOf(&b.rows[len(b.rows)-1]) }

func keyOf(p *Promise) key { return key{store.Micros(p.RungAt), p.Org, p.Patient, p.ID} }

// errStale says that the ledger moved between working a batch out and writing it; it is worked out again.
var errStale = errors.New("the agenda has moved on")

// part is one piece of the agenda, from a key on.
type part struct {
	severity Severity
	shard    int
	after    key
}

// Climb climbs every rung that is due, most severe first, and answers how many rows of the agenda it took away.
func (s *Service) Climb(ctx context.Context) (int, error) {
	if s.db.Engine() == store.SQLite {
		return s.climbAhead(ctx)
	}
	return s.climbTogether(ctx)
}

// climbers is how many parts of the agenda one process climbs at a time on PostgreSQL: while one waits for the server, another
// works out its messages.
const climbers = 4

// climbTogether is Climb on PostgreSQL, where a part of the ledger is one transaction's alone and several go on at once.
func (s *Service) climbTogether(ctx context.Context) (int, error) {
	var total atomic.Int64
	var mu sync.Mutex
	busy := map[part]bool{}
	claim := func() (part, bool) {
		mu.Lock()
		defer mu.Unlock()
		severity, shard, any, _ := s.next.first(store.Micros(s.clock.Now()), func(v Severity, shard int) bool { return busy[part{severity: v, shard: shard}] })
		p := part{severity: severity, shard: shard}
		if any {
			busy[p] = true
		}
		return p, any
	}
	g, ctx := errgroup.WithContext(ctx)
	for range climbers {
		g.Go(func() error {
			for ctx.Err() == nil {
				p, any := claim()
				if !any {
					return nil
				}
				n, err := s.climbAlone(ctx, p)
				total.Add(int64(n))
				mu.Lock()
				delete(busy, p)
				mu.Unlock()
				if err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	err := g.Wait()
	return int(total.Load()), err
}

// climbAlone works one batch out and writes it in one transaction, with the part to itself.
func (s *Service) climbAlone(ctx context.Context, p part) (int, error) {
	n := 0
	err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
		if err := lock(tx, p.shard); err != nil {
			return err
		}
		b, err := s.work(tx, part{severity: p.severity, shard: p.shard}, s.clock.Now())
		if err != nil {
			return err
		}
		n = len(b.rows)
		return s.write(tx, b)
	})
	return n, err
}

// work reads the next rows that are due in a part of the agenda and works out all that follows from them.
func (s *Service) work(tx *store.Tx, p part, now time.Time) (*batch, error) {
	b := &batch{shard: p.shard, severity: p.severity, now: now, rows: make([]Promise, 0, s.usual.Load()+1), terms: make([]string, 0, s.usual.Load()+1)}
	list, err := movedOf(tx, p.severity, p.shard)
	if err != nil {
		return nil, err
	}
	if b.scatter = slices.ContainsFunc(list, func(m moved) bool { return m.at <= store.Micros(now) }); b.scatter {
		return b, nil
	}
	if p.after != (key{}) {
		if list, err = movedWhere(tx, "shard = $1 AND severity = $2 AND (stored, org, patient, promise) > ($3, $4, $5, $6)",
			slices.Concat([]any{p.shard, int(p.severity)}, p.after.args())...); err != nil {
			return nil, err
		}
	}
	for _, g := range gaps(p.after, list) {
		b.after = g.after
		if err := s.readDue(tx, b, g); err != nil {
			return nil, err
		}
		if len(b.rows) > 0 {
			break
		}
	}
	s.usual.Store(int64(len(b.rows)))
	b.more = len(b.rows) == BatchRows
	if b.more {
		b.trim()
	}
	if len(b.rows) == 0 {
		return b, nil
	}
	if err := s.follow(tx, b); err != nil {
		return nil, err
	}
	return b, s.ready(tx, b)
}

// readDue reads the next rows of a gap that are due.
func (s *Service) readDue(tx *store.Tx, b *batch, g gap) error {
	read := reader{}
	return tx.Walk("SELECT a.org, a.patient, a.promise, a.rung, a.at, a.terms FROM agenda a WHERE"+within+" AND a.at <= $11 ORDER BY a.at, a.org, a.patient, a.promise LIMIT $12",
		append(g.args(b.severity, b.shard), store.Micros(b.now), BatchRows), func(row store.Cells) error {
			b.rows = append(b.rows, Promise{})
			text, err := read.promise(row, &b.rows[len(b.rows)-1])
			b.terms = append(b.terms, text)
			return err
		})
}

// trim drops the last person of a full batch, whose other promises of the minute may not have fitted in, so that they stay
// together in one message. A person with a whole batch of promises is left as is.
func (b *batch) trim() {
	last := &b.rows[len(b.rows)-1]
	cut := len(b.rows)
	for cut > 0 && b.rows[cut-1].Patient == last.Patient && b.rows[cut-1].Org == last.Org {
		cut--
	}
	if cut > 0 {
		b.rows = b.rows[:cut]
	}
}

// follow works out what each row becomes: events, effects, next rows, falls.
func (s *Service) follow(tx *store.Tx, b *batch) error {
	var err error
	var c *chain
	var l *Ladder
	n := len(b.rows)
	b.events, b.effects, b.first, b.again = make([]Event, 0, n), make([]Effect, 0, n), make([]int, 0, n), make([]place, 0, n)
	for i := range b.rows {
		p := &b.rows[i]
		if i == 0 || p.Org != b.rows[i-1].Org {
			if c, err = openChain(tx, p.Org, b.shard, b.patientsFrom(i)); err != nil {
				return err
			}
		}
		if i == 0 || p.Org != b.rows[i-1].Org || p.Ladder != b.rows[i-1].Ladder {
			if l, err = s.ladder(tx, p.Org, p.Ladder); err != nil {
				return err
			}
		}
		needless, err := s.needless(tx, l, &b.rows[i])
		if err != nil {
			return err
		}
		b.followOne(c, l, i, needless)
	}
	return nil
}

// needless tells whether a rung that is due has nobody left to call, because a task of its promise has been acknowledged. Whoever
// acknowledges one meanwhile writes a line of the patient's history, and the batch is worked out again.
func (s *Service) needless(tx *store.Tx, l *Ladder, p *Promise) (bool, error) {
	if p.Rung >= len(l.Rungs) || l.Rungs[p.Rung].Unless == "" {
		return false, nil
	}
	if l.Rungs[p.Rung].Unless == Shown {
		return s.shown(tx, p)
	}
	var one int
	return tx.Row("SELECT 1 FROM task WHERE org = $1 AND patient = $2 AND promise = $3 AND (taken_at > 0 OR snoozed_until > 0) LIMIT 1",
		[]any{string(p.Org), string(p.Patient), string(p.ID)}, &one)
}

// shown reports whether somebody has arrived for a promise.
func (s *Service) shown(tx *store.Tx, p *Promise) (bool, error) {
	events, err := eventsSince(tx, p.Org, p.Patient, p.Made)
	for _, e := range events {
		var x Evidence
		if e.Promise == p.ID && e.Kind == EventEvidence && json.Unmarshal([]byte(e.Body), &x) == nil && x.Kind == "arrival" {
			return true, err
		}
	}
	return false, err
}

func (b *batch) followOne(c *chain, l *Ladder, i int, needless bool) {
	p := &b.rows[i]
	b.events = append(b.events, Event{Org: p.Org, Patient: p.Patient, At: b.now, Promise: p.ID, Rung: p.Rung, Body: "{}"})
	event := &b.events[len(b.events)-1]
	if p.Rung >= len(l.Rungs) || !p.RungAt.Before(p.By) {
		event.Kind, event.Rung = EventBroken, -1
		b.falls = append(b.falls, i)
		c.link(event)
		return
	}
	rung := &l.Rungs[p.Rung]
	late := b.now.Sub(p.RungAt)
	event.Kind = EventClimbed
	if useful := time.Duration(rung.Useful); useful > 0 && late > useful {
		event.Kind = EventSkipped
	} else if needless {
		event.Kind, event.Body = EventSkipped, body(skipped{rung.Unless})
	} else {
		b.gather(i, rung, late > lateWords)
	}
	c.link(event)
	b.again = append(b.again, place{p.Org, p.Patient, p.ID, p.Severity, p.Rung + 1, l.At(p.Rung+1, p.From, p.By), b.terms[i]})
}

// skipped is why a rung was passed over; nothing: its time had passed.
type skipped struct {
	Why Unless `json:"why,omitempty"`
}

// gather makes the effect of the rung that a row climbs, or joins it to one before that says the same to the same people: one
// message for all the promises of a person's minute.
func (b *batch) gather(i int, rung *Rung, late bool) {
	p := &b.rows[i]
	severity := rung.severity(p.Severity)
	for k := len(b.effects) - 1; k >= 0; k-- {
		o := &b.effects[k]
		if o.Org != p.Org || o.Patient != p.Patient {
			break
		}
		if o.Rung.Do == rung.Do && o.Rung.To == rung.To && o.Rung.Say == rung.Say && o.Severity == severity && o.Due.Equal(p.RungAt) {
			if from := b.first[k]; from+len(o.Promises) == i {
				o.Promises = b.rows[from : i+1 : i+1]
			} else {
				o.Promises = append(o.Promises, *p)
			}
			return
		}
	}
	b.first = append(b.first, i)
	b.effects = append(b.effects, Effect{Org: p.Org, Patient: p.Patient, Promises: b.rows[i : i+1 : i+1], Rung: rung, Index: p.Rung, Severity: severity,
		Due: p.RungAt, Now: b.now, Late: late})
}

// ready lets the hands work out their part. Tasks are the ledger's own.
func (s *Service) ready(tx *store.Tx, b *batch) error {
	tell := make([]Effect, 0, len(b.effects))
	for i := range b.effects {
		e := &b.effects[i]
		if e.Rung.Do == Task || e.Rung.Do == Page {
			b.tasks = append(b.tasks, taskOf(*e))
		}
		if e.Rung.Do != Task {
			tell = append(tell, *e)
		}
	}
	if len(tell) == 0 {
		return nil
	}
	apply, err := s.hands.Ready(tx, tell)
	if err == nil {
		b.hands = append(b.hands, apply)
	}
	return err
}

// patientsFrom answers the patients of the rows from a place on, as far as they are of one organization, in order and each once.
func (b *batch) patientsFrom(i int) []person.ID {
	out := make([]person.ID, 0, len(b.rows)-i)
	sorted := true
	for k := i; k < len(b.rows) && b.rows[k].Org == b.rows[i].Org; k++ {
		if id := b.rows[k].Patient; k == i || id != out[len(out)-1] {
			sorted = sorted && (k == i || id > out[len(out)-1])
			out = append(out, id)
		}
	}
	if !sorted { // rows of several instants
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return out
}

// write takes the batch's rows off the agenda and writes all that follows, in the caller's transaction.
func (s *Service) write(tx *store.Tx, b *batch) error {
	if b.scatter {
		if err := scatter(tx, b.severity, b.shard, "at <= $3", store.Micros(b.now)); err != nil {
			return err
		}
	}
	if len(b.rows) > 0 {
		if err := s.writeRows(tx, b); err != nil {
			return err
		}
	}
	mark := s.next.asOf(b.severity, b.shard)
	list, err := movedOf(tx, b.severity, b.shard)
	if err != nil {
		return err
	}
	at, err := firstDue(tx, b.severity, b.shard, list)
	if err != nil {
		return err
	}
	rows, now := b.rows, b.now
	tx.After(func() {
		s.next.set(b.severity, b.shard, at, mark)
		for i := range rows {
			if i == 0 || !rows[i].RungAt.Equal(rows[i-1].RungAt) {
				s.lag(now.Sub(rows[i].RungAt))
			}
		}
	})
	return nil
}

func (s *Service) writeRows(tx *store.Tx, b *batch) error {
	if err := b.moveAgenda(tx, s.together); err != nil {
		return err
	}
	if err := writeEvents(tx, b.shard, b.events); err != nil {
		return err
	}
	for _, i := range b.falls {
		p := b.rows[i]
		if s.watchers[p.Kind] != nil { // who wants to know what it was about
			var err error
			if p, err = stored(tx, p.Org, p.Patient, p.ID); err != nil {
				return err
			}
		}
		p.Rung = -1 // its row is gone already
		if err := s.close(tx, &p, Broken, "", b.now); err != nil {
			return err
		}
	}
	for _, t := range b.tasks {
		if err := insertTask(tx, t); err != nil {
			return err
		}
	}
	for _, apply := range b.hands {
		if err := apply(tx); err != nil {
			return err
		}
	}
	if len(b.rows) <= 200 { // in a spike nobody's page is told one by one; pages look again by themselves
		for _, p := range b.rows {
			hint(tx, p)
		}
	}
	return nil
}

// moveAgenda moves the batch's rows on to their next ones: as a stretch, or by taking them away and putting the next ones in. The
// number of rows is the proof that nothing has changed since the batch was worked out.
func (b *batch) moveAgenda(tx *store.Tx, together int) error {
	if done, err := b.moveTogether(tx, together); done || err != nil {
		return err
	}
	n, err := tx.Exec(`DELETE FROM agenda WHERE shard = $1 AND severity = $2 AND (at, org, patient, promise) >= ($3, $4, $5, $6) AND (at, org, patient, promise) <= ($7, $8, $9, $10)`,
		slices.Concat([]any{b.shard, int(b.severity)}, b.begin().args(), b.last().args())...)
	if err != nil {
		return err
	}
	if int(n) != len(b.rows) {
		return errStale
	}
	return insertAgenda(tx, b.shard, b.now, b.again...)
}
