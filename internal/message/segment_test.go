package message_test

import (
	"strings"
	"testing"

	"doorstep/internal/message"
)

// 3GPP TS 23.040: 160 septets alone and 153 in parts; 70 and 67 code units of UCS-2.
func TestSegments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		n          int
		ucs2       bool
	}{
		{"nothing", "", 0, false},
		{"one letter", "a", 1, false},
		{"160", strings.Repeat("a", 160), 1, false},
		{"161", strings.Repeat("a", 161), 2, false},
		{"two parts full", strings.Repeat("a", 2*153), 2, false},
		{"two parts and one", strings.Repeat("a", 2*153+1), 3, false},
		{"umlauts and some accents are in the alphabet", "¿Qué? ÑÄÖÜ äöüß à é ù ì ò Ç", 1, false},
		{"ó and ú are not, though é is", "Cómo", 1, true},
		{"an extension counts twice", strings.Repeat("€", 80), 1, false},
		{"81 of them", strings.Repeat("€", 81), 2, false},
		{"an escape is not split over two parts", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), 3, false},
		{"and fits when there is room", strings.Repeat("a", 151) + "€" + strings.Repeat("a", 153), 2, false},
		{"newline and return are in the alphabet", "a\r\nb", 1, false},
		{"a tab is not", "a\tb", 1, true},
		{"a curly apostrophe makes it UCS-2", "don’t", 1, true},
		{"70 of UCS-2", strings.Repeat("ó", 70), 1, true},
		{"71 of UCS-2", strings.Repeat("ó", 71), 2, true},
		{"two parts of UCS-2 full", strings.Repeat("ó", 2*67), 2, true},
		{"and one more", strings.Repeat("ó", 2*67+1), 3, true},
		{"35 emoji are 70 units", strings.Repeat("😀", 35), 1, true},
		{"36 emoji are 72", strings.Repeat("😀", 36), 2, true},
		{"a pair is not split over two parts", strings.Repeat("ó", 66) + "😀" + strings.Repeat("ó", 66), 3, true},
		{"and fits when there is room", strings.Repeat("ó", 65) + "😀" + strings.Repeat("ó", 67), 2, true},
		{"bytes that are no text count as one each", strings.Repeat("\xff", 71), 2, true},
	} {
		if n, ucs2 := message.Segments(c.body); n != c.n || ucs2 != c.ucs2 {
			t.Errorf("%s: %d segments, UCS-2 %v; want %d, %v", c.name, n, ucs2, c.n, c.ucs2)
		}
	}
}
