package gatt

import (
	"encoding/binary"
	"math"
	"time"
)

// reader reads little endian; short is set when the bytes end too early, odd when a value cannot be, unchecked when a check
// value does not fit. After the end it answers zeros.
type reader struct {
	b                     []byte
	short, odd, unchecked bool
}

func (r *reader) skip(n int) {
	if len(r.b) < n {
		r.short, r.b = true, nil
		return
	}
	r.b = r.b[n:]
}

func (r *reader) u8() byte {
	if len(r.b) < 1 {
		r.short = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) u16() uint16 {
	if len(r.b) < 2 {
		r.short, r.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint16(r.b)
	r.b = r.b[2:]
	return v
}

func (r *reader) u24() uint32 { return uint32(r.u16()) | uint32(r.u8())<<16 }
func (r *reader) u32() uint32 { return uint32(r.u16()) | uint32(r.u16())<<16 }

// dateTime reads year, month, day, h, m, s; zero when the device does not know.
func (r *reader) dateTime() time.Time {
	year, month, day := int(r.u16()), r.u8(), r.u8()
	h, m, s := r.u8(), r.u8(), r.u8()
	if year == 0 || month == 0 || day == 0 {
		return time.Time{}
	}
	if month > 12 || day > 31 || h > 23 || m > 59 || s > 59 {
		r.odd = true
		return time.Time{}
	}
	t := time.Date(year, time.Month(month), int(day), int(h), int(m), int(s), 0, time.UTC)
	if t.Day() != int(day) { // the 31st of a shorter month
		r.odd = true
	}
	return t
}

// number is a decimal as the device writes it; NaN and the infinities where it has none.
type number struct {
	v        float64
	decimals int
}

func whole(v uint16) number { return number{v: float64(v)} }

func (r *reader) sfloat() number {
	raw := r.u16()
	return number{SFloat(raw), max(0, -(int(int16(raw)) >> 12))}
}

func (r *reader) float() number {
	raw := r.u32()
	return number{Float(raw), max(0, -(int(int32(raw)) >> 24))}
}

// times multiplies by ten to the power, and takes off the noise of the binary float.
func (n number) times(power int) number {
	return number{math.Round(n.v*math.Pow10(power)*1e6) / 1e6, max(0, n.decimals-power)}
}

// add takes a value in, unless it is none.
func (m *Measurement) add(series string, n number, unit string) {
	if !math.IsNaN(n.v) && !math.IsInf(n.v, 0) {
		m.Values = append(m.Values, Value{Series: series, Value: n.v, Unit: unit, Decimals: n.decimals})
	}
}

// aside takes a value in beside the measurements, unless it is none.
func (m *Measurement) aside(series string, n number, unit, detail string) {
	if !math.IsNaN(n.v) && !math.IsInf(n.v, 0) {
		m.Beside = append(m.Beside, Value{Series: series, Value: n.v, Unit: unit, Decimals: n.decimals, Detail: detail})
	}
}

// SFloat reads IEEE 11073's 16-bit float: 4 bits exponent, 12 bits mantissa, both in two's complement.
func SFloat(raw uint16) float64 {
	switch raw {
	case 0x07ff, 0x0800, 0x0801: // NaN, not at this resolution, reserved
		return math.NaN()
	case 0x07fe:
		return math.Inf(1)
	case 0x0802:
		return math.Inf(-1)
	}
	return decimal(int64(int16(raw<<4)>>4), int(int16(raw)>>12))
}

// Float reads IEEE 11073's 32-bit float: 8 bits exponent, 24 bits mantissa.
func Float(raw uint32) float64 {
	switch raw {
	case 0x007fffff, 0x00800000, 0x00800001:
		return math.NaN()
	case 0x007ffffe:
		return math.Inf(1)
	case 0x00800002:
		return math.Inf(-1)
	}
	return decimal(int64(int32(raw<<8)>>8), int(int32(raw)>>24))
}

// decimal answers mantissa times ten to the exponent; dividing by a power of ten rounds once, as the decimal text would.
func decimal(mantissa int64, exponent int) float64 {
	if exponent < 0 {
		return float64(mantissa) / math.Pow10(-exponent)
	}
	return float64(mantissa) * math.Pow10(exponent)
}
