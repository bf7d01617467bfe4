// Package sentence writes a dosage as one plain sentence in the reader's language, and reads such a sentence back.
//
// Its promise: a sentence that it answers says all that the dosage asks for. Say reads back every sentence that it has written; where
// that gives another dosage, or where there are no plain words for a part, it answers none, and the prescriber's own words stand.
// Read refuses what it cannot read in exactly one way. Both are pure; the words stand in the catalogs under sig.*.
//
// What a sentence does not carry, and a page shows beside it: additional and patient instructions, site, method.
package sentence

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/words"
)

// Say answers the instructions of one order in plain words; false where they have no sentence.
func Say(lang string, list []fhir.Dosage) (string, bool) {
	plain := make([]fhir.Dosage, len(list))
	for i, d := range list {
		c, ok := canon(d)
		if !ok {
			return "", false
		}
		plain[i] = c
	}
	if len(plain) == 0 {
		return "", false
	}
	slices.SortStableFunc(plain, func(a, b fhir.Dosage) int { return a.Sequence - b.Sequence })
	number(plain)
	var out []string
	for i, d := range plain {
		text, ok := one(lang, d)
		if !ok {
			return "", false
		}
		if i > 0 {
			key := "sig.then"
			if d.Sequence == plain[i-1].Sequence {
				key = "sig.also"
			}
			text = words.Say(lang, key, map[string]string{"sentence": lower(text)})
		}
		out = append(out, text)
	}
	text := strings.Join(out, " ")
	back, err := Read(lang, text)
	if err != nil || !same(back, plain) {
		return "", false
	}
	return text, true
}

// number counts the sequence from 1, and leaves it out where all is taken together.
func number(list []fhir.Dosage) {
	n, last := 0, 0
	for i := range list {
		if i == 0 || list[i].Sequence != last {
			n, last = n+1, list[i].Sequence
		}
		list[i].Sequence = n
	}
	for i := range list {
		if n == 1 {
			list[i].Sequence = 0
		}
	}
}

func same(a, b []fhir.Dosage) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// Read answers the dosage that a sentence of Say's kind asks for; the error says from where on it cannot be read.
func Read(lang, text string) ([]fhir.Dosage, error) {
	var out []fhir.Dosage
	rest := strings.TrimSpace(text)
	sequence := 1
	for rest != "" {
		joined := ""
		if len(out) > 0 {
			for _, key := range []string{"sig.then", "sig.also"} {
				before, _, _ := strings.Cut(words.Say(lang, key, nil), "{")
				if after, ok := strings.CutPrefix(rest, before); ok {
					rest, joined = upper(after), key
				}
			}
			if joined == "" {
				return nil, refused(rest)
			}
			if joined == "sig.then" {
				sequence++
			}
		}
		r := reader{lang: lang}
		r.sentence(rest)
		if len(r.found) == 0 {
			return nil, refused(rest[min(r.reached, len(rest)):])
		}
		if len(r.found) > 1 {
			return nil, fault.Invalidf("This can be read in more than one way: %q", rest)
		}
		d := r.found[0].dosage
		d.Sequence = sequence
		out, rest = append(out, d), r.found[0].rest
	}
	if len(out) == 0 {
		return nil, fault.Invalidf("There is nothing to read.")
	}
	for i := range out {
		if sequence == 1 {
			out[i].Sequence = 0
		}
	}
	return out, nil
}

func refused(rest string) error {
	return fault.Invalidf("We cannot read this from here on: %q", rest)
}

func lower(s string) string { return swap(s, unicode.ToLower) }
func upper(s string) string { return swap(s, unicode.ToUpper) }

func swap(s string, fn func(rune) rune) string {
	r := []rune(s)
	if len(r) > 0 {
		r[0] = fn(r[0])
	}
	return string(r)
}
