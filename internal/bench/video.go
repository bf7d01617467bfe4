package bench

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/visit"
	"doorstep/internal/visit/turn"
)

const (
	videoRounds  = 7
	videoPatient = 90 * time.Second // a round that takes longer has failed
)

// drive presses the buttons of the page in a browser and says when it joins and when the first picture of the other is decoded.
// Whoever waits for the other presses join when the other is in the room.
const drive = `
const tell = (what) => fetch('/bench/' + what, {method: 'POST'})
const until = async (f) => { while (!f()) await new Promise(r => setTimeout(r, 20)) }
const $ = (s) => document.querySelector(s)
await until(() => $('#start') && !$('#video').hidden)
$('#start').click()
await until(() => !$('#join').hidden)
await tell('ready')
$('#join').click()
await tell('join')
await until(() => $('.tile:not(.own) video'))
const v = $('.tile:not(.own) video')
await until(() => v.getVideoPlaybackQuality().totalVideoFrames > 0)
await tell('seen')
await tell('again')
location.reload()
`

// videoSide is one browser: its own address, so that it is signed in by itself.
type videoSide struct {
	token              string
	ready, join, seen  chan time.Time
	mayJoin, mayReload chan bool
}

func newVideoSide(token string) *videoSide {
	return &videoSide{token: token, ready: make(chan time.Time), join: make(chan time.Time), seen: make(chan time.Time), mayJoin: make(chan bool), mayReload: make(chan bool)}
}

// serve answers the server's pages to the side's browser, with the script that presses buttons.
func (v *videoSide) serve(next http.Handler) http.Handler {
	moments := map[string]chan time.Time{"/bench/ready": v.ready, "/bench/join": v.join, "/bench/seen": v.seen}
	gates := map[string]chan bool{"/bench/ready": v.mayJoin, "/bench/again": v.mayReload}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "doorstep", Value: v.token})
		switch {
		case r.URL.Path == "/bench/drive.js":
			w.Header().Set("Content-Type", "text/javascript")
			w.Write([]byte(drive))
		case strings.HasPrefix(r.URL.Path, "/bench/"):
			if c := moments[r.URL.Path]; c != nil {
				select {
				case c <- time.Now():
				case <-r.Context().Done():
				}
			}
			if c := gates[r.URL.Path]; c != nil {
				select {
				case <-c:
				case <-r.Context().Done():
				}
			}
		case strings.HasSuffix(r.URL.Path, "/video"):
			page := httptest.NewRecorder()
			next.ServeHTTP(page, r)
			for name, values := range page.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(page.Code)
			w.Write([]byte(strings.Replace(page.Body.String(), "</body>", `<script type="module" src="/bench/drive.js"></script></body>`, 1)))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// open starts the side's browser at a page, with a simulated camera.
func (v *videoSide) open(ctx context.Context, handler http.Handler, browser, dir, path string) (stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	web := &http.Server{Handler: v.serve(handler)}
	go web.Serve(l)
	cmd := exec.CommandContext(ctx, browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--mute-audio", "--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--user-data-dir="+dir, "http://"+l.Addr().String()+path+"?through=relay")
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		web.Close()
		return nil, err
	}
	return func() { cmd.Process.Kill(); cmd.Wait(); web.Close() }, nil
}

// videoConnect measures how long it takes from pressing join, with the other side in the room, until both have decoded a picture of
// the other, all of it through the relay.
func videoConnect(ctx context.Context, r *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && browser == "" {
			browser = path
		}
	}
	if browser == "" {
		return nil, errors.New("no Chromium is on the path")
	}
	db, _, err := open()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c, err := newClinic(ctx, db, 1)
	if err != nil {
		return nil, err
	}
	relay, err := turn.Listen(turn.Options{Listen: "127.0.0.1:0", Secret: c.IDs.Secret(52), Clock: c.Clock})
	if err != nil {
		return nil, err
	}
	defer relay.Close()
	c.Visits.SetRoom(visit.Peers{Relay: relay})
	a, nurse, err := c.bookVideo(ctx)
	if err != nil {
		return nil, err
	}
	handler, err := c.Handler(ctx, app.Edges{Version: "bench"})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(r.dir, "video")
	if err != nil {
		return nil, err
	}
	patient, clinician := newVideoSide(c.tokens[0]), newVideoSide(nurse)
	room := "/visits/" + string(a.ID) + "/video"
	stopPatient, err := patient.open(ctx, handler, browser, filepath.Join(dir, "patient"), room)
	if err != nil {
		return nil, err
	}
	defer stopPatient()
	stopClinician, err := clinician.open(ctx, handler, browser, filepath.Join(dir, "clinician"), "/desk/people/"+string(a.Patient)+room)
	if err != nil {
		return nil, err
	}
	defer stopClinician()
	var ms []float64
	for range videoRounds {
		round, cancel := context.WithTimeout(ctx, videoPatient)
		took, err := videoRound(round, patient, clinician)
		cancel()
		if err != nil {
			return nil, err
		}
		ms = append(ms, float64(took.Microseconds())/1000)
	}
	slices.Sort(ms)
	return []app.Figure{{Name: "video.connect median", Value: ms[len(ms)/2], Unit: "ms", N: len(ms)}, {Name: "video.connect max", Value: ms[len(ms)-1], Unit: "ms", N: len(ms)}}, nil
}

