package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/breath"
	"doorstep/internal/reading/coherence"
	"doorstep/internal/reading/gatt"
	"doorstep/internal/sharedtest"
	"doorstep/internal/store"
)

// tell posts JSON as the page's script does.
func (h *clinic) tell(token, path, body string) (int, map[string]any) {
	h.t.Helper()
	r, err := http.NewRequest("POST", h.web.URL+path, strings.NewReader(body))
	h.must(err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.AddCookie(&http.Cookie{Name: "doorstep", Value: token})
	}
	answer, text := h.do(r)
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil && answer.Header.Get("Content-Type") == "application/json" {
		h.t.Fatalf("%s: %q", path, text)
	}
	return answer.StatusCode, out
}

func (h *clinic) breathed(who person.Person) (list []breath.Session, own breath.Own) {
	h.t.Helper()
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) (err error) {
		if list, err = h.Breath.Sessions(tx, h.org, who.ID, 100); err == nil {
			own, err = h.Breath.Own(tx, h.org, who.ID)
		}
		return err
	}))
	return list, own
}

// TestBreatheWho: the patient and who may act record; who may see sees; others neither.
func TestBreatheWho(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	h.write(func(tx *store.Tx) error {
		return h.Person.Link(tx, h.org, person.CareLink{Patient: h.ruth.ID, Caregiver: h.rosa.ID, Rights: []person.Right{person.See}, Relation: "neighbor",
			From: h.clock.Now(), Until: h.clock.Now().AddDate(1, 0, 0), GivenBy: h.omar.ID})
	})
	helping := "/helping/" + string(h.ruth.ID)
	if _, page := h.get(h.session(h.ruth), "/breathe"); !strings.Contains(page, "in through your nose for 4 seconds") || !strings.Contains(page, "softly for 6 seconds") ||
		!strings.Contains(page, `id="breathe" class="breathe stack" hidden`) {
		t.Error("without the script the page does not say how to breathe, or shows what cannot move")
	}
	if _, page := h.get(h.session(h.elena), helping+"/numbers"); !strings.Contains(page, `href="`+helping+`/breathe"`) {
		t.Error("the numbers do not lead there")
	}
	const beats = `{"session":"aaaa-bbbb-%s","batch":0,"ago_ms":3000,"pace":6,"finding":false,"source":"breathe","rr":[800,812.5],"ends_ms":1612.5}`
	for _, c := range []struct {
		who, token, base string
		see, record      int
	}{
		{"Ruth", h.session(h.ruth), "", 200, 200},
		{"Elena, who may act", h.session(h.elena), helping, 200, 200},
		{"Rosa, who may see", h.session(h.rosa), helping, 200, 403},
		{"Dana", h.session(h.dana), "/desk/people/" + string(h.ruth.ID), 200, 200},
		{"Luis", h.session(h.luis), helping, 403, 403},
		{"nobody", "", helping, 303, 403},
	} {
		answer, page := h.get(c.token, c.base+"/breathe")
		if answer.StatusCode != c.see || strings.Contains(page, `id="breathe"`) != (c.record == 200) {
			t.Errorf("%s sees %d", c.who, answer.StatusCode)
		}
		name := strings.ToLower(strings.Fields(c.who)[0])
		if status, out := h.tell(c.token, c.base+"/breathe/beats", strings.Replace(beats, "%s", strings.TrimSuffix(name, ","), 1)); status != c.record {
			t.Errorf("%s records: %d %v", c.who, status, out)
		}
	}
	if _, page := h.get(h.session(h.ruth), "/me"); strings.Count(page, "recorded slow breathing") != 2 {
		t.Error("her page does not say who recorded for her")
	}
	r, err := http.NewRequest("POST", h.web.URL+"/breathe/beats", strings.NewReader(strings.Replace(beats, "%s", "cross", 1)))
	h.must(err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: "doorstep", Value: h.session(h.ruth)})
	if answer, _ := h.do(r); answer.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", answer.StatusCode)
	}
	h.clock.Advance(time.Hour)
	if n, err := h.Breath.CloseIdle(t.Context()); n != 3 || err != nil {
		t.Errorf("%d sessions were recorded, %v", n, err)
	}
}

