package fhir

import (
	"bytes"
	"math"
)

// looksLikeEntries tells a Bundle's entries from a List's, when resourceType comes after them.
func (s *Stream) looksLikeEntries() bool {
	for len(s.buf)-s.pos < 8192 && s.more() {
	}
	head := s.buf[s.pos:]
	for _, key := range []string{`"resource"`, `"fullUrl"`, `"request"`} {
		if bytes.Contains(head[:min(len(head), 8192)], []byte(key)) {
			return true
		}
	}
	return false
}

// nextEntry reads an entry; false when the array has ended and the rest of the bundle has been passed over.
func (s *Stream) nextEntry() (Item, bool) {
	c, ok := s.peek()
	if ok && c == ',' && s.entry > 0 {
		s.pos++
		c, ok = s.peek()
	}
	line, off := s.at()
	it := Item{Line: line, Offset: off, Entry: s.entry, Bundle: s.kind}
	stop := func(reason string) (Item, bool) {
		s.bundle, s.mark = false, -1
		it.Refused = reason
		s.recover()
		return it, true
	}
	if !ok {
		return stop("the bundle ends too early")
	}
	if c == ']' {
		s.pos++
		s.bundle = false
		return s.tail(it)
	}
	if c != '{' {
		return stop("not an entry")
	}
	s.entry++
	s.mark = s.pos
	var st balance
	err := s.raw(&st, s.most)
	if err == errLong { // pass over the rest of it
		s.mark = -1
		it.Refused = s.tooLong()
		err = s.raw(&st, math.MaxInt)
	}
	if err != nil {
		return stop("the bundle ends too early")
	}
	if it.Refused != "" {
		return it, true
	}
	it.Body = bytes.Clone(s.buf[s.mark:s.pos])
	s.mark = -1
	return it, true
}

// tail passes over what follows the entries of a bundle.
func (s *Stream) tail(it Item) (Item, bool) {
	for {
		c, ok := s.peek()
		switch {
		case !ok:
			it.Refused = "the bundle ends too early"
			s.ended = true
			return it, true
		case c == '}':
			s.pos++
			return Item{}, false
		case c == ',' || c == ':':
			s.pos++
		default:
			s.mark = s.pos
			if _, err := s.keep(s.most); err != nil {
				it.Refused = "the bundle does not end as it should"
				s.recover()
				return it, true
			}
			s.mark = -1
		}
	}
}
