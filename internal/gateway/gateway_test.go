package gateway

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/device"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

const weight = "29463-7"

var quiet = slog.New(slog.DiscardHandler)

// safe is a buffer that is written and read at once.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.b.Write(p) }
func (s *safe) lights() int                 { return s.count(`"cue":"light"`) }
func (s *safe) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.b.String(), what)
}

// home is a house with its server's broker, which can be cut off, and a hub.
type home struct {
	*apptest.House
	broker *device.Broker
	addr   string
	folder string
	device Device
	out    safe

	hub  *Gateway
	feed *io.PipeWriter
	stop context.CancelFunc
	done chan error
}

func each(t *testing.T, kind string, fn func(h *home)) {
	apptest.Each(t, func(house *apptest.House) {
		h := &home{House: house, folder: filepath.Join(house.TempDir(), "gateway.db")}
		id, key, err := h.Readings.Register(h.Context(), string(apptest.Org), kind)
		if err != nil {
			h.Fatal(err)
		}
		if err := h.Readings.Assign(h.Context(), string(apptest.Org), id, string(h.Ruth.ID), apptest.Start.Add(-24*time.Hour), time.Time{}); err != nil {
			h.Fatal(err)
		}
		h.device = Device{Address: "AA:BB:CC:00:11:22", ID: id, Key: key, Cue: immediateAlert}
		h.network()
		h.T.Cleanup(func() { h.broker.Close() })
		fn(h)
	})
}

// network starts the server's broker, at the address that it had before.
func (h *home) network() {
	h.Helper()
	addr := h.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		h.Fatal(err)
	}
	h.addr = l.Addr().String()
	if h.broker, err = device.Serve(h.Intake, l); err != nil {
		h.Fatal(err)
	}
}

// cut ends the network, and waits until the hub knows.
func (h *home) cut() {
	h.broker.Close()
	h.until("the hub sees that the network is gone", func() bool { return !h.hub.links[0].up.Load() })
}

// on starts the hub.
func (h *home) on() {
	h.Helper()
	in, feed := io.Pipe()
	h.hub = &Gateway{Config: Config{Broker: "mqtt://" + h.addr, Devices: []Device{h.device}}, Clock: h.Clock, Log: quiet}
	if err := h.hub.Open(h.Context(), h.folder, &Replay{In: in, Out: &h.out, Devices: []Device{h.device}, Clock: h.Clock, Log: quiet}); err != nil {
		h.Fatal(err)
	}
	ctx, stop := context.WithCancel(h.Context())
	hub := h.hub
	h.feed, h.stop, h.done = feed, stop, make(chan error, 1)
	go func() { h.done <- hub.Run(ctx) }()
}

func (h *home) off() {
	h.Helper()
	h.stop()
	h.feed.Close()
	if err := <-h.done; err != nil {
		h.Error(err)
	}
	if err := h.hub.Close(); err != nil {
		h.Error(err)
	}
}

func (h *home) until(what string, yes func() bool) {
	h.Helper()
	for end := time.Now().Add(30 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("it never came that %s", what)
		}
	}
}

