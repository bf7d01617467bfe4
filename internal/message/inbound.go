package message

import (
	"context"
	"errors"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// Inbound is something that came in from a gateway.
type Inbound struct {
	Org     person.OrgID
	Channel person.Channel
	From    string
	Body    string
	Ref     string // the gateway's reference: the same text delivered twice has the same
}

const bodyMost = 4000

// question is an open question at an address.
type question struct {
	m     Message
	open  bool
	since time.Time // when it was first asked
	again bool      // a newer one asks the same: it still can be answered by its code
}

// Receive takes a text. STOP, START and HELP are obeyed; a numbered answer goes to the question whose code it has, or to the
// only one open; what could mean several is asked back; anything else is given to a person. Whose chart it is about is never
// guessed: a number that nobody has, or that several people share, is asked or handed to the desk (FAULTS 7, 8, 9).
func (s *Service) Receive(ctx context.Context, in Inbound) error {
	from := in.From
	if in.Channel == person.SMS {
		var err error
		if from, err = person.Phone(in.From); err != nil {
			return err
		}
	}
	in.From = from
	if len(in.Body) > bodyMost {
		in.Body = strings.ToValidUTF8(in.Body[:bodyMost], "")
	}
	in.Body = strings.ToValidUTF8(in.Body, "?")
	if in.Ref == "" {
		in.Ref = s.ids.New()
	}
	err := s.db.Write(ctx, func(tx *store.Tx) error { return s.receive(tx, in) })
	if errors.Is(err, errRepeated) {
		return nil
	}
	return err
}

var errRepeated = &fault.Error{Kind: fault.Conflict, Say: "That text was received already."}

func (s *Service) receive(tx *store.Tx, in Inbound) error {
	id := clock.DerivedID("in", string(in.Org), string(in.Channel), in.Ref)
	var n int
	if _, err := tx.Row("SELECT COUNT(*) FROM message WHERE ref = $1 AND inward = 1", []any{in.Ref}, &n); err != nil {
		return err
	}
	if n > 0 {
		return errRepeated
	}
	contacts, err := s.people.AtAddress(tx, in.Org, in.Channel, in.From)
	if err != nil {
		return err
	}
	m := Message{Org: in.Org, At: s.clock.Now(), ID: id, Inward: true, Channel: in.Channel, Address: in.From, Body: in.Body, State: Delivered, Ref: in.Ref, Moved: s.clock.Now()}
	reply := ParseReply(in.Body)
	switch {
	case reply.Word == Stop || reply.Word == Start || reply.Word == HelpMe:
		return s.obey(tx, in, m, contacts, reply.Word)
	case len(contacts) == 0:
		return s.stranger(tx, in, m)
	}
	if reply.Word == Arrived {
		return s.arrived(tx, in, m, contacts)
	}
	questions, err := s.questions(tx, in.Org, in.Channel, in.From)
	if err != nil {
		return err
	}
	if reply.Word == Free {
		return s.words(tx, in, m, contacts)
	}
	q, say, err := choose(reply, questions, len(contacts) > 1)
	if err != nil {
		return err
	}
	if q == nil {
		if say == "words" {
			return s.words(tx, in, m, contacts)
		}
		return s.askBack(tx, in, m, contacts, questions)
	}
	return s.answer(tx, in, m, contacts, *q, number(reply))
}

func number(r Reply) int {
	switch r.Word {
	case Yes:
		return 1
	case No:
		return 2
	}
	return r.Number
}

// choose finds the one question that a reply can mean. A code is enough, unless questions about two people have it: then a
// person reads it. Without a code there must be a single open question, and on a shared telephone a code is always needed.
func choose(r Reply, questions []question, shared bool) (*question, string, error) {
	var coded *question // the newest with the letter; if it is closed, the thanks will say so
	var open []*question
	for i := range questions {
		q := &questions[i]
		switch {
		case r.Code != "" && q.m.Code == r.Code:
			if coded == nil {
				coded = q
			} else if coded.m.Patient != q.m.Patient {
				return nil, "words", nil
			}
		case q.open && !q.again:
			open = append(open, q)
		}
	}
	switch {
	case coded != nil:
		return coded, "", nil
	case r.Code != "":
		return nil, "ask", nil
	case len(open) == 1 && !shared:
		return open[0], "", nil
	case len(open) == 0 && len(questions) > 0 && !shared:
		return &questions[0], "", nil // the newest, which is closed: the thanks will say so
	case len(open) == 0:
		return nil, "words", nil
	}
	return nil, "ask", nil
}

// aboutAddress answers the patients about whom an address gets messages: those who have it, and those for whom they care.
func (s *Service) aboutAddress(tx *store.Tx, org person.OrgID, ch person.Channel, address string) ([]person.ID, error) {
	contacts, err := s.people.AtAddress(tx, org, ch, address)
	if err != nil {
		return nil, err
	}
	var out []person.ID
	for _, c := range contacts {
		out = append(out, c.Person)
		p, err := s.people.Get(tx, org, c.Person)
		if err != nil {
			return nil, err
		}
		cared, err := s.people.PatientsOf(tx, person.Viewer{Org: org, Person: p.ID, Role: person.Caregiver})
		if err != nil {
			return nil, err
		}
		for _, x := range cared {
			out = append(out, x.ID)
		}
	}
	return out, nil
}

// questions answers the recent questions put to an address, the newest first, and whether each still waits.
func (s *Service) questions(tx *store.Tx, org person.OrgID, ch person.Channel, address string) ([]question, error) {
	about, err := s.aboutAddress(tx, org, ch, address)
	if err != nil {
		return nil, err
	}
	var out []question
	for _, p := range about {
		list, err := s.list(tx, "org = $1 AND shard = $2 AND patient = $3 AND at >= $4 AND code <> '' AND channel = $5 AND address = $6 AND inward = 0 ORDER BY at DESC, id",
			string(org), Shard(p), string(p), store.Micros(s.clock.Now().Add(-codeWhile)), string(ch), address)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			open, err := s.answers.Open(tx, org, m.Patient, m.Promises)
			if err != nil {
				return nil, err
			}
			q := question{m: m, open: open, since: m.At}
			for i := range out {
				if newer := &out[i]; newer.m.Patient == m.Patient && newer.m.Promises == m.Promises && newer.m.Say == m.Say && !newer.again {
					newer.since, q.again = m.At, true
				}
			}
			out = append(out, q)
		}
	}
	return out, nil
}

