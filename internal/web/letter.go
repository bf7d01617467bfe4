package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"doorstep/internal/conversation"
	"doorstep/internal/fault"
)

// maxLetter bounds a message with its files, in bytes.
const maxLetter = conversation.MessageMost + maxForm

// readLetter reads the words and files of a form, with or without files, into r.PostForm and memory: nothing of it is put on disk. What was typed is
// kept in r.PostForm also where a file is not taken.
func readLetter(r *http.Request) ([]conversation.File, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		return nil, r.ParseForm()
	}
	r.PostForm = url.Values{}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, fault.Invalidf("The form cannot be read. Please send it again.")
	}
	var files []conversation.File
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, cut(err)
		}
		most := int64(maxForm)
		if part.FileName() != "" {
			most = conversation.FileMost + 1 // one more than is taken says that it is too large
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, io.LimitReader(part, most)); err != nil {
			return nil, cut(err)
		}
		switch {
		case part.FileName() == "":
			if part.FormName() != "files" { // a file field that was left empty
				r.PostForm.Add(part.FormName(), b.String())
			}
		case len(files) <= conversation.FilesMost: // one more than is taken says that there are too many
			files = append(files, conversation.File{Name: part.FileName(), Body: b.Bytes()})
		}
	}
}

// cut says why a form broke off.
func cut(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.New(fault.TooMuch, "These files are too large together. Please send them one by one.")
	}
	return fault.Invalidf("The form cannot be read. Please send it again.")
}

// file gives out a file of a thread, to be saved and never to be run: its type is what it was found to be, and no browser is to guess another.
func (s *Server) file(w http.ResponseWriter, r *http.Request, p *page) error {
	f, err := s.Conversation.File(r.Context(), p.Viewer, p.Patient.ID, r.PathValue("file"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.Kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Length", strconv.Itoa(len(f.Body)))
	if _, err := w.Write(f.Body); err != nil { // the reader has gone
		s.Log.Debug("file not delivered", "route", r.Pattern)
	}
	return nil
}

// bytes answers how large a file is.
func (p *page) bytes(n int) string {
	if n < 1<<20 {
		return p.Num(float64(max(1, n>>10)), 0) + " kB"
	}
	return p.Num(float64(n)/(1<<20), 1) + " MB"
}
