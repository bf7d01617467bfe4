package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// personPage is one person's line at the desk: what was promised, what happened, what was said, who helps.
type personPage struct {
	*page
	Day      clock.Day
	Today    bool
	Promises []promised
	Tasks    []taskLine
	Doses    []dose // open ones, which somebody may answer for the person
	talk
	Contacts []person.Contact
	Helpers  []helper
	Figures  []figure
	Meds     medicines
	Ready    []option        // answers that stand ready: an id and a name
	Call     *programme.Call // the viewer's own, that goes on or can be put right; nil: none
}

// promised is one promise with what happened to it.
type promised struct {
	ID    promise.ID
	From  time.Time
	By    time.Time
	Say   string
	State string
	Why   []string
}

func (s *Server) personLine(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showPersonLine(w, r, p, http.StatusOK)
}

func (s *Server) showPersonLine(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "person.title"
	m := personPage{page: p, Day: p.Patient.DayOf(p.Now), Today: true}
	if d, err := clock.ParseDay(r.URL.Query().Get("day")); err == nil {
		m.Day, m.Today = d, d == m.Day
	}
	var err error
	if m.Figures, err = s.figures(r.Context(), p, false); err != nil {
		return err
	}
	err = s.DB.Read(r.Context(), func(tx *store.Tx) error {
		if err := s.loadReady(tx, &m, r.URL.Query().Get("ready")); err != nil {
			return err
		}
		return s.loadPerson(tx, &m)
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, personView(m))
}

// loadReady lists the answers that stand ready, and puts the one that was chosen into the form, in the patient's language.
func (s *Server) loadReady(tx *store.Tx, m *personPage, chosen string) error {
	list, err := s.Conversation.Templates(tx, m.Org.ID)
	for _, t := range list {
		m.Ready = append(m.Ready, option{t.ID, t.Name})
		if t.ID == chosen && m.Form == nil {
			m.Form = url.Values{"body": {t.Text[m.Patient.Language]}}
		}
	}
	return err
}

func (s *Server) loadPerson(tx *store.Tx, m *personPage) error {
	names := s.names(tx, m.page)
	views, err := s.Promise.Of(tx, m.Org.ID, m.Patient.ID, clockAt(m.Day, m.Patient), clockAt(m.Day.Add(1), m.Patient))
	if err != nil {
		return err
	}
	for _, v := range views {
		why, err := names.why(v)
		if err != nil {
			return err
		}
		m.Promises = append(m.Promises, promised{ID: v.ID, From: v.From, By: v.By, Say: m.Tell(v.Say, v.Args), State: m.stateOf(v), Why: why})
	}
	tasks, err := s.Promise.TasksOf(tx, m.Org.ID, m.Patient.ID, 10)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		l, err := s.taskLine(tx, names, t, false)
		if err != nil {
			return err
		}
		m.Tasks = append(m.Tasks, l)
	}
	slices.SortStableFunc(m.Tasks, func(a, b taskLine) int { // what is open first
		return cmp.Compare(store.Micros(a.Closed), 0) - cmp.Compare(store.Micros(b.Closed), 0)
	})
	if m.Meds, err = s.medicines(tx, m.page); err != nil {
		return err
	}
	if err := s.measured(tx, m.page, &m.Meds); err != nil {
		return err
	}
	doses, err := s.doses(tx, names, m.Day)
	if err != nil {
		return err
	}
	for _, d := range doses {
		if d.Open {
			m.Doses = append(m.Doses, d)
		}
	}
	if m.talk, err = s.thread(tx, names); err != nil {
		return err
	}
	if m.Contacts, err = s.Person.Contacts(tx, m.Org.ID, m.Patient.ID); err != nil {
		return err
	}
	if m.Helpers, err = s.helpers(tx, m.page); err != nil {
		return err
	}
	call, found, err := s.Programme.LastCall(tx, m.Viewer, m.Patient.ID, m.Now.Add(-callShown))
	if found {
		m.Call = &call
	}
	return err
}

// stateOf says how a promise stands.
func (p *page) stateOf(v promise.View) string {
	if v.State == promise.Open && v.From.After(p.Now) {
		return p.T("state.later")
	}
	return p.T("state." + v.State.String())
}

func year(y int) string { return strconv.Itoa(y) }
