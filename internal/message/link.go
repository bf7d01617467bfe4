package message

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// A text's short link opens the one thing the text is about, without a sign-in. It is not stored: it names the message's
// primary key (patient, instant) and carries 48 bits of an HMAC over it, so a million reminders need no second row.

const (
	linkBytes = 16 + 7 + 6
	linkLives = 72 * time.Hour
)

var linkText = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz234567890").WithPadding(base32.NoPadding)

// loadSecret reads the key that signs links, making it on the first start: 52 characters, 257 bits.
func loadSecret(tx *store.Tx, ids *clock.IDs) ([]byte, error) {
	return keepSecret(tx, "link", []byte(ids.Secret(52)))
}

// keepSecret answers the secret of a name, which is the fresh one unless there is one already.
func keepSecret(tx *store.Tx, name string, fresh []byte) ([]byte, error) {
	if _, err := tx.Exec("INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, fresh); err != nil {
		return nil, err
	}
	var key []byte
	_, err := tx.Row("SELECT value FROM secret WHERE name = $1", []any{name}, &key)
	return key, err
}

// mac is over the organization too, so that a link of one opens nothing in another.
func (s *Service) mac(org person.OrgID, key []byte) []byte {
	h, _ := s.macs.Get().(hash.Hash)
	if h == nil {
		h = hmac.New(sha256.New, s.secret)
	}
	defer s.macs.Put(h)
	h.Reset()
	h.Write(key)
	h.Write([]byte(org))
	return h.Sum(nil)[:linkBytes-len(key)]
}

// LinkCode answers the code of the link to a message about a patient; empty when the patient's id is no UUID.
func (s *Service) LinkCode(org person.OrgID, patient person.ID, at time.Time) string {
	var b [linkBytes]byte
	if !uuidBytes(b[:16], string(patient)) {
		return ""
	}
	var us [8]byte
	binary.BigEndian.PutUint64(us[:], uint64(store.Micros(at)))
	copy(b[16:23], us[1:])
	copy(b[23:], s.mac(org, b[:23]))
	return linkText.EncodeToString(b[:])
}

// uuidBytes reads a UUID's text, hyphens or not, into 16 bytes.
func uuidBytes(to []byte, text string) bool {
	digits := make([]byte, 0, 36)
	for i := range len(text) {
		if text[i] != '-' {
			digits = append(digits, text[i])
		}
	}
	if len(digits) != 32 {
		return false
	}
	_, err := hex.Decode(to, digits)
	return err == nil
}

var errNoLink = fault.NotFoundf("This link has run out. Ask for a new one, or call the clinic.")

// OpenLink answers the message that a link's code names, while the link lives.
func (s *Service) OpenLink(tx *store.Tx, code string) (Message, error) {
	return s.openLink(tx, code, "promises <> ''")
}

// openLink answers the first message of a code's instant that a condition lets through.
func (s *Service) openLink(tx *store.Tx, code, condition string) (Message, error) {
	b, err := linkText.DecodeString(strings.ToLower(strings.TrimSpace(code)))
	if err != nil || len(b) != linkBytes {
		return Message{}, errNoLink
	}
	var us [8]byte
	copy(us[1:], b[16:23])
	at := store.Time(int64(binary.BigEndian.Uint64(us[:])))
	x := hex.EncodeToString(b[:16])
	patient := person.ID(x[0:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:])
	orgs, err := s.people.Orgs(tx)
	if err != nil {
		return Message{}, err
	}
	for _, o := range orgs {
		if !hmac.Equal(s.mac(o.ID, b[:23]), b[23:]) {
			continue
		}
		if s.clock.Now().Sub(at) > linkLives {
			return Message{}, errNoLink
		}
		list, err := s.list(tx, "org = $1 AND shard = $2 AND patient = $3 AND at = $4 AND inward = 0 AND "+condition+" ORDER BY id LIMIT 1",
			string(o.ID), Shard(patient), string(patient), store.Micros(at))
		if err != nil {
			return Message{}, err
		}
		if len(list) == 1 {
			return list[0], nil
		}
	}
	return Message{}, errNoLink
}
