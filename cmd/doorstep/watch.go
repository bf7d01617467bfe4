package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
)

type watchCmd struct {
	URL        string        `help:"The server to watch." required:""`
	Every      time.Duration `help:"How often to look." default:"15s"`
	Patience   time.Duration `help:"How long it may be unwell before the operator is told." default:"60s"`
	Repeat     time.Duration `help:"How often to say it again while it lasts." default:"30m"`
	To         string        `help:"The operator's telephone." required:""`
	SMSURL     string        `name:"sms-url" help:"The text gateway's API, as in the set-up." required:""`
	SMSAccount string        `name:"sms-account" help:"The gateway's account." required:""`
	SMSToken   string        `name:"sms-token" help:"The gateway's token." required:""`
	SMSFrom    string        `name:"sms-from" help:"The number that texts come from." required:""`
}

// Run looks at /readyz from outside, with a gateway of its own: nothing that it needs is part of what it watches.
func (c watchCmd) Run(e *env) error {
	to, err := person.Phone(c.To)
	if err != nil {
		return usageError{err}
	}
	if c.URL, err = publicURL("--url", c.URL, ""); err != nil {
		return err
	}
	sms := &gateway.SMS{URL: strings.TrimSuffix(c.SMSURL, "/"), Account: c.SMSAccount, Token: c.SMSToken, From: c.SMSFrom}
	w := watchdog{patience: c.Patience, repeat: c.Repeat, look: func(ctx context.Context) string { return unwell(ctx, c.URL) },
		tell: func(ctx context.Context, n int, text string) error {
			ref := fmt.Sprintf("watch-%d-%d", time.Now().Unix(), n)
			return sms.Send(ctx, []message.Outgoing{{Ref: ref, To: to, Body: text, Severity: message.Severe}})[0].Err
		}, say: func(text string) { fmt.Fprintln(e.err, text) }}
	fmt.Fprintf(e.out, "Watching %s\n", c.URL)
	t := time.NewTicker(c.Every)
	defer t.Stop()
	for {
		w.round(e, time.Now())
		select {
		case <-e.Done():
			return nil
		case <-t.C:
		}
	}
}

// watchdog decides when the operator is told. A text that could not be sent is tried again at the next look.
type watchdog struct {
	patience, repeat time.Duration
	look             func(ctx context.Context) string // what is wrong; empty: all is well
	tell             func(ctx context.Context, n int, text string) error
	say              func(text string)

	since, told time.Time // since when it has been unwell; when the operator was last told; zero: not
	n           int
}

func (w *watchdog) round(ctx context.Context, now time.Time) {
	why := w.look(ctx)
	if ctx.Err() != nil {
		return
	}
	switch {
	case why == "" && w.told.IsZero():
		w.since = time.Time{}
	case why == "":
		if w.send(ctx, "Doorstep is well again. It was unwell for "+now.Sub(w.since).Round(time.Second).String()+".") {
			w.since, w.told = time.Time{}, time.Time{}
		}
	case w.since.IsZero():
		w.since = now
		w.say(why)
		fallthrough
	default:
		due := w.told.IsZero() && now.Sub(w.since) >= w.patience || !w.told.IsZero() && now.Sub(w.told) >= w.repeat
		if due && w.send(ctx, "Doorstep needs you: "+why+" (since "+w.since.UTC().Format("15:04 UTC")+")") {
			w.told = now
		}
	}
}

func (w *watchdog) send(ctx context.Context, text string) bool {
	w.n++
	w.say(text)
	if err := w.tell(ctx, w.n, text); err != nil {
		w.say("the operator could not be told: " + err.Error())
		return false
	}
	return true
}

// unwell asks a server how it is and answers what is wrong, in words that name no patient.
func unwell(ctx context.Context, base string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/readyz", nil)
	if err != nil {
		return "its address is wrong"
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return "it does not answer in time"
		}
		return "it does not answer"
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return ""
	}
	var body struct {
		Reasons []string `json:"reasons"`
	}
	b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if json.Unmarshal(b, &body) == nil && len(body.Reasons) > 0 {
		return strings.Join(body.Reasons, "; ")
	}
	return fmt.Sprintf("it is not ready (status %d)", res.StatusCode)
}
