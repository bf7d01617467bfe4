package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/waiting"
	"doorstep/internal/words"
)

// boardPage is who is there: who goes in next, who is in, who is still to come, and who sees them.
type boardPage struct {
	*page
	waiting.Board
	Place   string
	Places  []option
	Next    []stayLine
	Inside  []stayLine
	Coming  []dueLine
	Over    []stayLine
	Seeing  []option // name, and what the clinician does now
	Who     []option // clinicians, by id
	Order   []string // the rules, in words
	Hidden  int
	People  []option
	Types   []option
	Kiosks  []option
	Link    string // of a new kiosk
	Minutes []measureLine
	Held    string
}

// stayLine is one person on the board.
type stayLine struct {
	waiting.Stay
	Name, Why, Where, Said, Look, Status string
}

type dueLine struct {
	waiting.Outlook
	Name, How string
}

type measureLine struct{ Name, Say, N string }

func (s *Server) waitingRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/waiting", s.staff(s.board))
	mux.Handle("POST /desk/waiting/stay/{stay}/{act}", s.staff(s.boardAct))
	mux.Handle("POST /desk/waiting/arrive/{visit}", s.staff(s.boardArrive))
	mux.Handle("POST /desk/waiting/walk-in", s.staff(s.boardWalkIn))
	mux.Handle("POST /desk/waiting/away", s.staff(s.boardAway))
	mux.Handle("POST /desk/waiting/kiosks", s.staff(s.newKiosk))
	mux.Handle("POST /desk/waiting/kiosks/{kiosk}/end", s.staff(s.endKiosk))
	mux.Handle("GET /kiosk/{secret}", s.open(s.kiosk))
	mux.Handle("POST /kiosk/{secret}", s.open(s.atKiosk))
}

func (s *Server) board(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showBoard(w, r, p, http.StatusOK, "")
}

func (s *Server) showBoard(w http.ResponseWriter, r *http.Request, p *page, status int, link string) error {
	p.Title, p.Active, p.Live = "waiting.title", "nav.waiting", "/events?desk=1"
	m := boardPage{page: p, Place: r.FormValue("place"), Link: link}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadBoard(tx, &m) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, boardView(m))
}

