package sim

import (
	"context"
	"fmt"
	"math"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
)

// Member is one of the simulated people.
type Member struct {
	person.Person
	Number string // telephone, E.164; empty: none
	Mail   string
	habits habits
	weight float64 // kg, what the scale would show
}

// habits are how a patient behaves.
type habits struct {
	opens   float64 // chance that the pill box is opened around the time of a dose
	answers float64 // chance that a text is answered
	weighs  float64 // chance of stepping on the scale
}

// Gadget is one of the simulated devices.
type Gadget struct {
	ID, Key, Kind string
	Patient       person.ID
}

// clinicAt is where the clinic stands.
var clinicAt = person.Point{Lat: 42.65, Lon: -73.75}

// Names of the team and of the story's people.
const team = person.TeamID("heart-team")

var firstNames = []string{"Luis", "Grace", "Walter", "Carmen", "Henry", "Rosa", "George", "Alice", "Frank", "Maria", "Arthur", "Helen", "Victor", "Doris", "Samuel", "Irene"}
var lastNames = []string{"Ortiz", "Bennett", "Cho", "Delgado", "Ellis", "Farrow", "Gomez", "Hale", "Ivers", "Jensen", "Kaplan", "Lowe", "Moreno", "Novak", "Olsen", "Price"}

// populate makes the clinic, its staff and its patients, or finds those of an earlier run.
func (w *World) populate(ctx context.Context, patients int) error {
	err := w.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := w.People.Org(tx, Org); err == nil {
			return w.remember(tx)
		}
		return w.found(tx, patients)
	})
	if err != nil {
		return err
	}
	if err := w.equip(ctx); err != nil {
		return err
	}
	return w.hold(ctx)
}

// found makes everybody.
func (w *World) found(tx *store.Tx, patients int) error {
	if err := w.People.SaveOrg(tx, person.Org{ID: Org, Name: "Elm Street Clinic", Zone: Zone, Language: "en", Phone: "+1 555 010 0100"}); err != nil {
		return err
	}
	if err := w.People.SaveTeam(tx, Org, person.Team{ID: team, Name: "Heart team"}); err != nil {
		return err
	}
	if err := w.People.SavePlace(tx, Org, person.Place{ID: "elm", Name: "Elm Street", Address: "12 Elm Street", Zone: Zone, Phone: "+1 555 010 0100", Point: clinicAt}); err != nil {
		return err
	}
	staff := []struct {
		id, name string
		role     person.Role
	}{{"dana", "Dana Reyes", person.Nurse}, {"omar", "Omar Haddad", person.Desk}, {"osei", "Ama Osei", person.Clinician}, {"lee", "Jordan Lee", person.Leader}, {"kim", "Sam Kim", person.Operator}}
	for i, x := range staff {
		m := &Member{Person: person.Person{Org: Org, Role: x.role, Name: x.name, Language: "en", Zone: Zone, Teams: []person.TeamID{team}}, Number: fmt.Sprintf("+1555010020%d", i)}
		if err := w.enrol(tx, m); err != nil {
			return err
		}
	}
	for _, m := range w.Cast { // somebody is on duty all day for a year: shifts are a story of their own
		if m.Role == person.Nurse || m.Role == person.Desk {
			if err := w.People.SaveShift(tx, Org, person.Shift{Person: m.ID, Role: m.Role, Team: team, From: w.Clock.Now().Add(-time.Hour), Until: w.Clock.Now().AddDate(1, 0, 0)}); err != nil {
				return err
			}
		}
	}
	ruth := &Member{Person: person.Person{Org: Org, Role: person.Patient, Name: "Ruth Abbott", BirthYear: 1947, Language: "en", Zone: Zone, Teams: []person.TeamID{team}},
		Number: "+15550100001", habits: habits{opens: 0.8, answers: 0.6, weighs: 0.9}, weight: 71.4}
	if err := w.enrol(tx, ruth); err != nil {
		return err
	}
	elena := &Member{Person: person.Person{Org: Org, Role: person.Caregiver, Name: "Elena Abbott", BirthYear: 1974, Language: "es", Zone: Zone}, Number: "+15550100002", Mail: "elena@example.org"}
	if err := w.enrol(tx, elena); err != nil {
		return err
	}
	if err := w.People.Link(tx, Org, person.CareLink{Patient: ruth.ID, Caregiver: elena.ID, Relation: "daughter", Rights: []person.Right{person.See, person.Act, person.Message},
		From: w.Clock.Now().Add(-time.Hour), Until: w.Clock.Now().AddDate(1, 0, 0), GivenBy: ruth.ID}); err != nil {
		return err
	}
	for i := range patients {
		m := &Member{Person: person.Person{Org: Org, Role: person.Patient, Name: firstNames[i%len(firstNames)] + " " + lastNames[(i/len(firstNames)+i)%len(lastNames)], BirthYear: 1935 + w.rand.IntN(40),
			Language: "en", Zone: Zone, Teams: []person.TeamID{team}}, Number: fmt.Sprintf("+1555%07d", 2000000+i),
			habits: habits{opens: 0.4 + 0.6*w.rand.Float64(), answers: 0.3 + 0.7*w.rand.Float64(), weighs: 0.6 + 0.4*w.rand.Float64()}, weight: 55 + 40*w.rand.Float64()}
		if i%5 == 4 {
			m.Language = "es"
		}
		if err := w.enrol(tx, m); err != nil {
			return err
		}
	}
	if err := w.furnish(tx); err != nil {
		return err
	}
	return w.settle(tx)
}

