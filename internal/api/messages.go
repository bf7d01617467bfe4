package api

import (
	"context"
	"strings"
	"time"

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
}

func (s *server) messageRoutes() {
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
		out, err = cut(shown, in.Part, func(m message.Message) string { return timeKey(m.At) + "/" + m.ID },
			func(m message.Message) (sent, error) { return sentOf(c, p, m), nil })
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
