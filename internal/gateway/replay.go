package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/reading/gatt"
)

// Replay is a recording in place of Bluetooth: JSON lines {"at","device","uuid","hex"} or a pill box's event with its "device", which
// is Doorstep's id or the address. Lights are written to Out, a JSON line each.
type Replay struct {
	In      io.Reader
	Out     io.Writer
	Speed   float64 // 2 is twice as fast as it was recorded; 0 waits for nothing
	Devices []Device
	Clock   clock.Clock
	Log     *slog.Logger

	mu sync.Mutex
}

// Run hands on the lines. A line that cannot be read ends it, with its number; one that the hub refuses is logged.
func (r *Replay) Run(ctx context.Context, take func(context.Context, Event) error) error {
	lines := bufio.NewScanner(r.In)
	lines.Buffer(nil, 1<<20)
	var before time.Time
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		e, err := r.event(text)
		if err != nil {
			return fault.New(fault.Invalid, "Line %d of the recording: %w", n, err)
		}
		if !before.IsZero() && r.Speed > 0 && e.At.After(before) {
			select {
			case <-time.After(time.Duration(float64(e.At.Sub(before)) / r.Speed)):
			case <-ctx.Done():
				return nil
			}
		}
		before = e.At
		if err := take(ctx, e); fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooMuch) {
			r.Log.Warn("a line of the recording is refused", "line", n, "error", err)
		} else if err != nil {
			return clean(ctx, err)
		}
	}
	return lines.Err()
}

func (r *Replay) event(text string) (Event, error) {
	var line struct {
		At, Clock                time.Time
		Device, UUID, Hex, Event string
	}
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		return Event{}, fmt.Errorf("it is no JSON object of the known shape: %w", err)
	}
	e := Event{At: line.At, UUID: line.UUID}
	if !line.Clock.IsZero() { // the hub got it when the box sent it
		e.At = line.Clock
	}
	if e.At.IsZero() {
		e.At = r.Clock.Now()
	}
	for _, d := range r.Devices {
		if d.ID == line.Device || d.Address != "" && strings.EqualFold(d.Address, line.Device) {
			e.Device = d.ID
		}
	}
	switch {
	case e.Device == "":
		return e, fault.Invalidf("device: it is none of this hub's")
	case line.UUID != "":
		b, err := gatt.Bytes(line.Hex)
		e.Value = b
		return e, err
	case line.Event == "":
		return e, fault.Invalidf("it has neither uuid and hex nor an event")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return e, err
	}
	delete(fields, "device")
	var err error
	e.Value, err = json.Marshal(fields)
	return e, err
}

// Cue writes the light.
func (r *Replay) Cue(_ context.Context, d Device, c Cue) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.NewEncoder(r.Out).Encode(struct {
		At     time.Time `json:"at"`
		Device string    `json:"device"`
		Cue
	}{r.Clock.Now(), d.ID, c})
}
