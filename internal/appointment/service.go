package appointment

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

// Service owns the tables of visits, of what they take, and of those who wait for them.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	ids      *clock.IDs
	people   *person.Service
	promises *promise.Service
	messages *message.Service
	record   *record.Service

	fetch   Fetch
	calls   CallsBack
	watcher Watcher
	pricing sync.Mutex
	shelf   shelf // what is free, by organization: a copy that is checked against the database at every search
}

// New answers the service.
func New(db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service, promises *promise.Service, messages *message.Service, rec *record.Service) *Service {
	s := &Service{db: db, clock: c, ids: ids, people: people, promises: promises, messages: messages, record: rec, fetch: fetchHTTP}
	s.shelf.orgs = map[person.OrgID]*orgShelf{}
	return s
}

// SetFetch says how calendars elsewhere are read.
func (s *Service) SetFetch(f Fetch) { s.fetch = f }

// CallsBack promises a patient that somebody calls her about a matter, and answers by when. conversation.Service is one.
type CallsBack interface {
	PromiseBack(tx *store.Tx, org person.OrgID, patient person.ID, ref string) (time.Time, error)
}

// SetCallsBack says who promises calls; call it before the first LapseDue.
func (s *Service) SetCallsBack(c CallsBack) { s.calls = c }

// Watcher is told of every change of a visit, in the transaction that changes it. One that takes the place of another names it in Follows.
type Watcher interface {
	VisitChanged(tx *store.Tx, a Appointment) error
}

// SetWatcher says who is told of changes; call it before the first booking.
func (s *Service) SetWatcher(w Watcher) { s.watcher = w }

// SaveType makes a type of visit or changes it.
func (s *Service) SaveType(tx *store.Tx, t Type) error {
	if err := t.Validate(); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO visit_type (org, id, name, body, active) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, id) DO UPDATE SET name = excluded.name, body = excluded.body, active = excluded.active`,
		string(t.Org), t.ID, t.Name["en"], asJSON(t), yes(t.Active))
	return err
}

// Types answers the organization's types of visits, those in use first, by name.
func (s *Service) Types(tx *store.Tx, org person.OrgID) ([]Type, error) {
	return store.All(tx, "SELECT org, id, body, active FROM visit_type WHERE org = $1 ORDER BY active DESC, name, id", []any{string(org)}, scanType)
}

// Type answers one type of visit.
func (s *Service) Type(tx *store.Tx, org person.OrgID, id string) (Type, error) {
	read, err := s.typeLater(tx, org, id)
	if err == nil {
		err = tx.Flush()
	}
	if err != nil {
		return Type{}, err
	}
	return read()
}

// typeLater is Type, whose answer is there after the transaction's next call or Flush.
func (s *Service) typeLater(tx *store.Tx, org person.OrgID, id string) (func() (Type, error), error) {
	list, err := store.AllLater(tx, "SELECT org, id, body, active FROM visit_type WHERE org = $1 AND id = $2", []any{string(org), id}, scanType)
	return func() (Type, error) {
		if len(*list) == 0 {
			return Type{}, fault.NotFoundf("There is no such type of visit.")
		}
		return (*list)[0], nil
	}, err
}

// TypeToChange is Type, kept from other changes until the transaction ends: what is not changed stays as another has just saved it.
func (s *Service) TypeToChange(tx *store.Tx, org person.OrgID, id string) (Type, error) {
	if tx.Engine() == store.Postgres { // SQLite has one writer
		if err := tx.RowsLater("SELECT id FROM visit_type WHERE org = $1 AND id = $2 FOR UPDATE", []any{string(org), id}, func(scan func(...any) error) error { return scan(&id) }); err != nil {
			return Type{}, err
		}
	}
	return s.Type(tx, org, id)
}

// ResourceToChange answers a resource, kept from other changes until the transaction ends.
func (s *Service) ResourceToChange(tx *store.Tx, org person.OrgID, id string) (Resource, error) {
	if err := touch(tx, org, []string{id}); err != nil {
		return Resource{}, err
	}
	list, err := s.resourcesByID(tx, org, []string{id})
	if err != nil {
		return Resource{}, err
	}
	return list[0], nil
}

func scanType(scan func(...any) error) (Type, error) {
	var t Type
	var body string
	var active int
	if err := scan(&t.Org, &t.ID, &body, &active); err != nil {
		return t, err
	}
	t.Active = active == 1
	return t, json.Unmarshal([]byte(body), &t)
}

// SaveResource makes a resource or changes it. The secret of its feed is not touched.
func (s *Service) SaveResource(tx *store.Tx, r Resource) error {
	if err := r.Validate(); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO resource (org, id, kind, name, person, body, feed, active, version) VALUES ($1, $2, $3, $4, $5, $6, '', $7, 1)
		ON CONFLICT (org, id) DO UPDATE SET kind = excluded.kind, name = excluded.name, person = excluded.person, body = excluded.body,
		active = excluded.active, version = resource.version + 1`,
		string(r.Org), r.ID, string(r.Kind), r.Name, string(r.Person), asJSON(r), yes(r.Active))
	tx.Hint("desk", string(r.Org))
	if err != nil || r.BusyFeed != "" {
		return err
	}
	_, err = tx.Exec("DELETE FROM busy WHERE org = $1 AND resource = $2 AND source = $3", string(r.Org), r.ID, followed) // followed no more
	return err
}

const resourceSelect = "SELECT org, id, kind, name, person, body, feed, active, version, overbook FROM resource"

