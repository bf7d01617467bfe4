package web

import (
	"net/http"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// handler answers one request; an error becomes a page that says so.
type handler func(w http.ResponseWriter, r *http.Request, p *page) error

const languageCookie = "lang"

// cookieName is the session's; the prefix makes a browser refuse it from anywhere but this host over https (RFC 6265bis).
func (s *Server) cookieName() string {
	if s.secure {
		return "__Host-doorstep"
	}
	return "doorstep"
}

func (s *Server) setCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(age / time.Second), HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
}

// open serves a page that needs no sign-in, in the language asked for, remembered, or preferred by the browser.
func (s *Server) open(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &page{Now: s.Clock.Now(), Zone: time.UTC, Path: r.URL.Path}
		if lang := r.URL.Query().Get("lang"); lang == "en" || lang == "es" {
			p.Lang = lang
			s.setCookie(w, languageCookie, lang, 365*24*time.Hour)
		} else if c, err := r.Cookie(languageCookie); err == nil && (c.Value == "en" || c.Value == "es") {
			p.Lang = c.Value
		} else {
			p.Lang = words.Prefer(r.Header.Get("Accept-Language"))
		}
		err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
			orgs, err := s.Person.Orgs(tx)
			if err == nil && len(orgs) > 0 {
				s.inOrg(p, orgs[0])
			}
			return err
		})
		if err == nil {
			err = h(w, r, p)
		}
		if err != nil {
			s.fail(w, r, p, err)
		}
	})
}

func (s *Server) inOrg(p *page, o person.Org) {
	p.Org = o
	if z, err := clock.Zone(o.Zone); err == nil {
		p.Zone = z
	}
}

// signed serves a page to whoever holds a live session; others are sent to sign in.
func (s *Server) signed(h handler) http.Handler {
	return s.open(func(w http.ResponseWriter, r *http.Request, p *page) error {
		c, err := r.Cookie(s.cookieName())
		if err == nil {
			p.Viewer, err = s.Person.Session(r.Context(), c.Value)
		}
		if err != nil {
			if r.Method == http.MethodGet && (c == nil || fault.Is(err, fault.Denied)) {
				http.Redirect(w, r, "/", http.StatusSeeOther)
				return nil
			}
			if c == nil {
				err = fault.Deniedf("Please sign in.")
			}
			return err
		}
		// What is on a chart stays out of caches on shared computers.
		w.Header().Set("Cache-Control", "no-store")
		err = s.DB.Read(r.Context(), func(tx *store.Tx) error {
			var err error
			if p.Self, err = s.Person.Get(tx, p.Viewer.Org, p.Viewer.Person); err != nil {
				return err
			}
			org, err := s.Person.Org(tx, p.Viewer.Org)
			s.inOrg(p, org)
			return err
		})
		if err != nil {
			return err
		}
		p.Lang = p.Self.Language
		return h(w, r, p)
	})
}

// staff serves a page to those who work with patients.
func (s *Server) staff(h handler) http.Handler {
	return s.signed(func(w http.ResponseWriter, r *http.Request, p *page) error {
		if !p.Viewer.Role.Staff() {
			return fault.Deniedf("This page is for the staff of the clinic.")
		}
		p.Wide = true
		return h(w, r, p)
	})
}

// on puts a patient's chart on the page, after writing down who looks at what. base is what its addresses begin with.
func (s *Server) on(r *http.Request, p *page, patient person.ID, right person.Right, what, base string) error {
	if err := s.Person.Enter(r.Context(), p.Viewer, right, patient, what); err != nil {
		return err
	}
	return s.DB.Read(r.Context(), func(tx *store.Tx) error {
		var err error
		if p.Patient, err = s.Person.Get(tx, p.Viewer.Org, patient); err != nil {
			return err
		}
		p.Base, p.Zone = base, p.Patient.Location()
		p.Away = p.Self.Zone != p.Patient.Zone
		p.Live = "/events?patient=" + string(patient)
		for _, right := range []person.Right{person.See, person.Act, person.Message, person.Manage} {
			err := s.Person.May(tx, p.Viewer, right, patient)
			if err == nil {
				p.Rights = append(p.Rights, right)
			} else if !fault.Is(err, fault.Denied) {
				return err
			}
		}
		return nil
	})
}

// home answers where a role begins.
func home(v person.Viewer) string {
	switch {
	case v.Role == person.Patient:
		return "/today"
	case v.Role == person.Caregiver:
		return "/helping"
	case v.Role.Staff():
		return "/desk"
	case v.Role == person.Driver:
		return "/drive"
	}
	return "/account"
}

// sessionAge is how long a browser keeps the cookie; the session itself ends in the database.
func sessionAge(r person.Role) time.Duration {
	if r == person.Patient || r == person.Caregiver {
		return 90 * 24 * time.Hour
	}
	return 12 * time.Hour
}
