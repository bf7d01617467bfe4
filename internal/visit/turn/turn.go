// Package turn is a TURN relay (RFC 8656) inside the server: browsers that cannot reach each other send through it, encrypted end
// to end. Whoever may use it was given a name and a password for one seat of one visit, good for a few hours and kept nowhere.
package turn

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/visit"
)

const (
	// Good is how long credentials may begin something new.
	Good = 6 * time.Hour

	realm   = "doorstep"
	perSeat = 16 // allocations at once: three others, both protocols, and what is being renewed
)

// Options of Listen.
type Options struct {
	Listen string // UDP and TCP address
	Host   string // name or IP that browsers reach it by
	IP     string // address that relayed packets come from, as others see it; empty: the one it listens on
	Secret string // signs credentials; not shared with anybody
	Clock  clock.Clock
	Log    *slog.Logger
}

// Relay is a running TURN server.
type Relay struct {
	server *turn.Server
	secret []byte
	clock  clock.Clock
	urls   []string
}

// Listen starts a relay.
func Listen(o Options) (*Relay, error) {
	at, err := net.ResolveUDPAddr("udp", o.Listen)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the address of the relay %q cannot be read: %w", o.Listen, err)
	}
	ip := at.AddrPort().Addr().Unmap()
	if o.IP != "" {
		if ip, err = netip.ParseAddr(o.IP); err != nil {
			return nil, fault.New(fault.Invalid, "the relay's own address %q is no IP address: %w", o.IP, err)
		}
	}
	if !ip.IsValid() || ip.IsUnspecified() {
		return nil, fault.New(fault.Invalid, "the relay needs the IP address by which others reach it, because it listens on all")
	}
	r := &Relay{secret: []byte(o.Secret), clock: o.Clock}
	packets, err := net.ListenPacket("udp", o.Listen)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the relay cannot use the address %s: %w", o.Listen, err)
	}
	port := packets.LocalAddr().(*net.UDPAddr).Port
	streams, err := net.Listen("tcp", net.JoinHostPort(at.IP.String(), strconv.Itoa(port)))
	if err != nil {
		packets.Close()
		return nil, fault.New(fault.Unavailable, "the relay cannot use the address %s: %w", o.Listen, err)
	}
	bind := at.IP.String()
	if at.IP == nil {
		bind = "0.0.0.0"
	}
	relays := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IP(ip.AsSlice()), Address: bind}
	may := func(_ net.Addr, peer net.IP) bool {
		p, ok := netip.AddrFromSlice(peer)
		return ok && reach(ip, p.Unmap())
	}
	held := newQuota(perSeat)
	r.server, err = turn.NewServer(turn.ServerConfig{
		Realm: realm, AuthHandler: r.key, LoggerFactory: logger{o.Log},
		QuotaHandler: held.room,
		EventHandler: turn.EventHandler{
			OnAllocationCreated: func(_, _ net.Addr, _, seat, _ string, _ net.Addr, _ int) { held.took(seat) },
			OnAllocationDeleted: func(_, _ net.Addr, _, seat, _ string) { held.gave(seat) },
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: packets, RelayAddressGenerator: relays, PermissionHandler: may}},
		ListenerConfigs:   []turn.ListenerConfig{{Listener: streams, RelayAddressGenerator: relays, PermissionHandler: may}},
	})
	if err != nil {
		packets.Close()
		streams.Close()
		return nil, err
	}
	host := o.Host
	if host == "" {
		host = ip.String()
	}
	where := net.JoinHostPort(host, strconv.Itoa(port))
	r.urls = []string{"turn:" + where + "?transport=udp", "turn:" + where + "?transport=tcp"}
	return r, nil
}

// reach reports whether the relay at an address sends to another for whoever asks: never further in than it stands itself, so
// that it is no way around a firewall.
func reach(own, peer netip.Addr) bool {
	switch {
	case peer == own:
		return true // the other side's relay
	case peer.IsLoopback() || peer.IsUnspecified():
		return own.IsLoopback()
	case peer.IsPrivate():
		return own.IsPrivate() || own.IsLoopback()
	}
	return peer.IsGlobalUnicast()
}

// Servers implements visit.Relay. The password is an HMAC of the name, which holds when it ends
// (draft-uberti-behave-turn-rest-00, the scheme that TURN servers share).
func (r *Relay) Servers(seat string, now time.Time) []visit.Server {
	name := strconv.FormatInt(now.Add(Good).Unix(), 10) + ":" + seat
	return []visit.Server{{URLs: r.urls, Username: name, Credential: r.password(name)}}
}

func (r *Relay) password(name string) string {
	h := hmac.New(sha1.New, r.secret)
	io.WriteString(h, name)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// key answers what a request must be signed with; none once its name has run out.
func (r *Relay) key(a *turn.RequestAttributes) (string, []byte, bool) {
	until, seat, ok := strings.Cut(a.Username, ":")
	at, err := strconv.ParseInt(until, 10, 64)
	if !ok || err != nil || seat == "" || r.clock.Now().Unix() > at {
		return "", nil, false
	}
	return seat, turn.GenerateAuthKey(a.Username, a.Realm, r.password(a.Username)), true
}

// Close ends the relay, and with it every call that needs it.
func (r *Relay) Close() error { return r.server.Close() }

// logger writes the relay's warnings to ours; what it says of packets is not kept.
type logger struct{ log *slog.Logger }

func (l logger) NewLogger(scope string) logging.LeveledLogger {
	log := l.log
	if log == nil {
		log = slog.Default()
	}
	return scoped{log.With("relay", scope)}
}

type scoped struct{ log *slog.Logger }

func (scoped) Trace(string)                  {}
func (scoped) Tracef(string, ...any)         {}
func (scoped) Debug(string)                  {}
func (scoped) Debugf(string, ...any)         {}
func (scoped) Info(string)                   {}
func (scoped) Infof(string, ...any)          {}
func (s scoped) Warn(m string)               { s.log.Debug(m) }
func (s scoped) Warnf(f string, args ...any) { s.log.Debug(fmt.Sprintf(f, args...)) }
func (s scoped) Error(m string)              { s.log.Warn(m) }
func (s scoped) Errorf(f string, a ...any)   { s.log.Warn(fmt.Sprintf(f, a...)) }
