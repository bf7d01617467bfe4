package slot_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/appointment/slot"
)

// team is an index of so many resources of a zone, open from nine to five on every day.
func team(t *testing.T, n int) (*slot.Index, []slot.Handle) {
	t.Helper()
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ix, err := slot.NewIndex(slot.Span{From: from, To: from.AddDate(0, 0, 30)})
	if err != nil {
		t.Fatal(err)
	}
	var handles []slot.Handle
	for i := range n {
		h, err := ix.Set(slot.Resource{ID: fmt.Sprint("r", i), Calendar: daily(zone(t, "America/New_York"), 540, 1020)})
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
	}
	return ix, handles
}

// A search allocates nothing once its Starts has been used, nor does a booking.
func TestNothingIsAllocated(t *testing.T) {
	ix, h := team(t, 40)
	q := slot.Query{Within: ix.Over(), Duration: 30 * time.Minute, Grid: 15 * time.Minute, Pools: [][]slot.Handle{h[:30], h[30:]}}
	var found slot.Starts
	into := make([]slot.Handle, 0, len(h))
	n := 0
	visit := slot.Span{From: time.Date(2026, 3, 10, 14, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 10, 14, 30, 0, 0, time.UTC)}
	ix.Book(h[0], visit)
	ix.Release(h[0], visit)
	if allocs := testing.AllocsPerRun(20, func() {
		if err := ix.Find(q, &found); err != nil {
			t.Error(err)
		}
		for start := range found.All {
			into = found.Choices(start, 0, into[:0])
			n += len(into)
		}
		ix.Book(h[0], visit)
		if ix.Free(h[0], visit) || !ix.Free(h[1], visit) || !ix.Release(h[0], visit) || !ix.Free(h[0], visit) {
			t.Error("a booking is not seen")
		}
	}); allocs != 0 || n == 0 {
		t.Errorf("%v allocations, %d choices", allocs, n)
	}
}

// Finding while others book: the race detector looks on.
func TestFindWhileBooking(t *testing.T) {
	t.Parallel()
	ix, h := team(t, 8)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			var found slot.Starts
			for range 20 {
				if err := ix.Find(slot.Query{Within: ix.Over(), Duration: time.Hour, Grid: time.Hour, Pools: [][]slot.Handle{h}}, &found); err != nil || found.Len() < 240 { // r7 has the hour after midnight at times
					t.Errorf("%v, %d starts", err, found.Len())
				}
				at, _ := found.Next(time.Time{})
				for range i + 1 {
					ix.Book(h[i], slot.Span{From: at, To: at.Add(time.Hour)})
				}
				if _, err := ix.Set(slot.Resource{ID: "r7", Calendar: daily(time.UTC, 0, 60)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// What has been found stays as it was; a resource that is set anew keeps its handle.
func TestStartsAreOfTheirMoment(t *testing.T) {
	t.Parallel()
	ix, h := team(t, 1)
	var found slot.Starts
	if _, ok := found.Next(time.Time{}); ok || found.Len() != 0 || len(found.Choices(time.Time{}, 0, nil)) != 0 {
		t.Error("an empty one has starts")
	}
	q := slot.Query{Within: ix.Over(), Duration: time.Hour, Grid: time.Hour, Pools: [][]slot.Handle{h}}
	if err := ix.Find(q, &found); err != nil {
		t.Fatal(err)
	}
	at, ok := found.Next(ix.Over().From.Add(time.Minute))
	if !ok || !at.Equal(time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)) {
		t.Fatal(at, ok)
	}
	again, err := ix.Set(slot.Resource{ID: "r0", Calendar: daily(time.UTC, 0, slot.Midnight), Busy: []slot.Span{ix.Over()}})
	if known, ok := ix.Handle("r0"); err != nil || again != h[0] || !ok || known != h[0] || ix.ID(again) != "r0" {
		t.Error(again, known, ok, err)
	}
	if len(found.Choices(at, 0, nil)) != 1 || found.Choices(at.Add(time.Minute), 0, nil) != nil || found.Choices(at, 1, nil) != nil {
		t.Error("what was found has changed")
	}
	if err := ix.Find(q, &found); err != nil || found.Len() != 0 {
		t.Error(found.Len(), err)
	}
	if ix.Release(again, slot.Span{From: at, To: at.Add(time.Hour)}) {
		t.Error("a span was released that nobody took")
	}
	if _, ok := ix.Handle("nobody"); ok {
		t.Error("nobody has a handle")
	}
}

func TestFindSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	ix, h := team(t, 2)
	good := slot.Query{Within: ix.Over(), Duration: time.Hour, Grid: time.Hour, Pools: [][]slot.Handle{h}}
	for want, change := range map[string]func(q *slot.Query){
		"lasts between":   func(q *slot.Query) { q.Duration = 0 },
		"buffer":          func(q *slot.Query) { q.After = -1 },
		"grid":            func(q *slot.Query) { q.Grid = 7 * time.Minute },
		"no pool":         func(q *slot.Query) { q.Pools = nil },
		"Pool 2 has no":   func(q *slot.Query) { q.Pools = [][]slot.Handle{h, {}} },
		"not in the":      func(q *slot.Query) { q.Pools = [][]slot.Handle{{2}} },
		"Pool 1 has r0 t": func(q *slot.Query) { q.Pools = [][]slot.Handle{{0, 1, 0}} },
	} {
		q := good
		change(&q)
		var found slot.Starts
		if err := ix.Find(good, &found); err != nil || found.Len() == 0 {
			t.Fatal(err)
		}
		if err := ix.Find(q, &found); err == nil || !strings.Contains(err.Error(), want) || found.Len() != 0 {
			t.Errorf("%s: %v, %d starts", want, err, found.Len())
		}
	}
	from := ix.Over().From
	for _, s := range []slot.Span{{From: from, To: from}, {From: from, To: from.AddDate(3, 0, 0)}} {
		if _, err := slot.NewIndex(s); err == nil {
			t.Errorf("an index of %v", s)
		}
	}
	if _, err := ix.Set(slot.Resource{ID: "x", Calendar: daily(time.UTC, 0, 60), Before: -1}); err == nil {
		t.Error("a buffer before it begins")
	}
	if _, err := ix.Set(slot.Resource{ID: "x"}); err == nil {
		t.Error("a resource without a zone")
	}
}

func BenchmarkFindTeam(b *testing.B) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ix, err := slot.NewIndex(slot.Span{From: from, To: from.AddDate(0, 0, 30)})
	if err != nil {
		b.Fatal(err)
	}
	pools := make([][]slot.Handle, 3)
	for i := range 225 {
		h, err := ix.Set(slot.Resource{ID: fmt.Sprint(i), Calendar: daily(time.UTC, 540, 1020)})
		if err != nil {
			b.Fatal(err)
		}
		p := 0
		if i >= 200 {
			p = 1 + (i-200)/20
		}
		pools[p] = append(pools[p], h)
	}
	q := slot.Query{Within: ix.Over(), Duration: 30 * time.Minute, Grid: 15 * time.Minute, Pools: pools}
	var found slot.Starts
	for b.Loop() {
		if err := ix.Find(q, &found); err != nil {
			b.Fatal(err)
		}
	}
}
