package appointment_test

import (
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// A time that was closed when visits were moved can be opened again, and only the team of whose calendar it is may do either.
func TestReopen(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		c.book(c.ruth, c.request(at(5, 9, 0)))
		stranger := c.Enrol(person.Person{Role: person.Desk, Name: "Sam Stone"}, "")
		stranger.Teams = []person.TeamID{"elsewhere"}
		from, to := at(5, 0, 0), at(6, 0, 0)
		free := func() int {
			return len(c.find(appointment.Search{From: from, To: to, Ways: []appointment.Way{appointment.Clinic}, Staff: true}).Options)
		}
		before := free()
		c.reteam(stranger)
		for who, v := range map[string]person.Viewer{"of another team": viewer(stranger), "a patient": c.ruth} {
			if _, err := c.Appointments.GroupMove(c.Context(), v, apptest.Org, "osei", from, to); !fault.Is(err, fault.Denied) {
				c.Errorf("moved by somebody %s: %v", who, err)
			}
		}
		if free() != before {
			c.Fatal("closed by somebody who may not")
		}
		if moved, err := c.Appointments.GroupMove(c.Context(), c.omar, apptest.Org, "osei", from, to); err != nil || len(moved) != 1 || moved[0].New.ID == "" {
			c.Fatal(moved, err)
		}
		if free() != 0 {
			c.Error("what is closed is offered")
		}
		if err := c.Appointments.Reopen(c.Context(), viewer(stranger), apptest.Org, "osei", from, to); !fault.Is(err, fault.Denied) {
			c.Errorf("opened by another team: %v", err)
		}
		if err := c.Appointments.Reopen(c.Context(), c.omar, apptest.Org, "osei", from, to.Add(time.Minute)); !fault.Is(err, fault.NotFound) {
			c.Errorf("another span: %v", err)
		}
		if err := c.Appointments.Reopen(c.Context(), c.omar, apptest.Org, "osei", from, to); err != nil {
			c.Fatal(err)
		}
		if got := free(); got <= before { // the visit that was moved leaves its time
			c.Errorf("%d times are free after it was opened, %d before it was closed", got, before)
		}
	})
}

func (c *clinic) reteam(p person.Person) {
	c.Helper()
	c.Write(func(tx *store.Tx) error {
		if err := c.People.SaveTeam(tx, apptest.Org, person.Team{ID: "elsewhere", Name: "Elsewhere"}); err != nil {
			return err
		}
		_, err := c.People.Save(tx, p)
		return err
	})
}
