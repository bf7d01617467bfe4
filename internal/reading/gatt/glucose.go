package gatt

import (
	"time"

	"doorstep/internal/reading/sample"
)

var (
	specimens = [...]string{"", "capillary whole blood", "capillary plasma", "venous whole blood", "venous plasma", "arterial whole blood", "arterial plasma",
		"undetermined whole blood", "undetermined plasma", "interstitial fluid", "control solution"}
	sites = [...]string{"", "finger", "alternate site", "earlobe", "control solution"}

	glucoseStatus = []string{"battery low", "sensor malfunction", "sample too small", "strip insertion error", "strip type incorrect", "above the sensor's range",
		"below the sensor's range", "sensor too hot", "sensor too cold", "read interrupted", "general device fault", "time fault"}
)

// sited reads a byte of type (low half) and location (high half).
func (m *Measurement) sited(b byte) {
	if k := int(b & 15); k < len(specimens) {
		m.Specimen = specimens[k]
	}
	if k := int(b >> 4); k < len(sites) {
		m.Site = sites[k]
	}
}

// glucose reads 2A18: kg/L come out as mg/dL, mol/L as mmol/L. Of a control solution nothing is a person's value.
func (m *Measurement) glucose(r *reader) {
	flags := r.u8()
	m.Seq, m.HasSeq = int64(r.u16()), true
	m.Local = r.dateTime()
	if flags&1 != 0 {
		if offset := time.Duration(int16(r.u16())) * time.Minute; !m.Local.IsZero() {
			m.Local = m.Local.Add(offset)
		}
	}
	if flags&2 != 0 {
		n := r.sfloat()
		switch m.sited(r.u8()); {
		case m.Specimen == "control solution" || m.Site == "control solution":
		case flags&4 != 0:
			m.add(sample.BloodGlucoseMol, n.times(3), "mmol/L")
		default:
			m.add(sample.BloodGlucose, n.times(5), "mg/dL")
		}
	}
	if flags&8 != 0 {
		m.status, m.names = uint64(r.u16()), glucoseStatus
	}
	m.ContextFollows = flags&16 != 0
}

var (
	carbohydrates = [...]string{"", "breakfast", "lunch", "dinner", "snack", "drink", "supper", "brunch"}
	meals         = [...]string{"", "before a meal", "after a meal", "fasting", "no meal near", "bedtime"}
	medications   = [...]string{"", "insulin, rapid acting", "insulin, short acting", "insulin, intermediate acting", "insulin, long acting", "insulin, pre-mixed"}
	health        = []string{"", "minor health issues", "major health issues", "during menses", "under stress"}
)

// glucoseContext reads 2A34: what the person ate, took and did around the 2A18 with the same Seq.
func (m *Measurement) glucoseContext(r *reader) {
	flags := r.u8()
	m.Seq, m.HasSeq = int64(r.u16()), true
	if flags&128 != 0 {
		r.u8() // extended flags, all reserved
	}
	if flags&1 != 0 {
		id, n := int(r.u8()), r.sfloat()
		m.aside(sample.Carbohydrates, n.times(3), "g", name(carbohydrates[:], id))
	}
	if flags&2 != 0 {
		m.Meal = name(meals[:], int(r.u8()))
	}
	if flags&4 != 0 {
		if h := r.u8() >> 4; int(h) < len(health) {
			m.status, m.names = 1<<h, health
		}
	}
	if flags&8 != 0 {
		seconds := r.u16()
		r.u8() // intensity in percent
		if seconds != 0xffff {
			m.aside(sample.Exercise, whole(seconds), "s", "")
		}
	}
	if flags&16 != 0 {
		id, n := name(medications[:], int(r.u8())), r.sfloat()
		if flags&32 != 0 {
			m.aside(sample.Medication, n.times(3), "mL", id)
		} else {
			m.aside(sample.Medication, n.times(6), "mg", id)
		}
	}
	if flags&64 != 0 {
		m.add(sample.HbA1c, r.sfloat(), "%")
	}
}

func name(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

var continuousStatus = []string{ // status, calibration and temperature, warning: 8 bits each
	"session stopped", "battery low", "sensor type incorrect", "sensor malfunction", "device alert", "general device fault", "", "",
	"time is to be set", "calibration not allowed", "calibration recommended", "calibration required", "sensor too hot", "sensor too cold", "", "",
	"below the person's low level", "above the person's high level", "below the hypo level", "above the hyper level", "falling fast", "rising fast",
	"below the sensor's range", "above the sensor's range",
}

// continuousGlucose reads 2AA7: one or more records, each with its size first; times are minutes since the session began
// (2AAA). A record with two bytes more than its flags announce ends with the E2E check value.
func (m *Measurement) continuousGlucose(r *reader) {
	m.names = continuousStatus
	if len(r.b) == 0 {
		r.short = true
	}
	for len(r.b) > 0 {
		record := r.b
		size := int(record[0])
		if size < 6 {
			r.odd = true
			return
		}
		if r.skip(size); r.short {
			return
		}
		m.glucoseRecord(&reader{b: record[1:size]}, record[:size], r)
	}
	if n := len(m.Values); n > 0 { // the last one is of now
		for i := range m.Values {
			m.Values[i].Back = max(0, m.Values[n-1].Elapsed-m.Values[i].Elapsed)
		}
	}
}

// glucoseRecord reads one record behind its size; what is wrong is said in r.
func (m *Measurement) glucoseRecord(in *reader, whole []byte, r *reader) {
	flags := in.u8()
	n, elapsed := in.sfloat(), time.Duration(in.u16())*time.Minute
	for i, bit := range [...]byte{128, 64, 32} {
		if flags&bit != 0 {
			m.status |= uint64(in.u8()) << (8 * i)
		}
	}
	values, beside := len(m.Values), len(m.Beside)
	m.add(sample.TissueGlucose, n, "mg/dL")
	if flags&1 != 0 {
		m.aside(sample.GlucoseTrend, in.sfloat(), "mg/dL/min", "")
	}
	if flags&2 != 0 {
		m.aside(sample.GlucoseQuality, in.sfloat(), "%", "")
	}
	for i := values; i < len(m.Values); i++ {
		m.Values[i].Elapsed = elapsed
	}
	for i := beside; i < len(m.Beside); i++ {
		m.Beside[i].Elapsed = elapsed
	}
	if len(in.b) == 2 && in.u16() != crc(whole[:len(whole)-2]) {
		r.unchecked = true
	}
	r.short = r.short || in.short
}

// crc is the E2E check value of the continuous glucose profile: CRC-16-CCITT, reflected, beginning with all ones.
func crc(b []byte) uint16 {
	c := uint16(0xffff)
	for _, x := range b {
		c ^= uint16(x)
		for range 8 {
			if c&1 != 0 {
				c = c>>1 ^ 0x8408
			} else {
				c >>= 1
			}
		}
	}
	return c
}
