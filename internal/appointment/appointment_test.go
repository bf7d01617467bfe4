package appointment_test

import (
	"fmt"
	"strings"
	"sync"
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
)

// clinic is a house with Dr. Osei, who is there on weekdays from nine to noon by video or in room 1, and Dr. Lind, who is there in
// the afternoon by video alone.
type clinic struct {
	*apptest.House
	osei person.Person
	ruth person.Viewer
	omar person.Viewer
	n    int
}

var newYork, _ = time.LoadLocation("America/New_York")

func weekdays(from, to clock.Wall) slot.Calendar {
	return slot.Calendar{Zone: newYork, Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5}, Start: from, End: to}}}
}

func each(t *testing.T, fn func(c *clinic)) {
	apptest.Each(t, func(h *apptest.House) {
		c := &clinic{House: h, ruth: viewer(h.Ruth), omar: viewer(h.Omar)}
		c.osei = h.Enrol(person.Person{Role: person.Clinician, Name: "Dr. Osei"}, "")
		c.Write(func(tx *store.Tx) error {
			for _, p := range []person.Place{
				{ID: "elm", Name: "Elm Street", Zone: "America/New_York", Point: person.Point{Lat: 42.65, Lon: -73.75}},
				{ID: "oak", Name: "Oak Lane", Zone: "America/Chicago"},
			} {
				if err := h.People.SavePlace(tx, apptest.Org, p); err != nil {
					return err
				}
			}
			if err := h.People.SetHome(tx, apptest.Org, h.Ruth.ID, person.Home{Address: "1 Hill Road", Point: person.Point{Lat: 42.75, Lon: -73.8}}); err != nil {
				return err
			}
			morning, afternoon := weekdays(clock.WallAt(9, 0), clock.WallAt(12, 0)), weekdays(clock.WallAt(13, 0), clock.WallAt(17, 0))
			for _, r := range []appointment.Resource{
				{ID: "osei", Kind: appointment.Clinician, Name: "Dr. Osei", Person: c.osei.ID, Languages: []string{"en"}, Hours: []appointment.Hours{{Place: "elm", Calendar: morning}}},
				{ID: "lind", Kind: appointment.Clinician, Name: "Dr. Lind", Languages: []string{"en", "es"}, Hours: []appointment.Hours{{Ways: []appointment.Way{appointment.Video}, Calendar: afternoon}}},
				{ID: "room1", Kind: appointment.Room, Name: "Room 1", Hours: []appointment.Hours{{Place: "elm", Calendar: weekdays(0, slot.Midnight)}}},
				{ID: "maria", Kind: appointment.Interpreter, Name: "Maria", Languages: []string{"es"}, Hours: []appointment.Hours{{Calendar: weekdays(clock.WallAt(10, 0), clock.WallAt(11, 0))}}},
			} {
				r.Org, r.Active = apptest.Org, true
				if err := h.Appointments.SaveResource(tx, r); err != nil {
					return err
				}
			}
			for _, v := range []appointment.Type{
				{ID: "follow", Name: map[string]string{"en": "Follow-up", "es": "Control"}, Confirm: 72, Offers: []appointment.Offer{
					{Way: appointment.Video, Min: 20, Needs: []appointment.Kind{appointment.Clinician}},
					{Way: appointment.Clinic, Min: 30, After: 10, Needs: []appointment.Kind{appointment.Clinician, appointment.Room}},
				}},
				{ID: "request", Name: map[string]string{"en": "New patient"}, Approve: true, Offers: []appointment.Offer{
					{Way: appointment.Clinic, Min: 30, Needs: []appointment.Kind{appointment.Clinician, appointment.Room}},
				}},
				{ID: "surgery", Name: map[string]string{"en": "Procedure"}, Staff: true, Offers: []appointment.Offer{
					{Way: appointment.Clinic, Min: 60, Needs: []appointment.Kind{appointment.Clinician}},
				}},
			} {
				v.Org, v.Active, v.Lead, v.Horizon, v.Grid = apptest.Org, true, 30, 60, 10
				if err := h.Appointments.SaveType(tx, v); err != nil {
					return err
				}
			}
			return nil
		})
		fn(c)
	})
}

