package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// caller is who asks, and by which request.
type caller struct {
	person.Viewer
	method, path string
}

type callerKey struct{}

func unsigned(sentence string) error { return newProblem(http.StatusUnauthorized, sentence) }

// signIn lets through who holds a live session, and keeps what is on a chart out of caches.
func (s *server) signIn(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	w.Header().Set("Cache-Control", "no-store")
	v, err := s.viewer(r)
	if err != nil {
		s.noteFailure(r.Pattern, err)
		writeProblem(w, problemOf(err))
		return
	}
	next(huma.WithValue(ctx, callerKey{}, &caller{Viewer: v, method: r.Method, path: r.URL.Path}))
}

// viewer answers whose session a request carries. A browser sends the page's cookie by itself, so with a cookie the request
// must also come from our own pages; a bearer token is put there on purpose.
func (s *server) viewer(r *http.Request) (person.Viewer, error) {
	header := r.Header.Get("Authorization")
	var v person.Viewer
	var err error
	switch {
	case len(header) > len("Bearer ") && strings.EqualFold(header[:len("Bearer ")], "Bearer "):
		v, err = s.Person.Session(r.Context(), strings.TrimSpace(header[len("Bearer "):]))
	case header != "":
		return v, unsigned("Please sign in with a bearer token.")
	case s.Viewer == nil:
		return v, unsigned("Please sign in.")
	default:
		if err := s.cross.Check(r); err != nil {
			return v, fault.Deniedf("This came from another site. Please open our page and try again.")
		}
		v, err = s.Viewer(r)
	}
	if fault.Is(err, fault.Denied) {
		err = unsigned(fault.Sentence(err))
	}
	return v, err
}

// noteFailure logs our own mistakes, with the route but never what was sent.
func (s *server) noteFailure(route string, err error) {
	if p := problemOf(err); p.Status == http.StatusInternalServerError {
		s.Log.Error("api request failed", "route", route, "error", err)
	}
}

// enter asks the one rule of access, which writes the look down, and answers the patient.
func (s *server) enter(ctx context.Context, c *caller, right person.Right, patient person.ID, what string) (person.Person, error) {
	var p person.Person
	if err := s.Person.Enter(ctx, c.Viewer, right, patient, what); err != nil {
		return p, err
	}
	err := s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		p, err = s.Person.Get(tx, c.Org, patient)
		return err
	})
	if err == nil && p.Role != person.Patient {
		err = fault.NotFoundf("There is no such patient.")
	}
	return p, err
}

// self answers the caller as a person: language, zone, teams.
func (s *server) self(tx *store.Tx, c *caller) (person.Person, error) {
	return s.Person.Get(tx, c.Org, c.Person)
}

func staffOnly(c *caller) error {
	if !c.Role.Staff() {
		return fault.Deniedf("This is for the staff of the clinic.")
	}
	return nil
}
