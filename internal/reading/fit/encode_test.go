package fit

import (
	"encoding/binary"
)

// builder writes a FIT file for the tests.
type builder struct {
	size  byte // of the header
	order binary.AppendByteOrder
	data  []byte
}

// define writes a definition; fields are number, size, type.
func (b *builder) define(local byte, number uint16, fields ...[3]byte) {
	big := byte(0)
	if b.order == binary.BigEndian {
		big = 1
	}
	b.data = append(b.data, 0x40|local, 0, big)
	b.data = b.order.AppendUint16(b.data, number)
	b.data = append(b.data, byte(len(fields)))
	for _, f := range fields {
		b.data = append(b.data, f[:]...)
	}
}

// message writes a data message; values are of the Go types of their fields.
func (b *builder) message(local byte, values ...any) {
	b.data = append(b.data, local)
	b.values(values...)
}

func (b *builder) values(values ...any) {
	for _, v := range values {
		switch v := v.(type) {
		case []byte:
			b.data = append(b.data, v...)
		case byte:
			b.data = append(b.data, v)
		case uint16:
			b.data = b.order.AppendUint16(b.data, v)
		case uint32:
			b.data = b.order.AppendUint32(b.data, v)
		default:
			panic(v)
		}
	}
}

// file answers the file with its header and check values.
func (b *builder) file() []byte {
	out := []byte{b.size, 0x10, 0, 0}
	out = binary.LittleEndian.AppendUint32(out, uint32(len(b.data)))
	out = append(out, ".FIT"...)
	if b.size == 14 {
		out = binary.LittleEndian.AppendUint16(out, crc(0).of(out))
	}
	out = append(out, b.data...)
	return binary.LittleEndian.AppendUint16(out, crc(0).of(out))
}
