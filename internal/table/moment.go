package table

import (
	"time"

	"doorstep/internal/clock"
)

// Day answers the field as a civil date: 2006-01-02, 01/02/2006 (month first), 02.01.2006 (day first), each also with a time
// of day behind it, which is left out.
func (t *Reader) Day(i int) (clock.Day, error) {
	d, _, ok := parseDay(t.Text(i))
	if !ok {
		return clock.Day{}, t.Errorf("%s %q is not a date (want YYYY-MM-DD or MM/DD/YYYY)", t.names[i], clip(t.Text(i)))
	}
	return d, nil
}

// Moment answers the field as what a wall clock showed, as if in UTC: a date of Day, and behind a space or T hh:mm or
// hh:mm:ss. A zone behind it (Z, +02:00) is what that clock was set to, and left out. dated is set when there was no time of day.
func (t *Reader) Moment(i int) (at time.Time, dated bool, err error) {
	d, rest, ok := parseDay(t.Text(i))
	if !ok {
		return time.Time{}, false, t.Errorf("%s %q is not a time (want YYYY-MM-DD hh:mm:ss)", t.names[i], clip(t.Text(i)))
	}
	at = time.Date(d.Year, d.Month, d.Date, 0, 0, 0, 0, time.UTC)
	if rest == "" {
		return at, true, nil
	}
	for _, layout := range []string{"15:04:05", "15:04", "15:04:05Z07:00", "3:04 PM", "3:04:05 PM"} {
		if w, err := time.Parse(layout, rest); err == nil {
			h, m, s := w.Clock()
			return at.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(w.Nanosecond())), false, nil
		}
	}
	return time.Time{}, false, t.Errorf("%s %q is not a time (want YYYY-MM-DD hh:mm:ss)", t.names[i], clip(t.Text(i)))
}

// parseDay reads a date from the front of s and answers what stands behind the space or T after it.
func parseDay(s string) (day clock.Day, rest string, ok bool) {
	var n [3]int
	var sep byte
	k, part, digits := 0, 0, 0
	width := [3]int{}
	for ; k < len(s); k++ {
		c := s[k]
		switch {
		case c >= '0' && c <= '9':
			if digits++; digits > 4 {
				return clock.Day{}, "", false
			}
			n[part] = n[part]*10 + int(c-'0')
			width[part] = digits
			continue
		case part < 2 && digits > 0 && (c == '-' || c == '/' || c == '.') && (sep == 0 || sep == c):
			sep, digits = c, 0
			part++
			continue
		}
		break
	}
	if part != 2 || digits == 0 {
		return clock.Day{}, "", false
	}
	if k < len(s) {
		if s[k] != ' ' && s[k] != 'T' || k+1 == len(s) {
			return clock.Day{}, "", false
		}
		rest = s[k+1:]
	}
	y, m, d := n[0], n[1], n[2]
	year := 0
	switch sep {
	case '/':
		y, m, d, year = n[2], n[0], n[1], 2
	case '.':
		y, m, d, year = n[2], n[1], n[0], 2
	}
	if width[year] != 4 || y == 0 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return clock.Day{}, "", false
	}
	return clock.Day{Year: y, Month: time.Month(m), Date: d}, rest, true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
