package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// typesPage is what can be booked. The form that was sent last is open, with what was typed.
type typesPage struct {
	*page
	Open string             // whose form is open: an id, or "new"
	List []appointment.Type // with an empty one last, to be added
}

// resourcesPage is with whom, where and when.
type resourcesPage struct {
	*page
	Open   string         // whose form is open: an id, or "new"
	List   []resourceForm // with an empty one last, to be added
	Types  []option
	Places []option
	Staff  []option
}

type resourceForm struct {
	appointment.Resource
	Blocks []hoursForm
}

// hoursForm is one of a resource's hours as text by weekday. Fixed hours have rules that the form cannot write (every other week, from a day on).
type hoursForm struct {
	appointment.Hours
	Days  [7]string // Monday first: "09:00-12:00, 13:00-17:00"
	Fixed bool
}

func (s *Server) catalogRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/calendar/types", s.staff(s.types))
	mux.Handle("POST /desk/calendar/types", s.staff(s.saveType))
	mux.Handle("GET /desk/calendar/resources", s.staff(s.resources))
	mux.Handle("POST /desk/calendar/resources", s.staff(s.saveResource))
}

func (s *Server) types(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showTypes(w, r, p, http.StatusOK)
}

func (s *Server) showTypes(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "types.title", "nav.calendar"
	m := typesPage{page: p, Open: r.URL.Query().Get("open")}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) { m.List, err = s.Appointment.Types(tx, p.Org.ID); return err }); err != nil {
		return err
	}
	m.List = append(m.List, appointment.Type{Name: map[string]string{}, Lead: 120, Horizon: 60, Grid: 15, Confirm: 72, Active: true})
	return s.show(w, r, status, p, typesView(m))
}

// form answers the page as one of its forms sees it: what was typed belongs to the form that was sent.
func (p *page) form(id string) *page {
	q := *p
	if p.Form.Get("id") != id || len(p.Form) == 0 {
		q.Form = nil
	}
	return &q
}

// opened reports whether the form of a type or resource is open: the one that was sent, else the one that the address names.
func (p *page) opened(named, id string) bool {
	if len(p.Form) > 0 {
		return p.Form.Get("id") == id
	}
	return named == id && id != "" || named == "new" && id == ""
}

// whole reads a number of a form; what is left out is 0.
func whole(r *http.Request, name string) (int, error) {
	text := strings.TrimSpace(r.PostForm.Get(name))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		err = fault.Invalidf("%q is not a whole number.", text)
	}
	return n, err
}

func (s *Server) saveType(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		t, err := s.readType(tx, r, p)
		if err != nil {
			return err
		}
		if err := s.Appointment.SaveType(tx, t); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, "", "change", "type of visit "+t.ID)
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showTypes(w, r, p, status) })
	}
	return back(w, r, "/desk/calendar/types", "saved")
}

// readType reads a type out of its form. Kinds that the form does not ask for (a device, an interpreter) stay as they were.
func (s *Server) readType(tx *store.Tx, r *http.Request, p *page) (appointment.Type, error) {
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	t := appointment.Type{Org: p.Org.ID, ID: get("id"), Name: map[string]string{}}
	if t.ID != "" {
		had, err := s.Appointment.TypeToChange(tx, p.Org.ID, t.ID)
		if err != nil {
			return t, err
		}
		t = had
	} else {
		t.ID = s.IDs.New()
	}
	t.Name = map[string]string{"en": get("en")}
	if es := get("es"); es != "" {
		t.Name["es"] = es
	}
	had := t.Offers
	t.Offers = nil
	for _, way := range appointment.Ways {
		if get("way_"+string(way)) == "" {
			continue
		}
		o := appointment.Offer{Way: way, Needs: []appointment.Kind{appointment.Clinician}}
		if i := slices.IndexFunc(had, func(x appointment.Offer) bool { return x.Way == way }); i >= 0 {
			o = had[i]
			o.Needs = slices.DeleteFunc(slices.Clone(o.Needs), func(k appointment.Kind) bool { return k == appointment.Room })
		}
		if get("room_"+string(way)) != "" {
			o.Needs = append(o.Needs, appointment.Room)
		}
		for name, to := range map[string]*int{"minutes": &o.Min, "before": &o.Before, "after": &o.After} {
			n, err := whole(r, name+"_"+string(way))
			if err != nil {
				return t, err
			}
			*to = n
		}
		t.Offers = append(t.Offers, o)
	}
	for name, to := range map[string]*int{"lead": &t.Lead, "horizon": &t.Horizon, "grid": &t.Grid, "confirm": &t.Confirm} {
		n, err := whole(r, name)
		if err != nil {
			return t, err
		}
		*to = n
	}
	t.Staff, t.Approve, t.Active = get("staff") != "", get("approve") != "", get("active") != ""
	return t, nil
}

func (s *Server) resources(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showResources(w, r, p, http.StatusOK)
}

func (s *Server) showResources(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "resources.title", "nav.calendar"
	m := resourcesPage{page: p, Open: r.URL.Query().Get("open")}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadResources(tx, &m) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, resourcesView(m))
}

