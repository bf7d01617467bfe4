package web

import (
	"net/http"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// dose is a dose in words.
type dose struct {
	Promise   promise.ID
	Due       time.Time
	Status    medication.Status
	Say       string
	Medicines []string // each with its amount, and how to take it
	Know      string   // how we know what became of it
	Mark      string
	Open      bool // may still be answered
	Opened    bool // by a device alone: it may have been no dose
}

// doseMarks are the signs of each status.
var doseMarks = map[medication.Status]string{medication.Taken: "done", medication.Late: "done", medication.Opened: "opened", medication.Skipped: "skipped",
	medication.Missed: "missed", medication.Due: "due", medication.Later: "later"}

// doses answers a patient's day of doses in words, with how each is known from the ledger's evidence.
func (s *Server) doses(tx *store.Tx, names *names, day clock.Day) ([]dose, error) {
	p := names.p
	list, err := s.Medication.Day(tx, p.Org.ID, p.Patient.ID, day)
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
	var out []dose
	for _, d := range list {
		v := by[d.Promise.ID]
		if d.Status == medication.Skipped && len(v.Evidence) == 0 {
			continue // the plan changed: nobody has to know what it was before
		}
		x := dose{Promise: d.Promise.ID, Due: d.Due, Status: d.Status, Say: p.Whose("say.dose", "time", p.Time(d.Due)), Mark: doseMarks[d.Status]}
		x.Open = d.Status == medication.Due || d.Status == medication.Missed || d.Status == medication.Opened
		x.Opened = d.Status == medication.Opened
		for _, item := range d.Items {
			x.Medicines = append(x.Medicines, p.medicine(item))
		}
		if x.Know, err = names.known(d, v); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// medicine names a medicine with its amount and how to take it: "Furosemide 40 mg: 2 tablets, with food".
func (p *page) medicine(i medication.Item) string {
	text := i.Name
	if i.Amount != 0 {
		decimals := 0
		if i.Amount != float64(int(i.Amount)) {
			decimals = 1
		}
		amount := p.Num(i.Amount, decimals) + " " + i.Unit
		if words.Has("unit." + i.Unit + ".one") {
			amount = p.T("unit."+i.Unit+".other", "n", p.Num(i.Amount, decimals))
			if i.Amount == 1 {
				amount = p.N("unit."+i.Unit, 1)
			}
		}
		text += ": " + strings.TrimSpace(amount)
	}
	if i.How != "" {
		text += ", " + i.How
	}
	return text
}

// known says how we know what became of a dose. An opened box is only that, and stays in sight beside a word that came later.
func (n *names) known(d medication.Dose, v promise.View) (string, error) {
	switch d.Status {
	case medication.Due:
		return n.p.T("dose.waiting"), nil
	case medication.Missed:
		return n.p.T("dose.missed"), nil
	case medication.Later:
		return "", nil
	case medication.Skipped:
		e := v.Evidence[0]
		return strings.TrimSpace(n.p.T("dose.skipped", "time", n.p.When(e.At)) + " " + n.p.reason(e.Note)), nil
	}
	var all []string
	for _, e := range v.Evidence {
		text, err := n.how(e)
		if err != nil {
			return "", err
		}
		all = append(all, text)
	}
	if d.Status == medication.Opened { // never rounded up
		all = append(all, n.p.T("sure."+string(d.Confidence)))
	}
	return strings.Join(all, ". "), nil
}

// reasons are why a dose may be left out; the last leaves room for own words.
var reasons = []string{"reason.sick", "reason.out", "reason.told", "reason.away", "reason.refuse", "reason.other"}

// reason says a reason in the reader's language, or as it was written.
func (p *page) reason(text string) string {
	if strings.HasPrefix(text, "reason.") && words.Has(text) {
		return p.T(text)
	}
	return text
}

// readAnswer reads the form under a dose.
func readAnswer(r *http.Request, p *page) (medication.Word, error) {
	if err := r.ParseForm(); err != nil {
		return medication.Word{}, err
	}
	a := medication.Word{Org: p.Org.ID, Patient: p.Patient.ID, Promise: promise.ID(r.PathValue("promise")), By: p.Viewer.Person, Kind: "tap", Source: "page", At: p.Now}
	switch r.PostForm.Get("answer") {
	case "taken":
		a.Taken = true
	case "pocket": // from another place than the box, at a time of today
		at, err := p.earlier(strings.TrimSpace(r.PostForm.Get("time")))
		if err != nil {
			return a, err
		}
		a.Taken, a.Kind, a.At = true, medication.KindPocket, at
	case "nodose":
		a.Kind = medication.KindNoDose
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
		if a.Kind == "tap" {
			a.Kind = "word"
		}
	}
	return a, nil
}

// answerDose takes the word of the patient, or of somebody who may act for the patient. The promise is looked up under the
// patient in the address, so that one chart's promise cannot be answered from another's page.
func (s *Server) answerDose(w http.ResponseWriter, r *http.Request, p *page) error {
	a, err := readAnswer(r, p)
	if err == nil {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
			if a.Kind == medication.KindNoDose {
				return s.Medication.NoDose(tx, a)
			}
			return s.Medication.Say(tx, a)
		})
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
	switch {
	case a.Taken:
		done = "taken"
	case a.Kind == medication.KindNoDose:
		done = "saved"
	}
	if desk {
		return back(w, r, p.Base, "noted")
	}
	return back(w, r, p.Base+"/today", done)
}
