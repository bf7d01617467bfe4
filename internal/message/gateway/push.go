package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	webpush "github.com/SherClockHolmes/webpush-go"

	"doorstep/internal/message"
)

// Push sends to browsers (RFC 8030, encrypted by RFC 8291, signed by VAPID, RFC 8292). Our service worker there reports what it has
// shown, so a push to a device that is switched off is followed by the next channel.
type Push struct {
	Keys    message.PushKeys
	Subject string       // https://… or mailto:… of who runs this server
	Client  *http.Client // nil: one that reaches public addresses alone
}

// NewPushKeys makes a pair of VAPID keys.
func NewPushKeys() (message.PushKeys, error) {
	private, public, err := webpush.GenerateVAPIDKeys()
	return message.PushKeys{Private: private, Public: public}, err
}

// notification is what the service worker is sent (static/worker.js reads it).
type notification struct {
	From string `json:"from"` // who says it; may be empty
	Body string `json:"body"`
	Tag  string `json:"tag"`  // the same message again replaces itself
	Link string `json:"link"` // the page to open
	Ref  string `json:"ref"`  // to be reported as shown
}

// CheckSubject says whether push services will take a subject: Apple refuses localhost with 403.
func CheckSubject(subject string) error {
	u, err := url.Parse(subject)
	if err != nil || (u.Scheme != "https" && u.Scheme != "mailto") {
		return fmt.Errorf("the push subject must begin with https:// or with mailto")
	}
	if strings.Contains(subject, "localhost") || u.Hostname() == "127.0.0.1" {
		return fmt.Errorf("the push subject must not be at localhost: some push services refuse it")
	}
	return nil
}

// Send pushes each message to its browser.
func (g *Push) Send(ctx context.Context, batch []message.Outgoing) []message.Result {
	out := make([]message.Result, len(batch))
	for i := range batch {
		out[i] = g.one(ctx, batch[i])
	}
	return out
}

func (g *Push) one(ctx context.Context, m message.Outgoing) message.Result {
	var sub webpush.Subscription
	if err := json.Unmarshal([]byte(m.To), &sub); err != nil {
		return message.Result{Err: fmt.Errorf("the browser's subscription cannot be read"), Never: true}
	}
	ctx, cancel, err := begin(ctx)
	if err != nil {
		return message.Result{Err: err}
	}
	defer cancel()
	ref := message.PushRef + rand.Text()
	body, err := json.Marshal(notification{From: m.Subject, Body: m.Body, Tag: m.Ref, Link: m.Link, Ref: ref})
	if err != nil {
		return message.Result{Err: err, Never: true}
	}
	// A reminder is for now: a normal urgency would let a sleeping telephone keep it back.
	res, err := webpush.SendNotificationWithContext(ctx, body, &sub, &webpush.Options{HTTPClient: pushClient(g.Client), Subscriber: strings.TrimPrefix(g.Subject, "mailto:"),
		VAPIDPublicKey: g.Keys.Public, VAPIDPrivateKey: g.Keys.Private, TTL: int(message.PushLives.Seconds()), Urgency: webpush.UrgencyHigh})
	if err != nil {
		return message.Result{Err: fmt.Errorf("the push service does not answer: %w", stripURL(err))}
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode < 300:
		return message.Result{Ref: ref, Reports: true}
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		return message.Result{Err: fmt.Errorf("the browser has ended its subscription (status %d)", res.StatusCode), Never: true, Gone: true}
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		wait, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return message.Result{Err: fmt.Errorf("the push service is busy (status %d)", res.StatusCode), Wait: time.Duration(wait) * time.Second}
	}
	return message.Result{Err: fmt.Errorf("the push service refused it (status %d)", res.StatusCode), Never: true}
}

func client(c *http.Client) *http.Client {
	if c == nil {
		return http.DefaultClient
	}
	return c
}
