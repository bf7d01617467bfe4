package fhir

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// depthMost bounds the nesting of a resource; real ones stay below 30.
const depthMost = 100

// SyntaxError says where a resource is not what it should be. Path is the element ("name[0].given"), "" at the top; it
// holds element names and positions only, never values.
type SyntaxError struct {
	Offset int // bytes from the start of the resource
	Path   string
	Reason string
}

func (e *SyntaxError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s (byte %d)", e.Reason, e.Offset)
	}
	return fmt.Sprintf("%s: %s (byte %d)", e.Path, e.Reason, e.Offset)
}

// step is one level of the path to where a scanner stands: a key of an object, or an index of an array when key is nil.
type step struct {
	key   []byte
	index int
}

// scanner reads JSON (RFC 8259) from bytes, strictly, and knows the path to where it stands.
type scanner struct {
	b    []byte
	i    int
	path []step
}

func (s *scanner) fail(at int, format string, args ...any) error {
	return &SyntaxError{Offset: at, Path: pathText(s.path), Reason: fmt.Sprintf(format, args...)}
}

func pathText(path []step) string {
	var out []byte
	for _, p := range path {
		switch {
		case p.key == nil:
			out = append(strconv.AppendInt(append(out, '['), int64(p.index), 10), ']')
		case len(out) > 0:
			out = append(append(out, '.'), p.key[:min(len(p.key), 64)]...)
		default:
			out = append(out, p.key[:min(len(p.key), 64)]...)
		}
	}
	return string(out)
}

// space passes over insignificant white space.
func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\t', '\r':
			s.i++
		default:
			return
		}
	}
}

// str reads a string, quotes included, and answers the bytes between the quotes, still escaped.
func (s *scanner) str() ([]byte, error) {
	start := s.i
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return nil, s.fail(s.i, "a string should stand here")
	}
	s.i++
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start+1 : s.i-1], nil
		case c == '\\':
			if s.i+1 >= len(s.b) {
				return nil, s.fail(start, "the string does not end")
			}
			switch s.b[s.i+1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				s.i += 2
			case 'u':
				if s.i+6 > len(s.b) || !hex4(s.b[s.i+2:s.i+6]) {
					return nil, s.fail(s.i, "not an escape")
				}
				s.i += 6
			default:
				return nil, s.fail(s.i, "not an escape")
			}
		case c < 0x20:
			return nil, s.fail(s.i, "a control character stands in a string")
		default:
			s.i++
		}
	}
	return nil, s.fail(start, "the string does not end")
}

func hex4(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

// number reads a number.
func (s *scanner) number() error {
	start := s.i
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	n := s.run()
	if n == 0 || n > 1 && s.b[s.i-n] == '0' {
		return s.fail(start, "not a number")
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if s.run() == 0 {
			return s.fail(start, "not a number")
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if s.run() == 0 {
			return s.fail(start, "not a number")
		}
	}
	return nil
}

func (s *scanner) run() int {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i - start
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.b[s.i:], []byte(word)) {
		return s.fail(s.i, "not a value")
	}
	s.i += len(word)
	return nil
}

// text answers what an escaped string says. It must have been read by a scanner.
func text(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := strconv.ParseUint(string(raw[i+1:i+5]), 16, 32)
			i += 4
			if r >= 0xd800 && r < 0xdc00 && i+6 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
				if low, _ := strconv.ParseUint(string(raw[i+3:i+7]), 16, 32); low >= 0xdc00 && low < 0xe000 {
					r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
					i += 6
				}
			}
			out = utf8.AppendRune(out, rune(r))
		default:
			out = append(out, raw[i])
		}
	}
	return string(out)
}

// skip answers where the value that starts at b[i] ends. b must be JSON that a scanner has read.
func skip(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for ; i < len(b); i++ {
			switch b[i] {
			case '"':
				i = skipString(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return i
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	return i
}

func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// fields calls fn for each member of an object: the key still escaped, and where its value stands. b must be JSON that a
// scanner has read; anything but an object has no members. fn answers false to stop.
func fields(b []byte, fn func(key []byte, from, to int) bool) {
	i := blank(b, 0)
	if i >= len(b) || b[i] != '{' {
		return
	}
	for i = blank(b, i+1); i < len(b) && b[i] == '"'; i = blank(b, i+1) {
		end := skipString(b, i)
		key := b[i+1 : end-1]
		from := blank(b, blank(b, end)+1)
		to := skip(b, from)
		if !fn(key, from, to) {
			return
		}
		if i = blank(b, to); i >= len(b) || b[i] != ',' {
			return
		}
	}
}

// items calls fn for each element of an array, or for the value itself when it is none.
func items(b []byte, fn func(item []byte)) {
	i := blank(b, 0)
	if i >= len(b) {
		return
	}
	if b[i] != '[' {
		fn(b[i:])
		return
	}
	for i = blank(b, i+1); i < len(b) && b[i] != ']'; i = blank(b, i+1) {
		to := skip(b, i)
		fn(b[i:to])
		if i = blank(b, to); i >= len(b) || b[i] != ',' {
			return
		}
	}
}

func blank(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' {
		i++
	}
	return i
}

// member answers the value of a key of an object, nil when it has none. Same condition as fields.
func member(b []byte, key string) []byte {
	var out []byte
	fields(b, func(k []byte, from, to int) bool {
		if string(k) == key {
			out = b[from:to]
			return false
		}
		return true
	})
	return out
}

// stringOf answers what a JSON string says, "" for other values.
func stringOf(v []byte) string {
	if len(v) < 2 || v[0] != '"' {
		return ""
	}
	return text(v[1 : len(v)-1])
}

func memberString(b []byte, key string) string { return stringOf(member(b, key)) }
