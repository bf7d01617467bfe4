package fhir

import (
	"strconv"
	"time"
)

// Relink writes other references into a resource's bytes: for each link that to answers for, the new target. Every other
// byte stays as it is. b itself is not changed; when nothing is replaced it is the answer.
func Relink(b []byte, links []Link, to func(target string) (string, bool)) []byte {
	var out []byte
	done := 0
	for _, l := range links {
		target, ok := to(l.Target)
		if !ok || target == l.Target {
			continue
		}
		out = append(out, b[done:l.Start]...)
		out = append(out, quoted(target)...)
		done = l.End
	}
	if done == 0 {
		return b
	}
	return append(out, b[done:]...)
}

// quoted escapes a text for the inside of a JSON string.
func quoted(s string) []byte {
	out := make([]byte, 0, len(s)+2)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < 0x20:
			const hexDigits = "0123456789abcdef"
			out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			out = append(out, c)
		}
	}
	return out
}

func splice(b []byte, from, to int, with string) []byte {
	out := make([]byte, 0, len(b)+len(with)-(to-from))
	return append(append(append(out, b[:from]...), with...), b[to:]...)
}

// place answers where the value of a top-level key stands (0, 0 when there is none), and where a first member would go.
func place(b []byte, key string) (from, to, first int) {
	first = blank(b, 0) + 1
	fields(b, func(k []byte, f, t int) bool {
		if string(k) == "resourceType" {
			first = t
		}
		if string(k) == key {
			from, to = f, t
		}
		return true
	})
	return from, to, first
}

// WithID gives a resource an id, in place of the one it has. b must have passed Extract.
func WithID(b []byte, id string) []byte {
	from, to, first := place(b, "id")
	if to > 0 {
		return splice(b, from, to, `"`+id+`"`)
	}
	return splice(b, first, first, `,"id":"`+id+`"`)
}

// WithMeta gives a resource the version and time that the server knows, leaving the rest of its meta: what is stored does
// not hold them, what is sent does. b must have passed Extract.
func WithMeta(b []byte, version int, at time.Time) []byte {
	v := `"versionId":"` + strconv.Itoa(version) + `"`
	t := `"lastUpdated":"` + at.UTC().Format("2006-01-02T15:04:05.000000Z07:00") + `"`
	from, to, first := place(b, "meta")
	if to == 0 || b[from] != '{' {
		if to > 0 { // null or another thing that is no meta
			return splice(b, from, to, "{"+v+","+t+"}")
		}
		return splice(b, first, first, `,"meta":{`+v+","+t+"}")
	}
	meta := b[from:to]
	drop := func(key string) {
		begin, end := -1, 0
		prev := 1 // after the brace
		fields(meta, func(k []byte, f, t int) bool {
			if string(k) == key {
				begin, end = prev, t
			}
			prev = t
			return true
		})
		if begin < 0 {
			return
		}
		if begin == 1 { // the first member takes the comma after it along
			if i := blank(meta, end); meta[i] == ',' {
				end = i + 1
			}
		}
		meta = splice(meta, begin, end, "")
	}
	drop("versionId")
	drop("lastUpdated")
	with := "{" + v + "," + t
	if i := blank(meta, 1); meta[i] != '}' {
		with += ","
	}
	return splice(b, from, to, with+string(meta[1:]))
}
