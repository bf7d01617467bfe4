// Package livekit holds visits on a LiveKit server, which is reached by URL: for groups, and for recordings that everybody in the
// room has agreed to. Its API is Twirp (JSON posts) with a JSON web token of ours, so no SDK is linked.
package livekit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/visit"
)

const (
	ticketGood = 6 * time.Hour // a browser that loses the server comes back with the same token
	callGood   = time.Minute
	patience   = 10 * time.Second
	mostAnswer = 1 << 20
)

// Server is a LiveKit server.
type Server struct {
	url    string // of browsers: wss://…
	api    string // of its API: https://…
	key    string
	secret []byte
	clock  clock.Clock
	client *http.Client
}

// New reaches a server at wss://host (ws:// for one on this machine) with a key of its configuration.
func New(address, key, secret string, c clock.Clock) (*Server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Invalid, "%q is not the address of a LiveKit server, like wss://video.example", address)
	}
	browsers, programs := *u, *u
	switch u.Scheme {
	case "wss", "https":
		browsers.Scheme, programs.Scheme = "wss", "https"
	case "ws", "http":
		browsers.Scheme, programs.Scheme = "ws", "http"
	default:
		return nil, fault.New(fault.Invalid, "%q is not the address of a LiveKit server, like wss://video.example", address)
	}
	if key == "" || secret == "" {
		return nil, fault.New(fault.Invalid, "a LiveKit server needs a key and its secret")
	}
	return &Server{url: strings.TrimSuffix(browsers.String(), "/"), api: strings.TrimSuffix(programs.String(), "/"), key: key, secret: []byte(secret), clock: c,
		client: &http.Client{Timeout: patience}}, nil
}

// grant is the "video" claim of LiveKit's tokens.
type grant struct {
	Room   string `json:"room,omitempty"`
	Join   bool   `json:"roomJoin,omitempty"`
	Create bool   `json:"roomCreate,omitempty"`
	Admin  bool   `json:"roomAdmin,omitempty"`
	Record bool   `json:"roomRecord,omitempty"`
}

// room is the name of a visit's room there: ids alone.
func room(k visit.Key) string { return string(k.Org) + "." + string(k.Visit) }

// token signs a JSON web token (RFC 7519, HS256).
func (s *Server) token(identity string, g grant, now time.Time, good time.Duration) (string, error) {
	claims, err := json.Marshal(map[string]any{"iss": s.key, "sub": identity, "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(good).Unix(), "video": g})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	h := hmac.New(sha256.New, s.secret)
	io.WriteString(h, text)
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil)), nil
}

// Ticket implements visit.Room.
func (s *Server) Ticket(k visit.Key, seat visit.Seat, now time.Time) (visit.Ticket, error) {
	t, err := s.token(seat.ID, grant{Room: room(k), Join: true}, now, ticketGood)
	return visit.Ticket{Kind: "livekit", URL: s.url, Token: t}, err
}

// Close implements visit.Room. A room that is not there is closed.
func (s *Server) Close(ctx context.Context, k visit.Key) error {
	err := s.call(ctx, "RoomService/DeleteRoom", grant{Create: true}, map[string]any{"room": room(k)}, nil)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return err
}

// Record implements visit.Recorder: one picture of all, as LiveKit's egress lays it out, into the store that egress is set up for.
func (s *Server) Record(ctx context.Context, k visit.Key, now time.Time) (string, error) {
	var answer struct {
		ID string `json:"egress_id"`
	}
	err := s.call(ctx, "Egress/StartRoomCompositeEgress", grant{Record: true}, map[string]any{"room_name": room(k), "layout": "grid",
		"file_outputs": []any{map[string]any{"filepath": "visits/" + string(k.Visit) + "/" + now.UTC().Format("20060102T150405Z") + ".mp4"}}}, &answer)
	if err == nil && answer.ID == "" {
		err = fault.New(fault.Unavailable, "the LiveKit server did not say what it records")
	}
	return answer.ID, err
}

// Stop implements visit.Recorder.
func (s *Server) Stop(ctx context.Context, _ visit.Key, recording string) error {
	err := s.call(ctx, "Egress/StopEgress", grant{Record: true}, map[string]any{"egress_id": recording}, nil)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) { // it has ended
		err = nil
	}
	return err
}

// kinds are Twirp's statuses that mean something to us.
var kinds = map[int]fault.Kind{http.StatusNotFound: fault.NotFound, http.StatusConflict: fault.Conflict, http.StatusPreconditionFailed: fault.Conflict}

func (s *Server) call(ctx context.Context, method string, g grant, ask, answer any) error {
	t, err := s.token("doorstep", g, s.clock.Now(), callGood)
	if err != nil {
		return err
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.api+"/twirp/livekit."+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+t)
	got, err := s.client.Do(r)
	if err != nil {
		return fault.New(fault.Unavailable, "the LiveKit server cannot be reached: %w", err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, mostAnswer))
	if err != nil {
		return fault.New(fault.Unavailable, "the LiveKit server stopped answering: %w", err)
	}
	if got.StatusCode != http.StatusOK {
		kind, known := kinds[got.StatusCode]
		if !known {
			kind = fault.Unavailable
		}
		return fault.New(kind, "the LiveKit server answered %s: %s", got.Status, text[:min(len(text), 200)])
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
