package timing

import (
	"fmt"
	"math"

	"doorstep/internal/fhir"
)

// longestCycle bounds a cycle in days.
const longestCycle = 400

// cycle reads which days of a cycle doses are taken on, from 1; nil without the extension.
func (p parser) cycle(t *fhir.Timing) ([]int, error) {
	var named []int
	found := false
	for i, e := range t.Extension {
		if e.URL != fhir.DaysOfCycle {
			continue
		}
		found = true
		for k, day := range e.Extension {
			if day.URL != "day" || day.ValueInteger < 1 || day.ValueInteger > longestCycle {
				return nil, p.errorf(fmt.Sprintf("timing.extension[%d].extension[%d]", i, k), "it must be a day of 1 to %d", longestCycle)
			}
			named = append(named, day.ValueInteger)
		}
	}
	if found && len(named) == 0 {
		return nil, p.errorf("timing.extension", "the cycle names no day")
	}
	return named, nil
}

// byCycle reads "on days 1 to 21 of every 28 days": the frequency is of the whole cycle, or of each of its days.
func (p parser) byCycle(pl *plan, r *fhir.Repeat, named []int) error {
	const at = "timing.repeat."
	n, ok := number(r.Period)
	if r.PeriodUnit == "wk" {
		n *= 7
	}
	if !ok || r.PeriodUnit != "d" && r.PeriodUnit != "wk" || n != math.Trunc(n) || n < 2 || n > longestCycle || r.PeriodMax != "" {
		return p.errorf(at+"period", "the length of the cycle must stand here, in whole days or weeks, 2 to %d days", longestCycle)
	}
	if len(r.DayOfWeek) > 0 {
		return p.errorf(at+"dayOfWeek", "days of the week and days of a cycle exclude each other")
	}
	pl.n, pl.of, pl.cycle = int(n), days, make([]bool, int(n))
	on := 0
	for _, day := range named {
		if day > pl.n {
			return p.errorf("timing.extension", "day %d is not in a cycle of %d days", day, pl.n)
		}
		if !pl.cycle[day-1] {
			pl.cycle[day-1] = true
			on++
		}
	}
	spots, err := p.spots(r)
	if err != nil {
		return err
	}
	f := max(r.Frequency, 1)
	if r.FrequencyMax > 0 && r.FrequencyMax < f {
		return p.errorf(at+"frequency", "it must be above zero, and frequencyMax not below it")
	}
	each := 1
	if f > 1 {
		if f%on != 0 {
			return p.errorf(at+"frequency", "it does not fit the %d days that are named", on)
		}
		each = f / on
	}
	spots = p.thin(spots, each, f > 1)
	if len(spots) > 0 && each > 1 && each != len(spots) || each > mostPerDay {
		return p.errorf(at+"frequency", "it does not fit the %d times that are named", len(spots))
	}
	pl.per, pl.spots, pl.daily = each, spots, 1
	return nil
}

// duration checks how long one intake lasts (an infusion, a patch that is worn): it moves no dose, but it must not outlast the
// time to the next.
func (p parser) duration(r *fhir.Repeat) error {
	const at = "timing.repeat.duration"
	if r.Duration == "" && r.DurationMax == "" {
		if r.DurationUnit != "" {
			return p.errorf(at, "durationUnit is given without it (tim-1)")
		}
		return nil
	}
	span, ok := units[r.DurationUnit]
	if !ok {
		return p.errorf(at+"Unit", "it is not one of s, min, h, d, wk, mo, a")
	}
	long, ok := number(r.Duration)
	if r.DurationMax != "" {
		most, okMax := number(r.DurationMax)
		if !okMax || ok && most < long {
			return p.errorf(at+"Max", "it must be a number not below duration")
		}
		long, ok = most, true
	}
	if !ok || long <= 0 || long > 1e6 {
		return p.errorf(at, "it must be a number above zero")
	}
	if per, known := units[r.PeriodUnit]; known {
		if period := r.Period.Float() * float64(per) / float64(max(r.Frequency, 1)); period > 0 && long*float64(span) > period {
			return p.errorf(at, "it is longer than the time from one to the next")
		}
	}
	return nil
}
