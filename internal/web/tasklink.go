package web

import (
	"net/http"
	"strings"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// taskLinkPage is the one thing that a text's short link opens. Whoever holds the link may answer that one thing and sees
// nothing else: no name in full, no medicine, no other day.
type taskLinkPage struct {
	*page
	Code   string
	Say    []string
	Closed bool   // nothing is left to answer
	Alone  bool   // it is a call that has not come yet: the patient's own plan is what there is to do
	Told   bool   // it is a notice to a helper: nothing to answer here
	Asks   string // a visit or an offer: what its two answers are called, after "link."; empty: it is about doses
	Video  string // address of the room of a visit by video
	Opens  string // when it opens; empty: it is open
	Thanks string
}

func (s *Server) taskLinkRoutes(mux *http.ServeMux) {
	mux.Handle("GET /r/{code}", s.open(s.taskLink))
	mux.Handle("POST /r/{code}", s.open(s.answerLink))
}

// linked is what a link names: the message, its reader, and the promises asked about.
type linked struct {
	message.Message
	promises []promise.Promise
}

// openLink finds what a link names and puts its reader's language and zone on the page.
func (s *Server) openLink(r *http.Request, p *page) (linked, error) {
	p.Title = "link.title"
	var l linked
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		m, err := s.Message.OpenLink(tx, r.PathValue("code"))
		if err != nil {
			return err
		}
		l.Message = m
		reader, err := s.Person.Get(tx, m.Org, m.Person)
		if err != nil {
			return err
		}
		org, err := s.Person.Org(tx, m.Org)
		if err != nil {
			return err
		}
		s.inOrg(p, org)
		p.Lang, p.Zone = reader.Language, reader.Location()
		for id := range strings.FieldsSeq(m.Promises) {
			x, err := s.Promise.Get(tx, m.Org, m.Patient, promise.ID(id))
			if err != nil {
				return err
			}
			l.promises = append(l.promises, x)
		}
		return nil
	})
	return l, err
}

func (s *Server) taskLink(w http.ResponseWriter, r *http.Request, p *page) error {
	l, err := s.openLink(r, p)
	if err != nil {
		return err
	}
	return s.showLink(w, r, p, l, http.StatusOK)
}

func (s *Server) showLink(w http.ResponseWriter, r *http.Request, p *page, l linked, status int) error {
	w.Header().Set("Cache-Control", "no-store")
	m := taskLinkPage{page: p, Code: r.PathValue("code"), Closed: true, Told: l.Person != l.Patient}
	for _, x := range l.promises {
		m.Say = append(m.Say, p.Tell(x.Say, x.Args))
		m.Alone = m.Alone || ownPlan(x)
		if answerable(x) {
			m.Closed = false
		}
		if x.Kind == pathway.Kind {
			m.Asks, m.Closed = x.Kind, x.State != promise.Open
		}
		if visitLink(x) {
			waits, err := s.linkWaits(r, x)
			if err != nil {
				return err
			}
			m.Asks, m.Closed = x.Kind, !waits
			if x.Args["at"] == "" {
				continue
			}
			m.Say[len(m.Say)-1] += ": " + words.Value(p.Lang, x.Args["at"], p.Zone)
		}
	}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		path, opens, err := s.videoOf(tx, p, l)
		if err == nil && path != "" {
			m.Video = "/r/" + m.Code + path
			if !opens.IsZero() {
				m.Opens = p.When(opens)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, taskLinkView(m))
}

// visitLink reports whether a promise is a visit, a time that is offered, or a thing or a move of a journey: those are answered with yes or no.
func visitLink(x promise.Promise) bool {
	return x.Kind == appointment.Promised || x.Kind == appointment.Offered || x.Kind == journey.Thing || x.Kind == journey.Move
}

// linkWaits reports whether a visit or an offer still waits for an answer.
func (s *Server) linkWaits(r *http.Request, x promise.Promise) (waits bool, err error) {
	if x.Kind == journey.Thing || x.Kind == journey.Move {
		return x.State == promise.Open, nil
	}
	err = s.DB.Read(r.Context(), func(tx *store.Tx) error { waits, err = s.Appointment.Answerable(tx, x); return err })
	return waits, err
}

// answerVisitLink takes the yes or no of whoever holds the link, as by text: to a visit, an offer, or steps of a pathway.
func (s *Server) answerVisitLink(w http.ResponseWriter, r *http.Request, p *page, l linked) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	number := map[string]int{"yes": 1, "no": 2}[r.PostForm.Get("answer")]
	if number == 0 {
		return s.again(w, r, p, fault.Invalidf("Please choose one of the answers."), func(status int) error { return s.showLink(w, r, p, l, status) })
	}
	m := taskLinkPage{page: p}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		for _, x := range l.promises {
			ans := message.Answer{Org: l.Org, Patient: l.Patient, By: l.Person, Promises: string(x.ID), Say: l.Say, Number: number, At: p.Now, Source: "link"}
			reply := s.Appointment.Reply
			switch x.Kind {
			case appointment.Offered:
				reply = s.Appointment.ReplyOffer
			case journey.Thing, journey.Move:
				reply = s.Journey.Reply
			case pathway.Kind:
				reply = s.Pathway.Reply
			}
			say, args, err := reply(tx, ans, x)
			if err != nil {
				return err
			}
			m.Thanks = words.Tell(p.Lang, "link."+say, args, p.Zone)
		}
		return nil
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showLink(w, r, p, l, status) })
	}
	return s.show(w, r, http.StatusOK, p, taskLinkView(m))
}

// answerable reports whether a dose may still be answered: while it is open, and late, after it was given up.
func answerable(x promise.Promise) bool {
	return x.Kind == medication.Kind && (x.State == promise.Open || x.State == promise.Broken)
}

func (s *Server) answerLink(w http.ResponseWriter, r *http.Request, p *page) error {
	l, err := s.openLink(r, p)
	if err != nil {
		return err
	}
	p.Patient.ID = l.Patient // for whom the answer is; the page shows nothing of the chart
	p.Viewer.Person = l.Patient
	if len(l.promises) > 0 && (visitLink(l.promises[0]) && len(l.promises) == 1 || l.promises[0].Kind == pathway.Kind) {
		return s.answerVisitLink(w, r, p, l)
	}
	a, err := readAnswer(r, p)
	if err == nil {
		a.Org, a.By, a.For, a.Kind, a.Source = l.Org, l.Person, "", "tap", "link"
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.answerAll(tx, l, a) })
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showLink(w, r, p, l, status) })
	}
	m := taskLinkPage{page: p, Thanks: p.T("done.skipped")}
	if a.Taken {
		m.Thanks = p.T("done.taken")
	}
	return s.show(w, r, http.StatusOK, p, taskLinkView(m))
}

func (s *Server) answerAll(tx *store.Tx, l linked, a medication.Word) error {
	for _, x := range l.promises {
		if !answerable(x) {
			continue
		}
		a.Promise = x.ID
		if err := s.Medication.Say(tx, a); err != nil {
			return err
		}
	}
	return s.Person.Audit(tx, person.Viewer{Org: l.Org, Person: l.Person}, l.Patient, "answer a dose", "link")
}
