package api

import (
	"context"
	"net/http"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/medication/trial"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// arm is one of the two plans of a comparison.
type arm struct {
	Name     string `json:"name,omitempty" maxLength:"60"`
	Usual    []step `json:"usual" minItems:"1" maxItems:"8"`
	Critical []step `json:"critical" minItems:"1" maxItems:"8"`
}

// comparison is a randomised comparison of two ways to help with doses.
type comparison struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	From    string    `json:"from"`
	Until   string    `json:"until"`
	Arms    []arm     `json:"arms"`
	Made    time.Time `json:"made"`
	Ended   time.Time `json:"ended,omitzero"`
	Why     string    `json:"why,omitempty"`
	Seed    string    `json:"seed,omitempty" doc:"From which the arms follow; told once it has ended."`
	Outcome *outcome  `json:"outcome,omitempty"`
}

// outcome is what has come of one so far. Each person is one value, since the doses of one person are not independent.
type outcome struct {
	Arms       []armOutcome `json:"arms"`
	Difference *float64     `json:"difference" doc:"Mean share of doses on time in arm A less arm B; null while an arm has nobody."`
	Low        *float64     `json:"low" doc:"95 % interval (Welch); null with fewer than two people in an arm."`
	High       *float64     `json:"high"`
}

type armOutcome struct {
	People int      `json:"people" doc:"Allotted."`
	N      int      `json:"n" doc:"With a dose due: those who are counted."`
	Doses  int      `json:"doses"`
	OnTime *float64 `json:"on_time" doc:"Mean of their shares of doses of which we know within an hour."`
}

func (s *server) comparisonRoutes() {
	get(s, "list-comparisons", "/comparisons", "Randomised comparisons of two ways to help with doses. Staff only.", s.comparisons)
	get(s, "get-comparison", "/comparisons/{id}", "One, with what has come of it. Staff only.", s.comparison)
	post(s, "begin-comparison", "/comparisons", "Defines one; nobody is in it yet, and what it compares never changes. Staff only.", http.StatusCreated, s.beginComparison)
	post(s, "allot", "/comparisons/{id}/people", "Puts a patient into one: chance picks the plan. Staff only.", http.StatusCreated, s.allot)
	post(s, "end-comparison", "/comparisons/{id}/end", "Ends one; everybody goes back to the plan of before. Staff only.", http.StatusOK, s.endComparison)
}

type comparisonsInput struct{ Part }

func (s *server) comparisons(ctx context.Context, c *caller, in *comparisonsInput) (out list[comparison], err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		self, err := s.self(tx, c)
		if err != nil {
			return err
		}
		all, err := s.Medication.Comparisons(tx, c.Org)
		if err != nil {
			return err
		}
		for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 { // a cursor goes upwards: the oldest first
			all[i], all[j] = all[j], all[i]
		}
		out, err = cut(all, in.Part, func(x medication.Comparison) string { return timeKey(x.Made) + "/" + x.ID }, func(x medication.Comparison) (comparison, error) {
			return comparisonOf(x, self.Location()), nil
		})
		return err
	})
	return out, err
}

func comparisonOf(x medication.Comparison, zone *time.Location) comparison {
	out := comparison{ID: x.ID, Name: x.Name, From: x.From.String(), Until: x.Until.String(), Made: local(x.Made, zone), Ended: local(x.Ended, zone), Why: x.Why, Seed: x.Seed}
	for _, a := range x.Arms {
		out.Arms = append(out.Arms, arm{a.Name, stepsOf(a.Usual), stepsOf(a.Critical)})
	}
	return out
}

func outcomeOf(o trial.Outcome) *outcome {
	out := &outcome{Difference: share(o.Difference), Low: share(o.Low), High: share(o.High)}
	for _, g := range o.Arms {
		out.Arms = append(out.Arms, armOutcome{g.People, g.N, g.Doses, share(g.OnTime)})
	}
	return out
}

