package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	mail "github.com/wneessen/go-mail"

	"doorstep/internal/message"
)

// Mail submits messages to a mail server.
type Mail struct {
	Host           string
	Port           int // 0: 587
	User, Password string
	From           string
	Plain          bool // no TLS: for a server on this machine only
}

// Send submits a batch over one connection.
func (g *Mail) Send(ctx context.Context, batch []message.Outgoing) []message.Result {
	out := make([]message.Result, len(batch))
	fail := func(err error) []message.Result {
		for i := range out {
			out[i] = message.Result{Err: err}
		}
		return out
	}
	client, err := g.client()
	if err != nil {
		return fail(err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fail(fmt.Errorf("the mail server does not answer: %w", err))
	}
	defer client.Close()
	for i, m := range batch {
		out[i] = g.one(client, m)
	}
	return out
}

func (g *Mail) client() (*mail.Client, error) {
	port := g.Port
	if port == 0 {
		port = 587
	}
	opts := []mail.Option{mail.WithPort(port), mail.WithTimeout(20 * time.Second)}
	if g.Plain || loopback(g.Host) {
		opts = append(opts, mail.WithTLSPortPolicy(mail.TLSOpportunistic), mail.WithPort(port))
	} else {
		opts = append(opts, mail.WithTLSPortPolicy(mail.TLSMandatory), mail.WithPort(port))
	}
	if g.User != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(g.User), mail.WithPassword(g.Password))
	}
	return mail.NewClient(g.Host, opts...)
}

func loopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (g *Mail) one(client *mail.Client, m message.Outgoing) message.Result {
	msg := mail.NewMsg()
	if err := msg.From(g.From); err != nil {
		return message.Result{Err: errors.New("the sender's address is wrong"), Never: true}
	}
	if err := msg.To(m.To); err != nil {
		return message.Result{Err: errors.New("the address is wrong"), Never: true}
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.Ref + "@doorstep")
	msg.SetBodyString(mail.TypeTextPlain, m.Body)
	err := client.Send(msg)
	if err == nil {
		return message.Result{}
	}
	var refused *mail.SendError
	if errors.As(err, &refused) && !refused.IsTemp() {
		return message.Result{Err: errors.New("the mail server refused it"), Never: true}
	}
	return message.Result{Err: errors.New("the mail server could not take it now")}
}
