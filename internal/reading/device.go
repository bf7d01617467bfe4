package reading

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// Device is a registered device.
type Device struct {
	ID         string    `json:"id"`
	Org        string    `json:"org"`
	Kind       string    `json:"kind"`             // "scale", "cuff", "pillbox", …
	Source     string    `json:"source,omitempty"` // of Kind Import: what measured, as the file told it
	Registered time.Time `json:"registered"`

	hash [sha256.Size]byte // of the key that it signed in with
}

// signed is a device whose key was found right.
type signed struct {
	device Device
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
	forgets := s.forgets
	s.mu.RUnlock()
	if ok && now.Before(known.until) && subtle.ConstantTimeCompare(hash[:], known.device.hash[:]) == 1 {
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
	d.Registered, d.hash = store.Time(registered), hash
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forgets != forgets {
		return d, nil // the key may have changed since it was read
	}
	if len(s.signs) >= signedMost {
		clear(s.signs)
	}
	s.signs[device] = signed{device: d, until: now.Add(signedFor)}
	return d, nil
}

// Device answers a registered device, NotFound when there is none.
func (s *Service) Device(ctx context.Context, id string) (Device, error) {
	d := Device{ID: id}
	var registered int64
	found := false
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		found, err = tx.Row("SELECT org, kind, source, registered FROM device WHERE id = $1", []any{id}, &d.Org, &d.Kind, &d.Source, &registered)
		return err
	})
	if err == nil && !found {
		err = fault.NotFoundf("there is no such device")
	}
	d.Registered = store.Time(registered)
	return d, err
}

// deviceKey is an organization and a device.
type deviceKey [2]string

func (d *Device) key() deviceKey { return deviceKey{d.Org, d.ID} }

func (k deviceKey) compare(l deviceKey) int { return slices.Compare(k[:], l[:]) }

// Devices answers an organization's devices, by id.
func (s *Service) Devices(ctx context.Context, org string) (out []Device, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(tx, "SELECT id, kind, source, registered FROM device WHERE org = $1 ORDER BY id", []any{org},
			func(scan func(...any) error) (Device, error) {
				d := Device{Org: org}
				var at int64
				err := scan(&d.ID, &d.Kind, &d.Source, &at)
				d.Registered = store.Time(at)
				return d, err
			})
		return err
	})
	return out, err
}

// KindOf answers what kind of device it is of an organization's; empty when it is none's.
func (s *Service) KindOf(tx *store.Tx, org, id string) (kind string, err error) {
	if id == "" {
		return "", nil
	}
	_, err = tx.Row("SELECT kind FROM device WHERE id = $1 AND org = $2", []any{id, org}, &kind)
	return kind, err
}
