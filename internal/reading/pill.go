package reading

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// PillEvent is what a pill box tells.
type PillEvent struct {
	Seq      int64
	HasSeq   bool
	At       time.Time // by the box's clock, put right like a reading's
	Clock    time.Time // the box's present time when it sent; zero when not told
	Event    string    // open, close, dispense, weight_delta, tap, battery
	Slot     int
	Value    float64 // grams for weight_delta, percent for battery
	Received time.Time
}

// PillListener is told of each new event inside the transaction that stores it.
type PillListener interface {
	Pill(tx *store.Tx, dev Device, patient string, e PillEvent) error
}

var pillEvents = map[string]bool{"open": true, "close": true, "dispense": true, "weight_delta": true, "tap": true, "battery": true}

// Pill stores events of a pill box and answers once they are durable, like Ingest.
func (s *Service) Pill(ctx context.Context, dev Device, events []PillEvent) (Receipt, error) {
	if len(events) > maxBatch {
		return Receipt{}, fault.New(fault.TooMuch, "more than %d events in one request", maxBatch)
	}
	now := s.clock.Now().Truncate(time.Millisecond)
	var receipt Receipt
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		receipt = Receipt{Refused: []Refusal{}}
		held, err := assignments(tx, dev.key())
		if err != nil {
			return err
		}
		if slices.ContainsFunc(events, func(e PillEvent) bool {
			_, _, timed := e.timed(&dev, now)
			return whose(held[dev.key()], &timed) == nil
		}) {
			if err := again(tx, held, []deviceKey{dev.key()}); err != nil {
				return err
			}
		}
		for i, e := range events {
			if reason := e.wrong(); reason != "" {
				receipt.Refused = append(receipt.Refused, Refusal{i, reason})
				continue
			}
			if err := s.pill(tx, dev, held[dev.key()], now, i, e, &receipt); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Receipt{}, err
	}
	return receipt, nil
}

func (e *PillEvent) wrong() string {
	switch {
	case !pillEvents[e.Event]:
		return "event: it is not one of open, close, dispense, weight_delta, tap, battery"
	case e.At.Year() < 1970 || e.At.Year() > 2199:
		return "at: it must be a time between 1970 and 2199"
	case e.Slot < 0 || e.Slot > 1000:
		return "slot: it must be 0 to 1000"
	case math.IsNaN(e.Value) || math.IsInf(e.Value, 0):
		return "value: it must be a number"
	case e.HasSeq && e.Seq < 0:
		return "seq: it must not be negative"
	}
	return ""
}

func (s *Service) pill(tx *store.Tx, dev Device, spans []Assignment, now time.Time, i int, e PillEvent, receipt *Receipt) error {
	sent := e
	e, key, timed := e.timed(&dev, now)
	a := whose(spans, &timed)
	if a == nil {
		receipt.Refused = append(receipt.Refused, Refusal{i, "quarantined: the device was assigned to nobody then"})
		row := Quarantined{Device: dev.ID, Received: now, Reason: ReasonUnassigned, Stream: pillStream + e.Event, Payload: sent.json()}
		return keepAside(tx, dev.Org, []Quarantined{row}, func(int) []byte { return []byte("pill " + key) })
	}
	fresh, err := s.keepPill(tx, dev, a.Patient, key, e)
	if err != nil {
		return err
	}
	if fresh {
		receipt.Stored++
	} else {
		receipt.Known++
	}
	return nil
}

// timed answers an event as it is kept, with what makes it the same when it comes again, and a sample of the same instant.
func (e PillEvent) timed(dev *Device, received time.Time) (PillEvent, string, Sample) {
	// A box whose clock was set back counts anew: its number alone would hide a new event, so the time is part of the key.
	key := fmt.Sprintf("%s %s %d %s", e.At.UTC().Format(time.RFC3339Nano), e.Event, e.Slot, strconv.FormatFloat(e.Value, 'g', -1, 64))
	if e.HasSeq {
		key = fmt.Sprintf("%d %s", e.Seq, e.At.UTC().Format(time.RFC3339Nano))
	}
	timed := asSample(dev, &Reading{At: e.At, Clock: e.Clock}, received)
	e.At, e.Received = timed.At, received
	return e, key, timed
}

// keepPill stores a person's event and answers whether it is new.
func (s *Service) keepPill(tx *store.Tx, dev Device, patient, key string, e PillEvent) (bool, error) {
	sum := sha256.Sum256([]byte(key))
	fresh, err := tx.InsertNew("pill_event", []string{"org", "patient", "device", "key", "at", "received", "event", "slot", "value"}, 1, func(int) []any {
		return []any{dev.Org, patient, dev.ID, hex.EncodeToString(sum[:16]), store.Micros(e.At), store.Micros(e.Received), e.Event, int64(e.Slot), e.Value}
	})
	if err != nil || fresh == 0 {
		return false, err
	}
	for _, l := range s.pills {
		if err := l.Pill(tx, dev, patient, e); err != nil {
			return true, err
		}
	}
	tx.Hint("patient", dev.Org+"/"+patient)
	return true, nil
}

// PillEvents answers a person's pill box events in [from, to), in order.
func (s *Service) PillEvents(ctx context.Context, org, patient string, from, to time.Time) (out []PillEvent, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(tx, "SELECT at, received, event, slot, value FROM pill_event WHERE org = $1 AND patient = $2 AND at >= $3 AND at < $4 ORDER BY at, received, key",
			[]any{org, patient, store.Micros(from), store.Micros(to)}, func(scan func(...any) error) (e PillEvent, err error) {
				var at, received int64
				err = scan(&at, &received, &e.Event, &e.Slot, &e.Value)
				e.At, e.Received = store.Time(at), store.Time(received)
				return e, err
			})
		return err
	})
	return out, err
}
