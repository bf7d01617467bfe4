package gatt

import (
	"time"

	"doorstep/internal/reading/sample"
)

// heartRate reads 2A37. RR intervals come oldest first, in 1/1024 s; the last ended now.
func (m *Measurement) heartRate(r *reader) {
	flags := r.u8()
	bpm := uint16(0)
	if flags&1 != 0 {
		bpm = r.u16()
	} else {
		bpm = uint16(r.u8())
	}
	if flags&4 != 0 {
		m.Contact = ContactLost + Contact(flags>>1&1)
	}
	if flags&8 != 0 {
		m.aside(sample.Energy, whole(r.u16()), "kJ", "since the sensor was reset")
	}
	if bpm > 0 { // 0 is a sensor without contact
		m.add(sample.HeartRate, whole(bpm), "/min")
	}
	if flags&16 == 0 {
		return
	}
	first := len(m.Values)
	for len(r.b) >= 2 {
		m.add(sample.RRInterval, number{v: float64(r.u16()) * 1000 / 1024}, "ms")
	}
	back := time.Duration(0)
	for i := len(m.Values) - 1; i >= first; i-- {
		m.Values[i].Back = back
		back += time.Duration(m.Values[i].Value * float64(time.Millisecond))
	}
	if len(r.b) == 1 {
		r.short = true
	}
}

var pressureStatus = []string{"body movement", "cuff too loose", "irregular pulse", "pulse above the device's range", "pulse below the device's range", "wrong position"}

// bloodPressure reads 2A35.
func (m *Measurement) bloodPressure(r *reader) {
	flags := r.u8()
	unit := "mm[Hg]"
	if flags&1 != 0 {
		unit = "kPa"
	}
	for _, series := range [...]string{sample.Systolic, sample.Diastolic, sample.MeanPressure} {
		n := r.sfloat()
		// No cuff shows a thousandth of a unit: this is a device that reckons the exponent with a bias.
		if n.v > 0 && n.v < 0.1 {
			r.odd = true
		}
		m.add(series, n, unit)
	}
	if flags&2 != 0 {
		m.Local = r.dateTime()
	}
	if flags&4 != 0 {
		m.add(sample.HeartRate, r.sfloat(), "/min")
	}
	if flags&8 != 0 {
		m.user(r.u8())
	}
	if flags&16 != 0 {
		m.status, m.names = uint64(r.u16()), pressureStatus
	}
}

// user keeps which of the device's people it was; 255 is nobody known.
func (m *Measurement) user(id byte) { m.User, m.HasUser = id, id != 0xff }

var oximeterStatus = []string{ // 16 bits of measurement, then 24 of device and sensor
	"", "", "", "", "", "measurement ongoing", "early estimate", "", "", "from storage", "demonstration data", "test data", "calibration ongoing", "", "", "",
	"", "equipment malfunction", "signal processing irregularity", "inadequate signal", "poor signal", "low perfusion", "erratic signal", "nonpulsatile signal",
	"questionable pulse", "signal analysis ongoing", "sensor interference", "sensor unconnected to the user", "unknown sensor connected", "sensor displaced", "sensor malfunctioning",
	"sensor disconnected",
}

// spot reads 2A5E.
func (m *Measurement) spot(r *reader) {
	flags := r.u8()
	m.oxygen(r)
	if flags&1 != 0 {
		m.Local = r.dateTime()
	}
	m.oximeterStatus(r, flags>>1)
	if flags&8 != 0 {
		m.aside(sample.PulseAmplitude, r.sfloat(), "%", "")
	}
	if flags&16 != 0 {
		m.Local = time.Time{} // the clock was not set
	}
}

// continuous reads 2A5F.
func (m *Measurement) continuous(r *reader) {
	flags := r.u8()
	m.oxygen(r)
	for i, speed := range [...]string{"fast", "slow"} {
		if flags&(1<<i) != 0 {
			m.aside(sample.OxygenSaturation, r.sfloat(), "%", speed)
			m.aside(sample.HeartRate, r.sfloat(), "/min", speed)
		}
	}
	m.oximeterStatus(r, flags>>2)
	if flags&16 != 0 {
		m.aside(sample.PulseAmplitude, r.sfloat(), "%", "")
	}
}

func (m *Measurement) oxygen(r *reader) {
	m.add(sample.OxygenSaturation, r.sfloat(), "%")
	m.add(sample.HeartRate, r.sfloat(), "/min")
}

// demonstration are the status bits of values that are nobody's.
const demonstration = 1<<10 | 1<<11

// oximeterStatus reads the status fields that flags' two lowest bits announce.
func (m *Measurement) oximeterStatus(r *reader, flags byte) {
	m.names = oximeterStatus
	if flags&1 != 0 {
		m.status |= uint64(r.u16())
	}
	if flags&2 != 0 {
		m.status |= uint64(r.u24()) << 16
	}
	if m.status&demonstration != 0 {
		m.Values, m.Beside = m.Values[:0], m.Beside[:0]
	}
}
