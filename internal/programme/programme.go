// Package programme keeps the facts of a remote-monitoring programme: on which days a person's devices sent readings by themselves,
// how many minutes the staff worked for her, and whether they spoke. Its promise: a fact is written when it happens, in the
// transaction in which it happens, and never guessed afterwards: a call that nobody ended counts nothing until somebody says how long it was; what it is worth is worked out from the facts alone.
package programme

import (
	"context"
	"embed"
	"io/fs"
	"strings"
	"sync"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// Service owns the tables. Safe for concurrent use.
type Service struct {
	clock  clock.Clock
	ids    *clock.IDs
	people *person.Service

	mu    sync.Mutex
	known map[hour]bool // hours whose day is written down already
}

// hour is an hour of a person's readings.
type hour struct {
	org     person.OrgID
	patient person.ID
	at      int64
}

// knownMost bounds what is remembered of hours; forgetting costs one look at the table.
const knownMost = 50_000

// New answers the service.
func New(c clock.Clock, ids *clock.IDs, people *person.Service) *Service {
	return &Service{clock: c, ids: ids, people: people, known: map[hour]bool{}}
}

// Measured writes down the days on which a person's devices sent readings by themselves, in the transaction that stores the readings.
func (s *Service) Measured(tx *store.Tx, org person.OrgID, patient person.ID, at []time.Time) error {
	var fresh []hour
	s.mu.Lock()
	for _, t := range at {
		h := hour{org, patient, t.Unix() / 3600}
		if !s.known[h] && (len(fresh) == 0 || fresh[len(fresh)-1] != h) {
			fresh = append(fresh, h)
		}
	}
	s.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	who, err := s.people.Get(tx, org, patient)
	if fault.Is(err, fault.NotFound) {
		return nil // a device's readings may be kept for somebody who is not enrolled
	}
	if err != nil {
		return err
	}
	for _, h := range fresh {
		day := clock.DayOf(time.Unix(h.at*3600, 0), who.Location())
		if _, err := tx.Exec("INSERT INTO programme_day (org, shard, patient, day) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			string(org), person.Shard(patient), string(patient), day.String()); err != nil {
			return err
		}
	}
	tx.After(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.known) > knownMost {
			clear(s.known)
		}
		for _, h := range fresh {
			s.known[h] = true
		}
	})
	return nil
}

// Minutes is work that somebody of the staff did for a patient.
type Minutes struct {
	ID      string
	Patient person.ID
	Staff   person.ID
	At      time.Time
	Minutes int
	Live    bool // they spoke, by telephone or video or in one room
	Note    string
}

const (
	mostMinutes = 240
	longestNote = 500
)

// Log writes down minutes. The viewer must be of the patient's team.
func (s *Service) Log(tx *store.Tx, v person.Viewer, m Minutes) (Minutes, error) {
	if err := s.people.May(tx, v, person.Act, m.Patient); err != nil {
		return m, err
	}
	if !v.Role.Staff() {
		return m, fault.Deniedf("This is for the staff of the clinic.")
	}
	m.Note = strings.TrimSpace(m.Note)
	if m.Minutes < 1 || m.Minutes > mostMinutes {
		return m, fault.Invalidf("Minutes must lie between 1 and %d.", mostMinutes)
	}
	if len(m.Note) > longestNote {
		return m, fault.Invalidf("That is too long. Please keep it under %d letters.", longestNote)
	}
	now := s.clock.Now()
	if m.At.IsZero() {
		m.At = now
	}
	if m.At.After(now) {
		return m, fault.Invalidf("The work lies in the future.")
	}
	m.ID, m.Staff = s.ids.New(), v.Person
	live := 0
	if m.Live {
		live = 1
	}
	if _, err := tx.Exec("INSERT INTO programme_minutes (org, shard, patient, at, id, staff, minutes, live, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		string(v.Org), person.Shard(m.Patient), string(m.Patient), store.Micros(m.At), m.ID, string(m.Staff), m.Minutes, live, m.Note); err != nil {
		return m, err
	}
	return m, s.people.Audit(tx, v, m.Patient, "change", "minutes")
}

