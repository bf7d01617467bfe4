package device

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"doorstep/internal/clock"
	"doorstep/internal/reading"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

var rooms = []storetest.Room{{Name: "reading", FS: reading.Migrations}}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

type edge struct {
	*testing.T
	db      *store.DB
	in      *Intake
	broker  *Broker
	fail    error // what the ledger answers
	mu      sync.Mutex
	log     bytes.Buffer
	dev     reading.Device
	key     string
	other   reading.Device
	handler http.Handler
}

func (e *edge) Stored(*store.Tx, string, string, []reading.Sample) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fail
}
func (e *edge) Alert(*store.Tx, reading.Alert) error { return nil }

func (e *edge) setFail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = err
}

func each(t *testing.T, fn func(e *edge)) {
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		e := &edge{T: t, db: db}
		c := clock.NewSim(noon)
		service := reading.New(db, c, clock.SeededIDs(c, 1))
		service.Listen(e)
		e.in = &Intake{Service: service, Clock: c, Log: slog.New(slog.NewTextHandler(&e.log, nil))}
		e.dev, e.key = e.device("ana")
		e.other, _ = e.device("ben")
		var err error
		if e.broker, err = Listen(e.in, "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		e.handler = HTTPHandler(e.in)
		t.Cleanup(func() { e.broker.Close() })
		fn(e)
	})
}

func (e *edge) device(patient string) (reading.Device, string) {
	e.Helper()
	s := e.in.Service
	id, key, err := s.Register(e.Context(), "org", "watch")
	if err != nil {
		e.Fatal(err)
	}
	if err := s.Assign(e.Context(), "org", id, patient, noon.AddDate(0, -1, 0), time.Time{}); err != nil {
		e.Fatal(err)
	}
	dev, err := s.SignIn(e.Context(), id, key)
	if err != nil {
		e.Fatal(err)
	}
	return dev, key
}

func (e *edge) values(patient, series string) []float64 {
	e.Helper()
	list, err := e.in.Service.Samples(e.Context(), "org", patient, series, noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0))
	if err != nil {
		e.Fatal(err)
	}
	var out []float64
	for _, s := range list {
		out = append(out, s.Value)
	}
	return out
}

func pulse(seq int, v float64) string {
	return fmt.Sprintf(`{"seq":%d,"at":"%s","series":"8867-4","value":%v,"unit":"/min"}`, seq, noon.Add(time.Duration(seq-100)*time.Second).Format(time.RFC3339), v)
}

func (e *edge) topic(stream string) string { return topicRoot + e.dev.ID + "/up/" + stream }

// Over MQTT 3.1.1: readings, pill events and characteristics are stored before the PUBACK.
func TestMQTT3(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		if _, err := dialMini(e.broker.Addr(), "x", e.dev.ID, "wrong"); err == nil {
			e.Error("signed in with a wrong key")
		}
		c, err := dialMini(e.broker.Addr(), "x", e.dev.ID, e.key)
		if err != nil {
			e.Fatal(err)
		}
		defer c.close()
		for i, message := range []string{pulse(1, 72), pulse(1, 72), "[" + pulse(2, 73) + "," + pulse(3, 74) + "]"} {
			if err := c.publish(e.topic("reading"), []byte(message)); err != nil {
				e.Fatalf("message %d: %v", i, err)
			}
		}
		if got := e.values("ana", "8867-4"); fmt.Sprint(got) != "[72 73 74]" {
			e.Errorf("%v", got)
		}
		weight, _ := hex.DecodeString("00B036")
		if err := c.publish(e.topic("gatt/2A9D"), weight); err != nil {
			e.Fatal(err)
		}
		if got := e.values("ana", "29463-7"); fmt.Sprint(got) != "[70]" {
			e.Errorf("%v", got)
		}
		if err := c.publish(e.topic("pill"), []byte(`{"seq":1,"at":"2026-03-02T11:59:00Z","event":"open","slot":1}`)); err != nil {
			e.Fatal(err)
		}
		pills, err := e.in.Service.PillEvents(e.Context(), "org", "ana", noon.AddDate(0, 0, -1), noon)
		if err != nil || len(pills) != 1 {
			e.Errorf("%v %v", pills, err)
		}
		// What cannot be read is acknowledged and kept aside, and does not stand in the log.
		secret := `{"name":"Ana Perez"`
		for _, stream := range []string{"reading", "pill", "gatt/2A35", "gatt/FFFF", "nonsense"} {
			if err := c.publish(e.topic(stream), []byte(secret)); err != nil {
				e.Errorf("%s: %v", stream, err)
			}
		}
		q, err := e.in.Service.Quarantined(e.Context(), "org", 100)
		if err != nil || len(q) != 5 || string(q[0].Payload) != secret {
			e.Errorf("%v %v", q, err)
		}
		if e.in.Counts().Malformed != 5 || strings.Contains(e.log.String(), "Perez") {
			e.Errorf("%+v %s", e.in.Counts(), e.log.String())
		}
	})
}

