// Package policy simulates what planning a person's weeks as a whole is worth, beside the usual way: each need for itself, at the nearest place, in a trip of its
// own. Both live through the same days with the same people, needs and openings.
//
// It is pure: the same seed gives the same lives. What it assumes stands with the constants here and in docs/journeys.md; nothing of it was fitted to
// an outcome.
package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/weeks"
	"doorstep/internal/person"
)

// World is a town with people who need much: a programme for heart failure and diabetes.
type World struct {
	People int
	Days   int
	Nurses float64 // visits at home that nurses have time for, for each hundred people and weekday

	Video     float64 // share who can be seen by video
	Phone     float64 // share who can be called
	Remote    float64 // share of talks that the clinician allows to be held by video or phone
	HomeCheck float64 // share of check-ups that may be done at home by a nurse
	Delivers  float64 // share whose pharmacy brings medicines
	Shop      float64 // share for whom groceries are brought at a price
}

// Usual is the town that figures are told of. 38 % of people over 65 are not ready for video and a fifth not even for the telephone (Lam et al. 2020); the other shares are
// assumptions.
func Usual() World {
	return World{People: 500, Days: 60, Nurses: 12, Video: 0.62, Phone: 0.8, Remote: 0.6, HomeCheck: 0.5, Delivers: 0.5, Shop: 0.7}
}

// kind is a kind of need in the simulated town: how often it comes, how long its window is, how long it takes.
type kind struct {
	id      string
	every   int     // days; 0: once
	chance  float64 // that a person has it
	window  int     // days
	minutes int
	wait    int
	care    bool
	due     bool // for her health
	place   string
	open    []slot.Weekly
}

func days(from, to int, of ...int) []slot.Weekly {
	return []slot.Weekly{{Days: of, Start: clock.WallAt(from, 0), End: clock.WallAt(to, 0)}}
}

var kinds = []kind{
	{"talk", 14, 1, 6, 20, 15, true, true, "clinic", days(9, 16, 1, 2, 3, 4, 5)},
	{"check", 28, 0.7, 10, 30, 15, true, true, "clinic", days(9, 12, 1, 2, 3, 4, 5)},
	{"blood", 14, 0.7, 6, 15, 20, true, true, "lab", days(8, 14, 1, 2, 3, 4, 5)},
	{"scan", 0, 0.5, 14, 45, 15, true, true, "hospital", days(9, 15, 2, 4)},
	{"rehab", 7, 0.2, 6, 60, 5, true, true, "hospital", days(10, 16, 1, 3, 5)},
	{"refill", 28, 1, 7, 10, 10, false, true, "pharmacy", days(9, 18, 1, 2, 3, 4, 5, 6)},
	{"refill2", 28, 0.6, 7, 10, 10, false, true, "pharmacy", days(9, 18, 1, 2, 3, 4, 5, 6)},
	{"groceries", 7, 1, 6, 40, 0, false, false, "shop", days(8, 20, 1, 2, 3, 4, 5, 6, 7)},
}

// resident is one simulated person.
type resident struct {
	home                                     person.Point
	video, phone, remote, check, pharm, shop bool
	needs                                    []need
}

// need is one occurrence.
type need struct {
	id       string
	kind     kind
	from, by int // days, by not included
}

// center of the town, and its places around it.
var (
	center = person.Point{Lat: 42.65, Lon: -73.75}
	town   = []weeks.Place{{ID: "clinic", Point: center}, {ID: "lab", Point: person.Point{Lat: 42.652, Lon: -73.747}}, {ID: "pharmacy", Point: person.Point{Lat: 42.655, Lon: -73.76}},
		{ID: "shop", Point: person.Point{Lat: 42.66, Lon: -73.74}}, {ID: "hospital", Point: person.Point{Lat: 42.70, Lon: -73.68}}}
	firstDay = clock.Day{Year: 2026, Month: time.March, Date: 2} // a Monday
)

