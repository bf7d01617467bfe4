package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/eclipse/paho.golang/paho"

	"doorstep/internal/person"
	"doorstep/internal/sim"
)

// demo runs doorstep demo in this process, its clock standing still, and answers its info file.
func demo(t *testing.T, more ...string) sim.Info {
	t.Helper()
	file := filepath.Join(t.TempDir(), "info.json")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"demo", "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--speed", "0", "--patients", "2", "--info", file}, more...), io.Discard, io.Discard)
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("the demo ended with %d", code)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var info sim.Info
		if err := json.Unmarshal(b, &info); err != nil {
			t.Fatal(err)
		}
		return info
	}
	t.Fatal("the demo wrote no info file")
	return sim.Info{}
}

// publish sends one message as a device, QoS 1, and waits for the acknowledgement.
func publish(t *testing.T, broker string, d sim.InfoDevice, topic, payload string) {
	t.Helper()
	conn, err := net.Dial("tcp", broker)
	if err != nil {
		t.Fatal(err)
	}
	client := paho.NewClient(paho.ClientConfig{Conn: conn})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := client.Connect(ctx, &paho.Connect{ClientID: d.ID, KeepAlive: 30, CleanStart: true, UsernameFlag: true, Username: d.ID, PasswordFlag: true, Password: []byte(d.Key)}); err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(&paho.Disconnect{})
	if _, err := client.Publish(ctx, &paho.Publish{QoS: 1, Topic: "doorstep/v1/" + d.ID + topic, Payload: []byte(payload)}); err != nil {
		t.Fatal(err)
	}
}

// TestPillBoxOpensOnTwoPages: Ruth's pill box opens, told by MQTT, and her page and her daughter's page change without a reload.
func TestPillBoxOpensOnTwoPages(t *testing.T) {
	t.Parallel()
	info := demo(t)
	var ruth, elena sim.InfoPerson
	for _, p := range info.People {
		switch {
		case p.Name == "Ruth Abbott":
			ruth = p
		case p.Role == person.Caregiver:
			elena = p
		}
	}
	var box sim.InfoDevice
	for _, d := range info.Devices {
		if d.PatientID == ruth.PatientID && d.Kind == "pillbox" {
			box = d
		}
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	browser, closeBrowser := chromedp.NewContext(alloc)
	t.Cleanup(closeBrowser)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(chromedp.Do(browser))
	open := func(token, path string) context.Context {
		tab, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
		t.Cleanup(cancel)
		tab, cancel = context.WithTimeout(tab, time.Minute)
		t.Cleanup(cancel)
		must(chromedp.Do(tab))
		_, err := chromedp.Call(tab, network.SetCookie, network.SetCookieParams{Name: "doorstep", Value: token, URL: info.Base})
		must(err)
		must(chromedp.Do(tab, chromedp.Navigate(info.Base+path), chromedp.WaitReady(chromedp.CSS("main h1"))))
		_, err = chromedp.Run(tab, chromedp.Evaluate[bool]("window.notReloaded = true"))
		must(err)
		return tab
	}
	tabs := map[string]context.Context{"opened": open(ruth.Token, "/today"), "se abrió": open(elena.Token, "/helping/"+ruth.PatientID+"/today")}
	text := func(tab context.Context) string {
		s, err := chromedp.Run(tab, chromedp.Evaluate[string]("document.querySelector('main').innerText.toLowerCase() + (window.notReloaded ? '' : ' reloaded')"))
		must(err)
		return s
	}
	for w, tab := range tabs {
		if strings.Contains(text(tab), w) {
			t.Fatalf("the page says %q before the box was opened", w)
		}
	}
	now := sim.FirstMorning.Format(time.RFC3339)
	publish(t, info.MQTT, box, "/up/pill", fmt.Sprintf(`{"seq":1,"at":%q,"clock":%q,"event":"open","slot":1}`, now, now))
	for w, tab := range tabs {
		last := ""
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
			if last = text(tab); strings.Contains(last, w) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the page does not say %q: %s", w, last)
			}
		}
		if strings.Contains(last, "reloaded") {
			t.Errorf("the page was loaded again: %s", last)
		}
		if strings.Contains(last, "you took them") {
			t.Errorf("an opening is shown as taken: %s", last)
		}
	}
}
