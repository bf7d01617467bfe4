package series

import (
	"encoding/binary"
	"iter"
	"math"
	"math/bits"
)

// method is how a chunk's values and times are coded.
type method struct {
	decimal bool // values are integers in units of step / 10^places; otherwise XOR of their bits
	follows bool // each time is the one before plus the value, in the unit that makes it so: only the error is coded
	d       scale
}

// scale makes values integers: value = (first + k*step) / 10^places.
type scale struct {
	places int
	step   int64 // greatest common divisor of the differences; at least 1
}

const (
	mostPlaces = 10
	exact      = 1 << 53
)

var pow10 = [mostPlaces + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10}

// integer answers v * 10^places where that is an integer from which v comes back bit for bit.
func integer(v float64, places int) (int64, bool) {
	scaled := math.Round(v * pow10[places])
	if !(math.Abs(scaled) < exact) { // NaN is not either
		return 0, false
	}
	n := int64(scaled)
	return n, math.Float64bits(float64(n)/pow10[places]) == math.Float64bits(v)
}

// findDecimal looks for the fewest places at which every value is an integer, and their common step.
func findDecimal(points []Point) (scale, bool) {
	places := 0
	for i := 0; i < len(points); i++ {
		if _, ok := integer(points[i].V, places); ok {
			continue
		}
		if places++; places > mostPlaces {
			return scale{}, false
		}
		i = -1 // more places may make an earlier value too large: look at all again
	}
	var gcd uint64
	var last int64
	for i, p := range points {
		n, _ := integer(p.V, places)
		if i > 0 {
			gcd = divisor(gcd, uint64(max(n-last, last-n)))
		}
		last = n
	}
	return scale{places: places, step: int64(max(gcd, 1))}, true
}

func divisor(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// body codes the points by a method: all of the chunk but its checksum.
func body(points []Point, m method) []byte {
	kind := byte(0)
	if m.decimal {
		kind |= 1
	}
	if m.follows {
		kind |= 2
	}
	b := binary.AppendUvarint([]byte{version, kind}, uint64(len(points)))
	if len(points) == 0 {
		return b
	}
	b = binary.AppendVarint(b, points[0].T)
	if m.decimal {
		first, _ := integer(points[0].V, m.d.places)
		b = append(b, byte(m.d.places))
		b = binary.AppendUvarint(b, uint64(m.d.step))
		b = binary.AppendVarint(b, first)
	} else {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(points[0].V))
	}
	e := newEncoder(b)
	var times, values ints
	var floats xor
	lastDelta := int64(0)
	for i := 1; i < len(points); i++ {
		p, q := points[i-1], points[i]
		delta := q.T - p.T // wraps around, and back when decoded
		if m.decimal {
			before, _ := integer(p.V, m.d.places)
			now, _ := integer(q.V, m.d.places)
			values.encode(e, (now-before)/m.d.step)
		} else {
			floats.encode(e, math.Float64bits(p.V)^math.Float64bits(q.V))
		}
		if m.follows {
			times.encode(e, delta-millis(q.V))
		} else {
			times.encode(e, delta-lastDelta)
		}
		lastDelta = delta
	}
	return e.finish()
}

// millis reads a value as a time in milliseconds: RR intervals are told in ms, or in s when they are so short.
func millis(v float64) int64 {
	if v < 20 {
		v *= 1000
	}
	return int64(math.Round(v))
}

