package waiting

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/waiting/estimate"
)

// Service owns the tables of stays.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	ids      *clock.IDs
	people   *person.Service
	promises *promise.Service
	messages *message.Service
	visits   Visits
}

// New answers the service.
func New(db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service, promises *promise.Service, messages *message.Service, visits Visits) *Service {
	return &Service{db, c, ids, people, promises, messages, visits}
}

var stayColumns = []string{"org", "patient", "id", "place", "visit", "type", "plan", "kind", "who", "state", "came_by", "waits", "away", "room", "reason", "start_at", "arrived_at",
	"called_at", "room_at", "begun_at", "ended_at", "told_at", "told_from", "told_to", "next_at", "before", "texted_from", "fetched_at", "first_low", "first_high"}

var staySelect = "SELECT " + strings.Join(stayColumns, ", ") + " FROM stay"

func scanStay(scan func(...any) error) (Stay, error) {
	var s Stay
	var t [12]int64
	err := scan(&s.Org, &s.Patient, &s.ID, &s.Place, &s.Visit, &s.Type, &s.Plan, &s.Kind, &s.Who, &s.State, &s.By, &s.Waits, &s.Away, &s.Room, &s.Reason, &t[0], &t[1],
		&t[2], &t[3], &t[4], &t[5], &t[6], &t[7], &t[8], &t[9], &s.Told.Before, &t[10], &t[11], &s.first[0], &s.first[1])
	for i, to := range []*time.Time{&s.Start, &s.Arrived, &s.Called, &s.InRoom, &s.Begun, &s.Ended, &s.Told.At, &s.Told.From, &s.Told.To, &s.Told.Next, &s.texted, &s.fetched} {
		*to = store.Time(t[i])
	}
	return s, err
}

// put writes a stay's row.
func (s *Service) put(tx *store.Tx, x Stay) error {
	us := store.Micros
	err := tx.Put("stay", stayColumns, 3, 1, func(int) []any {
		return []any{string(x.Org), string(x.Patient), string(x.ID), x.Place, x.Visit, x.Type, int64(x.Plan), string(x.Kind), x.Who, string(x.State), string(x.By), string(x.Waits),
			int64(x.Away), x.Room, x.Reason, us(x.Start), us(x.Arrived), us(x.Called), us(x.InRoom), us(x.Begun), us(x.Ended), us(x.Told.At), us(x.Told.From), us(x.Told.To),
			us(x.Told.Next), int64(x.Told.Before), us(x.texted), us(x.fetched), x.first[0], x.first[1]}
	})
	tx.Hint("patient", string(x.Org)+"/"+string(x.Patient))
	tx.Hint("desk", string(x.Org))
	return err
}

func (s *Service) list(tx *store.Tx, where string, args ...any) ([]Stay, error) {
	return store.All(tx, staySelect+" WHERE "+where, args, scanStay)
}

// Get answers one stay.
func (s *Service) Get(tx *store.Tx, org person.OrgID, id ID) (Stay, error) {
	list, err := s.list(tx, "org = $1 AND id = $2", string(org), string(id))
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such stay.")
	}
	if err != nil {
		return Stay{}, err
	}
	return list[0], nil
}

// OfVisit answers the stay of an appointment, if the person has checked in.
func (s *Service) OfVisit(tx *store.Tx, org person.OrgID, visit string) (Stay, bool, error) {
	list, err := s.list(tx, "org = $1 AND visit = $2 AND visit <> ''", string(org), visit)
	if err != nil || len(list) == 0 {
		return Stay{}, false, err
	}
	return list[0], true, nil
}

// Current answers a patient's stay that goes on, if there is one.
func (s *Service) Current(tx *store.Tx, org person.OrgID, patient person.ID) (Stay, bool, error) {
	list, err := s.list(tx, "org = $1 AND patient = $2 AND state IN ('waiting', 'called', 'room', 'with') ORDER BY arrived_at DESC, id", string(org), string(patient))
	if err != nil || len(list) == 0 {
		return Stay{}, false, err
	}
	return list[0], true, nil
}

