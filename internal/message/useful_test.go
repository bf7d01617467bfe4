package message_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/person"
)

// Fault 14: a text that a clinic runs late is not sent after the time to leave home, whatever it waited for: a server, a gateway that is busy, or
// one that never reported. While it is of use, the next channel is tried in time.
func TestFault14NotSentOnceUseless(t *testing.T) {
	t.Parallel()
	late := message.Draft{Key: "late", Say: "help", Severity: message.Urgent, Useful: start.Add(time.Minute)}
	state := func(h *house) string { h.Helper(); return h.outbox(h.Ruth.ID) }
	t.Run("no server ran", func(t *testing.T) {
		each(t, func(h *house) {
			h.say(late)
			h.At(time.Minute + time.Millisecond)
			h.Want(h.SMS)
			if state(h) != "sms dropped" || h.waits() != 0 {
				t.Errorf("%s, %d rows", state(h), h.waits())
			}
		})
	})
	t.Run("to the second it is of use", func(t *testing.T) {
		each(t, func(h *house) {
			h.say(late)
			h.At(time.Minute)
			h.Want(h.SMS, "Reply STOP")
			if state(h) != "sms sent" || h.waits() != 0 {
				t.Errorf("%s, %d rows", state(h), h.waits())
			}
		})
	})
	t.Run("the gateway asks to come back too late: another channel in time", func(t *testing.T) {
		each(t, func(h *house) {
			h.SMS.Answer = func(message.Outgoing) message.Result {
				return message.Result{Err: errors.New("too many"), Wait: 5 * time.Minute}
			}
			h.say(late)
			h.At(time.Second)
			h.Want(h.SMS, "Reply STOP")
			h.Want(h.Mail, "Reply STOP")
			h.At(time.Hour)
			h.Want(h.SMS)
			if h.waits() != 0 {
				t.Errorf("%s, %d rows", state(h), h.waits())
			}
		})
	})
	t.Run("every gateway is out: somebody is told while it can help", func(t *testing.T) {
		each(t, func(h *house) {
			h.SMS.Answer, h.Mail.Answer = busy, busy
			h.say(late)
			h.At(time.Second)
			h.Want(h.SMS, "Reply STOP")
			h.At(16 * time.Second)
			h.Want(h.SMS, "Reply STOP")
			h.At(46 * time.Second) // the next try would come too late
			h.Want(h.SMS, "Reply STOP")
			h.SMS.Answer, h.Mail.Answer = nil, nil
			h.At(time.Hour)
			h.Want(h.SMS)
			if h.waits() != 0 {
				t.Errorf("%s, %d rows", state(h), h.waits())
			}
		})
	})
	t.Run("never reported: the next channel would come too late", func(t *testing.T) {
		each(t, func(h *house) {
			h.SMS.Answer = reporting
			h.say(late)
			h.At(time.Second)
			h.Want(h.SMS, "Reply STOP")
			h.At(time.Hour)
			h.Want(h.Mail)
			if state(h) != "sms unknown" || h.waits() != 0 {
				t.Errorf("%s, %d rows", state(h), h.waits())
			}
		})
	})
	t.Run("refused long after", func(t *testing.T) {
		each(t, func(h *house) {
			h.SMS.Answer = reporting
			h.say(late)
			h.At(time.Second)
			h.Clock.Set(start.Add(5 * time.Minute))
			if err := h.Messages.Report(t.Context(), h.thread(h.Ruth.ID)[0].Ref, message.Failed); err != nil {
				t.Fatal(err)
			}
			h.Settle()
			h.Want(h.SMS, "Reply STOP")
			h.Want(h.Mail)
			if state(h) != "sms failed" || h.waits() != 0 {
				t.Errorf("%s, %d rows", state(h), h.waits())
			}
		})
	})
}