// enrol saves a person with a telephone, and a patient with medicines, a weigh-in and rules.
func (w *World) enrol(tx *store.Tx, m *Member) error {
	p, err := w.People.Save(tx, m.Person)
	if err != nil {
		return err
	}
	m.Person = p
	w.Cast = append(w.Cast, m)
	contacts := []person.Contact{{Person: p.ID, Channel: person.SMS, Address: m.Number, Consent: person.Given, Source: "enrolment form"}}
	if m.Mail != "" {
		contacts = append(contacts, person.Contact{Person: p.ID, Rank: 1, Channel: person.Mail, Address: m.Mail, Consent: person.Given, Source: "enrolment form"})
	}
	for _, c := range contacts {
		if err := w.People.SetContact(tx, Org, c); err != nil {
			return err
		}
	}
	if p.Role != person.Patient {
		return nil
	}
	n := float64(len(w.Cast)) // homes lie around the clinic, up to some 12 km away
	home := person.Home{Address: fmt.Sprintf("%d Hill Road", len(w.Cast)), Point: person.Point{Lat: clinicAt.Lat + 0.1*math.Sin(n), Lon: clinicAt.Lon + 0.1*math.Cos(n)}}
	if err := w.People.SetHome(tx, Org, p.ID, home); err != nil {
		return err
	}
	day := clock.DayOf(w.Clock.Now(), p.Location())
	for _, r := range []medication.Regimen{
		{Name: "Carvedilol 12.5 mg", Dosage: dosage("CM", "CV"), Critical: true, Text: "with food"},
		{Name: "Furosemide 40 mg", Dosage: dosage("CM"), Critical: true},
		{Name: "Atorvastatin 20 mg", Dosage: dosage("HS")},
	} {
		r.Org, r.Patient, r.Authored = Org, p.ID, day.Add(-1)
		if _, err := w.Medication.Save(tx, r); err != nil {
			return err
		}
	}
	if err := w.Watch.Expect(tx, watch.Rhythm{Org: Org, Patient: p.ID, Signal: "weight", Wall: clock.WallAt(9, 0)}); err != nil {
		return err
	}
	for _, r := range []rule.Rule{
		{Series: "29463-7", Above: rule.Limit{Kind: rule.Absolute, Value: m.weight + 1.5}, Hysteresis: 0.5, Severity: "urgent"},
		{Series: "29463-7", Missing: 50 * time.Hour, Severity: "warning"},
	} {
		if _, err := w.Readings.SetRule(tx, reading.Rule{Org: string(Org), Patient: string(p.ID), Rule: r}); err != nil {
			return err
		}
	}
	return nil
}

