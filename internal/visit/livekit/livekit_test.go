package livekit

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/visit"
)

var key = visit.Key{Org: "elm", Patient: "ruth", Visit: "v1"}

// A token is read by another implementation, and lets its seat into its room alone.
func TestTicket(t *testing.T) {
	t.Parallel()
	now := clock.NewSim(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	s, err := New("wss://video.example/", "key", "secret", now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Ticket(key, visit.Seat{ID: "seat"}, now.Now())
	if err != nil || got.URL != "wss://video.example" || got.Kind != "livekit" {
		t.Fatalf("%+v, %v", got, err)
	}
	claims := jwt.MapClaims{}
	if _, err := jwt.ParseWithClaims(got.Token, claims, func(*jwt.Token) (any, error) { return []byte("secret"), nil }, jwt.WithTimeFunc(now.Now), jwt.WithIssuer("key"), jwt.WithSubject("seat")); err != nil {
		t.Error(err)
	}
	if v, _ := json.Marshal(claims["video"]); string(v) != `{"room":"elm.v1","roomJoin":true}` {
		t.Errorf("it grants %s", v)
	}
	for _, bad := range []string{"", "video.example", "ftp://video.example"} {
		if _, err := New(bad, "key", "secret", now); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What is posted is what LiveKit's API takes (livekit/protocol: livekit_egress.proto, livekit_room.proto).
func TestRecordAndClose(t *testing.T) {
	t.Parallel()
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") {
			t.Errorf("%v, %q", err, r.Header.Get("Authorization"))
		}
		text, _ := json.Marshal(body)
		asked = append(asked, strings.TrimPrefix(r.URL.Path, "/twirp/livekit.")+" "+string(text))
		switch {
		case strings.HasSuffix(r.URL.Path, "StartRoomCompositeEgress"):
			w.Write([]byte(`{"egress_id":"EG_1","status":"EGRESS_STARTING"}`))
		case strings.HasSuffix(r.URL.Path, "DeleteRoom"):
			http.Error(w, `{"code":"not_found"}`, http.StatusNotFound) // nobody had come
		default:
			w.Write([]byte(`{}`))
		}
	}))
	defer api.Close()
	now := clock.NewSim(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	s, err := New(strings.Replace(api.URL, "http", "ws", 1), "key", "secret", now)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.Record(t.Context(), key, now.Now())
	if err != nil || id != "EG_1" {
		t.Errorf("%q, %v", id, err)
	}
	if err := s.Stop(t.Context(), key, id); err != nil {
		t.Error(err)
	}
	if err := s.Close(t.Context(), key); err != nil {
		t.Error(err)
	}
	want := []string{`Egress/StartRoomCompositeEgress {"file_outputs":[{"filepath":"visits/v1/20260302T120000Z.mp4"}],"layout":"grid","room_name":"elm.v1"}`,
		`Egress/StopEgress {"egress_id":"EG_1"}`, `RoomService/DeleteRoom {"room":"elm.v1"}`}
	if strings.Join(asked, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked %v", asked)
	}
	api.Close()
	if _, err := s.Record(t.Context(), key, now.Now()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a server that is gone: %v", err)
	}
}
