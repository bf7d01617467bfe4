package web

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/internal/appointment"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/visit"
	"doorstep/internal/visit/turn"
)

// videoVisits are the appointments for the rooms, as the whole server's wiring gives them.
type videoVisits struct{ s *appointment.Service }

func (x videoVisits) Visit(tx *store.Tx, org person.OrgID, id visit.ID) (visit.Visit, error) {
	a, err := x.s.Get(tx, org, appointment.ID(id))
	if err != nil {
		return visit.Visit{}, err
	}
	v := visit.Visit{Key: visit.Key{Org: org, Patient: a.Patient, Visit: id}, Start: a.Start, End: a.End, Zone: a.Zone, Video: a.Way == appointment.Video,
		Live: a.State == appointment.Booked || a.State == appointment.Arrived, Done: a.State == appointment.Fulfilled}
	v.With, err = x.s.Who(tx, a)
	return v, err
}

func (x videoVisits) Arrive(tx *store.Tx, v person.Viewer, org person.OrgID, id visit.ID) error {
	a, err := x.s.Get(tx, org, appointment.ID(id))
	if err == nil {
		_, err = x.s.Arrive(tx, v, a)
	}
	return err
}

func (x videoVisits) Met(*store.Tx, person.Viewer, person.OrgID, visit.ID) error { return nil }

func (x videoVisits) Over(*store.Tx, person.Viewer, person.OrgID, visit.ID, time.Time) error {
	return nil
}

func (x videoVisits) Seen(tx *store.Tx, v person.Viewer, org person.OrgID, id visit.ID, begun time.Time) error {
	a, err := x.s.Get(tx, org, appointment.ID(id))
	if err == nil {
		_, err = x.s.Seen(tx, v, a, begun)
	}
	return err
}

// videoSoon books Ruth a visit by video and moves the clock to five minutes before it.
func (h *clinic) videoSoon() appointment.Appointment {
	a := h.bookVisit(h.ruth, "follow", 12, 13)
	h.clock.Set(a.Start.Add(-5 * time.Minute))
	return a
}

// camera is a window whose person goes into a room and waits for what the page shows.
type camera struct {
	*clinic
	ctx context.Context
}

func (h *clinic) camera(t *testing.T, who person.Person, path string) camera {
	t.Helper()
	c := camera{h, h.window(t, 360, 800, who.Language)}
	h.be(c.ctx, h.session(who))
	c.run(chromedp.Navigate(h.web.URL+path), chromedp.Click(chromedp.CSS("#start")), chromedp.Click(chromedp.CSS("#join")))
	return c
}

func (c camera) run(actions ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 30*time.Second)
	defer cancel()
	c.must(chromedp.Do(ctx, actions...))
}

// until waits until a script's answer is true.
func (c camera) until(what, script string, within time.Duration) {
	c.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		ok, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool](script))
		if err == nil && ok {
			return
		}
		if time.Now().After(end) {
			body, _ := chromedp.Run(c.ctx, chromedp.Evaluate[string](`document.querySelector('main').innerText`))
			c.t.Fatalf("%s: never (%v)\n%s", what, err, body)
		}
	}
}

// sees counts frames that came from another's camera.
const sees = `[...document.querySelectorAll('.tile:not(.own) video')].some(v => v.getVideoPlaybackQuality().totalVideoFrames > %d)`

func TestVideoBothWays(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	a := h.videoSoon()
	own, staff := "/visits/"+string(a.ID)+"/video", "/desk/people/"+string(h.ruth.ID)+"/visits/"+string(a.ID)
	ruth := h.camera(t, h.ruth, own)
	ruth.until("the waiting room", `document.querySelector('#room-title').textContent === 'You are in the waiting room'`, 10*time.Second)
	dana := h.camera(t, h.dana, staff+"/video")
	for _, c := range []camera{ruth, dana} {
		c.until("frames", fmt.Sprintf(sees, 30), 20*time.Second)
	}
	ruth.until("who is there", `document.querySelector('#tiles').innerText.includes('Dana Reyes, care team')`, time.Second)
	if shots := os.Getenv("DOORSTEP_SHOTS"); shots != "" {
		png, err := chromedp.Run(ruth.ctx, chromedp.FullScreenshot(100))
		h.must(err)
		h.must(os.WriteFile(filepath.Join(shots, "video-together-en-360.png"), png, 0o600))
	}
	h.clock.Advance(20 * time.Minute)
	dana.run(chromedp.Click(chromedp.CSS("#end")))
	ruth.until("the end", `document.querySelector('main').innerText.includes('The visit is over')`, 15*time.Second)
	h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
		got, err := h.Appointment.Get(tx, h.org, a.ID)
		h.must(err)
		p, err := h.Promise.Get(tx, h.org, h.ruth.ID, promise.ID(got.Promise))
		if got.State != appointment.Fulfilled || p.State != promise.Kept {
			t.Errorf("the visit is %s, its promise %s", got.State, p.State)
		}
		return err
	}))
	if _, page := h.get(h.session(h.ruth), "/visits/"+string(a.ID)); !strings.Contains(page, "The visit began.") || !strings.Contains(page, "Dana Reyes came in.") {
		t.Error("the page of the visit does not say what happened")
	}
}

