// Package score scores questionnaires: PROMIS Global-10, PHQ-9, GAD-7, KCCQ-12 and CAHPS-style items. It holds no question's
// text. A score for which too few answers were given is NaN, or known is false: never a number made of what happened to be
// there. An answer that cannot be is an error that names the item. The package is pure.
package score

import (
	"fmt"
	"math"
)

// Answers are the answers by item, as numbers; an item that is absent was not answered.
type Answers map[string]float64

// item answers an answer, which must be a whole number from low to high.
func (a Answers) item(name string, low, high int) (v int, answered bool, err error) {
	x, ok := a[name]
	if !ok {
		return 0, false, nil
	}
	if x != math.Trunc(x) || x < float64(low) || x > float64(high) {
		return 0, false, fmt.Errorf("item %s: %v is not a whole number from %d to %d", name, x, low, high)
	}
	return int(x), true, nil
}

// Global is the PROMIS Global-10: physical and mental health, each only when all its four items are answered.
type Global struct{ Physical, Mental Scale }

// Scale is a sum of items with its T-score (50 is the general population's mean, 10 its standard deviation).
type Scale struct {
	Known bool
	Raw   int // 4 to 20
	T, SE float64
}

// The tables from raw 4 to 20. Hays RD et al. (2009), Qual Life Res 18:873; T at raw 4 of mental health is 21.2 as published.
var (
	physicalT  = [17]float64{16.2, 19.9, 23.5, 26.7, 29.6, 32.4, 34.9, 37.4, 39.8, 42.3, 44.9, 47.7, 50.8, 54.1, 57.7, 61.9, 67.7}
	physicalSE = [17]float64{4.8, 4.7, 4.5, 4.3, 4.2, 4.2, 4.1, 4.1, 4.1, 4.2, 4.3, 4.4, 4.6, 4.7, 4.9, 5.2, 5.9}
	mentalT    = [17]float64{21.2, 25.1, 28.4, 31.3, 33.8, 36.3, 38.8, 41.1, 43.5, 45.8, 48.3, 50.8, 53.3, 56.0, 59.0, 62.5, 67.6}
	mentalSE   = [17]float64{4.6, 4.1, 3.9, 3.7, 3.7, 3.7, 3.6, 3.6, 3.6, 3.6, 3.7, 3.7, 3.7, 3.8, 3.9, 4.2, 5.3}
)

// painRecode turns pain of 0 to 10 into an item of 5 to 1.
var painRecode = [11]int{5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 1}

// PROMIS10 scores the items g01 to g06, g07 (pain, 0 to 10), g08r, g09r, g10r (1 to 5, already turned round).
func PROMIS10(a Answers) (Global, error) {
	for _, name := range []string{"g01", "g09r"} { // in neither scale, yet they must be right
		if _, _, err := a.item(name, 1, 5); err != nil {
			return Global{}, err
		}
	}
	physical, err := scale(a, []string{"g03", "g06", "g07", "g08r"}, physicalT, physicalSE)
	if err != nil {
		return Global{}, err
	}
	mental, err := scale(a, []string{"g02", "g04", "g05", "g10r"}, mentalT, mentalSE)
	return Global{physical, mental}, err
}

func scale(a Answers, items []string, t, se [17]float64) (Scale, error) {
	s := Scale{Known: true, T: math.NaN(), SE: math.NaN()}
	for _, name := range items {
		low, high := 1, 5
		if name == "g07" {
			low, high = 0, 10
		}
		v, answered, err := a.item(name, low, high)
		if err != nil {
			return Scale{}, err
		}
		s.Known = s.Known && answered
		if name == "g07" {
			v = painRecode[v]
		}
		s.Raw += v
	}
	if s.Known {
		s.T, s.SE = t[s.Raw-4], se[s.Raw-4]
	} else {
		s.Raw = 0
	}
	return s, nil
}

// Total is a sum of items and what it is called; only Known when every item is answered.
type Total struct {
	Known bool
	Sum   int
	Band  string
	// SelfHarm is set by any answer above 0 to item 9 of the PHQ-9, whatever the sum and whether it is known: a person must look now.
	SelfHarm bool
}

type band struct {
	to   int
	name string
}

// PHQ9 scores the items "1" to "9", each 0 to 3. Kroenke K et al. (2001), J Gen Intern Med 16:606.
func PHQ9(a Answers) (Total, error) {
	t, err := total(a, 9, band{4, "none/minimal"}, band{9, "mild"}, band{14, "moderate"}, band{19, "moderately severe"}, band{27, "severe"})
	t.SelfHarm = a["9"] > 0
	return t, err
}

// GAD7 scores the items "1" to "7", each 0 to 3. Spitzer RL et al. (2006), Arch Intern Med 166:1092.
func GAD7(a Answers) (Total, error) {
	return total(a, 7, band{4, "minimal"}, band{9, "mild"}, band{14, "moderate"}, band{21, "severe"})
}

func total(a Answers, items int, bands ...band) (Total, error) {
	t := Total{Known: true}
	for i := range items {
		v, answered, err := a.item(fmt.Sprint(i+1), 0, 3)
		if err != nil {
			return Total{}, err
		}
		t.Known = t.Known && answered
		t.Sum += v
	}
	if !t.Known {
		t.Sum = 0
		return t, nil
	}
	for _, b := range bands {
		if t.Sum <= b.to {
			t.Band = b.name
			break
		}
	}
	return t, nil
}

// KCCQ is the Kansas City Cardiomyopathy Questionnaire of 12 items: four domains and their mean, 0 (worst) to 100.
type KCCQ struct{ Physical, Symptoms, Quality, Social, Summary float64 }

// KCCQ12 scores the items 1a 1b 1c, 2 3 4 5, 6 7, 8a 8b 8c. An answer of 6 to 1a-c and 8a-c ("did not do for other reasons") counts as
// none. Physical and social limitation need two of three, symptoms two of four, quality of life one of two; the summary is the
// mean of the domains there are. Spertus JA, Jones PG (2015), Circ Cardiovasc Qual Outcomes 8:469.
func KCCQ12(a Answers) (KCCQ, error) {
	type question struct {
		name    string
		best    int // on a scale from 1
		refused int // an answer above best that counts as none; 0 if there is none
	}
	var k KCCQ
	var sum, n float64
	for _, d := range []struct {
		to    *float64
		least int
		items []question
	}{
		{&k.Physical, 2, []question{{"1a", 5, 6}, {"1b", 5, 6}, {"1c", 5, 6}}},
		{&k.Symptoms, 2, []question{{"2", 5, 0}, {"3", 7, 0}, {"4", 7, 0}, {"5", 5, 0}}},
		{&k.Quality, 1, []question{{"6", 5, 0}, {"7", 5, 0}}},
		{&k.Social, 2, []question{{"8a", 5, 6}, {"8b", 5, 6}, {"8c", 5, 6}}},
	} {
		points, given := 0.0, 0
		for _, q := range d.items {
			v, answered, err := a.item(q.name, 1, max(q.best, q.refused))
			if err != nil {
				return KCCQ{}, err
			}
			if answered && v <= q.best {
				points += 100 * float64(v-1) / float64(q.best-1)
				given++
			}
		}
		*d.to = math.NaN()
		if given >= d.least {
			*d.to = points / float64(given)
			sum += *d.to
			n++
		}
	}
	k.Summary = sum / n // NaN without a domain
	return k, nil
}
