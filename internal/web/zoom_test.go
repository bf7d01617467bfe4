package web

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"doorstep/internal/person"
	"doorstep/internal/reading"
)

// twoYears gives a person two years of a scale and a cuff, with a month in which nobody measured, as a file brings them.
func (h *clinic) twoYears(who person.Person) {
	h.t.Helper()
	d, err := h.Reading.ImportDevice(context.Background(), string(h.org), string(who.ID), "test: two years")
	h.must(err)
	var list []reading.Reading
	now := h.clock.Now()
	for i := range 700 {
		if i >= 300 && i < 330 {
			continue
		}
		at, wave := now.AddDate(0, 0, i-715), math.Sin(float64(i)/40)
		list = append(list, reading.Reading{At: at, Series: "29463-7", Value: math.Round((82+2.5*wave+math.Sin(float64(i)*7)/2)*10) / 10, Unit: "kg"},
			reading.Reading{At: at, Series: systolic, Value: math.Round(132 + 9*wave + 4*math.Sin(float64(i)*5)), Unit: "mm[Hg]"},
			reading.Reading{At: at, Series: diastolic, Value: math.Round(80 + 5*wave), Unit: "mm[Hg]"})
	}
	_, err = h.Reading.Ingest(context.Background(), d, list)
	h.must(err)
}

func TestZoomData(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.twoYears(h.ruth)
	ruth := h.session(h.ruth)
	get := func(token, path string) (int, zoomable) {
		t.Helper()
		answer, body := h.get(token, path)
		var z zoomable
		if answer.StatusCode == 200 {
			h.must(json.Unmarshal([]byte(body), &z))
		}
		return answer.StatusCode, z
	}
	_, weight := get(ruth, "/numbers/series/29463-7")
	if n := len(weight.Lines[0]); len(weight.Lines) != 1 || n < 700 || n > zoomDays || weight.Lines[0][0] == nil || weight.Lines[0][310] != nil || time.Unix(weight.From, 0).UTC().Hour() != 12 {
		t.Errorf("%d lines, %d days from %d", len(weight.Lines), n, weight.From)
	}
	if _, pressure := get(ruth, "/numbers/series/"+systolic); len(pressure.Lines) != 2 || len(pressure.Lines[0]) != len(pressure.Lines[1]) || *pressure.Lines[0][0] <= *pressure.Lines[1][0] {
		t.Errorf("%d lines", len(pressure.Lines))
	}
	if status, steps := get(ruth, "/numbers/series/55423-8"); status != 200 || len(steps.Lines) != 1 || len(steps.Lines[0]) == 0 {
		t.Errorf("steps: %d, %d lines", status, len(steps.Lines))
	}
	if status, _ := get(ruth, "/numbers/series/8637-1"); status != 404 {
		t.Errorf("what no chart shows: %d", status)
	}
	if status, _ := get(h.session(h.elena), "/helping/"+string(h.ruth.ID)+"/numbers/series/29463-7"); status != 200 {
		t.Errorf("Elena: %d", status)
	}
	if status, _ := get(h.session(h.rosa), "/helping/"+string(h.ruth.ID)+"/numbers/series/29463-7"); status < 400 {
		t.Errorf("Rosa, who helps another: %d", status)
	}
}

// A chart opens, comes closer and goes back in time by keyboard alone; what it shows stands in words; on paper the drawing is there and it is not.
func TestZoomByKeyboard(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.twoYears(h.ruth)
	h.twoYears(h.luis)
	script, shots := axe(t), os.Getenv("DOORSTEP_SHOTS")
	for _, c := range []struct {
		who   person.Person
		lang  string
		width int64
		dark  bool
		from  string
	}{{h.ruth, "en", 360, false, "From "}, {h.luis, "es", 1280, true, "Del "}, {h.luis, "es", 360, true, "Del "}, {h.ruth, "en", 1280, false, "From "}} {
		t.Run(fmt.Sprint(c.lang, c.width), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(h.window(t, c.width, 900, c.lang), 90*time.Second)
			defer cancel()
			h.be(ctx, h.session(c.who))
			if c.dark {
				_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
				h.must(err)
			}
			h.must(chromedp.Do(ctx, chromedp.Navigate(h.web.URL+"/numbers"), chromedp.WaitVisible(chromedp.CSS("#zoom-weight-open"))))
			fetched, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`performance.getEntriesByType('resource').some(r => r.name.includes('uplot') || r.name.includes('/series/'))`))
			if err != nil || fetched {
				t.Errorf("what nobody has asked for was fetched (%v)", err)
			}
			press := func(id string) {
				t.Helper()
				h.must(chromedp.Do(ctx, chromedp.Focus(chromedp.CSS(id)), chromedp.KeyEvent(kb.Enter)))
			}
			said := func() string {
				t.Helper()
				text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("#zoom-weight [data-range]")))
				h.must(err)
				return text
			}
			press("#zoom-weight-open")
			h.must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#zoom-weight canvas"))))
			first := said()
			if !strings.HasPrefix(first, c.from) {
				t.Errorf("it says %q", first)
			}
			seen := map[string]bool{first: true}
			for _, id := range []string{"in", "earlier", "all"} {
				press("#zoom-weight-" + id)
				if now := said(); seen[now] {
					t.Errorf("after %q it says %q again", id, now)
				} else {
					seen[now] = true
				}
			}
			press("#zoom-weight-out") // there is no more
			if name, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector('#zoom-weight [data-plot]').getAttribute('aria-label')`)); err != nil || !strings.Contains(name, said()) || !strings.Contains(name, "79") {
				t.Errorf("the picture's name is %q (%v)", name, err)
			}
			press("#zoom-pressure-open")
			h.must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#zoom-pressure canvas"))))
			h.holds(ctx, t, script)
			if shots != "" {
				png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				h.must(err)
				h.must(os.WriteFile(filepath.Join(shots, fmt.Sprintf("zoom-%s-%d.png", c.lang, c.width)), png, 0o600))
			}
			_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
			h.must(err)
			paper, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`getComputedStyle(document.querySelector('#zoom-weight')).display === 'none' && document.querySelector('#f-weight svg.chart').getBoundingClientRect().height > 0`))
			if err != nil || !paper {
				t.Errorf("on paper (%v)", err)
			}
		})
	}
}

// holds holds a page as it stands against axe-core's rules and scrolling sideways.
func (h *clinic) holds(ctx context.Context, t *testing.T, script string) {
	t.Helper()
	sideways, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
	if err != nil || sideways {
		t.Errorf("it scrolls sideways (%v)", err)
	}
	_, err = chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](script))
	h.must(err)
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](runAxe, chromedp.EvalAwaitPromise))
	h.must(err)
	var list []violation
	h.must(json.Unmarshal([]byte(found), &list))
	for _, v := range list {
		t.Errorf("%s: %s\n%s\n%s", v.ID, v.Help, v.Nodes[0].HTML, v.Nodes[0].Summary)
	}
}
