package timing

import (
	"testing"
	"time"

	"doorstep/internal/clock"
)

var tenZones = []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Tehran",
	"Pacific/Apia", "America/St_Johns", "Africa/Casablanca", "Asia/Kolkata", "America/Nuuk"}

// oracle finds by walking minute by minute when a clock on the wall first shows hh:mm on a day, and where it never does,
// what the minute would be by the offset before the gap. It shares nothing with package clock. ok is false on a day that
// the zone left out.
func oracle(year int, month time.Month, date, minutes int, z *time.Location) (due time.Time, ok bool) {
	civil := time.Date(year, month, date, 0, minutes, 0, 0, time.UTC)
	offset := func(t time.Time) time.Duration { _, s := t.In(z).Zone(); return time.Duration(s) * time.Second }
	if a, b := offset(civil.Add(-40*time.Hour)), offset(civil.Add(40*time.Hour)); a == b && offset(civil) == a && offset(civil.Add(-20*time.Hour)) == a && offset(civil.Add(20*time.Hour)) == a {
		return civil.Add(-a), true
	}
	existed := false
	var before time.Duration
	passed := false
	for at := civil.Add(-40 * time.Hour); at.Before(civil.Add(40 * time.Hour)); at = at.Add(time.Minute) {
		wall := at.In(z)
		shows := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, time.UTC)
		existed = existed || wall.Year() == year && wall.Month() == month && wall.Day() == date
		if shows.Equal(civil) {
			return at, true
		}
		if !passed && shows.Before(civil) {
			before = offset(at)
		}
		passed = passed || shows.After(civil)
	}
	return civil.Add(-before), existed
}

// TestFault15DSTWallDoseOncePerDay: ten zones, twenty years, every day: each wall-clock dose exactly once, at the instant
// that the oracle says, also in the hours that clocks skip or repeat.
func TestFault15DSTWallDoseOncePerDay(t *testing.T) {
	t.Parallel()
	r, err := parse(t, `{"timing":{"repeat":{"timeOfDay":["00:15","01:30","02:30","08:00","23:45"]}}}`, "2007-01-01")
	if err != nil {
		t.Fatal(err)
	}
	walls := []int{15, 90, 150, 480, 23*60 + 45}
	for _, name := range tenZones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zone(t, name)
			from, to := day(t, "2007-01-01"), day(t, "2027-01-01")
			doses := r.Doses(Person{Zone: z, Routine: DefaultRoutine}, clock.At(from, 0, z), clock.At(to, 0, z))
			got := map[clock.Day]map[clock.Wall]time.Time{}
			for _, d := range doses {
				if got[d.Day] == nil {
					got[d.Day] = map[clock.Wall]time.Time{}
				}
				if _, twice := got[d.Day][d.Wall]; twice {
					t.Fatalf("%v %v twice", d.Day, d.Wall)
				}
				got[d.Day][d.Wall] = d.Due
			}
			n := 0
			for d := from; d.Before(to); d = d.Add(1) {
				for _, w := range walls {
					want, ok := oracle(d.Year, d.Month, d.Date, w, z)
					due, has := got[d][clock.Wall(w)]
					if ok != has || ok && !due.Equal(want) {
						t.Fatalf("%v %v: %v (%v), want %v (%v)", d, clock.Wall(w), due, has, want, ok)
					}
					if ok {
						n++
					}
				}
			}
			if n != len(doses) || n < 36000 {
				t.Errorf("%d doses, the oracle has %d", len(doses), n)
			}
		})
	}
}

// TestFault15DSTIntervalDoseKeepsItsInterval: every 8 hours is 8 hours in every zone, over every change of clocks.
func TestFault15DSTIntervalDoseKeepsItsInterval(t *testing.T) {
	t.Parallel()
	r, err := parse(t, `{"timing":{"code":{"text":"Q8H"}}}`, "2007-01-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tenZones {
		z := zone(t, name)
		from, to := time.Date(2007, 1, 3, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 3, 0, 0, 0, 0, time.UTC)
		doses := r.Doses(Person{Zone: z, Routine: DefaultRoutine}, from, to)
		if want := int(to.Sub(from) / (8 * time.Hour)); len(doses) != want {
			t.Errorf("%s: %d doses, want %d", name, len(doses), want)
		}
		for i := 1; i < len(doses); i++ {
			if gap := doses[i].Due.Sub(doses[i-1].Due); gap != 8*time.Hour {
				t.Fatalf("%s: %v between %v and %v", name, gap, doses[i-1].Due, doses[i].Due)
			}
		}
	}
}
