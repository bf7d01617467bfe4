package web

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"doorstep/internal/conversation"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// inboxPage is every question and call that waits for an answer, the soonest promised first, each with the one who holds it.
type inboxPage struct {
	*page
	Mine      []inboxLine // offered to the viewer, and held by her
	Rest      []inboxLine
	Staff     []option
	Routes    []conversation.Route
	Templates []conversation.Template
}

// inboxLine is one conversation as the desk sees it.
type inboxLine struct {
	conversation.Conversation
	Who, Chart, About, Holder string
	Words                     string              // the last that the person wrote
	Files                     []conversation.File // of all that she has written since it was opened
	Due                       string
	Late                      bool
	Mine, Asked               bool // the viewer holds it; is asked to take it over
	From                      string
}

func (s *Server) inboxRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/inbox", s.staff(s.inbox))
	mux.Handle("POST /desk/inbox/{patient}/{conversation}/{act}", s.staff(s.changeConversation))
	mux.Handle("POST /desk/inbox/rules", s.staff(s.saveRoute))
	mux.Handle("POST /desk/inbox/templates", s.staff(s.saveTemplate))
}

func (s *Server) inbox(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showInbox(w, r, p, http.StatusOK)
}

func (s *Server) showInbox(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active, p.Live, p.Wide = "inbox.title", "nav.inbox", "/events?desk=1", true
	m := inboxPage{page: p}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadInbox(tx, &m) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, inboxView(m))
}

func (s *Server) loadInbox(tx *store.Tx, m *inboxPage) error {
	open, err := s.Conversation.Open(tx, m.Viewer)
	if err != nil {
		return err
	}
	names := s.names(tx, m.page)
	for _, c := range open {
		l, err := s.inboxLine(tx, names, c)
		if err != nil {
			return err
		}
		if l.Mine || l.Asked {
			m.Mine = append(m.Mine, l)
		} else {
			m.Rest = append(m.Rest, l)
		}
	}
	for _, role := range []person.Role{person.Nurse, person.Desk, person.Clinician} {
		list, err := s.Person.WithRole(tx, m.Org.ID, role)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.ID != m.Viewer.Person {
				m.Staff = append(m.Staff, option{string(x.ID), x.Name})
			}
		}
	}
	if m.Routes, err = s.Conversation.Routes(tx, m.Org.ID); err != nil {
		return err
	}
	m.Templates, err = s.Conversation.Templates(tx, m.Org.ID)
	return err
}

func (s *Server) inboxLine(tx *store.Tx, names *names, c conversation.Conversation) (inboxLine, error) {
	p := names.p
	l := inboxLine{Conversation: c, Chart: "/desk/people/" + string(c.Patient), Due: p.When(c.By), Late: p.Now.After(c.By),
		Mine: c.Owner == p.Viewer.Person, Asked: c.Offered == p.Viewer.Person}
	who, err := s.Person.Get(tx, c.Org, c.Patient)
	if err != nil {
		return l, err
	}
	l.Who = who.Name
	switch {
	case c.Kind == "call":
		l.About = p.T("inbox.call", "phone", words.Phone(c.Phone))
	case c.Red:
		l.About = p.T("inbox.red")
	default:
		l.About = p.T("inbox.question")
	}
	if c.Owner != "" {
		if l.Holder, err = names.of(c.Owner); err != nil {
			return l, err
		}
	}
	if c.OfferedBy != "" {
		if l.From, err = names.of(c.OfferedBy); err != nil {
			return l, err
		}
	}
	thread, err := s.Message.Thread(tx, c.Org, c.Patient, threadShown)
	if err != nil {
		return l, err
	}
	files, err := s.Conversation.Files(tx, c.Org, c.Patient)
	for _, m := range thread { // the newest first
		if m.Inward && m.Say == "" && !m.At.Before(c.Opened) {
			l.Words = cmp.Or(l.Words, m.Body)
			l.Files = append(l.Files, files[m.ID]...)
		}
	}
	return l, err
}

func (s *Server) changeConversation(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	ctx, patient, id := r.Context(), person.ID(r.PathValue("patient")), r.PathValue("conversation")
	var err error
	switch r.PathValue("act") {
	case "take":
		err = s.Conversation.Take(ctx, p.Viewer, patient, id)
	case "hand":
		err = s.Conversation.HandOver(ctx, p.Viewer, patient, id, person.ID(r.PostForm.Get("to")), r.PostForm.Get("note"))
	case "accept":
		err = s.Conversation.Accept(ctx, p.Viewer, patient, id)
	case "decline":
		err = s.Conversation.Decline(ctx, p.Viewer, patient, id)
	default:
		return fault.NotFoundf("There is no such page.")
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showInbox(w, r, p, status) })
	}
	return back(w, r, "/desk/inbox", "saved")
}

// saveRoute takes one rule for words: phrases a line.
func (s *Server) saveRoute(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	route := conversation.Route{ID: get("id"), Name: get("name"), Role: person.Role(get("role")), Red: get("id") == "red"}
	if route.ID == "" {
		route.ID = s.IDs.New()
	}
	route.Minutes, _ = strconv.Atoi(get("minutes"))
	for line := range strings.Lines(get("words")) {
		if line = strings.TrimSpace(line); line != "" {
			route.Words = append(route.Words, line)
		}
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Conversation.SaveRoute(tx, p.Viewer, route) })
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showInbox(w, r, p, status) })
	}
	return back(w, r, "/desk/inbox", "saved")
}

func (s *Server) saveTemplate(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	t := conversation.Template{ID: r.PostForm.Get("id"), Name: r.PostForm.Get("name"), Text: map[string]string{"en": r.PostForm.Get("en"), "es": r.PostForm.Get("es")}}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Conversation.SaveTemplate(tx, p.Viewer, t) })
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showInbox(w, r, p, status) })
	}
	return back(w, r, "/desk/inbox", "saved")
}
