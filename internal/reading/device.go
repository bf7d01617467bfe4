package reading

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// Device is a registered device.
type Device struct {
	ID         string    `json:"id"`
	Org        string    `json:"org"`
	Kind       string    `json:"kind"` // "scale", "cuff", "pillbox", …
	Registered time.Time `json:"registered"`
}

// Assignment says whose a device is in [From, Until); Until zero is open.
type Assignment struct {
	Device  string    `json:"device"`
	Patient string    `json:"patient"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until,omitzero"`

	ruled bool // the patient has rules in force
}

// signed is a device whose key was found right.
type signed struct {
	device Device
	hash   [sha256.Size]byte
	until  time.Time
}

const (
	keyLength   = 26              // characters of 4.95 bits: 128 bits, for which a fast hash is right
	signedFor   = time.Minute     // how long a sign-in is believed without asking the database
	signedMost  = 100_000         // sign-ins remembered
	clockAhead  = 5 * time.Minute // how far after its receipt a reading may seem to be measured
	clockOff    = 2 * time.Minute // how far off a device's clock may be before its times are corrected
	futureMost  = 24 * time.Hour
	pastMost    = 366 * 24 * time.Hour
	maxName     = 64 // bytes of a series, unit, kind
	maxBatch    = 10_000
	maxPayload  = 4 << 10 // bytes of a payload kept in quarantine
	lateAfter   = time.Hour
	lateSummary = 6 * time.Hour // late alerts of one rule are summed up for so long
)

// Register makes a device of a kind and answers its id and its key. The key is shown here once; only its hash is kept.
func (s *Service) Register(ctx context.Context, org, kind string) (id, key string, err error) {
	if org == "" || kind == "" || len(kind) > maxName {
		return "", "", fault.Invalidf("kind: a device needs an organization and a kind")
	}
	id, key = s.ids.New(), s.ids.Secret(keyLength)
	hash := sha256.Sum256([]byte(key))
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO device (id, org, kind, key_hash, registered) VALUES ($1, $2, $3, $4, $5)",
			id, org, kind, hash[:], store.Micros(s.clock.Now()))
		return err
	})
	return id, key, err
}

// SignIn answers the device whose key this is, or a Denied error that does not tell which of the two was wrong.
func (s *Service) SignIn(ctx context.Context, device, key string) (Device, error) {
	hash := sha256.Sum256([]byte(key))
	now := s.clock.Now()
	s.mu.RLock()
	known, ok := s.signs[device]
	s.mu.RUnlock()
	if ok && now.Before(known.until) && subtle.ConstantTimeCompare(hash[:], known.hash[:]) == 1 {
		return known.device, nil
	}
	d := Device{ID: device}
	var stored []byte
	var registered int64
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		ok, err = tx.Row("SELECT org, kind, key_hash, registered FROM device WHERE id = $1", []any{device}, &d.Org, &d.Kind, &stored, &registered)
		return err
	})
	if err != nil {
		return Device{}, err
	}
	if !ok {
		stored = make([]byte, sha256.Size) // compare all the same: an unknown device takes as long as a wrong key
	}
	if subtle.ConstantTimeCompare(hash[:], stored) != 1 || !ok {
		return Device{}, fault.Deniedf("device or key is wrong")
	}
	d.Registered = store.Time(registered)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.signs) >= signedMost {
		clear(s.signs)
	}
	s.signs[device] = signed{device: d, hash: hash, until: now.Add(signedFor)}
	return d, nil
}

// Device answers a registered device, NotFound when there is none.
func (s *Service) Device(ctx context.Context, id string) (Device, error) {
	d := Device{ID: id}
	var registered int64
	found := false
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		found, err = tx.Row("SELECT org, kind, registered FROM device WHERE id = $1", []any{id}, &d.Org, &d.Kind, &registered)
		return err
	})
	if err == nil && !found {
		err = fault.NotFoundf("there is no such device")
	}
	d.Registered = store.Time(registered)
	return d, err
}

// Assign says that from an instant until another (zero: open) the device measures the patient. An overlap with another
// assignment of the device is a conflict: end that one first (Unassign).
func (s *Service) Assign(ctx context.Context, org, device, patient string, from, until time.Time) error {
	if patient == "" || from.IsZero() || !until.IsZero() && !from.Before(until) {
		return fault.Invalidf("until: an assignment needs a patient, and ends after it begins")
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		key := deviceKey{org, device}
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
		_, err = tx.Exec("INSERT INTO assignment (org, device, from_at, until_at, patient) VALUES ($1, $2, $3, $4, $5)",
			org, device, store.Micros(from), store.Micros(until), patient)
		return err
	})
}

// Unassign ends the open assignment of a device at an instant: it comes back, or changes hands.
func (s *Service) Unassign(ctx context.Context, org, device string, at time.Time) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec("UPDATE assignment SET until_at = $3 WHERE org = $1 AND device = $2 AND until_at = 0 AND from_at < $3", org, device, store.Micros(at))
		if err == nil && n == 0 {
			return fault.Conflictf("the device has no open assignment that began before then")
		}
		return err
	})
}

// deviceKey is an organization and a device.
type deviceKey [2]string

func (d *Device) key() deviceKey { return deviceKey{d.Org, d.ID} }

// assignments answers whose devices were when, in order.
func assignments(tx *store.Tx, devices ...deviceKey) (map[deviceKey][]Assignment, error) {
	keys, err := json.Marshal(devices)
	if err != nil {
		return nil, err
	}
	out := make(map[deviceKey][]Assignment, len(devices))
	err = tx.Rows(`SELECT a.org, a.device, a.from_at, a.until_at, a.patient, CASE WHEN EXISTS (SELECT 1 FROM reading_rule r WHERE r.org = a.org
		AND r.patient = a.patient AND r.until_at = 0) THEN 1 ELSE 0 END FROM `+tx.Tuples("$1", "org", "device")+` k CROSS JOIN assignment a
		WHERE a.org = k.org AND a.device = k.device ORDER BY a.org, a.device, a.from_at`, []any{string(keys)}, func(scan func(...any) error) error {
		var k deviceKey
		var a Assignment
		var from, until, ruled int64
		err := scan(&k[0], &k[1], &from, &until, &a.Patient, &ruled)
		a.Device, a.From, a.Until, a.ruled = k[1], store.Time(from), store.Time(until), ruled == 1
		out[k] = append(out[k], a)
		return err
	})
	return out, err
}

func (k deviceKey) compare(l deviceKey) int { return slices.Compare(k[:], l[:]) }

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

// Devices answers an organization's devices, by id.
func (s *Service) Devices(ctx context.Context, org string) (out []Device, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(tx, "SELECT id, kind, registered FROM device WHERE org = $1 ORDER BY id", []any{org},
			func(scan func(...any) error) (Device, error) {
				d := Device{Org: org}
				var at int64
				err := scan(&d.ID, &d.Kind, &at)
				d.Registered = store.Time(at)
				return d, err
			})
		return err
	})
	return out, err
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
