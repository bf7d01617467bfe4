package gateway

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"doorstep/internal/message"
)

// Voice calls people through a provider that speaks Twilio's form of HTTP: POST …/Accounts/{account}/Calls.json. When somebody picks up, the
// provider asks us, at Words, what to say.
type Voice struct {
	URL     string
	Account string
	Token   string
	From    string
	Words   string // where the words of a message are: its code is put after it
	Client  *http.Client
}

// Send starts a call for each message.
func (g *Voice) Send(ctx context.Context, batch []message.Outgoing) []message.Result {
	return sideBySide(ctx, batch, g.one)
}

func (g *Voice) one(ctx context.Context, m message.Outgoing) message.Result {
	code, ok := strings.CutPrefix(m.Link, "/r/")
	if !ok || code == "" {
		return message.Result{Err: errors.New("the message has no code to be spoken by"), Never: true}
	}
	form := url.Values{"To": {m.To}, "From": {g.From}, "Url": {g.Words + code}, "Timeout": {"30"}}
	return account{"telephone provider", g.URL, g.Account, g.Token, g.Client}.post(ctx, "Calls.json", m.Ref, form)
}

// Connect rings one end of a call and, when somebody picks up there, the other: both see the clinic's number.
func (g *Voice) Connect(ctx context.Context, ref, first, then string) error {
	var say strings.Builder
	say.WriteString(`<Response><Dial callerId="`)
	xml.EscapeText(&say, []byte(g.From))
	say.WriteString(`">`)
	xml.EscapeText(&say, []byte(then))
	say.WriteString(`</Dial></Response>`)
	form := url.Values{"To": {first}, "From": {g.From}, "Twiml": {say.String()}, "Timeout": {"30"}}
	return account{"telephone provider", g.URL, g.Account, g.Token, g.Client}.post(ctx, "Calls.json", ref, form).Err
}
