package waiting_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/waiting"
	"doorstep/internal/waiting/visits"
)

// clinic is a house with Dr. Osei, who sees people in the clinic on weekdays from nine to noon, every half hour.
type clinic struct {
	*apptest.House
	ruth, omar person.Viewer
	ben        person.Person
}

const benPhone = "+15550100077"

var newYork, _ = time.LoadLocation("America/New_York")

func each(t *testing.T, fn func(c *clinic)) {
	apptest.Each(t, func(h *apptest.House) {
		c := &clinic{House: h, ruth: viewer(h.Ruth), omar: viewer(h.Omar)}
		c.ben = h.Enrol(person.Person{Role: person.Patient, Name: "Ben Cole", BirthYear: 1950}, benPhone)
		c.Write(func(tx *store.Tx) error {
			if err := h.People.SavePlace(tx, apptest.Org, person.Place{ID: "elm", Name: "Elm Street", Zone: "America/New_York", Point: person.Point{Lat: 42.65, Lon: -73.75}}); err != nil {
				return err
			}
			// About 12 km: 24 minutes of driving and 10 at the doors.
			if err := h.People.SetHome(tx, apptest.Org, h.Ruth.ID, person.Home{Address: "1 Hill Road", Point: person.Point{Lat: 42.75, Lon: -73.8}}); err != nil {
				return err
			}
			hours := slot.Calendar{Zone: newYork, Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5}, Start: clock.WallAt(9, 0), End: clock.WallAt(12, 0)}}}
			for _, r := range []appointment.Resource{
				{ID: "osei", Kind: appointment.Clinician, Name: "Dr. Osei", Hours: []appointment.Hours{{Place: "elm", Calendar: hours}}},
				{ID: "room2", Kind: appointment.Room, Name: "Room 2", Hours: []appointment.Hours{{Place: "elm", Calendar: hours}}},
			} {
				r.Org, r.Active = apptest.Org, true
				if err := h.Appointments.SaveResource(tx, r); err != nil {
					return err
				}
			}
			return h.Appointments.SaveType(tx, appointment.Type{Org: apptest.Org, ID: "follow", Name: map[string]string{"en": "Follow-up", "es": "Control"}, Lead: 0, Horizon: 30, Grid: 10, Active: true,
				Offers: []appointment.Offer{{Way: appointment.Clinic, Min: 30, Needs: []appointment.Kind{appointment.Clinician}}}})
		})
		fn(c)
	})
}

func viewer(p person.Person) person.Viewer {
	return person.Viewer{Org: p.Org, Person: p.ID, Role: p.Role, Name: p.Name}
}

// at answers a time of Monday 2 March 2026 in New York.
func at(hour, minute int) time.Time { return time.Date(2026, 3, 2, hour, minute, 0, 0, newYork) }

// clock moves the clock, with what the server does meanwhile every five minutes.
func (c *clinic) to(hour, minute int) {
	c.Helper()
	for c.Clock.Now().Before(at(hour, minute)) {
		next := c.Clock.Now().Add(5 * time.Minute).Truncate(5 * time.Minute)
		if next.After(at(hour, minute)) {
			next = at(hour, minute)
		}
		c.Clock.Set(next)
		if _, err := c.Waiting.Update(c.Context(), apptest.Org); err != nil {
			c.Fatal(err)
		}
		c.Settle()
	}
}

func (c *clinic) book(p person.Person, hour, minute int) string {
	c.Helper()
	a, err := c.Appointments.Book(c.Context(), c.omar, appointment.Request{Org: apptest.Org, Patient: p.ID, Type: "follow", Way: appointment.Clinic, Place: "elm", Start: at(hour, minute), Resources: []string{"osei"}})
	if err != nil {
		c.Fatal(err)
	}
	c.Settle()
	return string(a.ID)
}

func (c *clinic) arrive(v person.Viewer, visit string, a waiting.Arrival) waiting.Stay {
	c.Helper()
	x, err := c.Waiting.CheckIn(c.Context(), v, apptest.Org, visit, a)
	if err != nil {
		c.Fatal(err)
	}
	return x
}

func (c *clinic) do(id waiting.ID, act waiting.Act, d waiting.Detail) waiting.Stay {
	c.Helper()
	x, err := c.Waiting.Do(c.Context(), c.omar, id, act, d)
	if err != nil {
		c.Fatalf("%s: %v", act, err)
	}
	c.Settle()
	return x
}

