package app

import (
	"context"
	"fmt"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/visit"
	"doorstep/internal/web"
)

// Gateways take an organization's settings into use. A server sends for one organization: the first that set itself up.
type Gateways struct{ *Server }

// channels answers the channels that settings describe.
func (g Gateways) channels(org person.OrgID, st web.Settings) map[person.Channel]message.Channel {
	out := map[person.Channel]message.Channel{}
	if st.SMS.URL != "" {
		out[person.SMS] = &gateway.SMS{URL: st.SMS.URL, Account: st.SMS.Account, Token: st.SMS.Token, From: st.SMS.From, Callback: g.PublicURL + "/hooks/sms/" + string(org) + "/status"}
	}
	if st.SMS.URL != "" { // the same account calls those who take no texts
		out[person.Voice] = &gateway.Voice{URL: st.SMS.URL, Account: st.SMS.Account, Token: st.SMS.Token, From: st.SMS.From, Words: g.PublicURL + "/hooks/voice/" + string(org) + "/say/"}
	}
	if st.Mail.Host != "" {
		out[person.Mail] = &gateway.Mail{Host: st.Mail.Host, Port: st.Mail.Port, User: st.Mail.User, Password: st.Mail.Password, From: st.Mail.From}
	}
	return out
}

// Ring is visit.Telephone: it puts a call through by the provider that is set. Without one the desk calls.
func (s *Server) Ring(ctx context.Context, c visit.Call) error {
	v := s.voice.Load()
	if v == nil {
		return fault.New(fault.Unavailable, "No telephone provider is set.")
	}
	return v.Connect(ctx, clock.DerivedID("ring", string(c.Org), string(c.Visit), c.To, c.From), c.From, c.To)
}

// Use takes settings into use at once. A gateway whose settings have been emptied is used no more.
func (g Gateways) Use(org person.OrgID, st web.Settings) error {
	channels := g.channels(org, st)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range [...]person.Channel{person.SMS, person.Voice, person.Mail} {
		if ch := channels[name]; ch != nil {
			g.set(name, ch)
			g.setBy[name] = org
		} else if g.setBy[name] == org { // what another organization has set, or a test, stays
			g.Messages.UnsetChannel(name)
			delete(g.setBy, name)
		}
	}
	if v, ok := channels[person.Voice].(*gateway.Voice); ok {
		g.voice.Store(v)
	} else if g.setBy[person.Voice] == "" {
		g.voice.Store(nil)
	}
	g.usePush(st)
	return nil
}

func (g Gateways) set(name person.Channel, ch message.Channel) {
	if g.Metrics != nil {
		ch = g.Metrics.Channel(name, ch)
	}
	g.Messages.SetChannel(name, ch)
}

// Try sends one message by a gateway, outside the outbox, and answers what the gateway said.
func (g Gateways) Try(ctx context.Context, st web.Settings, name person.Channel, to, subject, body string) error {
	ch := g.channels("", st)[name]
	if ch == nil {
		return fault.Invalidf("Please fill in the gateway first.")
	}
	if sms, ok := ch.(*gateway.SMS); ok {
		sms.Callback = ""
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	got := ch.Send(ctx, []message.Outgoing{{Ref: g.IDs.New(), To: to, Subject: subject, Body: body}})
	if err := got[0].Err; err != nil {
		return fault.New(fault.Unavailable, "The test message was not taken: %s.", err)
	}
	return nil
}

// load takes the stored settings into use when the server starts. A server that nobody has set up yet can push already.
func (g Gateways) load(ctx context.Context) error {
	var org person.Org
	if err := g.DB.Read(ctx, func(tx *store.Tx) error {
		orgs, err := g.People.Orgs(tx)
		if len(orgs) > 0 {
			org = orgs[0]
		}
		return err
	}); err != nil {
		return err
	}
	if err := g.loadPush(ctx); err != nil {
		return err
	}
	st, err := web.ReadSettings(org)
	if err != nil {
		return fmt.Errorf("the organization's settings cannot be read: %w", err)
	}
	return g.Use(org.ID, st)
}

// SMSToken answers the secret with which an organization's text gateway signs what it posts to us.
func (g Gateways) SMSToken(org person.OrgID) string {
	var token string
	g.DB.Read(context.Background(), func(tx *store.Tx) error {
		o, err := g.People.Org(tx, org)
		if err != nil {
			return err
		}
		st, err := web.ReadSettings(o)
		token = st.SMS.Token
		return err
	})
	return token
}

// setUpLives is how long the first start's link holds.
const setUpLives = 24 * time.Hour

// SetUpLink answers the link with which the first member of staff sets the organization up; empty when there is one already.
func (s *Server) SetUpLink(ctx context.Context) (string, error) {
	link := ""
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		orgs, err := s.People.Orgs(tx)
		if err != nil || len(orgs) > 0 {
			return err
		}
		secret, err := s.People.NewLink(tx, person.Link{Org: FirstOrg, Person: "setup", Purpose: person.SetupLink, Until: s.Clock.Now().Add(setUpLives)})
		link = s.PublicURL + "/setup/" + secret
		return err
	})
	return link, err
}
