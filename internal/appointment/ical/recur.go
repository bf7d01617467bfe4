package ical

import (
	"slices"
	"time"
)

// recurrence is a rule with its start, on the clocks of a zone.
type recurrence struct {
	rule     rule
	start    int64 // civil
	zone     clockZone
	from, to int64 // the civil times that are asked for: from, up to to
	steps    *int  // how many days and times may still be walked, of all rules of a file together

	counted int
}

// each yields the occurrences from from up to to in their order, as civil times, until it answers false. DTSTART itself is yielded only if
// the rule says so.
func (s *recurrence) each(yield func(civil int64) bool) error {
	if s.rule.freq >= hourly {
		return s.eachInstant(yield)
	}
	r := s.rule.filled(s.start)
	first := period(r, s.start)
	n := int64(0)
	if r.count == 0 { // without a count the beginning need not be walked
		n = max(0, (period(r, s.from)-first)/r.interval-1)
	}
	var days, times []int64
	for ; ; n++ {
		begin, end := r.days(first + n*r.interval)
		if begin*86400 >= s.to {
			return nil
		}
		if *s.steps -= int(end - begin); *s.steps < 0 {
			return tooOften(r.line)
		}
		days = days[:0]
		for d := begin; d < end; d++ {
			if r.on(d) {
				days = append(days, d)
			}
		}
		if *s.steps -= len(days) * len(r.hour) * len(r.minute) * len(r.second); *s.steps < 0 {
			return tooOften(r.line)
		}
		times = times[:0]
		for _, d := range days {
			for _, h := range r.hour {
				for _, m := range r.minute {
					for _, sec := range r.second {
						times = append(times, d*86400+int64(h)*3600+int64(m)*60+int64(sec))
					}
				}
			}
		}
		for _, t := range r.positions(times) {
			if t < s.start {
				continue
			}
			if t >= s.to || s.past(t, s.zone.instant(t)) {
				return nil
			}
			if s.counted++; r.count > 0 && s.counted > r.count {
				return nil
			}
			if t >= s.from && !yield(t) {
				return nil
			}
		}
	}
}

// eachInstant walks rules of hours, minutes and seconds by instants: an hour later is an hour later, whatever clocks do.
func (s *recurrence) eachInstant(yield func(civil int64) bool) error {
	r := s.rule
	step := r.interval * []int64{3600, 60, 1}[r.freq-hourly]
	first := s.zone.instant(s.start)
	n := int64(0)
	if r.count == 0 {
		n = max(0, (s.zone.instant(max(s.from, s.start))-first)/step-1)
	}
	for ; ; n++ {
		if *s.steps -= 10; *s.steps < 0 {
			return tooOften(r.line)
		}
		at := first + n*step
		civil := s.zone.civil(at)
		if civil >= s.to || s.past(civil, at) {
			return nil
		}
		if !r.on(floor(civil, 86400)) || !in(r.hour, modulo(civil, 86400)/3600) || !in(r.minute, modulo(civil, 3600)/60) || !in(r.second, modulo(civil, 60)) {
			continue
		}
		if s.counted++; r.count > 0 && s.counted > r.count {
			return nil
		}
		if civil >= s.from && !yield(civil) {
			return nil
		}
	}
}

func tooOften(line int) error {
	return wrong(line, "the rule repeats more often than can be followed.")
}

// past reports whether an occurrence is after the rule's UNTIL, which is a date, a time on the wall, or an instant.
func (s *recurrence) past(civil, instant int64) bool {
	u := s.rule.until
	switch {
	case !s.rule.ends:
		return false
	case u.day:
		return civil >= u.civil+86400
	case u.utc:
		return instant > u.civil
	}
	return civil > u.civil
}

// filled answers the rule with what it leaves to DTSTART.
func (r rule) filled(start int64) rule {
	at := time.Unix(start, 0).UTC()
	weekday := []nthDay{{0, weekdayOf(floor(start, 86400))}}
	bare := len(r.day) == 0 && len(r.monthDay) == 0 && len(r.yearDay) == 0
	switch {
	case r.freq == yearly && bare && len(r.weekNo) > 0:
		r.day = weekday
	case r.freq == yearly && bare:
		if len(r.month) == 0 {
			r.month = []int{int(at.Month())}
		}
		r.monthDay = []int{at.Day()}
	case r.freq == monthly && bare:
		r.monthDay = []int{at.Day()}
	case r.freq == weekly && bare:
		r.day = weekday
	}
	if len(r.hour) == 0 {
		r.hour = []int{at.Hour()}
	}
	if len(r.minute) == 0 {
		r.minute = []int{at.Minute()}
	}
	if len(r.second) == 0 {
		r.second = []int{at.Second()}
	}
	return r
}

