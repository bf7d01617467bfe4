package waiting

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Kiosk is an address with a secret at which people check in, without a sign-in. It names nobody.
type Kiosk struct {
	Org   person.OrgID
	ID    string
	Place string
	By    person.ID
	Made  time.Time
}

const (
	kioskSecret = 32 // letters
	missWhile   = 15 * time.Minute
	missMost    = 12 // wrong tries within missWhile, after which a kiosk rests
	codeDigits  = 6
)

func digest(secret string) string {
	h := sha256.Sum256([]byte("kiosk\x00" + secret))
	return hex.EncodeToString(h[:])
}

// NewKiosk makes the address of a kiosk and answers its secret, which is stored only as a hash.
func (s *Service) NewKiosk(tx *store.Tx, v person.Viewer, place string) (Kiosk, string, error) {
	if !v.Role.Staff() {
		return Kiosk{}, "", fault.Deniedf("This page is for the staff of the clinic.")
	}
	places, err := s.people.Places(tx, v.Org)
	if err != nil {
		return Kiosk{}, "", err
	}
	known := false
	for _, p := range places {
		known = known || p.ID == place
	}
	if !known {
		return Kiosk{}, "", fault.NotFoundf("There is no such place.")
	}
	k := Kiosk{Org: v.Org, ID: s.ids.New(), Place: place, By: v.Person, Made: s.clock.Now()}
	secret := s.ids.Secret(kioskSecret)
	if _, err := tx.Exec("INSERT INTO kiosk_key (org, place, key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", string(v.Org), place, s.ids.Secret(kioskSecret)); err != nil {
		return k, "", err
	}
	_, err = tx.Exec("INSERT INTO kiosk (org, id, place, secret, made_by, made_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, 0)",
		string(v.Org), k.ID, place, digest(secret), string(v.Person), store.Micros(k.Made))
	tx.Hint("desk", string(v.Org))
	return k, secret, err
}

// Kiosks answers the kiosks of an organization that work, the oldest first.
func (s *Service) Kiosks(tx *store.Tx, org person.OrgID) ([]Kiosk, error) {
	return store.All(tx, "SELECT org, id, place, made_by, made_at FROM kiosk WHERE org = $1 AND revoked_at = 0 ORDER BY made_at, id", []any{string(org)}, scanKiosk)
}

func scanKiosk(scan func(...any) error) (k Kiosk, err error) {
	var made int64
	err = scan(&k.Org, &k.ID, &k.Place, &k.By, &made)
	k.Made = store.Time(made)
	return k, err
}

// RevokeKiosk ends a kiosk's address.
func (s *Service) RevokeKiosk(tx *store.Tx, v person.Viewer, id string) error {
	if !v.Role.Staff() {
		return fault.Deniedf("This page is for the staff of the clinic.")
	}
	tx.Hint("desk", string(v.Org))
	_, err := tx.Exec("UPDATE kiosk SET revoked_at = $3 WHERE org = $1 AND id = $2 AND revoked_at = 0", string(v.Org), id, store.Micros(s.clock.Now()))
	return err
}

// OpenKiosk answers the kiosk of a secret.
func (s *Service) OpenKiosk(tx *store.Tx, secret string) (Kiosk, error) {
	list, err := store.All(tx, "SELECT org, id, place, made_by, made_at FROM kiosk WHERE secret = $1 AND revoked_at = 0", []any{digest(secret)}, scanKiosk)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("This kiosk does not work any more. Please ask at the desk.")
	}
	if err != nil {
		return Kiosk{}, err
	}
	return list[0], nil
}

// Code answers the digits with which a person says at a kiosk which visit is hers; empty where the place has no kiosk.
func (s *Service) Code(tx *store.Tx, v Visit) (string, error) {
	var key string
	ok, err := tx.Row("SELECT k.key FROM kiosk_key k WHERE k.org = $1 AND k.place = $2 AND EXISTS (SELECT 1 FROM kiosk x WHERE x.org = k.org AND x.place = k.place AND x.revoked_at = 0)",
		[]any{string(v.Org), v.Place}, &key)
	if err != nil || !ok {
		return "", err
	}
	return code(key, v.ID), nil
}

