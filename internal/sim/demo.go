package sim

import (
	"context"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/web"
)

// The demo's pages and its info file look at the world through these methods (web.Demo).

// Info is the file that doorstep demo --info writes (INTERFACES).
type Info struct {
	Base    string       `json:"base"`
	MQTT    string       `json:"mqtt"`
	People  []InfoPerson `json:"people"`
	Devices []InfoDevice `json:"devices"`
}

// InfoPerson is somebody to sign in as: by link in a browser, by token in a program.
type InfoPerson struct {
	Name      string      `json:"name"`
	Role      person.Role `json:"role"`
	Link      string      `json:"link"`
	Token     string      `json:"token"`
	PatientID string      `json:"patient_id,omitempty"`
	Phone     string      `json:"phone,omitempty"`
	BirthYear int         `json:"birth_year,omitempty"` // confirms the link
}

// InfoDevice is a device to speak as.
type InfoDevice struct {
	ID        string `json:"id"`
	Key       string `json:"key"`
	Kind      string `json:"kind"`
	PatientID string `json:"patient_id,omitempty"`
}

const demoLives = 400 * 24 * time.Hour

// Introduce makes a sign-in link and a token for everybody.
func (w *World) Introduce(ctx context.Context) (Info, error) {
	info := Info{Base: w.PublicURL}
	err := w.DB.Write(ctx, func(tx *store.Tx) error {
		info.People = nil
		for _, m := range w.Cast {
			secret, err := w.People.NewLink(tx, person.Link{Org: Org, Person: m.ID, Purpose: person.SignInLink, Until: w.Clock.Now().Add(demoLives)})
			if err != nil {
				return err
			}
			token, _, err := w.People.NewToken(tx, m.Person, demoLives)
			if err != nil {
				return err
			}
			p := InfoPerson{Name: m.Name, Role: m.Role, Link: w.PublicURL + "/in/" + secret, Token: token, Phone: m.Number, BirthYear: m.BirthYear}
			if m.Role == person.Patient {
				p.PatientID = string(m.ID)
			}
			info.People = append(info.People, p)
		}
		return nil
	})
	for _, d := range w.Devices {
		info.Devices = append(info.Devices, InfoDevice{ID: d.ID, Key: d.Key, Kind: d.Kind, PatientID: string(d.Patient)})
	}
	w.mu.Lock()
	w.links = map[person.ID]string{}
	for i, m := range w.Cast {
		if i < len(info.People) {
			w.links[m.ID] = info.People[i].Link
		}
	}
	w.mu.Unlock()
	return info, err
}

// demoPeople answers the people to choose from: the story's first.
func (w *World) demoPeople() []web.DemoPerson {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []web.DemoPerson
	for _, m := range w.Cast {
		d, _ := w.device(m.ID, "pillbox")
		out = append(out, web.DemoPerson{Name: m.Name, Role: string(m.Role), Link: w.links[m.ID], Number: m.Number, PillBox: d.ID})
	}
	return out
}

// Stage is the world as the demo's pages see it.
type Stage struct{ *World }

// People answers the people to choose from.
func (s Stage) People() []web.DemoPerson { return s.demoPeople() }

// Clock answers where the clock stands, how fast it runs and in which zone it is shown.
func (s Stage) Clock() (time.Time, float64, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.World.Clock.Now(), s.speed, Zone
}

// Move lets the clock run forward with everything that falls due in between.
func (s Stage) Move(ctx context.Context, by time.Duration) error { return s.Advance(ctx, by) }

// Speed sets how many simulated seconds pass in a second.
func (s Stage) Speed(_ context.Context, x float64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.speed = x
	return nil
}

// Texts answers what a telephone shows: what the gateway delivered, and what was written on it.
func (s Stage) Texts(_ context.Context, number string) ([]web.DemoText, error) {
	var out []web.DemoText
	for _, t := range s.SMS.Texts(number) {
		out = append(out, web.DemoText{At: t.At, Body: t.Body, Inward: t.Inward})
	}
	return out, nil
}

// Reply writes a text on a telephone.
func (s Stage) Reply(ctx context.Context, number, body string) error {
	return s.do(ctx, func(ctx context.Context) error { return s.SMS.write(ctx, number, body) })
}

// PillBox answers how a pill box stands.
func (s Stage) PillBox(_ context.Context, id string) (web.DemoBox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.Devices {
		if d.ID == id {
			return web.DemoBox{Open: s.opened[id], Lit: s.lit[id]}, nil
		}
	}
	return web.DemoBox{}, fault.NotFoundf("There is no such pill box.")
}

// Press opens or closes a pill box.
func (s Stage) Press(ctx context.Context, id, event string) error {
	if event != "open" && event != "close" {
		return fault.Invalidf("A pill box can be opened or closed.")
	}
	return s.do(ctx, func(ctx context.Context) error {
		for _, d := range s.Devices {
			if d.ID == id {
				return s.pill(ctx, d, event)
			}
		}
		return fault.NotFoundf("There is no such pill box.")
	})
}

// beat is how often the demo's clock moves while it runs.
const beat = 100 * time.Millisecond

// Live lets the clock run at its speed until ctx ends.
func (w *World) Live(ctx context.Context, speed float64) error {
	w.mu.Lock()
	w.speed = speed
	w.mu.Unlock()
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		w.mu.Lock()
		x := w.speed
		w.mu.Unlock()
		if x <= 0 {
			// The clock stands, but what comes in from outside (a text, MQTT) may ask for something at once.
			if err := w.do(ctx, func(context.Context) error { return nil }); err != nil && ctx.Err() == nil {
				return err
			}
			continue
		}
		if err := w.Advance(ctx, time.Duration(float64(beat)*x)); err != nil && ctx.Err() == nil {
			return err
		}
	}
}
