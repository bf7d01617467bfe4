package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"doorstep/internal/person"
)

// chromium is one browser for the whole test binary; each test gets a window of its own. Its camera and microphone are simulated.
var chromium = sync.OnceValue(func() context.Context { return browserWith(true) })

// browserWith starts a browser whose person lets pages use the camera, or does not.
func browserWith(camera any) context.Context {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", camera))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, _ := chromedp.NewContext(alloc)
	closing.Lock()
	defer closing.Unlock()
	closers = append(closers, func() { chromedp.Cancel(ctx); stop() })
	if err := chromedp.Do(ctx); err != nil {
		panic("chromium for tests: " + err.Error() + " (make test installs it)")
	}
	return ctx
}

var (
	closing sync.Mutex
	closers []func() // of the browsers that were started
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, c := range closers {
		c()
	}
	os.Exit(code)
}

// window opens a private browser window of a size, whose browser prefers a language.
func (h *clinic) window(t *testing.T, width, height int64, lang string) context.Context {
	t.Helper()
	return h.windowOf(t, chromium(), width, height, lang)
}

func (h *clinic) windowOf(t *testing.T, browser context.Context, width, height int64, lang string) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	h.must(chromedp.Do(ctx))
	_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
	h.must(err)
	_, err = chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600})
	h.must(err)
	return ctx
}

// be signs a window in as whoever holds the token; an empty one signs it out.
func (h *clinic) be(ctx context.Context, token string) {
	h.t.Helper()
	_, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{})
	h.must(err)
	if token != "" {
		_, err = chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "doorstep", Value: token, URL: h.web.URL})
		h.must(err)
	}
}

// stop is a page of the walk through all pages.
type stop struct {
	name, path string
	who        *person.Person // nil: nobody is signed in
}

// walk is every page in one language.
func (h *clinic) walk(lang string) []stop {
	patient, helper, nurse := h.ruth, h.elena, h.dana
	if lang == "es" {
		patient, helper, nurse = h.luis, h.rosa, h.eva
	}
	helping := "/helping/" + string(patient.ID)
	setUp := h.setUpLink(h.org)
	list := []stop{
		{"sign-in", "/", nil}, {"arrive", h.link(patient), nil}, {"link-over", "/in/nothing", nil}, {"short-link", h.shortLink(patient), nil},
		{"today", "/today", &patient}, {"numbers", "/numbers", &patient}, {"breathe", "/breathe", &patient}, {"messages", "/messages", &patient}, {"me", "/me", &patient},
		{"helping", "/helping?all=1", &helper}, {"helping-today", helping + "/today", &helper}, {"helping-numbers", helping + "/numbers", &helper},
		{"helping-breathe", helping + "/breathe", &helper}, {"helping-messages", helping + "/messages", &helper}, {"helping-me", helping + "/me", &helper}, {"helper-account", "/account", &helper},
		{"desk", "/desk", &nurse}, {"people", "/desk/people", &nurse}, {"person", "/desk/people/" + string(patient.ID), &nurse},
		{"person-breathe", "/desk/people/" + string(patient.ID) + "/breathe", &nurse}, {"person-me", "/desk/people/" + string(patient.ID) + "/me", &nurse}, {"programme", "/desk/programme", &nurse}, {"person-rules", "/desk/people/" + string(patient.ID) + "/rules?preset=heart-failure-own", &nurse}, {"person-site", "/desk/people/" + string(patient.ID) + "/site", &nurse},
		{"account", "/account", &nurse}, {"plan", "/me/plan", &patient}, {"helping-plan", helping + "/me/plan", &helper}, {"person-plan", "/desk/people/" + string(patient.ID) + "/plan", &nurse},
		{"alerts", "/desk/alerts", &nurse}, {"access", "/desk/access", &nurse}, {"overbooking", "/desk/overbooking", &nurse}, {"types", "/desk/calendar/types?open=new", &nurse}, {"resources", "/desk/calendar/resources?open=new", &nurse}, {"comparisons", "/desk/comparisons", &nurse}, {"comparison", h.exhibits(), &nurse}, {"desk-crowd", "/desk?all=alert+back+scale", &nurse},
		{"nowhere", "/nowhere", nil}, {"demo", "/demo", nil}, {"demo-phone", "/demo/phone/+15550100001", nil}, {"demo-box", "/demo/pillbox/box", nil},
	}
	list = append(list, h.visitStops(&patient, &helper, &nurse)...)
	list = append(list, h.journeyStops(&patient, &helper, &nurse)...)
	list = append(list, h.waitingStops(&patient, &nurse)...)
	h.onPathway(patient)
	list = append(list, stop{"pathway", "/me/pathway", &patient}, stop{"helping-pathway", helping + "/me/pathway", &helper}, stop{"person-pathway", "/desk/people/" + string(patient.ID) + "/pathway", &nurse})
	list = append(list, h.dispatchStops(&nurse, lang)...)
	for _, step := range setUpSteps {
		list = append(list, stop{"setup-" + step, setUp + "?step=" + step, nil})
	}
	return list
}