// Through the relay alone; then the camera stops and the visit goes on with sound, then the relay goes away and it goes on by
// telephone, within the same visit (fault 36).
func TestVideoFallsToSoundThenTelephone(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	relay, err := turn.Listen(turn.Options{Listen: "127.0.0.1:0", Secret: "not a secret", Clock: h.clock})
	h.must(err)
	t.Cleanup(func() { relay.Close() })
	h.deps.Visit.SetRoom(visit.Peers{Relay: relay})
	a := h.videoSoon()
	staff := "/desk/people/" + string(h.ruth.ID)
	ruth := h.camera(t, h.ruth, "/visits/"+string(a.ID)+"/video?through=relay")
	dana := h.camera(t, h.dana, staff+"/visits/"+string(a.ID)+"/video?through=relay")
	for _, c := range []camera{ruth, dana} {
		c.until("frames through the relay", fmt.Sprintf(sees, 10), 20*time.Second)
	}
	ruth.run(chromedp.Evaluate[chromedp.Void](`document.querySelector('.own video').srcObject.getVideoTracks()[0].stop()`))
	for _, c := range []camera{ruth, dana} {
		c.until("sound only", `document.querySelector('#room-title').textContent === 'Sound only' && [...document.querySelectorAll('.tile video')].every(v => v.hidden)`, 25*time.Second)
	}
	relay.Close()
	ruth.until("the call, told to the patient", `document.querySelector('main').innerText.includes('Dr. Osei calls you by') && document.querySelector('main').innerText.includes('ends in 0001')`, 60*time.Second)
	dana.until("the call, told to the clinic", `document.querySelector('main').innerText.includes('Call Ruth at 555-010-0001 by')`, 30*time.Second)
	if _, desk := h.get(h.session(h.omar), "/desk"); !strings.Contains(desk, "Video failed: call Ruth at") {
		t.Error("the desk is not told to call")
	}
	if answer, _ := h.post(h.session(h.dana), staff+"/room/"+string(a.ID)+"/end", "spoke", "yes"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("end: %d", answer.StatusCode)
	}
	_, page := h.get(h.session(h.dana), staff+"/visits/"+string(a.ID))
	for _, want := range []string{"It went on with sound only.", "It went on by phone.", "The visit ended."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the visit does not say %q", want)
		}
	}
	if _, desk := h.get(h.session(h.omar), "/desk"); strings.Contains(desk, "Video failed") {
		t.Error("the task of a call that was made is open")
	}
}

// The link in a text opens the room of its visit near its time, and nothing else.
func TestVideoByLink(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	a := h.bookVisit(h.ruth, "follow", 12, 13)
	other := h.bookVisit(h.ruth, "follow", 13, 13)
	h.clock.Set(a.Start.Add(-2 * time.Hour))
	for range 3 {
		h.climb()
	}
	path := h.todayLink(a)
	_, page := h.get("", path)
	if !strings.Contains(page, "The room opens") || strings.Contains(page, "to-video") {
		t.Error("two hours before: the link does not say when the room opens")
	}
	room := path + "/visits/" + string(a.ID) + "/video"
	if answer, _ := h.post("", path+"/room/"+string(a.ID)+"/join"); answer.StatusCode != http.StatusConflict {
		t.Errorf("too early: %d", answer.StatusCode)
	}
	h.clock.Set(a.Start.Add(-10 * time.Minute))
	if _, page = h.get("", path); !strings.Contains(page, room) {
		t.Error("the link does not lead to the room")
	}
	answer, page := h.get("", room)
	if answer.StatusCode != http.StatusOK || strings.Contains(page, "Abbott") || !strings.Contains(answer.Header.Get("Permissions-Policy"), "camera=(self)") {
		t.Errorf("%d, %q", answer.StatusCode, answer.Header.Get("Permissions-Policy"))
	}
	if answer, body := h.post("", path+"/room/"+string(a.ID)+"/join"); answer.StatusCode != http.StatusOK || !strings.Contains(body, "You are in the waiting room") {
		t.Errorf("join: %d %s", answer.StatusCode, body)
	}
	for _, p := range []string{path + "/visits/" + string(other.ID) + "/video", path + "/visits/" + string(a.ID), "/visits/" + string(a.ID) + "/video"} {
		if answer, page := h.get("", p); answer.StatusCode == http.StatusOK && strings.Contains(page, "Join the visit") {
			t.Errorf("the link opens %s", p)
		}
	}
	// Without JavaScript the button turns the visit into a call, and the page says who calls by when.
	if answer, _ := h.post("", path+"/room/"+string(a.ID)+"/mode", "mode", "phone", "why", "asked"); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != room {
		t.Errorf("call me: %d to %s", answer.StatusCode, answer.Header.Get("Location"))
	}
	if _, page := h.get("", room); !strings.Contains(page, "Dr. Osei calls you by 12:55 pm") {
		t.Error("the page does not say who calls by when")
	}
	// Nobody else's: another patient, staff of another team, a visit that is not by video.
	if answer, _ := h.get(h.session(h.luis), "/visits/"+string(a.ID)+"/video"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("another patient: %d", answer.StatusCode)
	}
	if answer, _ := h.post(h.session(h.luis), "/room/"+string(a.ID)+"/join"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("another patient joins: %d", answer.StatusCode)
	}
	if answer, _ := h.get(h.session(h.ruth), "/today"); answer.Header.Get("Permissions-Policy") != "camera=(), microphone=()" {
		t.Errorf("other pages may use the camera: %q", answer.Header.Get("Permissions-Policy"))
	}
}

