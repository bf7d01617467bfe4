package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
	"doorstep/internal/visit"
)

// touch is how often a stream keeps its seat taken: several times in visit.Present, so that one lost moment empties none.
const touch = 10 * time.Second

// videoStream tells a seat how the room stands and what others' browsers say to its own. Hints only say when to look: what is sent
// is read from the database, so the two ends of a visit may hang on different servers. A browser that comes back goes on where
// it was (Last-Event-ID).
func (s *Server) videoStream(w http.ResponseWriter, r *http.Request, p *page) error {
	k, seat := roomKey(r, p), r.URL.Query().Get("seat")
	if err := s.Visit.Touch(r.Context(), p.Viewer, k, seat); err != nil {
		return err
	}
	after, _ := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64) // none: from the beginning
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	hints := s.DB.Listen(r.Context(), visit.Topic)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	beat := time.NewTicker(touch)
	defer beat.Stop()
	var last []byte
	out := bytes.NewBufferString("retry: 1000\n\n")
	for {
		says, list, err := s.heard(r, p, k, seat, after)
		if err != nil {
			return nil // the browser comes back, and hears then what is wrong
		}
		for _, x := range list {
			after = x.Seq
			body, err := json.Marshal(map[string]string{"from": x.From, "body": x.Body})
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "id: %d\nevent: signal\ndata: %s\n\n", x.Seq, body)
		}
		body, err := json.Marshal(says)
		if err != nil {
			return err
		}
		if !bytes.Equal(body, last) {
			last = body
			fmt.Fprintf(out, "event: room\ndata: %s\n\n", body)
		}
		if _, err := out.WriteTo(w); err != nil || control.Flush() != nil {
			return nil
		}
		for waiting := true; waiting; {
			select {
			case <-r.Context().Done():
				return nil
			case hint := <-hints:
				waiting = hint != k.Hint()
			case <-beat.C:
				if err := s.Visit.Touch(r.Context(), p.Viewer, k, seat); err != nil {
					if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Denied) {
						return nil
					}
					out.WriteString("event: gone\ndata: 1\n\n") // another screen has the seat, or the right was taken back
					out.WriteTo(w)
					control.Flush()
					return nil
				}
				out.WriteString(": here\n\n")
				waiting = false // the estimate moves, and hints may be lost
			}
		}
	}
}

// heard reads what a seat has not been told yet.
func (s *Server) heard(r *http.Request, p *page, k visit.Key, seat string, after int64) (says roomSays, list []visit.Signal, err error) {
	p.Now = s.Clock.Now()
	err = s.DB.Read(r.Context(), func(tx *store.Tx) error {
		x, err := s.Visit.Visit(tx, k)
		if err != nil {
			return err
		}
		if list, err = s.Visit.Signals(tx, k, seat, after); err != nil {
			return err
		}
		says, err = s.says(tx, p, x)
		return err
	})
	return says, list, err
}
