package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/store"
)

// callShown is how long after it began a call can be put right from the person's page. Nobody is asked to.
const callShown = 12 * time.Hour

// phones answers the numbers at which the person can be called.
func (m personPage) phones() (out []string) {
	for _, c := range m.Contacts {
		if c.Channel == person.SMS {
			out = append(out, c.Address)
		}
	}
	return out
}

// startCall lets the time of a call run, and shows the number.
func (s *Server) startCall(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.calling(w, r, p, "call.began", func(tx *store.Tx) (programme.Call, error) {
		return s.Programme.StartCall(tx, p.Viewer, p.Patient.ID)
	})
}

// endCall ends it: they spoke, or nobody answered.
func (s *Server) endCall(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	return s.calling(w, r, p, "call.ended", func(tx *store.Tx) (programme.Call, error) {
		live := r.PostForm.Get("live") == "yes"
		c, err := s.Programme.EndCall(tx, p.Viewer, p.Patient.ID, r.PathValue("call"), live)
		if err == nil && live { // who asked to be called back has been
			err = s.Conversation.Reached(tx, p.Viewer, p.Patient.ID, p.Now)
		}
		return c, err
	})
}

// correctCall puts its minutes right, or discards it.
func (s *Server) correctCall(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("call-minutes")))
	discard := r.PostForm.Get("do") == "discard"
	return s.calling(w, r, p, "saved", func(tx *store.Tx) (programme.Call, error) {
		switch {
		case discard:
			n = 0
		case err != nil:
			return programme.Call{}, fault.Invalidf("Please write the minutes as a number.")
		case n < 1:
			return programme.Call{}, fault.Invalidf("Minutes must lie between 1 and %d.", 240)
		}
		return s.Programme.CorrectCall(tx, p.Viewer, p.Patient.ID, r.PathValue("call"), n, r.PostForm.Get("live") == "yes")
	})
}

func (s *Server) calling(w http.ResponseWriter, r *http.Request, p *page, done string, do func(tx *store.Tx) (programme.Call, error)) error {
	var c programme.Call
	err := s.DB.Write(r.Context(), func(tx *store.Tx) (err error) { c, err = do(tx); return err })
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPersonLine(w, r, p, status) })
	}
	if c.State == programme.CallDiscarded && done == "call.ended" {
		done = "call.short"
	}
	return back(w, r, p.Base, done)
}
