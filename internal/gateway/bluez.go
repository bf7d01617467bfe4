package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/reading/gatt"
)

// What BlueZ is called on the bus (doc/org.bluez.Device.rst and its neighbours).
const (
	bluez          = "org.bluez"
	adapterFace    = bluez + ".Adapter1"
	deviceFace     = bluez + ".Device1"
	characterFace  = bluez + ".GattCharacteristic1"
	objectsFace    = "org.freedesktop.DBus.ObjectManager"
	propertiesFace = "org.freedesktop.DBus.Properties"
	baseUUID       = "-0000-1000-8000-00805f9b34fb"

	immediateAlert = "2A06"
	recordAccess   = "2A52" // a glucose meter keeps its records until it is asked
	glucose        = "2A18"

	connectMost  = 30 * time.Second
	connectEvery = 30 * time.Second
)

// BlueZ reads sensors through Linux's Bluetooth service. Sensors are paired once, with bluetoothctl (docs/gateway.md).
type BlueZ struct {
	Bus     *dbus.Conn
	Adapter string // "hci0"
	Devices []Device
	Clock   clock.Clock
	Log     *slog.Logger

	mu    sync.Mutex
	known map[dbus.ObjectPath]*peripheral
}

// peripheral is a device of the hub's as BlueZ shows it.
type peripheral struct {
	device     Device
	path       dbus.ObjectPath
	characters map[dbus.ObjectPath]string // their UUIDs, short where they can be
	notifies   map[dbus.ObjectPath]bool
	connected  bool
	resolved   bool // its characteristics are there
	trying     bool
	tried      time.Time
}

type interfaces = map[string]map[string]dbus.Variant

