package transport_test

import (
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	"doorstep/internal/transport/vendor"
)

// Fault 13: the driver cancels the way home. She is told, another vehicle is sent, the desk has a task.
func TestFault13ReturnLegCancelled(t *testing.T) {
	each(t, func(f *fleet) {
		r := f.book(f.want(f.Ruth, at(10, 0), at(11, 0)))
		f.Settle()
		f.drive(r.ID, transport.Out)
		f.texts()
		back := f.get(r.ID).Back
		f.to(at(10, 45))
		f.mark(f.driverOf(back), r.ID, transport.Back, transport.Cannot)
		f.has(f.texts(), "Your ride home is set: Our car comes between")
		got := f.get(r.ID).Back
		if got.State != transport.Planned || got.Vehicle == back.Vehicle || got.Vehicle == "" || got.Begin.After(back.Pickup.To) {
			t.Errorf("the way home is %s by %q at %s", got.State, got.Vehicle, got.Begin)
		}
		if tasks := f.Tasks(); tasks != "desk task.ride.fails" {
			t.Errorf("tasks %q", tasks)
		}
		f.drive(r.ID, transport.Back)
		if p := f.promised(r, f.get(r.ID).Back.Promise); p.State != promise.Kept {
			t.Errorf("the promise is %v", p.State)
		}
	})
}

// Fault 13, with no other vehicle: the clock is on the board while the ride company is asked, and she hears of its car in time.
func TestFault13ThenTheRideCompany(t *testing.T) {
	each(t, func(f *fleet) {
		f.Transport.SetVendor(f.cabs)
		r := f.book(f.want(f.Ruth, at(10, 0), at(11, 0)))
		f.drive(r.ID, transport.Out)
		f.to(at(10, 45))
		f.texts()
		f.Write(func(tx *store.Tx) error {
			other := transport.VehicleID("car")
			if f.get(r.ID).Back.Vehicle == "car" {
				other = "van"
			}
			return f.Transport.Breakdown(f.Context(), tx, f.desk(), other, at(18, 0))
		})
		f.mark(f.driverOf(f.get(r.ID).Back), r.ID, transport.Back, transport.Cannot)
		f.has(f.texts(), "We have no car yet for your ride home", "You hear from us by 10:55 am")
		b := f.board(f.desk())
		if len(b.Open) != 1 || !b.Open[0].Leg().Trouble.Since.Equal(at(10, 45)) || !b.Open[0].Leg().Trouble.By.Equal(at(10, 55)) {
			t.Errorf("the board shows no clock: %+v", b.Open)
		}
		if tasks := f.Tasks(); !strings.Contains(tasks, "task.ride.trouble") || !strings.Contains(tasks, "task.ride.fails") {
			t.Errorf("tasks %q", tasks)
		}
		word := f.get(r.ID).Back.Trouble.Word
		f.to(at(10, 46))
		f.update()
		f.has(f.texts(), "Blue Cabs comes between")
		if p := f.promised(r, word); p.State != promise.Kept {
			t.Errorf("the word is %v", p.State)
		}
		if tasks := f.Tasks(); tasks != "desk task.ride.fails" {
			t.Errorf("tasks %q", tasks)
		}
		for at := f.Clock.Now(); at.Before(f.get(r.ID).Back.Pickup.To.Add(40 * time.Minute)); at = at.Add(2 * time.Minute) {
			f.to(at)
			f.update()
		}
		if got := f.get(r.ID); got.Back.State != transport.Done {
			t.Errorf("the way home is %s", got.Back.State)
		}
		if p := f.promised(r, f.get(r.ID).Back.Promise); p.State != promise.Kept || p.Keeper.Kind != "vendor" {
			t.Errorf("the promise is %v, kept by %v", p.State, p.Keeper)
		}
	})
}

// Fault 13, twice over: the company takes its ride back too. Our own vehicle comes late rather than nobody.
func TestFault13TheCompanyTakesItBack(t *testing.T) {
	each(t, func(f *fleet) {
		f.Transport.SetVendor(f.cabs)
		f.cabs.Be(vendor.TakesBack)
		r := f.book(f.want(f.Ruth, at(10, 0), at(11, 0)))
		f.drive(r.ID, transport.Out)
		f.to(at(10, 30))
		f.Write(func(tx *store.Tx) error {
			for _, v := range []transport.VehicleID{"car", "van"} {
				if err := f.Transport.Breakdown(f.Context(), tx, f.desk(), v, at(11, 40)); err != nil {
					return err
				}
			}
			return nil
		})
		f.update()
		if got := f.get(r.ID).Back; got.Vendor.Ref == "" || got.State != transport.Planned {
			t.Fatalf("the way home: %+v", got)
		}
		f.texts()
		for at := at(10, 44); at.Before(apptest.Start.Add(5 * time.Hour)); at = at.Add(2 * time.Minute) {
			f.to(at)
			f.update()
			if f.get(r.ID).Back.Vehicle != "" {
				break
			}
		}
		got := f.get(r.ID).Back
		if got.Vehicle == "" || got.Vendor.Ref != "" {
			t.Fatalf("the way home: %+v", got)
		}
		f.has(f.texts(), "We have no car yet for your ride home", "Our car comes between")
		f.drive(r.ID, transport.Back)
		if got := f.get(r.ID).Back.State; got != transport.Done {
			t.Errorf("the way home is %s", got)
		}
	})
}

