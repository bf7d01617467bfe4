package web

import (
	"strings"
	"testing"

	"doorstep/internal/person"
)

// Minutes that a nurse writes down stand in the worklist and its file; a wrong number keeps what was typed; patients see neither.
func TestProgramme(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	dana := h.session(h.dana)
	line := "/desk/people/" + string(h.ruth.ID)
	if answer, body := h.post(dana, line+"/minutes", "minutes", "ten", "note", "went through the numbers"); answer.StatusCode != 422 ||
		!strings.Contains(body, "Please write the minutes as a number.") || !strings.Contains(body, `value="went through the numbers"`) {
		t.Errorf("%d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, line+"/minutes", "minutes", "500"); answer.StatusCode != 422 {
		t.Errorf("%d", answer.StatusCode)
	}
	if answer, _ := h.post(dana, line+"/minutes", "minutes", "12", "live", "yes"); answer.StatusCode != 303 {
		t.Fatalf("%d", answer.StatusCode)
	}
	if _, body := h.get(dana, "/desk/programme"); !strings.Contains(body, "99470") || !strings.Contains(body, "8 more minutes") {
		t.Error(body)
	}
	answer, file := h.get(dana, "/desk/programme.csv")
	if answer.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(file, "Ruth Abbott,2026-02-21,,0,12,true,99470\n") {
		t.Error(file)
	}
	if _, body := h.get(dana, "/desk/programme?day=2026-01-31"); strings.Contains(body, "99470") || !strings.Contains(body, "Month after") {
		t.Error(body)
	}
	for _, path := range []string{"/desk/programme?day=2099-01-01", "/desk/programme?day=soon"} {
		if answer, _ := h.get(dana, path); answer.StatusCode != 422 {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	for _, who := range []person.Person{h.ruth, h.elena} {
		token := h.session(who)
		if answer, body := h.get(token, "/desk/programme"); answer.StatusCode == 200 && strings.Contains(body, "Remote monitoring") {
			t.Errorf("%s sees the worklist", who.Name)
		}
		if answer, _ := h.post(token, line+"/minutes", "minutes", "12"); answer.StatusCode < 400 {
			t.Errorf("%s logs minutes", who.Name)
		}
	}
}