// answer gives a numbered answer to its question and thanks.
func (s *Service) answer(tx *store.Tx, in Inbound, m Message, contacts []person.Contact, q question, n int) error {
	m.Patient, m.Promises, m.Person = q.m.Patient, q.m.Promises, q.m.Person
	if err := insert(tx, []Message{m}); err != nil {
		return err
	}
	tx.Hint("patient", string(m.Org)+"/"+string(m.Patient))
	if n > 2 {
		return s.reply(tx, m, contacts, "help", nil)
	}
	say, args, err := s.answers.Answer(tx, Answer{Org: in.Org, Patient: m.Patient, By: m.Person, Promises: m.Promises, Say: q.m.Say, Number: n, At: m.At, Source: "text"})
	if err != nil {
		return err
	}
	return s.reply(tx, m, contacts, say, args)
}

// words hands a person's own words to somebody who reads them.
func (s *Service) words(tx *store.Tx, in Inbound, m Message, contacts []person.Contact) error {
	if len(contacts) == 1 {
		p, err := s.people.Get(tx, in.Org, contacts[0].Person)
		if err != nil {
			return err
		}
		m.Person = p.ID
		if p.Role == person.Patient {
			m.Patient = p.ID
		}
	}
	if err := insert(tx, []Message{m}); err != nil {
		return err
	}
	tx.Hint("patient", string(m.Org)+"/"+string(m.Patient))
	why := ""
	if m.Patient == "" {
		why = "which"
	}
	return s.desk.Word(tx, m, why)
}

// askBack says which questions are open, each with its code.
func (s *Service) askBack(tx *store.Tx, in Inbound, m Message, contacts []person.Contact, questions []question) error {
	if err := insert(tx, []Message{m}); err != nil {
		return err
	}
	r, err := s.recipient(tx, in.Org, contacts)
	if err != nil || r == nil {
		return err
	}
	var lines []string
	for _, q := range questions {
		if !q.open || q.again {
			continue
		}
		line := words.Say(r.Language, "sms.which.line", map[string]string{"time": words.Time(r.Language, q.since, r.Location()), "code": q.m.Code})
		lines = append(lines, line)
	}
	return s.reply(tx, m, contacts, "which", map[string]string{"list": strings.Join(lines, " ")})
}

