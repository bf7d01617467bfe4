package transit

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
)

// On foot: 4.8 km/h on a way 1.3 times the great circle; in a wheelchair 3.6 km/h and 1.4.
const (
	footPace     = 1.3 / (4.8 / 3.6) // seconds for a meter as the crow flies
	chairPace    = 1.4               // 3.6 km/h are a meter a second
	changeReach  = 400.0             // meters on foot between two stops
	changeLeast  = 60                // seconds to change at a stop
	daysRemember = 8
	longest      = 12 * 3600 // seconds: who would arrive later than that has no way that day
)

// Network is one or several feeds, ready to be asked. It can be asked by many at once.
type Network struct {
	zone  *time.Location
	feeds []*Feed
	stops []Stop
	first []int // of each feed's stops
	lines []line
	at    [][]halt  // lines at each stop
	foot  [][]afoot // ways on foot from each stop
	near  *stopGrid

	mu   sync.Mutex
	days map[clock.Day]*timetable
}

// line is all trips that halt at the same stops alike, of which none overtakes another.
type line struct {
	feed  int
	stops []int32
	board []bool
	off   []bool
	trips []int32 // indices of the feed's trips, by their departure
}

type halt struct {
	line, place int32
}

type afoot struct {
	stop   int32
	meters float64
	least  int32 // seconds at least; below 0 never
}

// NewNetwork joins feeds.
func NewNetwork(feeds ...*Feed) (*Network, error) {
	if len(feeds) == 0 {
		return nil, fault.Invalidf("there is no timetable")
	}
	n := &Network{zone: feeds[0].Zone, feeds: feeds, days: map[clock.Day]*timetable{}}
	for _, f := range feeds {
		n.first = append(n.first, len(n.stops))
		n.stops = append(n.stops, f.Stops...)
	}
	for i := range feeds {
		n.addLines(i)
	}
	n.at = make([][]halt, len(n.stops))
	for l := range n.lines {
		for k, s := range n.lines[l].stops {
			n.at[s] = append(n.at[s], halt{int32(l), int32(k)})
		}
	}
	n.near = newStopGrid(n)
	n.walks()
	return n, nil
}

// addLines sorts a feed's trips into lines.
func (n *Network) addLines(feed int) {
	f := n.feeds[feed]
	groups := map[string][]int32{}
	var order []string
	for i := range f.Trips {
		t := &f.Trips[i]
		if len(t.Calls) < 2 {
			continue
		}
		key := make([]byte, 0, 8*len(t.Calls))
		for _, c := range t.Calls {
			key = append(key, byte(c.Stop), byte(c.Stop>>8), byte(c.Stop>>16), byte(c.Stop>>24), flag(c.NoBoard), flag(c.NoAlight))
		}
		k := string(key)
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], int32(i))
	}
	for _, k := range order {
		trips := groups[k]
		slices.SortStableFunc(trips, func(a, b int32) int {
			x, y := f.Trips[a].Calls, f.Trips[b].Calls
			return cmp.Or(cmp.Compare(x[0].Depart, y[0].Depart), cmp.Compare(x[len(x)-1].Arrive, y[len(y)-1].Arrive))
		})
		from := len(n.lines)
	next:
		for _, i := range trips {
			for l := from; l < len(n.lines); l++ {
				last := n.lines[l].trips[len(n.lines[l].trips)-1]
				if !overtakes(f.Trips[i].Calls, f.Trips[last].Calls) {
					n.lines[l].trips = append(n.lines[l].trips, i)
					continue next
				}
			}
			x := line{feed: feed, trips: []int32{i}}
			for _, c := range f.Trips[i].Calls {
				x.stops, x.board, x.off = append(x.stops, int32(n.first[feed]+c.Stop)), append(x.board, !c.NoBoard), append(x.off, !c.NoAlight)
			}
			n.lines = append(n.lines, x)
		}
	}
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// overtakes reports whether a later trip is earlier than another anywhere.
func overtakes(later, earlier []Call) bool {
	for k := range later {
		if later[k].Arrive < earlier[k].Arrive || later[k].Depart < earlier[k].Depart {
			return true
		}
	}
	return false
}

