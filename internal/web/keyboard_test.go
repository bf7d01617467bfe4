package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestKeyboardOnly signs in, and says "I took them", without a mouse.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	ctx, cancel := context.WithTimeout(h.window(t, 360, 800, "en"), time.Minute)
	defer cancel()
	tabTo := func(selector string) {
		t.Helper()
		for range 40 {
			h.must(chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)))
			there, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.activeElement.matches(`"+selector+"`)"))
			h.must(err)
			if there {
				return
			}
		}
		t.Fatalf("%s cannot be reached with the Tab key", selector)
	}
	h.must(chromedp.Do(ctx, chromedp.Navigate(h.web.URL+h.link(h.ruth)), chromedp.WaitReady(chromedp.CSS("#year"))))
	tabTo("#year")
	h.must(chromedp.Do(ctx, chromedp.KeyEvent("1947"), chromedp.KeyEvent(kb.Enter), chromedp.WaitReady(chromedp.CSS(".next"))))
	heading, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("h1")))
	h.must(err)
	tabTo(".next button.big")
	h.must(chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter), chromedp.WaitReady(chromedp.CSS("#done-note"))))
	note, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("#done-note")))
	h.must(err)
	if heading != "Your 8:00\u00a0am medicines" || !strings.Contains(note, "you took them") {
		t.Errorf("heading %q, then %q", heading, note)
	}
}
