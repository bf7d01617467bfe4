package device

import (
	"slices"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"doorstep/internal/reading"
)

const (
	keysEvery = time.Minute // how often all sessions are asked whether their key is still right, should a hint be lost
	keysMost  = 1000        // sessions of one question
)

// session is a connected device.
type session struct {
	client *mqtt.Client
	device reading.Device
}

// watchKeys disconnects devices that signed in with a key that they do not have any more.
func (b *Broker) watchKeys() {
	hints := b.in.Service.NewKeys(b.ctx)
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		select {
		case id := <-hints:
			b.in.Service.Forget(id)
			b.checkKeys(func(d reading.Device) bool { return d.ID == id })
		case <-tick.C:
			b.checkKeys(func(reading.Device) bool { return true })
		case <-b.ctx.Done():
			return
		}
	}
}

// checkKeys looks at the sessions of some devices.
func (b *Broker) checkKeys(which func(reading.Device) bool) {
	var all []session
	b.hook.devices.Range(func(cl, dev any) bool {
		if d := dev.(reading.Device); which(d) {
			all = append(all, session{cl.(*mqtt.Client), d})
		}
		return true
	})
	for some := range slices.Chunk(all, keysMost) {
		devices := make([]reading.Device, len(some))
		for i := range some {
			devices[i] = some[i].device
		}
		stale, err := b.in.Service.Stale(b.ctx, devices)
		if err != nil {
			if b.ctx.Err() == nil {
				b.in.Log.Error("the keys of connected devices could not be checked", "error", err)
			}
			return
		}
		for i, s := range some {
			if stale[i] {
				b.disconnect(s.client, packets.ErrNotAuthorized)
			}
		}
	}
}
