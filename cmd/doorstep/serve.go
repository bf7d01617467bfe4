package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/device"
	"doorstep/internal/fault"
	"doorstep/internal/message/gateway"
)

type serveCmd struct {
	where
	videoFlags
	Listen     string `help:"Address of the pages and the API." default:"127.0.0.1:8080"`
	MQTT       string `name:"mqtt" help:"Address of the embedded MQTT broker; empty: none." default:"127.0.0.1:1883"`
	MQTTBroker string `name:"mqtt-broker" help:"An outside MQTT 5 broker instead, by URL."`
	Private    bool   `name:"private-sites" help:"Readings may be asked for at sites in this server's own network too (a Nightscout behind the same firewall)."`
	PublicURL  string `name:"public-url" help:"How people reach this server, for links in messages. Empty: http:// and the listen address."`
}

const drain = 10 * time.Second // how long requests under way may take when the server stops

func (c serveCmd) Run(e *env) error {
	log := slog.New(slog.NewJSONHandler(e.err, nil))
	slog.SetDefault(log)
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fault.New(fault.Unavailable, "the address %s cannot be used (choose another with --listen): %w", c.Listen, err)
	}
	defer listener.Close()
	public, err := publicURL("--public-url", c.PublicURL, listener.Addr().String())
	if err != nil {
		return err
	}
	db, err := c.open(e)
	if err != nil {
		return err
	}
	defer db.Close()
	clk := clock.NewSystem()
	s, err := app.New(e, app.Options{DB: db, Clock: clk, IDs: clock.NewIDs(clk), PublicURL: public, Log: log})
	if err != nil {
		return err
	}
	if c.Private {
		s.Pull.SetClient(gateway.Anywhere)
	}
	media, closeVideo, err := c.use(s, public, clk, s.IDs, log)
	if err != nil {
		return err
	}
	defer closeVideo()
	handler, err := s.Handler(e, app.Edges{Version: version, Media: media})
	if err != nil {
		return err
	}
	closeMQTT, err := connectMQTT(s, c.MQTT, c.MQTTBroker)
	if err != nil {
		return err
	}
	defer closeMQTT()
	link, err := s.SetUpLink(e)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "Doorstep is at %s\n", public)
	if link != "" {
		fmt.Fprintf(e.out, "Nobody has set it up yet. Open this link within a day:\n  %s\n", link)
	}
	return serve(e, listener, handler, s.Run)
}

// publicURL answers how the server is reached, from a flag or else from where it listens.
func publicURL(flag, given, listening string) (string, error) {
	if given == "" && listening != "" {
		return "http://" + listening, nil
	}
	u, err := url.Parse(given)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", usagef("%s %q is not an address like https://doorstep.example", flag, given)
	}
	return strings.TrimSuffix(given, "/"), nil
}

// connectMQTT starts the embedded broker, or connects to an outside one.
func connectMQTT(s *app.Server, listen, broker string) (func(), error) {
	switch {
	case broker != "":
		host, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		up, err := device.Connect(s.Intake, broker, "doorstep-"+host)
		if err != nil {
			return nil, err
		}
		s.SetCue(up.Cue)
		return func() { up.Close() }, nil
	case listen != "":
		b, err := device.Listen(s.Intake, listen)
		if err != nil {
			return nil, err
		}
		s.SetCue(b.Cue)
		return func() { b.Close() }, nil
	}
	return func() {}, nil
}

// serve answers requests and keeps promises until ctx ends, then lets both finish.
func serve(ctx context.Context, l net.Listener, h http.Handler, work func(context.Context) error) error {
	// Requests live a little longer than ctx; streams end with it.
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error { return work(inner) })
	g.Go(func() error {
		err := server.Serve(l)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		return err
	})
	g.Go(func() error {
		<-inner.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		return server.Shutdown(end)
	})
	if err := g.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
