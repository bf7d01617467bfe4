package appointment_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// waits enrols people who wait for a follow-up; their telephones are +1555020000n.
func (c *clinic) waits(n int, wish appointment.Wish) []person.Person {
	c.Helper()
	var out []person.Person
	for i := range n {
		p := c.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Patient %d", i), BirthYear: 1950}, waiterPhone(i))
		c.join(p, wish, "")
		c.Clock.Advance(time.Second)
		out = append(out, p)
	}
	return out
}

func waiterPhone(i int) string { return fmt.Sprintf("+1555020%04d", i) }

func (c *clinic) join(p person.Person, wish appointment.Wish, has appointment.ID) appointment.Entry {
	c.Helper()
	e, err := c.Appointments.Join(c.Context(), viewer(p), appointment.Entry{Org: apptest.Org, Patient: p.ID, Type: "follow", Wish: wish, Has: has})
	if err != nil {
		c.Fatal(err)
	}
	return e
}

func (c *clinic) fill() int {
	c.Helper()
	n, err := c.Appointments.FillDue(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	c.Settle()
	return n
}

// offered checks that exactly these people were texted, in any order.
func (c *clinic) offered(part string, who ...int) {
	c.Helper()
	got := c.SMS.Took()
	for _, i := range who {
		if !slices.ContainsFunc(got, func(m string) bool { return strings.HasPrefix(m, waiterPhone(i)) && strings.Contains(m, part) }) {
			c.Errorf("%d heard nothing in %q", i, got)
		}
	}
	if len(got) != len(who) {
		c.Errorf("%d texts %q", len(got), got)
	}
}

func (c *clinic) cancel(a appointment.Appointment) {
	c.Helper()
	if _, err := c.Appointments.Cancel(c.Context(), c.ruth, apptest.Org, a.ID); err != nil {
		c.Fatal(err)
	}
	c.Settle()
}

func (c *clinic) entry(p person.Person) appointment.Entry {
	c.Helper()
	var list []appointment.Entry
	c.Read(func(tx *store.Tx) (err error) { list, err = c.Appointments.WaitsOf(tx, apptest.Org, p.ID); return err })
	if len(list) != 1 {
		c.Fatalf("%d entries", len(list))
	}
	return list[0]
}

func TestFreedTimeIsOffered(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		a := c.book(c.ruth, c.request(at(5, 9, 0)))
		who := c.waits(6, appointment.Wish{})
		if n := c.fill(); n != 0 {
			c.Fatalf("%d offers with nothing freed", n)
		}
		c.SMS.Took()
		c.cancel(a)
		// Days ahead: as many as give better than even chances at 27 in 100.
		if n := c.fill(); n != 3 {
			c.Fatalf("%d offers", n)
		}
		c.offered("sooner time is free: visit at the clinic, Fri, Mar 6 at 9:00 am", 0, 1, 2)
		if n := c.fill(); n != 0 {
			c.Errorf("%d more while the first are open", n)
		}
		c.Receive(waiterPhone(0), "2")
		c.Want(c.SMS, waiterPhone(0)+"…keep your place")
		c.Clock.Advance(2*time.Hour + time.Minute)
		if n := c.fill(); n != 3 {
			c.Errorf("second batch of %d", n)
		}
		c.offered("A sooner time", 3, 4, 5)
		// One of the first batch says yes late, and nobody has it yet.
		c.Receive(waiterPhone(1), "A1")
		c.Want(c.SMS, waiterPhone(1)+"…It is yours: visit at the clinic, Fri, Mar 6 at 9:00 am")
		e := c.entry(who[1])
		if e.State != appointment.Filled || c.get(e.Took).Patient != who[1].ID {
			c.Errorf("%+v", e)
		}
		c.Receive(waiterPhone(4), "1")
		c.Want(c.SMS, waiterPhone(4)+"…Just taken. You keep your place")
		if e := c.entry(who[4]); e.State != appointment.Waiting {
			c.Errorf("the second lost her place: %+v", e)
		}
		if n := c.fill(); n != 0 {
			c.Errorf("%d offers of what is taken", n)
		}
	})
}

func TestWhoIsOffered(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		a := c.book(c.ruth, c.request(at(5, 9, 0)))
		later := c.Enrol(person.Person{Role: person.Patient, Name: "Has later", BirthYear: 1950}, waiterPhone(90))
		r := c.request(at(12, 9, 0))
		r.Patient = later.ID
		old := c.book(viewer(later), r)
		c.join(later, appointment.Wish{}, old.ID)
		near := c.Enrol(person.Person{Role: person.Patient, Name: "Has near", BirthYear: 1950}, waiterPhone(91))
		r = c.request(at(5, 10, 0))
		r.Patient = near.ID
		c.join(near, appointment.Wish{}, c.book(viewer(near), r).ID)
		for i, w := range []appointment.Wish{
			{Ways: []appointment.Way{appointment.Video}}, {Places: []string{"oak"}}, {Clinician: "lind"}, {Notice: 5 * 24 * 60}, {Days: []int{1, 2}}, {From: clock.WallAt(13, 0)},
			{To: clock.WallAt(8, 30)},
		} {
			c.join(c.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Cannot %d", i), BirthYear: 1950}, waiterPhone(50+i)), w, "")
		}
		asleep := c.Enrol(person.Person{Role: person.Patient, Name: "Asleep", BirthYear: 1950, QuietFrom: clock.WallAt(6, 0), QuietTo: clock.WallAt(11, 0)}, waiterPhone(92))
		c.join(asleep, appointment.Wish{}, "")
		c.SMS.Took()
		c.cancel(a)
		if n := c.fill(); n != 1 {
			c.Errorf("%d offers", n)
		}
		c.Want(c.SMS, waiterPhone(90)+"…sooner time")
		c.Receive(waiterPhone(90), "1")
		if got := c.get(old.ID); got.State != appointment.Cancelled || got.Reason != appointment.ReasonMoved {
			c.Errorf("the later visit is %s, %s", got.State, got.Reason)
		}
		c.SMS.Took()
		// Her old time is free now, for whoever can take it. The one who was asleep has woken.
		c.Clock.Set(at(1, 11, 30))
		if n := c.fill(); n != 2 { // she who was asleep, and she who needs five days
			c.Errorf("%d offers of the time given back", n)
		}
	})
}

