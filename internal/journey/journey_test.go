package journey_test

import (
	"strings"
	"testing"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/journey"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// From a need to a way and time, to a promise with its booking: what can come home does, and what cannot is one trip.
func TestNeedToPromise(t *testing.T) {
	each(t, func(c *clinic) {
		c.needs(
			journey.Need{ID: "talk", Kind: "talk", From: c.day(1, 0, 0), By: c.day(8, 0, 0)},
			journey.Need{ID: "scan", Kind: "imaging", From: c.day(3, 0, 0), By: c.day(12, 0, 0), Clinical: true},
			journey.Need{ID: "refill", Kind: "refill", From: c.day(1, 0, 0), By: c.day(12, 0, 0)},
		)
		w := c.plan()
		if it := c.item(w, "talk"); it.Mode != journey.ByPhone || it.Trip != "" || it.State != journey.Planned {
			t.Errorf("the talk is %+v", it)
		} else if it.Why.Others["video"] != journey.WhyEquipment || it.Why.Others["message"] != journey.WhyLeave || it.Why.Others["clinic"] != journey.WhyMore {
			t.Errorf("why not: %v", it.Why.Others)
		} else if it.Why.Instead == nil || it.Why.Instead.Parts.ContactDays != 1 || it.Why.Instead.Miles < 5 {
			t.Errorf("instead: %+v", it.Why.Instead)
		}
		scan, refill := c.item(w, "scan"), c.item(w, "refill")
		if scan.Trip == "" || refill.Trip != scan.Trip || refill.Why.Others["delivery"] != journey.WhyNotHeld || len(w.Trips) != 1 {
			t.Fatalf("the scan is %+v, the refill %+v, %d trips", scan, refill, len(w.Trips))
		}
		trip := w.Trips[0]
		if !trip.Leave.Before(trip.Arrive) || !trip.LeaveBack.Before(trip.Home) || !trip.Care || trip.Parts.ContactDays != 1 {
			t.Errorf("the trip is %+v", trip)
		}
		if err := c.Journeys.Accept(t.Context(), c.ruth, c.Ruth.ID, trip.ID); err != nil {
			t.Fatal(err)
		}
		w = c.plan()
		scan, refill = c.item(w, "scan"), c.item(w, "refill")
		if scan.State != journey.Promised || scan.Visit == "" || refill.State != journey.Promised || refill.Promise == "" {
			t.Fatalf("after the yes the scan is %+v, the refill %+v", scan, refill)
		}
		c.Read(func(tx *store.Tx) error {
			a, err := c.Appointments.Get(tx, apptest.Org, scan.Visit)
			if err != nil || a.State != appointment.Booked || !a.Start.Equal(scan.Start) || promise.ID(a.Promise) != scan.Promise {
				t.Errorf("the visit is %+v, %v", a, err)
			}
			p, err := c.Promises.Get(tx, apptest.Org, c.Ruth.ID, refill.Promise)
			if err != nil || p.State != promise.Open || p.Kind != journey.Thing {
				t.Errorf("the promise is %+v, %v", p, err)
			}
			return err
		})
		// Nothing moves without a reason.
		before := w
		w = c.plan()
		if w.Trips[0].Leave != before.Trips[0].Leave || len(w.Asks) != 0 || !c.item(w, "talk").Start.Equal(c.item(before, "talk").Start) {
			t.Errorf("planned again, it is %+v", w.Trips)
		}
	})
}

// A way back without its way there cannot be written, whoever tries.
func TestOrphanedReturnLeg(t *testing.T) {
	each(t, func(c *clinic) {
		put := func(out, back, outRide, backRide string) error {
			return c.DB.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(`INSERT INTO journey_trip (org, shard, patient, id, state, means, out_state, out_leave, out_arrive, out_ride, back_state, back_leave, back_arrive, back_ride, body)
					VALUES ($1, 1, $2, $3, 'promised', 'ride', $4, 1, 2, $5, $6, 3, 4, $7, '{}')`, string(apptest.Org), string(c.Ruth.ID), out+back+outRide+backRide, out, outRide, back, backRide)
				return err
			})
		}
		for _, x := range [][4]string{{"", "booked", "", ""}, {"cancelled", "booked", "", ""}, {"cancelled", "planned", "", ""}, {"booked", "booked", "", "r2"}} {
			if err := put(x[0], x[1], x[2], x[3]); err == nil || !strings.Contains(err.Error(), "journey_trip_orphan") {
				t.Errorf("%v: %v", x, err)
			}
		}
		for _, x := range [][4]string{{"booked", "booked", "r1", "r2"}, {"cancelled", "cancelled", "", ""}, {"done", "cancelled", "r1", ""}, {"booked", "", "r1", ""}} {
			if err := put(x[0], x[1], x[2], x[3]); err != nil {
				t.Errorf("%v: %v", x, err)
			}
		}
		err := c.DB.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE journey_trip SET out_state = 'cancelled', out_ride = '' WHERE org = $1 AND out_state = 'booked' AND back_state = 'booked'", string(apptest.Org))
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "journey_trip_orphan") {
			t.Errorf("the way there was cancelled alone: %v", err)
		}
	})
}
