// Package web is every page that a person sees: patients, families, the desk, whoever sets the server up, and the demo.
//
// Its promise: a page works without JavaScript, in the person's own language, and always names whose chart it shows. Every
// address of a chart carries the patient, and every look and every write asks person.Enter first, so a write across charts is
// impossible. It keeps no state: what is shown is read from the services, and hints only say "look again".
//
// One file per page: its model, its loader, its handlers; the template of the same name stands beside it.
package web

import (
	"log/slog"
	"net/http"
	"strings"

	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/conversation"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/breath"
	"doorstep/internal/reading/pull"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	"doorstep/internal/visit"
	"doorstep/internal/waiting"
)

//go:generate go tool templ generate

// Deps are what the pages stand on.
type Deps struct {
	DB           *store.DB
	Clock        clock.Clock
	IDs          *clock.IDs
	Person       *person.Service
	Promise      *promise.Service
	Message      *message.Service
	Medication   *medication.Service
	Reading      *reading.Service
	Programme    *programme.Service
	Pathway      *pathway.Service
	Appointment  *appointment.Service
	Waiting      *waiting.Service
	Visit        *visit.Service
	Transport    *transport.Service
	MediaURL     string // of the media server that browsers reach for visits; empty: none
	Breath       *breath.Service
	Watch        *watch.Service
	Pull         *pull.Service
	Poster       Poster
	Conversation *conversation.Service
	Journey      *journey.Service
	Gateways     Gateways
	Demo         Demo   // nil but in the demo
	PublicURL    string // how people reach this server: https://doorstep.example
	Log          *slog.Logger
}

// Server answers pages.
type Server struct {
	Deps
	secure bool // the public URL is https
	static *static
}

// New answers the handler of all pages.
func New(d Deps) http.Handler {
	d.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	if d.Log == nil {
		d.Log = slog.Default()
	}
	s := &Server{Deps: d, secure: strings.HasPrefix(d.PublicURL, "https://"), static: embedded}
	mux := http.NewServeMux()
	s.routes(mux)
	return s.guard(mux)
}

func (s *Server) routes(mux *http.ServeMux) {
	mux.Handle("GET /static/", s.static)
	mux.HandleFunc("GET /favicon.ico", s.static.icon)
	s.signInRoutes(mux)
	s.taskLinkRoutes(mux)
	s.chartRoutes(mux)
	s.breatheRoutes(mux)
	s.visitRoutes(mux)
	s.journeyRoutes(mux)
	s.waitingRoutes(mux)
	s.dispatchRoutes(mux)
	s.driveRoutes(mux)
	s.inboxRoutes(mux)
	s.videoRoutes(mux)
	s.deskRoutes(mux)
	s.pushRoutes(mux)
	s.setUpRoutes(mux)
	s.demoRoutes(mux)
	mux.Handle("GET /events", s.signed(s.events))
	mux.Handle("/", s.open(s.nowhere))
}
