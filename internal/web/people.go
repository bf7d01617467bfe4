package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// peoplePage lists the patients of the viewer's teams.
type peoplePage struct {
	*page
	Query  string
	People []personLine
	More   int
	Teams  []option
}

type personLine struct {
	person.Person
	Tasks int // open ones
}

// peopleShown bounds the page; past it the search finds people.
const peopleShown = 150

func (s *Server) peopleRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/people", s.staff(s.people))
	mux.Handle("POST /desk/people", s.staff(s.enrol))
	mux.Handle("GET /desk/people/{patient}", s.desked(person.See, "desk", s.personLine))
	mux.Handle("POST /desk/people/{patient}/doses/{promise}", s.desked(person.Act, "answer a dose", s.answerDose))
	mux.Handle("GET /desk/people/{patient}/messages/files/{file}", s.desked(person.Message, "messages", s.file))
	mux.Handle("POST /desk/people/{patient}/messages", s.desked(person.Message, "write a message", s.post))
	mux.Handle("POST /desk/people/{patient}/contacts", s.desked(person.Manage, "change a contact", s.addContact))
	mux.Handle("POST /desk/people/{patient}/helpers", s.desked(person.Manage, "record a proxy", s.addHelper))
	mux.Handle("POST /desk/people/{patient}/me/contact", s.desked(person.Manage, "change a consent", s.saveConsent))
	mux.Handle("POST /desk/people/{patient}/me/end", s.desked(person.Manage, "end an access", s.endAccess))
	mux.Handle("GET /desk/people/{patient}/me", s.desked(person.See, "settings", s.me))
	mux.Handle("POST /desk/people/{patient}/me/day", s.desked(person.Manage, "change the day", s.saveDay))
}

// desked serves a page of a patient's chart at the desk.
func (s *Server) desked(right person.Right, what string, h handler) http.Handler {
	return s.staff(func(w http.ResponseWriter, r *http.Request, p *page) error {
		patient := person.ID(r.PathValue("patient"))
		if err := s.on(r, p, patient, right, what, "/desk/people/"+string(patient)); err != nil {
			return err
		}
		p.Active = "nav.people"
		return h(w, r, p)
	})
}

func (s *Server) people(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showPeople(w, r, p, http.StatusOK)
}

func (s *Server) showPeople(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "people.title", "nav.people"
	m := peoplePage{page: p, Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		all, err := s.Person.PatientsOf(tx, p.Viewer)
		if err != nil {
			return err
		}
		tasks, err := s.Promise.Tasks(tx, p.Org.ID)
		if err != nil {
			return err
		}
		open := map[person.ID]int{}
		for _, t := range tasks {
			open[t.Patient]++
		}
		for _, who := range all {
			if m.Query != "" && !strings.Contains(strings.ToLower(who.Name), strings.ToLower(m.Query)) {
				continue
			}
			if len(m.People) >= peopleShown {
				m.More++
				continue
			}
			m.People = append(m.People, personLine{who, open[who.ID]})
		}
		m.Teams, err = s.teamsOf(tx, p)
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, peopleView(m))
}

// teamsOf answers the viewer's own teams: those in which people can be enrolled and shifts given.
func (s *Server) teamsOf(tx *store.Tx, p *page) ([]option, error) {
	teams, err := s.Person.Teams(tx, p.Org.ID)
	var list []option
	for _, t := range teams {
		if has(p.Self.Teams, t.ID) {
			list = append(list, option{string(t.ID), t.Name})
		}
	}
	return list, err
}

// readYear reads a year of birth.
func readYear(text string, now time.Time) (int, error) {
	year, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || year < 1880 || year > now.Year() {
		return 0, fault.Invalidf("Please write the year with four digits, like 1947.")
	}
	return year, nil
}

// enrol takes a new patient in: who, how to reach them and with what consent, in which team.
func (s *Server) enrol(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	who, err := s.saveNew(r, p)
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPeople(w, r, p, status) })
	}
	return back(w, r, "/desk/people/"+string(who.ID), "added")
}

