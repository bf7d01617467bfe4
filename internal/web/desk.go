package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// deskPage is what is at risk, most severe first, and who is on duty.
type deskPage struct {
	*page
	Groups   []taskGroup
	HandOver []taskLine
	Open     int
	OnDuty   []duty
	Staff    []option
	Teams    []option
}

// taskGroup is tasks of one cause. More than groupShown are one row with their number, which opens to them; severe ones always stand by
// themselves.
type taskGroup struct {
	Cause string
	Key   string
	Tasks []taskLine
	Crowd int // how many stand in the one row
	Worst promise.Severity
	Since time.Time // of the oldest of them
	Of    string    // what they have in common
	Calls bool      // they are alerts, of which is asked whether they needed action
	Open  bool      // a crowd that has been opened
}

// groupShown keeps one bad hour (a dead hub, a gateway) from burying everything else.
const groupShown = 12

// taskLine is one row: what, who, since when, why, whose it is.
type taskLine struct {
	promise.TaskRow
	What  string
	Who   string
	Owner string
	Mine  bool
	Why   []string // the rule and what it saw
}

type duty struct {
	Name  string
	Role  person.Role
	Until time.Time
}

func (s *Server) deskRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk", s.staff(s.desk))
	mux.Handle("POST /desk/tasks/{task}/take", s.staff(s.takeTask))
	mux.Handle("POST /desk/tasks/{task}/snooze", s.staff(s.snoozeTask))
	mux.Handle("POST /desk/tasks/{task}/done", s.staff(s.finishTask))
	mux.Handle("POST /desk/causes/done", s.staff(s.finishCrowd))
	mux.Handle("POST /desk/shifts", s.staff(s.addShift))
	s.peopleRoutes(mux)
	s.ruleRoutes(mux)
	s.siteRoutes(mux)
	s.programmeRoutes(mux)
	s.alertRoutes(mux)
	s.accessRoutes(mux)
	s.comparisonRoutes(mux)
}

func (s *Server) desk(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showDesk(w, r, p, http.StatusOK)
}

func (s *Server) showDesk(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active, p.Live = "desk.title", "nav.desk", "/events?desk=1"
	m := deskPage{page: p}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		if err := s.loadTasks(tx, &m, r.URL.Query().Get("all")); err != nil {
			return err
		}
		return s.loadShifts(tx, &m)
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, deskView(m))
}

// loadTasks groups the open tasks of the viewer's patients by cause, in the order of each group's first.
func (s *Server) loadTasks(tx *store.Tx, m *deskPage, all string) error {
	rows, err := s.Promise.Tasks(tx, m.Org.ID)
	if err != nil {
		return err
	}
	mine, err := s.Person.PatientsOf(tx, m.Viewer)
	if err != nil {
		return err
	}
	names := s.names(tx, m.page)
	for _, who := range mine {
		names.had[who.ID] = who
	}
	seen := make(map[person.ID]bool, len(mine))
	for _, who := range mine {
		seen[who.ID] = true
	}
	at, size := map[string]int{}, map[string]int{}
	var show []promise.TaskRow
	for _, t := range rows {
		if t.Patient != "" && !seen[t.Patient] {
			continue
		}
		m.Open++
		if aside := t.Snoozed.After(m.Now); aside && t.Severity != promise.Severe {
			continue
		}
		show = append(show, t)
		if t.Severity != promise.Severe {
			size[t.Cause]++
		}
	}
	for _, t := range show {
		i, ok := at[t.Cause]
		if !ok {
			i = len(m.Groups)
			at[t.Cause] = i
			m.Groups = append(m.Groups, taskGroup{Key: t.Cause, Cause: m.cause(t.Cause), Of: m.common(t.Cause)})
		}
		g := &m.Groups[i]
		if size[t.Cause] > groupShown && t.Severity != promise.Severe && all != t.Cause {
			if g.Crowd++; g.Since.IsZero() || t.Opened.Before(g.Since) {
				g.Since = t.Opened
			}
			g.Worst = max(g.Worst, t.Severity)
			continue
		}
		g.Open = g.Open || size[t.Cause] > groupShown && t.Severity != promise.Severe
		g.Calls = g.Calls || t.Kind == watch.CallKind
		l, err := s.taskLine(tx, names, t, true)
		if err != nil {
			return err
		}
		g.Tasks = append(g.Tasks, l)
	}
	return s.loadHandOver(tx, m, names, seen)
}

