package web

import (
	"io"
	"net/http"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
)

const (
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 20 * time.Second
	// settle gathers hints that come in a burst into one.
	settle = 400 * time.Millisecond
)

// events tells a page to look again: /events?patient={id} for a chart, /events?desk=1 for the desk. It sends no data. Whether
// the viewer may still look is decided by the page's own request that follows.
func (s *Server) events(w http.ResponseWriter, r *http.Request, p *page) error {
	topic, body := "desk", string(p.Viewer.Org)
	if patient := person.ID(r.URL.Query().Get("patient")); patient != "" {
		if err := s.Person.Enter(r.Context(), p.Viewer, person.See, patient, "events"); err != nil {
			return err
		}
		topic, body = "patient", string(p.Viewer.Org)+"/"+string(patient)
	} else if !p.Viewer.Role.Staff() {
		return fault.Deniedf("This page is for the staff of the clinic.")
	}
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	hints := s.DB.Listen(r.Context(), topic)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		_, err := io.WriteString(w, text)
		return err == nil && control.Flush() == nil
	}
	if !send("retry: 3000\n\n") {
		return nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	var soon <-chan time.Time // set while hints are being gathered
	for {
		select {
		case <-r.Context().Done():
			return nil
		case hint := <-hints:
			if hint == body && soon == nil {
				soon = time.After(settle)
			}
		case <-soon:
			soon = nil
			if !send("event: look\ndata: 1\n\n") {
				return nil
			}
		case <-beat.C:
			if !send(": here\n\n") {
				return nil
			}
		}
	}
}
