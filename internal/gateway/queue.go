package gateway

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading/gatt"
	"doorstep/internal/store"
)

const (
	maxPayload = 16 << 10
	dropAtOnce = 1000            // rows that make room together
	clockOff   = 2 * time.Minute // how far off a box's clock may be before its times are put right, as on the server
)

// What is worth more stays longer when the queue is full.
const (
	worthStream = 0 // heart beats, pulse oximetry that goes on: one a second
	worthSpot   = 1 // a weight, a pressure
	worthPill   = 2
)

// Streams of the server.
const (
	pillStream = "pill"
	gattStream = "gatt/"
)

// queued is what waits for the server.
type queued struct {
	n       int64
	stream  string
	at      time.Time
	payload []byte
}

// Take puts an event on the disk and answers when it is there. One that the server could not read either is refused (kind Invalid).
func (g *Gateway) Take(ctx context.Context, e Event) error {
	q, err := e.queued()
	if err != nil {
		return err
	}
	l := g.link(e.Device)
	if l == nil {
		return fault.Invalidf("device: it is none of this hub's")
	}
	err = g.db.Write(ctx, func(tx *store.Tx) error {
		if err := g.makeRoom(tx); err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO queued (device, stream, at, worth, payload) VALUES ($1, $2, $3, $4, $5)",
			e.Device, q.stream, store.Micros(q.at), q.worth(), q.payload); err != nil {
			return err
		}
		if !opens(q.payload, q.stream) {
			return nil
		}
		_, err := tx.Exec("INSERT INTO box (device, opened) VALUES ($1, $2) ON CONFLICT (device) DO UPDATE SET opened = max(opened, excluded.opened)", e.Device, store.Micros(q.at))
		return err
	})
	if err == nil {
		l.wake()
	}
	return err
}

// queued answers an event as it is sent, with its time in it. Times are those that the server keeps, to the millisecond.
func (e Event) queued() (queued, error) {
	at := e.At.UTC().Truncate(time.Millisecond)
	switch {
	case len(e.Value) > maxPayload:
		return queued{}, fault.New(fault.TooMuch, "it is longer than %d bytes", maxPayload)
	case e.UUID != "" && !gatt.Known(e.UUID):
		return queued{}, fault.Invalidf("uuid: it is no characteristic that is read")
	case e.UUID != "":
		return queued{stream: gattStream + strings.ToUpper(e.UUID), at: at, payload: e.Value}, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(e.Value, &fields); err != nil || fields["event"] == nil {
		return queued{}, fault.Invalidf("it is no event of a pill box")
	}
	at, err := boxTime(fields, at)
	if err != nil {
		return queued{}, err
	}
	// What stands here is final, so that it is the same event whenever it is sent. The hub's own clock is told when it is.
	delete(fields, "clock")
	if fields["at"], err = json.Marshal(at); err != nil {
		return queued{}, err
	}
	body, err := json.Marshal(fields)
	return queued{stream: pillStream, at: at, payload: body}, err
}

// boxTime answers when a box's event was, by the hub's clock: the box may tell a time, and what its own clock said when it sent.
func boxTime(fields map[string]json.RawMessage, got time.Time) (time.Time, error) {
	var at, clock time.Time
	for name, to := range map[string]*time.Time{"at": &at, "clock": &clock} {
		if raw, told := fields[name]; told {
			if err := json.Unmarshal(raw, to); err != nil {
				return at, fault.Invalidf("%s: it is no time", name)
			}
		}
	}
	switch {
	case at.IsZero():
		return got, nil
	case !clock.IsZero() && got.Sub(clock).Abs() > clockOff:
		at = at.Add(got.Sub(clock))
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

func (q *queued) worth() int {
	switch strings.TrimPrefix(q.stream, gattStream) {
	case "2A37", "2A5F":
		return worthStream
	case pillStream:
		return worthPill
	}
	return worthSpot
}

// opens reports whether an event shows that somebody was at the box.
func opens(payload []byte, stream string) bool {
	var e struct {
		Event string
		Value float64
	}
	if stream != pillStream || json.Unmarshal(payload, &e) != nil {
		return false
	}
	return e.Event == "open" || e.Event == "dispense" || e.Event == "tap" || e.Event == "weight_delta" && e.Value < 0
}

// makeRoom drops the least worth, oldest first, when the queue is full.
func (g *Gateway) makeRoom(tx *store.Tx) error {
	// Rows leave at the front, mostly: the span of the numbers is at least their count, and is read without a walk.
	var first, last int64
	if _, err := tx.Row("SELECT coalesce(min(n), 0), coalesce(max(n), 0) FROM queued", nil, &first, &last); err != nil || last-first < int64(g.Most)-1 {
		return err
	}
	var n int
	if _, err := tx.Row("SELECT count(*) FROM queued", nil, &n); err != nil || n < g.Most {
		return err
	}
	gone, err := tx.Exec("DELETE FROM queued WHERE n IN (SELECT n FROM queued ORDER BY worth, n LIMIT $1)", min(dropAtOnce, max(1, g.Most/10)))
	if err == nil {
		g.Log.Error("the hub's queue is full: the oldest of the least worth were dropped", "dropped", gone)
	}
	return err
}

// Queued answers how much waits for the server.
func (g *Gateway) Queued(ctx context.Context) (n int, err error) {
	err = g.db.Read(ctx, func(tx *store.Tx) error {
		_, err := tx.Row("SELECT count(*) FROM queued", nil, &n)
		return err
	})
	return n, err
}

// front answers the oldest that wait for a device's part of the server.
func (g *Gateway) front(ctx context.Context, device string, most int) (out []queued, err error) {
	err = g.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(tx, "SELECT n, stream, at, payload FROM queued WHERE device = $1 ORDER BY n LIMIT $2", []any{device, most}, func(scan func(...any) error) (q queued, err error) {
			var at int64
			err = scan(&q.n, &q.stream, &at, &q.payload)
			q.at = store.Time(at)
			return q, err
		})
		return err
	})
	return out, err
}

// stored takes away what the server has.
func (g *Gateway) stored(ctx context.Context, list []int64) error {
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return g.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM queued WHERE n IN (SELECT value FROM json_each($1))", string(text))
		return err
	})
}
