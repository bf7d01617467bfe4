package app_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/fault"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/pull"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

const siteToken = "doorstep-0123456789abcdef"

// site is a Nightscout of our own on this machine: one entry every five minutes, in the way of its API (newest first, count of them).
type site struct {
	mu     sync.Mutex
	from   time.Time // of the first entry
	until  time.Time // of the last
	late   map[int]bool
	status int // not 200: answered to everything
	asked  []string
	every  time.Duration // between entries; zero: five minutes
}

func (x *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	q := r.URL.Query()
	x.asked = append(x.asked, r.URL.Path)
	if x.status != 0 {
		http.Redirect(w, r, "/elsewhere", x.status)
		return
	}
	if q.Get("token") != siteToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	out := []map[string]any{}
	switch r.URL.Path {
	case "/api/v1/entries.json":
		from, _ := strconv.ParseInt(q.Get("find[date][$gte]"), 10, 64)
		to, _ := strconv.ParseInt(q.Get("find[date][$lt]"), 10, 64)
		for i, at := 0, x.from; !at.After(x.until); i, at = i+1, at.Add(cmp.Or(x.every, 5*time.Minute)) {
			if ms := at.UnixMilli(); ms >= from && ms < to && !x.late[i] {
				out = append(out, map[string]any{"type": "sgv", "date": ms, "sgv": 100 + i%50, "device": "xDrip"})
			}
		}
		slices.Reverse(out)
		count, _ := strconv.Atoi(q.Get("count"))
		out = out[:min(len(out), count)]
	case "/api/v1/treatments.json":
		if at := x.from.Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z"); q.Get("find[created_at][$gte]") <= at && at < q.Get("find[created_at][$lt]") {
			out = append(out, map[string]any{"eventType": "Meal Bolus", "created_at": at, "insulin": 2.5, "enteredBy": "Loop"})
		}
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	json.NewEncoder(w).Encode(out)
}

func (x *site) is(set func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	set()
}

// A site is read once, from where it was read last; what came late is found; when it is silent it is asked less and less often, the desk
// hears once, a rule for silence speaks, and nothing is lost.
func TestPullNightscout(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		fake := &site{from: apptest.Start.Add(-12 * time.Hour), until: apptest.Start, late: map[int]bool{140: true}}
		server := httptest.NewServer(fake)
		h.Cleanup(server.Close)
		ctx := h.Context()
		dana := person.Viewer{Org: apptest.Org, Person: h.Dana.ID, Role: person.Nurse}
		set := func(x pull.Site) error {
			x.Org, x.Patient = apptest.Org, h.Ruth.ID
			return h.DB.Write(ctx, func(tx *store.Tx) error { return h.Pull.Set(tx, dana, x) })
		}
		for name, x := range map[string]pull.Site{"no scheme": {Address: "name.example"}, "a token in it": {Address: "https://name.example?token=x"}, "a password in it": {Address: "https://a:b@name.example"},
			"a file": {Address: "file:///etc/passwd"}, "too often": {Address: server.URL, Every: time.Second}, "too far back": {Address: server.URL, Since: apptest.Start.AddDate(-1, 0, 0)},
			"a token of two lines": {Address: server.URL, Token: "a\nb"}} {
			if err := set(x); !fault.Is(err, fault.Invalid) {
				h.Errorf("%s: %v", name, err)
			}
		}
		ask := func(after time.Duration) pull.Site {
			h.Helper()
			h.Clock.Set(apptest.Start.Add(after))
			if _, err := h.Pull.Ask(ctx); err != nil {
				h.Fatal(err)
			}
			var x pull.Site
			h.Read(func(tx *store.Tx) (err error) { x, _, err = h.Pull.Of(tx, apptest.Org, h.Ruth.ID); return err })
			return x
		}
		count := func(series string) int {
			h.Helper()
			list, err := h.Readings.Samples(ctx, string(apptest.Org), string(h.Ruth.ID), series, apptest.Start.AddDate(0, 0, -30), apptest.Start.AddDate(0, 0, 30))
			if err != nil {
				h.Fatal(err)
			}
			return len(list)
		}
		if err := set(pull.Site{Address: server.URL + "/", Token: siteToken}); err != nil {
			h.Fatal(err)
		}
		// This machine's own addresses are not public ones.
		if x := ask(0); len(fake.asked) != 0 || x.Failing.IsZero() || !strings.Contains(x.Problem, "not a public one") {
			h.Errorf("a private address: asked %v, %q", fake.asked, x.Problem)
		}
		h.Pull.SetClient(gateway.Anywhere)
		if x := ask(5 * time.Minute); x.Stored != 145 || count("99504-3") != 144 || count("insulin") != 1 || !x.Failing.IsZero() || x.Problem != "" {
			h.Errorf("stored %d, glucose %d, insulin %d, %q", x.Stored, count("99504-3"), count("insulin"), x.Problem)
		}
		h.Write(func(tx *store.Tx) error {
			_, err := h.Readings.SetRule(tx, reading.Rule{Org: string(apptest.Org), Patient: string(h.Ruth.ID), Rule: rule.Rule{Series: "99504-3", Missing: 3 * time.Hour, Severity: "urgent"}})
			return err
		})
		before := len(fake.asked)
		ask(6 * time.Minute) // not due yet
		if len(fake.asked) != before {
			h.Error("asked before it was due")
		}
		fake.is(func() { fake.late, fake.until = nil, apptest.Start.Add(10*time.Minute) })
		if x := ask(10 * time.Minute); x.Stored != 148 || count("99504-3") != 147 {
			h.Errorf("with what came late: stored %d, glucose %d", x.Stored, count("99504-3"))
		}
		fake.is(func() { fake.status = http.StatusFound })
		var x pull.Site
		asked := len(fake.asked)
		for m := 15; m <= 15+6*60; m++ {
			x = ask(time.Duration(m) * time.Minute)
		}
		tries := len(fake.asked) - asked
		if x.Problem != "The site has moved. Please write its new address." || !x.Failing.Equal(apptest.Start.Add(15*time.Minute)) || tries < 6 || tries > 12 || slices.Contains(fake.asked, "/elsewhere") {
			h.Errorf("failing: %q since %s, %d tries", x.Problem, x.Failing, tries)
		}
		if _, err := h.Readings.Sweep(ctx, string(apptest.Org)); err != nil {
			h.Fatal(err)
		}
		h.Settle()
		if got := h.Tasks(); strings.Count(got, "task.site") != 1 || !strings.Contains(got, "silence") {
			h.Errorf("tasks: %s", got)
		}
		fake.is(func() { fake.status, fake.until = 0, apptest.Start.Add(8*time.Hour) })
		if x = ask(8 * time.Hour); x.Stored != 148+94 || !x.Failing.IsZero() {
			h.Errorf("after it came back: %d, %q", x.Stored, x.Problem)
		}
		// A change of the address keeps nothing of the old site; one of the token keeps how far it was read.
		if err := set(pull.Site{Address: server.URL, Token: "another-0123456789abcdef"}); err != nil {
			h.Fatal(err)
		}
		if x = ask(8*time.Hour + time.Minute); x.Problem != "The site wants another token." || x.Stored != 148+94 {
			h.Errorf("a wrong token: %+v", x)
		}
		if err := set(pull.Site{Address: server.URL}); err != nil {
			h.Fatal(err)
		}
		if x = ask(8*time.Hour + 2*time.Minute); x.Token != "another-0123456789abcdef" {
			h.Error("an empty token took the place of the one that was there")
		}
		h.Write(func(tx *store.Tx) error { return h.Pull.End(tx, dana, apptest.Org, h.Ruth.ID) })
		if n, err := h.Pull.Ask(ctx); n != 0 || err != nil {
			h.Errorf("asked after the end: %d, %v", n, err)
		}
		var tasks []promise.TaskRow
		h.Read(func(tx *store.Tx) (err error) { tasks, err = h.Promises.Tasks(tx, apptest.Org); return err })
		for _, task := range tasks {
			if strings.Contains(fmt.Sprint(task.Args), "127.0.0.1") {
				h.Errorf("a task names the address: %v", task.Args)
			}
		}
	})
}

