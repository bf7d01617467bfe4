package medication_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/medication/trial"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

func (h *house) dana() person.Viewer {
	return person.Viewer{Org: org, Person: h.Dana.ID, Role: person.Nurse}
}

func (h *house) support(sup medication.Support) medication.Support {
	h.Helper()
	sup.Org = org
	if sup.Patient == "" {
		sup.Patient = h.Ruth.ID
	}
	h.Write(func(tx *store.Tx) (err error) { sup, err = h.Medication.SetSupport(tx, h.dana(), sup); return err })
	return sup
}

// A plan decides what happens while a dose has no evidence, from the next dose on; the dose under way keeps the ladder that it was
// promised with. A medicine's own steps, and those for critical ones, win where a person steps in sooner.
func TestSupportSetsTheLadder(t *testing.T) {
	each(t, func(h *house) {
		h.takesTablets() // eight each morning
		h.At(35 * time.Minute)
		h.Want(h.SMS, ruthPhone) // 8:05: today's dose is under way
		h.support(medication.Support{Usual: []medication.Step{{After: 10, Do: medication.Remind, Channels: []person.Channel{person.Mail}}, {After: 60, Do: medication.Family}, {After: 90, Do: medication.Nurse}},
			Instructions: "  Sit up and call us. "})
		h.At(time.Hour)
		h.Want(h.SMS, ruthPhone) // the second reminder of the ladder before
		h.At(3 * time.Hour)
		h.Mail.Took()
		day := 24 * time.Hour
		h.At(day + 30*time.Minute)
		h.Want(h.SMS)
		h.At(day + 40*time.Minute)
		h.Want(h.Mail, "8:00 am")
		h.Want(h.SMS)
		h.At(day + 90*time.Minute)
		h.Want(h.SMS, apptest.ElenaPhone)
		h.At(day + 2*time.Hour)
		if got := h.Tasks(); got != "nurse task.dose" {
			t.Errorf("tasks %s", got)
		}
		// The medicine's own steps come before those of the plan; history keeps every version.
		h.support(medication.Support{Usual: []medication.Step{{Do: medication.Remind}}, Own: map[string][]medication.Step{"a": {{After: 5, Do: medication.Desk}}}})
		h.Read(func(tx *store.Tx) error {
			open, err := h.Promises.OpenOf(tx, org, h.Ruth.ID, medication.Kind)
			if err != nil {
				return err
			}
			l, err := h.Promises.Newest(tx, org, open[len(open)-1].Ladder.Name)
			if steps := medication.StepsOf(l); len(steps) != 1 || steps[0].Do != medication.Desk || steps[0].After != 5 {
				t.Errorf("%+v", steps)
			}
			list, err2 := h.Medication.SupportHistory(tx, org, h.Ruth.ID, 10)
			if err2 != nil || len(list) != 2 || list[0].Version != 2 || list[1].Instructions != "Sit up and call us." || list[1].By != h.Dana.ID {
				t.Errorf("%+v %v", list, err2)
			}
			return err
		})
		for name, bad := range map[string]medication.Support{
			"out of order":     {Usual: []medication.Step{{After: 30, Do: medication.Remind}, {After: 10, Do: medication.Desk}}},
			"after the window": {Usual: []medication.Step{{After: 120, Do: medication.Remind}}},
			"unknown":          {Usual: []medication.Step{{Do: "shout"}}},
			"channel":          {Usual: []medication.Step{{Do: medication.Remind, Channels: []person.Channel{person.Cue}}}},
			"twice":            {Usual: []medication.Step{{Do: medication.Desk}, {After: 5, Do: medication.Desk}}},
			"another's":        {Own: map[string][]medication.Step{"b": {{Do: medication.Desk}}}},
		} {
			bad.Org, bad.Patient = org, h.Ruth.ID
			err := h.DB.Write(t.Context(), func(tx *store.Tx) error { _, err := h.Medication.SetSupport(tx, h.dana(), bad); return err })
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if r, err := h.Promises.Check(t.Context()); err != nil || len(r.Faults) > 0 {
			t.Errorf("%v %v", r.Faults, err)
		}
	})
}

// The week in words goes out once, at the day and time that its reader chose by her own clock, by her own channel, to a caregiver as long
// as she may see; none after it was ended; none for a week without doses; one that is a day late waits for the next.
func TestWeekInWords(t *testing.T) {
	each(t, func(h *house) {
		h.takesTablets()
		letter := func(who person.ID, on bool) {
			h.Write(func(tx *store.Tx) error {
				_, err := h.Medication.SetLetter(tx, person.Viewer{Org: org, Person: who}, medication.Letter{Org: org, Patient: h.Ruth.ID, Person: who, On: on, Weekday: time.Monday, Wall: clock.WallAt(18, 30)})
				return err
			})
		}
		letter(h.Ruth.ID, true)
		letter(h.Elena.ID, true)
		if err := h.DB.Write(t.Context(), func(tx *store.Tx) error {
			_, err := h.Medication.SetLetter(tx, h.dana(), medication.Letter{Org: org, Patient: h.Ruth.ID, Person: h.Omar.ID, On: true})
			return err
		}); !fault.Is(err, fault.Denied) {
			t.Errorf("the desk gets Ruth's week: %v", err)
		}
		evening := 11 * time.Hour // 18:30
		send := func(after time.Duration) {
			t.Helper()
			h.Clock.Set(start.Add(after))
			if _, err := h.Medication.SendLetters(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := h.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.Settle()
		}
		send(evening)
		h.SMS.Took()
		h.Mail.Took()
		send(24 * time.Hour)
		send(48*time.Hour + 40*time.Minute) // Wednesday: a yes for one dose
		h.Write(func(tx *store.Tx) error {
			open, err := h.Promises.OpenOf(tx, org, h.Ruth.ID, medication.Kind)
			if err != nil {
				return err
			}
			_, err = h.Promises.Give(tx, org, h.Ruth.ID, open[0].ID, promise.Evidence{Kind: "tap", Source: "page", By: string(h.Ruth.ID)})
			return err
		})
		for d := 3; d < 7; d++ {
			send(time.Duration(d) * 24 * time.Hour)
		}
		h.SMS.Took()
		week := 7*24*time.Hour - time.Hour // the clocks went forward on Sunday
		send(week + evening - time.Minute)
		h.SMS.Took()
		send(week + evening)
		send(week + evening)
		got := h.SMS.Took()
		slices.Sort(got)
		if len(got) != 2 || !containsAll(got[0], ruthPhone, "Your week", "1 of", "https://elm.example/me/plan") ||
			!containsAll(got[1], apptest.ElenaPhone, "La semana de Ruth", "1 de", "https://elm.example/helping/"+string(h.Ruth.ID)+"/me/plan") {
			t.Errorf("%q", got)
		}
		letter(h.Ruth.ID, false)
		h.Write(func(tx *store.Tx) error { return h.People.Unlink(tx, org, h.Ruth.ID, h.Elena.ID) })
		send(2*7*24*time.Hour - time.Hour + evening)
		for _, m := range h.SMS.Took() {
			if containsAll(m, "me/plan") {
				t.Errorf("after the end: %q", m)
			}
		}
		h.Read(func(tx *store.Tx) error {
			l, _, err := h.Medication.LetterOf(tx, org, h.Ruth.ID, h.Elena.ID)
			if l.On {
				t.Error("a helper who may not see any more still waits for the week")
			}
			return err
		})
	})
}

// A comparison allots people by its seed alone, sets their plans, counts each person once, and stops: plans go back, the record stays.
func TestComparison(t *testing.T) {
	each(t, func(h *house) {
		const n = 12
		arms := [2]medication.Arm{
			{Name: "text", Usual: []medication.Step{{Do: medication.Remind}}, Critical: []medication.Step{{Do: medication.Remind}}},
			{Name: "person", Usual: []medication.Step{{Do: medication.Remind}, {After: 30, Do: medication.Desk}}, Critical: []medication.Step{{Do: medication.Remind}, {After: 30, Do: medication.Desk}}},
		}
		var people []person.Person
		for i := range n {
			p := h.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Patient %02d", i), BirthYear: 1950}, "")
			h.Write(func(tx *store.Tx) error {
				_, err := h.Medication.Save(tx, medication.Regimen{Org: org, Patient: p.ID, Name: "A", Authored: authored, Dosage: daily("08:00:00")})
				return err
			})
			people = append(people, p)
		}
		h.support(medication.Support{Patient: people[0].ID, Usual: []medication.Step{{After: 15, Do: medication.Remind}}, Instructions: "Call Ann."})
		c := medication.Comparison{Org: org, Name: "A text or a person", Arms: arms, From: dayOf("2026-03-03"), Until: dayOf("2026-03-09")}
		h.Write(func(tx *store.Tx) (err error) {
			if _, err := h.Medication.BeginComparison(tx, person.Viewer{Org: org, Person: h.Ruth.ID, Role: person.Patient}, c); !fault.Is(err, fault.Denied) {
				t.Errorf("a patient begins one: %v", err)
			}
			c, err = h.Medication.BeginComparison(tx, h.dana(), c)
			return err
		})
		if c.Seed != "" {
			t.Error("the seed is told")
		}
		for _, p := range people {
			h.Write(func(tx *store.Tx) error { _, err := h.Medication.Allot(tx, h.dana(), c.ID, p.ID); return err })
		}
		if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { _, err := h.Medication.Allot(tx, h.dana(), c.ID, people[0].ID); return err }); !fault.Is(err, fault.Conflict) {
			t.Errorf("twice: %v", err)
		}
		var list []medication.Allotted
		h.Read(func(tx *store.Tx) (err error) { list, err = h.Medication.PeopleOf(tx, c); return err })
		arm := map[person.ID]int{}
		for _, a := range list {
			arm[a.Patient] = a.Arm
			if !a.Now {
				t.Errorf("%+v is not on its plan", a)
			}
		}
		// Those of arm B take their medicine on each day, of arm A on half of them, all by their own word.
		for d := 1; d <= 7; d++ {
			at := time.Duration(d) * 24 * time.Hour
			if d >= 6 {
				at -= time.Hour // the clocks went forward
			}
			h.Clock.Set(start.Add(at + 40*time.Minute))
			if err := h.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.Settle()
			for _, p := range people {
				if arm[p.ID] == trial.B || d%2 == 0 {
					h.Write(func(tx *store.Tx) error {
						open, err := h.Promises.OpenOf(tx, org, p.ID, medication.Kind)
						if err != nil {
							return err
						}
						_, err = h.Promises.Give(tx, org, p.ID, open[0].ID, promise.Evidence{Kind: "tap", Source: "page", By: string(p.ID)})
						return err
					})
				}
			}
		}
		h.Clock.Set(start.Add(8 * 24 * time.Hour)) // Tuesday the 10th: it is over
		if err := h.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.Read(func(tx *store.Tx) error {
			c, err := h.Medication.ComparisonByID(tx, org, c.ID)
			if err != nil {
				return err
			}
			if c.Ended.IsZero() || c.Why != "comparison.over" || c.Seed == "" {
				t.Errorf("%+v", c)
			}
			for _, a := range list {
				if trial.Arm(c.Seed, a.Seq) != a.Arm {
					t.Errorf("the seed does not give %+v", a)
				}
			}
			o, err := h.Medication.OutcomeOf(tx, c)
			if err != nil {
				return err
			}
			if o.Arms[0].People+o.Arms[1].People != n || o.Arms[1].OnTime != 1 || math.Abs(o.Arms[0].OnTime-3.0/7) > 1e-9 || math.Abs(o.Difference+4.0/7) > 1e-9 || o.Low != o.Difference || o.Arms[0].Doses != 7*o.Arms[0].N {
				t.Errorf("%+v", o)
			}
			sup, err := h.Medication.SupportOf(tx, org, people[0].ID)
			if len(sup.Usual) != 1 || sup.Usual[0].After != 15 || sup.Comparison != "" || sup.Instructions != "Call Ann." {
				t.Errorf("the plan of before is not back: %+v", sup)
			}
			return err
		})
		if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { return h.Medication.EndComparison(tx, h.dana(), c.ID, "again") }); !fault.Is(err, fault.Conflict) {
			t.Errorf("ended twice: %v", err)
		}
	})
}

func containsAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}
