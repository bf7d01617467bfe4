package promise

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/fault"
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

// due is one row of the agenda with its promise.
type due struct {
	p  Promise
	at int64 // the row's time; the promise's RungAt
	l  *Ladder
}

// batch is a stretch of one part of the agenda, worked out and ready to be written.
type batch struct {
	shard    int
	severity Severity
	now      time.Time
	rows     []due
	events   []Event
	effects  []Effect
	falls    []*due
	again    []Promise // promises with their next row
	tasks    []TaskRow
	hands    []func(*store.Tx) error
	more     bool
}

// key is where a batch ends in its part of the agenda.
type key struct {
	at      int64
	org     person.OrgID
	patient person.ID
	id      ID
}

func (b *batch) last() key {
	d := b.rows[len(b.rows)-1]
	return key{d.at, d.p.Org, d.p.Patient, d.p.ID}
}

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

// planned is a batch worked out ahead.
type planned struct {
	b   *batch
	err error
}

// climbAhead is Climb on SQLite: the next batch is worked out on a read connection while the one writer writes the last.
// Whatever changes in between is found out when it is written (errStale), and worked out again.
func (s *Service) climbAhead(ctx context.Context) (int, error) {
	total := 0
	var ahead chan planned
	plan := func(busy *part) {
		ahead = nil
		p, any := s.nextPart(busy)
		if !any {
			return
		}
		ch := make(chan planned, 1)
		ahead = ch
		go func() {
			b, err := s.workRead(ctx, p)
			ch <- planned{b, err}
		}()
	}
	plan(nil)
	for ahead != nil {
		got := <-ahead
		if got.err != nil {
			return total, got.err
		}
		b := got.b
		plan(b.rest())
		err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error { return s.write(tx, b) })
		n := len(b.rows)
		if errors.Is(err, errStale) || fault.Is(err, fault.Conflict) {
			if ahead != nil {
				<-ahead // it was worked out from what did not come to be
				ahead = nil
			}
			n, err = s.climbAlone(ctx, part{severity: b.severity, shard: b.shard})
		}
		total += n
		if err != nil {
			if ahead != nil {
				<-ahead
			}
			return total, err
		}
		if ahead == nil || b.severity < s.mostSevere() {
			if ahead != nil {
				<-ahead // something more severe goes first; this one is worked out again later
			}
			plan(nil)
		}
	}
	return total, ctx.Err()
}

// rest answers what is left of a batch's part while it is being written: from its end on, or nothing.
func (b *batch) rest() *part {
	p := &part{severity: b.severity, shard: b.shard}
	if b.more {
		p.after = b.last()
	}
	return p
}

// nextPart answers what to work out next; busy is what is being written now, with the key after which there is more.
func (s *Service) nextPart(busy *part) (part, bool) {
	if busy != nil && busy.after != (key{}) {
		return *busy, true
	}
	severity, shard, any, _ := s.next.first(store.Micros(s.clock.Now()), func(v Severity, shard int) bool {
		return busy != nil && v == busy.severity && shard == busy.shard
	})
	return part{severity: severity, shard: shard}, any
}

// mostSevere answers the severity of the most severe thing that is due, or Routine.
func (s *Service) mostSevere() Severity {
	severity, _, _, _ := s.next.first(store.Micros(s.clock.Now()), nil)
	return severity
}

func (s *Service) workRead(ctx context.Context, p part) (b *batch, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		b, err = s.work(tx, p, s.clock.Now())
		return err
	})
	return b, err
}