// Fault 4: what waited goes out with words that say so, once; what did not wait long does not.
func TestFault4LateWords(t *testing.T) {
	each(t, func(h *house) {
		for _, x := range []struct {
			wait time.Duration
			d    message.Draft
			want string
		}{
			{time.Minute, message.Draft{Key: "soon"}, ruthPhone + ": Elm: "},
			{3 * time.Hour, message.Draft{Key: "long"}, ruthPhone + ": This text is late (due: 7:31 am). Elm: "},
			{time.Second, message.Draft{Key: "climbed late", Late: true, At: start.Add(2 * time.Hour)}, ruthPhone + ": This text is late (due: 9:30 am). Elm: "},
			{time.Hour, message.Draft{Key: "family", To: "caregivers", Say: "help"}, elenaPhone + ": Este mensaje llega tarde (hora prevista: 10:31). Elm: "},
			{3 * time.Minute, message.Draft{Key: "link", Raw: "Here is your link."}, ruthPhone + ": Here is your link."},
		} {
			h.say(x.d)
			h.Clock.Advance(x.wait)
			h.Settle()
			if got := h.SMS.Took(); len(got) != 1 || !strings.HasPrefix(got[0], x.want) {
				t.Errorf("%s: %q, want %q", x.d.Key, got, x.want)
			}
		}
		late := dose
		late.Late, late.At = true, h.Clock.Now()
		h.say(late)
		h.Clock.Advance(10 * time.Minute)
		h.Settle()
		if got := h.SMS.Took(); len(got) != 1 || !strings.HasPrefix(got[0], ruthPhone+": Elm: This text is late.") {
			t.Errorf("words that say by themselves that they are late: %q", got)
		}
		h.SMS.Answer = busy
		h.say(message.Draft{Key: "busy", At: h.Clock.Now()})
		h.Settle()
		for range 3 {
			h.Clock.Advance(time.Minute)
			h.Settle()
		}
		first := h.SMS.Took()
		if len(first) < 3 || strings.Contains(first[0], "is late") || !strings.Contains(first[len(first)-1], "This text is late (due: 11:44 am)") {
			t.Errorf("through a busy gateway: %q", first)
		}
		h.SMS.Answer = nil
		h.Clock.Advance(5 * time.Minute)
		h.Settle()
		if h.waits() != 0 {
			t.Errorf("%d rows are left", h.waits())
		}
	})
}

// What most of a batch has in common stands with its lease, the rest with each; when its process ends, no message of it is sent once it is of no
// more use.
func TestFault14BatchOfAnEndedProcess(t *testing.T) {
	each(t, func(h *house) {
		const n = 80
		h.SMS.Dies = true
		ctx, cancel := context.WithCancel(t.Context())
		wait := h.run(ctx)
		drafts := make([]message.Draft, n)
		for i := range drafts {
			drafts[i] = message.Draft{Key: fmt.Sprint(i), Severity: message.Urgent, Useful: start.Add(30 * time.Second)}
			if i%10 == 0 {
				drafts[i].Useful = start.Add(time.Hour)
			}
		}
		h.sayAll(drafts)
		for until := time.Now().Add(20 * time.Second); h.SMS.Count() < n && time.Now().Before(until); {
			time.Sleep(time.Millisecond)
		}
		cancel()
		wait()
		h.SMS.Dies = false
		h.SMS.Took()
		if got := h.waits(); got != n/10 {
			t.Errorf("%d messages have rows of their own, want %d", got, n/10)
		}
		h.At(5 * time.Minute)
		got := h.SMS.Took()
		for _, m := range got {
			if !strings.Contains(m, "This text is late (due: 7:30 am). Sent again, to be sure. ") {
				t.Fatalf("%q", m)
			}
		}
		state := h.outbox(h.Ruth.ID)
		if len(got) != n/10 || strings.Count(state, "dropped") != n-n/10 || h.waits() != 0 {
			t.Errorf("%d were sent, %d dropped, %d rows left", len(got), strings.Count(state, "dropped"), h.waits())
		}
	})
}

// Who is called hears that the call comes late.
func TestFault4LateCall(t *testing.T) {
	each(t, func(h *house) {
		calls := &post{Answer: reporting}
		h.Messages.SetChannel(person.Voice, calls)
		h.Contact(person.Contact{Person: h.Ruth.ID, Rank: -1, Channel: person.Voice, Address: ruthPhone, Consent: person.Given})
		for i, wait := range []time.Duration{0, 10 * time.Minute} {
			d := dose
			d.Key, d.At, d.Channels = fmt.Sprint(i), h.Clock.Now(), []person.Channel{person.Voice}
			h.say(d)
			h.Clock.Advance(wait)
			h.Settle()
			if len(calls.Got) != 1 {
				t.Fatalf("%d calls", len(calls.Got))
			}
			got, err := h.Messages.Speak(t.Context(), org, strings.TrimPrefix(calls.Got[0].Link, "/r/"))
			if err != nil || strings.HasPrefix(got.Text, "This call comes late. It was due: 7:30 am. ") != (wait > 0) || !got.Asks {
				t.Errorf("after %s: %q, %v", wait, got.Text, err)
			}
			calls.Got = nil
		}
	})
}
