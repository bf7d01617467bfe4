package ical_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/appointment/ical"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	i, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := clock.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// calendar puts lines into a VCALENDAR as it travels.
func calendar(lines string) string {
	return strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\n"+strings.TrimSpace(lines)+"\nEND:VCALENDAR\n", "\n", "\r\n")
}

func event(lines string) string {
	return calendar("BEGIN:VEVENT\nUID:1\n" + strings.TrimSpace(lines) + "\nEND:VEVENT")
}

// outlook is a zone as Outlook defines it, under a name of its own.
const outlook = `BEGIN:VTIMEZONE
TZID:Eastern Standard Time
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
`

func TestReadBusy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		from, to   string
		want       string // busy, in UTC
		refused    string
	}{
		{"a time in UTC", event("DTSTART:20260306T140000Z\nDTEND:20260306T143000Z"), "2026-03-01", "2026-04-01", "06T14:00-06T14:30", ""},
		{"a zone", event("DTSTART;TZID=America/New_York:20260306T090000\nDURATION:PT1H30M"), "2026-03-01", "2026-04-01", "06T14:00-06T15:30", ""},
		{"a zone in quotation marks, with a prefix", event("DTSTART;X=\"a:b;c\";TZID=\"/example.org/2020/Europe/Berlin\":20260306T090000\nDURATION:P0DT15M"), "2026-03-01", "2026-04-01", "06T08:00-06T08:15", ""},
		{"the clinic's own clock", event("DTSTART:20260306T090000\nDTEND:20260306T100000"), "2026-03-01", "2026-04-01", "06T15:00-06T16:00", ""},
		{"a whole day", event("DTSTART;VALUE=DATE:20260308"), "2026-03-01", "2026-04-01", "08T06:00-09T05:00", ""},
		{"days, cut", event("DTSTART;VALUE=DATE:20260306\nDTEND;VALUE=DATE:20260320"), "2026-03-10", "2026-03-12", "10T00:00-12T00:00", ""},
		{"the same date twice is that day", event("DTSTART;VALUE=DATE:20260306\nDTEND;VALUE=DATE:20260306"), "2026-03-01", "2026-04-01", "06T06:00-07T06:00", ""},
		{"free", event("DTSTART:20260306T140000Z\nDTEND:20260306T143000Z\nTRANSP:transparent"), "2026-03-01", "2026-04-01", "", ""},
		{"free in Outlook", event("DTSTART:20260306T140000Z\nDTEND:20260306T143000Z\nX-MICROSOFT-CDO-BUSYSTATUS:FREE"), "2026-03-01", "2026-04-01", "", ""},
		{"cancelled", event("DTSTART:20260306T140000Z\nDTEND:20260306T143000Z\nSTATUS:CANCELLED"), "2026-03-01", "2026-04-01", "", ""},
		{"tentative", event("DTSTART:20260306T140000Z\nDTEND:20260306T143000Z\nSTATUS:TENTATIVE"), "2026-03-01", "2026-04-01", "06T14:00-06T14:30", ""},
		{"a moment", event("DTSTART:20260306T140000Z"), "2026-03-01", "2026-04-01", "", ""},
		{"folded", strings.Replace(event("SUMMARY:long\nDTSTART:20260306T140000Z\nDTEND:20260306T143000Z"), "DTSTART:2026", "DTSTA\r\n RT:20\r\n\t26", 1), "2026-03-01", "2026-04-01", "06T14:00-06T14:30", ""},
		{"bare line ends, a mark before", "\ufeff" + strings.ReplaceAll(event("DTSTART:20260306T140000Z\nDTEND:20260306T143000Z"), "\r", ""), "2026-03-01", "2026-04-01", "06T14:00-06T14:30", ""},
		{"an alarm's own duration", event("DTSTART:20260306T140000Z\nBEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT5H\nDTSTART:20260301T000000Z\nEND:VALARM\nDURATION:PT5M"), "2026-03-01", "2026-04-01", "06T14:00-06T14:05", ""},
		{"weekly across the change", event("DTSTART;TZID=America/New_York:20260302T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY"), "2026-03-01", "2026-03-18", "02T14:00-02T15:00 09T13:00-09T14:00 16T13:00-16T14:00", ""},
		{"in the gap", event("DTSTART;TZID=America/New_York:20260307T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3"), "2026-03-01", "2026-04-01", "07T07:30-07T08:30 08T07:30-08T08:30 09T06:30-09T07:30", ""},
		{"hours over the change", event("DTSTART;TZID=Australia/Sydney:20261004T010000\nDURATION:PT10M\nRRULE:FREQ=HOURLY;COUNT=3"), "2026-10-01", "2026-11-01", "03T15:00-03T15:10 03T16:00-03T16:10 03T17:00-03T17:10", ""},
		{"a night that began before", event("DTSTART;TZID=America/New_York:20200101T220000\nDTEND;TZID=America/New_York:20200102T060000\nRRULE:FREQ=DAILY"), "2026-03-09", "2026-03-10", "09T02:00-09T10:00", ""},
		{"until, a date", event("DTSTART:20260306T140000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260307"), "2026-03-01", "2026-04-01", "06T14:00-06T15:00 07T14:00-07T15:00", ""},
		{"until, an instant", event("DTSTART;TZID=America/New_York:20260306T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260308T130000Z"), "2026-03-01", "2026-04-01", "06T14:00-06T15:00 07T14:00-07T15:00 08T13:00-08T14:00", ""},
		{"exceptions", event("DTSTART;TZID=America/New_York:20260306T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=5\nEXDATE;TZID=America/New_York:20260306T090000,20260308T090000\nEXDATE:20260309T130000Z\nEXDATE;VALUE=DATE:20260310"), "2026-03-01", "2026-04-01", "07T14:00-07T15:00", ""},
		{"an exception rule", event("DTSTART:20260306T140000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\nEXRULE:FREQ=DAILY;INTERVAL=2"), "2026-03-01", "2026-04-01", "07T14:00-07T15:00 09T14:00-09T15:00", ""},
		{"further dates", event("DTSTART:20260306T140000Z\nDURATION:PT1H\nRDATE:20260308T140000Z,20260309T140000Z\nRDATE;VALUE=PERIOD:20260310T010000Z/PT10M,20260310T020000Z/20260310T021500Z"), "2026-03-01", "2026-04-01", "06T14:00-06T15:00 08T14:00-08T15:00 09T14:00-09T15:00 10T01:00-10T01:10 10T02:00-10T02:15", ""},
		{"every year a whole day", event("DTSTART;VALUE=DATE:19800309\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20250309"), "2025-01-01", "2027-01-01", "09T05:00-10T05:00", ""},
		{"one moved, one cancelled", calendar("BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=America/New_York:20260307T090000\nDTSTART:20260307T200000Z\nDURATION:PT1H\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=America/New_York:20260306T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\nEND:VEVENT\n" +
			"BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260308T130000Z\nDTSTART:20260308T130000Z\nSTATUS:CANCELLED\nEND:VEVENT"), "2026-03-01", "2026-04-01", "06T14:00-06T15:00 07T20:00-07T21:00 09T13:00-09T14:00", ""},
		{"one and all that follow", calendar("BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260307T140000Z\nDTSTART:20260307T200000Z\nDURATION:PT1H\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nDTSTART:20260306T140000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT"),
			"2026-03-01", "2026-04-01", "06T14:00-06T15:00 07T14:00-07T15:00 07T20:00-07T21:00", "line 5: a change of this"},
		{"free and busy", calendar("BEGIN:VFREEBUSY\nFREEBUSY:20260306T140000Z/PT1H,20260306T160000Z/20260306T170000Z\nFREEBUSY;FBTYPE=FREE:20260307T140000Z/PT1H\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20260308T140000Z/PT1H\nFREEBUSY:soon\nEND:VFREEBUSY"), "2026-03-01", "2026-04-01",
			"06T14:00-06T15:00 06T16:00-06T17:00 08T14:00-08T15:00", `line 7: FREEBUSY is "soon", not a period`},
		{"Outlook's zone, spring", calendar(outlook + "BEGIN:VEVENT\nDTSTART;TZID=Eastern Standard Time:20260307T023000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT"), "2026-03-01", "2026-04-01", "07T07:30-07T08:00 08T07:30-08T08:00 09T06:30-09T07:00", ""},
		{"Outlook's zone, autumn", calendar("BEGIN:VEVENT\nDTSTART;TZID=\"Eastern Standard Time\":20261031T013000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\n" + outlook), "2026-10-01", "2026-12-01", "31T05:30-31T06:00 01T05:30-01T06:00 02T06:30-02T07:00", ""},
		{"a zone's other name", calendar("BEGIN:VTIMEZONE\nTZID:Home\nX-LIC-LOCATION:Europe/Berlin\nEND:VTIMEZONE\nBEGIN:VEVENT\nDTSTART;TZID=Home:20260306T090000\nDURATION:PT1H\nEND:VEVENT"), "2026-03-01", "2026-04-01", "06T08:00-06T09:00", ""},
		{"dates of a zone", calendar("BEGIN:VTIMEZONE\nTZID:Z\nBEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+013000\nRDATE:20260306T000000\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nDTSTART;TZID=Z:20260306T090000\nDURATION:PT1H\nEND:VEVENT"), "2026-03-01", "2026-04-01", "06T07:30-06T08:30", ""},
		{"a zone that nobody knows", event("DTSTART;TZID=Mars:20260306T090000\nDURATION:PT1H"), "2026-03-01", "2026-04-01", "", "line 5: the time zone Mars is not known"},
		{"a zone without times", calendar("BEGIN:VTIMEZONE\nTZID:Z\nEND:VTIMEZONE"), "2026-03-01", "2026-04-01", "", "line 3: the time zone Z has no times"},
		{"a zone with a wrong offset", calendar("BEGIN:VTIMEZONE\nTZID:Z\nBEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETTO:5\nEND:STANDARD\nEND:VTIMEZONE"), "2026-03-01", "2026-04-01", "", `the time zone Z: TZOFFSETTO is "5", not an offset`},
		{"no start", event("DTEND:20260306T090000"), "2026-03-01", "2026-04-01", "", "line 3: the event has no DTSTART"},
		{"a wrong start", event("DTSTART:tomorrow"), "2026-03-01", "2026-04-01", "", `line 5: DTSTART is "tomorrow", not a time`},
		{"an end before the start", event("DTSTART:20260306T140000Z\nDTEND:20260306T130000Z"), "2026-03-01", "2026-04-01", "", "line 6: DTEND is before DTSTART"},
		{"a wrong duration", event("DTSTART:20260306T140000Z\nDURATION:1H"), "2026-03-01", "2026-04-01", "", `line 6: DURATION is "1H"`},
		{"a century", event("DTSTART:20260306T140000Z\nDTEND:21260306T140000Z"), "2026-03-01", "2026-04-01", "", "ten years"},
		{"a rule that cannot be followed", event("DTSTART:20260306T140000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;RSCALE=CHINESE"), "2026-03-01", "2026-04-01", "", "line 7: RRULE has RSCALE=CHINESE"},
		{"a line that is none", event("Dear all\nDTSTART:20260306T140000Z\nDURATION:PT1H"), "2026-03-01", "2026-04-01", "06T14:00-06T15:00", "line 5: this is no line of a calendar: Dear all"},
		{"a parameter without a value", event("ATTENDEE;CN:x\nDTSTART;TZID=\"a:20260306T140000Z"), "2026-03-01", "2026-04-01", "", "line 5: ATTENDEE has a parameter without a value"},
	} {
		got, err := ical.ReadBusy(strings.NewReader(c.text), slot.Span{From: at(t, c.from+"T00:00:00Z"), To: at(t, c.to+"T00:00:00Z")}, zone(t, "America/Chicago"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var busy []string
		for _, s := range got.Busy {
			busy = append(busy, s.From.UTC().Format("02T15:04")+"-"+s.To.UTC().Format("02T15:04"))
		}
		if strings.Join(busy, " ") != c.want {
			t.Errorf("%s:\ngot  %v\nwant %s", c.name, busy, c.want)
		}
		if refused := fmt.Sprint(got.Refused); !strings.Contains(refused, c.refused) || (c.refused == "") != (len(got.Refused) == 0) {
			t.Errorf("%s: refused %s, want %s", c.name, refused, c.refused)
		}
	}
}

// What is no calendar is said with the line.
func TestNoCalendar(t *testing.T) {
	t.Parallel()
	whole := event("DTSTART:20260306T140000Z\nDURATION:PT1H")
	for _, c := range []struct{ text, want string }{
		{"", "Line 1 of the calendar: this is not a calendar"},
		{"<!DOCTYPE html>\n<html>", "Line 1 of the calendar: this is not a calendar"},
		{"SUMMARY:x", "Line 1 of the calendar: this is not a calendar"},
		{"BEGIN:VEVENT\nEND:VEVENT", "Line 1 of the calendar: VEVENT stands outside a calendar"},
		{whole[:len(whole)-30], "Line 6 of the calendar: the calendar breaks off: END:VEVENT is missing"},
		{strings.Replace(whole, "END:VEVENT\r\n", "", 1), "Line 7 of the calendar: END:VCALENDAR has no BEGIN"},
		{strings.Repeat("BEGIN:VCALENDAR\n", 20), "deep"},
		{calendar(strings.Repeat("BEGIN:X\nEND:X\n", 2*ical.MaxEvents+1)), "more than"},
		{"BEGIN:VCALENDAR\n" + strings.Repeat("X:"+strings.Repeat("y", 1<<20)+"\n", 17), "larger than 16 MB"},
	} {
		_, err := ical.ReadBusy(strings.NewReader(c.text), slot.Span{From: at(t, "2026-03-01T00:00:00Z"), To: at(t, "2026-04-01T00:00:00Z")}, time.UTC)
		if err == nil || !strings.Contains(err.Error(), c.want) || !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMuch) {
			t.Errorf("%.40q: %v, want %s", c.text, err, c.want)
		}
	}
}

