package web

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/conversation"
	"doorstep/internal/fhir"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/breath"
	"doorstep/internal/reading/pull"
	"doorstep/internal/reading/watch"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	"doorstep/internal/transport/road"
	"doorstep/internal/visit"
	"doorstep/internal/waiting"
	"doorstep/internal/waiting/visits"
)

// clinic is a small clinic on real services: Ruth and Luis with their doses and readings, Elena who helps both, Rosa, Dana, Omar.
type clinic struct {
	*Server
	t     testing.TB
	clock *clock.Sim
	web   *httptest.Server
	org   person.OrgID
	team  person.TeamID
	ruth  person.Person
	luis  person.Person
	elena person.Person
	dana  person.Person
	omar  person.Person
	eva   person.Person // a nurse who reads Spanish
	rosa  person.Person // helps Luis and reads Spanish
	deps  Deps

	booked      map[person.ID]string // a visit of each patient who was walked through
	compared    string               // the page of a comparison, once there is one
	today       map[person.ID]string // a visit of today of each patient who was walked through
	later       map[person.ID]string // and another one
	kioskSecret string
	drivers     map[string]person.Person // who drives for the walk, by language
}

// hands turn effects into messages, as the whole server's wiring does.
type hands struct{ messages *message.Service }

func (h hands) Ready(tx *store.Tx, effects []promise.Effect) (func(*store.Tx) error, error) {
	drafts := make([]message.Draft, len(effects))
	for i, e := range effects {
		drafts[i] = message.Draft{Org: e.Org, Patient: e.Patient, To: e.Rung.To, At: e.Due, Key: string(e.Promises[0].ID) + e.Rung.Say, Say: e.Rung.Say,
			Args: e.Promises[0].Args, Ask: e.Rung.Ask}
		for _, x := range e.Promises {
			drafts[i].Promises = append(drafts[i].Promises, string(x.ID))
		}
	}
	return h.messages.Ready(tx, drafts)
}

var doseLadder = promise.Ladder{Name: "dose", Version: 1, Rungs: []promise.Rung{
	{After: 0, Do: promise.Tell, To: "patient", Say: "dose", Ask: true},
	{After: promise.Duration(time.Hour), Do: promise.Task, To: "role:nurse", Say: "dose"},
}}

const days = 16

func newClinic(t testing.TB) *clinic {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "doorstep.db"), store.Options{Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return newClinicOn(t, db)
}

