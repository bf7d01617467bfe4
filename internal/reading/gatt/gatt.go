// Package gatt decodes the health characteristics of Bluetooth GATT: heart rate (2A37), blood pressure (2A35), glucose
// (2A18), weight (2A9D), temperature (2A1C), pulse oximeter spot (2A5E) and continuous (2A5F).
//
// Its promise: a value that the device marks as absent (NaN, "measurement unsuccessful") is left out, never a number; bytes
// that end too early are an error. Source: the GATT Specification Supplement; SFLOAT and FLOAT are IEEE 11073-20601, with
// exponents in two's complement (some libraries take a bias: real captures contradict them). The package is pure.
package gatt

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"time"
)

// Value is one measured value of a notification.
type Value struct {
	Series string  // LOINC
	Value  float64 //
	Unit   string  // UCUM
	// Back is how long before the notification's end an RR interval ended; 0 for all else.
	Back time.Duration
}

// Measurement is a decoded notification.
type Measurement struct {
	Values []Value
	// Local is the device's wall-clock time of measurement, as if in UTC; zero when it told none. It has no zone.
	Local  time.Time
	Seq    int64 // glucose: the record's sequence number
	HasSeq bool
}

// Errors of Decode.
var (
	ErrShort   = errors.New("gatt: the bytes end too early")
	ErrUnknown = errors.New("gatt: the characteristic is not known")
	ErrRange   = errors.New("gatt: the value cannot be")
)

var decoders = map[string]func(*bytes) Measurement{
	"2A37": heartRate, "2A35": bloodPressure, "2A18": glucose, "2A9D": weight, "2A1C": temperature, "2A5E": spot, "2A5F": continuous,
}

// Known reports whether a characteristic, by its 16-bit UUID in hex, can be decoded.
func Known(uuid string) bool { return decoders[strings.ToUpper(uuid)] != nil }

// Decode reads a characteristic's bytes.
func Decode(uuid string, b []byte) (Measurement, error) {
	decode := decoders[strings.ToUpper(uuid)]
	if decode == nil {
		return Measurement{}, ErrUnknown
	}
	r := &bytes{b: b}
	m := decode(r)
	if r.short {
		return Measurement{}, ErrShort
	}
	if r.odd {
		return Measurement{}, ErrRange
	}
	return m, nil
}

// DecodeHex is Decode of hex text.
func DecodeHex(uuid, text string) (Measurement, error) {
	b, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return Measurement{}, errors.New("gatt: it is not hex")
	}
	return Decode(uuid, b)
}

func heartRate(r *bytes) Measurement {
	var m Measurement
	flags := r.u8()
	bpm := float64(0)
	if flags&1 != 0 {
		bpm = float64(r.u16())
	} else {
		bpm = float64(r.u8())
	}
	if flags&8 != 0 {
		r.u16() // energy
	}
	if bpm > 0 { // 0 is a sensor without contact
		m.add("8867-4", bpm, "/min")
	}
	if flags&16 == 0 {
		return m
	}
	first := len(m.Values)
	for len(r.b) >= 2 {
		m.add("8637-1", float64(r.u16())*1000/1024, "ms")
	}
	back := time.Duration(0)
	for i := len(m.Values) - 1; i >= first; i-- { // oldest first: the last one ended now
		m.Values[i].Back = back
		back += time.Duration(m.Values[i].Value * float64(time.Millisecond))
	}
	if len(r.b) == 1 {
		r.short = true
	}
	return m
}

func bloodPressure(r *bytes) Measurement {
	var m Measurement
	flags := r.u8()
	unit := "mm[Hg]"
	if flags&1 != 0 {
		unit = "kPa"
	}
	for _, series := range []string{"8480-6", "8462-4", "8478-0"} {
		v := r.sfloat()
		// No cuff shows a thousandth of a unit: this is a device that reckons the exponent with a bias.
		if v > 0 && v < 0.1 {
			r.odd = true
		}
		m.add(series, v, unit)
	}
	if flags&2 != 0 {
		m.Local = r.dateTime()
	}
	if flags&4 != 0 {
		m.add("8867-4", r.sfloat(), "/min")
	}
	if flags&8 != 0 {
		r.u8() // user
	}
	if flags&16 != 0 {
		r.u16() // status
	}
	return m
}

