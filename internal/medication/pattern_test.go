package medication

import (
	"math"
	"testing"
)

// A pattern is named where there is one, the widest that fits, and not where chance would do.
func TestPattern(t *testing.T) {
	t.Parallel()
	even := func(missed int) []Part {
		return []Part{{"morning", false, 40, missed}, {"evening", false, 40, missed}, {"morning", true, 16, missed * 2 / 5}, {"evening", true, 16, missed * 2 / 5}}
	}
	for _, c := range []struct {
		name       string
		parts      []Part
		part, when string
		ok         bool
	}{
		{"nothing is missed", even(0), "", "", false},
		{"all alike", even(5), "", "", false},
		{"evenings on weekends", []Part{{"morning", false, 40, 1}, {"evening", false, 40, 2}, {"morning", true, 16, 1}, {"evening", true, 16, 11}}, "evening", "weekend", true},
		{"weekends", []Part{{"morning", false, 40, 1}, {"evening", false, 40, 1}, {"morning", true, 16, 9}, {"evening", true, 16, 9}}, "", "weekend", true},
		{"evenings", []Part{{"morning", false, 40, 1}, {"evening", false, 40, 20}, {"morning", true, 16, 0}, {"evening", true, 16, 8}}, "evening", "always", true},
		{"four of twenty against none of twelve: chance", []Part{{"morning", false, 20, 4}, {"morning", true, 12, 0}}, "", "", false},
		{"too few", []Part{{"morning", false, 5, 0}, {"evening", false, 5, 4}}, "", "", false},
	} {
		part, when, _, _, ok := Measures{ByPart: c.parts}.Pattern()
		if part != c.part || when != c.when || ok != c.ok {
			t.Errorf("%s: %q %q %v", c.name, part, when, ok)
		}
	}
	// The sum over k of C(16,k) C(96,15-k) / C(112,15), in whole numbers.
	if p := byChance(112, 15, 16, 11); math.Abs(p/9.411306791714821e-09-1) > 1e-9 {
		t.Errorf("%g", p)
	}
	if p := byChance(10, 3, 5, 0); math.Abs(p-1) > 1e-9 {
		t.Errorf("%g", p)
	}
}
