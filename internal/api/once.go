package api

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

const (
	rememberFor = 24 * time.Hour // how long a write's answer is kept for its repetition
	workFor     = time.Minute    // how long a write that gave no answer is taken to be still under way
	sweepEvery  = time.Hour
	nonceLength = 12
)

// Write is what every write takes. The raw bytes tell a repetition from another request under the same key.
type Write struct {
	Key     string `header:"Idempotency-Key" maxLength:"255" doc:"A name for this write, chosen by the caller: sent again within a day, it is answered as before and not done again."`
	RawBody []byte
}

// note is a write as it is remembered. The key itself is not stored: its hash finds the row, and the key opens the answer,
// which may hold a secret (a device's key is shown once) or what a chart says.
type note struct {
	org, person, key, request string
	secret                    [sha256.Size]byte
}

func noteOf(c *caller, w Write) note {
	n := note{org: string(c.Org), person: string(c.Person), key: sum("key", w.Key)}
	n.request = sum(c.method, c.path, string(w.RawBody))
	n.secret = sha256.Sum256([]byte("answer\x00" + w.Key + "\x00" + n.org + "\x00" + n.person))
	return n
}

func sum(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// once runs a write in one transaction with the note that it was done, so that the same key has one effect whatever dies
// in between.
func once[T any](ctx context.Context, s *server, c *caller, w Write, fn func(tx *store.Tx) (T, error)) (T, error) {
	var out T
	n := noteOf(c, w)
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		out = *new(T) // the engine may ask to run again
		if w.Key != "" {
			answer, err := s.reserve(tx, n)
			if err != nil || answer != nil {
				return openAnswer(n, answer, &out, err)
			}
		}
		var err error
		if out, err = fn(tx); err != nil || w.Key == "" {
			return err
		}
		return s.remember(tx, n, out)
	})
	if err == nil {
		s.sweep(ctx)
	}
	return out, err
}

// onceApart is once for work that opens its own transactions. If this server dies between the work and the note, the caller
// may try again after a minute and the work runs again: such work must find what it did before.
func onceApart[T any](ctx context.Context, s *server, c *caller, w Write, fn func() (T, error)) (T, error) {
	if w.Key == "" {
		return fn()
	}
	var out T
	known := false
	n := noteOf(c, w)
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		answer, err := s.reserve(tx, n)
		known = answer != nil
		if err != nil || known {
			return openAnswer(n, answer, &out, err)
		}
		return nil
	})
	if err != nil || known {
		return out, err
	}
	out, failed := fn()
	err = s.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if failed != nil {
			_, err := tx.Exec("DELETE FROM api_write WHERE org = $1 AND person = $2 AND key = $3", n.org, n.person, n.key)
			return err
		}
		return s.remember(tx, n, out)
	})
	if failed != nil {
		return out, failed
	}
	s.sweep(ctx)
	return out, err
}

// reserve puts the name down before the work, so that of two at once one waits for the other or is refused. It answers the
// sealed answer when the work is done already.
func (s *server) reserve(tx *store.Tx, n note) ([]byte, error) {
	now := s.Clock.Now()
	fresh, err := tx.Exec("INSERT INTO api_write (org, person, key, request, made_at, answer) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
		n.org, n.person, n.key, n.request, store.Micros(now), []byte{})
	if err != nil || fresh == 1 {
		return nil, err
	}
	var request string
	var made int64
	var answer []byte
	if _, err := tx.Row("SELECT request, made_at, answer FROM api_write WHERE org = $1 AND person = $2 AND key = $3", []any{n.org, n.person, n.key},
		&request, &made, &answer); err != nil {
		return nil, err
	}
	age := now.Sub(store.Time(made))
	switch {
	case age >= rememberFor, request == n.request && len(answer) == 0 && age >= workFor:
		_, err := tx.Exec("UPDATE api_write SET request = $4, made_at = $5, answer = $6 WHERE org = $1 AND person = $2 AND key = $3",
			n.org, n.person, n.key, n.request, store.Micros(now), []byte{})
		return nil, err
	case request != n.request:
		return nil, fault.Invalidf("This Idempotency-Key was used for another request.")
	case len(answer) == 0:
		return nil, fault.Conflictf("A request with this Idempotency-Key is still being worked on.")
	}
	return answer, nil
}

func (s *server) remember(tx *store.Tx, n note, out any) error {
	plain, err := json.Marshal(out)
	if err != nil {
		return err
	}
	box, err := n.box()
	if err != nil {
		return err
	}
	nonce := []byte(s.IDs.Secret(nonceLength))
	_, err = tx.Exec("UPDATE api_write SET answer = $4 WHERE org = $1 AND person = $2 AND key = $3", n.org, n.person, n.key,
		box.Seal(nonce, nonce, plain, []byte(n.request)))
	return err
}

func openAnswer(n note, sealed []byte, out any, err error) error {
	if err != nil {
		return err
	}
	box, err := n.box()
	if err != nil {
		return err
	}
	plain, err := box.Open(nil, sealed[:nonceLength], sealed[nonceLength:], []byte(n.request))
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, out)
}

func (n note) box() (cipher.AEAD, error) {
	block, err := aes.NewCipher(n.secret[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sweep drops notes that have run out, now and then. That it failed only means that it is tried again in an hour.
func (s *server) sweep(ctx context.Context) {
	now, last := s.Clock.Now(), s.swept.Load()
	if now.Sub(store.Time(last)) < sweepEvery || !s.swept.CompareAndSwap(last, store.Micros(now)) {
		return
	}
	err := s.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM api_write WHERE made_at <= $1", store.Micros(now.Add(-rememberFor)))
		return err
	})
	if err != nil {
		s.Log.Warn("notes of old writes were not dropped", "error", err)
	}
}
