package reading

import (
	"context"
	"sync"
)

const (
	lanes         = 4    // groups stored at once
	groupMost     = 64   // deliveries of a group: a listener may hold locks of the ledger until it is stored
	groupReadings = 4096 // a group with so many takes no more
)

// delivery is one call of Ingest.
type delivery struct {
	dev     Device
	came    []arrived
	wrong   []Refusal
	receipt Receipt // valid once the group is stored
	told    chan verdict
}

// arrived is a sample with the delivery that brought it and its place there.
type arrived struct {
	*delivery
	index int
	Sample
}

// verdict is what a delivery that waited is told.
type verdict struct {
	lead  bool  // it is to lead the next group
	alone bool  // its group failed: it is to try by itself
	err   error // otherwise: how it went
}

// gate lets deliveries that come at the same time share a transaction. There is no goroutine behind it: while all lanes are
// taken deliveries wait, and whoever has stored a group makes the first of them the next to store one.
type gate struct {
	mu      sync.Mutex
	busy    int // lanes taken
	waiting []*delivery
}

// through stores a delivery, with others or alone, and answers once it is durable. A group that fails is dissolved: each of its
// deliveries tries by itself, so that nobody fails for another.
func (g *gate) through(ctx context.Context, d *delivery, store func(ctx context.Context, group []*delivery) error) error {
	if !g.enter(d) {
		switch v := <-d.told; {
		case v.alone:
			return store(ctx, []*delivery{d})
		case !v.lead:
			return v.err
		}
	}
	group := g.gather(d)
	err := store(ctx, group)
	g.leave()
	dissolve := err != nil && len(group) > 1
	for _, other := range group[1:] {
		other.told <- verdict{alone: dissolve, err: err}
	}
	if dissolve {
		return store(ctx, group[:1])
	}
	return err
}

// enter takes a lane and answers true, or puts the delivery among those that wait.
func (g *gate) enter(d *delivery) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy < lanes {
		g.busy++
		return true
	}
	g.waiting = append(g.waiting, d)
	return false
}

// gather answers the group that a delivery leads.
func (g *gate) gather(leader *delivery) []*delivery {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, readings := 0, len(leader.came)
	for n < len(g.waiting) && n < groupMost-1 && readings < groupReadings {
		readings += len(g.waiting[n].came)
		n++
	}
	group := append([]*delivery{leader}, g.waiting[:n]...)
	rest := copy(g.waiting, g.waiting[n:])
	clear(g.waiting[rest:])
	g.waiting = g.waiting[:rest]
	return group
}

// leave hands the lane on, or gives it back.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.busy--
		return
	}
	g.waiting[0].told <- verdict{lead: true}
	rest := copy(g.waiting, g.waiting[1:])
	g.waiting[rest] = nil
	g.waiting = g.waiting[:rest]
}
