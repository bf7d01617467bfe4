// Package sim is the whole world around one server: patients, families, staff, pill boxes, scales, a hub, a text gateway and a
// mail server that can fail, all on a simulated clock, driving the real services. From the same seed it does the same things
// in the same order, on either engine. It powers doorstep demo, doorstep sim and the fault tests.
package sim

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Options of New. Zero values give a small quiet clinic.
type Options struct {
	Patients  int       // besides Ruth; 0: none
	Seed      uint64    //
	Start     time.Time // zero: Monday 2 March 2026, 07:30 in New York
	PublicURL string    //
	Faults    Faults
	Log       *slog.Logger
}

// Zone is where the simulated clinic stands.
const Zone = "America/New_York"

// Org is the simulated clinic.
const Org = person.OrgID("demo")

// FirstMorning is when the story begins.
var FirstMorning = time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC)

// World is one simulated world. Its methods may be called by several goroutines; time moves for one of them at a time.
type World struct {
	*app.Server
	Clock   *clock.Sim
	SMS     *SMS
	Mail    *Mail
	Faults  Faults
	Cast    []*Member
	Devices []Gadget

	mu     sync.Mutex
	rand   *rand.Rand
	queue  events
	seq    int
	tick   time.Time // of the next round of planning, silence and tidying
	speed  float64
	lit    map[string]bool // devices that shine
	opened map[string]bool // pill boxes that stand open
	links  map[person.ID]string
}

// New puts a world around a migrated or empty database. On a database that a world has lived in before, it goes on from
// where the clock stood.
func New(ctx context.Context, db *store.DB, o Options) (*World, error) {
	if o.Start.IsZero() {
		o.Start = FirstMorning
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	at, lived, err := standing(ctx, db)
	if err != nil {
		return nil, err
	}
	if lived { // another run of the same seed would make the same secrets again
		o.Start, o.Seed = at, o.Seed^uint64(at.UnixMicro())
	}
	c := clock.NewSim(o.Start)
	ids := clock.SeededIDs(c, o.Seed)
	s, err := app.New(ctx, app.Options{DB: db, Clock: c, IDs: ids, PublicURL: o.PublicURL, Log: o.Log})
	if err != nil {
		return nil, err
	}
	w := &World{Server: s, Clock: c, Faults: o.Faults, rand: rand.New(rand.NewPCG(o.Seed, 0x646f6f72)), lit: map[string]bool{}, opened: map[string]bool{}, tick: o.Start}
	w.SMS = &SMS{w: w, texts: map[string][]Text{}}
	w.Mail = &Mail{w: w}
	s.Messages.SetChannel(person.SMS, w.SMS)
	s.Messages.SetChannel(person.Mail, w.Mail)
	s.SetCue(w.shine)
	if err := w.populate(ctx, o.Patients); err != nil {
		return nil, err
	}
	return w, s.Promises.Refresh(ctx)
}

// event is something that somebody will do.
type event struct {
	at  time.Time
	seq int
	do  func(ctx context.Context) error
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].seq < q[j].seq
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// at plans an event. The caller holds the world's lock, or is its constructor.
func (w *World) at(t time.Time, do func(ctx context.Context) error) {
	w.seq++
	heap.Push(&w.queue, event{t, w.seq, do})
}

// in plans an event after a while.
func (w *World) in(d time.Duration, do func(ctx context.Context) error) {
	w.at(w.Clock.Now().Add(d), do)
}

const round = 5 * time.Minute

// To moves the clock to an instant, with everything that happens until then, in order.
func (w *World) To(ctx context.Context, until time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ctx.Err() == nil {
		at, more, err := w.next(ctx)
		if err != nil {
			return err
		}
		if !more || at.After(until) {
			w.Clock.Set(until)
			return nil
		}
		w.Clock.Set(at)
		if err := w.step(ctx); err != nil {
			return fmt.Errorf("at %s: %w", at.Format(time.RFC3339), err)
		}
	}
	return ctx.Err()
}

// next answers when something happens next: an event, a rung, a message, a round.
func (w *World) next(ctx context.Context) (time.Time, bool, error) {
	at := w.tick
	if len(w.queue) > 0 && w.queue[0].at.Before(at) {
		at = w.queue[0].at
	}
	if w.Faults.SchedulerDown(w.Clock.Now()) {
		return at, true, nil
	}
	if t, ok := w.Promises.Upcoming(); ok && t.Before(at) {
		at = t
	}
	t, ok, err := w.Messages.NextDue(ctx)
	if ok && t.Before(at) {
		at = t
	}
	return at, true, err
}

// step does what is due at the instant that the clock shows.
func (w *World) step(ctx context.Context) error {
	now := w.Clock.Now()
	for len(w.queue) > 0 && !w.queue[0].at.After(now) {
		e := heap.Pop(&w.queue).(event)
		if err := e.do(ctx); err != nil {
			return err
		}
	}
	down := w.Faults.SchedulerDown(now)
	if !w.tick.After(now) {
		w.tick = now.Truncate(round).Add(round)
		if err := w.saveClock(ctx); err != nil {
			return err
		}
		if !down {
			if err := w.Server.Round(ctx); err != nil {
				return err
			}
		}
	}
	if down {
		return nil
	}
	for range 50 { // what one step causes may be due at once
		busy, err := w.Server.Step(ctx)
		if err != nil || !busy {
			return err
		}
	}
	return fmt.Errorf("the server does not come to rest")
}

// Advance is To by a length of time.
func (w *World) Advance(ctx context.Context, d time.Duration) error {
	return w.To(ctx, w.Clock.Now().Add(d))
}

// do runs something with the world's lock held, between two moves of the clock.
func (w *World) do(ctx context.Context, fn func(ctx context.Context) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := fn(ctx); err != nil {
		return err
	}
	return w.step(ctx)
}

func (w *World) read(ctx context.Context, fn func(tx *store.Tx) error) error {
	return w.DB.Read(ctx, fn)
}

// shine takes a cue to a simulated device.
func (w *World) shine(device string, _ []byte) error {
	w.lit[device] = true
	return nil
}

// Cued answers a cue that lights the simulated device and also goes out over a real broker, where somebody may listen.
func (w *World) Cued(send func(device string, payload []byte) error) func(device string, payload []byte) error {
	return func(device string, payload []byte) error {
		return errors.Join(w.shine(device, payload), send(device, payload))
	}
}

// Day reads a day of the story ("7": the morning of the seventh day) or a date, as the instant at which it begins.
func Day(text string) (time.Time, error) {
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= 3650 {
		return FirstMorning.AddDate(0, 0, n-1), nil
	}
	d, err := clock.ParseDay(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a day of the story (1, 2, …) nor a date", text)
	}
	zone, err := clock.Zone(Zone)
	if err != nil {
		return time.Time{}, err
	}
	return clock.At(d, clock.WallAt(7, 30), zone), nil
}
