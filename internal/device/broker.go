package device

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"doorstep/internal/fault"
	"doorstep/internal/reading"
)

const (
	maxPacket    = 1 << 20
	writeTimeout = 30 * time.Second
	inboundMost  = 64 // messages of one device under way
)

// Broker is the embedded MQTT broker.
type Broker struct {
	in     *Intake
	server *mqtt.Server
	addr   string
	hook   *hook
	ctx    context.Context
	cancel context.CancelFunc
	keys   sync.WaitGroup // watchKeys
	stop   sync.Once
}

// Listen starts a broker on a TCP address.
func Listen(in *Intake, addr string) (*Broker, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the address for MQTT cannot be used: %w", err)
	}
	return Serve(in, l)
}

// Serve starts a broker on a listener, which it closes in the end.
func Serve(in *Intake, l net.Listener) (*Broker, error) {
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = maxPacket
	caps.MaximumSessionExpiryInterval = 24 * 60 * 60
	caps.MaximumInflight = 1024
	caps.ReceiveMaximum = inboundMost
	caps.MaximumQos = 1
	caps.RetainAvailable = 0    // nothing is kept but in the database
	caps.TopicAliasMaximum = 0  // the broker asks for leave by the topic as sent, before it looks up an alias
	caps.SharedSubAvailable = 0 // a share would be outside the device's own topics
	b := &Broker{in: in, addr: l.Addr().String()}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.server = mqtt.New(&mqtt.Options{Capabilities: caps, InlineClient: true, Logger: slog.New(slog.DiscardHandler), SysTopicResendInterval: 3600})
	b.hook = &hook{b: b}
	err := b.server.AddHook(b.hook, nil)
	if err == nil {
		err = b.server.AddListener(door{listeners.NewNet("devices", l), b})
	}
	if err == nil {
		err = b.server.Serve()
	}
	if err != nil {
		l.Close()
		b.cancel()
		return nil, err
	}
	b.keys.Go(b.watchKeys)
	return b, nil
}

// Addr answers where the broker listens.
func (b *Broker) Addr() string { return b.addr }

// Close disconnects every device and waits for writes under way.
func (b *Broker) Close() error {
	var err error
	b.stop.Do(func() {
		err = b.server.Close()
		b.cancel()
		b.keys.Wait()
	})
	return err
}

// door is the listener of a broker. It disconnects the devices itself when it closes: the server's own way takes a read lock
// twice and waits for ever when a device comes or goes in between (mochi-mqtt issue 488).
type door struct {
	*listeners.Net
	b *Broker
}

func (d door) Close(listeners.CloseFn) {
	d.Net.Close(func(string) {
		for _, cl := range d.b.server.Clients.GetAll() {
			if !cl.Net.Inline && !cl.Closed() {
				// One that has gone already needs no goodbye.
				_ = d.b.server.DisconnectClient(cl, packets.ErrServerShuttingDown)
			}
		}
	})
}

// Cue sends a cue to a device: QoS 1, not retained. Where the device does not listen the error is of kind Unavailable.
func (b *Broker) Cue(device string, payload []byte) error { return b.send(cueTopic(device), payload) }

// send publishes to a device's topic: QoS 1, not retained.
func (b *Broker) send(topic string, payload []byte) error {
	if len(b.server.Topics.Subscribers(topic).Subscriptions) == 0 {
		return fault.New(fault.Unavailable, "the device is not connected")
	}
	return b.server.Publish(topic, payload, false, 1)
}

// hook is the broker's seam: who may sign in, what topics are theirs, and storing before the acknowledgement.
type hook struct {
	mqtt.HookBase
	b       *Broker
	devices sync.Map // *mqtt.Client to reading.Device
}

func (h *hook) ID() string { return "doorstep" }

func (h *hook) Provides(b byte) bool {
	return bytes.Contains([]byte{mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnDisconnect}, []byte{b})
}

// OnConnect puts the user name before the client's own id, so that nobody takes over the session of another device by its
// id; and drops wills, which would be published without asking for leave.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	if !cl.Net.Inline {
		cl.ID = string(cl.Properties.Username) + "/" + cl.ID
		cl.Properties.Will = mqtt.Will{}
	}
	return nil
}

func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	ctx, cancel := context.WithTimeout(h.b.ctx, writeTimeout)
	defer cancel()
	dev, err := h.b.in.Service.SignIn(ctx, string(pk.Connect.Username), string(pk.Connect.Password))
	if err != nil {
		return false
	}
	h.devices.Store(cl, dev)
	return true
}

func (h *hook) OnDisconnect(cl *mqtt.Client, _ error, _ bool) { h.devices.Delete(cl) }

func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	if cl.Net.Inline {
		return true
	}
	own, direction := string(cl.Properties.Username), "down"
	if write {
		direction = "up"
	}
	device, stream, ok := splitTopic(topic, direction)
	return ok && device == own && !(write && strings.ContainsAny(stream, "+#"))
}

// OnPublish stores the message; the broker acknowledges after it returns. When it cannot be stored there is no
// acknowledgement and the connection ends: the device sends it again when it comes back.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	_, stream, ok := splitTopic(pk.TopicName, "up")
	dev, known := h.devices.Load(cl)
	if !ok || !known {
		return pk, packets.ErrRejectPacket
	}
	ctx, cancel := context.WithTimeout(h.b.ctx, writeTimeout)
	defer cancel()
	var err error
	if stream == planStream {
		err = h.b.in.sendPlan(ctx, dev.(reading.Device), h.b.send)
	} else {
		var when told
		for _, p := range pk.Properties.User {
			when.property(p.Key, p.Val)
		}
		err = h.b.in.receive(ctx, dev.(reading.Device), stream, pk.Payload, when)
	}
	if err != nil {
		h.b.disconnect(cl, packets.ErrServerBusy)
		return pk, packets.ErrRejectPacket
	}
	return pk, packets.CodeSuccessIgnore // stored, and for no other subscriber
}

// disconnect ends a connection; MQTT 5 lets the device hear why.
func (b *Broker) disconnect(cl *mqtt.Client, why packets.Code) {
	if cl.Properties.ProtocolVersion == 5 {
		// One that cannot be told is disconnected all the same.
		_ = b.server.DisconnectClient(cl, why)
	} else {
		cl.Stop(why)
	}
}