// Fault 36: the ride company is down. The board says so and names what is done instead; our own vehicle comes, late, or the desk calls a taxi.
func TestFault36RideCompanyDown(t *testing.T) {
	each(t, func(f *fleet) {
		f.Transport.SetVendor(f.cabs)
		f.cabs.Be(vendor.Silent)
		f.Write(func(tx *store.Tx) error {
			return f.Transport.Breakdown(f.Context(), tx, f.desk(), "van", at(18, 0))
		})
		f.Write(func(tx *store.Tx) error {
			return f.Transport.Breakdown(f.Context(), tx, f.desk(), "car", at(9, 50))
		})
		r := f.book(f.want(f.Ruth, at(9, 30), at(11, 0))) // the way home has a vehicle, the way there has none
		f.Settle()
		f.has(f.texts(), "We have no car yet for your ride to us")
		for i := range 5 {
			f.to(at(7, 31+3*i))
			f.update()
		}
		b := f.board(f.desk())
		if b.VendorName != "Blue Cabs" || b.VendorSince.IsZero() {
			t.Errorf("the board does not say that the company is down: %q %s", b.VendorName, b.VendorSince)
		}
		got := f.get(r.ID)
		if got.Out.Vehicle != "car" || !got.Out.Late || got.Out.Begin.Before(at(9, 50)) {
			t.Errorf("our own vehicle does not come late: %+v", got.Out)
		}
		f.has(f.texts(), "We are sorry: your ride to us is late")
		if tasks := f.Tasks(); !strings.Contains(tasks, "task.ride") {
			t.Errorf("tasks %q", tasks)
		}
	})
}

