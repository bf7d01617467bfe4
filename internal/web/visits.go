package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
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

// visitsPage is how a person is seen: what is offered, what is booked, what she waits for, and how to find a time.
type visitsPage struct {
	*page
	Offers []offerLine
	Coming []visitLine
	Waits  []waitLine
	Past   []visitLine
	Types  []option
	Staff  bool
}

// offerLine is a freed time that the person can have if she says so first.
type offerLine struct {
	ID, What, When, Until string
}

// visitLine is one visit.
type visitLine struct {
	appointment.Appointment
	What, On, With, Where, Status string
	Asks                          bool // whether she comes is still to be said
	Changes                       bool // can be moved or cancelled
	Joins                         bool // its room is open
}

type waitLine struct {
	ID, What, Since string
}

// findPage is the answer to a search: the soonest of each way with the trade said, then the days.
type findPage struct {
	*page
	Type    string
	Called  string
	Ways    []option // that the type is held in
	Chosen  []appointment.Way
	Follows string
	Trade   string
	Soonest []timeLine
	Days    []timeDay
	More    string // address of what comes after
	Waiting bool   // on the list for this already
}

// timeDay is the free times of one day.
type timeDay struct {
	Name  string
	Times []timeLine
}

// timeLine is one time to choose.
type timeLine struct {
	Value string // names the option in a form
	Way   string
	Time  string
	When  string
	With  string
	Note  string
	Label string // the day and with whom, for who hears the page
}

// heldPage keeps a time while the person decides.
type heldPage struct {
	*page
	visitLine
	Until string
	Steps []stepLine // of a visit by video
	Day   *waitPart  // its day itself; nil on any other
}

func (s *Server) visitRoutes(mux *http.ServeMux) {
	both := func(method, path string, right person.Right, what string, h handler) {
		mux.Handle(method+" "+path, s.own(right, what, h))
		mux.Handle(method+" /helping/{patient}"+path, s.helped(right, what, h))
		mux.Handle(method+" /desk/people/{patient}"+path, s.desked(right, what, h))
	}
	s.calendarRoutes(mux)
	both("GET", "/visits", person.See, "visits", s.visits)
	both("GET", "/visits/find", person.Act, "find a visit", s.findVisit)
	both("POST", "/visits/hold", person.Act, "book a visit", s.holdVisit)
	both("GET", "/visits/{visit}", person.See, "visits", s.visit)
	both("POST", "/visits/{visit}/{act}", person.Act, "change a visit", s.changeVisit)
	both("POST", "/visits/offer/{offer}/{answer}", person.Act, "answer an offer", s.answerOffer)
	both("POST", "/visits/call", person.Act, "ask for a call", s.askCall)
	both("POST", "/visits/wait", person.Act, "join the waitlist", s.joinWaitlist)
	both("POST", "/visits/leave/{entry}", person.Act, "leave the waitlist", s.leaveWaitlist)
}

func (s *Server) visits(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showVisits(w, r, p, http.StatusOK)
}

func (s *Server) showVisits(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "visits.title"
	if !p.Viewer.Role.Staff() {
		p.Active = "nav.visits"
	}
	m := visitsPage{page: p, Staff: p.Viewer.Role.Staff()}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadVisits(tx, &m) })
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, visitsView(m))
}

func (s *Server) loadVisits(tx *store.Tx, m *visitsPage) error {
	types, err := s.Appointment.Types(tx, m.Org.ID)
	if err != nil {
		return err
	}
	called := map[string]string{}
	for _, t := range types {
		called[t.ID] = t.Called(m.Lang)
		if t.Active && (!t.Staff || m.Staff) {
			m.Types = append(m.Types, option{t.ID, t.Called(m.Lang)})
		}
	}
	list, err := s.Appointment.Of(tx, m.Org.ID, m.Patient.ID)
	if err != nil {
		return err
	}
	for _, a := range list {
		l, err := s.visitLine(tx, m.page, a)
		if err != nil {
			return err
		}
		switch {
		case a.State.Live() && a.End.After(m.Now.Add(-2*time.Hour)):
			m.Coming = append(m.Coming, l)
		case a.State == appointment.Fulfilled || a.State == appointment.NoShow || a.State == appointment.Cancelled && a.Reason != appointment.ReasonMoved && a.Reason != appointment.ReasonExpired:
			m.Past = append(m.Past, l)
		}
	}
	slices.Reverse(m.Past)
	m.Past = m.Past[:min(len(m.Past), 12)]
	offers, err := s.Appointment.OffersOf(tx, m.Org.ID, m.Patient.ID)
	if err != nil {
		return err
	}
	for _, o := range offers {
		_, f, err := s.Appointment.OfferByID(tx, m.Org.ID, o.ID)
		if err != nil {
			return err
		}
		m.Offers = append(m.Offers, offerLine{ID: o.ID, What: m.T("way." + string(f.Way)), When: m.at(f.Start, m.Org.Zone), Until: m.When(o.Until)})
	}
	waits, err := s.Appointment.WaitsOf(tx, m.Org.ID, m.Patient.ID)
	if err != nil {
		return err
	}
	for _, e := range waits {
		if e.State == appointment.Waiting {
			m.Waits = append(m.Waits, waitLine{ID: e.ID, What: called[e.Type], Since: m.Day(e.Asked)})
		}
	}
	return nil
}

