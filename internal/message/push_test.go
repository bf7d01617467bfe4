package message_test

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// browser answers a browser's subscription as the browser says it.
func browser(t *testing.T, endpoint string) string {
	t.Helper()
	key, err := ecdh.P256().NewPrivateKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	b, err := json.Marshal(map[string]any{"expirationTime": nil, "endpoint": endpoint,
		"keys": map[string]string{"p256dh": enc.EncodeToString(key.PublicKey().Bytes()), "auth": enc.EncodeToString([]byte(strings.Repeat("a", 16)))}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// pushing gives Ruth a browser that is asked first, and the server a channel to it.
func (h *house) pushing(answer func(message.Outgoing) message.Result) *post {
	h.Helper()
	p := &post{Answer: answer}
	h.Messages.SetChannel(person.Push, p)
	address, err := message.PushAddress(browser(h.T, "https://push.example/ruth"))
	if err != nil {
		h.Fatal(err)
	}
	h.Contact(person.Contact{Person: h.Ruth.ID, Rank: -1, Channel: person.Push, Address: address, Consent: person.Given, Source: "button on the page"})
	return p
}

var dose = message.Draft{Key: "dose", Say: "dose", Args: map[string]string{"time": start.Format(time.RFC3339)}, Promises: []string{"p"}, Ask: true}

// A push that is shown is the whole of it: few words, the sender apart, and the link that a text would carry.
func TestPushIsGlancedAt(t *testing.T) {
	each(t, func(h *house) {
		p := h.pushing(func(m message.Outgoing) message.Result {
			return message.Result{Ref: message.PushRef + "1", Reports: true}
		})
		h.say(dose)
		h.Settle()
		if len(p.Got) != 1 {
			h.Fatalf("%d pushes", len(p.Got))
		}
		m := p.Got[0]
		if m.Subject != "Elm" || m.Body != "Time for your 7:30 am medicines" || m.Link != "/r/"+h.Messages.LinkCode(&h.thread(h.Ruth.ID)[0]) {
			h.Errorf("the browser is given %+v", m)
		}
		for ref, known := range map[string]bool{"nobody's": false, message.PushRef + "2": false, message.PushRef + "1": true} {
			for range 2 {
				if err := h.Messages.Shown(h.Context(), ref); (err == nil) != known || err != nil && !fault.Is(err, fault.NotFound) {
					h.Fatalf("%s: %v", ref, err)
				}
			}
		}
		h.At(time.Hour)
		h.Want(h.SMS)
		if got := h.outbox(h.Ruth.ID); got != "push delivered" {
			h.Errorf("the outbox: %s", got)
		}
	})
}

// A device that is switched off shows nothing and says nothing: the text follows, with all that it has to say.
func TestPushThatIsNotShown(t *testing.T) {
	each(t, func(h *house) {
		h.pushing(func(m message.Outgoing) message.Result {
			return message.Result{Ref: message.PushRef + m.Ref, Reports: true}
		})
		h.say(dose)
		h.Settle()
		h.Want(h.SMS)
		h.At(11 * time.Minute)
		h.Want(h.SMS, ruthPhone+": Elm: Time for your 7:30 am medicines. Reply A1…Or tap https://elm.example/r/")
		if got := h.outbox(h.Ruth.ID); !strings.Contains(got, "push unknown") || !strings.Contains(got, "sms sent") {
			h.Errorf("the outbox: %s", got)
		}
	})
}

// A subscription that the browser has ended is forgotten at once, and the text goes out in its place.
func TestPushSubscriptionIsGone(t *testing.T) {
	each(t, func(h *house) {
		p := h.pushing(func(m message.Outgoing) message.Result {
			return message.Result{Err: errors.New("gone"), Never: true, Gone: true}
		})
		h.say(dose)
		h.Settle()
		h.Want(h.SMS, "Reply A1")
		h.Read(func(tx *store.Tx) error {
			list, err := h.People.Contacts(tx, org, h.Ruth.ID)
			for _, c := range list {
				if c.Channel == person.Push {
					h.Errorf("still there: %+v", c)
				}
			}
			return err
		})
		p.Took()
		h.say(message.Draft{Key: "next"})
		h.Settle()
		h.Want(p)
		h.Want(h.SMS, "This is a test")
	})
}

// A gateway that is set up while the server runs is used at once, and another in its place too.
func TestChannelSetWhileRunning(t *testing.T) {
	each(t, func(h *house) {
		ctx, stop := context.WithCancel(h.Context())
		done := make(chan error, 1)
		go func() { done <- h.Messages.Run(ctx) }()
		for !h.Messages.Running() {
			time.Sleep(time.Millisecond)
		}
		for _, key := range []string{"first", "second"} {
			p := h.pushing(nil)
			h.say(message.Draft{Key: key, Channels: []person.Channel{person.Push}})
			for n := 0; len(p.Took()) == 0; n++ {
				if n > 500 {
					h.Fatalf("the %s message stays where it is", key)
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		stop()
		if err := <-done; err != nil {
			h.Error(err)
		}
	})
}

// Every node of an installation signs with the same keys, whichever made them.
func TestPushKeysAreKept(t *testing.T) {
	each(t, func(h *house) {
		for _, fresh := range []message.PushKeys{{Private: "a", Public: "b"}, {Private: "c", Public: "d"}} {
			got, err := h.Messages.KeepPushKeys(h.Context(), fresh)
			if err != nil || got.Private != "a" || got.Public != "b" {
				h.Errorf("%+v %v", got, err)
			}
		}
	})
}

func TestPushAddress(t *testing.T) {
	t.Parallel()
	good := browser(t, "https://push.example/x")
	address, err := message.PushAddress(good)
	if again, _ := message.PushAddress(address); err != nil || again != address || message.PushEndpoint(address) != "https://push.example/x" {
		t.Errorf("%q %v", address, err)
	}
	for _, bad := range []string{"", "{}", "null", browser(t, "http://push.example/x"), browser(t, "https://"), browser(t, "https://me:key@push.example/"),
		strings.Replace(good, "https:", "https:"+strings.Repeat("x", 2000), 1), strings.Replace(good, "YWFhYWFhYWFhYWFhYWFhYQ", "YWFh", 1), strings.Replace(good, `"p256dh":"B`, `"p256dh":"A`, 1)} {
		if got, err := message.PushAddress(bad); err == nil {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
	if message.PushEndpoint("+15550100001") != "" {
		t.Error("a telephone has an endpoint")
	}
}

// A link that signs somebody in goes from the telephone to the mailbox, and not to a locked screen between.
func TestSignInLinkIsNotPushed(t *testing.T) {
	each(t, func(h *house) {
		p := h.pushing(func(message.Outgoing) message.Result { return message.Result{} })
		h.SMS.Answer = func(message.Outgoing) message.Result {
			return message.Result{Err: errors.New("no such number"), Never: true}
		}
		h.say(message.Draft{Key: "link", Raw: "Open https://elm.example/in/secret", Channels: []person.Channel{person.SMS}})
		h.Settle()
		h.Want(h.SMS, "secret")
		h.Want(h.Mail, "secret")
		h.Want(p)
	})
}
