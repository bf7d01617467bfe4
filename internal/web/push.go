package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// devices are what a person's own page says of reminders on devices: those that show them, and the key with which this one can
// be made to.
type devices struct {
	Key  string // public VAPID key; empty: this server does not push
	List []shownDevice
}

// shownDevice is a browser that shows reminders. Its subscription is a secret between the browser and us, so the page knows it
// by a hash.
type shownDevice struct {
	ID    string
	Since time.Time
}

func (s *Server) pushRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /worker.js", s.worker)
	mux.HandleFunc("GET /icon.png", s.bigIcon)
	mux.Handle("GET /manifest.webmanifest", s.open(s.manifest))
	mux.Handle("POST /push/on", s.signed(s.pushOn))
	mux.Handle("POST /push/off", s.signed(s.pushOff))
	mux.HandleFunc("POST /push/shown", s.pushShown)
}

// worker serves the script that shows pushes. A browser compares it byte by byte at each visit, so its name never changes; it
// lies at the root because a worker may only open pages below its own folder.
func (s *Server) worker(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	s.static.plain(w, "worker.js")
}

func (s *Server) bigIcon(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	s.static.plain(w, "icon.png")
}

// manifest lets a telephone keep the pages beside its own programs; an iPhone shows pushes only then.
func (s *Server) manifest(w http.ResponseWriter, r *http.Request, p *page) error {
	b, err := json.Marshal(map[string]any{"name": p.houseName(), "short_name": p.houseName(), "lang": p.Lang, "start_url": "/", "scope": "/", "display": "standalone",
		"background_color": "#faf6ef", "theme_color": "#0e5257", "icons": []map[string]string{{"src": "/icon.png", "sizes": "192x192", "type": "image/png"}}})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/manifest+json")
	w.Header().Set("Cache-Control", "no-cache")
	_, err = w.Write(b)
	return err
}

// loadDevices reads the viewer's own devices. Staff are paged, not pushed to: a page must not wait for a browser.
func (s *Server) loadDevices(tx *store.Tx, p *page) (devices, error) {
	if p.Helping() || !pushedTo(p.Viewer) {
		return devices{}, nil
	}
	d := devices{Key: s.Gateways.PushKey()}
	list, err := s.Person.Contacts(tx, p.Viewer.Org, p.Viewer.Person)
	for _, c := range list {
		if c.Channel == person.Push {
			d.List = append(d.List, shownDevice{deviceID(c.Address), c.At})
		}
	}
	return d, err
}

func pushedTo(v person.Viewer) bool { return v.Role == person.Patient || v.Role == person.Caregiver }

// known answers the hashes of all devices, space-separated.
func (d devices) known() string {
	var ids []string
	for _, x := range d.List {
		ids = append(ids, x.ID)
	}
	return strings.Join(ids, " ")
}

// deviceID is what static/push.js makes of the browser's own endpoint.
func deviceID(address string) string {
	sum := sha256.Sum256([]byte(message.PushEndpoint(address)))
	return hex.EncodeToString(sum[:])
}

// accountPath answers the page on which the viewer's own devices stand.
func accountPath(v person.Viewer) string {
	if v.Role == person.Patient {
		return "/me"
	}
	return "/account"
}

// pushOn keeps a browser's subscription as an address of the viewer, before all others: whoever asks for reminders here wants them here. When
// the browser has changed its subscription by itself, the form says what it was.
func (s *Server) pushOn(w http.ResponseWriter, r *http.Request, p *page) error {
	if !pushedTo(p.Viewer) {
		return fault.Deniedf("This page is for patients and families.")
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	address, err := message.PushAddress(r.PostForm.Get("subscription"))
	if err != nil {
		return err
	}
	c := person.Contact{Person: p.Viewer.Person, Channel: person.Push, Address: address, Consent: person.Given, Source: "button on the page"}
	err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
		list, err := s.Person.Contacts(tx, p.Viewer.Org, p.Viewer.Person)
		if err != nil {
			return err
		}
		was := r.PostForm.Get("was")
		moved := was == ""
		for _, had := range list {
			if had.Channel == person.Push && had.Address != address && message.PushEndpoint(had.Address) == was {
				moved = true
				if err := s.Person.Forget(tx, p.Viewer.Org, p.Viewer.Person, person.Push, had.Address); err != nil {
					return err
				}
			}
			c.Rank = min(c.Rank, had.Rank-1)
		}
		if !moved {
			return nil // the browser was another person's, who has signed out since
		}
		if err := s.Person.SetContact(tx, p.Viewer.Org, c); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Viewer.Person, "consent", "push given")
	})
	if err != nil {
		return err
	}
	return back(w, r, accountPath(p.Viewer), "device.on")
}

// pushOff forgets one of the viewer's devices.
func (s *Server) pushOff(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		list, err := s.Person.Contacts(tx, p.Viewer.Org, p.Viewer.Person)
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.Channel == person.Push && deviceID(c.Address) == r.PostForm.Get("device") {
				if err := s.Person.Forget(tx, p.Viewer.Org, p.Viewer.Person, person.Push, c.Address); err != nil {
					return err
				}
				return s.Person.Audit(tx, p.Viewer, p.Viewer.Person, "consent", "push withdrawn")
			}
		}
		return nil // pressed twice, or ended by the browser meanwhile
	})
	if err != nil {
		return err
	}
	return back(w, r, accountPath(p.Viewer), "device.off")
}

// pushShown hears from the worker that a push is on the screen. No session is asked for: the reminder outlives the sign-in, and
// only the browser that could read the push knows its reference.
func (s *Server) pushShown(w http.ResponseWriter, r *http.Request) {
	err := s.Message.Shown(r.Context(), r.PostFormValue("ref"))
	if fault.Is(err, fault.NotFound) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if err != nil {
		s.Log.Error("a push that was shown could not be noted", "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
