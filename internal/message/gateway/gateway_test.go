package gateway_test

import (
	"bufio"
	"context"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/message/gateway"
)

const number = "+15550100001"

func texts(n int) []message.Outgoing {
	out := make([]message.Outgoing, n)
	for i := range out {
		out[i] = message.Outgoing{Ref: fmt.Sprintf("ref-%d", i), To: number, Body: fmt.Sprintf("Text %d", i)}
	}
	return out
}

// What the gateway answers decides what becomes of a text. No error holds the number: errors go to the log.
func TestSMSAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		header string // Retry-After
		body   string
		want   message.Result
		failed bool
	}{
		{"taken", 201, "", `{"sid":"SM1","status":"queued"}`, message.Result{Ref: "SM1", Reports: true}, false},
		{"too many", 429, "7", `{"code":20429,"message":"Too many to +15550100001"}`, message.Result{Wait: 7 * time.Second}, true},
		{"down", 503, "", `<html>+15550100001</html>`, message.Result{}, true},
		{"a bad number", 400, "", `{"code":21211,"message":"Invalid 'To' +15550100001"}`, message.Result{Never: true}, true},
		{"a bad token", 401, "", `{"code":20003}`, message.Result{Never: true}, true},
		{"taken without a name", 200, "", `{}`, message.Result{Never: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			defer srv.Close()
			g := &gateway.SMS{URL: srv.URL, Account: "AC1", Token: "secret", From: "+15550100000", Callback: "https://elm.example/hooks"}
			got := g.Send(t.Context(), texts(1))[0]
			if (got.Err != nil) != c.failed || got.Ref != c.want.Ref || got.Reports != c.want.Reports || got.Never != c.want.Never || got.Wait != c.want.Wait {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if got.Err != nil && (strings.Contains(got.Err.Error(), "0100001") || strings.Contains(got.Err.Error(), "secret")) {
				t.Errorf("the error tells too much: %v", got.Err)
			}
		})
	}
}

// What the gateway is told: the form, who we are, our reference as the key that makes a repeat harmless; results keep their order.
func TestSMSRequest(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[string]url.Values{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		if r.Method != http.MethodPost || r.URL.Path != "/2010/Accounts/AC1/Messages.json" || user != "AC1" || pass != "secret" {
			t.Errorf("%s %s as %s", r.Method, r.URL.Path, user)
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		ref := r.Header.Get("I-Twilio-Idempotency-Token")
		mu.Lock()
		got[ref] = r.PostForm
		mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(map[string]string{"sid": "SM-" + ref})
	}))
	defer srv.Close()
	g := &gateway.SMS{URL: srv.URL + "/2010", Account: "AC1", Token: "secret", From: "+15550100000", Callback: "https://elm.example/hooks"}
	for i, r := range g.Send(t.Context(), texts(30)) {
		ref := fmt.Sprintf("ref-%d", i)
		if r.Err != nil || r.Ref != "SM-"+ref {
			t.Errorf("%d: %+v", i, r)
		}
		want := url.Values{"To": {number}, "From": {"+15550100000"}, "Body": {fmt.Sprintf("Text %d", i)}, "StatusCallback": {"https://elm.example/hooks?ref=" + ref}}
		if f := got[ref]; f.Encode() != want.Encode() {
			t.Errorf("%d: %s", i, f.Encode())
		}
	}
	g.Callback = ""
	if r := g.Send(t.Context(), texts(1))[0]; r.Err != nil || r.Reports {
		t.Errorf("without a callback no report will come: %+v", r)
	}
}

// A gateway that does not answer ends with the context, and may be tried again.
func TestSMSTimeout(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer srv.Close()
	defer close(stop)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	g := &gateway.SMS{URL: srv.URL, Account: "AC1", Token: "secret"}
	for _, r := range g.Send(ctx, texts(3)) {
		if r.Err == nil || r.Never || strings.Contains(r.Err.Error(), srv.URL) {
			t.Errorf("%+v", r)
		}
	}
}