// A device may not publish for another: the connection ends and nothing is stored.
func TestOwnTopicsOnly(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		for _, topic := range []string{topicRoot + e.other.ID + "/up/reading", topicRoot + e.dev.ID + "/down/cue", "other", topicRoot + e.dev.ID + "/up/"} {
			c, err := dialMini(e.broker.Addr(), e.other.ID, e.dev.ID, e.key)
			if err != nil {
				e.Fatal(err)
			}
			if err := c.publish(topic, []byte(pulse(1, 72))); err == nil {
				e.Errorf("%s was acknowledged", topic)
			}
			c.close()
		}
		if a, b := e.values("ana", "8867-4"), e.values("ben", "8867-4"); len(a)+len(b) != 0 {
			e.Errorf("%v %v", a, b)
		}
	})
}

// A device that signed in with a key that is no longer its own is disconnected; it comes back with the new one.
func TestRotatedKeyEndsTheSession(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		old, err := dialMini(e.broker.Addr(), "x", e.dev.ID, e.key)
		if err != nil {
			e.Fatal(err)
		}
		defer old.close()
		if err := old.publish(e.topic("reading"), []byte(pulse(1, 72))); err != nil {
			e.Fatal(err)
		}
		var key string
		if err := e.db.Write(e.Context(), func(tx *store.Tx) (err error) {
			key, err = e.in.Service.Rotate(tx, "org", e.dev.ID)
			return err
		}); err != nil {
			e.Fatal(err)
		}
		old.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := old.r.ReadByte(); !errors.Is(err, io.EOF) {
			e.Fatalf("the session goes on: %v", err)
		}
		if _, err := dialMini(e.broker.Addr(), "x", e.dev.ID, e.key); err == nil {
			e.Error("signed in with the old key")
		}
		c, err := dialMini(e.broker.Addr(), "x", e.dev.ID, key)
		if err != nil {
			e.Fatal(err)
		}
		defer c.close()
		e.broker.checkKeys(func(reading.Device) bool { return true })
		if err := c.publish(e.topic("reading"), []byte(pulse(2, 73))); err != nil {
			e.Error(err)
		}
		if got := e.values("ana", "8867-4"); fmt.Sprint(got) != "[72 73]" {
			e.Errorf("%v", got)
		}
	})
}

// No acknowledgement when the database has not got it; sent again later it is stored once.
func TestNoAckWithoutCommit(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		e.setFail(errors.New("the ledger is away"))
		c, err := dialMini(e.broker.Addr(), "x", e.dev.ID, e.key)
		if err != nil {
			e.Fatal(err)
		}
		if err := c.publish(e.topic("reading"), []byte(pulse(1, 72))); err == nil {
			e.Error("acknowledged")
		}
		c.close()
		e.setFail(nil)
		if c, err = dialMini(e.broker.Addr(), "x", e.dev.ID, e.key); err != nil {
			e.Fatal(err)
		}
		defer c.close()
		for range 2 {
			if err := c.publish(e.topic("reading"), []byte(pulse(1, 72))); err != nil {
				e.Error(err)
			}
		}
		if got := e.values("ana", "8867-4"); len(got) != 1 {
			e.Errorf("%v", got)
		}
	})
}

// paho5 connects a real MQTT 5 client.
func paho5(ctx context.Context, t *testing.T, addr, user, key string, got chan<- string) *autopaho.ConnectionManager {
	t.Helper()
	conf := autopaho.ClientConfig{ServerUrls: []*url.URL{{Scheme: "mqtt", Host: addr}}, KeepAlive: 20, ConnectUsername: user, ConnectPassword: []byte(key),
		ClientConfig: paho.ClientConfig{ClientID: "client-" + user, OnPublishReceived: []func(paho.PublishReceived) (bool, error){
			func(p paho.PublishReceived) (bool, error) { got <- string(p.Packet.Payload); return true, nil }}}}
	m, err := autopaho.NewConnection(ctx, conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AwaitConnection(ctx); err != nil {
		t.Fatal(err)
	}
	return m
}

// Over MQTT 5: a reading is acknowledged, a foreign topic is refused, a cue comes to its device and to no other.
func TestMQTT5AndCue(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		ctx, cancel := context.WithTimeout(e.Context(), 20*time.Second)
		defer cancel()
		got := make(chan string, 10)
		m := paho5(ctx, e.T, e.broker.Addr(), e.dev.ID, e.key, got)
		if res, err := m.Publish(ctx, &paho.Publish{Topic: e.topic("reading"), QoS: 1, Payload: []byte(pulse(1, 72))}); err != nil || res.ReasonCode != 0 {
			e.Errorf("%+v %v", res, err)
		}
		if res, _ := m.Publish(ctx, &paho.Publish{Topic: topicRoot + e.other.ID + "/up/reading", QoS: 1, Payload: []byte(pulse(1, 72))}); res == nil || res.ReasonCode < 0x80 {
			e.Errorf("a foreign topic: %+v", res)
		}
		if err := e.broker.Cue(e.dev.ID, []byte("early")); err == nil {
			e.Error("a cue to nobody was taken")
		}
		for topic, allowed := range map[string]bool{topicRoot + e.other.ID + "/down/cue": false, topicRoot + "+/down/cue": false, "#": false, topicRoot + e.dev.ID + "/down/#": true} {
			if _, err := m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic, QoS: 1}}}); (err == nil) != allowed {
				e.Errorf("subscription to %s: %v", topic, err)
			}
		}
		if err := e.broker.Cue(e.dev.ID, []byte(`{"cue":"light"}`)); err != nil {
			e.Fatal(err)
		}
		select {
		case body := <-got:
			if body != `{"cue":"light"}` {
				e.Errorf("%s", body)
			}
		case <-ctx.Done():
			e.Fatal("no cue")
		}
		e.hubOver(ctx, m, got)
		cancel()
		<-m.Done()
		if v := e.values("ana", "8867-4"); len(v) != 1 || len(e.values("ben", "8867-4")) != 0 {
			e.Errorf("%v", v)
		}
	})
}

