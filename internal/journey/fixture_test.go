package journey_test

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/journey"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// clinic is a house with a clinic that holds follow-ups by phone, by video and on site, nurse's visits at home and scans, and a pharmacy and a shop in town.
type clinic struct {
	*apptest.House
	ruth, elena, omar person.Viewer
	zone              *time.Location
}

var homeOfRuth = person.Point{Lat: 42.70, Lon: -73.80}

func each(t *testing.T, fn func(c *clinic)) {
	apptest.Each(t, func(h *apptest.House) {
		c := &clinic{House: h}
		viewer := func(p person.Person) person.Viewer {
			return person.Viewer{Org: apptest.Org, Person: p.ID, Role: p.Role, Name: p.Name}
		}
		c.ruth, c.elena, c.omar = viewer(h.Ruth), viewer(h.Elena), viewer(h.Omar)
		var err error
		if c.zone, err = clock.Zone("America/New_York"); err != nil {
			t.Fatal(err)
		}
		c.furnish()
		fn(c)
	})
}

func (c *clinic) furnish() {
	hours := func(from, to int, days ...int) slot.Calendar {
		return slot.Calendar{Zone: c.zone, Weekly: []slot.Weekly{{Days: days, Start: clock.WallAt(from, 0), End: clock.WallAt(to, 0)}}}
	}
	week := []int{1, 2, 3, 4, 5}
	c.Write(func(tx *store.Tx) error {
		if err := c.People.SetHome(tx, apptest.Org, c.Ruth.ID, person.Home{Address: "1 Hill Road", Point: homeOfRuth}); err != nil {
			return err
		}
		if err := c.People.SavePlace(tx, apptest.Org, person.Place{ID: "elm", Name: "Elm Street", Zone: "America/New_York", Point: person.Point{Lat: 42.65, Lon: -73.75}}); err != nil {
			return err
		}
		for _, r := range []appointment.Resource{
			{ID: "osei", Kind: appointment.Clinician, Name: "Dr. Osei", Hours: []appointment.Hours{{Place: "elm", Ways: []appointment.Way{appointment.Clinic}, Calendar: hours(9, 12, week...)},
				{Ways: []appointment.Way{appointment.Video, appointment.Phone}, Calendar: hours(13, 16, week...)}}, Types: []string{journey.FollowUp}},
			{ID: "dana", Kind: appointment.Clinician, Name: "Dana Reyes", Hours: []appointment.Hours{{Ways: []appointment.Way{appointment.Home}, Calendar: hours(13, 17, week...)}}, Types: []string{journey.HomeCare}},
			{ID: "scanner", Kind: appointment.Device, Name: "Scanner", Hours: []appointment.Hours{{Place: "elm", Calendar: hours(9, 15, 2, 4)}}},
		} {
			r.Org, r.Active = apptest.Org, true
			if err := c.Appointments.SaveResource(tx, r); err != nil {
				return err
			}
		}
		one := []appointment.Kind{appointment.Clinician}
		for _, t := range []appointment.Type{
			{ID: journey.FollowUp, Name: map[string]string{"en": "Follow-up"}, Offers: []appointment.Offer{{Way: appointment.Phone, Min: 20, Needs: one}, {Way: appointment.Video, Min: 20, Needs: one}, {Way: appointment.Clinic, Min: 30, Needs: one}}},
			{ID: journey.HomeCare, Name: map[string]string{"en": "Nurse at home"}, Offers: []appointment.Offer{{Way: appointment.Home, Min: 40, Before: 20, After: 20, Needs: one}}},
			{ID: journey.Scan, Name: map[string]string{"en": "Scan"}, Offers: []appointment.Offer{{Way: appointment.Clinic, Min: 40, Needs: []appointment.Kind{appointment.Device}}}},
		} {
			t.Org, t.Active, t.Lead, t.Horizon, t.Grid = apptest.Org, true, 60, 60, 20
			if err := c.Appointments.SaveType(tx, t); err != nil {
				return err
			}
		}
		for _, o := range []journey.Outlet{
			{ID: "corner", Kind: "pharmacy", Name: "Corner Pharmacy", Lat: 42.651, Lon: -73.752, Hours: open("09:00", "18:00", week...), Active: true},
			{ID: "market", Kind: "shop", Name: "Green Market", Lat: 42.655, Lon: -73.755, Hours: open("08:00", "20:00", 1, 2, 3, 4, 5, 6, 7), Delivers: open("12:00", "18:00", 2, 5), Active: true},
		} {
			if err := c.Journeys.SaveOutlet(tx, c.omar, o); err != nil {
				return err
			}
		}
		return nil
	})
}

func open(from, to string, days ...int) []appointment.HoursText {
	return []appointment.HoursText{{Zone: "America/New_York", Weekly: []appointment.WeeklyText{{Days: days, Start: from, End: to}}}}
}

// day answers an instant so many days after the start, by Ruth's clock.
func (c *clinic) day(n, hour, minute int) time.Time {
	return clock.At(clock.DayOf(apptest.Start, c.zone).Add(n), clock.WallAt(hour, minute), c.zone)
}

// needs puts needs on Ruth's list, as the clinic.
func (c *clinic) needs(list ...journey.Need) {
	c.Helper()
	c.Write(func(tx *store.Tx) error {
		for _, n := range list {
			n.Org, n.Patient, n.Source = apptest.Org, c.Ruth.ID, journey.FromStaff
			if _, err := c.Journeys.SaveNeed(tx, c.omar, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *clinic) plan() journey.Weeks {
	c.Helper()
	if err := c.Journeys.Plan(c.Context(), apptest.Org, c.Ruth.ID); err != nil {
		c.Fatal(err)
	}
	return c.weeks()
}

func (c *clinic) weeks() journey.Weeks {
	c.Helper()
	var w journey.Weeks
	c.Read(func(tx *store.Tx) (err error) { w, err = c.Journeys.Of(tx, apptest.Org, c.Ruth.ID); return err })
	return w
}

func (c *clinic) item(w journey.Weeks, need journey.ID) journey.Item {
	c.Helper()
	i := slices.IndexFunc(w.Items, func(it journey.Item) bool { return it.Need == need })
	if i < 0 {
		c.Fatalf("%s is not in the plan: %+v, unmet %+v", need, w.Items, w.Made.Unmet)
	}
	return w.Items[i]
}
