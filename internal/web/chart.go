package web

import (
	"net/http"
	"time"

	"doorstep/internal/person"
)

// chartRoutes are the pages of one person's chart: at their own addresses for the person, under /helping/{patient} for family.
func (s *Server) chartRoutes(mux *http.ServeMux) {
	both := func(method, path string, right person.Right, what string, h handler) {
		mux.Handle(method+" "+path, s.own(right, what, h))
		mux.Handle(method+" /helping/{patient}"+path, s.helped(right, what, h))
	}
	both("GET", "/today", person.See, "today", s.today)
	both("POST", "/doses/{promise}", person.Act, "answer a dose", s.answerDose)
	both("GET", "/numbers", person.See, "numbers", s.numbers)
	both("GET", "/numbers/series/{series}", person.See, "numbers", s.zoomData)
	both("GET", "/messages", person.Message, "messages", s.messages)
	both("GET", "/messages/files/{file}", person.Message, "messages", s.file)
	both("POST", "/messages", person.Message, "write a message", s.post)
	both("POST", "/rides/{ride}/ready", person.Act, "ready to go home", s.rideReady)
	s.medicineRoutes(mux)
	s.goalRoutes(mux)
	s.supportRoutes(mux)
	s.pathwayRoutes(mux)
	both("GET", "/me", person.See, "settings", s.me)
	both("POST", "/me/day", person.Manage, "change the day", s.saveDay)
	both("POST", "/me/contact", person.Manage, "change a consent", s.saveConsent)
	both("POST", "/me/end", person.Manage, "end an access", s.endAccess)
	mux.Handle("POST /sign-out-everywhere", s.signed(s.signOutEverywhere))
	mux.Handle("GET /helping", s.signed(s.helping))
	mux.Handle("GET /account", s.signed(s.account))
	mux.Handle("POST /account", s.signed(s.saveAccount))
}

// own serves a page of the viewer's own chart.
func (s *Server) own(right person.Right, what string, h handler) http.Handler {
	return s.signed(func(w http.ResponseWriter, r *http.Request, p *page) error {
		if p.Viewer.Role != person.Patient {
			http.Redirect(w, r, home(p.Viewer), http.StatusSeeOther)
			return nil
		}
		if err := s.on(r, p, p.Viewer.Person, right, what, ""); err != nil {
			return err
		}
		return h(w, r, p)
	})
}

// helped serves a page of another's chart, named in the address.
func (s *Server) helped(right person.Right, what string, h handler) http.Handler {
	return s.signed(func(w http.ResponseWriter, r *http.Request, p *page) error {
		patient := person.ID(r.PathValue("patient"))
		if err := s.on(r, p, patient, right, what, "/helping/"+string(patient)); err != nil {
			return err
		}
		return h(w, r, p)
	})
}

// back sends the reader to a page after something was done; done is the catalog key of what is said there.
func back(w http.ResponseWriter, r *http.Request, to, done string) error {
	http.Redirect(w, r, to+"?done="+done, http.StatusSeeOther)
	return nil
}

// doneNotes are what may be said after something was done; anything else in the address is ignored.
var doneNotes = map[string]string{
	"taken": "done.taken", "skipped": "done.skipped", "saved": "done.saved", "sent": "done.sent", "ended": "done.ended",
	"task": "done.task", "snoozed": "done.snoozed", "finished": "done.finished", "shift": "done.shift", "added": "done.added", "noted": "done.noted",
	"rules.on": "rules.saved", "rules.off": "rules.ended", "minutes": "minutes.saved",
	"call.began": "call.began", "call.ended": "call.ended", "call.short": "call.short",
	"noted.dose": "done.dose", "early": "done.early",
	"breathe":    "done.breathe",
	"visit.take": "done.visit.take", "visit.confirm": "done.visit.confirm", "visit.cancel": "done.visit.cancel", "visit.kept": "done.visit.kept",
	"visit.waiting": "done.visit.waiting", "visit.held": "done.visit.held", "calendar.moved": "done.calendar.moved", "visit.call": "done.visit.call", "visit.approve": "done.saved", "visit.refuse": "done.saved", "visit.missed": "done.saved",
	"journey.yes": "done.journey.yes", "journey.moved": "done.journey.moved", "journey.stays": "done.journey.stays", "journey.not": "done.journey.not",
	"ride": "done.saved", "ride.ready": "done.ride.ready", "device.on": "done.device.on", "device.off": "done.device.off",
}

// note puts what was just done on the page.
func (p *page) note(r *http.Request) {
	if key, ok := doneNotes[r.URL.Query().Get("done")]; ok {
		p.Done = p.T(key)
	}
}

// dayBounds answers the instants between which a patient's day lies.
func dayBounds(p person.Person, at time.Time) (from, to time.Time) {
	day := p.DayOf(at)
	return clockAt(day, p), clockAt(day.Add(1), p)
}