func (s *Server) saveNew(r *http.Request, p *page) (person.Person, error) {
	f := r.PostForm
	if p.Viewer.Role == person.Clinician {
		return person.Person{}, fault.Deniedf("The front desk and the nurses take people in.")
	}
	team := person.TeamID(f.Get("team"))
	if !has(p.Self.Teams, team) {
		return person.Person{}, fault.Invalidf("Please choose one of your own teams.")
	}
	year, err := readYear(f.Get("year"), p.Now)
	if err != nil {
		return person.Person{}, err
	}
	who := person.Person{Org: p.Org.ID, Role: person.Patient, Name: strings.TrimSpace(f.Get("name")), Called: strings.TrimSpace(f.Get("called")), BirthYear: year,
		Language: f.Get("language"), Zone: strings.TrimSpace(f.Get("zone")), Record: strings.TrimSpace(f.Get("record")), Teams: []person.TeamID{team}}
	err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
		saved, err := s.Person.Save(tx, who)
		if err != nil {
			return err
		}
		if err := s.saveAddresses(tx, r, saved); err != nil {
			return err
		}
		who = saved
		return s.Person.Audit(tx, p.Viewer, saved.ID, "enrol", "")
	})
	return who, err
}

// saveAddresses keeps the telephone and the e-mail address of a form, each with the consent that was ticked.
func (s *Server) saveAddresses(tx *store.Tx, r *http.Request, who person.Person) error {
	rank := 0
	for _, a := range []struct {
		field   string
		channel person.Channel
	}{{"phone", person.SMS}, {"landline", person.Voice}, {"mail", person.Mail}} {
		address := strings.TrimSpace(r.PostForm.Get(a.field))
		if address == "" {
			continue
		}
		consent := person.Unasked
		if r.PostForm.Get(a.field+"_ok") != "" {
			consent = person.Given
		}
		c := person.Contact{Person: who.ID, Rank: rank, Channel: a.channel, Address: address, Consent: consent, Source: "enrolment form"}
		if err := s.Person.SetContact(tx, who.Org, c); err != nil {
			return err
		}
		rank++
	}
	return nil
}

// addContact adds addresses of a person.
func (s *Server) addContact(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if err := s.saveAddresses(tx, r, p.Patient); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "change", "contact")
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPersonLine(w, r, p, status) })
	}
	return back(w, r, p.Base, "saved")
}

// accessFor is how long a caregiver's access holds before it is asked for again.
const accessFor = 365

// addHelper records who may act for the patient, as the patient said: a new person, or one already known by the same address.
func (s *Server) addHelper(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := s.saveHelper(r, p); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPersonLine(w, r, p, status) })
	}
	return back(w, r, p.Base, "added")
}

func (s *Server) saveHelper(r *http.Request, p *page) error {
	f := r.PostForm
	year, err := readYear(f.Get("year"), p.Now)
	if err != nil {
		return err
	}
	rights := []person.Right{person.See}
	for _, right := range []person.Right{person.Act, person.Message, person.Manage} {
		if f.Get("may_"+string(right)) != "" {
			rights = append(rights, right)
		}
	}
	who := person.Person{Org: p.Org.ID, Role: person.Caregiver, Name: strings.TrimSpace(f.Get("name")), BirthYear: year, Language: f.Get("language"), Zone: p.Patient.Zone}
	return s.DB.Write(r.Context(), func(tx *store.Tx) error {
		helper, err := s.knownHelper(tx, p, who, f.Get("phone"))
		if err != nil {
			return err
		}
		if helper.ID == "" {
			if helper, err = s.Person.Save(tx, who); err != nil {
				return err
			}
			if err := s.saveAddresses(tx, r, helper); err != nil {
				return err
			}
		}
		until := clock.At(clock.DayOf(p.Now, p.Zone).Add(accessFor), 0, p.Zone)
		link := person.CareLink{Patient: p.Patient.ID, Caregiver: helper.ID, Rights: rights, Relation: strings.TrimSpace(f.Get("relation")), From: p.Now, Until: until,
			GivenBy: p.Viewer.Person}
		if err := s.Person.Link(tx, p.Org.ID, link); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "give access", string(helper.ID))
	})
}

// knownHelper answers the caregiver who already has this telephone, name and year of birth: a daughter of two patients is one
// person with two links.
func (s *Server) knownHelper(tx *store.Tx, p *page, who person.Person, phone string) (person.Person, error) {
	n, err := person.Phone(phone)
	if err != nil {
		return person.Person{}, nil // no telephone, or one that saveAddresses will refuse
	}
	contacts, err := s.Person.AtAddress(tx, p.Org.ID, person.SMS, n)
	if err != nil {
		return person.Person{}, err
	}
	for _, c := range contacts {
		had, err := s.Person.Get(tx, p.Org.ID, c.Person)
		if err != nil {
			return person.Person{}, err
		}
		if strings.EqualFold(had.Name, who.Name) && had.BirthYear == who.BirthYear {
			return had, nil
		}
	}
	return person.Person{}, nil
}
