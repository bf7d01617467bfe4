package slot

import (
	"slices"
	"sync"
	"time"
)

// Resource is what a visit needs one of: a clinician, a room, a device, an interpreter, a driver.
type Resource struct {
	ID       string
	Calendar Calendar
	Busy     []Span // in any order; they may overlap
	// Before and After are kept free around each visit: the resource is open and not busy then, too.
	Before, After time.Duration
}

// Handle names a resource in its index.
type Handle int32

// Index holds when resources are free, over a range of time that is set once. All its methods may be called from many goroutines.
type Index struct {
	mu        sync.RWMutex
	origin    int64 // seconds since 1970, at a cell's begin
	words     int   // per resource
	cells     int
	resources []kept
	handles   map[string]Handle
	zones     []*time.Location
	open      []uint64 // words per resource: the calendar
	free      []uint64 // words per resource: open and not busy
}

// kept is a resource as the index keeps it.
type kept struct {
	id            string
	zone          int32 // in zones
	before, after int   // cells
	busy          []busy
}

// busy is a span that a resource is taken, in microseconds since 1970, so that it can be found again when it is released.
type busy struct{ from, to int64 }

const (
	cellSeconds = int64(Cell / time.Second)
	cellMicros  = int64(Cell / time.Microsecond)
)

// NewIndex makes an index of a range of time, which is rounded outward to whole cells. Outside it nobody is free.
func NewIndex(over Span) (*Index, error) {
	if !over.From.Before(over.To) {
		return nil, invalid("The time to search ends before it begins.")
	}
	if over.To.Sub(over.From) > MaxDays*24*time.Hour {
		return nil, invalid("The time to search is longer than %d days.", MaxDays)
	}
	origin := floorDiv(over.From.Unix(), cellSeconds) * cellSeconds
	ix := &Index{origin: origin, handles: map[string]Handle{}}
	ix.cells = int(floorDiv(up(over.To)+cellMicros-1, cellMicros) - origin/cellSeconds)
	ix.words = (ix.cells + 63) / 64
	return ix, nil
}

// Over answers the range of time that the index knows.
func (ix *Index) Over() Span { return Span{ix.time(0), ix.time(ix.cells)} }

// Set puts a resource into the index, or in the place of the one with its ID, and answers its handle, which stays.
func (ix *Index) Set(r Resource) (Handle, error) {
	if err := r.Calendar.Validate(); err != nil {
		return 0, err
	}
	if r.Before < 0 || r.After < 0 || r.Before > maxVisit || r.After > maxVisit {
		return 0, invalid("A buffer is between 0 and %d minutes.", int(maxVisit.Minutes()))
	}
	over := ix.Over()
	spans := r.Calendar.Spans(over.From, over.To)
	taken := make([]busy, 0, len(r.Busy)+8)
	for _, s := range r.Busy {
		if b, ok := ix.busyOf(s); ok {
			taken = append(taken, b)
		}
	}
	slices.SortFunc(taken, busy.compare)

	ix.mu.Lock()
	defer ix.mu.Unlock()
	h, known := ix.handles[r.ID]
	if !known {
		h = Handle(len(ix.resources))
		ix.handles[r.ID] = h
		ix.resources = append(ix.resources, kept{id: r.ID})
		ix.open = append(ix.open, make([]uint64, ix.words)...)
		ix.free = append(ix.free, make([]uint64, ix.words)...)
	}
	k := &ix.resources[h]
	k.before, k.after, k.busy, k.zone = cellsOf(r.Before), cellsOf(r.After), taken, ix.zone(r.Calendar.Zone)
	open, free := ix.openOf(h), ix.freeOf(h)
	clear(open)
	for _, s := range spans {
		a, b := up(s.From)-ix.origin*1e6, s.To.UnixMicro()-ix.origin*1e6
		setBits(open, int(floorDiv(a+cellMicros-1, cellMicros)), int(floorDiv(b, cellMicros)))
	}
	copy(free, open)
	for _, b := range taken {
		clearBits(free, ix.first(b), ix.beyond(b))
	}
	return h, nil
}

