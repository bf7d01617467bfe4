package fhir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Item is one resource, or one entry of a bundle, as it comes out of a stream.
type Item struct {
	Line    int    // line it starts in, from 1
	Offset  int64  // byte it starts at
	Entry   int    // index of the bundle's entry; -1 outside a bundle
	Body    []byte // the resource; in a bundle, the whole entry
	Bundle  string // the bundle's type where it is known by now
	Refused string // why there is no Body; "" when there is
}

// Stream reads resources out of bytes of any length in bounded memory: a resource, a bundle, or many of either one after
// the other (NDJSON). Entries of a bundle come out one by one. What is broken comes out as an Item that says why; lines
// after a broken line are read on, after a broken bundle there is nothing that could be trusted.
type Stream struct {
	r      io.Reader
	most   int // bytes of one resource
	buf    []byte
	pos    int // next unread byte of buf
	mark   int // bytes from here are kept; -1: none
	off    int64
	line   int // lines before pos
	err    error
	lines  bool // every resource stands in a line of its own
	bundle bool // inside the entry array of a bundle
	kind   string
	entry  int
	ended  bool
}

// NewStream reads from r; a resource longer than most bytes is refused. lines says that the name of the file promises NDJSON.
func NewStream(r io.Reader, most int, lines bool) *Stream {
	return &Stream{r: r, most: most, buf: make([]byte, 0, 256<<10), mark: -1, lines: lines}
}

var (
	errLong    = errors.New("too long")
	errEnd     = errors.New("the text ends too early")
	errNoValue = errors.New("a value should stand here")
)

// more reads further bytes behind those that are kept, and reports whether there are any.
func (s *Stream) more() bool {
	if s.err != nil {
		return false
	}
	keep := s.pos
	if s.mark >= 0 {
		keep = s.mark
	}
	if keep > 0 {
		n := copy(s.buf, s.buf[keep:])
		s.buf = s.buf[:n]
		s.off += int64(keep)
		s.pos -= keep
		if s.mark >= 0 {
			s.mark = 0
		}
	}
	if len(s.buf) == cap(s.buf) {
		grown := make([]byte, len(s.buf), 2*cap(s.buf))
		copy(grown, s.buf)
		s.buf = grown
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if err != nil {
			s.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// peek passes over white space and answers the next byte.
func (s *Stream) peek() (byte, bool) {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r':
			case '\n':
				s.line++
			default:
				if c == 0xef && s.off+int64(s.pos) == 0 && s.bom() {
					continue
				}
				return c, true
			}
		}
		if !s.more() {
			return 0, false
		}
	}
}

func (s *Stream) bom() bool {
	for len(s.buf) < 3 && s.more() {
	}
	if !bytes.HasPrefix(s.buf, []byte("\xef\xbb\xbf")) {
		return false
	}
	s.pos = 2
	return true
}

func (s *Stream) at() (int, int64) { return s.line + 1, s.off + int64(s.pos) }

// balance is where in a value a reader stands: it looks at brackets and quotes only.
type balance struct {
	depth          int
	quote, escaped bool
	begun          bool
	size           int64
}

// raw reads on to the end of one value, or until more than most bytes of it have gone by (errLong, after which it may be
// called again). What it reads stays in the buffer while a mark is set.
func (s *Stream) raw(st *balance, most int) error {
	for {
		p := s.pos
		done, err := s.scan(st)
		st.size += int64(s.pos - p)
		if done || err != nil {
			return err
		}
		if st.size > int64(most) {
			return errLong
		}
		if !s.more() {
			if st.depth == 0 && !st.quote && st.begun {
				return nil
			}
			return errEnd
		}
	}
}

// scan works through what is in the buffer.
func (s *Stream) scan(st *balance) (done bool, err error) {
	b := s.buf
	for p := s.pos; p < len(b); p++ {
		c := b[p]
		if st.quote {
			switch {
			case st.escaped:
				st.escaped = false
			case c == '\\':
				st.escaped = true
			case c == '"':
				if st.quote = false; st.depth == 0 {
					s.pos = p + 1
					return true, nil
				}
			case c == '\n':
				s.line++
			}
			continue
		}
		switch c {
		case '"':
			st.quote, st.begun = true, true
		case '{', '[':
			st.depth++
			st.begun = true
		case '}', ']':
			if st.depth--; st.depth == 0 {
				s.pos = p + 1
				return true, nil
			}
		case '\n':
			if st.depth > 0 {
				s.line++
			}
		}
		if st.depth <= 0 && !st.quote && (c <= ' ' || c == ',' || c == ':' || c == '}' || c == ']') {
			s.pos = p
			if !st.begun {
				err = errNoValue
			}
			return true, err
		}
		st.begun = true
	}
	s.pos = len(b)
	return false, nil
}

