package app

import (
	"context"
	"net/http"
	"net/mail"

	"doorstep/internal/message"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
	"doorstep/internal/web"
)

// pushing is how this server pushes to browsers.
type pushing struct {
	keys   message.PushKeys // none in the demo, which pushes nothing
	on     bool             // there is a subject that push services take
	client *http.Client     // nil but in tests: one that reaches public addresses alone
}

// loadPush reads the installation's key pair, making it on the first start.
func (g Gateways) loadPush(ctx context.Context) error {
	fresh, err := gateway.NewPushKeys()
	if err != nil {
		return err
	}
	keys, err := g.Messages.KeepPushKeys(ctx, fresh)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.push.keys = keys
	return nil
}

// usePush pushes from now on, where there is somebody whom a push service can write to.
// The caller holds the lock.
func (g Gateways) usePush(st web.Settings) {
	subject := pushSubject(st, g.PublicURL)
	if g.push.keys.Private == "" || subject == "" {
		if g.push.on {
			g.Messages.UnsetChannel(person.Push)
			g.push.on = false
		}
		return
	}
	g.set(person.Push, &gateway.Push{Keys: g.push.keys, Subject: subject, Client: g.push.client})
	g.push.on = true
}

// pushSubject answers who runs this server, for push services to complain to: the organization's mail address, else the public
// URL; empty when neither will do.
func pushSubject(st web.Settings, publicURL string) string {
	if from, err := mail.ParseAddress(st.Mail.From); err == nil {
		if subject := "mailto:" + from.Address; gateway.CheckSubject(subject) == nil {
			return subject
		}
	}
	if gateway.CheckSubject(publicURL) == nil {
		return publicURL
	}
	return ""
}

// PushKey answers the public key with which browsers subscribe; empty while this server cannot push.
func (g Gateways) PushKey() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.push.on {
		return ""
	}
	return g.push.keys.Public
}