func newClinicOn(t testing.TB, db *store.DB) *clinic {
	t.Helper()
	h := &clinic{t: t, org: "clinic", team: "home", clock: clock.NewSim(time.Date(2026, 3, 9-days, 10, 0, 0, 0, time.UTC))}
	ids := clock.SeededIDs(h.clock, 3)
	d := Deps{DB: db, Clock: h.clock, IDs: ids, Person: person.New(db, h.clock, ids), Reading: reading.New(db, h.clock, ids), Demo: demoClinic{h}, Gateways: gateways{pushKey}}
	h.must(db.Migrate(t.Context(), "person", person.Migrations))
	h.must(db.Migrate(t.Context(), "promise", promise.Migrations))
	h.must(db.Migrate(t.Context(), "message", message.Migrations))
	h.must(db.Migrate(t.Context(), "record", record.Migrations))
	h.must(db.Migrate(t.Context(), "medication", medication.Migrations))
	h.must(db.Migrate(t.Context(), "reading", reading.Migrations))
	h.must(db.Migrate(t.Context(), "breath", breath.Migrations))
	h.must(db.Migrate(t.Context(), "watch", watch.Migrations))
	d.Breath = breath.New(db, h.clock, d.Person, d.Reading, record.New(db, h.clock, ids))
	d.Promise = promise.New(db, h.clock, ids, d.Person)
	h.must(db.Migrate(t.Context(), "programme", programme.Migrations))
	d.Programme = programme.New(h.clock, ids, d.Person)
	h.must(db.Migrate(t.Context(), "pathway", pathway.Migrations))
	d.Pathway = pathway.New(db, h.clock, d.Person, d.Promise, record.New(db, h.clock, ids))
	d.Promise.SetWatcher(pathway.Kind, d.Pathway)
	h.must(db.Migrate(t.Context(), "appointment", appointment.Migrations))
	h.must(db.Migrate(t.Context(), "conversation", conversation.Migrations))
	h.booked = map[person.ID]string{}
	var err error
	d.Message, err = message.New(t.Context(), db, h.clock, ids, d.Person, "http://doorstep.test")
	h.must(err)
	d.Promise.SetHands(hands{d.Message})
	h.must(db.Migrate(t.Context(), "pull", pull.Migrations))
	d.Pull = pull.New(db, h.clock, d.Person, d.Promise, d.Reading)
	d.Watch = watch.New(db, h.clock, d.Person, d.Promise, d.Reading)
	d.Conversation = conversation.New(db, h.clock, ids, d.Person, d.Message, d.Promise)
	d.Poster = d.Conversation
	d.Message.SetChannel(person.SMS, &message.Counter{})
	d.Message.SetChannel(person.Mail, &message.Counter{})
	d.Medication = medication.New(db, h.clock, ids, d.Person, d.Promise, d.Message)
	d.Appointment = appointment.New(db, h.clock, ids, d.Person, d.Promise, d.Message, record.New(db, h.clock, ids))
	h.must(db.Migrate(t.Context(), "visit", visit.Migrations))
	d.Visit = visit.New(db, h.clock, ids, d.Person, d.Promise, record.New(db, h.clock, ids), videoVisits{d.Appointment})
	h.must(db.Migrate(t.Context(), "waiting", waiting.Migrations))
	d.Waiting = waiting.New(db, h.clock, ids, d.Person, d.Promise, d.Message, visits.Of{Service: d.Appointment})
	h.must(db.Migrate(t.Context(), "journey", journey.Migrations))
	d.Journey = journey.New(db, h.clock, ids, d.Person, d.Promise, d.Message, d.Appointment)
	d.Appointment.SetWatcher(d.Journey)
	d.Promise.SetDefaults(slices.Concat(appointment.Ladders(), journey.Ladders(), transport.Ladders(), []promise.Ladder{{Name: pathway.Ladder, Version: 1}, {Name: pathway.StaffLadder, Version: 1}}))
	h.must(db.Migrate(t.Context(), "transport", transport.Migrations))
	d.Transport = transport.New(db, h.clock, ids, d.Person, d.Promise, d.Message, road.Crow{})
	d.PublicURL = "http://doorstep.test"
	h.deps = d
	h.web = httptest.NewServer(New(d))
	t.Cleanup(h.web.Close)
	h.Server = &Server{Deps: d, static: embedded}
	h.people()
	h.books()
	return h
}

func (h *clinic) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *clinic) write(fn func(tx *store.Tx) error) {
	h.t.Helper()
	h.must(h.DB.Write(context.Background(), fn))
}

func (h *clinic) people() {
	h.write(func(tx *store.Tx) error {
		h.must(h.Person.SaveOrg(tx, person.Org{ID: h.org, Name: "Elm Street Clinic", Zone: "America/New_York", Language: "en", Phone: "+15550100200"}))
		h.must(h.Person.SaveTeam(tx, h.org, person.Team{ID: h.team, Name: "Home team"}))
		h.must(h.Person.SaveTeam(tx, h.org, person.Team{ID: "other", Name: "Other team"}))
		h.must(h.Promise.SaveLadder(tx, h.org, doseLadder))
		h.must(h.Promise.SaveLadder(tx, h.org, promise.Ladder{Name: "dose.critical", Version: 1, Rungs: doseLadder.Rungs}))
		for _, name := range []string{conversation.Ladder, conversation.DeskLadder, conversation.RedLadder, conversation.CallLadder} {
			h.must(h.Promise.SaveLadder(tx, h.org, promise.Ladder{Name: name, Version: 1}))
		}
		h.ruth = h.add(tx, person.Patient, "Ruth Abbott", 1947, "en", "+15550100001", h.team)
		h.luis = h.add(tx, person.Patient, "Luis Ortega", 1951, "es", "+15550100002", h.team)
		h.elena = h.add(tx, person.Caregiver, "Elena Abbott", 1975, "en", "+15550100003")
		h.dana = h.add(tx, person.Nurse, "Dana Reyes", 0, "en", "+15550100004", h.team)
		h.omar = h.add(tx, person.Desk, "Omar Haddad", 0, "en", "+15550100005", h.team)
		h.eva = h.add(tx, person.Nurse, "Eva Luna", 0, "es", "+15550100006", h.team)
		h.rosa = h.add(tx, person.Caregiver, "Rosa Ortega", 1980, "es", "+15550100007")
		for _, l := range []struct {
			patient, helper person.Person
			rights          []person.Right
		}{
			{h.ruth, h.elena, []person.Right{person.See, person.Act, person.Message}},
			{h.luis, h.elena, []person.Right{person.See, person.Act, person.Message}},
			{h.luis, h.rosa, []person.Right{person.See, person.Act, person.Message, person.Manage}},
		} {
			h.must(h.Person.Link(tx, h.org, person.CareLink{Patient: l.patient.ID, Caregiver: l.helper.ID, Rights: l.rights,
				Relation: map[string]string{"en": "daughter", "es": "hija"}[l.helper.Language], From: h.clock.Now(), Until: h.clock.Now().AddDate(1, 0, 0), GivenBy: h.omar.ID}))
		}
		return nil
	})
}

