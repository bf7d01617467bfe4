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
	h.write(func(tx *store.Tx) error {
		_, err := h.Medication.Save(tx, medication.Regimen{Org: org, Patient: p.ID, Name: "Carvedilol", Authored: clock.Day{Year: 2026, Month: 3, Date: 1},
			Dosage: []fhir.Dosage{{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: len(times), Period: "1", PeriodUnit: "d", TimeOfDay: times}}}}})
		return err
	})
}

// doses answers a person's doses of the first day as "15:04 status", in New York.
func (h *house) doses(p person.Person) string {
	h.Helper()
	var out []string
	h.read(func(tx *store.Tx) error {
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
		h.sms.answer = busy
		h.say(message.Draft{Key: "waiting"})
		h.say(message.Draft{Key: "urgent", Say: "help", Severity: message.Urgent})
		h.settle()
		h.sms.took()
		h.sms.answer = nil
		h.receive(ruthPhone, "Stop.")
		h.want(h.sms, ruthPhone+": …We will send no more texts")
		h.want(h.mail, ruthMail+": …We text you what is next")
		if got := h.tasks(); got != "desk task.stop" {
			t.Errorf("tasks %s", got)
		}
		h.at(time.Hour)
		h.say(message.Draft{Key: "new", Severity: message.Severe})
		h.settle()
		h.want(h.sms)
		h.want(h.mail, "This is a test")
		h.receive(ruthPhone, "START")
		h.want(h.sms, "get our texts again")
		h.say(message.Draft{Key: "again"})
		h.settle()
		h.want(h.sms, "This is a test")
		h.read(func(tx *store.Tx) error {
			list, err := h.People.Contacts(tx, org, h.ruth.ID)
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
		h.receive(elenaPhone, "AYUDA")
		h.want(h.sms, elenaPhone+": …Responda con el número")
		h.receive(elenaPhone, "¡Alto!")
		h.want(h.sms, elenaPhone+": …Ya no le enviamos mensajes")
		h.say(message.Draft{Key: "1", To: "caregivers"})
		h.settle()
		h.want(h.sms)
		h.receive(elenaPhone, "empezar")
		h.want(h.sms, "Le enviamos mensajes otra vez")
		h.say(message.Draft{Key: "2", To: "caregivers"})
		h.settle()
		h.want(h.sms, "Esto es una prueba")
	})
}

// Fault 7: STOP comes from a telephone; in another organization that has the same number nothing changes.
func TestFault7OtherOrganization(t *testing.T) {
	each(t, func(h *house) {
		var other person.Person
		h.write(func(tx *store.Tx) (err error) {
			if err := h.People.SaveOrg(tx, person.Org{ID: "oak", Name: "Oak", Zone: "America/New_York"}); err != nil {
				return err
			}
			other, err = h.People.Save(tx, person.Person{Org: "oak", Role: person.Patient, Name: "Ruth Abbott", BirthYear: 1947, Language: "en", Zone: "America/New_York"})
			if err != nil {
				return err
			}
			return h.People.SetContact(tx, "oak", person.Contact{Person: other.ID, Channel: person.SMS, Address: ruthPhone, Consent: person.Given})
		})
		h.sms.answer = busy
		h.write(func(tx *store.Tx) error {
			return h.Messages.Say(tx, message.Draft{Org: "oak", Patient: other.ID, To: "patient", At: start, Key: "1", Say: "test"})
		})
		h.settle()
		h.sms.took()
		h.sms.answer = nil
		h.receive(ruthPhone, "STOP")
		h.want(h.sms, "Elm: We will send no more")
		h.at(time.Minute)
		h.want(h.sms, "Oak: This is a test")
	})
}

// Fault 8: a text from a number that nobody has goes to the desk; it is thanked once a day, so that two machines do not thank
// each other for ever.
func TestFault8UnknownNumber(t *testing.T) {
	each(t, func(h *house) {
		const stranger = "+15550199999"
		h.takes(h.ruth, "08:00:00")
		h.at(30 * time.Minute)
		h.sms.took()
		h.receive(stranger, "A1")
		h.want(h.sms, stranger+": …We do not know this number")
		for _, body := range []string{"1", "yes", "Who is this?"} {
			h.receive(stranger, body)
		}
		h.want(h.sms)
		if got := h.tasks(); strings.Count(got, "desk task.unknown") != 4 {
			t.Errorf("tasks %s", got)
		}
		if got := h.doses(h.ruth); got != "08:00 due" {
			t.Errorf("a stranger answered for Ruth: %s", got)
		}
		h.receive(stranger, "STOP")
		h.want(h.sms, stranger+": …no more texts")
		h.clock.Set(start.Add(26 * time.Hour))
		h.receive(stranger, "hello")
		if got := strings.Join(h.sms.took(), "\n"); strings.Count(got, "do not know this number") != 1 {
			t.Errorf("a day later: %s", got)
		}
	})
}

// Fault 8: on a telephone that two people share no chart is guessed: a bare answer is asked back even with one open question, a
// code works, other words go to the desk.
func TestFault8SharedTelephone(t *testing.T) {
	each(t, func(h *house) {
		walter := h.enrol(person.Person{Role: person.Patient, Name: "Walter Abbott", BirthYear: 1944}, ruthPhone)
		h.takes(walter, "08:00:00")
		h.at(30 * time.Minute)
		h.want(h.sms, ruthPhone+": …Reply A1")
		for _, bare := range []string{"1", "YES"} {
			h.receive(ruthPhone, bare)
			h.want(h.sms, "Which one do you mean?…8:00 am medicines: A1 for yes")
		}
		h.takes(h.ruth, "08:10:00")
		h.at(40 * time.Minute)
		h.want(h.sms, ruthPhone+": …8:10 am…Reply B1")
		h.receive(ruthPhone, "no")
		h.want(h.sms, "Which one…A1…B1")
		if got := h.doses(h.ruth) + "; " + h.doses(walter); got != "08:10 due; 08:00 due" {
			t.Errorf("guessed: %s", got)
		}
		h.receive(ruthPhone, "B1")
		h.want(h.sms, "you took your 8:10 am medicines")
		h.receive(ruthPhone, "a2")
		h.want(h.sms, "not today")
		if got := h.doses(h.ruth) + "; " + h.doses(walter); got != "08:10 taken; 08:00 skipped" {
			t.Errorf("%s", got)
		}
		h.receive(ruthPhone, "My foot is swollen")
		if got := h.tasks(); !strings.Contains(got, "desk task.which") {
			t.Errorf("tasks %s", got)
		}
		for _, m := range append(h.thread(h.ruth.ID), h.thread(walter.ID)...) {
			if m.Inward && strings.Contains(m.Body, "foot") {
				t.Error("the words were put into a chart")
			}
		}
	})
}

// Fault 9: YES with two questions open is asked back with both codes; each code answers its own; a closed one says so.
func TestFault9TwoQuestions(t *testing.T) {
	each(t, func(h *house) {
		h.takes(h.ruth, "08:00:00", "08:15:00")
		h.at(30 * time.Minute)
		h.at(45 * time.Minute)
		h.want(h.sms, "8:00 am…Reply A1", "8:15 am…Reply B1")
		h.receive(ruthPhone, "YES")
		h.want(h.sms, "Which one do you mean?…8:15 am medicines: B1 for yes, B2 for not today.…8:00 am medicines: A1 for yes, A2 for not today.")
		h.receive(ruthPhone, "Z1") // no such code
		h.want(h.sms, "Which one do you mean?")
		h.receive(ruthPhone, "B1")
		h.want(h.sms, "you took your 8:15 am medicines")
		h.receive(ruthPhone, "yes") // one is left
		h.want(h.sms, "you took your 8:00 am medicines")
		if got := h.doses(h.ruth); got != "08:00 taken, 08:15 taken" {
			t.Error(got)
		}
		h.receive(ruthPhone, "A2")
		h.want(h.sms, "That one is closed now")
		h.receive(ruthPhone, "A7") // no such answer
		h.want(h.sms, "Reply with the number you see")
		if got := h.doses(h.ruth); got != "08:00 taken, 08:15 taken" {
			t.Error(got)
		}
	})
}

// Fault 9: a second reminder of the same dose is no second question. A plain YES answers it.
func TestFault9SecondReminder(t *testing.T) {
	each(t, func(h *house) {
		h.takes(h.ruth, "08:00:00")
		h.at(30 * time.Minute)
		h.at(time.Hour)
		h.want(h.sms, "8:00 am…Reply", "8:00 am…Reply")
		h.takes(h.ruth, "09:00:00")
		h.at(90 * time.Minute)
		h.want(h.sms, "9:00 am…Reply C1")
		h.receive(ruthPhone, "yes") // the other dose is asked about with its newer code and by its own time
		h.want(h.sms, "9:00 am medicines: C1 for yes, C2 for not today. Your 8:00 am medicines: B1 for yes")
		h.receive(ruthPhone, "C2")
		h.want(h.sms, "not today")
		h.receive(ruthPhone, "yes")
		h.want(h.sms, "you took your 8:00 am medicines")
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
		h.settle()
		h.want(h.sms, "Reply with the number")
		if n := len(h.thread(h.ruth.ID)); n != 2 {
			t.Errorf("%d messages, want the text and its answer", n)
		}
		err := h.Messages.Receive(t.Context(), message.Inbound{Org: org, Channel: person.SMS, From: "SHORT", Body: "help", Ref: "SM2"})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("from no number: %v", err)
		}
		h.receive(ruthPhone, strings.Repeat("é", 3000)+"\xff") // too long, and no text at the end
		for _, m := range h.thread(h.ruth.ID) {
			if len(m.Body) > 4000 {
				t.Errorf("%d bytes were kept", len(m.Body))
			}
		}
	})
}

// A reminder that is late says so.
func TestFault4LateWording(t *testing.T) {
	each(t, func(h *house) {
		h.takes(h.ruth, "08:00:00")
		h.at(50 * time.Minute)
		h.want(h.sms, "This text is late. Your medicines were due at 8:00 am…Reply A1")
	})
}

// A link opens the one message it names: not with another code, not in another organization, not after three days.
func TestLinks(t *testing.T) {
	each(t, func(h *house) {
		h.takes(h.ruth, "08:00:00")
		h.at(30 * time.Minute)
		_, code, ok := strings.Cut(h.sms.took()[0], "https://elm.example/r/")
		if !ok {
			t.Fatal("the text has no link")
		}
		open := func(code string) (m message.Message, err error) {
			h.read(func(tx *store.Tx) error { m, err = h.Messages.OpenLink(tx, code); return nil })
			return m, err
		}
		for _, good := range []string{code, strings.ToUpper(code), " " + code + "\n"} {
			if m, err := open(good); err != nil || m.Patient != h.ruth.ID || m.Say != "dose" {
				t.Errorf("%q opens %+v, %v", good, m, err)
			}
		}
		at := start.Add(30 * time.Minute)
		bad := []string{"", "abc", code[1:], code + "a", h.Messages.LinkCode("oak", h.ruth.ID, at), h.Messages.LinkCode(org, h.ruth.ID, at.Add(time.Microsecond)),
			h.Messages.LinkCode(org, h.elena.ID, at)}
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
		if got := h.Messages.LinkCode(org, "no uuid", at); got != "" {
			t.Errorf("a link for nobody: %q", got)
		}
		h.clock.Set(at.Add(72 * time.Hour))
		if _, err := open(code); err != nil {
			t.Errorf("after three days to the second: %v", err)
		}
		h.clock.Set(at.Add(72*time.Hour + time.Second))
		if _, err := open(code); !fault.Is(err, fault.NotFound) {
			t.Errorf("after three days: %v", err)
		}
	})
}

// A mail has a subject in its reader's language that names neither medicine nor diagnosis.
func TestMailSubject(t *testing.T) {
	each(t, func(h *house) {
		h.contact(person.Contact{Person: h.elena.ID, Rank: -1, Channel: person.Mail, Address: "Elena@Example.org ", Consent: person.Given})
		h.say(message.Draft{Key: "1", To: "caregivers", Say: "dose.caregiver", Args: map[string]string{"time": start.Format(time.RFC3339)}})
		h.say(message.Draft{Key: "2", To: "caregivers", Raw: "https://elm.example/in/x"})
		h.settle()
		if len(h.mail.got) != 2 || h.mail.got[0].To != "elena@example.org" || !strings.HasPrefix(h.mail.got[0].Subject, "Elm: ") || !strings.Contains(h.mail.got[0].Subject, "Ruth") ||
			!strings.HasPrefix(h.mail.got[1].Subject, "Elm: ") {
			t.Errorf("%+v", h.mail.got)
		}
	})
}
