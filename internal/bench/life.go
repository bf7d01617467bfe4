package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

const org = person.OrgID("bench")

// clinic is a server in this process with patients.
type clinic struct {
	*app.Server
	patients []person.Person
	tokens   []string
}

// newClinic makes a server with n patients, each with two medicines and a telephone.
func newClinic(ctx context.Context, db *store.DB, n int) (*clinic, error) {
	c := clock.NewSystem()
	s, err := app.New(ctx, app.Options{DB: db, Clock: c, IDs: clock.NewIDs(c), PublicURL: "http://127.0.0.1", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return nil, err
	}
	s.Messages.SetChannel(person.SMS, &message.Counter{})
	out := &clinic{Server: s}
	if err := db.Write(ctx, func(tx *store.Tx) error {
		return s.People.SaveOrg(tx, person.Org{ID: org, Name: "Elm Street Clinic", Zone: "America/New_York", Language: "en", Phone: "555 0100"})
	}); err != nil {
		return nil, err
	}
	for from := 0; from < n; from += 100 {
		err := db.Write(ctx, func(tx *store.Tx) error {
			for i := from; i < min(from+100, n); i++ {
				p, token, err := out.enrol(tx, i)
				if err != nil {
					return err
				}
				out.patients, out.tokens = append(out.patients, p), append(out.tokens, token)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *clinic) enrol(tx *store.Tx, i int) (person.Person, string, error) {
	p, err := c.People.Save(tx, person.Person{Org: org, ID: person.ID(c.IDs.New()), Role: person.Patient, Name: fmt.Sprintf("Pat Doe %d", i), BirthYear: 1950, Language: "en", Zone: "America/New_York",
		Routine: person.UsualRoutine, DayStart: 180, Active: true})
	if err != nil {
		return p, "", err
	}
	if err := c.People.SetContact(tx, org, person.Contact{Person: p.ID, Channel: person.SMS, Address: fmt.Sprintf("+1555%07d", i), Consent: person.Given, Source: "bench"}); err != nil {
		return p, "", err
	}
	day := clock.DayOf(c.Clock.Now(), p.Location()).Add(-1)
	for _, when := range []string{"CM", "HS"} {
		d := []fhir.Dosage{{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "1", PeriodUnit: "d", When: []string{when}}}}}
		if _, err := c.Medication.Save(tx, medication.Regimen{Org: org, Patient: p.ID, Name: "Medicine " + when, Dosage: d, Authored: day}); err != nil {
			return p, "", err
		}
	}
	token, _, err := c.People.NewSession(tx, p)
	return p, token, err
}

const (
	lagPatients = 10_000
	lagFor      = 20 * time.Second
	lagBurst    = 500 // a full minute of a morning: doses that are due at one instant
	lagEach     = 20  // between the bursts, per second
)

// lag lets 10,000 patients live: every five seconds 500 promises are due at one instant, and twenty a second in between, while
// the ledger and the outbox run as in a server. How late each rung was climbed is read from the history.
func lag(ctx context.Context, _ *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
	db, _, err := open()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c, err := newClinic(ctx, db, lagPatients)
	if err != nil {
		return nil, err
	}
	start := c.Clock.Now().Add(5 * time.Second).Truncate(time.Second)
	if err := c.makeLife(ctx, start); err != nil {
		return nil, err
	}
	run, stop := context.WithDeadline(ctx, start.Add(lagFor+time.Second))
	defer stop()
	if err := c.Run(run); err != nil {
		return nil, err
	}
	var late []time.Duration
	err = db.Read(ctx, func(tx *store.Tx) error {
		return tx.Rows(`SELECT h.at - p.from_at FROM history h JOIN promise p ON p.org = h.org AND p.shard = h.shard AND p.patient = h.patient AND p.id = h.promise
			WHERE h.kind = $1 AND h.rung = 0 AND p.kind = 'life'`, []any{int(promise.EventClimbed)}, func(scan func(...any) error) error {
			var us int64
			err := scan(&us)
			late = append(late, time.Duration(us)*time.Microsecond)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(late)
	return []app.Figure{{Name: "ledger.lag.p99_ms", Value: percentile(late, .99), Unit: "ms", N: len(late)}, {Name: "ledger.lag.p50_ms", Value: percentile(late, .5), Unit: "ms", N: len(late)}}, nil
}

// makeLife promises what will come due while the bench runs.
func (c *clinic) makeLife(ctx context.Context, start time.Time) error {
	var list []promise.Promise
	add := func(at time.Time) {
		p := c.patients[(len(list)*7919)%len(c.patients)].ID
		list = append(list, promise.Promise{Org: org, Patient: p, Kind: "life", Say: "say.dose", Args: map[string]string{"time": at.Format(time.RFC3339)}, From: at, By: at.Add(2 * time.Hour),
			Zone: "America/New_York", Ladder: promise.LadderRef{Name: app.DoseLadder.Name, Version: app.DoseLadder.Version}})
	}
	for at := time.Duration(0); at < lagFor; at += time.Second / lagEach {
		if at%(5*time.Second) == 0 {
			for range lagBurst {
				add(start.Add(at))
			}
		}
		add(start.Add(at + 13*time.Millisecond))
	}
	for from := 0; from < len(list); from += 2000 {
		err := c.DB.Write(ctx, func(tx *store.Tx) error {
			if _, err := c.Promises.Latest(tx, org, app.DoseLadder.Name); err != nil {
				return err
			}
			_, err := c.Promises.Make(tx, list[from:min(from+2000, len(list))]...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	viewers   = 200
	viewFor   = 10 * time.Second
	viewThink = time.Second // between two looks of one viewer
	readRate  = 1000        // readings per second meanwhile
)

// today lets 200 people look at /today, each about once a second, while 1,000 readings a second come in over HTTP.
func today(ctx context.Context, _ *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
	db, _, err := open()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c, err := newClinic(ctx, db, viewers)
	if err != nil {
		return nil, err
	}
	h, err := c.Handler(ctx, app.Edges{Version: "bench"})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	defer server.Close()
	run, stop := context.WithTimeout(ctx, viewFor)
	defer stop()
	base := "http://" + l.Addr().String()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: viewers + 50}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var took []time.Duration
	size, sent := 0, 0
	var g errgroup.Group
	g.Go(func() error { return c.Run(run) })
	g.Go(func() error { n, err := c.feed(run, client, base); sent = n; return err })
	for i := range viewers {
		g.Go(func() error {
			pause(run, viewThink*time.Duration(i)/viewers)
			for run.Err() == nil {
				begin := time.Now()
				n, err := look(run, client, base+"/today", c.tokens[i])
				if run.Err() != nil {
					return nil
				}
				if err != nil {
					return err
				}
				mu.Lock()
				took = append(took, time.Since(begin))
				size = max(size, n)
				mu.Unlock()
				pause(run, viewThink)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.Sort(took)
	return []app.Figure{
		{Name: "web.today.p99_ms", Value: percentile(took, .99), Unit: "ms", N: len(took)},
		{Name: "web.today.p50_ms", Value: percentile(took, .5), Unit: "ms", N: len(took)},
		{Name: "web.today.kb", Value: float64(size) / 1000, Unit: "kB", N: len(took)},
		{Name: "web.today.readings_per_s", Value: float64(sent) / viewFor.Seconds(), Unit: "/s", N: sent},
	}, nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// look gets a page as its person and answers how many bytes came.
func look(ctx context.Context, client *http.Client, url, token string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	req.AddCookie(&http.Cookie{Name: "doorstep", Value: token})
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || res.Request.URL.String() != url || !bytes.Contains(b, []byte("<main"))) {
		err = fmt.Errorf("%s answered %d at %s", url, res.StatusCode, res.Request.URL.Path)
	}
	return len(b), err
}

// feed sends 1,000 readings a second from twenty devices until ctx ends, and answers how many were acknowledged.
func (c *clinic) feed(ctx context.Context, client *http.Client, base string) (int, error) {
	const devices, perPost = 20, 10
	type dev struct{ id, key string }
	list := make([]dev, devices)
	for i := range list {
		var err error
		if list[i].id, list[i].key, err = c.Readings.Register(ctx, string(org), "strap"); err != nil {
			return 0, err
		}
		if err := c.Readings.Assign(ctx, string(org), list[i].id, string(c.patients[i].ID), c.Clock.Now().Add(-time.Hour), time.Time{}); err != nil {
			return 0, err
		}
	}
	t := time.NewTicker(time.Second * perPost / readRate)
	defer t.Stop()
	n := 0
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return n, nil
		case <-t.C:
		}
		d := list[i%devices]
		var b strings.Builder
		now := c.Clock.Now()
		for k := range perPost {
			fmt.Fprintf(&b, `,{"seq":%d,"at":%q,"series":"8867-4","value":%d,"unit":"/min"}`, i*perPost+k, now.Add(time.Duration(k-perPost)*time.Second).Format(time.RFC3339Nano), 60+k)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/devices/"+d.id+"/readings", strings.NewReader("["+b.String()[1:]+"]"))
		if err != nil {
			return n, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+d.key)
		res, err := client.Do(req)
		if err != nil {
			if ctx.Err() != nil {
				return n, nil
			}
			return n, err
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return n, fmt.Errorf("readings answered %d", res.StatusCode)
		}
		n += perPost
	}
}

// starting measures the program itself, as a process of its own.
func starting(ctx context.Context, r *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
	const times = 5
	var took []time.Duration
	for i := range times {
		p, err := r.launch(ctx, filepath.Join(r.dir, fmt.Sprint("start", i)))
		if err != nil {
			return nil, err
		}
		took = append(took, p.took)
		if err := p.end(); err != nil {
			return nil, err
		}
	}
	slices.Sort(took)
	db, address, err := open()
	if err != nil {
		return nil, err
	}
	_, err = newClinic(ctx, db, 200)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(address, ".db") {
		return nil, errors.New("start is measured on SQLite")
	}
	p, err := r.launch(ctx, filepath.Dir(address))
	if err != nil {
		return nil, err
	}
	pause(ctx, 3*time.Second)
	mb := resident(p.cmd.Process.Pid)
	return []app.Figure{{Name: "start.ready_ms", Value: percentile(took, .5), Unit: "ms", N: times}, {Name: "start.rss_mb", Value: mb, Unit: "MB", N: 200}}, p.end()
}

type process struct {
	cmd  *exec.Cmd
	took time.Duration
}

// launch starts doorstep serve on a folder and answers once it is ready.
func (r *Runner) launch(ctx context.Context, dir string) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listen := l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(ctx, r.Self, "serve", "--data", dir, "--listen", listen, "--mqtt", "127.0.0.1:0")
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(begin) < 30*time.Second {
		if res, err := http.Get("http://" + listen + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return &process{cmd, time.Since(begin)}, nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	cmd.Process.Kill()
	return nil, errors.Join(errors.New("the server did not become ready"), cmd.Wait())
}

func (p *process) end() error {
	p.cmd.Process.Signal(os.Interrupt)
	return p.cmd.Wait()
}

// resident answers a process's memory in MB (VmRSS).
func resident(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