// TestBreatheWrongInput: each is refused with its reason.
func TestBreatheWrongInput(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	luis := h.session(h.luis)
	good := `{"session":"aaaa-bbbb","batch":0,"ago_ms":3000,"pace":6,"finding":false,"source":"breathe","rr":[800],"ends_ms":800}`
	for _, c := range []struct {
		body string
		want int
		say  string
	}{
		{"", 422, "cannot be read"},
		{"[1]", 422, "cannot be read"},
		{good + good, 422, "more than one"},
		{strings.Replace(good, `"pace"`, `"place"`, 1), 422, "place"},
		{strings.Replace(good, `[800]`, `["x"]`, 1), 422, "cannot be read"},
		{strings.Replace(good, `[800]`, `[0]`, 1), 422, "1 to 64,000"},
		{strings.Replace(good, `[800]`, `[`+strings.Repeat("1,", 700)+`1]`, 1), 429, "600"},
		{strings.Replace(good, `[800]`, `[`+strings.Repeat("800,", 20_000)+`1]`, 1), 429, "muy largo"},
		{strings.Replace(good, `:0,`, `:4,`, 1), 404, "No hay tal sesión."},
		{strings.Replace(good, `3000`, `1e300`, 1), 422, "ago_ms"},
	} {
		status, out := h.tell(luis, "/breathe/beats", c.body)
		if say, _ := out["error"].(string); status != c.want || !strings.Contains(say, c.say) {
			t.Errorf("%.80s: %d %v", c.body, status, out)
		}
	}
	if status, out := h.tell(luis, "/breathe/beats", good); status != 200 || out["next"] != 1.0 || !strings.Contains(out["say"].(string), "Faltan 64 segundos") {
		t.Errorf("%d %v", status, out)
	}
	if status, out := h.tell(luis, "/breathe/end", `{"session":"aaaa-bbbb","batches":2}`); status != 409 || out["next"] != 1.0 || out["error"] != "Falta una parte antes de esta." {
		t.Errorf("%d %v", status, out)
	}
}

// fakeBluetooth is a strap: what the test gives to strap.tell arrives as notifications of 2A37.
const fakeBluetooth = `
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0))
const device = new EventTarget()
const characteristic = new EventTarget()
characteristic.startNotifications = async () => characteristic
device.gatt = { connected: false,
  connect: async () => { if (window.strap.far) throw new Error('far'); device.gatt.connected = true; return device.gatt },
  getPrimaryService: async s => { if (s !== 0x180d) throw new Error('service'); return { getCharacteristic: async c => { if (c !== 0x2a37) throw new Error('characteristic'); return characteristic } } } }
Object.defineProperty(navigator, 'bluetooth', { value: { requestDevice: async o => { if (o.filters[0].services[0] !== 0x180d) throw new Error('filter'); return device } } })
window.strap = { far: false,
  tell: list => { for (const text of list) { characteristic.value = new DataView(bytes(text).buffer); characteristic.dispatchEvent(new Event('characteristicvaluechanged')) } },
  lose: () => { device.gatt.connected = false; device.dispatchEvent(new Event('gattserverdisconnected')) } }`

// notifications are intervals in ms as a strap sends them: two in each, with contact and energy.
func notifications(rr []float64) (list []string, heard []float64) {
	for len(rr) > 0 {
		k := min(2, len(rr))
		b := []byte{0x08 | 0x10 | 0x06, byte(math.Round(60_000 / rr[0])), 1, 0}
		for _, ms := range rr[:k] {
			b = binary.LittleEndian.AppendUint16(b, uint16(math.Round(ms*1.024)))
		}
		m, err := gatt.Decode("2A37", b)
		if err != nil {
			panic(err) // it was made just now
		}
		for _, v := range m.Values {
			if v.Series == "8637-1" {
				heard = append(heard, v.Value)
			}
		}
		list = append(list, base64.StdEncoding.EncodeToString(b))
		rr = rr[k:]
	}
	return list, heard
}

// realHeart is some minutes of a real recording.
func realHeart(t *testing.T) []float64 {
	t.Helper()
	b, err := os.ReadFile(sharedtest.Path(t, "data/devices/rr/physionet_healthy_000_rr_ms.txt"))
	if err != nil {
		t.Fatal(err)
	}
	const before = 3600 // beats, until the heart swings evenly for a while
	var rr []float64
	sum, n := 0.0, 0
	for in := bufio.NewScanner(bytes.NewReader(b)); in.Scan() && sum < 150_000; n++ {
		if v, err := strconv.ParseFloat(strings.TrimSpace(in.Text()), 64); err == nil && n >= before {
			rr = append(rr, v)
			sum += v
		}
	}
	return rr
}

// breather is a window on /breathe with a strap.
type breather struct {
	*clinic
	ctx context.Context
}

func (h *clinic) breather(t *testing.T, who person.Person, lang string) breather {
	t.Helper()
	ctx, cancel := context.WithTimeout(h.window(t, 360, 800, lang), 2*time.Minute)
	t.Cleanup(cancel)
	h.be(ctx, h.session(who))
	_, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: "{" + fakeBluetooth + "}"})
	h.must(err)
	b := breather{h, ctx}
	b.open()
	return b
}

