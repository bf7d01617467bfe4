package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/reading/fit"
	"doorstep/internal/reading/gatt"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
)

// notifications are one of each characteristic, in hex.
var notifications = []struct{ uuid, hex string }{
	{"2A37", "105100031203"}, {"2A35", "1E7B0050005E00E807030F0E1E2D4800010000"}, {"2A18", "1B0F00E807011E053A1B53016FB0F80000"}, {"2A34", "030600012DD002"},
	{"2A9D", "0EB036E807030F0E1E2D05F500D606"}, {"2A1C", "06720100FFE807030F0E1E2D02"}, {"2A5E", "0162004800E807030F0E1E2D"}, {"2A5F", "016200480061004B00"}, {"2AA7", "060069000A00"},
}

// decodeGATT answers what a value of a Bluetooth notification costs, over all characteristics alike.
func decodeGATT(ctx context.Context, _ *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	const rounds = 200_000
	raw := make([][]byte, len(notifications))
	for i, n := range notifications {
		var err error
		if raw[i], err = gatt.Bytes(n.hex); err != nil {
			return nil, err
		}
	}
	var m gatt.Measurement
	values := 0
	pass := func(times int) error {
		for range times {
			for i, n := range notifications {
				if err := m.Decode(n.uuid, raw[i]); err != nil {
					return err
				}
				values += len(m.Values) + len(m.Beside)
			}
		}
		return ctx.Err()
	}
	if err := pass(1); err != nil {
		return nil, err
	}
	values = 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	seconds, err := timed(func() error { return pass(rounds) })
	runtime.ReadMemStats(&after)
	return []app.Figure{
		{Name: "decode.gatt.ns", Value: seconds * 1e9 / float64(values), Unit: "ns/value", N: values},
		{Name: "decode.gatt.allocs", Value: float64(after.Mallocs-before.Mallocs) / float64(values), Unit: "/value", N: values},
	}, err
}

// fitSeconds is how long each side of decode.fit runs, three times in turn.
const fitSeconds = 1.0

// decodeFIT answers how fast the sample FIT files become samples, beside muktihari/fit on the files that it can read too, which
// runs as a program of its own (internal/bench/peers/fit) where that folder and a Go tool are at hand; and beside the check
// value of the same bytes alone.
func decodeFIT(ctx context.Context, r *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	names, err := filepath.Glob(filepath.Join(r.Shared, "devices", "fit", "*.fit"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("there are no FIT files in %s (--shared)", filepath.Join(r.Shared, "devices", "fit"))
	}
	peer, err := r.peerFIT(ctx)
	if err != nil {
		return nil, err
	}
	var theirs fitPeer
	if peer != "" {
		if theirs, err = runPeer(ctx, peer, 0, names); err != nil {
			return nil, err
		}
		names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(theirs.Files, filepath.Base(n)) })
	}
	var files [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, b)
	}
	var ours, limit, beside float64
	for range 3 { // in turn, the best of each: neighbours slow down both
		ours = max(ours, perSecond(files, fitSeconds, func(b []byte) {
			for range fit.Read(bytes.NewReader(b), sample.Options{}) {
			}
		}))
		limit = max(limit, perSecond(files, fitSeconds/4, func(b []byte) { fit.CheckValue(b) }))
		if peer != "" {
			if theirs, err = runPeer(ctx, peer, fitSeconds, names); err != nil {
				return nil, err
			}
			beside = max(beside, float64(theirs.Bytes)/theirs.Took/1e6)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	out := []app.Figure{{Name: "decode.fit.mbs", Value: ours, Unit: "MB/s", N: len(files)}, {Name: "decode.fit.limit_mbs", Value: limit, Unit: "MB/s", N: len(files)}}
	if peer != "" {
		out = append(out, app.Figure{Name: "decode.fit.peer_mbs", Value: beside, Unit: "MB/s", N: len(files)}, app.Figure{Name: "decode.fit.ratio", Value: ours / beside, Unit: "times the peer", N: len(files)})
	}
	return out, nil
}

// perSecond answers how many MB a second read takes, of files over and over.
func perSecond(files [][]byte, seconds float64, read func(b []byte)) float64 {
	n, begin := 0, time.Now()
	for time.Since(begin).Seconds() < seconds {
		for _, b := range files {
			read(b)
			n += len(b)
		}
	}
	return float64(n) / time.Since(begin).Seconds() / 1e6
}

// fitPeer is what the peer's program answers.
type fitPeer struct {
	Files []string // that it can read
	Bytes int64
	Took  float64 // seconds
}

// peerFIT builds the peer's program; "" where its folder or the Go tool is missing.
func (r *Runner) peerFIT(ctx context.Context) (program string, err error) {
	dir := filepath.Join(r.Peers, "fit")
	tool, err := exec.LookPath("go")
	if _, absent := os.Stat(dir); err != nil || absent != nil {
		r.Say("decode.fit without a peer: " + dir + " or the go tool is missing")
		return "", nil
	}
	program = filepath.Join(r.dir, "fitpeer")
	build := exec.CommandContext(ctx, tool, "build", "-o", program, ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the peer of decode.fit cannot be built: %w: %s", err, said)
	}
	return program, nil
}

func runPeer(ctx context.Context, program string, seconds float64, names []string) (p fitPeer, err error) {
	cmd := exec.CommandContext(ctx, program, append([]string{strconv.FormatFloat(seconds, 'g', -1, 64)}, names...)...)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(b, &p)
}
