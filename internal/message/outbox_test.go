package message_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// In New York the clock shows 07:30 at the start; Ruth is quiet from 22:30 to 07:00.
func TestQuietHours(t *testing.T) {
	each(t, func(h *house) {
		tonight := 15*time.Hour + 30*time.Minute // 23:00
		h.At(tonight)
		h.say(message.Draft{Key: "routine"})
		h.say(message.Draft{Key: "useless", Say: "help", Useful: h.Clock.Now().Add(time.Hour)})
		h.Settle()
		h.Want(h.SMS)
		h.say(message.Draft{Key: "urgent", Say: "start", Severity: message.Urgent})
		h.say(message.Draft{Key: "link", Raw: "You asked for this link."})
		h.say(message.Draft{Key: "nurse", To: "role:nurse"})
		h.Settle()
		h.Want(h.SMS, "get our texts again", "You asked for this link", danaPhone+": …This is a test")
		h.At(23*time.Hour + 29*time.Minute) // 06:59
		h.Want(h.SMS)
		h.At(23*time.Hour + 30*time.Minute) // 07:00
		h.Want(h.SMS, ruthPhone+": …This is a test")
		for _, m := range h.thread(h.Ruth.ID) {
			if m.Say == "help" && m.State != message.Dropped {
				t.Errorf("what is no use in the morning is %s", m.State)
			}
		}
	})
}

// A dose at bed time is not in the quiet hours, which begin half an hour later.
func TestBedTimeIsNotQuiet(t *testing.T) {
	each(t, func(h *house) {
		h.At(14*time.Hour + 30*time.Minute) // 22:00: bed time, when a dose may be due
		h.say(message.Draft{Key: "bed"})
		h.Settle()
		h.Want(h.SMS, "This is a test")
	})
}

// Nothing goes out without consent; the order is the person's own, or the one that is asked for.
func TestConsentAndOrder(t *testing.T) {
	each(t, func(h *house) {
		h.say(message.Draft{Key: "own order"})
		h.say(message.Draft{Key: "mail first", Channels: []person.Channel{person.Mail, person.SMS}})
		h.say(message.Draft{Key: "push only", Channels: []person.Channel{person.Push}})
		h.Settle()
		h.Want(h.SMS, ruthPhone+": Elm: This is a test")
		h.Want(h.Mail, ruthMail+": Elm: This is a test")
		if got := h.outbox(h.Ruth.ID); !strings.Contains(got, "page sent") {
			t.Errorf("what was asked for by push only: %s", got)
		}
		for _, word := range []person.Consent{person.Unasked, person.Withdrawn} {
			h.Contact(person.Contact{Person: h.Ruth.ID, Channel: person.SMS, Address: ruthPhone, Consent: word})
			h.say(message.Draft{Key: "without " + string(word), Severity: message.Severe})
			h.Settle()
			h.Want(h.SMS)
			h.Want(h.Mail, ruthMail)
		}
		h.say(message.Draft{Key: "all", To: "caregivers", Say: "dose.caregiver", Args: map[string]string{"time": start.Format(time.RFC3339)}})
		h.Settle()
		h.Want(h.SMS, elenaPhone+": …07:30…Ruth…Dana se ocupa") // in her language, and it says who acts
		h.say(message.Draft{Key: "nobody", To: "person:gone"})
		h.Settle()
		h.Want(h.SMS)
	})
}

// A page for a role reaches whoever is on duty; with nobody on duty, everybody with the role in the patient's teams.
func TestPageReachesSomebody(t *testing.T) {
	each(t, func(h *house) {
		second := h.Enrol(person.Person{Role: person.Nurse, Name: "Eve Stone"}, "+15550100009")
		h.say(message.Draft{Key: "1", To: "role:nurse"})
		h.Settle()
		h.Want(h.SMS, danaPhone, "+15550100009")
		h.Write(func(tx *store.Tx) error {
			return h.People.SaveShift(tx, org, person.Shift{Person: second.ID, Role: person.Nurse, Team: "t", From: start, Until: start.Add(time.Hour)})
		})
		h.say(message.Draft{Key: "2", To: "role:nurse"})
		h.Settle()
		h.Want(h.SMS, "+15550100009")
	})
}

