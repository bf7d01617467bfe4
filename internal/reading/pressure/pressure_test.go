package pressure

import (
	"math"
	"testing"
	"time"
)

var first = time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC)

func reading(day, minute int, systolic, diastolic float64) Reading {
	return Reading{first.AddDate(0, 0, day).Add(time.Duration(minute) * time.Minute), systolic, diastolic}
}

// week is two readings in the morning and two in the evening, on so many days.
func week(days int) []Reading {
	var out []Reading
	for d := range days {
		for _, minute := range []int{7 * 60, 7*60 + 1} {
			out = append(out, reading(d, minute, 130, 82))
		}
		for _, minute := range []int{21 * 60, 21*60 + 1} {
			out = append(out, reading(d, minute, 138, 86))
		}
	}
	return out
}

func TestWeek(t *testing.T) {
	t.Parallel()
	whole := week(7)
	for i := range 4 { // what the first day says counts for nothing
		whole[i].Systolic, whole[i].Diastolic = 200, 120
	}
	a := Week(whole)
	if a.Readings != 24 || a.Days != 6 || a.Systolic != 134 || a.Diastolic != 84 || !a.Judged || a.Category != Borderline || a.Morning != (Half{130, 82, 12}) || a.Evening != (Half{138, 86, 12}) {
		t.Errorf("a week: %+v", a)
	}
	third := append(week(7), reading(3, 7*60+30, 190, 100))
	if a := Week(third); a.Readings != 24 || a.Systolic != 134 {
		t.Errorf("a third reading in a morning: %+v", a)
	}
	if a := Week(week(14)); a.Readings != 24 || a.Days != 6 {
		t.Errorf("a fortnight: %+v", a)
	}
	for days, judged := range map[int]bool{1: false, 3: false, 4: false, 5: true} {
		if a := Week(week(days)); a.Judged != judged || a.Readings != 4*(days-1) || a.Category == "" == judged {
			t.Errorf("%d days: %+v", days, a)
		}
	}
	if a := Week(nil); !math.IsNaN(a.Systolic) || a.Judged || a.Readings != 0 {
		t.Errorf("nothing: %+v", a)
	}
	if a := Week(week(1)); !math.IsNaN(a.Morning.Systolic) {
		t.Errorf("one day: %+v", a)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		systolic, diastolic float64
		category            Category
		urgency             Urgency
	}{
		{129.9, 79.9, Normal, Routine}, {130, 70, Borderline, Routine}, {120, 80, Borderline, Routine}, {135, 70, Hypertension, Routine}, {120, 85, Hypertension, Routine},
		{179, 109, Hypertension, Routine}, {180, 90, Hypertension, Critical}, {150, 110, Hypertension, Critical}, {180, 120, Hypertension, Critical},
		{181, 90, Hypertension, Crisis}, {150, 121, Hypertension, Crisis},
	} {
		if got := Judge(c.systolic, c.diastolic); got != c.category {
			t.Errorf("%v/%v: %s", c.systolic, c.diastolic, got)
		}
		if got := UrgencyOf(c.systolic, c.diastolic); got != c.urgency {
			t.Errorf("%v/%v: %s", c.systolic, c.diastolic, got)
		}
	}
}

func TestConfirmed(t *testing.T) {
	t.Parallel()
	high := reading(0, 600, 190, 100)
	for _, c := range []struct {
		name   string
		r      Reading
		later  []Reading
		want   Urgency
		repeat bool
	}{
		{"not repeated", high, nil, Crisis, true},
		{"too soon", high, []Reading{{high.At.Add(30 * time.Second), 140, 80}}, Crisis, true},
		{"too late", high, []Reading{reading(0, 660, 140, 80)}, Crisis, true},
		{"stands", high, []Reading{reading(0, 605, 140, 80), reading(0, 602, 185, 100)}, Crisis, false},
		{"does not", high, []Reading{reading(0, 602, 140, 80)}, Routine, false},
		{"no crisis", reading(0, 600, 180, 100), nil, Critical, false},
	} {
		if got, repeat := Confirmed(c.r, c.later); got != c.want || repeat != c.repeat {
			t.Errorf("%s: %s %v", c.name, got, repeat)
		}
	}
}
