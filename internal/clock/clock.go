// Package clock is the only source of time and identity. Everything above it asks a Clock what time it is and an IDs for
// a new name, so that the whole server runs in the simulator, from a seed, to the same bytes.
package clock

import (
	"sync"
	"time"
)

// Clock tells the present instant, in UTC, to the microsecond (the ledger's unit).
type Clock interface {
	Now() time.Time
}

// Sim is a clock that stands still until it is moved. Its zero value stands at the zero time. It never goes back.
type Sim struct {
	mu  sync.Mutex
	now time.Time
}

// NewSim answers a clock that stands at the instant.
func NewSim(at time.Time) *Sim { return &Sim{now: at.UTC().Truncate(time.Microsecond)} }

func (c *Sim) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock forward to the instant; an earlier instant leaves it where it is.
func (c *Sim) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at = at.UTC().Truncate(time.Microsecond); at.After(c.now) {
		c.now = at
	}
}

// Advance moves the clock forward and answers where it stands.
func (c *Sim) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.now = c.now.Add(d.Truncate(time.Microsecond))
	}
	return c.now
}

const (
	// jump is the divergence of the wall clock from the monotonic clock that is not believed at once.
	jump = 2 * time.Second
	// believe is how long a jumped wall clock must stay jumped before it is followed.
	believe = 10 * time.Minute
)

// System is the machine's clock, steadied: it runs on the monotonic clock and follows the wall clock only in small steps,
// or after a larger step has held for ten minutes. A server clock that jumps an hour and back thus fires no promise early.
// It never goes back.
type System struct {
	mu     sync.Mutex
	wall   func() time.Time     // wall clock
	mono   func() time.Duration // monotonic clock since any fixed origin
	anchor time.Time            // what the clock said at the monotonic instant below
	at     time.Duration
	since  time.Duration // when the present jump was first seen; 0: none
	last   time.Time
}

// NewSystem answers the machine's steadied clock.
func NewSystem() *System {
	start := time.Now()
	return newSystem(time.Now, func() time.Duration { return time.Since(start) })
}

func newSystem(wall func() time.Time, mono func() time.Duration) *System {
	return &System{wall: wall, mono: mono, anchor: wall().Round(0), at: mono()}
}

func (c *System) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	mono := c.mono()
	now := c.anchor.Add(mono - c.at)
	off := c.wall().Round(0).Sub(now)
	switch {
	case off.Abs() < jump:
		c.since = 0
		now = now.Add(off)
		c.anchor, c.at = now, mono
	case c.since == 0:
		c.since = mono + 1
	case mono-c.since >= believe:
		c.since = 0
		now = now.Add(off)
		c.anchor, c.at = now, mono
	}
	now = now.UTC().Truncate(time.Microsecond)
	if now.Before(c.last) {
		return c.last
	}
	c.last = now
	return now
}

// Jumped tells how far the wall clock stands off while a jump is not yet believed, 0 otherwise. Shown to the operator.
func (c *System) Jumped() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since == 0 {
		return 0
	}
	return c.wall().Round(0).Sub(c.anchor.Add(c.mono() - c.at))
}
