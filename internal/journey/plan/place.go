package plan

import (
	"cmp"
	"slices"
)

// visitAtHome is something at home whose time is still to be found.
type visitAtHome struct {
	need    int
	choices []homeChoice
}

// homeChoice is a stretch of starts of one way.
type homeChoice struct{ way, opening, first, last, minutes int }

// tries bounds the search for times at home; a need that finds none within it is planned like a stop.
const tries = 5000

// stayHome gives everything that is done at home without a planned time its way and time, the soonest, around the outings and each other. It answers the need
// that found no time at its least burden, or -1.
func (s *solver) stayHome(plan *Plan, done []bool) (late int) {
	var list []visitAtHome
	for i := range s.Needs {
		if done[i] {
			continue
		}
		v := visitAtHome{need: i, choices: s.homeChoices(i)}
		if len(v.choices) > 0 {
			list = append(list, v)
		}
	}
	// Whoever can wait the least is served first.
	slices.SortStableFunc(list, func(a, b visitAtHome) int { return cmp.Compare(a.latest(), b.latest()) })
	p := &placing{left: tries, failed: -1}
	for _, t := range plan.Trips {
		p.busy = append(p.busy, Span{t.Leave, t.Return})
	}
	for _, it := range plan.Items {
		if w := &s.Needs[it.Need].Ways[it.Way]; it.Trip < 0 && w.length() > 0 {
			p.busy = append(p.busy, Span{it.Start, it.Start + w.length()})
		}
	}
	items := make([]Item, len(list))
	if !p.place(list, items) {
		return p.failed
	}
	for _, it := range items {
		done[it.Need] = true
	}
	plan.Items = append(plan.Items, items...)
	return -1
}

// homeChoices answers the starts at which a need is met at home at its least burden, the soonest first.
func (s *solver) homeChoices(i int) []homeChoice {
	var out []homeChoice
	least := s.atHome(i)
	if least >= unmet {
		return nil
	}
	for w, way := range s.Needs[i].Ways {
		if !s.later(i, &way) {
			continue
		}
		for at, o := range way.Openings {
			if way.Cost+o.Extra > least {
				continue
			}
			for _, d := range s.Days {
				if first, last, ok := homeStart(&way, o.Span, d.Span); ok {
					out = append(out, homeChoice{w, at, first, last, way.length()})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b homeChoice) int { return cmp.Compare(a.first, b.first) })
	return out
}

func (v *visitAtHome) latest() int {
	last := 0
	for _, c := range v.choices {
		last = max(last, c.last)
	}
	return last
}

// placing looks for times that do not overlap.
type placing struct {
	busy   []Span
	left   int
	failed int // the need that found no time; -1: none
}

func (p *placing) place(list []visitAtHome, items []Item) bool {
	if len(list) == 0 {
		return true
	}
	v := &list[0]
	for _, c := range v.choices {
		for start := p.free(c.first, c.minutes); start <= c.last; start = p.free(start+1, c.minutes) {
			if p.left--; p.left < 0 {
				p.fail(v.need)
				return false
			}
			items[0] = Item{Need: v.need, Way: c.way, Opening: c.opening, Start: start, Arrive: start, Trip: -1}
			if c.minutes == 0 {
				return p.place(list[1:], items[1:])
			}
			p.busy = append(p.busy, Span{start, start + c.minutes})
			if p.place(list[1:], items[1:]) {
				return true
			}
			p.busy = p.busy[:len(p.busy)-1]
			// A little later helps the others only where it begins after one of them: the next free start after this one's end is tried.
			start += c.minutes - 1
		}
	}
	p.fail(v.need)
	return false
}

// fail notes the first need that found no time. It wants her at home: what does not always finds one.
func (p *placing) fail(need int) {
	if p.failed < 0 {
		p.failed = need
	}
}

// free answers the first start from a minute on at which nothing overlaps.
func (p *placing) free(from, minutes int) int {
	for moved := true; moved && minutes > 0; {
		moved = false
		for _, b := range p.busy {
			if b.From < from+minutes && from < b.To {
				from, moved = b.To, true
			}
		}
	}
	return from
}
