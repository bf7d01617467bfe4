package reading

import (
	"math"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// GoalKind names the number that a goal is for.
type GoalKind string

const (
	WeightGoal   GoalKind = "weight"   // kg
	StepsGoal    GoalKind = "steps"    // steps a day
	PressureGoal GoalKind = "pressure" // mm[Hg], upper and lower
	InRangeGoal  GoalKind = "in-range" // percent of the time with glucose of 70 to 180 mg/dL
)

// GoalKinds are all of them.
var GoalKinds = []GoalKind{WeightGoal, StepsGoal, PressureGoal, InRangeGoal}

// Goal is what a person wants one of her own numbers to be.
type Goal struct {
	Org, Patient string
	Kind         GoalKind
	Value        float64   // in the kind's unit
	Low          float64   // the lower blood pressure, mm[Hg]; 0 for other kinds
	Down         bool      // met at Value or less; else at Value or more
	By           string    // who set it
	From         time.Time // in force
}

// Validate refuses a goal that nobody can mean.
func (g Goal) Validate() error {
	within := func(v, least, most float64) bool { return v >= least && v <= most } // never for NaN
	switch g.Kind {
	case WeightGoal:
		if !within(g.Value, 20, 350) {
			return fault.Invalidf("Please write a weight that a grown person can have.")
		}
	case StepsGoal:
		if !within(g.Value, 100, 50_000) {
			return fault.Invalidf("Please write a number of steps from 100 to 50,000.")
		}
	case PressureGoal:
		if !within(g.Value, 90, 180) || !within(g.Low, 50, 110) || g.Low >= g.Value {
			return fault.Invalidf("Please write both numbers, like 130 and 80.")
		}
	case InRangeGoal:
		if !within(g.Value, 1, 100) {
			return fault.Invalidf("Please write a number from 1 to 100.")
		}
	default:
		return fault.Invalidf("There is no goal for that.")
	}
	return nil
}

// Short answers by how much a value misses the goal, in the kind's unit; 0 when it is met.
func (g Goal) Short(value float64) float64 {
	if g.Down {
		return max(0, value-g.Value)
	}
	return max(0, g.Value-value)
}

// ShortOf answers by how much a blood pressure misses the goal: the worse of the two numbers, mm[Hg].
func (g Goal) ShortOf(systolic, diastolic float64) float64 {
	return max(g.Short(systolic), diastolic-g.Low)
}

// SetGoal puts a person's goal in force from now on, in place of the one before of its kind, and answers it.
func (s *Service) SetGoal(tx *store.Tx, g Goal) (Goal, error) {
	if err := g.Validate(); err != nil {
		return Goal{}, err
	}
	if g.Org == "" || g.Patient == "" || g.By == "" {
		return Goal{}, fault.Invalidf("patient: a goal needs a person, and who set it")
	}
	if err := s.EndGoal(tx, g.Org, g.Patient, g.Kind); err != nil {
		return Goal{}, err
	}
	var newest int64
	if _, err := tx.Row("SELECT COALESCE(MAX(version), 0) FROM reading_goal WHERE org = $1 AND patient = $2 AND kind = $3", []any{g.Org, g.Patient, string(g.Kind)}, &newest); err != nil {
		return Goal{}, err
	}
	g.From = s.clock.Now()
	down := 0
	if g.Down {
		down = 1
	}
	_, err := tx.Exec("INSERT INTO reading_goal (org, patient, kind, version, value, low, down, set_by, from_at, until_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)",
		g.Org, g.Patient, string(g.Kind), newest+1, g.Value, math.Max(0, g.Low), down, g.By, store.Micros(g.From))
	return g, err
}

// EndGoal takes a person's goal out of force; without one it does nothing.
func (s *Service) EndGoal(tx *store.Tx, org, patient string, kind GoalKind) error {
	if err := lock(tx, owner{org, patient}); err != nil {
		return err
	}
	tx.Hint("patient", org+"/"+patient)
	_, err := tx.Exec("UPDATE reading_goal SET until_at = $4 WHERE org = $1 AND patient = $2 AND kind = $3 AND until_at = 0", org, patient, string(kind), store.Micros(s.clock.Now()))
	return err
}

// Goals answers a person's goals in force, by kind.
func (s *Service) Goals(tx *store.Tx, org, patient string) (map[GoalKind]Goal, error) {
	goals := map[GoalKind]Goal{}
	err := tx.Rows("SELECT kind, value, low, down, set_by, from_at FROM reading_goal WHERE org = $1 AND patient = $2 AND until_at = 0", []any{org, patient},
		func(scan func(...any) error) error {
			g := Goal{Org: org, Patient: patient}
			var kind string
			var down, from int64
			err := scan(&kind, &g.Value, &g.Low, &down, &g.By, &from)
			g.Kind, g.Down, g.From = GoalKind(kind), down == 1, store.Time(from)
			goals[g.Kind] = g
			return err
		})
	return goals, err
}