// The rule of Twilio's "Validating requests", written out: the URL, then each field with its value, sorted by field.
// A line that breaks before the request went out took nothing; one that breaks after it may have.
func TestSMSUnsure(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}))
	defer srv.Close()
	g := &gateway.SMS{URL: srv.URL, Account: "AC1", Token: "secret", From: "+15550100099"}
	if got := g.Send(t.Context(), texts(1))[0]; got.Err == nil || !got.Unsure || got.Never {
		t.Errorf("broken off after the request: %+v", got)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.URL = "http://" + l.Addr().String()
	l.Close() // nobody listens there any more
	if got := g.Send(t.Context(), texts(1))[0]; got.Err == nil || got.Unsure || got.Never {
		t.Errorf("nobody there: %+v", got)
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	const token, address = "12345", "https://elm.example/hooks/sms/elm"
	form := url.Values{"To": {"+18005551212"}, "From": {"+14158675310"}, "Digits": {"1234"}, "Caller": {"+14158675310"}, "CallSid": {"CA1234567890ABCDE"}}
	h := hmac.New(sha1.New, []byte(token))
	h.Write([]byte("https://elm.example/hooks/sms/elm" + "CallSidCA1234567890ABCDE" + "Caller+14158675310" + "Digits1234" + "From+14158675310" + "To+18005551212"))
	want := base64.StdEncoding.EncodeToString(h.Sum(nil))
	if got := gateway.Signature(token, address, form); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !gateway.Signed(token, address, form, want) {
		t.Error("the right signature is refused")
	}
	for name, ok := range map[string]bool{
		"other token": gateway.Signed("54321", address, form, want),
		"other page":  gateway.Signed(token, address+"/", form, want),
		"other form":  gateway.Signed(token, address, url.Values{"To": {"1"}}, want),
		"nothing":     gateway.Signed(token, address, form, ""),
		"no token":    gateway.Signed("", address, form, gateway.Signature("", address, form)),
	} {
		if ok {
			t.Errorf("%s: taken as signed", name)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]message.State{"delivered": message.Delivered, "read": message.Delivered, "failed": message.Failed, "undelivered": message.Failed, "canceled": message.Failed} {
		if got, ok := gateway.Status(word); !ok || got != want {
			t.Errorf("%s: %s, %v", word, got, ok)
		}
	}
	for _, word := range []string{"", "queued", "sending", "sent", "DELIVERED?"} {
		if got, ok := gateway.Status(word); ok {
			t.Errorf("%q says %s", word, got)
		}
	}
}

// postOffice is a mail server on this machine that takes what its rule lets it.
type postOffice struct {
	net.Listener
	rule func(line string) string // answers a command; empty: the usual answer
	mu   sync.Mutex
	got  []string // whole mails
}

func newPostOffice(t *testing.T, rule func(string) string) *postOffice {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{Listener: l, rule: rule}
	var calls sync.WaitGroup
	calls.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			calls.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); calls.Wait() })
	return p
}

func (p *postOffice) serve(c net.Conn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Second)) // a client that hangs up without a word holds no test
	in := bufio.NewReader(c)
	say := func(s string) { fmt.Fprintf(c, "%s\r\n", s) }
	say("220 post office")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		if answer := p.rule(line); answer != "" {
			say(answer)
			continue
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "EHLO", "HELO":
			say("250 post office")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if strings.TrimSpace(line) == "." {
					break
				}
				b.WriteString(line)
			}
			p.mu.Lock()
			p.got = append(p.got, b.String())
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (p *postOffice) mail() *gateway.Mail {
	return &gateway.Mail{Host: "127.0.0.1", Port: p.Addr().(*net.TCPAddr).Port, From: "Elm <elm@example.org>", Plain: true}
}

