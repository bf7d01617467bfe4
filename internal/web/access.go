package web

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"

	"doorstep/internal/appointment"
	"doorstep/internal/appointment/noshow"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

// accessPage is how soon people are seen: measures of the clinic as a whole, and of the viewer's own patients who waits longest.
type accessPage struct {
	*page
	Say    string // of the days to be seen
	Mean   string
	Chart  string // the third free time over days; empty: fewer than two days
	Thirds []thirdLine
	Missed []shareLine
	Offers []shareLine
	Model  string
	Bins   []shareLine
	Groups []groupLine
	Still  []stillLine
	Remind []stillLine // who has not said that she comes, most likely not to come first
}

type thirdLine struct{ What, With, Latest, Usual string }

type shareLine struct{ What, Share string }

type groupLine struct{ Name, People, Offered, Took, Days string }

type stillLine struct{ ID, Name, What, Since string }

const (
	accessDays  = 90 // that the page looks back
	thirdDays   = 28 // of samples in the median
	stillShown  = 20
	daysDecimal = 1
	remindDays  = 3
)

func (s *Server) accessRoutes(mux *http.ServeMux) { mux.Handle("GET /desk/access", s.staff(s.access)) }

func (s *Server) access(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title, p.Active = "access.title", "nav.desk"
	m := accessPage{page: p}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadAccess(tx, &m) }); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p, accessView(m))
}

func (s *Server) loadAccess(tx *store.Tx, m *accessPage) error {
	a, err := s.Appointment.Access(tx, m.Org.ID, m.Now.AddDate(0, 0, -accessDays), m.Now)
	if err != nil {
		return err
	}
	types, err := s.Appointment.Types(tx, m.Org.ID)
	if err != nil {
		return err
	}
	resources, err := s.Appointment.Resources(tx, m.Org.ID)
	if err != nil {
		return err
	}
	name := map[string]string{}
	for _, t := range types {
		name["type "+t.ID] = t.Called(m.Lang)
	}
	for _, x := range resources {
		name[x.ID] = x.Name
	}
	m.seen(a)
	thirds, err := s.Appointment.Thirds(tx, m.Org.ID, clock.DayOf(m.Now, m.Zone).Add(-thirdDays))
	if err != nil {
		return err
	}
	m.thirds(thirds, name)
	for _, way := range appointment.Ways {
		if i, ok := a.Missed[way]; ok {
			m.Missed = append(m.Missed, shareLine{capital(m.T("way." + string(way))), m.share(i)})
		}
	}
	m.Offers = []shareLine{{m.T("access.confirmed"), m.share(a.Confirmed)}, {m.T("access.accepted"), m.share(a.Accepted)}, {m.T("access.filled"), m.share(a.Filled)}}
	if a.PerFill > 0 {
		m.Offers = append(m.Offers, shareLine{m.T("access.perfill"), m.Num(a.PerFill, 1)})
	}
	m.Model, m.Bins = m.chances(a.Model)
	for _, g := range a.Groups {
		m.Groups = append(m.Groups, m.group(g))
	}
	if err := s.loadRemind(tx, m, name); err != nil {
		return err
	}
	return s.loadStill(tx, m, a.Still, name)
}

// share answers a share with its interval and what it was counted from.
func (p *page) share(i stat.Interval) string {
	if i.N == 0 {
		return "–"
	}
	return p.T("alerts.needed", "share", p.percent(i.Value), "low", p.Num(100*i.Low, 0), "high", p.Num(100*i.High, 0), "n", strconv.Itoa(i.N))
}

func (m *accessPage) seen(a appointment.Access) {
	switch n := strconv.Itoa(a.Seen.N); {
	case a.Seen.N == 0:
		m.Say = m.T("access.seen.none")
	case math.IsNaN(a.Seen.Median):
		m.Say = m.T("access.seen.few", "n", n)
	default:
		m.Say = m.T("access.seen", "days", m.Num(a.Seen.Median, daysDecimal), "n", n)
	}
	if a.Seen.Ended > 0 {
		m.Mean = m.T("access.mean", "days", m.Num(a.Seen.Mean.Value, daysDecimal), "low", m.Num(a.Seen.Mean.Low, daysDecimal), "high", m.Num(a.Seen.Mean.High, daysDecimal),
			"still", strconv.Itoa(len(a.Still)), "cut", m.Num(a.Seen.Until, 0))
	}
}

