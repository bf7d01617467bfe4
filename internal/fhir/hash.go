package fhir

import (
	"crypto/sha256"
	"encoding/binary"
)

// Hash answers the first 64 bits of a text's SHA-256. Index rows keep it in place of the text: rows are short, of one size,
// and nobody can make two texts that meet. The empty text is 0.
func Hash(s string) int64 {
	if s == "" {
		return 0
	}
	return HashBytes([]byte(s))
}

// HashBytes is Hash of bytes.
func HashBytes(b []byte) int64 {
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
