package main

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/godbus/dbus/v5"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/gateway"
)

type gatewayCmd struct {
	Hub     string  `arg:"" help:"The hub's file: the server's address, and which Bluetooth address is which device (docs/gateway.md)."`
	Data    string  `help:"Folder of what waits for the server." default:"doorstep-gateway" type:"path"`
	Adapter string  `help:"The Bluetooth adapter." default:"hci0"`
	Replay  string  `help:"A recording in place of Bluetooth: JSON lines; - is standard input. Lights go to standard output."`
	Speed   float64 `help:"How many times as fast as it was recorded; 0: at once." default:"1"`
	Once    bool    `help:"End when the recording is over and the server has it all."`
	Most    int     `help:"How many measurements may wait; then the oldest heart beats go first." default:"1000000"`
}

// Run is a hub: it needs nothing of the server but its MQTT.
func (c gatewayCmd) Run(e *env) (err error) {
	if c.Speed < 0 || c.Most < 1 {
		return usagef("--speed is not below 0 and --most at least 1")
	}
	if c.Once && c.Replay == "" {
		return usagef("--once goes with --replay: Bluetooth does not end")
	}
	config, err := gateway.ReadConfig(c.Hub)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(e.err, nil))
	clk := clock.NewSystem()
	var source gateway.Source
	if c.Replay != "" {
		in := io.Reader(os.Stdin)
		if c.Replay != "-" {
			file, err := os.Open(c.Replay)
			if err != nil {
				return fault.New(fault.NotFound, "The recording cannot be read: %w", err)
			}
			defer file.Close()
			in = file
		}
		source = &gateway.Replay{In: in, Out: e.out, Speed: c.Speed, Devices: config.Devices, Clock: clk, Log: log}
	} else {
		bus, err := dbus.ConnectSystemBus()
		if err != nil {
			return fault.New(fault.Unavailable, "The system's message bus cannot be reached; Bluetooth needs Linux with BlueZ (or use --replay): %w", err)
		}
		defer bus.Close()
		source = &gateway.BlueZ{Bus: bus, Adapter: c.Adapter, Devices: config.Devices, Clock: clk, Log: log}
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fault.New(fault.Unavailable, "The hub's folder cannot be made: %w", err)
	}
	g := gateway.Gateway{Config: config, Clock: clk, Log: log, Most: c.Most, Once: c.Once}
	if err := g.Open(e, filepath.Join(c.Data, "gateway.db"), source); err != nil {
		return err
	}
	defer g.Close()
	return g.Run(e)
}
