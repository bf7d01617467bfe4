package web

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// journeysPage is a person's weeks ahead: what may move, the trips, what is done at home, what has no time yet, and how to add to it.
type journeysPage struct {
	*page
	Sums    []string
	Strip   string // the weeks as an image; the lists below say the same
	Asks    []askLine
	Trips   []tripLine
	Home    []thingLine // of the next two weeks
	Later   []thingLine // at home, after that
	Unmet   []unmetLine
	List    []needLine
	Kinds   []option
	Planned int // things that nobody was promised yet
	Staff   bool
	Homed   bool // where she lives is known
}

// askLine is a question whether something may move.
type askLine struct {
	ID, What, From, To, Until, Saves string
	Forced                           bool
}

// tripLine is a round trip.
type tripLine struct {
	ID, Day, State string
	Steps          []tripStep
	Things         []thingLine
	Saves          string
	Ride           string // how she gets there
	Problems       []string
	Asks           bool // nobody has said yes to it, or to something on it
	Books          bool // staff may write down a ride
	Joins          bool // something is planned to join a trip that was promised
}

type tripStep struct{ Time, What, How string }

// thingLine is one thing to be done.
type thingLine struct {
	ID, What, When, How, State, Saves string
	Why                               []string // why no other way
	Asks, Did, Late                   bool
}

// soonDays is how far ahead what is done at home stands open on the page.
const soonDays = 10

// unmetLine is a need without a time.
type unmetLine struct {
	What, By string
	Why      []string
	Clinical bool
}

// needLine is one line of the list.
type needLine struct {
	ID, What, Words, Every, From string
	Ends                         bool
	Leaves                       []dayPick // ways that this viewer may allow
}

func (s *Server) journeyRoutes(mux *http.ServeMux) {
	both := func(method, path string, right person.Right, what string, h handler) {
		mux.Handle(method+" "+path, s.own(right, what, h))
		mux.Handle(method+" /helping/{patient}"+path, s.helped(right, what, h))
		mux.Handle(method+" /desk/people/{patient}"+path, s.desked(right, what, h))
	}
	both("GET", "/journeys", person.See, "journeys", s.journeys)
	both("POST", "/journeys/accept", person.Act, "say yes to a plan", s.acceptAll)
	both("POST", "/journeys/accept/{what}", person.Act, "say yes to a plan", s.acceptOne)
	both("POST", "/journeys/ask/{ask}/{answer}", person.Act, "answer a move", s.answerMove)
	both("POST", "/journeys/done/{item}/{answer}", person.Act, "say what was done", s.answerThing)
	both("POST", "/journeys/needs", person.Act, "add a need", s.addNeed)
	both("POST", "/journeys/needs/{need}/end", person.Act, "end a need", s.endNeed)
	both("GET", "/journeys/hard", person.See, "what is hard", s.hard)
	both("POST", "/journeys/hard", person.Act, "say what is hard", s.saveHard)
	both("GET", "/journeys/account", person.See, "burden", s.burdenAccount)
	mux.Handle("POST /desk/people/{patient}/journeys/ride/{trip}", s.desked(person.Act, "book a ride", s.bookRide))
	mux.Handle("POST /desk/people/{patient}/journeys/needs/{need}/allow", s.desked(person.Act, "allow ways", s.allowWays))
	mux.Handle("GET /journeys/burden", s.open(s.burdenWeights))
	s.waysRoutes(mux)
}

func (s *Server) journeys(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	if err := s.Journey.Ensure(r.Context(), p.Org.ID, p.Patient.ID); err != nil {
		return err
	}
	return s.showJourneys(w, r, p, http.StatusOK)
}

func (s *Server) showJourneys(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "journeys.title"
	if !p.Viewer.Role.Staff() {
		p.Active = "nav.journeys"
	}
	p.Wide = false
	m := journeysPage{page: p, Staff: p.Viewer.Role.Staff()}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadJourneys(tx, &m) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, journeysView(m))
}

