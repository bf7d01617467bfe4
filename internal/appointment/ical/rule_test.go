package ical

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// found answers the occurrences of a rule in UTC, as a calendar writes them.
func found(t *testing.T, start, text, from, to string) (string, error) {
	t.Helper()
	civil := func(s string) int64 {
		at, err := readStamp(line{}, s)
		if err != nil {
			t.Fatal(err)
		}
		return at.civil
	}
	r, err := readRule(line{name: "RRULE", value: text})
	if err != nil {
		return "", err
	}
	steps := maxSteps
	set := recurrence{rule: r, start: civil(start), zone: fixed(0), from: civil(from), to: civil(to), steps: &steps}
	var out []string
	err = set.each(func(c int64) bool {
		out = append(out, time.Unix(c, 0).UTC().Format("20060102T150405"))
		return true
	})
	return strings.Join(out, " "), err
}

// Four hundred random rules are what another program makes of them (testdata/rules.py).
func TestRulesAreDateutils(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Start, Rule, From, To, Found string }
	if err := json.Unmarshal(b, &cases); err != nil || len(cases) < 400 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		if got, err := found(t, c.Start, c.Rule, c.From, c.To); err != nil || got != c.Found {
			t.Errorf("%s from %s, %s to %s: %v\ngot  %s\nwant %s", c.Rule, c.Start, c.From, c.To, err, got, c.Found)
		}
	}
}

// Examples of RFC 5545 section 3.8.5.3, and what a rule leaves to DTSTART.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ start, rule, to, want string }{
		{"19970902T090000", "FREQ=DAILY;COUNT=3", "20000101T000000", "19970902T090000 19970903T090000 19970904T090000"},
		{"19970902T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "20000101T000000", "19970904T090000 19971007T090000 19971106T090000"},
		{"19970902T090000", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "19980401T000000", "19980213T090000 19980313T090000"},
		{"19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "20000101T000000", "19970512T090000 19980511T090000 19990517T090000"},
		{"19970512T090000", "FREQ=YEARLY;BYWEEKNO=20", "20000101T000000", "19970512T090000 19980511T090000 19990517T090000"},
		{"19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "20000101T000000", "19970805T090000 19970810T090000 19970819T090000 19970824T090000"},
		{"19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "20000101T000000", "19970805T090000 19970817T090000 19970819T090000 19970831T090000"},
		{"19961105T090000", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "20041201T000000", "19961105T090000 20001107T090000 20041102T090000"},
		{"20240229T090000", "FREQ=YEARLY", "20330101T000000", "20240229T090000 20280229T090000 20320229T090000"},
		{"20240131T090000", "FREQ=MONTHLY", "20240601T000000", "20240131T090000 20240331T090000 20240531T090000"},
		{"20240131T090000", "FREQ=MONTHLY;UNTIL=20240331", "20240601T000000", "20240131T090000 20240331T090000"},
		{"20240101T000000", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "99990101T000000", ""},
		{"20240103T090000", "freq=weekly; byday=we;", "20240111T000000", "20240103T090000 20240110T090000"},
	} {
		if got, err := found(t, c.start, c.rule, c.start, c.to); err != nil || got != c.want {
			t.Errorf("%s from %s: %v\ngot  %s\nwant %s", c.rule, c.start, err, got, c.want)
		}
	}
	for rule, want := range map[string]string{
		"COUNT=3": "how often", "FREQ=OFTEN": "FREQ=OFTEN", "FREQ=DAILY;INTERVAL=0": "INTERVAL=0", "FREQ=DAILY;COUNT=-1": "COUNT", "FREQ=DAILY;UNTIL=soon": "not a time",
		"FREQ=DAILY;BYHOUR=24": "BYHOUR=24", "FREQ=MONTHLY;BYDAY=XX": "BYDAY=XX", "FREQ=MONTHLY;BYDAY=0MO": "BYDAY", "FREQ=MONTHLY;BYDAY=M": "BYDAY", "FREQ=WEEKLY;BYDAY=2MO": "numbers a weekday",
		"FREQ=MONTHLY;BYWEEKNO=3": "BYWEEKNO", "FREQ=HOURLY;BYMINUTE=1": "within a day", "FREQ=YEARLY;RSCALE=HEBREW": "RSCALE", "FREQ=DAILY;WKST=X": "WKST", "FREQ=YEARLY;BYMONTH=1,x": "BYMONTH",
		"FREQ=SECONDLY;COUNT=1000000000": "more often",
		"FREQ=DAILY;COUNT=1000000000;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,1,2,3,4,5,6,7,8,9,10,11;BYSECOND=0,1,2,3,4,5": "more often",
	} {
		if got, err := found(t, "20240101T000000", rule, "20900101T000000", "99990101T000000"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v %s", rule, err, got)
		}
	}
}
