package appointment_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// full books Dr. Osei's Wednesday morning: four visits in room 1, forty minutes each with what follows. It answers them.
func (c *clinic) full() (list []appointment.Appointment) {
	c.Helper()
	for i := range 4 {
		p := c.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Patient %d", i), BirthYear: 1950}, waiterPhone(i))
		r := c.request(at(18, 9, 40*i))
		r.Patient = p.ID
		list = append(list, c.book(viewer(p), r))
	}
	return list
}

func (c *clinic) beside() (out []appointment.Option) {
	c.Helper()
	for _, o := range c.find(appointment.Search{From: at(18, 0, 0), To: at(19, 0, 0), Ways: []appointment.Way{appointment.Clinic}, Clinician: "osei"}).Options {
		if o.Beside {
			out = append(out, o)
		}
	}
	return out
}

// Booking beside others is switched on by who has seen its price; then as many stand beside others as the chances of missed visits allow,
// never two at one time, and the database still refuses everything else.
func TestOverbook(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		day := c.full()
		switchOn := func(v person.Viewer, price string) error {
			return c.DB.Write(c.Context(), func(tx *store.Tx) error { return c.Appointments.Overbook(tx, v, apptest.Org, price) })
		}
		if len(c.beside()) != 0 {
			c.Fatal("beside another without the switch")
		}
		if err := switchOn(c.omar, "nothing"); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Sentence(err), "simulate the price first") {
			c.Errorf("switched on unseen: %v", err)
		}
		for name, f := range map[string]func() error{
			"a patient":    func() error { _, err := c.price(c.ruth, "osei", 0.5); return err },
			"a room":       func() error { _, err := c.price(c.omar, "room1", 0.5); return err },
			"all of them":  func() error { _, err := c.price(c.omar, "osei", 1); return err },
			"less than 0":  func() error { _, err := c.price(c.omar, "osei", -0.5); return err },
			"nobody's":     func() error { _, err := c.price(c.omar, "who", 0.5); return err },
			"not her type": func() error { return c.notHers() },
		} {
			if err := f(); err == nil || fault.Is(err, fault.Internal) {
				c.Errorf("%s: %v", name, err)
			}
		}
		price, err := c.price(c.omar, "osei", 0.8)
		if err != nil {
			c.Fatal(err)
		}
		if len(price.Lines) != 2 || price.World.Slots != 4 || price.World.Minutes != 40 || price.World.Own || price.Lines[1].Wait.Value <= 0 || price.Lines[1].Overtime.Value <= 0 || price.Lines[1].Sooner.N != 8 {
			c.Fatalf("%+v", price)
		}
		if err := switchOn(c.ruth, price.ID); !fault.Is(err, fault.Denied) {
			c.Errorf("a patient switched it on: %v", err)
		}
		if err := switchOn(c.omar, price.ID); err != nil {
			c.Fatal(err)
		}
		// Sixteen days ahead 33 % are missed: of four, 1.3; 80 % of that leave room for one, and only after the gap is likely to have been: beside the last.
		options := c.beside()
		if len(options) != 1 || !options[0].Start.Equal(day[3].Start) {
			c.Fatalf("beside which: %v", options)
		}
		if got := c.race(day[3].Start, 6); got != 1 {
			c.Errorf("%d people have the one time beside another", got)
		}
		if len(c.beside()) != 0 {
			c.Error("another one is offered beside her")
		}
		if got := c.race(day[0].Start, 3); got != 0 {
			c.Errorf("%d people stand beside one whose time is not allowed", got)
		}
		// Who is first gives it back: who stands beside has the time to herself, and nobody is offered it.
		if _, err := c.Appointments.Cancel(c.Context(), person.Viewer{Org: apptest.Org, Person: day[3].Patient, Role: person.Patient}, apptest.Org, day[3].ID); err != nil {
			c.Fatal(err)
		}
		lanes := func() (out string) {
			c.Read(func(tx *store.Tx) error {
				return tx.Rows("SELECT resource, lane FROM claim WHERE from_at = $1 ORDER BY resource, lane", []any{store.Micros(day[3].Start)}, func(scan func(...any) error) error {
					var r string
					var lane int
					err := scan(&r, &lane)
					out += fmt.Sprint(r, lane, " ")
					return err
				})
			})
			return out
		}
		if got := lanes(); got != "osei0 room10 " {
			c.Errorf("after the first has gone: %s", got)
		}
		var open int
		c.Read(func(tx *store.Tx) error {
			_, err := tx.Row("SELECT COUNT(*) FROM freed WHERE state = 'open'", nil, &open)
			return err
		})
		if open != 0 {
			c.Error("a time that somebody has is offered")
		}
		// Whoever has said that she comes is no gap: with the published curve only the others count.
		for _, a := range day[:3] {
			if _, err := c.Appointments.Confirm(c.Context(), c.omar, apptest.Org, a.ID); err != nil {
				c.Fatal(err)
			}
		}
		if got := c.beside(); len(got) != 0 {
			c.Errorf("beside people who have said that they come: %v", got)
		}
		c.Write(func(tx *store.Tx) error { return c.Appointments.EndOverbook(tx, c.omar, apptest.Org, "osei", "follow") })
		var switches int
		c.Read(func(tx *store.Tx) error {
			_, err := tx.Row("SELECT COUNT(*) FROM overbook_switch WHERE by_person = $1", []any{string(c.Omar.ID)}, &switches)
			return err
		})
		if switches != 2 {
			c.Errorf("%d switches are written down", switches)
		}
		c.Clock.Advance(31 * 24 * time.Hour)
		if err := switchOn(c.omar, price.ID); !fault.Is(err, fault.Conflict) {
			c.Errorf("an old price: %v", err)
		}
	})
}

