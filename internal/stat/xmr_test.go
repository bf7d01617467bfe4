package stat

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"doorstep/internal/sharedtest"
)

func same(a, b, tolerance float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance
}

// TestXmR holds a chart worked by hand: mean 10, moving ranges 1, 1, 1, 1, 9, 9 (mean 22/6).
func TestXmR(t *testing.T) {
	t.Parallel()
	values := []float64{8, 9, 8, 9, 8, 17, 8} // mean 67/7
	average := (1 + 1 + 1 + 1 + 9 + 9) / 6.
	x := NewXmR(values, false)
	if mean := 67. / 7; !same(x.Mean, mean, 1e-12) || !same(x.Lower, mean-2.66*average, 1e-12) || !same(x.Upper, mean+2.66*average, 1e-12) {
		t.Errorf("%+v", x)
	}
	if y := NewXmR(values, true); y.Upper != x.Upper {
		t.Errorf("no range is as wide as 3.267 times the mean, %+v", y)
	}
	long := append(slices.Repeat([]float64{8, 9}, 10), 17, 8)
	y := NewXmR(long, true)
	if y.Upper-y.Mean > 2.661 || len(y.Rules[20]) == 0 || y.Rules[20][0] != Outside {
		t.Errorf("screened: %+v", y)
	}
	for _, values := range [][]float64{nil, {3}} {
		if x := NewXmR(values, true); !math.IsNaN(x.Lower) || !math.IsNaN(x.Upper) || len(x.Rules) != len(values) {
			t.Errorf("%v: %+v", values, x)
		}
	}
	if x := NewXmR([]float64{3, 3, 3, 3, 3, 3, 3, 3}, true); x.Lower != 3 || x.Upper != 3 || x.Rules[7] != nil {
		t.Errorf("all the same: %+v", x)
	}
}

// TestRules: all seven of a trend and of a shift are marked, of two in three only those near the limit.
func TestRules(t *testing.T) {
	t.Parallel()
	x := NewXmR([]float64{0, 9, 1, 2, 3, 4, 5, 6, 7, 0, 9, 0, 9}, false)
	for i, want := range []bool{false, false, true, true, true, true, true, true, true, false, false, false, false} {
		if slices.Contains(x.Rules[i], Trend) != want {
			t.Errorf("trend: %d is %v", i, x.Rules[i])
		}
	}
	x = NewXmR([]float64{9, 8, 7, 6, 5, 4, 3, 9, 0, 9, 0}, false)
	if !slices.Contains(x.Rules[0], Trend) || !slices.Contains(x.Rules[6], Trend) || slices.Contains(x.Rules[7], Trend) {
		t.Errorf("a fall: %v", x.Rules)
	}
	x = NewXmR([]float64{5, 6, 5, 6, 5, 6, 5, 6, 0, 1, 0, 1, 0, 1, 0, 1}, false)
	for i, rules := range x.Rules {
		if !slices.Contains(rules, Shift) {
			t.Errorf("shift: %d is %v", i, rules)
		}
	}
	x = NewXmR(append(slices.Repeat([]float64{0, 1, 2, 1}, 6), 3.5, 1.5, 3.5), false)
	if n := len(x.Rules); !slices.Contains(x.Rules[n-1], TwoOfThree) || slices.Contains(x.Rules[n-2], TwoOfThree) || !slices.Contains(x.Rules[n-3], TwoOfThree) {
		t.Errorf("two of three: %+v", x)
	}
}

// TestVectors compares with the published vectors.
func TestVectors(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(sharedtest.Path(t, "vectors/spc_xmr.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Y      []float64
		Expect []struct {
			Case           string
			Mean, Lpl, Upl float64
		}
		RuleCases []struct {
			Fn            string
			Y             []float64
			V, Side, Near []int
			Out           []int
		} `json:"rule_cases"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	wild := slices.Clone(v.Y)
	wild[14] = 10
	for i, c := range []struct {
		values   []float64
		screened bool
	}{{v.Y, true}, {wild, true}, {wild, false}} {
		x, want := NewXmR(c.values, c.screened), v.Expect[i]
		if !same(x.Mean, want.Mean, 5e-7) || !same(x.Lower, want.Lpl, 1e-6) || !same(x.Upper, want.Upl, 1e-6) {
			t.Errorf("%s: %+v, want %+v", want.Case, x, want)
		}
	}
	for _, c := range v.RuleCases {
		var got []int
		switch c.Fn {
		case "trend":
			got = Trends(c.Y)
		case "oneside":
			got = Runs(c.V)
		case "two_in_three":
			near := make([]bool, len(c.Near))
			for i, n := range c.Near {
				near[i] = n == 1
			}
			for _, is := range TwoInThree(near, c.Side) {
				got = append(got, map[bool]int{true: 1}[is])
			}
		default:
			t.Errorf("no such function: %s", c.Fn)
		}
		if !slices.Equal(got, c.Out) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
