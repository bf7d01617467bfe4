package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"doorstep/internal/api"
	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/device"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/pull"
	"doorstep/internal/reading/watch"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

const (
	org      = person.OrgID("clinic")
	smsToken = "gateway secret"
	base     = "https://doorstep.test"
)

var rooms = []storetest.Room{{Name: "person", FS: person.Migrations}, {Name: "promise", FS: promise.Migrations}, {Name: "message", FS: message.Migrations},
	{Name: "medication", FS: medication.Migrations}, {Name: "reading", FS: reading.Migrations}, {Name: "api", FS: api.Migrations}, {Name: "programme", FS: programme.Migrations}, {Name: "record", FS: record.Migrations}, {Name: "pathway", FS: pathway.Migrations}, {Name: "watch", FS: watch.Migrations}, {Name: "pull", FS: pull.Migrations},
	{Name: "appointment", FS: appointment.Migrations}, {Name: "journey", FS: journey.Migrations}}

// start is Monday the 9th of March 2026, 07:00 in New York, an hour before Ruth's medicines.
var start = time.Date(2026, 3, 9, 11, 0, 0, 0, time.UTC)

// clinic is a small clinic on real services. Ruth is with the home team, Luis with the other.
type clinic struct {
	api.Deps
	t       testing.TB
	clock   *clock.Sim
	handler http.Handler
	log     *bytes.Buffer

	ruth, luis, elena, carl, dana, nia, omar, cleo, lea, olga person.Person
}

// hands turn effects into messages, as the server's wiring does.
type hands struct{ messages *message.Service }

func (h hands) Ready(tx *store.Tx, effects []promise.Effect) (func(*store.Tx) error, error) {
	drafts := make([]message.Draft, len(effects))
	for i, e := range effects {
		drafts[i] = message.Draft{Org: e.Org, Patient: e.Patient, To: e.Rung.To, At: e.Due, Key: string(e.Promises[0].ID) + e.Rung.Say, Say: e.Rung.Say,
			Args: e.Promises[0].Args, Ask: e.Rung.Ask, Promises: []string{string(e.Promises[0].ID)}}
	}
	return h.messages.Ready(tx, drafts)
}

// desk opens a task for everything that needs a person, as the server's wiring does.
type desk struct{ promises *promise.Service }

func (d desk) open(tx *store.Tx, o person.OrgID, patient person.ID, kind string) error {
	return d.promises.OpenTask(tx, promise.TaskRow{Org: o, Patient: patient, Kind: kind, Role: person.Desk, Severity: promise.Watch, Say: "task." + kind, Cause: kind})
}
func (d desk) Undelivered(tx *store.Tx, m message.Message) error {
	return d.open(tx, m.Org, m.Patient, "undelivered")
}
func (d desk) Stopped(tx *store.Tx, o person.OrgID, who []person.ID) error {
	return d.open(tx, o, "", "stopped")
}
func (d desk) Word(tx *store.Tx, m message.Message, _ string) error {
	return d.open(tx, m.Org, m.Patient, "word")
}
func (d desk) Stranger(tx *store.Tx, o person.OrgID, m message.Message) error {
	return d.open(tx, o, "", "stranger")
}
func (d desk) GatewayDown(tx *store.Tx, o person.OrgID, ch person.Channel, why string) error {
	return d.open(tx, o, "", "gateway")
}

type answerer struct{ medication *medication.Service }

func (a answerer) Open(tx *store.Tx, o person.OrgID, patient person.ID, promises string) (bool, error) {
	return true, nil
}
func (a answerer) Answer(tx *store.Tx, x message.Answer) (string, map[string]string, error) {
	return a.medication.Reply(tx, x, promise.ID(strings.Fields(x.Promises)[0]))
}

var doseLadder = promise.Ladder{Name: "dose", Version: 1, Rungs: []promise.Rung{
	{After: 0, Do: promise.Tell, To: "patient", Say: "dose", Ask: true},
	{After: promise.Duration(time.Hour), Do: promise.Task, To: "role:nurse", Say: "dose"},
}}

// each runs a test in a clinic on both engines.
func each(t *testing.T, fn func(t *testing.T, h *clinic)) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) { fn(t, newClinic(t, db)) })
}

