package medication

import (
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Status of a dose.
type Status string

const (
	Later   Status = "later"   // not due yet
	Due     Status = "due"     // due, no word
	Taken   Status = "taken"   // somebody says so
	Opened  Status = "opened"  // the box was opened: all that is known
	Late    Status = "late"    // taken more than half an hour after it was due
	Skipped Status = "skipped" // "not today", with a reason
	Missed  Status = "missed"  // no word within the window
)

// Dose is one dose of a day.
type Dose struct {
	Promise promise.Promise
	Due     time.Time
	Items   []Item
	Status  Status
	At      time.Time // when it was taken, opened or skipped; zero when it was not

	Confidence Confidence         // how surely it was taken
	Evidence   []promise.Evidence // all that is known of it
}

// Day answers a patient's doses of a day, which begins at the patient's own DayStart, in order of time.
func (s *Service) Day(tx *store.Tx, org person.OrgID, patient person.ID, day clock.Day) ([]Dose, error) {
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return nil, err
	}
	return s.Between(tx, p, clock.At(day, p.DayStart, p.Location()), clock.At(day.Add(1), p.DayStart, p.Location()))
}

// Between answers a patient's doses due in [from, to), in order of time.
func (s *Service) Between(tx *store.Tx, p person.Person, from, to time.Time) ([]Dose, error) {
	items := map[promise.ID][]Item{}
	err := tx.Rows("SELECT promise, items FROM dose WHERE org = $1 AND shard = $2 AND patient = $3 AND due_at >= $4 AND due_at < $5",
		[]any{string(p.Org), person.Shard(p.ID), string(p.ID), store.Micros(from), store.Micros(to)}, func(scan func(...any) error) error {
			var id promise.ID
			var text string
			if err := scan(&id, &text); err != nil {
				return err
			}
			var list []Item
			if err := json.Unmarshal([]byte(text), &list); err != nil {
				return err
			}
			items[id] = list
			return nil
		})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	views, err := s.promises.Of(tx, p.Org, p.ID, from, to)
	if err != nil {
		return nil, err
	}
	var out []Dose
	for _, v := range views {
		if list, ok := items[v.ID]; ok && v.Kind == Kind {
			d := Dose{Promise: v.Promise, Due: v.From, Items: list, Evidence: v.Evidence, Confidence: confidence(v.Evidence)}
			d.Status, d.At = statusOf(v, s.clock.Now())
			out = append(out, d)
		}
	}
	return out, nil
}

// statusOf reads a dose's status off its promise and evidence. A word that it was taken outweighs an opening.
func statusOf(v promise.View, now time.Time) (Status, time.Time) {
	var said, opened time.Time
	for _, e := range v.Evidence {
		switch {
		case slices.Contains(signs, e.Kind) && opened.IsZero() && !denied(v.Evidence, e):
			opened = e.At
		case isWord(e) && said.IsZero():
			said = e.At
		}
	}
	switch {
	case v.State == promise.Released:
		if len(v.Evidence) > 0 {
			return Skipped, v.Evidence[0].At
		}
		return Skipped, v.Closed
	case !said.IsZero() && said.Sub(v.From) > late:
		return Late, said
	case !said.IsZero():
		return Taken, said
	case !opened.IsZero():
		return Opened, opened
	case v.State == promise.Broken || v.State == promise.Kept && now.After(v.By): // kept by an opening that was no dose
		return Missed, time.Time{}
	case now.Before(v.From):
		return Later, time.Time{}
	}
	return Due, time.Time{}
}

// Word is what somebody says about a dose.
type Word struct {
	Org     person.OrgID
	Patient person.ID
	Promise promise.ID
	Taken   bool
	Reason  string    // why not; a catalog key or own words
	By      person.ID // who says so
	For     person.ID // assisted: said for this person by By
	Kind    string    // tap, text, word
	Source  string    // page, link, text, telephone
	At      time.Time
}

