package web

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/internal/store"
)

// TestEvents: a page of one patient hears of that patient alone, and is told nothing but to look again.
func TestEvents(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", h.web.URL+"/events?patient="+string(h.ruth.ID), nil)
	h.must(err)
	r.AddCookie(&http.Cookie{Name: "doorstep", Value: h.session(h.elena)})
	answer, err := client.Do(r)
	h.must(err)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	if !lines.Scan() || lines.Text() != "retry: 3000" {
		t.Fatalf("the stream begins with %q", lines.Text())
	}
	h.write(func(tx *store.Tx) error {
		tx.Hint("patient", string(h.org)+"/"+string(h.luis.ID))
		tx.Hint("patient", string(h.org)+"/"+string(h.ruth.ID))
		return nil
	})
	var heard []string
	for len(heard) < 2 && lines.Scan() {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, ":") {
			heard = append(heard, line)
		}
	}
	if strings.Join(heard, "|") != "event: look|data: 1" {
		t.Errorf("heard %q", heard)
	}
	if answer, _ := h.get(h.session(h.ruth), "/events?desk=1"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a patient hears the desk: %d", answer.StatusCode)
	}
}
