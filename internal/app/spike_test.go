package app

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/store"
)

func TestSpikeTry(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("SPIKE"))
	if n == 0 {
		n = 20000
	}
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := &message.Counter{}
	s, err := NewSpike(t.Context(), db, n, c)
	if err != nil {
		t.Fatal(err)
	}
	st := time.Now()
	if err := s.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Log("fill", time.Since(st))
	d, err := s.Go(t.Context())
	t.Log("go", d, float64(d.Microseconds())/float64(n), "us each", c.N, PeakMB(), err)
}
