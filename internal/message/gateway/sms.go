// Package gateway holds the channels to the outside world: texts over a Twilio-style HTTP API, mail over SMTP, web push.
package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/message"
)

// SMS sends texts through a gateway that speaks Twilio's form of HTTP: POST …/Accounts/{account}/Messages.json.
type SMS struct {
	URL      string // of the API, without a slash at the end: https://api.example/2010-04-01
	Account  string
	Token    string
	From     string // the number that texts come from
	Callback string // where delivery reports are to go; empty: no reports will come
	Client   *http.Client
}

const (
	atOnce   = 8 // requests under way
	answerIn = 20 * time.Second
)

// Send hands every text over, a few at a time.
func (g *SMS) Send(ctx context.Context, batch []message.Outgoing) []message.Result {
	return sideBySide(ctx, batch, g.one)
}

// sideBySide hands a batch over, a few at a time.
func sideBySide(ctx context.Context, batch []message.Outgoing, one func(context.Context, message.Outgoing) message.Result) []message.Result {
	out := make([]message.Result, len(batch))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range batch {
		group.Go(func() error {
			out[i] = one(ctx, batch[i])
			return nil
		})
	}
	group.Wait()
	return out
}

// begin answers the context of one request. One that has begun is waited for while the server stops: given up half-way, nobody
// would know whether the message goes out, and it would go out again.
func begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	end := time.Now().Add(answerIn)
	if at, ok := ctx.Deadline(); ok && at.Before(end) {
		end = at
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	return ctx, cancel, nil
}

func (g *SMS) one(ctx context.Context, m message.Outgoing) message.Result {
	form := url.Values{"To": {m.To}, "From": {g.From}, "Body": {m.Body}}
	if g.Callback != "" {
		form.Set("StatusCallback", g.Callback+"?ref="+url.QueryEscape(m.Ref))
	}
	got := account{"text gateway", g.URL, g.Account, g.Token, g.Client}.post(ctx, "Messages.json", m.Ref, form)
	got.Reports = got.Err == nil && g.Callback != ""
	return got
}

// account is one of ours at a provider that speaks Twilio's form of HTTP.
type account struct {
	called, url, name, token string
	client                   *http.Client
}

// post gives a form to the provider, by our reference: it takes the same one once.
func (a account) post(ctx context.Context, what, ref string, form url.Values) message.Result {
	ctx, cancel, err := begin(ctx)
	if err != nil {
		return message.Result{Err: err}
	}
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/Accounts/"+url.PathEscape(a.name)+"/"+what, strings.NewReader(form.Encode()))
	if err != nil {
		return message.Result{Err: err, Never: true}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("I-Twilio-Idempotency-Token", ref)
	req.SetBasicAuth(a.name, a.token)
	var given atomic.Bool // the whole request went out: whether the message goes too, only the answer would say
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{WroteRequest: func(w httptrace.WroteRequestInfo) { given.Store(w.Err == nil) }}))
	res, err := client(a.client).Do(req)
	if err != nil {
		return message.Result{Err: fmt.Errorf("the %s does not answer: %w", a.called, stripURL(err)), Unsure: given.Load()}
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
		wait, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return message.Result{Err: fmt.Errorf("the %s is busy (status %d)", a.called, res.StatusCode), Wait: time.Duration(wait) * time.Second}
	}
	// The provider's own words may repeat the number: only its code is kept.
	return message.Result{Err: fmt.Errorf("the %s refused it (status %d, code %d)", a.called, res.StatusCode, answer.Code), Never: true}
}

// stripURL takes the address out of a transport error: logs must not hold it.
func stripURL(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}

// Signature answers what X-Twilio-Signature must be for a form posted to a URL: base64 of HMAC-SHA1, keyed with the token,
// over the URL and the sorted form fields (Twilio: "Validating requests").
func Signature(token, address string, form url.Values) string {
	var b strings.Builder
	b.WriteString(address)
	for _, k := range slices.Sorted(maps.Keys(form)) {
		for _, v := range form[k] {
			b.WriteString(k + v)
		}
	}
	h := hmac.New(sha1.New, []byte(token))
	h.Write([]byte(b.String()))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Signed reports whether a signature is the right one.
func Signed(token, address string, form url.Values, signature string) bool {
	return token != "" && hmac.Equal([]byte(Signature(token, address, form)), []byte(signature))
}

// Status answers what a gateway's word for a delivery means; false when it says nothing new.
func Status(word string) (message.State, bool) {
	switch word {
	case "delivered", "read":
		return message.Delivered, true
	case "failed", "undelivered", "canceled":
		return message.Failed, true
	}
	return 0, false
}
