package device

import (
	"context"
	"hash/fnv"
	"net/url"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"doorstep/internal/fault"
	"doorstep/internal/reading"
)

const (
	uplinkTopic   = "$share/doorstep/" + topicRoot + "+/up/#"
	uplinkWorkers = 32 // messages stored at once: they share the database's group commit
	uplinkQueue   = 64 // per worker
	uplinkSession = 24 * 60 * 60
	retryMost     = 10 * time.Second
)

// Uplink takes the devices' messages from an outside MQTT 5 broker, by a subscription that all nodes share. That broker
// signs the devices in and must let each publish only under its own topics. A message is acknowledged after it is
// durable; while the database does not answer it is tried again, and the broker holds back the rest.
type Uplink struct {
	in      *Intake
	manager *autopaho.ConnectionManager
	ctx     context.Context
	cancel  context.CancelFunc
	queues  [uplinkWorkers]chan paho.PublishReceived
	done    sync.WaitGroup
}

// Connect starts taking messages from a broker, "mqtt://user:password@host:port". clientID names this node there.
func Connect(in *Intake, broker, clientID string) (*Uplink, error) {
	u, err := url.Parse(broker)
	if err != nil || u.Host == "" {
		return nil, fault.Invalidf("the URL of the MQTT broker cannot be read")
	}
	up := &Uplink{in: in}
	up.ctx, up.cancel = context.WithCancel(context.Background())
	conf := autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, KeepAlive: 30, SessionExpiryInterval: uplinkSession,
		ReconnectBackoff: func(n int) time.Duration { return min(time.Duration(n)*time.Second/2, retryMost) },
		OnConnectionUp:   up.subscribe,
		ConnectPacketBuilder: func(c *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			c.Properties.RequestProblemInfo = true // without it some brokers keep back the properties of messages too, in which hubs tell their times
			return c, nil
		},
		OnConnectError: func(err error) { in.Log.Warn("the MQTT broker does not answer", "error", err) },
		ClientConfig: paho.ClientConfig{ClientID: clientID, EnableManualAcknowledgment: true, SendAcksInterval: 2 * time.Millisecond,
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){up.arrived}},
	}
	if u.User != nil {
		conf.ConnectUsername = u.User.Username()
		password, _ := u.User.Password()
		conf.ConnectPassword = []byte(password)
	}
	for i := range up.queues {
		up.queues[i] = make(chan paho.PublishReceived, uplinkQueue)
		up.done.Go(func() { up.work(up.queues[i]) })
	}
	if up.manager, err = autopaho.NewConnection(up.ctx, conf); err != nil {
		up.cancel()
		up.done.Wait()
		return nil, fault.New(fault.Unavailable, "the MQTT broker cannot be used: %w", err)
	}
	return up, nil
}

// subscribe asks for the messages again at each connection. It must not block the manager.
func (u *Uplink) subscribe(m *autopaho.ConnectionManager, _ *paho.Connack) {
	u.done.Go(func() {
		ctx, cancel := context.WithTimeout(u.ctx, writeTimeout)
		defer cancel()
		if _, err := m.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: uplinkTopic, QoS: 1}}}); err != nil && u.ctx.Err() == nil {
			u.in.Log.Error("the MQTT broker refused the subscription", "error", err)
		}
	})
}

// arrived hands a message to the worker of its device, so that one device's messages keep their order.
func (u *Uplink) arrived(p paho.PublishReceived) (bool, error) {
	device, _, _ := splitTopic(p.Packet.Topic, "up")
	h := fnv.New32a()
	h.Write([]byte(device))
	select {
	case u.queues[h.Sum32()%uplinkWorkers] <- p:
	case <-u.ctx.Done():
	}
	return true, nil
}

func (u *Uplink) work(queue <-chan paho.PublishReceived) {
	for {
		select {
		case p := <-queue:
			if u.store(p.Packet) {
				// An acknowledgement that fails belongs to a connection that has gone: the broker sends the message again.
				_ = p.Client.Ack(p.Packet)
			}
		case <-u.ctx.Done():
			return
		}
	}
}

// store tries until the message is durable; false when the uplink is closed before.
func (u *Uplink) store(p *paho.Publish) bool {
	device, stream, ok := splitTopic(p.Topic, "up")
	if !ok {
		return true
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, retryMost) {
		dev, err := u.in.Service.Device(u.ctx, device)
		if fault.Is(err, fault.NotFound) {
			u.in.malformed.Add(1)
			u.in.Log.Warn("a message of a device that is not registered", "bytes", len(p.Payload))
			return true // there is no organization to keep it for
		}
		if err == nil {
			err = u.take(dev, stream, p)
		}
		if err == nil {
			return true
		}
		select {
		case <-time.After(wait):
		case <-u.ctx.Done():
			return false
		}
	}
}

func (u *Uplink) take(dev reading.Device, stream string, p *paho.Publish) error {
	if stream == planStream {
		return u.in.sendPlan(u.ctx, dev, u.send)
	}
	var when told
	if p.Properties != nil {
		for _, one := range p.Properties.User {
			when.property(one.Key, one.Value)
		}
	}
	return u.in.receive(u.ctx, dev, stream, p.Payload, when)
}

// Cue sends a cue to a device through the broker: QoS 1, not retained.
func (u *Uplink) Cue(device string, payload []byte) error { return u.send(cueTopic(device), payload) }

func (u *Uplink) send(topic string, payload []byte) error {
	ctx, cancel := context.WithTimeout(u.ctx, writeTimeout)
	defer cancel()
	if _, err := u.manager.Publish(ctx, &paho.Publish{Topic: topic, Payload: payload, QoS: 1}); err != nil {
		return fault.New(fault.Unavailable, "the message to the device could not be sent: %w", err)
	}
	return nil
}

// Close disconnects and waits for the messages under way; those not acknowledged come again.
func (u *Uplink) Close() {
	u.cancel()
	<-u.manager.Done()
	u.done.Wait()
}