func (s *Server) loadBoard(tx *store.Tx, m *boardPage) error {
	places, err := s.Person.Places(tx, m.Org.ID)
	if err != nil {
		return err
	}
	known := m.Place == "video"
	for _, x := range places {
		m.Places = append(m.Places, option{x.ID, x.Name})
		known = known || x.ID == m.Place
	}
	m.Places = append(m.Places, option{"video", m.T("waiting.video")})
	if !known {
		m.Place = m.Places[0].Value
	}
	place := strings.TrimPrefix(m.Place, "video")
	if m.Board, m.Hidden, err = s.Waiting.Board(tx, m.Viewer, place); err != nil {
		return err
	}
	names := s.names(tx, m.page)
	called := map[string]string{}
	for _, c := range m.Clinicians {
		called[c.ID] = c.Name
		m.Who = append(m.Who, option{c.ID, c.Name})
	}
	for _, x := range []struct {
		from []waiting.Stay
		to   *[]stayLine
	}{{m.Board.Waiting, &m.Next}, {m.In, &m.Inside}, {m.Ended, &m.Over}} {
		for _, stay := range x.from {
			l, err := m.stayLine(names, stay, called)
			if err != nil {
				return err
			}
			*x.to = append(*x.to, l)
		}
	}
	for _, o := range m.Due {
		who, err := names.get(o.Patient)
		if err != nil {
			return err
		}
		m.Coming = append(m.Coming, dueLine{o, who.Name, m.dueSay(o)})
	}
	for _, c := range m.Clinicians {
		say := m.T("waiting.free")
		switch {
		case c.With != "":
			say = m.T("waiting.since", "time", m.Time(c.Since))
		case c.Away.After(m.Now):
			say = m.T("waiting.away", "time", m.Time(c.Away))
		case c.From.After(m.Now):
			say = m.T("waiting.from", "time", m.Time(c.From))
		}
		m.Seeing = append(m.Seeing, option{c.Name, say})
	}
	for _, r := range m.Rules {
		key := "waiting.rule.came"
		if r.First {
			key = "waiting.rule.first"
		} else if r.Kind == waiting.Booked {
			key = "waiting.rule.start"
		}
		m.Order = append(m.Order, m.T(key, "kind", m.T("waiting.kind."+string(r.Kind)), "plus", strconv.Itoa(r.Plus), "grace", strconv.Itoa(r.Grace)))
	}
	mine, err := s.Person.PatientsOf(tx, m.Viewer)
	if err != nil {
		return err
	}
	for _, x := range mine {
		m.People = append(m.People, option{string(x.ID), x.Name})
	}
	types, err := s.Appointment.Types(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, t := range types {
		if _, ok := t.Offer(appointment.Clinic); ok && t.Active {
			m.Types = append(m.Types, option{t.ID, t.Called(m.Lang)})
		}
	}
	kiosks, err := s.Waiting.Kiosks(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, k := range kiosks {
		if k.Place == place {
			m.Kiosks = append(m.Kiosks, option{k.ID, m.T("waiting.kiosk.since", "day", m.Day(k.Made))})
		}
	}
	return s.loadMinutes(tx, m, place)
}

// measuredBack is how many days the board's figures are counted over.
const measuredBack = 28

func (s *Server) loadMinutes(tx *store.Tx, m *boardPage, place string) error {
	list, held, err := s.Waiting.Measures(tx, m.Org.ID, place, m.Now.AddDate(0, 0, -measuredBack), m.Now)
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.Mean.N < 2 {
			continue
		}
		m.Minutes = append(m.Minutes, measureLine{m.T("waiting.measure." + x.Name), m.T("waiting.measure.say", "mean", m.Num(x.Mean.Value, 0), "low", m.Num(max(0, x.Mean.Low), 0),
			"high", m.Num(x.Mean.High, 0), "median", m.Num(x.Median, 0), "p90", m.Num(x.P90, 0)), m.T("waiting.measure.n", "n", strconv.Itoa(x.Mean.N))})
	}
	if h := held.Share; h.N > 1 {
		m.Held = m.T("waiting.held", "share", m.Num(100*h.Value, 0)+" %", "low", m.Num(100*h.Low, 0), "high", m.Num(100*h.High, 0), "n", strconv.Itoa(h.N))
	}
	return nil
}

func (m *boardPage) stayLine(names *names, x waiting.Stay, called map[string]string) (l stayLine, err error) {
	l.Stay = x
	who, err := names.get(x.Patient)
	if err != nil {
		return l, err
	}
	l.Name = who.Name
	l.Why = m.T("waiting.kind." + string(x.Kind))
	if x.Reason != "" {
		l.Why += ": " + x.Reason
	}
	with := called[x.Who]
	if x.Kind != waiting.WalkIn && !x.Start.Equal(x.Arrived) {
		l.Why += ", " + m.T("waiting.at", "time", m.Time(x.Start))
	}
	l.Where = m.T("waiting.spot." + string(x.Waits))
	if x.Away > 0 {
		l.Where += ", " + m.T("waiting.spot.away", "n", strconv.Itoa(x.Away))
	}
	l.Said, l.Look = m.T("waiting.told.none"), m.T("waiting.next", "time", m.Time(x.Told.Next))
	if x.Told.Known() {
		l.Said = m.T("waiting.told", "from", m.Time(x.Told.From), "to", m.Time(x.Told.To))
	}
	switch {
	case x.State == waiting.With && with != "":
		l.Status = m.T("waiting.state.with", "with", with)
	case x.State == waiting.With:
		l.Status = m.T("waiting.state.with.none")
	case x.State != waiting.Waiting:
		l.Status = m.T("waiting.state." + string(x.State))
	}
	if x.Room != "" && x.State.Open() {
		l.Status += ", " + x.Room
	}
	return l, nil
}

// dueSay is how it stands with somebody who has not come.
func (m *boardPage) dueSay(o waiting.Outlook) string {
	say := ""
	if o.Runs() {
		say = m.T("waiting.late", "n", strconv.Itoa(5*int(o.Delay/(5*time.Minute))))
		switch {
		case o.Late.Times > 0:
			say += ", " + m.T("waiting.late.told", "time", m.Time(o.Late.At))
		case !o.Left(m.Now):
		default:
			say += ", " + m.T("waiting.late.gone")
		}
	}
	return say
}

func (s *Server) boardBack(w http.ResponseWriter, r *http.Request, p *page, err error) error {
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showBoard(w, r, p, status, "") })
	}
	http.Redirect(w, r, "/desk/waiting?done=waiting&place="+url.QueryEscape(r.FormValue("place")), http.StatusSeeOther)
	return nil
}

