package api

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// list is a part of a list and where the next part begins.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next part; absent at the end."`
}

// Part is which part of a list is asked for. (Exported, as Span and Write are, because huma reads only exported fields.)
type Part struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"10000" default:"100" doc:"How many items at most."`
	Cursor string `query:"cursor" maxLength:"300" doc:"What next said in the part before."`
}

// Span is a stretch of time asked for, [from, to).
type Span struct {
	From string `query:"from" maxLength:"40" doc:"RFC 3339 with offset, or a date in the patient's zone."`
	To   string `query:"to" maxLength:"40" doc:"The same; what lies at it is not part of the answer."`
}

// after answers the key in a cursor: the key of the last item given. Keys hold times and ids, never words.
func (p Part) after() (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", fault.Invalidf("The cursor is not one that we gave.")
	}
	return string(b), nil
}

// cut answers the part of a list, whose items stand in ascending order of their keys, that comes after the cursor. Because a
// cursor is a key, what is added meanwhile is neither given twice nor left out.
func cut[S, T any](all []S, p Part, key func(S) string, show func(S) (T, error)) (list[T], error) {
	out := list[T]{Items: []T{}}
	after, err := p.after()
	if err != nil {
		return out, err
	}
	last := ""
	for _, x := range all {
		k := key(x)
		if k <= after {
			continue
		}
		if len(out.Items) == p.Limit {
			out.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		item, err := show(x)
		if err != nil {
			return out, err
		}
		out.Items, last = append(out.Items, item), k
	}
	return out, nil
}

// timeKey begins the key of something that lies in time: microseconds, so wide that text sorts as numbers do.
func timeKey(t time.Time) string { return fmt.Sprintf("%018d", max(store.Micros(t), 0)) }

// resume answers where in time a cursor stands, so that what lies before need not be read again.
func (p Part) resume(from time.Time) (time.Time, error) {
	after, err := p.after()
	if err != nil || after == "" {
		return from, err
	}
	var us int64
	if _, err := fmt.Sscanf(after, "%d", &us); err != nil {
		return from, fault.Invalidf("The cursor is not one that we gave.")
	}
	if at := store.Time(us); at.After(from) {
		return at, nil
	}
	return from, nil
}

// read answers the span in instants; what is left out gets the usual.
func (x Span) read(zone *time.Location, from, to time.Time) (time.Time, time.Time, error) {
	from, err := readTime("from", x.From, zone, from)
	if err != nil {
		return from, to, err
	}
	to, err = readTime("to", x.To, zone, to)
	if err == nil && !from.Before(to) {
		err = fault.Invalidf("to: the end must come after the beginning.")
	}
	return from, to, err
}

// readTime reads an instant, or a date as its first instant in the zone. A plus sign that an address turned into a space is
// taken as the plus it was.
func readTime(name, text string, zone *time.Location, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, strings.ReplaceAll(text, " ", "+")); err == nil {
		return t.UTC(), nil
	}
	day, err := clock.ParseDay(text)
	if err != nil {
		return otherwise, fault.Invalidf("%s: want a time like 2026-03-09T08:00:00-04:00, or a date.", name)
	}
	return clock.At(day, 0, zone), nil
}

// local puts a time in a zone, so that its offset is the one of the clock on the wall; no time stays none.
func local(t time.Time, zone *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(zone)
}