// settle draws the people of a world.
func (w World) settle(seed uint64) []resident {
	r := rand.New(rand.NewPCG(seed, 0x6a6f7572))
	out := make([]resident, w.People)
	for i := range out {
		// From 1 to 30 km around the center, half of them within about 8.
		km, angle := 1+min(29, 10*r.ExpFloat64()), 2*math.Pi*r.Float64()
		p := &out[i]
		p.home = person.Point{Lat: center.Lat + km*math.Sin(angle)/111.2, Lon: center.Lon + km*math.Cos(angle)/81.8}
		p.video, p.phone, p.remote, p.check, p.pharm, p.shop = r.Float64() < w.Video, r.Float64() < w.Phone, r.Float64() < w.Remote, r.Float64() < w.HomeCheck, r.Float64() < w.Delivers, r.Float64() < w.Shop
		for _, k := range kinds {
			if r.Float64() >= k.chance {
				continue
			}
			first := r.IntN(max(7, k.every))
			for n := 0; first+n*max(1, k.every)+k.window <= w.Days; n++ {
				p.needs = append(p.needs, need{fmt.Sprintf("%s-%d", k.id, n), k, first + n*k.every, first + n*k.every + k.window})
				if k.every == 0 {
					break
				}
			}
		}
	}
	return out
}

// Outcome is what a policy came to, for all people.
type Outcome struct {
	Contact float64 `json:"contact_days"` // days with care outside home, for a person
	Hours   float64 `json:"hours"`        // away from home, for a person
	Trips   float64 `json:"trips"`
	Miles   float64 `json:"miles"`
	Dollars float64 `json:"dollars"`
	Missed  int     `json:"missed"` // things due for their health that were not done in their time, of all
	Due     int     `json:"due"`
}

// tally sums what happened to a person.
type tally struct {
	contact map[int]bool
	minutes int
	trips   int
	km      float64
	dollars float64
	missed  int
	due     int
}

func (o *Outcome) add(t tally) {
	o.Contact += float64(len(t.contact))
	o.Hours += float64(t.minutes) / 60
	o.Trips += float64(t.trips)
	o.Miles += t.km / 1.609344
	o.Dollars += t.dollars
	o.Missed += t.missed
	o.Due += t.due
}

func (o *Outcome) mean(n int) {
	for _, v := range []*float64{&o.Contact, &o.Hours, &o.Trips, &o.Miles, &o.Dollars} {
		*v /= float64(n)
	}
}

func pointOf(place string) person.Point {
	return town[slices.IndexFunc(town, func(p weeks.Place) bool { return p.ID == place })].Point
}

// Nearest lets everybody do each thing at the nearest place that does it, in a trip of its own, on the first day of its window on which that place is open.
func (w World) Nearest(seed uint64) Outcome {
	var out Outcome
	people := w.settle(seed)
	for _, p := range people {
		t := tally{contact: map[int]bool{}}
		for _, n := range p.needs {
			leg := weeks.ByCar.Leg(p.home, pointOf(n.kind.place))
			day := -1
			for d := n.from; d < n.by && day < 0; d++ {
				if slices.Contains(n.kind.open[0].Days, isoDay(d)) {
					day = d
				}
			}
			if n.kind.due {
				t.due++
			}
			if day < 0 {
				if n.kind.due {
					t.missed++
				}
				continue
			}
			if n.kind.care {
				t.contact[day] = true
			}
			t.trips++
			t.minutes += 2*leg.Minutes + n.kind.minutes + n.kind.wait
			t.dollars += 2 * leg.Dollars
			t.km += 2 * p.home.KM(pointOf(n.kind.place)) * weeks.ByCar.Detour
		}
		out.add(t)
	}
	out.mean(len(people))
	return out
}

func isoDay(d int) int { return int(firstDay.Add(d).Weekday()+6)%7 + 1 }

// nurse counts the visits at home that are left, by day.
type nurse map[int]int

// Journey plans everybody's weeks: every Monday four weeks are planned, and what lies in the week is promised. Nurses' visits at home are given out in the order of the people,
// which chance draws anew each week.
func (w World) Journey(seed uint64) (Outcome, error) {
	var out Outcome
	people := w.settle(seed)
	r := rand.New(rand.NewPCG(seed, 0x6f72646572))
	left := nurse{}
	for d := range w.Days + weeks4 {
		if isoDay(d) <= 5 {
			left[d] = int(w.Nurses * float64(w.People) / 100)
		}
	}
	done := make([]map[string]bool, len(people))
	tallies := make([]tally, len(people))
	for i := range people {
		done[i], tallies[i] = map[string]bool{}, tally{contact: map[int]bool{}}
	}
	for monday := 0; monday < w.Days; monday += 7 {
		for _, i := range r.Perm(len(people)) {
			if err := people[i].week(monday, done[i], &tallies[i], left); err != nil {
				return out, err
			}
		}
	}
	for i, p := range people {
		for _, n := range p.needs {
			if n.kind.due {
				tallies[i].due++
				if !done[i][n.id] {
					tallies[i].missed++
				}
			}
		}
		out.add(tallies[i])
	}
	out.mean(len(people))
	return out, nil
}

