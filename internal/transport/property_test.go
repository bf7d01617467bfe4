package transport_test

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/app/apptest"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport"
)

// Each check builds a whole server: a dozen take seconds. -rapid.checks asks for more.
func init() { flag.Set("rapid.checks", "12") }

// Whatever is booked, moved, cancelled, refused or broken: nobody in a wheelchair is in a vehicle without a ramp or lift, no vehicle has more aboard than places, and
// every leg that has a vehicle keeps what was told, unless it is marked as late.
func TestNobodyInAWheelchairWithoutARamp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "doorstep.db"), store.Options{Unsafe: true})
		if err != nil {
			rt.Fatal(err)
		}
		defer db.Close()
		h := apptest.New(t, db)
		f := &fleet{House: h}
		cars := map[transport.VehicleID]transport.Vehicle{}
		h.Write(func(tx *store.Tx) error {
			if err := h.People.SavePlace(tx, apptest.Org, person.Place{ID: "elm", Name: "Elm Street", Zone: "America/New_York", Point: clinic}); err != nil {
				return err
			}
			for i, id := range []transport.VehicleID{"a", "b", "c"} {
				v := transport.Vehicle{Org: apptest.Org, ID: id, Name: string(id), Seats: rapid.IntRange(1, 4).Draw(rt, "seats"), Depot: "elm", Weekdays: []int{1}, From: clock.WallAt(7, 0), To: clock.WallAt(18, 0), Active: true}
				if i > 0 && rapid.Bool().Draw(rt, "wheelchair") {
					v.Wheelchairs, v.Lift, v.Ramp = rapid.IntRange(1, 2).Draw(rt, "places"), i == 1, i == 2
				}
				var err error
				if v, err = h.Transport.SaveVehicle(tx, v); err != nil {
					return err
				}
				cars[id] = v
			}
			return nil
		})
		var rides []transport.ID
		soft := func(err error) {
			if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
				rt.Fatal(err)
			}
		}
		for range rapid.IntRange(4, 9).Draw(rt, "steps") {
			switch step := rapid.IntRange(0, 9).Draw(rt, "step"); {
			case step < 6 || len(rides) == 0:
				p := f.lives("Ann Lee", rapid.Float64Range(-8, 8).Draw(rt, "km"))
				there := at(rapid.IntRange(9, 13).Draw(rt, "hour"), 15*rapid.IntRange(0, 3).Draw(rt, "quarter"))
				w := f.want(p, there, there.Add(time.Hour))
				w.Mobility, w.Companions = rapid.SampledFrom(transport.Mobilities).Draw(rt, "mobility"), rapid.IntRange(0, 2).Draw(rt, "companions")
				soft(db.Write(t.Context(), func(tx *store.Tx) error {
					r, err := h.Transport.Book(t.Context(), tx, f.desk(), w)
					if err == nil {
						rides = append(rides, r.ID)
					}
					return err
				}))
			case step == 6:
				id, there := rapid.SampledFrom(rides).Draw(rt, "ride"), at(rapid.IntRange(9, 14).Draw(rt, "hour"), 0)
				soft(db.Write(t.Context(), func(tx *store.Tx) error {
					_, err := h.Transport.Move(t.Context(), tx, f.desk(), apptest.Org, id, there, there.Add(time.Hour))
					return err
				}))
			case step == 7:
				id := rapid.SampledFrom(rides).Draw(rt, "ride")
				soft(db.Write(t.Context(), func(tx *store.Tx) error {
					_, err := h.Transport.Cancel(tx, f.desk(), apptest.Org, id)
					return err
				}))
			case step == 8:
				_, err := h.Transport.Mark(t.Context(), f.desk(), rapid.SampledFrom(rides).Draw(rt, "ride"), transport.Back, transport.Cannot, time.Time{})
				soft(err)
			default:
				soft(db.Write(t.Context(), func(tx *store.Tx) error {
					return h.Transport.Breakdown(t.Context(), tx, f.desk(), rapid.SampledFrom([]transport.VehicleID{"a", "b", "c"}).Draw(rt, "car"), at(rapid.IntRange(8, 17).Draw(rt, "until"), 0))
				}))
			}
		}
		soft(h.Transport.Update(t.Context(), apptest.Org))
		b := f.board(f.desk())
		for _, c := range b.Columns {
			chairs, seats := 0, 0
			for _, x := range c.Tasks {
				if x.Ride == nil {
					continue
				}
				if x.Ride.Mobility == transport.Wheelchair && !(cars[c.Vehicle.ID].Wheelchairs > 0 && (c.Ramp || c.Lift)) {
					rt.Fatalf("a wheelchair in %s", c.Name)
				}
				n := 1 - 2*x.Stop
				seats += n * x.Ride.Companions
				if x.Ride.Mobility == transport.Wheelchair {
					chairs += n
				} else {
					seats += n
				}
				if chairs > c.Wheelchairs || seats > c.Seats {
					rt.Fatalf("%s carries %d wheelchairs and %d others", c.Name, chairs, seats)
				}
				if l := x.Leg(); x.Stop == 0 && !l.Late && (x.Begin.After(l.Pickup.To.Add(time.Minute)) || x.Begin.Before(l.Pickup.From.Add(-time.Minute))) {
					rt.Fatalf("fetched at %s, told %s to %s", x.Begin, l.Pickup.From, l.Pickup.To)
				}
			}
		}
	})
}
