package message_test

import (
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// takes gives a person a medicine at wall-clock times of every day from the start on.
func (h *house) takes(p person.Person, times ...fhir.WallTime) {
	h.Helper()
	h.Write(func(tx *store.Tx) error {
		_, err := h.Medication.Save(tx, medication.Regimen{Org: org, Patient: p.ID, Name: "Carvedilol", Authored: clock.Day{Year: 2026, Month: 3, Date: 1},
			Dosage: []fhir.Dosage{{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: len(times), Period: "1", PeriodUnit: "d", TimeOfDay: times}}}}})
		return err
	})
}

// doses answers a person's doses of the first day as "15:04 status", in New York.
func (h *house) doses(p person.Person) string {
	h.Helper()
	var out []string
	h.Read(func(tx *store.Tx) error {
		list, err := h.Medication.Day(tx, org, p.ID, clock.DayOf(start, p.Location()))
		for _, d := range list {
			out = append(out, d.Due.In(p.Location()).Format("15:04")+" "+string(d.Status))
		}
		return err
	})
	return strings.Join(out, ", ")
}

// Fault 7: STOP ends the texts at once, what waits for the number too; the desk hears of it; what is urgent goes by the other
// channel that was agreed; START brings the texts back.
func TestFault7Stop(t *testing.T) {
	each(t, func(h *house) {
		h.SMS.Answer = busy
		h.say(message.Draft{Key: "waiting"})
		h.say(message.Draft{Key: "urgent", Say: "help", Severity: message.Urgent})
		h.Settle()
		h.SMS.Took()
		h.SMS.Answer = nil
		h.Receive(ruthPhone, "Stop.")
		h.Want(h.SMS, ruthPhone+": …We will send no more texts")
		h.Want(h.Mail, ruthMail+": …We text you what is next")
		if got := h.Tasks(); got != "desk task.stop" {
			t.Errorf("tasks %s", got)
		}
		h.At(time.Hour)
		h.say(message.Draft{Key: "new", Severity: message.Severe})
		h.Settle()
		h.Want(h.SMS)
		h.Want(h.Mail, "This is a test")
		h.Receive(ruthPhone, "START")
		h.Want(h.SMS, "get our texts again")
		h.say(message.Draft{Key: "again"})
		h.Settle()
		h.Want(h.SMS, "This is a test")
		h.Read(func(tx *store.Tx) error {
			list, err := h.People.Contacts(tx, org, h.Ruth.ID)
			if err == nil && (list[0].Consent != person.Given || list[0].Source != "text START") {
				t.Errorf("%+v", list[0])
			}
			return err
		})
	})
}

// Fault 7 in Spanish, and HELP, which changes nothing.
func TestFault7Spanish(t *testing.T) {
	each(t, func(h *house) {
		h.Receive(elenaPhone, "AYUDA")
		h.Want(h.SMS, elenaPhone+": …Responda con el número")
		h.Receive(elenaPhone, "¡Alto!")
		h.Want(h.SMS, elenaPhone+": …Ya no le enviamos mensajes")
		h.say(message.Draft{Key: "1", To: "caregivers"})
		h.Settle()
		h.Want(h.SMS)
		h.Receive(elenaPhone, "empezar")
		h.Want(h.SMS, "Le enviamos mensajes otra vez")
		h.say(message.Draft{Key: "2", To: "caregivers"})
		h.Settle()
		h.Want(h.SMS, "Esto es una prueba")
	})
}

// Fault 7: STOP comes from a telephone; in another organization that has the same number nothing changes.
func TestFault7OtherOrganization(t *testing.T) {
	each(t, func(h *house) {
		var other person.Person
		h.Write(func(tx *store.Tx) (err error) {
			if err := h.People.SaveOrg(tx, person.Org{ID: "oak", Name: "Oak", Zone: "America/New_York"}); err != nil {
				return err
			}
			other, err = h.People.Save(tx, person.Person{Org: "oak", Role: person.Patient, Name: "Ruth Abbott", BirthYear: 1947, Language: "en", Zone: "America/New_York"})
			if err != nil {
				return err
			}
			return h.People.SetContact(tx, "oak", person.Contact{Person: other.ID, Channel: person.SMS, Address: ruthPhone, Consent: person.Given})
		})
		h.SMS.Answer = busy
		h.Write(func(tx *store.Tx) error {
			return h.Messages.Say(tx, message.Draft{Org: "oak", Patient: other.ID, To: "patient", At: start, Key: "1", Say: "test"})
		})
		h.Settle()
		h.SMS.Took()
		h.SMS.Answer = nil
		h.Receive(ruthPhone, "STOP")
		h.Want(h.SMS, "Elm: We will send no more")
		h.At(time.Minute)
		h.Want(h.SMS, "Oak: This is a test")
	})
}

