package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"doorstep/internal/fault"
	"doorstep/internal/words"
)

// statuses is the one place where a kind of fault becomes an HTTP status.
var statuses = map[fault.Kind]int{
	fault.Internal:    http.StatusInternalServerError,
	fault.Invalid:     http.StatusUnprocessableEntity,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Denied:      http.StatusForbidden,
	fault.Unavailable: http.StatusServiceUnavailable,
	fault.TooMuch:     http.StatusTooManyRequests,
}

// sentence answers what a person is told about an error, in the page's language.
func (p *page) sentence(err error) string {
	return words.Translate(p.Lang, fault.Sentence(err))
}

// fail answers an error as a page of its own. Only our own mistakes are logged, with the route but never what was typed.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, p *page, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = fault.New(fault.TooMuch, "That is too long to be sent at once.")
	}
	kind := fault.KindOf(err)
	if kind == fault.Internal && r.Context().Err() == nil {
		s.Log.Error("page failed", "route", r.Pattern, "error", err)
	}
	p.Problem, p.Title, p.Live = p.sentence(err), "error.title", ""
	s.show(w, r, statuses[kind], p, failPage(p))
}

// again shows a page once more with what was typed and what is wrong with it. Faults that are not about what was typed get a
// page of their own.
func (s *Server) again(w http.ResponseWriter, r *http.Request, p *page, err error, show func(status int) error) error {
	switch kind := fault.KindOf(err); kind {
	case fault.Invalid, fault.Conflict, fault.TooMuch, fault.Unavailable:
		p.Form, p.Problem = r.PostForm, p.sentence(err)
		return show(statuses[kind])
	}
	return err
}

// show writes a page.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, p *page, c templ.Component) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Lang)
	var b strings.Builder
	if err := c.Render(r.Context(), &b); err != nil {
		return err
	}
	w.WriteHeader(status)
	_, err := w.Write([]byte(unbroken(b.String())))
	if err != nil { // the reader has gone
		s.Log.Debug("page not delivered", "route", r.Pattern)
	}
	return nil
}

// nowhere answers an address that does not exist.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request, p *page) error {
	return fault.NotFoundf("There is no such page.")
}
