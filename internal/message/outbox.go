package message

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

const (
	reportWithin = 10 * time.Minute // no delivery report by then: the next channel (FAULTS 5)
	maxTries     = 5
	pollEvery    = time.Second
	pollBatch    = 500
	directMost   = 50_000 // messages in memory on their way out; past it they wait in the database
)

// route is one channel with what is on its way to it.
type route struct {
	name person.Channel
	ring chan struct{} // something was offered

	mu     sync.Mutex
	ch     Channel
	direct []*batch
	n      int
	held   []*batch // being handed over, or next in that
}

func newRoute(name person.Channel, ch Channel) *route {
	return &route{name: name, ch: ch, ring: make(chan struct{}, 1)}
}

// channel answers who takes the messages now; nil: nobody does any more.
func (r *route) channel() Channel {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ch
}

func (r *route) set(ch Channel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ch = ch
}

// room answers how many more messages may be kept in memory.
func (r *route) room() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return directMost - r.n
}

// offer must not block: it runs on the database's one writer.
func (r *route) offer(b *batch) {
	r.mu.Lock()
	r.direct = append(r.direct, b)
	r.n += len(b.list)
	r.mu.Unlock()
	r.wake()
}

func (r *route) wake() {
	select {
	case r.ring <- struct{}{}:
	default:
	}
}

// take answers the most severe batches that wait and are at least this severe, in the order in which they were offered.
func (r *route) take(least Severity) []*batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.direct {
		least = max(least, b.severity)
	}
	var list, rest []*batch
	r.n = 0
	for _, b := range r.direct {
		if b.severity >= least {
			list = append(list, b)
		} else {
			rest = append(rest, b)
			r.n += len(b.list)
		}
	}
	r.direct = rest
	return list
}

// hold keeps the leases of batches that have been taken, until the function that it answers is called.
func (r *route) hold(list []*batch) (drop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = append(r.held, list...)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.held = slices.DeleteFunc(r.held, func(b *batch) bool { return slices.Contains(list, b) })
	}
}

// leased answers the batches whose leases are this process's to renew: those held, and those that wait.
func (r *route) leased() []*batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.held, r.direct)
}

func (s *Service) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.routes {
		r.wake()
	}
}

// Run hands messages over until ctx ends, then finishes what is in memory. It may run on every node. A channel that is set
// while it runs is used at once.
func (s *Service) Run(ctx context.Context) error {
	var g errgroup.Group
	begin := func(r *route) { g.Go(func() error { s.runRoute(ctx, r); return nil }) }
	s.mu.Lock()
	s.running, s.begin = true, begin
	for _, name := range sortedKeys(s.routes) {
		begin(s.routes[name])
	}
	g.Go(func() error { // holds the group open until no channel can be added any more
		<-ctx.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.begin = nil
		return nil
	})
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.running = false; s.mu.Unlock() }()
	return g.Wait()
}

func (s *Service) runRoute(ctx context.Context, r *route) {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		s.handDirect(ctx, r)
		if _, err := s.sendDue(ctx, r); err != nil && ctx.Err() == nil {
			slog.Error("the outbox could not be read", "channel", r.name, "err", err)
		}
		select {
		case <-ctx.Done():
			s.handDirect(ctx, r) // what was offered meanwhile: left in memory, nobody would know whether it went out
			return
		case <-r.ring:
		case <-poll.C:
		}
	}
}

// handDirect hands over what is in memory.
func (s *Service) handDirect(ctx context.Context, r *route) {
	for list := r.take(Routine); len(list) > 0; list = r.take(Routine) {
		if err := s.hand(ctx, r, list); err != nil && ctx.Err() == nil {
			slog.Error("messages could not be handed over", "channel", r.name, "err", err)
		}
	}
}

// SendDue does all that is due on every channel now, once, in a fixed order: for the simulator. It answers how much it did.
func (s *Service) SendDue(ctx context.Context) (int, error) {
	total := 0
	s.mu.Lock()
	names := sortedKeys(s.routes)
	s.mu.Unlock()
	for _, name := range names {
		n, err := s.sendDue(ctx, s.route(name))
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// NextDue answers when the outbox has something to do next; false when it has not.
func (s *Service) NextDue(ctx context.Context) (time.Time, bool, error) {
	var at int64
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		s.mu.Lock()
		names := sortedKeys(s.routes)
		s.mu.Unlock()
		for _, name := range names {
			var first int64
			for _, query := range [...]string{"SELECT due_at FROM message WHERE channel = $1 AND due_at > 0 ORDER BY due_at LIMIT 1",
				"SELECT due_at FROM handing WHERE channel = $1 ORDER BY due_at LIMIT 1"} {
				found, err := tx.Row(query, []any{string(name)}, &first)
				if err != nil {
					return err
				}
				if found && (at == 0 || first < at) {
					at = first
				}
			}
		}
		return nil
	})
	return store.Time(at), at != 0, err
}

