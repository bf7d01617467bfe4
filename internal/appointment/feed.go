package appointment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"doorstep/internal/appointment/ical"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

const (
	feedBack  = 30 * 24 * time.Hour // of visits that a feed shows
	busyAhead = 400 * 24 * time.Hour
	readEvery = 15 * time.Minute
	readLong  = 20 * time.Second // that a calendar's server may take
	imported  = "file"
	followed  = "feed"
)

// NewFeed makes the secret of the feed that shows a resource's visits, in place of any earlier one. It is answered once: the database
// keeps its hash alone.
func (s *Service) NewFeed(tx *store.Tx, v person.Viewer, org person.OrgID, resource string) (string, error) {
	if !v.Role.Staff() {
		return "", fault.Deniedf("Only the clinic can make the address of a calendar.")
	}
	secret := s.ids.Secret(24)
	return secret, s.setFeed(tx, org, resource, hashed(secret))
}

// EndFeed makes a feed's address worthless.
func (s *Service) EndFeed(tx *store.Tx, v person.Viewer, org person.OrgID, resource string) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can end the address of a calendar.")
	}
	return s.setFeed(tx, org, resource, "")
}

func (s *Service) setFeed(tx *store.Tx, org person.OrgID, resource, hash string) error {
	n, err := tx.Exec("UPDATE resource SET feed = $3 WHERE org = $1 AND id = $2", string(org), resource, hash)
	if err == nil && n == 0 {
		err = fault.NotFoundf("There is no such person, room or thing to book.")
	}
	return err
}

func hashed(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// Feed writes the calendar of the resource whose secret it is: when its visits are, and nothing of whom or what they are about.
func (s *Service) Feed(ctx context.Context, secret string, to io.Writer) error {
	var r Resource
	var events []ical.Event
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		list, err := store.All(tx, resourceSelect+" WHERE feed = $1 AND active = 1", []any{hashed(secret)}, scanResource)
		if err != nil {
			return err
		}
		if secret == "" || len(list) != 1 {
			return fault.NotFoundf("There is no such calendar.")
		}
		r = list[0]
		visits, err := store.All(tx, appointmentSelect+` WHERE org = $1 AND start_at > $2 AND state IN ('booked', 'arrived', 'fulfilled') AND id IN
			(SELECT appointment FROM claim WHERE org = $1 AND resource = $3) ORDER BY start_at, id`,
			[]any{string(r.Org), store.Micros(s.clock.Now().Add(-feedBack)), r.ID}, scanAppointment)
		for _, a := range visits {
			events = append(events, ical.Event{ID: string(a.ID) + "@doorstep", Start: a.Start, End: a.End, Changed: a.Made})
		}
		return err
	})
	if err != nil {
		return err
	}
	return ical.Write(to, ical.Feed{Name: r.Name, Visit: "Visit", Every: readEvery}, events)
}

// Import reads busy times of a resource out of an iCalendar file; those of an earlier file go. It answers what was read, and what
// could not be: that is for whoever brought the file to see.
func (s *Service) Import(ctx context.Context, v person.Viewer, org person.OrgID, resource string, in io.Reader) (ical.Calendar, error) {
	if !v.Role.Staff() {
		return ical.Calendar{}, fault.Deniedf("Only the clinic can read a calendar in.")
	}
	return s.takeBusy(ctx, org, resource, imported, in)
}

// takeBusy puts what a calendar says in the place of what it said before.
func (s *Service) takeBusy(ctx context.Context, org person.OrgID, resource, source string, in io.Reader) (ical.Calendar, error) {
	var o person.Org
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		if _, err = s.resourcesByID(tx, org, []string{resource}); err == nil {
			o, err = s.people.Org(tx, org)
		}
		return err
	}); err != nil {
		return ical.Calendar{}, err
	}
	zone, err := clock.Zone(o.Zone)
	if err != nil {
		return ical.Calendar{}, err
	}
	now := s.clock.Now()
	cal, err := ical.ReadBusy(in, slot.Span{From: now.Add(-24 * time.Hour), To: now.Add(busyAhead)}, zone)
	if err != nil {
		return cal, err
	}
	return cal, s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM busy WHERE org = $1 AND resource = $2 AND source = $3", string(org), resource, source); err != nil {
			return err
		}
		if _, err := tx.InsertNew("busy", []string{"org", "resource", "from_at", "until_at", "source"}, len(cal.Busy), func(i int) []any {
			return []any{string(org), resource, store.Micros(cal.Busy[i].From), store.Micros(cal.Busy[i].To), source}
		}); err != nil {
			return err
		}
		return touch(tx, org, []string{resource})
	})
}

