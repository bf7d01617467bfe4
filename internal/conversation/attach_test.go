package conversation_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorstep/internal/app"
	"doorstep/internal/app/apptest"
	"doorstep/internal/conversation"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

const (
	png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	pdf = "%PDF-1.7\n"
	jpg = "\xff\xd8\xff\xe0\x00\x10JFIF"
)

func TestSniff(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		png: "image/png", pdf: "application/pdf", jpg: "image/jpeg", "RIFF\x00\x00\x00\x00WEBPVP8 ": "image/webp", "\x00\x00\x00\x18ftypheic": "image/heic",
		"Hello, ¿cómo está?\r\n": "text/plain", "": "", "\x00\x01": "", "MZ\x90\x00": "", "PK\x03\x04": "", "<svg onload=alert(1)>": "", "  <!DOCTYPE html>": "",
		"\ufeff<script>": "", "#!/bin/sh\n": "", "RIFF\x00\x00\x00\x00WAVE": "", "\xff\xfe": "", "GIF89a\x01\x00": "", "\x7fELF": "",
	} {
		if got := conversation.Sniff([]byte(body)); got != want {
			t.Errorf("%q is %q, want %q", body, got, want)
		}
	}
}

// Files stand with the words, under names that mislead nobody; what is not taken keeps all of it from being sent; and only who may read the thread
// reads them.
func TestAttach(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		ctx := h.Context()
		send := func(body string, files ...conversation.File) error {
			return h.Conversations.Post(ctx, viewer(h.Ruth), h.Ruth.ID, body, files...)
		}
		big := append([]byte(pdf), bytes.Repeat([]byte(" "), conversation.FileMost)...)
		half := append([]byte(pdf), bytes.Repeat([]byte(" "), 9<<20)...)
		for name, c := range map[string]struct {
			kind  fault.Kind
			files []conversation.File
		}{
			"a program":         {fault.Invalid, []conversation.File{{Name: "photo.png", Body: []byte("MZ\x90\x00")}}},
			"one good, one not": {fault.Invalid, []conversation.File{{Name: "a.png", Body: []byte(png)}, {Name: "b.html", Body: []byte("<html>")}}},
			"too large":         {fault.TooMuch, []conversation.File{{Name: "a.pdf", Body: big}}},
			"together":          {fault.TooMuch, []conversation.File{{Name: "a.pdf", Body: half}, {Name: "b.pdf", Body: half}, {Name: "c.pdf", Body: half}}},
			"five":              {fault.Invalid, make([]conversation.File, 5)},
			"none, no words":    {fault.Invalid, nil},
		} {
			body := "Look"
			if c.files == nil {
				body = ""
			}
			if err := send(body, c.files...); !fault.Is(err, c.kind) {
				h.Errorf("%s: %v", name, err)
			}
		}
		if err := send("", conversation.File{Name: `C:\pics\..\my "foot"` + "\u202egpj.exe", Body: []byte(jpg)}, conversation.File{Name: "../../etc/passwd", Body: []byte("a\tb\n")}); err != nil {
			h.Fatal(err)
		}
		var files []conversation.File
		h.Read(func(tx *store.Tx) error {
			all, err := h.Conversations.Files(tx, apptest.Org, h.Ruth.ID)
			for _, list := range all {
				files = append(files, list...)
			}
			return err
		})
		if len(files) != 2 || files[0].Name != "my footgpj.jpg" || files[0].Kind != "image/jpeg" || files[1].Name != "passwd.txt" || files[1].Size != 4 {
			h.Fatalf("%+v", files)
		}
		if c := last(h); c.Answered.Unix() > 0 || c.By.IsZero() {
			h.Errorf("no answer is promised to who sends a picture: %+v", c)
		}
		other := h.Enrol(person.Person{Role: person.Patient, Name: "Ben Cole", BirthYear: 1950}, "+15550100077")
		for who, v := range map[string]person.Viewer{"another patient": viewer(other), "a helper who may not read": viewer(h.Elena)} {
			if _, err := h.Conversations.File(ctx, v, h.Ruth.ID, files[0].ID); !fault.Is(err, fault.Denied) {
				h.Errorf("%s: %v", who, err)
			}
		}
		if _, err := h.Conversations.File(ctx, viewer(other), other.ID, files[0].ID); !fault.Is(err, fault.NotFound) {
			h.Errorf("another's file in one's own thread: %v", err)
		}
		if f, err := h.Conversations.File(ctx, viewer(h.Dana), h.Ruth.ID, files[0].ID); err != nil || string(f.Body) != jpg {
			h.Errorf("her nurse: %q, %v", f.Body, err)
		}

		// The same by the API.
		handler, err := h.Handler(ctx, app.Edges{})
		if err != nil {
			h.Fatal(err)
		}
		var token string
		h.Write(func(tx *store.Tx) (err error) { token, _, err = h.People.NewSession(tx, h.Ruth); return err })
		call := func(method, path, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, "https://elm.example/api/v1/patients/"+string(h.Ruth.ID)+path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w
		}
		data := base64.StdEncoding.EncodeToString(append([]byte(pdf), bytes.Repeat([]byte("x"), 1<<20)...))
		if w := call("POST", "/messages", fmt.Sprintf(`{"body":"The letter","files":[{"name":"letter.pdf","data":%q}]}`, data)); w.Code != http.StatusCreated {
			h.Errorf("%d %s", w.Code, w.Body)
		}
		if w := call("POST", "/messages", `{"body":"x","files":[{"name":"x.exe","data":"TVqQAA=="}]}`); w.Code != http.StatusUnprocessableEntity {
			h.Errorf("a program: %d", w.Code)
		}
		if w := call("GET", "/messages", ""); !strings.Contains(w.Body.String(), `"name":"letter.pdf","kind":"application/pdf","size":1048585`) {
			h.Errorf("%s", w.Body)
		}
		if w := call("GET", "/files/"+files[1].ID, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), base64.StdEncoding.EncodeToString([]byte("a\tb\n"))) {
			h.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