func TestMail(t *testing.T) {
	t.Parallel()
	p := newPostOffice(t, func(line string) string {
		switch {
		case strings.Contains(line, "RCPT TO:<full@"):
			return "452 mailbox full"
		case strings.Contains(line, "RCPT TO:<gone@"):
			return "550 no such mailbox"
		}
		return ""
	})
	got := p.mail().Send(t.Context(), []message.Outgoing{
		{Ref: "r1", To: "ruth@example.org", Subject: "Elm: ¿Las tomó?", Body: "Sí o no."},
		{Ref: "r2", To: "full@example.org", Subject: "s", Body: "b"},
		{Ref: "r3", To: "gone@example.org", Subject: "s", Body: "b"},
		{Ref: "r4", To: "no address", Subject: "s", Body: "b"},
		{Ref: "r5", To: "ruth@example.org\r\nBcc: all@example.org", Subject: "s", Body: "b"},
		{Ref: "r6", To: "elena@example.org", Subject: "s\r\nBcc: all@example.org", Body: "b"}, // after the refusals the line still works
	})
	for i, want := range []struct{ failed, never bool }{{false, false}, {true, false}, {true, true}, {true, true}, {true, true}, {false, false}} {
		if (got[i].Err != nil) != want.failed || got[i].Never != want.never {
			t.Errorf("%d: %+v, want %+v", i, got[i], want)
		}
		if got[i].Err != nil && strings.Contains(got[i].Err.Error(), "@") {
			t.Errorf("the error tells the address: %v", got[i].Err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.got) != 2 {
		t.Fatalf("%d mails were taken, want 2", len(p.got))
	}
	if !strings.Contains(p.got[0], "r1@doorstep") || !strings.Contains(p.got[0], "=?UTF-8?") || !strings.Contains(p.got[0], "S=C3=AD o no.") {
		t.Errorf("%s", p.got[0])
	}
	head, _, _ := strings.Cut(p.got[1], "\r\n\r\n")
	if slices.ContainsFunc(strings.Split(head, "\r\n"), func(l string) bool { return strings.HasPrefix(l, "Bcc:") }) {
		t.Errorf("a subject made a header:\n%s", head)
	}
}

// A server that does not answer, or that refuses everybody for now, may be tried again.
func TestMailDown(t *testing.T) {
	t.Parallel()
	closed := newPostOffice(t, nil)
	down := closed.mail()
	closed.Close()
	busy := newPostOffice(t, func(line string) string {
		if strings.HasPrefix(line, "MAIL") {
			return "421 come back later"
		}
		return ""
	})
	for name, g := range map[string]*gateway.Mail{"down": down, "busy": busy.mail()} {
		for _, r := range g.Send(t.Context(), []message.Outgoing{{Ref: "1", To: "a@example.org", Body: "b"}, {Ref: "2", To: "b@example.org", Body: "b"}}) {
			if r.Err == nil || r.Never {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// A real server must offer TLS: without it nothing is told.
func TestMailNeedsTLS(t *testing.T) {
	t.Parallel()
	p := newPostOffice(t, func(string) string { return "" })
	g := p.mail()
	g.Plain, g.Host = false, "0.0.0.0" // this machine too, but not by a name that is let off
	if r := g.Send(t.Context(), []message.Outgoing{{Ref: "1", To: "a@example.org", Body: "b"}})[0]; r.Err == nil {
		t.Error("a mail was sent in the clear")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.got) != 0 {
		t.Errorf("%q", p.got)
	}
}

// subscription is a browser's, at an address.
func subscription(t *testing.T, endpoint string) string {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	rand.Read(auth)
	enc := base64.RawURLEncoding
	b, err := json.Marshal(map[string]any{"endpoint": endpoint, "keys": map[string]string{"p256dh": enc.EncodeToString(key.PublicKey().Bytes()), "auth": enc.EncodeToString(auth)}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPush(t *testing.T) {
	t.Parallel()
	keys, err := gateway.NewPushKeys()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			if r.Header.Get("Content-Encoding") != "aes128gcm" || !strings.HasPrefix(r.Header.Get("Authorization"), "vapid ") || r.Header.Get("TTL") != "600" || r.Header.Get("Urgency") != "high" {
				t.Errorf("%v", r.Header)
			}
			w.WriteHeader(http.StatusCreated)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/busy":
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer srv.Close()
	g := &gateway.Push{Keys: keys, Subject: "mailto:it@example.org", Client: srv.Client()}
	for _, c := range []struct {
		to     string
		failed bool
		never  bool
		gone   bool
		wait   time.Duration
	}{
		{subscription(t, srv.URL+"/ok"), false, false, false, 0},
		{subscription(t, srv.URL+"/gone"), true, true, true, 0},
		{subscription(t, srv.URL+"/busy"), true, false, false, 30 * time.Second},
		{subscription(t, srv.URL+"/down"), true, false, false, 0},
		{"not a subscription", true, true, false, 0},
	} {
		r := g.Send(t.Context(), []message.Outgoing{{Ref: "1", To: c.to, Body: "Time for your medicines"}})[0]
		if (r.Err != nil) != c.failed || r.Never != c.never || r.Gone != c.gone || r.Wait != c.wait || r.Reports == c.failed {
			t.Errorf("%.60s: %+v", c.to, r)
		}
		if r.Err != nil && strings.Contains(r.Err.Error(), srv.URL) {
			t.Errorf("the error tells the address: %v", r.Err)
		}
	}
}

// A subscription is whatever a browser says: it must not make the server call what stands beside it.
func TestPushReachesPublicAddressesAlone(t *testing.T) {
	t.Parallel()
	keys, err := gateway.NewPushKeys()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	defer srv.Close()
	g := &gateway.Push{Keys: keys, Subject: "mailto:it@example.org"}
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "https://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "0.0.0.0", "10.0.0.1", "169.254.169.254", "100.64.0.1", "[::ffff:192.168.0.1]"} {
		r := g.Send(t.Context(), []message.Outgoing{{Ref: "1", To: subscription(t, "https://"+host+":"+port+"/push"), Body: "Hello"}})[0]
		if r.Err == nil || !strings.Contains(r.Err.Error(), "not a public one") {
			t.Errorf("%s: %+v", host, r)
		}
	}
}

func TestCheckSubject(t *testing.T) {
	t.Parallel()
	for subject, ok := range map[string]bool{
		"https://elm.example": true, "mailto:it@example.org": true, "https://localhost": false, "https://localhost:8080/x": false, "mailto:root@localhost": false,
		"https://127.0.0.1": false, "http://elm.example": false, "elm.example": false, "": false, "https://%": false,
	} {
		if err := gateway.CheckSubject(subject); (err == nil) != ok {
			t.Errorf("%q: %v", subject, err)
		}
	}
}
