package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
)

// bus starts a message bus of the test's own and answers its address.
func bus(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Fatal("dbus-daemon is not installed: make tools")
	}
	dir, err := os.MkdirTemp("", "bus") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, []byte(`<busconfig><type>session</type><listen>unix:path=`+filepath.Join(dir, "socket")+`</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--config-file="+config, "--nofork", "--print-address=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

func dial(t *testing.T, address string) *dbus.Conn {
	t.Helper()
	c, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// peer is a Bluetooth service as BlueZ shows it: an adapter, and devices with characteristics that are there once somebody connects.
type peer struct {
	t    *testing.T
	conn *dbus.Conn

	mu      sync.Mutex
	objects map[dbus.ObjectPath]interfaces
	calls   []string
}

const hci = dbus.ObjectPath("/org/bluez/hci0")

func newPeer(t *testing.T, address string) *peer {
	t.Helper()
	p := &peer{t: t, conn: dial(t, address), objects: map[dbus.ObjectPath]interfaces{hci: {adapterFace: {"Powered": dbus.MakeVariant(false), "Discovering": dbus.MakeVariant(false)}}}}
	p.export("/", objectsFace, map[string]any{"GetManagedObjects": func() (map[dbus.ObjectPath]interfaces, *dbus.Error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		out := map[dbus.ObjectPath]interfaces{}
		for path, faces := range p.objects {
			out[path] = faces
		}
		return out, nil
	}})
	p.export(hci, propertiesFace, map[string]any{"Set": func(_, name string, v dbus.Variant) *dbus.Error { return p.note(name, v.Value()) }})
	p.export(hci, adapterFace, map[string]any{
		"SetDiscoveryFilter": func(f map[string]dbus.Variant) *dbus.Error { return p.note("filter", f["Transport"].Value()) },
		"StartDiscovery":     func() *dbus.Error { return p.note("search") }})
	if answer, err := p.conn.RequestName(bluez, dbus.NameFlagDoNotQueue); err != nil || answer != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(answer, err)
	}
	return p
}

func (p *peer) export(path dbus.ObjectPath, face string, methods map[string]any) {
	if err := p.conn.ExportMethodTable(methods, path, face); err != nil {
		p.t.Error(err)
	}
}

func (p *peer) note(what ...any) *dbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, strings.TrimSpace(fmt.Sprintln(what...)))
	return nil
}

func (p *peer) called() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.calls, "; ")
}

func (p *peer) emit(path dbus.ObjectPath, name string, values ...any) {
	if err := p.conn.Emit(path, name, values...); err != nil {
		p.t.Error(err)
	}
}

// appears adds a device that is heard now; its characteristics come when somebody connects.
func (p *peer) appears(name, address string, characters ...string) {
	path := hci + dbus.ObjectPath("/"+name)
	device := interfaces{deviceFace: {"Address": dbus.MakeVariant(address), "RSSI": dbus.MakeVariant(int16(-60)), "Connected": dbus.MakeVariant(false), "ServicesResolved": dbus.MakeVariant(false)}}
	p.export(path, deviceFace, map[string]any{"Connect": func() *dbus.Error {
		p.note("connect", name)
		go func() {
			p.emit(path, propertiesFace+".PropertiesChanged", deviceFace, map[string]dbus.Variant{"Connected": dbus.MakeVariant(true)}, []string{})
			for _, uuid := range characters {
				at := path + dbus.ObjectPath("/service0001/char"+uuid[:4])
				full := uuid
				if len(uuid) == 4 {
					full = "0000" + strings.ToLower(uuid) + baseUUID
				}
				p.export(at, characterFace, map[string]any{
					"StartNotify": func() *dbus.Error { return p.note("notify", uuid) },
					"WriteValue":  func(b []byte, _ map[string]dbus.Variant) *dbus.Error { return p.note("write", uuid, b) }})
				p.emit("/", objectsFace+".InterfacesAdded", at, interfaces{characterFace: {"UUID": dbus.MakeVariant(full)}})
			}
			p.emit(path, propertiesFace+".PropertiesChanged", deviceFace, map[string]dbus.Variant{"ServicesResolved": dbus.MakeVariant(true)}, []string{})
		}()
		return nil
	}})
	p.mu.Lock()
	p.objects[path] = device
	p.mu.Unlock()
	p.emit("/", objectsFace+".InterfacesAdded", path, device)
}

func (p *peer) notifies(name, uuid string, value []byte) {
	p.emit(hci+dbus.ObjectPath("/"+name+"/service0001/char"+uuid[:4]), propertiesFace+".PropertiesChanged", characterFace, map[string]dbus.Variant{"Value": dbus.MakeVariant(value)}, []string{})
}

func (p *peer) until(what string, yes func() bool) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("it never came that %s: %s", what, p.called())
		}
	}
}

// The hub switches the adapter on, searches, connects to its own devices and to no others, takes their notifications and writes cues.
func TestBlueZ(t *testing.T) {
	t.Parallel()
	address := bus(t)
	p := newPeer(t, address)
	const events = "6d5e0001-0000-4000-8000-00805f9b34fb"
	devices := []Device{{ID: "strap", Address: "AA:00:00:00:00:01", Key: "k"}, {ID: "box", Address: "AA:00:00:00:00:02", Key: "k", Pill: events, Cue: immediateAlert}, {ID: "meter", Address: "AA:00:00:00:00:03", Key: "k"}}
	p.appears("strap", "aa:00:00:00:00:01", "2A37", "2A38")
	p.appears("neighbour", "aa:00:00:00:00:99", "2A37")
	clk := clock.NewSim(time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC))
	b := &BlueZ{Bus: dial(t, address), Adapter: "hci0", Devices: devices, Clock: clk, Log: quiet}
	ctx, stop := context.WithCancel(t.Context())
	got := make(chan Event, 10)
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, func(_ context.Context, e Event) error { got <- e; return nil }) }()
	p.until("the strap notifies", func() bool { return strings.Contains(p.called(), "notify 2A37") })
	p.notifies("strap", "2A37", []byte{0, 72})
	if e := <-got; e.Device != "strap" || e.UUID != "2A37" || !bytes.Equal(e.Value, []byte{0, 72}) || !e.At.Equal(clk.Now()) {
		t.Errorf("%+v", e)
	}
	if err := b.Cue(ctx, devices[1], Cue{Cue: "light"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a box that is away took a cue: %v", err)
	}
	p.appears("box", "AA:00:00:00:00:02", events, immediateAlert)
	p.until("the box notifies", func() bool { return strings.Contains(p.called(), "notify "+events) })
	p.notifies("box", events, []byte(`{"event":"open","slot":2}`))
	if e := <-got; e.Device != "box" || e.UUID != "" || string(e.Value) != `{"event":"open","slot":2}` {
		t.Errorf("%+v", e)
	}
	for i, cue := range []string{"light", "sound", "off"} {
		level := []int{1, 2, 0}[i]
		if err := b.Cue(ctx, devices[1], Cue{Cue: cue}); err != nil || !strings.Contains(p.called(), fmt.Sprintf("write 2A06 [%d]", level)) {
			t.Errorf("%s: %v, %s", cue, err, p.called())
		}
	}
	p.appears("meter", "AA:00:00:00:00:03", "2A18", "2A52")
	p.until("the meter is asked for its records", func() bool { return strings.Contains(p.called(), "write 2A52 [1 1]") })
	called := p.called()
	if strings.Contains(called, "neighbour") || strings.Contains(called, "2A38") || !strings.HasPrefix(called, "Powered true; filter le; search") || strings.Count(called, "connect strap") != 1 {
		t.Error(called)
	}
	p.emit("/", objectsFace+".InterfacesRemoved", hci+"/box", []string{deviceFace})
	p.until("the box is gone", func() bool { return b.Cue(ctx, devices[1], Cue{Cue: "light"}) != nil })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Without the adapter, and without BlueZ, the hub says so.
func TestBlueZIsNotThere(t *testing.T) {
	t.Parallel()
	address := bus(t)
	b := &BlueZ{Bus: dial(t, address), Adapter: "hci7", Clock: clock.NewSim(time.Time{}), Log: quiet}
	if err := b.Run(t.Context(), nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no BlueZ: %v", err)
	}
	newPeer(t, address)
	if err := b.Run(t.Context(), nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("no adapter: %v", err)
	}
}
