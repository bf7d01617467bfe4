package ical

import (
	"strconv"
	"strings"
	"time"
)

// stamp is a date or a time as a calendar writes it.
type stamp struct {
	civil int64 // seconds as on the wall
	day   bool  // a date: the civil time is its midnight
	utc   bool  // it ends with Z
}

// readStamp reads a DATE or a DATE-TIME (sections 3.3.4, 3.3.5) of a property.
func readStamp(l line, value string) (stamp, error) {
	value = strings.TrimSpace(value)
	var s stamp
	text, utc := strings.CutSuffix(value, "Z")
	s.utc = utc
	layout := "20060102T150405"
	if len(text) == 8 && !utc {
		layout, s.day = "20060102", true
	}
	leap := strings.HasSuffix(text, "60") && len(text) == 15 // a leap second is the end of its minute
	if leap {
		text = text[:13] + "59"
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return s, wrong(l.number, "%s is %q, not a time like 20260306T090000 or a date like 20260306.", l.name, shown(value))
	}
	if s.civil = t.Unix(); leap {
		s.civil++
	}
	return s, nil
}

// length is a DURATION (section 3.3.6): days by the calendar, and seconds.
type length struct {
	days    int64
	seconds int64
}

// maxDays bounds an event.
const maxDays = 3660

// readLength reads a duration like P1DT2H, PT30M, P2W. One that is negative is an error: nothing is busy backwards.
func readLength(l line, value string) (d length, err error) {
	bad := wrong(l.number, "%s is %q, not a duration like PT30M.", l.name, shown(value))
	v, ok := strings.CutPrefix(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(value)), "+"), "P")
	if !ok || v == "" {
		return d, bad
	}
	clockPart := false
	for v != "" {
		if v[0] == 'T' {
			clockPart = true
			if v = v[1:]; v == "" {
				return d, bad
			}
		}
		end := strings.IndexFunc(v, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 || end > 9 {
			return d, bad
		}
		n, err := strconv.ParseInt(v[:end], 10, 64)
		if err != nil {
			return d, bad
		}
		switch unit := v[end]; {
		case unit == 'W' && !clockPart:
			d.days += 7 * n
		case unit == 'D' && !clockPart:
			d.days += n
		case unit == 'H' && clockPart:
			d.seconds += 3600 * n
		case unit == 'M' && clockPart:
			d.seconds += 60 * n
		case unit == 'S' && clockPart:
			d.seconds += n
		default:
			return d, bad
		}
		v = v[end+1:]
	}
	if d.days > maxDays || d.seconds > maxDays*86400 {
		return d, wrong(l.number, "the event is longer than ten years.")
	}
	return d, nil
}