const weeks4 = 28

var zone = time.UTC

func at(day int) time.Time { return clock.At(firstDay.Add(day), 0, zone) }

// week plans four weeks of a person from a Monday on, and lives the first of them.
func (p *resident) week(monday int, done map[string]bool, t *tally, left nurse) error {
	x := weeks.Weeks{From: firstDay.Add(monday), Days: weeks4, Zone: zone, Home: p.home, Places: town, Weights: burden.Usual(), Limits: weeks.Limits{Out: clock.WallAt(7, 0), In: clock.WallAt(19, 0)}}
	kindOf := map[string]kind{}
	for _, n := range p.needs {
		if done[n.id] || n.by <= monday || n.from >= monday+weeks4 {
			continue
		}
		kindOf[n.id] = n.kind
		x.Needs = append(x.Needs, weeks.Need{ID: n.id, Window: slot.Span{From: at(n.from), To: at(n.by)}, Minutes: n.kind.minutes, Ways: p.ways(n, monday, left)})
	}
	if err := x.Validate(); err != nil {
		return err
	}
	a, err := x.Plan()
	if err != nil {
		return err
	}
	end := at(monday + 7)
	for _, it := range a.Items {
		if !it.Start.Before(end) {
			continue
		}
		done[it.Need] = true
		t.dollars += it.Parts.Dollars
		if it.Way == "nurse" {
			left[dayOf(it.Start)]--
		}
		if it.Trip < 0 {
			continue
		}
		if kindOf[it.Need].care {
			t.contact[dayOf(it.Start)] = true
		}
	}
	for _, trip := range a.Trips {
		if !trip.Leave.Before(end) {
			continue
		}
		t.trips++
		t.minutes += int(trip.Return.Sub(trip.Leave) / time.Minute)
		t.dollars += trip.Parts.Dollars
		from := p.home
		for _, i := range trip.Items {
			to := pointOf(a.Items[i].Place)
			t.km += from.KM(to) * weeks.ByCar.Detour
			from = to
		}
		t.km += from.KM(p.home) * weeks.ByCar.Detour
	}
	return nil
}

func dayOf(t time.Time) int { return clock.DayOf(t, zone).Sub(firstDay) }

// ways answers how a need of a person can be met.
func (p *resident) ways(n need, monday int, left nurse) []weeks.Way {
	list := []weeks.Way{{ID: "out", Mode: weeks.Out, Place: n.kind.place, Wait: n.kind.wait, Calendar: &slot.Calendar{Zone: zone, Weekly: n.kind.open}}}
	remote := &slot.Calendar{Zone: zone, Weekly: days(9, 16, 1, 2, 3, 4, 5)}
	switch n.kind.id {
	case "talk":
		if p.remote && (p.video || p.phone) {
			list = append(list, weeks.Way{ID: "remote", Mode: weeks.Present, Calendar: remote})
		}
	case "blood":
		list = append(list, p.nurse(n, monday, left)...)
	case "check":
		if p.check {
			list = append(list, p.nurse(n, monday, left)...)
		}
	case "refill", "refill2":
		if p.pharm {
			list = append(list, weeks.Way{ID: "brought", Mode: weeks.Apart, Calendar: remote})
		}
	case "groceries":
		if p.shop {
			list = append(list, weeks.Way{ID: "brought", Mode: weeks.Apart, Dollars: 9.95, Calendar: &slot.Calendar{Zone: zone, Weekly: days(12, 18, 2, 5)}})
		}
	}
	return list
}

// nurse answers the days on which a nurse still has time to come.
func (p *resident) nurse(n need, monday int, left nurse) []weeks.Way {
	var open []slot.Span
	for d := max(n.from, monday); d < n.by; d++ {
		if left[d] > 1 { // she may have two things for a nurse on one day
			open = append(open, slot.Span{From: clock.At(firstDay.Add(d), clock.WallAt(9, 0), zone), To: clock.At(firstDay.Add(d), clock.WallAt(17, 0), zone)})
		}
	}
	if len(open) == 0 {
		return nil
	}
	return []weeks.Way{{ID: "nurse", Mode: weeks.Present, Minutes: 40, Open: open}}
}
