package medication

import (
	"math"
	"time"

	"doorstep/internal/person"
)

// Part is a part of the day on weekdays or weekends, with how its doses went.
type Part struct {
	Name    string // morning, noon, evening, night
	Weekend bool
	Due     int
	Missed  int
}

// parts counts by part.
type parts map[Part]*Part

var partNames = []string{"morning", "noon", "evening", "night"}

// partOf answers the part of the day by the clock where the patient is.
func partOf(h int) string {
	switch {
	case h >= 4 && h < 11:
		return "morning"
	case h >= 11 && h < 16:
		return "noon"
	case h >= 16 && h < 21:
		return "evening"
	}
	return "night"
}

func (m parts) add(p person.Person, due time.Time, done bool) {
	day := p.DayOf(due).Weekday()
	key := Part{Name: partOf(due.In(p.Location()).Hour()), Weekend: day == time.Saturday || day == time.Sunday}
	x := m[key]
	if x == nil {
		x = &Part{Name: key.Name, Weekend: key.Weekend}
		m[key] = x
	}
	x.Due++
	if !done {
		x.Missed++
	}
}

func (m parts) list() (out []Part) {
	for _, weekend := range []bool{false, true} {
		for _, name := range partNames {
			if x := m[Part{Name: name, Weekend: weekend}]; x != nil {
				out = append(out, *x)
			}
		}
	}
	return out
}

// Pattern answers where doses are missed: the part of the day, on weekends, on weekdays or on all days, whose missed share stands
// out. It asks for at least three missed doses and eight due ones there, half of all that were missed, twice the share of the rest, and
// for less than one chance in a hundred that missed doses fall so by themselves (Fisher's exact test, one-sided); else ok is false, and
// there is no pattern to speak of. When is weekend, weekday or always.
func (m Measures) Pattern() (part, when string, missed, due int, ok bool) {
	all, allMissed := 0, 0
	for _, x := range m.ByPart {
		all, allMissed = all+x.Due, allMissed+x.Missed
	}
	best := 0.0
	for _, name := range append([]string{""}, partNames...) {
		for _, w := range []string{"always", "weekday", "weekend"} {
			if name == "" && w == "always" {
				continue
			}
			d, n := 0, 0
			for _, x := range m.ByPart {
				if (name == "" || x.Name == name) && (w == "always" || x.Weekend == (w == "weekend")) {
					d, n = d+x.Due, n+x.Missed
				}
			}
			if n < 3 || d < 8 || 2*n < allMissed || d == all {
				continue
			}
			share, rest := float64(n)/float64(d), float64(allMissed-n)/float64(all-d)
			// The stronger the contrast the better; of two that are as strong the wider one, which comes first.
			if share >= 2*rest && share-rest > best+1e-9 && byChance(all, allMissed, d, n) < 0.01 {
				best, part, when, missed, due, ok = share-rest, name, w, n, d, true
			}
		}
	}
	return part, when, missed, due, ok
}

// byChance answers how likely it is that of missed doses among all, at least n fall among due of them, if nothing draws them there.
func byChance(all, missed, due, n int) float64 {
	choose := func(n, k int) float64 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		return a - b - c
	}
	sum := 0.0
	for k := n; k <= min(due, missed); k++ {
		if missed-k <= all-due {
			sum += math.Exp(choose(due, k) + choose(all-due, missed-k) - choose(all, missed))
		}
	}
	return sum
}
