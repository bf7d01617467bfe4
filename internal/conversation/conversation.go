// Package conversation holds the thread between a person and the clinic. Its promises: every word that a person sends us, and every
// call that she makes, gets a promised time of an answer; it has one owner, who is told when that time comes near; it changes
// hands only when the next one has said yes; and words that raise a red flag go to a person at once.
package conversation

import (
	"context"
	"embed"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

const (
	// Kind of the promises of an answer.
	Kind = "answer"
	// Ladder that promises of an answer by a nurse climb; DeskLadder those of the desk, RedLadder those of red flags.
	Ladder     = "answer"
	DeskLadder = "answer.desk"
	RedLadder  = "answer.red"

	within = 4 * time.Hour       // how soon an answer is promised where no rule says otherwise
	sameIn = 7 * 24 * time.Hour  // a word so soon after an answer belongs to the same matter, and to the same owner
	shown  = 90 * 24 * time.Hour // of answered conversations
)

// Service ties words to promises of an answer.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	ids      *clock.IDs
	people   *person.Service
	messages *message.Service
	promises *promise.Service
}

// New answers the service.
func New(db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service, messages *message.Service, promises *promise.Service) *Service {
	return &Service{db: db, clock: c, ids: ids, people: people, messages: messages, promises: promises}
}

// Conversation is one matter of a patient.
type Conversation struct {
	Org       person.OrgID
	Patient   person.ID
	ID        string
	Kind      string      // the route's id; "call" for a call back; empty: anything else
	Role      person.Role // whose it is while it has no owner
	Owner     person.ID   // who holds it; empty: nobody yet
	Offered   person.ID   // who is asked to take it over; the owner holds it until she says yes
	OfferedBy person.ID
	Note      string // what the owner tells the next one
	Red       bool
	Opened    time.Time
	By        time.Time // until when an answer is promised
	Answered  time.Time // zero: not yet
	Handovers int
	Phone     string // to call back at; empty but for calls
	Promise   promise.ID
}

var columns = []string{"org", "patient", "id", "kind", "role", "owner", "offered", "offered_by", "note", "red", "opened_at", "by_at", "answered_at", "handovers", "phone", "promise"}

const selectAll = "SELECT org, patient, id, kind, role, owner, offered, offered_by, note, red, opened_at, by_at, answered_at, handovers, phone, promise FROM conversation"

func scanOne(scan func(...any) error) (Conversation, error) {
	var c Conversation
	var red int
	var opened, by, answered int64
	err := scan(&c.Org, &c.Patient, &c.ID, &c.Kind, &c.Role, &c.Owner, &c.Offered, &c.OfferedBy, &c.Note, &red, &opened, &by, &answered, &c.Handovers, &c.Phone, &c.Promise)
	c.Red, c.Opened, c.By, c.Answered = red == 1, store.Time(opened), store.Time(by), store.Time(answered)
	return c, err
}

func (s *Service) put(tx *store.Tx, c Conversation) error {
	tx.Hint("desk", string(c.Org))
	tx.Hint("patient", string(c.Org)+"/"+string(c.Patient))
	return tx.Put("conversation", columns, 3, 1, func(int) []any {
		return []any{string(c.Org), string(c.Patient), c.ID, c.Kind, string(c.Role), string(c.Owner), string(c.Offered), string(c.OfferedBy), c.Note, int64(yes(c.Red)),
			store.Micros(c.Opened), store.Micros(c.By), store.Micros(c.Answered), int64(c.Handovers), c.Phone, string(c.Promise)}
	})
}

// Open answers the organization's conversations that wait for an answer, the soonest first, of the patients whom the viewer may see.
func (s *Service) Open(tx *store.Tx, v person.Viewer) ([]Conversation, error) {
	mine, err := s.people.PatientsOf(tx, v)
	if err != nil {
		return nil, err
	}
	seen := make(map[person.ID]bool, len(mine))
	for _, p := range mine {
		seen[p.ID] = true
	}
	all, err := store.All(tx, selectAll+" WHERE org = $1 AND answered_at = 0 ORDER BY by_at, patient, id", []any{string(v.Org)}, scanOne)
	out := all[:0]
	for _, c := range all {
		if seen[c.Patient] {
			out = append(out, c)
		}
	}
	return out, err
}