// Fault 8: a text from a number that nobody has goes to the desk; it is thanked once a day, so that two machines do not thank
// each other for ever.
func TestFault8UnknownNumber(t *testing.T) {
	each(t, func(h *house) {
		const stranger = "+15550199999"
		h.takes(h.Ruth, "08:00:00")
		h.At(30 * time.Minute)
		h.SMS.Took()
		h.Receive(stranger, "A1")
		h.Want(h.SMS, stranger+": …We do not know this number")
		for _, body := range []string{"1", "yes", "Who is this?"} {
			h.Receive(stranger, body)
		}
		h.Want(h.SMS)
		if got := h.Tasks(); strings.Count(got, "desk task.unknown") != 4 {
			t.Errorf("tasks %s", got)
		}
		if got := h.doses(h.Ruth); got != "08:00 due" {
			t.Errorf("a stranger answered for Ruth: %s", got)
		}
		h.Receive(stranger, "STOP")
		h.Want(h.SMS, stranger+": …no more texts")
		h.Clock.Set(start.Add(26 * time.Hour))
		h.Receive(stranger, "hello")
		if got := strings.Join(h.SMS.Took(), "\n"); strings.Count(got, "do not know this number") != 1 {
			t.Errorf("a day later: %s", got)
		}
	})
}

// Fault 8: on a telephone that two people share no chart is guessed: a bare answer is asked back even with one open question, a
// code works, other words go to the desk.
func TestFault8SharedTelephone(t *testing.T) {
	each(t, func(h *house) {
		walter := h.Enrol(person.Person{Role: person.Patient, Name: "Walter Abbott", BirthYear: 1944}, ruthPhone)
		h.takes(walter, "08:00:00")
		h.At(30 * time.Minute)
		h.Want(h.SMS, ruthPhone+": …Reply A1")
		for _, bare := range []string{"1", "YES"} {
			h.Receive(ruthPhone, bare)
			h.Want(h.SMS, "Which one do you mean?…8:00 am medicines: A1 for yes")
		}
		h.takes(h.Ruth, "08:10:00")
		h.At(40 * time.Minute)
		h.Want(h.SMS, ruthPhone+": …8:10 am…Reply B1")
		h.Receive(ruthPhone, "no")
		h.Want(h.SMS, "Which one…A1…B1")
		if got := h.doses(h.Ruth) + "; " + h.doses(walter); got != "08:10 due; 08:00 due" {
			t.Errorf("guessed: %s", got)
		}
		h.Receive(ruthPhone, "B1")
		h.Want(h.SMS, "you took your 8:10 am medicines")
		h.Receive(ruthPhone, "a2")
		h.Want(h.SMS, "not today")
		if got := h.doses(h.Ruth) + "; " + h.doses(walter); got != "08:10 taken; 08:00 skipped" {
			t.Errorf("%s", got)
		}
		h.Receive(ruthPhone, "My foot is swollen")
		if got := h.Tasks(); !strings.Contains(got, "desk task.which") {
			t.Errorf("tasks %s", got)
		}
		for _, m := range append(h.thread(h.Ruth.ID), h.thread(walter.ID)...) {
			if m.Inward && strings.Contains(m.Body, "foot") {
				t.Error("the words were put into a chart")
			}
		}
	})
}