func (b breather) open() {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(b.web.URL+"/breathe"), chromedp.WaitVisible(chromedp.CSS("#start"))))
}

func (b breather) click(selector string) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector))))
}

func (b breather) run(script string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](script))
	b.must(err)
}

func (b breather) text(selector string) string {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("(e => e?.checkVisibility() ? e.textContent.trim() : '')(document.querySelector(`"+selector+"`))"))
	b.must(err)
	return out
}

// until waits for a text to fit.
func (b breather) until(selector string, fits func(string) bool) string {
	b.t.Helper()
	for range 400 {
		if text := b.text(selector); fits(text) {
			return text
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("%s says %q", selector, b.text(selector))
	return ""
}

func spoken(text string) bool { return text != "" }

func (b breather) hear(rr []float64) (heard []float64) {
	b.t.Helper()
	list, heard := notifications(rr)
	text, err := json.Marshal(list)
	b.must(err)
	b.run("strap.tell(" + string(text) + ")")
	return heard
}

func (b breather) shot(name string) {
	b.t.Helper()
	if shots := os.Getenv("DOORSTEP_SHOTS"); shots != "" {
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		b.must(err)
		b.must(os.WriteFile(filepath.Join(shots, name+".png"), png, 0o600))
	}
}

// TestBreatheInABrowser goes the whole way with a strap that plays a real heart: connect, see it, lose the network and the strap,
// finish; the session is listed with the figures of those very beats.
func TestBreatheInABrowser(t *testing.T) {
	t.Parallel()
	rr := realHeart(t)
	h := newClinic(t)
	b := h.breather(t, h.ruth, "en")
	b.click("#connect")
	b.until(`[data-state="connected"]`, spoken)
	b.run(`strap.tell([btoa(String.fromCharCode(0x04, 0))])`)
	if say := b.text(`[data-state="skin"]`); !strings.Contains(say, "does not feel your skin") {
		t.Errorf("without contact: %q", say)
	}
	b.run(`strap.tell(Array(10).fill(btoa(String.fromCharCode(0x06, 71))))`)
	if say := b.text(`[data-state="norr"]`); b.text("#bpm") != "71" || !strings.Contains(say, "not the time of each beat") || b.text(`[data-state="skin"]`) != "" {
		t.Errorf("without intervals: %q, %q", b.text("#bpm"), say)
	}
	b.click("#start")
	b.until("#pacer-count", spoken)
	var heard []float64
	heard = append(heard, b.hear(rr[:60])...)
	if b.text(`[data-state="norr"]`) != "" || b.text("#bpm") == "71" {
		t.Errorf("the heart does not change: %q", b.text("#bpm"))
	}
	b.until("#feels", func(s string) bool { return strings.Contains(s, "seconds to go") })
	heard = append(heard, b.hear(rr[60:110])...)
	score := b.until("#score", func(s string) bool { return s != "" && s != "–" })
	if want := hundred(coherence.Live(heard).Coherence); score != strconv.Itoa(want) || want < 40 {
		t.Errorf("coherence %s, want %d", score, want)
	}
	b.shot("breathe-running-en-360")
	b.run(axe(t))
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](runAxe, chromedp.EvalAwaitPromise))
	h.must(err)
	if found != "[]" {
		t.Errorf("axe-core finds %s", found)
	}

	b.run(`window.real = fetch; window.fetch = async () => { throw new TypeError('no network') }`)
	heard = append(heard, b.hear(rr[110:140])...)
	b.until(`[data-state="unsent"]`, spoken)
	b.run(`strap.far = true; strap.lose()`)
	b.until(`[data-state="lost"]`, spoken)
	b.shot("breathe-lost-en-360")
	b.run(`strap.far = false; window.fetch = window.real`)
	b.until(`[data-state="connected"]`, spoken)
	b.until(`#breathe:not(:has([data-state="unsent"]:not([hidden]))) #stop`, spoken)
	heard = append(heard, b.hear(rr[140:])...)
	b.until("#score", func(s string) bool { return s == strconv.Itoa(hundred(coherence.Live(heard).Coherence)) && s != score })
	b.click("#stop")
	note := b.until("#done-note", spoken)
	if !strings.Contains(note, "kept below") {
		t.Errorf("it says %q", note)
	}
	list, _ := h.breathed(h.ruth)
	if len(list) != 1 || !reflect.DeepEqual(list[0].Session, coherence.Sum(heard)) || list[0].Source != breath.Page || list[0].Pace != 6 {
		t.Fatalf("kept as %+v\nwant %+v", list, coherence.Sum(heard))
	}
	stored, err := h.Reading.Samples(t.Context(), string(h.org), string(h.ruth.ID), "8637-1", h.clock.Now().Add(-time.Hour), h.clock.Now().Add(time.Hour))
	h.must(err)
	if len(stored) != len(heard) {
		t.Errorf("%d beats are stored of %d", len(stored), len(heard))
	}
	if say := b.text("#sessions .say"); !strings.Contains(say, "Coherence "+strconv.Itoa(hundred(list[0].Mean))+" of 100") {
		t.Errorf("the list says %q", say)
	}
	b.shot("breathe-done-en-360")
}

