package message

import "unicode/utf16"

// gsm7 and gsm7Extension are the characters of 3GPP TS 23.038: one septet each, and two (behind an escape).
const (
	gsm7          = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7Extension = "\f^{}\\[~]|€"
)

var septets = func() map[rune]int {
	m := map[rune]int{}
	for _, r := range gsm7 {
		m[r] = 1
	}
	for _, r := range gsm7Extension {
		m[r] = 2
	}
	return m
}()

// Segments answers how many texts a body is charged as, and whether it needs UCS-2. GSM-7: 160 septets alone, 153 each in
// parts, an escape sequence never split; UCS-2: 70 and 67 code units, a surrogate pair never split (3GPP TS 23.040).
func Segments(body string) (n int, ucs2 bool) {
	units := make([]int, 0, len(body))
	total := 0
	for _, r := range body {
		w, ok := septets[r]
		if !ok {
			ucs2 = true
			break
		}
		units = append(units, w)
		total += w
	}
	single, part := 160, 153
	if ucs2 {
		units, total = units[:0], 0
		for _, r := range body {
			w := utf16.RuneLen(r)
			if w < 0 {
				w = 1
			}
			units = append(units, w)
			total += w
		}
		single, part = 70, 67
	}
	if total == 0 {
		return 0, ucs2
	}
	if total <= single {
		return 1, ucs2
	}
	n, room := 1, part
	for _, w := range units {
		if w > room {
			n, room = n+1, part
		}
		room -= w
	}
	return n, ucs2
}
