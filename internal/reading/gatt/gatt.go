// Package gatt decodes the health characteristics of Bluetooth GATT: heart rate (2A37), blood pressure (2A35), glucose (2A18) and
// its context (2A34), weight (2A9D), temperature (2A1C), pulse oximeter spot (2A5E) and continuous (2A5F), continuous glucose (2AA7).
//
// Its promise: a value that the device marks as absent (NaN, "measurement unsuccessful") is left out, never a number; bytes
// that end too early are an error. Source: the GATT Specification Supplement; SFLOAT and FLOAT are IEEE 11073-20601, with
// exponents in two's complement (some libraries take a bias: real captures contradict them). The package is pure; a Measurement
// that is used again for the next notification makes no garbage.
package gatt

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// Value is one measured value of a notification.
type Value struct {
	Series   string  // LOINC, or a name of the package sample
	Value    float64 //
	Unit     string  // UCUM
	Decimals int     // decimal places that the device showed
	// Back is how long before the notification an RR interval ended, or how long before the last of several continuous glucose
	// values one was measured; 0 for all else.
	Back time.Duration
	// Elapsed is how long after the beginning of its session a continuous glucose value was measured; 0 for all else.
	Elapsed time.Duration
	Detail  string // which of several it is: "fast", "slow"; what was taken: "insulin, rapid acting"
}

// Measurement is a decoded notification. Its zero value is ready for Decode.
type Measurement struct {
	Values []Value
	// Beside are values that come along and are no measurement of their own: height and body mass index of a scale's user, energy,
	// the oximeter's fast and slow averages, pulse amplitude, the trend and quality of glucose.
	Beside []Value
	// Local is the device's wall-clock time of measurement, as if in UTC; zero when it told none. It has no zone.
	Local  time.Time
	Seq    int64 // glucose and its context: the record's sequence number
	HasSeq bool

	User           uint8 // of a device of several people, meaningful when HasUser
	HasUser        bool
	Specimen, Site string // glucose: what was tested; glucose and temperature: where it was taken
	Meal           string // glucose context
	ContextFollows bool   // glucose: a 2A34 with the same Seq comes next
	Contact        Contact

	status uint64 // the characteristic's status bits
	names  []string
}

// Contact is whether a heart rate sensor lies on skin.
type Contact uint8

const (
	ContactUnknown Contact = iota // the sensor cannot tell
	ContactLost
	ContactGood
)

// Errors of Decode.
var (
	ErrShort   = errors.New("gatt: the bytes end too early")
	ErrUnknown = errors.New("gatt: the characteristic is not known")
	ErrRange   = errors.New("gatt: the value cannot be")
	ErrCheck   = errors.New("gatt: the check value does not fit")
	ErrHex     = errors.New("gatt: it is not hex")
)

// characteristic answers the number of a 16-bit UUID in hex, as "2A37" or in the Bluetooth base UUID; 0 when it is neither.
func characteristic(uuid string) uint16 {
	const base = "-0000-1000-8000-00805f9b34fb"
	if len(uuid) == 8+len(base) && strings.EqualFold(uuid[8:], base) && uuid[:4] == "0000" {
		uuid = uuid[4:8]
	}
	if len(uuid) != 4 {
		return 0
	}
	n := uint16(0)
	for i := range 4 {
		c := uuid[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0
		}
		n = n<<4 | uint16(c)
	}
	return n
}

// Known reports whether a characteristic, by its 16-bit UUID in hex, can be decoded.
func Known(uuid string) bool {
	switch characteristic(uuid) {
	case 0x2a37, 0x2a35, 0x2a18, 0x2a34, 0x2a9d, 0x2a1c, 0x2a5e, 0x2a5f, 0x2aa7:
		return true
	}
	return false
}

// Decode reads a characteristic's bytes: one of ErrUnknown, ErrShort, ErrRange, ErrCheck where it cannot.
func Decode(uuid string, b []byte) (Measurement, error) {
	var m Measurement
	if err := m.Decode(uuid, b); err != nil {
		return Measurement{}, err
	}
	return m, nil
}

// Decode is Decode into a Measurement whose room is used again; what it held before is gone, also after an error.
func (m *Measurement) Decode(uuid string, b []byte) error {
	*m = Measurement{Values: m.Values[:0], Beside: m.Beside[:0]}
	r := reader{b: b}
	switch characteristic(uuid) {
	case 0x2a37:
		m.heartRate(&r)
	case 0x2a35:
		m.bloodPressure(&r)
	case 0x2a18:
		m.glucose(&r)
	case 0x2a34:
		m.glucoseContext(&r)
	case 0x2a9d:
		m.weight(&r)
	case 0x2a1c:
		m.temperature(&r)
	case 0x2a5e:
		m.spot(&r)
	case 0x2a5f:
		m.continuous(&r)
	case 0x2aa7:
		m.continuousGlucose(&r)
	default:
		return ErrUnknown
	}
	switch {
	case r.short:
		return ErrShort
	case r.odd:
		return ErrRange
	case r.unchecked:
		return ErrCheck
	}
	return nil
}

// DecodeHex is Decode of hex text, with or without spaces, colons and "0x".
func DecodeHex(uuid, text string) (Measurement, error) {
	b, err := Bytes(text)
	if err != nil {
		return Measurement{}, err
	}
	return Decode(uuid, b)
}

// Bytes reads hex text, with or without spaces, colons, dashes and "0x"; ErrHex where it is none.
func Bytes(text string) ([]byte, error) {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n:-", r) {
			return -1
		}
		return r
	}, text)
	b, err := hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X"))
	if err != nil {
		return nil, ErrHex
	}
	return b, nil
}

// Notes answers what the device says about the measurement, in words: "irregular pulse", "low perfusion".
func (m *Measurement) Notes() []string {
	var out []string
	for i, name := range m.names {
		if m.status&(1<<i) != 0 && name != "" {
			out = append(out, name)
		}
	}
	if m.Contact == ContactLost {
		out = append(out, "no skin contact")
	}
	if m.Meal != "" {
		out = append(out, m.Meal)
	}
	return out
}
