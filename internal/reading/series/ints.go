package series

import "encoding/binary"

// EncodeInts packs a column of integers that change little from one to the next: receipt lags, sequence numbers, flags.
// It has no checksum of its own: what holds it has one.
func EncodeInts(column []int64) []byte {
	e := newEncoder(binary.AppendUvarint(nil, uint64(len(column))))
	var m ints
	last := int64(0)
	for _, v := range column {
		m.encode(e, v-last)
		last = v
	}
	return e.finish()
}

// DecodeInts unpacks a column; a count above Most is ErrDamaged.
func DecodeInts(b []byte) ([]int64, error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > Most {
		return nil, ErrDamaged
	}
	d := newDecoder(b[used:])
	var m ints
	out := make([]int64, n)
	last := int64(0)
	for i := range out {
		last += m.decode(d)
		out[i] = last
	}
	return out, nil
}