// Of answers a patient's conversations, the latest first.
func (s *Service) Of(tx *store.Tx, org person.OrgID, patient person.ID) ([]Conversation, error) {
	return store.All(tx, selectAll+" WHERE org = $1 AND patient = $2 AND opened_at > $3 ORDER BY opened_at DESC, id DESC",
		[]any{string(org), string(patient), store.Micros(s.clock.Now().Add(-shown))}, scanOne)
}

// Get answers one conversation.
func (s *Service) Get(tx *store.Tx, org person.OrgID, patient person.ID, id string) (Conversation, error) {
	list, err := store.All(tx, selectAll+" WHERE org = $1 AND patient = $2 AND id = $3", []any{string(org), string(patient), id}, scanOne)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such conversation.")
	}
	if err != nil {
		return Conversation{}, err
	}
	return list[0], nil
}

// Post writes into a patient's thread from a page. Staff answer: that keeps what was promised, and the patient is told that
// there is an answer. Anybody else asks: an answer is promised. Files stand with the words; one that is not taken keeps all of it from being sent.
func (s *Service) Post(ctx context.Context, v person.Viewer, patient person.ID, body string, files ...File) error {
	if err := s.people.Enter(ctx, v, person.Message, patient, "messages"); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error { return s.PostIn(tx, v, patient, body, files...) })
}

// PostIn is Post inside a caller's transaction, which has seen to the viewer's right to write to the patient.
func (s *Service) PostIn(tx *store.Tx, v person.Viewer, patient person.ID, body string, files ...File) error {
	files, err := check(files)
	if err != nil {
		return err
	}
	if strings.TrimSpace(body) == "" && len(files) > 0 { // a picture may say it all: its name stands for the words
		names := make([]string, len(files))
		for i, f := range files {
			names[i] = f.Name
		}
		body = strings.Join(names, ", ")
	}
	m, err := s.messages.Write(tx, v, patient, body)
	if err != nil {
		return err
	}
	if err := s.attach(tx, m, files); err != nil {
		return err
	}
	if !v.Role.Staff() {
		_, err := s.Heard(tx, m.Org, patient, body)
		return err
	}
	return s.answered(tx, v, m)
}

// Heard promises an answer to a patient's words. Where one is promised already the first time said holds, unless the words raise a red
// flag: then somebody is called at once. It answers by when.
func (s *Service) Heard(tx *store.Tx, org person.OrgID, patient person.ID, body string) (time.Time, error) {
	routes, err := s.Routes(tx, org)
	if err != nil {
		return time.Time{}, err
	}
	r := Choose(routes, body)
	list, err := s.Of(tx, org, patient)
	if err != nil {
		return time.Time{}, err
	}
	now := s.clock.Now()
	c := Conversation{Org: org, Patient: patient, ID: s.ids.New(), Kind: r.ID, Role: r.Role, Opened: now}
	for _, had := range list {
		if had.Kind == callKind {
			continue
		}
		if had.Answered.IsZero() && (!r.Red || had.Red) && had.By.After(now) {
			return had.By, nil
		}
		if had.Answered.IsZero() { // the same matter, and now it is urgent, or we have not kept our word
			c = had
			if r.Red {
				c.Kind, c.Role = r.ID, r.Role
			}
			if err := s.withdraw(tx, had, "urgent"); err != nil {
				return time.Time{}, err
			}
			break
		}
		if now.Sub(had.Answered) < sameIn {
			c.Owner = had.Owner // the same person holds it
		}
		break
	}
	c.Red, c.By = c.Red || r.Red, now.Add(time.Duration(r.Minutes)*time.Minute)
	return c.By, s.promise(tx, &c, "say.answer")
}