func newClinic(t testing.TB, db *store.DB) *clinic {
	t.Helper()
	h := &clinic{t: t, clock: clock.NewSim(start), log: &bytes.Buffer{}}
	ids := clock.SeededIDs(h.clock, 3)
	d := api.Deps{DB: db, Clock: h.clock, IDs: ids, Person: person.New(db, h.clock, ids), Reading: reading.New(db, h.clock, ids), Version: "test", PublicURL: base,
		Log: slog.New(slog.NewTextHandler(&locked{b: h.log}, nil))}
	d.Reading.ListenHolders(watch.Lights{People: d.Person})
	d.Promise = promise.New(db, h.clock, ids, d.Person)
	d.Programme = programme.New(h.clock, ids, d.Person)
	d.Pathway = pathway.New(db, h.clock, d.Person, d.Promise, record.New(db, h.clock, ids))
	d.Pull = pull.New(db, h.clock, d.Person, d.Promise, d.Reading)
	d.Watch = watch.New(db, h.clock, d.Person, d.Promise, d.Reading)
	var err error
	d.Message, err = message.New(t.Context(), db, h.clock, ids, d.Person, base)
	h.must(err)
	d.Medication = medication.New(db, h.clock, ids, d.Person, d.Promise, d.Message)
	d.Appointment = appointment.New(db, h.clock, ids, d.Person, d.Promise, d.Message, record.New(db, h.clock, ids))
	d.Journey = journey.New(db, h.clock, ids, d.Person, d.Promise, d.Message, d.Appointment)
	d.Promise.SetDefaults(journey.Ladders())
	d.Promise.SetHands(hands{d.Message})
	d.Message.SetDesk(desk{d.Promise})
	d.Message.SetAnswerer(answerer{d.Medication})
	d.SMSToken = func(o person.OrgID) string {
		if o == org {
			return smsToken
		}
		return ""
	}
	d.Viewer = func(r *http.Request) (person.Viewer, error) {
		c, err := r.Cookie("doorstep")
		if err != nil {
			return person.Viewer{}, fault.Deniedf("Please sign in.")
		}
		return d.Person.Session(r.Context(), c.Value)
	}
	intake := &device.Intake{Service: d.Reading, Clock: h.clock, Log: d.Log}
	d.Devices = device.HTTPHandler(intake)
	d.Metrics = api.NewMetrics(api.Measured{DB: db, Clock: h.clock, Person: d.Person, Promise: d.Promise, Reading: d.Reading, Version: "test",
		Intake: func() (int64, int64, int64) { c := intake.Counts(); return c.Messages, c.Malformed, c.Failed }})
	d.Message.SetChannel(person.SMS, d.Metrics.Channel(person.SMS, &message.Counter{}))
	h.Deps, h.handler = d, d.Metrics.Wrap(api.New(d))
	h.people()
	return h
}

// locked is a log that several requests may write to.
type locked struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (h *clinic) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *clinic) write(fn func(tx *store.Tx)) {
	h.t.Helper()
	h.must(h.DB.Write(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }))
}

func (h *clinic) people() {
	h.write(func(tx *store.Tx) {
		h.must(h.Person.SaveOrg(tx, person.Org{ID: org, Name: "Elm Street Clinic", Zone: "America/New_York", Language: "en", Phone: "+15550100200"}))
		h.must(h.Person.SaveTeam(tx, org, person.Team{ID: "home", Name: "Home team"}))
		h.must(h.Person.SaveTeam(tx, org, person.Team{ID: "other", Name: "Other team"}))
		h.must(h.Promise.SaveLadder(tx, org, doseLadder))
		h.must(h.Promise.SaveLadder(tx, org, promise.Ladder{Name: "dose.critical", Version: 1, Rungs: doseLadder.Rungs}))
		h.must(h.Promise.SaveLadder(tx, org, promise.Ladder{Name: "answer", Version: 1}))
		h.ruth = h.add(tx, person.Patient, "Ruth Abbott", 1947, "en", "+15550100001", "home")
		h.luis = h.add(tx, person.Patient, "Luis Ortega", 1951, "es", "+15550100002", "other")
		h.elena = h.add(tx, person.Caregiver, "Elena Abbott", 1975, "en", "+15550100003")
		h.carl = h.add(tx, person.Caregiver, "Carl Abbott", 1977, "en", "+15550100010")
		h.dana = h.add(tx, person.Nurse, "Dana Reyes", 0, "en", "+15550100004", "home")
		h.nia = h.add(tx, person.Nurse, "Nia Brown", 0, "es", "+15550100005", "other")
		h.omar = h.add(tx, person.Desk, "Omar Haddad", 0, "en", "+15550100006", "home", "other")
		h.cleo = h.add(tx, person.Clinician, "Cleo Stone", 0, "en", "+15550100007", "home")
		h.lea = h.add(tx, person.Leader, "Lea Winter", 0, "en", "+15550100008", "home")
		h.olga = h.add(tx, person.Operator, "Olga Petrov", 0, "en", "+15550100009")
		h.link(tx, h.elena, person.See, person.Act, person.Message)
		h.link(tx, h.carl, person.See)
	})
}

