package gateway

import (
	"context"
	"encoding/json"
	"time"

	"doorstep/internal/store"
)

const (
	cueMost  = 20 * time.Second // how long a light may take to be shown
	cueAgain = 15 * time.Second // how soon one that could not be shown is tried again
	forget   = 48 * time.Hour
)

// planned keeps the server's plan in place of the one before. What was due before the server wrote it is the server's: it has shown
// it or had a reason not to.
func (l *link) planned(ctx context.Context, payload []byte) error {
	var plan struct {
		At   time.Time
		Cues []struct {
			Promise, Cue string
			Slot         int
			At           time.Time
			Since, Until time.Time
		}
	}
	if err := json.Unmarshal(payload, &plan); err != nil {
		return err
	}
	return l.g.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM cue WHERE device = $1 AND (done = 0 OR until < $2)", l.device.ID, store.Micros(l.g.Clock.Now().Add(-forget))); err != nil {
			return err
		}
		for _, c := range plan.Cues {
			if _, err := tx.Exec(`INSERT INTO cue (device, at, promise, cue, slot, since, until, done) VALUES ($1, $2, $3, $4, $5, $6, $7, 0) ON CONFLICT (device, at, promise) DO NOTHING`,
				l.device.ID, store.Micros(c.At), c.Promise, c.Cue, c.Slot, store.Micros(c.Since), store.Micros(c.Until)); err != nil {
				return err
			}
		}
		return nil
	})
}

// cued takes a cue of the server: it is on the disk as shown before it is, so that the hub does not show it again by itself. What is due
// in the same minute is one light. One that comes too late, or that the hub has shown already, is not shown.
func (l *link) cued(ctx context.Context, c Cue) error {
	at := l.g.Clock.Now()
	if !c.Until.IsZero() && at.After(c.Until) {
		return nil
	}
	now := store.Micros(at)
	planned, done := 0, 0
	err := l.g.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Row("SELECT count(*), coalesce(sum(done), 0) FROM cue WHERE device = $1 AND promise = $2 AND at <= $3 AND until > $4",
			[]any{l.device.ID, c.Promise, now + time.Minute.Microseconds(), now}, &planned, &done); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE cue SET done = 1 WHERE device = $1 AND at <= $2 AND at IN (SELECT at FROM cue WHERE device = $1 AND promise = $3 AND at <= $2)`,
			l.device.ID, now+time.Minute.Microseconds(), c.Promise)
		return err
	})
	if planned > 0 && done == planned {
		return err
	}
	select {
	case l.cues <- c:
	case <-ctx.Done():
	}
	return err
}

// shine shows the server's cues as they come, and those of the plan while the server is away.
func (l *link) shine(ctx context.Context) error {
	again := time.NewTicker(tick)
	defer again.Stop()
	for {
		select {
		case c := <-l.cues:
			if err := l.show(ctx, c); err != nil && ctx.Err() == nil {
				l.g.Log.Warn("a light of the server could not be shown", "device", l.device.ID, "error", err)
			}
		case <-again.C:
			if err := l.darken(ctx); err != nil {
				return clean(ctx, err)
			}
			if l.up.Load() {
				continue
			}
			if err := l.byItself(ctx); err != nil {
				return clean(ctx, err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (l *link) show(ctx context.Context, c Cue) error {
	showing, cancel := context.WithTimeout(ctx, cueMost)
	defer cancel()
	err := l.g.source.Cue(showing, l.device, c)
	if err == nil {
		l.lit, l.since = c, l.g.Clock.Now()
	}
	return err
}

// darken switches off a box that only knows alert levels, when the light's time is over or the box was opened. Boxes that take cues as
// JSON do so themselves.
func (l *link) darken(ctx context.Context) error {
	if short(l.device.Cue) != immediateAlert || l.lit.Until.IsZero() || l.lit.Cue == "off" {
		return nil
	}
	var opened int64
	if err := l.g.db.Read(ctx, func(tx *store.Tx) error {
		_, err := tx.Row("SELECT opened FROM box WHERE device = $1", []any{l.device.ID}, &opened)
		return err
	}); err != nil {
		return err
	}
	now := l.g.Clock.Now()
	if now.Before(l.lit.Until) && opened < store.Micros(l.since) {
		return nil
	}
	if err := l.show(ctx, Cue{Promise: l.lit.Promise, Cue: "off", Slot: l.lit.Slot}); err != nil && now.After(l.lit.Until.Add(forget)) {
		l.lit = Cue{} // it has been away for days: its own time is over too
	}
	return nil
}

// byItself shows what is due now. A light that could not be shown is tried again until its time is over; one whose box was opened for it
// is not shown.
func (l *link) byItself(ctx context.Context) error {
	now := l.g.Clock.Now()
	if now.Sub(l.failed) < cueAgain {
		return nil
	}
	type due struct {
		Cue
		at    int64
		since int64
	}
	var list []due
	var opened int64
	if err := l.g.db.Read(ctx, func(tx *store.Tx) (err error) {
		if _, err = tx.Row("SELECT opened FROM box WHERE device = $1", []any{l.device.ID}, &opened); err != nil {
			return err
		}
		list, err = store.All(tx, "SELECT promise, cue, slot, at, since, until FROM cue WHERE device = $1 AND done = 0 AND at <= $2 AND until > $2 ORDER BY at, promise",
			[]any{l.device.ID, store.Micros(now)}, func(scan func(...any) error) (d due, err error) {
				var until int64
				err = scan(&d.Promise, &d.Cue.Cue, &d.Slot, &d.at, &d.since, &until)
				d.Until = store.Time(until)
				return d, err
			})
		return err
	}); err != nil {
		return err
	}
	lit := map[[2]int64]bool{} // by time and slot
	for _, d := range list {
		if key := [2]int64{d.at, int64(d.Slot)}; opened < d.since && !lit[key] {
			if err := l.show(ctx, d.Cue); err != nil {
				if ctx.Err() == nil {
					l.failed = now
					l.g.Log.Warn("a light could not be shown", "device", l.device.ID, "error", err)
				}
				return nil
			}
			lit[key] = true
		}
		if err := l.g.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE cue SET done = 1 WHERE device = $1 AND at = $2 AND promise = $3", l.device.ID, d.at, d.Promise)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
