package web

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading/breath"
	"doorstep/internal/reading/coherence"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// breathePage is the pacer, with the heart beside it, and what was done with it before.
type breathePage struct {
	*page
	Offered bool // the viewer may record a session
	Pace    float64
	Own     breath.Own
	Device  string // sends beats by itself; empty: none
	Last    *sitting
	Before  []sitting
}

// sitting is a session as the page tells it.
type sitting struct {
	When  string
	What  string
	Say   string
	Chart string // of the latest alone
	Heads []string
	Rows  [][]string
}

const (
	breathedShown = 12
	usualPace     = 6.0 // breaths a minute, until a person's own is found
	inShare       = 0.4 // of a breath is in
	curveMost     = 24  // points of a session's curve
)

func (s *Server) breatheRoutes(mux *http.ServeMux) {
	both := func(method, path string, h handler) {
		mux.Handle(method+" "+path, s.own(person.See, "breathe", h))
		mux.Handle(method+" /helping/{patient}"+path, s.helped(person.See, "breathe", h))
		mux.Handle(method+" /desk/people/{patient}"+path, s.desked(person.See, "breathe", h))
	}
	both("GET", "/breathe", s.breathe)
	both("POST", "/breathe/beats", s.told(s.beats))
	both("POST", "/breathe/end", s.told(s.breathed))
}

func (s *Server) breathe(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	p.Title = "breathe.title"
	if !p.Viewer.Role.Staff() {
		p.Active = "nav.breathe"
	}
	p.Wide = false
	m := breathePage{page: p, Offered: p.May(person.Act), Pace: usualPace}
	if m.Offered {
		p.Live = "" // a fresh page would take the pacer away
	}
	var list []breath.Session
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		var err error
		if list, err = s.Breath.Sessions(tx, p.Org.ID, p.Patient.ID, breathedShown); err != nil {
			return err
		}
		if m.Own, err = s.Breath.Own(tx, p.Org.ID, p.Patient.ID); err != nil {
			return err
		}
		senders, err := s.Reading.Senders(tx, string(p.Org.ID), string(p.Patient.ID), sample.RRInterval)
		if len(senders) > 0 {
			m.Device = senders[0]
		}
		return err
	})
	if err != nil {
		return err
	}
	if m.Own.Pace > 0 {
		m.Pace = m.Own.Pace
	}
	for i := range list {
		one := p.sitting(&list[i])
		if i == 0 {
			p.curve(&one, &list[i])
			m.Last = &one
		} else {
			m.Before = append(m.Before, one)
		}
	}
	return s.show(w, r, http.StatusOK, p, breatheView(m))
}

// pace writes breaths a minute: "6", "5.5".
func (p *page) pace(v float64) string {
	if v == math.Trunc(v) {
		return p.Num(v, 0)
	}
	return p.Num(v, 1)
}

// seconds writes how long a part of a breath is.
func (p *page) seconds(pace, share float64) string {
	v := math.Round(10*60/pace*share) / 10
	return p.pace(v)
}

// hundred writes a coherence from 0 to 1 as people see it, from 0 to 100.
func hundred(v float64) int { return int(math.Round(100 * v)) }

// feels says what a coherence means.
func (p *page) feels(v float64) string {
	switch n := hundred(v); {
	case n < 25:
		return p.T("breathe.feels.0")
	case n < 50:
		return p.T("breathe.feels.25")
	case n < 75:
		return p.T("breathe.feels.50")
	}
	return p.T("breathe.feels.75")
}

func (p *page) sitting(x *breath.Session) sitting {
	d := time.Duration(x.Seconds * float64(time.Second))
	long := words.Count(p.Lang, "breathe.seconds", int(d.Seconds()), nil)
	if d >= 2*time.Minute {
		long = words.Span(p.Lang, d)
	}
	out := sitting{When: p.When(x.Began), What: p.T("breathe.what", "long", long, "pace", p.pace(x.Pace))}
	if !x.Ready() {
		out.Say = p.T("breathe.short")
		return out
	}
	out.Say = p.T("breathe.figures", "score", p.Num(float64(hundred(x.Mean)), 0), "best", p.Num(float64(hundred(x.Best)), 0), "heart", p.Num(x.HeartRate, 0))
	return out
}

// curve adds how the coherence went within a session.
func (p *page) curve(out *sitting, x *breath.Session) {
	if len(x.Points) < 2 {
		return
	}
	every := (len(x.Points) + curveMost - 1) / curveMost
	end := x.Points[len(x.Points)-1].At
	c := plot{Most: 100, Name: p.T("breathe.curve", "score", p.Num(float64(hundred(x.Mean)), 0), "first", p.Num(float64(hundred(x.Points[0].Coherence)), 0),
		"last", p.Num(float64(hundred(x.Points[len(x.Points)-1].Coherence)), 0)), Format: func(v float64) string { return p.Num(v, 0) }}
	out.Heads = []string{p.T("breathe.minute"), p.T("breathe.coherence"), p.T("breathe.heart")}
	for i := 0; i < len(x.Points); i += every {
		part := x.Points[i:min(i+every, len(x.Points))] // their mean stands for them
		var at, score, heart float64
		for _, one := range part {
			at, score, heart = at+one.At/float64(len(part)), score+one.Coherence/float64(len(part)), heart+one.HeartRate/float64(len(part))
		}
		c.Dots = append(c.Dots, dot{X: at / end, High: 100 * score})
		out.Rows = append(out.Rows, []string{minutes(at), p.Num(float64(hundred(score)), 0), p.Num(heart, 0)})
	}
	c.XLabels = []label{{0, "0:00"}, {1, minutes(end)}}
	out.Chart = c.draw()
}

