package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"doorstep/internal/conversation"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// sent is one message, in or out.
type sent struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at" doc:"When it was due to be said, or was received."`
	Direction string    `json:"direction" enum:"in,out"`
	Channel   string    `json:"channel" enum:"sms,mail,push,page,cue"`
	Person    person.ID `json:"person,omitempty" doc:"To whom, or from whom."`
	Address   string    `json:"address,omitempty" doc:"For the staff, and for whose it is."`
	Say       string    `json:"say,omitempty" doc:"Catalog key; absent for a person's own words."`
	Body      string    `json:"body" doc:"Empty for links that sign somebody in."`
	State     string    `json:"state"`
	Moved     time.Time `json:"moved,omitzero" doc:"When the state was last changed."`
	Tries     int       `json:"tries,omitempty"`
	Code      string    `json:"code,omitempty" doc:"Of the question in it."`
	Promises  []string  `json:"promises" doc:"That it is about."`
	Files     []file    `json:"files,omitempty" doc:"That stand with it; their bytes are at /patients/{id}/files/{file}."`
}

// file is one that stands with a message.
type file struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name" maxLength:"500"`
	Kind string `json:"kind,omitempty" doc:"Media type, by what the file begins with."`
	Size int    `json:"size,omitempty"`
	Data []byte `json:"data,omitempty" doc:"Base64."`
}

func fileOf(f conversation.File) file {
	return file{ID: f.ID, Name: f.Name, Kind: f.Kind, Size: f.Size, Data: f.Body}
}

type writeMessageInput struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Body  string `json:"body,omitempty" maxLength:"2000"`
		Files []file `json:"files,omitempty" doc:"Name and data; at most 4, of 10 MB each and 24 MB together."`
	}
}

func (s *server) writeMessage(ctx context.Context, c *caller, in *writeMessageInput) (struct{}, error) {
	p, err := s.enter(ctx, c, person.Message, in.ID, "write a message")
	if err != nil {
		return struct{}{}, err
	}
	files := make([]conversation.File, len(in.Body.Files))
	for i, f := range in.Body.Files {
		files[i] = conversation.File{Name: f.Name, Body: f.Data}
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (struct{}, error) {
		return struct{}{}, s.Calls.PostIn(tx, c.Viewer, p.ID, in.Body.Body, files...)
	})
}

func (s *server) messageFile(ctx context.Context, c *caller, in *struct {
	ID   person.ID `path:"id"`
	File string    `path:"file"`
}) (file, error) {
	f, err := s.Calls.File(ctx, c.Viewer, in.ID, in.File)
	return fileOf(f), err
}

func (s *server) messageRoutes() {
	postOf(s, "write-message", "/patients/{id}/messages", "Writes into a patient's thread, with files if there are any: photos (JPEG, PNG, WebP, HEIC), PDF, plain text. An answer is promised to those who ask, and kept by those who answer.",
		http.StatusCreated, conversation.MessageMost*4/3+maxBody, s.writeMessage)
	get(s, "get-file", "/patients/{id}/files/{file}", "A file that stands with a message.", s.messageFile)
	get(s, "list-messages", "/patients/{id}/messages", "Every message about a patient in [from, to), in and out, oldest first, with its state; thirty days around now when left out.", s.messages)
}

type messagesInput struct {
	ID person.ID `path:"id"`
	Span
	Part
}

func (s *server) messages(ctx context.Context, c *caller, in *messagesInput) (list[sent], error) {
	var out list[sent]
	p, err := s.enter(ctx, c, person.Message, in.ID, "messages")
	if err != nil {
		return out, err
	}
	now := s.Clock.Now()
	from, to, err := in.Span.read(p.Location(), now.Add(-around), now.Add(around))
	if err != nil {
		return out, err
	}
	if from, err = in.resume(from); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		all, err := s.Message.Between(tx, c.Org, p.ID, from, to)
		if err != nil {
			return err
		}
		shown := all[:0]
		for _, m := range all {
			if mayRead(c, p, m) {
				shown = append(shown, m)
			}
		}
		var files map[string][]conversation.File
		if s.Calls != nil {
			if files, err = s.Calls.Files(tx, c.Org, p.ID); err != nil {
				return err
			}
		}
		out, err = cut(shown, in.Part, func(m message.Message) string { return timeKey(m.At) + "/" + m.ID },
			func(m message.Message) (sent, error) {
				x := sentOf(c, p, m)
				for _, f := range files[m.ID] {
					x.Files = append(x.Files, fileOf(f))
				}
				return x, nil
			})
		return err
	})
	return out, err
}

// mayRead is the pages' rule: words of people are the thread's, and notices to others than the patient and the reader are for
// the staff.
func mayRead(c *caller, p person.Person, m message.Message) bool {
	return c.Role.Staff() || m.Say == "" || m.Person == c.Person || m.Person == p.ID
}

// raw is the key of words that were sent as they are: links that sign somebody in, which nobody else may read.
const raw = "raw"

func sentOf(c *caller, p person.Person, m message.Message) sent {
	zone := p.Location()
	out := sent{ID: m.ID, At: local(m.At, zone), Direction: "out", Channel: string(m.Channel), Person: m.Person, Say: m.Say, Body: m.Body, State: m.State.String(),
		Moved: local(m.Moved, zone), Tries: m.Tries, Code: m.Code, Promises: append([]string{}, strings.Fields(m.Promises)...)}
	if m.Inward {
		out.Direction = "in"
	}
	if m.Say == raw {
		out.Body = ""
	}
	if (c.Role.Staff() || m.Person == c.Person) && m.Channel != person.Push { // a subscription is a secret of the browser
		out.Address = m.Address
	}
	return out
}
