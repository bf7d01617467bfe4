package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// paper is a gateway that writes down what it takes, outlives the server and can tell afterwards.
type paper struct {
	path string
	read sync.Once
	took map[string]bool
}

func (c *paper) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	var b bytes.Buffer
	for _, m := range batch {
		b.WriteString(m.Ref + "\n")
	}
	results := make([]message.Result, len(batch))
	f, err := os.OpenFile(c.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(b.Bytes())
		err = errors.Join(err, f.Close())
	}
	for i := range results {
		results[i].Err = err
	}
	return results
}

func (c *paper) Took(ref string) (string, bool, error) {
	c.read.Do(func() {
		c.took = map[string]bool{}
		for _, line := range c.lines() {
			c.took[line] = true
		}
	})
	return "", c.took[ref], nil
}

func (c *paper) lines() []string {
	text, _ := os.ReadFile(c.path) // not there: nothing was taken
	return strings.Fields(string(text))
}

// TestMain runs the tests, or is the server of TestFault01SpikeKilled in a process of its own.
func TestMain(m *testing.M) {
	url := os.Getenv("SPIKE_URL")
	if url == "" {
		os.Exit(m.Run())
	}
	if err := spikeServer(context.Background(), url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func spikeServer(ctx context.Context, url string) error {
	db, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := NewSpike(ctx, db, 0, &paper{path: os.Getenv("SPIKE_PAPER")})
	if err != nil {
		return err
	}
	if os.Getenv("SPIKE_SECOND") == "" {
		_, err := s.Go(ctx)
		return err
	}
	s.Clock.Set(spikeAt.Add(90 * time.Second)) // the leases of the first have run out
	if err := s.Promises.Refresh(ctx); err != nil {
		return err
	}
	if _, err := s.Promises.Climb(ctx); err != nil {
		return err
	}
	for n := 1; n > 0; {
		if n, err = s.Messages.SendDue(ctx); err != nil {
			return err
		}
	}
	return nil
}

// TestFault01SpikeKilled is a server that is killed in the middle of a morning's reminders: another one sends the rest, and nobody
// is reminded twice or forgotten.
func TestFault01SpikeKilled(t *testing.T) {
	const doses = 20_000
	for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			url := storetest.URL(t, engine)
			db, err := store.Open(t.Context(), url, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			gateway := &paper{path: filepath.Join(t.TempDir(), "taken")}
			s, err := NewSpike(t.Context(), db, doses, gateway)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Fill(t.Context()); err != nil {
				t.Fatal(err)
			}
			serve := func(second string) *exec.Cmd {
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), "SPIKE_URL="+url, "SPIKE_SECOND="+second, "SPIKE_PAPER="+gateway.path)
				return cmd
			}
			first := serve("")
			var said bytes.Buffer
			first.Stdout, first.Stderr = &said, &said
			if err := first.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(5 * time.Minute); len(gateway.lines()) < doses/4; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					first.Process.Kill()
					first.Wait()
					t.Fatalf("the first server reminded %d: %s", len(gateway.lines()), said.String())
				}
			}
			if err := first.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := first.Wait(); err == nil {
				t.Error("the first server was done before it was killed")
			}
			before := len(gateway.lines())
			if out, err := serve("yes").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}

			times := map[string]int{}
			for _, ref := range gateway.lines() {
				times[ref]++
			}
			if total := len(gateway.lines()); len(times) != doses || total != doses || before == doses {
				t.Errorf("%d people were reminded %d times, %d before the kill; want each of %d once, some after it", len(times), total, before, doses)
			}
			report, err := s.Promises.Check(t.Context())
			if err != nil || len(report.Faults) > 0 || report.Events != 2*doses {
				t.Errorf("the ledger: %d lines, faults %v, %v", report.Events, report.Faults[:min(len(report.Faults), 3)], err)
			}
			n, damaged, err := s.Messages.Check(t.Context())
			if err != nil || n != doses || len(damaged) > 0 {
				t.Errorf("the outbox: %d messages, damaged %v, %v", n, damaged, err)
			}
		})
	}
}
