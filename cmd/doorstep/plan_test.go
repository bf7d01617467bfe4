package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/journey/weeks"
)

// monthFile is a month whose needs are put in the place of ⟨⟩.
const monthFile = `{"from":"2026-03-02","days":14,"tz":"America/New_York","home":{"lat":40.80,"lon":-77.86},
"places":[{"id":"clinic","lat":40.83,"lon":-77.80},{"id":"shop","lat":40.82,"lon":-77.83}],
"limits":{"out":"08:00","in":"18:00"},"needs":[⟨⟩]}`

const echo = `{"id":"echo","window":["2026-03-09","2026-03-13"],"minutes":45,"ways":[{"id":"at-clinic","mode":"clinic","place":"clinic","wait_min":15,"openings":[{"days":[2,4],"start":"09:00","end":"16:00"}]}]}`
const food = `{"id":"food","minutes":30,"window":["2026-03-09","2026-03-13"],"ways":[{"id":"van","mode":"delivery","cost":40},{"id":"store","mode":"shop","place":"shop","openings":[{"days":[1,2,3,4,5],"start":"08:00","end":"20:00"}]}]}`

type planned struct {
	Burden, Bound float64
	Optimal       bool
	Items         []struct {
		Need, Way  string
		Start, End time.Time
		Moved      bool
	}
	Trips []struct {
		Leave, Return time.Time
		Stops         []struct{ Need string }
	}
	Unmet []struct {
		Need    string
		Reasons map[string]string
	}
	Parts struct {
		ContactDays int `json:"contact_days"`
	}
}

func plan(t *testing.T, text string) (p planned) {
	t.Helper()
	code, out, errs := do(t, "plan", file(t, "ruth.json", text), "--json")
	if code != 0 || json.Unmarshal([]byte(out), &p) != nil || strings.Count(out, "\n") != 1 {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	return p
}

// The groceries go with the echo, on one day; alone they would be delivered.
func TestPlanBundles(t *testing.T) {
	t.Parallel()
	in := func(needs string) string { return strings.Replace(monthFile, "⟨⟩", needs, 1) }
	both := plan(t, in(echo+","+food))
	if len(both.Trips) != 1 || len(both.Trips[0].Stops) != 2 || !both.Optimal || both.Bound != both.Burden || both.Parts.ContactDays != 1 {
		t.Errorf("%+v", both)
	}
	if d := both.Items[0].Start; d.Weekday() != time.Tuesday || d.Day() != 10 || d.Hour() < 9 {
		t.Errorf("the echo begins at %v", d)
	}
	alone := plan(t, in(food))
	if len(alone.Trips) != 0 || alone.Items[0].Way != "van" {
		t.Errorf("%+v", alone)
	}
	late := plan(t, in(strings.ReplaceAll(echo, "2026-03-13", "2026-03-09")+","+food))
	if len(late.Unmet) != 1 || late.Unmet[0].Reasons["at-clinic"] != "it is not open within the window" || len(late.Items) != 1 {
		t.Errorf("%+v", late)
	}
}

// What was promised stays, unless it is no longer possible.
func TestPlanKeepsPromises(t *testing.T) {
	t.Parallel()
	promised := strings.Replace(monthFile, "⟨⟩", strings.Replace(echo, `"minutes":45`, `"minutes":45,"promised":{"way":"at-clinic","start":"2026-03-12T15:00:00-04:00"}`, 1), 1)
	stays := plan(t, promised)
	if it := stays.Items[0]; it.Moved || it.Start.Day() != 12 || it.Start.Hour() != 15 {
		t.Errorf("%+v", it)
	}
	moves := plan(t, strings.Replace(promised, `"days":[2,4]`, `"days":[2]`, 1))
	if it := moves.Items[0]; !it.Moved || it.Start.Day() != 10 {
		t.Errorf("%+v", it)
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	in := func(needs string) string { return strings.Replace(monthFile, "⟨⟩", needs, 1) }
	for _, c := range []struct{ name, text, errs string }{
		{"no JSON", "{", "this is not JSON"},
		{"nothing", "{}", `has no "from"`},
		{"no days", strings.Replace(in(echo), `"days":14`, `"days":0`, 1), "days is 0 (want a whole number, 1 to 400 days)"},
		{"a word too much", strings.Replace(in(echo), `"days":14`, `"days":14,"nights":2`, 1), `has "nights", which is not known`},
		{"a place that is not there", in(strings.Replace(echo, `"place":"clinic"`, `"place":"moon"`, 1)), `need "echo": way "at-clinic": place "moon" is not known`},
		{"a clinic without a place", in(strings.Replace(echo, `"place":"clinic",`, ``, 1)), "needs[0].ways[0] has no place"},
		{"a mode that says nothing", in(strings.Replace(food, `"delivery"`, `"magic"`, 1)), `needs[0].ways[0].mode is "magic", which says nothing`},
		{"a window backwards", in(strings.Replace(echo, `"2026-03-13"`, `"2026-03-01"`, 1)), "needs[0].window does not end after it begins"},
		{"a window of one", in(strings.Replace(echo, `,"2026-03-13"`, ``, 1)), "needs[0].window has 1 members"},
		{"an id twice", in(echo + "," + echo), `need 1: its id "echo" is empty or taken`},
		{"after nothing", in(strings.Replace(echo, `"minutes":45`, `"minutes":45,"after":["x"]`, 1)), `it comes after "x", which is not another need`},
		{"after itself round a corner", in(strings.Replace(echo, `"minutes":45`, `"minutes":45,"after":["food"]`, 1) + "," + strings.Replace(food, `"minutes":30`, `"minutes":30,"after":["echo"]`, 1)), "comes after itself"},
		{"a weight below nothing", strings.Replace(in(echo), `"days":14`, `"days":14,"weights":{"travel":-1}`, 1), "weights.travel is -1"},
		{"a promise of no way", in(strings.Replace(echo, `"minutes":45`, `"minutes":45,"promised":{"way":"x","start":"2026-03-12T15:00:00-04:00"}`, 1)), `the promised way "x" is not one of its ways`},
	} {
		code, out, errs := do(t, "plan", file(t, "ruth.json", c.text))
		if code != 1 || out != "" || !strings.Contains(errs, c.errs) || !strings.Contains(errs, "ruth.json: ") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: %d %s%s", c.name, code, out, errs)
		}
	}
}

// Whatever a file holds, it is read or refused with a sentence.
func FuzzPlanFile(f *testing.F) {
	f.Add([]byte(strings.Replace(monthFile, "⟨⟩", echo+","+food, 1)))
	f.Add([]byte(`{"from":"2026-03-02T00:00:00Z","days":1,"travel":{"speed_kmh":5},"limits":{"never_days":[7]},"prefer":[{"start":"00:00","end":"24:00","minutes":5}],"needs":[{"id":"a","ways":[{"id":"b","mode":"phone","minutes":5,"openings":[]}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := readJSON(bytes.NewReader(b), 1<<20)
		var w *weeks.Weeks
		if err == nil {
			w, err = readWeeks(doc)
		}
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMuch) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			return
		}
		if len(w.Needs) > 3 || w.Days > 30 {
			return
		}
		if _, err := w.Plan(); err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
	})
}
