package timing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
)

const cycleOf = `"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/timing-daysOfCycle","extension":[`

func cycleDay(n string) string { return `{"url":"day","valueInteger":` + n + `}` }

func TestCycles(t *testing.T) {
	t.Parallel()
	p := Person{Zone: time.UTC, Routine: DefaultRoutine}
	for _, c := range []struct{ name, days, repeat, want string }{
		{"two on, two off", cycleDay("1") + "," + cycleDay("2"), `"frequency":1,"period":4,"periodUnit":"d"`, "01-07 08:00, 01-08 08:00, 01-11 08:00, 01-12 08:00, 01-15 08:00"},
		{"twice on each of its days", cycleDay("1") + "," + cycleDay("3"), `"frequency":4,"period":1,"periodUnit":"wk"`,
			"01-07 08:00, 01-07 18:00, 01-09 08:00, 01-09 18:00, 01-14 08:00, 01-14 18:00"},
		{"at bedtime", cycleDay("2"), `"when":["HS"],"period":5,"periodUnit":"d"`, "01-08 22:00, 01-13 22:00"},
		{"counted", cycleDay("1") + "," + cycleDay("2"), `"count":3,"frequency":1,"period":4,"periodUnit":"d"`, "01-07 08:00, 01-08 08:00, 01-11 08:00"},
	} {
		r, err := parse(t, `{"timing":{`+cycleOf+c.days+`]}],"repeat":{`+c.repeat+`}}}`, "2026-01-07")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		from := time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC)
		if got := shown(r.Doses(p, from, from.AddDate(0, 0, 9)), time.UTC); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	// The length of a pill pack: 21 days on, 7 off, for a year.
	var pack []string
	for i := 1; i <= 21; i++ {
		pack = append(pack, cycleDay(clock.Wall(i).String()[3:]))
	}
	r, err := parse(t, `{"timing":{`+cycleOf+strings.ReplaceAll(strings.Join(pack, ","), `:0`, `:`)+`]}],"repeat":{"period":28,"periodUnit":"d"}}}`, "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if n := len(r.Doses(p, from, from.AddDate(0, 0, 364))); n != 21*13 {
		t.Errorf("%d doses in 13 packs, want %d", n, 21*13)
	}
}

func TestWhatElseIsRefused(t *testing.T) {
	t.Parallel()
	day := cycleOf + cycleDay("1") + `]}],`
	for _, c := range []struct{ dosage, want string }{
		{`{"timing":{` + day + `"repeat":{"when":["HS"]}}}`, "timing.repeat.period: "},
		{`{"timing":{` + day + `"repeat":{"period":1,"periodUnit":"d"}}}`, "timing.repeat.period: "},
		{`{"timing":{` + day + `"repeat":{"period":28,"periodUnit":"d","dayOfWeek":["mon"]}}}`, "timing.repeat.dayOfWeek: "},
		{`{"timing":{` + cycleOf + cycleDay("9") + `]}],"repeat":{"period":7,"periodUnit":"d"}}}`, "timing.extension: "},
		{`{"timing":{` + cycleOf + cycleDay("0") + `]}],"repeat":{"period":7,"periodUnit":"d"}}}`, "timing.extension[0].extension[0]: "},
		{`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","duration":2,"durationUnit":"d"}}}`, "timing.repeat.duration: "},
		{`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","duration":2}}}`, "timing.repeat.durationUnit: "},
		{`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","durationUnit":"h"}}}`, "timing.repeat.duration: "},
		{`{"timing":{"code":{"text":"BID"},"modifierExtension":[{"url":"x"}]}}`, "modifierExtension: "},
		{`{"modifierExtension":[{"url":"x"}],"timing":{"code":{"text":"BID"}}}`, "modifierExtension: "},
	} {
		_, err := parse(t, c.dosage, "2026-01-07")
		if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "dosageInstruction[0]."+c.want) {
			t.Errorf("%s\nanswers %v, want %s…", c.dosage, err, c.want)
		}
	}
	if _, err := parse(t, `{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"wk","duration":7,"durationUnit":"d"}}}`, "2026-01-07"); err != nil {
		t.Errorf("a patch that is worn for its week: %v", err)
	}
}

