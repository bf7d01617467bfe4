package pathway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication/timing"
	"doorstep/internal/pathway/apply"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

// Service keeps definitions, who is on which, and what is to be done.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	people   *person.Service
	promises *promise.Service
	record   *record.Service
}

// New answers the service over a migrated database.
func New(db *store.DB, c clock.Clock, people *person.Service, promises *promise.Service, rec *record.Service) *Service {
	return &Service{db, c, people, promises, rec}
}

// Enrol puts a person on a pathway from a day on, and applies it. Enrolling again on the same pathway and day changes nothing.
func (s *Service) Enrol(ctx context.Context, v person.Viewer, patient person.ID, canonical string, start, until time.Time) (e Episode, err error) {
	chart, err := s.Chart(ctx, v.Org, patient)
	if err != nil {
		return e, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		e, err = s.EnrolIn(tx, v, patient, canonical, start, until, chart)
		return err
	})
	return e, err
}

// EnrolIn is Enrol in the caller's transaction, with the person's chart (Chart).
func (s *Service) EnrolIn(tx *store.Tx, v person.Viewer, patient person.ID, canonical string, start, until time.Time, chart json.RawMessage) (e Episode, err error) {
	asked := until
	if until.IsZero() {
		until = start.AddDate(0, 0, usualDays)
	}
	if err := validEpisode(start, until); err != nil {
		return e, err
	}
	if err := s.mayChange(tx, v, patient); err != nil {
		return e, err
	}
	plan, err := s.plan(tx, v.Org, canonical)
	if err != nil {
		return e, err
	}
	p, err := s.people.Get(tx, v.Org, patient)
	if err != nil {
		return e, err
	}
	e = Episode{Org: v.Org, Patient: patient, URL: plan.URL, Version: plan.Version, Title: plan.Title, Start: start, Until: until, State: Active, By: v.Person, Made: s.clock.Now()}
	e.ID = clock.DerivedID("episode", string(v.Org), string(patient), plan.URL, clock.DayOf(start, p.Location()).String())
	if old, ok, err := s.episode(tx, v.Org, patient, e.ID); err != nil || ok {
		return old, err
	}
	if asked.IsZero() {
		if e.Until, err = ends(e, plan, p, chart); err != nil {
			return e, err
		}
	}
	if err := s.put(tx, e); err != nil {
		return e, err
	}
	if err := s.people.Audit(tx, v, patient, "pathway", "enrol "+e.ID); err != nil {
		return e, err
	}
	return e, s.apply(tx, e, plan, p, chart)
}

// mayChange follows the one rule of access: staff of the person's team.
func (s *Service) mayChange(tx *store.Tx, v person.Viewer, patient person.ID) error {
	if !v.Role.Staff() && v.Role != person.System {
		return fault.Deniedf("Please call us for this. It is for your clinic to change.")
	}
	return s.people.May(tx, v, person.Act, patient)
}

func (s *Service) put(tx *store.Tx, e Episode) error {
	_, err := tx.Exec(`INSERT INTO episode (org, shard, patient, id, url, version, title, start_at, until_at, state, by_person, made_at, ended_at, worked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12)
		ON CONFLICT (org, shard, patient, id) DO UPDATE SET version = excluded.version, title = excluded.title, until_at = excluded.until_at, state = excluded.state, ended_at = excluded.ended_at`,
		string(e.Org), person.Shard(e.Patient), string(e.Patient), e.ID, e.URL, e.Version, e.Title, store.Micros(e.Start), store.Micros(e.Until), string(e.State), string(e.By), store.Micros(e.Made), store.Micros(e.Ended))
	return err
}

const episodeColumns = "patient, id, url, version, title, start_at, until_at, state, by_person, made_at, ended_at"

func scanEpisode(org person.OrgID) func(scan func(...any) error) (Episode, error) {
	return func(scan func(...any) error) (Episode, error) {
		e := Episode{Org: org}
		var start, until, made, ended int64
		err := scan(&e.Patient, &e.ID, &e.URL, &e.Version, &e.Title, &start, &until, &e.State, &e.By, &made, &ended)
		e.Start, e.Until, e.Made, e.Ended = store.Time(start), store.Time(until), store.Time(made), store.Time(ended)
		return e, err
	}
}

