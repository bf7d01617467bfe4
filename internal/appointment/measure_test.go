package appointment_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

func (c *clinic) access() appointment.Access {
	c.Helper()
	var a appointment.Access
	c.Read(func(tx *store.Tx) (err error) {
		a, err = c.Appointments.Access(tx, apptest.Org, apptest.Start.AddDate(0, 0, -1), apptest.Start.AddDate(0, 1, 0))
		return err
	})
	return a
}

func TestAccess(t *testing.T) {
	each(t, func(c *clinic) {
		if a := c.access(); a.Seen.N != 0 || a.Accepted.N != 0 || a.Model.Visits != 0 {
			c.Errorf("of nothing %+v", a)
		}
		c.Clock.Advance(time.Hour)
		given := c.book(c.ruth, c.request(at(5, 9, 0)))
		who := c.waits(6, appointment.Wish{})
		c.cancel(given)
		c.fill()
		c.Receive(waiterPhone(0), "1")
		kept := c.get(c.entry(who[0]).Took)
		c.Clock.Set(kept.Start.Add(time.Minute))
		c.Write(func(tx *store.Tx) error {
			_, err := c.Appointments.Seen(tx, viewer(c.Dana), kept, kept.Start)
			return err
		})
		a := c.access()
		if a.Seen.N != 7 || a.Seen.Ended != 1 || len(a.Still) != 5 || a.Still[0].Patient != who[1].ID {
			c.Errorf("seen %+v, still waiting %v", a.Seen, a.Still)
		}
		if a.Accepted.N != 1 || a.Gone != 2 || a.PerFill != 3 || a.Filled.N != 1 || a.Filled.Value != 1 || a.Missed[appointment.Clinic].N != 1 {
			c.Errorf("%+v", a)
		}
		if missing, _, _ := a.Model.Lacking(); a.Model.Own() || missing != 399 {
			c.Errorf("the model stands on %d visits", a.Model.Visits)
		}
		for _, g := range a.Groups {
			if !g.Hidden || g.People > 0 {
				c.Errorf("6 people are told apart: %v", g)
			}
		}
	})
}

// Of 12, 11 and 3 people the small group is hidden, and the next smallest with it, for 3 could be worked out from the sum.
func TestSmallGroupsAreHidden(t *testing.T) {
	each(t, func(c *clinic) {
		n := 0
		for _, g := range []struct{ year, people int }{{1950, 12}, {1970, 11}, {1995, 3}} {
			for range g.people {
				p := c.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Patient %d", n), BirthYear: g.year}, waiterPhone(n))
				c.join(p, appointment.Wish{}, "")
				n++
			}
		}
		var got string
		for _, g := range c.access().Groups {
			got += g.String() + "; "
		}
		if want := `age "18-39" hidden; age "40-64" hidden; age "65-79" 12; language "en" 26; distance "" 26; `; got != want {
			c.Errorf("%s, want %s", got, want)
		}
	})
}

// The third free time is sampled once a day, not before seven by the clinic's own clock, on the day on which clocks change too.
func TestSampleDue(t *testing.T) {
	each(t, func(c *clinic) {
		days := func() map[string]int {
			if err := c.Appointments.SampleDue(c.Context()); err != nil {
				c.Fatal(err)
			}
			out := map[string]int{}
			c.Read(func(tx *store.Tx) error {
				list, err := c.Appointments.Thirds(tx, apptest.Org, clock.Day{Year: 2026, Month: 3, Date: 1})
				for _, x := range list {
					out[x.Day]++
					if x.Days != -1 && x.Days <= 0 {
						c.Errorf("%+v", x)
					}
				}
				return err
			})
			return out
		}
		zone := apptest.Start.In(time.UTC).Location()
		if z, err := clock.Zone("America/New_York"); err == nil {
			zone = z
		}
		c.Clock.Set(time.Date(2026, 3, 8, 6, 59, 0, 0, zone)) // clocks went forward at two
		if got := days(); len(got) != 0 {
			c.Errorf("before seven %v", got)
		}
		c.Clock.Set(time.Date(2026, 3, 8, 7, 0, 0, 0, zone))
		first := days()
		if first["2026-03-08"] == 0 {
			c.Fatalf("at seven %v", first)
		}
		c.Clock.Advance(time.Hour)
		if got := days(); got["2026-03-08"] != first["2026-03-08"] || len(got) != 1 {
			c.Errorf("twice on one day %v", got)
		}
		c.Clock.Set(time.Date(2026, 3, 10, 15, 0, 0, 0, zone)) // down for a day, and late
		if got := days(); got["2026-03-10"] == 0 || len(got) != 2 {
			c.Errorf("%v", got)
		}
	})
}