// stranger keeps a text from a number that nobody has, hands it to the desk and says so.
func (s *Service) stranger(tx *store.Tx, in Inbound, m Message) error {
	if err := insert(tx, []Message{m}); err != nil {
		return err
	}
	if err := s.desk.Stranger(tx, in.Org, m); err != nil {
		return err
	}
	var n int
	if _, err := tx.Row("SELECT COUNT(*) FROM message WHERE org = $1 AND shard = $2 AND patient = '' AND at > $3 AND address = $4 AND inward = 0",
		[]any{string(in.Org), Shard(""), store.Micros(m.At.Add(-24 * time.Hour)), in.From}, &n); err != nil || n > 0 {
		return err // told today already: two machines must not thank each other for ever
	}
	return s.reply(tx, m, nil, "unknown", nil)
}

// obey does what STOP, START and HELP ask, for the address, whoever holds it.
func (s *Service) obey(tx *store.Tx, in Inbound, m Message, contacts []person.Contact, w Word) error {
	if len(contacts) == 1 {
		m.Person = contacts[0].Person
		if p, err := s.people.Get(tx, in.Org, m.Person); err == nil && p.Role == person.Patient {
			m.Patient = p.ID
		}
	}
	if err := insert(tx, []Message{m}); err != nil {
		return err
	}
	switch w {
	case HelpMe:
		return s.reply(tx, m, contacts, "help", nil)
	case Start:
		if err := s.people.SetConsent(tx, in.Org, in.Channel, in.From, person.Given, "text START"); err != nil {
			return err
		}
		return s.reply(tx, m, contacts, "start", nil)
	}
	// The confirmation is worked out before the consent goes: it is the last text.
	if err := s.reply(tx, m, contacts, "stop", nil); err != nil {
		return err
	}
	if err := s.people.SetConsent(tx, in.Org, in.Channel, in.From, person.Withdrawn, "text STOP"); err != nil {
		return err
	}
	waiting, err := s.list(tx, "channel = $1 AND due_at > 0 AND address = $2 AND org = $3 AND state = 0 AND say <> 'stop'", string(in.Channel), in.From, string(in.Org))
	if err != nil {
		return err
	}
	if err := readUseful(tx, waiting); err != nil {
		return err
	}
	for i := range waiting {
		x := &waiting[i]
		x.begin()
		if err := s.move(tx, x, Dropped, time.Time{}, x.Ref, x.Tries); err != nil {
			return err
		}
		if x.Severity >= Urgent { // an emergency goes by whatever else was agreed
			if err := s.fallBack(tx, *x); err != nil {
				return err
			}
		}
	}
	var who []person.ID
	for _, c := range contacts {
		who = append(who, c.Person)
	}
	return s.desk.Stopped(tx, in.Org, who)
}

func (s *Service) recipient(tx *store.Tx, org person.OrgID, contacts []person.Contact) (*person.Recipient, error) {
	if len(contacts) == 0 {
		return nil, nil
	}
	found, err := s.people.Recipients(tx, org, []person.ID{contacts[0].Person})
	return found[contacts[0].Person], err
}

// reply answers a text to the address it came from, at once: quiet hours do not hold for somebody who is awake and writing.
func (s *Service) reply(tx *store.Tx, to Message, contacts []person.Contact, say string, args map[string]string) error {
	o, err := s.people.Org(tx, to.Org)
	if err != nil {
		return err
	}
	lang, zone := o.Language, time.UTC
	if z, err := clock.Zone(o.Zone); err == nil {
		zone = z
	}
	if r, err := s.recipient(tx, to.Org, contacts); err != nil {
		return err
	} else if r != nil {
		lang, zone = r.Language, r.Location()
	}
	with := map[string]string{"clinic": o.Name, "phone": o.Phone, "who": o.Name}
	for k, v := range args {
		with[k] = v
	}
	m := Message{Org: to.Org, Patient: to.Patient, At: to.At, ID: clock.DerivedID(to.ID, "reply"), Person: to.Person, Channel: to.Channel, Address: to.Address,
		Say: say, Body: words.Tell(lang, "sms."+say, with, zone), State: Queued, Due: s.clock.Now(), Moved: s.clock.Now()}
	return s.put(tx, []Message{m})
}
