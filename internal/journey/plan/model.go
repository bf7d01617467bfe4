package plan

import (
	"math"
	"slices"
)

// solver holds a problem made ready, and which needs have their times planned.
type solver struct {
	*Problem
	metric bool      // leaving a stop out never makes an outing worse
	back   []float64 // the least burden from a place home, by any means and any way
	timed  []bool    // needs whose ways that want her at home are planned with their times, like stops
	order  []bool    // needs that come before or after others: all that is done at home is planned with its time
	stops  int
	away   int
}

func newSolver(p *Problem) *solver {
	s := &solver{Problem: p, timed: make([]bool, len(p.Needs)), order: make([]bool, len(p.Needs)), stops: p.Stops, away: p.Away}
	if s.stops == 0 {
		s.stops = defaultStops
	}
	if s.away == 0 {
		s.away = math.MaxInt32
	}
	for i, n := range p.Needs {
		for _, a := range n.After {
			s.order[i], s.order[a] = true, true
		}
	}
	s.metric = !slices.ContainsFunc(s.Travel, func(t Travel) bool { return !metric(t, p.Idle) })
	s.back = homeward(p.Travel)
	return s
}

// homeward answers the least burden from each place home, whatever the means of each leg.
func homeward(travel []Travel) []float64 {
	if len(travel) == 0 {
		return nil
	}
	back := make([]float64, len(travel[0].Legs))
	for place := range back {
		back[place] = math.Inf(1)
	}
	back[Home] = 0
	for changed := true; changed; {
		changed = false
		for _, t := range travel {
			for from, row := range t.Legs {
				for to, l := range row {
					if c := l.Cost + back[to]; !l.No && c < back[from] {
						back[from], changed = c, true
					}
				}
			}
		}
	}
	return back
}

// metric reports whether no leg is worse than going by another place: neither in minutes, nor in burden where what is saved in minutes is spent waiting.
func metric(t Travel, idle float64) bool {
	beyond := func(l Leg) float64 { return l.Cost - idle*float64(l.Minutes) }
	for _, row := range t.Legs {
		for k, a := range row {
			for j, b := range t.Legs[k] {
				if l := row[j]; !a.No && !b.No && (l.No || l.Minutes > a.Minutes+b.Minutes || beyond(l) > beyond(a)+beyond(b)+1e-9) {
					return false
				}
			}
		}
	}
	return true
}

// option is one way of a need on one day.
type option struct {
	need, way int
	opening   int
	place     int
	minutes   int
	first     int // of its start
	last      int
	cost      float64
}

// options answers what can be done on a day of the chosen needs (a need's bit is its index in chosen): stops, and things at home that are planned with their times.
func (s *solver) options(day Day, chosen []int, only []Span) []option {
	var out []option
	for bit, i := range chosen {
		for w, way := range s.Needs[i].Ways {
			if s.later(i, &way) || way.Place != Home && day.Out.From == day.Out.To {
				continue
			}
			within := day.Span
			if way.Place != Home {
				within = day.Out
			}
			for at, o := range way.Openings {
				first, last := max(o.From, within.From), min(o.To, within.To)-way.length()
				// What needs nobody at home may reach into the next day: its start says to which it belongs.
				if way.Place == Home && !way.Present {
					last = min(o.To-way.Minutes, within.To-1)
				}
				if only != nil {
					first, last = max(first, only[bit].From), min(last, only[bit].To-way.length())
				}
				if first > last {
					continue
				}
				out = append(out, option{bit, w, at, way.Place, way.length(), first, last, way.Cost + o.Extra})
			}
		}
	}
	return s.undominated(out)
}

// length is how long she is there for it.
func (w *Way) length() int {
	if w.Place == Home && !w.Present {
		return 0
	}
	return w.Minutes
}

// undominated leaves out an option where another of the same need at the same place can begin whenever it can, is as short and burdens no more, even
// if the minutes that it saves are spent waiting.
func (s *solver) undominated(list []option) []option {
	cost := func(o option) float64 {
		if o.place == Home {
			return o.cost
		}
		return o.cost - s.Idle*float64(o.minutes)
	}
	return slices.DeleteFunc(slices.Clone(list), func(o option) bool {
		return slices.ContainsFunc(list, func(b option) bool {
			if b.need != o.need || b.place != o.place || b == o {
				return false
			}
			as := b.first <= o.first && b.last >= o.last && b.minutes <= o.minutes && cost(b) <= cost(o)
			same := b.first == o.first && b.last == o.last && b.minutes == o.minutes && b.cost == o.cost
			return as && (!same || b.way < o.way || b.way == o.way && b.opening < o.opening)
		})
	})
}

// later reports whether a way is at home and gets its time after everything else.
func (s *solver) later(i int, w *Way) bool {
	return w.Place == Home && !s.order[i] && !(w.Present && s.timed[i])
}

// atHome answers the least burden of a need at home where its time is found afterwards, or unmet where there is none.
func (s *solver) atHome(i int) float64 {
	best := float64(unmet)
	for _, w := range s.Needs[i].Ways {
		for _, o := range w.Openings {
			if s.later(i, &w) && s.homeOpen(&w, o.Span) {
				best = min(best, w.Cost+o.Extra)
			}
		}
	}
	return best
}

// homeOpen reports whether a way at home can begin within an opening on one of the days.
func (s *solver) homeOpen(w *Way, o Span) bool {
	for _, d := range s.Days {
		if _, _, ok := homeStart(w, o, d.Span); ok {
			return true
		}
	}
	return false
}

// homeStart answers the first and the last start of a way at home within an opening on a day.
func homeStart(w *Way, o, day Span) (first, last int, ok bool) {
	first, last = max(o.From, day.From), min(o.To-w.Minutes, day.To-max(w.length(), 1))
	return first, last, first <= last
}

// outside answers the least burden of a need as a stop, without the travel, and the same without its minutes there, which might else be spent waiting;
// infinite where there is none.
func (s *solver) outside(i int) (best, beyond float64) {
	best, beyond = math.Inf(1), math.Inf(1)
	for _, w := range s.Needs[i].Ways {
		if s.later(i, &w) {
			continue
		}
		for _, o := range w.Openings {
			best = min(best, w.Cost+o.Extra)
			beyond = min(beyond, w.Cost+o.Extra-s.Idle*float64(w.Minutes))
		}
	}
	return best, beyond
}