// todayLink answers the link in the reminder of a visit's day.
func (h *clinic) todayLink(a appointment.Appointment) (path string) {
	h.must(h.DB.Read(context.Background(), func(tx *store.Tx) error {
		list, err := h.Message.Thread(tx, h.org, a.Patient, 50)
		for _, m := range list {
			if strings.Contains(m.Promises, a.Promise) && m.Say == "visit.today" {
				path = "/r/" + h.Message.LinkCode(&m)
			}
		}
		return err
	}))
	if path == "" {
		h.t.Fatal("no reminder was sent")
	}
	return path
}

// Whoever says no to the camera reads what to do, and can go on with sound or be called.
func TestVideoCameraDenied(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	a := h.videoSoon()
	denying := browserWith("deny")
	for _, width := range []int64{360, 1280} {
		for _, lang := range []string{"en", "es"} {
			who, path := h.ruth, "/visits/"+string(a.ID)+"/video"
			if lang == "es" {
				who, path = h.eva, "/desk/people/"+string(h.ruth.ID)+path
			}
			c := camera{h, h.windowOf(t, denying, width, 800, lang)}
			h.be(c.ctx, h.session(who))
			c.run(chromedp.Navigate(h.web.URL+path), chromedp.Click(chromedp.CSS("#start")))
			c.until("what to do", `!document.querySelector('[data-check=denied]').hidden && !document.querySelector('#retry').hidden && !document.querySelector('#sound').hidden && !document.querySelector('#call-me').hidden`, 10*time.Second)
			if shots := os.Getenv("DOORSTEP_SHOTS"); shots != "" {
				png, err := chromedp.Run(c.ctx, chromedp.FullScreenshot(100))
				h.must(err)
				h.must(os.WriteFile(filepath.Join(shots, fmt.Sprintf("video-denied-%s-%d.png", lang, width)), png, 0o600))
			}
		}
	}
}

// TestVideoPages holds the room's pages, before, open, by telephone and over, to what TestEveryPage holds every page to.
func TestVideoPages(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	visits := map[string]appointment.Appointment{"en": h.bookVisit(h.ruth, "follow", 12, 13), "es": h.bookVisit(h.luis, "follow", 12, 14)}
	script, shots := axe(t), os.Getenv("DOORSTEP_SHOTS")
	states := []struct {
		name string
		at   time.Time
		do   func(path, staff string)
	}{
		{"early", visits["en"].Start.Add(-2 * time.Hour), func(string, string) {}},
		{"open", visits["en"].Start.Add(35 * time.Minute), func(string, string) {}},
		{"phone", visits["en"].Start.Add(36 * time.Minute), func(path, _ string) {
			h.post(h.session(h.ruth), path+"/mode", "mode", "phone", "why", "denied")
			h.post(h.session(h.luis), path+"/mode", "mode", "phone", "why", "denied")
		}},
		{"over", visits["en"].Start.Add(40 * time.Minute), func(path, staff string) { h.post(h.session(h.dana), staff+path+"/end", "spoke", "yes") }},
	}
	for _, x := range states {
		h.clock.Set(x.at)
		for lang, a := range visits {
			patient, nurse := h.ruth, h.dana
			if lang == "es" {
				patient, nurse = h.luis, h.eva
			}
			staff := "/desk/people/" + string(patient.ID)
			x.do("/room/"+string(a.ID), staff)
			for _, width := range []int64{320, 360, 1280} {
				ctx := h.window(t, width, 900, lang)
				for _, s := range []stop{{"video-" + x.name, "/visits/" + string(a.ID) + "/video", &patient}, {"person-video-" + x.name, staff + "/visits/" + string(a.ID) + "/video", &nurse}} {
					h.be(ctx, h.session(*s.who))
					h.look(ctx, t, s, fmt.Sprintf("%s-%s-%d", s.name, lang, width), width, script, shots)
				}
			}
		}
	}
}
