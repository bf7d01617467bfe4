package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/transport"
)

// dispatchPage is a day on the road: who has no car first, then who is late, then each vehicle's day, and a picture of the same.
type dispatchPage struct {
	*page
	transport.Board
	On       string // the day, for forms
	Open     []looseLine
	Lates    []looseLine
	Others   []looseLine // with the ride company, or waiting for a word
	Hours    []hourRow
	Map      string
	Legend   []legendLine
	People   []option
	Places   []option
	Drivers  []option
	Choices  []option // windows to offer
	Asked    bool     // for windows
	Vendor   string   // the ride company does not answer: since when, and what is done instead
	Vehicles []vehicleLine
}

// looseLine is one way of a ride that needs a look.
type looseLine struct {
	Ride, Dir            string
	Name, Say, How, Wait string
	Can                  []transport.Act
	Cancel               bool
}

// hourRow is an hour of all vehicles.
type hourRow struct {
	Hour  string
	Cells [][]string
}

type legendLine struct{ Mark, Say string }

type vehicleLine struct {
	transport.Vehicle
	Say    string
	Driver string
	Down   bool
}

func (s *Server) dispatchRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/dispatch", s.staff(s.dispatch))
	mux.Handle("POST /desk/dispatch/rides", s.staff(s.bookRound))
	mux.Handle("POST /desk/dispatch/rides/{ride}/{dir}/{act}", s.staff(s.markRide))
	mux.Handle("POST /desk/dispatch/rides/{ride}/cancel", s.staff(s.cancelRide))
	mux.Handle("POST /desk/dispatch/plan", s.staff(s.planDay))
	mux.Handle("POST /desk/dispatch/vehicles", s.staff(s.saveVehicle))
	mux.Handle("POST /desk/dispatch/vehicles/{vehicle}/down", s.staff(s.breakDown))
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showDispatch(w, r, p, http.StatusOK, nil)
}

// dispatchDay answers the day that a request is about: today, where it names none.
func (p *page) dispatchDay(r *http.Request) (clock.Day, error) {
	text := r.FormValue("day")
	if text == "" {
		return clock.DayOf(p.Now, p.Zone), nil
	}
	d, err := clock.ParseDay(text)
	if err != nil {
		err = fault.Invalidf("Please name a day.")
	}
	return d, err
}

func (s *Server) showDispatch(w http.ResponseWriter, r *http.Request, p *page, status int, choices *[]transport.Choice) error {
	p.Title, p.Active, p.Live = "dispatch.title", "nav.dispatch", "/events?desk=1"
	on, err := p.dispatchDay(r)
	if err != nil {
		on = clock.DayOf(p.Now, p.Zone)
	}
	m := dispatchPage{page: p, On: on.String()}
	if choices != nil {
		m.Asked = true
		for _, c := range *choices {
			m.Choices = append(m.Choices, option{c.Pickup.From.UTC().Format(time.RFC3339), m.T("dispatch.window", "from", m.Time(c.Pickup.From), "to", m.Time(c.Pickup.To), "n", m.Num(c.Cost, 0))})
		}
	}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadDispatch(tx, &m, on) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, dispatchView(m))
}

