package web

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	comparing "doorstep/internal/medication/trial"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// comparisonsPage lists comparisons of two ways to help with doses, and asks for a new one.
type comparisonsPage struct {
	*page
	List  []comparisonLine
	Forms []armForm
	Today clock.Day
}

type comparisonLine struct{ ID, Name, State string }

// armForm asks for one arm.
type armForm struct {
	Field, Legend, Name string
	Steps               []stepForm
}

// comparisonPage is one: what is compared, who is in it, what has come of it.
type comparisonPage struct {
	*page
	medication.Comparison
	State   string
	Ending  string
	Arms    []armView
	Result  string
	Detail  string
	May     []person.Person
	Members []memberLine
}

type armView struct {
	Name     string
	Usual    []string
	Critical []string
	People   int
	N, Doses int
	OnTime   string
}

type memberLine struct {
	Name, Arm, When string
	ID              person.ID
	Left            bool
}

func (s *Server) comparisonRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/comparisons", s.staff(s.comparisons))
	mux.Handle("POST /desk/comparisons", s.staff(s.beginComparison))
	mux.Handle("GET /desk/comparisons/{comparison}", s.staff(s.comparison))
	mux.Handle("POST /desk/comparisons/{comparison}/people", s.staff(s.allot))
	mux.Handle("POST /desk/comparisons/{comparison}/end", s.staff(s.endComparison))
}

func (p *page) comparisonState(c medication.Comparison) string {
	key := "comparison.runs"
	if !c.Ended.IsZero() {
		key = "comparison.ended"
	}
	return p.T(key, "from", p.calendar(c.From), "until", p.calendar(c.Until), "time", p.When(c.Ended))
}

func (s *Server) comparisons(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showComparisons(w, r, p, http.StatusOK)
}

func (s *Server) showComparisons(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "comparison.title", "nav.people"
	m := comparisonsPage{page: p, Today: clock.DayOf(p.Now, p.Zone)}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		list, err := s.Medication.Comparisons(tx, p.Org.ID)
		if err != nil {
			return err
		}
		for _, c := range list {
			m.List = append(m.List, comparisonLine{c.ID, c.Name, p.comparisonState(c)})
		}
		usual, critical, err := s.Medication.Ladders(tx, medication.Support{Org: p.Org.ID})
		for _, arm := range []string{"a", "b"} {
			m.Forms = append(m.Forms, armForm{arm + "_name", p.T("comparison.arm." + arm), p.Typed(arm+"_name", ""), []stepForm{
				{arm + "_usual", p.T("support.usual"), rowsOf(p, arm+"_usual", usual)}, {arm + "_critical", p.T("support.critical"), rowsOf(p, arm+"_critical", critical)}}})
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, comparisonsView(m))
}

// beginComparison defines one from the form.
func (s *Server) beginComparison(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	c, err := readComparison(r, p)
	if err == nil {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) (err error) {
			if c, err = s.Medication.BeginComparison(tx, p.Viewer, c); err != nil {
				return err
			}
			return s.Person.Audit(tx, p.Viewer, "", "change", "comparison "+c.ID)
		})
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showComparisons(w, r, p, status) })
	}
	return back(w, r, "/desk/comparisons/"+c.ID, "saved")
}