// While its offers stand, a freed time is kept for those who wait: the search gives it to nobody, and whoever asks for it hears so. When they
// run out it is everybody's again.
func TestOfferedTimeIsKept(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		a := c.book(c.ruth, c.request(at(5, 9, 0)))
		who := c.waits(3, appointment.Wish{})
		c.cancel(a)
		c.fill()
		r := c.request(at(5, 9, 0))
		if _, err := c.Appointments.Book(c.Context(), c.ruth, r); err != appointment.ErrTaken {
			c.Fatalf("somebody else has it while it is offered: %v", err)
		}
		for i := range who {
			c.Receive(waiterPhone(i), "2")
		}
		c.fill() // nobody is left to be asked
		c.book(c.ruth, r)
		c.SMS.Took()
		c.Receive(waiterPhone(0), "A1")
		if got := c.SMS.Took(); len(got) != 1 || strings.Contains(got[0], "It is yours") {
			c.Errorf("the same time twice: %q", got)
		}
	})
}

// Whoever lets an offer pass without a word is asked after those who have not, and a word brings her back to the front.
func TestSilentAreAskedLast(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		first, second := c.book(c.ruth, c.request(at(5, 9, 0))), c.book(c.ruth, c.request(at(5, 10, 0)))
		c.waits(6, appointment.Wish{})
		c.SMS.Took()
		c.cancel(first)
		c.SMS.Took()
		c.fill()
		c.offered("sooner time is free", 0, 1, 2)
		c.Receive(waiterPhone(1), "2")
		c.SMS.Took()
		c.Clock.Advance(2*time.Hour + time.Minute)
		c.fill() // the next three for the first time
		c.offered("sooner time is free", 3, 4, 5)
		for _, i := range []int{3, 4} {
			c.Receive(waiterPhone(i), "2")
		}
		c.Clock.Advance(2*time.Hour + time.Minute)
		c.fill()
		c.SMS.Took()
		c.cancel(second)
		c.SMS.Took()
		c.fill()
		c.offered("sooner time is free", 1, 3, 4, 0) // without turns 2 would be the fourth, and 0 the first
	})
}

// Two people answer YES in the same instant: one has it, the other keeps her place and hears so at once.
func TestFault10TwoSayYes(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		a := c.book(c.ruth, c.request(at(5, 9, 0)))
		who := c.waits(3, appointment.Wish{})
		c.cancel(a)
		c.fill()
		c.SMS.Took()
		var wg sync.WaitGroup
		for i := range who {
			wg.Go(func() {
				for range 50 { // a gateway delivers again what was not taken
					if err := c.receive(waiterPhone(i), "1", fmt.Sprint("yes-", i)); err == nil {
						return
					}
				}
				c.Errorf("the yes of %d was never taken", i)
			})
		}
		wg.Wait()
		c.Settle()
		got := strings.Join(c.SMS.Took(), "\n")
		if strings.Count(got, "It is yours") != 1 || strings.Count(got, "Just taken. You keep your place") != 2 {
			c.Errorf("they hear:\n%s", got)
		}
		waiting := 0
		for _, p := range who {
			if c.entry(p).State == appointment.Waiting {
				waiting++
			}
		}
		if waiting != 2 {
			c.Errorf("%d keep their place", waiting)
		}
	})
}

func TestWaitlistWrongInput(t *testing.T) {
	each(t, func(c *clinic) {
		for name, e := range map[string]appointment.Entry{
			"no such type": {Type: "nothing"}, "staff only": {Type: "surgery"}, "no such visit": {Type: "follow", Has: "nothing"},
			"way": {Type: "follow", Wish: appointment.Wish{Ways: []appointment.Way{"pigeon"}}}, "days": {Type: "follow", Wish: appointment.Wish{Days: []int{8}}},
			"times": {Type: "follow", Wish: appointment.Wish{From: 600, To: 500}}, "notice": {Type: "follow", Wish: appointment.Wish{Notice: -1}},
		} {
			e.Org, e.Patient = apptest.Org, c.Ruth.ID
			if _, err := c.Appointments.Join(c.Context(), c.ruth, e); fault.KindOf(err) == fault.Internal {
				c.Errorf("%s: %v", name, err)
			}
		}
		e := c.join(c.Ruth, appointment.Wish{}, "")
		if again := c.join(c.Ruth, appointment.Wish{Notice: 60}, ""); again.ID != e.ID || !again.Asked.Equal(e.Asked) {
			c.Error("asked again, she lost her place")
		}
		if err := c.Appointments.Leave(c.Context(), c.ruth, c.Ruth.ID, e.ID); err != nil {
			c.Error(err)
		}
		if err := c.Appointments.Leave(c.Context(), c.ruth, c.Ruth.ID, e.ID); !fault.Is(err, fault.NotFound) {
			c.Error(err)
		}
	})
}

func (c *clinic) receive(from, body, ref string) error {
	return c.Messages.Receive(c.Context(), message.Inbound{Org: apptest.Org, Channel: person.SMS, From: from, Body: body, Ref: ref})
}
