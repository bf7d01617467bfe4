package trial

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The same seed gives the same arms; the arms never drift apart by more than half a block; another seed gives others.
func TestArm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.StringN(1, 40, -1).Draw(rt, "seed")
		lead := 0
		for n := range 120 {
			arm := Arm(seed, n)
			if arm != Arm(seed, n) || arm != A && arm != B {
				rt.Fatalf("person %d: arm %d", n, arm)
			}
			lead += 1 - 2*arm
			if lead > 3 || lead < -3 {
				rt.Fatalf("after %d people one arm leads by %d", n+1, lead)
			}
		}
	})
	// Over many seeds, knowing all arms before says little of the next: the nth is A about as often as B.
	const seeds = 2000
	for n := range 12 {
		as := 0
		for s := range seeds {
			if Arm(string(rune(s+1000)), n) == A {
				as++
			}
		}
		if share := float64(as) / seeds; math.Abs(share-0.5) > 4*0.5/math.Sqrt(seeds) {
			t.Errorf("person %d is in arm A with a share of %.3f", n, share)
		}
	}
}

// The person is the unit: a thousand doses of one weigh as much as ten of another.
func TestCompare(t *testing.T) {
	t.Parallel()
	o := Compare([]Person{{A, 1000, 1}, {A, 10, 0.5}, {A, 0, math.NaN()}, {B, 10, 0.5}, {B, 10, 0.3}})
	if a := o.Arms[A]; a.People != 3 || a.N != 2 || a.Doses != 1010 || a.OnTime != 0.75 {
		t.Errorf("%+v", a)
	}
	if b := o.Arms[B]; b.People != 2 || b.N != 2 || b.OnTime != 0.4 {
		t.Errorf("%+v", b)
	}
	if math.Abs(o.Difference-0.35) > 1e-12 || !(o.Low < 0 && o.High > 0.7) {
		t.Errorf("%+v", o.Welch)
	}
	if o := Compare(nil); !math.IsNaN(o.Low) || !math.IsNaN(o.Arms[A].OnTime) {
		t.Errorf("nobody: %+v", o)
	}
}