func (h *clinic) add(tx *store.Tx, role person.Role, name string, year int, lang, phone string, teams ...person.TeamID) person.Person {
	p, err := h.Person.Save(tx, person.Person{Org: h.org, Role: role, Name: name, BirthYear: year, Language: lang, Zone: "America/New_York", Teams: teams})
	h.must(err)
	h.must(h.Person.SetContact(tx, h.org, person.Contact{Person: p.ID, Channel: person.SMS, Address: phone, Consent: person.Given, Source: "enrolment form"}))
	return p
}

func tablets(when string, n fhir.Decimal) fhir.Dosage {
	return fhir.Dosage{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "1", PeriodUnit: "d", TimeOfDay: []fhir.WallTime{fhir.WallTime(when)}}},
		DoseAndRate: []fhir.DoseAndRate{{DoseQuantity: &fhir.Quantity{Value: n, Unit: "tablet"}}}}
}

// live lets two weeks pass: doses come due and are mostly taken, scales and cuffs send, and it is Monday the 9th, 9:10.
func (h *clinic) live() *clinic {
	h.write(func(tx *store.Tx) error {
		day, _ := clock.ParseDay("2026-02-20")
		for _, p := range []person.Person{h.ruth, h.luis} {
			for _, r := range []medication.Regimen{
				{Name: "Metoprolol 50 mg", Dosage: []fhir.Dosage{tablets("08:00:00", "1")}}, {Name: "Furosemide 40 mg", Dosage: []fhir.Dosage{tablets("08:00:00", "2")}},
				{Name: "Lisinopril 10 mg", Dosage: []fhir.Dosage{tablets("18:30:00", "1")}}} {
				r.Org, r.Patient, r.Authored = h.org, p.ID, day
				_, err := h.Medication.Save(tx, r)
				h.must(err)
			}
		}
		return nil
	})
	sensors := h.sensors()
	scale := h.device("scale")
	cuff := h.device("cuff")
	for i := range days {
		h.answerDay(i)
		at := h.clock.Now()
		for k, d := range sensors {
			h.wears(d, i, k)
		}
		_, err := h.Reading.Ingest(context.Background(), scale, []reading.Reading{{At: at, Series: "29463-7", Value: 81.2 + float64(i%4)*0.3 + float64(max(i-13, 0)), Unit: "kg"}})
		h.must(err)
		_, err = h.Reading.Ingest(context.Background(), cuff, []reading.Reading{{At: at, Series: systolic, Value: 128 + float64(i*7%15), Unit: "mm[Hg]"},
			{At: at, Series: diastolic, Value: 76 + float64(i*5%9), Unit: "mm[Hg]"}, {At: at, Series: "8867-4", Value: 66 + float64(i*3%8), Unit: "/min"}})
		h.must(err)
	}
	h.write(func(tx *store.Tx) error {
		h.must(h.Medication.Plan(tx, h.org, h.ruth.ID))
		return h.Medication.Plan(tx, h.org, h.luis.ID)
	})
	h.clock.Set(time.Date(2026, 3, 9, 13, 10, 0, 0, time.UTC))
	h.climb()
	h.write(func(tx *store.Tx) error {
		_, err := h.Message.Write(tx, person.Viewer{Org: h.org, Person: h.ruth.ID, Role: person.Patient}, h.ruth.ID, "My ankles are a bit swollen since Saturday. Should I come in?")
		return err
	})
	h.clock.Advance(7 * time.Minute)
	h.write(func(tx *store.Tx) error {
		dana := person.Viewer{Org: h.org, Person: h.dana.ID, Role: person.Nurse, Name: "Dana Reyes"}
		_, err := h.Message.Write(tx, dana, h.ruth.ID, "Thank you, Ruth. I see your weight too. I will call you before 10:30.")
		h.must(err)
		_, err = h.Promise.Make(tx, promise.Promise{Org: h.org, Patient: h.ruth.ID, Kind: "call", Severity: promise.Urgent, Say: "say.call",
			Args: map[string]string{"who": "Dana", "time": "2026-03-09T14:30:00Z"}, Keeper: promise.Keeper{Kind: "person", Who: string(h.dana.ID)},
			From: h.clock.Now(), By: time.Date(2026, 3, 9, 14, 30, 0, 0, time.UTC), Zone: "America/New_York", Ladder: promise.LadderRef{Name: "answer", Version: 1}})
		h.must(err)
		for _, who := range []person.Person{h.ruth, h.luis} {
			for signal, hour := range map[string]int{"weight": 13, "pressure": 21} {
				from := time.Date(2026, 3, 9, hour, 0, 0, 0, time.UTC)
				_, err = h.Promise.Make(tx, promise.Promise{Org: h.org, Patient: who.ID, Kind: "reading", Severity: promise.Watch, Say: "say.reading." + signal, About: signal,
					Args: map[string]string{"what": "key:what." + signal, "time": from.Format(time.RFC3339)}, Keeper: promise.Keeper{Kind: "patient", Who: string(who.ID)},
					From: from, By: from.Add(4 * time.Hour), Zone: "America/New_York", Ladder: promise.LadderRef{Name: "answer", Version: 1}})
				h.must(err)
			}
		}
		for _, x := range []promise.TaskRow{
			{Patient: h.ruth.ID, ID: "weight", Kind: "alert", Severity: promise.Urgent, Say: "task.alert", Cause: "alert",
				Args: map[string]string{"what": "key:title.weight", "value": "84,1 kg", "rule": "+1.5 kg / 3 d"}},
			{Patient: h.luis.ID, ID: "silence", Kind: "silence", Severity: promise.Severe, Say: "task.silence", Cause: "silence", Args: map[string]string{"time": "2026-03-09T06:10:00Z"}},
		} {
			x.Org, x.Role = h.org, person.Nurse
			h.must(h.Promise.OpenTask(tx, x))
		}
		_, err = h.Promise.Take(tx, dana, "weight")
		return err
	})
	for _, who := range []person.Person{h.ruth, h.luis} {
		h.sat(who, "yesterday", 22*time.Hour, 6, append(breathing(6, 15, 35, 100, 1), breathing(6, 45, 12, 210, 2)...))
		h.sat(who, "a-minute", 21*time.Hour, 6, breathing(6, 30, 15, 40, 3))
		h.sat(who, "this-morning", time.Hour, 5.5, append(breathing(5.5, 20, 30, 90, 4), breathing(5.5, 55, 10, 240, 5)...))
	}
	return h
}