// walks finds the ways on foot between stops: those that lie near each other, and what the feeds say of changing.
func (n *Network) walks() {
	said := map[[2]int32]int32{}
	for i, f := range n.feeds {
		for _, c := range f.changes {
			said[[2]int32{int32(n.first[i] + c.from), int32(n.first[i] + c.to)}] = c.seconds
		}
	}
	n.foot = make([][]afoot, len(n.stops))
	for s := range n.stops {
		n.near.within(n, n.stops[s].Point, changeReach, func(o int32, meters float64) {
			least, ok := said[[2]int32{int32(s), o}]
			if int(o) != s && (!ok || least >= 0) {
				n.foot[s] = append(n.foot[s], afoot{o, meters, max(changeLeast, least)})
			}
		})
	}
	for pair, least := range said {
		a, b := n.stops[pair[0]].Point, n.stops[pair[1]].Point
		if meters := a.KM(b) * 1000; least >= 0 && meters > changeReach && pair[0] != pair[1] {
			n.foot[pair[0]] = append(n.foot[pair[0]], afoot{pair[1], meters, least})
		}
	}
	for s := range n.foot {
		slices.SortFunc(n.foot[s], func(a, b afoot) int { return cmp.Compare(a.stop, b.stop) })
	}
}

// stopGrid finds stops near a place.
type stopGrid struct{ cells map[[2]int32][]int32 }

const gridDegrees = 0.005

func newStopGrid(n *Network) *stopGrid {
	g := &stopGrid{cells: map[[2]int32][]int32{}}
	used := make([]bool, len(n.stops))
	for _, l := range n.lines {
		for _, s := range l.stops {
			used[s] = true
		}
	}
	for s := range n.stops {
		if used[s] {
			c := cellOf(n.stops[s].Point)
			g.cells[c] = append(g.cells[c], int32(s))
		}
	}
	return g
}

func cellOf(p person.Point) [2]int32 {
	return [2]int32{int32(math.Floor(p.Lat / gridDegrees)), int32(math.Floor(p.Lon / gridDegrees))}
}

func (g *stopGrid) within(n *Network, p person.Point, meters float64, do func(stop int32, meters float64)) {
	c := cellOf(p)
	rows := int32(meters/(gridDegrees*111195)) + 1
	cols := int32(meters/(gridDegrees*111195*max(0.05, math.Cos(p.Lat*math.Pi/180)))) + 1
	for y := c[0] - rows; y <= c[0]+rows; y++ {
		for x := c[1] - cols; x <= c[1]+cols; x++ {
			for _, s := range g.cells[[2]int32{y, x}] {
				if m := p.KM(n.stops[s].Point) * 1000; m <= meters {
					do(s, m)
				}
			}
		}
	}
}

// timetable is what runs on a day, with what began the day before and runs into it, and the day after's first hours. Times are seconds after the
// day's beginning (noon less twelve hours).
type timetable struct {
	origin time.Time
	lines  [][]run // by line and day: of line l those that began the day before at 3*l, then the day's, then the next day's; each in their order
}

// run is a trip on a day.
type run struct {
	trip  int32
	shift int32 // seconds added to its calls
}

// day answers the timetable of a date.
func (n *Network) day(d clock.Day) *timetable {
	n.mu.Lock()
	defer n.mu.Unlock()
	if t := n.days[d]; t != nil {
		return t
	}
	if len(n.days) >= daysRemember {
		clear(n.days)
	}
	noon := func(d clock.Day, zone *time.Location) time.Time { return clock.At(d, 12*60, zone).Add(-12 * time.Hour) }
	t := &timetable{origin: noon(d, n.zone), lines: make([][]run, 3*len(n.lines))}
	for l := range n.lines {
		x := &n.lines[l]
		f := n.feeds[x.feed]
		for k := -1; k <= 1; k++ {
			date := d.Add(k)
			shift := int32(noon(date, f.Zone).Sub(t.origin) / time.Second)
			for _, i := range x.trips {
				if f.services[f.Trips[i].service].on(date) {
					t.lines[3*l+k+1] = append(t.lines[3*l+k+1], run{i, shift})
				}
			}
		}
	}
	n.days[d] = t
	return t
}