// Run looks for the hub's devices, connects to each when it shows itself, and hands on what it notifies, until ctx ends.
func (b *BlueZ) Run(ctx context.Context, take func(context.Context, Event) error) error {
	b.mu.Lock()
	b.known = map[dbus.ObjectPath]*peripheral{}
	b.mu.Unlock()
	signals := make(chan *dbus.Signal, 256)
	b.Bus.Signal(signals)
	defer b.Bus.RemoveSignal(signals)
	for _, face := range []string{objectsFace, propertiesFace} {
		if err := b.Bus.AddMatchSignalContext(ctx, dbus.WithMatchSender(bluez), dbus.WithMatchInterface(face)); err != nil {
			return clean(ctx, fault.New(fault.Unavailable, "The system's message bus cannot be listened to: %w", err))
		}
	}
	var work sync.WaitGroup
	defer work.Wait()
	if err := b.look(ctx, &work); err != nil {
		return clean(ctx, err)
	}
	again := time.NewTicker(connectEvery)
	defer again.Stop()
	for {
		select {
		case s, open := <-signals:
			if !open {
				return clean(ctx, fault.New(fault.Unavailable, "The system's message bus has gone."))
			}
			if err := b.signal(ctx, &work, s, take); err != nil {
				return clean(ctx, err)
			}
		case <-again.C:
			// What a lost signal would have told; and BlueZ ends a search when its adapter was away.
			if err := b.look(ctx, &work); err != nil && ctx.Err() == nil {
				b.Log.Warn("Bluetooth does not answer", "error", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// look reads all that BlueZ knows and lets it search for more.
func (b *BlueZ) look(ctx context.Context, work *sync.WaitGroup) error {
	var objects map[dbus.ObjectPath]interfaces
	if err := b.Bus.Object(bluez, "/").CallWithContext(ctx, objectsFace+".GetManagedObjects", 0).Store(&objects); err != nil {
		return fault.New(fault.Unavailable, "BlueZ does not answer; is the service bluetooth running? %w", err)
	}
	adapter := dbus.ObjectPath("/org/bluez/" + b.Adapter)
	if _, there := objects[adapter][adapterFace]; !there {
		return fault.New(fault.NotFound, "There is no Bluetooth adapter %s.", b.Adapter)
	}
	a := b.Bus.Object(bluez, adapter)
	if powered, _ := objects[adapter][adapterFace]["Powered"].Value().(bool); !powered {
		if err := a.CallWithContext(ctx, propertiesFace+".Set", 0, adapterFace, "Powered", dbus.MakeVariant(true)).Err; err != nil {
			return fault.New(fault.Unavailable, "The Bluetooth adapter cannot be switched on: %w", err)
		}
	}
	if searching, _ := objects[adapter][adapterFace]["Discovering"].Value().(bool); !searching {
		filter := map[string]dbus.Variant{"Transport": dbus.MakeVariant("le")}
		err := a.CallWithContext(ctx, adapterFace+".SetDiscoveryFilter", 0, filter).Err
		if err == nil {
			err = a.CallWithContext(ctx, adapterFace+".StartDiscovery", 0).Err
		}
		if err != nil {
			return fault.New(fault.Unavailable, "Bluetooth cannot search for devices: %w", err)
		}
	}
	// Parents first: a characteristic belongs to a device that must be known.
	for _, path := range slices.Sorted(maps.Keys(objects)) {
		b.added(ctx, work, path, objects[path])
	}
	return nil
}

func (b *BlueZ) signal(ctx context.Context, work *sync.WaitGroup, s *dbus.Signal, take func(context.Context, Event) error) error {
	switch s.Name {
	case objectsFace + ".InterfacesAdded":
		var path dbus.ObjectPath
		var faces interfaces
		if dbus.Store(s.Body, &path, &faces) == nil {
			b.added(ctx, work, path, faces)
		}
	case objectsFace + ".InterfacesRemoved":
		var path dbus.ObjectPath
		var faces []string
		if dbus.Store(s.Body, &path, &faces) == nil {
			b.removed(path)
		}
	case propertiesFace + ".PropertiesChanged":
		var face string
		var changed map[string]dbus.Variant
		var gone []string
		if dbus.Store(s.Body, &face, &changed, &gone) != nil {
			return nil
		}
		if face == deviceFace {
			b.changed(ctx, work, s.Path, changed)
		}
		if value, ok := changed["Value"].Value().([]byte); ok && face == characterFace {
			return b.notified(ctx, s.Path, value, take)
		}
	}
	return nil
}

// added takes note of a device of the hub's or of one of its characteristics.
func (b *BlueZ) added(ctx context.Context, work *sync.WaitGroup, path dbus.ObjectPath, faces interfaces) {
	if device, ok := faces[deviceFace]; ok {
		address, _ := device["Address"].Value().(string)
		i := slices.IndexFunc(b.Devices, func(d Device) bool { return d.Address != "" && strings.EqualFold(d.Address, address) })
		if i < 0 {
			return
		}
		b.mu.Lock()
		if b.known[path] == nil {
			b.known[path] = &peripheral{device: b.Devices[i], path: path, characters: map[dbus.ObjectPath]string{}, notifies: map[dbus.ObjectPath]bool{}}
		}
		b.mu.Unlock()
		b.changed(ctx, work, path, device)
	}
	if character, ok := faces[characterFace]; ok {
		uuid, _ := character["UUID"].Value().(string)
		b.mu.Lock()
		p := b.owner(path)
		if p != nil {
			p.characters[path] = short(uuid)
		}
		b.mu.Unlock()
		if p != nil {
			b.subscribe(ctx, work, p)
		}
	}
}

// owner answers the device that a characteristic's path lies under. The lock is held.
func (b *BlueZ) owner(path dbus.ObjectPath) *peripheral {
	for at, p := range b.known {
		if strings.HasPrefix(string(path), string(at)+"/") {
			return p
		}
	}
	return nil
}

func (b *BlueZ) removed(path dbus.ObjectPath) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.owner(path); p != nil {
		delete(p.characters, path)
		delete(p.notifies, path)
	}
	delete(b.known, path)
}

// changed follows a device: it connects when it shows itself, and subscribes when its characteristics are there.
func (b *BlueZ) changed(ctx context.Context, work *sync.WaitGroup, path dbus.ObjectPath, properties map[string]dbus.Variant) {
	b.mu.Lock()
	p := b.known[path]
	if p == nil {
		b.mu.Unlock()
		return
	}
	if v, ok := properties["Connected"].Value().(bool); ok {
		if p.connected = v; !v {
			p.resolved = false
			clear(p.notifies)
		}
	}
	if v, ok := properties["ServicesResolved"].Value().(bool); ok {
		p.resolved = v
	}
	_, near := properties["RSSI"] // only what is heard now has one
	connect := near && !p.connected && !p.trying && b.Clock.Now().Sub(p.tried) > time.Second
	if connect {
		p.trying, p.tried = true, b.Clock.Now()
	}
	b.mu.Unlock()
	if connect {
		work.Go(func() { b.connect(ctx, p) })
	}
	b.subscribe(ctx, work, p)
}

func (b *BlueZ) connect(ctx context.Context, p *peripheral) {
	ctx, cancel := context.WithTimeout(ctx, connectMost)
	defer cancel()
	err := b.Bus.Object(bluez, p.path).CallWithContext(ctx, deviceFace+".Connect", 0).Err
	b.mu.Lock()
	p.trying = false
	b.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		b.Log.Warn("a sensor could not be connected to", "device", p.device.ID, "error", err)
	}
}

// subscribe asks a connected device for the notifications that the hub wants.
func (b *BlueZ) subscribe(ctx context.Context, work *sync.WaitGroup, p *peripheral) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !p.resolved {
		return
	}
	var want []dbus.ObjectPath
	for path, uuid := range p.characters {
		if !p.notifies[path] && (p.wants(uuid) || uuid == recordAccess) {
			p.notifies[path] = true
			want = append(want, path)
		}
	}
	if len(want) == 0 {
		return
	}
	slices.Sort(want)
	work.Go(func() { b.start(ctx, p, want) })
}

func (p *peripheral) wants(uuid string) bool {
	return gatt.Known(uuid) || p.device.Pill != "" && strings.EqualFold(uuid, p.device.Pill)
}

// start switches notifications on, and then asks a glucose meter for the records that it keeps.
func (b *BlueZ) start(ctx context.Context, p *peripheral, paths []dbus.ObjectPath) {
	ctx, cancel := context.WithTimeout(ctx, connectMost)
	defer cancel()
	var records dbus.ObjectPath
	meter := false
	for _, path := range paths {
		err := b.Bus.Object(bluez, path).CallWithContext(ctx, characterFace+".StartNotify", 0).Err
		b.mu.Lock()
		switch uuid := p.characters[path]; {
		case err != nil:
			delete(p.notifies, path) // the next sign of the device tries again
		case uuid == recordAccess:
			records = path
		case uuid == glucose:
			meter = true
		}
		b.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			b.Log.Warn("a sensor does not notify", "device", p.device.ID, "error", err)
		}
	}
	if records == "" || !meter {
		return
	}
	reportAll := []byte{1, 1} // report stored records, all of them: the server knows those that it has
	if err := b.write(ctx, records, reportAll); err != nil && ctx.Err() == nil {
		b.Log.Warn("a meter does not tell its records", "device", p.device.ID, "error", err)
	}
}

func (b *BlueZ) write(ctx context.Context, path dbus.ObjectPath, value []byte) error {
	return b.Bus.Object(bluez, path).CallWithContext(ctx, characterFace+".WriteValue", 0, value, map[string]dbus.Variant{}).Err
}

// notified hands on a notification.
func (b *BlueZ) notified(ctx context.Context, path dbus.ObjectPath, value []byte, take func(context.Context, Event) error) error {
	b.mu.Lock()
	p := b.owner(path)
	uuid := ""
	if p != nil {
		uuid = p.characters[path]
	}
	b.mu.Unlock()
	if p == nil || !p.wants(uuid) {
		return nil
	}
	e := Event{Device: p.device.ID, At: b.Clock.Now(), UUID: uuid, Value: value}
	if !gatt.Known(uuid) {
		e.UUID = ""
	}
	err := take(ctx, e)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooMuch) {
		b.Log.Warn("a sensor's notification is refused", "device", p.device.ID, "bytes", len(value), "error", err)
		err = nil
	}
	return err
}