// Fault 12, as far as rides go: the visit moves, and both ways move with it; where they cannot, the desk is told what failed.
func TestFault12BothWaysMove(t *testing.T) {
	each(t, func(f *fleet) {
		r := f.book(f.want(f.Ruth, at(10, 0), at(11, 0)))
		f.Settle()
		f.texts()
		f.Write(func(tx *store.Tx) error {
			_, err := f.Transport.Move(f.Context(), tx, f.desk(), apptest.Org, r.ID, at(14, 0), at(15, 0))
			return err
		})
		f.Settle()
		f.has(f.texts(), "Your ride has a new time", "between 3:00 pm and 3:30 pm")
		got := f.get(r.ID)
		if !got.Out.Dropoff.To.Equal(at(13, 55)) || !got.Back.Pickup.From.Equal(at(15, 0)) || got.Out.State != transport.Planned || got.Back.State != transport.Planned {
			t.Errorf("moved to %+v and %+v", got.Out, got.Back)
		}
		if p := f.promised(r, r.Out.Promise); p.State != promise.Released {
			t.Errorf("the old promise is %v", p.State)
		}
		// A Saturday: nobody drives. Nothing of it remains.
		err := f.DB.Write(t.Context(), func(tx *store.Tx) error {
			_, err := f.Transport.Move(f.Context(), tx, f.desk(), apptest.Org, r.ID, at(14, 0).AddDate(0, 0, 5), at(15, 0).AddDate(0, 0, 5))
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "No vehicle can take this ride") {
			t.Errorf("moved to a day on which nobody drives: %v", err)
		}
		if again := f.get(r.ID); again.Out.Promise != got.Out.Promise || again.Day != got.Day {
			t.Error("something of a failed move remains")
		}
	})
}

// A vehicle breaks down: what it was to drive goes to others.
func TestBreakdown(t *testing.T) {
	each(t, func(f *fleet) {
		var rides []*transport.Ride
		for i, name := range []string{"Ann Lee", "Bo Ray", "Cy Dow"} {
			rides = append(rides, f.book(f.want(f.lives(name, 2+float64(i)), at(10+i, 0), at(11+i, 0))))
		}
		f.to(at(8, 0))
		f.Write(func(tx *store.Tx) error {
			return f.Transport.Breakdown(f.Context(), tx, f.driver(f.dora), "car", at(17, 0))
		})
		for _, r := range rides {
			got := f.get(r.ID)
			for _, l := range []transport.Leg{got.Out, got.Back} {
				if l.Vehicle == "car" || l.State != transport.Planned {
					t.Errorf("%s by %q", l.State, l.Vehicle)
				}
			}
		}
		err := f.DB.Write(t.Context(), func(tx *store.Tx) error {
			return f.Transport.Breakdown(f.Context(), tx, f.driver(f.dora), "van", at(17, 0))
		})
		if err == nil {
			t.Error("a driver took another's vehicle off the road")
		}
	})
}

// Nobody comes to the door: the way home is off with it, and the desk calls.
func TestNoShow(t *testing.T) {
	each(t, func(f *fleet) {
		r := f.book(f.want(f.Ruth, at(10, 0), at(11, 0)))
		out := f.get(r.ID).Out
		who := f.driverOf(out)
		f.to(out.Begin)
		f.mark(who, r.ID, transport.Out, transport.AtDoor)
		if _, err := f.Transport.Mark(f.Context(), f.driver(who), r.ID, transport.Out, transport.NoShow, time.Time{}); err == nil {
			t.Error("a no-show at once")
		}
		f.to(out.Begin.Add(6 * time.Minute))
		f.texts()
		f.mark(who, r.ID, transport.Out, transport.NoShow)
		f.has(f.texts(), "did not find you")
		if got := f.get(r.ID); got.Out.State != transport.Missed || got.Back.State != transport.Cancelled {
			t.Errorf("%s and %s", got.Out.State, got.Back.State)
		}
		if tasks := f.Tasks(); tasks != "desk task.ride.missed" {
			t.Errorf("tasks %q", tasks)
		}
	})
}

// A will-call: she texts that she is ready, and is told when.
func TestWillCall(t *testing.T) {
	each(t, func(f *fleet) {
		r := f.book(f.want(f.Ruth, at(10, 0), time.Time{}))
		f.Settle()
		f.has(f.texts(), "We drive you home when you tell us")
		f.drive(r.ID, transport.Out)
		text := f.texts()
		f.has(text, "When you are ready to go home, reply ")
		_, after, _ := strings.Cut(text, "When you are ready to go home, reply ")
		code, _, _ := strings.Cut(after, ".")
		f.to(at(11, 20))
		f.Receive(apptest.RuthPhone, code)
		f.has(f.texts(), "A car comes for you between")
		if got := f.get(r.ID).Back; got.State != transport.Planned || got.Pickup.From.Before(at(11, 0)) || got.Begin.After(at(12, 20)) {
			t.Errorf("the way home: %+v", got)
		}
		f.Receive(apptest.RuthPhone, code)
		f.drive(r.ID, transport.Back)
		f.to(at(16, 0))
		f.update()
		if tasks := f.Tasks(); tasks != "" {
			t.Errorf("tasks %q", tasks)
		}
	})
}

// A driver who does not come: she is told before the window is over, the desk has a task, and the ladder goes on.
func TestLatePickup(t *testing.T) {
	each(t, func(f *fleet) {
		r := f.book(f.want(f.Ruth, at(10, 0), at(11, 0)))
		f.Settle()
		out := f.get(r.ID).Out
		f.texts()
		for at := out.Begin; at.Before(out.Pickup.To.Add(20 * time.Minute)); at = at.Add(time.Minute) {
			f.to(at)
			f.update()
		}
		f.has(f.texts(), "We are sorry: your ride to us is late")
		if tasks := f.Tasks(); !strings.Contains(tasks, "task.ride.late") {
			t.Errorf("tasks %q", tasks)
		}
	})
}

// Only the desk, the person and the driver of the vehicle have to do with a ride.
func TestWhoMayWhat(t *testing.T) {
	each(t, func(f *fleet) {
		r := f.book(f.want(f.Ruth, at(10, 0), at(11, 0)))
		other := f.vito
		if f.driverOf(f.get(r.ID).Out).ID == f.vito.ID {
			other = f.dora
		}
		stranger := f.lives("Sam Poe", 3)
		for _, v := range []person.Viewer{f.driver(other), {Org: apptest.Org, Person: stranger.ID, Role: person.Patient}, {Org: apptest.Org, Person: f.Elena.ID, Role: person.Caregiver}} {
			if _, err := f.Transport.Mark(f.Context(), v, r.ID, transport.Out, transport.SetOut, time.Time{}); err == nil {
				t.Errorf("%s marked a ride", v.Role)
			}
		}
		if err := f.DB.Write(t.Context(), func(tx *store.Tx) error {
			_, err := f.Transport.Cancel(tx, person.Viewer{Org: apptest.Org, Person: stranger.ID, Role: person.Patient}, apptest.Org, r.ID)
			return err
		}); err == nil {
			t.Error("a stranger cancelled a ride")
		}
	})
}
