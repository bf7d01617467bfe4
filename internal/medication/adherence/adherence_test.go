package adherence

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"doorstep/internal/clock"
)

var nan = math.NaN()

func day(n int) clock.Day { return clock.Day{Year: 2024, Month: 1, Date: 1}.Add(n) }

// TestMeasure holds cases worked by hand.
func TestMeasure(t *testing.T) {
	t.Parallel()
	late := []Fill{{On: day(0), Days: 30}, {On: day(40), Days: 30}} // ten days late; then twenty days too few
	for _, c := range []struct {
		name  string
		fills []Fill
		o     Options
		want  Measures
	}{
		{"late", late, Options{Length: 90}, Measures{30. / 40, 60. / 90, 30. / 40, 60. / 90, 30. / 40, 60. / 90, 60. / 90, 60. / 90,
			(0.75*40 + 30./690*50) / 90}},
		{"in any order", []Fill{late[1], late[0]}, Options{Length: 90}, Measures{30. / 40, 60. / 90, 30. / 40, 60. / 90, 30. / 40, 60. / 90, 60. / 90, 60. / 90,
			(0.75*40 + 30./690*50) / 90}},
		{"the window begins in the supply", late, Options{Start: 20, Length: 40}, Measures{nan, 30. / 20, nan, 1, nan, 1, 30. / 40, 20. / 30,
			(0.75*20 + 30./690*20) / 40}},
		{"the window begins in the gap", late, Options{Start: 35, Length: 10}, Measures{nan, 30. / 5, nan, 1, nan, 1, 5. / 10, 5. / 10, (0.75*5 + 30./690*5) / 10}},
		{"a window after all supply", late, Options{Start: 200, Length: 100}, Measures{nan, nan, nan, nan, nan, nan, 0, 0, 30. / 690}},
		{"a window all in supply", late, Options{Start: 1, Length: 10}, Measures{nan, nan, nan, nan, nan, nan, 1, nan, 0.75}},
		{"early", []Fill{{On: day(0), Days: 60}, {On: day(30), Days: 30}}, Options{FollowUp: 100, Length: 100},
			Measures{2, .9, 1, .9, 1, .9, .9, .9, (30 + (60./70)*70) / 100}},
		{"early, another category", []Fill{{On: day(0), Days: 60, Category: "a"}, {On: day(30), Days: 30, Category: "b"}},
			Options{FollowUp: 100, Length: 100, SameCategory: true}, Measures{2, .9, 1, .9, 1, .6, .6, .6, (30 + (30./70)*70) / 100}},
		{"early, twice the dose", []Fill{{On: day(0), Days: 60, PerDay: 1}, {On: day(30), Days: 30, PerDay: 2}},
			Options{FollowUp: 100, Length: 100, DoseChange: true}, Measures{2, .9, 1, .9, 1, .75, .75, .75, (30 + (45./70)*70) / 100}},
		{"twice on one day", []Fill{{On: day(0), Days: 30}, {On: day(0), Days: 30}}, Options{FollowUp: 100, Length: 100},
			Measures{nan, .6, nan, .6, nan, .6, .6, .6, .6}},
		{"one fill", []Fill{{On: day(0), Days: 30}}, Options{FollowUp: 100, Length: 100}, Measures{nan, .3, nan, .3, nan, .3, .3, .3, .3}},
		{"a window of no length", late, Options{Start: 730}, Measures{nan, nan, nan, nan, nan, nan, nan, nan, nan}},
		{"a fill on the window's last day", late, Options{Length: 40}, Measures{30. / 40, 60. / 40, 30. / 40, 1, 30. / 40, 30. / 40, 30. / 40, 30. / 40, 30. / 40}},
		{"a window before the first fill", late, Options{Start: -5, Length: 40}, Measures{nan, nan, nan, nan, nan, nan, nan, nan, nan}},
		{"a window out of follow-up", late, Options{FollowUp: 30, Length: 40}, Measures{nan, nan, nan, nan, nan, nan, nan, nan, nan}},
		{"nobody", nil, Options{}, Measures{nan, nan, nan, nan, nan, nan, nan, nan, nan}},
	} {
		got := Measure(c.fills, c.o)
		for i := range got {
			if !same(got[i], c.want[i], 1e-12) {
				t.Errorf("%s: CMA%d is %v, want %v", c.name, i+1, got[i], c.want[i])
			}
		}
	}
}

