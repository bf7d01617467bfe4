package gateway

import (
	"bytes"
	"context"
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

// Push sends to browsers (RFC 8030, encrypted by RFC 8291, signed by VAPID, RFC 8292).
type Push struct {
	Public, Private string // VAPID keys, base64url
	Subject         string // https://… or mailto:… of who runs this server
	Client          *http.Client
}

// NewPushKeys makes a pair of VAPID keys.
func NewPushKeys() (private, public string, err error) { return webpush.GenerateVAPIDKeys() }

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
	urgency := webpush.UrgencyNormal
	if m.Severity >= message.Urgent {
		urgency = webpush.UrgencyHigh
	}
	body, err := json.Marshal(map[string]string{"body": m.Body, "tag": m.Ref})
	if err != nil {
		return message.Result{Err: err, Never: true}
	}
	res, err := webpush.SendNotificationWithContext(ctx, bytes.TrimSpace(body), &sub, &webpush.Options{HTTPClient: client(g.Client), Subscriber: strings.TrimPrefix(g.Subject, "mailto:"),
		VAPIDPublicKey: g.Public, VAPIDPrivateKey: g.Private, TTL: int((4 * time.Hour).Seconds()), Urgency: urgency})
	if err != nil {
		return message.Result{Err: fmt.Errorf("the push service does not answer: %w", stripURL(err))}
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode < 300:
		return message.Result{}
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