// TestFinderInABrowser tries the paces, stops, goes on after a new visit, and keeps the best; motion is not wanted.
func TestFinderInABrowser(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	b := h.breather(t, h.luis, "es")
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
	h.must(err)
	b.click("#find")
	if say := b.text("#find-needs"); !strings.Contains(say, "Primero conecte") {
		t.Errorf("without a heart: %q", say)
	}
	swings := map[float64]float64{6.5: 25, 6: 35, 5.5: 60, 5: 40, 4.5: 25}
	try := func(paces ...float64) {
		for _, pace := range paces {
			want := strings.Replace(strconv.FormatFloat(pace, 'f', -1, 64), ".", ",", 1)
			b.until(`[data-state="trying"]`, func(s string) bool { return strings.Contains(s, want+" veces") })
			b.hear(breathing(pace, swings[pace], 8, 123, uint64(10*pace)))
		}
	}
	b.click("#connect")
	b.until(`[data-state="connected"]`, spoken)
	b.click("#find")
	b.until("#pacer-count", spoken)
	if r, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector('.lung').getAttribute('r')`)); err != nil || r != "90" {
		t.Errorf("the circle moves: %s, %v", r, err)
	}
	try(6.5, 6)
	b.until(`[data-state="trying"]`, func(s string) bool { return strings.Contains(s, "5,5") })
	b.shot("breathe-finding-es-360")
	b.click("#stop")
	b.until("#done-note", spoken)
	if say := b.text("#finder p"); !strings.Contains(say, "Van 2 de 5 ritmos") {
		t.Errorf("after two: %q", say)
	}
	b.click("#connect")
	b.until(`[data-state="connected"]`, spoken)
	b.click("#find")
	try(5.5, 5, 4.5)
	b.until("#own", spoken)
	_, own := h.breathed(h.luis)
	if say := b.text("#own"); own.Pace != 5.5 || !strings.Contains(say, "5,5") {
		t.Errorf("%+v, %q", own, say)
	}
	b.shot("breathe-found-es-360")
}

// TestBreatheFromARelay: a strap whose notifications a relay at home sends on; the page shows and keeps its beats.
func TestBreatheFromARelay(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	strap := h.device("strap")
	send := func(rr []float64) (heard []float64) {
		list, heard := notifications(rr)
		for _, text := range list {
			raw, err := base64.StdEncoding.DecodeString(text)
			h.must(err)
			m, err := gatt.Decode("2A37", raw)
			h.must(err)
			for _, v := range m.Values {
				if v.Series == "8637-1" {
					h.clock.Advance(time.Duration(v.Value * float64(time.Millisecond)))
				}
			}
			var batch []reading.Reading
			for _, v := range m.Values {
				batch = append(batch, reading.Reading{At: h.clock.Now().Add(-v.Back), Series: v.Series, Value: v.Value, Unit: v.Unit})
			}
			_, err = h.Reading.Ingest(context.Background(), strap, batch)
			h.must(err)
		}
		return heard
	}
	rr := breathing(6, 50, 10, 120, 9)
	send(rr[:4])
	h.clock.Advance(10 * time.Second)
	b := h.breather(t, h.ruth, "en")
	b.click("#relay")
	b.click("#start")
	b.until("#feels", spoken)
	heard := send(rr[4:100])
	b.until("#score", func(s string) bool { return s != "" && s != "–" })
	if rate, err := strconv.Atoi(b.text("#bpm")); err != nil || rate < 55 || rate > 90 {
		t.Errorf("the heart: %q", b.text("#bpm"))
	}
	b.until(`[data-state="quiet"]`, func(s string) bool { return strings.Contains(s, "No heart beats come") })
	b.shot("breathe-relay-en-360")
	h.clock.Advance(time.Second)
	b.click("#stop")
	b.until("#done-note", spoken)
	if list, _ := h.breathed(h.ruth); len(list) != 1 || !reflect.DeepEqual(list[0].Session, coherence.Sum(heard)) || list[0].Source != strap.ID {
		t.Errorf("kept as %+v", list)
	}
}