// allowAll is the sign-in of an outside broker that trusts everybody.
type allowAll struct{ mqtt.HookBase }

func (allowAll) Provides(b byte) bool                                    { return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck }
func (allowAll) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }
func (allowAll) OnACLCheck(*mqtt.Client, string, bool) bool              { return true }

// Through an outside broker: a shared subscription, acknowledged after the commit.
func TestUplink(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		ctx, cancel := context.WithTimeout(e.Context(), 30*time.Second)
		defer cancel()
		outside := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler), InlineClient: true})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			e.Fatal(err)
		}
		if err := errors.Join(outside.AddHook(new(allowAll), nil), outside.AddListener(listeners.NewNet("t", l)), outside.Serve()); err != nil {
			e.Fatal(err)
		}
		defer outside.Close()
		up, err := Connect(e.in, "mqtt://"+l.Addr().String(), "node-1")
		if err != nil {
			e.Fatal(err)
		}
		defer up.Close()
		for len(outside.Topics.Subscribers(e.topic("reading")).Shared) == 0 {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
				e.Fatal("no subscription")
			}
		}
		e.setFail(errors.New("the ledger is away"))
		got := make(chan string, 10)
		m := paho5(ctx, e.T, l.Addr().String(), e.dev.ID, "", got)
		if _, err := m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: cueTopic(e.dev.ID), QoS: 1}}}); err != nil {
			e.Fatal(err)
		}
		for i := range 20 {
			if _, err := m.Publish(ctx, &paho.Publish{Topic: e.topic("reading"), QoS: 1, Payload: []byte(pulse(i, 72))}); err != nil {
				e.Fatal(err)
			}
		}
		if _, err := m.Publish(ctx, &paho.Publish{Topic: topicRoot + "nobody/up/reading", QoS: 1, Payload: []byte(pulse(1, 72))}); err != nil {
			e.Fatal(err)
		}
		e.setFail(nil) // what failed is tried again
		for len(e.values("ana", "8867-4")) < 20 {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				e.Fatalf("%d stored", len(e.values("ana", "8867-4")))
			}
		}
		if err := up.Cue(e.dev.ID, []byte("light")); err != nil {
			e.Fatal(err)
		}
		select {
		case <-got:
		case <-ctx.Done():
			e.Fatal("no cue")
		}
		e.hubOver(ctx, m, got)
		cancel()
		<-m.Done()
	})
}