func (c *clinic) price(v person.Viewer, resource string, share float64) (appointment.Price, error) {
	return c.Appointments.SimulatePrice(c.Context(), v, apptest.Org, resource, "follow", share)
}

func (c *clinic) notHers() error {
	_, err := c.Appointments.SimulatePrice(c.Context(), c.omar, apptest.Org, "osei", "nothing", 0.5)
	return err
}

// race lets people book one time at once, and answers how many have it.
func (c *clinic) race(start time.Time, people int) (got int) {
	c.Helper()
	var g sync.WaitGroup
	var mu sync.Mutex
	for range people {
		c.n++
		p := c.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Racer %d", c.n), BirthYear: 1960}, "")
		g.Go(func() {
			r := c.request(start)
			r.Patient = p.ID
			_, err := c.Appointments.Book(c.Context(), viewer(p), r)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				got++
			} else if !fault.Is(err, fault.Conflict) {
				c.Errorf("%v", err)
			}
		})
	}
	g.Wait()
	return got
}

// Who has not said that she comes is called first when she is most likely not to come; a stranger's patients are not named.
func TestRemind(t *testing.T) {
	each(t, func(c *clinic) {
		c.Clock.Advance(time.Hour)
		far := c.book(c.ruth, c.request(at(18, 9, 0)))
		c.Clock.Set(at(17, 8, 0))
		near := c.book(c.ruth, c.request(at(18, 10, 0)))
		said := c.book(c.ruth, c.request(at(18, 11, 0)))
		if _, err := c.Appointments.Confirm(c.Context(), c.omar, apptest.Org, said.ID); err != nil {
			c.Fatal(err)
		}
		var list []appointment.Likely
		c.Read(func(tx *store.Tx) (err error) {
			list, err = c.Appointments.Remind(tx, c.omar, c.Clock.Now().AddDate(0, 0, 3))
			return err
		})
		if len(list) != 2 || list[0].ID != far.ID || list[1].ID != near.ID || list[0].Chance <= list[1].Chance {
			c.Errorf("%+v", list)
		}
	})
}
