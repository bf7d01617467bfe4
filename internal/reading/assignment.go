package reading

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// Assignment says whose a device is in [From, Until); Until zero is open.
type Assignment struct {
	Device  string    `json:"device"`
	Patient string    `json:"patient"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until,omitzero"`

	ruled bool // the patient has rules in force
	told  told
}

// told is what the listeners know of an assignment.
type told int64

const (
	coming told = iota // it has not begun
	begun
	ended
)

// HolderListener is told inside a transaction when a device becomes somebody's, and when the person does not have it any more:
// within the write that says so, or when the time comes (TurnDue).
type HolderListener interface {
	Began(tx *store.Tx, d Device, a Assignment) error
	Ended(tx *store.Tx, d Device, a Assignment) error
}

// ListenHolders adds a listener of who has which device; call it before the first Assign.
func (s *Service) ListenHolders(l HolderListener) { s.holders = append(s.holders, l) }

// Assign says that from an instant until another (zero: open) the device measures the patient. An overlap with another
// assignment of the device is a conflict: end that one first (Unassign). What the device measured in that time and lies in
// quarantine becomes the patient's.
func (s *Service) Assign(ctx context.Context, org, device, patient string, from, until time.Time) error {
	if patient == "" || from.IsZero() || !until.IsZero() && !from.Before(until) {
		return fault.Invalidf("until: an assignment needs a patient, and ends after it begins")
	}
	key := deviceKey{org, device}
	waits := false
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		if err := lockDevices(tx, "UPDATE", key); err != nil { // two at once must see each other
			return err
		}
		var found int64
		if ok, err := tx.Row("SELECT 1 FROM device WHERE id = $1 AND org = $2", []any{device, org}, &found); err != nil {
			return err
		} else if !ok {
			return fault.NotFoundf("there is no such device")
		}
		held, err := assignments(tx, key)
		if err != nil {
			return err
		}
		for _, a := range held[key] {
			if (until.IsZero() || a.From.Before(until)) && (a.Until.IsZero() || from.Before(a.Until)) {
				return fault.Conflictf("the device is assigned in that time already")
			}
		}
		if waits, err = tx.Row("SELECT 1 FROM quarantine WHERE org = $1 AND device = $2 AND reason = $3 LIMIT 1", []any{org, device, ReasonUnassigned}, &found); err != nil {
			return err
		}
		released := 1
		if waits {
			released = 0
		}
		if _, err := tx.Exec("INSERT INTO assignment (org, device, from_at, until_at, patient, told, released) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			org, device, store.Micros(from), store.Micros(until), patient, int64(coming), released); err != nil {
			return err
		}
		return s.turn(tx, key)
	})
	if err != nil || !waits {
		return err
	}
	return s.release(ctx, key)
}

// Unassign ends the open assignment of a device at an instant: it comes back, or changes hands.
func (s *Service) Unassign(ctx context.Context, org, device string, at time.Time) error {
	key := deviceKey{org, device}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if err := lockDevices(tx, "UPDATE", key); err != nil {
			return err
		}
		n, err := tx.Exec("UPDATE assignment SET until_at = $3 WHERE org = $1 AND device = $2 AND until_at = 0 AND from_at < $3", org, device, store.Micros(at))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflictf("the device has no open assignment that began before then")
		}
		return s.turn(tx, key)
	})
}

// turnMost bounds one look for assignments that begin or end.
const turnMost = 1000

// TurnDue tells the listeners of the assignments that have begun or ended since, goes on releasing what still lies in
// quarantine, and answers of how many devices. Call it every few seconds, on any number of nodes.
func (s *Service) TurnDue(ctx context.Context) (int, error) {
	var due, waits []deviceKey
	scan := func(scan func(...any) error) (k deviceKey, err error) { return k, scan(&k[0], &k[1]) }
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = store.All(tx, `SELECT org, device FROM assignment WHERE told = 0 AND from_at <= $1
			UNION SELECT org, device FROM assignment WHERE told = 1 AND until_at > 0 AND until_at <= $1 ORDER BY 1, 2 LIMIT $2`,
			[]any{store.Micros(s.clock.Now()), turnMost}, scan)
		if err == nil {
			waits, err = store.All(tx, "SELECT DISTINCT org, device FROM assignment WHERE released = 0 ORDER BY org, device LIMIT $1", []any{turnMost}, scan)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	var failed []error // one device's trouble keeps no other waiting
	for _, k := range due {
		failed = append(failed, s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
			if err := lockDevices(tx, "UPDATE", k); err != nil {
				return err
			}
			return s.turn(tx, k)
		}))
	}
	for _, k := range waits {
		failed = append(failed, s.release(ctx, k))
	}
	return len(due) + len(waits), errors.Join(failed...)
}

