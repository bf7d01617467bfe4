package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
)

// Demo is the simulated clinic behind the demo's pages.
type Demo interface {
	People() []DemoPerson
	Clock() (at time.Time, speed float64, zone string)
	// Move lets the clock run forward by a length of time, with everything that falls due in between.
	Move(ctx context.Context, by time.Duration) error
	// Speed sets how many simulated seconds pass in a second; 0 stops the clock.
	Speed(ctx context.Context, x float64) error
	Texts(ctx context.Context, number string) ([]DemoText, error)
	Reply(ctx context.Context, number, body string) error
	PillBox(ctx context.Context, device string) (DemoBox, error)
	// Press opens or closes a pill box.
	Press(ctx context.Context, device, event string) error
}

// DemoPerson is one of the simulated people.
type DemoPerson struct {
	Name, Role, Link string
	Number           string // their telephone; empty: none
	PillBox          string // their pill box; empty: none
}

// DemoText is a text to or from a telephone.
type DemoText struct {
	At     time.Time
	Body   string
	Inward bool // written by the person
}

// DemoBox is how a pill box stands.
type DemoBox struct {
	Open, Lit bool
}

type demoPage struct {
	*page
	People []DemoPerson
	At     time.Time
	Speed  float64
}

type demoPhonePage struct {
	*page
	Number string
	Texts  []DemoText
}

type demoBoxPage struct {
	*page
	Device string
	Box    DemoBox
}

func (s *Server) demoRoutes(mux *http.ServeMux) {
	if s.Demo == nil {
		return
	}
	mux.Handle("GET /demo", s.open(s.demo))
	mux.Handle("POST /demo/clock", s.open(s.demoClock))
	mux.Handle("GET /demo/phone/{number}", s.open(s.demoPhone))
	mux.Handle("POST /demo/phone/{number}", s.open(s.demoReply))
	mux.Handle("GET /demo/pillbox/{device}", s.open(s.demoBox))
	mux.Handle("POST /demo/pillbox/{device}", s.open(s.demoPress))
}

// demoZone shows the simulated clock in the clinic's zone.
func (s *Server) demoZone(p *page) demoPage {
	at, speed, zone := s.Demo.Clock()
	if z, err := clock.Zone(zone); err == nil {
		p.Zone = z
	}
	p.Now = at
	return demoPage{page: p, At: at, Speed: speed, People: s.Demo.People()}
}

func (s *Server) demo(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title = "demo.title"
	return s.show(w, r, http.StatusOK, p, demoView(s.demoZone(p)))
}

// clockMove is a request to the demo's clock, as a form or as JSON: {"by":"1h"}, {"to":"2026-03-09T08:00:00Z"}, {"speed":60}.
type clockMove struct {
	By    string   `json:"by"`
	To    string   `json:"to"`
	Speed *float64 `json:"speed"`
}

// furthest is how far the clock may be moved at once.
const furthest = 31 * 24 * time.Hour

func (s *Server) demoClock(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title = "demo.title"
	var ask clockMove
	program := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	err := error(nil)
	if program {
		if json.NewDecoder(r.Body).Decode(&ask) != nil {
			err = fault.Invalidf(`Please send JSON like {"by":"1h"}, {"to":"2026-03-09T08:00:00Z"} or {"speed":60}.`)
		}
	} else if err = r.ParseForm(); err == nil {
		ask.By, ask.To = r.Form.Get("by"), r.Form.Get("to")
		if v := r.Form.Get("speed"); v != "" {
			var x float64
			if json.Unmarshal([]byte(v), &x) != nil {
				err = fault.Invalidf("Please write the speed as a number.")
			}
			ask.Speed = &x
		}
	}
	if err == nil {
		err = s.moveClock(r.Context(), ask)
	}
	if program || strings.Contains(r.Header.Get("Accept"), "application/json") {
		return s.clockAnswer(w, err)
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.show(w, r, status, p, demoView(s.demoZone(p))) })
	}
	http.Redirect(w, r, "/demo", http.StatusSeeOther)
	return nil
}

func (s *Server) moveClock(ctx context.Context, ask clockMove) error {
	if ask.Speed != nil {
		if *ask.Speed < 0 || *ask.Speed > 100_000 {
			return fault.Invalidf("The speed must lie between 0 and 100,000.")
		}
		if err := s.Demo.Speed(ctx, *ask.Speed); err != nil {
			return err
		}
	}
	var by time.Duration
	if ask.To != "" {
		to, err := time.Parse(time.RFC3339, ask.To)
		if err != nil {
			return fault.Invalidf("Please write the instant like 2026-03-09T08:00:00Z.")
		}
		at, _, _ := s.Demo.Clock()
		by = to.Sub(at)
	} else if ask.By != "" {
		var err error
		if by, err = time.ParseDuration(ask.By); err != nil {
			return fault.Invalidf("Please write how far like 15m or 6h.")
		}
	}
	switch {
	case by < 0:
		return fault.Invalidf("The clock does not go back.")
	case by > furthest:
		return fault.Invalidf("At most 31 days at once.")
	case by == 0:
		return nil
	}
	return s.Demo.Move(ctx, by)
}

// clockAnswer tells a program where the clock stands.
func (s *Server) clockAnswer(w http.ResponseWriter, err error) error {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(statuses[fault.KindOf(err)])
		return json.NewEncoder(w).Encode(map[string]string{"error": fault.Sentence(err)})
	}
	at, speed, zone := s.Demo.Clock()
	return json.NewEncoder(w).Encode(map[string]any{"now": at.UTC().Format(time.RFC3339Nano), "speed": speed, "zone": zone})
}

func (s *Server) demoPhone(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.showPhone(w, r, p, http.StatusOK)
}

func (s *Server) showPhone(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "demo.phone"
	s.demoZone(p)
	m := demoPhonePage{page: p, Number: r.PathValue("number")}
	var err error
	if m.Texts, err = s.Demo.Texts(r.Context(), m.Number); err != nil {
		return err
	}
	return s.show(w, r, status, p, demoPhoneView(m))
}

func (s *Server) demoReply(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	number, body := r.PathValue("number"), strings.TrimSpace(r.PostForm.Get("body"))
	err := fault.Invalidf("Please write something first.")
	if body != "" {
		err = s.Demo.Reply(r.Context(), number, body)
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPhone(w, r, p, status) })
	}
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	return nil
}

func (s *Server) demoBox(w http.ResponseWriter, r *http.Request, p *page) error {
	p.Title = "demo.box"
	s.demoZone(p)
	m := demoBoxPage{page: p, Device: r.PathValue("device")}
	var err error
	if m.Box, err = s.Demo.PillBox(r.Context(), m.Device); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p, demoBoxView(m))
}

func (s *Server) demoPress(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	event := r.PostForm.Get("event")
	if event != "open" && event != "close" {
		return fault.Invalidf("A pill box can be opened and closed.")
	}
	if err := s.Demo.Press(r.Context(), r.PathValue("device"), event); err != nil {
		return err
	}
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	return nil
}