// sat records a session with the pacer that began so long ago.
func (h *clinic) sat(who person.Person, id string, ago time.Duration, pace float64, rr []float64) breath.Session {
	sum := 0.0
	for n := 0; len(rr) > 0; n++ {
		k := min(6, len(rr))
		for _, ms := range rr[:k] {
			sum += ms
		}
		_, err := h.Breath.Add(context.Background(), breath.Batch{Org: person.Org{ID: h.org}, Patient: who.ID, By: who.ID, Session: id, N: n, Ago: ago, Pace: pace,
			Source: breath.Page, RR: rr[:k], Ends: sum})
		h.must(err)
		if rr = rr[k:]; len(rr) == 0 {
			x, err := h.Breath.Finish(context.Background(), h.org, who.ID, id, n+1)
			h.must(err)
			return x
		}
	}
	return breath.Session{}
}

// breathing is so many seconds of intervals in ms that swing with the breath.
func breathing(pace, swing, noise, seconds float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []float64
	for t := 0.0; t < seconds; {
		ms := math.Round((850+swing*math.Sin(2*math.Pi*pace/60*t)+noise*r.NormFloat64())*1.024) / 1.024 // as straps tell them
		out = append(out, ms)
		t += ms / 1000
	}
	return out
}

// sensors give Ruth and Luis a glucose sensor and a watch that counts steps, and a goal or two.
func (h *clinic) sensors() []reading.Device {
	var list []reading.Device
	for _, who := range []person.Person{h.ruth, h.luis} {
		id, key, err := h.Reading.Register(context.Background(), string(h.org), "cgm")
		h.must(err)
		h.must(h.Reading.Assign(context.Background(), string(h.org), id, string(who.ID), h.clock.Now().AddDate(0, 0, -2), time.Time{}))
		d, err := h.Reading.SignIn(context.Background(), id, key)
		h.must(err)
		list = append(list, d)
		h.write(func(tx *store.Tx) error {
			for _, g := range []reading.Goal{{Kind: reading.WeightGoal, Value: 80, Down: true}, {Kind: reading.PressureGoal, Value: 130, Low: 80, Down: true}, {Kind: reading.InRangeGoal, Value: 70}} {
				g.Org, g.Patient, g.By = string(h.org), string(who.ID), string(who.ID)
				_, err := h.Reading.SetGoal(tx, g)
				h.must(err)
			}
			return nil
		})
	}
	return list
}

