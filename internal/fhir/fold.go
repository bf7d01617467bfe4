package fhir

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldMost bounds a folded text, in bytes: longer ones are told apart by their first part only.
const foldMost = 120

// Fold makes a text comparable the way FHIR's string search wants it: lower case, accents taken off, runs of space as one,
// at most 120 bytes. "Cantú " and "CANTU" fold to the same.
func Fold(s string) string {
	plain, lower := true, true
	for i := range len(s) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf || c < ' ' || c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' '):
			plain = false
		case c >= 'A' && c <= 'Z':
			lower = false
		}
	}
	if !plain {
		s = foldSlow(s)
	} else if !lower {
		s = strings.ToLower(s)
	}
	if len(s) > foldMost {
		n := foldMost
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return s
}

func foldSlow(s string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == 0:
			continue
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		switch r = unicode.ToLower(r); r { // letters that no decomposition takes apart
		case 'ß':
			b.WriteString("ss")
		case 'ø':
			b.WriteByte('o')
		case 'ł':
			b.WriteByte('l')
		case 'đ', 'ð':
			b.WriteByte('d')
		case 'æ':
			b.WriteString("ae")
		case 'œ':
			b.WriteString("oe")
		case 'ı':
			b.WriteByte('i')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