// thirds answers a line for each type, way and clinician, and the chart of the median over all of them by day.
func (m *accessPage) thirds(list []appointment.Third, name map[string]string) {
	type key struct {
		typ, with string
		way       appointment.Way
	}
	lines := map[key][]float64{} // the latest first
	byDay := map[string][]float64{}
	var order []key
	var days []string
	for _, x := range list {
		k := key{x.Type, x.Resource, x.Way}
		if lines[k] == nil {
			order = append(order, k)
		}
		v := x.Days
		if v < 0 {
			v = math.Inf(1) // fewer than three are free: longer than any
		}
		lines[k] = append(lines[k], v)
		if byDay[x.Day] == nil {
			days = append(days, x.Day)
		}
		byDay[x.Day] = append(byDay[x.Day], v)
	}
	text := func(v float64) string {
		if math.IsInf(v, 1) || math.IsNaN(v) {
			return m.T("access.full")
		}
		return m.Num(v, daysDecimal)
	}
	for _, k := range order {
		v := lines[k]
		m.Thirds = append(m.Thirds, thirdLine{What: cmp.Or(name["type "+k.typ], k.typ) + ", " + m.T("way."+string(k.way)), With: cmp.Or(name[k.with], k.with), Latest: text(v[0]),
			Usual: m.T("access.usual", "days", text(middle(v)), "n", strconv.Itoa(len(v)))})
	}
	if len(days) < 2 {
		return
	}
	slices.Sort(days)
	first, err := clock.ParseDay(days[0])
	if err != nil {
		return
	}
	last, err := clock.ParseDay(days[len(days)-1])
	if err != nil {
		return
	}
	c := plot{Name: m.T("access.chart"), Format: func(v float64) string { return m.Num(v, 0) }, XLabels: []label{{0, m.shortDay(first)}, {1, m.shortDay(last)}}}
	for _, d := range days {
		at, err := clock.ParseDay(d)
		if v := middle(byDay[d]); err == nil && !math.IsInf(v, 1) {
			c.Dots = append(c.Dots, dot{X: float64(at.Sub(first)) / float64(last.Sub(first)), High: v})
		}
	}
	if len(c.Dots) > 1 {
		m.Chart = c.draw()
	}
}

// middle answers the middle value, the lower of two.
func middle(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[(len(s)-1)/2]
}

// chances says where the chances of missed visits come from, and how right they were on later visits.
func (p *page) chances(model noshow.Model) (say string, bins []shareLine) {
	visits, missed, held := model.Lacking()
	switch {
	case visits+missed+held > 0:
		say = p.T("access.model.few", "n", strconv.Itoa(model.Visits), "lacking", strconv.Itoa(max(visits, missed, held)))
	case !model.Own():
		say = p.T("access.model.weak", "n", strconv.Itoa(model.Visits))
	default:
		say = p.T("access.model.own", "n", strconv.Itoa(model.Visits), "off", p.Num(100*model.Check.ECE, 1), "brier", p.Num(model.Check.Brier, 3), "base", p.Num(model.Check.BrierBase, 3))
	}
	for _, b := range model.Check.Bins {
		bins = append(bins, shareLine{p.percent(b.Said), p.share(b.Missed)})
	}
	return say, bins
}

func (m *accessPage) group(g appointment.Group) groupLine {
	name := g.Name
	switch {
	case name == "":
		name = m.T("access.unknown")
	case g.By == appointment.ByLanguage:
		name = m.T("language." + g.Name)
	}
	out := groupLine{Name: m.T("access.by."+string(g.By)) + ": " + name, People: m.T("access.hidden"), Offered: "–", Took: "–", Days: "–"}
	if g.Hidden {
		return out
	}
	out.People, out.Offered, out.Took = strconv.Itoa(g.People), m.share(g.Offered), m.share(g.Took)
	if g.Days.N >= 2 {
		out.Days = fmt.Sprintf("%s (%s – %s)", m.Num(g.Days.Value, 1), m.Num(g.Days.Low, 1), m.Num(g.Days.High, 1))
	}
	return out
}

// loadRemind names whom of the viewer's own patients to call before a visit.
func (s *Server) loadRemind(tx *store.Tx, m *accessPage, name map[string]string) error {
	list, err := s.Appointment.Remind(tx, m.Viewer, m.Now.AddDate(0, 0, remindDays))
	if err != nil {
		return err
	}
	for _, x := range list[:min(len(list), stillShown)] {
		who, err := s.Person.Get(tx, m.Org.ID, x.Patient)
		if err != nil {
			return err
		}
		m.Remind = append(m.Remind, stillLine{ID: string(x.Patient), Name: who.Name, What: cmp.Or(name["type "+x.Type], x.Type), Since: m.When(x.Start)})
	}
	return nil
}

// loadStill names who of the viewer's own patients waits longest.
func (s *Server) loadStill(tx *store.Tx, m *accessPage, list []appointment.StillWaiting, name map[string]string) error {
	mine, err := s.Person.PatientsOf(tx, m.Viewer)
	if err != nil {
		return err
	}
	who := make(map[person.ID]string, len(mine))
	for _, p := range mine {
		who[p.ID] = p.Name
	}
	for _, x := range list {
		if n := who[x.Patient]; n != "" && len(m.Still) < stillShown {
			m.Still = append(m.Still, stillLine{ID: string(x.Patient), Name: n, What: cmp.Or(name["type "+x.Type], x.Type), Since: m.Day(x.Asked)})
		}
	}
	return nil
}
