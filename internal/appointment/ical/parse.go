package ical

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"doorstep/internal/fault"
)

// line is a content line: a property with its parameters.
type line struct {
	number int    // of its first line in the file
	name   string // in capitals
	params map[string]string
	value  string
}

// part is a component with its properties and what it holds.
type part struct {
	number int // of its BEGIN
	name   string
	lines  []line
	parts  []part
}

// find answers the first property of a name.
func (p part) find(name string) (line, bool) {
	for _, l := range p.lines {
		if l.name == name {
			return l, true
		}
	}
	return line{}, false
}

// maxDepth bounds how far components stand in each other: a calendar, an event, an alarm are three.
const maxDepth = 8

// parse answers what the calendars of a file hold. A line that cannot be read is refused by itself: the rest may be sound.
func parse(b []byte, refuse func(err error)) ([]part, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	open := []part{{}}
	calendars, last := 0, 0
	for l, err := range unfolded(b) {
		last = l.number
		if err != nil {
			if len(open) == 1 {
				return nil, wrong(l.number, "this is not a calendar (it begins with BEGIN:VCALENDAR).")
			}
			refuse(err)
			continue
		}
		top := &open[len(open)-1]
		switch l.name {
		case "BEGIN":
			name := strings.ToUpper(strings.TrimSpace(l.value))
			switch {
			case len(open) == 1 && name != "VCALENDAR":
				return nil, wrong(l.number, "%s stands outside a calendar (BEGIN:VCALENDAR comes first).", shown(name))
			case len(open) > maxDepth:
				return nil, wrong(l.number, "parts stand in each other more than %d deep.", maxDepth)
			}
			open = append(open, part{number: l.number, name: name})
		case "END":
			name := strings.ToUpper(strings.TrimSpace(l.value))
			if len(open) == 1 || name != top.name {
				return nil, wrong(l.number, "END:%s has no BEGIN before it; the calendar may be cut or mixed up. Export it again.", shown(name))
			}
			closed := *top
			open = open[:len(open)-1]
			parent := &open[len(open)-1]
			if closed.name == "VCALENDAR" && len(open) == 1 {
				calendars++
				parent.parts = append(parent.parts, closed.parts...)
				continue
			}
			parent.parts = append(parent.parts, closed)
			if len(parent.parts) > 2*MaxEvents {
				return nil, fault.New(fault.TooMuch, "The calendar has more than %d events.", MaxEvents)
			}
		default:
			if len(open) == 1 {
				return nil, wrong(l.number, "this is not a calendar (it begins with BEGIN:VCALENDAR).")
			}
			top.lines = append(top.lines, l)
		}
	}
	if len(open) > 1 {
		return nil, wrong(last, "the calendar breaks off: END:%s is missing. Fetch or export it again.", shown(open[len(open)-1].name))
	}
	if calendars == 0 {
		return nil, wrong(1, "this is not a calendar (it begins with BEGIN:VCALENDAR).")
	}
	return open[0].parts, nil
}

// unfolded yields the content lines: one that begins with a space or a tab goes on with the line before (section 3.1).
func unfolded(b []byte) func(yield func(line, error) bool) {
	return func(yield func(line, error) bool) {
		number := 0
		var text []byte
		first := 0
		flush := func() bool {
			if len(bytes.TrimSpace(text)) == 0 {
				return true
			}
			l, err := split(first, string(text))
			return yield(l, err)
		}
		for len(b) > 0 {
			raw, rest, _ := bytes.Cut(b, []byte("\n"))
			b = rest
			number++
			raw = bytes.TrimSuffix(raw, []byte("\r"))
			if len(raw) > 0 && (raw[0] == ' ' || raw[0] == '\t') && first > 0 {
				text = append(text, raw[1:]...)
				continue
			}
			if !flush() {
				return
			}
			text, first = append(text[:0], raw...), number
		}
		flush()
	}
}

// split reads a content line: name *(";" param) ":" value.
func split(number int, text string) (line, error) {
	l := line{number: number}
	end := strings.IndexAny(text, ";:")
	if end <= 0 || strings.ContainsFunc(text[:end], func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}) {
		return l, wrong(number, "this is no line of a calendar: %s", shown(text))
	}
	l.name = strings.ToUpper(text[:end])
	for text = text[end:]; text[0] == ';'; {
		text = text[1:]
		eq := strings.IndexAny(text, "=;:")
		if eq < 0 || text[eq] != '=' {
			return l, wrong(number, "%s has a parameter without a value.", l.name)
		}
		name := strings.ToUpper(text[:eq])
		text = text[eq+1:]
		quoted := false
		stop := strings.IndexFunc(text, func(r rune) bool {
			quoted = quoted != (r == '"')
			return !quoted && (r == ';' || r == ':')
		})
		if stop < 0 {
			return l, wrong(number, "%s has no value.", l.name)
		}
		value := strings.Trim(text[:stop], `"`)
		text = text[stop:]
		if l.params == nil {
			l.params = map[string]string{}
		}
		l.params[name] = value
	}
	l.value = text[1:]
	return l, nil
}

// shown answers a text of a file, cut short, fit for a message.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return '·'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}
