package slot

import (
	"math/bits"
	"time"
)

// Query asks for the starts of a visit.
type Query struct {
	Within   Span          // the visit begins and ends within it; the buffers around it may lie outside
	Duration time.Duration // rounded up to cells
	// Before and After are kept free around the visit; a resource that asks for more itself gets that.
	Before, After time.Duration
	Grid          time.Duration  // starts are at multiples of it after midnight, by the clock; a multiple of Cell, up to a day
	Zone          *time.Location // whose clock; nil: for each resource of the first pool its own
	Pools         [][]Handle     // one resource of each; no resource fills two of them
}

// maxVisit bounds durations and buffers.
const maxVisit = 24 * time.Hour

func (q Query) validate() error {
	switch {
	case q.Duration <= 0 || q.Duration > maxVisit:
		return invalid("A visit lasts between 1 and %d minutes.", int(maxVisit.Minutes()))
	case q.Before < 0 || q.After < 0 || q.Before > maxVisit || q.After > maxVisit:
		return invalid("A buffer is between 0 and %d minutes.", int(maxVisit.Minutes()))
	case q.Grid < Cell || q.Grid%Cell != 0 || q.Grid > 24*time.Hour:
		return invalid("The grid is a multiple of 5 minutes, up to a day (5, 10, 15, 20, 30, 60, …).")
	case len(q.Pools) == 0:
		return invalid("There is no pool to choose from.")
	}
	for i, p := range q.Pools {
		if len(p) == 0 {
			return invalid("Pool %d has no resources.", i+1)
		}
	}
	return nil
}

// Starts are what a query found, as it was at that moment. One is used over and over: then nothing is allocated. It serves one
// goroutine at a time. Its zero value has found nothing.
type Starts struct {
	ix     *Index
	first  int        // cell of bit 0
	found  []uint64   // the starts
	pools  [][]Handle // of the query
	able   []uint64   // for each resource of each pool, as many words as found: the starts that it can serve
	shared bool       // a resource is in more than one pool

	any, work []uint64
	grids     []uint64 // for each zone of the index, and that of the query: the starts on the grid
	drawn     []bool   // the zone's grid is drawn
	seat      seating
}

