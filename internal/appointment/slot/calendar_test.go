package slot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
)

// clockZones change by an hour and by half of one, at night and at midnight, on both sides of the equator and of the date line.
var clockZones = []string{"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "America/Havana",
	"Asia/Beirut", "America/St_Johns", "Africa/Casablanca", "Asia/Kathmandu", "America/Santiago", "Asia/Pyongyang"}

var everyDay = []int{1, 2, 3, 4, 5, 6, 7}

func daily(z *time.Location, start, end clock.Wall) slot.Calendar {
	return slot.Calendar{Zone: z, Weekly: []slot.Weekly{{Days: everyDay, Start: start, End: end}}}
}

// walls answers what the clock shows at each minute of a span, in minutes since 1970 on the wall.
func walls(z *time.Location, over slot.Span) []int {
	var out []int
	for t := over.From; t.Before(over.To); t = t.Add(time.Minute) {
		_, offset := t.In(z).Zone()
		out = append(out, int(t.Unix()+int64(offset))/60)
	}
	return out
}

// The rule, said another way than it is worked out: a span begins at the first minute that shows its start or later, and ends after the last
// that shows less than its end. Twenty years in each zone: the days around each change of clocks, and weeks in between.
func TestSpansAcrossClockChanges(t *testing.T) {
	t.Parallel()
	times := []struct{ start, end clock.Wall }{
		{clock.WallAt(22, 0), clock.WallAt(6, 0)}, {clock.WallAt(2, 30), clock.WallAt(5, 0)}, {clock.WallAt(1, 0), clock.WallAt(2, 30)}, {clock.WallAt(1, 30), clock.WallAt(1, 45)},
		{clock.WallAt(2, 15), clock.WallAt(2, 45)}, {clock.WallAt(23, 30), clock.WallAt(0, 30)}, {clock.WallAt(0, 15), clock.WallAt(1, 15)}, {clock.WallAt(9, 0), clock.WallAt(17, 0)},
	}
	for _, name := range clockZones {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			t.Parallel()
			z := zone(t, name)
			changes := 0
			end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for at := time.Date(2006, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); {
				_, change := at.In(z).ZoneBounds()
				middle := at.AddDate(0, 0, 120)
				if !change.IsZero() && change.Before(middle) {
					middle = change
					changes++
				}
				at = middle
				from := middle.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
				over := slot.Span{From: from, To: from.AddDate(0, 0, 3)}
				around := slot.Span{From: from.AddDate(0, 0, -3), To: over.To.AddDate(0, 0, 3)}
				shown := walls(z, around)
				for _, s := range times {
					compareSpans(t, daily(z, s.start, s.end), s.start, s.end, over, around, shown)
				}
				if got := daily(z, 0, slot.Midnight).Spans(over.From, over.To); len(got) != 1 || got[0] != over {
					t.Fatalf("always open around %s: %v", middle, got)
				}
			}
			if changes == 0 && name != "Asia/Kathmandu" {
				t.Error("no change of clocks was tried")
			}
		})
	}
}

func compareSpans(t *testing.T, c slot.Calendar, start, end clock.Wall, over, around slot.Span, shown []int) {
	t.Helper()
	if end <= start {
		end += slot.Midnight
	}
	open := make([]bool, len(shown))
	for day := shown[0]/1440 + 1; day < shown[len(shown)-1]/1440-1; day++ {
		first := slices.IndexFunc(shown, func(w int) bool { return w >= day*1440+int(start) })
		last := len(shown) - 1
		for shown[last] >= day*1440+int(end) {
			last--
		}
		for i := first; i <= last; i++ {
			open[i] = true
		}
	}
	got := make([]bool, len(shown))
	for _, s := range c.Spans(over.From, over.To) {
		if s.From.Before(over.From) || over.To.Before(s.To) || !s.From.Before(s.To) {
			t.Fatalf("a span outside: %v", s)
		}
		for i := int(s.From.Sub(around.From) / time.Minute); i < int(s.To.Sub(around.From)/time.Minute); i++ {
			got[i] = true
		}
	}
	a, b := int(over.From.Sub(around.From)/time.Minute), int(over.To.Sub(around.From)/time.Minute)
	for i := a; i < b; i++ {
		if got[i] != open[i] {
			at := around.From.Add(time.Duration(i) * time.Minute)
			t.Fatalf("%s to %s: at %s open is %v, want %v", start, end%slot.Midnight, at.In(c.Zone), got[i], open[i])
		}
	}
}

