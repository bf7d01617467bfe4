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
	// What booking beside others costs is seen before it is switched on.
	at, omar := "/desk/overbooking", h.session(h.omar)
	if answer, page := h.post(omar, at+"/price", "resource", "osei", "type", "follow", "share", "much"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, `value="much"`) {
		t.Errorf("a share in words: %d", answer.StatusCode)
	}
	if answer, _ := h.post(omar, at, "price", "none"); answer.StatusCode != http.StatusConflict {
		t.Errorf("switched on unseen: %d", answer.StatusCode)
	}
	if answer, page := h.post(omar, at+"/price", "resource", "osei", "type", "follow", "share", "50"); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("price: %d %s", answer.StatusCode, page)
	}
	_, page := h.get(omar, at)
	_, rest, _ := strings.Cut(page, `name="price" value="`)
	price, _, found := strings.Cut(rest, `"`)
	if !found || !strings.Contains(page, "Each person waits longer, minutes") || !strings.Contains(page, "by a count from elsewhere") {
		t.Fatal(page)
	}
	if answer, _ := h.post(omar, at, "price", price); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("switch on: %d", answer.StatusCode)
	}
	if _, page = h.get(omar, at); !strings.Contains(page, "Switched on by you") {
		t.Error("who switched it on is not shown")
	}
	if answer, _ := h.post(omar, at+"/end", "resource", "osei", "type", "follow"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("switch off: %d", answer.StatusCode)
	}
	if answer, _ := h.get(h.session(h.ruth), at); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a patient sees it: %d", answer.StatusCode)
	}
	if answer, _ := h.get(h.session(h.ruth), "/desk/access"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a patient sees it: %d", answer.StatusCode)
	}
}
