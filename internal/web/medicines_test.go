package web

import (
	"fmt"
	"html"
	"os"
	"strings"
	"testing"
	"time"

	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/medication/timing"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// regimenOf answers the id of one of Ruth's medicines.
func (h *clinic) regimenOf(name string) (id string) {
	h.t.Helper()
	h.must(h.DB.Read(h.t.Context(), func(tx *store.Tx) error {
		list, err := h.Medication.Regimens(tx, h.org, h.ruth.ID)
		for _, r := range list {
			if strings.HasPrefix(r.Name, name) {
				id = r.ID
			}
		}
		return err
	}))
	if id == "" {
		h.t.Fatalf("no regimen of %s", name)
	}
	return id
}

// shows checks that a page has these texts, and not those after "!".
func (h *clinic) shows(token, path string, want ...string) {
	h.t.Helper()
	answer, body := h.get(token, path)
	if answer.StatusCode != 200 {
		h.t.Errorf("%s: %s", path, answer.Status)
		return
	}
	body = html.UnescapeString(body)
	for _, text := range want {
		if text, not := strings.CutPrefix(text, "!"); strings.Contains(body, text) == not {
			h.t.Errorf("%s: %q there: %v", path, text, not)
		}
	}
}

// told posts a form and checks where it leads.
func (h *clinic) told(token, path, to string, form ...string) {
	h.t.Helper()
	answer, body := h.post(token, path, form...)
	if got := answer.Header.Get("Location"); got != to {
		h.t.Errorf("%s %v leads to %q (%s), want %q\n%.300s", path, form, got, answer.Status, to, body)
	}
}

func (h *clinic) moreLadders() {
	h.write(func(tx *store.Tx) error {
		h.must(h.Promise.SaveLadder(tx, h.org, promise.Ladder{Name: medication.TravelLadder, Version: 1}))
		return h.Promise.SaveLadder(tx, h.org, promise.Ladder{Name: medication.RefillLadder, Version: 1})
	})
}

// The medicines stand in plain words, in the reader's language; what is left is counted; a refill is promised and its way chosen.
func TestMedicines(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.moreLadders()
	ruth, luis, dana := h.session(h.ruth), h.session(h.luis), h.session(h.dana)
	h.shows(ruth, "/me", "Take 2 tablets at 8:00 am.", "!left.")
	h.shows(luis, "/me", "Tome 2 tabletas a las 08:00.")
	id := h.regimenOf("Furosemide")
	h.told(ruth, "/me/pharmacy", "/me?done=saved", "shop", "Main Street", "shop_phone", "555 010 0300", "lead", "2", "closed", "0", "holidays", "2026-12-25")
	h.told(ruth, "/me/count", "/me?done=saved", "regimen", id, "left", "5")
	h.shows(ruth, "/me", "There should be 5 tablets left.", "More comes by", "Bring it to the door", `value="Main Street"`, "2026-12-25")
	var needs []medication.Need
	h.must(h.DB.Read(t.Context(), func(tx *store.Tx) (err error) { needs, err = h.Medication.Needs(tx, h.org, h.ruth.ID); return err }))
	if len(needs) != 1 {
		t.Fatalf("%+v", needs)
	}
	desk := "/desk/people/" + string(h.ruth.ID)
	h.told(dana, desk+"/me/way", desk+"/me?done=saved", "need", needs[0].ID, "way", "delivery")
	h.shows(dana, desk, "It is brought to the door.", "How the doses went, in four weeks", "Doses done", "doses", "Days just as planned", " said, 0 likely, 0 only opened")
	h.told(luis, "/me/way", "", "need", needs[0].ID, "way", "pickup") // another's
	for _, bad := range [][]string{{"/me/count", "regimen", id, "left", "many"}, {"/me/count", "regimen", "none", "left", "3"}, {"/me/pharmacy", "lead", "soon"}, {"/me/way", "need", "x", "way", "delivery"}} {
		if answer, _ := h.post(ruth, bad[0], bad[1:]...); answer.StatusCode < 400 {
			t.Errorf("%v: %s", bad, answer.Status)
		}
	}
	h.shows(ruth, "/numbers", "all went as planned", "You told us of", "This week:")
}

// Fault 16: in another zone the patient is asked on the page; no dose moves before the answer.
func TestFault16AskedOnThePage(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.moreLadders()
	ruth, elena := h.session(h.ruth), h.session(h.elena)
	next := func() (at time.Time) {
		h.must(h.DB.Read(t.Context(), func(tx *store.Tx) error {
			open, err := h.Promise.OpenOf(tx, h.org, h.ruth.ID, medication.Kind)
			for _, o := range open {
				if o.From.After(h.clock.Now()) && (at.IsZero() || o.From.Before(at)) {
					at = o.From
				}
			}
			return err
		}))
		return at
	}
	before := next()
	h.told(ruth, "/me/zone", "/me?done=saved", "zone", "Europe/Berlin")
	if at := next(); !at.Equal(before) {
		t.Errorf("moved silently to %v, was %v", at, before)
	}
	for path, token := range map[string]string{"/today": ruth, "/me": ruth, "/helping/" + string(h.ruth.ID) + "/today": elena} {
		h.shows(token, path, "the clock of Berlin", "New York", "Stay as they are", "Move them")
	}
	h.told(ruth, "/me/travel", "/me?done=saved", "clock", "move")
	h.shows(ruth, "/today", "!Stay as they are")
	if answer, _ := h.post(ruth, "/me/travel", "clock", "keep"); answer.StatusCode != 409 {
		t.Errorf("answered twice: %s", answer.Status)
	}
	if answer, _ := h.post(ruth, "/me/zone", "zone", "Mars/Olympus"); answer.StatusCode < 400 {
		t.Errorf("a zone that is none: %s", answer.Status)
	}
}

// What a box cannot know: an opening that was no dose, a dose from the pocket, days in hospital, one taken when needed, and too soon.
func TestWhatTheBoxCannotKnow(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.moreLadders()
	ruth, dana := h.session(h.ruth), h.session(h.dana)
	d := h.dueDose(h.ruth)
	h.write(func(tx *store.Tx) error { return h.Medication.Opened(tx, h.org, h.ruth.ID, h.clock.Now(), "pill box") })
	h.shows(ruth, "/today", "That is all we know.", "!You said so")
	desk := "/desk/people/" + string(h.ruth.ID)
	h.told(dana, desk+"/doses/"+string(d.Promise.ID), desk+"?done=noted", "answer", "nodose")
	h.shows(ruth, "/today", "!That is all we know.")
	h.told(ruth, "/doses/"+string(d.Promise.ID), "/today?done=taken", "answer", "pocket", "time", "08:40")
	h.shows(ruth, "/today", "took it from another place, 8:40 am")
	if answer, _ := h.post(ruth, "/doses/"+string(d.Promise.ID), "answer", "pocket", "time", "23:40"); answer.StatusCode < 400 {
		t.Errorf("a time to come: %s", answer.Status)
	}
	yes := true
	h.write(func(tx *store.Tx) error {
		_, err := h.Medication.Save(tx, medication.Regimen{Org: h.org, Patient: h.ruth.ID, ID: "pain", Name: "Paracetamol", Authored: h.ruth.DayOf(h.clock.Now()), Dosage: []fhir.Dosage{{AsNeededBoolean: &yes,
			Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "4", PeriodUnit: "h"}}}}})
		return err
	})
	h.shows(ruth, "/me", "Take one dose every 4 hours when needed.", "It is fine to take one now")
	h.told(ruth, "/me/took", "/me?done=noted.dose", "regimen", "pain")
	h.shows(ruth, "/me?done=noted.dose", "We noted that dose.", "Wait with the next one until")
	h.clock.Advance(time.Hour)
	h.told(ruth, "/me/took", "/me?done=early", "regimen", "pain")
	h.told(ruth, "/me/away", "/me?done=saved", "first", "2026-03-10", "last", "2026-03-14", "why", "away.hospital")
	h.shows(ruth, "/me", "Tuesday, March 10 to Saturday, March 14", "In the hospital")
	h.told(ruth, "/me/home", "/me?done=saved", "first", "2026-03-10")
	h.shows(ruth, "/me", "!Tuesday, March 10 to")
	for _, bad := range [][]string{{"/me/away", "first", "2026-03-10", "last", "2026-03-01", "why", "away.hospital"}, {"/me/away", "first", "soon"}, {"/me/home", "first", "2026-01-01"}, {"/me/took", "regimen", "none"}} {
		if answer, _ := h.post(ruth, bad[0], bad[1:]...); answer.StatusCode < 400 {
			t.Errorf("%v: %s", bad, answer.Status)
		}
	}
}

