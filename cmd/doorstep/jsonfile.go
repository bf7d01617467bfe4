package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
)

// node is a value of a JSON file with the way to it (pools[0].resources[2].tz), so that whoever wrote the file finds it.
type node struct {
	path string
	raw  json.RawMessage // nil: it is not there
}

// readJSON reads a file of one JSON value, of at most so many bytes.
func readJSON(in io.Reader, limit int64) (node, error) {
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return node{}, err
	}
	if int64(len(b)) > limit {
		return node{}, fault.New(fault.TooMuch, "the file is larger than %d MB", limit>>20)
	}
	var whole json.RawMessage
	if err := json.Unmarshal(b, &whole); err != nil {
		line := 1
		var at *json.SyntaxError
		if errors.As(err, &at) {
			line += bytes.Count(b[:min(int(at.Offset), len(b))], []byte("\n"))
		}
		return node{}, fault.Invalidf("line %d: this is not JSON: %s", line, err)
	}
	return node{"", whole}, nil
}

// wrong answers an error that names the place.
func (n node) wrong(format string, args ...any) error {
	name := n.path
	if name == "" {
		name = "the file"
	}
	return fault.Invalidf("%s %s", name, fmt.Sprintf(format, args...))
}

// shown answers the value as it stands in the file, cut short.
func (n node) shown() string {
	var b bytes.Buffer
	if json.Compact(&b, n.raw) != nil {
		return "nothing"
	}
	if text := []rune(b.String()); len(text) > 40 {
		return string(text[:40]) + "…"
	}
	return b.String()
}

// object answers the members of an object. Those whose names end in "?" may be missing or null, and then are not in the answer;
// others than these are an error, as a mistyped name would be.
func (n node) object(names ...string) (map[string]node, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(n.raw, &members); err != nil || members == nil {
		return nil, n.wrong("is %s, not an object", n.shown())
	}
	out := make(map[string]node, len(members))
	allowed := make([]string, len(names))
	for i, name := range names {
		key, optional := strings.CutSuffix(name, "?")
		allowed[i] = key
		raw, there := members[key]
		if there && string(raw) != "null" {
			out[key] = node{strings.TrimPrefix(n.path+"."+key, "."), raw}
		} else if !optional {
			return nil, n.wrong("has no %q", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(allowed, key) {
			return nil, n.wrong("has %q, which is not known (want %s)", key, strings.Join(allowed, ", "))
		}
	}
	return out, nil
}

// readAll reads values one after another and keeps the first error; after it everything is zero.
type readAll struct{ err error }

func (r *readAll) object(n node, names ...string) map[string]node {
	if r.err != nil {
		return nil
	}
	o, err := n.object(names...)
	r.err = err
	return o
}

func (r *readAll) list(n node) []node {
	if r.err != nil {
		return nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(n.raw, &items); err != nil || items == nil {
		r.err = n.wrong("is %s, not a list", n.shown())
		return nil
	}
	out := make([]node, len(items))
	for i, raw := range items {
		out[i] = node{n.path + "[" + strconv.Itoa(i) + "]", raw}
	}
	return out
}

func (r *readAll) optionalList(n node) []node {
	if n.raw == nil {
		return nil
	}
	return r.list(n)
}

func (r *readAll) text(n node) (s string) {
	if r.err != nil {
		return ""
	}
	if err := json.Unmarshal(n.raw, &s); err != nil || len(n.raw) == 0 || n.raw[0] != '"' {
		r.err = n.wrong("is %s, not a text", n.shown())
	}
	return s
}

// whole reads a whole number between two bounds; want says them.
func (r *readAll) whole(n node, low, high int, want string) (v int) {
	if r.err != nil {
		return 0
	}
	if err := json.Unmarshal(n.raw, &v); err != nil || string(n.raw) == "null" || v < low || v > high {
		r.err = n.wrong("is %s (want a whole number, %s)", n.shown(), want)
		return 0
	}
	return v
}

// minutes reads whole minutes up to a day.
func (r *readAll) minutes(n node, low int) time.Duration {
	return time.Duration(r.whole(n, low, 24*60, fmt.Sprintf("%d to %d minutes", low, 24*60))) * time.Minute
}

func (r *readAll) instant(n node) time.Time {
	text := r.text(n)
	if r.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.err = n.wrong("is %s (want a time with its offset, like 2026-03-06T09:00:00-05:00 or …Z)", n.shown())
	}
	return t
}

func (r *readAll) day(n node) clock.Day {
	text := r.text(n)
	if r.err != nil {
		return clock.Day{}
	}
	d, err := clock.ParseDay(text)
	if err != nil {
		r.err = n.wrong("is %s (want a date like 2026-03-06)", n.shown())
	}
	return d
}

// wall reads a time of day; an end may be 24:00.
func (r *readAll) wall(n node, end bool) clock.Wall {
	text := r.text(n)
	if r.err != nil {
		return 0
	}
	if end && text == "24:00" {
		return slot.Midnight
	}
	w, err := clock.ParseWall(text)
	if err != nil {
		r.err = n.wrong("is %s (want a time of day like 09:00)", n.shown())
	}
	return w
}

func (r *readAll) zone(n node) *time.Location {
	text := r.text(n)
	if r.err != nil {
		return time.UTC
	}
	z, err := clock.Zone(text)
	if err != nil {
		r.err = n.wrong("is %s, which is not a time zone (want one like America/New_York)", n.shown())
		return time.UTC
	}
	return z
}