type comparisonInput struct {
	ID string `path:"id"`
}

func (s *server) comparison(ctx context.Context, c *caller, in *comparisonInput) (out comparison, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		self, err := s.self(tx, c)
		if err != nil {
			return err
		}
		x, err := s.Medication.ComparisonByID(tx, c.Org, in.ID)
		if err != nil {
			return err
		}
		o, err := s.Medication.OutcomeOf(tx, x)
		out = comparisonOf(x, self.Location())
		out.Outcome = outcomeOf(o)
		return err
	})
	return out, err
}

type compareInput struct {
	Write
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"100"`
		From     string `json:"from" maxLength:"10" doc:"First day, YYYY-MM-DD."`
		Until    string `json:"until" maxLength:"10" doc:"Last day, included."`
		Arms     []arm  `json:"arms" minItems:"2" maxItems:"2"`
		Critical bool   `json:"critical,omitempty" doc:"Only who takes a critical medicine can take part."`
		Helped   bool   `json:"helped,omitempty" doc:"Only who has a helper that may see the chart."`
	}
}

func (s *server) beginComparison(ctx context.Context, c *caller, in *compareInput) (comparison, error) {
	if err := staffOnly(c); err != nil {
		return comparison{}, err
	}
	x := medication.Comparison{Org: c.Org, Name: in.Body.Name, Who: medication.Who{Critical: in.Body.Critical, Helped: in.Body.Helped}}
	var err error
	if x.From, err = clock.ParseDay(in.Body.From); err != nil {
		return comparison{}, fault.Invalidf("from: want a date like 2026-03-09.")
	}
	if x.Until, err = clock.ParseDay(in.Body.Until); err != nil {
		return comparison{}, fault.Invalidf("until: want a date like 2026-03-09.")
	}
	for i, a := range in.Body.Arms {
		x.Arms[i] = medication.Arm{Name: a.Name, Usual: readSteps(a.Usual), Critical: readSteps(a.Critical)}
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (comparison, error) {
		self, err := s.self(tx, c)
		if err != nil {
			return comparison{}, err
		}
		made, err := s.Medication.BeginComparison(tx, c.Viewer, x)
		return comparisonOf(made, self.Location()), err
	})
}

type allotInput struct {
	ID string `path:"id"`
	Write
	Body struct {
		Patient person.ID `json:"patient" minLength:"1"`
	}
}

// allotted is which plan chance picked.
type allotted struct {
	Patient person.ID `json:"patient"`
	Seq     int       `json:"seq" doc:"From 0."`
	Arm     string    `json:"arm" enum:"a,b"`
}

func (s *server) allot(ctx context.Context, c *caller, in *allotInput) (allotted, error) {
	if err := staffOnly(c); err != nil {
		return allotted{}, err
	}
	if _, err := s.enter(ctx, c, person.Act, in.Body.Patient, "comparison"); err != nil {
		return allotted{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (allotted, error) {
		a, err := s.Medication.Allot(tx, c.Viewer, in.ID, in.Body.Patient)
		return allotted{a.Patient, a.Seq, []string{"a", "b"}[a.Arm]}, err
	})
}

type overInput struct {
	ID string `path:"id"`
	Write
	Body struct {
		Why string `json:"why" minLength:"1" maxLength:"500"`
	}
}

func (s *server) endComparison(ctx context.Context, c *caller, in *overInput) (comparison, error) {
	if err := staffOnly(c); err != nil {
		return comparison{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (comparison, error) {
		self, err := s.self(tx, c)
		if err != nil {
			return comparison{}, err
		}
		if err := s.Medication.EndComparison(tx, c.Viewer, in.ID, in.Body.Why); err != nil {
			return comparison{}, err
		}
		x, err := s.Medication.ComparisonByID(tx, c.Org, in.ID)
		return comparisonOf(x, self.Location()), err
	})
}
