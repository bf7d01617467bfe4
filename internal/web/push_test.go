package web

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"

	"doorstep/internal/message"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// pushed is what a browser reads in a push.
type pushed struct{ From, Body, Tag, Link, Ref string }

// device is a browser's end of pushing: a subscription at a push service on this machine, and the key to read what arrives.
type device struct {
	t            testing.TB
	key          *ecdh.PrivateKey
	auth         []byte
	Subscription string // as the browser says it
	got          chan []byte
}

// newDevice gives the clinic a channel to a push service, and answers a browser that subscribes there.
func (h *clinic) newDevice(path string) *device {
	d := &device{t: h.t, auth: []byte(strings.Repeat("s", 16)), got: make(chan []byte, 10)}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "vapid ") || r.URL.Path != path {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		d.got <- body
		w.WriteHeader(http.StatusCreated)
	}))
	h.t.Cleanup(srv.Close)
	var err error
	d.key, err = ecdh.P256().NewPrivateKey([]byte(strings.Repeat("k", 32)))
	h.must(err)
	enc := base64.RawURLEncoding
	b, err := json.Marshal(map[string]any{"endpoint": srv.URL + path, "expirationTime": nil,
		"keys": map[string]string{"p256dh": enc.EncodeToString(d.key.PublicKey().Bytes()), "auth": enc.EncodeToString(d.auth)}})
	h.must(err)
	d.Subscription = string(b)
	keys, err := gateway.NewPushKeys()
	h.must(err)
	h.Message.SetChannel(person.Push, &gateway.Push{Keys: keys, Subject: "mailto:it@elm.example", Client: srv.Client()})
	return d
}

// read decrypts what arrived (RFC 8291, section 3.4).
func (d *device) read() pushed {
	d.t.Helper()
	must := func(b []byte, err error) []byte {
		d.t.Helper()
		if err != nil {
			d.t.Fatal(err)
		}
		return b
	}
	var body []byte
	select {
	case body = <-d.got:
	default:
		d.t.Fatal("nothing was pushed")
	}
	salt, n := body[:16], int(body[20])
	sender, secret := body[21:21+n], body[21+n:]
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		d.t.Fatal(err)
	}
	info := "WebPush: info\x00" + string(d.key.PublicKey().Bytes()) + string(sender)
	ikm := must(hkdf.Key(sha256.New, must(d.key.ECDH(public)), d.auth, info, 32))
	block, err := aes.NewCipher(must(hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)))
	if err != nil {
		d.t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		d.t.Fatal(err)
	}
	plain := must(gcm.Open(nil, must(hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)), secret, nil))
	var p pushed
	if err := json.Unmarshal([]byte(strings.TrimRight(string(plain), "\x00")[:strings.LastIndexByte(string(plain), '\x02')]), &p); err != nil {
		d.t.Fatal(err)
	}
	return p
}

// remind sends a reminder of a dose.
func (h *clinic) remind(who person.Person) {
	h.t.Helper()
	h.write(func(tx *store.Tx) error {
		at := h.clock.Now()
		return h.Message.Say(tx, message.Draft{Org: h.org, Patient: who.ID, To: "patient", At: at, Key: "dose" + at.String(), Say: "dose",
			Args: map[string]string{"time": at.Format(time.RFC3339)}, Promises: []string{"p"}, Ask: true})
	})
	_, err := h.Message.SendDue(context.Background())
	h.must(err)
}

// sent answers what was sent to a person, the latest first, as "channel state".
func (h *clinic) sent(who person.Person) string {
	h.t.Helper()
	var out []string
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) error {
		list, err := h.Message.Thread(tx, h.org, who.ID, 10)
		for _, m := range list {
			out = append(out, string(m.Channel)+" "+m.State.String())
		}
		return err
	}))
	return strings.Join(out, ", ")
}

func (h *clinic) devicesOf(who person.Person) (list []person.Contact) {
	h.t.Helper()
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) error {
		all, err := h.Person.Contacts(tx, h.org, who.ID)
		for _, c := range all {
			if c.Channel == person.Push {
				list = append(list, c)
			}
		}
		return err
	}))
	return list
}

