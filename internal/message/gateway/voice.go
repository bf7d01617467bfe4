package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

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
	out := make([]message.Result, len(batch))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range batch {
		group.Go(func() error {
			out[i] = g.one(ctx, batch[i])
			return nil
		})
	}
	group.Wait()
	return out
}

func (g *Voice) one(ctx context.Context, m message.Outgoing) message.Result {
	ctx, cancel, err := begin(ctx)
	if err != nil {
		return message.Result{Err: err}
	}
	defer cancel()
	code, ok := strings.CutPrefix(m.Link, "/r/")
	if !ok {
		return message.Result{Err: fmt.Errorf("the message has no code to be spoken by"), Never: true}
	}
	form := url.Values{"To": {m.To}, "From": {g.From}, "Url": {g.Words + code}, "Timeout": {"30"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/Accounts/"+url.PathEscape(g.Account)+"/Calls.json", strings.NewReader(form.Encode()))
	if err != nil {
		return message.Result{Err: err, Never: true}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("I-Twilio-Idempotency-Token", m.Ref)
	req.SetBasicAuth(g.Account, g.Token)
	res, err := client(g.Client).Do(req)
	if err != nil {
		return message.Result{Err: fmt.Errorf("the telephone provider does not answer: %w", stripURL(err)), Unsure: true}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return message.Result{Err: err, Unsure: res.StatusCode < 300}
	}
	var answer struct {
		SID  string `json:"sid"`
		Code int    `json:"code"`
	}
	_ = json.Unmarshal(body, &answer) // an answer that is no JSON is judged by its status
	switch {
	case res.StatusCode < 300 && answer.SID != "":
		return message.Result{Ref: answer.SID}
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		return message.Result{Err: fmt.Errorf("the telephone provider is busy (status %d)", res.StatusCode)}
	}
	return message.Result{Err: fmt.Errorf("the telephone provider refused it (status %d, code %d)", res.StatusCode, answer.Code), Never: true}
}