// turn tells the listeners of a device, which is locked, what has begun and ended by now: first who has it no more.
func (s *Service) turn(tx *store.Tx, k deviceKey) error {
	d := Device{Org: k[0], ID: k[1]}
	var registered int64
	if _, err := tx.Row("SELECT kind, registered FROM device WHERE id = $1", []any{k[1]}, &d.Kind, &registered); err != nil {
		return err
	}
	d.Registered = store.Time(registered)
	held, err := assignments(tx, k)
	if err != nil {
		return err
	}
	spans, now := held[k], s.clock.Now()
	present := holder(spans, now)
	var began *Assignment
	for i := range spans {
		a := &spans[i]
		before := a.told
		if a.told = a.stands(now); a.told == before {
			continue
		}
		if _, err := tx.Exec("UPDATE assignment SET told = $4 WHERE org = $1 AND device = $2 AND from_at = $3", k[0], k[1], store.Micros(a.From), int64(a.told)); err != nil {
			return err
		}
		if a.told == begun {
			began = a
		}
		if before != begun || present != nil && present.Patient == a.Patient {
			continue // the listeners never knew of it, or the person has the device still
		}
		for _, l := range s.holders {
			if err := l.Ended(tx, d, *a); err != nil {
				return err
			}
		}
	}
	if began == nil {
		return nil
	}
	for _, l := range s.holders {
		if err := l.Began(tx, d, *began); err != nil {
			return err
		}
	}
	return nil
}

// stands answers what there is to know of an assignment at an instant. What has ended does not begin again.
func (a *Assignment) stands(now time.Time) told {
	switch {
	case a.told == ended || !a.Until.IsZero() && !now.Before(a.Until):
		return ended
	case a.told == begun || !now.Before(a.From):
		return begun
	}
	return coming
}

// assignments answers whose devices were when, in order.
func assignments(tx *store.Tx, devices ...deviceKey) (map[deviceKey][]Assignment, error) {
	keys, err := json.Marshal(devices)
	if err != nil {
		return nil, err
	}
	out := make(map[deviceKey][]Assignment, len(devices))
	err = tx.Rows(`SELECT a.org, a.device, a.from_at, a.until_at, a.patient, CASE WHEN EXISTS (SELECT 1 FROM reading_rule r WHERE r.org = a.org
		AND r.patient = a.patient AND r.until_at = 0) THEN 1 ELSE 0 END, a.told FROM `+tx.Tuples("$1", "org", "device")+` k CROSS JOIN assignment a
		WHERE a.org = k.org AND a.device = k.device ORDER BY a.org, a.device, a.from_at`, []any{string(keys)}, func(scan func(...any) error) error {
		var k deviceKey
		var a Assignment
		var from, until, ruled int64
		err := scan(&k[0], &k[1], &from, &until, &a.Patient, &ruled, &a.told)
		a.Device, a.From, a.Until, a.ruled = k[1], store.Time(from), store.Time(until), ruled == 1
		out[k] = append(out[k], a)
		return err
	})
	return out, err
}

// lockDevices keeps assignments of devices from changing until the transaction ends ("SHARE"), or also from being read under
// such a lock ("UPDATE"). devices are in order.
func lockDevices(tx *store.Tx, how string, devices ...deviceKey) error {
	if tx.Engine() != store.Postgres {
		return nil
	}
	ids := make([]string, len(devices))
	for i, d := range devices {
		ids[i] = d[1]
	}
	_, err := tx.Exec("SELECT 1 FROM device WHERE id = ANY($1) ORDER BY id FOR "+how, ids)
	return err
}

// whose answers the assignment in which a sample was measured; nil is nobody's. A reading whose time is unknown can only be
// that of the one person who ever had the device.
func whose(spans []Assignment, s *Sample) *Assignment {
	if s.Flags.Has(TimeUnknown) {
		return onlyHolder(spans)
	}
	return holder(spans, s.At)
}

// holder answers the assignment in force at an instant; nil is none.
func holder(spans []Assignment, at time.Time) *Assignment {
	for i := range spans {
		if a := &spans[i]; !at.Before(a.From) && (a.Until.IsZero() || at.Before(a.Until)) {
			return a
		}
	}
	return nil
}

// onlyHolder answers the first assignment to the one person who ever had the device; nil when there was nobody or more than one.
func onlyHolder(spans []Assignment) *Assignment {
	for i := range spans {
		if spans[i].Patient != spans[0].Patient {
			return nil
		}
	}
	if len(spans) == 0 {
		return nil
	}
	return &spans[0]
}

// Holder answers the patient who has a device now; "" is nobody.
func (s *Service) Holder(ctx context.Context, d Device) (patient string, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		held, err := assignments(tx, d.key())
		if a := holder(held[d.key()], s.clock.Now()); a != nil {
			patient = a.Patient
		}
		return err
	})
	return patient, err
}

// DevicesOf answers which devices measured a person, and when.
func (s *Service) DevicesOf(ctx context.Context, org, patient string) (out []Assignment, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(tx, "SELECT device, from_at, until_at FROM assignment WHERE org = $1 AND patient = $2 ORDER BY from_at, device", []any{org, patient},
			func(scan func(...any) error) (Assignment, error) {
				a := Assignment{Patient: patient}
				var from, until int64
				err := scan(&a.Device, &from, &until)
				a.From, a.Until = store.Time(from), store.Time(until)
				return a, err
			})
		return err
	})
	return out, err
}