// The rules one by one, as they are said.
func TestSpans(t *testing.T) {
	t.Parallel()
	day := func(s string) clock.Day {
		d, err := clock.ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	at := func(s string) time.Time {
		i, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	ny := zone(t, "America/New_York")
	nine, five := clock.WallAt(9, 0), clock.WallAt(17, 0)
	week := []slot.Weekly{{Days: everyDay, Start: nine, End: five}}
	for _, c := range []struct {
		name     string
		calendar slot.Calendar
		from, to string
		want     []string // in the calendar's zone
	}{
		{"spring forward", daily(ny, clock.WallAt(2, 30), clock.WallAt(5, 0)), "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z", []string{"08 03:00 EDT-05:00 EDT"}},
		{"an end in the gap", daily(ny, clock.WallAt(1, 0), clock.WallAt(2, 30)), "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z", []string{"08 01:00 EST-03:00 EDT"}},
		{"in the gap alone", daily(ny, clock.WallAt(2, 0), clock.WallAt(2, 30)), "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z", nil},
		{"fall back, start twice", daily(ny, clock.WallAt(1, 30), clock.WallAt(3, 0)), "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", []string{"01 01:30 EDT-03:00 EST"}},
		{"fall back, end twice", daily(ny, 0, clock.WallAt(1, 30)), "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", []string{"01 00:00 EDT-01:30 EST"}},
		{"a day that was skipped", daily(zone(t, "Pacific/Apia"), nine, five), "2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z", []string{"29 09:00 -10-17:00 -10", "31 09:00 +14-17:00 +14"}},
		{"cut to what is asked", daily(ny, nine, five), "2026-03-06T15:00:00Z", "2026-03-06T16:30:00Z", []string{"06 10:00 EST-11:30 EST"}},
		{"nothing asked", daily(ny, nine, five), "2026-03-06T15:00:00Z", "2026-03-06T15:00:00Z", nil},
		{"joined", slot.Calendar{Zone: ny, Weekly: []slot.Weekly{{Days: []int{5}, Start: nine, End: 720}, {Days: []int{5}, Start: 720, End: five}, {Days: []int{5}, Start: 600, End: 660}}},
			"2026-03-06T00:00:00Z", "2026-03-07T00:00:00Z", []string{"06 09:00 EST-17:00 EST"}},
		{"every other week", slot.Calendar{Zone: ny, Weekly: []slot.Weekly{{Days: []int{1, 7}, Start: nine, End: five, Every: 2, Anchor: day("2026-03-08")}}},
			"2026-02-15T06:00:00Z", "2026-03-18T00:00:00Z", []string{"16 09:00 EST-17:00 EST", "22 09:00 EST-17:00 EST", "02 09:00 EST-17:00 EST", "08 09:00 EDT-17:00 EDT", "16 09:00 EDT-17:00 EDT"}},
		{"from and to", slot.Calendar{Zone: ny, Weekly: []slot.Weekly{{Days: everyDay, Start: nine, End: five, From: day("2026-03-06"), To: day("2026-03-07")}}},
			"2026-03-01T00:00:00Z", "2026-03-18T00:00:00Z", []string{"06 09:00 EST-17:00 EST", "07 09:00 EST-17:00 EST"}},
		{"overrides", slot.Calendar{Zone: ny, Weekly: week, Overrides: []slot.Override{{Date: day("2026-03-05")}, {Date: day("2026-03-06"), Start: 600, End: 660}, {Date: day("2026-03-06"), Start: 1380, End: 60}, {Date: day("2027-01-01"), Start: 1, End: 2}}},
			"2026-03-04T12:00:00Z", "2026-03-08T00:00:00Z", []string{"04 09:00 EST-17:00 EST", "06 10:00 EST-11:00 EST", "06 23:00 EST-01:00 EST", "07 09:00 EST-17:00 EST"}},
		{"a night that began before an override runs on", slot.Calendar{Zone: ny, Weekly: []slot.Weekly{{Days: everyDay, Start: 1320, End: 360}}, Overrides: []slot.Override{{Date: day("2026-03-06")}}},
			"2026-03-06T05:00:00Z", "2026-03-07T06:00:00Z", []string{"06 00:00 EST-06:00 EST"}},
		{"a closure cuts it", slot.Calendar{Zone: ny, Weekly: []slot.Weekly{{Days: everyDay, Start: 1320, End: 360}}, Closures: []slot.Closure{{From: day("2026-03-06")}}},
			"2026-03-05T17:00:00Z", "2026-03-07T17:00:00Z", []string{"05 22:00 EST-00:00 EST", "07 00:00 EST-06:00 EST"}},
		{"closures of days and hours", slot.Calendar{Zone: ny, Weekly: week, Closures: []slot.Closure{{From: day("2020-01-01"), To: day("2026-03-05")}, {Span: slot.Span{From: at("2026-03-06T15:00:00Z"), To: at("2026-03-06T16:00:00Z")}},
			{Span: slot.Span{From: at("2026-03-06T16:00:00Z"), To: at("2026-03-06T17:00:00Z")}}, {From: day("2026-03-08"), To: day("2030-01-01")}}},
			"2026-03-04T00:00:00Z", "2026-03-20T00:00:00Z", []string{"06 09:00 EST-10:00 EST", "06 12:00 EST-17:00 EST", "07 09:00 EST-17:00 EST"}},
	} {
		if err := c.calendar.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []string
		for _, s := range c.calendar.Spans(at(c.from), at(c.to)) {
			got = append(got, s.From.In(c.calendar.Zone).Format("02 15:04 MST")+"-"+s.To.In(c.calendar.Zone).Format("15:04 MST"))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %v\nwant %v", c.name, got, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := slot.Weekly{Days: []int{1}, Start: 540, End: 1020}
	with := func(change func(w *slot.Weekly)) slot.Calendar {
		w := good
		change(&w)
		return slot.Calendar{Zone: time.UTC, Weekly: []slot.Weekly{good, w}}
	}
	day := clock.Day{Year: 2026, Month: 3, Date: 6}
	for i, c := range []struct {
		calendar slot.Calendar
		want     string
	}{
		{with(func(*slot.Weekly) {}), ""},
		{slot.Calendar{}, "no time zone"},
		{with(func(w *slot.Weekly) { w.Days = nil }), "Weekly time 2 has no days"},
		{with(func(w *slot.Weekly) { w.Days = []int{0} }), "0 is no day of the week"},
		{with(func(w *slot.Weekly) { w.Start = 1440 }), "start is 00:00 to 23:59"},
		{with(func(w *slot.Weekly) { w.End = 1441 }), "end 00:00 to 24:00"},
		{with(func(w *slot.Weekly) { w.End = 540 }), "starts and ends at 09:00"},
		{with(func(w *slot.Weekly) { w.Every = 53 }), "53 weeks"},
		{with(func(w *slot.Weekly) { w.Every = 2 }), "which week"},
		{with(func(w *slot.Weekly) { w.From, w.To = day, day.Add(-1) }), "before it begins"},
		{slot.Calendar{Zone: time.UTC, Overrides: []slot.Override{{}}}, "no date"},
		{slot.Calendar{Zone: time.UTC, Overrides: []slot.Override{{Date: day, Start: -1}}}, "Override 1: start"},
		{slot.Calendar{Zone: time.UTC, Closures: []slot.Closure{{}}}, "no first day"},
		{slot.Calendar{Zone: time.UTC, Closures: []slot.Closure{{From: day, To: day.Add(-1)}}}, "Closure 1 ends"},
	} {
		err := c.calendar.Validate()
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d: %v, want %s", i, err, c.want)
		}
	}
}

func ExampleNotice_Within() {
	now := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)
	s := slot.Notice{Lead: 2 * time.Hour, Horizon: 24 * time.Hour}.Within(now, slot.Span{From: now.Add(-time.Hour), To: now.AddDate(0, 1, 0)})
	fmt.Println(s.From.Format("02 15:04"), s.To.Format("02 15:04"))
	// Output: 06 11:00 07 09:00
}
