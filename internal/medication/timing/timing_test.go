package timing

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func day(t testing.TB, s string) clock.Day {
	t.Helper()
	d, err := clock.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func parse(t testing.TB, text, authored string) (Regimen, error) {
	t.Helper()
	if !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	var list []fhir.Dosage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return Parse(list, day(t, authored))
}

// shown prints doses as "MM-DD HH:MM" in the person's zone, joined by ", ".
func shown(doses []Dose, z *time.Location) string {
	var out []string
	for _, d := range doses {
		out = append(out, d.Due.In(z).Format("01-02 15:04"))
	}
	return strings.Join(out, ", ")
}

// The worked cases are authored on Wednesday 7 January 2026 and asked for days from there on, in New York.
func TestWorkedCases(t *testing.T) {
	t.Parallel()
	ny := zone(t, "America/New_York")
	p := Person{Zone: ny, Routine: DefaultRoutine}
	for _, c := range []struct {
		name, dosage string
		days         int
		want         string
	}{
		{"once a day", `{"timing":{"repeat":{"frequency":1,"period":1.0,"periodUnit":"d"}}}`, 2, "01-07 08:00, 01-08 08:00"},
		{"BID is not q12h", `{"timing":{"code":{"coding":[{"code":"BID"}]}}}`, 1, "01-07 08:00, 01-07 18:00"},
		{"TID", `{"timing":{"code":{"text":"TID"}}}`, 1, "01-07 08:00, 01-07 12:30, 01-07 18:00"},
		{"QID", `{"timing":{"code":{"text":"QID"}}}`, 1, "01-07 08:00, 01-07 12:30, 01-07 18:00, 01-07 22:00"},
		{"AM", `{"timing":{"code":{"text":"AM"}}}`, 1, "01-07 08:00"},
		{"PM", `{"timing":{"code":{"text":"PM"}}}`, 1, "01-07 18:00"},
		{"BED", `{"timing":{"code":{"text":"BED"}}}`, 1, "01-07 22:00"},
		{"QOD", `{"timing":{"code":{"text":"QOD"}}}`, 4, "01-07 08:00, 01-09 08:00"},
		{"Q8H", `{"timing":{"code":{"text":"Q8H"}}}`, 2, "01-07 08:00, 01-07 16:00, 01-08 00:00, 01-08 08:00, 01-08 16:00"},
		{"WK", `{"timing":{"code":{"text":"WK"}}}`, 15, "01-07 08:00, 01-14 08:00, 01-21 08:00"},
		{"MO", `{"timing":{"code":{"text":"MO"}}}`, 60, "01-07 08:00, 02-07 08:00, 03-07 08:00"},
		{"six a day", `{"timing":{"repeat":{"frequency":6,"period":1,"periodUnit":"d"}}}`, 1,
			"01-07 07:00, 01-07 10:00, 01-07 13:00, 01-07 16:00, 01-07 19:00, 01-07 22:00"},
		{"1 to 2 a day is planned as 1", `{"timing":{"repeat":{"frequency":1,"frequencyMax":2,"period":1,"periodUnit":"d"}}}`, 1, "01-07 08:00"},
		{"every 4 to 6 hours is planned as 6", `{"timing":{"repeat":{"frequency":1,"period":4,"periodMax":6,"periodUnit":"h"}}}`, 1, "01-07 08:00, 01-07 14:00, 01-07 20:00"},
		{"three a week", `{"timing":{"repeat":{"frequency":3,"period":1,"periodUnit":"wk"}}}`, 7, "01-07 08:00, 01-09 08:00, 01-11 08:00"},
		{"Monday and Thursday", `{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"wk","dayOfWeek":["mon","thu"]}}}`, 8, "01-08 08:00, 01-12 08:00"},
		{"twice a week on two days", `{"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"wk","dayOfWeek":["mon","thu"]}}}`, 8, "01-08 08:00, 01-12 08:00"},
		{"every two weeks on Monday", `{"timing":{"repeat":{"frequency":1,"period":2,"periodUnit":"wk","dayOfWeek":["mon"]}}}`, 30, "01-12 08:00, 01-26 08:00"},
		{"weekdays only", `{"timing":{"repeat":{"dayOfWeek":["sat","sun"]}}}`, 8, "01-10 08:00, 01-11 08:00"},
		{"times of day", `{"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d","timeOfDay":["09:15:00","21:15:00"]}}}`, 1, "01-07 09:15, 01-07 21:15"},
		{"times of day alone", `{"timing":{"repeat":{"timeOfDay":["21:15","09:15:00"]}}}`, 1, "01-07 09:15, 01-07 21:15"},
		{"before meals", `{"timing":{"repeat":{"frequency":3,"period":1,"periodUnit":"d","when":["AC"]}}}`, 1, "01-07 07:30, 01-07 12:00, 01-07 17:30"},
		{"before a meal, twice", `{"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d","when":["AC"]}}}`, 1, "01-07 07:30, 01-07 17:30"},
		{"an hour after breakfast", `{"timing":{"repeat":{"when":["PCM"],"offset":60}}}`, 1, "01-07 09:00"},
		{"with lunch and dinner", `{"timing":{"repeat":{"when":["CD","CV"]}}}`, 1, "01-07 12:30, 01-07 18:00"},
		{"half an hour before bed", `{"timing":{"repeat":{"when":["HS"],"offset":30}}}`, 1, "01-07 21:30"},
		{"parts of the day", `{"timing":{"repeat":{"when":["MORN.early","MORN","MORN.late","NOON","AFT","EVE","EVE.late","NIGHT","PHS"]}}}`, 1,
			"01-07 07:00, 01-07 08:00, 01-07 10:15, 01-07 12:00, 01-07 15:15, 01-07 18:00, 01-07 20:00, 01-07 22:00, 01-07 22:30"},
		{"every 8 hours at three times keeps the wall", `{"timing":{"repeat":{"frequency":1,"period":8,"periodUnit":"h","timeOfDay":["06:00","14:00","22:00"]}}}`, 1, "01-07 06:00, 01-07 14:00, 01-07 22:00"},
		{"every 12 hours from 06:00", `{"timing":{"repeat":{"frequency":1,"period":12,"periodUnit":"h","timeOfDay":["06:00"]}}}`, 1, "01-07 06:00, 01-07 18:00"},
		{"five days", `{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","boundsDuration":{"value":5,"code":"d"}}}}`, 9,
			"01-07 08:00, 01-08 08:00, 01-09 08:00, 01-10 08:00, 01-11 08:00"},
		{"a day of q8h is three", `{"timing":{"code":{"text":"Q8H"},"repeat":{"boundsDuration":{"value":1,"code":"d"}}}}`, 9, "01-07 08:00, 01-07 16:00, 01-08 00:00"},
		{"three to five days are three", `{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","boundsRange":{"low":{"value":3,"unit":"d"},"high":{"value":5,"unit":"d"}}}}}`, 9,
			"01-07 08:00, 01-08 08:00, 01-09 08:00"},
		{"a period", `{"timing":{"repeat":{"frequency":1,"period":2,"periodUnit":"d","boundsPeriod":{"start":"2026-01-08","end":"2026-01-12"}}}}`, 20,
			"01-08 08:00, 01-10 08:00, 01-12 08:00"},
		{"a period from an instant", `{"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d","boundsPeriod":{"start":"2026-01-08T12:00:00-05:00","end":"2026-01-09T12:00:00-05:00"}}}}`, 20,
			"01-08 18:00, 01-09 08:00"},
		{"four doses", `{"timing":{"repeat":{"count":4,"frequency":3,"period":1,"periodUnit":"d"}}}`, 9, "01-07 08:00, 01-07 12:30, 01-07 18:00, 01-08 08:00"},
		{"a code with a count", `{"timing":{"code":{"text":"BID"},"repeat":{"count":3}}}`, 9, "01-07 08:00, 01-07 18:00, 01-08 08:00"},
		{"events", `{"timing":{"event":["2026-01-08","2026-01-09T10:00:00-05:00"]}}`, 9, "01-08 08:00, 01-09 10:00"},
		{"a taper", `[{"sequence":1,"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","boundsDuration":{"value":2,"code":"d"}}}},
			{"sequence":2,"timing":{"repeat":{"frequency":1,"period":2,"periodUnit":"d","boundsDuration":{"value":4,"code":"d"}}}}]`, 20,
			"01-07 08:00, 01-08 08:00, 01-09 08:00, 01-11 08:00"},
		{"morning and evening together", `[{"timing":{"repeat":{"when":["EVE"]}}},{"timing":{"repeat":{"when":["MORN"]}}}]`, 1, "01-07 08:00, 01-07 18:00"},
		{"as needed", `{"asNeededBoolean":true,"timing":{"repeat":{"frequency":1,"period":4,"periodUnit":"h"}}}`, 5, ""},
		{"first Monday of each month", `{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"mo","dayOfWeek":["mon"],"boundsPeriod":{"start":"2026-02-01"}}}}`, 60, "02-02 08:00, 03-02 08:00"},
		{"half a day", `{"timing":{"repeat":{"frequency":1,"period":0.5,"periodUnit":"d"}}}`, 1, "01-07 08:00, 01-07 20:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := parse(t, c.dosage, "2026-01-07")
			if err != nil {
				t.Fatal(err)
			}
			from := clock.At(day(t, "2026-01-07"), 0, ny)
			if got := shown(r.Doses(p, from, clock.At(day(t, "2026-01-07").Add(c.days), 0, ny)), ny); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWhatCannotBeFollowedSaysWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ dosage, want string }{
		{`[]`, "dosageInstruction: "},
		{`{"text":"as directed"}`, "dosageInstruction[0].timing: "},
		{`{"timing":{}}`, "dosageInstruction[0].timing: "},
		{`{"timing":{"code":{"text":"whenever"}}}`, "dosageInstruction[0].timing.code: "},
		{`{"timing":{"repeat":{"frequency":1,"period":0,"periodUnit":"d"}}}`, "dosageInstruction[0].timing.repeat.period: "},
		{`{"timing":{"repeat":{"frequency":1,"period":1}}}`, "dosageInstruction[0].timing.repeat.periodUnit: "},
		{`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"fortnight"}}}`, "dosageInstruction[0].timing.repeat.periodUnit: "},
		{`{"timing":{"repeat":{"frequency":99,"period":1,"periodUnit":"d"}}}`, "dosageInstruction[0].timing.repeat.frequency: "},
		{`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"s"}}}`, "dosageInstruction[0].timing.repeat.period: "},
		{`{"timing":{"repeat":{"timeOfDay":["08:00:00"],"when":["HS"]}}}`, "dosageInstruction[0].timing.repeat.when: "},
		{`{"timing":{"repeat":{"when":["CM"],"offset":30}}}`, "dosageInstruction[0].timing.repeat.when[0]: "},
		{`{"timing":{"repeat":{"when":["TEATIME"]}}}`, "dosageInstruction[0].timing.repeat.when[0]: "},
		{`{"timing":{"repeat":{"timeOfDay":["08:00:30"]}}}`, "dosageInstruction[0].timing.repeat.timeOfDay[0]: "},
		{`{"timing":{"repeat":{"frequency":3,"period":1,"periodUnit":"d","timeOfDay":["08:00","20:00"]}}}`, "dosageInstruction[0].timing.repeat.frequency: "},
		{`{"timing":{"repeat":{"dayOfWeek":["monday"]}}}`, "dosageInstruction[0].timing.repeat.dayOfWeek[0]: "},
		{`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","boundsPeriod":{"start":"2026-02-01","end":"2026-01-01"}}}}`, "dosageInstruction[0].timing.repeat.boundsPeriod: "},
		{`{"timing":{"event":["soon"]}}`, "dosageInstruction[0].timing.event[0]: "},
		{`{"timing":{"code":{"text":"QD"}},"doseAndRate":[{"doseQuantity":{"value":0}}]}`, "dosageInstruction[0].doseAndRate: "},
		{`[{"sequence":1,"timing":{"code":{"text":"QD"}}},{"sequence":2,"timing":{"code":{"text":"BID"}}}]`, "dosageInstruction[1].sequence: "},
	} {
		_, err := parse(t, c.dosage, "2026-01-07")
		if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s\nanswers %v, want %s…", c.dosage, err, c.want)
		}
	}
}

func TestAsNeededGuards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dosage string
		want   Guard
	}{
		{`{"asNeededBoolean":true}`, Guard{}},
		{`{"asNeededBoolean":true,"timing":{"repeat":{"frequency":1,"period":4,"periodMax":6,"periodUnit":"h"}}}`, Guard{MinInterval: 4 * time.Hour}},
		{`{"asNeededCodeableConcept":{"text":"pain"},"timing":{"repeat":{"frequency":1,"frequencyMax":3,"period":1,"periodUnit":"d"}}}`, Guard{MaxDoses: 3, Per: 24 * time.Hour}},
		{`{"asNeededBoolean":true,"timing":{"code":{"text":"Q6H"}},"maxDosePerPeriod":{"numerator":{"value":4,"unit":"g"},"denominator":{"value":24,"code":"h"}}}`,
			Guard{MinInterval: 6 * time.Hour, MaxAmount: 4, Unit: "g", Per: 24 * time.Hour}},
	} {
		r, err := parse(t, c.dosage, "2026-01-07")
		if err != nil || !r.AsNeeded || r.Guard != c.want {
			t.Errorf("%s: %+v %v, want %+v", c.dosage, r.Guard, err, c.want)
		}
	}
}