// One cause is one message: a second writing of it is a conflict and writes nothing.
func TestOneCauseOneMessage(t *testing.T) {
	each(t, func(h *house) {
		d := message.Draft{Org: org, Patient: h.Ruth.ID, To: "patient", At: start, Key: "cause", Say: "test"}
		h.say(d)
		err := h.DB.Write(t.Context(), func(tx *store.Tx) error { return h.Messages.Say(tx, d) })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("the same cause again: %v, want a conflict", err)
		}
		h.Settle()
		h.Want(h.SMS, "test")
		if n := len(h.thread(h.Ruth.ID)); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}

// A gateway that is busy is tried again, more and more seldom; after five tries the next channel begins.
func TestRetriesThenTheNextChannel(t *testing.T) {
	each(t, func(h *house) {
		h.SMS.Answer = busy
		h.say(message.Draft{Key: "1"})
		var at time.Duration
		for try, wait := range []time.Duration{0, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute} {
			if wait > 0 {
				h.At(at + wait - time.Second)
				h.Want(h.SMS)
			}
			at += wait
			h.At(at)
			h.Want(h.SMS, "test")
			if try < 4 {
				h.Want(h.Mail)
			}
		}
		h.Want(h.Mail, ruthMail)
		if got := h.outbox(h.Ruth.ID); got != "mail sent, sms failed" && got != "sms failed, mail sent" {
			t.Error(got)
		}
	})
}

// A gateway that says when to come back is not asked before; one that says never is not asked again; and when no channel is
// left the words stand on the page and the desk is told.
func TestNoChannelLeft(t *testing.T) {
	each(t, func(h *house) {
		h.SMS.Answer = func(message.Outgoing) message.Result {
			return message.Result{Err: errors.New("too many"), Wait: 5 * time.Minute}
		}
		h.say(message.Draft{Key: "1"})
		h.At(0)
		h.Want(h.SMS, "test")
		h.At(5*time.Minute - time.Second)
		h.Want(h.SMS)
		never := func(message.Outgoing) message.Result {
			return message.Result{Err: errors.New("no such number"), Never: true}
		}
		h.SMS.Answer, h.Mail.Answer = never, never
		h.At(5 * time.Minute)
		h.Want(h.SMS, "test")
		h.Want(h.Mail, "test")
		got := h.outbox(h.Ruth.ID)
		if strings.Count(got, "failed") != 2 || strings.Count(got, "page sent") != 1 || h.Tasks() != "desk task.undelivered" {
			t.Errorf("%s; tasks %s", got, h.Tasks())
		}
		h.At(time.Hour)
		h.Want(h.SMS)
		h.Want(h.Mail)
	})
}

// Fault 5: delivery reports that are repeated, reordered or lost. A message's state only moves forward.
func TestFault5DeliveryReports(t *testing.T) {
	report := func(h *house, m message.Message, to message.State) {
		h.Helper()
		if err := h.Messages.Report(t.Context(), m.Ref, to); err != nil {
			h.Fatal(err)
		}
		h.Settle()
	}
	each(t, func(h *house) {
		h.SMS.Answer = reporting
		h.say(message.Draft{Key: "1"})
		h.At(0)
		h.Want(h.SMS, "test")
		m := h.thread(h.Ruth.ID)[0]
		if m.State != message.Sent || !m.Due.Equal(start.Add(10*time.Minute)) {
			t.Fatalf("%s, due %s", m.State, m.Due)
		}
		for _, to := range []message.State{message.Delivered, message.Delivered, message.Sent, message.Failed, message.Unknown} {
			report(h, m, to)
			if got := h.outbox(h.Ruth.ID); got != "sms delivered" {
				t.Fatalf("after %s: %s", to, got)
			}
		}
		h.At(time.Hour)
		h.Want(h.SMS)
		h.Want(h.Mail)
		if err := h.Messages.Report(t.Context(), "gw-of-nobody", message.Failed); err != nil {
			t.Errorf("a report about nothing of ours: %v", err)
		}
	})
}

// Fault 5: a message that nobody reports about within ten minutes goes out by the next channel, once, whatever is reported later.
func TestFault5LostReport(t *testing.T) {
	each(t, func(h *house) {
		h.SMS.Answer = reporting
		h.say(message.Draft{Key: "1"})
		h.At(0)
		h.Want(h.SMS, "test")
		m := h.thread(h.Ruth.ID)[0]
		h.At(10*time.Minute - time.Second)
		h.Want(h.Mail)
		h.At(10 * time.Minute)
		h.Want(h.Mail, ruthMail)
		for _, to := range []message.State{message.Failed, message.Failed, message.Delivered} {
			if err := h.Messages.Report(t.Context(), m.Ref, to); err != nil {
				t.Fatal(err)
			}
			h.Settle()
		}
		h.At(time.Hour)
		h.Want(h.SMS)
		h.Want(h.Mail)
		got := h.outbox(h.Ruth.ID)
		if strings.Count(got, "mail sent") != 1 || strings.Count(got, "sms delivered") != 1 || strings.Contains(got, "page") || h.Tasks() != "" {
			t.Errorf("%s; tasks %q", got, h.Tasks())
		}
	})
}

// Fault 5: a report of failure, twice, starts the next channel once.
func TestFault5Undelivered(t *testing.T) {
	each(t, func(h *house) {
		h.SMS.Answer = reporting
		h.say(message.Draft{Key: "1"})
		h.At(0)
		m := h.thread(h.Ruth.ID)[0]
		for range 3 {
			if err := h.Messages.Report(t.Context(), m.Ref, message.Failed); err != nil {
				t.Fatal(err)
			}
		}
		h.At(time.Hour)
		h.Want(h.SMS, "test")
		h.Want(h.Mail, ruthMail)
	})
}

// asking is a post that can tell what it took (message.Reconciler).
type asking struct {
	*post
	took map[string]bool // nil: it does not answer
}

func (a *asking) Took(ref string) (string, bool, error) {
	if a.took == nil {
		return "", false, errors.New("the gateway does not answer")
	}
	return "gw-" + ref, a.took[ref], nil
}

// end hands over what is due to a process that ends before it can write down what became of it.
func (h *house) end() {
	h.Helper()
	h.SMS.Dies = true
	if _, err := h.Messages.SendDue(h.Context()); err == nil {
		h.Fatal("the process did not end")
	}
	h.SMS.Dies = false
}

// Fault 2: the process ends between the gateway's acceptance and our commit, and the gateway can be asked.
func TestFault2GatewayCanTell(t *testing.T) {
	each(t, func(h *house) {
		gateway := &asking{post: h.SMS}
		h.Messages.SetChannel(person.SMS, gateway)
		h.say(message.Draft{Key: "taken"})
		h.say(message.Draft{Key: "lost", Say: "help"})
		h.end()
		h.Want(h.SMS, "test", "Reply STOP")
		list := h.thread(h.Ruth.ID)
		h.At(59 * time.Second) // its lease runs: another process may be at it
		h.Want(h.SMS)
		h.At(time.Minute) // asked, but the gateway does not answer
		h.Want(h.SMS)
		gateway.took = map[string]bool{}
		for _, m := range list {
			gateway.took[m.ID] = m.Say == "test"
		}
		h.At(2 * time.Minute)
		h.Want(h.SMS, "Reply STOP")
		h.At(11 * time.Minute)
		h.Want(h.SMS)
		for _, m := range h.thread(h.Ruth.ID) {
			if m.Say == "test" && (m.Channel == person.SMS) && (m.State != message.Sent || m.Ref != "gw-"+m.ID) {
				t.Errorf("%s by %s is %s, reference %q", m.Say, m.Channel, m.State, m.Ref)
			}
		}
	})
}

// Fault 2, where the gateway cannot tell: a reminder is not risked twice; an alert goes out again and says so, in the reader's
// language.
func TestFault2GatewayCannotTell(t *testing.T) {
	each(t, func(h *house) {
		h.say(message.Draft{Key: "reminder"})
		h.say(message.Draft{Key: "alert", Say: "help", Severity: message.Urgent})
		h.say(message.Draft{Key: "family", To: "caregivers", Say: "help", Severity: message.Severe})
		h.end()
		h.Want(h.SMS, elenaPhone, ruthPhone, ruthPhone)
		h.At(time.Minute)
		h.Want(h.SMS, elenaPhone+": Va otra vez, por si acaso. Elm: Le decimos", ruthPhone+": Sent again, to be sure. Elm: We text you")
		h.At(time.Hour)
		h.Want(h.SMS)
		h.Want(h.Mail)
		for _, m := range h.thread(h.Ruth.ID) {
			want := message.Sent
			if m.Say == "test" {
				want = message.Unknown
			}
			if m.State != want {
				t.Errorf("%s is %s, want %s", m.Say, m.State, want)
			}
			if strings.HasPrefix(m.Body, "Sent again") {
				t.Error("what was written first has changed")
			}
		}
	})
}

// Fault 2, with a gateway that breaks off: a reminder is not risked twice, an alert goes out again and says so.
func TestFault2GatewayBreaksOff(t *testing.T) {
	each(t, func(h *house) {
		h.SMS.Answer = func(message.Outgoing) message.Result {
			return message.Result{Err: errors.New("broken off"), Unsure: true}
		}
		h.say(message.Draft{Key: "reminder"})
		h.say(message.Draft{Key: "alert", Say: "help", Severity: message.Urgent})
		h.At(0)
		h.Want(h.SMS, "Reply STOP", "test")
		h.SMS.Answer = nil
		h.At(10 * time.Second)
		h.Want(h.SMS)
		h.At(20 * time.Second)
		h.Want(h.SMS, "Sent again, to be sure.")
		h.At(time.Hour)
		h.Want(h.SMS)
	})
}

// After a restore everything that waits is in doubt: see TestFault2GatewayCannotTell for what then happens.
func TestFault31Doubt(t *testing.T) {
	each(t, func(h *house) {
		h.say(message.Draft{Key: "reminder"})
		h.say(message.Draft{Key: "alert", Say: "help", Severity: message.Urgent})
		h.Write(func(tx *store.Tx) error {
			if n, err := h.Messages.Doubt(tx); n != 2 || err != nil {
				return fmt.Errorf("%d in doubt: %w", n, err)
			}
			return nil
		})
		h.At(0)
		h.Want(h.SMS, "Sent again, to be sure")
	})
}

// What waited for its report when the backup was made does not go out by another channel; an alert goes out again.
func TestFault31ReportsToCome(t *testing.T) {
	each(t, func(h *house) {
		h.SMS.Answer = reporting
		h.say(message.Draft{Key: "reminder"})
		h.say(message.Draft{Key: "alert", Say: "help", Severity: message.Urgent})
		h.At(0)
		h.Want(h.SMS, "Reply STOP", "test")
		h.Write(func(tx *store.Tx) error {
			if n, err := h.Messages.Doubt(tx); n != 2 || err != nil {
				return fmt.Errorf("%d in doubt: %w", n, err)
			}
			return nil
		})
		h.At(time.Minute)
		h.Want(h.SMS, "Sent again, to be sure")
		h.SMS.Answer = nil
		h.At(5 * time.Minute)
		h.Want(h.SMS)
		h.Want(h.Mail)
	})
}

// A node that sends takes what was just written without a look at the database, and ends with nothing left half-way.
func TestRunHandsOver(t *testing.T) {
	each(t, func(h *house) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		for range 2 { // two nodes, as far as the outbox can tell
			go func() { done <- h.Messages.Run(ctx) }()
		}
		for !h.Messages.Running() {
			time.Sleep(time.Millisecond)
		}
		const n = 20
		for i := range n {
			h.say(message.Draft{Key: fmt.Sprint(i)})
		}
		for until := time.Now().Add(20 * time.Second); strings.Count(h.outbox(h.Ruth.ID), "sms sent") < n && time.Now().Before(until); {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if got := h.outbox(h.Ruth.ID); strings.Count(got, "sms sent") != n {
			t.Errorf("%s", got)
		}
		if got := h.SMS.Took(); len(got) != n {
			t.Errorf("%d messages were handed over, want %d", len(got), n)
		}
	})
}

// A byte that changes in a stored message shows.
func TestFault30FlippedByte(t *testing.T) {
	each(t, func(h *house) {
		h.say(message.Draft{Key: "1"})
		h.say(message.Draft{Key: "2", Say: "help"})
		h.At(time.Minute)
		if n, damaged, err := h.Messages.Check(t.Context()); n != 2 || len(damaged) != 0 || err != nil {
			t.Fatalf("%d messages, damaged %q, %v", n, damaged, err)
		}
		id := h.thread(h.Ruth.ID)[0].ID
		h.Write(func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE message SET body = REPLACE(body, 'e', 'f') WHERE id = $1", id)
			return err
		})
		if n, damaged, err := h.Messages.Check(t.Context()); n != 2 || len(damaged) != 1 || !strings.Contains(damaged[0], id) || err != nil {
			t.Errorf("%d messages, damaged %q, %v", n, damaged, err)
		}
	})
}