func scanResource(scan func(...any) error) (Resource, error) {
	var r Resource
	var body, overbook string
	var active int
	if err := scan(&r.Org, &r.ID, &r.Kind, &r.Name, &r.Person, &body, &r.Feed, &active, &r.Version, &overbook); err != nil {
		return r, err
	}
	r.Active = active == 1
	if overbook != "" {
		if err := json.Unmarshal([]byte(overbook), &r.Overbook); err != nil {
			return r, err
		}
	}
	return r, json.Unmarshal([]byte(body), &r)
}

// Resources answers the organization's resources, by kind and name.
func (s *Service) Resources(tx *store.Tx, org person.OrgID) ([]Resource, error) {
	return store.All(tx, resourceSelect+" WHERE org = $1 ORDER BY kind, name, id", []any{string(org)}, scanResource)
}

// resourcesByID answers resources in the order of their ids; one that is missing is an error.
func (s *Service) resourcesByID(tx *store.Tx, org person.OrgID, ids []string) ([]Resource, error) {
	read, err := s.resourcesLater(tx, org, ids)
	if err == nil {
		err = tx.Flush()
	}
	if err != nil {
		return nil, err
	}
	return read()
}

// resourcesLater is resourcesByID, whose answer is there after the transaction's next call or Flush. A visit takes few resources: each is
// looked up by its key.
func (s *Service) resourcesLater(tx *store.Tx, org person.OrgID, ids []string) (func() ([]Resource, error), error) {
	var list []Resource
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if err := tx.RowsLater(resourceSelect+" WHERE org = $1 AND id = $2", []any{string(org), id}, func(scan func(...any) error) error {
			r, err := scanResource(scan)
			list = append(list, r)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return func() ([]Resource, error) {
		if len(list) != len(ids) {
			return nil, fault.NotFoundf("There is no such person, room or thing to book.")
		}
		return list, nil
	}, nil
}

var appointmentColumns = []string{"org", "patient", "id", "type", "way", "place", "start_at", "end_at", "zone", "state", "words", "asked_at", "made_at", "made_by",
	"hold_until", "confirmed_at", "arrived_at", "closed_at", "reason", "promise", "follows", "pools"}

var appointmentSelect = "SELECT " + strings.Join(appointmentColumns, ", ") + " FROM appointment"

func scanAppointment(scan func(...any) error) (Appointment, error) {
	var a Appointment
	var pools string
	var start, end, asked, made, hold, confirmed, arrived, closed int64
	err := scan(&a.Org, &a.Patient, &a.ID, &a.Type, &a.Way, &a.Place, &start, &end, &a.Zone, &a.State, &a.Words, &asked, &made, &a.By,
		&hold, &confirmed, &arrived, &closed, &a.Reason, &a.Promise, &a.Follows, &pools)
	a.Start, a.End, a.Asked, a.Made = store.Time(start), store.Time(end), store.Time(asked), store.Time(made)
	a.HoldUntil, a.Confirmed, a.Arrival, a.Closed = store.Time(hold), store.Time(confirmed), store.Time(arrived), store.Time(closed)
	a.Resources = strings.Fields(pools)
	return a, err
}

// put writes an appointment's row.
func (s *Service) put(tx *store.Tx, a Appointment) error {
	err := tx.Put("appointment", appointmentColumns, 3, 1, func(int) []any {
		return []any{string(a.Org), string(a.Patient), string(a.ID), a.Type, string(a.Way), a.Place, store.Micros(a.Start), store.Micros(a.End), a.Zone,
			string(a.State), a.Words, store.Micros(a.Asked), store.Micros(a.Made), string(a.By), store.Micros(a.HoldUntil), store.Micros(a.Confirmed),
			store.Micros(a.Arrival), store.Micros(a.Closed), a.Reason, a.Promise, string(a.Follows), strings.Join(a.Resources, " ")}
	})
	tx.Hint("patient", string(a.Org)+"/"+string(a.Patient))
	tx.Hint("desk", string(a.Org))
	if err != nil || s.watcher == nil || a.State == Held {
		return err
	}
	return s.watcher.VisitChanged(tx, a)
}

// Get answers one appointment of a patient.
func (s *Service) Get(tx *store.Tx, org person.OrgID, id ID) (Appointment, error) {
	list, err := store.All(tx, appointmentSelect+" WHERE org = $1 AND id = $2", []any{string(org), string(id)}, scanAppointment)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such appointment.")
	}
	if err != nil {
		return Appointment{}, err
	}
	return list[0], nil
}

// Of answers a patient's appointments, in order of their start.
func (s *Service) Of(tx *store.Tx, org person.OrgID, patient person.ID) ([]Appointment, error) {
	list, err := store.All(tx, appointmentSelect+" WHERE org = $1 AND patient = $2", []any{string(org), string(patient)}, scanAppointment)
	slices.SortFunc(list, func(a, b Appointment) int { return a.Start.Compare(b.Start) })
	return list, err
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types only
	}
	return string(b)
}

func yes(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Between answers the visits that begin in [from, to) of the patients whom the viewer may see, in order of their start. Those that were
// only kept for a while and not taken are left out.
func (s *Service) Between(tx *store.Tx, v person.Viewer, from, to time.Time) ([]Appointment, error) {
	mine, err := s.people.PatientsOf(tx, v)
	if err != nil {
		return nil, err
	}
	seen := make(map[person.ID]bool, len(mine))
	for _, p := range mine {
		seen[p.ID] = true
	}
	list, err := store.All(tx, appointmentSelect+" WHERE org = $1 AND start_at >= $2 AND start_at < $3 ORDER BY start_at, id",
		[]any{string(v.Org), store.Micros(from), store.Micros(to)}, scanAppointment)
	return slices.DeleteFunc(list, func(a Appointment) bool {
		return !seen[a.Patient] || a.State == Cancelled && (a.Reason == ReasonExpired || a.Reason == ReasonMoved)
	}), err
}
