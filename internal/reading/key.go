package reading

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// keyTopic is the topic of hints that a device has a new key.
const keyTopic = "device"

// Rotate gives a device a new key and answers it, once: only its hash is kept. The old one opens nothing any more: on this node
// from the commit on, on others as soon as they hear of it (NewKeys), at the latest when their sign-ins are a minute old.
func (s *Service) Rotate(tx *store.Tx, org, device string) (string, error) {
	key := s.ids.Secret(keyLength)
	hash := sha256.Sum256([]byte(key))
	n, err := tx.Exec("UPDATE device SET key_hash = $3 WHERE org = $1 AND id = $2", org, device, hash[:])
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", fault.NotFoundf("There is no such device.")
	}
	tx.After(func() { s.Forget(device) })
	tx.Hint(keyTopic, device)
	return key, nil
}

// Forget makes the next sign-in of a device ask the database.
func (s *Service) Forget(device string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.signs, device)
	s.forgets++
}

// NewKeys answers a channel of the ids of devices that got a new key, on any node, until ctx ends. It is a hint and may be lost:
// Stale knows.
func (s *Service) NewKeys(ctx context.Context) <-chan string { return s.db.Listen(ctx, keyTopic) }

// Stale answers, of devices as they signed in, which have another key by now.
func (s *Service) Stale(ctx context.Context, signedIn []Device) ([]bool, error) {
	ids := make([]string, len(signedIn))
	for i, d := range signedIn {
		ids[i] = d.ID
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	now := map[string][]byte{}
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		return tx.Rows("SELECT d.id, d.key_hash FROM "+tx.List("$1")+" l CROSS JOIN device d WHERE d.id = l.value", []any{string(list)}, func(scan func(...any) error) error {
			var id string
			var hash []byte
			err := scan(&id, &hash)
			now[id] = hash
			return err
		})
	}); err != nil {
		return nil, err
	}
	out := make([]bool, len(signedIn))
	for i, d := range signedIn {
		out[i] = subtle.ConstantTimeCompare(d.hash[:], now[d.ID]) != 1
	}
	return out, nil
}