func (s *Service) episode(tx *store.Tx, org person.OrgID, patient person.ID, id string) (Episode, bool, error) {
	list, err := store.All(tx, "SELECT "+episodeColumns+" FROM episode WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", []any{string(org), person.Shard(patient), string(patient), id}, scanEpisode(org))
	if err != nil || len(list) == 0 {
		return Episode{}, false, err
	}
	return list[0], true, nil
}

// Episodes answers the pathways that a person is or was on, the newest first.
func (s *Service) Episodes(tx *store.Tx, org person.OrgID, patient person.ID) ([]Episode, error) {
	return store.All(tx, "SELECT "+episodeColumns+" FROM episode WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY start_at DESC, id", []any{string(org), person.Shard(patient), string(patient)}, scanEpisode(org))
}

// On answers the active episodes on one version of a pathway.
func (s *Service) On(tx *store.Tx, org person.OrgID, url, version string) ([]Episode, error) {
	return store.All(tx, "SELECT "+episodeColumns+" FROM episode WHERE org = $1 AND url = $2 AND version = $3 AND state = 'active' ORDER BY patient, id", []any{string(org), url, version}, scanEpisode(org))
}

// result applies a plan as it stands: the same plan gives the same activities, however often.
func (s *Service) result(e Episode, plan *apply.Plan, p person.Person, chart json.RawMessage) (apply.Result, error) {
	until := e.Until
	if ahead := s.clock.Now().AddDate(0, 0, aheadDays); ahead.Before(until) {
		until = ahead
	}
	if until.Before(e.Start) {
		until = e.Start
	}
	return plan.Apply(input(e, until, p, chart))
}

// ends answers when a pathway asks for nothing any more: at most the usual time after its start.
func ends(e Episode, plan *apply.Plan, p person.Person, chart json.RawMessage) (time.Time, error) {
	usual := e.Start.AddDate(0, 0, usualDays)
	r, err := plan.Apply(input(e, usual, p, chart))
	last := e.Start.AddDate(0, 0, 1)
	for _, a := range r.Activities {
		if a.By.After(last) {
			last = a.By
		}
	}
	if last.After(usual) {
		last = usual
	}
	return last, err
}

func input(e Episode, until time.Time, p person.Person, chart json.RawMessage) apply.Input {
	return apply.Input{Subject: chart, Episode: e.ID, Start: e.Start, Until: until, Now: e.Start, Person: timing.Person{Zone: p.Location(), Routine: timing.Routine(p.Routine)}}
}

