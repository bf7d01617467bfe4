package main

import (
	"bytes"
	"strings"
	"testing"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/fault"
)

// visitFile is a file whose resource begins with what is put in the place of ⟨⟩.
const visitFile = `{"from":"2026-03-06T00:00:00-05:00","to":"2026-03-10T00:00:00-04:00","duration_min":60,"grid_min":60,
"pools":[{"resources":[⟨⟩]}]}`

const night = `{"id":"dr","tz":"America/New_York","weekly":[{"days":[7],"start":"01:00","end":"05:00"}]`

func TestSlots(t *testing.T) {
	t.Parallel()
	in := func(resources string) string { return strings.Replace(visitFile, "⟨⟩", resources, 1) }
	and := func(one, pool string) string {
		return strings.TrimSuffix(one, "]}") + `,{"resources":[` + pool + `]}]}`
	}
	for _, c := range []struct {
		name, text string
		code       int
		out, errs  string // out whole, errs a part
	}{
		{"the night of the change", in(night + `}`), 0, `{"start":"2026-03-08T01:00:00-05:00","choices":[["dr"]]}
{"start":"2026-03-08T03:00:00-04:00","choices":[["dr"]]}
{"start":"2026-03-08T04:00:00-04:00","choices":[["dr"]]}
`, ""},
		{"buffers and busy", in(night + `,"buffer_before_min":3,"buffer_after_min":0,"busy":[{"from":"2026-03-08T07:59:00Z","to":"2026-03-08T08:01:00Z"}]}`), 0, "", ""},
		{"a closed day", in(night + `,"overrides":[{"date":"2026-03-08"}]}`), 0, "", ""},
		{"a closure", in(night + `,"closures":[{"from":"2026-03-08T05:00:00Z","to":"2026-03-08T08:00:00Z"}]}`), 0, `{"start":"2026-03-08T04:00:00-04:00","choices":[["dr"]]}
`, ""},
		{"an override", in(night + `,"overrides":[{"date":"2026-03-08","start":"23:00","end":"24:00"}],"closures":[{"from":"2026-01-01"}]}`), 0, `{"start":"2026-03-08T23:00:00-04:00","choices":[["dr"]]}
`, ""},
		{"other weeks", in(`{"id":"dr","tz":"America/New_York","weekly":[{"days":[7],"start":"01:00","end":"05:00","every":2,"anchor":"2026-03-09"}]}`), 0, "", ""},
		{"clocks of the choice", strings.Replace(in(night+`},{"id":"k","tz":"Asia/Kolkata","weekly":[{"days":[1],"start":"09:00","end":"10:00"}]}`), `"grid_min"`, `"tz":"UTC","grid_min"`, 1), 0,
			`{"start":"2026-03-08T06:00:00Z","choices":[["dr"]]}
{"start":"2026-03-08T07:00:00Z","choices":[["dr"]]}
{"start":"2026-03-08T08:00:00Z","choices":[["dr"]]}
`, ""},
		{"one person in two pools", and(in(night+`}`), `{"id":"dr"},{"id":"b","tz":"America/New_York","weekly":[{"days":[7],"start":"01:00","end":"03:00"}]}`), 0,
			`{"start":"2026-03-08T01:00:00-05:00","choices":[["dr"],["b"]]}
`, ""},
		{"no JSON", "{\n\"from\":", 1, "", "line 2: this is not JSON"},
		{"a list", "[]", 1, "", "the file is [], not an object"},
		{"nothing in it", "{}", 1, "", `the file has no "from"`},
		{"a word too much", in(night + `,"buffer":5}`), 1, "", `pools[0].resources[0] has "buffer", which is not known (want id, tz, weekly,`},
		{"no zone", in(`{"id":"dr","weekly":[]}`), 1, "", "pools[0].resources[0] has no tz"},
		{"a wrong zone", in(`{"id":"dr","tz":"Mars","weekly":[]}`), 1, "", `pools[0].resources[0].tz is "Mars", which is not a time zone (want one like`},
		{"never open", in(`{"id":"dr","tz":"UTC"}`), 1, "", "is never open"},
		{"day 8", in(`{"id":"dr","tz":"UTC","weekly":[{"days":[8],"start":"01:00","end":"02:00"}]}`), 1, "", "weekly[0].days[0] is 8 (want a whole number, 1 Monday to 7 Sunday)"},
		{"no days", in(`{"id":"dr","tz":"UTC","weekly":[{"days":[],"start":"01:00","end":"02:00"}]}`), 1, "", "days is empty"},
		{"25:00", in(`{"id":"dr","tz":"UTC","weekly":[{"days":[1],"start":"25:00","end":"02:00"}]}`), 1, "", `start is "25:00" (want a time of day like 09:00)`},
		{"start is end", in(`{"id":"dr","tz":"UTC","weekly":[{"days":[1],"start":"09:00","end":"09:00"}]}`), 1, "", "a whole day is 00:00 to 24:00"},
		{"weeks without an anchor", in(`{"id":"dr","tz":"UTC","weekly":[{"days":[1],"start":"09:00","end":"10:00","every":2}]}`), 1, "", `want "anchor"`},
		{"half an override", in(night + `,"overrides":[{"date":"2026-03-08","start":"01:00"}]}`), 1, "", "a start or an end alone"},
		{"no such date", in(night + `,"overrides":[{"date":"2026-02-30"}]}`), 1, "", `overrides[0].date is "2026-02-30" (want a date like`},
		{"busy backwards", in(night + `,"busy":[{"from":"2026-03-08T08:00:00Z","to":"2026-03-08T07:00:00Z"}]}`), 1, "", "busy[0].to is before from"},
		{"busy without an offset", in(night + `,"busy":[{"from":"2026-03-08T08:00:00","to":"2026-03-08T07:00:00Z"}]}`), 1, "", "want a time with its offset"},
		{"a buffer of two days", in(night + `,"buffer_after_min":2880}`), 1, "", "buffer_after_min is 2880 (want a whole number, 0 to 1440 minutes)"},
		{"an id twice", in(night + `},` + night + `}`), 1, "", `pools[0].resources[1] has the id "dr" a second time`},
		{"an id of two people", and(in(night+`}`), `{"id":"dr","tz":"UTC","weekly":[]}`), 1, "", `pools[1].resources[0] has the id "dr" of pools[0].resources[0] and is not alike`},
		{"an empty pool", in(""), 1, "", "pools[0].resources is empty"},
		{"no pools", strings.Replace(visitFile, `{"resources":[⟨⟩]}`, "", 1), 1, "", "pools is empty"},
		{"a grid of 7", strings.Replace(in(night+`}`), `"grid_min":60`, `"grid_min":7`, 1), 1, "", "grid_min is not a multiple of 5"},
		{"a visit of no time", strings.Replace(in(night+`}`), `"duration_min":60`, `"duration_min":0`, 1), 1, "", "duration_min is 0"},
		{"an end before the beginning", strings.Replace(in(night+`}`), "2026-03-10", "2026-03-01", 1), 1, "", "to is not after from"},
		{"a hundred years", strings.Replace(in(night+`}`), "2026-03-10", "2126-03-01", 1), 1, "", "to is more than 796 days after from"},
	} {
		code, out, errs := do(t, "slots", file(t, "visit.json", c.text), "--json")
		if code != c.code || out != c.out || !strings.Contains(errs, c.errs) || (errs == "") != (c.errs == "") || strings.Count(errs, "\n") > 1 {
			t.Errorf("%s: %d\n%s%s", c.name, code, out, errs)
		}
		if c.code == 1 && !strings.Contains(errs, "visit.json: ") {
			t.Errorf("%s: the file is not named: %s", c.name, errs)
		}
	}
	if code, _, errs := do(t, "slots", "/nowhere/visit.json"); code != 1 || errs != "doorstep: /nowhere/visit.json cannot be opened: no such file or directory\n" {
		t.Errorf("no file: %d %s", code, errs)
	}
	if code, _, errs := do(t, "slots"); code != 2 || !strings.Contains(errs, "<file>") {
		t.Errorf("no argument: %d %s", code, errs)
	}
}