// At the desk a medicine is added as a sentence; what cannot be read is refused with the place, and what was typed stays.
func TestAMedicineAsASentence(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	dana, eva, ruth := h.session(h.dana), h.session(h.eva), h.session(h.ruth)
	desk := "/desk/people/" + string(h.ruth.ID)
	h.told(dana, desk+"/medicines", desk+"?done=added", "medicine", "Amoxicillin 500 mg", "how", "Take 1 capsule by mouth 3 times a day, for 10 days.", "policy", "interval")
	h.shows(ruth, "/me", "Amoxicillin 500 mg", "Take 1 capsule by mouth 3 times a day, for 10 days.", "!Stop this medicine")
	h.told(eva, desk+"/medicines", desk+"?done=added", "medicine", "Ibuprofeno", "how", "Tome 1 tableta por la boca cada 6 horas si lo necesita para dolor.")
	h.shows(ruth, "/me", "Take 1 tablet by mouth every 6 hours when needed for dolor.")
	answer, body := h.post(dana, desk+"/medicines", "medicine", "Aspirin", "how", "Take 1 tablet by mouth whenever.")
	if body = html.UnescapeString(body); answer.StatusCode != 422 || !strings.Contains(body, `from here on: " whenever."`) || !strings.Contains(body, `value="Aspirin"`) {
		t.Errorf("%s %.200s", answer.Status, body[strings.Index(body, "<main"):])
	}
	if answer, _ := h.post(ruth, desk+"/medicines", "medicine", "Aspirin", "how", "Take 1 tablet once a day."); answer.StatusCode < 400 && !strings.HasSuffix(answer.Header.Get("Location"), "/today") {
		t.Errorf("by a patient: %s", answer.Status)
	}
	id := h.regimenOf("Amoxicillin")
	h.told(dana, desk+"/medicines/stop", desk+"?done=saved", "regimen", id)
	h.shows(ruth, "/me", "!Amoxicillin")
}

