package turn

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/turn/v5"

	"doorstep/internal/clock"
)

func TestReachesNoFurtherIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		own, peer string
		want      bool
	}{
		{"203.0.113.7", "203.0.113.7", true}, {"203.0.113.7", "198.51.100.2", true}, {"203.0.113.7", "10.0.0.5", false}, {"203.0.113.7", "127.0.0.1", false},
		{"203.0.113.7", "169.254.169.254", false}, {"203.0.113.7", "::1", false}, {"203.0.113.7", "0.0.0.0", false}, {"203.0.113.7", "224.0.0.1", false},
		{"10.0.0.1", "10.0.0.5", true}, {"10.0.0.1", "127.0.0.1", false}, {"127.0.0.1", "127.0.0.1", true},
	} {
		if got := reach(netip.MustParseAddr(c.own), netip.MustParseAddr(c.peer)); got != c.want {
			t.Errorf("from %s to %s: %v", c.own, c.peer, got)
		}
	}
}

// Credentials open the relay until they run out; others', or with a later end written in, never.
func TestCredentialsRunOut(t *testing.T) {
	t.Parallel()
	now := clock.NewSim(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	r, err := Listen(Options{Listen: "127.0.0.1:0", Secret: "s", Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	given := r.Servers("seat", now.Now())[0]
	allocate := func(name, password string) error {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		at := given.URLs[0][len("turn:") : len(given.URLs[0])-len("?transport=udp")]
		c, err := turn.NewClient(&turn.ClientConfig{TURNServerAddr: at, Conn: conn, Username: name, Password: password, Realm: realm})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Listen(); err != nil {
			t.Fatal(err)
		}
		relayed, err := c.Allocate()
		if err == nil {
			relayed.Close()
		}
		return err
	}
	if err := allocate(given.Username, given.Credential); err != nil {
		t.Errorf("its own: %v", err)
	}
	if allocate(given.Username, "guess") == nil || allocate("9999999999:seat", given.Credential) == nil || allocate("seat", given.Credential) == nil {
		t.Error("credentials that were not given open the relay")
	}
	now.Advance(Good + time.Second)
	if allocate(given.Username, given.Credential) == nil {
		t.Error("credentials that have run out open the relay")
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	q := newQuota(2)
	q.took("a")
	q.took("a")
	if q.room("a", "", nil) || !q.room("b", "", nil) {
		t.Error("the quota is not by seat")
	}
	q.gave("a")
	if !q.room("a", "", nil) {
		t.Error("what was given back is not free")
	}
}
