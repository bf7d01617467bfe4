package sim

import (
	"context"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/waiting"
)

// Types of visits of the simulated clinic.
const (
	followUp  = "follow-up"
	firstTime = "first"
	homeCare  = "home-care"
)

// furnish gives the clinic its clinicians' hours, a room, and what can be booked.
func (w *World) furnish(tx *store.Tx) error {
	zone, err := clock.Zone(Zone)
	if err != nil {
		return err
	}
	hours := func(from, to clock.Wall, days ...int) slot.Calendar {
		return slot.Calendar{Zone: zone, Weekly: []slot.Weekly{{Days: days, Start: from, End: to}}}
	}
	staff := map[string]person.ID{}
	for _, m := range w.Cast {
		staff[m.Name] = m.ID
	}
	morning, afternoon := hours(clock.WallAt(9, 0), clock.WallAt(12, 0), 1, 2, 3, 4, 5), hours(clock.WallAt(13, 0), clock.WallAt(17, 0), 1, 2, 3, 4)
	distance := []appointment.Way{appointment.Video, appointment.Phone}
	for _, r := range []appointment.Resource{
		{ID: "osei", Kind: appointment.Clinician, Name: "Dr. Osei", Person: staff["Ama Osei"], Languages: []string{"en"}, Hours: []appointment.Hours{{Place: "elm", Calendar: morning}, {Ways: distance, Calendar: afternoon}},
			Types: []string{followUp, firstTime}},
		{ID: "vega", Kind: appointment.Clinician, Name: "Dr. Vega", Languages: []string{"en", "es"}, Hours: []appointment.Hours{{Place: "elm", Calendar: hours(clock.WallAt(9, 0), clock.WallAt(16, 0), 2, 4)}},
			Types: []string{followUp, firstTime}},
		{ID: "dana", Kind: appointment.Clinician, Name: "Dana Reyes", Person: staff["Dana Reyes"], Languages: []string{"en"}, Hours: []appointment.Hours{{Ways: []appointment.Way{appointment.Home}, Calendar: afternoon}},
			Types: []string{homeCare}},
		{ID: "room-1", Kind: appointment.Room, Name: "Room 1", Hours: []appointment.Hours{{Place: "elm", Calendar: hours(clock.WallAt(8, 0), clock.WallAt(18, 0), 1, 2, 3, 4, 5)}}},
	} {
		r.Org, r.Active = Org, true
		if err := w.Appointments.SaveResource(tx, r); err != nil {
			return err
		}
	}
	one := []appointment.Kind{appointment.Clinician}
	withRoom := []appointment.Kind{appointment.Clinician, appointment.Room}
	for _, t := range []appointment.Type{
		{ID: followUp, Name: map[string]string{"en": "Follow-up", "es": "Control"}, Confirm: 72, Offers: []appointment.Offer{{Way: appointment.Phone, Min: 20, Needs: one},
			{Way: appointment.Video, Min: 20, Needs: one}, {Way: appointment.Clinic, Min: 30, After: 10, Needs: withRoom}}},
		{ID: firstTime, Name: map[string]string{"en": "First visit", "es": "Primera visita"}, Confirm: 72, Approve: true, Offers: []appointment.Offer{{Way: appointment.Clinic, Min: 60, After: 10, Needs: withRoom}}},
		{ID: homeCare, Name: map[string]string{"en": "Nurse at home", "es": "Enfermera en casa"}, Confirm: 48, Offers: []appointment.Offer{{Way: appointment.Home, Min: 40, Before: 20, After: 20, Needs: one}}},
	} {
		t.Org, t.Active, t.Lead, t.Horizon, t.Grid = Org, true, 60, 60, 20
		if err := w.Appointments.SaveType(tx, t); err != nil {
			return err
		}
	}
	return nil
}

// visits lets a patient look for a time now and then: she takes the soonest that is two days away, and asks to hear of a sooner one.
func (w *World) visits(ctx context.Context, m *Member) error {
	now := w.Clock.Now()
	v := person.Viewer{Org: Org, Person: m.ID, Role: person.Patient, Name: m.Name}
	found, err := w.Appointments.Find(ctx, appointment.Search{Org: Org, Patient: m.ID, Type: followUp, From: now.Add(48 * time.Hour), Limit: 1})
	if err != nil || len(found.Options) == 0 {
		return err
	}
	o := found.Options[0]
	a, err := w.Appointments.Book(ctx, v, appointment.Request{Org: Org, Patient: m.ID, Type: o.Type, Way: o.Way, Place: o.Place, Start: o.Start, Resources: o.Resources})
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = w.Appointments.Join(ctx, v, appointment.Entry{Org: Org, Patient: m.ID, Type: o.Type, Has: a.ID, Wish: appointment.Wish{Notice: 120}})
	return err
}

