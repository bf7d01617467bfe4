package reading_test

import (
	"math"
	"testing"

	"doorstep/internal/fault"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// A goal takes the place of the one before of its kind, and of no other person's.
func TestGoals(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		set := func(patient string, kind reading.GoalKind, value, low float64, down bool) {
			r.Helper()
			r.must(r.db.Write(r.Context(), func(tx *store.Tx) error {
				_, err := r.SetGoal(tx, reading.Goal{Org: org, Patient: patient, Kind: kind, Value: value, Low: low, Down: down, By: patient})
				return err
			}))
		}
		goals := func(patient string) (got map[reading.GoalKind]reading.Goal) {
			r.Helper()
			r.must(r.db.Read(r.Context(), func(tx *store.Tx) (err error) {
				got, err = r.Goals(tx, org, patient)
				return err
			}))
			return got
		}
		set(ana, reading.WeightGoal, 80, 0, true)
		set(ana, reading.PressureGoal, 130, 80, true)
		set(ana, reading.WeightGoal, 78.5, 0, true)
		set("another", reading.WeightGoal, 60, 0, false)
		got := goals(ana)
		if g := got[reading.WeightGoal]; len(got) != 2 || g.Value != 78.5 || !g.Down || g.By != ana || !g.From.Equal(r.clock.Now()) {
			r.Errorf("goals %+v", got)
		}
		if g := got[reading.PressureGoal]; g.Value != 130 || g.Low != 80 {
			r.Errorf("blood pressure %+v", g)
		}
		r.must(r.db.Write(r.Context(), func(tx *store.Tx) error { return r.EndGoal(tx, org, ana, reading.WeightGoal) }))
		if got := goals(ana); len(got) != 1 {
			r.Errorf("after the end %+v", got)
		}
		if got := goals("another"); got[reading.WeightGoal].Value != 60 || got[reading.WeightGoal].Down {
			r.Errorf("another's %+v", got)
		}
	})
}

func TestGoalThatNobodyCanMean(t *testing.T) {
	t.Parallel()
	for _, g := range []reading.Goal{
		{Kind: reading.WeightGoal, Value: 5}, {Kind: reading.WeightGoal, Value: math.NaN()}, {Kind: reading.StepsGoal, Value: 0}, {Kind: reading.StepsGoal, Value: math.Inf(1)},
		{Kind: reading.PressureGoal, Value: 130}, {Kind: reading.PressureGoal, Value: 90, Low: 95}, {Kind: reading.InRangeGoal, Value: 101}, {Kind: "hair", Value: 1},
	} {
		if err := g.Validate(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", g, err)
		}
	}
}

func TestGoalShort(t *testing.T) {
	t.Parallel()
	down := reading.Goal{Value: 80, Down: true}
	up := reading.Goal{Value: 6000}
	pressure := reading.Goal{Value: 130, Low: 80, Down: true}
	for _, c := range []struct{ got, want float64 }{
		{down.Short(81.5), 1.5}, {down.Short(80), 0}, {down.Short(79), 0}, {up.Short(5000), 1000}, {up.Short(7000), 0},
		{pressure.ShortOf(128, 79), 0}, {pressure.ShortOf(128, 86), 6}, {pressure.ShortOf(141, 86), 11},
	} {
		if c.got != c.want {
			t.Errorf("%g, want %g", c.got, c.want)
		}
	}
}