// Fault 16: what becomes of the doses when the person goes from New York to Berlin and back, by each policy.
func TestFault16Policies(t *testing.T) {
	t.Parallel()
	ny, berlin := zone(t, "America/New_York"), zone(t, "Europe/Berlin")
	east := Move{time.Date(2026, 6, 3, 16, 0, 0, 0, time.UTC), berlin} // noon in New York, 18:00 in Berlin
	west := Move{time.Date(2026, 6, 6, 16, 0, 0, 0, time.UTC), ny}     // the way back
	for _, c := range []struct {
		name, dosage string
		clock        Clock
		want         string // in UTC
	}{
		{"nobody was asked: home's clock", `{"timing":{"code":{"text":"BID"}}}`, Clock{Home: ny}, "06-03 12:00, 06-03 22:00, 06-04 12:00, 06-04 22:00, 06-05 12:00, 06-05 22:00"},
		{"home-zone lock", `{"timing":{"code":{"text":"BID"}}}`, Clock{Policy: Home, Home: ny, Moves: []Move{east}}, "06-03 12:00, 06-03 22:00, 06-04 12:00, 06-04 22:00, 06-05 12:00, 06-05 22:00"},
		{"wall: 18:00 in Berlin is four hours after breakfast, too soon; a dose by the old clock bridges the night", `{"timing":{"code":{"text":"BID"}}}`,
			Clock{Home: ny, Moves: []Move{east}}, "06-03 12:00, 06-03 22:00, 06-04 06:00, 06-04 16:00, 06-05 06:00, 06-05 16:00"},
		{"once a day", `{"timing":{"code":{"text":"QD"}}}`, Clock{Home: ny, Moves: []Move{east}}, "06-03 12:00, 06-04 06:00, 06-05 06:00"},
		{"every 8 hours stays", `{"timing":{"code":{"text":"Q8H"}}}`, Clock{Home: ny, Moves: []Move{east}},
			"06-03 04:00, 06-03 12:00, 06-03 20:00, 06-04 04:00, 06-04 12:00, 06-04 20:00, 06-05 04:00, 06-05 12:00, 06-05 20:00"},
		{"and back", `{"timing":{"code":{"text":"QD"}}}`, Clock{Home: ny, Moves: []Move{east, west}}, "06-03 12:00, 06-04 06:00, 06-05 06:00, 06-06 06:00, 06-07 12:00"},
	} {
		r, err := parse(t, c.dosage, "2026-06-01")
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(2026, 6, 3, 4, 0, 0, 0, time.UTC)
		days := 3
		if len(c.clock.Moves) > 1 {
			days = 5
		}
		got := shown(r.Follow(c.clock, DefaultRoutine, from, from.AddDate(0, 0, days)), time.UTC)
		if got != c.want && !(len(c.clock.Moves) > 1 && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// Fault 15: by the interval policy twice a day stays 24 hours apart from day to day when clocks change at home.
func TestFault15IntervalPolicy(t *testing.T) {
	t.Parallel()
	ny := zone(t, "America/New_York")
	r, err := parse(t, `{"timing":{"code":{"text":"QD"}}}`, "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	doses := r.Follow(Clock{Policy: Interval, Home: ny}, DefaultRoutine, from, from.AddDate(1, 0, 0))
	if len(doses) != 365 {
		t.Errorf("%d doses", len(doses))
	}
	for i := 1; i < len(doses); i++ {
		if gap := doses[i].Due.Sub(doses[i-1].Due); gap != 24*time.Hour {
			t.Fatalf("%v before %v", gap, doses[i].Due)
		}
	}
}

// A rule by the wall clock gives on every one of its days the doses that it says, in ten zones, also where clocks change; two doses
// of one instruction never meet.
func TestDosesPerDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 24).Draw(rt, "n")
		z := zone(t, rapid.SampledFrom(tenZones).Draw(rt, "zone"))
		start := clock.Day{Year: 2007, Month: 1, Date: 1}.Add(rapid.IntRange(0, 20*365).Draw(rt, "day"))
		r, err := Parse([]fhir.Dosage{{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: n, Period: "1", PeriodUnit: "d"}}}}, start)
		if err != nil {
			rt.Fatal(err)
		}
		per := map[clock.Day]int{}
		doses := r.Doses(Person{Zone: z, Routine: DefaultRoutine}, clock.At(start, 0, z), clock.At(start.Add(5), 0, z))
		for i, d := range doses {
			per[d.Day]++
			if i > 0 && !d.Due.After(doses[i-1].Due) {
				rt.Fatalf("%v and %v", doses[i-1].Due, d.Due)
			}
		}
		for i := range 5 {
			d := start.Add(i)
			if want := n; per[d] != want && exists(d, z) {
				rt.Fatalf("%d doses on %v in %v, want %d", per[d], d, z, want)
			}
		}
	})
}

