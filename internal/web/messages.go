package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"doorstep/internal/conversation"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Poster writes words into a patient's thread: an answer is promised to those who ask, and kept by those who answer.
// conversation.Service is one.
type Poster interface {
	Post(ctx context.Context, v person.Viewer, patient person.ID, body string, files ...conversation.File) error
}

// messagesPage is one thread with the clinic.
type messagesPage struct {
	*page
	talk
}

// talk is what was said about a patient: people's own words, and apart from them the notices that were sent.
type talk struct {
	Words   []said
	Notices []said
	Answer  string // the promise of an answer, while one is open
}

// said is one message of the thread.
type said struct {
	At    time.Time
	Who   string
	Body  string
	Mine  bool
	Files []conversation.File
	State string // how it was sent and whether it arrived; empty for what came in
}

const (
	threadShown = 60
	longestWord = 2000 // characters of a message
)

func (s *Server) messages(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showMessages(w, r, p, http.StatusOK)
}

func (s *Server) showMessages(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "messages.title", "nav.messages"
	m := messagesPage{page: p}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		var err error
		m.talk, err = s.thread(tx, s.names(tx, p))
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, messagesView(m))
}

// thread answers the latest messages, the newest first, and the open promise of an answer. Links that sign somebody in are kept
// from every page, and what was said to others only the desk sees.
func (s *Server) thread(tx *store.Tx, names *names) (talk, error) {
	p := names.p
	all, err := s.Message.Thread(tx, p.Org.ID, p.Patient.ID, threadShown)
	var t talk
	if err != nil {
		return t, err
	}
	files, err := s.Conversation.Files(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return t, err
	}
	for _, m := range all {
		if m.Say == "raw" || m.Channel == person.Cue || m.State == message.Dropped {
			continue
		}
		own := m.Say == "" // words of a person, not a notice of ours
		if !p.Viewer.Role.Staff() && !own && m.Person != p.Viewer.Person && m.Person != p.Patient.ID {
			continue
		}
		l, err := names.said(m)
		if err != nil {
			return t, err
		}
		if l.Files = files[m.ID]; own {
			t.Words = append(t.Words, l)
		} else {
			t.Notices = append(t.Notices, l)
		}
	}
	open, err := s.Promise.OpenOf(tx, p.Org.ID, p.Patient.ID, "answer")
	if err != nil || len(open) == 0 {
		return t, err
	}
	t.Answer = p.T("say.answer", "time", p.When(open[0].By))
	held, err := s.Conversation.Of(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return t, err
	}
	for _, c := range held {
		if c.Promise == open[0].ID && c.Owner != "" {
			who, err := names.of(c.Owner)
			if err != nil {
				return t, err
			}
			t.Answer = p.T("messages.held", "who", who) + " " + t.Answer
		}
	}
	return t, nil
}

func (n *names) said(m message.Message) (said, error) {
	who, err := n.of(m.Person)
	if err != nil {
		return said{}, err
	}
	staff := n.p.Viewer.Role.Staff()
	l := said{At: m.At, Who: who, Body: m.Body, Mine: m.Inward != staff} // one's own side stands on the right
	if m.Channel == person.Page && m.Say == "" {
		l.Mine = m.Person == n.p.Viewer.Person || m.Inward != staff
		return l, nil // written on a page, by the one named
	}
	if !m.Inward {
		l.Who = n.p.T("messages.to", "house", n.p.Org.Name, "who", who)
		if staff {
			l.State = n.p.T("sent."+m.State.String(), "channel", n.p.T("channel."+string(m.Channel)))
		}
	}
	return l, nil
}

// post takes what was written.
func (s *Server) post(w http.ResponseWriter, r *http.Request, p *page) error {
	files, err := readLetter(r)
	body := strings.TrimSpace(r.PostForm.Get("body"))
	switch {
	case err != nil:
	case len([]rune(body)) > longestWord:
		err = fault.Invalidf("That is too long to be sent at once.")
	case body == "" && len(files) == 0:
		err = fault.Invalidf("Please write something first.")
	default:
		err = s.Poster.Post(r.Context(), p.Viewer, p.Patient.ID, body, files...)
	}
	desk := strings.HasPrefix(p.Base, "/desk")
	if err != nil {
		return s.again(w, r, p, err, func(status int) error {
			if desk {
				return s.showPersonLine(w, r, p, status)
			}
			return s.showMessages(w, r, p, status)
		})
	}
	if desk {
		return back(w, r, p.Base, "sent")
	}
	return back(w, r, p.Base+"/messages", "sent")
}
