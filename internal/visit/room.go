package visit

import (
	"context"
	"time"
)

// Room carries sound and picture of a visit. The visit is the same whichever it is.
type Room interface {
	// Ticket answers what a seat's browser needs to join, good for a short while from now.
	Ticket(k Key, s Seat, now time.Time) (Ticket, error)
	// Close ends the room for whoever is still in it.
	Close(ctx context.Context, k Key) error
}

// Recorder is a Room that can record.
type Recorder interface {
	// Record begins a recording and answers its name.
	Record(ctx context.Context, k Key, now time.Time) (string, error)
	// Stop ends it.
	Stop(ctx context.Context, k Key, recording string) error
}

// Ticket is how a browser joins.
type Ticket struct {
	Kind  string   `json:"kind"` // peers: browsers reach each other, with our signals; livekit: all reach a LiveKit server
	ICE   []Server `json:"ice,omitempty"`
	URL   string   `json:"url,omitempty"`
	Token string   `json:"token,omitempty"`
}

// Server helps browsers to reach each other, in the words of RTCIceServer.
type Server struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Relay gives a seat the use of a TURN server for a while.
type Relay interface {
	Servers(seat string, now time.Time) []Server
}

// Peers is a Room without a media server: every browser sends to every other.
type Peers struct{ Relay Relay } // nil: they must reach each other without help

// Ticket implements Room.
func (p Peers) Ticket(_ Key, s Seat, now time.Time) (Ticket, error) {
	t := Ticket{Kind: "peers"}
	if p.Relay != nil {
		t.ICE = p.Relay.Servers(s.ID, now)
	}
	return t, nil
}

// Close implements Room: the browsers hang up when they see that the meeting is over.
func (Peers) Close(context.Context, Key) error { return nil }