func (s *Server) loadResources(tx *store.Tx, m *resourcesPage) error {
	list, err := s.Appointment.Resources(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, x := range append(list, appointment.Resource{Kind: appointment.Clinician, Active: true}) {
		f := resourceForm{Resource: x}
		for _, h := range x.Hours {
			f.Blocks = append(f.Blocks, hoursText(h))
		}
		if len(f.Blocks) == 0 {
			f.Blocks = []hoursForm{{}}
		}
		m.List = append(m.List, f)
	}
	types, err := s.Appointment.Types(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, t := range types {
		m.Types = append(m.Types, option{t.ID, t.Called(m.Lang)})
	}
	places, err := s.Person.Places(tx, m.Org.ID)
	if err != nil {
		return err
	}
	m.Places = []option{{"", m.T("resources.anywhere")}}
	for _, x := range places {
		m.Places = append(m.Places, option{x.ID, x.Name})
	}
	m.Staff = []option{{"", m.T("resources.nobody")}}
	for _, role := range []person.Role{person.Clinician, person.Nurse, person.Desk} {
		list, err := s.Person.WithRole(tx, m.Org.ID, role)
		if err != nil {
			return err
		}
		for _, x := range list {
			m.Staff = append(m.Staff, option{string(x.ID), x.Name})
		}
	}
	return nil
}

// hoursText writes weekly hours by weekday.
func hoursText(h appointment.Hours) hoursForm {
	f := hoursForm{Hours: h}
	var zero clock.Day
	for _, x := range h.Calendar.Weekly {
		if x.Every > 1 || x.From != zero || x.To != zero {
			f.Fixed = true
		}
		for _, d := range x.Days {
			f.Days[d-1] = strings.TrimPrefix(f.Days[d-1]+", "+x.Start.String()+"-"+x.End.String(), ", ")
		}
	}
	return f
}

// readHours reads the hours of one weekday: "09:00-12:00, 13:00-17:00".
func readHours(text string, day int) ([]slot.Weekly, error) {
	var out []slot.Weekly
	for part := range strings.SplitSeq(text, ",") {
		part = strings.ReplaceAll(strings.TrimSpace(part), "–", "-")
		if part == "" {
			continue
		}
		from, to, ok := strings.Cut(part, "-")
		start, err := clock.ParseWall(strings.TrimSpace(from))
		end, wrong := clock.ParseWall(strings.TrimSpace(to))
		if strings.TrimSpace(to) == "24:00" {
			end, wrong = slot.Midnight, nil
		}
		if !ok || err != nil || wrong != nil {
			return nil, fault.Invalidf("%q is not a time like 09:00-12:00.", part)
		}
		out = append(out, slot.Weekly{Days: []int{day}, Start: start, End: end})
	}
	return out, nil
}

func (s *Server) saveResource(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		x, err := s.readResource(tx, r, p)
		if err != nil {
			return err
		}
		if err := s.Appointment.SaveResource(tx, x); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, "", "change", "resource "+x.ID)
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showResources(w, r, p, status) })
	}
	return back(w, r, "/desk/calendar/resources", "saved")
}

// readResource reads a resource out of its form. What the form does not ask for (dates with other hours, closures, hours by other rules, languages, a calendar
// that is followed) stays as it was.
func (s *Server) readResource(tx *store.Tx, r *http.Request, p *page) (appointment.Resource, error) {
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	x := appointment.Resource{Org: p.Org.ID, ID: get("id")}
	if x.ID != "" {
		var err error
		if x, err = s.Appointment.ResourceToChange(tx, p.Org.ID, x.ID); err != nil {
			return x, err
		}
	} else {
		x.ID = s.IDs.New()
	}
	x.Kind, x.Name, x.Person, x.Active = appointment.Kind(get("kind")), get("name"), person.ID(get("person")), get("active") != ""
	if x.Person != "" {
		if who, err := s.Person.Get(tx, p.Org.ID, x.Person); err != nil || !who.Role.Staff() {
			return x, fault.Invalidf("Please choose one of the staff.")
		}
	}
	x.Types = slices.DeleteFunc(slices.Clone(r.PostForm["type"]), func(t string) bool { return t == "" })
	zone, err := clock.Zone(p.Org.Zone)
	if err != nil {
		return x, err
	}
	if len(x.Hours) == 0 {
		x.Hours = []appointment.Hours{{Calendar: slot.Calendar{Zone: zone}}}
	}
	for i := range x.Hours {
		h := &x.Hours[i]
		if hoursText(*h).Fixed {
			continue
		}
		h.Place, h.Ways = get(fmt.Sprintf("place%d", i)), nil
		for _, way := range r.PostForm[fmt.Sprintf("way%d", i)] {
			h.Ways = append(h.Ways, appointment.Way(way))
		}
		h.Calendar.Weekly = nil
		for day := 1; day <= 7; day++ {
			week, err := readHours(get(fmt.Sprintf("day%d_%d", i, day)), day)
			if err != nil {
				return x, err
			}
			h.Calendar.Weekly = append(h.Calendar.Weekly, week...)
		}
	}
	return x, nil
}

// weekday answers the name of a day of the week, 1 Monday to 7 Sunday.
func (p *page) weekday(day int) string { return words.Weekday(p.Lang, time.Weekday(day%7)) }

// ticked reports whether one of several boxes is on: as it was sent, else as it stands.
func (p *page) ticked(name, value string, already bool) bool {
	if len(p.Form) > 0 {
		return slices.Contains(p.Form[name], value)
	}
	return already
}

func offerOf(t appointment.Type, w appointment.Way) (appointment.Offer, bool) {
	o, ok := t.Offer(w)
	if !ok {
		o.Min = 30
	}
	return o, ok
}
