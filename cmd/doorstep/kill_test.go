package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// binary is the command, built once for all tests of real processes.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "doorstep-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "doorstep")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// smsServer is a text gateway that counts what it is given, by our reference.
type smsServer struct {
	*httptest.Server
	mu   sync.Mutex
	took map[string]int
	n    int
}

func newSMSServer(t *testing.T) *smsServer {
	s := &smsServer{took: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.took[r.Header.Get("I-Twilio-Idempotency-Token")]++
		s.n++
		n := s.n
		s.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"sid":"SM%d"}`, n)
	}))
	t.Cleanup(s.Close)
	return s
}

// clinic is an organization in a database of its own, set up for the tests of real processes.
type clinic struct {
	address, token string
	patients       []person.ID
	devices, keys  []string
}

const weightLimit = 80

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// newClinic sets an organization up with a nurse and patients, each with a scale and a rule.
func newClinic(t *testing.T, address, gateway string, patients int) *clinic {
	t.Helper()
	db, err := store.Open(t.Context(), address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	clk := clock.NewSystem()
	s, err := app.New(t.Context(), app.Options{DB: db, Clock: clk, IDs: clock.NewIDs(clk), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	c := &clinic{address: address}
	settings := fmt.Sprintf(`{"sms":{"url":%q,"account":"AC1","token":"secret","from":"+15550100000"}}`, gateway)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.Write(t.Context(), func(tx *store.Tx) error {
		must(s.People.SaveOrg(tx, person.Org{ID: app.FirstOrg, Name: "Elm Street Clinic", Zone: "UTC", Language: "en", Phone: "555 0100", Settings: settings}))
		must(s.People.SaveTeam(tx, app.FirstOrg, person.Team{ID: "blue", Name: "Blue"}))
		nurse, err := s.People.Save(tx, person.Person{Org: app.FirstOrg, Role: person.Nurse, Name: "Dana Reyes", Language: "en", Zone: "UTC", Teams: []person.TeamID{"blue"}})
		must(err)
		must(s.People.SetContact(tx, app.FirstOrg, person.Contact{Person: nurse.ID, Channel: person.SMS, Address: "+15550109999", Consent: person.Given, Source: "test"}))
		c.token, _, err = s.People.NewToken(tx, nurse, 24*time.Hour)
		must(err)
		for i := range patients {
			// Never quiet: the test runs at any time of day.
			p, err := s.People.Save(tx, person.Person{Org: app.FirstOrg, ID: person.ID(s.IDs.New()), Role: person.Patient, Name: fmt.Sprintf("Pat %d", i), BirthYear: 1950, Language: "en",
				Zone: "UTC", Routine: person.UsualRoutine, Active: true, Teams: []person.TeamID{"blue"}})
			must(err)
			must(s.People.SetContact(tx, app.FirstOrg, person.Contact{Person: p.ID, Channel: person.SMS, Address: fmt.Sprintf("+1555%07d", 1000000+i), Consent: person.Given, Source: "test"}))
			_, err = s.Readings.SetRule(tx, reading.Rule{Org: string(app.FirstOrg), Patient: string(p.ID), Rule: rule.Rule{Series: "29463-7",
				Above: rule.Limit{Kind: rule.Absolute, Value: weightLimit}, Severity: "urgent"}})
			must(err)
			c.patients = append(c.patients, p.ID)
		}
		return nil
	}))
	for _, p := range c.patients {
		id, key, err := s.Readings.Register(t.Context(), string(app.FirstOrg), "scale")
		must(err)
		must(s.Readings.Assign(t.Context(), string(app.FirstOrg), id, string(p), time.Now().Add(-time.Hour), time.Time{}))
		c.devices, c.keys = append(c.devices, id), append(c.keys, key)
	}
	return c
}

// server is a running doorstep serve.
type server struct {
	cmd  *exec.Cmd
	base string
}

// freePort answers an address nobody listens at, below the range from which clients are given theirs: it must still be free when
// a killed server comes back.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// start runs doorstep serve and waits until it answers.
func start(t *testing.T, address, listen string) *server {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--listen", listen, "--mqtt", ""}
	if u, err := url.Parse(address); err == nil && u.Scheme == "postgres" {
		args = append(args, "--database", address)
	} else {
		args = append(args, "--data", filepath.Dir(address))
	}
	cmd := exec.Command(path, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	s := &server{cmd, "http://" + listen}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if res, err := http.Get(s.base + "/healthz"); err == nil {
			res.Body.Close()
			return s
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	t.Fatalf("the server did not start: %s", errs.String())
	return nil
}

func (s *server) kill() { s.cmd.Process.Signal(syscall.SIGKILL); s.cmd.Wait() }

func (s *server) stop(t *testing.T) {
	t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server did not stop by itself: %v", err)
	}
}

// post sends JSON and reports whether it was acknowledged.
func (s *server) post(ctx context.Context, path, token string, body any) (int, bool) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(b))
	if err != nil {
		return 0, false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err == nil && res.StatusCode < 300
}

// acked is a promise that the server acknowledged: a dose of a patient at an instant.
type acked struct {
	patient person.ID
	due     time.Time
}

// TestFault01KilledAtAnyMoment kills a real server with SIGKILL 200 times while doses are promised, reminded of and alerts
// raised. Nothing acknowledged may be lost, nothing may exist twice, no text may be sent twice.
func TestFault01KilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	kills := 200
	if testing.Short() {
		kills = 10
	}
	for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			sms := newSMSServer(t)
			c := newClinic(t, storetest.URL(t, engine), sms.URL, kills)
			listen := freePort(t)
			rnd := rand.New(rand.NewPCG(1, 2))
			var mu sync.Mutex
			var promised []acked
			alerts := map[person.ID]bool{}
			var next atomic.Int64
			for round := range kills {
				s := start(t, c.address, listen)
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						for ctx.Err() == nil {
							i := next.Add(1)
							a := acked{c.patients[int(i)%len(c.patients)], time.Now().UTC().Truncate(time.Second).Add(time.Duration(4+i%3) * time.Second)}
							body := map[string]any{"name": fmt.Sprint("Medicine ", i), "dosage": []any{map[string]any{"timing": map[string]any{"event": []string{a.due.Format(time.RFC3339)}}}}}
							if _, ok := s.post(ctx, "/api/v1/patients/"+string(a.patient)+"/regimens", c.token, body); ok {
								mu.Lock()
								promised = append(promised, a)
								mu.Unlock()
							}
						}
					})
				}
				wg.Go(func() { // the alert of this round's patient, sent again until it is acknowledged, as a scale would
					body := []any{map[string]any{"seq": 1, "at": time.Now().UTC().Format(time.RFC3339), "series": "29463-7", "value": weightLimit + 5, "unit": "kg"}}
					for ctx.Err() == nil {
						if _, ok := s.post(ctx, "/api/v1/devices/"+c.devices[round]+"/readings", c.keys[round], body); ok {
							mu.Lock()
							alerts[c.patients[round]] = true
							mu.Unlock()
							return
						}
					}
				})
				time.Sleep(time.Duration(20+rnd.IntN(180)) * time.Millisecond)
				s.kill()
				cancel()
				wg.Wait()
			}
			s := start(t, c.address, listen)
			time.Sleep(8 * time.Second) // the last doses come due
			s.stop(t)
			c.verify(t, promised, alerts, sms)
		})
	}
}

// verify looks at the database and the gateway after all is over.
func (c *clinic) verify(t *testing.T, promised []acked, alerts map[person.ID]bool, sms *smsServer) {
	t.Helper()
	db, err := store.Open(t.Context(), c.address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	clk := clock.NewSystem()
	s, err := app.New(t.Context(), app.Options{DB: db, Clock: clk, IDs: clock.NewIDs(clk), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	report, err := s.Promises.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Faults {
		t.Error(f)
	}
	count := func(tx *store.Tx, query string, args ...any) (n int) {
		if _, err := tx.Row(query, args, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	lost, unsaid := 0, 0
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		for _, a := range promised {
			if n := count(tx, "SELECT COUNT(*) FROM promise WHERE org = $1 AND patient = $2 AND kind = 'dose' AND from_at = $3", string(app.FirstOrg), string(a.patient), store.Micros(a.due)); n != 1 {
				lost++
			}
			if n := count(tx, "SELECT COUNT(*) FROM message WHERE org = $1 AND shard = $2 AND patient = $3 AND at = $4 AND say = 'dose'", string(app.FirstOrg), person.Shard(a.patient),
				string(a.patient), store.Micros(a.due)); n != 1 {
				unsaid++
			}
		}
		for p := range alerts {
			if n := count(tx, "SELECT COUNT(*) FROM promise WHERE org = $1 AND patient = $2 AND kind = 'call'", string(app.FirstOrg), string(p)); n != 1 {
				t.Errorf("patient %s: %d calls promised after one alert", p, n)
			}
			if n := count(tx, "SELECT COUNT(*) FROM reading_alert WHERE org = $1 AND patient = $2", string(app.FirstOrg), string(p)); n != 1 {
				t.Errorf("patient %s: %d alerts, want 1", p, n)
			}
		}
		if n := count(tx, "SELECT COUNT(*) FROM message WHERE state = 2 AND channel = 'sms' AND severity < 2 AND ref = ''"); n != 0 {
			t.Errorf("%d messages are sent without the gateway's reference", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if lost > 0 || unsaid > 0 {
		t.Errorf("of %d acknowledged doses %d are not in the ledger once, %d were not put into words once", len(promised), lost, unsaid)
	}
	if len(promised) < len(c.patients) || len(alerts) < len(c.patients)/5 {
		t.Errorf("too little happened to prove anything: %d doses, %d alerts", len(promised), len(alerts))
	}
	sms.mu.Lock()
	defer sms.mu.Unlock()
	again := 0
	for ref, n := range sms.took {
		if n < 2 {
			continue
		}
		// An urgent one may be sent again, and then says so (FAULTS 2); a reminder never.
		urgent := false
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			urgent = count(tx, "SELECT COUNT(*) FROM message WHERE id = $1 AND severity >= 2", ref) == 1
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if !urgent {
			t.Errorf("a reminder was sent %d times", n)
		}
		again++
	}
	t.Logf("%d doses and %d alerts acknowledged, %d texts taken, %d urgent ones sent again", len(promised), len(alerts), len(sms.took), again)
}