func (s *Server) loadJourneys(tx *store.Tx, m *journeysPage) error {
	x, err := s.Journey.Of(tx, m.Org.ID, m.Patient.ID)
	if err != nil {
		return err
	}
	home, err := s.Person.HomeOf(tx, m.Org.ID, m.Patient.ID)
	if err != nil {
		return err
	}
	m.Homed = home.Known()
	for _, a := range x.Asks {
		first := a.Moves[0]
		m.Asks = append(m.Asks, askLine{ID: a.ID, What: m.thing(x, first.From), From: m.at(first.From.Start, m.Patient.Zone) + ", " + m.how(x, first.From), To: m.at(first.To.Start, m.Patient.Zone) + ", " + m.how(x, first.To),
			Until: m.When(a.Until), Saves: m.hours(int(a.Saves)), Forced: a.Forced})
	}
	for _, t := range x.Trips {
		m.Trips = append(m.Trips, m.tripLine(x, t))
	}
	for _, it := range x.Items {
		if it.Trip == "" {
			if l := m.thingLine(x, it); it.Start.Before(m.Now.AddDate(0, 0, soonDays)) {
				m.Home = append(m.Home, l)
			} else {
				m.Later = append(m.Later, l)
			}
		}
		if it.State == journey.Planned {
			m.Planned++
		}
	}
	for _, u := range x.Made.Unmet {
		n, open := needOf(x, u.Need)
		if !open {
			continue
		}
		l := unmetLine{What: m.kindName(x, u.Kind), By: m.Day(u.By), Clinical: n.Clinical}
		for _, way := range slices.Sorted(maps.Keys(u.Why)) {
			l.Why = append(l.Why, m.notSo(x, u.Kind, way, u.Why[way]))
		}
		m.Unmet = append(m.Unmet, l)
	}
	for _, n := range x.Needs {
		l := needLine{ID: string(n.ID), What: m.kindName(x, n.Kind), Words: n.Words, From: m.T("journeys.from." + sourceWord(n.Source)), Ends: m.May(person.Act) && (n.Source == journey.FromPatient || m.Staff)}
		if m.Staff {
			for _, w := range x.Kinds[n.Kind].Ways {
				if w.Leave != "" && (w.Leave != journey.ByClinician || m.Viewer.Role != person.Desk) {
					l.Leaves = append(l.Leaves, dayPick{w.ID, capital(m.T("journeys.way." + string(w.Mode))), slices.Contains(n.Allowed, w.ID)})
				}
			}
		}
		if n.Every > 0 {
			l.Every = m.N("journeys.every", n.Every)
		}
		m.List = append(m.List, l)
	}
	for _, id := range slices.Sorted(maps.Keys(x.Kinds)) {
		if k := x.Kinds[id]; k.Own || m.Staff {
			m.Kinds = append(m.Kinds, option{id, k.Called(m.Lang)})
		}
	}
	m.sum(x)
	m.Strip = m.strip(x)
	return nil
}

func needOf(x journey.Weeks, id journey.ID) (journey.Need, bool) {
	i := slices.IndexFunc(x.Needs, func(n journey.Need) bool { return n.ID == id })
	if i < 0 {
		return journey.Need{}, false
	}
	return x.Needs[i], true
}

func sourceWord(source string) string {
	if words.Has("journeys.from." + source) {
		return source
	}
	return "other"
}

// sum says in a few sentences what the weeks come to, and what they save.
func (m *journeysPage) sum(x journey.Weeks) {
	if len(x.Items) == 0 {
		return
	}
	home := 0
	for _, it := range x.Items {
		if it.Trip == "" {
			home++
		}
	}
	trips := m.N("journeys.sum.trips", len(x.Trips))
	if m.Helping() {
		trips = m.N("journeys.sum.trips.of", len(x.Trips), "called", m.Patient.Called)
	}
	m.Sums = append(m.Sums, trips+" "+m.N("journeys.sum.home", home))
	caused, instead := journey.Coming(x.Items, x.Trips)
	saved := instead.Minus(caused)
	if saved.Trips > 0 && saved.Minutes >= 30 {
		m.Sums = append(m.Sums, m.N("journeys.sum.saves", saved.Trips, "time", m.hours(saved.Minutes), "miles", m.Num(max(0, saved.Miles), 0)))
	}
}

// hours writes minutes as people say them.
func (p *page) hours(minutes int) string {
	minutes = max(0, minutes)
	d := time.Duration(minutes) * time.Minute
	if minutes < 60 {
		return words.Span(p.Lang, d)
	}
	if rest := minutes % 60; rest >= 5 && minutes < 600 {
		return words.Span(p.Lang, d) + " " + words.Span(p.Lang, time.Duration(rest/5*5)*time.Minute)
	}
	return p.N("span.hours", minutes/60)
}

// kindName answers what a kind of need is called.
func (p *page) kindName(x journey.Weeks, id string) string {
	if k, ok := x.Kinds[id]; ok {
		return k.Called(p.Lang)
	}
	return p.T("journeys.visit")
}

// thing answers what an item is called: the words in which it was asked for where they say more.
func (p *page) thing(x journey.Weeks, it journey.Item) string {
	name := p.kindName(x, it.Why.Kind)
	if n, ok := needOf(x, it.Need); ok && n.Words != "" {
		return name + ": " + n.Words
	}
	return name
}

// how says in which way an item is done.
func (p *page) how(x journey.Weeks, it journey.Item) string {
	place := x.Spots[it.Place].Name
	text := p.T("journeys.how."+string(it.Mode), "place", cmp.Or(place, p.houseName()))
	if it.Why.With != "" && !it.Mode.Out() {
		text += " · " + it.Why.With
	}
	return text
}

