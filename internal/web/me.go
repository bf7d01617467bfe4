package web

import (
	"fmt"
	"net/http"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// mePage is a person's own settings: how we reach them, who helps, how the day goes, who looked.
type mePage struct {
	*page
	Contacts []person.Contact
	Helpers  []helper
	Looks    []look
	Devices  devices
	Meds     medicines
}

type helper struct {
	ID       person.ID
	Name     string
	Relation string
	Rights   []person.Right
	Live     bool
}

// look is what somebody did with the chart. Plain looks of one person on one day are one line.
type look struct {
	At      time.Time // the last time
	Who     string
	What    string // catalog key
	Allowed bool
	Times   int
}

// looksShown is how many lines a page shows, of at most so many lines of the audit.
const (
	looksShown = 20
	looksRead  = 500
)

func (s *Server) me(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showMe(w, r, p, http.StatusOK)
}

func (s *Server) showMe(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "me.title", "nav.me"
	if p.Helping() {
		p.Active = "nav.them"
	}
	m := mePage{page: p}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		var err error
		if m.Contacts, err = s.Person.Contacts(tx, p.Org.ID, p.Patient.ID); err != nil {
			return err
		}
		if m.Helpers, err = s.helpers(tx, p); err != nil {
			return err
		}
		if m.Devices, err = s.loadDevices(tx, p); err != nil {
			return err
		}
		if m.Meds, err = s.medicines(tx, p); err != nil {
			return err
		}
		m.Looks, err = s.looks(tx, p)
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, meView(m))
}

func (s *Server) helpers(tx *store.Tx, p *page) ([]helper, error) {
	links, err := s.Person.Links(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return nil, err
	}
	var list []helper
	for _, l := range links {
		who, err := s.Person.Get(tx, p.Org.ID, l.Caregiver)
		if err != nil {
			return nil, err
		}
		list = append(list, helper{ID: l.Caregiver, Name: who.Name, Relation: l.Relation, Rights: l.Rights, Live: l.Live(p.Now)})
	}
	return list, nil
}

func (s *Server) looks(tx *store.Tx, p *page) ([]look, error) {
	lines, err := s.Person.AuditOf(tx, p.Org.ID, p.Patient.ID, looksRead)
	if err != nil {
		return nil, err
	}
	names := s.names(tx, p)
	var list []look
	at := map[string]int{} // the line of a person, an act and a day
	for _, l := range lines {
		plain := l.Act == string(person.See) || l.Act == string(person.Message)
		if plain && l.Allowed && l.Viewer == p.Patient.ID {
			continue // that people look at their own pages is no news
		}
		key := fmt.Sprint(l.Viewer, l.Act, l.Allowed, clock.DayOf(l.At, p.Zone))
		if i, ok := at[key]; ok && plain {
			list[i].Times++
			continue
		}
		if len(list) == looksShown {
			continue
		}
		who, err := names.of(l.Viewer)
		if err != nil {
			return nil, err
		}
		at[key] = len(list)
		list = append(list, look{At: l.At, Who: who, What: "act." + l.Act, Allowed: l.Allowed, Times: 1})
	}
	return list, nil
}

// walls are the times of a person's day that the form asks for.
var walls = []string{"wake", "breakfast", "lunch", "dinner", "bed", "quiet_from", "quiet_to"}

func dayFields(p *person.Person) map[string]*clock.Wall {
	return map[string]*clock.Wall{"wake": &p.Routine.Wake, "breakfast": &p.Routine.Breakfast, "lunch": &p.Routine.Lunch, "dinner": &p.Routine.Dinner,
		"bed": &p.Routine.Bed, "quiet_from": &p.QuietFrom, "quiet_to": &p.QuietTo}
}

// saveDay changes the language and the times of the day.
func (s *Server) saveDay(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	changed := p.Patient
	changed.Language = r.PostForm.Get("language")
	var err error
	for name, wall := range dayFields(&changed) {
		var bad error
		if *wall, bad = clock.ParseWall(r.PostForm.Get(name)); bad != nil {
			err = fault.Invalidf("Please write each time like 08:00.")
		}
	}
	if err == nil {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
			if _, err := s.Person.Save(tx, changed); err != nil {
				return err
			}
			return s.Person.Audit(tx, p.Viewer, changed.ID, "change", "day")
		})
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showMe(w, r, p, status) })
	}
	return back(w, r, p.Base+"/me", "saved")
}

// saveConsent records a person's word on one of the addresses: an address that is not the person's is refused.
func (s *Server) saveConsent(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	word := person.Withdrawn
	if r.PostForm.Get("word") == string(person.Given) {
		word = person.Given
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		contacts, err := s.Person.Contacts(tx, p.Org.ID, p.Patient.ID)
		if err != nil {
			return err
		}
		for _, c := range contacts {
			if string(c.Channel) == r.PostForm.Get("channel") && c.Address == r.PostForm.Get("address") {
				c.Consent, c.Source = word, "page"
				if err := s.Person.SetContact(tx, p.Org.ID, c); err != nil {
					return err
				}
				tx.Hint("patient", string(p.Org.ID)+"/"+string(p.Patient.ID))
				return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "consent", string(c.Channel)+" "+string(word))
			}
		}
		return fault.NotFoundf("That address is not on this page any more.")
	})
	if err != nil {
		return err
	}
	return back(w, r, p.Base+"/me", "saved")
}

// endAccess takes a helper's access back, at once.
func (s *Server) endAccess(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	helper := person.ID(r.PostForm.Get("helper"))
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if err := s.Person.Unlink(tx, p.Org.ID, p.Patient.ID, helper); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "end access", string(helper))
	})
	if err != nil {
		return err
	}
	return back(w, r, p.Base+"/me", "ended")
}

func (s *Server) signOutEverywhere(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if err := s.Person.ForgetChannel(tx, p.Viewer.Org, p.Viewer.Person, person.Push); err != nil { // a lost phone shows nothing more
			return err
		}
		return s.Person.SignOutEverywhere(tx, p.Viewer.Org, p.Viewer.Person)
	}); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
