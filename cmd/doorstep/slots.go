package main

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"os"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/fault"
)

type slotsCmd struct {
	File string `arg:"" help:"JSON of what is sought and when each resource is open (docs/slots.md); '-' is standard input." type:"path"`
	JSON bool   `help:"Print JSON lines, which it always does." hidden:""`
}

func (c slotsCmd) Run(e *env) error {
	read := func(in io.Reader, out *bufio.Writer) error {
		doc, err := readJSON(in, maxSlotsFile)
		if err != nil {
			return err
		}
		s, err := readSearch(doc)
		if err != nil {
			return err
		}
		return s.write(e, out)
	}
	return calculateOr(e, c.File, os.Stdin, read)
}

// Bounds of a file: what it may hold and what the search may take of memory (a day of a resource is about 100 bytes).
const (
	maxSlotsFile    = 256 << 20
	maxResourceDays = 2_000_000
)

// resourceKeys are the members of a resource; where its id is known already, that is enough.
var resourceKeys = []string{"id", "tz?", "weekly?", "overrides?", "closures?", "busy?", "buffer_before_min?", "buffer_after_min?"}

// search is what a file asks for.
type search struct {
	query slot.Query
	zone  *time.Location // of the times that are printed
	index *slot.Index
	ids   [][]byte // of each handle, as JSON
}

// write prints a line for each start.
func (s *search) write(e *env, out *bufio.Writer) error {
	var found slot.Starts
	if err := s.index.Find(s.query, &found); err != nil {
		return err
	}
	var line []byte
	var chosen []slot.Handle
	for start := range found.All {
		line = append(line[:0], `{"start":"`...)
		line = start.In(s.zone).AppendFormat(line, time.RFC3339)
		line = append(line, `","choices":[`...)
		for pool := range s.query.Pools {
			if pool > 0 {
				line = append(line, ',')
			}
			chosen = found.Choices(start, pool, chosen[:0])
			for i, h := range chosen {
				line = append(line, "[,"[min(i, 1)])
				line = append(line, s.ids[h]...)
			}
			line = append(line, ']')
		}
		if _, err := out.Write(append(line, "]}\n"...)); err != nil {
			return err
		}
		if e.Err() != nil {
			return fault.New(fault.Unavailable, "The search was stopped.")
		}
	}
	return nil
}

// readSearch reads what is sought and puts the resources into an index.
func readSearch(doc node) (*search, error) {
	top, err := doc.object("from", "to", "duration_min", "grid_min", "pools", "tz?")
	if err != nil {
		return nil, err
	}
	var r readAll
	s := &search{}
	s.query.Within = slot.Span{From: r.instant(top["from"]), To: r.instant(top["to"])}
	s.query.Duration = r.minutes(top["duration_min"], 1)
	s.query.Grid = r.minutes(top["grid_min"], 5)
	if zone, given := top["tz"]; given {
		s.zone = r.zone(zone)
		s.query.Zone = s.zone
	}
	pools := r.list(top["pools"])
	if r.err != nil {
		return nil, r.err
	}
	switch within := s.query.Within; {
	case !within.From.Before(within.To):
		return nil, top["to"].wrong("is not after from")
	case within.To.Sub(within.From) > (slot.MaxDays-4)*24*time.Hour:
		return nil, top["to"].wrong("is more than %d days after from", slot.MaxDays-4)
	case s.query.Grid%slot.Cell != 0:
		return nil, top["grid_min"].wrong("is not a multiple of 5 (want 5, 10, 15, 20, 30, 60, …)")
	case len(pools) == 0:
		return nil, top["pools"].wrong("is empty (want one pool or more: the visit takes one resource of each)")
	}
	if err := s.readPools(pools); err != nil {
		return nil, err
	}
	return s, nil
}