func (h *home) queued() int {
	n, err := h.hub.Queued(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return n
}

func (h *home) say(line string) {
	h.Helper()
	if _, err := io.WriteString(h.feed, line+"\n"); err != nil {
		h.Fatal(err)
	}
}

func (h *home) samples() []reading.Sample {
	h.Helper()
	list, err := h.Readings.Samples(h.Context(), string(apptest.Org), string(h.Ruth.ID), weight, apptest.Start.Add(-24*time.Hour), apptest.Start.Add(24*time.Hour))
	if err != nil {
		h.Fatal(err)
	}
	return list
}

// scale is a recording's line of a scale without a clock.
func (h *home) scale(i int) (line string, at time.Time, kg float64) {
	at, kg = apptest.Start.Add(-12*time.Hour+time.Duration(i)*3*time.Minute), 71+float64(i%7)
	raw := []byte{0, byte(int(kg*200) & 0xff), byte(int(kg*200) >> 8)}
	return fmt.Sprintf(`{"at":%q,"device":%q,"uuid":"2A9D","hex":"%s"}`, at.Format(time.RFC3339), h.device.Address, hex.EncodeToString(raw)), at, kg
}

// Fault 18, from end to end: a hub is cut off overnight and takes 200 readings; they are there once each, with the times at which they were
// measured, and one alert tells of them. The same recording again changes nothing.
func TestFault18HubOffline(t *testing.T) {
	each(t, "scale", func(h *home) {
		h.Write(func(tx *store.Tx) error {
			_, err := h.Readings.SetRule(tx, reading.Rule{Org: string(apptest.Org), Patient: string(h.Ruth.ID),
				Rule: rule.Rule{Series: weight, Above: rule.Limit{Kind: rule.Absolute, Value: 73}, Severity: "urgent"}})
			return err
		})
		h.on()
		h.until("the hub is connected", func() bool { return h.hub.links[0].up.Load() })
		h.cut()
		const n = 200
		for i := range n {
			line, _, _ := h.scale(i)
			h.say(line)
		}
		h.until("all are on the hub's disk", func() bool { return h.queued() == n })
		h.off() // the power goes too
		h.on()
		h.network()
		h.until("the queue is empty", func() bool { return h.queued() == 0 })
		check := func() {
			h.Helper()
			list := h.samples()
			if len(list) != n {
				h.Fatalf("%d of %d are stored", len(list), n)
			}
			for i, s := range list {
				if _, at, kg := h.scale(i); !s.At.Equal(at) || s.Value != kg || s.Flags.Has(reading.ClockCorrected) {
					h.Fatalf("number %d: %+v, measured %v, %v kg", i, s, at, kg)
				}
			}
		}
		check()
		h.Settle()
		if got := strings.Join(h.SMS.Took(), "\n"); strings.Count(got, apptest.DanaPhone) != 1 {
			h.Errorf("the nurse was not told once: %s", got)
		}
		for i := range n {
			line, _, _ := h.scale(i)
			h.say(line)
		}
		h.say(`{"at":"2026-03-02T12:30:00Z","device":"` + h.device.ID + `","event":"battery","value":80}`)
		h.until("the last line is stored", func() bool {
			list, err := h.Readings.PillEvents(h.Context(), string(apptest.Org), string(h.Ruth.ID), apptest.Start.Add(-time.Hour), apptest.Start.Add(time.Hour))
			return err == nil && len(list) == 1
		})
		check()
		h.off()
	})
}

// A sensor's own clock counts before the hub's; a hub whose clock is wrong is put right.
func TestTimes(t *testing.T) {
	each(t, "scale", func(h *home) {
		h.on()
		// 70 kg on 2 March 2026, 07:00:00 by the scale's clock, which stands in New York.
		h.say(fmt.Sprintf(`{"at":"2026-03-02T12:29:00Z","device":%q,"uuid":"2a9d","hex":"02 B036 EA07 03 02 07 00 00"}`, h.device.ID))
		h.until("it is stored", func() bool { return len(h.samples()) == 1 })
		if at := h.samples()[0].At; !at.Equal(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)) {
			h.Errorf("measured %v", at)
		}
		h.off()
	})
}

// lit makes a promise of a dose with a light at an hour from the start.
func (h *home) lit(id string, from time.Time) {
	h.Helper()
	h.Write(func(tx *store.Tx) error {
		ladder, err := h.Promises.Latest(tx, apptest.Org, medication.CriticalLadder)
		if err != nil {
			return err
		}
		_, err = h.Promises.Make(tx, promise.Promise{Org: apptest.Org, Patient: h.Ruth.ID, ID: promise.ID(id), Kind: "dose", About: id, Say: "dose", From: from, By: from.Add(2 * time.Hour),
			Zone: "America/New_York", Keeper: promise.Keeper{Kind: "patient", Who: string(h.Ruth.ID)}, Ladder: ladder})
		return err
	})
}

func (h *home) planned() (n int) {
	if err := h.hub.db.Read(h.Context(), func(tx *store.Tx) error {
		_, err := tx.Row("SELECT count(*) FROM cue", nil, &n)
		return err
	}); err != nil {
		h.Fatal(err)
	}
	return n
}

