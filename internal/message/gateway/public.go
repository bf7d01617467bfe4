package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Public is the client for addresses that a browser or a form names: whoever signs in could else make this server call what stands behind
// its firewall. The address is judged after the name has been looked up, and a redirect is not followed.
var Public = reaching(refusePrivate)

// Anywhere is Public without that judgement, for a server whose operator has said that what stands in its own network may be asked.
var Anywhere = reaching(nil)

func reaching(judge func(network, address string, c syscall.RawConn) error) *http.Client {
	return &http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second, Control: judge}).DialContext,
		},
	}
}

func pushClient(c *http.Client) *http.Client {
	if c == nil {
		return Public
	}
	return c
}

// sharedSpace is carriers' own (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || sharedSpace.Contains(ip) {
		return fmt.Errorf("the address is not a public one")
	}
	return nil
}
