// Package weeks is some weeks of one person's life as the planner of journeys sees them: days by the clock of her home, places, what she needs and
// in which ways, her limits and weights. It makes a plan.Problem of them, in minutes and patient-minutes, and the answer into instants again.
//
// The package is pure.
package weeks

import (
	"math"
	"slices"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/plan"
	"doorstep/internal/person"
)

// Home is the place where the person lives.
const Home = "home"

// Bounds of one person's plan.
const (
	MaxDays  = 400
	MaxNeeds = 200
)

// Weeks is what is to be planned.
type Weeks struct {
	From    clock.Day
	Days    int
	Zone    *time.Location
	After   time.Time // nothing begins before it; zero: the first day's midnight
	Home    person.Point
	Places  []Place
	Means   []Means // of getting about; none: estimated by Estimate
	Weights burden.Weights
	Limits  Limits
	Prefer  []Preference
	Needs   []Need
	Seed    uint64
}

// Place is where something is done.
type Place struct {
	ID string
	person.Point
}

// Limits are what must not be.
type Limits struct {
	Out    clock.Wall     // she does not leave home earlier
	In     clock.Wall     // and is home again by; 0: midnight
	Never  []time.Weekday // days on which she does not go out
	Not    []slot.Span    // neither out nor seen
	Away   int            // minutes from door to door at most; 0: no limit
	Stops  int            // on one outing; 0: six
	Rest   int            // days at home between two outings
	Escort bool           // somebody has to come along
}

// Preference makes times harder, by so many patient-minutes for each thing that begins in them.
type Preference struct {
	Days     []int // 1 Monday to 7 Sunday; empty: every day
	From, To clock.Wall
	Minutes  float64
}

// Means is one way of getting about. Legs lead from place to place by id; Home is the person's.
type Means struct {
	ID   string
	Legs map[[2]string]burden.Leg
}

// Mode says what a way asks of the person.
type Mode int

const (
	Apart   Mode = iota // at home, nobody has to be there: a message, a delivery at the door, a kit by mail
	Present             // at home, she has to be there: a call, video, somebody's visit
	Out                 // she goes to a place
)

// Need is one thing to be done.
type Need struct {
	ID       string
	Window   slot.Span
	Minutes  int
	After    []string // needs that have to be done before it
	Ways     []Way
	Promised *Promised // what she was told already
}

// Way is one way to do it.
type Way struct {
	ID       string
	Mode     Mode
	Place    string // where Mode is Out
	Minutes  int    // instead of the need's; 0: the need's
	Wait     int    // expected, in minutes
	Dollars  float64
	Calendar *slot.Calendar // when it can be had; nil and no Open: whenever the window is
	Open     []slot.Span    // further times
	Fixed    bool           // Open is a list of times to begin: it begins where one of them does, and not in between

	// Cells answers which shared capacity it takes to begin at a time, as indices of plan.Many.Capacity; nil: none.
	Cells func(start time.Time) []int
}

// Promised is a way and time that the person was told. It moves only where that saves more than the weight Move, or never.
type Promised struct {
	Way   string
	Start time.Time
	Never bool // it does not move as long as it is possible
}

// Item is one need in the answer.
type Item struct {
	Need, Way string
	Place     string
	Start     time.Time
	End       time.Time
	Arrive    time.Time // at the place; as Start at home
	Trip      int       // -1: at home
	Moved     bool      // from what was promised: the person is asked
	Parts     burden.Parts
}

// Trip is one outing, door to door.
type Trip struct {
	Leave, Return time.Time
	Means         string
	Items         []int // indices of Items
	Parts         burden.Parts
}

// Unmet is a need for which there is no time, with the reason for each way.
type Unmet struct {
	Need    string
	Reasons map[string]string
}

// Answer is a plan in instants.
type Answer struct {
	Burden, Bound float64
	Optimal       bool
	Parts         burden.Parts
	Items         []Item
	Trips         []Trip
	Unmet         []Unmet
}

// Validate says what is wrong, naming the part.
func (w *Weeks) Validate() error {
	switch {
	case w.Days < 1 || w.Days > MaxDays:
		return fault.Invalidf("days is %d (want 1 to %d)", w.Days, MaxDays)
	case w.Zone == nil:
		return fault.Invalidf("the time zone is not said")
	case len(w.Needs) > MaxNeeds:
		return fault.Invalidf("%d needs are too many for one person (at most %d)", len(w.Needs), MaxNeeds)
	case w.Limits.Away < 0 || w.Limits.Stops < 0 || w.Limits.Rest < 0 || w.Limits.Out < 0 || w.Limits.In < 0:
		return fault.Invalidf("a limit is negative")
	}
	if err := w.Weights.Validate(); err != nil {
		return err
	}
	for i, p := range w.Places {
		if p.ID == "" || p.ID == Home || slices.ContainsFunc(w.Places[:i], func(q Place) bool { return q.ID == p.ID }) {
			return fault.Invalidf("place %d: its id %q is empty, taken, or home's", i, p.ID)
		}
	}
	for i, n := range w.Needs {
		if n.ID == "" || slices.ContainsFunc(w.Needs[:i], func(m Need) bool { return m.ID == n.ID }) {
			return fault.Invalidf("need %d: its id %q is empty or taken", i, n.ID)
		}
		if err := w.validateNeed(n); err != nil {
			return fault.Invalidf("need %q: %s", n.ID, err)
		}
	}
	return nil
}

