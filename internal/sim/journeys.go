package sim

import (
	"context"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// everyJourney is how many patients there are for each one whose weeks have needs besides refills; Ruth is the first.
const everyJourney = 8

// settle gives the clinic a scanner, the town its pharmacy, laboratory and shop, and some people what they need.
func (w *World) settle(tx *store.Tx) error {
	zone, err := clock.Zone(Zone)
	if err != nil {
		return err
	}
	mornings := slot.Calendar{Zone: zone, Weekly: []slot.Weekly{{Days: []int{2, 4}, Start: clock.WallAt(9, 0), End: clock.WallAt(14, 0)}}}
	if err := w.Appointments.SaveResource(tx, appointment.Resource{Org: Org, ID: "echo", Kind: appointment.Device, Name: "Heart scanner", Hours: []appointment.Hours{{Place: "elm", Calendar: mornings}}, Active: true}); err != nil {
		return err
	}
	if err := w.Appointments.SaveType(tx, appointment.Type{Org: Org, ID: journey.Scan, Name: map[string]string{"en": "Heart scan", "es": "Imagen del corazón"}, Confirm: 48, Lead: 60, Horizon: 60, Grid: 20, Active: true,
		Offers: []appointment.Offer{{Way: appointment.Clinic, Min: 40, After: 20, Needs: []appointment.Kind{appointment.Device}}}}); err != nil {
		return err
	}
	system := person.SystemViewer(Org)
	week, all := []int{1, 2, 3, 4, 5, 6}, []int{1, 2, 3, 4, 5, 6, 7}
	for _, o := range []journey.Outlet{
		{ID: "corner", Kind: "pharmacy", Name: "Corner Pharmacy", Address: "20 Elm Street", Lat: clinicAt.Lat + .002, Lon: clinicAt.Lon - .003, Hours: hoursOf("09:00", "18:00", week)},
		{ID: "lab", Kind: "laboratory", Name: "Elm Street Laboratory", Address: "14 Elm Street", Lat: clinicAt.Lat, Lon: clinicAt.Lon, Hours: hoursOf("07:30", "15:00", week[:5])},
		{ID: "market", Kind: "shop", Name: "Green Market", Address: "3 Mill Lane", Lat: clinicAt.Lat + .006, Lon: clinicAt.Lon + .004, Hours: hoursOf("08:00", "20:00", all), Delivers: hoursOf("13:00", "18:00", []int{2, 5})},
	} {
		o.Active = true
		if err := w.Journeys.SaveOutlet(tx, system, o); err != nil {
			return err
		}
	}
	n := 0
	for _, m := range w.Cast {
		if m.Role != person.Patient {
			continue
		}
		if n%everyJourney == 0 {
			if err := w.needs(tx, m, n == 0); err != nil {
				return err
			}
		}
		n++
	}
	return nil
}

func hoursOf(from, to string, days []int) []appointment.HoursText {
	return []appointment.HoursText{{Zone: Zone, Weekly: []appointment.WeeklyText{{Days: days, Start: from, End: to}}}}
}

// needs puts on a patient's list what a month after the hospital asks for; the first one, Ruth, is on a care pathway, needs a ride and finds mornings hard.
func (w *World) needs(tx *store.Tx, m *Member, ruth bool) error {
	zone := m.Location()
	first := clock.DayOf(w.Clock.Now(), zone)
	day := func(n int) time.Time { return clock.At(first.Add(n), 0, zone) }
	clinic := person.SystemViewer(Org)
	self := journey.UsualSelf()
	self.Has = []string{"phone", "video"}
	if ruth {
		self.Means, self.Has = journey.Ride, []string{"phone"}
		self.Hard = []journey.Hard{{From: 0, To: clock.WallAt(11, 0), Minutes: 30}}
	}
	if err := w.Journeys.Say(tx, clinic, m.ID, self); err != nil {
		return err
	}
	for _, n := range []journey.Need{
		{Kind: "talk", From: day(4), By: day(9), Every: 14, Clinical: true},
		{Kind: "blood", From: day(3), By: day(11), Every: 14, Clinical: true},
		{Kind: "imaging", From: day(8), By: day(22), Clinical: true},
		{Kind: "form", From: day(1), By: day(8), Every: 7},
		{Kind: "groceries", From: day(1), By: day(8), Every: 7},
	} {
		if ruth && n.Clinical {
			continue // her care pathway asks for it
		}
		n.Org, n.Patient, n.Source = Org, m.ID, journey.FromStaff
		v := clinic
		if n.Kind == "groceries" {
			v = person.Viewer{Org: Org, Person: m.ID, Role: person.Patient, Name: m.Name}
		}
		n.ID = journey.ID(clock.DerivedID("need", string(m.ID), n.Kind))
		if _, err := w.Journeys.SaveNeed(tx, v, n); err != nil {
			return err
		}
	}
	regimens, err := w.Medication.Regimens(tx, Org, m.ID)
	if err != nil {
		return err
	}
	for _, r := range regimens { // handed out on leaving the hospital, for three weeks
		if r.Critical {
			perDay := float64(len(r.Dosage[0].Timing.Repeat.When))
			if err := w.Medication.AddFill(tx, Org, m.ID, medication.Fill{Regimen: r.ID, Day: first, Quantity: 17 * perDay, Days: 17}); err != nil {
				return err
			}
		}
	}
	w.at(clock.At(first, clock.WallAt(18, 30), zone), func(ctx context.Context) error { return w.agree(ctx, m) })
	return nil
}

// agree lets a patient say yes to what is planned, now and then again every few days.
func (w *World) agree(ctx context.Context, m *Member) error {
	v := person.Viewer{Org: Org, Person: m.ID, Role: person.Patient, Name: m.Name}
	if err := w.Journeys.Ensure(ctx, Org, m.ID); err != nil {
		return err
	}
	if err := w.Journeys.AcceptAll(ctx, v, m.ID); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
		return err
	}
	w.in(3*24*time.Hour, func(ctx context.Context) error { return w.agree(ctx, m) })
	return nil
}