func (c *clinic) board() (b waiting.Board) {
	c.Helper()
	c.Read(func(tx *store.Tx) (err error) { b, _, err = c.Waiting.Board(tx, c.omar, "elm"); return err })
	return b
}

func (c *clinic) stay(visit string) (x waiting.Stay) {
	c.Helper()
	c.Read(func(tx *store.Tx) error {
		var ok bool
		var err error
		if x, ok, err = c.Waiting.OfVisit(tx, apptest.Org, visit); !ok {
			c.Fatalf("no stay, %v", err)
		}
		return err
	})
	return x
}

// texts answers what was texted to a number since the last look, reminders of visits left out.
func (c *clinic) texts(number string) string {
	var out []string
	for _, x := range c.SMS.Took() {
		if strings.HasPrefix(x, number) && !strings.Contains(x, "is today") && !strings.Contains(x, "You have a") {
			out = append(out, x)
		}
	}
	return strings.Join(out, "\n")
}

// From the door to the end: each step is kept, the promise of the visit with it, and the minutes are counted.
func TestAStayFromDoorToDone(t *testing.T) {
	each(t, func(c *clinic) {
		ruth, ben := c.book(c.Ruth, 9, 0), c.book(c.ben, 9, 30)
		if _, err := c.Waiting.CheckIn(c.Context(), c.ruth, apptest.Org, ben, waiting.Arrival{By: waiting.ByPage}); !fault.Is(err, fault.Denied) {
			t.Errorf("another's visit: %v", err)
		}
		c.to(8, 50)
		x := c.arrive(c.ruth, ruth, waiting.Arrival{By: waiting.ByPage, Waits: waiting.Car})
		if again := c.arrive(c.ruth, ruth, waiting.Arrival{By: waiting.ByPage, Waits: waiting.Car}); again.ID != x.ID {
			t.Error("checked in twice")
		}
		if !x.Told.Known() || x.Told.From.Before(at(8, 55)) || x.Told.To.After(at(9, 30)) || !x.Told.Next.Equal(at(9, 0)) || x.Told.Before != 0 {
			t.Errorf("told %v", x.Told)
		}
		c.to(9, 0)
		c.texts(apptest.RuthPhone)
		c.do(x.ID, waiting.Call, waiting.Detail{Room: "Room 2"})
		c.do(x.ID, waiting.Call, waiting.Detail{Room: "Room 2"}) // pressed twice
		if got := c.texts(apptest.RuthPhone); strings.Count(got, "Please come in: Room 2") != 1 {
			t.Errorf("she hears %q", got)
		}
		c.to(9, 3)
		c.do(x.ID, waiting.Enter, waiting.Detail{})
		c.to(9, 5)
		c.do(x.ID, waiting.Begin, waiting.Detail{})
		if a := c.appointment(ruth); a.State != appointment.Fulfilled {
			t.Errorf("the appointment is %s", a.State)
		} else if p := c.promise(a); p.State != promise.Kept {
			t.Errorf("the promise is %s", p.State)
		}
		y := c.arrive(c.omar, ben, waiting.Arrival{By: waiting.ByDesk})
		if y.Told.From.Before(at(9, 10)) || y.Told.Before != 0 {
			t.Errorf("Ben is told %v", y.Told)
		}
		c.to(9, 25)
		if x = c.do(x.ID, waiting.Finish, waiting.Detail{}); x.Ended.Sub(x.Begun) != 20*time.Minute {
			t.Errorf("%+v", x)
		}
		if _, err := c.Waiting.Do(c.Context(), c.omar, x.ID, waiting.Call, waiting.Detail{}); !fault.Is(err, fault.Conflict) {
			t.Errorf("called when done: %v", err)
		}
		if _, err := c.Waiting.Do(c.Context(), c.ruth, y.ID, waiting.Call, waiting.Detail{}); !fault.Is(err, fault.Denied) {
			t.Errorf("called by a patient: %v", err)
		}
		c.do(y.ID, waiting.Leave, waiting.Detail{})
		if got := c.Tasks(); !strings.Contains(got, "desk task.waiting.left") {
			t.Errorf("nobody asks after who left: %q", got)
		}
		c.Read(func(tx *store.Tx) error {
			m, held, err := c.Waiting.Measures(tx, apptest.Org, "elm", at(0, 0), at(23, 0))
			want := map[string]float64{waiting.OnSite: 35, waiting.Wait: 15, waiting.RoomTime: 22, waiting.WithPerson: 20}
			for _, x := range m {
				if x.Mean.N != 1 || x.Mean.Value != want[x.Name] {
					t.Errorf("%s: %+v", x.Name, x)
				}
			}
			if held.Gone != 1 || held.Share.N != 1 {
				t.Errorf("%+v", held)
			}
			return err
		})
	})
}

