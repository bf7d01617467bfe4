package appointment_test

import (
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/store"
)

func (c *clinic) lapse() (n int) {
	c.Helper()
	n, err := c.Appointments.LapseDue(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	c.Settle()
	return n
}

// A request that nobody answers is never silence: before its time she hears that no time was confirmed, and by when she is called, which is promised.
func TestLapse(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		r := c.request(at(4, 9, 0))
		r.Type = "request"
		a := c.book(c.ruth, r)
		c.SMS.Took()
		c.Clock.Set(at(4, 4, 59))
		if n := c.lapse(); n != 0 {
			c.Errorf("%d lapsed too soon", n)
		}
		c.Clock.Set(at(4, 5, 0))
		if n := c.lapse(); n != 1 {
			c.Errorf("%d lapsed", n)
		}
		if c.lapse() != 0 {
			c.Error("it lapsed twice")
		}
		if x := c.get(a.ID); x.State != appointment.Cancelled || x.Reason != appointment.ReasonLapsed {
			c.Errorf("%s %s", x.State, x.Reason)
		}
		c.Want(c.SMS, apptest.RuthPhone+"…could not confirm…9:00 am…We call you by")
		if _, err := c.Appointments.Approve(c.Context(), c.omar, apptest.Org, a.ID); err == nil {
			c.Error("approved after she heard no")
		}
		// One that was asked for late has half of its time.
		r.Start = at(4, 9, 0)
		c.Clock.Set(at(4, 8, 0))
		b := c.book(c.ruth, r)
		if c.lapse() != 0 {
			c.Error("lapsed at once")
		}
		c.Clock.Set(at(4, 8, 30))
		if c.lapse() != 1 || c.get(b.ID).Reason != appointment.ReasonLapsed {
			c.Error("a late request did not lapse at half of its time")
		}
	})
}

// A visit of a type that needs a yes stays until staff have said it: refused or not answered, she still has it; approved, it is moved.
func TestMoveByRequest(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		r := c.request(at(5, 9, 0))
		r.Type = "request"
		old := c.book(c.omar, r)
		move := func(start time.Time) appointment.Appointment {
			m := r
			m.Start, m.Follows = start, old.ID
			return c.book(c.ruth, m)
		}
		first := move(at(5, 9, 10)) // over its own old time
		if x := c.get(old.ID); x.State != appointment.Booked || first.State != appointment.Proposed {
			c.Fatalf("the old one is %s, the request %s", x.State, first.State)
		}
		second := move(at(5, 10, 0))
		if x := c.get(first.ID); x.State != appointment.Cancelled {
			c.Errorf("two requests to move one visit: %s", x.State)
		}
		c.SMS.Took()
		if _, err := c.Appointments.Refuse(c.Context(), c.omar, apptest.Org, second.ID); err != nil {
			c.Fatal(err)
		}
		c.Settle()
		if got := strings.Join(c.SMS.Took(), "\n"); !strings.Contains(got, "stays as it was") || c.get(old.ID).State != appointment.Booked {
			c.Errorf("refused: %s, %s", c.get(old.ID).State, got)
		}
		third := move(at(5, 9, 10))
		if x, err := c.Appointments.Approve(c.Context(), c.omar, apptest.Org, third.ID); err != nil || x.State != appointment.Booked {
			c.Fatal(x.State, err)
		}
		if x := c.get(old.ID); x.State != appointment.Cancelled || x.Reason != appointment.ReasonMoved {
			c.Errorf("approved: the old one is %s", x.State)
		}
		c.Settle()
		c.SMS.Took()
		// And when nobody answers.
		old = c.get(third.ID)
		fourth := move(at(5, 11, 0))
		c.Clock.Set(at(5, 7, 0))
		if c.lapse() != 1 || c.get(fourth.ID).Reason != appointment.ReasonLapsed || c.get(old.ID).State != appointment.Booked {
			c.Error("the old visit did not outlive the request")
		}
		if got := strings.Join(c.SMS.Took(), "\n"); !strings.Contains(got, "stays as it was") {
			c.Error(got)
		}
	})
}

// One request that cannot be ended does not keep the others from being told.
func TestLapseGoesOn(t *testing.T) {
	each(t, func(c *clinic) {
		broken, whole := c.request(at(4, 9, 0)), c.request(at(4, 9, 30))
		broken.Type, whole.Type = "broken", "request"
		c.Write(func(tx *store.Tx) error {
			x, err := c.Appointments.Type(tx, apptest.Org, "request")
			if err != nil {
				return err
			}
			x.ID = "broken"
			return c.Appointments.SaveType(tx, x)
		})
		a, b := c.book(c.ruth, broken), c.book(c.ruth, whole)
		c.Write(func(tx *store.Tx) error {
			_, err := tx.Exec("DELETE FROM visit_type WHERE id = 'broken'")
			return err
		})
		c.Clock.Set(at(4, 6, 0))
		if n, err := c.Appointments.LapseDue(c.Context()); n != 1 || err == nil {
			c.Errorf("%d lapsed, %v", n, err)
		}
		if x, y := c.get(a.ID), c.get(b.ID); x.State != appointment.Proposed || y.Reason != appointment.ReasonLapsed {
			c.Errorf("%s, %s", x.State, y.State)
		}
	})
}