// Work answers the minutes worked for a patient in [from, to), oldest first: those that were written down, and those of calls.
func (s *Service) Work(tx *store.Tx, org person.OrgID, patient person.ID, from, to time.Time) ([]Minutes, error) {
	return store.All(tx, `SELECT id, staff, at, minutes, live, note FROM programme_minutes WHERE org = $1 AND shard = $2 AND patient = $3 AND at >= $4 AND at < $5
		UNION ALL SELECT id, staff, at, minutes, live, '' FROM programme_call WHERE org = $1 AND shard = $2 AND patient = $3 AND at >= $4 AND at < $5 AND state = 'booked' ORDER BY at, id`,
		[]any{string(org), person.Shard(patient), string(patient), store.Micros(from), store.Micros(to)}, func(scan func(...any) error) (Minutes, error) {
			m := Minutes{Patient: patient}
			var at int64
			var live int
			err := scan(&m.ID, &m.Staff, &at, &m.Minutes, &live, &m.Note)
			m.At, m.Live = store.Time(at), live == 1
			return m, err
		})
}

// Facts are what a month comes to for one patient.
type Facts struct {
	Patient    person.ID
	Called     string
	Name       string
	From       clock.Day // of the 30 days, counted from the first reading ever, in which the day asked for lies; zero: no reading yet
	Days       int       // of them with readings that came by themselves
	SetUp      bool      // the 30 days are the first, and there are at least 2 days
	Minutes    int       // of the calendar month
	Live       bool      // somebody spoke with her in that month
	Device     string    // code of the days, or empty
	Management []string  // codes of the minutes
}

// period is how many days the device codes look at.
const period = 30

// At answers the facts of a patient on a day: the 30 days in which it lies, as far as they have gone, and its calendar month, both as
// her own zone counts them.
func (s *Service) At(tx *store.Tx, org person.OrgID, patient person.ID, day clock.Day) (Facts, error) {
	who, err := s.people.Get(tx, org, patient)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Patient: patient, Called: who.Called, Name: who.Name}
	key := []any{string(org), person.Shard(patient), string(patient)}
	var text string
	found, err := tx.Row("SELECT day FROM programme_day WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY day LIMIT 1", key, &text)
	if err != nil {
		return f, err
	}
	if found {
		first, err := clock.ParseDay(text)
		if err != nil {
			return f, err
		}
		if !day.Before(first) {
			f.From = first.Add(day.Sub(first) / period * period)
			if _, err := tx.Row("SELECT COUNT(*) FROM programme_day WHERE org = $1 AND shard = $2 AND patient = $3 AND day >= $4 AND day < $5",
				append(key, f.From.String(), f.From.Add(period).String()), &f.Days); err != nil {
				return f, err
			}
			f.SetUp = f.From == first && f.Days >= 2
		}
	}
	month := clock.Day{Year: day.Year, Month: day.Month, Date: 1}
	work, err := s.Work(tx, org, patient, clock.At(month, 0, who.Location()), clock.At(month.AddMonths(1), 0, who.Location()))
	if err != nil {
		return f, err
	}
	for _, m := range work {
		f.Minutes += m.Minutes
		f.Live = f.Live || m.Live
	}
	f.Device, f.Management = Device(f.Days), Management(f.Minutes, f.Live)
	return f, nil
}

// Codes answers every code that the facts come to.
func (f Facts) Codes() []string {
	var out []string
	if f.SetUp {
		out = append(out, SetUp)
	}
	if f.Device != "" {
		out = append(out, f.Device)
	}
	return append(out, f.Management...)
}

// List answers the facts of every patient of the viewer's teams on a day, by name.
func (s *Service) List(ctx context.Context, db *store.DB, v person.Viewer, day clock.Day) (out []Facts, err error) {
	if !v.Role.Staff() {
		return nil, fault.Deniedf("This is for the staff of the clinic.")
	}
	err = db.Read(ctx, func(tx *store.Tx) error {
		out = nil
		people, err := s.people.PatientsOf(tx, v)
		for i := 0; i < len(people) && err == nil; i++ {
			var f Facts
			f, err = s.At(tx, v.Org, people[i].ID, day)
			out = append(out, f)
		}
		return err
	})
	return out, err
}