// Chart answers the person as a FHIR Patient: from the record, or of what is known here.
func (s *Service) Chart(ctx context.Context, org person.OrgID, patient person.ID) (json.RawMessage, error) {
	var p person.Person
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) { p, err = s.people.Get(tx, org, patient); return err }); err != nil {
		return nil, err
	}
	if p.Record != "" {
		r, err := s.record.Get(ctx, string(org), "Patient", p.Record)
		if err == nil && !r.Deleted {
			return r.Body, nil
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	m := map[string]any{"resourceType": "Patient", "id": string(p.ID), "active": true,
		"communication": []any{map[string]any{"language": map[string]any{"coding": []any{map[string]any{"system": "urn:ietf:bcp:47", "code": p.Language}}}, "preferred": true}}}
	if p.BirthYear > 0 {
		m["birthDate"] = fmt.Sprintf("%04d", p.BirthYear)
	}
	return json.Marshal(m)
}

// apply writes what a plan asks for that is not here yet.
func (s *Service) apply(tx *store.Tx, e Episode, plan *apply.Plan, p person.Person, chart json.RawMessage) error {
	r, err := s.result(e, plan, p, chart)
	if err != nil {
		return err
	}
	if err := s.publish(tx, e, p, r); err != nil {
		return err
	}
	old, err := s.of(tx, e)
	if err != nil {
		return err
	}
	c, _, _ := compare(old, activities(e, r))
	return s.insert(tx, e, c.Added)
}

// of answers the activities of an episode.
func (s *Service) of(tx *store.Tx, e Episode) ([]Activity, error) {
	return store.All(tx, "SELECT "+activityColumns+" FROM activity WHERE org = $1 AND shard = $2 AND patient = $3 AND episode = $4", []any{string(e.Org), person.Shard(e.Patient), string(e.Patient), e.ID}, scanActivity)
}

// publish writes the requests and the plan into the record of a person who has one.
func (s *Service) publish(tx *store.Tx, e Episode, p person.Person, r apply.Result) error {
	if p.Record == "" {
		return nil
	}
	for _, q := range append(r.Requests, r.CarePlan) {
		if _, err := s.record.Put(tx, string(e.Org), q.Body); err != nil {
			return err
		}
	}
	return nil
}

// activities are what a result asks for, as this room keeps them.
func activities(e Episode, r apply.Result) []Activity {
	nth := map[string]int{}
	var out []Activity
	for _, a := range r.Activities {
		x := Activity{Episode: e.ID, ID: a.ID, Action: a.Action, Nth: nth[a.Action], Part: a.Group, Title: a.Title, Titles: a.Titles, Words: a.Words, Kind: a.Kind, Definition: a.Definition, Performer: a.Performer, Priority: a.Priority,
			Must: a.Must, From: a.From, By: a.By, Request: a.Resource, State: Open}
		nth[a.Action]++
		if len(a.Codes) > 0 {
			x.Code = a.Codes[0].System + "|" + a.Codes[0].Code
		}
		out = append(out, x)
	}
	return out
}

func (s *Service) insert(tx *store.Tx, e Episode, list []Activity) error {
	if len(list) == 0 {
		return nil
	}
	must := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	_, err := tx.InsertNew("activity", []string{"org", "shard", "patient", "episode", "id", "action", "nth", "part", "title", "titles", "words", "kind", "definition", "code", "performer", "priority", "must", "from_at", "by_at", "request",
		"state", "how", "start_at", "done_at", "promised"}, len(list), func(i int) []any {
		a := list[i]
		titles, _ := json.Marshal(a.Titles) // texts always go
		return []any{string(e.Org), int64(person.Shard(e.Patient)), string(e.Patient), e.ID, a.ID, a.Action, int64(a.Nth), a.Part, a.Title, string(titles), a.Words, a.Kind, a.Definition, a.Code, a.Performer, a.Priority, must(a.Must),
			store.Micros(a.From), store.Micros(a.By), a.Request, string(a.State), a.How, int64(0), int64(0), int64(0)}
	})
	tx.Hint("patient", string(e.Org)+"/"+string(e.Patient))
	return err
}

const activityColumns = "episode, id, action, nth, part, title, titles, words, kind, definition, code, performer, priority, must, from_at, by_at, request, state, how, start_at, done_at"

func scanActivity(scan func(...any) error) (a Activity, err error) {
	var must, from, by, start, done int64
	var titles string
	err = scan(&a.Episode, &a.ID, &a.Action, &a.Nth, &a.Part, &a.Title, &titles, &a.Words, &a.Kind, &a.Definition, &a.Code, &a.Performer, &a.Priority, &must, &from, &by, &a.Request, &a.State, &a.How, &start, &done)
	a.Must, a.From, a.By, a.Start, a.Finished = must == 1, store.Time(from), store.Time(by), store.Time(start), store.Time(done)
	if err == nil {
		err = json.Unmarshal([]byte(titles), &a.Titles)
	}
	return a, err
}

// Activities answers what the pathways of a person ask for, in order.
func (s *Service) Activities(tx *store.Tx, org person.OrgID, patient person.ID) ([]Activity, error) {
	return store.All(tx, "SELECT "+activityColumns+" FROM activity WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY from_at, by_at, id", []any{string(org), person.Shard(patient), string(patient)}, scanActivity)
}

// Find answers one activity.
func (s *Service) Find(tx *store.Tx, org person.OrgID, patient person.ID, id string) (Activity, error) {
	list, err := store.All(tx, "SELECT "+activityColumns+" FROM activity WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", []any{string(org), person.Shard(patient), string(patient), id}, scanActivity)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such step.")
	}
	if err != nil {
		return Activity{}, err
	}
	return list[0], nil
}