// loadHandOver lists what the next shift has to know about the viewer's patients.
func (s *Server) loadHandOver(tx *store.Tx, m *deskPage, names *names, seen map[person.ID]bool) error {
	rows, err := s.Promise.HandOver(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, t := range rows {
		if t.Patient != "" && !seen[t.Patient] {
			continue
		}
		l, err := s.taskLine(tx, names, t, false)
		if err != nil {
			return err
		}
		m.HandOver = append(m.HandOver, l)
	}
	return nil
}

func (p *page) cause(key string) string {
	kind, _, _ := strings.Cut(key, " ") // what comes after names the one thing: a gateway, a hub
	if words.Has("cause." + kind) {
		return p.T("cause." + kind)
	}
	return p.T("cause.other")
}

// common says what tasks of one cause have in common (watch.Causes); empty where the kind of thing says it all.
func (p *page) common(key string) string {
	part := strings.Fields(key)
	if len(part) < 2 || !words.Has("cause.of."+part[1]) {
		return ""
	}
	if part[1] == "rule" && len(part) > 3 {
		if part[3] == "-" { // no device sent it
			return p.signal(part[2])
		}
		return p.T("cause.of.rule", "what", p.signal(part[2]), "device", strings.ReplaceAll(part[3], "_", " "))
	}
	return p.T("cause.of." + part[1])
}

// taskLine puts a task into words; with why, also the rule and what it saw.
func (s *Server) taskLine(tx *store.Tx, names *names, t promise.TaskRow, why bool) (taskLine, error) {
	p := names.p
	l := taskLine{TaskRow: t, Mine: t.Owner == p.Viewer.Person}
	if t.Patient != "" {
		who, err := names.get(t.Patient)
		if err != nil {
			return l, err
		}
		l.Who = who.Name
	}
	l.What = names.task(t)
	if t.Owner != "" {
		var err error
		if l.Owner, err = names.of(t.Owner); err != nil {
			return l, err
		}
	}
	if !why || t.Promise == "" || t.Patient == "" {
		return l, nil
	}
	pr, err := s.Promise.Get(tx, t.Org, t.Patient, t.Promise)
	if fault.Is(err, fault.NotFound) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	views, err := s.Promise.Of(tx, t.Org, t.Patient, pr.From, pr.From.Add(time.Microsecond))
	if err != nil {
		return l, err
	}
	for _, v := range views {
		if v.ID == t.Promise {
			l.Why, err = names.why(v)
		}
	}
	return l, err
}

// why says what was promised, what was seen, and which rungs were climbed, with their times.
func (n *names) why(v promise.View) ([]string, error) {
	list := []string{n.p.T("why.due", "time", n.p.When(v.From), "by", n.p.When(v.By), "ladder", v.Ladder.Name, "version", n.p.Num(float64(v.Ladder.Version), 0))}
	for _, e := range v.Evidence {
		text, err := n.how(e)
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	if len(v.Evidence) == 0 {
		list = append(list, n.p.T("why.nothing"))
	}
	for _, c := range v.Climbed {
		list = append(list, n.climbed(c))
	}
	return list, nil
}

// shiftRoles may be on duty.
var shiftRoles = []person.Role{person.Nurse, person.Clinician, person.Desk}

func (s *Server) loadShifts(tx *store.Tx, m *deskPage) error {
	var err error
	if m.Teams, err = s.teamsOf(tx, m.page); err != nil {
		return err
	}
	for _, role := range shiftRoles {
		people, err := s.Person.WithRole(tx, m.Org.ID, role)
		if err != nil {
			return err
		}
		called := map[person.ID]string{}
		for _, who := range people {
			called[who.ID] = who.Name
			m.Staff = append(m.Staff, option{string(who.ID), who.Name})
		}
		shifts, err := s.Person.OnDuty(tx, m.Org.ID, role, m.Self.Teams, m.Now)
		if err != nil {
			return err
		}
		for _, sh := range shifts {
			m.OnDuty = append(m.OnDuty, duty{called[sh.Person], role, sh.Until})
		}
	}
	return nil
}

// onTask runs a change of a task after asking whether the viewer may act for its patient.
func (s *Server) onTask(r *http.Request, p *page, change func(tx *store.Tx, id string) error) error {
	id := r.PathValue("task")
	if err := r.ParseForm(); err != nil {
		return err
	}
	var t promise.TaskRow
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		var err error
		t, err = s.Promise.TaskByID(tx, p.Org.ID, id)
		return err
	}); err != nil {
		return err
	}
	if t.Patient != "" {
		if err := s.Person.Enter(r.Context(), p.Viewer, person.Act, t.Patient, "task"); err != nil {
			return err
		}
	}
	return s.DB.Write(r.Context(), func(tx *store.Tx) error { return change(tx, id) })
}

func (s *Server) takeTask(w http.ResponseWriter, r *http.Request, p *page) error {
	err := s.onTask(r, p, func(tx *store.Tx, id string) error {
		_, err := s.Promise.Take(tx, p.Viewer, id)
		return err
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDesk(w, r, p, status) })
	}
	return back(w, r, "/desk", "task")
}

