package web

import (
	"math"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/reading/glucose"
	"doorstep/internal/stat"
)

// weekLeast is on how many days of each week a number must be known before the weeks are compared.
const weekLeast = 4

// changed answers by how much the last seven days differ from the seven before: the difference of the means, if it is at least as
// large as a change that matters and more than twice its standard error (Welch 1947, Biometrika 34:28); 0 otherwise.
func changed(last clock.Day, days []day, least float64) float64 {
	var now, before []float64
	for _, d := range days {
		switch ago := last.Sub(d.Day); {
		case ago < 0:
		case ago < 7:
			now = append(now, d.Median)
		case ago < 14:
			before = append(before, d.Median)
		}
	}
	if len(now) < weekLeast || len(before) < weekLeast {
		return 0
	}
	by := mean(now) - mean(before)
	noise := math.Sqrt(stat.Variance(now)/float64(len(now)) + stat.Variance(before)/float64(len(before)))
	if math.Abs(by) < least || math.Abs(by) <= 2*noise {
		return 0
	}
	return by
}

// change says a real change since last week in one sentence: key with .up or .down. There is none: nothing is said.
func (p *page) change(key string, by float64, decimals int, args ...string) string {
	switch args = append(args, "by", p.Num(math.Abs(by), decimals)); {
	case by > 0:
		return p.Whose(key+".up", args...)
	case by < 0:
		return p.Whose(key+".down", args...)
	}
	return ""
}

// changedRange compares the time in range of two weeks, day by day. Today counts once it is over.
func (p *page) changedRange(readings []glucose.Reading) string {
	perDay := map[clock.Day][]glucose.Reading{}
	for _, r := range readings {
		d := clock.DayOf(r.At, time.UTC)
		perDay[d] = append(perDay[d], r)
	}
	today := clock.DayOf(p.Now, p.Zone)
	var days []day
	for d, list := range perDay {
		if len(list) >= sensorLeast && d != today {
			days = append(days, day{d, glucose.Summarize(list).TIR, len(list)})
		}
	}
	return p.change("week.range", changed(today.Add(-1), days, 5), 0)
}

func anyChange(figures []figure) bool {
	return slices.ContainsFunc(figures, func(f figure) bool { return f.Change != "" })
}
