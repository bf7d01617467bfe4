package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading/pull"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// sitePage is where a patient's readings are asked for.
type sitePage struct {
	*page
	Site pull.Site
	On   bool
}

func (s *Server) siteRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/people/{patient}/site", s.desked(person.See, "site of readings", s.site))
	mux.Handle("POST /desk/people/{patient}/site", s.desked(person.Act, "set a site of readings", s.saveSite))
	mux.Handle("POST /desk/people/{patient}/site/end", s.desked(person.Act, "end a site of readings", s.endSite))
}

func (s *Server) site(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showSite(w, r, p, http.StatusOK)
}

func (s *Server) showSite(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "site.title"
	m := sitePage{page: p}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
		m.Site, m.On, err = s.Pull.Of(tx, p.Org.ID, p.Patient.ID)
		return err
	}); err != nil {
		return err
	}
	return s.show(w, r, status, p, siteView(m))
}

func (s *Server) saveSite(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	minutes, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("minutes")))
	if err != nil || minutes < 1 || minutes > 24*60 {
		err = fault.Invalidf("Please write the minutes as a number, from 1 to 1440.")
	} else {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
			return s.Pull.Set(tx, p.Viewer, pull.Site{Org: p.Org.ID, Patient: p.Patient.ID, Address: r.PostForm.Get("address"), Token: r.PostForm.Get("token"), Every: time.Duration(minutes) * time.Minute})
		})
	}
	if err != nil {
		r.PostForm.Del("token") // it is not shown again
		return s.again(w, r, p, err, func(status int) error { return s.showSite(w, r, p, status) })
	}
	return back(w, r, p.Base+"/site", "saved")
}

func (s *Server) endSite(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Pull.End(tx, p.Viewer, p.Org.ID, p.Patient.ID) }); err != nil {
		return err
	}
	return back(w, r, p.Base+"/site", "saved")
}

// problem puts why a site could not be read into the reader's language.
func (p *page) problem(sentence string) string { return words.Translate(p.Lang, sentence) }

// minutes answers how often the site is asked, as the form has it.
func (m sitePage) minutes() string {
	if !m.On {
		return "5"
	}
	return strconv.Itoa(int(m.Site.Every / time.Minute))
}
