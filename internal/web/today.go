package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/medication"
	"doorstep/internal/pathway"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	"doorstep/internal/words"
)

// todayPage is a day in order of time: the next thing large, then what is later, then what is done and how we know.
type todayPage struct {
	*page
	Date    string
	Summary string // for family: how the day stands in one sentence
	Acting  []acting
	Moving  *moving // another zone, and no word yet
	Next    []next  // normally one; more when several are due at once
	Later   []line
	Home    []string // rides that wait for her word, by id
	Done    []line
}

// acting is trouble that somebody has in hand, or that nobody has yet: who, since when.
type acting struct {
	What string
	Who  string
}

// next is the next thing, with its one action.
type next struct {
	Eyebrow string
	Say     string
	Late    bool
	Dose    *dose  // answered here; nil for what needs no answer
	Step    string // the promise of a step of a pathway, answered here; empty: none
	After   string // what happens if nothing is heard
}

func (s *Server) today(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showToday(w, r, p, http.StatusOK)
}

func (s *Server) showToday(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "today.title", "nav.today"
	m := todayPage{page: p, Date: words.DayLong(p.Lang, p.Now, p.Zone)}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadToday(tx, &m) })
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, todayView(m))
}

func (s *Server) loadToday(tx *store.Tx, m *todayPage) error {
	names := s.names(tx, m.page)
	doses, err := s.doses(tx, names, m.Patient.DayOf(m.Now))
	if err != nil {
		return err
	}
	if x, ok, err := s.Medication.Moving(tx, m.Patient); err != nil {
		return err
	} else if ok {
		m.Moving = m.moving(x)
	}
	done, due := 0, 0 // what the patient was to do until now
	for i := range doses {
		d := &doses[i]
		switch d.Status {
		case medication.Due:
			m.Next = append(m.Next, next{Eyebrow: m.T("today.now"), Say: d.Say, Dose: d, After: m.Whose("today.after")})
		case medication.Missed:
			m.Next = append(m.Next, next{Eyebrow: m.T("today.missed"), Say: d.Say, Dose: d, Late: true, After: m.T("today.after.missed", "phone", m.Phone())})
		case medication.Later:
			m.Later = append(m.Later, line{At: d.Due, Mark: d.Mark, What: d.Say, List: d.Medicines, ID: "d-" + string(d.Promise)})
			continue
		default:
			if d.Status != medication.Skipped {
				done++
			}
			m.Done = append(m.Done, line{At: d.Due, Mark: d.Mark, What: d.Say, How: d.Know, ID: "d-" + string(d.Promise)})
		}
		due++
	}
	kept, asked, err := s.loadOthers(tx, m, names)
	if err != nil {
		return err
	}
	done, due = done+kept, due+asked
	inOrder := func(a, b line) int { return a.At.Compare(b.At) }
	slices.SortStableFunc(m.Later, inOrder)
	slices.SortStableFunc(m.Done, inOrder)
	if len(m.Next) == 0 && len(m.Later) > 0 { // the next thing stands large even when its time has not come
		first := m.Later[0]
		m.Later = m.Later[1:]
		n := next{Eyebrow: m.T("today.next"), Say: first.What, After: first.How}
		for i := range doses {
			if "d-"+string(doses[i].Promise) == first.ID {
				d := doses[i]
				n.Dose = &d
			}
		}
		m.Next = append(m.Next, n)
	}
	if due+len(m.Later) > 0 || len(m.Next) > 0 {
		m.Summary = m.T("today.summary", "called", m.Patient.Called, "n", m.Num(float64(done), 0), "all", m.Num(float64(due), 0))
	}
	return s.loadActing(tx, m, names)
}

