package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

func (s *Server) signInRoutes(mux *http.ServeMux) {
	mux.Handle("GET /{$}", s.open(s.signIn))
	mux.Handle("POST /{$}", s.open(s.askLink))
	mux.Handle("GET /in/{token}", s.open(s.arrive))
	mux.Handle("POST /in/{token}", s.open(s.confirm))
	mux.Handle("POST /sign-out", s.signed(s.signOut))
}

// signIn shows the one question: where to send the link.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title = "signin.title"
	if c, err := r.Cookie(s.cookieName()); err == nil && r.URL.Query().Get("lang") == "" {
		if v, err := s.Person.Session(r.Context(), c.Value); err == nil {
			http.Redirect(w, r, home(v), http.StatusSeeOther)
			return nil
		}
	}
	return s.show(w, r, http.StatusOK, p, signInPage(p))
}

// askLink sends links to whoever has the address. The answer is the same whether anybody has it: it must not tell strangers
// who is looked after here.
func (s *Server) askLink(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title = "signin.title"
	err := r.ParseForm()
	if err == nil {
		err = s.sendLinks(r.Context(), r.PostForm.Get("address"))
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.show(w, r, status, p, signInPage(p)) })
	}
	p.Title = "signin.sent"
	return s.show(w, r, http.StatusOK, p, sentPage(p))
}

func (s *Server) sendLinks(ctx context.Context, address string) error {
	ch, to, err := readAddress(address)
	if err != nil {
		return err
	}
	// Tries are counted by the address asked for, not by the network: a whole clinic may stand behind one proxy.
	if err := s.Person.Attempt(ctx, "link "+to); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		orgs, err := s.Person.Orgs(tx)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			contacts, err := s.Person.AtAddress(tx, org.ID, ch, to)
			if err != nil {
				return err
			}
			for _, c := range contacts {
				if err := s.sendLink(tx, org, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Server) sendLink(tx *store.Tx, org person.Org, c person.Contact) error {
	who, err := s.Person.Get(tx, org.ID, c.Person)
	if err != nil || !who.Active {
		return err
	}
	secret, err := s.Person.NewLink(tx, person.Link{Org: org.ID, Person: who.ID, Purpose: person.SignInLink})
	if err != nil {
		return err
	}
	body := words.Say(who.Language, "sms.signin", map[string]string{"clinic": org.Name, "link": s.PublicURL + "/in/" + secret})
	return s.Message.Say(tx, message.Draft{Org: org.ID, Patient: who.ID, To: "person:" + string(who.ID), At: s.Clock.Now(), Key: "signin/" + s.IDs.New(),
		Say: "signin", Raw: body, Channels: []person.Channel{c.Channel}})
}

// readAddress tells a telephone number from an e-mail address.
func readAddress(text string) (person.Channel, string, error) {
	text = strings.TrimSpace(text)
	if strings.ContainsRune(text, '@') {
		return person.Mail, strings.ToLower(text), nil
	}
	if text == "" {
		return "", "", fault.Invalidf("Please write your phone number or e-mail address.")
	}
	n, err := person.Phone(text)
	return person.SMS, n, err
}

// arrive is where a sign-in link leads: patients and families are asked for their year of birth, staff for one press (mail
// scanners open links, but press nothing).
func (s *Server) arrive(w http.ResponseWriter, r *http.Request, p *page) error {
	who, err := s.behind(r.Context(), p, r.PathValue("token"))
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p, arrivePage(p, who.Called, who.BirthYear != 0, s.toldYear(p, who)))
}

// toldYear tells the year of birth where the people are not real: in the demo.
func (s *Server) toldYear(p *page, who person.Person) string {
	if s.Demo == nil || who.BirthYear == 0 {
		return ""
	}
	return p.T("demo.year", "called", who.Called, "year", strconv.Itoa(who.BirthYear))
}

func (s *Server) behind(ctx context.Context, p *page, token string) (person.Person, error) {
	p.Title = "arrive.title"
	var who person.Person
	err := s.DB.Read(ctx, func(tx *store.Tx) error {
		l, err := s.Person.FindLink(tx, token)
		if err != nil {
			return err
		}
		if l.Purpose != person.SignInLink {
			return fault.NotFoundf("This link has run out. Ask for a new one, or call the clinic.")
		}
		if who, err = s.Person.Get(tx, l.Org, l.Person); err != nil {
			return err
		}
		org, err := s.Person.Org(tx, l.Org)
		s.inOrg(p, org)
		return err
	})
	if err == nil {
		p.Lang = who.Language
	}
	return who, err
}

func (s *Server) confirm(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	token := r.PathValue("token")
	who, err := s.behind(r.Context(), p, token)
	if err != nil {
		return err
	}
	ask := func(status int) error {
		return s.show(w, r, status, p, arrivePage(p, who.Called, who.BirthYear != 0, s.toldYear(p, who)))
	}
	year := 0
	if who.BirthYear != 0 {
		if year, err = strconv.Atoi(strings.TrimSpace(r.PostForm.Get("year"))); err != nil {
			return s.again(w, r, p, fault.Invalidf("Please write the year with four digits, like 1947."), ask)
		}
	}
	session, v, err := s.Person.SignIn(r.Context(), token, year)
	if fault.Is(err, fault.Denied) { // a wrong year: ask again while tries are left
		p.Form, p.Problem = r.PostForm, p.sentence(err)
		return ask(http.StatusForbidden)
	}
	if err != nil {
		return err
	}
	s.setCookie(w, s.cookieName(), session, sessionAge(v.Role))
	http.Redirect(w, r, home(v), http.StatusSeeOther)
	return nil
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := s.Person.SignOut(r.Context(), p.Viewer); err != nil {
		return err
	}
	s.setCookie(w, s.cookieName(), "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