func (s *Server) loadDispatch(tx *store.Tx, m *dispatchPage, on clock.Day) (err error) {
	if m.Board, err = s.Transport.Board(tx, m.Viewer, on); err != nil {
		return err
	}
	names := s.names(tx, m.page)
	for _, x := range m.Board.Open {
		l, err := m.loose(names, x.Ride, x.Dir)
		if err != nil {
			return err
		}
		m.Open = append(m.Open, l)
	}
	seen := map[string]bool{}
	for _, t := range m.Late {
		if id := string(t.Ride.ID) + string(t.Dir); !seen[id] {
			seen[id] = true
			l, err := m.loose(names, t.Ride, t.Dir)
			if err != nil {
				return err
			}
			m.Lates = append(m.Lates, l)
		}
	}
	for _, x := range slices.Concat(m.Board.Vendor, m.Calls) {
		l, err := m.loose(names, x.Ride, x.Dir)
		if err != nil {
			return err
		}
		m.Others = append(m.Others, l)
	}
	if !m.VendorSince.IsZero() {
		m.Vendor = m.T("dispatch.vendor.down", "who", m.VendorName, "time", m.When(m.VendorSince))
	}
	if err := s.loadColumns(tx, m, names); err != nil {
		return err
	}
	mine, err := s.Person.PatientsOf(tx, m.Viewer)
	if err != nil {
		return err
	}
	for _, x := range mine {
		m.People = append(m.People, option{string(x.ID), x.Name})
	}
	places, err := s.Person.Places(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, x := range places {
		if x.Known() {
			m.Places = append(m.Places, option{x.ID, x.Name})
		}
	}
	m.Drivers = []option{{"", m.T("dispatch.driver.none")}}
	drivers, err := s.Person.WithRole(tx, m.Org.ID, person.Driver)
	for _, x := range drivers {
		m.Drivers = append(m.Drivers, option{string(x.ID), x.Name})
	}
	return err
}

// loose says how one way of a ride stands, and what can be done.
func (m *dispatchPage) loose(names *names, r *transport.Ride, dir transport.Direction) (looseLine, error) {
	l := r.Leg(dir)
	who, err := names.get(r.Patient)
	if err != nil {
		return looseLine{}, err
	}
	x := looseLine{Ride: string(r.ID), Dir: string(dir), Name: who.Name, Say: m.rideSay(r, dir), How: m.T("dispatch.state." + string(l.State)), Cancel: l.State != transport.Aboard}
	switch {
	case l.State == transport.Call:
		x.Say = m.T("ride.way.back")
	case l.Vendor.Ref != "" && l.State != transport.Call:
		x.How += ", " + l.Vendor.Name
	}
	if !l.Trouble.Since.IsZero() {
		x.How = m.T("ride.why." + l.Trouble.Why)
		x.Wait = m.T("dispatch.clock", "since", m.Time(l.Trouble.Since), "by", m.Time(l.Trouble.By))
	} else if l.Late {
		x.Wait = m.T("dispatch.expected", "from", m.Time(l.Told.From), "to", m.Time(l.Told.To))
	}
	for _, a := range append(slices.Clone(transport.Acts), transport.ByOwn) {
		if l.State.Can(a) && (a != transport.Cannot || l.Vendor.Ref == "") {
			x.Can = append(x.Can, a)
		}
	}
	return x, nil
}

// rideSay says which way, when, and how somebody gets in.
func (m *dispatchPage) rideSay(r *transport.Ride, dir transport.Direction) string {
	l := r.Leg(dir)
	say := m.T("dispatch.leg", "way", m.T("ride.way."+string(dir)), "from", m.Time(l.Pickup.From), "to", m.Time(l.Pickup.To))
	return say + m.load(r)
}

func (p *page) load(r *transport.Ride) string {
	say := ""
	if r.Mobility == transport.Wheelchair {
		say += ", " + p.T("ride.wheelchair")
	}
	if r.Companions > 0 {
		say += ", " + p.N("ride.companions", r.Companions)
	}
	return say
}

// loadColumns puts each vehicle's day into hours, and onto the picture.
func (s *Server) loadColumns(tx *store.Tx, m *dispatchPage, names *names) error {
	cells := map[int][][]string{}
	first, last := 24, 0
	picture := roadPicture{}
	for i, c := range m.Columns {
		v := vehicleLine{Vehicle: c.Vehicle, Down: c.Vehicle.Down.After(m.Now)}
		who, err := names.get(c.Vehicle.Driver)
		if err != nil {
			return err
		}
		v.Driver = who.Name
		v.Say = m.T("dispatch.vehicle", "seats", strconv.Itoa(c.Seats), "chairs", strconv.Itoa(c.Wheelchairs), "from", c.Vehicle.From.String(), "to", c.Vehicle.To.String())
		if v.Down {
			v.Say += ". " + m.T("dispatch.down", "time", m.When(c.Vehicle.Down))
		}
		m.Vehicles = append(m.Vehicles, v)
		for _, t := range c.Tasks {
			hour := t.Begin.In(m.Zone).Hour()
			first, last = min(first, hour), max(last, hour)
			if cells[hour] == nil {
				cells[hour] = make([][]string, len(m.Columns))
			}
			say := m.T("dispatch.break", "time", m.Time(t.Begin))
			if t.Ride != nil {
				who, err := names.get(t.Ride.Patient)
				if err != nil {
					return err
				}
				say = m.T("dispatch.stop."+strconv.Itoa(t.Stop), "time", m.Time(t.Begin), "name", who.Name, "place", t.At.Name) + m.load(t.Ride)
				if t.Late {
					say += " — " + m.T("dispatch.late")
				} else if t.Over {
					say += " — " + m.T("dispatch.over")
				}
				mark := picture.stop(i, t.At.Point)
				m.Legend = append(m.Legend, legendLine{mark, c.Vehicle.Name + ": " + say})
			}
			cells[hour][i] = append(cells[hour][i], say)
		}
	}
	for h := first; h <= last; h++ {
		row := hourRow{Hour: m.Time(clock.At(m.Board.Day, clock.WallAt(h, 0), m.Zone)), Cells: cells[h]}
		if row.Cells == nil {
			row.Cells = make([][]string, len(m.Columns))
		}
		m.Hours = append(m.Hours, row)
	}
	m.Map = picture.draw(m.T("dispatch.map.name"), s.Transport.Line)
	return nil
}

func (s *Server) dispatchBack(w http.ResponseWriter, r *http.Request, p *page, err error) error {
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDispatch(w, r, p, status, nil) })
	}
	http.Redirect(w, r, "/desk/dispatch?done=ride&day="+url.QueryEscape(r.FormValue("day")), http.StatusSeeOther)
	return nil
}