func (c *clinic) appointment(id string) (a appointment.Appointment) {
	c.Helper()
	c.Read(func(tx *store.Tx) (err error) {
		a, err = c.Appointments.Get(tx, apptest.Org, appointment.ID(id))
		return err
	})
	return a
}

func (c *clinic) promise(a appointment.Appointment) (p promise.Promise) {
	c.Helper()
	c.Read(func(tx *store.Tx) (err error) {
		p, err = c.Promises.Get(tx, apptest.Org, a.Patient, promise.ID(a.Promise))
		return err
	})
	return p
}

// Who goes first follows the rules: urgent, then by time, a walk-in as if booked for twenty minutes after she came.
func TestWhoGoesFirst(t *testing.T) {
	each(t, func(c *clinic) {
		ruth, ben := c.book(c.Ruth, 9, 30), c.book(c.ben, 10, 0)
		c.to(9, 15)
		walk := func(name string, urgent bool, reason string) (x waiting.Stay, err error) {
			p := c.Enrol(person.Person{Role: person.Patient, Name: name, BirthYear: 1960}, "")
			err = c.DB.Write(c.Context(), func(tx *store.Tx) (err error) {
				x, err = c.Waiting.WalkIn(tx, c.omar, waiting.WalkingIn{Patient: p.ID, Place: "elm", Type: "follow", Urgent: urgent, Reason: reason, Arrival: waiting.Arrival{By: waiting.ByDesk}})
				return err
			})
			return x, err
		}
		x, err := walk("Walk In", false, "")
		if err != nil {
			t.Fatal(err)
		}
		c.arrive(viewer(c.ben), ben, waiting.Arrival{By: waiting.ByPage})
		c.arrive(c.ruth, ruth, waiting.Arrival{By: waiting.ByPage})
		names := func() string {
			var out []string
			for _, x := range c.board().Waiting {
				c.Read(func(tx *store.Tx) error {
					p, err := c.People.Get(tx, apptest.Org, x.Patient)
					out = append(out, p.Called)
					return err
				})
			}
			return strings.Join(out, " ")
		}
		if got := names(); got != "Ruth Walk Ben" { // 9:30, 9:15 and 20 minutes, 10:00
			t.Errorf("the order is %s", got)
		}
		if _, err := walk("No Reason", true, " "); !fault.Is(err, fault.Invalid) {
			t.Errorf("urgent without a reason: %v", err)
		}
		if _, err := walk("Urgent One", true, "Chest pain"); err != nil {
			t.Fatal(err)
		}
		c.do(x.ID, waiting.Rush, waiting.Detail{Reason: "Faint"})
		if got := names(); got != "Walk Urgent Ruth Ben" {
			t.Errorf("with urgent ones the order is %s", got)
		}
		if got := c.stay(ruth).Told.Before; got != 2 {
			t.Errorf("Ruth is told that %d go before her", got)
		}
		c.Write(func(tx *store.Tx) error {
			if err := c.Waiting.SetRules(tx, c.omar, []waiting.Rule{{Kind: waiting.Urgent}}); !fault.Is(err, fault.Invalid) {
				t.Errorf("half a rule: %v", err)
			}
			return c.Waiting.SetRules(tx, c.omar, []waiting.Rule{{Kind: waiting.Urgent, First: true}, {Kind: waiting.Booked}, {Kind: waiting.WalkIn, First: true}})
		})
	})
}

