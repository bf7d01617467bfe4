package appointment_test

import (
	"sync"
	"testing"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/store"
)

// A booking asks PostgreSQL three times and waits for it, whatever follows from it: what it is held against; its time, and what the ledger has;
// what is written, with the end of the transaction.
func TestRoundTripsOfABooking(t *testing.T) {
	each(t, func(c *clinic) {
		if c.DB.Engine() != store.Postgres {
			return // no way to go
		}
		c.book(c.ruth, c.request(at(4, 9, 0))) // the organization's first takes the default ladders
		before := c.DB.Trips()
		if _, err := c.Appointments.Book(c.Context(), c.ruth, appointment.Request{Org: apptest.Org, Patient: c.Ruth.ID, Type: "follow", Way: appointment.Video, Start: at(4, 10, 0), Resources: []string{"osei"}}); err != nil {
			c.Fatal(err)
		}
		if n := c.DB.Trips() - before; n != 3 {
			c.Errorf("%d round trips, want 3", n)
		}
	})
}

// Two changes of one thing at once are both kept: the second is made to what the first has left.
func TestChangesOfOneResource(t *testing.T) {
	each(t, func(c *clinic) {
		const rounds = 8
		var all sync.WaitGroup
		for i := range rounds {
			all.Go(func() {
				if err := c.DB.Write(c.Context(), func(tx *store.Tx) error {
					r, err := c.Appointments.ResourceToChange(tx, apptest.Org, "osei")
					if err != nil {
						return err
					}
					r.Hours = append(r.Hours, appointment.Hours{Place: "elm", Calendar: weekdays(clock.WallAt(13, i), clock.WallAt(14, i))})
					return c.Appointments.SaveResource(tx, r)
				}); err != nil {
					c.Error(err)
				}
				if err := c.DB.Write(c.Context(), func(tx *store.Tx) error {
					x, err := c.Appointments.TypeToChange(tx, apptest.Org, "follow")
					if err != nil {
						return err
					}
					x.Lead++
					return c.Appointments.SaveType(tx, x)
				}); err != nil {
					c.Error(err)
				}
			})
		}
		all.Wait()
		c.Read(func(tx *store.Tx) error {
			r, err := c.Appointments.Resources(tx, apptest.Org)
			if err != nil {
				return err
			}
			for _, x := range r {
				if x.ID == "osei" && len(x.Hours) != 1+rounds {
					c.Errorf("%d hours, want %d", len(x.Hours), 1+rounds)
				}
			}
			x, err := c.Appointments.Type(tx, apptest.Org, "follow")
			if x.Lead != 30+rounds {
				c.Errorf("a lead of %d, want %d", x.Lead, 30+rounds)
			}
			return err
		})
	})
}