// TestPushFromPageToDevice: a person asks for reminders on a device, gets them encrypted and safe for a locked screen, and ends them.
func TestPushFromPageToDevice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		h := newClinicOn(t, db)
		h.clock.Advance(4 * time.Hour) // 9:00: nobody is asleep
		d := h.newDevice("/luis")
		token := h.session(h.luis)
		answer, _ := h.post(token, "/push/on", "subscription", d.Subscription)
		if to := answer.Header.Get("Location"); to != "/me?done=device.on" {
			t.Fatalf("turning on: %d to %q", answer.StatusCode, to)
		}
		list := h.devicesOf(h.luis)
		if len(list) != 1 || list[0].Consent != person.Given || list[0].Source != "button on the page" || !list[0].At.Equal(h.clock.Now()) {
			t.Fatalf("kept as %+v", list)
		}
		h.remind(h.luis)
		got := d.read()
		if got.From != "Elm Street Clinic" || got.Body != "Sus medicinas de las 09:00" || !strings.HasPrefix(got.Link, "/r/") {
			t.Errorf("the device reads %+v", got)
		}
		if was := h.sent(h.luis); was != "push sent" {
			t.Errorf("before it is shown: %s", was)
		}
		if answer, _ := h.post("", "/push/shown", "ref", got.Ref); answer.StatusCode != http.StatusNoContent {
			t.Errorf("shown: %d", answer.StatusCode)
		}
		if was := h.sent(h.luis); was != "push delivered" {
			t.Errorf("after it is shown: %s", was)
		}
		_, me := h.get(token, "/me?done=device.on")
		id := deviceID(list[0].Address)
		if !strings.Contains(me, id) || !strings.Contains(me, "Verá los avisos en este aparato") || strings.Contains(me, "/luis") {
			t.Error("the page does not list the device, or tells its address")
		}
		h.post(h.session(h.ruth), "/push/off", "device", id)
		if len(h.devicesOf(h.luis)) != 1 {
			t.Error("Ruth ended Luis's reminders")
		}
		if answer, _ := h.post(token, "/push/off", "device", id); answer.Header.Get("Location") != "/me?done=device.off" || len(h.devicesOf(h.luis)) != 0 {
			t.Errorf("turning off: %d", answer.StatusCode)
		}
		h.clock.Advance(time.Minute)
		h.remind(h.luis)
		if was := h.sent(h.luis); was != "sms sent, push delivered" {
			t.Errorf("after it was turned off: %s", was)
		}
	})
}

// TestPushRefused: who may subscribe what, and what becomes of it.
func TestPushRefused(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	d := h.newDevice("/x")
	elena, dana := h.session(h.elena), h.session(h.dana)
	for _, c := range []struct {
		who, token, subscription string
		want                     int
	}{
		{"nobody", "", d.Subscription, http.StatusForbidden},
		{"a nurse", dana, d.Subscription, http.StatusForbidden},
		{"without a subscription", elena, "", http.StatusUnprocessableEntity},
		{"not by https", elena, strings.Replace(d.Subscription, "https:", "http:", 1), http.StatusUnprocessableEntity},
		{"Elena", elena, d.Subscription, http.StatusSeeOther},
		{"Elena again", elena, d.Subscription, http.StatusSeeOther},
	} {
		if answer, _ := h.post(c.token, "/push/on", "subscription", c.subscription); answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.who, answer.StatusCode, c.want)
		}
	}
	if n := len(h.devicesOf(h.elena)); n != 1 {
		t.Fatalf("Elena has %d devices", n)
	}
	_, account := h.get(elena, "/account")
	if !strings.Contains(account, `data-key="`+pushKey+`"`) || !strings.Contains(account, "Turn off") {
		t.Error("her account does not offer it")
	}
	if _, page := h.get(elena, "/helping/"+string(h.ruth.ID)+"/me"); strings.Contains(page, "data-key") || !strings.Contains(page, `href="/account"`) {
		t.Error("Ruth's settings offer Elena's device, or do not lead to her account")
	}
	if _, page := h.get(dana, "/account"); strings.Contains(page, "data-key") {
		t.Error("a nurse is offered pushes")
	}
	// The browser changes its subscription: Elena's moves; what never was Ruth's does not become hers.
	moved := strings.Replace(d.Subscription, `/x"`, `/y"`, 1)
	was := message.PushEndpoint(d.Subscription)
	h.post(h.session(h.ruth), "/push/on", "subscription", moved, "was", was)
	h.post(elena, "/push/on", "subscription", moved, "was", was)
	if list := h.devicesOf(h.elena); len(list) != 1 || message.PushEndpoint(list[0].Address) != message.PushEndpoint(moved) || len(h.devicesOf(h.ruth)) != 0 {
		t.Errorf("moved to %+v", list)
	}
	r, err := http.NewRequest("POST", h.web.URL+"/push/off", strings.NewReader("device="+deviceID(moved)))
	h.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: "doorstep", Value: elena})
	if answer, _ := h.do(r); answer.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", answer.StatusCode)
	}
	h.post(elena, "/sign-out-everywhere")
	if n := len(h.devicesOf(h.elena)); n != 0 {
		t.Errorf("%d devices after a telephone was lost", n)
	}
}

