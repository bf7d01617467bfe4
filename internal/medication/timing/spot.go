package timing

import "doorstep/internal/clock"

// spot is a time of day: fixed, or hung on the person's routine. Its wall may lie outside 0 to 1439 when it falls before
// or after the civil day.
type spot struct {
	when  string // an R4 EventTiming code; "" for fixed, "/" for a share of the day between wake and bed
	fixed clock.Wall
	minus bool // the offset counts back
	off   clock.Wall
	i, n  int // "/": the i-th of n
}

// meal is how far before and after a meal a dose lies when the order gives no offset, in minutes.
const meal = 30

// whens is every R4 EventTiming code (hl7.org/fhir/R4/valueset-event-timing.html) as a place in the routine. C, AC and PC
// mean every meal and are spelled out by Parse. R4 leaves the hours to the institution: these are ours.
var whens = map[string]func(r Routine) clock.Wall{
	"WAKE":       func(r Routine) clock.Wall { return r.Wake },
	"MORN.early": func(r Routine) clock.Wall { return r.Wake },
	"MORN":       func(r Routine) clock.Wall { return r.Breakfast },
	"MORN.late":  func(r Routine) clock.Wall { return between(r.Breakfast, r.Lunch, 2) },
	"NOON":       func(Routine) clock.Wall { return clock.WallAt(12, 0) },
	"AFT.early":  func(r Routine) clock.Wall { return between(r.Lunch, r.Dinner, 1) },
	"AFT":        func(r Routine) clock.Wall { return between(r.Lunch, r.Dinner, 2) },
	"AFT.late":   func(r Routine) clock.Wall { return between(r.Lunch, r.Dinner, 3) },
	"EVE.early":  func(r Routine) clock.Wall { return r.Dinner - meal },
	"EVE":        func(r Routine) clock.Wall { return r.Dinner },
	"EVE.late":   func(r Routine) clock.Wall { return between(r.Dinner, r.Bed, 2) },
	"NIGHT":      func(r Routine) clock.Wall { return r.Bed },
	"HS":         func(r Routine) clock.Wall { return r.Bed },
	"PHS":        func(r Routine) clock.Wall { return r.Bed + meal },
	"CM":         func(r Routine) clock.Wall { return r.Breakfast },
	"CD":         func(r Routine) clock.Wall { return r.Lunch },
	"CV":         func(r Routine) clock.Wall { return r.Dinner },
	"ACM":        func(r Routine) clock.Wall { return r.Breakfast },
	"ACD":        func(r Routine) clock.Wall { return r.Lunch },
	"ACV":        func(r Routine) clock.Wall { return r.Dinner },
	"PCM":        func(r Routine) clock.Wall { return r.Breakfast },
	"PCD":        func(r Routine) clock.Wall { return r.Lunch },
	"PCV":        func(r Routine) clock.Wall { return r.Dinner },
}

// between answers the quarter-th quarter of the way from a to b.
func between(a, b clock.Wall, quarter clock.Wall) clock.Wall { return a + (b-a)*quarter/4 }

func (s spot) wall(r Routine) clock.Wall {
	switch s.when {
	case "":
		return s.fixed
	case "/":
		return r.Wake + (r.Bed-r.Wake)*clock.Wall(s.i)/clock.Wall(s.n-1)
	}
	at := whens[s.when](r)
	if s.minus {
		return at - s.off
	}
	return at + s.off
}

// The times of an institution for n doses a day: two a day is breakfast and dinner, not every twelve hours.
var (
	once  = []spot{{when: "CM"}}
	twice = []spot{{when: "CM"}, {when: "CV"}}
	three = []spot{{when: "CM"}, {when: "CD"}, {when: "CV"}}
	four  = []spot{{when: "CM"}, {when: "CD"}, {when: "CV"}, {when: "HS"}}
)

// institution answers the times of n doses in a day; five and more are spread evenly from waking to bed time.
func institution(n int) []spot {
	switch n {
	case 0:
		return nil
	case 1:
		return once
	case 2:
		return twice
	case 3:
		return three
	case 4:
		return four
	}
	out := make([]spot, n)
	for i := range out {
		out[i] = spot{when: "/", i: i, n: n}
	}
	return out
}