// wanted reads the form of a ride.
func (p *page) wanted(r *http.Request, on clock.Day) (transport.Want, error) {
	f := r.PostForm
	w := transport.Want{Org: p.Org.ID, Patient: person.ID(f.Get("patient")), Place: f.Get("place"), Mobility: transport.Mobility(f.Get("mobility"))}
	var err error
	at := func(name string) time.Time {
		if f.Get(name) == "" {
			return time.Time{}
		}
		wall, bad := clock.ParseWall(f.Get(name))
		if bad != nil {
			err = fault.Invalidf("Please name a time of day.")
		}
		return clock.At(on, wall, p.Zone)
	}
	w.There, w.Ready, w.HomeBy = at("there"), at("ready"), at("homeby")
	if w.There.IsZero() {
		err = fault.Invalidf("Please name a time of day.")
	}
	if n := f.Get("companions"); n != "" {
		if w.Companions, err = strconv.Atoi(n); err != nil {
			err = fault.Invalidf("At most three people come along.")
		}
	}
	if t, bad := time.Parse(time.RFC3339, f.Get("fetch")); bad == nil {
		w.Fetch = t
	}
	return w, err
}

func (s *Server) bookRound(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	on, err := p.dispatchDay(r)
	if err != nil {
		return s.dispatchBack(w, r, p, err)
	}
	want, err := p.wanted(r, on)
	if err == nil {
		err = s.Person.Enter(r.Context(), p.Viewer, person.Act, want.Patient, "ride")
	}
	if err != nil {
		return s.dispatchBack(w, r, p, err)
	}
	if r.PostForm.Get("do") == "offer" {
		var list []transport.Choice
		if err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
			list, err = s.Transport.Offers(r.Context(), tx, p.Viewer, want, 4)
			return err
		}); err != nil {
			return s.dispatchBack(w, r, p, err)
		}
		p.Form = r.PostForm
		return s.showDispatch(w, r, p, http.StatusOK, &list)
	}
	err = s.DB.Write(r.Context(), func(tx *store.Tx) error { _, err := s.Transport.Book(r.Context(), tx, p.Viewer, want); return err })
	return s.dispatchBack(w, r, p, s.afterRide(r.Context(), p, err))
}

// afterRide lets what has no car look for one at once. Whatever comes of that, what was asked for is done.
func (s *Server) afterRide(ctx context.Context, p *page, err error) error {
	if err == nil {
		if late := s.Transport.Update(ctx, p.Org.ID); late != nil {
			s.Log.Error("looking for a car failed", "err", late)
		}
	}
	return err
}

func (s *Server) markRide(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	_, err := s.Transport.Mark(r.Context(), p.Viewer, transport.ID(r.PathValue("ride")), transport.Direction(r.PathValue("dir")), transport.Act(r.PathValue("act")), time.Time{})
	return s.dispatchBack(w, r, p, s.afterRide(r.Context(), p, err))
}

