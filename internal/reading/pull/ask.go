package pull

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/nightscout"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
)

const (
	// Entries carry the time of measurement alone, and a telephone that was away sends its own late: each look goes back so far.
	overlap     = 6 * time.Hour
	windowMost  = 5 * 24 * time.Hour // asked for at once
	windowLeast = time.Minute
	answerMost  = 10_000   // entries of an answer; one that has as many may have lacked some
	bodyMost    = 32 << 20 // bytes of an answer
	askLong     = 2 * time.Minute
	slowest     = time.Hour // between two tries of a site that does not answer
	tellAfter   = time.Hour // of no answer, until the desk hears of it
	sitesMost   = 200       // of one round
	sideBySide  = 4
	sourcesMost = 50 // devices that one site may tell of
)

// Ask reads the sites that are due, each from where it was read last, and answers how many. Call it every few seconds, on any number of
// nodes: whoever takes a site has it for a while.
func (s *Service) Ask(ctx context.Context) (int, error) {
	now := s.clock.Now()
	var due []Site
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = store.All(tx, siteSelect+" WHERE next_at <= $1 ORDER BY next_at, org, patient LIMIT $2", []any{store.Micros(now), sitesMost}, scanSite)
		return err
	}); err != nil {
		return 0, err
	}
	var g errgroup.Group
	g.SetLimit(sideBySide)
	for _, site := range due {
		g.Go(func() error { return s.ask(ctx, site, now) })
	}
	return len(due), g.Wait()
}

// ask reads one site, if nobody else does.
func (s *Service) ask(ctx context.Context, site Site, now time.Time) error {
	var mine int64
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
		mine, err = tx.Exec("UPDATE pull_site SET next_at = $4 WHERE org = $1 AND patient = $2 AND next_at = $3", string(site.Org), string(site.Patient),
			store.Micros(site.Next), store.Micros(now.Add(askLong+site.Every)))
		return err
	})
	if err != nil || mine == 0 {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, askLong)
	defer cancel()
	cursor, stored, refused, failed := s.read(asking, site, now)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed != nil && fault.KindOf(failed) == fault.Internal && asking.Err() == nil {
		return failed // our own trouble, not the site's: the lease runs out, and it is asked again
	}
	return s.db.Write(ctx, func(tx *store.Tx) error { return s.note(tx, site, now, cursor, int64(stored), refused, failed) })
}

// note writes down how asking went.
func (s *Service) note(tx *store.Tx, site Site, now, cursor time.Time, stored int64, refused string, failed error) error {
	problem, next, failing, failures, answered, told := refused, now.Add(site.Every), time.Time{}, int64(0), now, int64(0)
	if failed != nil {
		problem, failing, failures, answered, told = fault.Sentence(failed), site.Failing, site.failures+1, site.Answered, site.told
		if fault.KindOf(failed) == fault.Internal { // it took too long
			problem = "The site takes too long to answer."
		}
		if failing.IsZero() {
			failing = now
		}
		next = now.Add(min(max(slowest, site.Every), site.Every<<min(failures-1, 10)))
	}
	tell := failed != nil && told == 0 && now.Sub(failing) >= tellAfter
	if tell {
		told = 1
	}
	n, err := tx.Exec(`UPDATE pull_site SET cursor_at = $4, next_at = $5, asked_at = $6, answered_at = $7, failing_at = $8, failures = $9, problem = $10, told = $11,
		stored = stored + $12 WHERE org = $1 AND patient = $2 AND revision = $3`,
		string(site.Org), string(site.Patient), site.revision, store.Micros(cursor), store.Micros(next), store.Micros(now), store.Micros(answered), store.Micros(failing), failures,
		problem, told, stored)
	if err != nil || n == 0 { // 0: it was changed or ended meanwhile
		return err
	}
	tx.Hint("patient", string(site.Org)+"/"+string(site.Patient))
	if !tell {
		return nil
	}
	return s.promises.OpenTask(tx, promise.TaskRow{Org: site.Org, Patient: site.Patient, ID: clock.DerivedID("pull", string(site.Org), string(site.Patient), fmt.Sprint(store.Micros(failing))),
		Kind: Kind, Role: person.Desk, Severity: promise.Watch, Say: "task.site", Args: map[string]string{"reason": problem}, Cause: "site"})
}