// minutes writes seconds as 2:05.
func minutes(seconds float64) string {
	n := int(math.Round(seconds))
	return strconv.Itoa(n/60) + ":" + strconv.Itoa(n%60/10) + strconv.Itoa(n%10)
}

// wireBatch is what static/breathe.js posts every five seconds.
type wireBatch struct {
	Session string    `json:"session"`
	Batch   int       `json:"batch"`
	AgoMS   float64   `json:"ago_ms"`
	Pace    float64   `json:"pace"`
	Finding bool      `json:"finding"`
	Source  string    `json:"source"`
	RR      []float64 `json:"rr"`
	EndsMS  float64   `json:"ends_ms"`
}

// heard is the answer.
type heard struct {
	Next      int       `json:"next"` // batch that is expected now
	Seconds   float64   `json:"seconds"`
	Ready     bool      `json:"ready"`
	Score     int       `json:"score"` // 0 to 100
	Say       string    `json:"say"`
	HeartRate float64   `json:"heart_rate"`
	RR        []float64 `json:"rr,omitempty"` // where the server takes the beats from a device
}

// beats takes a batch of beats and answers how evenly the heart swings with the breath.
func (s *Server) beats(r *http.Request, p *page) (any, int, error) {
	var b wireBatch
	if err := readJSON(r, &b); err != nil {
		return nil, 0, err
	}
	if b.AgoMS != math.Trunc(b.AgoMS) || math.Abs(b.AgoMS) > 1e12 {
		return nil, 0, fault.Invalidf("ago_ms: it must be a whole number")
	}
	got, err := s.Breath.Add(r.Context(), breath.Batch{Org: p.Org, Patient: p.Patient.ID, By: p.Viewer.Person, Session: b.Session, N: b.Batch,
		Ago: time.Duration(b.AgoMS) * time.Millisecond, Pace: b.Pace, Finding: b.Finding, Source: b.Source, RR: b.RR, Ends: b.EndsMS})
	if err != nil {
		return nil, got.Next, err
	}
	if got.Began && p.Helping() { // who looked shows who recorded it for the person
		if err := s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "breathe", b.Session) }); err != nil {
			return nil, got.Next, err
		}
	}
	a := heard{Next: got.Next, Seconds: got.Seconds, Ready: got.Score.Ready(), Score: hundred(got.Score.Coherence), HeartRate: got.Score.HeartRate, RR: got.RR}
	if a.Ready {
		a.Say = p.feels(got.Score.Coherence)
	} else {
		a.Say = p.N("breathe.wait", int(math.Ceil(coherence.Window-got.Seconds)))
	}
	return a, got.Next, nil
}

// breathed ends a session.
func (s *Server) breathed(r *http.Request, p *page) (any, int, error) {
	var b struct {
		Session string `json:"session"`
		Batches int    `json:"batches"`
	}
	if err := readJSON(r, &b); err != nil {
		return nil, 0, err
	}
	x, err := s.Breath.Finish(r.Context(), p.Org.ID, p.Patient.ID, b.Session, b.Batches)
	return map[string]any{"next": x.Next(), "score": hundred(x.Mean)}, x.Next(), err
}

// readJSON reads a small object that the page's script sends.
func readJSON(r *http.Request, to any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(to)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = fault.Invalidf("the body is more than one object")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.New(fault.TooMuch, "That is too long to be sent at once.")
	case err != nil && r.Context().Err() == nil:
		return fault.Invalidf("the body cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return err
}

// told serves a script of the page: only who may act for the patient records, and errors are JSON with a sentence.
func (s *Server) told(do func(r *http.Request, p *page) (answer any, next int, err error)) handler {
	return func(w http.ResponseWriter, r *http.Request, p *page) error {
		var answer any
		var next int
		var err error
		if slices.Contains(p.Rights, person.Act) {
			answer, next, err = do(r, p)
		} else { // Enter writes the refusal down
			err = s.Person.Enter(r.Context(), p.Viewer, person.Act, p.Patient.ID, "breathe")
		}
		status := http.StatusOK
		if err != nil {
			kind := fault.KindOf(err)
			if kind == fault.Internal && r.Context().Err() == nil {
				s.Log.Error("page failed", "route", r.Pattern, "error", err)
			}
			status, answer = statuses[kind], map[string]any{"error": p.sentence(err), "next": next}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		return json.NewEncoder(w).Encode(answer)
	}
}
