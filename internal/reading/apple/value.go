package apple

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// entity answers the character of an entity's name, or of its number: lt, #10, #x1F600.
func entity(name string) (c rune, ok bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil && n > 0
}

// number reads a decimal and how many places it has. The quick way is exact: both parts of the quotient are whole numbers that a
// float64 holds.
func number(b []byte) (v float64, decimals int, ok bool) {
	digits, point, negative := uint64(0), -1, false
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9' && digits < 1<<53/10-1:
			digits = digits*10 + uint64(c-'0')
		case c == '.' && point < 0:
			point = i
		case c == '-' && i == 0:
			negative = true
		default:
			v, err := strconv.ParseFloat(string(b), 64)
			return v, 0, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
		}
	}
	if point >= 0 {
		decimals = len(b) - point - 1
	}
	if len(b) == 0 || len(b) > 20 || point >= 0 && len(b) == 1 || negative && len(b) == 1 {
		return 0, 0, false
	}
	v = float64(digits) / math.Pow10(decimals)
	if negative {
		v = -v
	}
	return v, decimals, true
}

// dates reads times like "2018-09-10 02:28:55 -0700", and keeps zones and the latest one.
type dates struct {
	zones map[int]*time.Location
	text  [25]byte
	last  time.Time
}

// most zones that are kept; there are some forty.
const zones = 200

// read answers the time; ok is false where the text is none.
func (d *dates) read(b []byte) (t time.Time, ok bool) {
	if len(b) != 25 {
		return time.Time{}, false
	}
	if [25]byte(b) == d.text {
		return d.last, true
	}
	n := func(i, k int) int {
		v := 0
		for _, c := range b[i : i+k] {
			if c < '0' || c > '9' {
				return -1 << 20
			}
			v = v*10 + int(c-'0')
		}
		return v
	}
	year, month, day := n(0, 4), n(5, 2), n(8, 2)
	h, m, s := n(11, 2), n(14, 2), n(17, 2)
	zh, zm := n(21, 2), n(23, 2)
	if b[4] != '-' || b[7] != '-' || b[10] != ' ' || b[13] != ':' || b[16] != ':' || b[19] != ' ' || b[20] != '+' && b[20] != '-' ||
		year < 1900 || month < 1 || month > 12 || day < 1 || day > 31 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59 || zh < 0 || zh > 15 || zm < 0 || zm > 59 {
		return time.Time{}, false
	}
	offset := zh*3600 + zm*60
	if b[20] == '-' {
		offset = -offset
	}
	zone := d.zones[offset]
	if zone == nil {
		if zone = time.FixedZone("", offset); len(d.zones) < zones {
			if d.zones == nil {
				d.zones = map[int]*time.Location{}
			}
			d.zones[offset] = zone
		}
	}
	t = time.Date(year, time.Month(month), day, h, m, s, 0, time.UTC)
	if t.Day() != day {
		return time.Time{}, false
	}
	t = t.Add(-time.Duration(offset) * time.Second).In(zone)
	d.text, d.last = [25]byte(b), t
	return t, true
}
