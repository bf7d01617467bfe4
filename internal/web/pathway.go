package web

import (
	"net/http"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// pathwayPage is what a person's care pathways ask for, step by step. Staff put her on one, move her to a newer version, or end it.
type pathwayPage struct {
	*page
	Episodes []episodeView
	Choices  []option // pathways to begin; at the desk
	Preview  *pathway.Change
	Asked    string // episode whose change is shown
}

// episodeView is one pathway with its steps.
type episodeView struct {
	pathway.Episode
	Say      string // where it stands, in a sentence
	Next     []line
	Done     []line
	Versions []option // to move to; at the desk
}

// nextSteps is how many open steps are shown of a pathway, each action once.
const nextSteps = 12

func (s *Server) pathwayRoutes(mux *http.ServeMux) {
	mux.Handle("GET /me/pathway", s.own(person.See, "pathway", s.pathwayView))
	mux.Handle("GET /helping/{patient}/me/pathway", s.helped(person.See, "pathway", s.pathwayView))
	mux.Handle("GET /desk/people/{patient}/pathway", s.desked(person.See, "pathway", s.pathwayView))
	mux.Handle("POST /desk/people/{patient}/pathway", s.desked(person.Act, "begin a pathway", s.beginPathway))
	mux.Handle("POST /desk/people/{patient}/pathway/{episode}/version", s.desked(person.Act, "move a pathway", s.moveVersion))
	mux.Handle("POST /desk/people/{patient}/pathway/{episode}/end", s.desked(person.Act, "end a pathway", s.endPathway))
	mux.Handle("POST /steps/{promise}", s.own(person.Act, "answer a step", s.answerStep))
	mux.Handle("POST /helping/{patient}/steps/{promise}", s.helped(person.Act, "answer a step", s.answerStep))
	mux.Handle("POST /desk/people/{patient}/steps/{promise}", s.desked(person.Act, "answer a step", s.answerStep))
}

// pathwayPath is where a person's pathways stand.
func (p *page) pathwayPath() string {
	if p.Viewer.Role.Staff() {
		return p.Base + "/pathway"
	}
	return p.Base + "/me/pathway"
}

func (s *Server) pathwayView(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showPathway(w, r, p, http.StatusOK, nil, "")
}

func (s *Server) showPathway(w http.ResponseWriter, r *http.Request, p *page, status int, change *pathway.Change, episode string) error {
	p.Title, p.Active = "pathway.title", "nav.me"
	if p.Viewer.Role.Staff() {
		p.Active = "nav.people"
	}
	m := pathwayPage{page: p, Preview: change, Asked: episode}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadPathway(tx, &m) })
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, pathwayTemplate(m))
}