// A feed shows a visit and its minutes, folded and in UTC, byte by byte.
func TestWrite(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	start := at(t, "2026-03-06T09:00:00-05:00")
	err := ical.Write(&b, ical.Feed{Name: "Dr Lee; visits", Visit: "Visita", Every: time.Hour}, []ical.Event{
		{ID: "a1@clinic.example", Start: start, End: start.Add(30 * time.Minute), Changed: start.AddDate(0, 0, -1)},
		{ID: "a2@clinic.example", Start: start, End: start.Add(time.Hour), Changed: start, Sequence: 2, Cancelled: true, Title: "Visit: " + strings.Repeat("ñandú ", 20), Text: "a\\b,\r\nc;d\x00\re"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/feed.ics")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("%s", got)
	}
	for l := range strings.SplitSeq(b.String(), "\r\n") {
		if len(l) > 75 || strings.ContainsAny(l, "\r\n\x00") {
			t.Errorf("%d bytes: %q", len(l), l)
		}
	}
	for _, e := range []ical.Event{{ID: "", Start: start, End: start.Add(1)}, {ID: "x", Start: start, End: start}} {
		if err := ical.Write(&b, ical.Feed{}, []ical.Event{e}); err == nil {
			t.Errorf("%v was written", e)
		}
	}
}

// What is written is read again, whatever its texts are.
func TestWrittenIsRead(t *testing.T) {
	t.Parallel()
	from := at(t, "2026-03-01T00:00:00Z")
	rapid.Check(t, func(t *rapid.T) {
		var events []ical.Event
		var want []slot.Span
		for i := range rapid.IntRange(0, 20).Draw(t, "events") {
			start := from.Add(time.Duration(rapid.IntRange(0, 40000).Draw(t, "start")) * time.Minute)
			e := ical.Event{ID: fmt.Sprint(i), Start: start, End: start.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute), Changed: start,
				Cancelled: rapid.Bool().Draw(t, "cancelled"), Title: rapid.String().Draw(t, "title"), Place: rapid.String().Draw(t, "place"), Text: rapid.String().Draw(t, "text")}
			events = append(events, e)
			if !e.Cancelled {
				want = append(want, slot.Span{From: e.Start, To: e.End})
			}
		}
		var b bytes.Buffer
		if err := ical.Write(&b, ical.Feed{Name: rapid.String().Draw(t, "name"), Visit: "Visit"}, events); err != nil {
			t.Fatal(err)
		}
		got, err := ical.ReadBusy(&b, slot.Span{From: from, To: from.AddDate(0, 2, 0)}, time.UTC)
		if err != nil || len(got.Refused) > 0 || got.Events != len(events) || !slices.Equal(got.Busy, slot.Merge(want)) {
			t.Fatalf("%v %v\ngot  %v\nwant %v", err, got.Refused, got.Busy, want)
		}
	})
}

func FuzzReadBusy(f *testing.F) {
	f.Add([]byte(event("DTSTART;TZID=America/New_York:20260307T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260308T073000Z\nRDATE;VALUE=PERIOD:20260310T010000Z/PT10M")))
	f.Add([]byte(calendar(outlook + "BEGIN:VEVENT\nDTSTART;TZID=Eastern Standard Time:20260307T023000\nDURATION:PT30M\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1,-1\nEND:VEVENT")))
	f.Add([]byte(calendar("BEGIN:VFREEBUSY\nFREEBUSY:20260306T140000Z/PT1H\nEND:VFREEBUSY")))
	f.Add([]byte(event("DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:00010102\nRRULE:FREQ=YEARLY;BYWEEKNO=53,-1;BYDAY=MO;INTERVAL=999999")))
	f.Add([]byte(event("DTSTART:99991231T235960Z\nDURATION:P3000D\nRRULE:FREQ=SECONDLY;BYHOUR=3\nEXRULE:FREQ=MINUTELY")))
	within := slot.Span{From: at(f, "2026-03-01T00:00:00Z"), To: at(f, "2026-04-01T00:00:00Z")}
	z := zone(f, "Australia/Lord_Howe")
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ical.ReadBusy(bytes.NewReader(b), within, z)
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMuch) {
				t.Errorf("an error that is nobody's: %v", err)
			}
			return
		}
		for i, s := range got.Busy {
			if s.From.Before(within.From) || within.To.Before(s.To) || !s.From.Before(s.To) || i > 0 && !got.Busy[i-1].To.Before(s.From) {
				t.Errorf("%v is not within, in order and apart", s)
			}
		}
	})
}
