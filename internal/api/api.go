// Package api is the door for programs: the JSON API under /api/v1, the providers' webhooks, and what an operator's tools ask
// (health, readiness, metrics).
//
// Its promises: a program sees and does what its person may see and do on the pages, by the same rule and with the same audit;
// a write with an Idempotency-Key happens once; every error is a problem document (RFC 9457) with a sentence and no more; and
// nothing that names a patient stands in a log, a label or a cursor.
package api

import (
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/conversation"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/pull"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	onsite "doorstep/internal/waiting"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables, "api".
var Migrations, _ = fs.Sub(migrations, "migrations")

// Deps are what the API stands on.
type Deps struct {
	DB          *store.DB
	Clock       clock.Clock
	IDs         *clock.IDs
	Person      *person.Service
	Promise     *promise.Service
	Message     *message.Service
	Medication  *medication.Service
	Reading     *reading.Service
	Programme   *programme.Service
	Pathway     *pathway.Service
	Journey     *journey.Service
	Appointment *appointment.Service
	Waiting     *onsite.Service
	Transport   *transport.Service
	Watch       *watch.Service
	Pull        *pull.Service
	// Devices answers POST /api/v1/devices/{device}/readings, which a device signs with its own key.
	Devices http.Handler
	// Viewer answers who holds the page's cookie; nil: programs sign in by bearer token alone.
	Viewer func(*http.Request) (person.Viewer, error)
	// SMSToken answers the secret with which an organization's gateway signs its calls; empty: it has no gateway.
	SMSToken func(person.OrgID) string
	// Calls takes calls to the clinic's number.
	Calls     *conversation.Service
	Metrics   *Metrics      // nil: no /metrics
	LagLimit  time.Duration // of the ledger, past which this node is not ready; 0: a minute
	Version   string
	PublicURL string // how gateways reach this server: https://doorstep.example
	Log       *slog.Logger
}

type server struct {
	Deps
	api   huma.API
	cross *http.CrossOriginProtection
	swept atomic.Int64 // when notes of old writes were last dropped, in microseconds
}

// New answers the handler of /api/, /hooks/, /healthz, /readyz and /metrics.
func New(d Deps) http.Handler {
	d.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.LagLimit == 0 {
		d.LagLimit = time.Minute
	}
	s := &server{Deps: d, cross: http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	s.jsonRoutes(mux)
	s.hookRoutes(mux)
	s.healthRoutes(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// root is what every JSON route begins with.
const root = "/api/v1"

func (s *server) jsonRoutes(mux *http.ServeMux) {
	config := huma.DefaultConfig("Doorstep", s.Version)
	config.Info.Description = "Promises, doses, readings, messages and the desk of one organization, with the same rights as the pages. " +
		"Lists take limit and cursor; writes take Idempotency-Key; times are RFC 3339 with offset; errors are RFC 9457 problem documents."
	// No pages and no files of others: the description is served below, once it is complete.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "http", Scheme: "bearer", Description: "A session's token."},
		"device":  {Type: "http", Scheme: "bearer", Description: "A device's key."},
	}
	s.api = humago.New(mux, config)
	s.patientRoutes()
	s.promiseRoutes()
	s.doseRoutes()
	s.adherenceRoutes()
	s.readingRoutes()
	s.appointmentRoutes()
	s.journeyRoutes()
	s.waitingRoutes()
	s.rideRoutes()
	s.accessRoutes()
	s.messageRoutes()
	s.deviceRoutes(mux)
	s.ruleRoutes()
	s.siteRoutes()
	s.programmeRoutes()
	s.pathwayRoutes()
	s.supportRoutes()
	s.letterRoutes()
	s.comparisonRoutes()
	s.alertRoutes()
	s.deskRoutes()

	for _, path := range s.api.OpenAPI().Paths {
		if path.Post != nil && path.Post.RequestBody != nil { // the raw bytes are for Idempotency-Key: nothing but JSON is taken
			delete(path.Post.RequestBody.Content, "application/octet-stream")
		}
	}
	// Marshalling what huma has just built from our own types cannot fail; if it does, no server should start.
	described, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		panic(err)
	}
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(described)
	})
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { nowhere(mux, w, r) })
}

// nowhere answers what has no route: 405 where another method has one, else 404.
func nowhere(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		try := r.Clone(r.Context())
		try.Method = method
		if _, pattern := mux.Handler(try); strings.HasPrefix(pattern, method+" ") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(w, newProblem(http.StatusMethodNotAllowed, "This address does not take that method."))
		return
	}
	writeProblem(w, problemOf(fault.NotFoundf("There is nothing at this address.")))
}
