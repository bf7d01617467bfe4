package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/journey/burden"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// hardPage is what a person says of herself: what is hard, and what cannot be.
type hardPage struct {
	*page
	Self    journey.Self
	Means   []option
	Days    []dayPick
	Along   []option
	Has     []dayPick
	Morning bool
	Evening bool
}

type dayPick struct {
	Value, Label string
	On           bool
}

// hardMinutes is what an hour of the day that is hard weighs, in patient-minutes for each thing.
const hardMinutes = 30

// equipment that ways may ask for and the page asks about.
var equipment = []string{"phone", "video"}

var (
	mornings = journey.Hard{From: 0, To: clock.WallAt(11, 0), Minutes: hardMinutes}
	evenings = journey.Hard{From: clock.WallAt(16, 0), To: 24 * 60, Minutes: hardMinutes}
)

func (s *Server) hard(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showHard(w, r, p, http.StatusOK)
}

func (s *Server) showHard(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Wide = "journeys.hard", false
	if !p.Viewer.Role.Staff() {
		p.Active = "nav.journeys"
	}
	m := hardPage{page: p}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		var err error
		if m.Self, err = s.Journey.SelfOf(tx, p.Org.ID, p.Patient.ID); err != nil {
			return err
		}
		who, err := s.Person.Caregivers(tx, p.Org.ID, p.Patient.ID, person.See)
		m.Along = []option{{"", p.T("journeys.along.none")}}
		for _, c := range who {
			m.Along = append(m.Along, option{string(c.ID), c.Name})
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, x := range journey.MeansOf {
		m.Means = append(m.Means, option{x, p.Whose("journeys.gets." + x)})
	}
	never := m.Self.Never
	if typed, ok := p.Form["never"]; ok {
		never = numbers(typed)
	}
	monday := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	for d := 1; d <= 7; d++ {
		m.Days = append(m.Days, dayPick{strconv.Itoa(d), words.Weekday(p.Lang, monday.AddDate(0, 0, d-1).Weekday()), slices.Contains(never, d)})
	}
	for _, x := range equipment {
		m.Has = append(m.Has, dayPick{x, p.T("journeys.has." + x), slices.Contains(m.Self.Has, x)})
	}
	m.Morning, m.Evening = slices.Contains(m.Self.Hard, mornings), slices.Contains(m.Self.Hard, evenings)
	return s.show(w, r, status, p, hardView(m))
}

func numbers(list []string) []int {
	var out []int
	for _, x := range list {
		if n, err := strconv.Atoi(x); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func (s *Server) saveHard(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	f := r.PostForm
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		c, err := s.Journey.SelfOf(tx, p.Org.ID, p.Patient.ID)
		if err != nil {
			return err
		}
		c.Means, c.Along, c.Never = f.Get("means"), person.ID(f.Get("along")), numbers(f["never"])
		c.Has = slices.DeleteFunc(c.Has, func(x string) bool { return slices.Contains(equipment, x) })
		c.Has = append(c.Has, f["has"]...)
		c.Hard = slices.DeleteFunc(c.Hard, func(h journey.Hard) bool { return h == mornings || h == evenings })
		if f.Get("morning") != "" {
			c.Hard = append(c.Hard, mornings)
		}
		if f.Get("evening") != "" {
			c.Hard = append(c.Hard, evenings)
		}
		for name, to := range map[string]*clock.Wall{"out": &c.Out, "in": &c.In} {
			if text := f.Get(name); text != "" {
				if *to, err = clock.ParseWall(text); err != nil {
					return fault.Invalidf("Please write the time like 09:00.")
				}
			}
		}
		for name, to := range map[string]*float64{"contact_day": &c.Weights.ContactDay, "mobility": &c.Weights.Mobility} {
			if text := f.Get(name); text != "" {
				if *to, err = strconv.ParseFloat(text, 64); err != nil {
					return fault.Invalidf("Please choose one of the answers.")
				}
			}
		}
		if text := f.Get("rest"); text != "" {
			if c.Rest, err = strconv.Atoi(text); err != nil {
				return fault.Invalidf("Please choose one of the answers.")
			}
		}
		return s.Journey.Say(tx, p.Viewer, p.Patient.ID, c)
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showHard(w, r, p, status) })
	}
	return s.journeyDone(w, r, p, nil, "saved")
}

// weightLine is one weight of the burden, in words and as it stands in the code.
type weightLine struct {
	Key, Name, Value, Source string
}

