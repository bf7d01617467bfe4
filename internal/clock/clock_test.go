package clock

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestAtInGapsAndOverlaps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, day, wall, want string
	}{
		{"America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30:00Z"}, // 03:30 EDT, RFC 5545
		{"America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00Z"}, // the first
		{"Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30:00Z"},    // 03:30 CEST
		{"Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00Z"},
		{"Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45:00Z"}, // a gap of half an hour: 02:45 +11
		{"Asia/Kolkata", "2026-06-01", "08:00", "2026-06-01T02:30:00Z"},
		{"Pacific/Apia", "2011-12-30", "08:00", "2011-12-30T18:00:00Z"}, // a day that does not exist
		{"America/New_York", "2026-07-01", "08:00", "2026-07-01T12:00:00Z"},
	} {
		d, err := ParseDay(c.day)
		if err != nil {
			t.Fatal(err)
		}
		w, err := ParseWall(c.wall)
		if err != nil {
			t.Fatal(err)
		}
		if got := At(d, w, zone(t, c.zone)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s %s %s: %s, want %s", c.zone, c.day, c.wall, got, c.want)
		}
	}
}

// Where the wall time exists, At shows exactly it; and days are always in order.
func TestAtShowsTheWall(t *testing.T) {
	t.Parallel()
	names := []string{"America/New_York", "Europe/Lisbon", "Asia/Tehran", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns", "Pacific/Chatham"}
	rapid.Check(t, func(rt *rapid.T) {
		z := zone(t, rapid.SampledFrom(names).Draw(rt, "zone"))
		d := Day{2000, 1, 1}.Add(rapid.IntRange(0, 12000).Draw(rt, "day"))
		w := Wall(rapid.IntRange(0, 1439).Draw(rt, "wall"))
		at := At(d, w, z).In(z)
		shown := Wall(at.Hour()*60 + at.Minute())
		if shown != w {
			if gap := int(shown - w); gap <= 0 || gap > 120 || DayOf(at, z) != d {
				rt.Fatalf("%v %v shows %v", d, w, at)
			}
		}
		if at.Add(-3*time.Hour).Before(At(d, w-1440, z)) && !At(d.Add(-1), w, z).Before(at) {
			rt.Fatal("days out of order")
		}
	})
}

func TestDayArithmetic(t *testing.T) {
	t.Parallel()
	d, _ := ParseDay("2024-01-31")
	if got := d.AddMonths(1).String(); got != "2024-02-29" {
		t.Errorf("31 January + 1 month = %s", got)
	}
	if got := d.Add(30).Sub(d); got != 30 {
		t.Errorf("Sub = %d", got)
	}
	if _, err := ParseDay("2025-02-29"); err == nil {
		t.Error("29 February 2025 was taken")
	}
	if _, err := ParseWall("25:00"); err == nil {
		t.Error("25:00 was taken")
	}
}

// TestFault17ServerClockJumps: an hour's jump and back is not followed; one that holds for ten minutes is; never backwards.
func TestFault17ServerClockJumps(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	mono, off := time.Duration(0), time.Duration(0)
	c := newSystem(func() time.Time { return start.Add(mono + off) }, func() time.Duration { return mono })
	see := func(after time.Duration, want time.Duration) {
		t.Helper()
		mono += after
		if got := c.Now().Sub(start); got != want {
			t.Errorf("after %v the clock has gone %v, want %v", mono, got, want)
		}
	}
	see(time.Minute, time.Minute)
	off = time.Hour
	see(time.Minute, 2*time.Minute)
	if c.Jumped() != time.Hour {
		t.Errorf("Jumped = %v", c.Jumped())
	}
	off = 0
	see(time.Minute, 3*time.Minute)
	if c.Jumped() != 0 {
		t.Errorf("Jumped = %v after it came back", c.Jumped())
	}
	off = time.Hour
	see(time.Minute, 4*time.Minute)
	see(11*time.Minute, 15*time.Minute+time.Hour)
	off = 0 // ten minutes wrong, then an hour back: it stands still rather than going back
	see(time.Second, 15*time.Minute+time.Hour+time.Second)
	see(11*time.Minute, 15*time.Minute+time.Hour+time.Second)
}

func TestIDs(t *testing.T) {
	t.Parallel()
	c := NewSim(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	a, b := SeededIDs(c, 7), SeededIDs(c, 7)
	last := ""
	for range 10000 {
		id := a.New()
		if id != b.New() {
			t.Fatal("the same seed gave another name")
		}
		if id <= last || len(id) != 36 || id[14] != '7' || !(id[19] >= '8' && id[19] <= 'b') {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
	if s := a.Secret(26); len(s) != 26 || s == a.Secret(26) {
		t.Errorf("secret %q", s)
	}
}
