package conversation

import (
	"bytes"
	"context"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// File is a file that stands with a message.
type File struct {
	ID      string
	Message string // whose it is
	Name    string
	Kind    string // media type, by what the file begins with
	Size    int    // bytes
	Body    []byte // only of what comes in, and of File
}

// Limits of files, in bytes and in number.
const (
	FileMost    = 10 << 20
	FilesMost   = 4         // of one message
	ThreadMost  = 200 << 20 // of one patient's thread
	MessageMost = 24 << 20  // of one message together
	nameMost    = 120       // letters
)

// Sniff answers the media type of a file by what it begins with, empty where it is none that is taken: pictures (JPEG, PNG, WebP, HEIC), PDF,
// and plain text. What the sender says of the type is not asked.
func Sniff(body []byte) string {
	has := func(at int, text string) bool {
		return len(body) >= at+len(text) && string(body[at:at+len(text)]) == text
	}
	switch {
	case has(0, "%PDF-"):
		return "application/pdf"
	case has(0, "\xff\xd8\xff"):
		return "image/jpeg"
	case has(0, "\x89PNG\r\n\x1a\n"):
		return "image/png"
	case has(0, "RIFF") && has(8, "WEBP"):
		return "image/webp"
	case has(4, "ftyphei"), has(4, "ftyphev"), has(4, "ftypmif1"), has(4, "ftypmsf1"):
		return "image/heic"
	}
	control := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\f", r) }
	if len(body) > 0 && utf8.Valid(body) && !bytes.ContainsFunc(body, control) && !markup(body) {
		return "text/plain"
	}
	return ""
}

// markup reports whether a text is a page or a picture with scripts, which some program may run.
func markup(body []byte) bool {
	head := bytes.ToLower(bytes.TrimLeft(body[:min(len(body), 512)], "\ufeff \t\r\n"))
	return bytes.HasPrefix(head, []byte("<")) || bytes.HasPrefix(head, []byte("#!"))
}

// endings of names by media type: a file goes out under one that fits what it is.
var endings = map[string][]string{"application/pdf": {".pdf"}, "image/jpeg": {".jpg", ".jpeg"}, "image/png": {".png"}, "image/webp": {".webp"}, "image/heic": {".heic", ".heif"},
	"text/plain": {".txt", ".csv", ".md", ".log"}}

// nameOf makes a name that no folder, header or page can be misled by.
func nameOf(name, kind string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*`, r) {
			return -1
		}
		return r
	}, name)
	end := endings[kind][0]
	for _, e := range endings[kind] {
		if strings.EqualFold(path.Ext(name), e) {
			end = e
		}
	}
	stem := []rune(strings.Trim(strings.TrimSuffix(name, path.Ext(name)), " ."))
	if len(stem) == 0 || string(stem) == "/" {
		stem = []rune("file")
	}
	return string(stem[:min(len(stem), nameMost)]) + end
}

// check judges the files of one message, and answers them with kind and name.
func check(files []File) ([]File, error) {
	if len(files) > FilesMost {
		return nil, fault.Invalidf("Please send at most %d files at once.", FilesMost)
	}
	out, all := make([]File, len(files)), 0
	for i, f := range files {
		if len(f.Body) > FileMost {
			return nil, fault.New(fault.TooMuch, "That file is too large. Please send files of up to %d MB.", FileMost>>20)
		}
		if all += len(f.Body); all > MessageMost {
			return nil, fault.New(fault.TooMuch, "These files are too large together. Please send them one by one.")
		}
		if f.Kind = Sniff(f.Body); f.Kind == "" {
			return nil, fault.Invalidf("We cannot take that kind of file. Please send a photo, a PDF or plain text.")
		}
		f.Name, f.Size = nameOf(f.Name, f.Kind), len(f.Body)
		out[i] = f
	}
	return out, nil
}

// attach stores the files of a message.
func (s *Service) attach(tx *store.Tx, m message.Message, files []File) error {
	if len(files) == 0 {
		return nil
	}
	var had int64
	if _, err := tx.Row("SELECT COALESCE(SUM(size), 0) FROM attachment WHERE org = $1 AND patient = $2", []any{string(m.Org), string(m.Patient)}, &had); err != nil {
		return err
	}
	for _, f := range files {
		if had += int64(f.Size); had > ThreadMost {
			return fault.New(fault.TooMuch, "There is no more room for files in these messages. Please call us.")
		}
		if _, err := tx.Exec("INSERT INTO attachment (org, patient, id, message, name, kind, size, at, by_person, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			string(m.Org), string(m.Patient), s.ids.New(), m.ID, f.Name, f.Kind, int64(f.Size), store.Micros(m.At), string(m.Person), f.Body); err != nil {
			return err
		}
	}
	return nil
}

// Files answers the files of a patient's thread without their bodies, by message.
func (s *Service) Files(tx *store.Tx, org person.OrgID, patient person.ID) (map[string][]File, error) {
	out := map[string][]File{}
	err := tx.Rows("SELECT id, message, name, kind, size FROM attachment WHERE org = $1 AND patient = $2 ORDER BY id", []any{string(org), string(patient)}, func(scan func(...any) error) error {
		var f File
		err := scan(&f.ID, &f.Message, &f.Name, &f.Kind, &f.Size)
		out[f.Message] = append(out[f.Message], f)
		return err
	})
	return out, err
}

// File answers one file of a patient's thread to whoever may read the thread.
func (s *Service) File(ctx context.Context, v person.Viewer, patient person.ID, id string) (File, error) {
	if err := s.people.Enter(ctx, v, person.Message, patient, "messages"); err != nil {
		return File{}, err
	}
	f := File{ID: id}
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		ok, err := tx.Row("SELECT message, name, kind, size, body FROM attachment WHERE org = $1 AND patient = $2 AND id = $3", []any{string(v.Org), string(patient), id},
			&f.Message, &f.Name, &f.Kind, &f.Size, &f.Body)
		if err == nil && !ok {
			err = fault.NotFoundf("There is no such file.")
		}
		return err
	})
	return f, err
}
