package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// TestFault20WatchdogOfItsOwn: a process outside tells the operator, once, after a patience, again while it lasts, and when it
// is over; a text that could not be sent is tried again.
func TestFault20WatchdogOfItsOwn(t *testing.T) {
	t.Parallel()
	why := ""
	var told []string
	broken := false
	w := watchdog{patience: time.Minute, repeat: 30 * time.Minute, look: func(context.Context) string { return why }, say: func(string) {},
		tell: func(_ context.Context, _ int, text string) error {
			if broken {
				return errors.New("no line")
			}
			told = append(told, text)
			return nil
		}}
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	step := func(after time.Duration, n int) {
		t.Helper()
		at = at.Add(after)
		w.round(t.Context(), at)
		if len(told) != n {
			t.Fatalf("at %s the operator has been told %d times, want %d: %q", at.Format("15:04"), len(told), n, told)
		}
	}
	step(0, 0)
	why = "the ledger is 3 minutes behind"
	step(15*time.Second, 0)
	step(30*time.Second, 0)
	broken = true
	step(30*time.Second, 0)
	broken = false
	step(15*time.Second, 1)
	step(15*time.Second, 1)
	step(30*time.Minute, 2)
	why = ""
	step(time.Minute, 3)
	step(time.Minute, 3)
	if !strings.Contains(told[0], "3 minutes behind") || !strings.Contains(told[2], "well again") {
		t.Errorf("%q", told)
	}
}

// TestFault20AServerThatIsGone: the watchdog sees a real server, then sees that it has been killed.
func TestFault20AServerThatIsGone(t *testing.T) {
	t.Parallel()
	s := start(t, storetest.URL(t, store.SQLite), freePort(t))
	if why := unwell(t.Context(), s.base); why != "" {
		t.Errorf("a server that is well: %q", why)
	}
	s.kill()
	if why := unwell(t.Context(), s.base); !strings.Contains(why, "does not answer") {
		t.Errorf("a server that is gone: %q", why)
	}
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte(`{"reasons":["the ledger is behind"]}`))
	}))
	defer behind.Close()
	if why := unwell(t.Context(), behind.URL); why != "the ledger is behind" {
		t.Errorf("a server that is behind: %q", why)
	}
}