// notSo says why a way was not chosen.
func (p *page) notSo(x journey.Weeks, kind, way, why string) string {
	mode := journey.Mode(way)
	if w, ok := x.Kinds[kind].Way(way); ok {
		mode = w.Mode
	}
	name := p.T("journeys.way." + string(mode))
	if !words.Has("journeys.way." + string(mode)) {
		name = way
	}
	return p.T("journeys.not", "way", capital(name), "why", p.T("journeys.why."+why))
}

func (m *journeysPage) thingLine(x journey.Weeks, it journey.Item) thingLine {
	l := thingLine{ID: it.ID, What: m.thing(x, it), How: m.how(x, it), State: m.T("journeys.state." + string(it.State)), Asks: it.State == journey.Planned && m.May(person.Act)}
	l.When = m.at(it.Start, m.Patient.Zone)
	if !it.Why.Window.IsZero() {
		l.When = m.T("journeys.between", "day", m.Day(it.Start), "from", m.Time(it.Start), "to", m.Time(it.Why.Window))
	} else if !it.Mode.Out() && !it.Mode.Present() {
		l.When = m.Day(it.Start)
	}
	for _, way := range slices.Sorted(maps.Keys(it.Why.Others)) {
		l.Why = append(l.Why, m.notSo(x, it.Why.Kind, way, it.Why.Others[way]))
	}
	if in := it.Why.Instead; in != nil && it.Trip == "" {
		l.Saves = m.T("journeys.saves", "time", m.hours(in.Parts.Away()), "miles", m.Num(in.Miles, 0))
	}
	until := it.End
	if !it.Why.Window.IsZero() {
		until = it.Why.Window
	}
	l.Late = it.State == journey.Promised && m.Now.After(until)
	l.Did = l.Late && it.Visit == "" && it.Need != "" && m.May(person.Act)
	return l
}

func (m *journeysPage) tripLine(x journey.Weeks, t journey.Trip) tripLine {
	shown := t
	if t.Next != nil {
		shown = *t.Next
	}
	l := tripLine{ID: t.ID, Day: capital(words.DayLong(m.Lang, t.Leave, m.Patient.Location())), State: m.T("journeys.state." + string(t.State)), Ride: m.T("journeys.means." + t.Means)}
	var of []journey.Item
	for _, it := range x.Items {
		if it.Trip == t.ID {
			of = append(of, it)
		}
	}
	l.Steps = append(l.Steps, tripStep{m.Time(shown.Leave), m.T("journeys.step.leave"), l.Ride})
	separate := 0
	for i, it := range of {
		thing := m.thingLine(x, it)
		l.Things = append(l.Things, thing)
		l.Asks = l.Asks || it.State == journey.Planned
		l.Joins = l.Joins || it.State == journey.Planned && t.State == journey.Promised
		how := m.how(x, it)
		if it.Why.With != "" {
			how += " · " + it.Why.With
		}
		l.Steps = append(l.Steps, tripStep{m.Time(it.Start), thing.What, how})
		if in := it.Why.Instead; in != nil {
			separate += in.Parts.Away()
		}
		if i == len(of)-1 {
			l.Steps = append(l.Steps, tripStep{m.Time(shown.LeaveBack), m.T("journeys.step.back"), l.Ride})
		}
	}
	l.Steps = append(l.Steps, tripStep{m.Time(shown.Home), m.T("journeys.step.home"), ""})
	away := int(shown.Home.Sub(shown.Leave) / time.Minute)
	if len(of) > 1 && separate > away {
		l.Saves = m.N("journeys.together", len(of), "time", m.hours(separate-away))
	}
	if t.Means == journey.Ride {
		key := "journeys.ride.asked"
		switch {
		case t.OutRide != "" && t.BackRide != "":
			key = "journeys.ride.booked"
		case t.State == journey.Planned:
			key = "journeys.ride.planned"
		}
		l.Ride = m.T(key, "who", t.OutRide)
	}
	for _, f := range t.Problem {
		l.Problems = append(l.Problems, m.T("journeys.problem", "what", m.T("journey.follower."+f)))
	}
	l.Asks = (l.Asks || t.State == journey.Planned) && m.May(person.Act)
	l.Books = m.Staff && t.Means == journey.Ride && t.State == journey.Promised
	return l
}

