// Package apptest gives tests a small house: one whole server with a few people, on both engines, in virtual time. What people
// and gateways outside see goes into a Post.
package apptest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// Org is the organization.
const Org = person.OrgID("elm")

// Start is Monday 2 March 2026, 07:30 in New York: nobody is asleep.
var Start = time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC)

// Post is the world's end of a channel: it keeps what it is given and answers as it is told.
type Post struct {
	mu     sync.Mutex
	Got    []message.Outgoing
	Answer func(message.Outgoing) message.Result // nil: taken, without a report to come
	Dies   bool                                  // takes everything, and the process ends before it hears of it
}

// Send is message.Sender.
func (p *Post) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Got = append(p.Got, batch...)
	if p.Dies {
		return nil
	}
	out := make([]message.Result, len(batch))
	for i := range batch {
		if p.Answer != nil {
			out[i] = p.Answer(batch[i])
		}
	}
	return out
}

// House is one server with a few people: Ruth reads English and has a telephone and a mailbox, Elena is her daughter and reads
// Spanish, Dana is the nurse on duty, Omar sits at the desk.
type House struct {
	*testing.T
	*app.Server
	Clock                   *clock.Sim
	SMS, Mail               *Post
	Ruth, Elena, Dana, Omar person.Person
	refs                    int
}

// Where people can be reached.
const (
	RuthPhone  = "+15550100001"
	ElenaPhone = "+15550100002"
	DanaPhone  = "+15550100003"
	OmarPhone  = "+15550100004"
	RuthMail   = "ruth@example.org"
)

// Each runs a test in a house of its own on each engine, in parallel.
func Each(t *testing.T, fn func(h *House)) {
	t.Parallel()
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) { fn(New(t, db)) })
}

// New builds the house on an empty database.
func New(t *testing.T, db *store.DB) *House {
	h := &House{T: t, Clock: clock.NewSim(Start), SMS: &Post{}, Mail: &Post{}}
	var err error
	h.Server, err = app.New(t.Context(), app.Options{DB: db, Clock: h.Clock, IDs: clock.SeededIDs(h.Clock, 1), PublicURL: "https://elm.example"})
	if err != nil {
		t.Fatal(err)
	}
	h.Messages.SetChannel(person.SMS, h.SMS)
	h.Messages.SetChannel(person.Mail, h.Mail)
	h.Write(func(tx *store.Tx) error {
		if err := h.People.SaveOrg(tx, person.Org{ID: Org, Name: "Elm", Zone: "America/New_York", Language: "en", Phone: "555-0100"}); err != nil {
			return err
		}
		return h.People.SaveTeam(tx, Org, person.Team{ID: "t", Name: "Team"})
	})
	h.Ruth = h.Enrol(person.Person{Role: person.Patient, Name: "Ruth Abbott", BirthYear: 1947}, RuthPhone)
	h.Contact(person.Contact{Person: h.Ruth.ID, Rank: 1, Channel: person.Mail, Address: RuthMail, Consent: person.Given})
	h.Elena = h.Enrol(person.Person{Role: person.Caregiver, Name: "Elena Abbott", BirthYear: 1974, Language: "es"}, ElenaPhone)
	h.Dana = h.Enrol(person.Person{Role: person.Nurse, Name: "Dana Reyes"}, DanaPhone)
	h.Omar = h.Enrol(person.Person{Role: person.Desk, Name: "Omar Haddad"}, OmarPhone)
	h.Write(func(tx *store.Tx) error {
		return h.People.Link(tx, Org, person.CareLink{Patient: h.Ruth.ID, Caregiver: h.Elena.ID, Relation: "daughter", Rights: []person.Right{person.See, person.Act},
			From: Start.Add(-time.Hour), Until: Start.AddDate(1, 0, 0), GivenBy: h.Ruth.ID})
	})
	return h
}

// Enrol takes a person in, with a telephone if there is one.
func (h *House) Enrol(p person.Person, phone string) person.Person {
	h.Helper()
	p.Org, p.Zone = Org, "America/New_York"
	if p.Language == "" {
		p.Language = "en"
	}
	if p.Role != person.Caregiver {
		p.Teams = []person.TeamID{"t"}
	}
	h.Write(func(tx *store.Tx) (err error) { p, err = h.People.Save(tx, p); return err })
	if phone != "" {
		h.Contact(person.Contact{Person: p.ID, Channel: person.SMS, Address: phone, Consent: person.Given})
	}
	return p
}

// Contact sets an address of a person.
func (h *House) Contact(c person.Contact) {
	h.Helper()
	h.Write(func(tx *store.Tx) error { return h.People.SetContact(tx, Org, c) })
}

// Write runs fn in a transaction.
func (h *House) Write(fn func(tx *store.Tx) error) {
	h.Helper()
	if err := h.DB.Write(h.Context(), fn); err != nil {
		h.Fatal(err)
	}
}

// Read runs fn on a view of the database.
func (h *House) Read(fn func(tx *store.Tx) error) {
	h.Helper()
	if err := h.DB.Read(h.Context(), fn); err != nil {
		h.Fatal(err)
	}
}

// At moves the clock to so long after the Start and lets the server do what has come due.
func (h *House) At(d time.Duration) {
	h.Helper()
	h.Clock.Set(Start.Add(d))
	h.Settle()
}

// Settle lets the server do what is due, until it has nothing more to do.
func (h *House) Settle() {
	h.Helper()
	for range 20 {
		busy, err := h.Step(h.Context())
		if err != nil {
			h.Fatal(err)
		}
		if !busy {
			return
		}
	}
	h.Fatal("the server does not come to rest")
}

// Receive lets a text come in and sends what follows.
func (h *House) Receive(from, body string) {
	h.Helper()
	h.refs++
	if err := h.Messages.Receive(h.Context(), message.Inbound{Org: Org, Channel: person.SMS, From: from, Body: body, Ref: fmt.Sprintf("in-%d", h.refs)}); err != nil {
		h.Fatal(err)
	}
	h.Settle()
}

// Count answers how much a channel was given since the last look.
func (p *Post) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.Got)
}

// Took answers what a channel was given since the last look, as "address: body", in order.
func (p *Post) Took() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, m := range p.Got {
		out = append(out, m.To+": "+m.Body)
	}
	p.Got = nil
	return out
}

// Want checks that a channel was given exactly these since the last look, Each told by the parts its "address: body" must hold,
// joined by "…".
func (h *House) Want(p *Post, want ...string) {
	h.Helper()
	got := p.Took()
	if len(got) != len(want) {
		h.Errorf("at %s: %d messages %q, want %d %q", h.Clock.Now().Sub(Start), len(got), got, len(want), want)
		return
	}
	for i := range got {
		for part := range strings.SplitSeq(want[i], "…") {
			if !strings.Contains(got[i], part) {
				h.Errorf("at %s: message %d is %q, want %q in it", h.Clock.Now().Sub(Start), i, got[i], part)
			}
		}
	}
}

// Tasks answers the open tasks as "role say", in the desk's order.
func (h *House) Tasks() string {
	h.Helper()
	var list []promise.TaskRow
	h.Read(func(tx *store.Tx) (err error) { list, err = h.Promises.Tasks(tx, Org); return err })
	var out []string
	for _, t := range list {
		out = append(out, string(t.Role)+" "+t.Say)
	}
	return strings.Join(out, ", ")
}
