// Package vendor has the outside ride companies that transport.Vendor stands for. There is one: a simulated company that fails as real ones do.
package vendor

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/transport"
)

// Mood is how a simulated company behaves.
type Mood string

const (
	Good      Mood = "good"
	Declines  Mood = "declines"
	Silent    Mood = "silent" // no answer to anything
	TakesBack Mood = "back"   // accepts, and cancels a quarter of an hour before
	Late      Mood = "late"   // comes 40 minutes after the window
)

// Simulated is a ride company on a clock. It is safe for use by several goroutines.
type Simulated struct {
	Called string
	Clock  clock.Clock

	mu     sync.Mutex
	mood   Mood
	orders map[string]*order // by our reference
	byTrip map[string]string
}

type order struct {
	transport.Trip
	mood Mood
	off  bool
}

// New answers a company that behaves well.
func New(name string, c clock.Clock) *Simulated {
	return &Simulated{Called: name, Clock: c, mood: Good, orders: map[string]*order{}, byTrip: map[string]string{}}
}

// Be changes how the company behaves; orders keep the mood in which they were accepted, but for silence.
func (s *Simulated) Be(m Mood) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mood = m
}

// Open answers how many orders stand.
func (s *Simulated) Open() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if !o.off {
			n++
		}
	}
	return n
}

// Name is transport.Vendor.
func (s *Simulated) Name() string { return s.Called }

var errSilent = errors.New("no answer")

// Ask is transport.Vendor.
func (s *Simulated) Ask(_ context.Context, t transport.Trip) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.mood {
	case Silent:
		return "", errSilent
	case Declines:
		return "", transport.ErrDeclined
	}
	if ref, known := s.byTrip[t.ID]; known {
		return ref, nil
	}
	ref := "trip-" + strconv.Itoa(len(s.orders)+1)
	s.byTrip[t.ID], s.orders[ref] = ref, &order{Trip: t, mood: s.mood}
	return ref, nil
}

// Look is transport.Vendor. A good company is there in the middle of the window, and drives for 25 minutes.
func (s *Simulated) Look(_ context.Context, ref string) (transport.Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[ref]
	switch {
	case s.mood == Silent:
		return transport.Progress{}, errSilent
	case o == nil || o.off:
		return transport.Progress{State: transport.Cancelled}, nil
	}
	now, at := s.Clock.Now(), o.Pickup.From.Add(10*time.Minute)
	switch o.mood {
	case TakesBack:
		if !now.Before(o.Pickup.From.Add(-15 * time.Minute)) {
			o.off = true
			return transport.Progress{State: transport.Cancelled}, nil
		}
	case Late:
		at = o.Pickup.To.Add(40 * time.Minute)
	}
	p := transport.Progress{State: transport.Planned, Pickup: at}
	for _, step := range []struct {
		state transport.LegState
		at    time.Time
	}{{transport.Way, at.Add(-15 * time.Minute)}, {transport.Door, at}, {transport.Aboard, at.Add(4 * time.Minute)}, {transport.Done, at.Add(25 * time.Minute)}} {
		if !now.Before(step.at) {
			p.State, p.At = step.state, step.at
		}
	}
	return p, nil
}

// Cancel is transport.Vendor.
func (s *Simulated) Cancel(_ context.Context, ref string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mood == Silent {
		return errSilent
	}
	if o := s.orders[ref]; o != nil {
		o.off = true
	}
	return nil
}