func TestBedAfterMidnight(t *testing.T) {
	t.Parallel()
	r, err := parse(t, `{"timing":{"repeat":{"when":["HS","MORN"]}},"doseAndRate":[{"doseQuantity":{"value":2,"unit":"tablet"}}]}`, "2026-01-07")
	if err != nil {
		t.Fatal(err)
	}
	routine := DefaultRoutine
	routine.Bed = clock.WallAt(0, 30)
	doses := r.Doses(Person{Zone: time.UTC, Routine: routine}, time.Date(2026, 1, 8, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 9, 0, 0, 0, 0, time.UTC))
	if got := shown(doses, time.UTC); got != "01-08 00:30, 01-08 08:00" {
		t.Error(got)
	}
	if doses[0].Index != 0 || doses[1].Index != 1 || doses[0].Amount != 2 || doses[0].Unit != "tablet" || doses[0].Day != day(t, "2026-01-08") {
		t.Errorf("%+v", doses)
	}
}

// Any two windows that meet answer together what the whole answers: a dose does not depend on who asks.
func TestWindowsAgree(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{zone(t, "America/New_York"), zone(t, "Australia/Lord_Howe"), zone(t, "Europe/Lisbon")}
	rapid.Check(t, func(rt *rapid.T) {
		rule := fhir.Repeat{
			Frequency:  rapid.IntRange(0, 6).Draw(rt, "frequency"),
			Period:     fhir.Decimal(rapid.SampledFrom([]string{"1", "2", "3", "8"}).Draw(rt, "period")),
			PeriodUnit: rapid.SampledFrom([]string{"h", "d", "wk", "mo"}).Draw(rt, "unit"),
			DayOfWeek:  rapid.SampledFrom([][]string{nil, nil, {"mon"}, {"tue", "sat"}}).Draw(rt, "days"),
			When:       rapid.SampledFrom([][]string{nil, nil, {"HS"}, {"AC"}}).Draw(rt, "when"),
			Count:      rapid.SampledFrom([]int{0, 0, 7, 50}).Draw(rt, "count"),
		}
		r, err := Parse([]fhir.Dosage{{Timing: &fhir.Timing{Repeat: &rule}}}, clock.Day{Year: 2026, Month: 2, Date: 20})
		if err != nil {
			return
		}
		p := Person{Zone: rapid.SampledFrom(zones).Draw(rt, "zone"), Routine: DefaultRoutine}
		p.Routine.Bed = clock.Wall(rapid.SampledFrom([]int{0, 30, 1320, 1439}).Draw(rt, "bed"))
		from := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 80*24*60).Draw(rt, "from")) * time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(0, 60*24*60).Draw(rt, "length")) * time.Minute)
		mid := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))).Draw(rt, "mid")))
		whole, parts := r.Doses(p, from, to), append(r.Doses(p, from, mid), r.Doses(p, mid, to)...)
		if len(whole) != len(parts) {
			rt.Fatalf("%d doses in the whole, %d in the parts", len(whole), len(parts))
		}
		for i := range whole {
			if whole[i] != parts[i] {
				rt.Fatalf("dose %d: %+v and %+v", i, whole[i], parts[i])
			}
			if i > 0 && whole[i].Due.Before(whole[i-1].Due) {
				rt.Fatal("out of order")
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","when":["AC"],"dayOfWeek":["mon"],"count":3}}}`))
	f.Add([]byte(`{"sequence":2,"timing":{"code":{"text":"Q8H"},"repeat":{"boundsDuration":{"value":1e3,"code":"h"}}}}`))
	f.Add([]byte(`{"asNeededBoolean":true,"maxDosePerPeriod":{"numerator":{"value":4},"denominator":{"value":1,"code":"d"}}}`))
	from := time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		var d fhir.Dosage
		if json.Unmarshal(text, &d) != nil {
			return
		}
		r, err := Parse([]fhir.Dosage{d, d}, clock.Day{Year: 2026, Month: 1, Date: 7})
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, dose := range r.Doses(Person{Routine: DefaultRoutine}, from, from.AddDate(0, 0, 9)) {
			if dose.Due.Before(from) || dose.Index < 0 {
				t.Fatalf("%+v", dose)
			}
		}
	})
}
