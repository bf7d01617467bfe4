// Package pull asks for readings where a person's own site keeps them (Nightscout), for those whose devices do not send to us.
//
// Its promises:
//   - What a site answers is stored once, however often it is asked, as the readings of the same devices as a file of that site.
//   - A site that cannot be read loses nothing: it is asked again, less and less often, from where it was read last; the desk
//     hears of it once, and a rule for silence sees that nothing comes.
//   - A token is kept for asking alone: no page, answer or log shows it.
package pull

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this room, "pull".
var Migrations, _ = fs.Sub(migrations, "migrations")

const (
	// Kind is that of the desk's tasks about sites.
	Kind = "reading"

	everyLeast  = time.Minute
	everyMost   = 24 * time.Hour
	everyUsual  = 5 * time.Minute
	backMost    = 90 * 24 * time.Hour // of the past that a site is asked for
	backUsual   = 24 * time.Hour
	addressMost = 300
	tokenMost   = 200
)

// Site is a person's site.
type Site struct {
	Org     person.OrgID
	Patient person.ID
	Address string        // https://name.example, without a slash at the end
	Token   string        // an access token, or the site's API secret; only ever written
	Since   time.Time     // readings from then on are asked for
	Every   time.Duration // how often it is asked while it answers

	Cursor   time.Time // up to where it was read
	Next     time.Time // when it is asked again
	Asked    time.Time // last; zero: not yet
	Answered time.Time // last; zero: never
	Failing  time.Time // since when it has not answered; zero: it answers
	Problem  string    // why it could not be read, or what of its answer could not
	Stored   int64     // readings
	By       person.ID // who set it

	failures, told, revision int64
}

// Service is the room.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	people   *person.Service
	promises *promise.Service
	readings *reading.Service
	client   *http.Client
}

// New answers the room over a migrated database. Sites are asked at public addresses alone.
func New(db *store.DB, c clock.Clock, people *person.Service, promises *promise.Service, readings *reading.Service) *Service {
	return &Service{db: db, clock: c, people: people, promises: promises, readings: readings, client: gateway.Public}
}

// SetClient says how sites are reached: gateway.Anywhere where the operator lets the server ask in its own network. Call it before
// the first Ask.
func (s *Service) SetClient(c *http.Client) { s.client = c }

// Set says that a site is asked for a patient's readings; the viewer's right to act for her has been seen to. A site that is known keeps
// how far it was read, and its token where none is given. A new address begins anew.
func (s *Service) Set(tx *store.Tx, v person.Viewer, site Site) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can set a site.")
	}
	now := s.clock.Now()
	var err error
	if site.Address, err = addressOf(site.Address); err != nil {
		return err
	}
	if site.Every == 0 {
		site.Every = everyUsual
	}
	if site.Since.IsZero() {
		site.Since = now.Add(-backUsual)
	}
	site.Token = strings.TrimSpace(site.Token)
	switch {
	case len(site.Token) > tokenMost || strings.ContainsFunc(site.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fault.Invalidf("That does not look like the token of a site. Please copy it once more.")
	case site.Every < everyLeast || site.Every > everyMost:
		return fault.Invalidf("A site is asked every minute at most, and once a day at least.")
	case site.Since.After(now) || site.Since.Before(now.Add(-backMost)):
		return fault.Invalidf("Readings are asked for from at most 90 days ago on.")
	}
	had, known, err := s.Of(tx, site.Org, site.Patient)
	if err != nil {
		return err
	}
	cursor, stored := site.Since, int64(0)
	if known && had.Address == site.Address {
		if site.Token == "" {
			site.Token = had.Token
		}
		if stored = had.Stored; !site.Since.Before(had.Since) {
			site.Since, cursor = had.Since, had.Cursor
		}
	}
	_, err = tx.Exec(`INSERT INTO pull_site (org, patient, address, token, since_at, cursor_at, every_s, next_at, asked_at, answered_at, failing_at, failures, problem, told, stored, by_person, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, '', 0, $9, $10, 1)
		ON CONFLICT (org, patient) DO UPDATE SET address = excluded.address, token = excluded.token, since_at = excluded.since_at, cursor_at = excluded.cursor_at,
		every_s = excluded.every_s, next_at = excluded.next_at, failing_at = 0, failures = 0, problem = '', told = 0, stored = excluded.stored, by_person = excluded.by_person,
		revision = pull_site.revision + 1`,
		string(site.Org), string(site.Patient), site.Address, site.Token, store.Micros(site.Since), store.Micros(cursor), int64(site.Every/time.Second), store.Micros(now),
		stored, string(v.Person))
	if err != nil {
		return err
	}
	tx.Hint("patient", string(site.Org)+"/"+string(site.Patient))
	return s.people.Audit(tx, v, site.Patient, "change", "site of readings")
}

// End stops asking; what was read stays, the token goes.
func (s *Service) End(tx *store.Tx, v person.Viewer, org person.OrgID, patient person.ID) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can set a site.")
	}
	n, err := tx.Exec("DELETE FROM pull_site WHERE org = $1 AND patient = $2", string(org), string(patient))
	if err == nil && n == 0 {
		err = fault.NotFoundf("No site is asked for this person.")
	}
	if err != nil {
		return err
	}
	return s.people.Audit(tx, v, patient, "change", "site of readings ended")
}

// addressOf puts the address of a site into one form.
func addressOf(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(text) > addressMost {
		return "", fault.Invalidf("The address of a site begins with https:// and holds no token, like https://name.example.")
	}
	u.Host = strings.ToLower(u.Host)
	return strings.TrimRight(u.String(), "/"), nil
}

const siteSelect = `SELECT org, patient, address, token, since_at, cursor_at, every_s, next_at, asked_at, answered_at, failing_at, failures, problem, told, stored, by_person, revision FROM pull_site`

func scanSite(scan func(...any) error) (Site, error) {
	var x Site
	var since, cursor, every, next, asked, answered, failing int64
	err := scan(&x.Org, &x.Patient, &x.Address, &x.Token, &since, &cursor, &every, &next, &asked, &answered, &failing, &x.failures, &x.Problem, &x.told, &x.Stored, &x.By, &x.revision)
	x.Since, x.Cursor, x.Next, x.Asked, x.Answered, x.Failing = store.Time(since), store.Time(cursor), store.Time(next), store.Time(asked), store.Time(answered), store.Time(failing)
	x.Every = time.Duration(every) * time.Second
	return x, err
}

// Of answers a patient's site, and whether there is one.
func (s *Service) Of(tx *store.Tx, org person.OrgID, patient person.ID) (Site, bool, error) {
	list, err := store.All(tx, siteSelect+" WHERE org = $1 AND patient = $2", []any{string(org), string(patient)}, scanSite)
	if err != nil || len(list) == 0 {
		return Site{}, false, err
	}
	return list[0], true, nil
}