// While the network is away the hub lights the pill box by itself: once, also when the power goes; not when the box was opened for it; not
// what the server has shown.
func TestLightsWithoutTheNetwork(t *testing.T) {
	each(t, "pillbox", func(h *home) {
		hour := func(n int) time.Time { return apptest.Start.Add(time.Duration(n) * time.Hour) }
		for i, id := range []string{"shown by the server", "shown by the hub", "opened", "open after", "tomorrow"} {
			h.lit(id, hour([]int{1, 3, 6, 9, 30}[i]))
		}
		h.lit("shown by the hub, of the same minute", hour(3))
		h.on()
		h.until("the plan is there", func() bool { return h.planned() == 6 })
		h.Clock.Set(hour(1))
		if err := h.broker.Cue(h.device.ID, []byte(`{"promise":"shown by the server","cue":"light","slot":1,"until":"2026-03-02T14:30:00Z"}`)); err != nil {
			h.Fatal(err)
		}
		h.until("the server's light is shown", func() bool { return h.out.lights() == 1 })
		h.cut()
		h.Clock.Set(hour(3).Add(time.Second))
		h.until("the hub lights", func() bool { return h.out.lights() == 2 })
		h.Clock.Set(hour(4).Add(time.Minute))
		h.until("the hub switches it off", func() bool { return h.out.count(`"cue":"off"`) == 2 })
		h.off()
		h.on()
		h.say(fmt.Sprintf(`{"at":%q,"device":%q,"event":"open","slot":1}`, hour(6).Add(-40*time.Minute).Format(time.RFC3339), h.device.ID))
		h.until("the opening is on the disk", func() bool { return h.queued() == 1 })
		h.Clock.Set(hour(6))
		h.until("the hub has passed over the light of a box that was opened", func() (passed bool) {
			h.read("SELECT count(*) FROM cue WHERE promise = 'opened' AND done = 1", &passed)
			return passed
		})
		h.Clock.Set(hour(9))
		h.until("the hub lights", func() bool { return h.out.lights() == 3 })
		h.say(fmt.Sprintf(`{"device":%q,"event":"open","slot":1}`, h.device.ID))
		h.until("the hub switches off the light of a box that is opened", func() bool { return h.out.count(`"cue":"off"`) == 3 })
		h.network()
		h.until("the opening is with the server", func() bool { return h.queued() == 0 })
		if list, err := h.Readings.PillEvents(h.Context(), string(apptest.Org), string(h.Ruth.ID), hour(5), hour(6)); err != nil || len(list) != 1 || !list[0].At.Equal(hour(6).Add(-40*time.Minute)) {
			h.Errorf("%+v %v", list, err)
		}
		h.until("the hub listens", func() bool { return h.hub.links[0].up.Load() })
		for _, cue := range []string{`{"promise":"open after","cue":"light","slot":1,"until":"2026-03-02T22:30:00Z"}`, `{"promise":"of last night","cue":"light","slot":1,"until":"2026-03-02T20:30:00Z"}`,
			`{"promise":"another","cue":"sound","slot":1,"until":"2026-03-02T22:30:00Z"}`} {
			if err := h.broker.Cue(h.device.ID, []byte(cue)); err != nil {
				h.Fatal(err)
			}
		}
		h.until("the last cue is shown", func() bool { return h.out.count(`"cue":"sound"`) == 1 })
		h.off()
		if h.out.lights() != 3 {
			h.Errorf("%d lights", h.out.lights())
		}
	})
}

func (h *home) read(query string, yes *bool) {
	if err := h.hub.db.Read(h.Context(), func(tx *store.Tx) error {
		var n int
		_, err := tx.Row(query, nil, &n)
		*yes = n > 0
		return err
	}); err != nil {
		h.Fatal(err)
	}
}

// A plan names only what its device shows to whoever has it now and wants it.
func TestPlanIsTheHoldersOwn(t *testing.T) {
	each(t, "pillbox", func(h *home) {
		h.lit("a", apptest.Start.Add(time.Hour))
		h.Write(func(tx *store.Tx) error {
			return h.People.SetConsent(tx, apptest.Org, person.Cue, h.device.ID, person.Withdrawn, "test")
		})
		d, err := h.Readings.Device(h.Context(), h.device.ID)
		if err != nil {
			h.Fatal(err)
		}
		if plan, err := h.Intake.Plan(h.Context(), d); err != nil || len(plan.Cues) != 0 {
			h.Errorf("without consent: %+v %v", plan, err)
		}
		h.Write(func(tx *store.Tx) error {
			return h.People.SetConsent(tx, apptest.Org, person.Cue, h.device.ID, person.Given, "test")
		})
		if plan, err := h.Intake.Plan(h.Context(), d); err != nil || len(plan.Cues) != 1 || !plan.Cues[0].At.Equal(apptest.Start.Add(time.Hour)) {
			h.Errorf("with consent: %+v %v", plan, err)
		}
		if err := h.Readings.Unassign(h.Context(), string(apptest.Org), h.device.ID, h.Clock.Now()); err != nil {
			h.Fatal(err)
		}
		if plan, err := h.Intake.Plan(h.Context(), d); err != nil || len(plan.Cues) != 0 {
			h.Errorf("brought back: %+v %v", plan, err)
		}
	})
}

