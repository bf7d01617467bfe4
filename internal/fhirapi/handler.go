// Package fhirapi is the FHIR R4 REST face of the record (hl7.org/fhir/R4/http.html), in JSON. Its promises: a
// transaction is carried out whole or not at all; a parameter that is not understood is named in the answer, or refused
// when the client asks for strictness; every error is an OperationOutcome; what an access that is limited to one patient
// may not see is not there for it, by whichever way it asks.
package fhirapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/record"
)

// Access is what a request may do.
type Access struct {
	Org     string
	Patient string // FHIR patient id; empty: the whole organization
	Write   bool
}

// ErrSignIn refuses a request of which nobody knows who asks.
var ErrSignIn = fault.Deniedf("Please sign in.")

// Authorizer says who asks. An error (fault.Denied) refuses the request.
type Authorizer interface {
	Access(r *http.Request) (Access, error)
}

type server struct {
	rec     *record.Service
	who     Authorizer
	applier Applier
}

// Handler answers requests below /fhir/. Without an applier there is no $apply.
func Handler(rec *record.Service, who Authorizer, applier Applier) http.Handler {
	return &server{rec, who, applier}
}

// call is one request under way.
type call struct {
	*server
	w      http.ResponseWriter
	r      *http.Request
	access Access
	base   string // "https://host/fhir"
}

func (c *call) scope() record.Scope {
	return record.Scope{Org: c.access.Org, Patient: c.access.Patient}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{server: s, w: w, r: r, base: baseOf(r)}
	path := strings.Trim(strings.TrimPrefix(r.URL.Path, "/fhir"), "/")
	if err := acceptable(r); err != nil {
		c.outcome(http.StatusNotAcceptable, "not-supported", err.Error())
		return
	}
	if path == "metadata" && isGet(r) {
		c.json(http.StatusOK, capability())
		return
	}
	access, err := s.who.Access(r)
	if err != nil {
		if errors.Is(err, ErrSignIn) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			c.outcome(http.StatusUnauthorized, "login", fault.Sentence(err))
			return
		}
		c.fail(err)
		return
	}
	c.access = access
	w.Header().Set("Cache-Control", "no-store")
	c.route(strings.Split(path, "/"))
}

func isGet(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func baseOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/fhir"
}

// route finds the interaction by the shape of the path.
func (c *call) route(p []string) {
	get, post := isGet(c.r), c.r.Method == http.MethodPost
	switch {
	case p[0] == "":
		if !post {
			c.notAllowed("POST")
			return
		}
		c.bundle()
		return
	case !fhir.KnownType(p[0]):
		c.outcome(http.StatusNotFound, "not-supported", "R4 has no such resource type")
		return
	}
	switch n := len(p); {
	case n == 1 && get:
		c.search(p[0], c.r.URL.Query())
	case n == 1 && post:
		c.create(p[0])
	case n == 1 && c.r.Method == http.MethodPut:
		c.updateWhere(p[0])
	case n == 1:
		c.notAllowed("GET, POST, PUT")
	case n == 2 && p[1] == "_search" && post:
		c.postedSearch(p[0])
	case n == 2 && p[1] == "_history" && get:
		c.changes(p[0])
	case p[0] == "PlanDefinition" && p[n-1] == "$apply" && (n == 2 || n == 3):
		if !get && !post {
			c.notAllowed("GET, POST")
			return
		}
		c.apply(strings.Join(p[1:n-1], ""))
	case n == 2 && strings.HasPrefix(p[1], "_"), n == 2 && strings.HasPrefix(p[1], "$"):
		c.outcome(http.StatusNotFound, "not-supported", "there is no such operation")
	case n == 2 && get:
		c.read(p[0], p[1])
	case n == 2 && c.r.Method == http.MethodPut:
		c.update(p[0], p[1])
	case n == 2 && c.r.Method == http.MethodDelete:
		c.delete(p[0], p[1])
	case n == 2:
		c.notAllowed("GET, PUT, DELETE")
	case n == 3 && p[2] == "_history" && get:
		c.history(p[0], p[1])
	case n == 4 && p[2] == "_history" && get:
		c.version(p[0], p[1], p[3])
	default:
		c.outcome(http.StatusNotFound, "not-found", "nothing has this address")
	}
}

func (c *call) notAllowed(allow string) {
	c.w.Header().Set("Allow", allow)
	c.outcome(http.StatusMethodNotAllowed, "not-supported", "the method is not supported here")
}

// acceptable refuses clients that want another format than JSON.
func acceptable(r *http.Request) error {
	format := r.URL.Query().Get("_format")
	if format == "" {
		format = r.Header.Get("Accept")
	}
	if format == "" || strings.Contains(format, "json") || strings.Contains(format, "*/*") || strings.Contains(format, "application/*") ||
		strings.Contains(format, "text/html") {
		return nil
	}
	return errors.New("only application/fhir+json is spoken here")
}

var errMedia = errors.New("media type")

// body reads a resource from the request.
func (c *call) body() ([]byte, error) {
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || media != "application/fhir+json" && media != "application/json" {
		return nil, errMedia
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, record.MostBytes+1))
	var big *http.MaxBytesError
	if errors.As(err, &big) || len(b) > record.MostBytes {
		return nil, fault.New(fault.TooMuch, "longer than %d MB: use `doorstep import` for large bundles", record.MostBytes>>20)
	}
	if err != nil {
		return nil, fault.Invalidf("the request broke off")
	}
	return b, nil
}

// mayWrite refuses those that may only read.
func (c *call) mayWrite() bool {
	if !c.access.Write {
		c.fail(fault.Deniedf("this access may only read"))
	}
	return c.access.Write
}