// sendDue takes what is due from the database: what waits is handed over; what another process left half-way is looked into;
// what was never reported goes out by the next channel.
func (s *Service) sendDue(ctx context.Context, r *route) (int, error) {
	total := 0
	for ctx.Err() == nil {
		var mine, left, silent []Message
		some := false
		if err := s.db.Read(ctx, func(tx *store.Tx) error { // a look first: the writer is not disturbed for nothing
			var at int64
			var err error
			args := []any{string(r.name), store.Micros(s.clock.Now())}
			some, err = tx.Row("SELECT due_at FROM message WHERE channel = $1 AND due_at > 0 AND due_at <= $2 ORDER BY due_at LIMIT 1", args, &at)
			if err == nil && !some {
				some, err = tx.Row("SELECT due_at FROM handing WHERE channel = $1 AND due_at <= $2 ORDER BY due_at LIMIT 1", args, &at)
			}
			return err
		}); err != nil || !some {
			return total, err
		}
		err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
			mine, left, silent = nil, nil, nil
			now := s.clock.Now()
			if err := s.expire(tx, r.name, store.Micros(now)); err != nil {
				return err
			}
			lock := ""
			if tx.Engine() == store.Postgres {
				lock = " FOR UPDATE SKIP LOCKED"
			}
			due, err := s.list(tx, "channel = $1 AND due_at > 0 AND due_at <= $2 ORDER BY due_at, org, shard, patient, at, id LIMIT $3"+lock, string(r.name), store.Micros(now), pollBatch)
			if err != nil {
				return err
			}
			if err := readUseful(tx, due); err != nil {
				return err
			}
			slices.SortStableFunc(due, func(a, b Message) int { return int(b.Severity - a.Severity) })
			for i := range due {
				m := &due[i]
				was := m.State
				if was == Sent {
					m.since = 0 // the gateway took it in time
					silent = append(silent, *m)
					continue
				}
				m.begin()
				if err := s.move(tx, m, Handing, now.Add(lease), m.Ref, m.Tries); err != nil {
					return err
				}
				if r.name == person.Voice && m.late(store.Micros(now)) { // Speak asks when somebody has picked up
					if err := m.keepUseful(tx); err != nil {
						return err
					}
				}
				if was == Queued { // with its lease, by which it is renewed
					mine = append(mine, *m)
				} else {
					left = append(left, *m)
				}
			}
			for i := range silent {
				if err := s.move(tx, &silent[i], Unknown, time.Time{}, silent[i].Ref, silent[i].Tries); err != nil {
					return err
				}
				if err := s.fallBack(tx, silent[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		n := len(mine) + len(left) + len(silent)
		total += n
		if len(left) > 0 {
			again, err := s.reconcile(ctx, r, left)
			if err != nil {
				return total, err
			}
			mine = append(mine, again...)
		}
		if len(mine) > 0 {
			if err := s.hand(ctx, r, []*batch{newBatch("", mine, s.clock.Now())}); err != nil {
				return total, err
			}
		}
		if n < pollBatch {
			return total, nil
		}
	}
	return total, ctx.Err()
}

// reconcile decides about messages whose process ended between handing over and writing down (FAULTS 2). A gateway that can
// tell is asked. One that cannot: a reminder is not risked twice, an alert is sent again and says so. It answers those to send.
func (s *Service) reconcile(ctx context.Context, r *route, left []Message) ([]Message, error) {
	var again []Message
	rec, can := r.channel().(Reconciler)
	for _, m := range left {
		if can {
			ref, took, err := rec.Took(m.ID)
			if err != nil {
				continue // asked again when this lease ends
			}
			if !took {
				again = append(again, m)
				continue
			}
			err = s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
				return s.move(tx, &m, Sent, s.clock.Now().Add(reportWithin), ref, m.Tries)
			})
			if err == nil && ref != "" {
				err = s.heed(ctx, ref)
			}
			if err != nil {
				return nil, err
			}
			continue
		}
		if m.Severity >= Urgent {
			m.Body = words.Say(s.reader(ctx, m).Language, "sms.repeat", map[string]string{"text": m.Body})
			again = append(again, m)
			continue
		}
		if err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error { return s.move(tx, &m, Unknown, time.Time{}, m.Ref, m.Tries) }); err != nil {
			return nil, err
		}
	}
	return again, nil
}

// reader answers who reads a message, somebody who reads English where that cannot be found out.
func (s *Service) reader(ctx context.Context, m Message) person.Person {
	p := person.Person{Language: "en", Zone: "UTC"}
	s.db.Read(ctx, func(tx *store.Tx) error {
		found, err := s.people.Get(tx, m.Org, m.Person)
		if err == nil {
			p = found
		}
		return err
	})
	return p
}