// TestMedicinePages holds the pages with everything that may stand on them about medicines against axe-core and scrolling sideways.
func TestMedicinePages(t *testing.T) {
	t.Parallel()
	h := newClinic(t).live()
	h.moreLadders()
	yes := true
	for _, p := range []person.Person{h.ruth, h.luis} {
		h.write(func(tx *store.Tx) error {
			_, err := h.Medication.Save(tx, medication.Regimen{Org: h.org, Patient: p.ID, ID: "pain" + string(p.ID), Name: "Paracetamol 500 mg", Authored: p.DayOf(h.clock.Now()), Policy: timing.Home,
				Dosage: []fhir.Dosage{{AsNeededBoolean: &yes, Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "4", PeriodUnit: "h"}},
					DoseAndRate: []fhir.DoseAndRate{{DoseQuantity: &fhir.Quantity{Value: "2", Unit: "tablet"}}}}}})
			h.must(err)
			list, err := h.Medication.Regimens(tx, h.org, p.ID)
			h.must(err)
			for _, r := range list {
				if !r.AsNeeded {
					h.must(h.Medication.Count(tx, h.org, p.ID, r.ID, 7, h.dana.ID))
				}
			}
			h.must(h.Medication.SetAway(tx, h.org, p.ID, medication.Away{First: p.DayOf(h.clock.Now()).Add(9), Last: p.DayOf(h.clock.Now()).Add(12), Why: "away.hospital", By: h.dana.ID}))
			h.must(h.Medication.Opened(tx, h.org, p.ID, h.clock.Now(), "pill box"))
			return h.Medication.SetZone(tx, h.org, p.ID, "Europe/Berlin")
		})
	}
	script, shots := axe(t), os.Getenv("DOORSTEP_SHOTS")
	for lang, who := range map[string][2]person.Person{"en": {h.ruth, h.dana}, "es": {h.luis, h.eva}} {
		for _, width := range []int64{320, 360, 1280} {
			ctx := h.window(t, width, 900, lang)
			for _, s := range []stop{{"med-today", "/today", &who[0]}, {"med-me", "/me", &who[0]}, {"med-numbers", "/numbers", &who[0]}, {"med-person", "/desk/people/" + string(who[0].ID), &who[1]}} {
				h.be(ctx, h.session(*s.who))
				h.look(ctx, t, s, fmt.Sprintf("%s-%s-%d", s.name, lang, width), width, script, shots)
			}
		}
	}
}
