package score

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Composite is several items of a CAHPS-style survey over all who answered: percent and points from 0 to 100.
type Composite struct {
	TopBox map[string]float64 // percent "always" of each item's answers; NaN without any
	Linear map[string]float64 // mean points of each item's answers
	// The composites weigh each item the same, however many answered it: to pool the answers would let the item that most
	// people answer stand for all. Items without an answer are left out.
	TopBoxComposite, LinearComposite float64
}

// linear holds the points of never, sometimes, usually, always.
var linear = map[rune]float64{'N': 0, 'S': 100. / 3, 'U': 200. / 3, 'A': 100}

// CAHPS scores items whose answers are letters in any order: N never, S sometimes, U usually, A always. HCAHPS star rating
// technical notes; SEER-CAHPS guidance for researchers (composites).
func CAHPS(items map[string]string) (Composite, error) {
	c := Composite{TopBox: map[string]float64{}, Linear: map[string]float64{}}
	var top, points []float64
	for _, name := range slices.Sorted(maps.Keys(items)) {
		n, always, sum := 0.0, 0.0, 0.0
		for _, letter := range items[name] {
			v, known := linear[letter]
			if !known {
				return Composite{}, fmt.Errorf("item %s: %q is none of A, U, S, N", name, letter)
			}
			n++
			sum += v
			if letter == 'A' {
				always++
			}
		}
		c.TopBox[name], c.Linear[name] = 100*always/n, sum/n // NaN without answers
		if n > 0 {
			top, points = append(top, c.TopBox[name]), append(points, c.Linear[name])
		}
	}
	c.TopBoxComposite, c.LinearComposite = mean(top), mean(points)
	return c, nil
}

// Rating scores answers of 0 to 10: percent 9 and 10, and mean points from 0 to 100.
func Rating(answers []float64) (topBox, linear float64, err error) {
	top, sum := 0.0, 0.0
	for i, v := range answers {
		if v != math.Trunc(v) || v < 0 || v > 10 {
			return 0, 0, fmt.Errorf("answer %d: %v is not a whole number from 0 to 10", i+1, v)
		}
		sum += 10 * v
		if v >= 9 {
			top++
		}
	}
	n := float64(len(answers))
	return 100 * top / n, sum / n, nil // NaN without answers
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