// strip draws the days of the plan: a house for a day at home, a filled day for a trip, a dot for something at home.
func (m *journeysPage) strip(x journey.Weeks) string {
	zone := m.Patient.Location()
	first := clock.DayOf(m.Now, zone)
	start := first.Add(-(int(first.Weekday()+6) % 7)) // Monday
	trips, things := map[clock.Day]bool{}, map[clock.Day]bool{}
	for _, t := range x.Trips {
		trips[clock.DayOf(t.Leave, zone)] = true
	}
	for _, it := range x.Items {
		if it.Trip == "" {
			things[clock.DayOf(it.Start, zone)] = true
		}
	}
	return drawWeeks(m.T("journeys.strip"), start, first, journey.Ahead, trips, things, func(d clock.Day) string {
		return words.Weekday(m.Lang, d.Weekday())
	})
}

func (s *Server) acceptAll(w http.ResponseWriter, r *http.Request, p *page) error {
	err := s.Journey.AcceptAll(r.Context(), p.Viewer, p.Patient.ID)
	return s.journeyDone(w, r, p, err, "journey.yes")
}

func (s *Server) acceptOne(w http.ResponseWriter, r *http.Request, p *page) error {
	err := s.Journey.Accept(r.Context(), p.Viewer, p.Patient.ID, r.PathValue("what"))
	return s.journeyDone(w, r, p, err, "journey.yes")
}

func (s *Server) answerMove(w http.ResponseWriter, r *http.Request, p *page) error {
	answer := r.PathValue("answer")
	if answer != "yes" && answer != "no" {
		return fault.NotFoundf("There is no such page.")
	}
	err := s.Journey.AnswerMove(r.Context(), p.Viewer, p.Patient.ID, r.PathValue("ask"), answer == "yes")
	return s.journeyDone(w, r, p, err, map[string]string{"yes": "journey.moved", "no": "journey.stays"}[answer])
}

func (s *Server) answerThing(w http.ResponseWriter, r *http.Request, p *page) error {
	answer := r.PathValue("answer")
	if answer != "yes" && answer != "no" {
		return fault.NotFoundf("There is no such page.")
	}
	err := s.Journey.Answer(r.Context(), p.Viewer, p.Patient.ID, r.PathValue("item"), answer == "yes")
	return s.journeyDone(w, r, p, err, map[string]string{"yes": "noted", "no": "journey.not"}[answer])
}

// journeyDone plans the weeks again after something changed, and goes back to them.
func (s *Server) journeyDone(w http.ResponseWriter, r *http.Request, p *page, err error, done string) error {
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showJourneys(w, r, p, status) })
	}
	if err := s.Journey.Plan(r.Context(), p.Org.ID, p.Patient.ID); err != nil {
		return err
	}
	return back(w, r, p.Base+"/journeys", done)
}

func (s *Server) addNeed(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	f := r.PostForm
	zone := p.Patient.Location()
	today := clock.DayOf(p.Now, zone)
	n := journey.Need{Org: p.Org.ID, Patient: p.Patient.ID, Kind: f.Get("kind"), Source: journey.FromPatient, Words: f.Get("words"), From: p.Now}
	if p.Viewer.Role.Staff() {
		n.Source = journey.FromStaff
		n.Clinical = f.Get("clinical") != ""
	}
	by, err := clock.ParseDay(f.Get("by"))
	if f.Get("by") == "" {
		by, err = today.Add(14), nil
	}
	if err != nil {
		err = fault.Invalidf("Please write the day as year-month-day.")
	} else if by.Before(today) {
		err = fault.Invalidf("That day has passed. Please choose a later one.")
	}
	if every := f.Get("every"); err == nil && every != "" && every != "0" {
		if n.Every, err = strconv.Atoi(every); err != nil {
			err = fault.Invalidf("Please choose one of the answers.")
		}
	}
	if err == nil {
		n.By = clock.At(by.Add(1), 0, zone)
		if n.Every > 0 {
			n.By = clock.At(today.Add(n.Every), 0, zone)
			n.From = clock.At(today, 0, zone)
		}
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error { _, err := s.Journey.SaveNeed(tx, p.Viewer, n); return err })
	}
	return s.journeyDone(w, r, p, err, "added")
}

func (s *Server) endNeed(w http.ResponseWriter, r *http.Request, p *page) error {
	err := s.Journey.EndNeed(r.Context(), p.Viewer, p.Patient.ID, journey.ID(r.PathValue("need")))
	return s.journeyDone(w, r, p, err, "ended")
}

func (s *Server) allowWays(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.Journey.Allow(r.Context(), p.Viewer, p.Patient.ID, journey.ID(r.PathValue("need")), r.PostForm["allow"])
	return s.journeyDone(w, r, p, err, "saved")
}

func (s *Server) bookRide(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.Journey.RideBooked(r.Context(), p.Viewer, p.Patient.ID, r.PathValue("trip"), strings.TrimSpace(r.PostForm.Get("ref")))
	return s.journeyDone(w, r, p, err, "saved")
}
