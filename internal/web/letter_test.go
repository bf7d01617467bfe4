package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// letter sends words and files as a browser does.
func (h *clinic) letter(token, path, body string, files ...string) (*http.Response, string) {
	h.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	h.must(w.WriteField("body", body))
	if len(files) == 0 { // a browser sends an empty part
		_, err := w.CreateFormFile("files", "")
		h.must(err)
	}
	for i := 0; i+1 < len(files); i += 2 {
		f, err := w.CreateFormFile("files", files[i])
		h.must(err)
		_, err = f.Write([]byte(files[i+1]))
		h.must(err)
	}
	h.must(w.Close())
	r, err := http.NewRequest("POST", h.web.URL+path, &b)
	h.must(err)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "doorstep", Value: token})
	return h.do(r)
}

// A photo goes with the words without JavaScript; a wrong file gets a sentence and what was typed stays; the desk finds it in the thread and the inbox.
func TestLetter(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	ruth, dana := h.session(h.ruth), h.session(h.dana)
	const photo = "\xff\xd8\xff\xe0\x00\x10JFIF photo"
	answer, page := h.letter(ruth, "/messages", "My foot, since <Monday>", "foot.svg", "<svg onload=x>")
	if answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "We cannot take that kind of file.") || !strings.Contains(page, "My foot, since &lt;Monday&gt;") {
		t.Errorf("a wrong file: %d", answer.StatusCode)
	}
	if answer, page = h.letter(ruth, "/messages", "All of it", "a.pdf", "%PDF-"+strings.Repeat(" ", 30<<20)); answer.StatusCode != http.StatusTooManyRequests || !strings.Contains(page, ">All of it</textarea>") {
		t.Errorf("far too large: %d", answer.StatusCode)
	}
	if answer, _ = h.letter(ruth, "/messages", "My foot", "foot.jpg", photo); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", answer.StatusCode)
	}
	if answer, _ = h.letter(ruth, "/messages", "Words alone"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("without a file: %d", answer.StatusCode)
	}
	_, page = h.get(ruth, "/messages")
	_, rest, _ := strings.Cut(page, `href="/messages/files/`)
	id, _, found := strings.Cut(rest, `"`)
	if !found || !strings.Contains(page, ">foot.jpg</a>") {
		t.Fatal("the thread does not show the file")
	}
	answer, body := h.get(ruth, "/messages/files/"+id)
	if body != photo || answer.Header.Get("Content-Type") != "image/jpeg" || answer.Header.Get("X-Content-Type-Options") != "nosniff" ||
		answer.Header.Get("Content-Disposition") != "attachment; filename=foot.jpg" || !strings.HasPrefix(answer.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%q %v", body, answer.Header)
	}
	desk := "/desk/people/" + string(h.ruth.ID)
	if _, page = h.get(dana, desk); !strings.Contains(page, desk+"/messages/files/"+id) {
		t.Error("the desk's thread does not show it")
	}
	if answer, body = h.get(dana, desk+"/messages/files/"+id); answer.StatusCode != http.StatusOK || body != photo {
		t.Errorf("the nurse reads it: %d", answer.StatusCode)
	}
	for who, c := range map[string][2]string{"Luis in his own": {h.session(h.luis), "/messages/files/"}, "Rosa in Luis's": {h.session(h.rosa), "/helping/" + string(h.luis.ID) + "/messages/files/"},
		"Rosa in Ruth's": {h.session(h.rosa), "/helping/" + string(h.ruth.ID) + "/messages/files/"}, "nobody": {"", "/messages/files/"}} {
		if answer, _ := h.get(c[0], c[1]+id); answer.StatusCode == http.StatusOK {
			t.Errorf("%s: %d", who, answer.StatusCode)
		}
	}
	if _, page = h.get(dana, "/desk/inbox"); !strings.Contains(page, desk+"/messages/files/"+id) {
		t.Error("the inbox does not show the file")
	}
	if answer, _ = h.letter(dana, desk+"/messages", "Here is the plan", "plan.pdf", "%PDF-1.7 plan"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the desk sends one: %d", answer.StatusCode)
	}
	if _, page = h.get(ruth, "/messages"); !strings.Contains(page, ">plan.pdf</a>") {
		t.Error("the patient does not see the desk's file")
	}
}