// period answers the number of the year, month, week or day that a civil time is in.
func period(r rule, civil int64) int64 {
	day := floor(civil, 86400)
	switch r.freq {
	case yearly:
		return int64(dateOf(day).Year())
	case monthly:
		d := dateOf(day)
		return int64(d.Year())*12 + int64(d.Month()) - 1
	case weekly:
		return floor(day-r.weekShift(), 7)
	}
	return day
}

// days answers the days of a period, from begin up to end, numbered from 1970-01-01.
func (r rule) days(n int64) (begin, end int64) {
	switch r.freq {
	case yearly:
		return dayNumber(int(n), 1, 1), dayNumber(int(n)+1, 1, 1)
	case monthly:
		return dayNumber(int(floor(n, 12)), int(modulo(n, 12))+1, 1), dayNumber(int(floor(n+1, 12)), int(modulo(n+1, 12))+1, 1)
	case weekly:
		begin = n*7 + r.weekShift()
		return begin, begin + 7
	}
	return n, n + 1
}

// weekShift answers a day that begins a week: 1970-01-05 was a Monday.
func (r rule) weekShift() int64 { return 4 + int64(r.weekStart-1) }

// on reports whether the rule allows a day.
func (r *rule) on(day int64) bool {
	weekday := weekdayOf(day)
	if len(r.day) > 0 && !slices.ContainsFunc(r.day, func(d nthDay) bool { return d.day == weekday }) {
		return false
	}
	if r.freq >= weekly && len(r.month) == 0 && len(r.monthDay) == 0 && len(r.yearDay) == 0 {
		return true // no day of the week is numbered then
	}
	date := dateOf(day)
	year, month := date.Year(), int(date.Month())
	first, next := dayNumber(year, month, 1), dayNumber(year, month+1, 1)
	newYear, nextYear := dayNumber(year, 1, 1), dayNumber(year+1, 1, 1)
	if !in(r.month, int64(month)) || !inEither(r.monthDay, day-first+1, next-first) || !inEither(r.yearDay, day-newYear+1, nextYear-newYear) {
		return false
	}
	if len(r.weekNo) > 0 {
		no, of := r.weekOfYear(day)
		if !inEither(r.weekNo, no, of) {
			return false
		}
	}
	if len(r.day) == 0 {
		return true
	}
	if r.freq == yearly && len(r.month) == 0 {
		first, next = newYear, nextYear
	}
	return slices.ContainsFunc(r.day, func(d nthDay) bool {
		return d.day == weekday && (d.n == 0 || d.n == int((day-first)/7)+1 || -d.n == int((next-1-day)/7)+1)
	})
}

// weekOfYear answers the number of a day's week in its year, and of how many. The first week of a year has four days of it at least.
func (r rule) weekOfYear(day int64) (no, of int64) {
	begin := floor(day-r.weekShift(), 7)*7 + r.weekShift()
	year := dateOf(begin + 3).Year() // most of the week is in it
	one := func(year int) int64 {
		d := dayNumber(year, 1, 4)
		return floor(d-r.weekShift(), 7)*7 + r.weekShift()
	}
	return (begin-one(year))/7 + 1, (one(year+1) - one(year)) / 7
}

// positions answers those of the times of a period, which are in order, that BYSETPOS picks.
func (r rule) positions(times []int64) []int64 {
	if len(r.position) == 0 || len(times) == 0 {
		return times
	}
	var out []int64
	for _, p := range r.position {
		if p < 0 {
			p += len(times) + 1
		}
		if p >= 1 && p <= len(times) {
			out = append(out, times[p-1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// in reports whether a list allows n; an empty one allows all.
func in(list []int, n int64) bool { return len(list) == 0 || slices.Contains(list, int(n)) }

// inEither is in, counted from the start or, with a minus, from the end of so many.
func inEither(list []int, n, of int64) bool {
	return len(list) == 0 || slices.Contains(list, int(n)) || slices.Contains(list, int(n-of-1))
}

func dateOf(day int64) time.Time { return time.Unix(day*86400, 0).UTC() }

func dayNumber(year, month, day int) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// weekdayOf answers 1 Monday to 7 Sunday.
func weekdayOf(day int64) int { return int(modulo(day+3, 7)) + 1 }