// videoRound lets the patient join, then the clinician, and answers how long after that both saw each other.
func videoRound(ctx context.Context, patient, clinician *videoSide) (time.Duration, error) {
	var failed error
	at := func(c chan time.Time) (t time.Time) {
		select {
		case t = <-c:
		case <-ctx.Done():
			failed = errors.New("the browsers did not see each other")
		}
		return t
	}
	let := func(c chan bool) {
		select {
		case c <- true:
		case <-ctx.Done():
			failed = errors.New("the browsers did not see each other")
		}
	}
	at(patient.ready)
	let(patient.mayJoin)
	at(patient.join)
	at(clinician.ready)
	begun := time.Now()
	let(clinician.mayJoin)
	at(clinician.join)
	first, second := at(patient.seen), time.Time{}
	second = at(clinician.seen)
	if second.After(first) {
		first = second
	}
	let(patient.mayReload)
	let(clinician.mayReload)
	return first.Sub(begun), failed
}

// bookVideo gives the patient a visit by video that begins within minutes, and a nurse to hold it.
func (c *clinic) bookVideo(ctx context.Context) (a appointment.Appointment, token string, err error) {
	patient := c.patients[0]
	zone, err := clock.Zone("America/New_York")
	if err != nil {
		return a, "", err
	}
	err = c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := c.People.SaveTeam(tx, org, person.Team{ID: "video", Name: "Video"}); err != nil {
			return err
		}
		patient.Teams = append(patient.Teams, "video")
		if _, err := c.People.Save(tx, patient); err != nil {
			return err
		}
		nurse, err := c.People.Save(tx, person.Person{Org: org, Role: person.Nurse, Name: "Dana Reyes", Language: "en", Zone: "America/New_York", Teams: []person.TeamID{"video"}})
		if err != nil {
			return err
		}
		if token, _, err = c.People.NewSession(tx, nurse); err != nil {
			return err
		}
		always := slot.Calendar{Zone: zone, Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5, 6, 7}, Start: clock.WallAt(0, 0), End: clock.WallAt(23, 55)}}}
		if err := c.Appointments.SaveResource(tx, appointment.Resource{Org: org, ID: "dana", Kind: appointment.Clinician, Name: "Dana Reyes", Active: true, Hours: []appointment.Hours{{Calendar: always}}}); err != nil {
			return err
		}
		return c.Appointments.SaveType(tx, appointment.Type{Org: org, ID: "video", Name: map[string]string{"en": "Video"}, Horizon: 2, Grid: 5, Active: true,
			Offers: []appointment.Offer{{Way: appointment.Video, Min: 20, Needs: []appointment.Kind{appointment.Clinician}}}})
	})
	if err != nil {
		return a, "", err
	}
	found, err := c.Appointments.Find(ctx, appointment.Search{Org: org, Patient: patient.ID, Type: "video", Limit: 1, Staff: true})
	if err != nil {
		return a, "", err
	}
	if len(found.Options) == 0 {
		return a, "", errors.New("no time is free")
	}
	o := found.Options[0]
	a, err = c.Appointments.Book(ctx, person.Viewer{Org: org, Person: patient.ID, Role: person.Patient}, appointment.Request{Org: org, Patient: patient.ID, Type: "video", Way: o.Way, Place: o.Place, Start: o.Start, Resources: o.Resources})
	return a, token, err
}