func (s *Server) cancelRide(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		_, err := s.Transport.Cancel(tx, p.Viewer, p.Org.ID, transport.ID(r.PathValue("ride")))
		return err
	})
	return s.dispatchBack(w, r, p, s.afterRide(r.Context(), p, err))
}

func (s *Server) planDay(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	on, err := p.dispatchDay(r)
	if err == nil {
		_, _, err = s.Transport.Plan(r.Context(), p.Org.ID, on)
	}
	return s.dispatchBack(w, r, p, err)
}

func (s *Server) saveVehicle(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	f := r.PostForm
	v := transport.Vehicle{Org: p.Org.ID, ID: transport.VehicleID(f.Get("id")), Name: f.Get("name"), Depot: f.Get("depot"), Driver: person.ID(f.Get("driver")), Ramp: f.Get("ramp") == "1", Lift: f.Get("lift") == "1",
		Weekdays: []int{1, 2, 3, 4, 5}, Active: true}
	var bad [4]error
	v.Seats, bad[0] = strconv.Atoi(f.Get("seats"))
	v.Wheelchairs, bad[1] = strconv.Atoi(f.Get("chairs"))
	v.From, bad[2] = clock.ParseWall(f.Get("from"))
	v.To, bad[3] = clock.ParseWall(f.Get("to"))
	for _, err := range bad {
		if err != nil {
			return s.dispatchBack(w, r, p, fault.Invalidf("A vehicle has seats, places, and a shift with two times."))
		}
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error { _, err := s.Transport.SaveVehicle(tx, v); return err })
	return s.dispatchBack(w, r, p, err)
}

func (s *Server) breakDown(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	until := p.Now // back on the road
	if text := r.PostForm.Get("until"); text != "" {
		wall, err := clock.ParseWall(text)
		if err != nil {
			return s.dispatchBack(w, r, p, fault.Invalidf("Please name a time of day."))
		}
		until = clock.At(clock.DayOf(p.Now, p.Zone), wall, p.Zone)
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		return s.Transport.Breakdown(r.Context(), tx, p.Viewer, transport.VehicleID(r.PathValue("vehicle")), until)
	})
	return s.dispatchBack(w, r, p, s.afterRide(r.Context(), p, err))
}

// rideLine says how a ride of today stands, as a range, and lets her say that she is ready.
func (s *Server) rideLine(tx *store.Tx, m *todayPage, x promise.Promise) (time.Time, string, error) {
	r, err := s.Transport.Get(tx, m.Org.ID, transport.ID(x.About))
	if err != nil {
		return x.From, "", err
	}
	l, dir := &r.Out, transport.Out
	if r.Back.Promise == x.ID {
		l, dir = &r.Back, transport.Back
	}
	if l.Promise != x.ID { // of a time that is no more
		return x.From, "", nil
	}
	say := m.T("ride.state." + string(l.State))
	switch {
	case l.State == transport.Call:
		if m.May(person.Act) && r.Out.State.Over() {
			m.Home = append(m.Home, string(r.ID))
		}
	case l.Told.Known() && (l.State == transport.Planned || l.State == transport.Way):
		say += ". " + m.T("ride.expected", "from", m.Time(l.Told.From), "to", m.Time(l.Told.To))
	}
	if dir == transport.Out && l.State == transport.Planned {
		say += ". " + m.T("ride.there", "place", l.To.Name, "time", m.Time(r.There))
	}
	return x.From, say + ".", nil
}

func (s *Server) rideReady(w http.ResponseWriter, r *http.Request, p *page) error {
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		x, err := s.Transport.Get(tx, p.Org.ID, transport.ID(r.PathValue("ride")))
		if err == nil && x.Patient != p.Patient.ID {
			err = fault.NotFoundf("There is no such ride.")
		}
		if err == nil {
			_, err = s.Transport.Ready(r.Context(), tx, p.Viewer, p.Org.ID, x.ID)
		}
		return err
	})
	if err = s.afterRide(r.Context(), p, err); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showToday(w, r, p, status) })
	}
	return back(w, r, p.Base+"/today", "ride.ready")
}
