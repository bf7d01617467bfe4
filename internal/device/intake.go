// Package device is the edge to devices: MQTT 5 and 3.1.1, embedded or through an outside broker, and HTTP.
//
// Its promises: what is acknowledged (PUBACK, 200) is durable; a device publishes and hears only under its own topics; a
// payload that cannot be read is kept in quarantine and acknowledged, since the device would else send it for ever; no
// payload and no person ever stands in a log.
package device

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/reading"
	"doorstep/internal/reading/gatt"
)

// Intake takes messages of devices to the room that keeps them, however they came. Zone may be nil.
type Intake struct {
	Service *reading.Service
	Clock   clock.Clock
	Log     *slog.Logger
	// Zone answers the zone in which a device's wall clock stands (GATT tells times without zone); nil means UTC.
	Zone func(ctx context.Context, dev reading.Device) *time.Location
	// Plan answers what a device will be asked to show; nil: nothing.
	Plan func(ctx context.Context, dev reading.Device) (Plan, error)

	messages, malformed, failed atomic.Int64
}

// Counts is what came in since the start.
type Counts struct{ Messages, Malformed, Failed int64 }

// Counts answers what came in since the start.
func (in *Intake) Counts() Counts {
	return Counts{in.messages.Load(), in.malformed.Load(), in.failed.Load()}
}

// told is when a hub got raw bytes from a sensor, and what its clock says when it sends them; zero where it tells neither. MQTT 5
// carries them as user properties "at" and "clock".
type told struct{ at, clock time.Time }

// property takes one user property; what is unknown or no time is left out, as if it had not been told.
func (t *told) property(key, value string) {
	at, err := time.Parse(time.RFC3339, value)
	switch {
	case err != nil:
	case key == "at":
		t.at = at
	case key == "clock":
		t.clock = at
	}
}

// receive takes one message of a stream: "reading", "pill" or "gatt/{uuid16}". It answers nil once the message is durable,
// or, when it cannot be read, once it is in quarantine.
func (in *Intake) receive(ctx context.Context, dev reading.Device, stream string, payload []byte, when told) error {
	in.messages.Add(1)
	err := in.take(ctx, dev, stream, payload, when)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooMuch) {
		in.malformed.Add(1)
		in.Log.Warn("a device's message cannot be read", "device", dev.ID, "stream", stream[:min(len(stream), 16)], "bytes", len(payload))
		err = in.Service.Malformed(ctx, dev, stream, payload)
	}
	if err != nil {
		in.failed.Add(1)
		in.Log.Error("a device's message could not be stored", "device", dev.ID, "error", err)
	}
	return err
}

func (in *Intake) take(ctx context.Context, dev reading.Device, stream string, payload []byte, when told) error {
	switch {
	case stream == "reading":
		receipt, err := in.readings(ctx, dev, payload)
		return in.allRefused(receipt, err)
	case stream == "pill":
		events, places, refused, err := reading.ParsePills(payload)
		if err != nil {
			return err
		}
		receipt, err := in.Service.Pill(ctx, dev, events)
		if err != nil {
			return err
		}
		return in.allRefused(receipt.Placed(places, refused), nil)
	case strings.HasPrefix(stream, "gatt/"):
		_, err := in.characteristic(ctx, dev, strings.TrimPrefix(stream, "gatt/"), payload, when)
		return err
	}
	return fault.Invalidf("there is no such stream")
}

// allRefused turns a message of which something was refused, other than into quarantine, into one that is kept aside: an
// MQTT device hears no receipt.
func (in *Intake) allRefused(r reading.Receipt, err error) error {
	if err != nil {
		return err
	}
	for _, refusal := range r.Refused {
		if !strings.HasPrefix(refusal.Reason, "quarantined:") {
			return fault.Invalidf("%d of the message's elements were refused", len(r.Refused))
		}
	}
	return nil
}

func (in *Intake) readings(ctx context.Context, dev reading.Device, payload []byte) (reading.Receipt, error) {
	batch, places, refused, err := reading.ParseReadings(payload)
	if err != nil {
		return reading.Receipt{}, err
	}
	if len(batch) == 0 {
		return reading.Receipt{}.Placed(nil, refused), nil
	}
	receipt, err := in.Service.Ingest(ctx, dev, batch)
	if err != nil {
		return reading.Receipt{}, err
	}
	return receipt.Placed(places, refused), nil
}

// characteristic takes the raw bytes of a GATT characteristic. Measured was when the sensor says; else when the hub that sends them
// got them; else now.
func (in *Intake) characteristic(ctx context.Context, dev reading.Device, uuid string, payload []byte, when told) (reading.Receipt, error) {
	m, err := gatt.Decode(uuid, payload)
	if err != nil {
		return reading.Receipt{}, fault.New(fault.Invalid, "the characteristic cannot be read: %w", err)
	}
	at, hub := in.Clock.Now(), time.Time{}
	switch {
	case m.Local.IsZero() && !when.at.IsZero():
		at, hub = when.at, when.clock
	case !m.Local.IsZero():
		zone := time.UTC
		if in.Zone != nil {
			if z := in.Zone(ctx, dev); z != nil {
				zone = z
			}
		}
		local := m.Local
		at = clock.At(clock.DayOf(local, time.UTC), clock.WallAt(local.Hour(), local.Minute()), zone).Add(time.Duration(local.Second()) * time.Second)
	}
	batch := make([]reading.Reading, len(m.Values))
	for i, v := range m.Values {
		batch[i] = reading.Reading{Seq: m.Seq, HasSeq: m.HasSeq, At: at.Add(-v.Back), Clock: hub, Series: v.Series, Value: v.Value, Unit: v.Unit}
	}
	if len(batch) == 0 {
		return reading.Receipt{Refused: []reading.Refusal{}}, nil
	}
	return in.Service.Ingest(ctx, dev, batch)
}

const topicRoot = "doorstep/v1/"

// splitTopic answers the device and the rest of "doorstep/v1/{device}/{up|down}/…".
func splitTopic(topic, direction string) (device, stream string, ok bool) {
	rest, ok := strings.CutPrefix(topic, topicRoot)
	if !ok {
		return "", "", false
	}
	device, rest, ok = strings.Cut(rest, "/")
	if !ok || device == "" {
		return "", "", false
	}
	stream, ok = strings.CutPrefix(rest, direction+"/")
	return device, stream, ok && stream != ""
}

func cueTopic(device string) string { return fmt.Sprintf("%s%s/down/cue", topicRoot, device) }
