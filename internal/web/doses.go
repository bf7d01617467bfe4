package web

import (
	"net/http"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// Doses is what the pages ask of the room of medicines.
type Doses interface {
	// Day answers the doses of a patient's day, in order of time.
	Day(tx *store.Tx, org person.OrgID, patient person.ID, day clock.Day) ([]Dose, error)
	// Answer takes a person's word on a dose, in the transaction given.
	Answer(tx *store.Tx, a DoseAnswer) error
}

// Dose is one dose of a day: everything that is to be taken at one time.
type Dose struct {
	Promise   promise.ID
	Due       time.Time
	Status    string    // taken, opened, late, skipped, missed, due, later
	At        time.Time // when it was taken, opened or skipped; zero when it was not
	Medicines []string  // each with its amount
	How       string    // "with food"; empty: nothing special
}

// DoseAnswer is "I took them" or "not today".
type DoseAnswer struct {
	Org     person.OrgID
	Patient person.ID
	Promise promise.ID
	Taken   bool
	Reason  string    // why not, a catalog key reason.* or own words; empty when taken
	By      person.ID // who says so
	For     person.ID // assisted: the patient for whom By writes it down; empty when the patient answers
	Source  string    // page, link
	At      time.Time
}

// dose is a dose in words.
type dose struct {
	Dose
	Say  string
	Know string // how we know
	Mark string
	Open bool // may still be answered
}

// doseMarks are the signs of each status.
var doseMarks = map[string]string{"taken": "done", "late": "done", "opened": "opened", "skipped": "skipped", "missed": "missed", "due": "due", "later": "later"}

// doses answers a patient's day of doses in words, with how each is known from the ledger's evidence.
func (s *Server) doses(tx *store.Tx, names *names, day clock.Day) ([]dose, error) {
	p := names.p
	list, err := s.Doses.Day(tx, p.Org.ID, p.Patient.ID, day)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	views, err := s.Promise.Of(tx, p.Org.ID, p.Patient.ID, list[0].Due, list[len(list)-1].Due.Add(time.Microsecond))
	if err != nil {
		return nil, err
	}
	by := map[promise.ID]promise.View{}
	for _, v := range views {
		by[v.ID] = v
	}
	out := make([]dose, len(list))
	for i, d := range list {
		out[i] = dose{Dose: d, Say: p.T("say.dose", "time", p.Time(d.Due)), Mark: doseMarks[d.Status]}
		out[i].Open = d.Status == "due" || d.Status == "missed" || d.Status == "opened"
		if out[i].Know, err = names.known(d, by[d.Promise]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// known says how we know what became of a dose. An opened box is only that.
func (n *names) known(d Dose, v promise.View) (string, error) {
	switch d.Status {
	case "due":
		return n.p.T("dose.waiting"), nil
	case "missed":
		return n.p.T("dose.missed"), nil
	case "later":
		return "", nil
	}
	if len(v.Evidence) == 0 {
		return n.p.T("dose."+d.Status, "time", n.p.When(d.At)), nil
	}
	e := v.Evidence[0]
	how, err := n.how(e)
	if err != nil || d.Status != "skipped" {
		return how, err
	}
	how = n.p.T("dose.skipped", "time", n.p.When(e.At))
	if e.Note != "" {
		how += " " + n.p.reason(e.Note)
	}
	return how, nil
}

// reasons are why a dose may be left out; the last leaves room for own words.
var reasons = []string{"reason.sick", "reason.out", "reason.told", "reason.away", "reason.other"}

// reason says a reason in the reader's language, or as it was written.
func (p *page) reason(text string) string {
	if strings.HasPrefix(text, "reason.") && words.Has(text) {
		return p.T(text)
	}
	return text
}

// readAnswer reads the form under a dose.
func readAnswer(r *http.Request, p *page) (DoseAnswer, error) {
	if err := r.ParseForm(); err != nil {
		return DoseAnswer{}, err
	}
	a := DoseAnswer{Org: p.Org.ID, Patient: p.Patient.ID, Promise: promise.ID(r.PathValue("promise")), By: p.Viewer.Person, Source: "page", At: p.Now}
	switch r.PostForm.Get("answer") {
	case "taken":
		a.Taken = true
	case "skipped":
		a.Reason = r.PostForm.Get("reason")
		if note := strings.TrimSpace(r.PostForm.Get("note")); note != "" {
			a.Reason = note
		}
		if a.Reason == "" {
			return a, fault.Invalidf("Please choose why not.")
		}
		if len(a.Reason) > 500 {
			return a, fault.Invalidf("That is too long to be sent at once.")
		}
	default:
		return a, fault.Invalidf("Please choose one of the answers.")
	}
	if p.Helping() {
		a.For = p.Patient.ID
	}
	return a, nil
}

// answerDose takes the word of the patient, or of somebody who may act for the patient. The promise is looked up under the
// patient in the address, so that one chart's promise cannot be answered from another's page.
func (s *Server) answerDose(w http.ResponseWriter, r *http.Request, p *page) error {
	a, err := readAnswer(r, p)
	if err == nil {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Doses.Answer(tx, a) })
	}
	desk := strings.HasPrefix(p.Base, "/desk")
	if err != nil {
		return s.again(w, r, p, err, func(status int) error {
			if desk {
				return s.showPersonLine(w, r, p, status)
			}
			return s.showToday(w, r, p, status)
		})
	}
	done := "skipped"
	if a.Taken {
		done = "taken"
	}
	if desk {
		return back(w, r, p.Base, "noted")
	}
	return back(w, r, p.Base+"/today", done)
}