// Cue writes a cue to a pill box that is connected.
func (b *BlueZ) Cue(ctx context.Context, d Device, c Cue) error {
	var to dbus.ObjectPath
	b.mu.Lock()
	for _, p := range b.known {
		if p.device.ID != d.ID || !p.resolved {
			continue
		}
		for path, uuid := range p.characters {
			if d.Cue != "" && strings.EqualFold(uuid, short(d.Cue)) {
				to = path
			}
		}
	}
	b.mu.Unlock()
	if to == "" {
		return fault.New(fault.Unavailable, "the box is not connected, or has no characteristic for cues")
	}
	body, err := c.bytes(d)
	if err != nil {
		return err
	}
	return b.write(ctx, to, body)
}

// bytes is a cue as a box takes it: an alert level (Immediate Alert Service 1.0: 0 none, 1 mild, 2 high), or JSON.
func (c Cue) bytes(d Device) ([]byte, error) {
	if short(d.Cue) != immediateAlert {
		return json.Marshal(c)
	}
	switch c.Cue {
	case "off":
		return []byte{0}, nil
	case "light":
		return []byte{1}, nil
	case "sound":
		return []byte{2}, nil
	}
	return nil, fmt.Errorf("%q is no cue", c.Cue)
}

// short answers a UUID in four digits where it is of Bluetooth's own, otherwise as it is.
func short(uuid string) string {
	if len(uuid) == 8+len(baseUUID) && strings.EqualFold(uuid[8:], baseUUID) && strings.HasPrefix(uuid, "0000") {
		uuid = uuid[4:8]
	}
	return strings.ToUpper(uuid)
}
