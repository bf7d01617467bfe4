package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/visit"
	"doorstep/internal/words"
)

// videoPage is the room of a visit: the check of camera and sound, the waiting room, the visit, and what it turns into.
type videoPage struct {
	*page
	What, On string
	Opens    string // when the room opens; empty: it is open, or over
	Room     string // where the script finds it
	Says     roomSays
	Staff    bool
	Records  bool
	Relayed  bool   // through the relay alone: to see whether it works
	Call     string // the number that the staff call
}

// roomSays is a room in the viewer's words: what its stream tells the script, and what the page shows without one.
type roomSays struct {
	Mode      visit.Mode `json:"mode"`
	Title     string     `json:"title"`
	Say       string     `json:"say"`
	Seats     []seatSays `json:"seats"`
	Both      bool       `json:"both"`
	Over      bool       `json:"over"`
	Recording bool       `json:"recording"`
}

type seatSays struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Part  visit.Part `json:"part"`
	Label string     `json:"label"`
}

func (s *Server) videoRoutes(mux *http.ServeMux) {
	both := func(method, path string, right person.Right, h handler) {
		mux.Handle(method+" "+path, s.own(right, "video visit", h))
		mux.Handle(method+" /helping/{patient}"+path, s.helped(right, "video visit", h))
		mux.Handle(method+" /desk/people/{patient}"+path, s.desked(right, "video visit", h))
		mux.Handle(method+" /r/{code}"+path, s.linked(right, h))
	}
	both("GET", "/visits/{visit}/video", person.Act, s.video)
	both("GET", "/room/{visit}/stream", person.Act, s.videoStream)
	both("POST", "/room/{visit}/join", person.Act, s.room(s.joinRoom))
	both("POST", "/room/{visit}/signal", person.Act, s.room(s.signalRoom))
	both("POST", "/room/{visit}/leave", person.Act, s.room(s.leaveRoom))
	both("POST", "/room/{visit}/record", person.Act, s.room(s.recordRoom))
	both("POST", "/room/{visit}/mode", person.Act, s.roomMode)
	both("POST", "/room/{visit}/end", person.Act, s.endRoom)
}

// linked serves the room of one visit to whoever holds the short link of a message about it, without a sign-in. The link opens
// nothing else, and its reader's rights are looked at each time.
func (s *Server) linked(right person.Right, h handler) http.Handler {
	return s.open(func(w http.ResponseWriter, r *http.Request, p *page) error {
		w.Header().Set("Cache-Control", "no-store")
		l, err := s.openLink(r, p)
		if err != nil {
			return err
		}
		if l.visit() != r.PathValue("visit") {
			return fault.NotFoundf("There is no such page.")
		}
		err = s.DB.Read(r.Context(), func(tx *store.Tx) error {
			var err error
			if p.Self, err = s.Person.Get(tx, l.Org, l.Person); err != nil {
				return err
			}
			p.Patient, err = s.Person.Get(tx, l.Org, l.Patient)
			return err
		})
		if err != nil {
			return err
		}
		p.Viewer = person.Viewer{Org: l.Org, Person: l.Person, Role: p.Self.Role, Name: p.Self.Name}
		if p.Viewer.Role != person.Patient && p.Viewer.Role != person.Caregiver {
			return fault.Deniedf("Please sign in.")
		}
		if err := s.Person.Enter(r.Context(), p.Viewer, right, l.Patient, "video visit"); err != nil {
			return err
		}
		p.Patient.Name = p.Patient.Called // a link shows no name in full
		p.Base, p.Rights = "/r/"+r.PathValue("code"), []person.Right{right}
		p.Zone, p.Away = p.Patient.Location(), p.Self.Zone != p.Patient.Zone
		return h(w, r, p)
	})
}

// visit answers the appointment that a link's message is about; empty when it is about none.
func (l linked) visit() string {
	for _, x := range l.promises {
		if x.Kind == appointment.Promised {
			return x.About
		}
	}
	return ""
}

// videoOf answers where the room of a link's visit is and when it opens, if the visit is by video and still to be held.
func (s *Server) videoOf(tx *store.Tx, p *page, l linked) (path string, opens time.Time, err error) {
	id := l.visit()
	if id == "" {
		return "", opens, nil
	}
	x, err := s.Visit.Visit(tx, visit.Key{Org: l.Org, Patient: l.Patient, Visit: visit.ID(id)})
	if err != nil || !x.Video || !x.Live || !p.Now.Before(x.End.Add(visit.Closes)) {
		return "", opens, err
	}
	if !x.Open(p.Now) {
		opens = x.Start.Add(-visit.Opens)
	}
	return "/visits/" + id + "/video", opens, nil
}

func roomKey(r *http.Request, p *page) visit.Key {
	return visit.Key{Org: p.Org.ID, Patient: p.Patient.ID, Visit: visit.ID(r.PathValue("visit"))}
}

