package web

import (
	"net/http"
	"strings"

	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// helpingPage lists the people whom the viewer helps.
type helpingPage struct {
	*page
	People []person.Person
}

func (s *Server) helping(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title, p.Active = "helping.title", "nav.helping"
	m := helpingPage{page: p}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		var err error
		m.People, err = s.Person.PatientsOf(tx, p.Viewer)
		return err
	})
	if err != nil {
		return err
	}
	if len(m.People) == 1 && p.Viewer.Role == person.Caregiver && r.URL.Query().Get("all") == "" {
		http.Redirect(w, r, "/helping/"+string(m.People[0].ID)+"/today", http.StatusSeeOther)
		return nil
	}
	return s.show(w, r, http.StatusOK, p, helpingView(m))
}

// account is the own settings of those who have no chart: the language, and leaving.
func (s *Server) account(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	p.Title, p.Active = "account.title", "nav.account"
	var d devices
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) { d, err = s.loadDevices(tx, p); return err }); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p, accountView(p, d))
}

func (s *Server) saveAccount(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	who := p.Self
	who.Language = r.PostForm.Get("language")
	if err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		_, err := s.Person.Save(tx, who)
		return err
	}); err != nil {
		return err
	}
	return back(w, r, "/account", "saved")
}

// rights says what a helper may do.
func (p *page) rights(list []person.Right) string {
	texts := make([]string, len(list))
	for i, right := range list {
		texts[i] = p.right(right)
	}
	return strings.Join(texts, ", ")
}

func (p *page) right(r person.Right) string {
	key := "right." + string(r)
	if p.Helping() && words.Has(key+".of") {
		return p.T(key+".of", "called", p.Patient.Called)
	}
	return p.T(key)
}

// source says where a person's word on an address came from.
func (p *page) source(text string) string {
	if key := "source." + text; words.Has(key) {
		return p.T(key)
	}
	return text
}

// act says what somebody did with a chart; what has no words of its own is "looked".
func (p *page) act(key string) string {
	if words.Has(key) {
		return p.T(key)
	}
	return p.T("act.other")
}
