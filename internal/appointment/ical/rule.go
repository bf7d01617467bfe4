package ical

import (
	"slices"
	"strconv"
	"strings"
)

// frequency is how long a period of a rule is.
type frequency int

const (
	yearly frequency = iota
	monthly
	weekly
	daily
	hourly
	minutely
	secondly
)

var frequencies = []string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"}

// rule is a RECUR value (section 3.3.10).
type rule struct {
	line      int
	freq      frequency
	interval  int64
	count     int // 0: no limit
	until     stamp
	ends      bool // there is an until
	month     []int
	weekNo    []int
	yearDay   []int
	monthDay  []int
	day       []nthDay
	hour      []int
	minute    []int
	second    []int
	position  []int
	weekStart int // 1 Monday to 7 Sunday
}

// nthDay is a day of the week, of all (0), or the nth of a month or year, from the end if negative.
type nthDay struct{ n, day int }

var dayNames = []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}

// readRule reads an RRULE or EXRULE.
func readRule(l line) (rule, error) {
	r := rule{line: l.number, freq: -1, interval: 1, weekStart: 1}
	for text := range strings.SplitSeq(strings.TrimSpace(l.value), ";") {
		if text == "" {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		if err := r.set(l, strings.ToUpper(strings.TrimSpace(name)), strings.ToUpper(strings.TrimSpace(value))); err != nil {
			return r, err
		}
	}
	if r.freq < 0 {
		return r, wrong(l.number, "%s does not say how often (FREQ=WEEKLY or the like).", l.name)
	}
	nth := slices.ContainsFunc(r.day, func(d nthDay) bool { return d.n != 0 })
	switch {
	case nth && (r.freq > monthly || r.freq == yearly && len(r.weekNo) > 0):
		return r, wrong(l.number, "%s numbers a weekday (like 2TU), which only a rule by the month or year can.", l.name)
	case len(r.weekNo) > 0 && r.freq != yearly:
		return r, wrong(l.number, "%s has BYWEEKNO, which only a yearly rule can.", l.name)
	case r.freq >= hourly && (len(r.position) > 0 || len(r.second) > 0 && r.freq < secondly || len(r.minute) > 0 && r.freq < minutely):
		return r, wrong(l.number, "%s repeats within a day in a way that is not followed (%s).", l.name, shown(l.value))
	}
	return r, nil
}

func (r *rule) set(l line, name, value string) (err error) {
	bad := wrong(l.number, "%s has %s=%s, which cannot be followed.", l.name, shown(name), shown(value))
	numbers := func(into *[]int, low, high int, signed bool) error {
		for text := range strings.SplitSeq(value, ",") {
			n, err := strconv.Atoi(strings.TrimPrefix(text, "+"))
			size := n
			if signed && n < 0 {
				size = -n
			}
			if err != nil || size < low || size > high || len(*into) >= 400 {
				return bad
			}
			*into = append(*into, n)
		}
		slices.Sort(*into)
		*into = slices.Compact(*into)
		return nil
	}
	one := func(high int) (n int, err error) {
		if n, err = strconv.Atoi(value); err != nil || n < 1 || n > high {
			return 0, bad
		}
		return n, nil
	}
	switch name {
	case "FREQ":
		if r.freq = frequency(slices.Index(frequencies, value)); r.freq < 0 {
			return bad
		}
	case "INTERVAL":
		n, err := one(1_000_000)
		r.interval = int64(n)
		return err
	case "COUNT":
		r.count, err = one(1 << 30)
		return err
	case "UNTIL":
		r.ends = true
		r.until, err = readStamp(l, value)
		return err
	case "BYMONTH":
		return numbers(&r.month, 1, 12, false)
	case "BYWEEKNO":
		return numbers(&r.weekNo, 1, 53, true)
	case "BYYEARDAY":
		return numbers(&r.yearDay, 1, 366, true)
	case "BYMONTHDAY":
		return numbers(&r.monthDay, 1, 31, true)
	case "BYHOUR":
		return numbers(&r.hour, 0, 23, false)
	case "BYMINUTE":
		return numbers(&r.minute, 0, 59, false)
	case "BYSECOND":
		return numbers(&r.second, 0, 59, false)
	case "BYSETPOS":
		return numbers(&r.position, 1, 366, true)
	case "WKST":
		if r.weekStart = slices.Index(dayNames, value) + 1; r.weekStart == 0 {
			return bad
		}
	case "BYDAY":
		for text := range strings.SplitSeq(value, ",") {
			if len(text) < 2 || len(r.day) >= 400 {
				return bad
			}
			d := nthDay{day: slices.Index(dayNames, text[len(text)-2:]) + 1}
			if n := text[:len(text)-2]; n != "" {
				if d.n, err = strconv.Atoi(n); err != nil || d.n == 0 || d.n > 53 || d.n < -53 {
					return bad
				}
			}
			if d.day == 0 {
				return bad
			}
			r.day = append(r.day, d)
		}
	default: // RSCALE, SKIP and what is not known change the days: they are not passed over
		return bad
	}
	return nil
}
