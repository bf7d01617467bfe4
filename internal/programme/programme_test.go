package programme_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/reading"
	"doorstep/internal/sharedtest"
	"doorstep/internal/store"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days, minutes int
		live          bool
		device        string
		management    []string
	}{{0, 45, true, "", []string{"99457", "99458"}}, {1, 9, true, "", nil}, {2, 10, true, "99445", []string{"99470"}}, {16, 19, true, "99454", []string{"99470"}},
		{15, 20, true, "99445", []string{"99457"}}, {30, 79, true, "99454", []string{"99457", "99458", "99458"}}, {20, 25, false, "99454", nil}} {
		if got := programme.Device(c.days); got != c.device {
			t.Errorf("%d days: %q", c.days, got)
		}
		if got := programme.Management(c.minutes, c.live); !slices.Equal(got, c.management) {
			t.Errorf("%d minutes, live %v: %v", c.minutes, c.live, got)
		}
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(sharedtest.Path(t, "vectors/rpm_2026.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Days, Minutes int
			Interactive   bool
			Expect        struct {
				Device     *string
				Management []string
			}
		}
	}
	if err := json.Unmarshal(b, &file); err != nil || len(file.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(file.Cases), err)
	}
	for _, c := range file.Cases {
		want := ""
		if c.Expect.Device != nil {
			want = *c.Expect.Device
		}
		if got := programme.Device(c.Days); got != want {
			t.Errorf("%d days: %q, want %q", c.Days, got, want)
		}
		if got := programme.Management(c.Minutes, c.Interactive); !slices.Equal(got, c.Expect.Management) {
			t.Errorf("%d minutes, live %v: %v, want %v", c.Minutes, c.Interactive, got, c.Expect.Management)
		}
	}
}

// Readings and words about work become facts: days as the patient's zone counts them, periods from her first reading, months.
func TestFacts(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		id, key, err := h.Readings.Register(h.Context(), string(apptest.Org), "scale")
		must(t, err)
		must(t, h.Readings.Assign(h.Context(), string(apptest.Org), id, string(h.Ruth.ID), apptest.Start.AddDate(0, 0, -90), time.Time{}))
		d, err := h.Readings.SignIn(h.Context(), id, key)
		must(t, err)
		zone := h.Ruth.Location()
		today := clock.DayOf(apptest.Start, zone)
		send := func(day clock.Day, wall clock.Wall) {
			got, err := h.Readings.Ingest(h.Context(), d, []reading.Reading{{At: clock.At(day, wall, zone), Series: "29463-7", Value: 80, Unit: "kg"}})
			if must(t, err); got.Stored != 1 {
				t.Fatalf("%+v", got)
			}
		}
		at := func(day clock.Day) (f programme.Facts) {
			must(t, h.DB.Read(h.Context(), func(tx *store.Tx) (err error) { f, err = h.Programme.At(tx, apptest.Org, h.Ruth.ID, day); return err }))
			return f
		}
		if f := at(today); !f.From.IsZero() || f.Days != 0 || len(f.Codes()) != 0 {
			t.Errorf("before any reading: %+v", f)
		}
		first := today.Add(-40)
		send(first, clock.WallAt(23, 30)) // late in the evening of her day, tomorrow already in UTC
		send(first, clock.WallAt(8, 0))
		for n := 1; n < 17; n++ {
			send(first.Add(n), clock.WallAt(9, 0))
		}
		send(first.Add(31), clock.WallAt(9, 0))
		if f := at(first.Add(29)); f.From != first || f.Days != 17 || f.Device != "99454" || !slices.Equal(f.Codes(), []string{"99453", "99454"}) {
			t.Errorf("the first 30 days: %+v", f)
		}
		if f := at(today); f.From != first.Add(30) || f.Days != 1 || f.SetUp || f.Device != "" {
			t.Errorf("the next 30 days: %+v", f)
		}

		dana := person.Viewer{Org: apptest.Org, Person: h.Dana.ID, Role: person.Nurse}
		log := func(v person.Viewer, m programme.Minutes) error {
			m.Patient = h.Ruth.ID
			return h.DB.Write(h.Context(), func(tx *store.Tx) error { _, err := h.Programme.Log(tx, v, m); return err })
		}
		must(t, log(dana, programme.Minutes{Minutes: 12, Note: "went through the numbers"}))
		must(t, log(dana, programme.Minutes{Minutes: 60, At: apptest.Start.AddDate(0, -1, -3)})) // another month
		if f := at(today); f.Minutes != 12 || f.Live || len(f.Management) != 0 {
			t.Errorf("without a word spoken: %+v", f)
		}
		must(t, log(dana, programme.Minutes{Minutes: 8, Live: true}))
		if f := at(today); f.Minutes != 20 || !slices.Equal(f.Management, []string{"99457"}) {
			t.Errorf("%+v", f)
		}
		for _, m := range []programme.Minutes{{}, {Minutes: -5}, {Minutes: 241}, {Minutes: 5, At: apptest.Start.Add(time.Hour)}} {
			if err := log(dana, m); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", m, err)
			}
		}
		for _, v := range []person.Viewer{{Org: apptest.Org, Person: h.Ruth.ID, Role: person.Patient}, {Org: apptest.Org, Person: h.Elena.ID, Role: person.Caregiver}} {
			if err := log(v, programme.Minutes{Minutes: 5}); !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v", v.Role, err)
			}
		}
		list, err := h.Programme.List(h.Context(), h.DB, dana, today)
		if err != nil || !slices.ContainsFunc(list, func(f programme.Facts) bool { return f.Patient == h.Ruth.ID && f.Minutes == 20 }) {
			t.Errorf("%+v %v", list, err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