// readPools reads the resources. One that stands in several pools is given in full the first time, and then again alike or by its id alone.
func (s *search) readPools(pools []node) error {
	type place struct {
		path string
		text string
		h    slot.Handle
	}
	known := map[string]place{}
	var resources []slot.Resource
	for _, pool := range pools {
		o, err := pool.object("resources")
		if err != nil {
			return err
		}
		var r readAll
		list := r.list(o["resources"])
		if r.err != nil {
			return r.err
		}
		if len(list) == 0 {
			return o["resources"].wrong("is empty (want one resource or more)")
		}
		handles := make([]slot.Handle, 0, len(list))
		here := map[string]bool{}
		for _, n := range list {
			id, bare, err := readID(n)
			if err != nil {
				return err
			}
			if here[id] {
				return n.wrong("has the id %q a second time in its pool", id)
			}
			here[id] = true
			if first, again := known[id]; again {
				if !bare && first.text != string(n.raw) {
					return n.wrong(`has the id %q of %s and is not alike (one in two pools is given once; then {"id":…} is enough)`, id, first.path)
				}
				handles = append(handles, first.h)
				continue
			}
			res, err := readResource(n)
			if err != nil {
				return err
			}
			h := slot.Handle(len(resources))
			known[id] = place{n.path, string(n.raw), h}
			resources = append(resources, res)
			handles = append(handles, h)
		}
		s.query.Pools = append(s.query.Pools, handles)
	}
	over := s.query.Within
	for _, r := range resources {
		over.From = earlier(over.From, s.query.Within.From.Add(-r.Before-slot.Cell))
		over.To = later(over.To, s.query.Within.To.Add(r.After+slot.Cell))
	}
	if days := over.To.Sub(over.From).Hours() / 24; days*float64(len(resources)) > maxResourceDays {
		return fault.New(fault.TooMuch, "%d resources over %d days are too many at once; ask for fewer days", len(resources), int(math.Ceil(days)))
	}
	var err error
	if s.index, err = slot.NewIndex(over); err != nil {
		return err
	}
	for _, r := range resources {
		if _, err := s.index.Set(r); err != nil {
			return err
		}
		id, _ := json.Marshal(r.ID) // a string always goes
		s.ids = append(s.ids, id)
	}
	if s.zone == nil {
		s.zone = resources[s.query.Pools[0][0]].Calendar.Zone
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// readID answers a resource's id, and whether the id is all that is given.
func readID(n node) (id string, bare bool, err error) {
	o, err := n.object(resourceKeys...)
	if err != nil {
		return "", false, err
	}
	var r readAll
	id = r.text(o["id"])
	if r.err == nil && id == "" {
		r.err = o["id"].wrong("is empty")
	}
	return id, len(o) == 1, r.err
}

func readResource(n node) (slot.Resource, error) {
	o, err := n.object(resourceKeys...)
	if err != nil {
		return slot.Resource{}, err
	}
	zone, zoned := o["tz"]
	if !zoned {
		return slot.Resource{}, n.wrong("has no tz (want a time zone like America/New_York)")
	}
	_, weekly := o["weekly"]
	if _, overrides := o["overrides"]; !weekly && !overrides {
		return slot.Resource{}, n.wrong("is never open (want weekly times, or overrides)")
	}
	var r readAll
	res := slot.Resource{ID: r.text(o["id"]), Calendar: slot.Calendar{Zone: r.zone(zone)}}
	for _, w := range r.optionalList(o["weekly"]) {
		res.Calendar.Weekly = append(res.Calendar.Weekly, readWeekly(&r, w))
	}
	for _, v := range r.optionalList(o["overrides"]) {
		res.Calendar.Overrides = append(res.Calendar.Overrides, readOverride(&r, v))
	}
	for _, k := range r.optionalList(o["closures"]) {
		res.Calendar.Closures = append(res.Calendar.Closures, readClosure(&r, k))
	}
	for _, b := range r.optionalList(o["busy"]) {
		f := r.object(b, "from", "to")
		s := slot.Span{From: r.instant(f["from"]), To: r.instant(f["to"])}
		if r.err == nil && s.To.Before(s.From) {
			r.err = f["to"].wrong("is before from")
		}
		res.Busy = append(res.Busy, s)
	}
	if v, ok := o["buffer_before_min"]; ok {
		res.Before = r.minutes(v, 0)
	}
	if v, ok := o["buffer_after_min"]; ok {
		res.After = r.minutes(v, 0)
	}
	return res, r.err
}

func readWeekly(r *readAll, n node) (w slot.Weekly) {
	o := r.object(n, "days", "start", "end", "every?", "anchor?", "from?", "to?")
	days := r.list(o["days"])
	if r.err == nil && len(days) == 0 {
		r.err = o["days"].wrong("is empty (want days from 1 Monday to 7 Sunday)")
	}
	for _, d := range days {
		w.Days = append(w.Days, r.whole(d, 1, 7, "1 Monday to 7 Sunday"))
	}
	w.Start, w.End = r.wall(o["start"], false), r.wall(o["end"], true)
	if r.err == nil && w.Start == w.End {
		r.err = o["end"].wrong("is the start as well (a whole day is 00:00 to 24:00; an end before the start is on the next day)")
	}
	if v, ok := o["every"]; ok {
		w.Every = r.whole(v, 1, 52, "1 to 52 weeks")
	}
	if v, ok := o["anchor"]; ok {
		w.Anchor = r.day(v)
	} else if r.err == nil && w.Every > 1 {
		r.err = n.wrong(`is every %d weeks and has no anchor (want "anchor": a date in a week in which it happens)`, w.Every)
	}
	if v, ok := o["from"]; ok {
		w.From = r.day(v)
	}
	if v, ok := o["to"]; ok {
		w.To = r.day(v)
		if r.err == nil && w.To.Before(w.From) {
			r.err = v.wrong("is before from")
		}
	}
	return w
}

func readOverride(r *readAll, n node) (v slot.Override) {
	o := r.object(n, "date", "start?", "end?")
	v.Date = r.day(o["date"])
	start, starts := o["start"]
	end, ends := o["end"]
	if r.err == nil && starts != ends {
		r.err = n.wrong("has a start or an end alone (want both, or neither where the day is closed)")
	}
	if starts && ends {
		v.Start, v.End = r.wall(start, false), r.wall(end, true)
		if r.err == nil && v.Start == v.End {
			r.err = end.wrong("is the start as well (leave both out where the day is closed)")
		}
	}
	return v
}

func readClosure(r *readAll, n node) (k slot.Closure) {
	o := r.object(n, "from", "to?")
	from, to := o["from"], o["to"]
	if text := r.text(from); len(text) > len(time.DateOnly) {
		k.Span.From = r.instant(from)
		if to.raw == nil && r.err == nil {
			r.err = n.wrong("has no to (want when it ends)")
		}
		k.Span.To = r.instant(to)
		if r.err == nil && !k.Span.From.Before(k.Span.To) {
			r.err = to.wrong("is not after from")
		}
		return k
	}
	k.From = r.day(from)
	if to.raw != nil {
		k.To = r.day(to)
		if r.err == nil && k.To.Before(k.From) {
			r.err = to.wrong("is before from")
		}
	}
	return k
}
