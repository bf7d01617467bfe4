package appointment

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// SampleAt is the time of day, on each organization's clock, from which its third next available times are sampled, once a day.
var SampleAt = clock.WallAt(7, 0)

// Third is how many days there were to the third free time of a clinician, for a type and way, on one day. The first and second are often
// times that were just given back, so the third says more of how full a calendar is.
type Third struct {
	Day      string // of the sample, on the organization's calendar
	Type     string
	Way      Way
	Resource string
	Days     float64 // -1: fewer than three times are free as far ahead as the type is booked
}

// SampleDue samples how full calendars are, once a day for each organization. A server that was down at the time does it when it is back.
func (s *Service) SampleDue(ctx context.Context) error {
	var orgs []person.Org
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) { orgs, err = s.people.Orgs(tx); return err }); err != nil {
		return err
	}
	for _, o := range orgs {
		if err := s.sample(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sample(ctx context.Context, org person.Org) error {
	zone, err := clock.Zone(org.Zone)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	day := clock.DayOf(now, zone)
	if now.Before(clock.At(day, SampleAt, zone)) {
		return nil
	}
	var n int
	var types []Type
	var resources []Resource
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		if _, err = tx.Row("SELECT COUNT(*) FROM access_sample WHERE org = $1 AND day = $2", []any{string(org.ID), day.String()}, &n); err != nil || n > 0 {
			return err
		}
		if types, err = s.Types(tx, org.ID); err != nil {
			return err
		}
		resources, err = s.Resources(tx, org.ID)
		return err
	}); err != nil || n > 0 {
		return err
	}
	var out []Third
	for _, t := range types {
		if !t.Active {
			continue
		}
		for _, r := range resources {
			if !r.Active || r.Kind != Clinician || !r.Holds(t.ID) {
				continue
			}
			found, err := s.Find(ctx, Search{Org: org.ID, Type: t.ID, Clinician: r.ID, Staff: t.Staff})
			if err != nil {
				return err
			}
			for _, o := range t.Offers {
				if slices.Contains(o.Needs, Clinician) {
					out = append(out, Third{day.String(), t.ID, o.Way, r.ID, thirdDays(found.Options, o.Way, now)})
				}
			}
		}
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.learn(tx, org.ID); err != nil {
			return err
		}
		for _, x := range out {
			if _, err := tx.Exec(`INSERT INTO access_sample (org, day, type, way, resource, third_days, taken_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
				string(org.ID), x.Day, x.Type, string(x.Way), x.Resource, x.Days, store.Micros(now)); err != nil {
				return err
			}
		}
		return nil
	})
}

// thirdDays answers the days to the third start of a way, or -1.
func thirdDays(list []Option, w Way, now time.Time) float64 {
	n := 0
	var last time.Time
	for _, o := range list {
		if o.Way != w || o.Start.Equal(last) {
			continue
		}
		last = o.Start
		if n++; n == 3 {
			return o.Start.Sub(now).Hours() / 24
		}
	}
	return -1
}

// Thirds answers the samples since a day, the latest day first.
func (s *Service) Thirds(tx *store.Tx, org person.OrgID, since clock.Day) ([]Third, error) {
	return store.All(tx, "SELECT day, type, way, resource, third_days FROM access_sample WHERE org = $1 AND day >= $2 ORDER BY day DESC, type, way, resource",
		[]any{string(org), since.String()}, func(scan func(...any) error) (x Third, err error) {
			err = scan(&x.Day, &x.Type, &x.Way, &x.Resource, &x.Days)
			return x, err
		})
}
