package web

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading/watch"
	"doorstep/internal/stat"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// alertsPage is what alerts asked of a team's nurses, week by week, beside what the team set out to ask.
type alertsPage struct {
	*page
	Team   string
	Teams  []option
	Budget watch.Budget
	Setter string
	Weeks  []alertWeek
	Spends []alertSpend // of the latest week
}

type alertWeek struct {
	Days     string
	Alerts   int
	PerNurse string
	Over     bool
	Needed   string // the share that needed action, with its n and interval
}

type alertSpend struct {
	Rule     string
	Alerts   int
	Patients int
	Share    string
	Needed   string
}

// alertWeeks is how many weeks the page goes back.
const alertWeeks = 6

func (s *Server) alertRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/alerts", s.staff(s.alerts))
	mux.Handle("POST /desk/alerts", s.staff(s.setBudget))
}

func (s *Server) alerts(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showAlerts(w, r, p, http.StatusOK)
}

// alertTeam answers the team that is asked for, else the viewer's first.
func (s *Server) alertTeam(r *http.Request, p *page, teams []option) (string, error) {
	want := r.FormValue("team")
	for _, t := range teams {
		if want == "" || t.Value == want {
			return t.Value, nil
		}
	}
	if want == "" {
		return "", nil
	}
	return "", fault.Deniedf("That is not one of your teams.")
}

func (s *Server) showAlerts(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "alerts.title", "nav.desk"
	m := alertsPage{page: p}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
		if m.Teams, err = s.teamsOf(tx, p); err != nil {
			return err
		}
		if m.Team, err = s.alertTeam(r, p, m.Teams); err != nil || m.Team == "" {
			return err
		}
		if m.Budget, err = s.Watch.BudgetOf(tx, p.Org.ID, person.TeamID(m.Team)); err != nil {
			return err
		}
		if m.Budget.By != "" {
			if m.Setter, err = s.names(tx, p).of(m.Budget.By); err != nil {
				return err
			}
		}
		weeks, err := s.Watch.Weeks(tx, p.Org.ID, person.TeamID(m.Team), p.Now, alertWeeks)
		if err != nil {
			return err
		}
		for i, x := range weeks {
			line := alertWeek{Days: p.T("alerts.week", "from", p.Day(x.From), "until", p.Day(x.Until)), Alerts: x.Alerts, PerNurse: p.T("alerts.nobody"), Needed: p.needed(x.Needed, x.Judged)}
			if x.Alerts == 0 {
				line.Needed = "–"
			}
			if x.Nurses > 0 {
				line.PerNurse = p.Num(x.PerNurse, 1)
				line.Over = m.Budget.PerNurse > 0 && x.PerNurse > float64(m.Budget.PerNurse)
			}
			m.Weeks = append(m.Weeks, line)
			if i > 0 {
				continue
			}
			for _, y := range x.Spends {
				m.Spends = append(m.Spends, alertSpend{Rule: p.spendName(y), Alerts: y.Alerts, Patients: y.Patients, Share: p.percent(float64(y.Alerts) / float64(x.Alerts)), Needed: p.needed(y.Needed, y.Judged)})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, alertsView(m))
}

// spendName says which rule it was: the set that it belongs to, and what it watches.
func (p *page) spendName(x watch.Spend) string {
	what := p.signal(x.Series)
	if x.Kind == "silence" {
		what = p.T("alerts.silence", "what", what)
	}
	if key := "rules.set." + x.Name; x.Name != "" && words.Has(key) {
		what = p.T("alerts.set.of", "set", p.T(key), "what", what)
	}
	first, size := utf8.DecodeRuneInString(what)
	return string(unicode.ToUpper(first)) + what[size:]
}

// needed answers the share that needed action with its interval (Wilson), and how many somebody judged.
func (p *page) needed(x, n int) string {
	if n == 0 {
		return p.T("alerts.unjudged")
	}
	low, high := stat.Wilson(x, n)
	return p.T("alerts.needed", "share", p.percent(float64(x)/float64(n)), "low", p.Num(100*low, 0), "high", p.Num(100*high, 0), "n", strconv.Itoa(n))
}

func (s *Server) setBudget(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("budget")))
	if err != nil {
		err = fault.Invalidf("Please write the number of alerts.")
	} else {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
			teams, err := s.teamsOf(tx, p)
			if err != nil {
				return err
			}
			team, err := s.alertTeam(r, p, teams)
			if err != nil {
				return err
			}
			return s.Watch.SetBudget(tx, p.Viewer, person.TeamID(team), n)
		})
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showAlerts(w, r, p, status) })
	}
	return back(w, r, "/desk/alerts", "saved")
}