func glucose(r *bytes) Measurement {
	var m Measurement
	flags := r.u8()
	m.Seq, m.HasSeq = int64(r.u16()), true
	m.Local = r.dateTime()
	if flags&1 != 0 {
		if offset := time.Duration(int16(r.u16())) * time.Minute; !m.Local.IsZero() {
			m.Local = m.Local.Add(offset)
		}
	}
	if flags&2 != 0 {
		v := r.sfloat()
		r.u8() // type and location
		if flags&4 != 0 {
			m.add("15074-8", scaled(v, 1e3), "mmol/L")
		} else {
			m.add("2339-0", scaled(v, 1e5), "mg/dL")
		}
	}
	if flags&8 != 0 {
		r.u16() // status
	}
	return m
}

// scaled multiplies a decimal that came as a float, and takes off the noise of it.
func scaled(v, by float64) float64 { return math.Round(v*by*1e6) / 1e6 }

func weight(r *bytes) Measurement {
	var m Measurement
	flags := r.u8()
	raw := r.u16()
	if raw != 0xffff { // measurement unsuccessful
		if flags&1 != 0 {
			m.add("29463-7", float64(raw)/100, "[lb_av]")
		} else {
			m.add("29463-7", float64(raw)/200, "kg")
		}
	}
	if flags&2 != 0 {
		m.Local = r.dateTime()
	}
	if flags&4 != 0 {
		r.u8() // user
	}
	if flags&8 != 0 {
		r.u16() // body mass index
		r.u16() // height
	}
	return m
}

func temperature(r *bytes) Measurement {
	var m Measurement
	flags := r.u8()
	unit := "Cel"
	if flags&1 != 0 {
		unit = "[degF]"
	}
	m.add("8310-5", r.float(), unit)
	if flags&2 != 0 {
		m.Local = r.dateTime()
	}
	if flags&4 != 0 {
		r.u8() // where it was taken
	}
	return m
}

func spot(r *bytes) Measurement {
	var m Measurement
	flags := r.u8()
	m.add("59408-5", r.sfloat(), "%")
	m.add("8867-4", r.sfloat(), "/min")
	if flags&1 != 0 {
		if m.Local = r.dateTime(); flags&16 != 0 {
			m.Local = time.Time{} // the clock was not set
		}
	}
	return m
}

func continuous(r *bytes) Measurement {
	var m Measurement
	r.u8()
	m.add("59408-5", r.sfloat(), "%")
	m.add("8867-4", r.sfloat(), "/min")
	return m
}

// add takes a value in, unless it is none.
func (m *Measurement) add(series string, v float64, unit string) {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		m.Values = append(m.Values, Value{Series: series, Value: v, Unit: unit})
	}
}

// bytes reads little endian; short is set when they end too early, odd when a value cannot be.
type bytes struct {
	b          []byte
	short, odd bool
}

func (r *bytes) take(n int) []byte {
	if len(r.b) < n {
		r.short, r.b = true, nil
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *bytes) u8() byte    { return r.take(1)[0] }
func (r *bytes) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }

func (r *bytes) sfloat() float64 { return SFloat(r.u16()) }
func (r *bytes) float() float64  { return Float(binary.LittleEndian.Uint32(r.take(4))) }

// dateTime reads year, month, day, h, m, s; zero when the device does not know.
func (r *bytes) dateTime() time.Time {
	year := int(r.u16())
	d := r.take(5)
	if year == 0 || d[0] == 0 || d[1] == 0 {
		return time.Time{}
	}
	t := time.Date(year, time.Month(d[0]), int(d[1]), int(d[2]), int(d[3]), int(d[4]), 0, time.UTC)
	if t.Month() != time.Month(d[0]) || t.Day() != int(d[1]) || d[2] > 23 || d[3] > 59 || d[4] > 59 {
		r.odd = true
	}
	return t
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
