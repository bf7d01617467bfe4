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

// A text's short link opens the one thing the text is about, without a sign-in. It is not stored: it names where the message lies
// (patient, instant) and carries 48 bits of an HMAC over that, its reader and its question, so a million reminders need no second row, and
// of several messages of one instant it opens the one it stood in.

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

// signer is an HMAC keyed with the secret of links, and room for what it is over.
type signer struct {
	hash.Hash
	over []byte
}

// mac is over the organization too, so that a link of one opens nothing in another. Of a message without a reader it is what it was before
// links told the messages of one instant apart.
func (s *Service) mac(m *Message, key []byte) []byte {
	h, _ := s.macs.Get().(*signer)
	if h == nil {
		h = &signer{Hash: hmac.New(sha256.New, s.secret)}
	}
	defer s.macs.Put(h)
	b := append(append(h.over[:0], key...), m.Org...)
	if m.Person != "" {
		for _, part := range [...]string{string(m.Person), m.Say, m.Promises} {
			b = append(append(b, 0), part...)
		}
	}
	h.over = b
	h.Reset()
	h.Write(b)
	return h.Sum(nil)[:linkBytes-len(key)]
}

// LinkCode answers the code of the link to a message, which follows from its organization, patient, instant, reader, question and promises; empty
// when the patient's id is no UUID.
func (s *Service) LinkCode(m *Message) string {
	var b [linkBytes]byte
	if !uuidBytes(b[:16], string(m.Patient)) {
		return ""
	}
	var us [8]byte
	binary.BigEndian.PutUint64(us[:], uint64(store.Micros(m.At)))
	copy(b[16:23], us[1:])
	copy(b[23:], s.mac(m, b[:23]))
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

// openLink answers the message that a code names, if a condition lets it through. A code of the time before links told the messages of one instant
// apart names the first.
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
	if s.clock.Now().Sub(at) > linkLives {
		return Message{}, errNoLink
	}
	for _, o := range orgs {
		list, err := s.list(tx, "org = $1 AND shard = $2 AND patient = $3 AND at = $4 AND inward = 0 AND "+condition+" ORDER BY id",
			string(o.ID), Shard(patient), string(patient), store.Micros(at))
		if err != nil {
			return Message{}, err
		}
		for i := range list {
			if hmac.Equal(s.mac(&list[i], b[:23]), b[23:]) {
				return list[i], nil
			}
		}
		if len(list) > 0 && hmac.Equal(s.mac(&Message{Org: o.ID}, b[:23]), b[23:]) {
			return list[0], nil
		}
	}
	return Message{}, errNoLink
}