// Words on a page are kept as they are; staff write outward, everybody else inward.
func TestWrite(t *testing.T) {
	each(t, func(h *house) {
		ruth := person.Viewer{Org: org, Person: h.Ruth.ID, Role: person.Patient}
		for _, c := range []struct {
			v      person.Viewer
			body   string
			inward bool
			kind   fault.Kind
		}{
			{ruth, " Hello? ", true, 0},
			{person.Viewer{Org: org, Person: h.Dana.ID, Role: person.Nurse}, "Hello.", false, 0},
			{ruth, " \n", false, fault.Invalid},
			{ruth, strings.Repeat("x", 4001), false, fault.Invalid},
		} {
			var m message.Message
			err := h.DB.Write(t.Context(), func(tx *store.Tx) (err error) { m, err = h.Messages.Write(tx, c.v, h.Ruth.ID, c.body); return err })
			if c.kind != 0 {
				if !fault.Is(err, c.kind) {
					t.Errorf("%.10q: %v", c.body, err)
				}
				continue
			}
			if err != nil || m.Inward != c.inward || m.Body != strings.TrimSpace(c.body) || m.State != message.Delivered {
				t.Errorf("%+v, %v", m, err)
			}
		}
	})
}

// A channel that is taken out of use takes nothing more; what waited on it goes out by the next.
func TestUnsetChannel(t *testing.T) {
	each(t, func(h *house) {
		h.say(message.Draft{Key: "waits"})
		h.Messages.UnsetChannel(person.SMS)
		h.Messages.UnsetChannel(person.Push) // which never was in use
		h.Settle()
		h.Want(h.SMS)
		h.Want(h.Mail, ruthMail+": Elm: This is a test")
		h.say(message.Draft{Key: "new"})
		h.Settle()
		h.Want(h.SMS)
		h.Want(h.Mail, ruthMail+": Elm: This is a test")
		h.Messages.SetChannel(person.SMS, h.SMS)
		h.say(message.Draft{Key: "again"})
		h.Settle()
		h.Want(h.SMS, ruthPhone+": Elm: This is a test")
	})
}
