package fit

import "encoding/binary"

// crc is the running check value of a file: CRC-16 with the polynomial 0xA001, reflected, beginning with 0.
type crc uint16

// sums[k][b] is what byte b does to the check value when k more bytes follow it: eight bytes are taken in one step.
var sums = func() (t [8][256]uint16) {
	for i := range t[0] {
		c := uint16(i)
		for range 8 {
			if c&1 != 0 {
				c = c>>1 ^ 0xa001
			} else {
				c >>= 1
			}
		}
		t[0][i] = c
	}
	for k := 1; k < len(t); k++ {
		for i := range t[k] {
			t[k][i] = t[k-1][i]>>8 ^ t[0][t[k-1][i]&0xff]
		}
	}
	return t
}()

func (c *crc) add(b []byte) {
	s := uint16(*c)
	for len(b) >= 8 {
		v := binary.LittleEndian.Uint64(b) ^ uint64(s)
		s = sums[7][byte(v)] ^ sums[6][byte(v>>8)] ^ sums[5][byte(v>>16)] ^ sums[4][byte(v>>24)] ^
			sums[3][byte(v>>32)] ^ sums[2][byte(v>>40)] ^ sums[1][byte(v>>48)] ^ sums[0][byte(v>>56)]
		b = b[8:]
	}
	for _, x := range b {
		s = s>>8 ^ sums[0][byte(s)^x]
	}
	*c = crc(s)
}

// of answers the check value with bytes added.
func (c crc) of(b []byte) uint16 {
	c.add(b)
	return uint16(c)
}

// CheckValue answers the check value of bytes.
func CheckValue(b []byte) uint16 { return crc(0).of(b) }