func TestPDC(t *testing.T) {
	t.Parallel()
	fills := []Fill{{On: day(0), Days: 30}, {On: day(20), Days: 30}}
	for _, c := range []struct {
		name  string
		fills []Fill
		until int
		away  []Period
		want  float64
	}{
		{"supply overlaps", fills, 100, nil, .6},
		{"ten days in hospital use nothing", fills, 100, []Period{{day(10), day(19)}}, 60. / 90},
		{"in hospital after all supply", fills, 100, []Period{{day(90), day(200)}}, 60. / 90},
		{"always in hospital", fills, 100, []Period{{day(-5), day(200)}}, nan},
		{"no day", fills, 0, nil, nan},
		{"nobody", nil, 10, nil, nan},
	} {
		if got := PDC(c.fills, day(c.until), c.away); !same(got, c.want, 1e-12) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if a, b := PDC(fills, day(100), nil), Measure(fills, Options{Length: 100}).CMA(7); !same(a, b, 1e-12) {
		t.Errorf("PDC %v is not CMA7 %v", a, b)
	}
}

func TestEpisodes(t *testing.T) {
	t.Parallel()
	fills := []Fill{{On: day(0), Days: 30, Category: "a"}, {On: day(40), Days: 30, Category: "a"}, {On: day(200), Days: 30, Category: "b"}}
	for _, c := range []struct {
		o    EpisodeOptions
		want []Episode
	}{
		{EpisodeOptions{MaxGap: 90, Options: Options{FollowUp: 300}}, []Episode{{day(0), day(70), 70, 130}, {day(200), day(300), 100, 70}}},
		{EpisodeOptions{MaxGap: 50, Options: Options{FollowUp: 300}}, []Episode{{day(0), day(70), 70, 130}, {day(200), day(230), 30, 70}}},
		{EpisodeOptions{MaxGap: 200, Options: Options{FollowUp: 300}}, []Episode{{day(0), day(300), 300, 70}}},
		{EpisodeOptions{MaxGap: 200, CategoryChange: true, Options: Options{FollowUp: 300}}, []Episode{{day(0), day(70), 70, 130}, {day(200), day(300), 100, 70}}},
	} {
		got := Episodes(fills, c.o)
		if len(got) != len(c.want) {
			t.Errorf("%+v: %+v, want %+v", c.o, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%+v: %+v, want %+v", c.o, got[i], c.want[i])
			}
		}
	}
	if Episodes(nil, EpisodeOptions{}) != nil {
		t.Error("episodes of nobody")
	}
}

func TestReadFills(t *testing.T) {
	t.Parallel()
	const header = "PATIENT_ID,DATE,PERDAY,CATEGORY,DURATION\n"
	for _, c := range []struct{ file, want string }{
		{header, ""},
		{header + "b,2024-01-02,4,x,30\na,1/1/2024,,,7.5\nb,01/01/2024,4,y,30\n", "b:2024-01-02/30,2024-01-01/30 a:2024-01-01/7.5"},
		{"PATIENT_ID,DATE,PERDAY,CATEGORY,DAYS\n", "line 1: the header has no column DURATION, it has PATIENT_ID,DATE,PERDAY,CATEGORY,DAYS"},
		{header + "a,2024-02-30,4,x,30\n", `line 2: DATE "2024-02-30" is not a date (want YYYY-MM-DD or MM/DD/YYYY)`},
		{header + "a,2024-02-01,4,x,30\na,2024-02-01,4,x,0\n", "line 3: DURATION 0 is not above 0"},
		{header + "a,2024-02-01,-4,x,30\n", "line 2: PERDAY -4 is below 0"},
		{header + "a,2024-02-01,4,x,NA\n", `line 2: DURATION "NA" is not a number`},
		{header + ",2024-02-01,4,x,1\n", "line 2: PATIENT_ID is empty"},
	} {
		people, err := ReadFills(strings.NewReader(c.file))
		if err != nil {
			if err.Error() != c.want {
				t.Errorf("%q: %v, want %s", c.file, err, c.want)
			}
			continue
		}
		if got := describe(people); got != c.want {
			t.Errorf("%q: %s, want %s", c.file, got, c.want)
		}
	}
}

func describe(p *People) string {
	var out []string
	for i := range p.Len() {
		id, fills := p.At(i)
		var list []string
		for _, f := range fills {
			list = append(list, f.On.String()+"/"+strconv.FormatFloat(f.Days, 'g', -1, 64))
		}
		out = append(out, id+":"+strings.Join(list, ","))
	}
	return strings.Join(out, " ")
}

func FuzzReadFills(f *testing.F) {
	f.Add("PATIENT_ID,DATE,PERDAY,CATEGORY,DURATION\nb,2024-01-02,4,x,30\na,1/1/2024,,,7.5\nb,01/01/2024,4,y,30\n", 3, 30, true)
	f.Fuzz(func(t *testing.T, file string, start, length int, change bool) {
		people, err := ReadFills(strings.NewReader(file))
		if err != nil {
			return
		}
		start, length = start%1000, length%1000
		for i := range people.Len() {
			_, fills := people.At(i)
			m := Measure(fills, Options{Start: start, Length: length, SameCategory: change, DoseChange: change})
			for k, v := range m[2:] {
				if v < -1e-9 || v > 1+1e-9 || math.IsInf(v, 0) {
					t.Fatalf("CMA%d is %v", k+3, v)
				}
			}
		}
	})
}
