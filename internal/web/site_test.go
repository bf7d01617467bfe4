package web

import (
	"net/http"
	"strings"
	"testing"
)

// Staff set the site that is asked for a person's readings; its token is kept, never shown, and what was typed beside it is kept too.
func TestSite(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	at, dana := "/desk/people/"+string(h.ruth.ID)+"/site", h.session(h.dana)
	answer, body := h.post(dana, at, "address", "ruth.example", "token", "secret-one", "minutes", "10")
	if answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, `value="ruth.example"`) || strings.Contains(body, "secret-one") {
		t.Errorf("a wrong address: %d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, at, "address", "https://ruth.example/", "token", "secret-one", "minutes", "10"); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", answer.StatusCode)
	}
	if _, body = h.get(dana, at); !strings.Contains(body, "<strong>https://ruth.example</strong>") || !strings.Contains(body, `value="10"`) || strings.Contains(body, "secret-one") {
		t.Error("the site is not shown, or its token is")
	}
	for who, token := range map[string]string{"Ruth": h.session(h.ruth), "her daughter": h.session(h.elena)} {
		if answer, _ := h.post(token, at, "address", "https://other.example", "minutes", "10"); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s set a site: %d", who, answer.StatusCode)
		}
	}
	if answer, _ := h.post(dana, at+"/end"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("end: %d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, at+"/end"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("ended twice: %d", answer.StatusCode)
	}
}