// read asks for window after window up to now. It answers up to where the site was read (the cursor as it was, where it failed at once), how
// much of it is new, and what was refused, if anything was.
func (s *Service) read(ctx context.Context, site Site, now time.Time) (cursor time.Time, stored int, refused string, err error) {
	cursor = site.Cursor
	from := cursor.Add(-overlap)
	if from.Before(site.Since) {
		from = site.Since
	}
	window := windowMost
	for from.Before(now) {
		to := from.Add(window)
		if !to.Before(now) {
			to = now.Add(5 * time.Minute) // a sensor's clock that is ahead
		}
		x := look{s: s, site: site}
		for _, w := range []struct{ path, field, from, to string }{
			{"entries", "date", millis(from), millis(to)},
			{"treatments", "created_at", from.UTC().Format("2006-01-02T15:04:05.000Z"), to.UTC().Format("2006-01-02T15:04:05.000Z")},
		} {
			if err := x.one(ctx, w.path, w.field, w.from, w.to); err != nil {
				return cursor, stored, refused, err
			}
			stored += x.stored
			x.stored = 0
		}
		if refused == "" {
			refused = x.refused
		}
		if x.most >= answerMost && window > windowLeast { // the newest of a window alone came: ask for less
			window /= 4
			continue
		}
		from = to
		if cursor.Before(to) {
			cursor = to
		}
	}
	if cursor.After(now) {
		cursor = now
	}
	return cursor, stored, refused, nil
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// look is one window of a site.
type look struct {
	s       *Service
	site    Site
	most    int // items of the longer answer
	stored  int
	refused string // the first reason
}

// one takes an answer in.
func (x *look) one(ctx context.Context, path, field, from, to string) error {
	body, err := x.s.get(ctx, x.site, path, url.Values{"find[" + field + "][$gte]": {from}, "find[" + field + "][$lt]": {to}, "count": {strconv.Itoa(answerMost)}})
	if err != nil {
		return err
	}
	defer body.Close()
	in := &bounded{r: body, left: bodyMost}
	n, unread := 0, error(nil)
	seq := nightscout.Read(in, sample.Options{Item: func(string) { n++ }})
	sources := map[string]bool{}
	err = x.s.readings.Take(ctx, seq, reading.Taking{Zoned: true,
		Device: func(ctx context.Context, source string) (reading.Device, error) {
			if sources[source] = true; len(sources) > sourcesMost {
				return reading.Device{}, fault.Invalidf("the site tells of more than %d devices", sourcesMost)
			}
			return x.s.readings.ImportDevice(ctx, string(x.site.Org), string(x.site.Patient), strings.TrimSuffix("nightscout: "+source, ": "))
		},
		Refused: func(_ int, r *sample.Refusal) {
			if r.Path == "" {
				unread = r // not an item: the answer itself
			}
			if x.refused == "" {
				x.refused = r.Error()
			}
		},
		Took: func(_ string, r reading.Receipt) error { x.stored += r.Stored; return nil },
	})
	x.most = max(x.most, n)
	switch {
	case in.failed != nil && ctx.Err() == nil:
		return fault.New(fault.Unavailable, "The answer of the site broke off.")
	case fault.Is(err, fault.Invalid), unread != nil:
		return fault.New(fault.Unavailable, "The site does not answer as Nightscout does.")
	}
	return err
}

// tokens of Nightscout are a name and sixteen hexadecimal letters; anything else is the API secret, which is sent as its SHA-1.
var accessToken = regexp.MustCompile(`^[a-z0-9]+-[0-9a-f]{16}$`)

// get asks a site. Its errors name neither address nor token.
func (s *Service) get(ctx context.Context, site Site, path string, query url.Values) (io.ReadCloser, error) {
	if accessToken.MatchString(site.Token) {
		query.Set("token", site.Token)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, site.Address+"/api/v1/"+path+".json?"+query.Encode(), nil)
	if err != nil {
		return nil, fault.Invalidf("The address of the site cannot be read.")
	}
	r.Header.Set("Accept", "application/json")
	if site.Token != "" && !query.Has("token") {
		sum := sha1.Sum([]byte(site.Token)) // as Nightscout wants it
		r.Header.Set("api-secret", hex.EncodeToString(sum[:]))
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The site does not answer, or its address is not a public one.")
	}
	switch code := answer.StatusCode; {
	case code == http.StatusOK:
		return answer.Body, nil
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		err = fault.New(fault.Unavailable, "The site wants another token.")
	case code >= 300 && code < 400:
		err = fault.New(fault.Unavailable, "The site has moved. Please write its new address.")
	default:
		err = fault.New(fault.Unavailable, "The site answers with an error (%d).", code)
	}
	answer.Body.Close()
	return nil, err
}

// bounded reads so many bytes at most and remembers how reading failed.
type bounded struct {
	r      io.Reader
	left   int64
	failed error
}

var errLong = errors.New("the answer is too long")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.failed = errLong
		return 0, errLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		b.failed = err
	}
	return n, err
}
