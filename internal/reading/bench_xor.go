package reading

import (
	"encoding/binary"
	"math"
	"math/bits"

	"doorstep/internal/reading/series"
)

// xorBytes answers how many bytes Prometheus' XOR chunk (tsdb/chunkenc, v0.316.0) takes for points. Only the size is
// reckoned, so that the server need not carry the module; a test holds it against the module itself.
func xorBytes(points []series.Point) int {
	n := 16 // the count
	lead, trail := 0xff, 0
	var delta int64
	for i, p := range points {
		if i == 0 {
			n += 8*len(binary.AppendVarint(nil, p.T)) + 64
			continue
		}
		now := p.T - points[i-1].T
		if i == 1 {
			n += 8 * len(binary.AppendUvarint(nil, uint64(now)))
		} else {
			n += dodBits(now - delta)
		}
		delta = now
		x := math.Float64bits(p.V) ^ math.Float64bits(points[i-1].V)
		if n++; x == 0 {
			continue
		}
		n++
		l, t := min(bits.LeadingZeros64(x), 31), bits.TrailingZeros64(x)
		if lead != 0xff && l >= lead && t >= trail {
			n += 64 - lead - trail
			continue
		}
		lead, trail = l, t
		n += 5 + 6 + 64 - l - t
	}
	return (n + 7) / 8
}

// dodBits is what a delta of deltas takes: prefixes for 0, 14, 17, 20 and 64 bits.
func dodBits(dod int64) int {
	if dod == 0 {
		return 1
	}
	for prefix, size := range []int{14, 17, 20} {
		if half := int64(1) << (size - 1); -(half-1) <= dod && dod <= half {
			return prefix + 2 + size
		}
	}
	return 4 + 64
}