// However a person travels, no two doses of a medicine come closer than half of what is usual, and no window changes what another
// answers.
func TestFault16NoTwoDosesTooClose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rule := fhir.Repeat{Frequency: rapid.IntRange(1, 4).Draw(rt, "n"), Period: fhir.Decimal(rapid.SampledFrom([]string{"1", "2", "7"}).Draw(rt, "period")), PeriodUnit: "d"}
		r, err := Parse([]fhir.Dosage{{Timing: &fhir.Timing{Repeat: &rule}}}, clock.Day{Year: 2026, Month: 2, Date: 1})
		if err != nil {
			rt.Skip()
		}
		c := Clock{Home: zone(t, rapid.SampledFrom(tenZones).Draw(rt, "home"))}
		at := time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 4).Draw(rt, "moves") {
			at = at.Add(time.Duration(rapid.IntRange(1, 10*24*60).Draw(rt, "stay")) * time.Minute)
			c.Moves = append(c.Moves, Move{at, zone(t, rapid.SampledFrom(tenZones).Draw(rt, "zone"))})
		}
		from, to := time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		doses := r.Follow(c, DefaultRoutine, from, to)
		least := usual(r.Doses(Person{Zone: time.UTC, Routine: DefaultRoutine}, from, to))/2 - time.Hour // clocks may change too
		for i := 1; i < len(doses); i++ {
			if gap := doses[i].Due.Sub(doses[i-1].Due); gap < least {
				rt.Fatalf("%v between %v and %v, want %v", gap, doses[i-1].Due, doses[i].Due, least)
			}
		}
		mid := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))).Draw(rt, "mid")))
		same := func(a, b Dose) bool { return a.Due.Equal(b.Due) && a.Wall == b.Wall }
		if parts := append(r.Follow(c, DefaultRoutine, from, mid), r.Follow(c, DefaultRoutine, mid, to)...); !slices.EqualFunc(doses, parts, same) {
			rt.Fatalf("%d doses in the whole, %d in the parts", len(doses), len(parts))
		}
	})
}

// Whoever takes a dose as soon as the guard lets them never breaks it, and never waits longer than it asks.
func TestGuardKeepsItsLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		g := Guard{MinInterval: time.Duration(rapid.IntRange(0, 8).Draw(rt, "hours")) * time.Hour, MaxDoses: rapid.IntRange(0, 5).Draw(rt, "doses"),
			MaxAmount: float64(rapid.IntRange(0, 8).Draw(rt, "amount")), Per: 24 * time.Hour}
		var taken []Intake
		now := time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)
		for range 30 {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "wait")) * time.Minute)
			amount := float64(rapid.IntRange(1, 3).Draw(rt, "take"))
			at, ok := g.Earliest(taken, amount)
			if !ok {
				if g.MaxAmount == 0 || amount <= g.MaxAmount {
					rt.Fatal("refused for good")
				}
				continue
			}
			if at.After(now) {
				if breaks(g, append(slices.Clone(taken), Intake{at.Add(-time.Nanosecond), amount})) == breaks(g, append(slices.Clone(taken), Intake{at, amount})) {
					rt.Fatalf("%v is not the first time", at)
				}
				now = at
			}
			taken = append(taken, Intake{now, amount})
			if breaks(g, taken) {
				rt.Fatalf("%+v is broken by %v", g, taken)
			}
		}
	})
}

// breaks looks at every dose on its own: an oracle.
func breaks(g Guard, taken []Intake) bool {
	for i, x := range taken {
		n, sum := 0, 0.0
		for k, y := range taken {
			d := x.At.Sub(y.At)
			if k != i && d.Abs() < g.MinInterval {
				return true
			}
			if d >= 0 && d < g.Per {
				n++
				sum += y.Amount
			}
		}
		if g.MaxDoses > 0 && n > g.MaxDoses || g.MaxAmount > 0 && sum > g.MaxAmount {
			return true
		}
	}
	return false
}
