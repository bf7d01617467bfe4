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
		h.at(tonight)
		h.say(message.Draft{Key: "routine"})
		h.say(message.Draft{Key: "useless", Say: "help", Useful: h.clock.Now().Add(time.Hour)})
		h.settle()
		h.want(h.sms)
		h.say(message.Draft{Key: "urgent", Say: "start", Severity: message.Urgent})
		h.say(message.Draft{Key: "link", Raw: "You asked for this link."})
		h.say(message.Draft{Key: "nurse", To: "role:nurse"})
		h.settle()
		h.want(h.sms, "get our texts again", "You asked for this link", danaPhone+": …This is a test")
		h.at(23*time.Hour + 29*time.Minute) // 06:59
		h.want(h.sms)
		h.at(23*time.Hour + 30*time.Minute) // 07:00
		h.want(h.sms, ruthPhone+": …This is a test")
		for _, m := range h.thread(h.ruth.ID) {
			if m.Say == "help" && m.State != message.Dropped {
				t.Errorf("what is no use in the morning is %s", m.State)
			}
		}
	})
}

// A dose at bed time is not in the quiet hours, which begin half an hour later.
func TestBedTimeIsNotQuiet(t *testing.T) {
	each(t, func(h *house) {
		h.at(14*time.Hour + 30*time.Minute) // 22:00: bed time, when a dose may be due
		h.say(message.Draft{Key: "bed"})
		h.settle()
		h.want(h.sms, "This is a test")
	})
}

// Nothing goes out without consent; the order is the person's own, or the one that is asked for.
func TestConsentAndOrder(t *testing.T) {
	each(t, func(h *house) {
		h.say(message.Draft{Key: "own order"})
		h.say(message.Draft{Key: "mail first", Channels: []person.Channel{person.Mail, person.SMS}})
		h.say(message.Draft{Key: "push only", Channels: []person.Channel{person.Push}})
		h.settle()
		h.want(h.sms, ruthPhone+": Elm: This is a test")
		h.want(h.mail, ruthMail+": Elm: This is a test")
		if got := h.outbox(h.ruth.ID); !strings.Contains(got, "page sent") {
			t.Errorf("what was asked for by push only: %s", got)
		}
		for _, word := range []person.Consent{person.Unasked, person.Withdrawn} {
			h.contact(person.Contact{Person: h.ruth.ID, Channel: person.SMS, Address: ruthPhone, Consent: word})
			h.say(message.Draft{Key: "without " + string(word), Severity: message.Severe})
			h.settle()
			h.want(h.sms)
			h.want(h.mail, ruthMail)
		}
		h.say(message.Draft{Key: "all", To: "caregivers", Say: "dose.caregiver", Args: map[string]string{"time": start.Format(time.RFC3339)}})
		h.settle()
		h.want(h.sms, elenaPhone+": …07:30…Ruth…Dana se ocupa") // in her language, and it says who acts
		h.say(message.Draft{Key: "nobody", To: "person:gone"})
		h.settle()
		h.want(h.sms)
	})
}

// A page for a role reaches whoever is on duty; with nobody on duty, everybody with the role in the patient's teams.
func TestPageReachesSomebody(t *testing.T) {
	each(t, func(h *house) {
		second := h.enrol(person.Person{Role: person.Nurse, Name: "Eve Stone"}, "+15550100009")
		h.say(message.Draft{Key: "1", To: "role:nurse"})
		h.settle()
		h.want(h.sms, danaPhone, "+15550100009")
		h.write(func(tx *store.Tx) error {
			return h.People.SaveShift(tx, org, person.Shift{Person: second.ID, Role: person.Nurse, Team: "t", From: start, Until: start.Add(time.Hour)})
		})
		h.say(message.Draft{Key: "2", To: "role:nurse"})
		h.settle()
		h.want(h.sms, "+15550100009")
	})
}

