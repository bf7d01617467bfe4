package person

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

const (
	linkLength    = 26 // 128 bits of the secret alphabet
	codeLength    = 10 // 49 bits: short enough for a text, enough with few tries and few days
	sessionFor    = 90 * 24 * time.Hour
	staffFor      = 12 * time.Hour
	signInFor     = 24 * time.Hour
	yearTries     = 5  // wrong years of birth before a link is dead
	attemptsPer   = 10 // sign-in attempts per key
	attemptsWhile = 15 * time.Minute
)

// Purposes of a link.
const (
	SignInLink = "sign-in" // signs in, after the year of birth for patients and families
	TaskLink   = "task"    // opens the one task it names, without signing in
	SetupLink  = "setup"   // lets the first member of staff set the organization up
)

// Link is a secret that stands for a person and a purpose for a time.
type Link struct {
	Org     OrgID
	Person  ID
	Purpose string
	Target  string // a promise, for a task link
	Until   time.Time
}

func digest(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// NewLink makes a link and answers its secret, which is stored only as a hash.
func (s *Service) NewLink(tx *store.Tx, l Link) (string, error) {
	n := linkLength
	if l.Purpose == TaskLink {
		n = codeLength
	}
	now := s.clock.Now()
	if l.Until.IsZero() {
		l.Until = now.Add(signInFor)
	}
	secret := s.ids.Secret(n)
	_, err := tx.Exec("INSERT INTO link (token, org, person, purpose, target, made_at, until_at, tries, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)",
		digest(secret), string(l.Org), string(l.Person), l.Purpose, l.Target, store.Micros(now), store.Micros(l.Until))
	return secret, err
}

var errLink = fault.NotFoundf("This link has run out. Ask for a new one, or call the clinic.")

// FindLink answers the link behind a secret while it holds.
func (s *Service) FindLink(tx *store.Tx, secret string) (Link, error) {
	l, _, err := s.findLink(tx, secret)
	return l, err
}

func (s *Service) findLink(tx *store.Tx, secret string) (Link, int, error) {
	var l Link
	var until, used int64
	var tries int
	found, err := tx.Row("SELECT org, person, purpose, target, until_at, tries, used_at FROM link WHERE token = $1", []any{digest(secret)},
		&l.Org, &l.Person, &l.Purpose, &l.Target, &until, &tries, &used)
	if err != nil {
		return l, 0, err
	}
	l.Until = store.Time(until)
	if !found || !s.clock.Now().Before(l.Until) || tries >= yearTries || (used != 0 && l.Purpose == SetupLink) {
		return Link{}, 0, errLink
	}
	return l, tries, nil
}

// UseLink marks a link as used; a set-up link works once.
func (s *Service) UseLink(tx *store.Tx, secret string) error {
	_, err := tx.Exec("UPDATE link SET used_at = $2 WHERE token = $1", digest(secret), store.Micros(s.clock.Now()))
	return err
}

// SignIn turns a sign-in link into a session. Patients and families confirm with the year of birth; five wrong years end the
// link. It answers the session's secret for the cookie.
func (s *Service) SignIn(ctx context.Context, secret string, year int) (string, Viewer, error) {
	var token string
	var v Viewer
	var wrong error
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		wrong = nil
		l, tries, err := s.findLink(tx, secret)
		if err != nil {
			return err
		}
		if l.Purpose != SignInLink {
			return errLink
		}
		p, err := s.Get(tx, l.Org, l.Person)
		if err != nil {
			return err
		}
		if !p.Active {
			return errLink
		}
		if p.BirthYear != 0 && year != p.BirthYear {
			// Counting the try must outlive the refusal, so the transaction succeeds.
			wrong = fault.Deniedf("That year does not match. You can try %d more times.", yearTries-tries-1)
			_, err := tx.Exec("UPDATE link SET tries = tries + 1 WHERE token = $1", digest(secret))
			return err
		}
		if err := s.UseLink(tx, secret); err != nil {
			return err
		}
		token, v, err = s.NewSession(tx, p)
		return err
	})
	if err == nil {
		err = wrong
	}
	if err != nil {
		return "", Viewer{}, err
	}
	return token, v, nil
}