// open answers the stays of an organization that go on, by arrival.
func (s *Service) open(tx *store.Tx, org person.OrgID) ([]Stay, error) {
	return s.list(tx, "org = $1 AND state IN ('waiting', 'called', 'room', 'with') ORDER BY arrived_at, id", string(org))
}

// pace is what a place has learnt.
type pace struct {
	Learner    estimate.Learner    `json:"learner"`
	Calibrator estimate.Calibrator `json:"calibrator"`
}

func (s *Service) pace(tx *store.Tx, org person.OrgID, place string) (p pace, err error) {
	var body string
	if ok, err := tx.Row("SELECT body FROM pace WHERE org = $1 AND place = $2", []any{string(org), place}, &body); err != nil || !ok {
		return p, err
	}
	return p, json.Unmarshal([]byte(body), &p)
}

// learn changes what a place has learnt, kept from others who learn at the same time.
func (s *Service) learn(tx *store.Tx, org person.OrgID, place string, fn func(*pace)) error {
	if _, err := tx.Exec("INSERT INTO pace (org, place, body, version) VALUES ($1, $2, '{}', 0) ON CONFLICT DO NOTHING", string(org), place); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE pace SET version = version + 1 WHERE org = $1 AND place = $2", string(org), place); err != nil {
		return err
	}
	p, err := s.pace(tx, org, place)
	if err != nil {
		return err
	}
	fn(&p)
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE pace SET body = $3 WHERE org = $1 AND place = $2", string(org), place, string(b))
	return err
}

// Rules answers who goes first.
func (s *Service) Rules(tx *store.Tx, org person.OrgID) ([]Rule, error) {
	var body string
	ok, err := tx.Row("SELECT body FROM waiting_rule WHERE org = $1", []any{string(org)}, &body)
	if err != nil || !ok {
		return slices.Clone(DefaultRules), err
	}
	var rules []Rule
	return rules, json.Unmarshal([]byte(body), &rules)
}

// SetRules says who goes first.
func (s *Service) SetRules(tx *store.Tx, v person.Viewer, rules []Rule) error {
	if err := ValidRules(rules); err != nil {
		return err
	}
	b, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	tx.Hint("desk", string(v.Org))
	_, err = tx.Exec("INSERT INTO waiting_rule (org, body) VALUES ($1, $2) ON CONFLICT (org) DO UPDATE SET body = excluded.body", string(v.Org), string(b))
	return err
}

// SetAway says that a clinician is not there until an instant; one that has passed says that she is there.
func (s *Service) SetAway(tx *store.Tx, v person.Viewer, who string, until time.Time) error {
	if until.After(s.clock.Now().Add(12 * time.Hour)) {
		return fault.Invalidf("Please name a time of today.")
	}
	tx.Hint("desk", string(v.Org))
	_, err := tx.Exec(`INSERT INTO clinician_away (org, who, until_at, set_by, set_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, who) DO UPDATE SET until_at = excluded.until_at, set_by = excluded.set_by, set_at = excluded.set_at`,
		string(v.Org), who, store.Micros(until), string(v.Person), store.Micros(s.clock.Now()))
	return err
}

// away answers until when clinicians are not there, by id.
func (s *Service) away(tx *store.Tx, org person.OrgID) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	err := tx.Rows("SELECT who, until_at FROM clinician_away WHERE org = $1 AND until_at > $2", []any{string(org), store.Micros(s.clock.Now())}, func(scan func(...any) error) error {
		var who string
		var until int64
		err := scan(&who, &until)
		out[who] = store.Time(until)
		return err
	})
	return out, err
}

// Visit answers an appointment as this room sees it.
func (s *Service) Visit(tx *store.Tx, org person.OrgID, id string) (Visit, error) {
	return s.visits.Visit(tx, org, id)
}
