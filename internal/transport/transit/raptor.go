package transit

import (
	"math"
	"slices"
	"sort"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
)

const never = math.MaxInt32

// came says how a stop was reached in a round.
type came struct {
	from  int32 // stop; -1: from the start itself
	line  int32 // and day; -1: on foot
	run   int32 // of the line and day
	leave int32
	at    int32
}

// last is the last ride of a journey; found: in this run.
type last struct {
	stop  int32
	how   came
	found bool
}

// search is one question in work.
type search struct {
	*Network
	table  *timetable
	chair  bool
	pace   float64
	rounds int
	ready  [][]int32 // by round and stop: when one can board there; after a ride changeLeast after alighting
	how    [][]came
	marked []int32
	on     []bool
	from   []int32 // of each line and day, the first place to scan; -1: none
	queue  []int32
	exits  map[int32]int32 // seconds on foot to the goal
	goal   []int32         // by round, the earliest arrival so far
	last   []last          // by round, the ride that ends there, if this departure found it
}

// Journeys answers ways to get there: for each departure within the query's time and each number of changes the earliest arrival, without those that are worse in
// every way; the earliest departure first. Walking all the way is among them, if it is within Walk.
func (n *Network) Journeys(q Query) ([]Journey, error) {
	if q.From.Validate() != nil || q.To.Validate() != nil || q.Within < 0 || q.Walk < 0 {
		return nil, fault.Invalidf("A journey needs two places, and no negative time.")
	}
	if q.Changes == 0 {
		q.Changes = DefaultChanges
	}
	if q.Walk == 0 {
		q.Walk = DefaultWalk
	}
	s := &search{Network: n, table: n.day(clock.DayOf(q.Depart, n.zone)), chair: q.Wheelchair, pace: footPace, rounds: max(0, q.Changes) + 1, exits: map[int32]int32{}}
	if s.chair {
		s.pace = chairPace
	}
	access := map[int32]int32{}
	n.near.within(n, q.From, q.Walk, func(stop int32, m float64) {
		if s.usable(stop) {
			access[stop] = int32(math.Ceil(m * s.pace))
		}
	})
	n.near.within(n, q.To, q.Walk, func(stop int32, m float64) {
		if s.usable(stop) {
			s.exits[stop] = int32(math.Ceil(m * s.pace))
		}
	})
	first := int32(math.Ceil(q.Depart.Sub(s.table.origin).Seconds()))
	last := first + int32(q.Within/time.Second)
	s.prepare(last + longest)
	var out []Journey
	// The latest departure first: what a later one reaches bounds the earlier ones (rRAPTOR).
	for _, leave := range slices.Backward(s.departures(access, first, last)) {
		s.run(access, leave)
		out = append(out, s.journeys(leave)...)
	}
	if m := q.From.KM(q.To) * 1000; m <= q.Walk {
		on := time.Duration(math.Ceil(m*s.pace)) * time.Second
		leave := s.table.origin.Add(time.Duration(first) * time.Second).In(n.zone)
		out = append(out, Journey{Leave: leave, Arrive: leave.Add(on), Legs: []Leg{{Leave: leave, Arrive: leave.Add(on)}}})
	}
	return undominated(out), nil
}

func (s *search) usable(stop int32) bool { return !s.chair || s.stops[stop].Wheelchair != No }

// prepare begins with nothing reached, and nothing of use after a time.
func (s *search) prepare(until int32) {
	n := len(s.stops)
	s.on, s.from = make([]bool, n), make([]int32, len(s.table.lines))
	for k := range s.rounds + 1 {
		s.ready, s.how, s.goal = append(s.ready, make([]int32, n)), append(s.how, make([]came, n)), append(s.goal, until)
		s.last = append(s.last, last{})
		for i := range s.ready[k] {
			s.ready[k][i] = never
		}
	}
	for i := range s.from {
		s.from[i] = -1
	}
}