// NewSession signs a person in and answers the session's secret: for ninety days, staff for twelve hours.
func (s *Service) NewSession(tx *store.Tx, p Person) (string, Viewer, error) {
	if p.Role == Patient || p.Role == Caregiver {
		return s.NewToken(tx, p, sessionFor)
	}
	return s.NewToken(tx, p, staffFor)
}

// NewToken is NewSession for a length of time of one's own: for programs.
func (s *Service) NewToken(tx *store.Tx, p Person, lives time.Duration) (string, Viewer, error) {
	token := s.ids.Secret(linkLength)
	now := s.clock.Now()
	_, err := tx.Exec("INSERT INTO session (token, org, person, made_at, until_at, revoked_at) VALUES ($1, $2, $3, $4, $5, 0)",
		digest(token), string(p.Org), string(p.ID), store.Micros(now), store.Micros(now.Add(lives)))
	return token, Viewer{Org: p.Org, Person: p.ID, Role: p.Role, Name: p.Name, Session: digest(token)}, err
}

// Session answers who holds a session's secret.
func (s *Service) Session(ctx context.Context, token string) (Viewer, error) {
	var v Viewer
	err := s.DB.Read(ctx, func(tx *store.Tx) error {
		var until, revoked int64
		var active int
		v.Session = digest(token)
		found, err := tx.Row(`SELECT s.org, s.person, s.until_at, s.revoked_at, p.role, p.name, p.active FROM session s
			JOIN person p ON p.org = s.org AND p.id = s.person WHERE s.token = $1`, []any{v.Session},
			&v.Org, &v.Person, &until, &revoked, &v.Role, &v.Name, &active)
		if err != nil {
			return err
		}
		if !found || revoked != 0 || active != 1 || !s.clock.Now().Before(store.Time(until)) {
			return fault.Deniedf("Please sign in.")
		}
		return nil
	})
	if err != nil {
		return Viewer{}, err
	}
	return v, nil
}

// SignOut ends a session; signing out twice is no error.
func (s *Service) SignOut(ctx context.Context, v Viewer) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE session SET revoked_at = $2 WHERE token = $1 AND revoked_at = 0", v.Session, store.Micros(s.clock.Now()))
		return err
	})
}

// SignOutEverywhere ends every session of a person.
func (s *Service) SignOutEverywhere(tx *store.Tx, org OrgID, id ID) error {
	_, err := tx.Exec("UPDATE session SET revoked_at = $3 WHERE org = $1 AND person = $2 AND revoked_at = 0", string(org), string(id), store.Micros(s.clock.Now()))
	return err
}

// Attempt counts a sign-in attempt under a key (an address asked for, a network address) and refuses the eleventh in a
// quarter of an hour.
func (s *Service) Attempt(ctx context.Context, key string) error {
	key = digest(key) // the key may be a telephone number
	now := s.clock.Now()
	var n int
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM attempt WHERE key = $1 AND at <= $2", key, store.Micros(now.Add(-attemptsWhile))); err != nil {
			return err
		}
		if _, err := tx.Row("SELECT COUNT(*) FROM attempt WHERE key = $1", []any{key}, &n); err != nil || n >= attemptsPer {
			return err
		}
		_, err := tx.Exec("INSERT INTO attempt (key, at, id) VALUES ($1, $2, $3)", key, store.Micros(now), s.ids.New())
		return err
	})
	if err != nil {
		return err
	}
	if n >= attemptsPer {
		return fault.New(fault.TooMuch, "Too many tries. Please wait a quarter of an hour, or call the clinic.")
	}
	return nil
}
