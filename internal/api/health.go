package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"doorstep/internal/words"
)

// readyWithin is how long the database may take to say that it is well.
const readyWithin = 3 * time.Second

// readiness is whether this node can keep promises, and why not.
type readiness struct {
	Ready   bool     `json:"ready"`
	Lag     float64  `json:"lag_seconds"`
	Reasons []string `json:"reasons"`
}

func (s *server) healthRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := context.WithTimeout(r.Context(), readyWithin)
		defer stop()
		state := s.readiness(ctx)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !state.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		json.NewEncoder(w).Encode(state)
	})
	if s.Metrics != nil {
		mux.Handle("GET /metrics", s.Metrics.Handler())
	}
}

// readiness asks the database for the ledger's lag, which tells of both.
func (s *server) readiness(ctx context.Context) readiness {
	state := readiness{Reasons: []string{}}
	lag, err := s.Promise.Lag(ctx)
	switch {
	case err != nil:
		s.Log.Warn("not ready: the database does not answer", "error", err)
		state.Reasons = append(state.Reasons, "The database does not answer.")
	case lag >= s.LagLimit:
		state.Reasons = append(state.Reasons, "The ledger is behind by "+words.Span("en", lag)+".")
	}
	if s.DB.Full() {
		state.Reasons = append(state.Reasons, "The disk is full: nothing new is written.")
	}
	state.Lag, state.Ready = lag.Seconds(), len(state.Reasons) == 0
	return state
}
