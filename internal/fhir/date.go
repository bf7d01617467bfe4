package fhir

import (
	"fmt"
	"math"
	"time"
)

// Span is a half-open interval of time, [Low, High), in microseconds since 1970 UTC. A FHIR date is a span: "2024" is a year.
type Span struct{ Low, High int64 }

// Open sides of a Period.
const (
	Ever  = math.MinInt64 / 2 // before everything
	Never = math.MaxInt64 / 2 // after everything
)

// Start answers the first instant of the span.
func (s Span) Start() time.Time { return time.UnixMicro(s.Low).UTC() }

// End answers the first instant after the span.
func (s Span) End() time.Time { return time.UnixMicro(s.High).UTC() }

// ParseSpan reads a FHIR date, dateTime or instant (hl7.org/fhir/R4/datatypes.html#dateTime). Without an offset the
// text is read in the zone (nil: UTC). Seconds may be missing, as in search parameters. A day or time that cannot be
// (2025-02-30, 24:00) is an error; second 60 is a leap second and read as the next minute's first.
func ParseSpan(s string, zone *time.Location) (Span, error) {
	year, rest, ok := digits(s, 4)
	if !ok || year == 0 {
		return Span{}, fmt.Errorf("%q is not a date", clip(s))
	}
	if rest == "" {
		return civilSpan(year, 1, 1, 1, 0, 0, zone), nil
	}
	month, rest, ok := after(rest, '-', 2)
	if !ok || month < 1 || month > 12 {
		return Span{}, fmt.Errorf("%q has no such month", clip(s))
	}
	if rest == "" {
		return civilSpan(year, month, 1, 0, 1, 0, zone), nil
	}
	day, rest, ok := after(rest, '-', 2)
	if !ok || day < 1 || day > daysIn(year, month) {
		return Span{}, fmt.Errorf("%q has no such day", clip(s))
	}
	if rest == "" {
		return civilSpan(year, month, day, 0, 0, 1, zone), nil
	}
	return parseTime(s, rest, year, month, day, zone)
}

func parseTime(s, rest string, year, month, day int, zone *time.Location) (Span, error) {
	bad := func() (Span, error) { return Span{}, fmt.Errorf("%q has no such time of day", clip(s)) }
	hour, rest, ok := after(rest, 'T', 2)
	if !ok || hour > 23 {
		return bad()
	}
	minute, rest, ok := after(rest, ':', 2)
	if !ok || minute > 59 {
		return bad()
	}
	width, second, micros := int64(60e6), 0, int64(0)
	if rest != "" && rest[0] == ':' {
		if second, rest, ok = after(rest, ':', 2); !ok || second > 60 {
			return bad()
		}
		width = 1e6
		if rest != "" && rest[0] == '.' {
			n := 1
			unit := int64(1e6)
			for ; n < len(rest) && rest[n] >= '0' && rest[n] <= '9'; n++ {
				if unit > 1 {
					unit /= 10
					micros += int64(rest[n]-'0') * unit
				}
			}
			if n == 1 {
				return bad()
			}
			rest, width = rest[n:], unit
		}
	}
	at := (daysSince1970(year, month, day)*86400 + int64(hour*3600+minute*60+second)) * 1e6
	switch {
	case rest == "":
		if zone != nil && zone != time.UTC {
			at = time.Date(year, time.Month(month), day, hour, minute, second, 0, zone).UnixMicro()
		}
	case rest == "Z":
	case rest[0] == '+' || rest[0] == '-':
		h, tail, ok := digits(rest[1:], 2)
		m, tail, ok2 := after(tail, ':', 2)
		if !ok || !ok2 || tail != "" || h > 14 || m > 59 {
			return Span{}, fmt.Errorf("%q has no such offset", clip(s))
		}
		off := int64(h*3600+m*60) * 1e6
		if rest[0] == '-' {
			off = -off
		}
		at -= off
	default:
		return Span{}, fmt.Errorf("%q has no such offset", clip(s))
	}
	at += micros
	return Span{at, at + width}, nil
}

// PeriodSpan answers the span of a Period; an absent side is open. The end includes its last unit.
func PeriodSpan(p Period, zone *time.Location) (Span, error) {
	out := Span{Ever, Never}
	if p.Start != "" {
		s, err := ParseSpan(string(p.Start), zone)
		if err != nil {
			return out, err
		}
		out.Low = s.Low
	}
	if p.End != "" {
		s, err := ParseSpan(string(p.End), zone)
		if err != nil {
			return out, err
		}
		out.High = s.High
	}
	return out, nil
}

// civilSpan answers the span from a civil date to years, months and days later.
func civilSpan(y, m, d, years, months, days int, zone *time.Location) Span {
	if zone == nil || zone == time.UTC {
		ey, em := y+years, m+months
		if em > 12 {
			ey, em = ey+1, 1
		}
		const day = 86400e6
		return Span{daysSince1970(y, m, d) * day, (daysSince1970(ey, em, d) + int64(days)) * day}
	}
	from := time.Date(y, time.Month(m), d, 0, 0, 0, 0, zone)
	to := time.Date(y+years, time.Month(m+months), d+days, 0, 0, 0, 0, zone)
	return Span{from.UnixMicro(), to.UnixMicro()}
}

// daysSince1970 counts days in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
func daysSince1970(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// digits reads exactly n digits from the front.
func digits(s string, n int) (int, string, bool) {
	if len(s) < n {
		return 0, s, false
	}
	v := 0
	for i := range n {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, s, false
		}
		v = v*10 + int(c-'0')
	}
	return v, s[n:], true
}

func after(s string, sep byte, n int) (int, string, bool) {
	if s == "" || s[0] != sep {
		return 0, s, false
	}
	return digits(s[1:], n)
}

// clip shortens a text for an error message.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