// burdenPage states the objective that every plan is made by.
type burdenPage struct {
	*page
	Lines []weightLine
	CO2   string
}

// burdenWeights states, to anyone, what a burden is made of: with the numbers of the code.
func (s *Server) burdenWeights(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title = "burden.title"
	m := burdenPage{page: p, CO2: p.Num(journey.CO2PerMile, 1)}
	u := burden.Usual()
	for _, x := range []struct {
		key   string
		value float64
		own   bool
	}{{"contact_day", u.ContactDay, true}, {"travel", u.Travel, false}, {"visit", u.Visit, false}, {"wait", u.Wait, false}, {"idle", u.Idle, false}, {"walk", u.Walk, true}, {"transfer", u.Transfer, true},
		{"escort", u.Escort, false}, {"dollar", u.Dollar, false}, {"move", u.Move, true}} {
		l := weightLine{Key: x.key, Name: p.T("burden.part." + x.key), Value: p.Num(x.value, map[bool]int{true: 0, false: 1}[x.value == float64(int(x.value))]), Source: p.T("burden.studied")}
		if x.own {
			l.Source = p.T("burden.ours")
		}
		m.Lines = append(m.Lines, l)
	}
	return s.show(w, r, http.StatusOK, p, burdenView(m))
}

// accountPage is what a span of days burdened a person.
type accountPage struct {
	*page
	journey.Account
	From, To string
	Say      []string
	Table    []accountLine
	Lines    []rowLine
}

type accountLine struct{ What, Was, Instead, Saved string }

type rowLine struct{ Day, What, Time, Miles, Dollars string }

// accountDays is how far back the account looks.
const accountDays = 90

func (s *Server) burdenAccount(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title, p.Wide = "burden.account", false
	if !p.Viewer.Role.Staff() {
		p.Active = "nav.journeys"
	}
	to := clock.DayOf(p.Now, p.Patient.Location()).Add(1)
	from := to.Add(-accountDays)
	a, err := s.Journey.Burden(r.Context(), p.Org.ID, p.Patient.ID, from, to)
	if err != nil {
		return err
	}
	zone := p.Patient.Location()
	m := accountPage{page: p, Account: a, From: p.Day(clock.At(from, 0, zone)), To: p.Day(clock.At(to.Add(-1), 0, zone))}
	var kinds map[string]journey.Kind
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		list, err := s.Journey.Kinds(tx, p.Org.ID)
		kinds = map[string]journey.Kind{}
		for _, k := range list {
			kinds[k.ID] = k
		}
		return err
	}); err != nil {
		return err
	}
	if a.Done > 0 {
		m.Say = append(m.Say, p.N("burden.did", a.Done, "home", strconv.Itoa(a.AtHome)), p.N("burden.trips", a.Caused.Trips, "time", p.hours(a.Caused.Minutes)))
		if a.Avoided.Trips > 0 {
			m.Say = append(m.Say, p.N("burden.saved", a.Avoided.Trips, "time", p.hours(a.Avoided.Minutes), "miles", p.Num(a.Avoided.Miles, 0)))
		}
	}
	line := func(key string, was, instead float64, decimals int) {
		m.Table = append(m.Table, accountLine{p.T("burden.line." + key), p.Num(was, decimals), p.Num(instead, decimals), p.Num(instead-was, decimals)})
	}
	line("trips", float64(a.Caused.Trips), float64(a.Instead.Trips), 0)
	line("contact", float64(a.Caused.Contact), float64(a.Instead.Contact), 0)
	line("hours", float64(a.Caused.Minutes)/60, float64(a.Instead.Minutes)/60, 1)
	line("miles", a.Caused.Miles, a.Instead.Miles, 0)
	line("dollars", a.Caused.Dollars, a.Instead.Dollars, 2)
	line("escort", float64(a.Caused.Escort)/60, float64(a.Instead.Escort)/60, 1)
	line("co2", a.Caused.CO2, a.Instead.CO2, 1)
	for _, x := range a.Rows {
		name := p.T("burden.row." + x.What)
		if k, ok := kinds[x.About]; ok {
			name += ": " + k.Called(p.Lang)
		}
		m.Lines = append(m.Lines, rowLine{p.Day(clock.At(x.Day, clock.WallAt(12, 0), zone)), name, p.hours(x.Minutes), p.Num(x.Miles, 1), p.Num(x.Dollars, 2)})
	}
	return s.show(w, r, http.StatusOK, p, burdenAccountView(m))
}
