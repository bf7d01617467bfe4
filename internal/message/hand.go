package message

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

const (
	// handMost is how many messages a channel is given at a time. Between two such calls leases are renewed and what is more
	// severe goes first: a gateway that takes ten texts a second would need seven minutes for a batch of the ledger.
	handMost = 256
	// pushMost is the same for pushes, which go out one after the other: a device reports within a second that it has shown one.
	pushMost = 16
	// markWithin bounds how long what a channel took may go without being written down.
	markWithin = time.Second
	// unsureFor is how long a gateway that broke off is left alone before it is asked what it took.
	unsureFor = 15 * time.Second
)

// hand gives batches to their channel and writes down what became of each message.
func (s *Service) hand(ctx context.Context, r *route, list []*batch) error {
	// What was handed over must be written down even while the server stops.
	kept := store.Essential(context.WithoutCancel(ctx))
	defer r.hold(list)()
	var whole []*batch // taken whole, and to be marked so
	var errs error
	since := s.clock.Now()
	for _, b := range list {
		all, err := s.handOne(ctx, r, b)
		errs = errors.Join(errs, err)
		if all {
			whole = append(whole, b)
		}
		if s.clock.Now().Sub(since) > markWithin {
			errs = errors.Join(errs, s.mark(kept, whole))
			whole, since = nil, s.clock.Now()
		}
	}
	return errors.Join(errs, s.mark(kept, whole))
}

// handOne gives one batch to its channel. It reports whether every message was taken, with nothing to remember of any, and is
// to be marked so; else it has been written down already.
func (s *Service) handOne(ctx context.Context, r *route, b *batch) (whole bool, err error) {
	kept := store.Essential(context.WithoutCancel(ctx))
	results := make([]Result, 0, len(b.list))
	written := 0
	for len(results) < len(b.list) {
		from := len(results)
		if from > 0 {
			for urgent := r.take(b.severity + 1); len(urgent) > 0; urgent = r.take(b.severity + 1) {
				if err := s.hand(ctx, r, urgent); err != nil {
					return false, err
				}
			}
		}
		if err := s.renew(kept, r, lease/2); err != nil {
			return false, err
		}
		if len(b.list) == from { // another process has taken over what was left
			break
		}
		most := handMost
		if r.name == person.Push {
			most = pushMost
		}
		b.given = min(from+most, len(b.list))
		next, err := s.sendKept(ctx, r, b.list[from:b.given])
		if err != nil {
			return false, err
		}
		results = append(results, next...)
		b.done = len(results)
		if b.id != "" && written == 0 && plain(results) {
			continue
		}
		if err := s.db.Write(kept, func(tx *store.Tx) error { return s.settleAll(tx, b.list[written:len(results)], results[written:]) }); err != nil {
			return false, err
		}
		if err := s.heed(kept, reported(results[written:])...); err != nil {
			return false, err
		}
		written = len(results)
	}
	if b.id == "" || written == 0 && len(results) > 0 {
		return b.id != "", nil
	}
	return false, s.db.Write(kept, func(tx *store.Tx) error { return dropLease(tx, b.id) })
}

// sendKept is send while the leases of all that the route has are renewed: a gateway that hangs may take minutes for one call.
func (s *Service) sendKept(ctx context.Context, r *route, list []Message) ([]Result, error) {
	kept := store.Essential(context.WithoutCancel(ctx))
	over := make(chan struct{})
	var keeper sync.WaitGroup
	keeper.Go(func() {
		tick := time.NewTicker(lease / 4)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if err := s.renew(kept, r, 0); err != nil {
					slog.Error("the leases of messages on their way could not be renewed", "channel", r.name, "err", err)
				}
			}
		}
	})
	defer keeper.Wait()
	defer close(over)
	return s.send(ctx, r, list)
}

// errNoChannel is why a message goes by the next channel when its own has been taken out of use.
var errNoChannel = errors.New("the channel is not in use any more")

// send gives some messages to a channel.
func (s *Service) send(ctx context.Context, r *route, list []Message) ([]Result, error) {
	ch := r.channel()
	if ch == nil {
		return slices.Repeat([]Result{{Err: errNoChannel, Never: true}}, len(list)), nil
	}
	now := store.Micros(s.clock.Now())
	if slices.ContainsFunc(list, func(m Message) bool { return m.over(now) }) {
		return s.sendUseful(ctx, r, list, now)
	}
	out := make([]Outgoing, len(list))
	for i := range list {
		m := &list[i]
		out[i] = Outgoing{Ref: m.ID, To: m.Address, Body: m.Body, Severity: m.Severity}
		switch r.name {
		case person.Mail:
			out[i].Subject = s.subject(m)
		case person.Voice:
			out[i].Link = "/r/" + s.LinkCode(m)
		case person.Push:
			if err := s.glance(ctx, m, &out[i]); err != nil {
				return nil, err
			}
		}
		out[i].Body = s.plainly(ctx, m, out[i].Body, now)
	}
	results := ch.Send(ctx, out)
	if len(results) != len(list) {
		return nil, fmt.Errorf("channel %s answered %d results for %d messages", r.name, len(results), len(list))
	}
	return results, nil
}