// at writes a day and a time by the clinic's clock, with the zone where the reader's differs.
func (p *page) at(t time.Time, zone string) string {
	return words.Value(p.Lang, words.AtValue(t, zone), p.Zone)
}

// visitLine puts an appointment into words.
func (s *Server) visitLine(tx *store.Tx, p *page, a appointment.Appointment) (visitLine, error) {
	l := visitLine{Appointment: a, What: capital(p.T("way." + string(a.Way))), On: p.at(a.Start, a.Zone)}
	var err error
	if l.With, err = s.Appointment.Who(tx, a); err != nil {
		return l, err
	}
	if a.Place != "" {
		if l.Where, err = s.placeName(tx, p, a.Place); err != nil {
			return l, err
		}
	}
	coming := a.State == appointment.Booked && a.Start.After(p.Now)
	l.Asks = coming && a.Confirmed.IsZero() && a.Start.Sub(p.Now) <= appointment.ConfirmLead
	l.Changes = (coming || a.State == appointment.Proposed) && p.May(person.Act)
	l.Joins = joinable(p, a)
	status := "visits.state." + string(a.State)
	switch {
	case coming && !a.Confirmed.IsZero():
		status = "visits.state.confirmed"
	case a.State == appointment.Cancelled:
		status = "visits.reason." + a.Reason
	}
	l.Status = p.T(status)
	return l, nil
}

func (s *Server) placeName(tx *store.Tx, p *page, id string) (string, error) {
	places, err := s.Person.Places(tx, p.Org.ID)
	for _, x := range places {
		if x.ID == id {
			return strings.TrimSuffix(x.Name+", "+x.Address, ", "), nil
		}
	}
	return "", err
}

// capital begins a sentence.
func capital(text string) string {
	for i, c := range text {
		return strings.ToUpper(string(c)) + text[i+len(string(c)):]
	}
	return text
}

// findShown is how many times one page of a search shows.
const findShown = 60

func (s *Server) findVisit(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title = "visits.find.title"
	if !p.Viewer.Role.Staff() {
		p.Active = "nav.visits"
	}
	return s.showFind(w, r, p, http.StatusOK)
}

func (s *Server) showFind(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	q := r.URL.Query()
	m := findPage{page: p, Type: q.Get("type"), Follows: q.Get("follows")}
	search := appointment.Search{Org: p.Org.ID, Patient: p.Patient.ID, Type: m.Type, Limit: findShown, Staff: p.Viewer.Role.Staff()}
	for _, x := range q["way"] {
		if way := appointment.Way(x); way.Valid() {
			search.Ways = append(search.Ways, way)
		}
	}
	m.Chosen = search.Ways
	if from, err := clock.ParseDay(q.Get("from")); err == nil {
		search.From = clock.At(from, 0, p.Zone)
		if search.From.Before(p.Now) {
			search.From = p.Now
		}
	}
	if at, err := time.Parse(time.RFC3339, q.Get("after")); err == nil {
		search.From = at
	}
	var places map[string]string
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		t, err := s.Appointment.Type(tx, p.Org.ID, m.Type)
		if err != nil {
			return err
		}
		m.Called = t.Called(p.Lang)
		for _, o := range t.Offers {
			m.Ways = append(m.Ways, option{string(o.Way), capital(p.T("way." + string(o.Way)))})
		}
		waits, err := s.Appointment.WaitsOf(tx, p.Org.ID, p.Patient.ID)
		if err != nil {
			return err
		}
		m.Waiting = slices.ContainsFunc(waits, func(e appointment.Entry) bool { return e.Type == m.Type && e.State == appointment.Waiting })
		list, err := s.Person.Places(tx, p.Org.ID)
		places = map[string]string{}
		for _, x := range list {
			places[x.ID] = x.Name
		}
		return err
	})
	if err != nil {
		return err
	}
	found, err := s.Appointment.Find(r.Context(), search)
	if err != nil {
		return err
	}
	m.fill(found, places, q)
	return s.show(w, r, status, p, findView(m))
}

