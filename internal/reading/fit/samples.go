package fit

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"doorstep/internal/reading/sample"
)

// Read answers what the messages of health tell: record, hrv, hr, weight_scale, blood_pressure, monitoring, stress_level,
// sleep_level, spo2_data, respiration_rate, hrv_status_summary, hrv_value. Positions and altitude are left out. Times are UTC;
// zero where the device counted from its switching on.
func Read(r io.Reader, o sample.Options) sample.Seq {
	return func(yield func(sample.Sample, error) bool) {
		in := NewReader(r)
		s := state{yield: yield}
		for {
			m, err := in.Next()
			if err == io.EOF {
				return
			}
			var refusal *sample.Refusal
			if err != nil {
				if !yield(sample.Sample{}, err) || !errors.As(err, &refusal) {
					return
				}
				continue
			}
			if o.Item != nil {
				o.Item(m.kind())
			}
			if m.File != s.file {
				s = state{yield: yield, file: m.File}
			}
			if !s.message(m) {
				return
			}
		}
	}
}

// kind answers the message's name, or its number.
func (m *Message) kind() string {
	if name := m.Name(); name != "" {
		return name
	}
	return fmt.Sprintf("message %d", m.Number)
}

// state is what a message needs to know of those before it in its file.
type state struct {
	yield  func(sample.Sample, error) bool
	file   int
	source string

	minutes  uint32        // monitoring: the latest time
	last     uint32        // the latest time of any message
	beats    time.Duration // hrv: since then
	distance uint32        // record: compressed, in 1/16 m
	travels  bool

	anchor    uint32    // hr: event time in 1/1024 s …
	anchored  time.Time // … and when that was
	event     uint32
	hasAnchor bool
}

// moment answers the time of seconds since Epoch; of those since the device was switched on, zero and how long.
func moment(seconds uint32) (at time.Time, elapsed time.Duration) {
	if seconds < relative {
		return time.Time{}, time.Duration(seconds) * time.Second
	}
	return time.Unix(Epoch+int64(seconds), 0).UTC(), 0
}

// message yields a message's samples; false when the caller has had enough.
func (s *state) message(m *Message) bool {
	if m.Seconds != 0 && m.Seconds != s.last {
		s.last, s.beats = m.Seconds, 0
	}
	if m.Seconds != 0 {
		s.minutes = m.Seconds
	}
	p := m.def.plan
	if p == nil {
		return true
	}
	base := sample.Sample{Source: s.source, Kind: p.kind}
	base.At, base.Elapsed = moment(m.Seconds)
	switch m.Number {
	case fileID:
		s.source = m.source()
		return true
	case hrv:
		return s.intervals(m, base)
	case hr:
		return s.heart(m, base)
	case sleepLevel:
		return s.stage(m, base)
	case stress:
		if v, ok := m.Element(0, 0); !ok || v < 0 { // negative: could not be told
			return true
		}
		if t, ok := m.Uint(1); ok {
			base.At, base.Elapsed = moment(uint32(t))
		}
	case monitoring:
		if !s.steps(m, &base) {
			return false
		}
	case record:
		if !s.compressed(m, base) {
			return false
		}
	case weightScale:
		if user, ok := m.Uint(12); ok {
			base.Notes = []string{fmt.Sprintf("user %d of the device", user)}
		}
	case pressure:
		if status, ok := m.Uint(8); ok && status > 0 && int(status) < len(pressureStatus) {
			base.Notes = []string{pressureStatus[status]}
		}
	}
	return s.columns(m, base)
}

var pressureStatus = [...]string{"", "incomplete data", "no measurement", "out of the device's range", "irregular pulse"}

// calculating is the weight of a scale that has not settled.
const calculating = 0xfffe

// columns yields the fields that are samples by themselves. Zero is a sensor without contact where no body shows zero.
func (s *state) columns(m *Message, base sample.Sample) bool {
	had := false
	for i := range m.def.told {
		c := &m.def.told[i]
		if c.again && had {
			continue // the finer one had a value
		}
		v, ok := m.element(&c.field, 0)
		if had = ok && v >= 0; !had || v == 0 && (c.series == sample.HeartRate || c.series == sample.OxygenSaturation) {
			continue
		}
		if v == calculating && m.Number == weightScale && c.series == sample.Weight {
			continue
		}
		base.Series, base.Value, base.Unit, base.Decimals = c.series, v/c.scale, c.unit, c.decimals
		notes := base.Notes
		if c.detail != "" {
			base.Notes = details[c.detail]
		}
		if !s.yield(base, nil) {
			return false
		}
		base.Notes = notes
	}
	return true
}

// source names the device of file_id: maker, product, serial number.
func (m *Message) source() string {
	var parts []string
	if maker, ok := m.Uint(1); ok {
		name, known := makers[maker]
		if !known {
			name = fmt.Sprintf("manufacturer %d", maker)
		}
		parts = append(parts, name)
	}
	if product, ok := m.Uint(2); ok {
		parts = append(parts, fmt.Sprintf("product %d", product))
	}
	if serial, ok := m.Uint(3); ok {
		parts = append(parts, fmt.Sprintf("serial %d", serial))
	}
	return strings.Join(parts, " ")
}