func readComparison(r *http.Request, p *page) (c medication.Comparison, err error) {
	f := r.PostForm
	c = medication.Comparison{Org: p.Org.ID, Name: strings.TrimSpace(f.Get("name")), Who: medication.Who{Critical: f.Get("who_critical") != "", Helped: f.Get("who_helped") != ""}}
	if c.From, err = clock.ParseDay(f.Get("from")); err != nil {
		return c, fault.Invalidf("Please choose the first day.")
	}
	if c.Until, err = clock.ParseDay(f.Get("until")); err != nil {
		return c, fault.Invalidf("Please choose the last day.")
	}
	for i, arm := range []string{"a", "b"} {
		c.Arms[i].Name = strings.TrimSpace(f.Get(arm + "_name"))
		if c.Arms[i].Usual, err = readSteps(f, arm+"_usual"); err != nil {
			return c, err
		}
		if c.Arms[i].Critical, err = readSteps(f, arm+"_critical"); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (s *Server) comparison(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showComparison(w, r, p, http.StatusOK)
}

func (s *Server) showComparison(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "comparison.title", "nav.people"
	m := comparisonPage{page: p}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadComparison(tx, &m, r.PathValue("comparison")) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, comparisonView(m))
}

func (s *Server) loadComparison(tx *store.Tx, m *comparisonPage, id string) (err error) {
	p := m.page
	if m.Comparison, err = s.Medication.ComparisonByID(tx, p.Org.ID, id); err != nil {
		return err
	}
	m.State = p.comparisonState(m.Comparison)
	if m.Ending = m.Why; words.Has(m.Why) {
		m.Ending = p.T(m.Why)
	}
	outcome, err := s.Medication.OutcomeOf(tx, m.Comparison)
	if err != nil {
		return err
	}
	m.Result, m.Detail = p.outcomeOf(outcome)
	for i, a := range m.Comparison.Arms {
		g := outcome.Arms[i]
		v := armView{Name: p.armName(m.Comparison, i), Usual: p.stepsShort(a.Usual), Critical: p.stepsShort(a.Critical), People: g.People, N: g.N, Doses: g.Doses, OnTime: p.percent(g.OnTime)}
		m.Arms = append(m.Arms, v)
	}
	list, err := s.Medication.PeopleOf(tx, m.Comparison)
	if err != nil {
		return err
	}
	mine, err := s.Person.PatientsOf(tx, p.Viewer)
	if err != nil {
		return err
	}
	names := map[person.ID]string{}
	for _, x := range mine {
		names[x.ID] = x.Name
	}
	for _, a := range list {
		if name := names[a.Patient]; name != "" { // others are counted, and named to their own team alone
			m.Members = append(m.Members, memberLine{Name: name, ID: a.Patient, Arm: p.armName(m.Comparison, a.Arm), When: p.When(a.At), Left: !a.Now && m.Ended.IsZero()})
		}
	}
	m.May, err = s.Medication.MayJoin(tx, p.Viewer, m.Comparison)
	return err
}

// armName answers what an arm is called.
func (p *page) armName(c medication.Comparison, arm int) string {
	letter := []string{"a", "b"}[arm]
	if c.Arms[arm].Name == "" {
		return p.T("comparison.arm." + letter)
	}
	return p.T("comparison.arm."+letter) + ": " + c.Arms[arm].Name
}

// stepsShort writes steps for staff: "30 minutes: Nurse steps in".
func (p *page) stepsShort(steps []medication.Step) (out []string) {
	for _, x := range steps {
		if x.After == 0 {
			out = append(out, p.T("comparison.step.now", "what", p.T("step."+string(x.Do))))
			continue
		}
		out = append(out, p.N("comparison.step", x.After, "what", p.T("step."+string(x.Do))))
	}
	return out
}

// outcomeOf says what has come of a comparison, with its interval and numbers.
func (p *page) outcomeOf(o comparing.Outcome) (result, detail string) {
	if math.IsNaN(o.Low) {
		return p.T("comparison.early"), ""
	}
	key := "comparison.open"
	switch {
	case o.Low > 0:
		key = "comparison.a"
	case o.High < 0:
		key = "comparison.b"
	}
	points := func(v float64) string { return p.Num(100*v, 1) }
	return p.T(key), p.T("comparison.difference", "by", points(o.Difference), "low", points(o.Low), "high", points(o.High),
		"n", strconv.Itoa(o.Arms[comparing.A].N), "m", strconv.Itoa(o.Arms[comparing.B].N), "doses", strconv.Itoa(o.Arms[comparing.A].Doses+o.Arms[comparing.B].Doses))
}

// allot puts the people who were picked into a comparison, each of whom the viewer may act for.
func (s *Server) allot(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	id, list := r.PathValue("comparison"), r.PostForm["person"]
	for _, x := range list {
		if err := s.Person.Enter(r.Context(), p.Viewer, person.Act, person.ID(x), "comparison"); err != nil {
			return err
		}
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if len(list) == 0 {
			return fault.Invalidf("Please choose somebody.")
		}
		for _, x := range list {
			if _, err := s.Medication.Allot(tx, p.Viewer, id, person.ID(x)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showComparison(w, r, p, status) })
	}
	return back(w, r, "/desk/comparisons/"+id, "saved")
}

func (s *Server) endComparison(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	id, why := r.PathValue("comparison"), strings.TrimSpace(r.PostForm.Get("why"))
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if why == "" {
			return fault.Invalidf("Please say why.")
		}
		if err := s.Medication.EndComparison(tx, p.Viewer, id, why); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, "", "change", "comparison "+id)
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showComparison(w, r, p, status) })
	}
	return back(w, r, "/desk/comparisons/"+id, "saved")
}