// Say takes a word on a dose. "Not today" ends the promise with its reason; for a critical dose the desk hears of it.
func (s *Service) Say(tx *store.Tx, w Word) error {
	e := promise.Evidence{Kind: w.Kind, At: w.At, Source: w.Source, By: string(w.By), For: string(w.For)}
	if w.Taken {
		_, err := s.promises.Give(tx, w.Org, w.Patient, w.Promise, e)
		return err
	}
	e.Note = w.Reason
	if e.Note == "" {
		e.Note = "reason.other"
	}
	p, err := s.promises.Note(tx, w.Org, w.Patient, w.Promise, e)
	if err != nil || p.State != promise.Open {
		return err
	}
	viewer := person.Viewer{Org: w.Org, Person: w.By}
	if _, err := s.promises.Release(tx, viewer, w.Org, w.Patient, w.Promise, e.Note, false); err != nil {
		return err
	}
	if p.Severity < promise.Watch {
		return nil
	}
	return s.promises.OpenTask(tx, promise.TaskRow{Org: w.Org, Patient: w.Patient, ID: clock.DerivedID("skipped", string(p.ID)), Promise: p.ID, Kind: Kind, Role: person.Nurse,
		Severity: promise.Watch, Say: "task.dose.skipped", Args: map[string]string{"time": p.Args["time"], "reason": "key:" + e.Note}, Cause: "skipped"})
}

func open(d *Dose) bool { return d.Status == Due || d.Status == Later || d.Status == Missed }

// second asks whether a dose was taken twice. The same dose is asked about once.
func (s *Service) second(tx *store.Tx, p person.Person, d *Dose, at time.Time, source string) error {
	views, err := s.promises.Of(tx, p.Org, p.ID, d.Due, d.Due.Add(time.Microsecond))
	if err != nil {
		return err
	}
	for _, v := range views {
		for _, e := range v.Evidence {
			if v.ID == d.Promise.ID && e.Kind == "second" {
				return nil
			}
		}
	}
	if _, err := s.promises.Note(tx, p.Org, p.ID, d.Promise.ID, promise.Evidence{Kind: "second", At: at, Source: source, Note: "second"}); err != nil {
		return err
	}
	return s.messages.Say(tx, message.Draft{Org: p.Org, Patient: p.ID, To: "patient", At: at, Key: "second/" + string(d.Promise.ID), Say: "second",
		Args: map[string]string{"time": at.UTC().Format(time.RFC3339)}, Promises: []string{string(d.Promise.ID)}, Severity: message.Urgent, Ask: true})
}

// Reply takes a numbered answer to a question of this room, and answers what to thank with.
func (s *Service) Reply(tx *store.Tx, a message.Answer, id promise.ID) (say string, args map[string]string, err error) {
	p, err := s.promises.Get(tx, a.Org, a.Patient, id)
	if err != nil {
		return "", nil, err
	}
	if p.Kind == Travel {
		return s.replyTravel(tx, a, id)
	}
	args = map[string]string{"time": p.Args["time"]}
	if a.Say == "second" {
		e := promise.Evidence{Kind: "answer", At: a.At, Source: "text", By: string(a.By), Note: "second.none"}
		if a.Number == 2 {
			e.Note = "second.more"
			if err := s.promises.OpenTask(tx, promise.TaskRow{Org: a.Org, Patient: a.Patient, ID: clock.DerivedID("second", string(id)), Promise: id, Kind: Kind,
				Role: person.Nurse, Severity: promise.Urgent, Say: "task.dose.second", Args: args, Cause: "second"}); err != nil {
				return "", nil, err
			}
		}
		_, err = s.promises.Note(tx, a.Org, a.Patient, id, e)
		return "closed", nil, err
	}
	if p.State == promise.Released || (p.State == promise.Kept && a.Number == 2) {
		return "closed", nil, nil
	}
	w := Word{Org: a.Org, Patient: a.Patient, Promise: id, Taken: a.Number == 1, By: a.By, Kind: "text", Source: "text", At: a.At}
	if a.Source == "phone" { // a key pressed during a call
		w.Kind, w.Source = "word", "phone"
	}
	if a.Number == 2 {
		return "thanks.skipped", args, s.Say(tx, w)
	}
	return "thanks.taken", args, s.Say(tx, w)
}