// intervals yields the RR intervals of an hrv message in ms, oldest first. The message has no time: its beats are laid one
// after the other from the latest time of the file.
func (s *state) intervals(m *Message, base sample.Sample) bool {
	var list []float64
	for i := range m.Len(0) {
		if v, ok := m.Element(0, i); ok {
			list = append(list, v)
			s.beats += time.Duration(v) * time.Millisecond
		}
	}
	if list == nil {
		return true
	}
	if base.At, base.Elapsed = moment(s.last); base.At.IsZero() {
		base.Elapsed += s.beats
	} else {
		base.At = base.At.Add(s.beats)
	}
	base.Series, base.Unit, base.Values = sample.RRInterval, "ms", list
	return s.yield(base, nil)
}

// heart yields the heart rate at each beat of an hr message. Beats are told by the strap's own clock, in 1/1024 s: whole, or
// the lowest 12 bits of it; a message with a timestamp ties that clock to the time.
func (s *state) heart(m *Message, base sample.Sample) bool {
	n := 0
	beat := func(event uint32) bool {
		s.event = event
		v, ok := m.Element(6, n)
		n++
		if !ok || v == 0 {
			return true
		}
		out := base
		out.Series, out.Value, out.Unit = sample.HeartRate, v, "/min"
		if out.At, out.Elapsed = (time.Time{}), time.Duration(event)*time.Second/1024; s.hasAnchor {
			out.Elapsed = 0
			out.At = s.anchored.Add(time.Duration(int32(event-s.anchor)) * time.Second / 1024)
		}
		return s.yield(out, nil)
	}
	for i := range m.Len(9) {
		v, ok := m.Element(9, i)
		if !ok {
			continue
		}
		if i == 0 && !base.At.IsZero() {
			s.anchor, s.anchored, s.hasAnchor = uint32(v), base.At, true
			if part, ok := m.Element(0, 0); ok {
				s.anchored = s.anchored.Add(time.Duration(part) * time.Second / 32768)
			}
		}
		if !beat(uint32(v)) {
			return false
		}
	}
	packed := m.Bytes(10)
	for i := range len(packed) * 2 / 3 {
		b := packed[i/2*3:]
		low := uint32(b[0]) | uint32(b[1]&15)<<8
		if i%2 == 1 {
			low = uint32(b[1]>>4) | uint32(b[2])<<4
		}
		if n >= m.Len(6) {
			break
		}
		if !beat(s.event + (low-s.event)&0xfff) {
			return false
		}
	}
	return true
}

// stage yields a sleep stage, a word.
func (s *state) stage(m *Message, base sample.Sample) bool {
	level, ok := m.Uint(0)
	if !ok || level >= uint64(len(sleepLevels)) {
		return true
	}
	base.Series, base.Text = sample.SleepStage, sleepLevels[level]
	return s.yield(base, nil)
}

// steps yields the steps since midnight of a monitoring message, and puts the time of base right where the message tells only
// the lowest 16 bits of it.
func (s *state) steps(m *Message, base *sample.Sample) bool {
	if low, ok := m.Uint(26); ok && m.Seconds == 0 && s.minutes != 0 {
		s.minutes += (uint32(low) - s.minutes) & 0xffff
		base.At, base.Elapsed = moment(s.minutes)
	}
	activity, ok := m.Uint(5)
	if !ok {
		if both, ok := m.Uint(24); ok {
			activity = both & 31
		}
	}
	if activity != 6 && activity != 1 {
		return true
	}
	cycles, ok := m.Element(3, 0)
	if !ok {
		if cycles, ok = m.Element(9, 0); !ok {
			return true
		}
	}
	out := *base
	out.Series, out.Value, out.Unit, out.Notes = sample.Steps, cycles, "{steps}", afoot[activity == 1]
	return s.yield(out, nil)
}

// afoot are the notes of steps: walking, or running (true).
var afoot = map[bool][]string{false: {"walking, since midnight"}, true: {"running, since midnight"}}

// compressed yields speed and distance of a record that holds both in three bytes: 12 bits of 1/100 m/s, 12 bits of 1/16 m that
// count up and turn over.
func (s *state) compressed(m *Message, base sample.Sample) bool {
	b := m.Bytes(8)
	if len(b) != 3 || b[0] == 0xff && b[1] == 0xff && b[2] == 0xff {
		return true
	}
	speed, low := uint32(b[0])|uint32(b[1]&15)<<8, uint32(b[1]>>4)|uint32(b[2])<<4
	if s.travels {
		s.distance += (low - s.distance) & 0xfff
	} else {
		s.distance, s.travels = low, true
	}
	base.Series, base.Value, base.Unit, base.Decimals = sample.Speed, float64(speed)/100, "m/s", 2
	if !s.yield(base, nil) {
		return false
	}
	base.Series, base.Value, base.Unit, base.Decimals = sample.Distance, float64(s.distance)/16, "m", 0
	return s.yield(base, nil)
}