// A text says that somebody is there. With one visit she is checked in; with two she is asked about each by its own code.
func TestHereByText(t *testing.T) {
	each(t, func(c *clinic) {
		c.to(7, 45)
		c.Receive(apptest.RuthPhone, "Here!")
		c.Want(c.SMS, apptest.RuthPhone+"…will answer you by") // no visit: a person reads it
		first, second := c.book(c.Ruth, 9, 0), c.book(c.Ruth, 9, 30)
		c.to(8, 50)
		c.texts(apptest.RuthPhone)
		c.Receive(apptest.RuthPhone, "I'm here")
		if got := c.texts(apptest.RuthPhone); strings.Count(got, "Have you come for the visit") != 2 || !strings.Contains(got, "9:00") || !strings.Contains(got, "9:30") {
			t.Fatalf("asked back: %q", got)
		}
		c.Receive(apptest.RuthPhone, "1") // which of them?
		if got := c.texts(apptest.RuthPhone); strings.Contains(got, "checked in") {
			t.Errorf("a bare answer is taken for one of two: %q", got)
		}
		for code, want := range map[string]string{"A2": "noted nothing", "B1": "checked in"} {
			c.Receive(apptest.RuthPhone, code)
			if got := c.texts(apptest.RuthPhone); !strings.Contains(got, want) {
				t.Errorf("%s: %q", code, got)
			}
		}
		n := 0
		for _, v := range []string{first, second} {
			if c.appointment(v).State == appointment.Arrived {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d visits have begun", n)
		}
		c.book(c.ben, 10, 0)
		c.Receive(benPhone, "AQUÍ")
		if got := c.texts(benPhone); !strings.Contains(got, "You are checked in. About") || !strings.Contains(got, "Next update by") {
			t.Errorf("Ben hears %q", got)
		}
	})
}

// A kiosk checks in whoever proves who she is, says the same to everybody else, and rests after a dozen wrong tries.
func TestKiosk(t *testing.T) {
	each(t, func(c *clinic) {
		ruth, ben := c.book(c.Ruth, 9, 0), c.book(c.ben, 9, 30)
		c.to(8, 50)
		var k waiting.Kiosk
		var secret, code string
		c.Write(func(tx *store.Tx) (err error) {
			if _, _, err := c.Waiting.NewKiosk(tx, c.ruth, "elm"); !fault.Is(err, fault.Denied) {
				t.Errorf("by a patient: %v", err)
			}
			k, secret, err = c.Waiting.NewKiosk(tx, c.omar, "elm")
			return err
		})
		c.Read(func(tx *store.Tx) error {
			v, err := c.appointments().Visit(tx, apptest.Org, ben)
			if err != nil {
				return err
			}
			code, err = c.Waiting.Code(tx, v)
			return err
		})
		if x, err := c.Waiting.AtKiosk(c.Context(), secret, waiting.Proof{Last: "0001", Year: 1947}); err != nil || x.Visit != ruth || x.By != waiting.ByKiosk {
			t.Errorf("Ruth: %+v, %v", x, err)
		}
		if x, err := c.Waiting.AtKiosk(c.Context(), secret, waiting.Proof{Code: code[:3] + " " + code[3:]}); err != nil || x.Visit != ben {
			t.Errorf("Ben: %+v, %v", x, err)
		}
		for i := range 12 {
			if _, err := c.Waiting.AtKiosk(c.Context(), secret, waiting.Proof{Last: "0002", Year: 1900 + i}); !fault.Is(err, fault.Invalid) {
				t.Errorf("wrong: %v", err)
			}
		}
		if _, err := c.Waiting.AtKiosk(c.Context(), secret, waiting.Proof{Last: "0001", Year: 1947}); !fault.Is(err, fault.TooMuch) {
			t.Errorf("the thirteenth: %v", err)
		}
		c.Clock.Advance(16 * time.Minute)
		if _, err := c.Waiting.AtKiosk(c.Context(), secret, waiting.Proof{Last: "0009", Year: 1947}); !fault.Is(err, fault.Invalid) {
			t.Errorf("rested: %v", err)
		}
		c.Write(func(tx *store.Tx) error { return c.Waiting.RevokeKiosk(tx, c.omar, k.ID) })
		if _, err := c.Waiting.AtKiosk(c.Context(), secret, waiting.Proof{Last: "0001", Year: 1947}); !fault.Is(err, fault.NotFound) {
			t.Errorf("revoked: %v", err)
		}
	})
}

// Fault 14: the clinic runs late. Who has not left home hears so once, with a range and the time of the next look; it is said again only
// when it has moved by much, and again only before she leaves by what she was told.
func TestFault14ClinicRunsLate(t *testing.T) {
	each(t, func(c *clinic) {
		var before []string
		for i := range 3 { // 9:00, 9:30, 10:00
			p := c.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Patient %d", i), BirthYear: 1950}, "")
			before = append(before, c.book(p, 9+i/2, 30*(i%2)))
		}
		c.book(c.ben, 10, 30)
		c.book(c.Ruth, 11, 0)
		c.to(9, 0)
		c.SMS.Took()
		c.to(9, 15)
		x := c.arrive(c.omar, before[0], waiting.Arrival{By: waiting.ByDesk})
		both := func(what string, want ...string) {
			t.Helper()
			got := map[string][]string{}
			for _, m := range c.SMS.Took() {
				if number := m[:len(benPhone)]; !strings.Contains(m, "is today") {
					got[number] = append(got[number], m)
				}
			}
			for _, number := range []string{apptest.RuthPhone, benPhone} {
				if len(want) == 0 && len(got[number]) == 0 {
					continue
				}
				if len(want) == 0 || len(got[number]) != 1 {
					t.Errorf("%s: %s hears %q", what, number, got[number])
					continue
				}
				for _, part := range want {
					if !strings.Contains(got[number][0], part) {
						t.Errorf("%s: %q has no %q", what, got[number][0], part)
					}
				}
			}
		}
		both("a little late")
		away := func(hour, minute int) {
			c.Write(func(tx *store.Tx) error { return c.Waiting.SetAway(tx, c.omar, "osei", at(hour, minute)) })
		}
		for _, v := range before[1:] {
			c.arrive(c.omar, v, waiting.Arrival{By: waiting.ByDesk})
		}
		away(10, 15)
		c.to(9, 20)
		both("the delay", "Dr. Osei runs late", "will begin between", "We look again at 9:30 am")
		c.to(9, 40)
		both("the same delay")
		away(11, 15)
		c.to(9, 45)
		both("more", "The delay has changed", "We look again at 9:55 am")
		away(9, 45) // she is back
		c.do(x.ID, waiting.Begin, waiting.Detail{})
		for _, v := range before[1:] {
			c.do(c.stay(v).ID, waiting.Leave, waiting.Detail{})
		}
		c.to(9, 55)
		got := strings.Join(c.SMS.Took(), "\n") // Ben would have to have left by now to be there sooner; Ruth has not
		if !strings.Contains(got, apptest.RuthPhone+": Elm: Dr. Osei has caught up. Please come for your visit at 11:00 am") || strings.Contains(got, benPhone) {
			t.Errorf("caught up: %q", got)
		}
	})
}

// Fault 14, the other side: a delay that comes up after the time to leave home is not sent at all.
func TestFault14TooLateToTell(t *testing.T) {
	each(t, func(c *clinic) {
		first := c.book(c.ben, 9, 30)
		c.book(c.Ruth, 10, 0)
		c.to(9, 20) // Ruth left at 9:16
		c.SMS.Took()
		x := c.arrive(c.omar, first, waiting.Arrival{By: waiting.ByDesk})
		c.Write(func(tx *store.Tx) error { return c.Waiting.SetAway(tx, c.omar, "osei", at(11, 0)) })
		c.to(9, 59)
		if got := c.texts(apptest.RuthPhone); got != "" {
			t.Errorf("on her way she hears %q", got)
		}
		if b := c.board(); len(b.Due) != 1 || !b.Due[0].Runs() || b.Due[0].Late.Times != 0 {
			t.Errorf("the board says %+v", b.Due)
		}
		if got := c.stay(first).Told.From; got.Before(at(10, 45)) || x.Told.From.After(at(9, 45)) {
			t.Errorf("Ben is told %v, then %v", x.Told.From, got)
		}
	})
}

// Somebody waits at home: she is told when to set out, and that her turn has moved.
func TestWaitingAtHome(t *testing.T) {
	each(t, func(c *clinic) {
		first, second := c.book(c.ben, 9, 0), c.book(c.Ruth, 9, 30)
		c.to(8, 40)
		x := c.arrive(c.omar, first, waiting.Arrival{By: waiting.ByDesk})
		c.arrive(c.ruth, second, waiting.Arrival{By: waiting.ByPage, Waits: waiting.AtHome, Away: 20})
		c.to(9, 0)
		c.do(x.ID, waiting.Begin, waiting.Detail{})
		c.SMS.Took()
		c.to(9, 15)
		if got := c.texts(apptest.RuthPhone); strings.Count(got, "Please set out now") > 1 {
			t.Errorf("she hears %q", got)
		}
		c.to(10, 30)
		y := c.stay(second)
		if y.State != waiting.Waiting || !y.Told.Next.After(c.Clock.Now()) {
			t.Errorf("the word about the next update was not kept: %v at %v", y.Told, c.Clock.Now())
		}
	})
}

func (c *clinic) appointments() visits.Of { return visits.Of{Service: c.Appointments} }
