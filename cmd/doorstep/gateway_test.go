package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/device"
	"doorstep/internal/gateway"
	"doorstep/internal/store"
)

// hub is a running doorstep gateway.
type hub struct {
	cmd  *exec.Cmd
	feed io.WriteCloser
	errs bytes.Buffer
}

func startHub(t *testing.T, args ...string) *hub {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{cmd: exec.Command(path, append([]string{"gateway"}, args...)...)}
	h.cmd.Stderr = &h.errs
	if h.feed, err = h.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.cmd.Process.Kill() })
	return h
}

// A hub's process is killed again and again, while it takes and while it forwards: what was on its disk arrives, once, with its time.
func TestKilledHubLosesNothing(t *testing.T) {
	t.Parallel()
	c := newClinic(t, filepath.Join(t.TempDir(), "doorstep.db"), "http://127.0.0.1:1", 1)
	dir := t.TempDir()
	listen := freePort(t)
	config, err := json.Marshal(gateway.Config{Broker: "mqtt://" + listen, Devices: []gateway.Device{{ID: c.devices[0], Key: c.keys[0]}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "hub.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{file, "--data", filepath.Join(dir, "hub"), "--replay", "-", "--speed", "0"}
	begin := time.Now().Add(-10 * time.Minute).UTC().Truncate(time.Second)
	const n = 600
	line := func(i int) string {
		return fmt.Sprintf(`{"at":%q,"device":%q,"uuid":"2A37","hex":"00%02X"}`+"\n", begin.Add(time.Duration(i)*time.Second).Format(time.RFC3339), c.devices[0], 60+i%40)
	}
	// The hub's disk, looked at while no hub runs. A number that was given out was taken.
	taken := func() (last int) {
		t.Helper()
		db, err := store.Open(t.Context(), filepath.Join(dir, "hub", "gateway.db"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			// A hub that was killed before it had its tables has taken nothing.
			if ready, err := tx.Row("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'", nil, new(int)); err != nil || !ready {
				return err
			}
			_, err := tx.Row("SELECT seq FROM sqlite_sequence WHERE name = 'queued'", nil, &last)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return last
	}
	db, err := store.Open(t.Context(), c.address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	clk := clock.NewSystem()
	s, err := app.New(t.Context(), app.Options{DB: db, Clock: clk, IDs: clock.NewIDs(clk), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	stored := func() map[time.Time]float64 {
		t.Helper()
		list, err := s.Readings.Samples(t.Context(), string(app.FirstOrg), string(c.patients[0]), "8867-4", begin.Add(-time.Hour), begin.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		out := map[time.Time]float64{}
		for _, one := range list {
			if _, twice := out[one.At]; twice {
				t.Errorf("%v is stored twice", one.At)
			}
			out[one.At] = one.Value
		}
		return out
	}
	var broker *device.Broker
	for i, kills := 0, 0; i < n; kills++ {
		if kills == 3 { // from here on the network is there
			if broker, err = device.Listen(s.Intake, listen); err != nil {
				t.Fatal(err)
			}
			defer broker.Close()
		}
		h := startHub(t, args...)
		go func(from int) {
			for j := from; j < n; j++ {
				if _, err := io.WriteString(h.feed, line(j)); err != nil {
					return // it is dead
				}
			}
		}(i)
		time.Sleep(time.Duration(100+rand.IntN(150)) * time.Millisecond)
		h.cmd.Process.Kill()
		h.cmd.Wait()
		i = taken() // each line is one number, in order: what the disk has is not said again
		t.Logf("killed with %d taken, %d with the server", i, len(stored()))
	}
	if broker == nil {
		if broker, err = device.Listen(s.Intake, listen); err != nil {
			t.Fatal(err)
		}
		defer broker.Close()
	}
	last := startHub(t, append(args, "--once")...)
	last.feed.Close()
	if err := last.cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, last.errs.String())
	}
	got := stored()
	if len(got) != n {
		t.Errorf("%d of %d are stored", len(got), n)
	}
	for i := range n {
		if v := got[begin.Add(time.Duration(i)*time.Second)]; v != float64(60+i%40) {
			t.Errorf("number %d is %v", i, v)
		}
	}
}

func TestGatewayUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wrong, right := filepath.Join(dir, "wrong.json"), filepath.Join(dir, "hub.json")
	for file, text := range map[string]string{wrong: `{"broker":"here"}`, right: `{"broker":"mqtt://127.0.0.1:1","devices":[{"device":"a","key":"k"}]}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no file", []string{"gateway"}, 2, "<hub>"},
		{"no such file", []string{"gateway", filepath.Join(dir, "none.json")}, 1, "hub's file"},
		{"a wrong file", []string{"gateway", wrong}, 1, "broker"},
		{"once without a recording", []string{"gateway", right, "--once"}, 2, "--replay"},
		{"backwards", []string{"gateway", right, "--speed=-1"}, 2, "--speed"},
		{"no recording", []string{"gateway", right, "--replay", filepath.Join(dir, "none"), "--data", dir}, 1, "recording"},
		{"a broken recording", []string{"gateway", right, "--replay", wrong, "--data", dir, "--once"}, 1, "Line 1"},
	} {
		if code, _, errs := do(t, c.args...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%s: %d %s", c.name, code, errs)
		}
	}
}