// wears sends the last day of a sensor: three meals, a night that is lower, and more steps in the second week.
func (h *clinic) wears(d reading.Device, i, who int) {
	r := rand.New(rand.NewPCG(uint64(i), uint64(who)))
	var list []reading.Reading
	slope := 1.0
	if i >= 9 {
		slope = 0.8
	}
	for k := range 96 {
		at := h.clock.Now().Add(time.Duration(k-96) * 15 * time.Minute)
		hour := float64(at.Hour()+19) + float64(at.Minute())/60
		v := 105 + 12*r.NormFloat64()
		for _, meal := range []float64{8.5, 13, 19} {
			after := math.Mod(hour-meal+48, 24)
			v += slope * (60 + 50*float64((i*7+who)%5)/4) * after * math.Exp(1-after)
		}
		if i%5 == 2 && k < 20 {
			v -= 50
		}
		list = append(list, reading.Reading{At: at, Series: "99504-3", Value: math.Round(v), Unit: "mg/dL"},
			reading.Reading{At: at, Series: "55423-8", Value: math.Round(max(0, 20+float64(i)*5+15*r.NormFloat64())), Unit: "{steps}"})
	}
	for k := 0; k < len(list); k += 64 {
		_, err := h.Reading.Ingest(context.Background(), d, list[k:k+64])
		h.must(err)
	}
}

func (h *clinic) device(kind string) reading.Device {
	id, key, err := h.Reading.Register(context.Background(), string(h.org), kind)
	h.must(err)
	h.must(h.Reading.Assign(context.Background(), string(h.org), id, string(h.ruth.ID), h.clock.Now().Add(-time.Hour), time.Time{}))
	d, err := h.Reading.SignIn(context.Background(), id, key)
	h.must(err)
	return d
}

func (h *clinic) climb() {
	h.must(h.Promise.Refresh(context.Background()))
	_, err := h.Promise.Climb(context.Background())
	h.must(err)
}

