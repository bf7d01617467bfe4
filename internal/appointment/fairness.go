package appointment

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

// By is what the fairness report compares people by. None of it enters a rule, an order or an estimate: it is only looked at here.
type By string

const (
	ByAge      By = "age"
	ByLanguage By = "language"
	ByDistance By = "distance"
)

// Group is how offers of sooner times went for some of those who waited. A small group is not told, nor one from which a small one could be worked out:
// Hidden is then set and everything else is 0.
type Group struct {
	By      By
	Name    string // "18-39", "es", "under 5 km", "" where it is not known
	Hidden  bool
	People  int           // who waited
	Offered stat.Interval // share of them who were offered a time
	Took    stat.Interval // share of offers that were taken, of those answered or run out
	Days    stat.Interval // days gained by those who had a later visit and took a sooner one
}

// SmallGroup is the number of people below which a group is not told.
const SmallGroup = 10

func ageBand(year, now int) string {
	switch age := now - year; {
	case year == 0:
		return ""
	case age < 18:
		return "0-17"
	case age < 40:
		return "18-39"
	case age < 65:
		return "40-64"
	case age < 80:
		return "65-79"
	}
	return "80+"
}

func distanceBand(km float64) string {
	switch {
	case math.IsNaN(km):
		return ""
	case km < 5:
		return "0-5 km"
	case km < 20:
		return "5-20 km"
	}
	return "20+ km"
}

// tally is what is counted of a group.
type tally struct {
	people, offered map[person.ID]bool
	taken, answered int
	gained          []float64
}

// fairness compares how offers went by age, language and distance, for people whose place on the list was there in a span.
func (s *Service) fairness(tx *store.Tx, org person.OrgID, all []Appointment, entries []Entry, in func(time.Time) bool) ([]Group, error) {
	start := make(map[ID]time.Time, len(all))
	for _, a := range all {
		start[a.ID] = a.Start
	}
	offers, err := store.All(tx, offerSelect+" WHERE org = $1", []any{string(org)}, scanOffer)
	if err != nil {
		return nil, err
	}
	byEntry := map[string][]OfferRow{}
	for _, o := range offers {
		byEntry[o.Entry] = append(byEntry[o.Entry], o)
	}
	places, err := s.people.Places(tx, org)
	if err != nil {
		return nil, err
	}
	groups := map[By]map[string]*tally{ByAge: {}, ByLanguage: {}, ByDistance: {}}
	for _, e := range entries {
		if !in(e.Asked) {
			continue
		}
		p, err := s.people.Get(tx, org, e.Patient)
		if err != nil {
			return nil, err
		}
		home, err := s.people.HomeOf(tx, org, e.Patient)
		if err != nil {
			return nil, err
		}
		km := math.NaN()
		for _, x := range places {
			if home.Known() && x.Known() && !(home.KM(x.Point) >= km) {
				km = home.KM(x.Point)
			}
		}
		for by, name := range map[By]string{ByAge: ageBand(p.BirthYear, s.clock.Now().Year()), ByLanguage: p.Language, ByDistance: distanceBand(km)} {
			t := groups[by][name]
			if t == nil {
				t = &tally{people: map[person.ID]bool{}, offered: map[person.ID]bool{}}
				groups[by][name] = t
			}
			t.people[e.Patient] = true
			for _, o := range byEntry[e.ID] {
				t.offered[e.Patient] = true
				switch o.State {
				case offerTaken:
					t.taken++
					t.answered++
				case offerDeclined, offerExpired:
					t.answered++
				}
			}
			if had, took := start[e.Has], start[e.Took]; !had.IsZero() && !took.IsZero() {
				t.gained = append(t.gained, had.Sub(took).Hours()/24)
			}
		}
	}
	var out []Group
	for _, by := range []By{ByAge, ByLanguage, ByDistance} {
		out = append(out, told(by, groups[by])...)
	}
	return out, nil
}

// told answers the groups of one kind, the small ones hidden. One hidden group could be worked out from the sum of all: then the next
// smallest is hidden with it.
func told(by By, groups map[string]*tally) []Group {
	names := slices.Sorted(maps.Keys(groups))
	size := slices.Clone(names)
	slices.SortStableFunc(size, func(a, b string) int { return cmp.Compare(len(groups[a].people), len(groups[b].people)) })
	hidden := map[string]bool{}
	sum := 0
	for _, n := range size {
		k := len(groups[n].people)
		if k < SmallGroup || len(hidden) > 0 && (len(hidden) < 2 || sum < SmallGroup) {
			hidden[n] = true
			sum += k
		}
	}
	var out []Group
	for _, n := range names {
		g := Group{By: by, Name: n, Hidden: hidden[n]}
		if t := groups[n]; !g.Hidden {
			g.People = len(t.people)
			g.Offered = stat.Share(len(t.offered), len(t.people))
			g.Took, g.Days = stat.Share(t.taken, t.answered), stat.MeanInterval(t.gained)
			if len(t.gained) < 2 {
				g.Days = stat.Interval{Value: math.NaN(), Low: math.NaN(), High: math.NaN(), N: len(t.gained)}
			}
		}
		out = append(out, g)
	}
	return out
}

// String is for tests and logs.
func (g Group) String() string {
	if g.Hidden {
		return fmt.Sprintf("%s %q hidden", g.By, g.Name)
	}
	return fmt.Sprintf("%s %q %d", g.By, g.Name, g.People)
}