// cameras lets a page use camera and microphone, and reach the server that holds the visit.
func (s *Server) cameras(w http.ResponseWriter) {
	w.Header().Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=()")
	if s.MediaURL != "" {
		if u, err := url.Parse(s.MediaURL); err == nil {
			plain := strings.Replace(u.Scheme, "ws", "http", 1) + "://" + u.Host
			w.Header().Set("Content-Security-Policy", policy+"; connect-src 'self' "+strings.Replace(plain, "http", "ws", 1)+" "+plain)
		}
	}
}

func (s *Server) video(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.showVideo(w, r, p, http.StatusOK)
}

func (s *Server) showVideo(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.note(r)
	p.Title, p.Live = "video.title", ""
	if !p.Viewer.Role.Staff() && p.Viewer.Session != "" {
		p.Active = "nav.visits"
	}
	k := roomKey(r, p)
	m := videoPage{page: p, Staff: p.Viewer.Role.Staff(), Records: s.Visit.Records(), Room: p.Base + "/room/" + string(k.Visit), Relayed: r.URL.Query().Get("through") == "relay"}
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		x, err := s.Visit.Visit(tx, k)
		switch {
		case err != nil:
			return err
		case !x.Video:
			return fault.Invalidf("This visit is not by video.")
		}
		m.What, m.On = capital(p.T("way.video")), p.at(x.Start, x.Zone)
		if x.With != "" {
			m.What = p.T("video.what", "with", x.With)
		}
		if opens := x.Start.Add(-visit.Opens); x.Live && p.Now.Before(opens) {
			m.Opens = p.at(opens, x.Zone)
		}
		if m.Says, err = s.says(tx, p, x); err != nil || !m.Staff || m.Says.Mode != visit.Phone {
			return err
		}
		m.Call, err = s.phoneOf(tx, p)
		return err
	})
	if err != nil {
		return err
	}
	s.cameras(w)
	return s.show(w, r, status, p, videoView(m))
}

// phoneOf answers the telephone at which the patient is called; empty if there is none.
func (s *Server) phoneOf(tx *store.Tx, p *page) (string, error) {
	list, err := s.Person.Contacts(tx, p.Org.ID, p.Patient.ID)
	for _, c := range list {
		if c.Channel == person.SMS {
			return c.Address, nil
		}
	}
	return "", err
}

// says puts a room into the viewer's words.
func (s *Server) says(tx *store.Tx, p *page, x visit.Visit) (roomSays, error) {
	m, err := s.Visit.Meeting(tx, x.Key)
	if err != nil {
		return roomSays{}, err
	}
	out := roomSays{Mode: m.Mode, Seats: []seatSays{}, Both: m.Both(), Over: !m.Ended.IsZero() || !x.Live || !s.Clock.Now().Before(x.End.Add(visit.Closes)), Recording: m.Recording != ""}
	for _, o := range m.Seats {
		out.Seats = append(out.Seats, seatSays{o.ID, o.Name, o.Part, p.T("video.part", "name", o.Name, "part", p.T("video.part."+string(o.Part)))})
	}
	staff := p.Viewer.Role.Staff()
	with := x.With
	if with == "" {
		with = p.Org.Name
	}
	switch {
	case out.Over:
		out.Title, out.Say = p.T("video.over"), p.T("video.over.how")
		if !x.Done && m.Together.IsZero() {
			out.Title, out.Say = p.T("video.unheld"), p.T("video.unheld.how", "phone", p.Phone())
		}
	case m.Mode == visit.Phone:
		return out, s.saysPhone(tx, p, m, with, &out)
	case !out.Both && staff:
		out.Title, out.Say = p.T("video.alone", "called", p.Patient.Called), p.T("video.alone.how")
	case !out.Both:
		out.Title, out.Say = p.T("video.waiting"), p.T("video.comes", "with", with, "time", p.at(x.Start, x.Zone))
		if s.Clock.Now().After(x.Start) {
			out.Say = p.T("video.late", "with", with)
		}
		left, ok, err := s.Visit.Estimate(tx, x.Key, p.Lang)
		if err != nil {
			return out, err
		}
		if ok {
			out.Say += " " + left
		}
	case m.Mode == visit.Audio:
		out.Title, out.Say = p.T("video.audio"), p.T("video.why."+m.Why)+" "+p.T("video.audio.how")
	default:
		out.Title, out.Say = p.T("video.on"), p.T("video.on.how")
	}
	return out, nil
}

// saysPhone tells who calls whom, where, by when.
func (s *Server) saysPhone(tx *store.Tx, p *page, m visit.Meeting, with string, out *roomSays) error {
	number, err := s.phoneOf(tx, p)
	if err != nil {
		return err
	}
	by, why := p.Time(m.CallBy), p.T("video.why."+m.Why)
	out.Title = p.T("video.phone")
	switch {
	case p.Viewer.Role.Staff() && number == "":
		out.Say = why + " " + p.T("video.phone.nonumber", "called", p.Patient.Called)
	case p.Viewer.Role.Staff():
		out.Say = why + " " + p.T("video.phone.staff", "called", p.Patient.Called, "phone", words.Phone(number), "by", by)
	case number == "":
		out.Say = p.T("video.phone.call", "phone", p.Phone())
	case m.Ringing:
		out.Say = p.T("video.phone.rings", "with", with, "end", number[len(number)-4:])
	default:
		out.Say = why + " " + p.T("video.phone.by", "with", with, "end", number[len(number)-4:], "by", by)
	}
	return nil
}