func (h *clinic) add(tx *store.Tx, role person.Role, name string, year int, lang, phone string, teams ...person.TeamID) person.Person {
	p, err := h.Person.Save(tx, person.Person{Org: org, Role: role, Name: name, BirthYear: year, Language: lang, Zone: "America/New_York", Teams: teams})
	h.must(err)
	h.must(h.Person.SetContact(tx, org, person.Contact{Person: p.ID, Channel: person.SMS, Address: phone, Consent: person.Given, Source: "enrolment form"}))
	return p
}

func (h *clinic) link(tx *store.Tx, who person.Person, rights ...person.Right) {
	h.must(h.Person.Link(tx, org, person.CareLink{Patient: h.ruth.ID, Caregiver: who.ID, Rights: rights, Relation: "child", From: h.clock.Now(),
		Until: h.clock.Now().AddDate(1, 0, 0), GivenBy: h.omar.ID}))
}

// token signs a person in.
func (h *clinic) token(p person.Person) string {
	h.t.Helper()
	var token string
	h.write(func(tx *store.Tx) {
		var err error
		token, _, err = h.Person.NewSession(tx, p)
		h.must(err)
	})
	return token
}

// answer is what came back.
type answer struct {
	h      *clinic
	status int
	header http.Header
	body   string
}

// call sends a request as a person; body nil sends none. headers are name, value, …
func (h *clinic) call(as person.Person, method, path string, body any, headers ...string) answer {
	h.t.Helper()
	var send io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		send = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		h.must(err)
		send = bytes.NewReader(text)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, send)
	if as.ID != "" {
		r.Header.Set("Authorization", "Bearer "+h.token(as))
	}
	if send != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return h.do(r)
}

func (h *clinic) do(r *http.Request) answer {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return answer{h, w.Code, w.Header(), w.Body.String()}
}

func (h *clinic) get(as person.Person, path string) answer {
	h.t.Helper()
	return h.call(as, "GET", path, nil)
}

func (h *clinic) post(as person.Person, path string, body any, headers ...string) answer {
	h.t.Helper()
	return h.call(as, "POST", path, body, headers...)
}

// want checks the status, and that an error is a problem document with a sentence.
func (a answer) want(status int) answer {
	a.h.t.Helper()
	if a.status != status {
		a.h.t.Fatalf("status %d, want %d: %s\n%s", a.status, status, a.body, a.h.log)
	}
	if status < 400 {
		return a
	}
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" || p.Status != status || p.Detail == "" ||
		p.Type != "about:blank" || p.Title != http.StatusText(status) {
		a.h.t.Fatalf("not a problem document: %s %s", a.header.Get("Content-Type"), a.body)
	}
	return a
}

// into reads an answer.
func into[T any](a answer) T {
	a.h.t.Helper()
	var out T
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		a.h.t.Fatalf("%v: %s", err, a.body)
	}
	return out
}

type object = map[string]any

// items answers a list's items.
func (a answer) items() []object {
	a.h.t.Helper()
	list := into[struct{ Items []object }](a.want(200))
	if list.Items == nil {
		a.h.t.Fatalf("no items: %s", a.body)
	}
	return list.Items
}

const daily = `[{"text":"one at 8","timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","timeOfDay":["08:00:00"]}},
	"doseAndRate":[{"doseQuantity":{"value":1,"unit":"tablet"}}]}]`

// prescribe gives Ruth her tablets at eight, and answers the promise of today's.
func (h *clinic) prescribe() string {
	h.t.Helper()
	h.post(h.dana, patientPath(h.ruth, "regimens"), object{"name": "Furosemide 40 mg", "dosage": json.RawMessage(daily)}).want(201)
	return h.get(h.ruth, patientPath(h.ruth, "doses")).items()[0]["promise"].(string)
}

func patientPath(p person.Person, what string) string {
	return "/api/v1/patients/" + string(p.ID) + "/" + what
}

// to moves the clock and lets the ledger climb.
func (h *clinic) to(at time.Time) {
	h.t.Helper()
	h.clock.Set(at)
	h.must(h.Promise.Refresh(context.Background()))
	_, err := h.Promise.Climb(context.Background())
	h.must(err)
}
