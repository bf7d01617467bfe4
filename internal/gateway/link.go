package gateway

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	"golang.org/x/sync/errgroup"
)

const (
	together  = 16 // messages of one device under way at once
	sendMost  = 30 * time.Second
	backMost  = 30 * time.Second
	planEvery = 5 * time.Minute
	keepAlive = 15 // seconds; the network counts as gone after one and a half
	topicRoot = "doorstep/v1/"
)

// link is one device's connection to the server: each signs in with its own key, since the server lets it speak for itself alone.
type link struct {
	g      *Gateway
	device Device
	topic  string
	up     atomic.Bool // signed in and listening
	queue  chan struct{}
	plan   chan struct{}
	cues   chan Cue
	failed time.Time // when a light was last tried in vain
	lit    Cue       // what the hub has to switch off; its Until is zero where there is nothing
	since  time.Time // of lit
}

func newLink(g *Gateway, d Device) *link {
	return &link{g: g, device: d, topic: topicRoot + d.ID, queue: make(chan struct{}, 1), plan: make(chan struct{}, 1), cues: make(chan Cue, 16)}
}

func (g *Gateway) link(device string) *link {
	for _, l := range g.links {
		if l.device.ID == device {
			return l
		}
	}
	return nil
}

// wake lets the link look at the queue.
func (l *link) wake() { nudge(l.queue) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run connects, and forwards, asks for the plan and shows lights until ctx ends.
func (l *link) run(ctx context.Context) error {
	u, err := url.Parse(l.g.Config.Broker)
	if err != nil {
		return err
	}
	var hooks sync.WaitGroup
	defer hooks.Wait()
	conf := autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, KeepAlive: keepAlive, ConnectTimeout: 10 * time.Second,
		CleanStartOnInitialConnection: true, // and no session outlives its connection: a cue that waited for hours would light the box at a wrong time
		ConnectUsername:               l.device.ID, ConnectPassword: []byte(l.device.Key),
		ReconnectBackoff: func(n int) time.Duration { return min(time.Duration(n)*time.Second/2, backMost) },
		OnConnectionUp: func(m *autopaho.ConnectionManager, _ *paho.Connack) {
			hooks.Go(func() { l.listen(ctx, m) })
		},
		OnConnectionDown: func() bool {
			l.up.Store(false)
			l.g.Log.Warn("the server is not there: what comes is kept", "device", l.device.ID)
			return true
		},
		OnConnectError: func(err error) {
			if ctx.Err() == nil {
				l.g.Log.Warn("the server does not answer, or does not know the device's key", "device", l.device.ID, "error", err)
			}
		},
		ClientConfig: paho.ClientConfig{ClientID: "hub-" + l.device.ID, OnPublishReceived: []func(paho.PublishReceived) (bool, error){l.heard(ctx)}},
	}
	m, err := autopaho.NewConnection(ctx, conf)
	if err != nil {
		return err
	}
	work, inner := errgroup.WithContext(ctx)
	work.Go(func() error { return l.forward(inner, m) })
	work.Go(func() error { return l.ask(inner, m) })
	work.Go(func() error { return l.shine(inner) })
	err = work.Wait()
	<-m.Done()
	return clean(ctx, err)
}

// listen subscribes to what the server tells the device, at each connection.
func (l *link) listen(ctx context.Context, m *autopaho.ConnectionManager) {
	ctx, cancel := context.WithTimeout(ctx, sendMost)
	defer cancel()
	if _, err := m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: l.topic + "/down/#", QoS: 1}}}); err != nil {
		if ctx.Err() == nil {
			l.g.Log.Error("the server refused the device's own topic", "device", l.device.ID, "error", err)
		}
		return
	}
	l.up.Store(true)
	nudge(l.queue)
	nudge(l.plan)
}

// heard takes what the server tells.
func (l *link) heard(ctx context.Context) func(paho.PublishReceived) (bool, error) {
	return func(p paho.PublishReceived) (bool, error) {
		var err error
		switch strings.TrimPrefix(p.Packet.Topic, l.topic) {
		case "/down/cue":
			var c Cue
			if err = json.Unmarshal(p.Packet.Payload, &c); err == nil {
				err = l.cued(ctx, c)
			}
		case "/down/plan":
			err = l.planned(ctx, p.Packet.Payload)
		}
		if err != nil && ctx.Err() == nil {
			l.g.Log.Error("what the server told the device could not be kept", "device", l.device.ID, "error", err)
		}
		return true, nil
	}
}

// forward sends what waits, oldest first, as long as there is a connection.
func (l *link) forward(ctx context.Context, m *autopaho.ConnectionManager) error {
	again := time.NewTicker(tick)
	defer again.Stop()
	for {
		select {
		case <-l.queue:
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
		for l.up.Load() {
			n, err := l.some(ctx, m)
			if err != nil {
				return clean(ctx, err)
			}
			if n == 0 {
				break
			}
		}
	}
}

// some sends the next few and answers how many the server has now. Not being able to send is no error: they wait.
func (l *link) some(ctx context.Context, m *autopaho.ConnectionManager) (int, error) {
	list, err := l.g.front(ctx, l.device.ID, together)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	// A box's events stay in order: one after the other.
	for i, q := range list {
		if q.stream == pillStream {
			list = list[:max(i, 1)]
			break
		}
	}
	var send errgroup.Group
	has := make([]bool, len(list))
	for i, q := range list {
		send.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, sendMost)
			defer cancel()
			answer, err := m.Publish(ctx, l.message(q))
			has[i] = err == nil && answer.ReasonCode < 0x80
			return nil
		})
	}
	if err := send.Wait(); err != nil {
		return 0, err
	}
	var done []int64
	for i, q := range list {
		if has[i] {
			done = append(done, q.n)
		}
	}
	if len(done) == 0 {
		return 0, nil
	}
	return len(done), l.g.stored(ctx, done)
}

// message is a queued event on the wire: bytes with the hub's times beside them, an event with its own.
func (l *link) message(q queued) *paho.Publish {
	now := l.g.Clock.Now().UTC().Format(time.RFC3339Nano)
	p := &paho.Publish{Topic: l.topic + "/up/" + q.stream, QoS: 1, Payload: q.payload}
	if q.stream != pillStream {
		p.Properties = &paho.PublishProperties{User: paho.UserProperties{{Key: "at", Value: q.at.UTC().Format(time.RFC3339Nano)}, {Key: "clock", Value: now}}}
		return p
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(q.payload, &fields) == nil {
		fields["clock"] = json.RawMessage(`"` + now + `"`)
		if b, err := json.Marshal(fields); err == nil {
			p.Payload = b
		}
	}
	return p
}

// ask asks for the plan at each connection and every few minutes.
func (l *link) ask(ctx context.Context, m *autopaho.ConnectionManager) error {
	again := time.NewTicker(planEvery)
	defer again.Stop()
	for {
		select {
		case <-l.plan:
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
		if !l.up.Load() {
			continue
		}
		sending, cancel := context.WithTimeout(ctx, sendMost)
		if _, err := m.Publish(sending, &paho.Publish{Topic: l.topic + "/up/plan", QoS: 1, Payload: []byte("{}")}); err != nil && ctx.Err() == nil {
			l.g.Log.Warn("the plan could not be asked for", "device", l.device.ID)
		}
		cancel()
	}
}