// Fault 9: YES with two questions open is asked back with both codes; each code answers its own; a closed one says so.
func TestFault9TwoQuestions(t *testing.T) {
	each(t, func(h *house) {
		h.takes(h.Ruth, "08:00:00", "08:15:00")
		h.At(30 * time.Minute)
		h.At(45 * time.Minute)
		h.Want(h.SMS, "8:00 am…Reply A1", "8:15 am…Reply B1")
		h.Receive(ruthPhone, "YES")
		h.Want(h.SMS, "Which one do you mean?…8:15 am medicines: B1 for yes, B2 for not today.…8:00 am medicines: A1 for yes, A2 for not today.")
		h.Receive(ruthPhone, "Z1") // no such code
		h.Want(h.SMS, "Which one do you mean?")
		h.Receive(ruthPhone, "B1")
		h.Want(h.SMS, "you took your 8:15 am medicines")
		h.Receive(ruthPhone, "yes") // one is left
		h.Want(h.SMS, "you took your 8:00 am medicines")
		if got := h.doses(h.Ruth); got != "08:00 taken, 08:15 taken" {
			t.Error(got)
		}
		h.Receive(ruthPhone, "A2")
		h.Want(h.SMS, "That one is closed now")
		h.Receive(ruthPhone, "A7") // no such answer
		h.Want(h.SMS, "Reply with the number you see")
		if got := h.doses(h.Ruth); got != "08:00 taken, 08:15 taken" {
			t.Error(got)
		}
	})
}

// Fault 9: a second reminder of the same dose is no second question. A plain YES answers it.
func TestFault9SecondReminder(t *testing.T) {
	each(t, func(h *house) {
		h.takes(h.Ruth, "08:00:00")
		h.At(30 * time.Minute)
		h.At(time.Hour)
		h.Want(h.SMS, "8:00 am…Reply", "8:00 am…Reply")
		h.takes(h.Ruth, "09:00:00")
		h.At(90 * time.Minute)
		h.Want(h.SMS, "9:00 am…Reply C1")
		h.Receive(ruthPhone, "yes") // the other dose is asked about with its newer code and by its own time
		h.Want(h.SMS, "9:00 am medicines: C1 for yes, C2 for not today. Your 8:00 am medicines: B1 for yes")
		h.Receive(ruthPhone, "C2")
		h.Want(h.SMS, "not today")
		h.Receive(ruthPhone, "yes")
		h.Want(h.SMS, "you took your 8:00 am medicines")
	})
}

// The same text delivered twice by the gateway is one text with one answer.
func TestInboundOnce(t *testing.T) {
	each(t, func(h *house) {
		for range 3 {
			if err := h.Messages.Receive(t.Context(), message.Inbound{Org: org, Channel: person.SMS, From: "(555) 010-0001", Body: "help", Ref: "SM1"}); err != nil {
				t.Fatal(err)
			}
		}
		h.Settle()
		h.Want(h.SMS, "Reply with the number")
		if n := len(h.thread(h.Ruth.ID)); n != 2 {
			t.Errorf("%d messages, want the text and its answer", n)
		}
		err := h.Messages.Receive(t.Context(), message.Inbound{Org: org, Channel: person.SMS, From: "SHORT", Body: "help", Ref: "SM2"})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("from no number: %v", err)
		}
		h.Receive(ruthPhone, strings.Repeat("é", 3000)+"\xff") // too long, and no text at the end
		for _, m := range h.thread(h.Ruth.ID) {
			if len(m.Body) > 4000 {
				t.Errorf("%d bytes were kept", len(m.Body))
			}
		}
	})
}

// A reminder that is late says so.
func TestFault4LateWording(t *testing.T) {
	each(t, func(h *house) {
		h.takes(h.Ruth, "08:00:00")
		h.At(50 * time.Minute)
		h.Want(h.SMS, "This text is late. Your medicines were due at 8:00 am…Reply A1")
	})
}

