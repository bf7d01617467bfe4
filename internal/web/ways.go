package web

import (
	"net/http"
	"slices"
	"strconv"

	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/store"
)

// waysPage is the catalog of ways as staff edit it.
type waysPage struct {
	*page
	Kinds   []journey.Kind
	Outlets []journey.Outlet
	Leaves  []option
}

// wayLine is one way of a kind; one that is off is known from the usual ones.
type wayLine struct {
	journey.Way
	Name string
	On   bool
}

// burdenSources are the publications that the burden goes back to.
var burdenSources = []string{
	"Ray KN et al. Opportunity costs of ambulatory medical care in the United States. Am J Manag Care 2015;21:567.",
	"Ganguli I et al. Health care contact days among older adults in traditional Medicare. Ann Intern Med 2024. doi:10.7326/M23-2331.",
	"Burke LG et al. Healthy days at home. Healthcare 2020;8:100378.",
	"Russell LB et al. Time requirements for diabetes self-management and companions' time. Med Decis Making 2008.",
	"Sharma S et al. Telehealth and travel saved, 2023: 53.66 million miles, 21,466 t CO2.",
	"IRS Notice 2026-10: 20.5 cents a mile for medical travel.",
}

func (s *Server) waysRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/ways", s.staff(s.ways))
	mux.Handle("POST /desk/ways/{kind}", s.staff(s.saveWays))
}

func (s *Server) ways(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showWays(w, r, p, http.StatusOK)
}

func (s *Server) showWays(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "ways.title"
	m := waysPage{page: p, Leaves: []option{{"", p.T("ways.leave.none")}, {"clinician", p.T("ways.leave.clinician")}, {"desk", p.T("ways.leave.desk")}}}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
		if m.Kinds, err = s.Journey.Kinds(tx, p.Org.ID); err == nil {
			m.Outlets, err = s.Journey.Outlets(tx, p.Org.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, waysView(m))
}

// all answers the ways of a kind, and those of the usual ones that are off.
func (m waysPage) all(k journey.Kind) []wayLine {
	var out []wayLine
	for _, w := range waysOf(k) {
		_, on := k.Way(w.ID)
		out = append(out, wayLine{w, capital(m.T("journeys.way." + string(w.Mode))), on})
	}
	return out
}

func waysOf(k journey.Kind) []journey.Way {
	list := slices.Clone(k.Ways)
	for _, u := range journey.Usual() {
		if u.ID != k.ID {
			continue
		}
		for _, w := range u.Ways {
			if _, has := k.Way(w.ID); !has {
				list = append(list, w)
			}
		}
	}
	return list
}

func (s *Server) saveWays(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	f := r.PostForm
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		kinds, err := s.Journey.Kinds(tx, p.Org.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(kinds, func(k journey.Kind) bool { return k.ID == r.PathValue("kind") })
		if i < 0 {
			return fault.NotFoundf("There is no such kind of need.")
		}
		k := kinds[i]
		var list []journey.Way
		for _, x := range waysOf(k) {
			if f.Get(x.ID+".on") == "" {
				continue
			}
			x.Leave = journey.Decider(f.Get(x.ID + ".leave"))
			if x.LeadHours, err = strconv.Atoi(f.Get(x.ID + ".lead")); err == nil {
				if x.PerDay, err = strconv.Atoi(f.Get(x.ID + ".perday")); err == nil {
					if x.Dollars, err = strconv.ParseFloat(f.Get(x.ID+".dollars"), 64); err == nil {
						x.WithinKM, err = strconv.ParseFloat(f.Get(x.ID+".km"), 64)
					}
				}
			}
			if err != nil {
				return fault.Invalidf("Please write plain numbers.")
			}
			list = append(list, x)
		}
		k.Ways = list
		_, err = s.Journey.SaveKind(tx, p.Viewer, k)
		return err
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showWays(w, r, p, status) })
	}
	return back(w, r, "/desk/ways", "saved")
}

func itoa(n int) string { return strconv.Itoa(n) }

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
