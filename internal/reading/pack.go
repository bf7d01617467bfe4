package reading

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"doorstep/internal/reading/series"
)

// errPacked is the answer to stored bytes that are not what was written.
var errPacked = errors.New("reading: stored samples are damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A batch in the arrival log is rows of varints: quick to write, and soon packed into chunks.

func appendSample(b []byte, s *Sample) []byte {
	text := func(t string) {
		b = append(b, byte(len(t)))
		b = append(b, t...)
	}
	text(s.Series)
	text(s.Unit)
	text(s.Device)
	at := s.At.UnixMilli()
	b = binary.AppendVarint(b, at)
	b = binary.AppendVarint(b, s.DeviceAt.UnixMilli()-at)
	b = binary.AppendVarint(b, s.Received.UnixMilli()-at)
	clock := int64(0)
	if !s.Clock.IsZero() {
		clock = s.Clock.UnixMilli()
	}
	b = binary.AppendVarint(b, clock)
	b = binary.AppendVarint(b, s.Seq)
	b = append(b, byte(s.Flags))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Value))
}

func packBatch(samples []Sample) []byte {
	b := make([]byte, 0, 80*len(samples)+4)
	for i := range samples {
		b = appendSample(b, &samples[i])
	}
	return sealed(b)
}

// sealed answers b with its checksum after it.
func sealed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// checked answers b without its checksum, if that is right.
func checked(b []byte) ([]byte, error) {
	end := len(b) - 4
	if end < 0 || crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return nil, errPacked
	}
	return b[:end], nil
}

func unpackBatch(b []byte) ([]Sample, error) {
	b, err := checked(b)
	if err != nil {
		return nil, err
	}
	r := cursor{b: b}
	var out []Sample
	for len(r.b) > 0 && !r.bad {
		s := Sample{Series: r.text(), Unit: r.text(), Device: r.text()}
		at := r.varint()
		s.At, s.DeviceAt, s.Received = milli(at), milli(at+r.varint()), milli(at+r.varint())
		if clock := r.varint(); clock != 0 {
			s.Clock = milli(clock)
		}
		s.Seq, s.Flags = r.varint(), Flags(r.take(1)[0])
		s.Value = math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
		out = append(out, s)
	}
	if r.bad {
		return nil, errPacked
	}
	return out, nil
}

func milli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// A chunk is the series codec's chunk (time and value), then a column of integers for each of the rest, then the names that
// units and devices are numbered by, then a checksum. Parts carry their length in front.

func packChunk(samples []Sample) ([]byte, error) {
	points := make([]series.Point, len(samples))
	columns := make([][]int64, 7)
	for i := range columns {
		columns[i] = make([]int64, len(samples))
	}
	var names []string
	number := map[string]int64{}
	name := func(s string) int64 {
		n, ok := number[s]
		if !ok {
			n = int64(len(names))
			names, number[s] = append(names, s), n
		}
		return n
	}
	for i := range samples {
		s := &samples[i]
		points[i] = series.Point{T: s.At.UnixMilli(), V: s.Value}
		columns[0][i] = s.Received.UnixMilli() - points[i].T
		columns[1][i] = s.DeviceAt.UnixMilli() - points[i].T
		if !s.Clock.IsZero() {
			columns[2][i], columns[3][i] = 1, s.Received.UnixMilli()-s.Clock.UnixMilli()
		}
		columns[4][i], columns[5][i] = s.Seq, int64(s.Flags)
		columns[6][i] = name(s.Unit)<<16 | name(s.Device)
	}
	chunk, err := series.Encode(points)
	if err != nil {
		return nil, err
	}
	b := appendPart(nil, chunk)
	for _, c := range columns {
		b = appendPart(b, series.EncodeInts(c))
	}
	for _, n := range names {
		b = appendPart(b, []byte(n))
	}
	return sealed(b), nil
}

func appendPart(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

func unpackChunk(b []byte, seriesName string) ([]Sample, error) {
	b, err := checked(b)
	if err != nil {
		return nil, err
	}
	r := cursor{b: b}
	points, err := series.Decode(r.part())
	if err != nil {
		return nil, err
	}
	columns := make([][]int64, 7)
	for i := range columns {
		if columns[i], err = series.DecodeInts(r.part()); err != nil || len(columns[i]) != len(points) {
			return nil, errPacked
		}
	}
	var names []string
	for len(r.b) > 0 && !r.bad {
		names = append(names, string(r.part()))
	}
	out := make([]Sample, len(points))
	for i, p := range points {
		unit, device := columns[6][i]>>16, columns[6][i]&0xffff
		if r.bad || unit < 0 || unit >= int64(len(names)) || device >= int64(len(names)) {
			return nil, errPacked
		}
		out[i] = Sample{At: milli(p.T), Received: milli(p.T + columns[0][i]), DeviceAt: milli(p.T + columns[1][i]), Series: seriesName,
			Value: p.V, Unit: names[unit], Device: names[device], Seq: columns[4][i], Flags: Flags(columns[5][i])}
		if columns[2][i] == 1 {
			out[i].Clock = out[i].Received.Add(-time.Duration(columns[3][i]) * time.Millisecond)
		}
	}
	return out, nil
}

// cursor reads packed bytes; bad is set when they end too early.
type cursor struct {
	b   []byte
	bad bool
}

// take answers the next n bytes; zeros when there are not so many.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.bad, c.b = true, nil
		return make([]byte, min(max(n, 0), 255))
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) text() string { return string(c.take(int(c.take(1)[0]))) }

func (c *cursor) part() []byte {
	n, used := binary.Uvarint(c.b)
	if used <= 0 || n > uint64(len(c.b)-used) {
		c.bad, c.b = true, nil
		return nil
	}
	c.b = c.b[used:]
	return c.take(int(n))
}