// work reads the next rows that are due in a part of the agenda and works out all that follows from them.
func (s *Service) work(tx *store.Tx, p part, now time.Time) (*batch, error) {
	b := &batch{shard: p.shard, severity: p.severity, now: now, rows: make([]due, 0, 64)}
	// A range over the primary keys of both tables: agenda in order, one descent of promise per row, its neighbours in cache.
	read := reader{}
	err := tx.Walk(`SELECT a.org, a.patient, a.promise, a.rung, a.at, p.about, p.keeper, `+packed+`
		FROM agenda a CROSS JOIN promise p WHERE a.shard = $1 AND a.severity = $2 AND a.at <= $3 AND (a.at, a.org, a.patient, a.promise) > ($4, $5, $6, $7)
		AND p.org = a.org AND p.shard = a.shard AND p.patient = a.patient AND p.id = a.promise
		ORDER BY a.at, a.org, a.patient, a.promise LIMIT $8`,
		[]any{p.shard, int(p.severity), store.Micros(now), p.after.at, string(p.after.org), string(p.after.patient), string(p.after.id), BatchRows},
		func(row store.Cells) error {
			b.rows = append(b.rows, due{at: row.Int(4)})
			return read.promise(row, &b.rows[len(b.rows)-1].p)
		})
	if err != nil {
		return nil, err
	}
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

// trim drops the last person of a full batch, whose other promises of the minute may not have fitted in, so that they stay
// together in one message. A person with a whole batch of promises is left as is.
func (b *batch) trim() {
	last := b.rows[len(b.rows)-1].p
	cut := len(b.rows)
	for cut > 0 && b.rows[cut-1].p.Patient == last.Patient && b.rows[cut-1].p.Org == last.Org {
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
	for i := range b.rows {
		d := &b.rows[i]
		if i == 0 || d.p.Org != b.rows[i-1].p.Org {
			if c, err = openChain(tx, d.p.Org, b.shard, b.patientsFrom(i)); err != nil {
				return err
			}
		}
		if d.l, err = s.ladder(tx, d.p.Org, d.p.Ladder); err != nil {
			return err
		}
		b.followOne(c, d)
	}
	return nil
}

func (b *batch) followOne(c *chain, d *due) {
	p := &d.p
	event := Event{Org: p.Org, Patient: p.Patient, At: b.now, Promise: p.ID, Rung: p.Rung, Body: "{}"}
	if p.Rung >= len(d.l.Rungs) || !p.RungAt.Before(p.By) {
		event.Kind, event.Rung = EventBroken, -1
		b.falls = append(b.falls, d)
		c.link(&event)
		b.events = append(b.events, event)
		return
	}
	rung := d.l.Rungs[p.Rung]
	late := b.now.Sub(p.RungAt)
	event.Kind = EventClimbed
	if useful := time.Duration(rung.Useful); useful > 0 && late > useful {
		event.Kind = EventSkipped
	} else {
		b.gather(Effect{Org: p.Org, Patient: p.Patient, Promises: []Promise{*p}, Rung: rung, Index: p.Rung, Severity: rung.severity(p.Severity),
			Due: p.RungAt, Now: b.now, Late: late > lateWords})
	}
	c.link(&event)
	b.events = append(b.events, event)
	again := *p
	again.Rung++
	again.RungAt = d.l.At(again.Rung, p.From, p.By)
	b.again = append(b.again, again)
}

// gather joins an effect with the one before it when both say the same to the same people: one message for all the
// promises of a person's minute.
func (b *batch) gather(e Effect) {
	for i := len(b.effects) - 1; i >= 0; i-- {
		o := &b.effects[i]
		if o.Org != e.Org || o.Patient != e.Patient {
			break
		}
		if o.Rung.Do == e.Rung.Do && o.Rung.To == e.Rung.To && o.Rung.Say == e.Rung.Say && o.Severity == e.Severity && o.Due.Equal(e.Due) {
			o.Promises = append(o.Promises, e.Promises...)
			return
		}
	}
	b.effects = append(b.effects, e)
}

// ready lets the hands work out their part. Tasks are the ledger's own.
func (s *Service) ready(tx *store.Tx, b *batch) error {
	var tell []Effect
	for _, e := range b.effects {
		if e.Rung.Do == Task || e.Rung.Do == Page {
			b.tasks = append(b.tasks, taskOf(e))
		}
		if e.Rung.Do != Task {
			tell = append(tell, e)
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

func (b *batch) patientsFrom(i int) []person.ID {
	var out []person.ID
	seen := map[person.ID]bool{}
	for _, d := range b.rows[i:] {
		if d.p.Org == b.rows[i].p.Org && !seen[d.p.Patient] {
			seen[d.p.Patient] = true
			out = append(out, d.p.Patient)
		}
	}
	return out
}

// write takes the batch's rows off the agenda and writes all that follows, in the caller's transaction.
func (s *Service) write(tx *store.Tx, b *batch) error {
	if len(b.rows) > 0 {
		if err := s.writeRows(tx, b); err != nil {
			return err
		}
	}
	at, err := firstDue(tx, b.severity, b.shard)
	if err != nil {
		return err
	}
	rows, now := b.rows, b.now
	tx.After(func() {
		s.next.set(b.severity, b.shard, at)
		for i := range rows {
			if i == 0 || rows[i].at != rows[i-1].at {
				s.lag(now.Sub(rows[i].p.RungAt))
			}
		}
	})
	return nil
}

func (s *Service) writeRows(tx *store.Tx, b *batch) error {
	if err := b.moveAgenda(tx); err != nil {
		return err
	}
	if err := writeEvents(tx, b.shard, b.events); err != nil {
		return err
	}
	for _, d := range b.falls {
		p := d.p
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
		for _, d := range b.rows {
			hint(tx, d.p)
		}
	}
	return nil
}

// moveAgenda takes the batch's rows away and puts their next ones in. The number of rows taken is the proof that nothing
// has changed since the batch was worked out.
func (b *batch) moveAgenda(tx *store.Tx) error {
	first, last := b.rows[0], b.last()
	where := ` WHERE shard = $1 AND severity = $2 AND (at, org, patient, promise) >= ($3, $4, $5, $6) AND (at, org, patient, promise) <= ($7, $8, $9, $10)`
	args := []any{b.shard, int(b.severity), first.at, string(first.p.Org), string(first.p.Patient), string(first.p.ID), last.at, string(last.org), string(last.patient), string(last.id)}
	n, err := tx.Exec("DELETE FROM agenda"+where, args...)
	if err != nil {
		return err
	}
	if int(n) != len(b.rows) {
		return errStale
	}
	return insertAgenda(tx, b.shard, b.again)
}