// Find puts the starts of a query into found, which then holds nothing of an earlier one.
func (ix *Index) Find(q Query, found *Starts) error {
	found.found = found.found[:0]
	if err := q.validate(); err != nil {
		return err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if err := found.take(ix, q.Pools); err != nil {
		return err
	}
	a := max(0, floorDiv(up(q.Within.From)-ix.origin*1e6+cellMicros-1, cellMicros))
	b := min(int64(ix.cells), floorDiv(q.Within.To.UnixMicro()-ix.origin*1e6-q.Duration.Microseconds(), cellMicros)+1)
	if a >= b {
		return nil
	}
	// The starts from a up to b in whole words, so that those of the resources are taken as they are.
	w0 := int(a) / 64
	n := int(b+63)/64 - w0
	found.first = w0 * 64
	found.found, found.any = sized(found.found, n), sized(found.any, n)
	found.grids, found.drawn = sized(found.grids, n*(len(ix.zones)+1)), sized(found.drawn, len(ix.zones)+1)
	clear(found.drawn)
	clear(found.found)
	setBits(found.found, int(a)-found.first, int(b)-found.first)
	if q.Zone != nil {
		and(found.found, found.grid(len(ix.zones), q.Zone, q.Grid))
	}
	length, before, after := cellsOf(q.Duration), cellsOf(q.Before), cellsOf(q.After)
	total := 0
	for _, p := range q.Pools {
		total += len(p)
	}
	found.able = sized(found.able, n*total)
	able := found.able
	for i, p := range q.Pools {
		clear(found.any)
		for _, h := range p {
			k := &ix.resources[h]
			found.erode(able[:n], ix.freeOf(h), w0, max(before, k.before), length, max(after, k.after))
			if i == 0 && q.Zone == nil {
				and(able[:n], found.grid(int(k.zone), ix.zones[k.zone], q.Grid))
			}
			or(found.any, able[:n])
			able = able[n:]
		}
		and(found.found, found.any)
	}
	if found.shared {
		for i := next(found.found, 0); i < n*64; i = next(found.found, i+1) {
			if !found.seated(i, -1, 0) {
				clearBits(found.found, i, i+1)
			}
		}
	}
	return nil
}

// take keeps the pools of a query and answers what is wrong with them.
func (f *Starts) take(ix *Index, pools [][]Handle) error {
	f.ix, f.pools, f.shared = ix, pools, false
	f.seat.in = sized(f.seat.in, len(ix.resources))
	clear(f.seat.in)
	for i, p := range pools {
		for _, h := range p {
			if h < 0 || int(h) >= len(ix.resources) {
				return invalid("Pool %d has a resource that is not in the index.", i+1)
			}
			switch f.seat.in[h] {
			case 0:
			case int32(i + 1):
				return invalid("Pool %d has %s twice.", i+1, ix.resources[h].id)
			default:
				f.shared = true
			}
			f.seat.in[h] = int32(i + 1)
		}
	}
	return nil
}

// erode puts into able, whose first bit is that of word w0 of free, the starts of visits so long for which all is free.
func (f *Starts) erode(able, free []uint64, w0, before, length, after int) {
	lead, tail := (before+63)/64, (length+after+63)/64
	f.work = sized(f.work, lead+len(able)+tail)
	for i := range f.work[:lead] {
		f.work[i] = 0
		if j := w0 - lead + i; j >= 0 {
			f.work[i] = free[j]
		}
	}
	clear(f.work[lead+copy(f.work[lead:], free[w0:]):])
	erode(f.work, before+length+after)
	by := uint(lead*64 - before)
	if by == 0 {
		copy(able, f.work)
		return
	}
	for i := range able {
		able[i] = f.work[i]>>(by&63) | f.work[i+1]<<((64-by)&63)
	}
}

// grid answers the starts at multiples of grid after midnight by the clock of a zone, drawn once for each number.
func (f *Starts) grid(number int, zone *time.Location, grid time.Duration) []uint64 {
	n := len(f.found)
	w := f.grids[number*n : (number+1)*n]
	if f.drawn[number] {
		return w
	}
	f.drawn[number] = true
	clear(w)
	begin := f.ix.origin + int64(f.first)*cellSeconds
	end := begin + int64(n)*64*cellSeconds
	step, day := int64(grid/time.Second), int64(86400)
	for t := begin; t < end; {
		at := time.Unix(t, 0).In(zone)
		_, offset := at.Zone()
		stop := end
		if _, change := at.ZoneBounds(); !change.IsZero() {
			stop = min(end, change.Unix())
		}
		// On the wall: from t up to stop in this offset, day by day.
		for wall := t + int64(offset); wall < stop+int64(offset); {
			midnight := wall - modulo(wall, day)
			wall += modulo(midnight-wall, step) // the next multiple of step after midnight
			for limit := min(midnight+day, stop+int64(offset)); wall < limit; wall += step {
				if s := wall - int64(offset) - begin; s%cellSeconds == 0 {
					cell := s / cellSeconds
					w[cell/64] |= 1 << (cell % 64)
				}
			}
			if wall > midnight+day {
				wall = midnight + day
			}
		}
		t = stop
	}
	return w
}

// Len answers how many starts were found.
func (f *Starts) Len() int {
	n := 0
	for _, w := range f.found {
		n += bits.OnesCount64(w)
	}
	return n
}

// Next answers the first start at or after an instant.
func (f *Starts) Next(at time.Time) (time.Time, bool) {
	if len(f.found) == 0 {
		return time.Time{}, false
	}
	cell := floorDiv(up(at)-f.ix.origin*1e6+cellMicros-1, cellMicros) - int64(f.first)
	i := next(f.found, int(max(0, min(cell, int64(len(f.found))*64))))
	return f.ix.time(f.first + i), i < len(f.found)*64
}

// All answers the starts, soonest first, in UTC.
func (f *Starts) All(yield func(time.Time) bool) {
	for i := next(f.found, 0); i < len(f.found)*64; i = next(f.found, i+1) {
		if !yield(f.ix.time(f.first + i)) {
			return
		}
	}
}

// Has reports whether a start was found.
func (f *Starts) Has(start time.Time) bool {
	at, ok := f.Next(start)
	return ok && at.Equal(start)
}

// Choices appends to into the resources of a pool that can serve a start, in the order of the pool. Each of them can be chosen:
// the other pools can then be filled. None for what is no start.
func (f *Starts) Choices(start time.Time, pool int, into []Handle) []Handle {
	if pool < 0 || pool >= len(f.pools) || !f.Has(start) {
		return into
	}
	bit := int(start.Unix()-f.ix.origin)/int(cellSeconds) - f.first
	for j, h := range f.pools[pool] {
		if f.can(bit, pool, j) && (!f.shared || f.seated(bit, pool, h)) {
			into = append(into, h)
		}
	}
	return into
}

// can reports whether the j-th resource of a pool can serve the start of a bit.
func (f *Starts) can(bit, pool, j int) bool {
	n := len(f.found)
	for _, p := range f.pools[:pool] {
		j += len(p)
	}
	return f.able[j*n+bit/64]&(1<<(bit%64)) != 0
}

// up answers an instant in microseconds since 1970, rounded up.
func up(t time.Time) int64 {
	us := t.UnixMicro()
	if t.Nanosecond()%1000 != 0 {
		us++
	}
	return us
}

// sized answers a slice of n elements, whatever they hold, in the memory of an old one if that is large enough.
func sized[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n)
	}
	return old[:n]
}
