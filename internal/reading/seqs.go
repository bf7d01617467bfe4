package reading

import (
	"encoding/binary"
	"slices"
)

// seqs is a set of sequence numbers as ranges, rising and apart. A stream without gaps is one range.
type seqs struct {
	ranges []span
}

type span struct{ first, last int64 }

// seqsMost bounds the ranges: beyond, the oldest gap is closed. A number inside it that comes later still is looked for in
// the stored samples, so closing a gap loses nothing.
const seqsMost = 64

func (s *seqs) has(n int64) bool {
	_, found := slices.BinarySearchFunc(s.ranges, n, compareSpan)
	return found
}

func compareSpan(r span, n int64) int {
	switch {
	case r.last < n:
		return -1
	case r.first > n:
		return 1
	}
	return 0
}

func (s *seqs) add(n int64) {
	i, found := slices.BinarySearchFunc(s.ranges, n, compareSpan)
	if found {
		return
	}
	left := i > 0 && s.ranges[i-1].last == n-1
	right := i < len(s.ranges) && s.ranges[i].first == n+1
	switch {
	case left && right:
		s.ranges[i-1].last = s.ranges[i].last
		s.ranges = slices.Delete(s.ranges, i, i+1)
	case left:
		s.ranges[i-1].last = n
	case right:
		s.ranges[i].first = n
	default:
		s.ranges = slices.Insert(s.ranges, i, span{n, n})
	}
	if len(s.ranges) > seqsMost {
		s.ranges[0].last = s.ranges[1].last
		s.ranges = slices.Delete(s.ranges, 1, 2)
	}
}

func (s *seqs) pack(b []byte) []byte {
	last := int64(0)
	for _, r := range s.ranges {
		b = binary.AppendVarint(b, r.first-last)
		b = binary.AppendUvarint(b, uint64(r.last-r.first))
		last = r.last
	}
	return b
}

func (s *seqs) unpack(b []byte) error {
	s.ranges = nil
	last := int64(0)
	for len(b) > 0 {
		first, n := binary.Varint(b)
		if n <= 0 {
			return errPacked
		}
		length, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return errPacked
		}
		b = b[n+m:]
		r := span{last + first, last + first + int64(length)}
		s.ranges, last = append(s.ranges, r), r.last
	}
	return nil
}