// promise says to the patient, in the ledger, that she will be answered.
func (s *Service) promise(tx *store.Tx, c *Conversation, say string) error {
	p, err := s.people.Get(tx, c.Org, c.Patient)
	if err != nil {
		return err
	}
	name, severity := Ladder, promise.Watch
	switch {
	case c.Red:
		name, severity = RedLadder, promise.Severe
	case c.Kind == callKind:
		name = CallLadder
	case c.Role == person.Desk:
		name = DeskLadder
	}
	now := s.clock.Now()
	ref, err := s.ladder(tx, c.Org, name, c.By.Sub(now))
	if err != nil {
		return err
	}
	c.Promise = promise.ID(s.ids.New())
	if _, err = s.promises.Make(tx, promise.Promise{Org: c.Org, Patient: c.Patient, ID: c.Promise, Kind: kindOf(*c), About: c.ID, Severity: severity, Say: say,
		Args: map[string]string{"time": c.By.Format(time.RFC3339), "called": p.Called}, Keeper: promise.Keeper{Kind: "role", Who: string(c.Role)}, From: now, By: c.By,
		Zone: p.Zone, Ladder: ref}); err != nil {
		return err
	}
	return s.put(tx, *c)
}

// usual is the time that the ladders of answers are written for.
var usual = map[string]time.Duration{Ladder: within, DeskLadder: 2 * time.Hour, RedLadder: redMinutes * time.Minute}

// ladder answers the ladder that a promise of an answer within a time climbs: the clinic's own of that name, its rungs drawn out or in as the time is to the
// one that it is written for, so that the last warning comes before the word is broken, and not hours after or at once.
func (s *Service) ladder(tx *store.Tx, org person.OrgID, name string, in time.Duration) (promise.LadderRef, error) {
	base := usual[name]
	if base == 0 || in == base || in <= 0 {
		return s.promises.Latest(tx, org, name)
	}
	l, err := s.promises.Newest(tx, org, name)
	if err != nil {
		return promise.LadderRef{}, err
	}
	l = stretched(l, base, in)
	return promise.LadderRef{Name: l.Name, Version: l.Version}, s.promises.SaveLadder(tx, org, l)
}

// stretched is a ladder written for a time, for another time: a ladder of its own, named by the minutes and by the version that it was made from.
func stretched(l promise.Ladder, from, to time.Duration) promise.Ladder {
	out := promise.Ladder{Name: l.Name + "." + strconv.Itoa(int(to/time.Minute)), Version: l.Version, Rungs: slices.Clone(l.Rungs)}
	for i := range out.Rungs {
		r := &out.Rungs[i]
		r.After = promise.Duration((time.Duration(float64(r.After) * float64(to) / float64(from))).Round(time.Second))
	}
	return out
}

func kindOf(c Conversation) string {
	if c.Kind == callKind {
		return CallBack
	}
	return Kind
}

// withdraw takes the promise of an answer back: a nearer one takes its place.
func (s *Service) withdraw(tx *store.Tx, c Conversation, reason string) error {
	p, err := s.promises.Get(tx, c.Org, c.Patient, c.Promise)
	if err != nil || p.State != promise.Open {
		return err
	}
	_, err = s.promises.Release(tx, person.SystemViewer(c.Org), c.Org, c.Patient, p.ID, reason, false)
	return err
}

// answered keeps every answer that was promised to a patient. Whoever answers what nobody held becomes its owner.
func (s *Service) answered(tx *store.Tx, v person.Viewer, m message.Message) error {
	list, err := s.Of(tx, m.Org, m.Patient)
	if err != nil {
		return err
	}
	for _, c := range list {
		if !c.Answered.IsZero() || c.Kind == callKind {
			continue
		}
		if c.Owner == "" {
			c.Owner = v.Person
		}
		c.Answered, c.Offered, c.OfferedBy = m.At, "", ""
		if err := s.put(tx, c); err != nil {
			return err
		}
	}
	open, err := s.promises.OpenOf(tx, m.Org, m.Patient, Kind)
	if err != nil {
		return err
	}
	for _, p := range open {
		if _, err := s.promises.Give(tx, m.Org, m.Patient, p.ID, promise.Evidence{Kind: "word", At: m.At, Source: "page", By: string(v.Person)}); err != nil {
			return err
		}
	}
	who, err := s.people.Get(tx, m.Org, v.Person)
	if err != nil {
		return err
	}
	return s.messages.Say(tx, message.Draft{Org: m.Org, Patient: m.Patient, To: "patient", At: m.At, Key: "answer/" + m.ID, Say: "answer", Args: map[string]string{"who": who.Called}, Page: "/messages"})
}
