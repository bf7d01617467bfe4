package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/person"
)

// Text is what a telephone shows.
type Text struct {
	At     time.Time
	Ref    string
	Body   string
	Inward bool // written by the person
}

// SMS is a text gateway that takes texts, delivers them after a few seconds and reports so, except where a fault says otherwise.
type SMS struct {
	w     *World
	mu    sync.Mutex
	texts map[string][]Text
	took  map[string]string // by our reference: what the gateway would answer when asked
	n     int
}

// Send takes a batch.
func (g *SMS) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]message.Result, len(batch))
	for i, m := range batch {
		f := g.w.Faults
		if g.w.rand.Float64() < f.SMSFails {
			out[i] = message.Result{Err: errors.New("the gateway is busy")}
			continue
		}
		if g.took == nil {
			g.took = map[string]string{}
		}
		ref, again := g.took[m.Ref]
		if !again {
			g.n++
			ref = fmt.Sprintf("SM%08d", g.n)
			g.took[m.Ref] = ref
		}
		out[i] = message.Result{Ref: ref, Reports: true}
		if again {
			continue // the same reference twice is one text
		}
		chance := g.w.rand.Float64()
		switch {
		case chance < f.SMSLost:
		case chance < f.SMSLost+f.SMSRefused:
			g.report(ref, message.Failed, 20*time.Second)
		default:
			g.texts[m.To] = append(g.texts[m.To], Text{At: g.w.Clock.Now(), Ref: m.Ref, Body: m.Body})
			g.report(ref, message.Delivered, time.Duration(2+g.w.rand.IntN(8))*time.Second)
			g.w.heard(m.To, m.Body)
		}
	}
	return out
}

// report plans a delivery report; where reports come twice the second is late and says less.
func (g *SMS) report(ref string, state message.State, after time.Duration) {
	g.w.in(after, func(ctx context.Context) error { return g.w.Messages.Report(ctx, ref, state) })
	if g.w.Faults.ReportsTwice {
		g.w.in(after+time.Minute, func(ctx context.Context) error { return g.w.Messages.Report(ctx, ref, message.Sent) })
		g.w.in(after+2*time.Minute, func(ctx context.Context) error { return g.w.Messages.Report(ctx, ref, state) })
	}
}

// Took answers whether a text was taken (message.Reconciler).
func (g *SMS) Took(ref string) (string, bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.took[ref]
	return r, ok, nil
}

// Texts answers what a telephone shows, oldest first.
func (g *SMS) Texts(number string) []Text {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]Text(nil), g.texts[number]...)
}

// write puts a text that a person writes on the telephone and hands it to the server.
func (g *SMS) write(ctx context.Context, number, body string) error {
	g.mu.Lock()
	g.n++
	ref := fmt.Sprintf("IN%08d", g.n)
	g.texts[number] = append(g.texts[number], Text{At: g.w.Clock.Now(), Ref: ref, Body: body, Inward: true})
	g.mu.Unlock()
	return g.w.Messages.Receive(ctx, message.Inbound{Org: Org, Channel: person.SMS, From: number, Body: body, Ref: ref})
}

// Mail is a mail server.
type Mail struct {
	w    *World
	mu   sync.Mutex
	Sent []message.Outgoing
}

// Send takes a batch, or nothing when the server is down.
func (g *Mail) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]message.Result, len(batch))
	for i, m := range batch {
		if g.w.Faults.MailDown {
			out[i] = message.Result{Err: errors.New("the mail server does not answer")}
			continue
		}
		g.Sent = append(g.Sent, m)
	}
	return out
}
