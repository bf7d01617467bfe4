package slot_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := clock.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// world is a query with its resources, for the engine and for the reference.
type world struct {
	over      slot.Span
	resources []slot.Resource
	query     slot.Query
}

// drawWorld makes worlds around a change of clocks, with times that do not end on cells.
func drawWorld(t *rapid.T) world {
	var w world
	zones := []string{"America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"}
	origin := rapid.SampledFrom([]time.Time{
		time.Date(2026, 3, 7, 11, 3, 0, 0, time.UTC), time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC),
	}).Draw(t, "origin")
	days := rapid.IntRange(1, 4).Draw(t, "days")
	minute := func(name string) time.Time {
		return origin.Add(time.Duration(rapid.IntRange(-200, days*1440+200).Draw(t, name)) * time.Minute)
	}
	w.over = slot.Span{From: origin, To: origin.AddDate(0, 0, days)}
	for i := range rapid.IntRange(1, 5).Draw(t, "resources") {
		r := slot.Resource{ID: fmt.Sprint("r", i), Calendar: slot.Calendar{Zone: zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))}}
		for range rapid.IntRange(1, 3).Draw(t, "weekly") {
			start := rapid.IntRange(0, 1439).Draw(t, "start")
			end := rapid.IntRange(0, 1440).Filter(func(n int) bool { return n != start }).Draw(t, "end")
			r.Calendar.Weekly = append(r.Calendar.Weekly, slot.Weekly{Days: rapid.SliceOfN(rapid.IntRange(1, 7), 1, 7).Draw(t, "on"), Start: clock.Wall(start), End: clock.Wall(end)})
		}
		for range rapid.IntRange(0, 12).Draw(t, "busy") {
			from := minute("from")
			r.Busy = append(r.Busy, slot.Span{From: from, To: from.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "long")) * time.Minute)})
		}
		r.Before = time.Duration(rapid.SampledFrom([]int{0, 0, 5, 7, 70}).Draw(t, "before")) * time.Minute
		r.After = time.Duration(rapid.SampledFrom([]int{0, 0, 3, 10, 330}).Draw(t, "after")) * time.Minute
		w.resources = append(w.resources, r)
	}
	w.query = slot.Query{
		Within:   slot.Span{From: minute("within from"), To: minute("within to")},
		Duration: time.Duration(rapid.SampledFrom([]int{1, 5, 17, 30, 60, 325, 400}).Draw(t, "duration")) * time.Minute,
		Before:   time.Duration(rapid.SampledFrom([]int{0, 0, 5, 12}).Draw(t, "query before")) * time.Minute,
		After:    time.Duration(rapid.SampledFrom([]int{0, 0, 5, 12}).Draw(t, "query after")) * time.Minute,
		Grid:     time.Duration(rapid.SampledFrom([]int{5, 10, 15, 20, 35, 45, 60, 90, 1440}).Draw(t, "grid")) * time.Minute,
	}
	if rapid.Bool().Draw(t, "one clock") {
		w.query.Zone = zone(t, rapid.SampledFrom(zones).Draw(t, "grid zone"))
	}
	for range rapid.IntRange(1, 3).Draw(t, "pools") {
		var pool []slot.Handle
		for h := range w.resources {
			if rapid.IntRange(0, 2).Draw(t, "in") > 0 {
				pool = append(pool, slot.Handle(h))
			}
		}
		if len(pool) == 0 {
			pool = []slot.Handle{0}
		}
		w.query.Pools = append(w.query.Pools, pool)
	}
	return w
}