// open opens a hub that runs nothing.
func open(t *testing.T, most int, h *Gateway) *Gateway {
	t.Helper()
	h.Config = Config{Broker: "mqtt://127.0.0.1:1", Devices: []Device{{ID: "strap", Key: "k"}, {ID: "box", Key: "k"}}}
	h.Log, h.Most = quiet, most
	if err := h.Open(t.Context(), filepath.Join(t.TempDir(), "gateway.db"), &Replay{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// A full queue gives up the oldest beats, then the oldest weights, and a box's events last.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	g := open(t, 20, &Gateway{})
	take := func(e Event) {
		t.Helper()
		e.At = apptest.Start
		if err := g.Take(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		take(Event{Device: "box", Value: []byte(`{"event":"open"}`)})
		take(Event{Device: "strap", UUID: "2A9D", Value: []byte{0, 1, 1}})
	}
	for range 50 {
		take(Event{Device: "strap", UUID: "2A37", Value: []byte{0, 72}})
	}
	for range 10 {
		take(Event{Device: "box", Value: []byte(`{"event":"close"}`)})
	}
	got := map[string]int{}
	for _, d := range []string{"strap", "box"} {
		list, err := g.front(t.Context(), d, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range list {
			got[q.stream]++
		}
	}
	if got[pillStream] != 20 || got["gatt/2A37"] != 0 || len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// What is refused is told; a box's times become the hub's.
func TestTake(t *testing.T) {
	t.Parallel()
	g := open(t, 0, &Gateway{})
	at := apptest.Start
	for name, e := range map[string]Event{
		"another's device": {Device: "x", UUID: "2A37", Value: []byte{0, 72}}, "no such characteristic": {Device: "strap", UUID: "2A00", Value: []byte("x")},
		"no event": {Device: "box", Value: []byte(`{"slot":1}`)}, "no object": {Device: "box", Value: []byte(`[1]`)}, "no time": {Device: "box", Value: []byte(`{"event":"open","at":"now"}`)},
		"too long": {Device: "box", Value: bytes.Repeat([]byte(" "), maxPayload+1)},
	} {
		if err := g.Take(t.Context(), e); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMuch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct{ name, in, want string }{
		{"no clock", `{"event":"open"}`, "2026-03-02T12:30:00Z"},
		{"its own clock", `{"event":"open","at":"2026-03-02T12:20:00Z","clock":"2026-03-02T12:30:30Z"}`, "2026-03-02T12:20:00Z"},
		{"its own zone", `{"event":"open","at":"2026-03-02T07:20:00-05:00"}`, "2026-03-02T12:20:00Z"},
		{"a wrong clock", `{"event":"open","at":"2020-01-01T00:00:00Z","clock":"2020-01-01T00:10:00Z"}`, "2026-03-02T12:20:00Z"},
	} {
		q, err := (Event{Device: "box", At: at, Value: []byte(c.in)}).queued()
		var out map[string]any
		if err != nil || json.Unmarshal(q.payload, &out) != nil || out["at"] != c.want || out["clock"] != nil {
			t.Errorf("%s: %s %v", c.name, q.payload, err)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{Broker: "mqtt://127.0.0.1:1883", Devices: []Device{{ID: "a", Key: "k", Address: "aa:bb"}, {ID: "b", Key: "k"}, {ID: "c", Key: "k"}}}
	if err := good.Validate(); err != nil || good.Devices[0].Address != "AA:BB" {
		t.Errorf("%+v %v", good, err)
	}
	for name, c := range map[string]Config{
		"no broker": {Devices: good.Devices}, "http": {Broker: "http://x", Devices: good.Devices}, "nothing": {Broker: good.Broker},
		"no key": {Broker: good.Broker, Devices: []Device{{ID: "a"}}}, "twice": {Broker: good.Broker, Devices: []Device{{ID: "a", Key: "k"}, {ID: "a", Key: "k"}}},
		"one address": {Broker: good.Broker, Devices: []Device{{ID: "a", Key: "k", Address: "X"}, {ID: "b", Key: "k", Address: "x"}}}, "a topic": {Broker: good.Broker, Devices: []Device{{ID: "a/#", Key: "k"}}},
	} {
		if err := c.Validate(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