// hubOver sends bytes with the time at which a hub got them, twice, and asks for the plan.
func (e *edge) hubOver(ctx context.Context, m *autopaho.ConnectionManager, got <-chan string) {
	e.Helper()
	if _, err := m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topicRoot + e.dev.ID + "/down/plan", QoS: 1}}}); err != nil {
		e.Fatal(err)
	}
	now := e.in.Clock.Now()
	for range 2 {
		if _, err := m.Publish(ctx, &paho.Publish{Topic: e.topic("gatt/2A9D"), QoS: 1, Payload: []byte{0, 0xb0, 0x36}, Properties: &paho.PublishProperties{User: paho.UserProperties{
			{Key: "at", Value: now.Add(-2 * time.Hour).Format(time.RFC3339)}, {Key: "clock", Value: now.Add(time.Hour).Format(time.RFC3339)}, {Key: "other", Value: "x"}}}}); err != nil {
			e.Fatal(err)
		}
	}
	if _, err := m.Publish(ctx, &paho.Publish{Topic: e.topic("plan"), QoS: 1, Payload: []byte("{}")}); err != nil {
		e.Fatal(err)
	}
	select {
	case body := <-got:
		if !strings.Contains(body, `"cues":[]`) {
			e.Error(body)
		}
	case <-ctx.Done():
		e.Fatal("no plan")
	}
	var list []reading.Sample
	for len(list) == 0 && ctx.Err() == nil { // an outside broker acknowledges before it is stored
		var err error
		if list, err = e.in.Service.Samples(ctx, "org", "ana", "29463-7", now.Add(-24*time.Hour), now.Add(24*time.Hour)); err != nil {
			e.Fatal(err)
		}
	}
	// The hub's clock is an hour ahead: it was three hours ago.
	if len(list) != 1 || !list[0].At.Equal(now.Add(-3*time.Hour).Truncate(time.Second)) || !list[0].Flags.Has(reading.ClockCorrected) {
		e.Errorf("%+v", list)
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		path := "/api/v1/devices/" + e.dev.ID + "/readings"
		weight, _ := hex.DecodeString("00B036")
		for _, c := range []struct {
			name, path, key, kind, body string
			status                      int
			want                        string
		}{
			{"one", path, e.key, "application/json", pulse(1, 72), 200, `{"stored":1,"known":0,"refused":[]}`},
			{"again", path, e.key, "", "[" + pulse(1, 72) + "]", 200, `{"stored":0,"known":1,"refused":[]}`},
			{"some wrong", path, e.key, "application/json; charset=utf-8", `[{"seq":"x"},` + pulse(2, 73) + `,{"at":"2026-03-02T12:00:00Z","series":"8867-4"},{"at":"1850-03-02T12:00:00Z","series":"8867-4","value":1},null]`, 200,
				`{"stored":1,"known":0,"refused":[{"index":3,"reason":"at: it must be a time between 1970 and 2199"},{"index":0,"reason":"it is not an object of the known shape"},{"index":2,"reason":"value: there is none"},{"index":4,"reason":"it is not an object of the known shape"}]}`},
			{"no time", path, e.key, "application/json", `[{"at":"2026-13-45T08:00:00Z","series":"8867-4","value":72},{"at":"2026-03-02T08:00:00Z","clock":"noon","series":"8867-4","value":72}]`, 200,
				`{"stored":0,"known":0,"refused":[{"index":0,"reason":"at: it is no time like 2026-03-09T08:00:00-04:00"},{"index":1,"reason":"clock: it is no time like 2026-03-09T08:00:00-04:00"}]}`},
			{"bytes", path, e.key, "application/vnd.doorstep.gatt+2A9D", string(weight), 200, `{"stored":1,"known":0,"refused":[]}`},
			{"empty list", path, e.key, "application/json", `[]`, 200, `{"stored":0,"known":0,"refused":[]}`},
			{"bad bytes", path, e.key, "application/vnd.doorstep.gatt+2A9D", "x", 400, ""},
			{"no key", path, "", "application/json", pulse(3, 72), 401, ""},
			{"wrong key", path, "wrong", "application/json", pulse(3, 72), 401, ""},
			{"another's path", "/api/v1/devices/" + e.other.ID + "/readings", e.key, "application/json", pulse(3, 72), 401, ""},
			{"wrong kind", path, e.key, "text/html", "a,b", 415, ""},
			{"no JSON", path, e.key, "application/json", "{", 400, ""},
			{"too large", path, e.key, "application/json", strings.Repeat(" ", maxBody+1), 413, ""},
		} {
			req := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body))
			if c.key != "" {
				req.Header.Set("Authorization", "Bearer "+c.key)
			}
			if c.kind != "" {
				req.Header.Set("Content-Type", c.kind)
			}
			w := httptest.NewRecorder()
			e.handler.ServeHTTP(w, req)
			body, _ := io.ReadAll(w.Body)
			if w.Code != c.status || c.want != "" && strings.TrimSpace(string(body)) != c.want {
				e.Errorf("%s: %d %s", c.name, w.Code, body)
			}
			var p struct {
				Status int
				Title  string
			}
			if c.status >= 400 && (json.Unmarshal(body, &p) != nil || p.Status != c.status || w.Header().Get("Content-Type") != "application/problem+json") {
				e.Errorf("%s: no problem document: %s", c.name, body)
			}
		}
	})
}

// TestBench runs both benchmarks briefly, to keep them working.
func TestBench(t *testing.T) {
	t.Parallel()
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		for _, bench := range []func(context.Context, *store.DB, float64) ([]Figure, error){BenchHTTP, BenchMQTT} {
			figures, err := bench(t.Context(), db, 0.3)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range figures {
				t.Logf("%+v", f)
				if f.Value <= 0 {
					t.Errorf("%+v", f)
				}
			}
		}
	})
}
