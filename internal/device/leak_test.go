package device

import (
	"bytes"
	"log/slog"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/reading"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// TestGoroutinesEnd: a broker that is closed leaves nothing running, also with devices still connected. It does not run
// beside others, because it looks at the whole process.
func TestGoroutinesEnd(t *testing.T) {
	db, err := store.Open(t.Context(), storetest.URL(t, store.SQLite), store.Options{Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context(), "reading", reading.Migrations); err != nil {
		t.Fatal(err)
	}
	c := clock.NewSim(noon)
	service := reading.New(db, c, clock.SeededIDs(c, 1))
	in := &Intake{Service: service, Clock: c, Log: slog.New(slog.DiscardHandler)}
	broker, err := Listen(in, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	id, key, err := service.Register(t.Context(), "org", "watch")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		client, err := dialMini(broker.Addr(), time.Now().String(), id, key)
		if err != nil {
			t.Fatal(err)
		}
		defer client.close()
	}
	up, err := Connect(in, "mqtt://"+id+":"+key+"@"+broker.Addr(), "node")
	if err != nil {
		t.Fatal(err)
	}
	up.Close()
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	var stacks bytes.Buffer
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		stacks.Reset()
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Fatal(err)
		}
		if s := stacks.String(); !strings.Contains(s, "mochi-mqtt") && !strings.Contains(s, "paho") && !strings.Contains(s, "device.(*Uplink)") {
			return
		}
	}
	t.Errorf("still running:\n%s", stacks.String())
}