// Next answers the next item; io.EOF after the last, any other error when the reader itself failed.
func (s *Stream) Next() (Item, error) {
	for {
		if s.bundle {
			if it, ok := s.nextEntry(); ok {
				return it, nil
			}
			continue
		}
		if s.ended {
			return Item{}, s.failure()
		}
		c, ok := s.peek()
		if !ok {
			return Item{}, s.failure()
		}
		line, off := s.at()
		it := Item{Line: line, Offset: off, Entry: -1}
		if c != '{' {
			it.Refused = "not a JSON object"
			s.recover()
			return it, nil
		}
		if s.lines && !s.startsBundle() {
			return s.oneLine(it), nil
		}
		if done, ok := s.top(it); ok {
			return done, nil
		}
	}
}

func (s *Stream) failure() error {
	if s.err != nil && s.err != io.EOF {
		return s.err
	}
	return io.EOF
}

// startsBundle looks a little ahead for the type of the object that begins here.
func (s *Stream) startsBundle() bool {
	s.mark = s.pos
	for len(s.buf)-s.pos < 4096 && s.more() {
	}
	head := s.buf[s.pos:min(len(s.buf), s.pos+4096)]
	s.mark = -1
	if i := bytes.IndexByte(head, '\n'); i >= 0 {
		head = head[:i]
	}
	i := bytes.Index(head, []byte(`"resourceType"`))
	if i < 0 {
		return false
	}
	rest := bytes.TrimLeft(head[i+len(`"resourceType"`):], " :\t")
	return bytes.HasPrefix(rest, []byte(`"Bundle"`))
}

// oneLine reads to the end of the line, in bounded memory however long it is.
func (s *Stream) oneLine(it Item) Item {
	s.mark = s.pos
	for {
		if i := bytes.IndexByte(s.buf[s.pos:], '\n'); i >= 0 {
			s.pos += i
			break
		}
		s.pos = len(s.buf)
		if s.pos-s.mark > s.most {
			break
		}
		if !s.more() {
			break
		}
	}
	if s.pos-s.mark > s.most {
		s.mark = -1
		it.Refused = s.tooLong()
		s.recover()
		return it
	}
	it.Body = bytes.Clone(bytes.TrimRight(s.buf[s.mark:s.pos], " \t\r"))
	s.mark = -1
	return it
}

func (s *Stream) tooLong() string { return fmt.Sprintf("longer than %d MB", s.most>>20) }

// recover goes on after what cannot be read: at the next line when lines are resources, else nowhere.
func (s *Stream) recover() {
	s.mark = -1
	if !s.lines {
		s.ended = true
		return
	}
	for {
		if i := bytes.IndexByte(s.buf[s.pos:], '\n'); i >= 0 {
			s.pos += i
			return
		}
		s.pos = len(s.buf)
		if !s.more() {
			return
		}
	}
}

// top reads an object that may be a bundle: when its entries begin it answers false and turns to reading them.
func (s *Stream) top(it Item) (Item, bool) {
	s.mark, s.kind = s.pos, ""
	refuse := func(reason string) (Item, bool) {
		_, at := s.at()
		it.Refused = fmt.Sprintf("%s (byte %d)", reason, at-it.Offset)
		s.recover()
		return it, true
	}
	var typ string
	lineBefore := s.line
	s.pos++
	for {
		c, ok := s.peek()
		if c == '}' && ok {
			s.pos++
			break
		}
		if !ok || c != '"' {
			return refuse("a name should stand here")
		}
		key, err := s.keep(1 << 10)
		if err != nil {
			return refuse(err.Error())
		}
		if c, ok = s.peek(); !ok || c != ':' {
			return refuse("a colon should stand here")
		}
		s.pos++
		if c, ok = s.peek(); !ok {
			return refuse(errEnd.Error())
		}
		if key == `"entry"` && c == '[' && (typ == `"Bundle"` || typ == "" && s.looksLikeEntries()) {
			s.pos++
			s.mark, s.bundle, s.entry = -1, true, 0
			return Item{}, false
		}
		value, err := s.keep(s.most - (s.pos - s.mark))
		if err == errLong {
			return refuse(s.tooLong())
		} else if err != nil {
			return refuse(err.Error())
		}
		switch key {
		case `"resourceType"`:
			typ = value
		case `"type"`:
			s.kind = strings.Trim(value, `"`)
		}
		c, ok = s.peek()
		if ok && c == ',' {
			s.pos++
			continue
		}
		if ok && c == '}' {
			s.pos++
			break
		}
		return refuse("a comma or } should stand here")
	}
	it.Body = bytes.Clone(s.buf[s.mark:s.pos])
	s.mark = -1
	if s.line == lineBefore && it.Line == 1 { // the first resource stood in one line: so will the others
		if c, ok := s.peek(); ok && c == '{' && s.line > lineBefore {
			s.lines = true
		}
	}
	if typ == `"Bundle"` && s.kind != "" { // a bundle without entries holds nothing to import
		it.Bundle = s.kind
	}
	return it, true
}

// keep reads a value under the mark and answers its text when it is short.
func (s *Stream) keep(most int) (string, error) {
	begin := s.pos - s.mark
	if err := s.raw(&balance{}, most); err != nil {
		return "", err
	}
	v := s.buf[s.mark+begin : s.pos]
	return string(v[:min(len(v), 200)]), nil
}
