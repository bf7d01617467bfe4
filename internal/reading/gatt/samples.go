package gatt

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"doorstep/internal/reading/sample"
)

// Read answers the samples of notifications of one characteristic: raw bytes of a single one, or lines of hex, one each. More
// than a megabyte is refused.
func Read(uuid string, r io.Reader, o sample.Options) sample.Seq {
	return func(yield func(sample.Sample, error) bool) {
		const most = 1 << 20
		b, err := io.ReadAll(io.LimitReader(r, most+1))
		if err != nil {
			yield(sample.Sample{}, err)
			return
		}
		if len(b) > most {
			yield(sample.Sample{}, sample.Refuse(most, "too long for notifications, the most is %d bytes", most))
			return
		}
		if !isHex(b) {
			one(uuid, b, 0, 0, o, yield)
			return
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, most+1)
		offset := int64(0)
		for n := 1; lines.Scan(); n++ {
			text := lines.Text()
			raw, err := Bytes(text)
			switch {
			case strings.TrimSpace(text) == "":
			case err != nil:
				if !yield(sample.Sample{}, &sample.Refusal{Offset: offset, Line: n, Reason: "it is not hex"}) {
					return
				}
			case !one(uuid, raw, offset, n, o, yield):
				return
			}
			offset += int64(len(lines.Bytes())) + 1
		}
	}
}

// isHex reports whether bytes are text of hex digits; a notification of such bytes alone is none that is known.
func isHex(b []byte) bool {
	for _, c := range b {
		if !strings.ContainsRune("0123456789abcdefABCDEFxX \t\r\n:-", rune(c)) {
			return false
		}
	}
	return len(b) > 1
}

// one yields the samples of a notification; false when the caller has had enough.
func one(uuid string, b []byte, offset int64, line int, o sample.Options, yield func(sample.Sample, error) bool) bool {
	m, err := Decode(uuid, b)
	if err != nil {
		return yield(sample.Sample{}, &sample.Refusal{Offset: offset, Line: line, Reason: strings.TrimPrefix(err.Error(), "gatt: ")})
	}
	o.Seen(strings.ToUpper(uuid))
	for _, s := range m.Samples(uuid, o) {
		if !yield(s, nil) {
			return false
		}
	}
	return true
}

// Samples answers the values, and those beside, as samples; RR intervals are one list.
func (m *Measurement) Samples(uuid string, o sample.Options) []sample.Sample {
	base := sample.Sample{Kind: strings.ToUpper(uuid), Source: "gatt", Notes: m.Notes()}
	if !m.Local.IsZero() {
		base.At, base.Zoneless = sample.Wall(m.Local, o.Location()), true
	}
	for _, place := range []string{m.Specimen, m.Site} {
		if place != "" {
			base.Notes = append(base.Notes, place)
		}
	}
	var out []sample.Sample
	var beats []float64
	for _, v := range append(m.Values[:len(m.Values):len(m.Values)], m.Beside...) {
		if v.Series == sample.RRInterval {
			beats = append(beats, v.Value)
			continue
		}
		s := base
		s.Series, s.Value, s.Unit, s.Decimals, s.Elapsed = v.Series, v.Value, v.Unit, v.Decimals, v.Elapsed
		if v.Detail != "" {
			s.Notes = append(base.Notes[:len(base.Notes):len(base.Notes)], v.Detail)
		}
		out = append(out, s)
	}
	if beats != nil {
		s := base
		s.Series, s.Values, s.Unit = sample.RRInterval, beats, "ms"
		out = append(out, s)
	}
	return out
}
