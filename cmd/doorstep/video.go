package main

import (
	"log/slog"
	"net/url"
	"os"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/visit"
	"doorstep/internal/visit/livekit"
	"doorstep/internal/visit/turn"
)

// videoFlags say what carries visits by video.
type videoFlags struct {
	TURN       string `name:"turn" help:"UDP and TCP address of the relay for visits by video, like 0.0.0.0:3478; empty: none."`
	TURNIP     string `name:"turn-ip" help:"IP address by which others reach the relay, where it is not the one it listens on."`
	LiveKitURL string `name:"livekit-url" help:"Hold visits by video on this LiveKit server (wss://…); key and secret in DOORSTEP_LIVEKIT_KEY and DOORSTEP_LIVEKIT_SECRET."`
}

// use puts the room of visits on the server. It answers the address that pages must be able to reach, and what to close.
func (f videoFlags) use(s *app.Server, public string, c clock.Clock, ids *clock.IDs, log *slog.Logger) (media string, stop func(), err error) {
	stop = func() {}
	if f.LiveKitURL != "" {
		k, err := livekit.New(f.LiveKitURL, os.Getenv("DOORSTEP_LIVEKIT_KEY"), os.Getenv("DOORSTEP_LIVEKIT_SECRET"), c)
		if err != nil {
			return "", stop, usagef("--livekit-url: %v", err)
		}
		s.Visits.SetRoom(k)
		return f.LiveKitURL, stop, nil
	}
	if f.TURN == "" {
		return "", stop, nil
	}
	o := turn.Options{Listen: f.TURN, IP: f.TURNIP, Secret: ids.Secret(52), Clock: c, Log: log}
	if u, err := url.Parse(public); err == nil && f.TURNIP == "" {
		o.Host = u.Hostname()
	}
	relay, err := turn.Listen(o)
	if err != nil {
		return "", stop, err
	}
	s.Visits.SetRoom(visit.Peers{Relay: relay})
	return "", func() { relay.Close() }, nil
}
