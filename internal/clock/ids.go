package clock

import (
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync"
)

// IDs makes names and secrets: time-ordered UUIDs (RFC 9562, version 7) for rows, random text for links and keys.
// Safe for use by several goroutines.
type IDs struct {
	mu    sync.Mutex
	clock Clock
	names *rand.ChaCha8
	bytes func([]byte)
	last  uint64 // the 48-bit milliseconds and 12-bit counter of the last UUID
}

// NewIDs answers a source seeded by the operating system, whose secrets come from there too.
func NewIDs(c Clock) *IDs {
	var seed [32]byte
	crand.Read(seed[:])
	return &IDs{clock: c, names: rand.NewChaCha8(seed), bytes: func(b []byte) { crand.Read(b) }}
}

// SeededIDs answers a source that repeats itself for the same seed: for the simulator and tests only.
func SeededIDs(c Clock, seed uint64) *IDs {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], seed)
	chacha := rand.NewChaCha8(s)
	return &IDs{clock: c, names: chacha, bytes: func(b []byte) { chacha.Read(b) }}
}

// New answers a UUID later than every one before it.
func (s *IDs) New() string {
	ms := uint64(s.clock.Now().UnixMilli())
	s.mu.Lock()
	stamp := max(ms<<12, s.last+1)
	s.last = stamp
	low := s.names.Uint64()
	s.mu.Unlock()

	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], stamp>>12<<16|0x7000|stamp&0xfff)
	binary.BigEndian.PutUint64(u[8:], low&(1<<62-1)|1<<63)
	return uuidText(u[:])
}

// secretAlphabet has no look-alikes (0/o, 1/l/i), because people read links and codes aloud.
const secretAlphabet = "23456789abcdefghjkmnpqrstuvwxyz"

// Secret answers n random characters of an alphabet of 31 (4.95 bits each) that can be read aloud.
func (s *IDs) Secret(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]byte, 0, n)
	var buf [32]byte
	for len(out) < n {
		s.bytes(buf[:])
		for _, b := range buf {
			if b = b & 31; int(b) < len(secretAlphabet) && len(out) < n {
				out = append(out, secretAlphabet[b])
			}
		}
	}
	return string(out)
}

// DerivedID answers a UUID (RFC 9562, version 8) that follows from its parts, so that a thing done twice has one name.
func DerivedID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return uuidText(sum[:16])
}

func uuidText(u []byte) string {
	var text [36]byte
	hex.Encode(text[0:8], u[0:4])
	hex.Encode(text[9:13], u[4:6])
	hex.Encode(text[14:18], u[6:8])
	hex.Encode(text[19:23], u[8:10])
	hex.Encode(text[24:36], u[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
