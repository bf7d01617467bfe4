package app

import (
	"context"
	"net/http"

	"doorstep/internal/api"
	"doorstep/internal/device"
	"doorstep/internal/fault"
	"doorstep/internal/fhirapi"
	"doorstep/internal/person"
	"doorstep/internal/web"
)

// FirstOrg names the organization of a server that has not been set up yet, so that a record imported before lies in its place.
const FirstOrg = person.OrgID("clinic")

// Edges are what a handler needs besides the services.
type Edges struct {
	Version string
	Media   string   // of the media server that browsers reach for visits; empty: none
	Demo    web.Demo // nil but in the demo
}

// Handler answers every route of the server, and takes the stored gateways into use.
func (s *Server) Handler(ctx context.Context, e Edges) (http.Handler, error) {
	if err := s.DB.Migrate(ctx, "api", api.Migrations); err != nil {
		return nil, err
	}
	s.Metrics = api.NewMetrics(api.Measured{DB: s.DB, Clock: s.Clock, Person: s.People, Promise: s.Promises, Reading: s.Readings, Version: e.Version,
		Intake: func() (int64, int64, int64) { c := s.Intake.Counts(); return c.Messages, c.Malformed, c.Failed }})
	gateways := Gateways{s}
	if e.Demo == nil { // the demo's gateways are simulated
		if err := gateways.load(ctx); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	programs := api.New(api.Deps{DB: s.DB, Clock: s.Clock, IDs: s.IDs, Person: s.People, Promise: s.Promises, Message: s.Messages, Medication: s.Medication,
		Reading: s.Readings, Programme: s.Programme, Pathway: s.Pathways, Appointment: s.Appointments, Waiting: s.Waiting, Transport: s.Transport, Calls: s.Conversations, Journey: s.Journeys, Watch: s.Watch, Pull: s.Pull, Devices: device.HTTPHandler(s.Intake), Viewer: s.cookieViewer, SMSToken: gateways.SMSToken,
		Metrics: s.Metrics, Version: e.Version, PublicURL: s.PublicURL, Log: s.Log})
	for _, p := range []string{"/api/", "/hooks/", "/healthz", "/readyz", "/metrics"} {
		mux.Handle(p, programs)
	}
	fhir := fhirapi.Handler(s.Record, fhirAccess{s, http.NewCrossOriginProtection()}, s.Pathways)
	mux.Handle("/fhir", fhir) // bundles are posted to the base itself
	mux.Handle("/fhir/", fhir)
	mux.Handle("/", web.New(web.Deps{DB: s.DB, Clock: s.Clock, IDs: s.IDs, Person: s.People, Promise: s.Promises, Message: s.Messages, Medication: s.Medication,
		Reading: s.Readings, Programme: s.Programme, Pathway: s.Pathways, Breath: s.Breath, Watch: s.Watch, Pull: s.Pull, Appointment: s.Appointments, Waiting: s.Waiting, Visit: s.Visits, Transport: s.Transport, MediaURL: e.Media, Poster: s.Conversations, Conversation: s.Conversations, Journey: s.Journeys, Gateways: gateways, Demo: e.Demo, PublicURL: s.PublicURL, Log: s.Log}))
	return s.Metrics.Wrap(mux), nil
}

// cookieViewer answers who holds the page's cookie.
func (s *Server) cookieViewer(r *http.Request) (person.Viewer, error) {
	for _, name := range []string{"__Host-doorstep", "doorstep"} {
		if c, err := r.Cookie(name); err == nil {
			return s.People.Session(r.Context(), c.Value)
		}
	}
	return person.Viewer{}, fault.Deniedf("Please sign in.")
}