func (w *Weeks) validateNeed(n Need) error {
	for _, a := range n.After {
		if a == n.ID || !slices.ContainsFunc(w.Needs, func(m Need) bool { return m.ID == a }) {
			return fault.Invalidf("it comes after %q, which is not another need", a)
		}
	}
	for i, y := range n.Ways {
		switch {
		case y.ID == "" || slices.ContainsFunc(n.Ways[:i], func(z Way) bool { return z.ID == y.ID }):
			return fault.Invalidf("way %d: its id %q is empty or taken", i, y.ID)
		case y.Mode == Out && !slices.ContainsFunc(w.Places, func(p Place) bool { return p.ID == y.Place }):
			return fault.Invalidf("way %q: place %q is not known", y.ID, y.Place)
		case y.Wait < 0 || !(y.Dollars >= 0 && y.Dollars < 1e5):
			return fault.Invalidf("way %q: a wait or a cost is negative", y.ID)
		case y.minutes(n) < 0 || y.minutes(n) == 0 && y.Mode == Present:
			return fault.Invalidf("way %q: minutes is %d", y.ID, y.minutes(n))
		}
		if y.Calendar != nil {
			if err := y.Calendar.Validate(); err != nil {
				return fault.Invalidf("way %q: %s", y.ID, err)
			}
		}
	}
	if p := n.Promised; p != nil && !slices.ContainsFunc(n.Ways, func(y Way) bool { return y.ID == p.Way }) {
		return fault.Invalidf("the promised way %q is not one of its ways", p.Way)
	}
	return nil
}

func (y Way) minutes(n Need) int {
	if y.Minutes > 0 {
		return y.Minutes
	}
	return n.Minutes
}

// Estimate is how she gets about where nothing else is known: by car, on the great circle made longer by the usual detour of streets.
type Estimate struct {
	Detour float64 // of the street to the great circle
	Speed  float64 // km/h
	Doors  int     // minutes of each leg to leave one door and find the other
	PerKM  float64 // dollars that a km costs
}

// ByCar are the usual figures: 1.3 times the great circle, 40 km/h, ten minutes at the doors, 20.5 cents a mile (IRS Notice 2026-10, medical).
var ByCar = Estimate{Detour: 1.3, Speed: 40, Doors: 10, PerKM: 0.205 / 1.609344}

// Leg answers the estimate from one point to another.
func (e Estimate) Leg(from, to person.Point) burden.Leg {
	km := from.KM(to) * e.Detour
	if km == 0 {
		return burden.Leg{}
	}
	return burden.Leg{Minutes: int(math.Ceil(km/e.Speed*60-1e-9)) + e.Doors, Dollars: km * e.PerKM}
}

// Means answers the estimate for home and places.
func (e Estimate) Means(id string, home person.Point, places []Place) Means {
	m := Means{ID: id, Legs: map[[2]string]burden.Leg{}}
	all := append([]Place{{Home, home}}, places...)
	for _, a := range all {
		for _, b := range all {
			m.Legs[[2]string{a.ID, b.ID}] = e.Leg(a.Point, b.Point)
		}
	}
	return m
}

// Plan answers the least burden for the weeks. They are valid.
func (w *Weeks) Plan() (Answer, error) {
	p, err := w.Problem()
	if err != nil {
		return Answer{}, err
	}
	return p.Answer(p.Plan().Solve()), nil
}

// Problem is the weeks in minutes and patient-minutes.
type Problem struct{ b *problem }

// Problem answers the weeks as the planner takes them: for one who plans several people at once (plan.Many). They are valid.
func (w *Weeks) Problem() (*Problem, error) {
	b, err := w.problem()
	return &Problem{b}, err
}

// Plan answers the planner's problem.
func (p *Problem) Plan() *plan.Problem { return &p.b.Problem }

// Answer makes a plan of the problem into instants, with the parts of its burden.
func (p *Problem) Answer(a plan.Plan) Answer { return p.b.answer(a) }

// problem is the weeks in minutes and patient-minutes.
type problem struct {
	*Weeks
	plan.Problem
	origin time.Time
	means  []Means
}