// hold lets the visits of the next hour take place: most people come, and some do not.
func (w *World) hold(ctx context.Context) error {
	var desk person.Viewer
	for _, m := range w.Cast {
		if m.Role == person.Desk {
			desk = person.Viewer{Org: Org, Person: m.ID, Role: m.Role, Name: m.Name}
		}
	}
	var soon []appointment.Appointment
	if err := w.read(ctx, func(tx *store.Tx) (err error) {
		soon, err = w.Appointments.Between(tx, desk, w.Clock.Now(), w.Clock.Now().Add(time.Hour))
		return err
	}); err != nil {
		return err
	}
	for _, a := range soon {
		comes, late := w.rand.Float64() < 0.9, time.Duration(w.rand.IntN(12))*time.Minute
		if a.State != appointment.Booked {
			continue
		}
		if !comes {
			w.at(a.Start.Add(25*time.Minute), func(ctx context.Context) error {
				_, err := w.Appointments.Missed(ctx, desk, Org, a.ID)
				return closedIsFine(err)
			})
			continue
		}
		if a.Way != appointment.Clinic {
			w.at(a.Start.Add(late), func(ctx context.Context) error { return closedIsFine(w.seen(ctx, desk, a.ID)) })
			continue
		}
		lasts := time.Duration(14+w.rand.IntN(24)) * time.Minute
		w.at(a.Start.Add(late-10*time.Minute), func(ctx context.Context) error { return closedIsFine(w.comes(ctx, desk, a, lasts)) })
	}
	w.in(time.Hour, w.hold)
	return nil
}

// seen lets a visit begin and end.
func (w *World) seen(ctx context.Context, desk person.Viewer, id appointment.ID) error {
	return w.DB.Write(ctx, func(tx *store.Tx) error {
		a, err := w.Appointments.Get(tx, Org, id)
		if err != nil {
			return err
		}
		if a, err = w.Appointments.Arrive(tx, desk, a); err != nil {
			return err
		}
		_, err = w.Appointments.Seen(tx, desk, a, w.Clock.Now())
		return err
	})
}

// comes lets somebody check in at the desk; she is seen at her time, or when whoever sees her is free, and it takes a while.
func (w *World) comes(ctx context.Context, desk person.Viewer, a appointment.Appointment, lasts time.Duration) error {
	x, err := w.Waiting.CheckIn(ctx, desk, Org, string(a.ID), waiting.Arrival{By: waiting.ByDesk})
	if err != nil {
		return err
	}
	w.at(laterOf(a.Start, w.Clock.Now().Add(2*time.Minute)), func(ctx context.Context) error { return w.goesIn(ctx, desk, x, lasts) })
	return nil
}

// goesIn calls somebody in, unless whoever sees her is with somebody else: then she waits on.
func (w *World) goesIn(ctx context.Context, desk person.Viewer, x waiting.Stay, lasts time.Duration) error {
	var b waiting.Board
	if err := w.read(ctx, func(tx *store.Tx) (err error) { b, _, err = w.Waiting.Board(tx, desk, x.Place); return err }); err != nil {
		return err
	}
	for _, in := range b.In {
		if in.Who == x.Who {
			w.in(3*time.Minute, func(ctx context.Context) error { return w.goesIn(ctx, desk, x, lasts) })
			return nil
		}
	}
	step := func(act waiting.Act, room string) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.Waiting.Do(ctx, desk, x.ID, act, waiting.Detail{Room: room})
			return closedIsFine(err)
		}
	}
	w.in(2*time.Minute, step(waiting.Enter, ""))
	w.in(4*time.Minute, step(waiting.Begin, ""))
	w.in(4*time.Minute+lasts, step(waiting.Finish, ""))
	return step(waiting.Call, "Room 1")(ctx)
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// closedIsFine passes over what was cancelled or moved in the meantime.
func closedIsFine(err error) error {
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
