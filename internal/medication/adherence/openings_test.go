package adherence

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorstep/internal/sharedtest"
)

// study reads the sample folder.
func study(t *testing.T) *Study {
	t.Helper()
	dir := filepath.Dir(sharedtest.Path(t, "data/devices/adherence/electronic_monitoring/AuxiliaryData_EMInfo.csv"))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var s Study
	for _, e := range entries {
		kind := TableOf(e.Name())
		if kind == "" {
			continue
		}
		if err := s.Read(kind, sample(t, "electronic_monitoring/"+e.Name())); err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
	}
	return &s
}

// TestCleanADHdata compares with every monitor-day and patient-day of the published example.
func TestCleanADHdata(t *testing.T) {
	t.Parallel()
	s := study(t)
	byMonitor := map[string][]DosingDay{}
	byPatient := map[string][][]DosingDay{}
	for _, m := range s.Monitors() {
		days, err := m.Days(DayStart)
		if err != nil {
			t.Fatal(err)
		}
		byMonitor[m.Patient+" "+m.Monitor] = days
		byPatient[m.Patient] = append(byPatient[m.Patient], days)
	}
	scored, n := 0, 0
	for _, row := range rows(t, "electronic_monitoring/implementation_by monitor.csv") {
		id := row[0] + " " + row[1]
		if len(byMonitor[id]) == 0 {
			t.Fatalf("%s: no day for %v", id, row)
		}
		d := byMonitor[id][0]
		byMonitor[id] = byMonitor[id][1:]
		n++
		verdict := ""
		if d.Scored() {
			scored++
			verdict = "0"
			if d.Implemented() {
				verdict = "1"
			}
		}
		got := []string{d.On.String() + " 00:00:00", strconv.Itoa(d.Recorded), strconv.Itoa(d.Added), strconv.Itoa(d.Corrected()), strconv.Itoa(d.Expected), verdict}
		if want := []string{row[2], row[3], row[4], row[5], row[6], row[8]}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
	for id, rest := range byMonitor {
		if len(rest) > 0 {
			t.Errorf("%s: %d days too many", id, len(rest))
		}
	}
	t.Logf("%d monitor-days, %d scored", n, scored)
	days := map[string][]PatientDay{}
	for id, monitors := range byPatient {
		days[id] = Together(monitors...)
	}
	for _, row := range rows(t, "electronic_monitoring/implementation_by patient.csv") {
		if len(days[row[0]]) == 0 {
			t.Fatalf("no day for %v", row)
		}
		d := days[row[0]][0]
		days[row[0]] = days[row[0]][1:]
		verdict := ""
		if d.Scored {
			verdict = "0"
			if d.Implemented {
				verdict = "1"
			}
		}
		if d.On.String()+" 00:00:00" != row[1] || strconv.Itoa(d.Monitors) != row[2] || verdict != row[3] {
			t.Errorf("%+v, want %v", d, row)
		}
	}
	for _, row := range rows(t, "electronic_monitoring/implementation_summary by monitor.csv") {
		for _, m := range s.Monitors() {
			if m.Patient == row[0] && m.Monitor == row[1] {
				days, _ := m.Days(DayStart)
				if got := Implementation(days); !same(got, number(t, row[2]), 1e-12) {
					t.Errorf("%v: %v", row, got)
				}
			}
		}
	}
}

func wall(s string) time.Time {
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return at
}

// TestDays holds a small case worked by hand.
func TestDays(t *testing.T) {
	t.Parallel()
	m := Monitor{Patient: "p", Monitor: "m", Period: Period{day(0), day(7)},
		Openings: []time.Time{wall("2024-01-01 02:59"), wall("2024-01-01 03:00"), wall("2024-01-02 02:59"), wall("2024-01-03 12:00"),
			wall("2024-01-09 02:00"), wall("2024-01-09 03:00")},
		Corrections: []Correction{{day(1), 1}, {day(1), 1}, {day(2), -1}, {day(100), 5}},
		Away:        []Period{{day(4), day(4)}, {day(30), day(40)}},
		Regimens:    []Regimen{{Period{day(-10), day(1)}, 2, 0, 0}, {Period{day(2), day(6)}, 1, 2, 1}}}
	days, err := m.Days(DayStart)
	if err != nil {
		t.Fatal(err)
	}
	want := []DosingDay{
		{day(0), 2, 0, 2, true, true},
		{day(1), 0, 2, 2, true, true},
		{day(2), 1, -1, 1, true, true},
		{day(3), 0, 0, 1, true, true},
		{day(4), 0, 0, 0, true, false}, // off, and away
		{day(5), 0, 0, 1, true, true},
		{day(6), 0, 0, 1, true, true},
		{day(7), 1, 0, 0, false, true}, // no regimen
	}
	if !slices.Equal(days, want) {
		t.Errorf("%+v\nwant %+v", days, want)
	}
	if got := Implementation(days); !same(got, 2./6, 1e-12) {
		t.Errorf("implementation %v", got)
	}
	if got, _ := m.Days(0); got[0].Recorded != 2 || got[1].Recorded != 1 || got[2].Recorded != 1 {
		t.Errorf("days from midnight: %+v", got)
	}
	m.Regimens = append(m.Regimens, Regimen{Period{day(6), day(6)}, 1, 0, 0})
	if _, err := m.Days(DayStart); err == nil || !strings.Contains(err.Error(), "two regimens on 2024-01-07") {
		t.Error(err)
	}
	if days, err := (Monitor{Period: Period{day(1), day(0)}}).Days(DayStart); err != nil || days != nil {
		t.Error("days of no period")
	}
}

// TestEMERGE holds cases worked by hand. A letter is a day: its digit the doses taken, of 1 prescribed; o nothing prescribed,
// x not monitored.
func TestEMERGE(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days           string
		taking, capped float64
		correct        float64
		from, to, n    int
		holidays       []Period
		none           bool
	}{
		{days: "1111", taking: 1, capped: 1, correct: 1, from: 0, to: 3, n: 4},
		{days: "1021", taking: 1, capped: .75, correct: .5, from: 0, to: 3, n: 4},
		{days: "001000100", taking: 2. / 9, capped: 2. / 9, correct: 2. / 9, from: 2, to: 6, n: 5, holidays: []Period{{day(3), day(5)}}},
		{days: "100o01", taking: 2. / 5, capped: 2. / 5, correct: 2. / 5, from: 0, to: 5, n: 6, holidays: []Period{{day(1), day(4)}}},
		{days: "100x01", taking: 2. / 5, capped: 2. / 5, correct: 2. / 5, from: 0, to: 5, n: 6},
		{days: "0000", taking: 0, capped: 0, correct: 0, none: true},
		{days: "xo", taking: nan, capped: nan, correct: nan, none: true},
		{days: "", taking: nan, capped: nan, correct: nan, none: true},
	} {
		var days []DosingDay
		for i, r := range c.days {
			d := DosingDay{On: day(i), Expected: 1, Known: true, Monitored: true}
			switch r {
			case 'o':
				d.Expected = 0
			case 'x':
				d.Monitored = false
			default:
				d.Recorded = int(r - '0')
			}
			days = append(days, d)
		}
		if got := Taking(days, false); !same(got, c.taking, 1e-12) {
			t.Errorf("%q: taking %v", c.days, got)
		}
		if got := Taking(days, true); !same(got, c.capped, 1e-12) {
			t.Errorf("%q: taking, capped %v", c.days, got)
		}
		if got := CorrectDosing(days); !same(got, c.correct, 1e-12) {
			t.Errorf("%q: correct dosing %v", c.days, got)
		}
		p, ok := Persisted(days)
		if ok == c.none || ok && p != (Persistence{day(c.from), day(c.to), c.n}) {
			t.Errorf("%q: persistence %+v %v", c.days, p, ok)
		}
		if got := Holidays(days, HolidayDays); !slices.Equal(got, c.holidays) {
			t.Errorf("%q: holidays %v", c.days, got)
		}
	}
	doses := []time.Time{wall("2024-01-03 14:00"), wall("2024-01-01 08:00"), wall("2024-01-02 08:00"), wall("2024-01-05 08:00")} // 24, 30, 42 hours
	if got := Timing(doses, 24*time.Hour, 0.25); !same(got, 2./3, 1e-12) {
		t.Errorf("timing %v", got)
	}
	if !math.IsNaN(Timing(doses[:1], 24*time.Hour, 0.25)) || !math.IsNaN(OnTime(doses, nil, time.Hour)) {
		t.Error("timing of nothing")
	}
	due := []time.Time{wall("2024-01-01 08:30"), wall("2024-01-02 08:00"), wall("2024-01-02 08:30"), wall("2024-01-03 08:00")}
	if got := OnTime(doses, due, time.Hour); !same(got, .5, 1e-12) {
		t.Errorf("on time %v", got)
	}
}

func TestStudyRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind       Table
		file, want string
	}{
		{EventList, "PatientCode,Monitor,Date\nA,1,2024-01-01 25:00\n", `line 2: Date "2024-01-01 25:00" is not a time (want YYYY-MM-DD hh:mm:ss)`},
		{EventList, "PatientCode,Date\n", "line 1: the header has no column Monitor, it has PatientCode,Date"},
		{EventList, "PatientCode,Monitor,Date\n,1,2024-01-01\n", "line 2: PatientCode or Monitor is empty"},
		{EMInfo, "PatientCode,Monitor,StartDate,EndDate\nA,1,2024-01-02,2024-01-01\n", "line 2: EndDate 2024-01-01 comes before StartDate 2024-01-02"},
		{EMInfo, "PatientCode,Monitor,StartDate,EndDate\nA,1,0024-01-02,2024-01-01\n", "line 2: from 0024-01-02 to 2024-01-01 is longer than a life"},
		{EMInfo, "PatientCode,Monitor,StartDate,EndDate\nA,1,2024-01-01,2024-01-01\nA,1,2024-01-01,2024-01-01\n", "line 3: patient A, monitor 1: a second period"},
		{Regimens, "PatientCode,Monitor,ExpectedOpenings,StartDate,EndDate,On,Off\nA,1,1,2024-01-01,2024-01-05,,\nA,1,2,2024-01-05,2024-01-05,,\n",
			"line 3: patient A, monitor 1: overlaps the regimen from 2024-01-01 to 2024-01-05"},
		{Regimens, "PatientCode,Monitor,ExpectedOpenings,StartDate,EndDate,On,Off\nA,1,1.5,2024-01-01,2024-01-05,,\n", `line 2: ExpectedOpenings "1.5" is not a whole number`},
		{Regimens, "PatientCode,Monitor,ExpectedOpenings,StartDate,EndDate,On,Off\nA,1,1,2024-01-01,2024-01-05,21,\n", "line 2: On and Off go together"},
		{Regimens, "PatientCode,Monitor,ExpectedOpenings,StartDate,EndDate\nA,1,-1,2024-01-01,2024-01-05\n", "line 2: ExpectedOpenings, On and Off cannot be below 0"},
		{AddedOpenings, "PatientCode,Monitor,Date,AddedOpenings\nA,1,2024-01-01,x\n", `line 2: AddedOpenings "x" is not a number`},
		{NonMonitoredPeriods, "PatientCode,Monitor,StartDate,EndDate\nA,1,2024-01-01,\n", `line 2: EndDate "" is not a date (want YYYY-MM-DD or MM/DD/YYYY)`},
	} {
		var s Study
		if err := s.Read(c.kind, strings.NewReader(c.file)); err == nil || err.Error() != c.want {
			t.Errorf("%q: %v, want %s", c.file, err, c.want)
		}
	}
	var s Study
	if err := s.Read(EventList, strings.NewReader("PatientCode,Monitor,Date\nA,1,2024-01-01\n")); err != nil {
		t.Fatal(err)
	}
	if got := s.Strays(); !slices.Equal(got, []string{"patient A, monitor 1"}) || len(s.Monitors()) != 0 {
		t.Errorf("strays %v", got)
	}
}

func FuzzStudy(f *testing.F) {
	f.Add("PatientCode,Monitor,StartDate,EndDate\nA,1,2024-01-01,2024-03-01\n", "PatientCode,Monitor,ExpectedOpenings,StartDate,EndDate,On,Off\nA,1,1,2024-01-01,2024-01-05,1,1\n",
		"PatientCode,Monitor,Date\nA,1,2024-01-01 07:00:01\n")
	f.Fuzz(func(t *testing.T, info, regimen, events string) {
		var s Study
		if s.Read(EMInfo, strings.NewReader(info)) != nil || s.Read(Regimens, strings.NewReader(regimen)) != nil || s.Read(EventList, strings.NewReader(events)) != nil {
			return
		}
		for _, m := range s.Monitors() {
			days, err := m.Days(DayStart)
			if err != nil {
				t.Fatal(err)
			}
			if len(days) != m.To.Sub(m.From)+1 {
				t.Fatal(len(days))
			}
			if v := Implementation(days); v < 0 || v > 1 {
				t.Fatal(v)
			}
		}
	})
}
