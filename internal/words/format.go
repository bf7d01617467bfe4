package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Dates and times by language. English writes the 12-hour clock and the month first, Spanish the 24-hour clock and the day first.

var (
	monthsES      = [...]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"}
	monthsShortES = [...]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"}
	daysES        = [...]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"}
	daysShortES   = [...]string{"dom", "lun", "mar", "mié", "jue", "vie", "sáb"}
)

// Time answers a time of day: "8:04 am", "20:04".
func Time(lang string, t time.Time, zone *time.Location) string {
	t = t.In(zone)
	if lang == "es" {
		return t.Format("15:04")
	}
	return t.Format("3:04 pm")
}

// TimeZoned is Time with the zone printed, for where it could differ from the reader's: "8:04 am EDT".
func TimeZoned(lang string, t time.Time, zone *time.Location) string {
	return Time(lang, t, zone) + " " + Zone(t, zone)
}

// Zone answers the short name of a zone at an instant: "EDT", or "UTC-3" where the zone has no letters of its own.
func Zone(t time.Time, zone *time.Location) string {
	name, offset := t.In(zone).Zone()
	if name != "" && name[0] != '-' && name[0] != '+' {
		return name
	}
	sign := "+"
	if offset < 0 {
		sign, offset = "-", -offset
	}
	out := "UTC" + sign + strconv.Itoa(offset/3600)
	if m := offset % 3600 / 60; m != 0 {
		out += fmt.Sprintf(":%02d", m)
	}
	return out
}

// Day answers a date in short: "Mon, Mar 9", "lun 9 mar".
func Day(lang string, t time.Time, zone *time.Location) string {
	t = t.In(zone)
	if lang == "es" {
		return fmt.Sprintf("%s %d %s", daysShortES[t.Weekday()], t.Day(), monthsShortES[t.Month()-1])
	}
	return t.Format("Mon, Jan 2")
}

// DayLong answers a date in full, without the year: "Monday, March 9", "lunes 9 de marzo".
func DayLong(lang string, t time.Time, zone *time.Location) string {
	t = t.In(zone)
	if lang == "es" {
		return fmt.Sprintf("%s %d de %s", daysES[t.Weekday()], t.Day(), monthsES[t.Month()-1])
	}
	return t.Format("Monday, January 2")
}

// Date answers a date with its year: "March 9, 2026", "9 de marzo de 2026".
func Date(lang string, t time.Time, zone *time.Location) string {
	t = t.In(zone)
	if lang == "es" {
		return fmt.Sprintf("%d de %s de %d", t.Day(), monthsES[t.Month()-1], t.Year())
	}
	return t.Format("January 2, 2006")
}

// When answers an instant as seen from now: the time alone when it is the same day, "yesterday" or "tomorrow" with the time,
// else the day and the time.
func When(lang string, t, now time.Time, zone *time.Location) string {
	t, now = t.In(zone), now.In(zone)
	clock := Time(lang, t, zone)
	switch days(t) - days(now) {
	case 0:
		return clock
	case -1:
		return Say(lang, "when.yesterday", map[string]string{"time": clock})
	case 1:
		return Say(lang, "when.tomorrow", map[string]string{"time": clock})
	}
	return Say(lang, "when.day", map[string]string{"day": Day(lang, t, zone), "time": clock})
}

// days numbers the civil days, to tell how far apart two are.
func days(t time.Time) int64 {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// Span answers a length of time in its largest fitting unit, rounded down: "5 minutes", "2 hours", "3 days".
func Span(lang string, d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Hour:
		return Count(lang, "span.minutes", int(d/time.Minute), nil)
	case d < 48*time.Hour:
		return Count(lang, "span.hours", int(d/time.Hour), nil)
	}
	return Count(lang, "span.days", int(d/(24*time.Hour)), nil)
}

// Number writes a number with so many decimals: "1,234.5", "1.234,5" (Spanish groups from five digits on).
func Number(lang string, v float64, decimals int) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, part, _ := strings.Cut(text, ".")
	group, point, from := ",", ".", 4
	if lang == "es" {
		group, point, from = ".", ",", 5
	}
	if len(whole) >= from {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + group + whole[i:]
		}
	}
	if part != "" {
		whole += point + part
	}
	if v < 0 && strings.ContainsAny(whole, "123456789") {
		whole = "−" + whole
	}
	return whole
}

// Weekday answers the short name of a day of the week: "Mon", "lun".
func Weekday(lang string, d time.Weekday) string {
	if lang == "es" {
		return daysShortES[d]
	}
	return d.String()[:3]
}

// DayShort answers a date without its weekday: "Mar 9", "9 mar".
func DayShort(lang string, t time.Time, zone *time.Location) string {
	t = t.In(zone)
	if lang == "es" {
		return fmt.Sprintf("%d %s", t.Day(), monthsShortES[t.Month()-1])
	}
	return t.Format("Jan 2")
}

// Phone writes a telephone number as people read it: a North American one in its three groups, others as they are.
func Phone(number string) string {
	if len(number) == 12 && strings.HasPrefix(number, "+1") {
		return number[2:5] + "-" + number[5:8] + "-" + number[8:]
	}
	return number
}
