package promise

import (
	"context"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

const severities = int(Severe) + 1

// next remembers, for each part of the agenda, when its first row is due. It is a hint: the agenda is the truth, and is looked
// at afresh every few seconds, so a lost hint costs lateness and never a promise.
type next struct {
	mu   sync.Mutex
	at   [severities][person.Shards]int64
	told [severities][person.Shards]int // how often a part's time was lowered
	wake chan struct{}
}

// asOf answers a mark for set: take it before the agenda is read.
func (n *next) asOf(severity Severity, shard int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.told[severity][shard]
}

// set notes what the agenda said. When somebody has lowered the part's time since the mark was taken, what was read may be older
// than that, and the earlier of the two holds: a look too early finds nothing, one too late is lateness.
func (n *next) set(severity Severity, shard int, at int64, mark int) {
	n.mu.Lock()
	if n.told[severity][shard] != mark {
		at = min(at, n.at[severity][shard])
	}
	n.at[severity][shard] = at
	n.mu.Unlock()
}

// sooner lowers a part's time and wakes the worker when that changes what comes first.
func (n *next) sooner(severity Severity, shard int, at int64) {
	n.mu.Lock()
	changed := at < n.at[severity][shard]
	n.told[severity][shard]++
	if changed {
		n.at[severity][shard] = at
	}
	n.mu.Unlock()
	if changed {
		select {
		case n.wake <- struct{}{}:
		default:
		}
	}
}

// first answers the part to work on: the most severe that has something due, leaving out those that are busy (nil: none is).
// With nothing due it answers when something will be.
func (n *next) first(now int64, busy func(Severity, int) bool) (severity Severity, shard int, due bool, at int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at = math.MaxInt64
	for v := Severe; v >= Routine; v-- {
		best, which := int64(math.MaxInt64), 0
		for sh, t := range n.at[v] {
			if t < best && (busy == nil || !busy(v, sh)) {
				best, which = t, sh
			}
		}
		if best <= now {
			return v, which, true, best
		}
		at = min(at, best)
	}
	return 0, 0, false, at
}

// expect notes, once the transaction is durable, that a part of the agenda has a row due at an instant.
func (s *Service) expect(tx *store.Tx, shard int, severity Severity, at time.Time) {
	us := store.Micros(at)
	tx.After(func() { s.next.sooner(severity, shard, us) })
	if tx.Engine() == store.Postgres {
		tx.Hint("agenda", strconv.Itoa(int(severity))+" "+strconv.Itoa(shard)+" "+strconv.FormatInt(us, 10))
	}
}

// hear takes another node's hint.
func (s *Service) hear(hint string) {
	f := strings.Fields(hint)
	if len(f) != 3 {
		return
	}
	severity, err1 := strconv.Atoi(f[0])
	shard, err2 := strconv.Atoi(f[1])
	at, err3 := strconv.ParseInt(f[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || severity < 0 || severity >= severities || shard < 0 || shard >= person.Shards {
		return
	}
	s.next.sooner(Severity(severity), shard, at)
}

// Refresh reads the first row of every part of the agenda: at the start, and every few seconds in case a hint was lost.
func (s *Service) Refresh(ctx context.Context) error {
	s.next.mu.Lock()
	marks := s.next.told // before the view of the database that Read gives
	s.next.mu.Unlock()
	return s.db.Read(ctx, func(tx *store.Tx) error {
		at, err := firsts(tx)
		if err != nil {
			return err
		}
		for v := Routine; v <= Severe; v++ {
			for shard := range person.Shards {
				s.next.set(v, shard, at[v][shard], marks[v][shard])
			}
		}
		return nil
	})
}
