// Package gateway is a hub in a person's home: it takes what sensors measure, from Bluetooth or from a recording, and brings it to a
// Doorstep server; and it keeps the pill box's lights when the server cannot be reached.
//
// Its promises: what was taken is on its disk before anything else happens to it, and leaves the disk only when the server has said that
// it is stored; it may be sent twice, never changed in between, so that the server knows it again; its time is when the hub got it, not
// when the network came back; a light is shown once, by the server or by the hub, and not after the box was opened for it. The
// queue is bounded: when it is full the beats of the heart go first, a pill box's events last, and the log says so. No payload, no key and
// no person stands in a log.
package gateway

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what a hub knows of its home.
type Config struct {
	Broker  string   `json:"broker"` // the server's MQTT, "mqtt://host:1883" or "mqtts://…"
	Devices []Device `json:"devices"`
}

// Device is a sensor or a pill box, and who it is for the server.
type Device struct {
	Address string `json:"address"`        // Bluetooth, "AA:BB:CC:DD:EE:FF"; may be empty with a recording
	ID      string `json:"device"`         // Doorstep's id
	Key     string `json:"key"`            //
	Pill    string `json:"pill,omitempty"` // UUID of the characteristic that tells a pill box's events as JSON
	Cue     string `json:"cue,omitempty"`  // UUID of the characteristic that takes cues: 2A06 (Immediate Alert), or another that takes them as JSON
}

// Cue is what a pill box shows.
type Cue struct {
	Promise string    `json:"promise,omitempty"`
	Cue     string    `json:"cue"` // light, sound, off
	Slot    int       `json:"slot"`
	Until   time.Time `json:"until,omitzero"`
}

// Event is what the hub got: raw bytes of a characteristic, or a pill box's event as a JSON object.
type Event struct {
	Device string // Doorstep's id
	At     time.Time
	UUID   string // 16 bits in hex; empty: Value is a pill box's event
	Value  []byte
}

// Source is where events come from and cues go to.
type Source interface {
	// Run hands on events until ctx or the source ends. What take refuses with an error is not stored.
	Run(ctx context.Context, take func(context.Context, Event) error) error
	// Cue shows a cue; an error means that nobody can have seen it.
	Cue(ctx context.Context, d Device, c Cue) error
}

// Gateway is a hub. Log and Clock are required; Most 0 means a million.
type Gateway struct {
	Config Config
	Clock  clock.Clock
	Log    *slog.Logger
	Most   int  // rows of the queue
	Once   bool // ends when the source has ended and all is with the server

	db     *store.DB
	source Source
	links  []*link
}

const (
	most = 1_000_000
	tick = time.Second
)

// ReadConfig reads a hub's file.
func ReadConfig(path string) (Config, error) {
	var c Config
	b, err := os.ReadFile(path)
	if err != nil {
		return c, fault.New(fault.NotFound, "The hub's file cannot be read: %w", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, fault.New(fault.Invalid, "The hub's file is not as docs/gateway.md says: %w", err)
	}
	return c, c.Validate()
}

// Validate says what is wrong with a hub's file.
func (c *Config) Validate() error {
	u, err := url.Parse(c.Broker)
	if err != nil || u.Host == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
		return fault.Invalidf("broker: it is an address like mqtt://doorstep.example:1883 or mqtts://…")
	}
	if len(c.Devices) == 0 {
		return fault.Invalidf("devices: the hub has none")
	}
	seen := map[string]bool{}
	for i := range c.Devices {
		d := &c.Devices[i]
		d.Address = strings.ToUpper(d.Address)
		switch {
		case d.ID == "" || d.Key == "":
			return fault.Invalidf("devices: number %d needs \"device\" and \"key\", as the server gave them", i+1)
		case strings.ContainsAny(d.ID, "/+#"):
			return fault.Invalidf("devices: %q is not an id that the server gives", d.ID)
		case seen[d.ID] || d.Address != "" && seen[d.Address]:
			return fault.Invalidf("devices: %s stands there twice", d.ID)
		}
		seen[d.ID], seen[d.Address] = true, d.Address != ""
	}
	return nil
}

// Open opens the hub's folder and takes what is still queued there. Close it in the end.
func (g *Gateway) Open(ctx context.Context, path string, source Source) error {
	if err := g.Config.Validate(); err != nil {
		return err
	}
	if g.Most == 0 {
		g.Most = most
	}
	db, err := store.Open(ctx, path, store.Options{Readers: 2, CacheMB: 4})
	if err != nil {
		return err
	}
	tables, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = db.Migrate(ctx, "gateway", tables)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	g.db, g.source = db, source
	for i := range g.Config.Devices {
		g.links = append(g.links, newLink(g, g.Config.Devices[i]))
	}
	return nil
}

// Close closes the hub's folder.
func (g *Gateway) Close() error { return g.db.Close() }

// Run takes, forwards and cues until ctx ends, or the source does where Once is set.
func (g *Gateway) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	work, inner := errgroup.WithContext(ctx)
	for _, l := range g.links {
		work.Go(func() error { return l.run(inner) })
	}
	work.Go(func() error {
		if err := g.source.Run(inner, g.Take); err != nil || !g.Once {
			return err
		}
		defer stop()
		return g.drained(inner)
	})
	return clean(ctx, work.Wait())
}

// drained waits until the queue is empty.
func (g *Gateway) drained(ctx context.Context) error {
	for {
		n, err := g.Queued(ctx)
		if err != nil || n == 0 {
			return err
		}
		select {
		case <-time.After(tick / 10):
		case <-ctx.Done():
			return nil
		}
	}
}

// clean answers nil for an end that was asked for.
func clean(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