// A server that gives fewer than it has is asked for shorter times, and an answer that is none of Nightscout's is no reading.
func TestPullOddSites(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		dana := person.Viewer{Org: apptest.Org, Person: h.Dana.ID, Role: person.Nurse}
		h.Pull.SetClient(gateway.Anywhere)
		for i, c := range []struct{ body, problem string }{
			{"<html>hello</html>", "The site does not answer as Nightscout does."},
			{`[{"type":"sgv","date":1772450000000,"sgv":`, "The site does not answer as Nightscout does."},
			{`{"status":"ok"}`, ""},
			{`[{"type":"sgv","sgv":120}]`, "[0], offset 1: date: there is none that is a time"},
		} {
			var secret string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				secret = r.Header.Get("api-secret")
				fmt.Fprint(w, c.body)
			}))
			h.Write(func(tx *store.Tx) error {
				return h.Pull.Set(tx, dana, pull.Site{Org: apptest.Org, Patient: h.Ruth.ID, Address: server.URL, Token: "own-api-secret"})
			})
			h.Clock.Advance(time.Minute)
			if _, err := h.Pull.Ask(h.Context()); err != nil {
				h.Fatal(err)
			}
			server.Close()
			h.Read(func(tx *store.Tx) error {
				x, _, err := h.Pull.Of(tx, apptest.Org, h.Ruth.ID)
				if x.Problem != c.problem || x.Stored != 0 {
					h.Errorf("%d: %q, stored %d", i, x.Problem, x.Stored)
				}
				return err
			})
			if len(secret) != 40 {
				h.Errorf("the API secret goes as its SHA-1, went as %q", secret)
			}
		}
		fake := &site{from: h.Clock.Now().AddDate(0, 0, -5), until: h.Clock.Now(), every: 36 * time.Second} // 12,000
		server := httptest.NewServer(fake)
		defer server.Close()
		h.Write(func(tx *store.Tx) error {
			return h.Pull.Set(tx, dana, pull.Site{Org: apptest.Org, Patient: h.Ruth.ID, Address: server.URL, Token: siteToken, Since: fake.from})
		})
		if _, err := h.Pull.Ask(h.Context()); err != nil {
			h.Fatal(err)
		}
		h.Read(func(tx *store.Tx) error {
			x, _, err := h.Pull.Of(tx, apptest.Org, h.Ruth.ID)
			if x.Stored != 12_002 || x.Problem != "" {
				h.Errorf("of 12,001 entries and a meal: %d, %q", x.Stored, x.Problem)
			}
			return err
		})
	})
}
