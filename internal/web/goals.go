package web

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
)

// A patient sets goals for her own numbers. Whoever may see the numbers sees them; who may manage the chart may change them, and it says with
// whom a goal was set. What the patient sets later takes the place of what staff set with her.

func (s *Server) goalRoutes(mux *http.ServeMux) {
	for path, h := range map[string]handler{"/numbers/goal": s.saveGoal, "/numbers/goal/end": s.endGoal} {
		mux.Handle("POST "+path, s.own(person.Manage, "change a goal", h))
		mux.Handle("POST /helping/{patient}"+path, s.helped(person.Manage, "change a goal", h))
		mux.Handle("POST /desk/people/{patient}"+path, s.desked(person.Manage, "change a goal", h))
	}
}

// goal says whether a goal is met, or how far it is; goal and by are amounts with their units.
func (p *page) goal(goal string, short float64, by string) string {
	if short <= 0 {
		return p.Whose("numbers.goal.met", "goal", goal)
	}
	return p.Whose("numbers.goal.far", "goal", goal, "by", by)
}

// goalFields are what the form of a goal asks for; weight is asked for in the unit of the scale.
func (p *page) goalFields(f figure, goals map[reading.GoalKind]reading.Goal) []field {
	g, set := goals[f.Kind]
	ask := func(name, label string, value float64, decimals int) field {
		x := field{Name: name, Label: label, Mode: "decimal", Need: true, Short: true}
		if set {
			x.Value = p.Num(value, decimals)
		}
		return x
	}
	switch f.Kind {
	case reading.WeightGoal:
		v, _ := sample.Convert(g.Value, "kg", f.Code)
		return []field{ask("goal-weight", p.T("goal.weight", "unit", f.Unit), v, tenth(v))}
	case reading.StepsGoal:
		return []field{ask("goal-steps", p.T("goal.steps"), g.Value, 0)}
	case reading.PressureGoal:
		return []field{ask("goal-top", p.T("goal.top"), g.Value, 0), ask("goal-bottom", p.T("goal.bottom"), g.Low, 0)}
	case reading.InRangeGoal:
		return []field{ask("goal-in-range", p.T("goal.in-range"), g.Value, 0)}
	}
	return nil
}

// tenth answers how many decimals a value needs, one at most.
func tenth(v float64) int {
	if math.Abs(v-math.Round(v)) < 0.05 {
		return 0
	}
	return 1
}

// typedNumber reads a number as people write it: 80.5, 80,5, 6,000, 6.000. A point or comma before three last digits groups.
func typedNumber(text string) float64 {
	text = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\u202f':
			return -1
		case ',':
			return '.'
		}
		return r
	}, text)
	if whole, part, ok := strings.Cut(text, "."); ok && len(part) == 3 && whole != "0" {
		text = whole + part
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// saveGoal sets a goal. That of weight is met from the side on which the newest weight lies.
func (s *Server) saveGoal(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	org, patient := string(p.Org.ID), string(p.Patient.ID)
	typed := func(name string) float64 { return typedNumber(r.PostForm.Get(name)) }
	g := reading.Goal{Org: org, Patient: patient, Kind: reading.GoalKind(r.PostForm.Get("kind")), By: string(p.Viewer.Person)}
	switch g.Kind {
	case reading.WeightGoal:
		latest, err := s.Reading.Latest(r.Context(), org, patient)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(latest, func(x reading.Sample) bool { return x.Series == sample.Weight })
		if i < 0 {
			return fault.NotFoundf("There is no such page.")
		}
		now, ok := sample.Convert(latest[i].Value, latest[i].Unit, "kg")
		value, too := sample.Convert(typed("goal-weight"), latest[i].Unit, "kg")
		if !ok || !too {
			return fault.NotFoundf("There is no such page.")
		}
		g.Value, g.Down = value, value <= now
	case reading.StepsGoal:
		g.Value = typed("goal-steps")
	case reading.PressureGoal:
		g.Value, g.Low, g.Down = typed("goal-top"), typed("goal-bottom"), true
	case reading.InRangeGoal:
		g.Value = typed("goal-in-range")
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if _, err := s.Reading.SetGoal(tx, g); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "change", "goal "+string(g.Kind))
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error {
			if p.Viewer.Role.Staff() {
				return s.showPersonLine(w, r, p, status)
			}
			return s.showNumbers(w, r, p, status)
		})
	}
	return back(w, r, p.numbersAt(), "saved")
}

// numbersAt answers where a person's numbers stand: for staff on her page of the desk.
func (p *page) numbersAt() string {
	if p.Viewer.Role.Staff() {
		return p.Base
	}
	return p.Base + "/numbers"
}

// with says who set the goals that the patient did not set by herself.
func (s *Server) with(tx *store.Tx, p *page, goals map[reading.GoalKind]reading.Goal) (map[reading.GoalKind]string, error) {
	with := map[reading.GoalKind]string{}
	for kind, g := range goals {
		if g.By == string(p.Patient.ID) {
			continue
		}
		by, err := s.Person.Get(tx, p.Org.ID, person.ID(g.By))
		if err != nil {
			return nil, err
		}
		with[kind] = p.T("goal.with", "who", by.Called, "day", p.Day(g.From))
	}
	return with, nil
}

// endGoal takes a goal away.
func (s *Server) endGoal(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	kind := reading.GoalKind(r.PostForm.Get("kind"))
	if !slices.Contains(reading.GoalKinds, kind) {
		return fault.NotFoundf("There is no such page.")
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if err := s.Reading.EndGoal(tx, string(p.Org.ID), string(p.Patient.ID), kind); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "change", "goal "+string(kind)+" ended")
	})
	if err != nil {
		return err
	}
	return back(w, r, p.numbersAt(), "saved")
}