func viewer(p person.Person) person.Viewer {
	return person.Viewer{Org: p.Org, Person: p.ID, Role: p.Role, Name: p.Name}
}

// at answers a time of the week of Monday 2 March 2026 in New York.
func at(day, hour, minute int) time.Time {
	return time.Date(2026, 3, 1+day, hour, minute, 0, 0, newYork)
}

func (c *clinic) find(q appointment.Search) appointment.Found {
	c.Helper()
	q.Org = apptest.Org
	if q.Type == "" {
		q.Type = "follow"
	}
	f, err := c.Appointments.Find(c.Context(), q)
	if err != nil {
		c.Fatal(err)
	}
	return f
}

func (c *clinic) request(start time.Time) appointment.Request {
	return appointment.Request{Org: apptest.Org, Patient: c.Ruth.ID, Type: "follow", Way: appointment.Clinic, Place: "elm", Start: start, Resources: []string{"osei", "room1"}}
}

func (c *clinic) book(v person.Viewer, r appointment.Request) appointment.Appointment {
	c.Helper()
	a, err := c.Appointments.Book(c.Context(), v, r)
	if err != nil {
		c.Fatalf("book %v: %v", r.Start, err)
	}
	c.Settle()
	return a
}

func (c *clinic) get(id appointment.ID) (a appointment.Appointment) {
	c.Helper()
	c.Read(func(tx *store.Tx) (err error) { a, err = c.Appointments.Get(tx, apptest.Org, id); return err })
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

func TestFindIsSoonestFirst(t *testing.T) {
	each(t, func(c *clinic) {
		f := c.find(appointment.Search{Patient: c.Ruth.ID, To: at(2, 0, 0)})
		if len(f.Soonest) != 2 {
			c.Fatalf("soonest ways %v", f.Soonest)
		}
		video, clinic := f.Soonest[0], f.Soonest[1]
		if video.Way != appointment.Video || !video.Start.Equal(at(1, 9, 0)) || video.With != "Dr. Osei" || video.Others != 0 {
			c.Errorf("first video %+v", video)
		}
		if clinic.Way != appointment.Clinic || !clinic.Start.Equal(at(1, 9, 0)) || clinic.Place != "elm" || !clinic.Known || clinic.Travel < 40 || clinic.Travel > 70 {
			c.Errorf("first clinic %+v", clinic)
		}
		// Video of 20 minutes every 10: 17 in the morning, 23 in the afternoon; in the room 30 minutes and 10 for cleaning: 15.
		if len(f.Options) != 17+23+15 {
			c.Errorf("%d options", len(f.Options))
		}
		for i := range f.Options[1:] {
			if f.Options[i+1].Start.Before(f.Options[i].Start) {
				c.Fatal("not soonest first")
			}
		}
		part := c.find(appointment.Search{Patient: c.Ruth.ID, To: at(2, 0, 0), Limit: 7})
		rest := c.find(appointment.Search{Patient: c.Ruth.ID, From: part.More, To: at(2, 0, 0)})
		if len(part.Options)+len(rest.Options) != len(f.Options) {
			c.Errorf("%d and %d are not %d: a limit hides", len(part.Options), len(rest.Options), len(f.Options))
		}
		// With an interpreter: Dr. Osei between ten and eleven beside Maria, Dr. Lind alone.
		es := c.find(appointment.Search{Interpret: "es", Ways: []appointment.Way{appointment.Video}, To: at(2, 0, 0)})
		if len(es.Options) != 5+23 || len(es.Options[0].Resources) != 2 || es.Options[0].Resources[0] != "maria" {
			c.Errorf("with an interpreter: %d, first %v", len(es.Options), es.Options[0])
		}
	})
}

func TestBookTakesAndGivesBack(t *testing.T) {
	each(t, func(c *clinic) {
		start := at(5, 9, 0)
		a := c.book(c.omar, c.request(start))
		if a.State != appointment.Booked || a.By != c.Omar.ID || a.Zone != "America/New_York" {
			c.Errorf("booked %+v", a)
		}
		c.Want(c.SMS, apptest.RuthPhone+"…visit at the clinic…Fri, Mar 6 at 9:00 am")
		if p := c.promise(a); p.State != promise.Open || !p.From.Equal(start) {
			c.Errorf("promise %+v", p)
		}
		// The room is cleaned until 9:40.
		f := c.find(appointment.Search{Ways: []appointment.Way{appointment.Clinic}, From: start, To: at(5, 12, 0)})
		if !f.Options[0].Start.Equal(at(5, 9, 40)) {
			c.Errorf("next free %v", f.Options[0].Start)
		}
		if _, err := c.Appointments.Book(c.Context(), c.omar, c.request(at(5, 9, 30))); err != appointment.ErrTaken {
			c.Errorf("over another: %v", err)
		}
		moved := c.request(at(5, 9, 10))
		moved.Follows = a.ID
		b := c.book(c.ruth, moved)
		if old := c.get(a.ID); old.State != appointment.Cancelled || old.Reason != appointment.ReasonMoved || b.Asked != a.Asked {
			c.Errorf("old %+v", old)
		}
		if p := c.promise(a); p.State != promise.Released {
			c.Errorf("the old promise is %s", p.State)
		}
		c.Want(c.SMS) // she did it herself on a page
		if _, err := c.Appointments.Cancel(c.Context(), c.omar, apptest.Org, b.ID); err != nil {
			c.Fatal(err)
		}
		c.Settle()
		c.Want(c.SMS, apptest.RuthPhone+"…We are sorry…9:10 am")
		if f := c.find(appointment.Search{Ways: []appointment.Way{appointment.Clinic}, From: start, To: at(5, 12, 0)}); !f.Options[0].Start.Equal(start) {
			c.Errorf("not given back: %v", f.Options[0].Start)
		}
	})
}

func TestWrongBookingsSayWhatToDo(t *testing.T) {
	each(t, func(c *clinic) {
		for name, x := range map[string]struct {
			v      person.Viewer
			change func(r *appointment.Request)
			kind   fault.Kind
		}{
			"in the past":        {c.ruth, func(r *appointment.Request) { r.Start = at(1, 7, 0) }, fault.Invalid},
			"too soon":           {c.ruth, func(r *appointment.Request) { r.Start = apptest.Start.Add(10 * time.Minute) }, fault.Invalid},
			"too far":            {c.ruth, func(r *appointment.Request) { r.Start = at(90, 9, 0) }, fault.Invalid},
			"outside the hours":  {c.ruth, func(r *appointment.Request) { r.Start = at(2, 12, 0) }, fault.Invalid},
			"into the evening":   {c.ruth, func(r *appointment.Request) { r.Start = at(2, 11, 40) }, fault.Invalid},
			"staff only":         {c.ruth, func(r *appointment.Request) { r.Type = "surgery" }, fault.Denied},
			"no such way":        {c.ruth, func(r *appointment.Request) { r.Way = appointment.Home }, fault.Invalid},
			"no room":            {c.ruth, func(r *appointment.Request) { r.Resources = []string{"osei"} }, fault.Invalid},
			"not there":          {c.ruth, func(r *appointment.Request) { r.Resources = []string{"lind", "room1"} }, fault.Invalid},
			"nobody":             {c.ruth, func(r *appointment.Request) { r.Resources = []string{"nobody"} }, fault.NotFound},
			"no such place":      {c.ruth, func(r *appointment.Request) { r.Place = "moon" }, fault.NotFound},
			"outside by patient": {c.ruth, func(r *appointment.Request) { r.Outside = true }, fault.Denied},
			"for someone else":   {viewer(c.Elena), func(r *appointment.Request) { r.Patient = "somebody" }, fault.Denied},
		} {
			r := c.request(at(2, 9, 0))
			x.change(&r)
			_, err := c.Appointments.Book(c.Context(), x.v, r)
			if !fault.Is(err, x.kind) {
				c.Errorf("%s: %v, want %s", name, err, x.kind)
			}
		}
		out := c.request(at(2, 18, 0))
		out.Outside = true
		c.book(c.omar, out)
	})
}

func TestHoldsRunOut(t *testing.T) {
	each(t, func(c *clinic) {
		r := c.request(at(2, 9, 0))
		r.Hold = true
		a := c.book(c.ruth, r)
		if _, err := c.Appointments.Book(c.Context(), c.omar, c.request(at(2, 9, 0))); err != appointment.ErrTaken {
			c.Errorf("held: %v", err)
		}
		c.Clock.Advance(appointment.HoldFor)
		if f := c.find(appointment.Search{Ways: []appointment.Way{appointment.Clinic}, From: at(2, 0, 0), To: at(3, 0, 0)}); !f.Options[0].Start.Equal(at(2, 9, 0)) {
			c.Errorf("a hold that ran out still hides its time: %v", f.Options[0].Start)
		}
		if _, err := c.Appointments.Take(c.Context(), c.ruth, apptest.Org, a.ID); !fault.Is(err, fault.Conflict) {
			c.Errorf("too late: %v", err)
		}
		b := c.book(c.ruth, r)
		if n, err := c.Appointments.ExpireHolds(c.Context()); n != 1 || err != nil || c.get(a.ID).Reason != appointment.ReasonExpired {
			c.Errorf("%d holds expired, %v", n, err)
		}
		for range 2 { // pressed twice
			if x, err := c.Appointments.Take(c.Context(), c.ruth, apptest.Org, b.ID); err != nil || x.State != appointment.Booked {
				c.Errorf("taken: %+v, %v", x, err)
			}
		}
		c.Clock.Advance(time.Hour)
		if n, err := c.Appointments.ExpireHolds(c.Context()); n != 0 || err != nil || c.get(b.ID).State != appointment.Booked {
			c.Errorf("%d expired, %v", n, err)
		}
	})
}

func TestConfirmedByText(t *testing.T) {
	each(t, func(c *clinic) {
		a := c.book(c.ruth, c.request(at(5, 9, 0)))
		c.SMS.Took()
		c.At(at(2, 9, 0).Sub(apptest.Start)) // three days before
		c.Want(c.SMS, apptest.RuthPhone+"…will come…Fri, Mar 6 at 9:00 am")
		c.Receive(apptest.RuthPhone, "1")
		c.Want(c.SMS, apptest.RuthPhone+"…look forward…Fri, Mar 6")
		if got := c.get(a.ID); got.Confirmed.IsZero() || got.State != appointment.Booked {
			c.Errorf("%+v", got)
		}
		c.At(at(4, 9, 0).Sub(apptest.Start))
		c.Want(c.SMS, apptest.RuthPhone+"…We plan on you")
		c.Receive(apptest.RuthPhone, "A2")
		c.Want(c.SMS, apptest.RuthPhone+"…Thank you for telling us…is off")
		if got := c.get(a.ID); got.State != appointment.Cancelled || got.Reason != appointment.ReasonPatient {
			c.Errorf("%+v", got)
		}
		c.At(at(5, 10, 0).Sub(apptest.Start))
		c.Want(c.SMS)
	})
}

func TestNobodyCame(t *testing.T) {
	each(t, func(c *clinic) {
		a := c.book(c.ruth, c.request(at(1, 9, 0)))
		if _, err := c.Appointments.Missed(c.Context(), c.omar, apptest.Org, a.ID); !fault.Is(err, fault.Invalid) {
			c.Errorf("before it began: %v", err)
		}
		c.At(at(1, 9, 20).Sub(apptest.Start))
		if got := c.Tasks(); got != "desk task.visit.late" {
			c.Errorf("tasks %q", got)
		}
		c.SMS.Took()
		if _, err := c.Appointments.Missed(c.Context(), c.omar, apptest.Org, a.ID); err != nil {
			c.Fatal(err)
		}
		c.Settle()
		c.Want(c.SMS, apptest.RuthPhone+"…Is all well?")
		if got := c.Tasks(); got != "" {
			c.Errorf("tasks %q", got)
		}
	})
}

// Two people take one time in the same instant: one has it, the other hears so.
func TestFault10OneWinner(t *testing.T) {
	each(t, func(c *clinic) {
		const n = 24
		var people []person.Person
		for i := range n {
			people = append(people, c.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Patient %d", i), BirthYear: 1950}, ""))
		}
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i, p := range people {
			wg.Go(func() {
				r := c.request(at(2, 9, 0).Add(time.Duration(i%3) * 10 * time.Minute)) // all overlap each other
				r.Patient = p.ID
				_, errs[i] = c.Appointments.Book(c.Context(), viewer(p), r)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case err != appointment.ErrTaken:
				c.Errorf("a loser hears %v", err)
			}
		}
		if won != 1 {
			c.Errorf("%d winners", won)
		}
	})
}

// Two requests for one time are approved: it is looked at again inside the second approval.
func TestFault11ApprovedTwice(t *testing.T) {
	each(t, func(c *clinic) {
		other := c.Enrol(person.Person{Role: person.Patient, Name: "Ben Cole", BirthYear: 1950}, "")
		r := c.request(at(2, 9, 0))
		r.Type = "request"
		a := c.book(c.ruth, r)
		r.Patient, r.Start = other.ID, at(2, 9, 20)
		b := c.book(viewer(other), r)
		if a.State != appointment.Proposed || b.State != appointment.Proposed || c.Tasks() != "desk task.visit.approve, desk task.visit.approve" {
			c.Fatalf("%s %s %s", a.State, b.State, c.Tasks())
		}
		if _, err := c.Appointments.Approve(c.Context(), c.ruth, apptest.Org, a.ID); !fault.Is(err, fault.Denied) {
			c.Errorf("approved by herself: %v", err)
		}
		if x, err := c.Appointments.Approve(c.Context(), c.omar, apptest.Org, a.ID); err != nil || x.State != appointment.Booked {
			c.Fatal(x.State, err)
		}
		if _, err := c.Appointments.Approve(c.Context(), c.omar, apptest.Org, b.ID); err != appointment.ErrTaken {
			c.Errorf("approved over another: %v", err)
		}
		if x := c.get(b.ID); x.State != appointment.Proposed {
			c.Errorf("the second is %s", x.State)
		}
		if _, err := c.Appointments.Refuse(c.Context(), c.omar, apptest.Org, b.ID); err != nil {
			c.Fatal(err)
		}
	})
}

// The patient travels: the visit keeps the clinic's clock, and prints it.
func TestFault16VisitsKeepTheClinicsClock(t *testing.T) {
	each(t, func(c *clinic) {
		c.Ruth.Zone = "America/Los_Angeles"
		c.Write(func(tx *store.Tx) error { _, err := c.People.Save(tx, c.Ruth); return err })
		a := c.book(c.omar, c.request(at(5, 9, 0)))
		c.Want(c.SMS) // it is half past four where she is
		c.At(4 * time.Hour)
		c.Want(c.SMS, apptest.RuthPhone+"…9:00 am EST")
		if p := c.promise(a); p.Zone != "America/New_York" || !p.From.Equal(at(5, 9, 0)) {
			c.Errorf("%+v", p)
		}
	})
}

// A clinician falls ill: each visit moves, each person is told with choices, and whoever finds no place waits first in line.
func TestClinicianFallsIll(t *testing.T) {
	each(t, func(c *clinic) {
		a := c.book(c.ruth, c.request(at(2, 9, 0)))
		video := c.request(at(2, 11, 0))
		other := c.Enrol(person.Person{Role: person.Patient, Name: "Ben Cole", BirthYear: 1950}, "+15550100077")
		video.Patient, video.Way, video.Resources = other.ID, appointment.Video, []string{"osei"}
		b := c.book(viewer(other), video)
		c.SMS.Took()
		if _, err := c.Appointments.GroupMove(c.Context(), c.ruth, apptest.Org, "osei", at(2, 0, 0), at(3, 0, 0)); !fault.Is(err, fault.Denied) {
			c.Errorf("by a patient: %v", err)
		}
		for round, want := range []int{2, 0} { // again, nothing is moved twice
			moved, err := c.Appointments.GroupMove(c.Context(), c.omar, apptest.Org, "osei", at(2, 0, 0), at(3, 0, 0))
			if err != nil || len(moved) != want {
				c.Fatalf("round %d: %d moved, %v", round, len(moved), err)
			}
			for _, m := range moved {
				switch m.Old.ID {
				case a.ID:
					if m.New.Way != appointment.Clinic || !m.New.Start.Equal(at(3, 9, 0)) {
						c.Errorf("the clinic visit moved to %s %v", m.New.Way, m.New.Start)
					}
				case b.ID:
					if m.New.Way != appointment.Video || !m.New.Start.Equal(at(2, 13, 0)) || m.New.Resources[0] != "lind" {
						c.Errorf("the video visit moved to %v with %v", m.New.Start, m.New.Resources)
					}
				}
			}
		}
		c.Settle()
		got := strings.Join(c.SMS.Took(), "\n")
		if strings.Count(got, "had to move") != 2 || !strings.Contains(got, "Wed, Mar 4 at 9:00 am") {
			c.Errorf("they hear %s", got)
		}
		c.Receive("+15550100077", "1")
		c.Want(c.SMS, "+15550100077…look forward")
		if f := c.find(appointment.Search{Clinician: "osei", From: at(2, 0, 0), To: at(3, 0, 0)}); len(f.Options) != 0 {
			c.Errorf("%d times of one who is ill", len(f.Options))
		}
	})
}

// A visit is kept by being held: neither a task that is done nor her arrival keeps it, and nobody looks for somebody who is there.
func TestOnlyBeingSeenKeepsAVisit(t *testing.T) {
	each(t, func(c *clinic) {
		other := c.Enrol(person.Person{Role: person.Patient, Name: "Ben Cole", BirthYear: 1950}, "")
		a := c.book(c.ruth, c.request(at(1, 9, 0)))
		r := c.request(at(1, 9, 40))
		r.Patient = other.ID
		b := c.book(viewer(other), r)
		c.At(at(1, 8, 55).Sub(apptest.Start))
		c.Write(func(tx *store.Tx) error { _, err := c.Appointments.Arrive(tx, c.omar, a); return err })
		c.At(at(1, 9, 56).Sub(apptest.Start))
		if got := c.Tasks(); got != "desk task.visit.late" { // of the other
			c.Errorf("tasks %q", got)
		}
		c.Write(func(tx *store.Tx) error {
			tasks, err := c.Promises.Tasks(tx, apptest.Org)
			if err != nil {
				return err
			}
			_, err = c.Promises.Finish(tx, c.omar, tasks[0].ID, "He forgot")
			return err
		})
		if p := c.promise(b); p.State != promise.Open {
			c.Errorf("a task that was done leaves it %s", p.State)
		}
		if _, err := c.Appointments.Missed(c.Context(), c.omar, apptest.Org, b.ID); err != nil {
			c.Fatal(err)
		}
		if p := c.promise(b); p.State != promise.Released {
			c.Errorf("one who did not come leaves it %s", p.State)
		}
	})
}

// A hold that another server gave back is not taken without its time.
func TestAHoldWithoutItsTimeIsNotTaken(t *testing.T) {
	each(t, func(c *clinic) {
		r := c.request(at(2, 9, 0))
		r.Hold = true
		a := c.book(c.ruth, r)
		c.Write(func(tx *store.Tx) error {
			_, err := tx.Exec("DELETE FROM claim WHERE org = $1 AND appointment = $2", string(apptest.Org), string(a.ID))
			return err
		})
		if _, err := c.Appointments.Take(c.Context(), c.ruth, apptest.Org, a.ID); err != appointment.ErrTaken {
			c.Errorf("taken: %v", err)
		}
	})
}