// fakePush stands in for the browser's push service, which needs the network: the rest of the way is real.
const fakePush = `
const sub = SUB
const fake = { endpoint: sub.endpoint, options: {}, toJSON: () => sub, unsubscribe: async () => true }
PushManager.prototype.subscribe = async o => { localStorage.sub = o.applicationServerKey.length; return fake }
PushManager.prototype.getSubscription = async () => localStorage.sub ? fake : null`

// TestPushInABrowser goes the whole way: the button, the permission, the subscription kept, a push that arrives encrypted, the
// worker that shows it and reports so, and turning it off.
func TestPushInABrowser(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	h.clock.Advance(4 * time.Hour) // 9:00: nobody is asleep
	d := h.newDevice("/ruth")
	ctx, cancel := context.WithTimeout(h.window(t, 360, 800, "en"), time.Minute)
	defer cancel()
	h.be(ctx, h.session(h.ruth))
	visible := func(selector string) bool {
		t.Helper()
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!document.querySelector(`"+selector+"`)?.checkVisibility()"))
		h.must(err)
		return is
	}
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	h.must(err)
	h.must(chromedp.Do(ctx, chromedp.Navigate(h.web.URL+"/me"), chromedp.WaitReady(chromedp.CSS("main"))))
	if visible("#push") {
		t.Error("the button is there without JavaScript")
	}
	_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{})
	h.must(err)
	_, err = chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: "notifications"},
		Setting: browser.PermissionSettingGranted, Origin: h.web.URL, BrowserContextID: chromedp.FromContext(ctx).BrowserContextID})
	h.must(err)
	_, err = chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: strings.Replace(fakePush, "SUB", d.Subscription, 1)})
	h.must(err)
	registered := make(chan serviceworker.RegistrationID, 10)
	h.must(chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, r := range e.Registrations {
				if r.ScopeURL == h.web.URL+"/" {
					select {
					case registered <- r.RegistrationID:
					default:
					}
				}
			}
		}
	}))
	_, err = chromedp.Call(ctx, serviceworker.Enable, cdp.Empty{})
	h.must(err)

	h.must(chromedp.Do(ctx, chromedp.Navigate(h.web.URL+"/me"), chromedp.WaitVisible(chromedp.CSS("#push button")), chromedp.Click(chromedp.CSS("#push button")),
		chromedp.WaitVisible(chromedp.CSS(".device.mine .this"))))
	if visible("#push") || visible(".device .other") {
		t.Error("the device that shows reminders is offered them again, or not known")
	}
	length, err := chromedp.Run(ctx, chromedp.Evaluate[string]("localStorage.sub"))
	h.must(err)
	if length != "65" || len(h.devicesOf(h.ruth)) != 1 {
		t.Fatalf("a key of %s bytes, %d devices", length, len(h.devicesOf(h.ruth)))
	}

	h.remind(h.ruth)
	got := d.read()
	data, err := json.Marshal(map[string]string{"from": got.From, "body": got.Body, "tag": got.Tag, "link": got.Link, "ref": got.Ref})
	h.must(err)
	_, err = chromedp.Call(ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{Origin: h.web.URL, RegistrationID: <-registered, Data: string(data)})
	h.must(err)
	for n := 0; h.sent(h.ruth) != "push delivered"; n++ {
		if n > 1000 {
			t.Fatalf("the worker does not report that it showed the push: %s", h.sent(h.ruth))
		}
		time.Sleep(10 * time.Millisecond)
	}
	shown, err := chromedp.Run(ctx, chromedp.Evaluate[string](`navigator.serviceWorker.ready.then(r => r.getNotifications()).then(l => l.map(n => [n.title, n.body, n.data].join('|')).join())`, chromedp.EvalAwaitPromise))
	h.must(err)
	if shown != "Time for your 9:00 am medicines|Elm Street Clinic|"+got.Link {
		t.Errorf("on the screen: %q", shown)
	}
	h.must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".device.mine button")), chromedp.WaitVisible(chromedp.CSS("#push button"))))
	if n := len(h.devicesOf(h.ruth)); n != 0 {
		t.Errorf("%d devices after turning off", n)
	}
}
