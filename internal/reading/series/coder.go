package series

// The adaptive binary range coder of LZMA (Igor Pavlov, public domain; carry handling after G. N. N. Martin 1979), with
// estimates that learn fast at first, because chunks are short.

// bit is the estimate of one yes/no: how likely 0 is, in 1/65536, and how often it was seen. The zero value knows nothing.
type bit struct {
	p    uint16 // 0 stands for one half
	seen uint8
}

// rates is by how much, in 1/65536, an estimate moves the n-th time: 1/(n+1.6), down to 1/40.
var rates = func() (r [40]uint32) {
	for i := range r {
		r[i] = uint32(65536 / (float64(i) + 1.6))
	}
	return r
}()

const least = 96 // an estimate never reaches certainty

func (b *bit) zero() uint32 {
	if b.p == 0 {
		return 1 << 15
	}
	return uint32(b.p)
}

func (b *bit) learn(v int) {
	p, rate := b.zero(), rates[b.seen]
	if v == 0 {
		p += (65536 - p) * rate >> 16
	} else {
		p -= p * rate >> 16
	}
	b.p = uint16(min(max(p, least), 65536-least))
	if int(b.seen) < len(rates)-1 {
		b.seen++
	}
}

type encoder struct {
	out   []byte
	from  int // where the coded bits begin in out
	low   uint64
	width uint32
	cache byte
	held  int  // bytes that wait for a carry: the cache, then 0xFF
	begun bool // the first byte, which is always 0, was left out
}

func newEncoder(prefix []byte) *encoder {
	return &encoder{out: prefix, from: len(prefix), width: 1<<32 - 1, held: 1}
}

func (e *encoder) encode(b *bit, v int) {
	bound := e.width >> 16 * b.zero()
	if v == 0 {
		e.width = bound
	} else {
		e.low += uint64(bound)
		e.width -= bound
	}
	b.learn(v)
	for e.width < 1<<24 {
		e.width <<= 8
		e.shift()
	}
}

// direct writes the lowest n bits of v as they are.
func (e *encoder) direct(v uint64, n int) {
	for n--; n >= 0; n-- {
		e.width >>= 1
		if v>>n&1 == 1 {
			e.low += uint64(e.width)
		}
		for e.width < 1<<24 {
			e.width <<= 8
			e.shift()
		}
	}
}

// tree writes a number below len(nodes), a power of two, bit by bit from the top, each in the light of those above.
func (e *encoder) tree(nodes []bit, v int) {
	at := 1
	for mask := len(nodes) >> 1; mask > 0; mask >>= 1 {
		b := 0
		if v&mask != 0 {
			b = 1
		}
		e.encode(&nodes[at], b)
		at = at<<1 | b
	}
}

func (e *encoder) shift() {
	if uint32(e.low) < 0xff000000 || e.low > 0xffffffff {
		carry := byte(e.low >> 32)
		for b := e.cache; e.held > 0; b = 0xff {
			if e.begun {
				e.out = append(e.out, b+carry)
			}
			e.begun = true
			e.held--
		}
		e.cache = byte(e.low >> 24)
	}
	e.held++
	e.low = e.low & 0x00ffffff << 8
}

// finish writes as few bytes as tell the last interval; the decoder reads zeros after the end.
func (e *encoder) finish() []byte {
	// Of the numbers in [low, low+width) the one with the most trailing zeros.
	top := e.low + uint64(e.width) - 1
	for bits := 32; bits >= 0; bits-- {
		if v := top >> bits << bits; v >= e.low {
			e.low = v
			break
		}
	}
	for range 5 {
		e.shift()
	}
	for len(e.out) > e.from && e.out[len(e.out)-1] == 0 {
		e.out = e.out[:len(e.out)-1]
	}
	return e.out
}

type decoder struct {
	in    []byte
	code  uint32
	width uint32
	bad   bool
}

func newDecoder(in []byte) *decoder {
	d := &decoder{in: in, width: 1<<32 - 1}
	for range 4 {
		d.code = d.code<<8 | d.next()
	}
	return d
}

func (d *decoder) next() uint32 {
	if len(d.in) == 0 {
		return 0
	}
	b := d.in[0]
	d.in = d.in[1:]
	return uint32(b)
}

func (d *decoder) decode(b *bit) (v int) {
	bound := d.width >> 16 * b.zero()
	if d.code < bound {
		d.width = bound
	} else {
		d.code -= bound
		d.width -= bound
		v = 1
	}
	b.learn(v)
	for d.width < 1<<24 {
		d.width <<= 8
		d.code = d.code<<8 | d.next()
	}
	return v
}

func (d *decoder) direct(n int) (v uint64) {
	for range n {
		d.width >>= 1
		bit := uint64(0)
		if d.code >= d.width {
			d.code -= d.width
			bit = 1
		}
		v = v<<1 | bit
		for d.width < 1<<24 {
			d.width <<= 8
			d.code = d.code<<8 | d.next()
		}
	}
	return v
}

func (d *decoder) tree(nodes []bit) int {
	at := 1
	for at < len(nodes) {
		at = at<<1 | d.decode(&nodes[at])
	}
	return at - len(nodes)
}
