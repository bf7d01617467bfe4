package apple

import (
	"bytes"
	"io"
	"unicode/utf8"

	"doorstep/internal/reading/sample"
)

// Bounds of what an element may be: the longest and its most attributes. Real ones have some hundred bytes and ten.
const (
	window  = 256 << 10
	longest = 8 << 20
	deepest = 64
)

// attribute is a name and its value, still escaped; parts of the scanner's buffer.
type attribute struct{ name, value []byte }

// scanner reads the elements of an XML file: start tags with their attributes, and end tags. Text, comments, instructions and the
// document type are passed over. It checks that tags fit together.
type scanner struct {
	in       io.Reader
	buf      []byte
	from, to int
	passed   int64 // bytes before buf[0]
	err      error // what the input ended with

	name       []byte
	attributes []attribute
	end        bool // an end tag
	empty      bool // <name/>
	offset     int64
	open       []byte // names of the open elements, each with its length behind it
	depth      int
	rooted     bool
}

func newScanner(r io.Reader) *scanner {
	return &scanner{in: r, buf: make([]byte, window)}
}

// more reads on, keeping what lies from s.from; false at the end, or where an element is too long.
func (s *scanner) more() bool {
	if s.err != nil {
		return false
	}
	if s.from > 0 {
		s.passed += int64(s.from)
		s.to = copy(s.buf, s.buf[s.from:s.to])
		s.from = 0
	}
	if s.to == len(s.buf) {
		if len(s.buf) >= longest {
			return false
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		n, err := s.in.Read(s.buf[s.to:])
		s.to += n
		if s.err = err; n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// fault answers why there is no more: the input's own error, or that the file ends or an element is too long at an offset.
func (s *scanner) fault(at int) error {
	switch {
	case s.err != nil && s.err != io.EOF:
		return s.err
	case s.err == nil:
		return sample.Refuse(s.passed+int64(at), "an element of more than %d bytes", longest)
	case !s.rooted:
		return sample.Refuse(s.passed+int64(at), "there is no HealthData in the file")
	}
	return sample.Refuse(s.passed+int64(at), "the file ends too early")
}

// next goes to the next start or end tag; io.EOF behind the end of the root.
func (s *scanner) next() error {
	if s.empty {
		s.pop()
		s.empty = false
	}
	for {
		i := bytes.IndexByte(s.buf[s.from:s.to], '<')
		if i < 0 {
			s.from = s.to
			if s.rooted && s.depth == 0 {
				if s.more() {
					continue
				}
				if s.err == io.EOF {
					return io.EOF
				}
			}
			if !s.more() {
				return s.fault(s.from)
			}
			continue
		}
		s.from += i
		for s.to-s.from < 4 { // enough to tell what it is
			if !s.more() {
				return s.fault(s.from)
			}
		}
		switch s.buf[s.from+1] {
		case '!', '?':
			if err := s.pass(); err != nil {
				return err
			}
			continue
		}
		if s.rooted && s.depth == 0 {
			return sample.Refuse(s.passed+int64(s.from), "there is something behind the end of HealthData")
		}
		return s.tag()
	}
}

// pass goes behind a comment, an instruction, CDATA or the document type.
func (s *scanner) pass() error {
	b := s.buf[s.from:s.to]
	switch {
	case bytes.HasPrefix(b, []byte("<!--")):
		return s.behind("-->")
	case b[1] == '?':
		return s.behind("?>")
	case bytes.HasPrefix(b, []byte("<![")):
		return s.behind("]]>")
	}
	return s.documentType()
}

func (s *scanner) behind(end string) error {
	for searched := 0; ; {
		b := s.buf[s.from:s.to]
		if i := bytes.Index(b[searched:], []byte(end)); i >= 0 {
			s.from += searched + i + len(end)
			return nil
		}
		searched = max(0, len(b)-len(end)+1)
		if !s.more() {
			return s.fault(s.from)
		}
	}
}

// documentType goes behind <!DOCTYPE … [ … ]>, whose comments and quoted texts may hold brackets.
func (s *scanner) documentType() error {
	depth, quote := 0, byte(0)
	for i := s.from + 2; ; i++ {
		for i+3 >= s.to {
			at := i - s.from
			if !s.more() {
				if i < s.to {
					i = s.from + at
					break
				}
				return s.fault(s.from)
			}
			i = s.from + at
		}
		c := s.buf[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<' && bytes.HasPrefix(s.buf[i:s.to], []byte("<!--")):
			s.from = i
			if err := s.behind("-->"); err != nil {
				return err
			}
			i = s.from - 1
		case c == '[' || c == '<':
			depth++
		case c == ']':
			depth--
		case c == '>':
			if depth == 0 {
				s.from = i + 1
				return nil
			}
			if depth > 1 { // of a declaration within the brackets
				depth--
			}
		}
	}
}

// tag reads the start or end tag at s.from. When the buffer ends within it, more is read and it begins anew.
func (s *scanner) tag() error {
	for {
		n, wrong := s.parse(s.buf[s.from:s.to])
		if wrong != "" {
			return sample.Refuse(s.passed+int64(s.from), "%s", wrong)
		}
		if n > 0 {
			s.offset = s.passed + int64(s.from)
			s.from += n
			return s.fit()
		}
		if !s.more() {
			return s.fault(s.from)
		}
	}
}

// parse reads a tag at the beginning of b and answers its length; 0 where b ends too early.
func (s *scanner) parse(b []byte) (n int, wrong string) {
	s.attributes, s.end, s.empty = s.attributes[:0], false, false
	i := 1
	if b[1] == '/' {
		s.end, i = true, 2
	}
	begin := i
	for i < len(b) && !ends(b[i]) {
		i++
	}
	if s.name = b[begin:i]; i == begin && i < len(b) || i-begin > 200 {
		return 0, "it is not an element"
	}
	for {
		for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
			i++
		}
		if i+1 >= len(b) {
			if i < len(b) && b[i] == '>' {
				return i + 1, ""
			}
			return 0, ""
		}
		switch b[i] {
		case '>':
			return i + 1, ""
		case '/':
			if b[i+1] != '>' || s.end {
				return 0, "a stray / in an element"
			}
			s.empty = true
			return i + 2, ""
		}
		name := i
		for i < len(b) && b[i] != '=' {
			if c := b[i]; c == '<' || c == '>' || c == '"' {
				return 0, "an attribute without a value"
			}
			i++
		}
		if i+1 >= len(b) {
			return 0, ""
		}
		key := b[name:i]
		for len(key) > 0 && key[len(key)-1] <= ' ' {
			key = key[:len(key)-1]
		}
		for i++; i < len(b) && (b[i] == ' ' || b[i] == '\n'); i++ {
		}
		if i >= len(b) {
			return 0, ""
		}
		quote := b[i]
		if quote != '"' && quote != '\'' {
			return 0, "an attribute's value without quotes"
		}
		i++
		end := bytes.IndexByte(b[i:], quote)
		if end < 0 {
			return 0, ""
		}
		s.attributes = append(s.attributes, attribute{key, b[i : i+end]})
		i += end + 1
	}
}

func ends(c byte) bool {
	return c == '>' || c == '/' || c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '<'
}

// fit keeps the open elements, and sees that end tags fit.
func (s *scanner) fit() error {
	if s.end {
		if s.depth == 0 || !bytes.Equal(s.top(), s.name) {
			return sample.Refuse(s.offset, "</%s> does not fit", sample.Clip(string(s.name)))
		}
		s.pop()
		return nil
	}
	if s.depth == 0 {
		if string(s.name) != "HealthData" {
			return sample.Refuse(s.offset, "the file's element is %s, want HealthData", sample.Clip(string(s.name)))
		}
		s.rooted = true
	}
	if s.depth == deepest {
		return sample.Refuse(s.offset, "elements are more than %d deep", deepest)
	}
	s.open = append(append(s.open, s.name...), byte(len(s.name)))
	s.depth++
	return nil
}

func (s *scanner) top() []byte {
	n := int(s.open[len(s.open)-1])
	return s.open[len(s.open)-1-n : len(s.open)-1]
}

func (s *scanner) pop() {
	s.open = s.open[:len(s.open)-1-int(s.open[len(s.open)-1])]
	s.depth--
}

// unescape answers a value without its entities. An entity that is not known stays.
func unescape(b []byte) string {
	if bytes.IndexByte(b, '&') < 0 {
		return string(b)
	}
	var out []byte
	for len(b) > 0 {
		i := bytes.IndexByte(b, '&')
		if i < 0 {
			break
		}
		out = append(out, b[:i]...)
		b = b[i:]
		end := bytes.IndexByte(b, ';')
		c, ok := rune(0), false
		if end > 0 && end < 12 {
			c, ok = entity(string(b[1:end]))
		}
		if !ok {
			out, b = append(out, '&'), b[1:]
			continue
		}
		out, b = utf8.AppendRune(out, c), b[end+1:]
	}
	return string(append(out, b...))
}