// answerDay plans, lets the day's doses come due, and takes most of them.
func (h *clinic) answerDay(i int) {
	h.write(func(tx *store.Tx) error {
		h.must(h.Medication.Plan(tx, h.org, h.ruth.ID))
		return h.Medication.Plan(tx, h.org, h.luis.ID)
	})
	for _, step := range []time.Duration{3*time.Hour + 4*time.Minute, 10*time.Hour + 30*time.Minute} {
		h.clock.Advance(step)
		h.climb()
		h.write(func(tx *store.Tx) error {
			for j, p := range []person.Person{h.ruth, h.luis} {
				doses, err := h.Medication.Day(tx, h.org, p.ID, p.DayOf(h.clock.Now()))
				h.must(err)
				for _, d := range doses {
					if d.Status == medication.Due && (i+j)%6 != 5 {
						h.must(h.Medication.Say(tx, medication.Word{Org: h.org, Patient: p.ID, Promise: d.Promise.ID, Taken: true, By: p.ID, Kind: "tap", Source: "page", At: h.clock.Now()}))
					}
				}
			}
			return nil
		})
	}
	h.clock.Advance(10*time.Hour + 26*time.Minute)
	h.climb()
}

// link makes a sign-in link of a person and answers its path.
func (h *clinic) link(p person.Person) string {
	var secret string
	h.write(func(tx *store.Tx) error {
		var err error
		secret, err = h.Person.NewLink(tx, person.Link{Org: h.org, Person: p.ID, Purpose: person.SignInLink})
		return err
	})
	return "/in/" + secret
}

// session signs a person in and answers the cookie's value.
func (h *clinic) session(p person.Person) string {
	var token string
	h.write(func(tx *store.Tx) error {
		var err error
		token, _, err = h.Person.NewSession(tx, p)
		return err
	})
	return token
}

// setUpLink makes a set-up link of an organization, made already or not.
func (h *clinic) setUpLink(org person.OrgID) string {
	var secret string
	h.write(func(tx *store.Tx) error {
		var err error
		secret, err = h.Person.NewLink(tx, person.Link{Org: org, Purpose: person.SetupLink})
		return err
	})
	return "/setup/" + secret
}

// shortLink answers the link in the first reminder of a patient's day.
func (h *clinic) shortLink(p person.Person) string {
	var path string
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) error {
		list, err := h.Message.Thread(tx, h.org, p.ID, 50)
		for _, m := range list {
			if m.Promises != "" && !m.Inward && m.Say == "dose" {
				path = "/r/" + h.Message.LinkCode(&m)
				break
			}
		}
		return err
	}))
	if path == "" {
		h.t.Fatal("no reminder was sent")
	}
	return path
}

// pushKey is a public VAPID key.
const pushKey = "BHX_vYYaryjhSGQVi4rX6WdLdI-4Jxv2mrGUA9HtX1GudPn98pyttTOWUvDmNMXlHlR9YyEKiGfizRWWGxk474g"

// gateways that take everything.
type gateways struct{ push string }

func (gateways) Try(context.Context, Settings, person.Channel, string, string, string) error {
	return nil
}
func (gateways) Use(person.OrgID, Settings) error { return nil }
func (g gateways) PushKey() string                { return g.push }

// demoClinic is the demo's clock and telephones over the house.
type demoClinic struct{ h *clinic }

func (d demoClinic) People() []DemoPerson {
	return []DemoPerson{{Name: "Ruth Abbott", Role: "patient", Link: "/in/x", Number: "+15550100001", PillBox: "box"}, {Name: "Dana Reyes", Role: "nurse", Link: "/in/y"}}
}
func (d demoClinic) Clock() (time.Time, float64, string) {
	return d.h.clock.Now(), 0, "America/New_York"
}
func (d demoClinic) Move(_ context.Context, by time.Duration) error {
	d.h.clock.Advance(by)
	return nil
}
func (d demoClinic) Speed(context.Context, float64) error { return nil }
func (d demoClinic) Texts(context.Context, string) ([]DemoText, error) {
	return []DemoText{{At: d.h.clock.Now(), Body: "Elm Street Clinic: Time for your 8:00 am medicines. Reply A1 if you took them, A2 if not today. Or tap https://doorstep.example/r/abc"},
		{At: d.h.clock.Now(), Body: "A1", Inward: true}}, nil
}
func (d demoClinic) Reply(context.Context, string, string) error      { return nil }
func (d demoClinic) PillBox(context.Context, string) (DemoBox, error) { return DemoBox{Lit: true}, nil }
func (d demoClinic) Press(context.Context, string, string) error      { return nil }
