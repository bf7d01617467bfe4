package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// deskCalendarPage is one day of the clinic: what was asked for, then who sees whom, person by person.
type deskCalendarPage struct {
	*page
	Day, Before, After clock.Day
	Name               string
	From, Until        string // the whole day, as a form's times
	Requests           []deskVisit
	Columns            []deskColumn
	Address            string // of a feed that was just made; shown once
	AddressOf          string
}

// deskColumn is one clinician's day.
type deskColumn struct {
	appointment.Resource
	Visits  []deskVisit
	Closed  []closedLine
	Reading string // how her own calendar was read last
	Wrong   bool   // it could not be
}

// closedLine is a span in which the clinician is closed.
type closedLine struct{ Say, From, Until string }

// deskVisit is a visit as the desk sees it.
type deskVisit struct {
	visitLine
	Who   string
	Chart string // address of the person's visits
	At    string // time of day
}

func (s *Server) calendarRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/calendar", s.staff(s.deskCalendar))
	mux.Handle("POST /desk/calendar/{resource}/move", s.staff(s.moveTogether))
	mux.Handle("POST /desk/calendar/{resource}/reopen", s.staff(s.reopen))
	mux.Handle("POST /desk/calendar/{resource}/feed", s.staff(s.makeFeed))
	mux.Handle("POST /desk/calendar/{resource}/feed/end", s.staff(s.endFeed))
	mux.Handle("POST /desk/calendar/{resource}/import", s.staff(s.importCalendar))
	s.overbookRoutes(mux)
	s.catalogRoutes(mux)
	mux.Handle("GET /feed/{secret}", http.HandlerFunc(s.calendarFeed))
}

func (s *Server) deskCalendar(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showDeskCalendar(w, r, p, http.StatusOK, "", "")
}

func (s *Server) showDeskCalendar(w http.ResponseWriter, r *http.Request, p *page, status int, address, of string) error {
	p.Title, p.Active, p.Live, p.Wide = "calendar.title", "nav.calendar", "/events?desk=1", true
	m := deskCalendarPage{page: p, Day: clock.DayOf(p.Now, p.Zone), Address: address, AddressOf: of}
	if text := r.URL.Query().Get("day"); text != "" {
		day, err := clock.ParseDay(text)
		if err != nil {
			return fault.Invalidf("Please choose a day.")
		}
		m.Day = day
	}
	m.Before, m.After = m.Day.Add(-1), m.Day.Add(1)
	m.From, m.Until = clock.At(m.Day, 0, p.Zone).In(p.Zone).Format(localTime), clock.At(m.After, 0, p.Zone).In(p.Zone).Format(localTime)
	m.Name = words.DayLong(p.Lang, clock.At(m.Day, clock.WallAt(12, 0), p.Zone), p.Zone)
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadCalendar(tx, &m) })
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, deskCalendarView(m))
}

func (s *Server) loadCalendar(tx *store.Tx, m *deskCalendarPage) error {
	visits, err := s.Appointment.Between(tx, m.Viewer, clock.At(m.Day, 0, m.Zone), clock.At(m.Day.Add(1), 0, m.Zone))
	if err != nil {
		return err
	}
	requests, err := s.Appointment.Between(tx, m.Viewer, m.Now, m.Now.AddDate(1, 2, 0))
	if err != nil {
		return err
	}
	line := func(a appointment.Appointment) (deskVisit, error) {
		l, err := s.visitLine(tx, m.page, a)
		if err != nil {
			return deskVisit{}, err
		}
		who, err := s.Person.Get(tx, m.Org.ID, a.Patient)
		return deskVisit{visitLine: l, Who: who.Name, Chart: "/desk/people/" + string(a.Patient), At: m.Time(a.Start)}, err
	}
	for _, a := range requests {
		if a.State != appointment.Proposed {
			continue
		}
		v, err := line(a)
		if err != nil {
			return err
		}
		m.Requests = append(m.Requests, v)
	}
	resources, err := s.Appointment.Resources(tx, m.Org.ID)
	if err != nil {
		return err
	}
	feeds, err := s.Appointment.FeedStates(tx, m.Org.ID)
	if err != nil {
		return err
	}
	closings, err := s.Appointment.Closings(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, r := range resources {
		if r.Kind != appointment.Clinician || !r.Active {
			continue
		}
		c := deskColumn{Resource: r}
		for _, x := range closings[r.ID] {
			c.Closed = append(c.Closed, closedLine{m.T("calendar.closed", "from", m.When(x.From), "until", m.When(x.Until)), x.From.Format(time.RFC3339Nano), x.Until.Format(time.RFC3339Nano)})
		}
		if f, ok := feeds[r.ID]; ok && r.BusyFeed != "" {
			c.Reading, c.Wrong = m.T("calendar.read", "time", m.When(f.Read)), f.Problem != ""
			if c.Wrong {
				c.Reading = m.T("calendar.unread", "reason", f.Problem)
			}
		}
		for _, a := range visits {
			if a.State == appointment.Proposed || !slices.Contains(a.Resources, r.ID) {
				continue
			}
			v, err := line(a)
			if err != nil {
				return err
			}
			c.Visits = append(c.Visits, v)
		}
		m.Columns = append(m.Columns, c)
	}
	return nil
}

// moveTogether finds new times for everybody whom somebody cannot see.
func (s *Server) moveTogether(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	from, err := time.ParseInLocation(localTime, r.PostForm.Get("from"), p.Zone)
	until, wrong := time.ParseInLocation(localTime, r.PostForm.Get("until"), p.Zone)
	if err != nil || wrong != nil {
		err = fault.Invalidf("Please give both times.")
	} else {
		_, err = s.Appointment.GroupMove(r.Context(), p.Viewer, p.Org.ID, r.PathValue("resource"), from, until)
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDeskCalendar(w, r, p, status, "", "") })
	}
	http.Redirect(w, r, "/desk/calendar?day="+clock.DayOf(from, p.Zone).String()+"&done=calendar.moved", http.StatusSeeOther)
	return nil
}

