package message

import (
	"context"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// A person with a landline alone is called: the words are spoken, and a question is answered on the keypad. The provider asks for the words
// when somebody picks up, by the code of the message's link, which only we can make.

// Spoken is what a call says.
type Spoken struct {
	Language string
	Text     string
	Asks     bool // 1 or 2 on the keypad answers it
}

// voiceOf reads a message by its code. Only calls are spoken.
func (s *Service) voiceOf(tx *store.Tx, org person.OrgID, code string) (Message, error) {
	m, err := s.openLink(tx, code, "channel = 'voice'")
	if err == nil && m.Org != org { // the organization's own provider asks
		err = errNoLink
	}
	return m, err
}

// Speak answers what the call of a message says. Words that have no spoken form become a request to call the clinic.
func (s *Service) Speak(ctx context.Context, org person.OrgID, code string) (Spoken, error) {
	var out Spoken
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		m, err := s.voiceOf(tx, org, code)
		if err != nil {
			return err
		}
		o, err := s.people.Org(tx, m.Org)
		if err != nil {
			return err
		}
		who, err := s.people.Get(tx, m.Org, m.Person)
		if err != nil {
			return err
		}
		out = Spoken{Language: who.Language, Text: words.Say(who.Language, "voice.other", map[string]string{"clinic": o.Name, "phone": spelled(o.Phone)})}
		if key := "voice." + m.Say; words.Has(key) {
			known := map[string]string{"clinic": o.Name}
			for _, form := range [...]string{".late", ""} {
				if args, ok := words.Read(who.Language, "sms."+m.Say+form, m.Body, known); ok {
					args["clinic"], args["phone"] = o.Name, spelled(o.Phone)
					out.Text, out.Asks = words.Say(who.Language, key, args), m.Code != ""
					break
				}
			}
		}
		one := []Message{m}
		if err := readUseful(tx, one); err != nil {
			return err
		}
		if now := s.clock.Now(); one[0].late(store.Micros(now)) {
			out.Text = words.Say(who.Language, "voice.late", map[string]string{"time": words.When(who.Language, store.Time(one[0].since), now, who.Location()), "text": out.Text})
		}
		return nil
	})
	return out, err
}

// spelled puts the digits of a telephone number apart, so that they are read one by one.
func spelled(phone string) string {
	var b []byte
	for _, c := range []byte(phone) {
		if c >= '0' && c <= '9' {
			if len(b) > 0 {
				b = append(b, ' ')
			}
			b = append(b, c)
		}
	}
	return string(b)
}

// Press takes a key that was pressed during a call, and answers what is said to it. ref is the provider's name for the call: the same key
// told twice is one answer.
func (s *Service) Press(ctx context.Context, org person.OrgID, code string, digit int, ref string) (Spoken, error) {
	var out Spoken
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		m, err := s.voiceOf(tx, org, code)
		if err != nil {
			return err
		}
		who, err := s.people.Get(tx, m.Org, m.Person)
		if err != nil {
			return err
		}
		o, err := s.people.Org(tx, m.Org)
		if err != nil {
			return err
		}
		out = Spoken{Language: who.Language}
		say, args := "voice.again", map[string]string(nil)
		out.Asks = m.Code != "" && digit != 1 && digit != 2
		if (digit == 1 || digit == 2) && m.Code != "" {
			in := Message{Org: m.Org, Patient: m.Patient, Person: m.Person, At: s.clock.Now(), ID: clock.DerivedID("key", m.ID, ref), Inward: true, Channel: person.Voice, Address: m.Address,
				Body: string(rune('0' + digit)), Promises: m.Promises, State: Delivered, Ref: "key-" + ref, Moved: s.clock.Now()}
			var n int
			if _, err := tx.Row("SELECT COUNT(*) FROM message WHERE org = $1 AND ref = $2 AND inward = 1", []any{string(org), in.Ref}, &n); err != nil {
				return err
			}
			if n > 0 { // told twice: it was thanked for
				out.Text = words.Say(who.Language, "voice.thanks", nil)
				return nil
			}
			if err := insert(tx, []Message{in}); err != nil {
				return err
			}
			tx.Hint("patient", string(m.Org)+"/"+string(m.Patient))
			if say, args, err = s.answers.Answer(tx, Answer{Org: m.Org, Patient: m.Patient, By: m.Person, Promises: m.Promises, Say: m.Say, Number: digit, At: in.At, Source: "phone"}); err != nil {
				return err
			}
			say = "sms." + say
		}
		with := map[string]string{"clinic": o.Name, "phone": spelled(o.Phone), "who": o.Name}
		for k, v := range args {
			with[k] = v
		}
		out.Text = words.Tell(who.Language, say, with, who.Location())
		return nil
	})
	return out, err
}