// snoozes are how long a task may be put aside; the ledger brings it forward to the end of the shift.
var snoozes = []string{"30m", "1h", "2h", "4h"}

func (s *Server) snoozeTask(w http.ResponseWriter, r *http.Request, p *page) error {
	err := s.onTask(r, p, func(tx *store.Tx, id string) error {
		d, err := time.ParseDuration(r.PostForm.Get("for"))
		if err != nil || d <= 0 || d > 12*time.Hour {
			return fault.Invalidf("Please choose how long.")
		}
		_, err = s.Promise.Snooze(tx, p.Viewer, id, p.Now.Add(d))
		return err
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDesk(w, r, p, status) })
	}
	return back(w, r, "/desk", "snoozed")
}

func (s *Server) finishTask(w http.ResponseWriter, r *http.Request, p *page) error {
	err := s.onTask(r, p, func(tx *store.Tx, id string) error {
		return s.closeTask(tx, p, id, r.PostForm)
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDesk(w, r, p, status) })
	}
	return back(w, r, "/desk", "finished")
}

// closeTask closes a task with what came of it and, where it was asked, whether it needed action.
func (s *Server) closeTask(tx *store.Tx, p *page, id string, form url.Values) (err error) {
	outcome := strings.TrimSpace(form.Get("outcome"))
	if needed := form.Get("needed"); needed == "yes" || needed == "no" {
		_, err = s.Promise.FinishJudged(tx, p.Viewer, id, outcome, needed == "yes")
	} else {
		_, err = s.Promise.Finish(tx, p.Viewer, id, outcome)
	}
	return err
}

// finishCrowd closes the rows of one cause with what came of them all, one after the other, so that a row that somebody closes meanwhile
// stops none of the rest. Severe ones are looked at one by one.
func (s *Server) finishCrowd(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.eachOfCause(r, p, r.PostForm.Get("cause"), func(t promise.TaskRow) error {
		err := s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.closeTask(tx, p, t.ID, r.PostForm) })
		if fault.Is(err, fault.Conflict) { // closed meanwhile
			return nil
		}
		return err
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDesk(w, r, p, status) })
	}
	return back(w, r, "/desk", "finished")
}

// eachOfCause does something with the open rows of a cause that are not severe, for whose patients the viewer may act.
func (s *Server) eachOfCause(r *http.Request, p *page, cause string, do func(promise.TaskRow) error) error {
	var rows []promise.TaskRow
	mine := map[person.ID]bool{}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		list, err := s.Person.PatientsOf(tx, p.Viewer)
		if err != nil {
			return err
		}
		for _, who := range list {
			mine[who.ID] = true
		}
		rows, err = s.Promise.Tasks(tx, p.Org.ID)
		return err
	}); err != nil {
		return err
	}
	for _, t := range rows {
		if t.Cause != cause || t.Severity == promise.Severe || t.Patient != "" && !mine[t.Patient] {
			continue
		}
		if t.Patient != "" {
			if err := s.Person.Enter(r.Context(), p.Viewer, person.Act, t.Patient, "task"); err != nil {
				return err
			}
		}
		if err := do(t); err != nil {
			return err
		}
	}
	return nil
}

// localTime is how browsers send a date with a time, without a zone: the clinic's is meant.
const localTime = "2006-01-02T15:04"

func (s *Server) addShift(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := s.saveShift(r, p); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDesk(w, r, p, status) })
	}
	return back(w, r, "/desk", "shift")
}

func (s *Server) saveShift(r *http.Request, p *page) error {
	from, err := time.ParseInLocation(localTime, r.PostForm.Get("from"), p.Zone)
	if err != nil {
		return fault.Invalidf("Please choose when the shift begins.")
	}
	until, err := time.ParseInLocation(localTime, r.PostForm.Get("until"), p.Zone)
	if err != nil {
		return fault.Invalidf("Please choose when the shift ends.")
	}
	team := person.TeamID(r.PostForm.Get("team"))
	return s.DB.Write(r.Context(), func(tx *store.Tx) error {
		who, err := s.Person.Get(tx, p.Org.ID, person.ID(r.PostForm.Get("person")))
		if err != nil {
			return err
		}
		if !who.Role.Staff() || !has(p.Self.Teams, team) {
			return fault.Invalidf("Please choose somebody of your own team.")
		}
		tx.Hint("desk", string(p.Org.ID))
		return s.Person.SaveShift(tx, p.Org.ID, person.Shift{Person: who.ID, Role: who.Role, Team: team, From: from.UTC(), Until: until.UTC()})
	})
}

func has(list []person.TeamID, t person.TeamID) bool {
	for _, x := range list {
		if x == t {
			return true
		}
	}
	return false
}
