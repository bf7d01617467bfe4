package web

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The measures are for the staff; those who wait are named only to who may see them.
func TestAccess(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	dana := h.session(h.dana)
	answer, body := h.get(dana, "/desk/access")
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, "Nobody has asked for a visit yet.") || !strings.Contains(body, "It needs 400 more.") {
		t.Errorf("of nothing: %d", answer.StatusCode)
	}
	h.visitStops(&h.ruth, &h.elena, &h.dana)
	for _, wait := range []time.Duration{4 * time.Hour, 24 * time.Hour} { // after seven on the clinic's clock, on two days
		h.clock.Advance(wait)
		h.must(h.Appointment.SampleDue(t.Context()))
	}
	if answer, body = h.get(h.session(h.dana), "/desk/access"); !strings.Contains(body, "/desk/people/"+string(h.ruth.ID)) || !strings.Contains(body, "(samples: 2)") || !strings.Contains(body, "<svg class=\"chart\"") {
		t.Errorf("%d: who waits, and the samples, are not there:\n%s", answer.StatusCode, body)
	}
	if answer, _ := h.get(h.session(h.ruth), "/desk/access"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a patient sees it: %d", answer.StatusCode)
	}
}
