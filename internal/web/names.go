package web

import (
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// names answers what people are called, each looked up once while a page is made.
type names struct {
	s   *Server
	tx  *store.Tx
	p   *page
	had map[person.ID]person.Person
}

func (s *Server) names(tx *store.Tx, p *page) *names {
	return &names{s: s, tx: tx, p: p, had: map[person.ID]person.Person{}}
}

func (n *names) get(id person.ID) (person.Person, error) {
	if who, ok := n.had[id]; ok {
		return who, nil
	}
	who, err := n.s.Person.Get(n.tx, n.p.Org.ID, id)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	n.had[id] = who
	return who, err
}

// of answers how the reader knows somebody: "you", a first name for patients, families and staff alike, "Doorstep" for the server.
func (n *names) of(id person.ID) (string, error) {
	if id == n.p.Viewer.Person {
		return n.p.T("who.you"), nil
	}
	who, err := n.get(id)
	if who.Called == "" {
		return n.p.T("who.us"), err
	}
	return who.Called, err
}

// role answers who keeps or does something that is meant for a role, by the word for it.
func (p *page) role(r person.Role) string {
	if key := "role." + string(r); words.Has(key) {
		return p.T(key)
	}
	return string(r)
}

// how says how we know: one sentence for a piece of evidence. An opening is an opening: never "taken".
func (n *names) how(e promise.Evidence) (string, error) {
	who, err := n.of(person.ID(e.By))
	if err != nil {
		return "", err
	}
	at := n.p.When(e.At)
	if e.For != "" {
		of, err := n.of(person.ID(e.For))
		return n.p.T("how.assisted", "called", of, "who", who, "time", at), err
	}
	key := "how." + e.Kind
	if !words.Has(key) {
		key = "how.other"
	}
	return n.p.T(key, "who", who, "time", at), nil
}

// climbed says what a rung did, to whom, when.
func (n *names) climbed(c promise.Climb) string {
	key := "climb." + string(c.Do)
	if c.Skipped {
		key = "climb.skipped"
		if c.Why == promise.Taken {
			key = "climb.taken"
		}
	}
	return n.p.T(key, "to", n.recipient(c.To), "time", n.p.When(c.At))
}

func (n *names) recipient(to string) string {
	switch {
	case to == "patient":
		return n.p.Patient.Called
	case to == "caregivers":
		return n.p.T("who.family")
	case len(to) > 5 && to[:5] == "role:":
		return n.p.role(person.Role(to[5:]))
	case len(to) > 5 && to[:5] == "next:":
		return n.p.T("role.next", "role", n.p.role(person.Role(to[5:])))
	case len(to) > 7 && to[:7] == "person:":
		who, err := n.of(person.ID(to[7:]))
		if err == nil {
			return who
		}
	}
	return n.p.T("who.us")
}

// clockAt answers when a patient's day begins.
func clockAt(day clock.Day, p person.Person) time.Time {
	return clock.At(day, p.DayStart, p.Location())
}