func code(key, visit string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(visit))
	return fmt.Sprintf("%0*d", codeDigits, binary.BigEndian.Uint64(m.Sum(nil))%1_000_000)
}

// Proof is with what somebody says at a kiosk who she is: the code of her visit, or the last four digits of her telephone and her year
// of birth.
type Proof struct {
	Code string
	Last string
	Year int
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// AtKiosk checks somebody in. The answer to whatever does not fit is one sentence, so that nobody learns who has a visit; after a dozen
// of them the kiosk rests.
func (s *Service) AtKiosk(ctx context.Context, secret string, p Proof) (Stay, error) {
	p.Code, p.Last = digits(p.Code), digits(p.Last)
	var x Stay
	var wrong error
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		wrong, x = nil, Stay{}
		k, err := s.OpenKiosk(tx, secret)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		var n int
		if _, err := tx.Row("SELECT COUNT(*) FROM kiosk_miss WHERE org = $1 AND kiosk = $2 AND at > $3", []any{string(k.Org), k.ID, store.Micros(now.Add(-missWhile))}, &n); err != nil {
			return err
		}
		if n >= missMost {
			return fault.New(fault.TooMuch, "This kiosk takes a rest. Please ask at the desk.")
		}
		v, found, err := s.match(tx, k, p)
		if err != nil {
			return err
		}
		if !found { // counting the try must outlive the refusal, so the transaction succeeds
			wrong = fault.Invalidf("We cannot find your visit with that. Please check the numbers, or ask at the desk.")
			_, err := tx.Exec("INSERT INTO kiosk_miss (org, kiosk, at, id) VALUES ($1, $2, $3, $4)", string(k.Org), k.ID, store.Micros(now), s.ids.New())
			return err
		}
		x, err = s.CheckInTx(tx, person.SystemViewer(k.Org), k.Org, v.ID, Arrival{By: ByKiosk})
		return err
	})
	if err == nil {
		err = wrong
	}
	return x, err
}

// match finds the one visit that a proof can mean. Two people whom it fits are not told apart here: the desk does that.
func (s *Service) match(tx *store.Tx, k Kiosk, p Proof) (Visit, bool, error) {
	now := s.clock.Now()
	due, err := s.visits.Due(tx, k.Org, now.Add(-missed), now.Add(opens))
	if err != nil {
		return Visit{}, false, err
	}
	var key string
	if _, err := tx.Row("SELECT key FROM kiosk_key WHERE org = $1 AND place = $2", []any{string(k.Org), k.Place}, &key); err != nil {
		return Visit{}, false, err
	}
	var hers []Visit
	for _, v := range due {
		if v.Place != k.Place || !s.CanCheckIn(v) {
			continue
		}
		fits := len(p.Code) == codeDigits && hmac.Equal([]byte(p.Code), []byte(code(key, v.ID)))
		if p.Code == "" && len(p.Last) == 4 {
			if fits, err = s.fits(tx, v, p); err != nil {
				return Visit{}, false, err
			}
		}
		if fits {
			hers = append(hers, v)
		}
	}
	for _, v := range hers {
		if v.Patient != hers[0].Patient {
			return Visit{}, false, nil
		}
	}
	if len(hers) == 0 {
		return Visit{}, false, nil
	}
	return hers[0], true, nil // the first of her day
}

func (s *Service) fits(tx *store.Tx, v Visit, p Proof) (bool, error) {
	who, err := s.people.Get(tx, v.Org, v.Patient)
	if err != nil || who.BirthYear == 0 || who.BirthYear != p.Year {
		return false, err
	}
	contacts, err := s.people.Contacts(tx, v.Org, v.Patient)
	for _, c := range contacts {
		if c.Channel == person.SMS && strings.HasSuffix(c.Address, p.Last) {
			return true, err
		}
	}
	return false, err
}
