package journey_test

import (
	"fmt"
	"testing"

	"doorstep/internal/app/apptest"
	"doorstep/internal/journey"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Planned alone everybody wants the same hour of the scanner; planned together nobody is planned a time that another is, and what that costs is told.
func TestSweepSharesTheScanner(t *testing.T) {
	each(t, func(c *clinic) {
		who := []person.Person{c.Ruth}
		for i := range 3 {
			p := c.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Person %d", i), BirthYear: 1950}, "")
			c.Write(func(tx *store.Tx) error {
				return c.People.SetHome(tx, apptest.Org, p.ID, person.Home{Point: homeOfRuth})
			})
			who = append(who, p)
		}
		for _, p := range who {
			c.Write(func(tx *store.Tx) error {
				_, err := c.Journeys.SaveNeed(tx, c.omar, journey.Need{Org: apptest.Org, Patient: p.ID, ID: "scan", Kind: "imaging", Source: journey.FromStaff, From: c.day(3, 0, 0), By: c.day(6, 0, 0)})
				return err
			})
			if err := c.Journeys.Plan(c.Context(), apptest.Org, p.ID); err != nil {
				t.Fatal(err)
			}
		}
		starts := func() map[string]int {
			out := map[string]int{}
			for _, p := range who {
				c.Read(func(tx *store.Tx) error {
					w, err := c.Journeys.Of(tx, apptest.Org, p.ID)
					for _, it := range w.Items {
						out[it.Start.String()]++
					}
					return err
				})
			}
			return out
		}
		if got := starts(); len(got) != 1 {
			t.Fatalf("alone they want %v", got)
		}
		var org person.Org
		c.Read(func(tx *store.Tx) (err error) { org, err = c.People.Org(tx, apptest.Org); return err })
		did, err := c.Journeys.SweepDue(c.Context(), org)
		if err != nil || !did {
			t.Fatalf("%v, %v", did, err)
		}
		if got := starts(); len(got) != len(who) {
			t.Errorf("together they want %v", got)
		}
		if did, err = c.Journeys.SweepDue(c.Context(), org); err != nil || did {
			t.Errorf("twice a day: %v, %v", did, err)
		}
		c.Read(func(tx *store.Tx) error {
			list, err := c.Journeys.Sweeps(tx, apptest.Org, 5)
			if len(list) != 1 || list[0].People != len(who) || list[0].Unmet != 0 || list[0].Bound > list[0].Burden+1e-6 {
				t.Errorf("sweeps %+v", list)
			}
			return err
		})
		for _, p := range who { // each can have what is planned for her
			if err := c.Journeys.AcceptAll(c.Context(), c.omar, p.ID); err != nil {
				t.Error(err)
			}
		}
	})
}