// Fetch is how the calendar behind an address is read; the default asks by HTTP.
type Fetch func(ctx context.Context, address string) (io.ReadCloser, error)

// fetchHTTP reads an address on the public web: staff name it, and must not make this server ask behind its own firewall.
func fetchHTTP(ctx context.Context, address string) (io.ReadCloser, error) {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return nil, fault.Invalidf("The address of a calendar begins with https://.")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.Invalidf("The address of the calendar cannot be read.")
	}
	answer, err := gateway.Public.Do(r)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The calendar's server does not answer.")
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fault.New(fault.Unavailable, "The calendar's server answers %d.", answer.StatusCode)
	}
	return answer.Body, nil
}

// ReadFeeds reads the calendars of those who keep one elsewhere, each every quarter of an hour. One that cannot be read keeps
// what it said last, and the desk is told once: silence of a calendar is not free time.
func (s *Service) ReadFeeds(ctx context.Context) error {
	now := s.clock.Now()
	var due []Resource
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		all, err := store.All(tx, resourceSelect+" WHERE active = 1 AND body LIKE '%busy_feed%' ORDER BY org, id", nil, scanResource)
		if err != nil {
			return err
		}
		for _, r := range all {
			var next int64
			if _, err := tx.Row("SELECT next_at FROM feed_read WHERE org = $1 AND resource = $2", []any{string(r.Org), r.ID}, &next); err != nil {
				return err
			}
			if r.BusyFeed != "" && next <= store.Micros(now) {
				due = append(due, r)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range due {
		if err := s.readFeed(ctx, r, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) readFeed(ctx context.Context, r Resource, now time.Time) error {
	reading, cancel := context.WithTimeout(ctx, readLong)
	defer cancel()
	problem, events := "", 0
	body, err := s.fetch(reading, r.BusyFeed)
	if err == nil {
		defer body.Close()
		cal, failed := s.takeBusy(ctx, r.Org, r.ID, followed, body)
		if err = failed; err == nil {
			events = cal.Events
			if len(cal.Refused) > 0 {
				problem = cal.Refused[0].String()
			}
		}
	}
	if err != nil {
		if fault.KindOf(err) == fault.Internal && ctx.Err() != nil {
			return err
		}
		problem = fault.Sentence(err)
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		var had string
		if _, err := tx.Row("SELECT problem FROM feed_read WHERE org = $1 AND resource = $2", []any{string(r.Org), r.ID}, &had); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO feed_read (org, resource, next_at, read_at, events, problem) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (org, resource) DO UPDATE SET next_at = excluded.next_at, read_at = excluded.read_at, events = excluded.events, problem = excluded.problem`,
			string(r.Org), r.ID, store.Micros(now.Add(readEvery)), store.Micros(now), events, problem); err != nil {
			return err
		}
		if problem == "" || had != "" {
			return nil
		}
		return s.promises.OpenTask(tx, promise.TaskRow{Org: r.Org, ID: clock.DerivedID("feed", string(r.Org), r.ID, fmt.Sprint(store.Micros(now))), Kind: Promised, Role: person.Desk,
			Severity: promise.Watch, Say: "task.feed", Args: map[string]string{"who": r.Name, "reason": problem}, Cause: "feed"})
	})
}

// FeedState is how the calendar of somebody was read last.
type FeedState struct {
	Read    time.Time
	Events  int
	Problem string
}

// FeedStates answers how the calendars of the organization were read last, by resource.
func (s *Service) FeedStates(tx *store.Tx, org person.OrgID) (map[string]FeedState, error) {
	out := map[string]FeedState{}
	err := tx.Rows("SELECT resource, read_at, events, problem FROM feed_read WHERE org = $1", []any{string(org)}, func(scan func(...any) error) error {
		var id string
		var at int64
		var f FeedState
		err := scan(&id, &at, &f.Events, &f.Problem)
		f.Read = store.Time(at)
		out[id] = f
		return err
	})
	return out, err
}