func (s *Server) boardAct(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	_, err := s.Waiting.Do(r.Context(), p.Viewer, waiting.ID(r.PathValue("stay")), waiting.Act(r.PathValue("act")),
		waiting.Detail{Room: r.PostForm.Get("room"), Who: r.PostForm.Get("who"), Reason: r.PostForm.Get("reason")})
	return s.boardBack(w, r, p, err)
}

func (s *Server) boardArrive(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	_, err := s.Waiting.CheckIn(r.Context(), p.Viewer, p.Org.ID, r.PathValue("visit"), waiting.Arrival{By: waiting.ByDesk})
	return s.boardBack(w, r, p, err)
}

func (s *Server) boardWalkIn(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	f := r.PostForm
	in := waiting.WalkingIn{Patient: person.ID(f.Get("patient")), Place: f.Get("place"), Type: f.Get("type"), Urgent: f.Get("urgent") == "1", Reason: f.Get("reason"), Arrival: waiting.Arrival{By: waiting.ByDesk}}
	err := s.Person.Enter(r.Context(), p.Viewer, person.Act, in.Patient, "check in")
	if err == nil {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error { _, err := s.Waiting.WalkIn(tx, p.Viewer, in); return err })
	}
	return s.boardBack(w, r, p, err)
}

func (s *Server) boardAway(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	until := p.Now
	if text := r.PostForm.Get("until"); text != "" {
		wall, err := clock.ParseWall(text)
		if err != nil {
			return s.boardBack(w, r, p, fault.Invalidf("Please name a time of today."))
		}
		until = clock.At(clock.DayOf(p.Now, p.Zone), wall, p.Zone)
	}
	return s.boardBack(w, r, p, s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Waiting.SetAway(tx, p.Viewer, r.PostForm.Get("who"), until) }))
}

func (s *Server) newKiosk(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	var secret string
	if err := s.DB.Write(r.Context(), func(tx *store.Tx) (err error) {
		_, secret, err = s.Waiting.NewKiosk(tx, p.Viewer, r.PostForm.Get("place"))
		return err
	}); err != nil {
		return s.boardBack(w, r, p, err)
	}
	return s.showBoard(w, r, p, http.StatusOK, s.PublicURL+"/kiosk/"+secret)
}

func (s *Server) endKiosk(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.boardBack(w, r, p, s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Waiting.RevokeKiosk(tx, p.Viewer, r.PathValue("kiosk")) }))
}

// kioskPage is a tablet at the door. It names nobody.
type kioskPage struct {
	*page
	Done  bool
	Range string
	Next  string
}

// kioskRests is how long a kiosk shows a person's range before it is ready for the next.
const kioskRests = "30"

func (s *Server) openKiosk(r *http.Request, p *page) error {
	p.Title = "kiosk.title"
	return s.DB.Read(r.Context(), func(tx *store.Tx) error {
		k, err := s.Waiting.OpenKiosk(tx, r.PathValue("secret"))
		if err != nil {
			return err
		}
		o, err := s.Person.Org(tx, k.Org)
		s.inOrg(p, o)
		return err
	})
}

func (s *Server) kiosk(w http.ResponseWriter, r *http.Request, p *page) error {
	w.Header().Set("Cache-Control", "no-store")
	if err := s.openKiosk(r, p); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p, kioskView(kioskPage{page: p}))
}

func (s *Server) atKiosk(w http.ResponseWriter, r *http.Request, p *page) error {
	w.Header().Set("Cache-Control", "no-store")
	if err := s.openKiosk(r, p); err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	year, _ := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("year"))) // what is no year fits nobody
	x, err := s.Waiting.AtKiosk(r.Context(), r.PathValue("secret"), waiting.Proof{Code: r.PostForm.Get("code"), Last: r.PostForm.Get("last"), Year: year})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.show(w, r, status, p, kioskView(kioskPage{page: p})) })
	}
	m := kioskPage{page: p, Done: true}
	if x.Told.Known() {
		m.Range, m.Next = p.wait(x.Told), p.T("wait.next", "time", p.Time(x.Told.Next))
	}
	w.Header().Set("Refresh", kioskRests+"; url="+r.URL.Path)
	return s.show(w, r, http.StatusOK, p, kioskView(m))
}

// wait says a range in minutes from when it was told.
func (p *page) wait(t waiting.Told) string {
	low, high := t.Minutes(t.At)
	if low == 0 {
		return p.T("wait.in.soon", "high", strconv.Itoa(high))
	}
	return p.T("wait.in.minutes", "low", strconv.Itoa(low), "high", strconv.Itoa(high))
}