func (s *Server) loadPathway(tx *store.Tx, m *pathwayPage) error {
	episodes, err := s.Pathway.Episodes(tx, m.Org.ID, m.Patient.ID)
	if err != nil {
		return err
	}
	steps, err := s.Pathway.Activities(tx, m.Org.ID, m.Patient.ID)
	if err != nil {
		return err
	}
	defs, err := s.Pathway.Definitions(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, e := range episodes {
		m.Episodes = append(m.Episodes, m.episode(e, steps, defs))
	}
	newest := map[string]int{}
	for _, d := range defs {
		if d.Kind != "PlanDefinition" || !m.Viewer.Role.Staff() {
			continue
		}
		o := option{Value: d.Canonical(), Label: d.Called(m.Lang)}
		if i, there := newest[d.URL]; there { // the version that was loaded last
			m.Choices[i] = o
			continue
		}
		newest[d.URL] = len(m.Choices)
		m.Choices = append(m.Choices, o)
	}
	return nil
}

func (m *pathwayPage) episode(e pathway.Episode, steps []pathway.Activity, defs []pathway.Definition) episodeView {
	v := episodeView{Episode: e}
	for _, d := range defs {
		if d.Canonical() == e.Canonical() {
			v.Title = d.Called(m.Lang)
		}
	}
	done, shown := 0, map[string]bool{}
	for _, a := range steps {
		if a.Episode != e.ID || a.State == pathway.Withdrawn {
			continue
		}
		x := line{What: a.Called(m.Lang), How: strings.TrimSuffix(m.stepWhen(a)+" · "+m.stepHow(a), " · "), Mark: map[pathway.ActivityState]string{pathway.Done: "done", pathway.Missed: "missed", pathway.Open: "later"}[a.State]}
		switch a.State {
		case pathway.Open:
			if len(v.Next) < nextSteps && !shown[a.Action] { // of what recurs, the next time
				v.Next = append(v.Next, x)
				shown[a.Action] = true
			}
		case pathway.Done:
			done++
			v.Done = append(v.Done, x)
		default:
			v.Done = append(v.Done, x)
		}
	}
	n := m.Num(float64(done), 0)
	switch {
	case e.State == pathway.Ended:
		v.Say = m.T("pathway.ended", "day", words.Day(m.Lang, e.Ended, m.Zone), "n", n)
	case m.Now.Before(e.Start):
		v.Say = m.T("pathway.begins", "day", words.Day(m.Lang, e.Start, m.Zone))
	default:
		day := clock.DayOf(m.Now, m.Zone).Sub(clock.DayOf(e.Start, m.Zone)) + 1
		of := clock.DayOf(e.Until.Add(-time.Minute), m.Zone).Sub(clock.DayOf(e.Start, m.Zone)) + 1
		v.Say = m.T("pathway.stands", "day", m.Num(float64(day), 0), "of", m.Num(float64(of), 0), "n", n)
	}
	if m.Viewer.Role.Staff() && e.State == pathway.Active {
		for _, d := range defs {
			if d.Kind == "PlanDefinition" && d.URL == e.URL && d.Version != e.Version {
				v.Versions = append(v.Versions, option{Value: d.Version, Label: d.Version})
			}
		}
	}
	return v
}

// stepWhen says when a step is, in words.
func (m *pathwayPage) stepWhen(a pathway.Activity) string {
	from, by := clock.DayOf(a.From, m.Zone), clock.DayOf(a.By.Add(-time.Minute), m.Zone)
	switch {
	case !a.Finished.IsZero() && a.State == pathway.Done:
		return words.Day(m.Lang, a.Finished, m.Zone)
	case !a.Start.IsZero():
		return m.When(a.Start)
	case from == by:
		return words.Day(m.Lang, a.From, m.Zone)
	}
	return m.T("pathway.between", "from", words.Day(m.Lang, a.From, m.Zone), "by", words.Day(m.Lang, a.By.Add(-time.Minute), m.Zone))
}

// stepHow says who does a step, or that it is being arranged.
func (m *pathwayPage) stepHow(a pathway.Activity) string {
	switch {
	case a.State == pathway.Missed:
		return m.T("pathway.missed")
	case a.Arranged() && a.Start.IsZero() && a.State == pathway.Open:
		return m.T("pathway.arranging")
	case a.Arranged():
		return ""
	case a.Performer == "patient" || a.Performer == "related-person":
		return m.Whose("pathway.you")
	}
	return m.T("pathway.we")
}

func (s *Server) beginPathway(w http.ResponseWriter, r *http.Request, p *page) error {
	start, err := p.startDay(r.PostFormValue("day"))
	if err == nil && r.PostFormValue("which") == "" {
		err = fault.Invalidf("Please choose a pathway.")
	}
	if err == nil {
		_, err = s.Pathway.Enrol(r.Context(), p.Viewer, p.Patient.ID, r.PostFormValue("which"), start, time.Time{})
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPathway(w, r, p, status, nil, "") })
	}
	return back(w, r, p.pathwayPath(), "saved")
}

// startDay reads the day on which a pathway begins: today at this hour, else from that day's morning on.
func (p *page) startDay(text string) (time.Time, error) {
	d, err := clock.ParseDay(text)
	if err != nil {
		return time.Time{}, fault.Invalidf("When does it begin? Please give a day.")
	}
	if d == clock.DayOf(p.Now, p.Zone) {
		return p.Now, nil
	}
	return clock.At(d, clock.WallAt(8, 0), p.Zone), nil
}

// moveVersion shows what another version changes, and moves the person to it when asked again.
func (s *Server) moveVersion(w http.ResponseWriter, r *http.Request, p *page) error {
	episode, version := r.PathValue("episode"), r.PostFormValue("version")
	if r.PostFormValue("sure") == "" {
		c, err := s.Pathway.Preview(r.Context(), p.Viewer, p.Patient.ID, episode, version)
		if err != nil {
			return s.again(w, r, p, err, func(status int) error { return s.showPathway(w, r, p, status, nil, "") })
		}
		return s.showPathway(w, r, p, http.StatusOK, &c, episode)
	}
	if _, err := s.Pathway.Migrate(r.Context(), p.Viewer, p.Patient.ID, episode, version); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPathway(w, r, p, status, nil, "") })
	}
	return back(w, r, p.pathwayPath(), "saved")
}

func (s *Server) endPathway(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := s.Pathway.End(r.Context(), p.Viewer, p.Patient.ID, r.PathValue("episode")); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPathway(w, r, p, status, nil, "") })
	}
	return back(w, r, p.pathwayPath(), "ended")
}

// answerStep takes a word about a step from the page.
func (s *Server) answerStep(w http.ResponseWriter, r *http.Request, p *page) error {
	answer := r.PostFormValue("answer")
	a := pathway.Word{Org: p.Org.ID, Patient: p.Patient.ID, Promise: promise.ID(r.PathValue("promise")), Done: answer == "done", By: p.Viewer.Person, Kind: "tap", Source: "page"}
	if p.Viewer.Role.Staff() {
		a.Kind, a.For = "word", p.Patient.ID
	}
	var err error
	if answer != "done" && answer != "cannot" {
		err = fault.Invalidf("Please choose one of the answers.")
	} else {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Pathway.Say(tx, a) })
	}
	to := p.Base + "/today"
	if p.Viewer.Role.Staff() {
		to = p.Base
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error {
			if p.Viewer.Role.Staff() {
				return s.showPathway(w, r, p, status, nil, "")
			}
			return s.showToday(w, r, p, status)
		})
	}
	return back(w, r, to, "saved")
}
