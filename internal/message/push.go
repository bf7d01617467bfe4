package message

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// A push is glanced at on a locked screen, so it is shorter than a text and says how to open the rest. The message keeps the
// words of the text all the same: if the push is not shown, the next channel has everything to say.

// glance puts a message into the few words of a notification, its sender apart, and names the page that it opens. Words that
// have no short form are shown as they are: every text is safe on a locked screen.
func (s *Service) glance(ctx context.Context, m *Message, out *Outgoing) error {
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		o, err := s.people.Org(tx, m.Org)
		out.Subject = o.Name
		return err
	}); err != nil {
		return err
	}
	out.Link = "/"
	if code := s.LinkCode(m); code != "" && m.Promises != "" {
		out.Link = "/r/" + code
	}
	if !words.Has("push." + m.Say) {
		return nil
	}
	known := map[string]string{"clinic": out.Subject}
	for _, form := range [...]string{".late", ""} {
		for _, lang := range words.Languages {
			if args, ok := words.Read(lang, "sms."+m.Say+form, m.Body, known); ok {
				key := "push." + m.Say
				if words.Has(key + form) {
					key += form
				}
				out.Body = words.Say(lang, key, args)
				return nil
			}
		}
	}
	return nil
}

// PushLives is how long a push may wait for its device: after it the next channel is under way, and a late one would be the second.
const PushLives = reportWithin

// PushRef begins the reference of a message that a browser is to report as shown.
const PushRef = "push-"

// Shown takes a browser's word that it has shown a push. Anybody may call it, so a reference that nobody can know is looked for
// before anything is written. NotFound: there is no such push, or it is not yet written down that it was sent.
func (s *Service) Shown(ctx context.Context, ref string) error {
	known := false
	unknown := fault.NotFoundf("There is no such message.")
	if !strings.HasPrefix(ref, PushRef) {
		return unknown
	}
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		list, err := s.list(tx, "ref = $1", ref)
		known = len(list) > 0
		return err
	}); err != nil {
		return err
	}
	if !known {
		return unknown
	}
	return s.Report(ctx, ref, Delivered)
}

// subscription is a browser's own (W3C Push API, PushSubscription.toJSON): where to push to, and for whose eyes.
type subscription struct {
	Endpoint string `json:"endpoint"`
	Keys     struct {
		Auth   string `json:"auth"`
		P256dh string `json:"p256dh"`
	} `json:"keys"`
}

// longestSubscription bounds a subscription in bytes; real ones have about 400.
const longestSubscription = 2000

// PushAddress reads a browser's subscription into the form in which it is kept as an address: the same browser always has the same.
func PushAddress(text string) (string, error) {
	bad := fault.Invalidf("This device cannot show reminders. You will still get them as before.")
	var sub subscription
	if len(text) > longestSubscription || json.Unmarshal([]byte(text), &sub) != nil {
		return "", bad
	}
	to, err := url.Parse(sub.Endpoint)
	if err != nil || to.Scheme != "https" || to.Host == "" || to.User != nil {
		return "", bad
	}
	point, err := base64.RawURLEncoding.DecodeString(sub.Keys.P256dh)
	if err != nil {
		return "", bad
	}
	if _, err := ecdh.P256().NewPublicKey(point); err != nil {
		return "", bad
	}
	if auth, err := base64.RawURLEncoding.DecodeString(sub.Keys.Auth); err != nil || len(auth) != 16 {
		return "", bad
	}
	b, err := json.Marshal(sub)
	return string(b), err
}

// PushEndpoint answers where an address pushes to, by which a browser knows its own subscription; empty when it is none.
func PushEndpoint(address string) string {
	var sub subscription
	if json.Unmarshal([]byte(address), &sub) != nil {
		return ""
	}
	return sub.Endpoint
}

// PushKeys are the VAPID key pair of this installation (RFC 8292), base64url.
type PushKeys struct{ Private, Public string }

// KeepPushKeys answers the key pair of this installation, which is the fresh one unless there is one already: every node signs with
// the same, and a browser's subscription is bound to it.
func (s *Service) KeepPushKeys(ctx context.Context, fresh PushKeys) (PushKeys, error) {
	var kept []byte
	err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) (err error) {
		kept, err = keepSecret(tx, "vapid", []byte(fresh.Private+" "+fresh.Public))
		return err
	})
	private, public, _ := strings.Cut(string(kept), " ")
	return PushKeys{private, public}, err
}
