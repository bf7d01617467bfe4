package web

import (
	"net/http"
	"strconv"
	"strings"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

// overbookPage is what may be booked beside others, and what that costs.
type overbookPage struct {
	*page
	On       []overbookLine
	Prices   []priceLine
	Who      []option // clinicians
	Types    []option
	Chances  string // where the chances of missed visits come from
	Bins     []shareLine
	resource map[string]string
	typ      map[string]string
}

type overbookLine struct{ Resource, Type, Say string }

type priceLine struct {
	ID, Say, Facts string
	Rows           [][]string
}

func (s *Server) overbookRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/overbooking", s.staff(s.overbook))
	mux.Handle("POST /desk/overbooking/price", s.staff(s.priceOverbook))
	mux.Handle("POST /desk/overbooking", s.staff(s.switchOverbook))
	mux.Handle("POST /desk/overbooking/end", s.staff(s.endOverbook))
}

const pricesShown = 30 // days that a simulated price is shown, and may be used

func (s *Server) overbook(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showOverbook(w, r, p, http.StatusOK)
}

func (s *Server) showOverbook(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "overbook.title", "nav.calendar"
	m := overbookPage{page: p, resource: map[string]string{}, typ: map[string]string{}}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadOverbook(tx, &m) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, overbookView(m))
}

func (s *Server) loadOverbook(tx *store.Tx, m *overbookPage) error {
	types, err := s.Appointment.Types(tx, m.Org.ID)
	if err != nil {
		return err
	}
	for _, t := range types {
		m.typ[t.ID] = t.Called(m.Lang)
		if t.Active {
			m.Types = append(m.Types, option{t.ID, t.Called(m.Lang)})
		}
	}
	resources, err := s.Appointment.Resources(tx, m.Org.ID)
	if err != nil {
		return err
	}
	names := s.names(tx, m.page)
	for _, r := range resources {
		m.resource[r.ID] = r.Name
		if r.Kind == appointment.Clinician && r.Active {
			m.Who = append(m.Who, option{r.ID, r.Name})
		}
		for _, t := range types {
			if x, on := r.Overbook[t.ID]; on {
				by, err := names.of(x.By)
				if err != nil {
					return err
				}
				m.On = append(m.On, overbookLine{r.ID, t.ID, m.T("overbook.line", "who", r.Name, "what", m.typ[t.ID], "share", m.percent(x.Share), "by", by, "when", m.When(x.At))})
			}
		}
	}
	prices, err := s.Appointment.Prices(tx, m.Org.ID, m.Now.AddDate(0, 0, -pricesShown))
	if err != nil {
		return err
	}
	for _, x := range prices {
		m.Prices = append(m.Prices, m.price(x))
	}
	model, err := s.Appointment.Chances(tx, m.Org.ID)
	if err != nil {
		return err
	}
	m.Chances, m.Bins = m.chances(model)
	return nil
}

func (m *overbookPage) price(x appointment.Price) priceLine {
	chances := "overbook.prior"
	if x.World.Own {
		chances = "overbook.own"
	}
	line := priceLine{ID: x.ID, Say: m.T("overbook.of", "who", m.resource[x.Resource], "what", m.typ[x.Type], "share", m.percent(x.Share)),
		Facts: m.T("overbook.facts", "when", m.When(x.Made), "n", strconv.Itoa(x.World.Slots), "minutes", strconv.Itoa(x.World.Minutes), "missed", m.percent(x.World.Missed), "chances", m.T(chances))}
	in := func(i stat.Interval) string {
		return m.Num(i.Value, 1) + " (" + m.Num(i.Low, 1) + " – " + m.Num(i.High, 1) + ")"
	}
	rows := []struct {
		name string
		of   func(i int) string
	}{
		{"overbook.sooner", func(i int) string { return in(x.Lines[i].Sooner) }},
		{"overbook.wait", func(i int) string { return in(x.Lines[i].Wait) }},
		{"overbook.overtime", func(i int) string { return in(x.Lines[i].Overtime) }},
		{"overbook.beside", func(i int) string { return in(x.Lines[i].Beside) }},
		{"overbook.now", func(i int) string {
			return m.Num(x.Lines[i].WaitNow.Value, 1) + " / " + m.Num(x.Lines[i].OvertimeNow.Value, 1)
		}},
	}
	for _, row := range rows {
		cells := []string{m.T(row.name)}
		for i := range x.Lines {
			cells = append(cells, row.of(i))
		}
		line.Rows = append(line.Rows, cells)
	}
	return line
}

// priceOverbook simulates what booking beside others would cost.
func (s *Server) priceOverbook(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	percent, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("share")))
	if err != nil {
		err = fault.Invalidf("Please write the share as a number of percent.")
	} else {
		_, err = s.Appointment.SimulatePrice(r.Context(), p.Viewer, p.Org.ID, r.PostForm.Get("resource"), r.PostForm.Get("type"), float64(percent)/100)
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showOverbook(w, r, p, status) })
	}
	return back(w, r, "/desk/overbooking", "overbook.priced")
}

func (s *Server) switchOverbook(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		return s.Appointment.Overbook(tx, p.Viewer, p.Org.ID, r.PostForm.Get("price"))
	}); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showOverbook(w, r, p, status) })
	}
	return back(w, r, "/desk/overbooking", "saved")
}

func (s *Server) endOverbook(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		return s.Appointment.EndOverbook(tx, p.Viewer, p.Org.ID, r.PostForm.Get("resource"), r.PostForm.Get("type"))
	}); err != nil {
		return err
	}
	return back(w, r, "/desk/overbooking", "saved")
}