// walk decodes a body of n points.
func walk(body []byte, n int) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		if n == 0 {
			return
		}
		r := &header{b: body[1:]}
		decimal, follows := body[0]&1 != 0, body[0]&2 != 0
		p := Point{T: r.varint()}
		var number, step int64
		var places int
		if decimal {
			places, step, number = int(r.byte()), int64(r.uvarint()), r.varint()
			if places > mostPlaces || step < 1 {
				r.bad = true
				places = 0
			}
			p.V = float64(number) / pow10[places]
		} else {
			p.V = math.Float64frombits(r.uint64())
		}
		if r.bad || body[0] > 3 || follows && !decimal {
			yield(Point{}, ErrDamaged)
			return
		}
		if !yield(p, nil) {
			return
		}
		d := newDecoder(r.b)
		var times, values ints
		var floats xor
		lastDelta := int64(0)
		for range n - 1 {
			if decimal {
				number += values.decode(d) * step
				p.V = float64(number) / pow10[places]
			} else {
				p.V = math.Float64frombits(math.Float64bits(p.V) ^ floats.decode(d))
			}
			if follows {
				lastDelta = times.decode(d) + millis(p.V)
			} else {
				lastDelta += times.decode(d)
			}
			p.T += lastDelta
			if d.bad {
				yield(Point{}, ErrDamaged)
				return
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// header reads the fixed part before the coded bits; bad is set when it ends too early.
type header struct {
	b   []byte
	bad bool
}

func (h *header) take(n int) {
	if n <= 0 || n > len(h.b) {
		h.bad, h.b = true, nil
		return
	}
	h.b = h.b[n:]
}

func (h *header) varint() int64 {
	v, n := binary.Varint(h.b)
	h.take(n)
	return v
}

func (h *header) uvarint() uint64 {
	v, n := binary.Uvarint(h.b)
	h.take(n)
	return v
}

func (h *header) byte() (v byte) {
	if len(h.b) > 0 {
		v = h.b[0]
	}
	h.take(1)
	return v
}

func (h *header) uint64() (v uint64) {
	if len(h.b) >= 8 {
		v = binary.LittleEndian.Uint64(h.b)
	}
	h.take(8)
	return v
}

// ints codes signed integers that are mostly small: how many bits (one adaptive yes/no per bit), then the bits.
type ints struct {
	length [2][65]bit // by whether the last one was 0
	top    [65]bit    // the bit under the leading one, by length
	last   int
}

func (m *ints) encode(e *encoder, v int64) {
	u := uint64(v<<1) ^ uint64(v>>63) // zigzag
	n := bits.Len64(u)
	ctx := &m.length[m.last]
	for i := range n {
		e.encode(&ctx[i], 1)
	}
	if n < 64 {
		e.encode(&ctx[n], 0)
	}
	m.last = min(n, 1)
	if n > 1 {
		e.encode(&m.top[n], int(u>>(n-2)&1))
		e.direct(u, n-2)
	}
}

func (m *ints) decode(d *decoder) int64 {
	n := 0
	ctx := &m.length[m.last]
	for n < 64 && d.decode(&ctx[n]) == 1 {
		n++
	}
	m.last = min(n, 1)
	u := uint64(0)
	switch {
	case n == 1:
		u = 1
	case n > 1:
		u = 2 | uint64(d.decode(&m.top[n]))
		u = u<<(n-2) | d.direct(n-2)
	}
	return int64(u>>1) ^ -int64(u&1)
}

// xor codes the XOR of neighbouring floats: whether they differ, where the differing bits begin and end, and those.
type xor struct {
	same        bit
	lead, trail [64]bit // two trees of 6 bits
}

func (m *xor) encode(e *encoder, x uint64) {
	if x == 0 {
		e.encode(&m.same, 1)
		return
	}
	e.encode(&m.same, 0)
	lead, trail := bits.LeadingZeros64(x), bits.TrailingZeros64(x)
	e.tree(m.lead[:], lead)
	e.tree(m.trail[:], trail)
	e.direct(x>>trail, 64-lead-trail)
}

func (m *xor) decode(d *decoder) uint64 {
	if d.decode(&m.same) == 1 {
		return 0
	}
	lead, trail := d.tree(m.lead[:]), d.tree(m.trail[:])
	if lead+trail > 63 {
		d.bad = true
		return 0
	}
	return d.direct(64-lead-trail) << trail
}
