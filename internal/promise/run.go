package promise

import (
	"context"
	"log/slog"
	"math"
	"time"

	"doorstep/internal/store"
)

const (
	refreshEvery = 5 * time.Second
	retryAfter   = time.Second
)

// Run climbs what comes due until ctx ends. It may run on every node: each part of the agenda is worked on by one at a time.
func (s *Service) Run(ctx context.Context) {
	hints := s.db.Listen(ctx, "agenda")
	refresh := time.NewTicker(refreshEvery)
	defer refresh.Stop()
	if err := s.Refresh(ctx); err != nil {
		slog.Error("the ledger's agenda cannot be read", "err", err)
	}
	for {
		if _, err := s.Climb(ctx); err != nil && ctx.Err() == nil {
			slog.Error("the ledger could not climb", "err", err)
			if !sleep(ctx, retryAfter) {
				return
			}
			if err := s.Refresh(ctx); err != nil {
				slog.Error("the ledger's agenda cannot be read", "err", err)
			}
			continue
		}
		wait := refreshEvery
		if _, _, any, at := s.next.first(store.Micros(s.clock.Now()), nil); any {
			wait = 0
		} else if at != math.MaxInt64 {
			wait = min(wait, store.Time(at).Sub(s.clock.Now())+time.Microsecond)
		}
		timer := time.NewTimer(max(wait, 0))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-s.next.wake:
		case h := <-hints:
			s.hear(h)
		case <-refresh.C:
			if err := s.Refresh(ctx); err != nil {
				slog.Error("the ledger's agenda cannot be read", "err", err)
			}
		}
		timer.Stop()
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Upcoming answers when the agenda has its next row, from memory: for the simulator, which is the only process on its
// database, after one Refresh.
func (s *Service) Upcoming() (time.Time, bool) {
	_, _, _, at := s.next.first(math.MinInt64, nil)
	return store.Time(at), at != math.MaxInt64
}

// Lag answers how far the ledger is behind: the age of the oldest row that is due and not yet climbed.
func (s *Service) Lag(ctx context.Context) (time.Duration, error) {
	lag := time.Duration(0)
	now := s.clock.Now()
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		first, err := firsts(tx)
		for _, shards := range first {
			for _, at := range shards {
				if at != math.MaxInt64 {
					lag = max(lag, now.Sub(store.Time(at)))
				}
			}
		}
		return err
	})
	return lag, err
}
