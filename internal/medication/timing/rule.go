package timing

import (
	"fmt"
	"math"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhir"
)

var weekdayCodes = map[string]time.Weekday{"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday, "sun": time.Sunday}

// rule reads frequency, period, days and times of a Repeat into the plan.
func (p parser) rule(pl *plan, r *fhir.Repeat) error {
	const at = "timing.repeat."
	for i, code := range r.DayOfWeek {
		day, ok := weekdayCodes[code]
		if !ok {
			return p.errorf(fmt.Sprintf(at+"dayOfWeek[%d]", i), "it is not one of mon to sun")
		}
		pl.weekdays[day], pl.onlyOn = true, true
	}
	f := r.Frequency
	if f == 0 {
		f = 1
	}
	if f < 0 || r.FrequencyMax < 0 || r.FrequencyMax > 0 && r.FrequencyMax < f {
		return p.errorf(at+"frequency", "it must be above zero, and frequencyMax not below it")
	}
	spots, err := p.spots(r)
	if err != nil {
		return err
	}
	n, unit := 1.0, r.PeriodUnit
	if r.Period != "" || r.PeriodMax != "" {
		if n, err = p.period(r); err != nil {
			return err
		}
	} else if unit != "" {
		return p.errorf(at+"period", "periodUnit is given without it")
	} else if unit = "d"; pl.onlyOn && len(spots) == 0 && r.Frequency > 1 {
		unit = "wk"
	}
	if span, ok := intervals[unit]; ok {
		return p.byInterval(pl, span, n, f, spots)
	}
	return p.byCalendar(pl, unit, n, f, r.Frequency > 0, spots)
}

var intervals = map[string]time.Duration{"s": time.Second, "min": time.Minute, "h": time.Hour}

// period answers the length of the period in its unit; of a range the longer, which asks for fewer doses.
func (p parser) period(r *fhir.Repeat) (float64, error) {
	n, ok := number(r.Period)
	if r.PeriodMax != "" {
		longest, okMax := number(r.PeriodMax)
		if !okMax || ok && longest < n {
			return 0, p.errorf("timing.repeat.periodMax", "it must be a number not below period")
		}
		n, ok = longest, true
	}
	if !ok || n <= 0 || n > 1e6 {
		return 0, p.errorf("timing.repeat.period", "it must be a number above zero")
	}
	return n, nil
}

// byInterval reads "every 8 hours": absolute, so that it keeps its interval when clocks change. With as many times of day
// as a whole day has intervals, the times rule instead.
func (p parser) byInterval(pl *plan, span time.Duration, n float64, f int, spots []spot) error {
	period := time.Duration(n * float64(span))
	interval := period / time.Duration(f)
	if interval < shortest || interval%time.Minute != 0 || interval > mostPeriods*24*time.Hour {
		return p.errorf("timing.repeat.period", "an interval must be whole minutes, at least %d", int(shortest.Minutes()))
	}
	if len(spots) > 1 || len(spots) == 1 && spots[0].when != "" {
		if 24*time.Hour != interval*time.Duration(len(spots)) {
			return p.errorf("timing.repeat.timeOfDay", "the times do not fit an interval of %s", interval)
		}
		pl.n, pl.of, pl.daily, pl.spots = 1, days, 1, spots
		return nil
	}
	pl.interval, pl.anchor, pl.start = interval, pl.after, once[0]
	if len(spots) == 1 {
		pl.start, pl.anchor = spots[0], time.Time{}
	}
	return nil
}

// byCalendar reads days, weeks, months and years.
func (p parser) byCalendar(pl *plan, unit string, n float64, f int, said bool, spots []spot) error {
	switch unit {
	case "d":
		pl.of = days
		if n != math.Trunc(n) { // half a day, a day and a half: an interval
			return p.byInterval(pl, time.Hour, n*24, f, spots)
		}
	case "wk":
		pl.of = weeks
		if n != math.Trunc(n) {
			if n *= 7; n != math.Trunc(n) {
				return p.errorf("timing.repeat.period", "it must be whole days")
			}
			pl.of = days
		}
	case "mo", "a":
		pl.of = months
		if unit == "a" {
			n *= 12
		}
		if n != math.Trunc(n) {
			return p.errorf("timing.repeat.period", "it must be whole months")
		}
	case "":
		return p.errorf("timing.repeat.periodUnit", "there is none")
	default:
		return p.errorf("timing.repeat.periodUnit", "it is not one of s, min, h, d, wk, mo, a")
	}
	if n > mostPeriods {
		return p.errorf("timing.repeat.period", "it is too long")
	}
	pl.n = int(n)
	longest := pl.n * [...]int{days: 1, weeks: 7, months: 28}[pl.of]
	if pl.onlyOn && pl.of != days {
		return p.onWeekdays(pl, f, said, spots)
	}
	if len(spots) == 0 {
		if f > longest*mostPerDay {
			return p.errorf("timing.repeat.frequency", "more than %d doses a day", mostPerDay)
		}
		pl.per = f
		return nil
	}
	spots = p.thin(spots, f, said)
	pl.spots, pl.daily = spots, 1
	if f > 1 {
		if f%len(spots) != 0 || f/len(spots) > longest {
			return p.errorf("timing.repeat.frequency", "it does not fit the %d times that are named", len(spots))
		}
		pl.daily = f / len(spots)
	}
	return nil
}

// onWeekdays reads "three times a week on Monday, Wednesday and Friday": the frequency is of the week, or of each day.
func (p parser) onWeekdays(pl *plan, f int, said bool, spots []spot) error {
	named := 0
	for _, on := range pl.weekdays {
		if on {
			named++
		}
	}
	each := 1
	if f > 1 {
		if f%named != 0 {
			return p.errorf("timing.repeat.frequency", "it does not fit the %d days that are named", named)
		}
		each = f / named
	}
	spots = p.thin(spots, each, said)
	if len(spots) > 0 && each > 1 && each != len(spots) || each > mostPerDay {
		return p.errorf("timing.repeat.frequency", "it does not fit the %d times that are named", len(spots))
	}
	pl.per, pl.spots, pl.daily = each, spots, 1
	return nil
}

// thin keeps of "with meals" as many meals as the order says: once a day is breakfast, twice breakfast and dinner.
func (p parser) thin(spots []spot, f int, said bool) []spot {
	if !said || len(spots) != 3 || !spots[0].meals() || f > 2 {
		return spots
	}
	if f == 1 {
		return spots[:1]
	}
	return []spot{spots[0], spots[2]}
}

// meals tells that the spot stands for one of all meals (codes C, AC, PC).
func (s spot) meals() bool { return s.n == allMeals }

// allMeals marks spots that were spelled out from C, AC or PC.
const allMeals = -3

// spots reads timeOfDay or when.
func (p parser) spots(r *fhir.Repeat) ([]spot, error) {
	const at = "timing.repeat."
	if len(r.TimeOfDay) > 0 && len(r.When) > 0 {
		return nil, p.errorf(at+"when", "when and timeOfDay exclude each other (tim-10)")
	}
	if r.Offset != 0 && len(r.When) == 0 {
		return nil, p.errorf(at+"offset", "it is given without when (tim-9)")
	}
	if r.Offset < 0 || r.Offset > 24*60 {
		return nil, p.errorf(at+"offset", "it must be 0 to 1440 minutes")
	}
	if len(r.TimeOfDay)+len(r.When) > mostPerDay {
		return nil, p.errorf(at+"timeOfDay", "more than %d times a day", mostPerDay)
	}
	var out []spot
	for i, text := range r.TimeOfDay {
		w, err := clock.ParseWall(string(text))
		if err != nil {
			return nil, p.errorf(fmt.Sprintf(at+"timeOfDay[%d]", i), "it is not a time of day in whole minutes")
		}
		out = append(out, spot{fixed: w})
	}
	for i, code := range r.When {
		s, err := whenSpots(code, r.Offset)
		if err != "" {
			return nil, p.errorf(fmt.Sprintf(at+"when[%d]", i), "%s", err)
		}
		out = append(out, s...)
	}
	for i, s := range out {
		if slices.Contains(out[:i], s) {
			return nil, p.errorf(at+"timeOfDay", "a time is named twice")
		}
	}
	return out, nil
}

// whenSpots reads one EventTiming code; the text says what is wrong.
func whenSpots(code string, offset int) ([]spot, string) {
	switch code {
	case "C", "AC", "PC":
		var out []spot
		for _, m := range []string{"M", "D", "V"} {
			s, wrong := whenSpots(code+m, offset)
			if wrong != "" {
				return nil, wrong
			}
			s[0].n = allMeals
			out = append(out, s[0])
		}
		return out, ""
	}
	if whens[code] == nil {
		return nil, "it is not an event of the day that R4 names"
	}
	s := spot{when: code, off: clock.Wall(offset)}
	switch {
	case code[0] == 'C' && offset != 0:
		return nil, "a meal itself takes no offset (tim-9)"
	case code[:2] == "AC":
		s.minus = true
		fallthrough
	case code[:2] == "PC":
		if offset == 0 {
			s.off = meal
		}
	case code == "HS":
		s.minus = true
	}
	return []spot{s}, ""
}
