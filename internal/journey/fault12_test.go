package journey_test

import (
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// dispatcher is a follower that books rides, and may be broken down.
type dispatcher struct {
	down   bool
	leaves []time.Time // of rides that stand, there
	gone   int
}

func (*dispatcher) Name() string { return "ride" }

func (d *dispatcher) Follow(_ *store.Tx, _ person.Viewer, before, after *journey.Outing) error {
	if d.down {
		return fault.New(fault.Unavailable, "The vendor of rides does not answer.")
	}
	if before != nil && before.Trip.OutRide != "" {
		d.gone++
	}
	if after != nil && after.Trip.ID != "" {
		d.leaves = append(d.leaves, after.Trip.Leave)
		after.Trip.OutRide, after.Trip.BackRide, after.Trip.OutState, after.Trip.BackState = "out-1", "back-1", journey.LegBooked, journey.LegBooked
	}
	return nil
}

// scanned books Ruth a scan with a ride, and answers it with her trip.
func (c *clinic) scanned(d *dispatcher) (journey.Item, journey.Trip) {
	c.Helper()
	c.Journeys.AddFollower(d)
	c.needs(journey.Need{ID: "scan", Kind: "imaging", From: c.day(3, 0, 0), By: c.day(20, 0, 0), Clinical: true})
	w := c.plan()
	if err := c.Journeys.Accept(c.Context(), c.ruth, c.Ruth.ID, w.Trips[0].ID); err != nil {
		c.Fatal(err)
	}
	w = c.weeks()
	return c.item(w, "scan"), w.Trips[0]
}

// moves lets the clinic move a visit to the next free time after an instant.
func (c *clinic) moves(it journey.Item, after time.Time) appointment.Appointment {
	c.Helper()
	found, err := c.Appointments.Find(c.Context(), appointment.Search{Org: apptest.Org, Patient: c.Ruth.ID, Type: journey.Scan, From: after, Limit: 1, Staff: true})
	if err != nil || len(found.Options) == 0 {
		c.Fatal(err)
	}
	o := found.Options[0]
	a, err := c.Appointments.Book(c.Context(), c.omar, appointment.Request{Org: apptest.Org, Patient: c.Ruth.ID, Type: o.Type, Way: o.Way, Place: o.Place, Start: o.Start, Resources: o.Resources, Follows: it.Visit})
	if err != nil {
		c.Fatal(err)
	}
	return a
}

// FAULT 12: a visit moves after its ride is booked: both legs move with it, and what cannot is told to a person by name, with what failed. Never a way back
// without its way there.
func TestFault12VisitMovesItsTrip(t *testing.T) {
	each(t, func(c *clinic) {
		d := &dispatcher{}
		it, trip := c.scanned(d)
		if trip.OutState != journey.LegBooked || trip.BackState != journey.LegBooked {
			t.Fatalf("the trip is %+v", trip)
		}
		a := c.moves(it, it.Start.AddDate(0, 0, 1))
		w := c.weeks()
		now := c.item(w, "scan")
		if len(w.Trips) != 1 || now.Visit != a.ID || !now.Start.Equal(a.Start) || now.Trip != w.Trips[0].ID {
			t.Fatalf("after the move: %+v, %d trips", now, len(w.Trips))
		}
		moved := w.Trips[0]
		if long := trip.Arrive.Sub(trip.Leave); !moved.Arrive.Equal(a.Start) || moved.Arrive.Sub(moved.Leave) != long || !moved.LeaveBack.Equal(now.End) || moved.OutRide == "" || moved.BackRide == "" || d.gone != 1 {
			t.Errorf("the trip did not move whole: %+v (rides given back: %d)", moved, d.gone)
		}
		if c.Tasks() != "" {
			t.Errorf("tasks %s", c.Tasks())
		}
		// The vendor is down when it moves again: the visit moves, and Omar is told by name what did not.
		d.down = true
		b := c.moves(now, now.Start.AddDate(0, 0, 1))
		w = c.weeks()
		if got := w.Trips[0]; len(w.Trips) != 1 || !got.Arrive.Equal(b.Start) || len(got.Problem) != 1 || got.Problem[0] != "ride" {
			t.Errorf("with the vendor down: %+v", w.Trips)
		}
		c.Read(func(tx *store.Tx) error {
			list, err := c.Promises.Tasks(tx, apptest.Org)
			if len(list) != 1 || list[0].Say != "task.journey.failed" || list[0].Args["who"] != "Omar Haddad" || !strings.Contains(list[0].Args["why"], "vendor of rides") || list[0].Args["what"] != "key:journey.follower.ride" {
				t.Errorf("tasks %+v", list)
			}
			return err
		})
		c.SMS.Took()
		// The visit is off: both ways are, and the need is planned anew.
		d.down = false
		if _, err := c.Appointments.Cancel(t.Context(), c.omar, apptest.Org, b.ID); err != nil {
			t.Fatal(err)
		}
		if w = c.weeks(); len(w.Trips) != 0 {
			t.Errorf("a trip without its visit: %+v", w.Trips)
		}
		if w = c.plan(); c.item(w, "scan").State != journey.Planned {
			t.Error("the scan is not planned anew")
		}
	})
}

// What was promised moves only when she says so: a better time is asked about by text, a no is kept, a yes moves visit, promise and trip in one.
func TestMoveIsAsked(t *testing.T) {
	each(t, func(c *clinic) {
		c.needs(journey.Need{ID: "scan", Kind: "imaging", From: c.day(3, 0, 0), By: c.day(20, 0, 0)},
			journey.Need{ID: "refill", Kind: "refill", From: c.day(9, 0, 0), By: c.day(13, 0, 0)})
		// The scan is promised alone on an early day, and the pharmacy wants a trip of its own later.
		c.plan()
		c.Write(func(tx *store.Tx) error {
			self := journey.UsualSelf()
			self.Weights.ContactDay = 600 // it costs her a lot to go out
			return c.Journeys.Say(tx, c.ruth, c.Ruth.ID, self)
		})
		found, err := c.Appointments.Find(t.Context(), appointment.Search{Org: apptest.Org, Patient: c.Ruth.ID, Type: journey.Scan, From: c.day(3, 0, 0), Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		o := found.Options[0]
		if _, err := c.Appointments.Book(t.Context(), c.ruth, appointment.Request{Org: apptest.Org, Patient: c.Ruth.ID, Type: o.Type, Way: o.Way, Place: o.Place, Start: o.Start, Resources: o.Resources}); err != nil {
			t.Fatal(err)
		}
		w := c.plan()
		scan := c.item(w, "scan")
		if scan.State != journey.Promised || !scan.Start.Equal(o.Start) {
			t.Fatalf("a visit that she booked herself does not meet the need: %+v", scan)
		}
		if len(w.Asks) != 1 || len(w.Asks[0].Moves) != 1 || w.Asks[0].Saves < 240 {
			t.Fatalf("asks %+v", w.Asks)
		}
		ask := w.Asks[0]
		c.At(time.Minute)
		c.Want(c.SMS, apptest.RuthPhone+": …May we move your visit at the clinic…Reply")
		if w = c.plan(); len(w.Asks) != 1 || !c.item(w, "scan").Start.Equal(o.Start) {
			t.Errorf("asked twice, or moved before the answer: %+v", w.Asks)
		}
		c.Receive(apptest.RuthPhone, "1")
		w = c.plan()
		scan = c.item(w, "scan")
		if to := ask.Moves[0].To; !scan.Start.Equal(to.Start) || scan.Visit == ask.Moves[0].From.Visit || len(w.Asks) != 0 {
			t.Errorf("after the yes the scan is %+v, not at %v", scan, to.Start)
		}
		c.Read(func(tx *store.Tx) error {
			a, err := c.Appointments.Get(tx, apptest.Org, scan.Visit)
			if a.State != appointment.Booked || !a.Start.Equal(scan.Start) {
				t.Errorf("the visit is %+v", a)
			}
			return err
		})
		refill := c.item(w, "refill")
		if refill.Trip == "" || refill.Trip != scan.Trip {
			t.Errorf("the refill is on %q, the scan on %q", refill.Trip, scan.Trip)
		}
	})
}
