// Package plan chooses for each of a person's needs the way and the time, so that all of them together burden her least: what can
// come home comes home, and what cannot is bundled into few outings.
//
// Its promises: no limit is broken (windows, openings, when she may be away, how long, how often); of all plans that keep the limits
// the one with the least burden is found and proved for up to Exact needs that have a choice, and beyond that a plan with a bound on how
// much less another could burden; a need that cannot be met is named with its reason, and the others are planned.
//
// The package is pure: no input or output, no clock, no globals. Times are minutes since an instant that the caller keeps; burden is in
// patient-minutes and comes ready-made with each way, leg and outing, so that nothing here knows what a minute of walking weighs.
package plan

import (
	"fmt"
	"math"

	"doorstep/internal/fault"
)

// Home is the place at which the person lives: every problem's place 0.
const Home = 0

// Exact is how many needs with a real choice are planned with a proof.
const Exact = 15

// Span is the time from one minute up to another.
type Span struct{ From, To int }

// Day is one day of the plan.
type Day struct {
	Span
	Out Span // she may be away from home within it; From == To: not at all
}

// Opening is when something can be had: all of it lies within.
type Opening struct {
	Span
	Extra float64 // patient-minutes more than at other times: a morning that is hard, a time that was promised otherwise
	Uses  []int   // what is shared with others, for Many: beginning in it takes one of each of these cells. Alone it means nothing
}

// Way is one way in which a need can be met.
type Way struct {
	ID       string
	Place    int // Home, or where she has to go
	Present  bool
	Minutes  int // that it takes; she is there for it, unless it is at home and Present is false
	Cost     float64
	Openings []Opening
}

// Need is one thing to be done.
type Need struct {
	ID    string
	Ways  []Way
	After []int // needs that have to be done before it. Where nobody has to be there for one of them, it is still planned to begin while she is at home
}

// Leg is how she gets from one place to another.
type Leg struct {
	Minutes int
	Cost    float64 // of all that it is to her: minutes, walking, transfers, fares
	No      bool    // it cannot be done
}

// Travel is one means of getting about, for a whole outing: Legs[from][to], place 0 is home.
type Travel struct {
	ID   string
	Legs [][]Leg
}

// Problem is one person's weeks.
type Problem struct {
	Days    []Day
	Needs   []Need
	Travel  []Travel
	Outing  float64 // patient-minutes of a day on which she goes out at all
	Idle    float64 // patient-minutes of a minute spent waiting out of home, between two things
	Stops   int     // at most so many on one outing; 0: six
	Away    int     // at most so many minutes from door to door; 0: no limit
	Rest    int     // at least so many days at home between two outings
	Seed    uint64  // of the search beyond Exact
	Rounds  int     // of the search beyond Exact; 0: 400
	NoProof bool    // searches even where it could prove
}

// Item is one need in the plan.
type Item struct {
	Need, Way, Opening int // indices of the problem
	Start              int // minute
	Arrive             int // at its place; at home as Start
	Trip               int // index of its outing; -1: at home
}

// Trip is one outing.
type Trip struct {
	Day, Travel   int
	Leave, Return int
	Items         []int // indices of Plan.Items, in their order
	Burden        float64
}

// Plan is an answer.
type Plan struct {
	Items   []Item // in the order of the needs
	Trips   []Trip
	Unmet   []int // needs without a way and time
	Burden  float64
	Bound   float64 // no plan that meets as many needs burdens less
	Optimal bool    // Bound == Burden, by proof
}

const (
	defaultStops = 6
	unmet        = 1e7 // stands for a need that is not met: one more of them is worse than any burden
)

// Validate says what is wrong with a problem.
func (p *Problem) Validate() error {
	if len(p.Days) == 0 {
		return fault.Invalidf("a plan needs at least one day")
	}
	places := 1
	for i, t := range p.Travel {
		if i == 0 {
			places = len(t.Legs)
		}
		if len(t.Legs) != places || places == 0 {
			return fault.Invalidf("travel %q knows %d places, not %d", t.ID, len(t.Legs), places)
		}
		for from, row := range t.Legs {
			if len(row) != places {
				return fault.Invalidf("travel %q has %d legs from place %d, not %d", t.ID, len(row), from, places)
			}
			for to, l := range row {
				if !l.No && (l.Minutes < 0 || !(l.Cost >= 0) || math.IsInf(l.Cost, 0)) {
					return fault.Invalidf("travel %q: the leg from place %d to %d is negative", t.ID, from, to)
				}
			}
		}
	}
	for i, d := range p.Days {
		if d.To <= d.From || i > 0 && d.From < p.Days[i-1].To {
			return fault.Invalidf("day %d does not follow the one before it", i)
		}
		if d.Out.To < d.Out.From || d.Out.From < d.Out.To && (d.Out.From < d.From || d.Out.To > d.To) {
			return fault.Invalidf("day %d: the time away from home does not lie in the day", i)
		}
	}
	if !(p.Outing >= 0 && p.Idle >= 0) || p.Stops < 0 || p.Away < 0 || p.Rest < 0 {
		return fault.Invalidf("a weight or a limit is negative")
	}
	for i, n := range p.Needs {
		for _, w := range n.Ways {
			if err := w.validate(places); err != nil {
				return fault.Invalidf("need %q, way %q: %s", n.ID, w.ID, err)
			}
		}
		for _, a := range n.After {
			if a < 0 || a >= len(p.Needs) || a == i {
				return fault.Invalidf("need %q comes after a need that is not there", n.ID)
			}
		}
	}
	return p.acyclic()
}

func (w *Way) validate(places int) error {
	switch {
	case w.Place < 0 || w.Place >= places:
		return fmt.Errorf("place %d is not known", w.Place)
	case w.Minutes < 0 || w.Minutes == 0 && w.Present:
		return fmt.Errorf("it takes %d minutes", w.Minutes)
	case !(w.Cost >= 0) || w.Cost >= unmet/10:
		return fmt.Errorf("its burden is %g", w.Cost)
	}
	for _, o := range w.Openings {
		if !(o.Extra >= 0) || o.Extra >= unmet/10 {
			return fmt.Errorf("an opening's extra burden is %g", o.Extra)
		}
	}
	return nil
}

// acyclic refuses needs that wait for each other.
func (p *Problem) acyclic() error {
	state := make([]int, len(p.Needs)) // 1: on the way, 2: done
	var visit func(i int) error
	visit = func(i int) error {
		switch state[i] {
		case 1:
			return fault.Invalidf("need %q comes after itself", p.Needs[i].ID)
		case 2:
			return nil
		}
		state[i] = 1
		for _, a := range p.Needs[i].After {
			if err := visit(a); err != nil {
				return err
			}
		}
		state[i] = 2
		return nil
	}
	for i := range p.Needs {
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}

// Solve answers the plan with the least burden. The problem has been validated.
func (p *Problem) Solve() Plan {
	s := newSolver(p)
	for {
		plan, late := s.solve()
		if late < 0 {
			return plan
		}
		// Two things at home want the same time, or one wants it while she is out: from now on its time is planned like a stop's.
		s.timed[late] = true
	}
}