func keyOf(m *Message) []any {
	return []any{string(m.Org), Shard(m.Patient), string(m.Patient), store.Micros(m.At), m.ID}
}

// move brings a message's state forward; a state that is behind the present one changes nothing.
func (s *Service) move(tx *store.Tx, m *Message, to State, due time.Time, ref string, tries int) error {
	now := s.clock.Now()
	n, err := tx.Exec(`UPDATE message SET state = $6, due_at = $7, moved_at = $8, ref = $9, tries = $10
		WHERE org = $1 AND shard = $2 AND patient = $3 AND at = $4 AND id = $5 AND state <= $6`,
		append(keyOf(m), int(to), store.Micros(due), store.Micros(now), ref, tries)...)
	if err == nil && n == 1 {
		m.State, m.Due, m.Moved, m.Ref, m.Tries = to, due, now, ref, tries
		tx.Hint("patient", string(m.Org)+"/"+string(m.Patient))
		if to > Sent || to == Sent && due.IsZero() { // it goes out no more
			err = m.forgetUseful(tx)
		}
	}
	return err
}

// fallBack starts the next channel for a message that did not arrive; when none is left the desk is told.
func (s *Service) fallBack(tx *store.Tx, m Message) error {
	if m.Channel == person.Cue {
		return nil // a light that does not shine is followed by the next rung
	}
	if now := s.clock.Now(); m.over(store.Micros(now)) {
		tx.After(func() { useless(&m, now) })
		return nil
	}
	found, err := s.people.Recipients(tx, m.Org, []person.ID{m.Person})
	if err != nil {
		return err
	}
	r := found[m.Person]
	if r == nil {
		return nil
	}
	sent, err := s.list(tx, "org = $1 AND shard = $2 AND patient = $3 AND at = $4 AND person = $5 AND say = $6 AND promises = $7 AND inward = 0", string(m.Org),
		Shard(m.Patient), string(m.Patient), store.Micros(m.At), string(m.Person), m.Say, m.Promises)
	if err != nil {
		return err
	}
	var tried []string
	for _, x := range sent {
		tried = append(tried, string(x.Channel)+":"+x.Address)
	}
	var order []person.Channel
	if m.Say == rawSay { // a link that signs somebody in is not for a locked screen
		order = []person.Channel{person.SMS, person.Mail}
	}
	c, _ := s.pick(r, order, tried)
	next := m
	next.ID, next.Channel, next.Address = clock.DerivedID(m.ID, "next", string(c.Channel), c.Address), c.Channel, c.Address
	next.State, next.Ref, next.Tries, next.Moved, next.sum = Queued, "", 0, s.clock.Now(), 0
	next.Due, next.aside = next.Moved, false
	if c.Channel == person.Page {
		next.State, next.Due = Sent, time.Time{}
		if s.desk != nil {
			if err := s.desk.Undelivered(tx, m); err != nil {
				return err
			}
		}
	}
	if slices.Contains(tried, string(c.Channel)+":"+c.Address) {
		return nil
	}
	return s.put(tx, []Message{next})
}

// subject answers a mail's subject line.
func (s *Service) subject(m *Message) string {
	lang, clinic := "en", ""
	args := map[string]string{}
	if err := s.db.Read(context.Background(), func(tx *store.Tx) error {
		o, err := s.people.Org(tx, m.Org)
		if err != nil {
			return err
		}
		clinic = o.Name
		p, err := s.people.Get(tx, m.Org, m.Person)
		if err == nil {
			lang = p.Language
			args["time"] = words.Time(lang, m.At, p.Location())
		}
		if m.Patient != "" && m.Patient != m.Person {
			about, err := s.people.Get(tx, m.Org, m.Patient)
			if err == nil {
				args["called"] = about.Called
			}
		}
		return nil
	}); err != nil {
		return clinic
	}
	args["clinic"], args["who"] = clinic, clinic
	key := "mail." + m.Say
	if m.Say == rawSay {
		key = "mail.signin"
	}
	if !words.Has(key) {
		return clinic
	}
	return words.Say(lang, key, args)
}

// report moves the message of a reference, and reports whether there is one.
func (s *Service) report(ctx context.Context, ref string, to State) (known bool, err error) {
	err = s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
		list, err := s.list(tx, "ref = $1 AND inward = 0", ref)
		if err != nil {
			return err
		}
		known = len(list) > 0
		if err := readUseful(tx, list); err != nil {
			return err
		}
		for i := range list {
			m := &list[i]
			m.since = 0 // the gateway took it in time
			if to <= m.State {
				continue
			}
			was := m.State
			due := time.Time{}
			if err := s.move(tx, m, to, due, m.Ref, m.Tries); err != nil {
				return err
			}
			if to == Failed && was != Unknown { // the next channel was started when no report came
				if err := s.fallBack(tx, *m); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return known, err
}
