package clock

import (
	"fmt"
	"time"
)

// Day is a civil date, without a zone. Its zero value is no day.
type Day struct {
	Year  int
	Month time.Month
	Date  int
}

// DayOf answers the civil date of an instant in a zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Day{y, m, d}
}

// ParseDay reads "2006-01-02"; a date that does not exist is an error.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Day{}, fmt.Errorf("%q is not a date (want YYYY-MM-DD)", s)
	}
	return DayOf(t, time.UTC), nil
}

func (d Day) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Date) }

func (d Day) utc() time.Time { return time.Date(d.Year, d.Month, d.Date, 0, 0, 0, 0, time.UTC) }

// Add answers the day n days later.
func (d Day) Add(n int) Day { return DayOf(d.utc().AddDate(0, 0, n), time.UTC) }

// AddMonths answers the same date n months later; a date that month lacks becomes its last day (31 January + 1 = 28 February).
func (d Day) AddMonths(n int) Day {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Day{first.Year(), first.Month(), min(d.Date, last)}
}

// Sub answers the days from e to d.
func (d Day) Sub(e Day) int { return int(d.utc().Sub(e.utc()) / (24 * time.Hour)) }

// Before reports whether d is earlier than e.
func (d Day) Before(e Day) bool { return d.utc().Before(e.utc()) }

// Weekday answers the day of the week.
func (d Day) Weekday() time.Weekday { return d.utc().Weekday() }

// IsZero reports whether d is no day.
func (d Day) IsZero() bool { return d == Day{} }

// Wall is a time of day on a wall clock, in minutes after midnight, 0 to 1439.
type Wall int

// WallAt answers the wall time hh:mm.
func WallAt(hour, minute int) Wall { return Wall(hour*60 + minute) }

// ParseWall reads "08:00" or "08:00:00" (seconds must be zero: doses are in minutes).
func ParseWall(s string) (Wall, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil && t.Second() == 0 {
			return WallAt(t.Hour(), t.Minute()), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time of day (want HH:MM)", s)
}

func (w Wall) String() string { return fmt.Sprintf("%02d:%02d", int(w)/60, int(w)%60) }

// At answers the instant at which a wall clock in the zone shows w on day d. It follows RFC 5545 section 3.3.5: a time that
// does not exist (spring) is read with the offset before the gap, thus comes later by the gap's length; a time that occurs
// twice (autumn) means the first. time.Date guarantees neither. w may lie outside one day (-30 is 23:30 of the day before).
func At(d Day, w Wall, zone *time.Location) time.Time {
	for w < 0 {
		d, w = d.Add(-1), w+24*60
	}
	for w >= 24*60 {
		d, w = d.Add(1), w-24*60
	}
	civil := d.utc().Add(time.Duration(w) * time.Minute)
	// The offsets in force a day before and a day after bound every candidate: a zone changes at most once in between.
	_, before := civil.Add(-24 * time.Hour).In(zone).Zone()
	_, after := civil.Add(24 * time.Hour).In(zone).Zone()
	early := civil.Add(-time.Duration(before) * time.Second)
	late := civil.Add(-time.Duration(after) * time.Second)
	if shows(early, civil, zone) && (!shows(late, civil, zone) || !late.Before(early)) {
		return early
	}
	if shows(late, civil, zone) {
		return late
	}
	return early // in the gap: the offset before it
}

func shows(t, civil time.Time, zone *time.Location) bool {
	y, m, d := t.In(zone).Date()
	h, n, s := t.In(zone).Clock()
	return time.Date(y, m, d, h, n, s, 0, time.UTC).Equal(civil)
}