// Handle answers the handle of a resource's ID.
func (ix *Index) Handle(id string) (Handle, bool) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	h, ok := ix.handles[id]
	return h, ok
}

// ID answers the resource's name.
func (ix *Index) ID(h Handle) string {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.resources[h].id
}

// Book takes a resource for a span. Whether it was free is not asked: that is the database's to guard.
func (ix *Index) Book(h Handle, s Span) {
	b, ok := ix.busyOf(s)
	if !ok {
		return
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	k := &ix.resources[h]
	at, _ := slices.BinarySearchFunc(k.busy, b, busy.compare)
	k.busy = slices.Insert(k.busy, at, b)
	clearBits(ix.freeOf(h), ix.first(b), ix.beyond(b))
}

// Release gives a span back that the resource was taken for, and reports whether there was one. What else takes the same time still does.
func (ix *Index) Release(h Handle, s Span) bool {
	b, ok := ix.busyOf(s)
	if !ok {
		return false
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	k := &ix.resources[h]
	at, found := slices.BinarySearchFunc(k.busy, b, busy.compare)
	if !found {
		return false
	}
	k.busy = slices.Delete(k.busy, at, at+1)
	first, beyond := ix.first(b), ix.beyond(b)
	free := ix.freeOf(h)
	copyBits(free, ix.openOf(h), first, beyond)
	for _, other := range k.busy {
		if a, z := max(ix.first(other), first), min(ix.beyond(other), beyond); a < z {
			clearBits(free, a, z)
		}
	}
	return true
}

// Free reports whether the resource is open and not busy for the whole of a visit's span and its own buffers around it.
func (ix *Index) Free(h Handle, visit Span) bool {
	b := busy{visit.From.UnixMicro(), up(visit.To)}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	k := &ix.resources[h]
	first, beyond := ix.first(b)-k.before, ix.beyond(b)+k.after
	return first >= 0 && beyond <= ix.cells && first < beyond && allSet(ix.freeOf(h), first, beyond)
}

func (ix *Index) openOf(h Handle) []uint64 { return ix.open[int(h)*ix.words : (int(h)+1)*ix.words] }
func (ix *Index) freeOf(h Handle) []uint64 { return ix.free[int(h)*ix.words : (int(h)+1)*ix.words] }

// zone answers the number of a zone, by its name: two copies of one zone are one.
func (ix *Index) zone(z *time.Location) int32 {
	for i, known := range ix.zones {
		if known == z || known.String() == z.String() {
			return int32(i)
		}
	}
	ix.zones = append(ix.zones, z)
	return int32(len(ix.zones) - 1)
}

// busyOf answers a span as it is kept, cut to the index; false if it lies outside or holds no instant.
func (ix *Index) busyOf(s Span) (busy, bool) {
	over := ix.Over()
	if !s.From.Before(s.To) || !s.Overlaps(over) {
		return busy{}, false
	}
	if s.From.Before(over.From) {
		s.From = over.From
	}
	if over.To.Before(s.To) {
		s.To = over.To
	}
	return busy{s.From.UnixMicro(), up(s.To)}, true
}

func (b busy) compare(c busy) int {
	if b.from != c.from {
		return int(max(-1, min(1, b.from-c.from)))
	}
	return int(max(-1, min(1, b.to-c.to)))
}

// first and beyond answer the cells that a span touches: from first up to beyond.
func (ix *Index) first(b busy) int { return int(floorDiv(b.from-ix.origin*1e6, cellMicros)) }
func (ix *Index) beyond(b busy) int {
	return int(floorDiv(b.to-ix.origin*1e6+cellMicros-1, cellMicros))
}

func (ix *Index) time(cell int) time.Time {
	return time.Unix(ix.origin+int64(cell)*cellSeconds, 0).UTC()
}

// cellsOf answers how many cells a length takes, rounded up.
func cellsOf(d time.Duration) int { return int((d + Cell - 1) / Cell) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