// reference answers the starts and their choices minute by minute, from what the rules say.
func (w world) reference() (starts []time.Time, choices [][][]slot.Handle) {
	const cell = slot.Cell
	floor := func(t time.Time) time.Time { return t.Truncate(cell) } // since the year 1, at midnight: whole days
	ceil := func(t time.Time) time.Time { return t.Add(cell - 1).Truncate(cell) }
	up := func(d time.Duration) time.Duration { return (d + cell - 1) / cell * cell }
	over := slot.Span{From: floor(w.over.From), To: ceil(w.over.To)}
	free := make([]map[time.Time]bool, len(w.resources))
	for i, r := range w.resources {
		free[i] = map[time.Time]bool{}
		for _, s := range r.Calendar.Spans(over.From, over.To) {
			for t := ceil(s.From); t.Before(floor(s.To)); t = t.Add(time.Minute) {
				free[i][t] = true
			}
		}
		for _, b := range r.Busy {
			if b.From.Before(b.To) {
				for t := floor(b.From); t.Before(ceil(b.To)); t = t.Add(time.Minute) {
					delete(free[i], t)
				}
			}
		}
	}
	able := func(h slot.Handle, t time.Time) bool {
		before, after := up(max(w.query.Before, w.resources[h].Before)), up(max(w.query.After, w.resources[h].After))
		for m := t.Add(-before); m.Before(t.Add(up(w.query.Duration) + after)); m = m.Add(time.Minute) {
			if !free[h][m] {
				return false
			}
		}
		return true
	}
	onGrid := func(z *time.Location, t time.Time) bool {
		t = t.In(z)
		return (time.Duration(t.Hour())*time.Hour+time.Duration(t.Minute())*time.Minute)%w.query.Grid == 0
	}
	for t := over.From; t.Before(over.To); t = t.Add(cell) {
		if t.Before(w.query.Within.From) || w.query.Within.To.Before(t.Add(w.query.Duration)) || w.query.Zone != nil && !onGrid(w.query.Zone, t) {
			continue
		}
		fits := make([][]slot.Handle, len(w.query.Pools))
		for p, pool := range w.query.Pools {
			for _, h := range pool {
				if able(h, t) && (p > 0 || w.query.Zone != nil || onGrid(w.resources[h].Calendar.Zone, t)) {
					fits[p] = append(fits[p], h)
				}
			}
		}
		part := make([]map[slot.Handle]bool, len(fits)) // of a full assignment
		for p := range part {
			part[p] = map[slot.Handle]bool{}
		}
		var all func(taken []slot.Handle)
		all = func(taken []slot.Handle) {
			if len(taken) == len(fits) {
				for p, h := range taken {
					part[p][h] = true
				}
				return
			}
			for _, h := range fits[len(taken)] {
				if !slices.Contains(taken, h) {
					all(append(slices.Clone(taken), h))
				}
			}
		}
		all(nil)
		if len(part[0]) == 0 {
			continue
		}
		starts = append(starts, t)
		for p := range fits {
			fits[p] = slices.DeleteFunc(fits[p], func(h slot.Handle) bool { return !part[p][h] })
		}
		choices = append(choices, fits)
	}
	return starts, choices
}

func (w world) index(t interface{ Fatal(...any) }) *slot.Index {
	ix, err := slot.NewIndex(w.over)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range w.resources {
		if _, err := ix.Set(r); err != nil {
			t.Fatal(err)
		}
	}
	return ix
}

// compare fails where the index and the reference differ.
func (w world) compare(t interface{ Fatalf(string, ...any) }, ix *slot.Index, found *slot.Starts) {
	if err := ix.Find(w.query, found); err != nil {
		t.Fatalf("%v", err)
	}
	starts, choices := w.reference()
	got := slices.Collect(found.All)
	if !slices.EqualFunc(got, starts, time.Time.Equal) || found.Len() != len(starts) {
		t.Fatalf("found %d %v\nwant  %v", found.Len(), got, starts)
	}
	for i, at := range got {
		for p := range w.query.Pools {
			if c := found.Choices(at, p, nil); !slices.Equal(c, choices[i][p]) {
				t.Fatalf("%s pool %d: %v, want %v", at, p, c, choices[i][p])
			}
		}
		if !found.Has(at) {
			t.Fatalf("%s is not had", at)
		}
	}
}

// What the index finds is what a reading of the rules minute by minute finds, choices too.
func TestFindIsTheReference(t *testing.T) {
	t.Parallel()
	var found slot.Starts // one for all: nothing of an earlier query is left
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.compare(t, w.index(t), &found)
	})
}

// After bookings and their release, in any order, the index is as one made anew.
func TestBookAndRelease(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		ix := w.index(t)
		var found slot.Starts
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			h := rapid.IntRange(0, len(w.resources)-1).Draw(t, "resource")
			r := &w.resources[h]
			if n := len(r.Busy); n > 0 && rapid.Bool().Draw(t, "release") {
				i := rapid.IntRange(0, n-1).Draw(t, "which")
				s := r.Busy[i]
				inside := s.From.Before(s.To) && s.Overlaps(ix.Over())
				if ix.Release(slot.Handle(h), s) != inside {
					t.Fatalf("release of %v", s)
				}
				r.Busy = slices.Delete(r.Busy, i, i+1)
				continue
			}
			from := w.over.From.Add(time.Duration(rapid.IntRange(-100, 3000).Draw(t, "from")) * time.Minute)
			s := slot.Span{From: from, To: from.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "long")) * time.Minute)}
			ix.Book(slot.Handle(h), s)
			r.Busy = append(r.Busy, s)
		}
		w.compare(t, ix, &found)
	})
}
