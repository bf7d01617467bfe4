package promise

import (
	"context"
	"errors"
	"sync"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// ahead is a climb on SQLite: batches are worked out on a read connection, in order, while the one writer writes those before.
// What changes in between is found out when a batch is written (errStale, or a line of history that is there already), and the
// batch is then worked out again with the writer to itself.
type ahead struct {
	s       *Service
	planned chan *batch
	freed   chan struct{} // a batch was written

	mu   sync.Mutex
	busy map[part]int // batches worked out and not yet written, by severity and shard
}

// climbAhead is Climb on SQLite.
func (s *Service) climbAhead(ctx context.Context) (int, error) {
	// One batch waits while one is written and one is worked out: neither side stands still for the other's fsync or pages.
	a := &ahead{s: s, planned: make(chan *batch, 1), freed: make(chan struct{}, 1), busy: map[part]int{}}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		defer close(a.planned)
		if err := a.plan(ctx); err != nil {
			cancel(err)
		}
	}()
	total := 0
	for b := range a.planned {
		if context.Cause(ctx) != nil {
			continue // emptied, so that the planner ends
		}
		n, err := a.write(ctx, b)
		total += n
		if err != nil {
			cancel(err)
		}
	}
	return total, context.Cause(ctx)
}

// plan works out batch after batch, the most severe part first, until nothing is due.
func (a *ahead) plan(ctx context.Context) error {
	var rest *batch // the last batch, where more of its part is due
	for {
		p, any, pending := a.next(rest)
		if !any && pending {
			select {
			case <-a.freed: // perhaps something of a part that was busy is due again
				continue
			case <-ctx.Done():
				return nil
			}
		}
		if !any {
			return nil
		}
		var b *batch
		err := a.s.db.Read(ctx, func(tx *store.Tx) (err error) {
			b, err = a.s.work(tx, p, a.s.clock.Now())
			return err
		})
		if err != nil {
			a.done(p)
			return err
		}
		select {
		case a.planned <- b:
		case <-ctx.Done():
			return nil
		}
		if rest = nil; b.more {
			rest = b
		}
	}
}

// next answers what to work out next, and marks it as busy: the rest of the part begun, unless something more severe is due.
// With nothing to work out it says whether batches are still to be written.
func (a *ahead) next(rest *batch) (p part, any, pending bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	severity, shard, any, _ := a.s.next.first(store.Micros(a.s.clock.Now()), func(v Severity, shard int) bool { return a.busy[part{severity: v, shard: shard}] > 0 })
	if rest != nil && (!any || severity <= rest.severity) {
		p = part{severity: rest.severity, shard: rest.shard, after: rest.last()}
	} else if p = (part{severity: severity, shard: shard}); !any {
		return p, false, len(a.busy) > 0
	}
	a.busy[part{severity: p.severity, shard: p.shard}]++
	return p, true, true
}

// write writes one batch and answers how many rows of the agenda it took away.
func (a *ahead) write(ctx context.Context, b *batch) (int, error) {
	p := part{severity: b.severity, shard: b.shard}
	defer a.done(p)
	n := len(b.rows)
	err := a.s.db.Write(store.Essential(ctx), func(tx *store.Tx) error { return a.s.write(tx, b) })
	if errors.Is(err, errStale) || fault.Is(err, fault.Conflict) {
		n, err = a.s.climbAlone(ctx, p)
	}
	return n, err
}

func (a *ahead) done(p part) {
	p.after = key{}
	a.mu.Lock()
	if a.busy[p]--; a.busy[p] == 0 {
		delete(a.busy, p)
	}
	a.mu.Unlock()
	select {
	case a.freed <- struct{}{}:
	default:
	}
}