// sendUseful is send without those messages that are of no more use.
func (s *Service) sendUseful(ctx context.Context, r *route, list []Message, now int64) ([]Result, error) {
	results := make([]Result, len(list))
	var some []Message
	var places []int
	for i := range list {
		if list[i].over(now) {
			results[i] = Result{Err: errUseless, useless: true}
			continue
		}
		some, places = append(some, list[i]), append(places, i)
	}
	if len(some) == 0 {
		return results, nil
	}
	sent, err := s.send(ctx, r, some)
	for k, x := range sent {
		results[places[k]] = x
	}
	return results, err
}

// plain reports that every message was taken, without a reference and with no report to come.
func plain(results []Result) bool {
	for i := range results {
		if r := &results[i]; r.Err != nil || r.Ref != "" || r.Reports {
			return false
		}
	}
	return true
}

// mark writes down that whole batches were taken.
func (s *Service) mark(ctx context.Context, list []*batch) error {
	if len(list) == 0 {
		return nil
	}
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		for _, b := range list {
			if err := b.markSent(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, errLapsed) {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		for _, b := range list {
			for i := range b.list { // whoever looked into them gave each a row of its own
				b.list[i].aside = b.list[i].aside || b.useful != (useful{})
			}
			if err := s.settleAll(tx, b.list, make([]Result, len(b.list))); err != nil {
				return err
			}
			if err := dropLease(tx, b.id); err != nil {
				return err
			}
		}
		return nil
	})
}

// renew keeps other processes from looking into the batches that a route has, once the lease of one of them is older than this.
// What another has taken over already leaves its batch.
func (s *Service) renew(ctx context.Context, r *route, older time.Duration) error {
	list := r.leased()
	now := s.clock.Now()
	if !slices.ContainsFunc(list, func(b *batch) bool { return now.Sub(b.leased) > older }) {
		return nil
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		for _, b := range list {
			if err := b.renew(tx, s.clock.Now().Add(lease)); err != nil {
				return err
			}
		}
		return nil
	})
}

// settleAll writes down what a channel answered.
func (s *Service) settleAll(tx *store.Tx, list []Message, results []Result) error {
	for i := range list {
		if err := s.settle(tx, &list[i], results[i]); err != nil {
			return err
		}
	}
	return nil
}

// settle writes down what a channel answered for one message.
func (s *Service) settle(tx *store.Tx, m *Message, r Result) error {
	now := s.clock.Now()
	wait := max(r.Wait, 15*time.Second<<m.Tries)
	switch {
	case r.useless:
		tx.After(func() { useless(m, now) })
		return s.move(tx, m, Dropped, time.Time{}, m.Ref, m.Tries)
	case r.Err == nil && r.Reports:
		if m.until > 0 && !m.aside { // the next channel may have to know
			if err := m.keepUseful(tx); err != nil {
				return err
			}
		}
		return s.move(tx, m, Sent, now.Add(reportWithin), r.Ref, m.Tries)
	case r.Err == nil:
		return s.move(tx, m, Sent, time.Time{}, r.Ref, m.Tries)
	case r.Unsure:
		// As if this process had ended there (FAULTS 2): it stays in hand, with a lease of its own, and is then looked into.
		if err := m.keepUseful(tx); err != nil {
			return err
		}
		return s.move(tx, m, Handing, now.Add(unsureFor), m.Ref, m.Tries+1)
	case r.Never || m.Tries+1 >= maxTries || m.over(store.Micros(now.Add(wait))): // the last: another channel may still be in time
		if r.Gone {
			if err := s.people.Forget(tx, m.Org, m.Person, m.Channel, m.Address); err != nil {
				return err
			}
		}
		if err := s.move(tx, m, Failed, time.Time{}, m.Ref, m.Tries+1); err != nil {
			return err
		}
		return s.fallBack(tx, *m)
	default:
		if err := m.keepUseful(tx); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE message SET state = 0, due_at = $6, moved_at = $7, tries = tries + 1 WHERE org = $1 AND shard = $2 AND patient = $3 AND at = $4 AND id = $5 AND state IN (-1, 1)",
			append(keyOf(m), store.Micros(now.Add(wait)), store.Micros(now))...)
		return err
	}
}