// reopen opens a time again that was closed when visits were moved together.
func (s *Server) reopen(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	from, err := time.Parse(time.RFC3339Nano, r.PostForm.Get("from"))
	until, wrong := time.Parse(time.RFC3339Nano, r.PostForm.Get("until"))
	if err != nil || wrong != nil {
		return fault.Invalidf("Please give both times.")
	}
	if err := s.Appointment.Reopen(r.Context(), p.Viewer, p.Org.ID, r.PathValue("resource"), from, until); err != nil {
		return err
	}
	return back(w, r, "/desk/calendar", "calendar.reopened")
}

// makeFeed makes the secret address of somebody's calendar and shows it once.
func (s *Server) makeFeed(w http.ResponseWriter, r *http.Request, p *page) error {
	var secret string
	err := s.DB.Write(r.Context(), func(tx *store.Tx) (err error) {
		secret, err = s.Appointment.NewFeed(tx, p.Viewer, p.Org.ID, r.PathValue("resource"))
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.showDeskCalendar(w, r, p, http.StatusOK, s.PublicURL+"/feed/"+secret+".ics", r.PathValue("resource"))
}

func (s *Server) endFeed(w http.ResponseWriter, r *http.Request, p *page) error {
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		return s.Appointment.EndFeed(tx, p.Viewer, p.Org.ID, r.PathValue("resource"))
	})
	if err != nil {
		return err
	}
	return back(w, r, "/desk/calendar", "saved")
}

// importCalendar reads a clinician's busy times out of what was pasted from an iCalendar file.
func (s *Server) importCalendar(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	text := strings.ReplaceAll(strings.ReplaceAll(r.PostForm.Get("file"), "\r\n", "\n"), "\n", "\r\n")
	cal, err := s.Appointment.Import(r.Context(), p.Viewer, p.Org.ID, r.PathValue("resource"), strings.NewReader(text))
	if err == nil && len(cal.Refused) > 0 {
		err = fault.Invalidf("The rest was read, but not this: %s", cal.Refused[0])
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDeskCalendar(w, r, p, status, "", "") })
	}
	return back(w, r, "/desk/calendar", "saved")
}

// calendarFeed serves a clinician's calendar to whoever has its address: when the visits are, and nothing of whom.
func (s *Server) calendarFeed(w http.ResponseWriter, r *http.Request) {
	secret, _ := strings.CutSuffix(r.PathValue("secret"), ".ics")
	var b strings.Builder
	if err := s.Appointment.Feed(r.Context(), secret, &b); err != nil {
		status := statuses[fault.KindOf(err)]
		if status == http.StatusInternalServerError {
			s.Log.Error("feed failed", "error", err)
		}
		http.Error(w, fault.Sentence(err), status)
		return
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Cache-Control", "private, max-age=300")
	w.Write([]byte(b.String()))
}

// chartOf is the page as it stands on a person's chart: the buttons of her visits lead there. What staff may do there is asked again when
// they do it.
func chartOf(p *page, chart string) *page {
	q := *p
	q.Base, q.Rights = chart, []person.Right{person.See, person.Act}
	return &q
}
