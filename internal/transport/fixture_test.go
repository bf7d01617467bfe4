package transport_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"doorstep/internal/app/apptest"
	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	"doorstep/internal/transport/vendor"
)

// fleet is a house with two vehicles (a car, a van with a lift), their drivers, and a ride company.
type fleet struct {
	*apptest.House
	car, van   transport.Vehicle
	dora, vito person.Person
	cabs       *vendor.Simulated
}

// The clinic stands at the origin of these tests; Ruth lives 4 km to the north.
var clinic = person.Point{Lat: 42.65, Lon: -73.75}

func north(km float64) person.Point { return person.Point{Lat: clinic.Lat + km/111.2, Lon: clinic.Lon} }

func each(t *testing.T, fn func(f *fleet)) {
	apptest.Each(t, func(h *apptest.House) {
		f := &fleet{House: h, cabs: vendor.New("Blue Cabs", h.Clock)}
		f.dora = h.Enrol(person.Person{Role: person.Driver, Name: "Dora Kim"}, "")
		f.vito = h.Enrol(person.Person{Role: person.Driver, Name: "Vito Ray"}, "")
		h.Write(func(tx *store.Tx) error {
			if err := h.People.SavePlace(tx, apptest.Org, person.Place{ID: "elm", Name: "Elm Street", Zone: "America/New_York", Point: clinic}); err != nil {
				return err
			}
			if err := h.People.SetHome(tx, apptest.Org, h.Ruth.ID, person.Home{Address: "1 Hill Road", Point: north(4)}); err != nil {
				return err
			}
			var err error
			all := []int{1, 2, 3, 4, 5}
			if f.car, err = h.Transport.SaveVehicle(tx, transport.Vehicle{Org: apptest.Org, ID: "car", Name: "Car", Seats: 3, Depot: "elm", Weekdays: all, From: clock.WallAt(7, 0), To: clock.WallAt(18, 0),
				Driver: f.dora.ID, Active: true, Pause: &transport.Pause{From: clock.WallAt(11, 30), To: clock.WallAt(13, 0), Minutes: 30}}); err != nil {
				return err
			}
			f.van, err = h.Transport.SaveVehicle(tx, transport.Vehicle{Org: apptest.Org, ID: "van", Name: "Van", Seats: 4, Wheelchairs: 1, Lift: true, Depot: "elm", Weekdays: all, From: clock.WallAt(7, 0),
				To: clock.WallAt(18, 0), Driver: f.vito.ID, Active: true})
			return err
		})
		fn(f)
	})
}

func (f *fleet) desk() person.Viewer {
	return person.Viewer{Org: apptest.Org, Person: f.Omar.ID, Role: person.Desk, Name: f.Omar.Name}
}

func (f *fleet) driver(p person.Person) person.Viewer {
	return person.Viewer{Org: apptest.Org, Person: p.ID, Role: person.Driver, Name: p.Name}
}

// at answers an instant of the first day, by the clinic's clock.
func at(hour, minute int) time.Time {
	return time.Date(2026, 3, 2, hour+5, minute, 0, 0, time.UTC)
}

// lives takes in a patient who lives so many km north of the clinic.
func (f *fleet) lives(name string, km float64) person.Person {
	p := f.Enrol(person.Person{Role: person.Patient, Name: name, BirthYear: 1950}, "")
	f.Write(func(tx *store.Tx) error {
		return f.People.SetHome(tx, apptest.Org, p.ID, person.Home{Address: name + "'s home", Point: north(km)})
	})
	return p
}

func (f *fleet) want(p person.Person, there, ready time.Time) transport.Want {
	return transport.Want{Org: apptest.Org, Patient: p.ID, Place: "elm", There: there, Ready: ready, Mobility: transport.Ambulatory}
}

func (f *fleet) book(w transport.Want) *transport.Ride {
	f.Helper()
	var r *transport.Ride
	f.Write(func(tx *store.Tx) (err error) { r, err = f.Transport.Book(f.Context(), tx, f.desk(), w); return err })
	return r
}

func (f *fleet) get(id transport.ID) (r *transport.Ride) {
	f.Helper()
	f.Read(func(tx *store.Tx) (err error) { r, err = f.Transport.Get(tx, apptest.Org, id); return err })
	return r
}

func (f *fleet) board(v person.Viewer) (b transport.Board) {
	f.Helper()
	f.Read(func(tx *store.Tx) (err error) {
		b, err = f.Transport.Board(tx, v, clock.Day{Year: 2026, Month: time.March, Date: 2})
		return err
	})
	return b
}

func (f *fleet) update() {
	f.Helper()
	if err := f.Transport.Update(f.Context(), apptest.Org); err != nil {
		f.Fatal(err)
	}
	f.Settle()
}

// to moves the clock and lets the server do what is due.
func (f *fleet) to(t time.Time) {
	f.Helper()
	f.Clock.Set(t)
	f.Settle()
}

func (f *fleet) mark(who person.Person, id transport.ID, dir transport.Direction, a transport.Act) {
	f.Helper()
	if _, err := f.Transport.Mark(f.Context(), f.driver(who), id, dir, a, time.Time{}); err != nil {
		f.Fatalf("%s %s at %s: %v", dir, a, f.Clock.Now(), err)
	}
	f.Settle()
}

// kept answers how the promise of a leg stands.
func (f *fleet) promised(r *transport.Ride, id promise.ID) (p promise.Promise) {
	f.Helper()
	f.Read(func(tx *store.Tx) (err error) { p, err = f.Promises.Get(tx, apptest.Org, r.Patient, id); return err })
	return p
}

// driverOf answers who drives a leg.
func (f *fleet) driverOf(l transport.Leg) person.Person {
	if l.Vehicle == "van" {
		return f.vito
	}
	return f.dora
}

// drive takes a leg from the driver's setting out to its end.
func (f *fleet) drive(id transport.ID, dir transport.Direction) {
	f.Helper()
	l := *f.get(id).Leg(dir)
	who := f.driverOf(l)
	f.to(l.Begin.Add(-8 * time.Minute))
	f.mark(who, id, dir, transport.SetOut)
	f.to(l.Begin)
	f.mark(who, id, dir, transport.AtDoor)
	f.to(l.Begin.Add(3 * time.Minute))
	f.mark(who, id, dir, transport.OnBoard)
	f.to(l.End)
	f.mark(who, id, dir, transport.GotOut)
}

// texts answers what Ruth's telephone got since the last look, in one string.
func (f *fleet) texts() string {
	return strings.Join(f.SMS.Took(), "\n")
}

func (f *fleet) has(text string, parts ...string) {
	f.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			f.Errorf("at %s: no %q in %q", f.Clock.Now().Sub(apptest.Start), p, text)
		}
	}
}