// Whatever a file holds, it is read or refused with a sentence, and what is found fits its grid.
func FuzzSlotsFile(f *testing.F) {
	f.Add([]byte(strings.Replace(visitFile, "⟨⟩", night+`,"closures":[{"from":"2026-03-08"}],"busy":[{"from":"2026-03-08T07:59:00Z","to":"2026-03-08T08:01:00Z"}],"buffer_before_min":7}`, 1)))
	f.Add([]byte(strings.Replace(visitFile, "⟨⟩", `{"id":"a","tz":"UTC","overrides":[{"date":"2026-03-07","start":"22:00","end":"06:00"}]}`, 1)))
	f.Add([]byte(`{"from":null,"to":[],"duration_min":1e9,"grid_min":-5,"pools":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := readJSON(bytes.NewReader(b), 1<<20)
		var s *search
		if err == nil {
			s, err = readSearch(doc)
		}
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMuch) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			return
		}
		var found slot.Starts
		if err := s.index.Find(s.query, &found); err != nil {
			t.Fatal(err)
		}
		for start := range found.All {
			if start.Before(s.query.Within.From) || s.query.Within.To.Before(start.Add(s.query.Duration)) || len(found.Choices(start, 0, nil)) == 0 {
				t.Fatalf("%s is no start", start)
			}
		}
	})
}
