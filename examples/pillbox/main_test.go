package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/device"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// safe is a buffer that is written and read at once.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.b.Write(p) }
func (s *safe) String() string              { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// The box of the example signs in, its events are stored, a wrong key is refused, and it shows its light.
func TestPillbox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		h := apptest.New(t, db)
		h.Clock.Set(time.Now())
		id, key, err := h.Readings.Register(t.Context(), string(apptest.Org), "pillbox")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Readings.Assign(t.Context(), string(apptest.Org), id, string(h.Ruth.ID), h.Clock.Now().Add(-time.Hour), time.Time{}); err != nil {
			t.Fatal(err)
		}
		broker, err := device.Listen(&device.Intake{Service: h.Readings, Clock: h.Clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer broker.Close()
		args := []string{"-broker", broker.Addr(), "-device", id, "-key", key}
		for _, more := range [][]string{{"open"}, {"dispense", "-slot", "3"}, {"weight", "-value", "-0.42"}, {"tap"}, {"close"}, {"battery", "-value", "80"}} {
			var out bytes.Buffer
			if err := run(t.Context(), append(args[:len(args):len(args)], more...), &out); err != nil || !strings.Contains(out.String(), "stored") {
				t.Errorf("%v: %q %v", more, out.String(), err)
			}
		}
		list, err := h.Readings.PillEvents(t.Context(), string(apptest.Org), string(h.Ruth.ID), h.Clock.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		if err != nil || len(list) != 6 || list[1].Event != "dispense" || list[1].Slot != 3 || list[2].Event != "weight_delta" || list[2].Value != -0.42 {
			t.Errorf("%+v %v", list, err)
		}
		wrong := append(args[:4:4], "-key", "no", "open")
		if err := run(t.Context(), wrong, io.Discard); err == nil {
			t.Error("a wrong key was let in")
		}
		ctx, stop := context.WithCancel(t.Context())
		var out safe
		done := make(chan error, 1)
		go func() { done <- run(ctx, append(args[:len(args):len(args)], "listen"), &out) }()
		lit := func() bool {
			return strings.Contains(out.String(), "listens") && broker.Cue(id, []byte(`{"promise":"p","cue":"light","slot":1,"until":"2026-03-09T09:00:00-04:00"}`)) == nil
		}
		for end := time.Now().Add(20 * time.Second); !lit() && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		for end := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), "light, slot 1, until") && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		stop()
		if err := <-done; err != nil || !strings.Contains(out.String(), "light, slot 1, until 2026-03-09T09:00:00-04:00") {
			t.Errorf("%q %v", out.String(), err)
		}
	})
}