// fill puts what was found into words: the first of each way, then every time by day.
func (m *findPage) fill(found appointment.Found, places map[string]string, q url.Values) {
	for _, o := range found.Soonest {
		m.Soonest = append(m.Soonest, m.timeLine(o, places))
	}
	if len(found.Soonest) > 1 {
		first, last := found.Soonest[0], found.Soonest[0]
		for _, o := range found.Soonest {
			if o.Start.Before(first.Start) {
				first = o
			}
			if o.Start.After(last.Start) {
				last = o
			}
		}
		if !last.Start.Equal(first.Start) {
			m.Trade = m.T("visits.trade", "first", m.T("way."+string(first.Way)), "when", m.at(first.Start, first.Zone), "other", m.T("way."+string(last.Way)), "later", m.at(last.Start, last.Zone))
		}
	}
	for _, o := range found.Options {
		zone, err := clock.Zone(o.Zone)
		if err != nil {
			zone = m.Zone
		}
		day := words.DayLong(m.Lang, o.Start, zone)
		if n := len(m.Days); n == 0 || m.Days[n-1].Name != day {
			m.Days = append(m.Days, timeDay{Name: day})
		}
		d := &m.Days[len(m.Days)-1]
		d.Times = append(d.Times, m.timeLine(o, places))
	}
	if !found.More.IsZero() {
		next := maps.Clone(q)
		next.Set("after", found.More.UTC().Format(time.RFC3339))
		m.More = m.Base + "/visits/find?" + next.Encode()
	}
}

func (m *findPage) timeLine(o appointment.Option, places map[string]string) timeLine {
	zone, err := clock.Zone(o.Zone)
	if err != nil {
		zone = m.Zone
	}
	l := timeLine{Value: optionValue(o), Way: capital(m.T("way." + string(o.Way))), Time: words.Time(m.Lang, o.Start, zone), When: m.at(o.Start, o.Zone), With: o.With}
	var notes []string
	if o.Place != "" {
		notes = append(notes, places[o.Place])
	}
	switch {
	case o.Way == appointment.Clinic && o.Known:
		notes = append(notes, m.T("visits.travel", "n", m.Num(float64(o.Travel), 0)))
	case o.Way != appointment.Clinic:
		notes = append(notes, m.T("visits.athome"))
	}
	if o.Beside {
		notes = append(notes, m.T("visits.beside"))
	}
	l.Note = strings.Join(notes, " · ")
	l.Label = strings.Join([]string{l.When, l.With}, ", ")
	return l
}

// optionValue names an option in a form: way, place, start, resources.
func optionValue(o appointment.Option) string {
	return strings.Join([]string{string(o.Way), o.Place, strconv.FormatInt(o.Start.Unix(), 10), strings.Join(o.Resources, " ")}, "|")
}

// readOption reads what optionValue wrote. Whether it can be booked is Book's to say.
func readOption(text string) (appointment.Request, error) {
	part := strings.Split(text, "|")
	if len(part) != 4 {
		return appointment.Request{}, fault.Invalidf("Please choose a time.")
	}
	at, err := strconv.ParseInt(part[2], 10, 64)
	if err != nil {
		return appointment.Request{}, fault.Invalidf("Please choose a time.")
	}
	return appointment.Request{Way: appointment.Way(part[0]), Place: part[1], Start: time.Unix(at, 0).UTC(), Resources: strings.Fields(part[3])}, nil
}