func dosage(when ...string) []fhir.Dosage {
	var d fhir.Dosage
	d.Timing = &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "1", PeriodUnit: "d", When: when}}
	return []fhir.Dosage{d}
}

// remember finds the people of an earlier run. Their habits are drawn again.
func (w *World) remember(tx *store.Tx) error {
	for _, role := range []person.Role{person.Nurse, person.Desk, person.Clinician, person.Leader, person.Operator, person.Patient, person.Caregiver} {
		list, err := w.People.WithRole(tx, Org, role)
		if err != nil {
			return err
		}
		for _, p := range list {
			m := &Member{Person: p, habits: habits{opens: 0.8, answers: 0.6, weighs: 0.9}, weight: 70}
			contacts, err := w.People.Contacts(tx, Org, p.ID)
			if err != nil {
				return err
			}
			for _, c := range contacts {
				switch c.Channel {
				case person.SMS:
					m.Number = c.Address
				case person.Mail:
					m.Mail = c.Address
				}
			}
			w.Cast = append(w.Cast, m)
		}
	}
	return nil
}

// equip gives every patient a pill box and a scale, unless there are some from an earlier run.
func (w *World) equip(ctx context.Context) error {
	had, err := w.Readings.Devices(ctx, string(Org))
	if err != nil {
		return err
	}
	keys, err := w.loadKeys(ctx)
	if err != nil {
		return err
	}
	for _, d := range had {
		w.Devices = append(w.Devices, Gadget{ID: d.ID, Kind: d.Kind, Key: keys[d.ID]})
	}
	for _, m := range w.Cast {
		if m.Role != person.Patient {
			continue
		}
		if len(had) > 0 {
			list, err := w.Readings.DevicesOf(ctx, string(Org), string(m.ID))
			if err != nil {
				return err
			}
			for _, a := range list {
				for i := range w.Devices {
					if w.Devices[i].ID == a.Device {
						w.Devices[i].Patient = m.ID
					}
				}
			}
		} else if err := w.kit(ctx, m); err != nil {
			return err
		}
		w.routine(m, clock.DayOf(w.Clock.Now(), m.Location()))
	}
	if len(had) == 0 {
		if err := w.discharge(ctx); err != nil {
			return err
		}
	}
	return w.saveKeys(ctx)
}

// discharge puts the first patient, who comes home from the hospital on the first morning, on her pathway.
func (w *World) discharge(ctx context.Context) error {
	for _, m := range w.Cast {
		if m.Role == person.Patient {
			now := w.Clock.Now()
			_, err := w.Pathways.Enrol(ctx, person.SystemViewer(Org), m.ID, "https://doorstep.health/fhir/PlanDefinition/heart-failure-after-discharge", now, now.AddDate(0, 0, 30))
			return err
		}
	}
	return nil
}

// kit registers and assigns a patient's devices.
func (w *World) kit(ctx context.Context, m *Member) error {
	for _, kind := range []string{"pillbox", "scale"} {
		id, key, err := w.Readings.Register(ctx, string(Org), kind)
		if err != nil {
			return err
		}
		if err := w.Readings.Assign(ctx, string(Org), id, string(m.ID), w.Clock.Now().Add(-24*time.Hour), time.Time{}); err != nil {
			return err
		}
		w.Devices = append(w.Devices, Gadget{ID: id, Key: key, Kind: kind, Patient: m.ID})
	}
	return nil
}

// device answers a patient's device of a kind.
func (w *World) device(patient person.ID, kind string) (Gadget, bool) {
	for _, d := range w.Devices {
		if d.Patient == patient && d.Kind == kind {
			return d, true
		}
	}
	return Gadget{}, false
}