// room answers a script of the page; errors are JSON with a sentence.
func (s *Server) room(do func(r *http.Request, p *page, k visit.Key) (any, error)) handler {
	return func(w http.ResponseWriter, r *http.Request, p *page) error {
		err := r.ParseForm()
		var answer any
		if err == nil {
			answer, err = do(r, p, roomKey(r, p))
		}
		status := http.StatusOK
		if err != nil {
			kind := fault.KindOf(err)
			if kind == fault.Internal && r.Context().Err() == nil {
				s.Log.Error("page failed", "route", r.Pattern, "error", err)
			}
			status, answer = statuses[kind], map[string]string{"error": p.sentence(err)}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		return json.NewEncoder(w).Encode(answer)
	}
}

func (s *Server) joinRoom(r *http.Request, p *page, k visit.Key) (any, error) {
	seat, ticket, _, err := s.Visit.Join(r.Context(), p.Viewer, k)
	if err != nil {
		return nil, err
	}
	says, err := s.roomSays(r, p, k)
	return map[string]any{"seat": seat.ID, "part": seat.Part, "ticket": ticket, "room": says}, err
}

func (s *Server) roomSays(r *http.Request, p *page, k visit.Key) (says roomSays, err error) {
	err = s.DB.Read(r.Context(), func(tx *store.Tx) error {
		x, err := s.Visit.Visit(tx, k)
		if err == nil {
			says, err = s.says(tx, p, x)
		}
		return err
	})
	return says, err
}

func (s *Server) signalRoom(r *http.Request, p *page, k visit.Key) (any, error) {
	return struct{}{}, s.Visit.Send(r.Context(), p.Viewer, k, r.PostForm.Get("seat"), r.PostForm.Get("to"), r.PostForm.Get("body"))
}

func (s *Server) leaveRoom(r *http.Request, p *page, k visit.Key) (any, error) {
	return struct{}{}, s.Visit.Leave(r.Context(), p.Viewer, k, r.PostForm.Get("seat"))
}

func (s *Server) recordRoom(r *http.Request, p *page, k visit.Key) (any, error) {
	if _, err := s.Visit.Consent(r.Context(), p.Viewer, k, r.PostForm.Get("seat"), r.PostForm.Get("yes") == "1"); err != nil {
		return nil, err
	}
	return s.roomSays(r, p, k)
}

// roomMode lets the visit go on in another way: for the script, and for the buttons of the page without one.
func (s *Server) roomMode(w http.ResponseWriter, r *http.Request, p *page) error {
	change := func(r *http.Request, p *page, k visit.Key) (any, error) {
		var err error
		if to := visit.Mode(r.PostForm.Get("mode")); to == visit.Video {
			_, err = s.Visit.Rise(r.Context(), p.Viewer, k)
		} else {
			_, err = s.Visit.Fall(r.Context(), p.Viewer, k, to, r.PostForm.Get("why"))
		}
		if err != nil {
			return nil, err
		}
		return s.roomSays(r, p, k)
	}
	if r.Header.Get("Accept") == "application/json" {
		return s.room(change)(w, r, p)
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	if _, err := change(r, p, roomKey(r, p)); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showVideo(w, r, p, status) })
	}
	http.Redirect(w, r, p.Base+"/visits/"+r.PathValue("visit")+"/video", http.StatusSeeOther)
	return nil
}

// endRoom ends the visit for everybody.
func (s *Server) endRoom(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := s.Visit.End(r.Context(), p.Viewer, roomKey(r, p), r.PostForm.Get("spoke") != "no"); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showVideo(w, r, p, status) })
	}
	return back(w, r, p.Base+"/visits", "visit.held")
}

// stepLine is one step of a visit on its page.
type stepLine struct{ When, What string }

// steps are what happened in the room of a visit, for its page.
func (s *Server) roomSteps(tx *store.Tx, p *page, a appointment.Appointment) (out []stepLine, err error) {
	if a.Way != appointment.Video {
		return nil, nil
	}
	list, err := s.Visit.Events(tx, visit.Key{Org: a.Org, Patient: a.Patient, Visit: visit.ID(a.ID)})
	for _, e := range list {
		what := p.T("video.event."+e.Kind, "name", e.Name)
		if e.Why != "" {
			what += " " + p.T("video.why."+e.Why)
		}
		out = append(out, stepLine{p.Time(e.At), what})
	}
	return out, err
}

// joinable reports whether a visit's room is offered on its line.
func joinable(p *page, a appointment.Appointment) bool {
	return a.Way == appointment.Video && (a.State == appointment.Booked || a.State == appointment.Arrived) && p.May(person.Act) &&
		!p.Now.Before(a.Start.Add(-visit.Opens)) && p.Now.Before(a.End.Add(visit.Closes))
}