// A link opens the one message it names: not with another code, not in another organization, not after three days.
func TestLinks(t *testing.T) {
	each(t, func(h *house) {
		h.takes(h.Ruth, "08:00:00")
		h.At(30 * time.Minute)
		_, code, ok := strings.Cut(h.SMS.Took()[0], "https://elm.example/r/")
		if !ok {
			t.Fatal("the text has no link")
		}
		open := func(code string) (m message.Message, err error) {
			h.Read(func(tx *store.Tx) error { m, err = h.Messages.OpenLink(tx, code); return nil })
			return m, err
		}
		for _, good := range []string{code, strings.ToUpper(code), " " + code + "\n"} {
			if m, err := open(good); err != nil || m.Patient != h.Ruth.ID || m.Say != "dose" {
				t.Errorf("%q opens %+v, %v", good, m, err)
			}
		}
		at := start.Add(30 * time.Minute)
		bad := []string{"", "abc", code[1:], code + "a", h.link("oak", h.Ruth.ID, at), h.link(org, h.Ruth.ID, at.Add(time.Microsecond)), h.link(org, h.Elena.ID, at)}
		for i := range len(code) - 1 { // the last character holds two bits only
			other := byte('a')
			if code[i] == other {
				other = 'b'
			}
			bad = append(bad, code[:i]+string(other)+code[i+1:])
		}
		for _, c := range bad {
			if m, err := open(c); !fault.Is(err, fault.NotFound) {
				t.Errorf("%q opens %+v, %v", c, m, err)
			}
		}
		if got := h.link(org, "no uuid", at); got != "" {
			t.Errorf("a link for nobody: %q", got)
		}
		h.Clock.Set(at.Add(72 * time.Hour))
		if _, err := open(code); err != nil {
			t.Errorf("after three days to the second: %v", err)
		}
		h.Clock.Set(at.Add(72*time.Hour + time.Second))
		if _, err := open(code); !fault.Is(err, fault.NotFound) {
			t.Errorf("after three days: %v", err)
		}
	})
}

// A mail has a subject in its reader's language that names neither medicine nor diagnosis.
func TestMailSubject(t *testing.T) {
	each(t, func(h *house) {
		h.Contact(person.Contact{Person: h.Elena.ID, Rank: -1, Channel: person.Mail, Address: "Elena@Example.org ", Consent: person.Given})
		h.say(message.Draft{Key: "1", To: "caregivers", Say: "dose.caregiver", Args: map[string]string{"time": start.Format(time.RFC3339)}})
		h.say(message.Draft{Key: "2", To: "caregivers", Raw: "https://elm.example/in/x"})
		h.Settle()
		if len(h.Mail.Got) != 2 || h.Mail.Got[0].To != "elena@example.org" || !strings.HasPrefix(h.Mail.Got[0].Subject, "Elm: ") || !strings.Contains(h.Mail.Got[0].Subject, "Ruth") ||
			!strings.HasPrefix(h.Mail.Got[1].Subject, "Elm: ") {
			t.Errorf("%+v", h.Mail.Got)
		}
	})
}

// Fault 9 on a shared telephone: questions that are worked out side by side do not get one letter; and if two ever have it, a person
// reads the answer instead of a chart being guessed.
func TestFault09OneLetterOneQuestion(t *testing.T) {
	each(t, func(h *house) {
		max := h.Enrol(person.Person{Role: person.Patient, Name: "Max Abbott", BirthYear: 1945}, ruthPhone)
		h.takes(h.Ruth, "08:00:00")
		h.takes(max, "08:00:00")
		question := func(tx *store.Tx, p person.Person) func(*store.Tx) error {
			list, err := h.Promises.Of(tx, org, p.ID, start, start.Add(time.Hour))
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			apply, err := h.Messages.Ready(tx, []message.Draft{{Org: org, Patient: p.ID, To: "patient", Say: "dose", At: start, Key: string(p.ID), Ask: true,
				Promises: []string{string(list[0].ID)}, Args: list[0].Args}})
			if err != nil {
				t.Fatal(err)
			}
			return apply
		}
		var ruth, his func(*store.Tx) error
		h.Read(func(tx *store.Tx) error {
			ruth, his = question(tx, h.Ruth), question(tx, max)
			return nil
		})
		h.Write(ruth)
		if err := h.DB.Write(t.Context(), his); !fault.Is(err, fault.Conflict) {
			t.Errorf("the letter of another question was used: %v", err)
		}
		h.Write(func(tx *store.Tx) error { return question(tx, max)(tx) })
		h.Settle()
		if got := strings.Join(h.SMS.Took(), " "); strings.Count(got, "Reply A1") != 1 || strings.Count(got, "Reply B1") != 1 {
			t.Errorf("not one letter each: %s", got)
		}

		h.Write(func(tx *store.Tx) error { // as a database of before may have it
			_, err := tx.Exec("UPDATE message SET code = 'A' WHERE code = 'B'")
			return err
		})
		h.Receive(ruthPhone, "A1")
		if got := h.doses(h.Ruth) + ", " + h.doses(max); strings.Contains(got, "taken") {
			t.Errorf("a chart was guessed: %s", got)
		}
		if got := h.Tasks(); got != "desk task.which" {
			t.Errorf("tasks %s", got)
		}
	})
}
