package app_test

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

const org = person.OrgID("elm")

// start is Monday 2 March 2026, 07:30 in New York: nobody is asleep.
var start = time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC)

// post is the world's end of a channel: it keeps what it is given and answers as it is told.
type post struct {
	mu     sync.Mutex
	got    []message.Outgoing
	answer func(message.Outgoing) message.Result // nil: taken, without a report to come
	dies   bool                                  // takes everything, and the process ends before it hears of it
}

func (p *post) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, batch...)
	if p.dies {
		return nil
	}
	out := make([]message.Result, len(batch))
	for i := range batch {
		if p.answer != nil {
			out[i] = p.answer(batch[i])
		}
	}
	return out
}

// house is one server with a few people: Ruth reads English and has a telephone and a mailbox, Elena is her daughter and reads
// Spanish, Dana is the nurse on duty, Omar sits at the desk.
type house struct {
	*testing.T
	*app.Server
	clock                   *clock.Sim
	sms, mail               *post
	ruth, elena, dana, omar person.Person
	refs                    int
}

const (
	ruthPhone  = "+15550100001"
	elenaPhone = "+15550100002"
	danaPhone  = "+15550100003"
	omarPhone  = "+15550100004"
	ruthMail   = "ruth@example.org"
)

func each(t *testing.T, fn func(h *house)) {
	t.Parallel()
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) { fn(newHouse(t, db)) })
}

func newHouse(t *testing.T, db *store.DB) *house {
	h := &house{T: t, clock: clock.NewSim(start), sms: &post{}, mail: &post{}}
	var err error
	h.Server, err = app.New(t.Context(), app.Options{DB: db, Clock: h.clock, IDs: clock.SeededIDs(h.clock, 1), PublicURL: "https://elm.example"})
	if err != nil {
		t.Fatal(err)
	}
	h.Messages.SetChannel(person.SMS, h.sms)
	h.Messages.SetChannel(person.Mail, h.mail)
	h.write(func(tx *store.Tx) error {
		if err := h.People.SaveOrg(tx, person.Org{ID: org, Name: "Elm", Zone: "America/New_York", Language: "en", Phone: "555-0100"}); err != nil {
			return err
		}
		return h.People.SaveTeam(tx, org, person.Team{ID: "t", Name: "Team"})
	})
	h.ruth = h.enrol(person.Person{Role: person.Patient, Name: "Ruth Abbott", BirthYear: 1947}, ruthPhone)
	h.contact(person.Contact{Person: h.ruth.ID, Rank: 1, Channel: person.Mail, Address: ruthMail, Consent: person.Given})
	h.elena = h.enrol(person.Person{Role: person.Caregiver, Name: "Elena Abbott", BirthYear: 1974, Language: "es"}, elenaPhone)
	h.dana = h.enrol(person.Person{Role: person.Nurse, Name: "Dana Reyes"}, danaPhone)
	h.omar = h.enrol(person.Person{Role: person.Desk, Name: "Omar Haddad"}, omarPhone)
	h.write(func(tx *store.Tx) error {
		return h.People.Link(tx, org, person.CareLink{Patient: h.ruth.ID, Caregiver: h.elena.ID, Relation: "daughter", Rights: []person.Right{person.See, person.Act},
			From: start.Add(-time.Hour), Until: start.AddDate(1, 0, 0), GivenBy: h.ruth.ID})
	})
	return h
}

func (h *house) enrol(p person.Person, phone string) person.Person {
	h.Helper()
	p.Org, p.Zone = org, "America/New_York"
	if p.Language == "" {
		p.Language = "en"
	}
	if p.Role != person.Caregiver {
		p.Teams = []person.TeamID{"t"}
	}
	h.write(func(tx *store.Tx) (err error) { p, err = h.People.Save(tx, p); return err })
	if phone != "" {
		h.contact(person.Contact{Person: p.ID, Channel: person.SMS, Address: phone, Consent: person.Given})
	}
	return p
}

func (h *house) contact(c person.Contact) {
	h.Helper()
	h.write(func(tx *store.Tx) error { return h.People.SetContact(tx, org, c) })
}

func (h *house) write(fn func(tx *store.Tx) error) {
	h.Helper()
	if err := h.DB.Write(h.Context(), fn); err != nil {
		h.Fatal(err)
	}
}

func (h *house) read(fn func(tx *store.Tx) error) {
	h.Helper()
	if err := h.DB.Read(h.Context(), fn); err != nil {
		h.Fatal(err)
	}
}

// at moves the clock to so long after the start and lets the server do what has come due.
func (h *house) at(d time.Duration) {
	h.Helper()
	h.clock.Set(start.Add(d))
	h.settle()
}

func (h *house) settle() {
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

// receive lets a text come in and sends what follows.
func (h *house) receive(from, body string) {
	h.Helper()
	h.refs++
	if err := h.Messages.Receive(h.Context(), message.Inbound{Org: org, Channel: person.SMS, From: from, Body: body, Ref: fmt.Sprintf("in-%d", h.refs)}); err != nil {
		h.Fatal(err)
	}
	h.settle()
}

// took answers what a channel was given since the last look, as "address: body", in order.
func (p *post) took() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, m := range p.got {
		out = append(out, m.To+": "+m.Body)
	}
	p.got = nil
	return out
}

// want checks that a channel was given exactly these since the last look, each told by the parts its "address: body" must hold,
// joined by "…".
func (h *house) want(p *post, want ...string) {
	h.Helper()
	got := p.took()
	if len(got) != len(want) {
		h.Errorf("at %s: %d messages %q, want %d %q", h.clock.Now().Sub(start), len(got), got, len(want), want)
		return
	}
	for i := range got {
		for part := range strings.SplitSeq(want[i], "…") {
			if !strings.Contains(got[i], part) {
				h.Errorf("at %s: message %d is %q, want %q in it", h.clock.Now().Sub(start), i, got[i], part)
			}
		}
	}
}

// tasks answers the open tasks as "role say", in the desk's order.
func (h *house) tasks() string {
	h.Helper()
	var list []promise.TaskRow
	h.read(func(tx *store.Tx) (err error) { list, err = h.Promises.Tasks(tx, org); return err })
	var out []string
	for _, t := range list {
		out = append(out, string(t.Role)+" "+t.Say)
	}
	return strings.Join(out, ", ")
}