// One cause is one message: a second writing of it is a conflict and writes nothing.
func TestOneCauseOneMessage(t *testing.T) {
	each(t, func(h *house) {
		d := message.Draft{Org: org, Patient: h.ruth.ID, To: "patient", At: start, Key: "cause", Say: "test"}
		h.say(d)
		err := h.DB.Write(t.Context(), func(tx *store.Tx) error { return h.Messages.Say(tx, d) })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("the same cause again: %v, want a conflict", err)
		}
		h.settle()
		h.want(h.sms, "test")
		if n := len(h.thread(h.ruth.ID)); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}

// A gateway that is busy is tried again, more and more seldom; after five tries the next channel begins.
func TestRetriesThenTheNextChannel(t *testing.T) {
	each(t, func(h *house) {
		h.sms.answer = busy
		h.say(message.Draft{Key: "1"})
		var at time.Duration
		for try, wait := range []time.Duration{0, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute} {
			if wait > 0 {
				h.at(at + wait - time.Second)
				h.want(h.sms)
			}
			at += wait
			h.at(at)
			h.want(h.sms, "test")
			if try < 4 {
				h.want(h.mail)
			}
		}
		h.want(h.mail, ruthMail)
		if got := h.outbox(h.ruth.ID); got != "mail sent, sms failed" && got != "sms failed, mail sent" {
			t.Error(got)
		}
	})
}

// A gateway that says when to come back is not asked before; one that says never is not asked again; and when no channel is
// left the words stand on the page and the desk is told.
func TestNoChannelLeft(t *testing.T) {
	each(t, func(h *house) {
		h.sms.answer = func(message.Outgoing) message.Result {
			return message.Result{Err: errors.New("too many"), Wait: 5 * time.Minute}
		}
		h.say(message.Draft{Key: "1"})
		h.at(0)
		h.want(h.sms, "test")
		h.at(5*time.Minute - time.Second)
		h.want(h.sms)
		never := func(message.Outgoing) message.Result {
			return message.Result{Err: errors.New("no such number"), Never: true}
		}
		h.sms.answer, h.mail.answer = never, never
		h.at(5 * time.Minute)
		h.want(h.sms, "test")
		h.want(h.mail, "test")
		got := h.outbox(h.ruth.ID)
		if strings.Count(got, "failed") != 2 || strings.Count(got, "page sent") != 1 || h.tasks() != "desk task.undelivered" {
			t.Errorf("%s; tasks %s", got, h.tasks())
		}
		h.at(time.Hour)
		h.want(h.sms)
		h.want(h.mail)
	})
}

// Fault 5: delivery reports that are repeated, reordered or lost. A message's state only moves forward.
func TestFault5DeliveryReports(t *testing.T) {
	report := func(h *house, m message.Message, to message.State) {
		h.Helper()
		if err := h.Messages.Report(t.Context(), m.Ref, to); err != nil {
			h.Fatal(err)
		}
		h.settle()
	}
	each(t, func(h *house) {
		h.sms.answer = reporting
		h.say(message.Draft{Key: "1"})
		h.at(0)
		h.want(h.sms, "test")
		m := h.thread(h.ruth.ID)[0]
		if m.State != message.Sent || !m.Due.Equal(start.Add(10*time.Minute)) {
			t.Fatalf("%s, due %s", m.State, m.Due)
		}
		for _, to := range []message.State{message.Delivered, message.Delivered, message.Sent, message.Failed, message.Unknown} {
			report(h, m, to)
			if got := h.outbox(h.ruth.ID); got != "sms delivered" {
				t.Fatalf("after %s: %s", to, got)
			}
		}
		h.at(time.Hour)
		h.want(h.sms)
		h.want(h.mail)
		if err := h.Messages.Report(t.Context(), "gw-of-nobody", message.Failed); err != nil {
			t.Errorf("a report about nothing of ours: %v", err)
		}
	})
}

// Fault 5: a message that nobody reports about within ten minutes goes out by the next channel, once, whatever is reported later.
func TestFault5LostReport(t *testing.T) {
	each(t, func(h *house) {
		h.sms.answer = reporting
		h.say(message.Draft{Key: "1"})
		h.at(0)
		h.want(h.sms, "test")
		m := h.thread(h.ruth.ID)[0]
		h.at(10*time.Minute - time.Second)
		h.want(h.mail)
		h.at(10 * time.Minute)
		h.want(h.mail, ruthMail)
		for _, to := range []message.State{message.Failed, message.Failed, message.Delivered} {
			if err := h.Messages.Report(t.Context(), m.Ref, to); err != nil {
				t.Fatal(err)
			}
			h.settle()
		}
		h.at(time.Hour)
		h.want(h.sms)
		h.want(h.mail)
		got := h.outbox(h.ruth.ID)
		if strings.Count(got, "mail sent") != 1 || strings.Count(got, "sms delivered") != 1 || strings.Contains(got, "page") || h.tasks() != "" {
			t.Errorf("%s; tasks %q", got, h.tasks())
		}
	})
}

// Fault 5: a report of failure, twice, starts the next channel once.
func TestFault5Undelivered(t *testing.T) {
	each(t, func(h *house) {
		h.sms.answer = reporting
		h.say(message.Draft{Key: "1"})
		h.at(0)
		m := h.thread(h.ruth.ID)[0]
		for range 3 {
			if err := h.Messages.Report(t.Context(), m.Ref, message.Failed); err != nil {
				t.Fatal(err)
			}
		}
		h.at(time.Hour)
		h.want(h.sms, "test")
		h.want(h.mail, ruthMail)
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
	h.sms.dies = true
	if _, err := h.Messages.SendDue(h.Context()); err == nil {
		h.Fatal("the process did not end")
	}
	h.sms.dies = false
}

// Fault 2: the process ends between the gateway's acceptance and our commit, and the gateway can be asked.
func TestFault2GatewayCanTell(t *testing.T) {
	each(t, func(h *house) {
		gateway := &asking{post: h.sms}
		h.Messages.SetChannel(person.SMS, gateway)
		h.say(message.Draft{Key: "taken"})
		h.say(message.Draft{Key: "lost", Say: "help"})
		h.end()
		h.want(h.sms, "test", "Reply STOP")
		list := h.thread(h.ruth.ID)
		h.at(59 * time.Second) // its lease runs: another process may be at it
		h.want(h.sms)
		h.at(time.Minute) // asked, but the gateway does not answer
		h.want(h.sms)
		gateway.took = map[string]bool{}
		for _, m := range list {
			gateway.took[m.ID] = m.Say == "test"
		}
		h.at(2 * time.Minute)
		h.want(h.sms, "Reply STOP")
		h.at(11 * time.Minute)
		h.want(h.sms)
		for _, m := range h.thread(h.ruth.ID) {
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
		h.want(h.sms, elenaPhone, ruthPhone, ruthPhone)
		h.at(time.Minute)
		h.want(h.sms, elenaPhone+": Va otra vez, por si acaso. Elm: Le decimos", ruthPhone+": Sent again, to be sure. Elm: We text you")
		h.at(time.Hour)
		h.want(h.sms)
		h.want(h.mail)
		for _, m := range h.thread(h.ruth.ID) {
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

// After a restore everything that waits is in doubt: see TestFault2GatewayCannotTell for what then happens.
func TestFault31Doubt(t *testing.T) {
	each(t, func(h *house) {
		h.say(message.Draft{Key: "reminder"})
		h.say(message.Draft{Key: "alert", Say: "help", Severity: message.Urgent})
		h.write(func(tx *store.Tx) error {
			if n, err := h.Messages.Doubt(tx); n != 2 || err != nil {
				return fmt.Errorf("%d in doubt: %w", n, err)
			}
			return nil
		})
		h.at(0)
		h.want(h.sms, "Sent again, to be sure")
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
		for until := time.Now().Add(20 * time.Second); strings.Count(h.outbox(h.ruth.ID), "sms sent") < n && time.Now().Before(until); {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if got := h.outbox(h.ruth.ID); strings.Count(got, "sms sent") != n {
			t.Errorf("%s", got)
		}
		if got := h.sms.took(); len(got) != n {
			t.Errorf("%d messages were handed over, want %d", len(got), n)
		}
	})
}

// A byte that changes in a stored message shows.
func TestFault30FlippedByte(t *testing.T) {
	each(t, func(h *house) {
		h.say(message.Draft{Key: "1"})
		h.say(message.Draft{Key: "2", Say: "help"})
		h.at(time.Minute)
		if n, damaged, err := h.Messages.Check(t.Context()); n != 2 || len(damaged) != 0 || err != nil {
			t.Fatalf("%d messages, damaged %q, %v", n, damaged, err)
		}
		id := h.thread(h.ruth.ID)[0].ID
		h.write(func(tx *store.Tx) error {
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
		ruth := person.Viewer{Org: org, Person: h.ruth.ID, Role: person.Patient}
		for _, c := range []struct {
			v      person.Viewer
			body   string
			inward bool
			kind   fault.Kind
		}{
			{ruth, " Hello? ", true, 0},
			{person.Viewer{Org: org, Person: h.dana.ID, Role: person.Nurse}, "Hello.", false, 0},
			{ruth, " \n", false, fault.Invalid},
			{ruth, strings.Repeat("x", 4001), false, fault.Invalid},
		} {
			var m message.Message
			err := h.DB.Write(t.Context(), func(tx *store.Tx) (err error) { m, err = h.Messages.Write(tx, c.v, h.ruth.ID, c.body); return err })
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