// waitPart is the day itself on the page of a visit: when to leave, checking in, and how long it still is.
type waitPart struct {
	*page
	Visit   string
	Say     string   // the largest
	How     []string // below it
	Can     bool     // check in
	Remote  bool
	Code    string
	Waiting bool // she may say where she waits
}

// waitOf answers the part of a visit's page that is about its day; nil on any other day.
func (s *Server) waitOf(tx *store.Tx, p *page, a appointment.Appointment) (*waitPart, error) {
	if a.State != appointment.Booked && a.State != appointment.Arrived && a.State != appointment.Fulfilled || a.Way != appointment.Clinic {
		return nil, nil
	}
	v, err := s.Waiting.Visit(tx, a.Org, string(a.ID))
	if err != nil {
		return nil, err
	}
	m := &waitPart{page: p, Visit: string(a.ID), Remote: v.Remote}
	x, here, err := s.Waiting.OfVisit(tx, a.Org, m.Visit)
	if err != nil {
		return nil, err
	}
	if here {
		m.stay(x)
		return m, nil
	}
	m.Can = s.Waiting.CanCheckIn(v) && p.May(person.Act)
	if m.Can && v.Comes {
		if m.Code, err = s.Waiting.Code(tx, v); err != nil {
			return nil, err
		}
	}
	o, ok, err := s.Waiting.Look(tx, v)
	if err != nil {
		return nil, err
	}
	if ok {
		m.outlook(o)
	}
	if !ok && !m.Can {
		return nil, nil
	}
	return m, nil
}

func (m *waitPart) outlook(o waiting.Outlook) {
	zone := m.Zone
	if z, err := clock.Zone(o.Zone); err == nil {
		zone = z
	}
	at := func(t time.Time) string { return words.Time(m.Lang, t, zone) }
	leave := o.Start.Add(o.Leave.Sub(o.From))
	if o.Runs() {
		leave = o.Leave
	}
	switch {
	case leave.After(m.Now) && o.Known:
		m.Say = m.T("wait.leave", "time", at(leave))
	case leave.After(m.Now):
		m.Say = m.T("wait.be", "time", at(leave.Add(o.From.Sub(o.Leave))))
	}
	if !o.Runs() {
		m.How = append(m.How, m.T("wait.ontime"))
	} else {
		m.How = append(m.How, m.T("wait.runs", "with", o.Name, "from", at(o.From), "to", at(o.To)))
		if o.Late.Times > 0 {
			m.How = append(m.How, m.T("wait.told", "time", at(o.Late.At)))
		}
	}
	if o.Known && m.Say != "" {
		m.How = append(m.How, m.T("wait.leave.how", "n", strconv.Itoa(o.Way)))
	}
}

// stay says how somebody's wait stands.
func (m *waitPart) stay(x waiting.Stay) {
	if x.State != waiting.Waiting {
		key := "wait.state." + string(x.State)
		if x.State == waiting.Called && x.Place == "" {
			key += ".video"
		} else if x.State == waiting.Called && x.Room != "" {
			key += ".room"
		}
		m.Say = m.T(key, "room", x.Room)
		return
	}
	m.Waiting = x.Place != ""
	m.Say = m.T("wait.unknown")
	if x.Told.Known() {
		m.Say = m.wait(x.Told)
		m.How = append(m.How, m.T("wait.between", "from", m.Time(x.Told.From), "to", m.Time(x.Told.To))+". "+m.T("wait.looked", "time", m.Time(x.Told.At)))
	}
	place := m.T("wait.place.first")
	if x.Told.Before > 0 {
		place = m.N("wait.place", x.Told.Before)
	}
	spot := string(x.Waits)
	if x.Place == "" {
		spot = "video"
	}
	m.How = append(m.How, m.T("wait.next", "time", m.Time(x.Told.Next)), place+" "+m.T("wait.why"), m.T("wait.where."+spot))
}

// checkIn takes "I am here" from the page of a visit.
func (s *Server) checkIn(w http.ResponseWriter, r *http.Request, p *page, visit string, spot waiting.Spot) error {
	in := waiting.Arrival{By: waiting.ByPage, Waits: spot}
	if spot == waiting.AtHome {
		if err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
			v, err := s.Waiting.Visit(tx, p.Org.ID, visit)
			if err == nil {
				in.Away, err = s.Waiting.Way(tx, v)
			}
			return err
		}); err != nil {
			return err
		}
	}
	if _, err := s.Waiting.CheckIn(r.Context(), p.Viewer, p.Org.ID, visit, in); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showVisit(w, r, p, status) })
	}
	return back(w, r, p.Base+"/visits/"+visit, "wait.here")
}