// holdVisit keeps the chosen time for the person while she reads it once more.
func (s *Server) holdVisit(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	req, err := readOption(r.PostForm.Get("time"))
	if err == nil {
		req.Org, req.Patient, req.Type, req.Hold = p.Org.ID, p.Patient.ID, r.PostForm.Get("type"), true
		var a appointment.Appointment
		if a, err = s.Appointment.Book(r.Context(), p.Viewer, req); err == nil {
			to := p.Base + "/visits/" + string(a.ID)
			if f := r.PostForm.Get("follows"); f != "" {
				to += "?follows=" + url.QueryEscape(f)
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
	}
	p.Title = "visits.find.title"
	return s.again(w, r, p, err, func(status int) error {
		r.URL.RawQuery = "type=" + url.QueryEscape(r.PostForm.Get("type")) + "&follows=" + url.QueryEscape(r.PostForm.Get("follows"))
		return s.showFind(w, r, p, status)
	})
}

// visit shows one visit: a held one to be taken, any other as it stands.
func (s *Server) visit(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.showVisit(w, r, p, http.StatusOK)
}

func (s *Server) showVisit(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "visits.one.title"
	if !p.Viewer.Role.Staff() {
		p.Active = "nav.visits"
	}
	m := heldPage{page: p}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		a, err := s.ownVisit(tx, r, p)
		if err != nil {
			return err
		}
		if a.State == appointment.Held {
			m.Until = p.Time(a.HoldUntil)
		}
		if m.visitLine, err = s.visitLine(tx, p, a); err != nil {
			return err
		}
		if m.Day, err = s.waitOf(tx, p, a); err != nil {
			return err
		}
		m.Steps, err = s.roomSteps(tx, p, a)
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, visitView(m, r.FormValue("follows")))
}

// ownVisit answers the visit that the address names, if it is the patient's.
func (s *Server) ownVisit(tx *store.Tx, r *http.Request, p *page) (appointment.Appointment, error) {
	a, err := s.Appointment.Get(tx, p.Org.ID, appointment.ID(r.PathValue("visit")))
	if err == nil && a.Patient != p.Patient.ID {
		err = fault.NotFoundf("There is no such appointment.")
	}
	return a, err
}

// changeVisit does what a button of a visit says.
func (s *Server) changeVisit(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	var a appointment.Appointment
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) { a, err = s.ownVisit(tx, r, p); return err }); err != nil {
		return err
	}
	ctx, org := r.Context(), p.Org.ID
	var err error
	done := "visit." + r.PathValue("act")
	switch r.PathValue("act") {
	case "take":
		_, err = s.Appointment.TakeWith(ctx, p.Viewer, org, a.ID, r.PostForm.Get("words"), appointment.ID(r.PostForm.Get("follows")))
		if err == nil && r.PostForm.Get("sooner") == "1" {
			_, err = s.Appointment.Join(ctx, p.Viewer, appointment.Entry{Org: org, Patient: p.Patient.ID, Type: a.Type, Has: a.ID})
		}
	case "confirm":
		_, err = s.Appointment.Confirm(ctx, p.Viewer, org, a.ID)
	case "cancel":
		_, err = s.Appointment.Cancel(ctx, p.Viewer, org, a.ID)
	case "approve":
		_, err = s.Appointment.Approve(ctx, p.Viewer, org, a.ID)
	case "refuse":
		_, err = s.Appointment.Refuse(ctx, p.Viewer, org, a.ID)
	case "missed":
		_, err = s.Appointment.Missed(ctx, p.Viewer, org, a.ID)
	case string(waiting.Here), string(waiting.Car), string(waiting.AtHome):
		return s.checkIn(w, r, p, string(a.ID), waiting.Spot(r.PathValue("act")))
	default:
		return fault.NotFoundf("There is no such page.")
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showVisit(w, r, p, status) })
	}
	return back(w, r, p.Base+"/visits", done)
}

func (s *Server) answerOffer(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	yes := r.PathValue("answer") == "yes"
	_, err := s.Appointment.Answer(r.Context(), p.Viewer, p.Org.ID, p.Patient.ID, r.PathValue("offer"), yes)
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showVisits(w, r, p, status) })
	}
	if yes {
		return back(w, r, p.Base+"/visits", "visit.take")
	}
	return back(w, r, p.Base+"/visits", "visit.kept")
}

// askCall promises that we call the person: no line to wait in.
func (s *Server) askCall(w http.ResponseWriter, r *http.Request, p *page) error {
	if _, err := s.Conversation.AskCall(r.Context(), p.Viewer, p.Patient.ID); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showVisits(w, r, p, status) })
	}
	return back(w, r, p.Base+"/today", "visit.call")
}

func (s *Server) joinWaitlist(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	e := appointment.Entry{Org: p.Org.ID, Patient: p.Patient.ID, Type: r.PostForm.Get("type"), Has: appointment.ID(r.PostForm.Get("follows"))}
	for _, way := range r.PostForm["way"] {
		e.Ways = append(e.Ways, appointment.Way(way))
	}
	if h, err := strconv.Atoi(r.PostForm.Get("notice")); err == nil {
		e.Notice = h * 60
	}
	if _, err := s.Appointment.Join(r.Context(), p.Viewer, e); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showVisits(w, r, p, status) })
	}
	return back(w, r, p.Base+"/visits", "visit.waiting")
}

func (s *Server) leaveWaitlist(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := s.Appointment.Leave(r.Context(), p.Viewer, p.Patient.ID, r.PathValue("entry")); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showVisits(w, r, p, status) })
	}
	return back(w, r, p.Base+"/visits", "saved")
}