// loadOthers adds what is promised today beside doses: readings, calls, answers, and that silence will be noticed. It answers how
// much of it the patient was to do until now, and has done.
func (s *Server) loadOthers(tx *store.Tx, m *todayPage, names *names) (kept, asked int, err error) {
	from, to := dayBounds(m.Patient, m.Now)
	views, err := s.Promise.Of(tx, m.Org.ID, m.Patient.ID, from, to)
	if err != nil {
		return 0, 0, err
	}
	for _, v := range views {
		if v.Kind == medication.Kind || v.Kind == medication.Travel || v.State == promise.Released {
			continue
		}
		own := v.Keeper.Kind == "patient"
		if v.Kind == appointment.Offered {
			continue // it stands on the page of visits, while it stands
		}
		l := line{At: v.By, Mark: "later", What: m.Tell(v.Say, v.Args), How: m.window(v.Promise), ID: "p-" + string(v.ID)}
		if own {
			l.At = v.From
			if v.State != promise.Open || !m.Now.Before(v.From) {
				asked++
			}
		}
		if v.Kind == appointment.Promised {
			l.At, l.How = v.From, m.Time(v.From)
		}
		step := ""
		if v.Kind == pathway.Kind {
			a, err := s.Pathway.Find(tx, m.Org.ID, m.Patient.ID, v.About)
			if err != nil {
				return 0, 0, err
			}
			l.What = a.Called(m.Lang)
			if own && v.State == promise.Open {
				step = string(v.ID)
			}
		}
		if v.Kind == transport.Kind {
			if l.At, l.How, err = s.rideLine(tx, m, v.Promise); err != nil {
				return 0, 0, err
			}
		}
		switch v.State {
		case promise.Kept:
			if own {
				kept++
			}
			l.Mark = "done"
			if len(v.Evidence) > 0 {
				e := v.Evidence[0]
				if v.Kind == transport.Kind { // getting in comes before getting there
					e = v.Evidence[len(v.Evidence)-1]
				}
				if l.How, err = names.how(e); err != nil {
					return 0, 0, err
				}
			}
			m.Done = append(m.Done, l)
		case promise.Broken:
			l.Mark, l.How = "missed", m.T("today.broken", "phone", m.Phone())
			m.Done = append(m.Done, l)
		default:
			if m.Now.Before(v.From) || !own {
				m.Later = append(m.Later, l)
				continue
			}
			m.Next = append(m.Next, next{Eyebrow: m.T("today.now"), Say: l.What, Step: step, After: m.T("today.by", "time", m.When(v.By))})
		}
	}
	return kept, asked, nil
}

// window says when something is to be done, where its sentence does not: between two times for the patient, by a time for others.
func (p *page) window(v promise.Promise) string {
	switch {
	case slices.Contains(words.Placeholders(p.Lang, v.Say), "time"):
		return ""
	case v.Keeper.Kind == "patient":
		return p.T("today.window", "from", p.Time(v.From), "by", p.When(v.By))
	}
	return p.T("today.by", "time", p.When(v.By))
}

// actingFor is how long trouble that nobody has taken stays on the patient's page; at the desk it stays until it is closed.
const actingFor = 24 * time.Hour

// loadActing says what trouble there is with this chart, and who has it in hand since when.
func (s *Server) loadActing(tx *store.Tx, m *todayPage, names *names) error {
	tasks, err := s.Promise.TasksOf(tx, m.Org.ID, m.Patient.ID, 20)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if !t.Closed.IsZero() || t.Owner == "" && m.Now.Sub(t.Opened) > actingFor || t.Kind == medication.Kind && t.Owner == "" {
			continue // a dose without a word stands on the page already, as a question
		}
		key := "acting." + t.Kind
		if !words.Has(key) {
			key = "acting.other"
		}
		a := acting{What: words.Tell(m.Lang, key, t.Args, m.Zone)}
		if t.Owner == "" {
			a.Who = m.T("acting.none", "role", m.role(t.Role), "time", m.When(t.Opened))
		} else {
			who, err := names.of(t.Owner)
			if err != nil {
				return err
			}
			since := t.Taken
			if since.IsZero() {
				since = t.Opened
			}
			a.Who = m.T("acting.who", "who", who, "time", m.When(since))
		}
		m.Acting = append(m.Acting, a)
	}
	return nil
}

// task says why a task was opened.
func (n *names) task(t promise.TaskRow) string {
	zone := n.p.Zone
	if who, err := n.get(t.Patient); err == nil && t.Patient != "" {
		zone = who.Location()
	}
	key := t.Say
	if !strings.Contains(key, ".") || words.Has("task."+key) {
		key = "task." + key
	}
	return words.Tell(n.p.Lang, key, t.Args, zone)
}

// greeting fits the hour.
func (p *page) greeting() string {
	switch h := p.Now.In(p.Zone).Hour(); {
	case h >= 4 && h < 12:
		return p.T("today.morning", "called", p.Patient.Called)
	case h >= 12 && h < 18:
		return p.T("today.afternoon", "called", p.Patient.Called)
	}
	return p.T("today.evening", "called", p.Patient.Called)
}