// departures answers when it can matter to leave, in order: so that one is at a stop just as something leaves.
func (s *search) departures(access map[int32]int32, first, last int32) []int32 {
	if last == first {
		return []int32{first}
	}
	var out []int32
	for stop, walk := range access {
		for _, h := range s.at[stop] {
			for l := 3 * h.line; l < 3*h.line+3; l++ {
				for _, r := range s.table.lines[l] {
					leave := s.call(l, r, h.place).Depart + r.shift - walk
					if leave >= first && leave <= last && s.lines[h.line].board[h.place] && s.takes(l, r) {
						out = append(out, leave)
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *search) call(line int32, r run, place int32) *Call {
	return &s.feeds[s.lines[line/3].feed].Trips[r.trip].Calls[place]
}

// takes reports whether the person can ride a run.
func (s *search) takes(line int32, r run) bool {
	return !s.chair || s.feeds[s.lines[line/3].feed].Trips[r.trip].Wheelchair == Yes
}

// run goes through the rounds for one departure. What later departures have reached stays, so that only what is better is written.
func (s *search) run(access map[int32]int32, leave int32) {
	s.marked = s.marked[:0]
	clear(s.on)
	clear(s.last)
	for stop, walk := range access {
		if t := leave + walk; t < s.ready[0][stop] {
			s.put(0, stop, t, came{from: -1, line: -1, leave: leave, at: t})
		}
	}
	for k := 1; k <= s.rounds && len(s.marked) > 0; k++ {
		s.round(k)
	}
}

func (s *search) put(k int, stop, ready int32, how came) {
	s.ready[k][stop], s.how[k][stop] = ready, how
	if !s.on[stop] {
		s.on[stop] = true
		s.marked = append(s.marked, stop)
	}
}

// better reports whether a stop was never reached so soon with so few vehicles, and the goal neither.
func (s *search) better(k int, stop, ready, at int32) bool {
	for j := range k + 1 {
		if s.ready[j][stop] <= ready || s.goal[j] <= at {
			return false
		}
	}
	return true
}

// round takes one vehicle more, then walks.
func (s *search) round(k int) {
	s.queue = s.queue[:0]
	for _, stop := range s.marked {
		s.on[stop] = false
		for _, h := range s.at[stop] {
			for l := 3 * h.line; l < 3*h.line+3; l++ {
				switch {
				case len(s.table.lines[l]) == 0:
				case s.from[l] < 0:
					s.queue = append(s.queue, l)
					s.from[l] = h.place
				default:
					s.from[l] = min(s.from[l], h.place)
				}
			}
		}
	}
	s.marked = s.marked[:0]
	for _, l := range s.queue {
		s.ride(k, l, s.from[l])
		s.from[l] = -1
	}
	for _, stop := range slices.Clone(s.marked) {
		how := s.how[k][stop]
		if how.line < 0 {
			continue // once on foot, and then a vehicle
		}
		for _, w := range s.foot[stop] {
			t := how.at + max(w.least, int32(math.Ceil(w.meters*s.pace)))
			if s.usable(w.stop) && s.better(k, w.stop, t, t) {
				s.put(k, w.stop, t, came{from: stop, line: -1, leave: how.at, at: t})
			}
		}
	}
}

// ride goes along a line from a place on, boarding the earliest run that can be caught.
func (s *search) ride(k int, l, from int32) {
	x := &s.lines[l/3]
	runs := s.table.lines[l]
	at, boarded := -1, int32(0)
	for place := from; int(place) < len(x.stops); place++ {
		stop := x.stops[place]
		if !s.usable(stop) {
			continue
		}
		if at >= 0 && x.off[place] {
			t := s.call(l, runs[at], place).Arrive + runs[at].shift
			how := came{from: x.stops[boarded], line: l, run: int32(at), leave: s.call(l, runs[at], boarded).Depart + runs[at].shift, at: t}
			if walk, ok := s.exits[stop]; ok && t+walk < slices.Min(s.goal[:k+1]) {
				s.goal[k], s.last[k] = t+walk, last{stop, how, true}
			}
			if s.better(k, stop, t+changeLeast, t) {
				s.put(k, stop, t+changeLeast, how)
			}
		}
		ready := s.ready[k-1][stop]
		if ready == never || !x.board[place] || at >= 0 && s.call(l, runs[at], place).Depart+runs[at].shift < ready {
			continue
		}
		if i := s.catch(l, runs, place, ready); i >= 0 && (at < 0 || i < at) {
			at, boarded = i, place
		}
	}
}

// catch answers the earliest run at a place not before a time, or -1.
func (s *search) catch(l int32, runs []run, place, ready int32) int {
	i := sort.Search(len(runs), func(i int) bool { return s.call(l, runs[i], place).Depart+runs[i].shift >= ready })
	for ; i < len(runs); i++ {
		if s.takes(l, runs[i]) {
			return i
		}
	}
	return -1
}

// journeys answers what this departure has found.
func (s *search) journeys(leave int32) (out []Journey) {
	for k, l := range s.last {
		if !l.found {
			continue
		}
		if j := s.trace(k, l.stop, l.how, s.goal[k]); s.second(j.Leave) >= leave {
			out = append(out, j)
		}
	}
	return out
}

func (s *search) second(t time.Time) int32 { return int32(t.Sub(s.table.origin) / time.Second) }

func (s *search) time(second int32) time.Time {
	return s.table.origin.Add(time.Duration(second) * time.Second).In(s.zone)
}

// trace follows a last ride back to the start.
func (s *search) trace(k int, stop int32, h came, arrive int32) Journey {
	j := Journey{Arrive: s.time(arrive)}
	if arrive > h.at {
		j.Legs = append(j.Legs, Leg{From: s.stops[stop].Name, Leave: s.time(h.at), Arrive: s.time(arrive)})
	}
	for ; h.from >= 0; h = s.how[k][stop] {
		leg := Leg{From: s.stops[h.from].Name, To: s.stops[stop].Name, Leave: s.time(h.leave), Arrive: s.time(h.at)}
		if h.line >= 0 {
			f := s.feeds[s.lines[h.line/3].feed]
			trip := &f.Trips[s.table.lines[h.line][h.run].trip]
			leg.Route, leg.Trip = f.Routes[trip.Route].Name, trip.ID
			k--
		}
		j.Legs = append(j.Legs, leg)
		stop = h.from
	}
	if h.at > h.leave {
		j.Legs = append(j.Legs, Leg{To: s.stops[stop].Name, Leave: s.time(h.leave), Arrive: s.time(h.at)})
	}
	slices.Reverse(j.Legs)
	// Whoever would wait at the first stop leaves home later.
	if len(j.Legs) > 1 && j.Legs[0].Route == "" {
		wait := j.Legs[1].Leave.Sub(j.Legs[0].Arrive)
		j.Legs[0].Leave, j.Legs[0].Arrive = j.Legs[0].Leave.Add(wait), j.Legs[0].Arrive.Add(wait)
	}
	j.Leave = j.Legs[0].Leave
	return j
}

// undominated keeps the journeys that no other beats in leaving later, arriving earlier and changing less; the earliest departure first.
func undominated(list []Journey) []Journey {
	slices.SortStableFunc(list, func(a, b Journey) int {
		if c := a.Arrive.Compare(b.Arrive); c != 0 {
			return c
		}
		if c := b.Leave.Compare(a.Leave); c != 0 {
			return c
		}
		return a.Changes() - b.Changes()
	})
	var out []Journey
	for _, j := range list {
		beaten := slices.ContainsFunc(out, func(o Journey) bool {
			return !o.Leave.Before(j.Leave) && !o.Arrive.After(j.Arrive) && o.vehicles() <= j.vehicles()
		})
		if !beaten {
			out = append(out, j)
		}
	}
	slices.SortStableFunc(out, func(a, b Journey) int { return a.Leave.Compare(b.Leave) })
	return out
}

func (j Journey) vehicles() (n int) {
	for _, l := range j.Legs {
		if l.Route != "" {
			n++
		}
	}
	return n
}
