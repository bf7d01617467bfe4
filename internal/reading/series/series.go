// Package series packs a stream of device samples into small chunks: a time in milliseconds and a float64 each.
//
// Its promise: what Decode answers is bit for bit what Encode was given (NaN and -0 too), or an error: a chunk carries its
// version and a CRC-32C over all of it. Times need not be in order. The package is pure.
//
// After the delta-of-delta and XOR idea of Gorilla (Pelkonen et al., VLDB 2015), with three changes that make a chunk of
// heart rate, RR intervals or glucose smaller: bits are written by an adaptive binary range coder instead of fixed
// prefixes; values that are decimal numbers (most devices') are coded as integers in their common unit; and where each time
// is the last one plus the value (RR intervals), the times cost nothing. Which of these a chunk uses is chosen by size.
package series

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"iter"
)

// Point is one sample: milliseconds since 1970 UTC, and the value.
type Point struct {
	T int64
	V float64
}

const (
	version = 1
	// Most is how many samples a chunk holds at most: it bounds what a damaged count can cost.
	Most = 1 << 16
)

// ErrDamaged is the answer to bytes that are not a whole chunk of ours.
var ErrDamaged = errors.New("series: the chunk is damaged")

// ErrTooMany is the answer to more than Most samples.
var ErrTooMany = errors.New("series: too many samples for one chunk")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A chunk is: version, method, count (uvarint), header of the method, coded bits, CRC-32C (4 bytes, little endian) of all before.

// Encode packs points, at most Most, in their order.
func Encode(points []Point) ([]byte, error) {
	if len(points) > Most {
		return nil, ErrTooMany
	}
	best := body(points, method{})
	if d, ok := findDecimal(points); ok {
		for _, m := range []method{{decimal: true, d: d}, {decimal: true, d: d, follows: true}} {
			if b := body(points, m); len(b) < len(best) {
				best = b
			}
		}
	}
	return seal(best), nil
}

// Decode unpacks a chunk.
func Decode(chunk []byte) ([]Point, error) {
	body, n, err := open(chunk)
	if err != nil {
		return nil, err
	}
	points := make([]Point, 0, n)
	for p, err := range walk(body, n) {
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

// All iterates over a chunk without unpacking it whole. An error ends the walk.
func All(chunk []byte) iter.Seq2[Point, error] {
	body, n, err := open(chunk)
	if err != nil {
		return func(yield func(Point, error) bool) { yield(Point{}, err) }
	}
	return walk(body, n)
}

// Append answers a chunk of the old one's samples and the new ones after them. A nil chunk is empty.
func Append(chunk []byte, points ...Point) ([]byte, error) {
	if chunk == nil {
		return Encode(points)
	}
	old, err := Decode(chunk)
	if err != nil {
		return nil, err
	}
	return Encode(append(old, points...))
}

// Count answers how many samples a chunk holds.
func Count(chunk []byte) (int, error) {
	_, n, err := open(chunk)
	return n, err
}

func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// open checks a chunk and answers what follows the count, with the method's byte in front.
func open(chunk []byte) (body []byte, n int, err error) {
	if len(chunk) < 7 || chunk[0] != version {
		return nil, 0, ErrDamaged
	}
	end := len(chunk) - 4
	if crc32.Checksum(chunk[:end], castagnoli) != binary.LittleEndian.Uint32(chunk[end:]) {
		return nil, 0, ErrDamaged
	}
	count, used := binary.Uvarint(chunk[2:end])
	if used <= 0 || count > Most {
		return nil, 0, ErrDamaged
	}
	// The method's byte is put before the rest by moving nothing: it is read from its place.
	return append([]byte{chunk[1]}, chunk[2+used:end]...), int(count), nil
}