func axe(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("testdata/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal("axe-core is missing: make test installs it")
	}
	return string(b)
}

// violation is what axe-core found.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

const runAxe = `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r => JSON.stringify(r.violations))`

// TestEveryPage holds every page, in both languages and two widths, against axe-core's WCAG 2.2 AA rules, a size of 100 kB,
// and scrolling sideways. With DOORSTEP_SHOTS set it leaves a picture of each page in that folder.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	script, shots := axe(t), os.Getenv("DOORSTEP_SHOTS")
	for _, lang := range []string{"en", "es"} {
		for _, width := range []int64{320, 360, 1280} {
			t.Run(fmt.Sprintf("%s/%d", lang, width), func(t *testing.T) {
				ctx := h.window(t, width, 900, lang)
				tokens := map[person.ID]string{}
				for _, s := range h.walk(lang) {
					token := ""
					if s.who != nil {
						if tokens[s.who.ID] == "" {
							tokens[s.who.ID] = h.session(*s.who)
						}
						token = tokens[s.who.ID]
					}
					h.be(ctx, token)
					h.look(ctx, t, s, fmt.Sprintf("%s-%s-%d", s.name, lang, width), width, script, shots)
				}
			})
		}
	}
}

func (h *clinic) look(ctx context.Context, t *testing.T, s stop, name string, width int64, script, shots string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(h.web.URL+s.path), chromedp.WaitReady(chromedp.CSS("main"))); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	sideways, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
	if err != nil || sideways {
		t.Errorf("%s scrolls sideways (%v)", name, err)
	}
	var list []violation
	if width != 320 { // the narrowest is 1280 px at 400 %: only its width matters
		_, err = chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](script))
		h.must(err)
		found, err := chromedp.Run(ctx, chromedp.Evaluate[string](runAxe, chromedp.EvalAwaitPromise))
		h.must(err)
		h.must(json.Unmarshal([]byte(found), &list))
	}
	said, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.documentElement.lang`))
	if err != nil || !strings.HasSuffix(strings.TrimSuffix(name, fmt.Sprintf("-%d", width)), "-"+said) {
		t.Errorf("%s says that it is in %q (%v)", name, said, err)
	}
	for _, v := range list {
		t.Errorf("%s: %s: %s\n%s\n%s", name, v.ID, v.Help, v.Nodes[0].HTML, v.Nodes[0].Summary)
	}
	if shots != "" {
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		h.must(err)
		h.must(os.WriteFile(filepath.Join(shots, name+".png"), png, 0o600))
	}
}

// TestPagesAreSmall: no page is larger than 100 kB, and all assets together with it are not either, but for what is fetched only when
// somebody opens a chart or a visit by video.
func TestPagesAreSmall(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	assets := 0
	for name, a := range embedded.files {
		if !strings.HasPrefix(name, "uplot.") && !strings.HasPrefix(name, "video.") && !strings.HasPrefix(name, "livekit.") {
			assets += len(a.body)
		}
	}
	for _, lang := range []string{"en", "es"} {
		for _, s := range h.walk(lang) {
			r, err := http.NewRequestWithContext(t.Context(), "GET", h.web.URL+s.path, nil)
			h.must(err)
			if s.who != nil {
				r.AddCookie(&http.Cookie{Name: "doorstep", Value: h.session(*s.who)})
			}
			answer, body := h.do(r)
			if len(body)+assets > 100_000 {
				t.Errorf("%s in %s: %d bytes and %d of assets", s.name, lang, len(body), assets)
			}
			if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") || strings.Contains(body, "style=") || strings.Contains(body, "<script>") {
				t.Errorf("%s: inline styles or scripts, or no policy", s.name)
			}
		}
	}
}
