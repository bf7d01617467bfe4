package ical

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"doorstep/internal/fault"
)

// Feed is what somebody's calendar program fetches.
type Feed struct {
	Name  string        // of the calendar
	Visit string        // what a visit is called that has no title of its own ("Visit"): its minutes are put after it
	Every time.Duration // how often it should be fetched again; 0: that is not said
}

// Event is a visit in a feed. In a clinician's feed Title, Place and Text stay empty: a feed is fetched by an address that others may come
// to know, and shows no more than that there is a visit, and how long.
type Event struct {
	ID         string // the same in every feed of the visit, unlike any other's in the world (an id "@" a host)
	Start, End time.Time
	Changed    time.Time // when it was last changed
	Sequence   int       // how often it was moved or cancelled: programs take the highest
	Cancelled  bool
	Title      string
	Place      string
	Text       string
}

// Write writes a calendar (RFC 5545, METHOD:PUBLISH) of the events, in their order, times in UTC.
func Write(to io.Writer, f Feed, events []Event) error {
	w := writer{out: bufio.NewWriter(to)}
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", "-//Doorstep//Visits//EN")
	w.line("CALSCALE", "GREGORIAN")
	w.line("METHOD", "PUBLISH")
	w.text("NAME", f.Name)
	w.text("X-WR-CALNAME", f.Name)
	if minutes := int(f.Every.Minutes()); minutes > 0 {
		w.line("REFRESH-INTERVAL;VALUE=DURATION", fmt.Sprintf("PT%dM", minutes))
		w.line("X-PUBLISHED-TTL", fmt.Sprintf("PT%dM", minutes))
	}
	for _, e := range events {
		if e.ID == "" || !e.Start.Before(e.End) {
			return fault.New(fault.Internal, "an event of a feed has an ID, and ends after it begins: %q %s to %s", e.ID, e.Start, e.End)
		}
		w.line("BEGIN", "VEVENT")
		w.text("UID", e.ID)
		w.line("DTSTAMP", utc(e.Changed))
		w.line("LAST-MODIFIED", utc(e.Changed))
		w.line("SEQUENCE", fmt.Sprint(e.Sequence))
		w.line("DTSTART", utc(e.Start))
		w.line("DTEND", utc(e.End))
		if e.Title == "" {
			e.Title = fmt.Sprintf("%s, %d min", f.Visit, int(e.End.Sub(e.Start).Minutes()))
		}
		w.text("SUMMARY", e.Title)
		w.text("LOCATION", e.Place)
		w.text("DESCRIPTION", e.Text)
		w.line("CLASS", "PRIVATE")
		if e.Cancelled {
			w.line("STATUS", "CANCELLED")
			w.line("TRANSP", "TRANSPARENT")
		} else {
			w.line("STATUS", "CONFIRMED")
			w.line("TRANSP", "OPAQUE")
		}
		w.line("END", "VEVENT")
	}
	w.line("END", "VCALENDAR")
	if w.err != nil {
		return w.err
	}
	return w.out.Flush()
}

func utc(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

type writer struct {
	out *bufio.Writer
	err error
}

// escaped is a TEXT (section 3.3.11). A carriage return or another control character has no place in one.
var escaped = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`)

// text writes a property whose value is a text; nothing where it is empty.
func (w *writer) text(name, value string) {
	if value == "" {
		return
	}
	value = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, escaped.Replace(strings.ToValidUTF8(value, "")))
	w.line(name, value)
}

// line writes a content line, folded after at most 75 bytes, between letters (section 3.1).
func (w *writer) line(name, value string) {
	rest := name + ":" + value
	for room := 75; len(rest) > room; room = 74 { // the space that begins a further line is one of 75
		cut := room
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		w.write(rest[:cut], "\r\n ")
		rest = rest[cut:]
	}
	w.write(rest, "\r\n")
}

func (w *writer) write(parts ...string) {
	for _, p := range parts {
		if w.err == nil {
			_, w.err = w.out.WriteString(p)
		}
	}
}
