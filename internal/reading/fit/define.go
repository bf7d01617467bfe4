package fit

import (
	"encoding/binary"
	"math"

	"doorstep/internal/reading/sample"
)

// definition is the layout of the messages of one local type.
type definition struct {
	number uint16
	big    bool // the byte order
	size   int  // of a message, developer fields included
	fields []field
	index  [256]uint8 // of a field number: its place in fields + 1
	clock  *field     // the timestamp
	plan   *plan
	told   []told // the plan's columns that the message has
}

// told is a column and its field.
type told struct {
	*column
	field field
	again bool // an earlier one is of the same series and detail
}

type field struct {
	offset int
	size   int
	base   base
}

// base is a field's type, without the bit that tells whether it has a byte order.
type base uint8

const (
	enum base = iota
	sint8
	uint8_
	sint16
	uint16_
	sint32
	uint32_
	text
	float32_
	float64_
	uint8z
	uint16z
	uint32z
	octets
	sint64
	uint64_
	uint64z
)

var sizes = [...]int{1, 1, 1, 2, 2, 4, 4, 1, 4, 8, 1, 2, 4, 1, 8, 8, 8}

// define reads a definition record.
func (r *Reader) define(local byte, developer bool) error {
	b, err := r.bytes(6)
	if err != nil {
		return err
	}
	n := int(b[5])
	size := 6 + 3*n
	if developer {
		if b, err = r.bytes(size + 1); err != nil {
			return err
		}
		size += 1 + 3*int(b[size])
	}
	if b, err = r.bytes(size); err != nil {
		return err
	}
	if b[2] > 1 {
		return sample.Refuse(r.offset, "the byte order is %d, want 0 or 1", b[2])
	}
	d := &definition{big: b[2] == 1, fields: make([]field, n)}
	if d.number = binary.LittleEndian.Uint16(b[3:]); d.big {
		d.number = binary.BigEndian.Uint16(b[3:])
	}
	for i := range d.fields {
		x := b[6+3*i:]
		f := field{d.size, int(x[1]), base(x[2] & 31)}
		if int(f.base) >= len(sizes) || f.size%sizes[f.base] != 0 {
			f.base = octets // a type of later versions, or not a whole number of elements: only its size is of use
		}
		d.fields[i] = f
		d.index[x[0]] = uint8(i + 1)
		d.size += f.size
	}
	if developer {
		for x := b[6+3*n+1:]; len(x) > 0; x = x[3:] {
			d.size += int(x[1])
		}
	}
	d.arrange()
	r.defs[local] = d
	r.follow(b)
	return nil
}

// arrange looks up where what is wanted of the message stands.
func (d *definition) arrange() {
	d.clock = d.at(fieldTime)
	d.plan = plans[d.number]
	if d.plan == nil {
		return
	}
	for i := range d.plan.columns {
		c := &d.plan.columns[i]
		f := d.at(c.field)
		if f == nil {
			continue
		}
		n := len(d.told)
		d.told = append(d.told, told{c, *f, n > 0 && d.told[n-1].series == c.series && d.told[n-1].detail == c.detail})
	}
}

// at answers a field's place in the message; nil when the message has none.
func (d *definition) at(number byte) *field {
	if i := d.index[number]; i > 0 {
		return &d.fields[i-1]
	}
	return nil
}

// Name answers what the profile calls the message; "" where this package does not know it.
func (m *Message) Name() string { return names[m.Number] }

// Len answers how many elements a field has; 0 when the message has none.
func (m *Message) Len(number byte) int {
	if f := m.def.at(number); f != nil {
		return f.size / sizes[f.base]
	}
	return 0
}

// Uint answers a field's first element as a whole number that is not negative; ok is false when it is absent or invalid.
func (m *Message) Uint(number byte) (v uint64, ok bool) {
	n, ok := m.Element(number, 0)
	return uint64(n), ok && n >= 0
}

// Bytes answers a field as it stands in the file, a part of the message.
func (m *Message) Bytes(number byte) []byte {
	if f := m.def.at(number); f != nil {
		return m.raw[f.offset : f.offset+f.size]
	}
	return nil
}

// Element answers the i-th element of a field as it stands in the file, without scale; ok is false when it is absent or
// invalid. Elements of 64 bits are exact to 2^53.
func (m *Message) Element(number byte, i int) (v float64, ok bool) {
	if f := m.def.at(number); f != nil {
		return m.element(f, i)
	}
	return 0, false
}

func (m *Message) element(f *field, i int) (v float64, ok bool) {
	width := sizes[f.base]
	if (i+1)*width > f.size {
		return 0, false
	}
	b := m.raw[f.offset+i*width:]
	switch f.base {
	case enum, uint8_, octets:
		return float64(b[0]), b[0] != 0xff
	case sint8:
		return float64(int8(b[0])), b[0] != 0x7f
	case uint8z:
		return float64(b[0]), b[0] != 0
	case sint16:
		u := m.def.u16(b)
		return float64(int16(u)), u != 0x7fff
	case uint16_:
		u := m.def.u16(b)
		return float64(u), u != 0xffff
	case uint16z:
		u := m.def.u16(b)
		return float64(u), u != 0
	case sint32:
		u := m.def.u32(b)
		return float64(int32(u)), u != 0x7fffffff
	case uint32_:
		u := m.def.u32(b)
		return float64(u), u != 0xffffffff
	case uint32z:
		u := m.def.u32(b)
		return float64(u), u != 0
	case float32_:
		v = float64(math.Float32frombits(m.def.u32(b)))
	case float64_:
		v = math.Float64frombits(m.def.u64(b))
	case sint64:
		u := m.def.u64(b)
		return float64(int64(u)), u != math.MaxInt64
	case uint64_:
		u := m.def.u64(b)
		return float64(u), u != math.MaxUint64
	case uint64z:
		u := m.def.u64(b)
		return float64(u), u != 0
	default: // text
		return 0, false
	}
	return v, !math.IsNaN(v) && !math.IsInf(v, 0)
}

func (d *definition) u16(b []byte) uint16 {
	if d.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (d *definition) u32(b []byte) uint32 {
	if d.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (d *definition) u64(b []byte) uint64 {
	if d.big {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}
